//! Project facts: packages, dependencies, the exact commands a newcomer would run, and the documents to read first.
//!
//! Every command carries the place it was found at. What a project does not say is left out; only Cargo, whose commands are
//! the same everywhere, is filled in.

use std::collections::{BTreeMap, BTreeSet};

use crate::map::classify;
use crate::repo_map::recon::{CommandPurpose, Package, PackageManager, ProjectCommand, Recon};
use crate::tree::{EntryKind, Tree, TreeEntry};

mod cargo;
mod ci;
mod details;
mod documents;
mod frameworks;
mod json_lines;
mod make;
mod node;
mod prose;
mod tasks;
mod workflows;

/// Configuration beyond this size is no configuration.
pub const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Whether imports or commands depend on this file.
pub fn is_config(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    matches!(name, "package.json" | "Cargo.toml" | "pnpm-workspace.yaml" | "pnpm-workspace.yml")
        || (name.ends_with(".json") && (name.starts_with("tsconfig") || name.starts_with("jsconfig")))
        // Shared compiler options that other packages extend: `packages/tsconfig/base.json`.
        || (name.ends_with(".json") && (folder.contains("tsconfig") || folder.contains("typescript-config")))
}

/// What the readers of each ecosystem see of the repository.
struct Ground<'a> {
    /// Files that are neither vendored nor generated, lock files included.
    files: BTreeSet<&'a str>,
    /// Text of the files that [`is_config`] names.
    config: &'a BTreeMap<String, String>,
    tree: &'a dyn Tree,
}

impl Ground<'_> {
    /// Whether `name` stands in `folder`.
    fn has(&self, folder: &str, name: &str) -> bool {
        self.files.contains(join(folder, name).as_str())
    }

    /// Manifests of this name with their folder, test fixtures left out, the root first.
    fn manifests(&self, name: &str) -> Vec<(&str, &str, &str)> {
        self.config
            .iter()
            .filter_map(|(path, text)| {
                let folder = if path == name { "" } else { path.strip_suffix(name)?.strip_suffix('/')? };
                let is_fixture = folder
                    .split('/')
                    .any(|part| matches!(part, "fixtures" | "__fixtures__" | "testdata" | "test-data" | "__tests__"));
                (!is_fixture).then_some((folder, path.as_str(), text.as_str()))
            })
            .collect()
    }
}

/// Project facts of the repository. `config` holds the text of every file that [`is_config`] names.
pub fn read(entries: &[TreeEntry], tree: &dyn Tree, config: &BTreeMap<String, String>) -> Recon {
    let files: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::File)
        .map(|entry| entry.path.as_str())
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            classify::LOCKFILES.contains(&name) || classify::skip_by_path(path).is_none()
        })
        .collect();
    let ground = Ground { files, config, tree };
    let workflows = ci::read(&ground);
    let mut packages = node::packages(&ground, &workflows);
    packages.extend(cargo::packages(&ground, &workflows));
    for package in &mut packages {
        package.commands.sort_by_key(|command| command.purpose);
    }
    packages.sort_by(|left, right| (&left.folder, &left.manifest).cmp(&(&right.folder, &right.manifest)));
    let mut recon = Recon {
        frameworks: frameworks::of(&packages),
        packages,
        documents: documents::read(&ground),
        ci_files: documents::ci_files(&ground),
        deployment: documents::deployment(&ground),
        ..Recon::default()
    };
    details::fill(&mut recon, &ground.files, &|path| tree.text(path));
    recon
}

/// `folder/name`, or `name` at the root.
fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// `folder` and the folders around it, ending with the root.
fn enclosing(folder: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(folder);
    std::iter::from_fn(move || {
        let here = next?;
        next = if here.is_empty() { None } else { Some(here.rsplit_once('/').map_or("", |(parent, _)| parent)) };
        Some(here)
    })
}

/// `path` as seen from `folder`, `.` and `..` resolved; `None` when it leaves the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Adds `command` unless the package already has one for the purpose.
fn fill(commands: &mut Vec<ProjectCommand>, command: ProjectCommand) {
    if commands.iter().all(|own| own.purpose != command.purpose) {
        commands.push(command);
    }
}

/// A command at `folder`.
fn command(
    purpose: CommandPurpose,
    command: impl Into<String>,
    folder: &str,
    source: impl Into<String>,
) -> ProjectCommand {
    ProjectCommand { purpose, command: command.into(), folder: folder.to_owned(), source: source.into() }
}

/// A package without contents.
fn package(name: String, folder: &str, manifest: &str, manager: PackageManager) -> Package {
    Package {
        name,
        folder: folder.to_owned(),
        manifest: manifest.to_owned(),
        manager,
        workspace_root: false,
        member_of: None,
        dependencies: Vec::new(),
        commands: Vec::new(),
        entry_points: Vec::new(),
        scripts: Vec::new(),
        publishable: false,
    }
}

/// The name of a folder, for a package whose manifest has none.
fn folder_name(folder: &str) -> String {
    match folder.rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests;
