//! Dependencies of a `package.json` that nothing needs.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{implied, is_word};
use crate::audit::rule::Ground;
use crate::audit::rules::deps::lockfile_of;
use crate::audit::texts::Needles;
use crate::repo_map::recon::{Dependency, DependencyKind, Package, PackageManager};
use crate::repo_map::{RepoMap, SourceFile};

/// What is the same for every package, and read once.
pub struct Shared<'a> {
    /// Names of candidates that stand in a text beside the source.
    named: BTreeSet<&'a str>,
    /// Names that the packages of a lock file want beside them, by its path; `None` where the format does not say.
    peers: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl<'a> Shared<'a> {
    /// For these packages, each with its [`candidates`]; `None` when the texts cannot all be read.
    pub fn new(ground: &Ground<'a>, packages: &[(&'a Package, Vec<&'a Dependency>)]) -> Option<Shared<'a>> {
        let names: BTreeSet<&str> =
            packages.iter().flat_map(|(_, candidates)| candidates).map(|own| own.listed_name()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut shared = Shared { named: BTreeSet::new(), peers: BTreeMap::new() };
        if names.is_empty() {
            return Some(shared);
        }
        let texts = ground.texts();
        if texts.incomplete {
            return None;
        }
        let needles = Needles::new(names.iter().copied())?;
        let found: BTreeSet<usize> = texts
            .files
            .par_iter()
            .filter(|(path, _)| !path.ends_with("package.json"))
            .flat_map_iter(|(_, text)| needles.found_in(text, &|_, before, after| is_word(before, after)))
            .collect();
        // `.checkrc.js`: settings in code may keep a list of what is there for a reason.
        let is_settings = |file: &&SourceFile| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            file.language.is_ecmascript() && name.starts_with('.')
        };
        let settings = ground.map.files.iter().filter(is_settings).filter_map(|file| ground.tree.text(&file.path));
        let in_settings =
            settings.flat_map(|text| needles.found_in(&text, &|_, before, after| is_quoted(before, after)));
        shared.named = found.into_iter().chain(in_settings).map(|index| names[index]).collect();
        for path in packages.iter().filter_map(|(package, _)| lockfile_of(ground.map, package)) {
            let read = |path: &str| {
                let text = ground.tree.text(path)?;
                Some(peers(&text)?.into_iter().map(str::to_owned).collect())
            };
            shared.peers.entry(path).or_insert_with_key(|path| read(path));
        }
        Some(shared)
    }
}

/// Dependencies of a `package.json` that no file of it imports and that are of no use by being there.
pub fn candidates<'a>(map: &'a RepoMap, package: &'a Package) -> Option<Vec<&'a Dependency>> {
    let mut own = own_files(map, package).peekable();
    own.peek()?;
    let imported: BTreeSet<&str> =
        own.flat_map(|file| &file.facts.imports).map(|import| package_name(import.source.as_str())).collect();
    let listed = |name: &str, kind: DependencyKind| {
        package.dependencies.iter().any(|other| other.listed_name() == name && other.kind == kind)
    };
    let local = |name: &str| map.recon.packages.iter().any(|package| package.name == name);
    // A package may list for deployment what packages of this repository import that it depends on.
    let imported: BTreeSet<&str> = imported.into_iter().chain(imported_by_local_dependencies(map, package)).collect();
    Some(
        package
            .dependencies
            .iter()
            .filter(|own| {
                let name = own.listed_name();
                own.kind == DependencyKind::Normal
                    && !imported.contains(name)
                    && !local(name)
                    && !listed(name, DependencyKind::Peer)
                    && !["workspace:", "file:", "link:", "portal:"]
                        .iter()
                        .any(|start| own.requirement.starts_with(start))
                    && !implied::is_loaded_by_name(name)
                    && !is_named_by_another(package, name)
                    && !is_types_of_something(package, &imported, name)
            })
            .collect(),
    )
}

/// `docusaurus-lunr-search` beside `lunr`: what works with a package asks for it to be there.
fn is_named_by_another(package: &Package, name: &str) -> bool {
    let holds = |other: &str| {
        // A plugin of a bundler that is named for what it does works without it.
        let is_other = other == name || other.starts_with("@types/") || other.contains("plugin");
        !is_other && other.split(['-', '/', '@']).any(|word| word == name)
    };
    package.dependencies.iter().any(|other| holds(other.listed_name()))
}

/// Those of the candidates that nothing speaks of; `None` when that cannot be told.
pub fn unused_packages<'a>(
    ground: &Ground<'a>,
    package: &'a Package,
    candidates: Vec<&'a Dependency>,
    shared: &Shared<'_>,
) -> Option<Vec<&'a Dependency>> {
    if candidates.is_empty() {
        return Some(candidates);
    }
    let map = ground.map;
    let names: Vec<&str> = candidates.iter().map(|own| own.listed_name()).collect();
    let needles = Needles::new(names.iter().copied())?;
    let own: Vec<&SourceFile> = own_files(map, package).collect();
    let mut named: BTreeSet<usize> = own
        .par_iter()
        .filter_map(|file| ground.tree.text(&file.path))
        .flat_map_iter(|text| needles.found_in(&text, &|_, before, after| is_quoted(before, after)))
        .collect();
    let manifest = manifest_without_dependencies(&ground.tree.text(&package.manifest)?)?;
    named.extend(needles.found_in(&manifest, &|_, before, after| is_word(before, after)));
    let scripts: BTreeSet<&str> = map
        .recon
        .packages
        .iter()
        .flat_map(|package| &package.scripts)
        .flat_map(|script| script.command.split(|c: char| c.is_whitespace() || "&|;()\"'=".contains(c)))
        .collect();
    let peers = lockfile_of(map, package).and_then(|path| shared.peers.get(&path)?.as_ref());
    let own_imports: BTreeSet<&str> =
        own.iter().flat_map(|file| &file.facts.imports).map(|import| package_name(import.source.as_str())).collect();
    Some(
        candidates
            .into_iter()
            .enumerate()
            .filter(|(index, own)| {
                let name = own.listed_name();
                let short = name.rsplit('/').next().unwrap_or(name);
                let scope = name.split('/').next().unwrap_or(name).trim_start_matches('@');
                !named.contains(index)
                    && !shared.named.contains(name)
                    && !implied::programs(name).iter().any(|program| scripts.contains(program))
                    && ![short, short.trim_end_matches("-cli"), scope].iter().any(|program| scripts.contains(program))
                    && match peers {
                        Some(peers) => !peers.contains(name),
                        // Nobody can tell who wants it.
                        None => !implied::is_often_a_peer(name) && !is_of_used_scope(&own_imports, name),
                    }
            })
            .map(|(_, own)| own)
            .collect(),
    )
}

/// `@jsonforms/core` beside an import of `@jsonforms/vue`: packages of one scope want each other.
fn is_of_used_scope(imported: &BTreeSet<&str>, name: &str) -> bool {
    let scope = |name: &str| name.split_once('/').map(|(scope, _)| scope.to_owned());
    let own = scope(name).filter(|scope| scope.starts_with('@') && scope != "@types");
    own.is_some() && imported.iter().any(|other| scope(other) == own)
}

fn own_files<'a>(map: &'a RepoMap, package: &'a Package) -> impl Iterator<Item = &'a SourceFile> {
    map.files.iter().filter(|file| file.language.is_ecmascript() && package.inside(&file.path).is_some())
}

/// What the packages of this repository import that a package depends on, directly or through others.
fn imported_by_local_dependencies<'a>(map: &'a RepoMap, package: &'a Package) -> BTreeSet<&'a str> {
    let mut behind: BTreeMap<&str, &Package> = BTreeMap::new();
    let mut queue = vec![package];
    while let Some(next) = queue.pop() {
        for dependency in &next.dependencies {
            let found = map
                .recon
                .packages
                .iter()
                .find(|own| own.name == dependency.listed_name() && own.manager != PackageManager::Cargo);
            if let Some(found) = found.filter(|found| found.folder != package.folder)
                && behind.insert(&found.folder, found).is_none()
            {
                queue.push(found);
            }
        }
    }
    map.files
        .iter()
        .filter(|file| {
            file.language.is_ecmascript() && behind.values().any(|package| package.inside(&file.path).is_some())
        })
        .flat_map(|file| &file.facts.imports)
        .map(|import| package_name(import.source.as_str()))
        .collect()
}

/// `@scope/name` of `@scope/name/sub`.
fn package_name(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.match_indices('/').nth(parts - 1).map_or(specifier, |(at, _)| &specifier[..at])
}

/// Types for a package that is imported or listed, or for what the runtime provides.
fn is_types_of_something(package: &Package, imported: &BTreeSet<&str>, name: &str) -> bool {
    let Some(typed) = name.strip_prefix("@types/") else { return false };
    let typed = match typed.split_once("__") {
        Some((scope, name)) => format!("@{scope}/{name}"),
        None => typed.to_owned(),
    };
    imported.contains(typed.as_str())
        || package.dependencies.iter().any(|own| own.listed_name() == typed)
        || implied::AMBIENT_TYPES.contains(&typed.as_str())
}

/// The manifest as text, the lists of dependencies left out.
fn manifest_without_dependencies(text: &str) -> Option<String> {
    let mut value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let entries = value.as_object_mut()?;
    for section in [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "overrides",
        "resolutions",
        "name",
        "keywords",
        "description",
        "repository",
        "homepage",
        "bugs",
    ] {
        entries.remove(section);
    }
    Some(value.to_string())
}

/// Names that packages of a lock file want beside them; `None` when the format does not say.
fn peers(lock: &str) -> Option<BTreeSet<&str>> {
    if lock.contains("# yarn lockfile v1") {
        return None;
    }
    let mut found = BTreeSet::new();
    let mut inside: Option<usize> = None;
    for line in lock.lines() {
        let depth = line.len() - line.trim_start().len();
        let word = line.trim().trim_start_matches('"');
        if let Some(start) = inside {
            if depth > start && !word.is_empty() {
                let name = word.trim_start_matches('\'').split(['"', '\'']).next().unwrap_or_default();
                found.insert(name.split(':').next().unwrap_or_default());
                continue;
            }
            inside = None;
        }
        if word.starts_with("peerDependencies\": {") || word == "peerDependencies:" {
            inside = Some(depth);
        }
        // bun.lock has a package a line.
        for (at, _) in line.match_indices("\"peerDependencies\": {").filter(|(at, _)| *at > depth) {
            let list = line[at..].split(['{', '}']).nth(1).unwrap_or_default();
            found.extend(list.split('"').skip(1).step_by(4));
        }
    }
    Some(found)
}

/// Whether the name starts a quoted specifier, is one of `/// <reference types="…" />`, or is a part of a plug-in's path.
fn is_quoted(before: &str, after: &str) -> bool {
    before.ends_with(['\'', '"', '`', '!', '/', ' ', '(', ','])
        && after.starts_with(['\'', '"', '`', '/', '!', '?', ',', ')'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read_from_every_lock_file_that_names_them() {
        let pnpm = "  a@1.0.0:\n    resolution: {}\n    peerDependencies:\n      react: '>=18'\n      '@b/c': ^1\n    dev: true\n";
        assert_eq!(peers(pnpm), Some(BTreeSet::from(["react", "@b/c"])));
        let npm = "    \"node_modules/a\": {\n      \"peerDependencies\": {\n        \"react\": \">=18\",\n        \"@b/c\": \"1\"\n      },\n      \"dev\": true\n    }\n";
        assert_eq!(peers(npm), Some(BTreeSet::from(["react", "@b/c"])));
        let bun = "    \"a\": [\"a@1\", \"\", { \"peerDependencies\": { \"react\": \">=18\", \"@b/c\": \"1\" } }, \"sha\"],\n";
        assert_eq!(peers(bun), Some(BTreeSet::from(["react", "@b/c"])));
        assert_eq!(peers("# yarn lockfile v1\n"), None);
    }

    #[test]
    fn a_package_is_the_start_of_a_specifier() {
        assert_eq!(package_name("@a/b/c"), "@a/b");
        assert_eq!(package_name("lodash/get"), "lodash");
    }
}
