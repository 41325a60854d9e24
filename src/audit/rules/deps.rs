//! Rules about dependencies.

pub mod competing_dependencies;
pub mod deprecated_dependency;
pub mod duplicate_dependency;
pub mod git_dependency_without_rev;
pub mod missing_lockfile;
pub mod undeclared_dependency;
pub mod unused_dependency;
pub mod vulnerable_dependency;
pub mod wildcard_dependency;

use std::collections::BTreeMap;

use crate::audit::text::FileText;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::{Dependency, Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap};

/// Whether the package is no example, no test and no fixture.
pub fn is_shipped(map: &RepoMap, package: &Package) -> bool {
    let inside = |role: FileRole| {
        map.files.iter().any(|file| {
            file.role == role
                && package.inside(&file.path).is_some()
                && map
                    .recon
                    .package_in(&file.path, package.manager == PackageManager::Cargo)
                    .is_some_and(|own| own.manifest == package.manifest)
        })
    };
    inside(FileRole::Production)
}

/// Lock files of a package manager.
pub fn lockfiles(manager: PackageManager) -> &'static [&'static str] {
    match manager {
        PackageManager::Cargo => &["Cargo.lock"],
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => &[
            "package-lock.json",
            "npm-shrinkwrap.json",
            "pnpm-lock.yaml",
            "yarn.lock",
            "bun.lock",
            "bun.lockb",
            "deno.lock",
        ],
    }
}

/// The lock file that holds a package's dependencies: that of its workspace, or one in its folder or around it.
pub fn lockfile_of(map: &RepoMap, package: &Package) -> Option<String> {
    let workspace =
        package.member_of.as_deref().map(|manifest| manifest.rsplit_once('/').map_or("", |(folder, _)| folder));
    workspace
        .and_then(|folder| nearest_lockfile(map, package, folder))
        .or_else(|| nearest_lockfile(map, package, &package.folder))
}

fn nearest_lockfile(map: &RepoMap, package: &Package, folder: &str) -> Option<String> {
    let mut folder = Some(folder);
    while let Some(here) = folder {
        for name in lockfiles(package.manager) {
            let path = if here.is_empty() { (*name).to_owned() } else { format!("{here}/{name}") };
            if map.has_path(&path) {
                return Some(path);
            }
        }
        folder = if here.is_empty() { None } else { Some(here.rsplit_once('/').map_or("", |(parent, _)| parent)) };
    }
    None
}

/// What one plan mends together: what was found in manifests of one lock file, or of one workspace where there is none.
pub fn by_install<'a, T>(
    map: &RepoMap,
    found: impl IntoIterator<Item = (&'a Package, T)>,
) -> Vec<Vec<(&'a Package, T)>> {
    let mut groups: BTreeMap<(bool, String), Vec<(&Package, T)>> = BTreeMap::new();
    for (package, what) in found {
        let place = lockfile_of(map, package).or_else(|| package.member_of.clone());
        let place = place.unwrap_or_else(|| package.manifest.clone());
        groups.entry((package.manager == PackageManager::Cargo, place)).or_default().push((package, what));
    }
    groups.into_values().collect()
}

/// The dependency that a line of the manifest lists, when it lists no other.
pub fn dependency_on(package: &Package, line: u32) -> Option<&Dependency> {
    let mut listed = package.dependencies.iter().filter(|own| own.line == line);
    listed.next().filter(|_| listed.next().is_none())
}

/// The command that changes the requirement of `name` in a package, manifest and lock file together.
pub fn require_command(manager: PackageManager, name: &str, dev: bool) -> String {
    let flag = |flag: &str| if dev { format!(" {flag}") } else { String::new() };
    match manager {
        PackageManager::Cargo => format!("cargo update -p {name}"),
        PackageManager::Npm => format!("npm install{} '{name}@^VERSION'", flag("--save-dev")),
        PackageManager::Pnpm => format!("pnpm add{} '{name}@^VERSION'", flag("--save-dev")),
        PackageManager::Yarn => format!("yarn add{} '{name}@^VERSION'", flag("--dev")),
        PackageManager::Bun => format!("bun add{} '{name}@^VERSION'", flag("--dev")),
    }
}

/// Bytes that remove the entry on `line`: the line, or, for the last entry of its object, from the comma before it.
pub fn entry_span(text: &FileText, line: u32, name: &str) -> Option<Span> {
    let own = text.line_span(line)?;
    let written = text.line(line)?.trim();
    if !written.starts_with(&format!("\"{name}\"")) || written.matches(':').count() == 0 || written.contains(['{', '}'])
    {
        return None;
    }
    if written.ends_with(',') {
        return Some(own);
    }
    let before = text.text[..own.start as usize].trim_end();
    let end = own.start as usize + text.line(line)?.len();
    // The only entry: the object stays, empty.
    let start = if before.ends_with(',') { before.len() - 1 } else { before.len() };
    Some(Span { start: start as u32, end: end as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(text: &str, line: u32) -> String {
        let file = FileText::new(text.to_owned());
        let span = entry_span(&file, line, "b").expect("the entry stands on a line of its own");
        format!("{}{}", &text[..span.start as usize], &text[span.end as usize..])
    }

    #[test]
    fn entries_are_removed_with_their_comma() {
        assert_eq!(removed("{\n  \"b\": \"1\",\n  \"c\": \"2\"\n}\n", 2), "{\n  \"c\": \"2\"\n}\n");
        assert_eq!(removed("{\n  \"a\": \"1\",\n  \"b\": \"2\"\n}\n", 3), "{\n  \"a\": \"1\"\n}\n");
        assert_eq!(removed("{\n  \"b\": \"2\"\n}\n", 2), "{\n}\n");
    }

    #[test]
    fn entries_that_share_a_line_are_left_to_a_person() {
        assert_eq!(entry_span(&FileText::new("{ \"b\": \"1\" }".to_owned()), 1, "b"), None);
    }
}
