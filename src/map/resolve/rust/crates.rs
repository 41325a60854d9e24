//! Crates: what every `Cargo.toml` builds, and what its code may call by crate name.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use toml::{Table, Value};

use crate::map::resolve::LinkInput;
use crate::repo_map::FileId;
use crate::repo_map::facts::LanguageName;

/// Index into the crates of a repository.
pub(super) type CrateId = usize;

/// One build target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crate {
    /// The file it is compiled from.
    pub root: FileId,
    /// Crates by the name its code uses.
    pub dependencies: BTreeMap<String, Dependency>,
}

/// What a crate name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dependency {
    /// A library of this repository.
    Local(CrateId),
    /// A crate from elsewhere, by its own name.
    External(String),
}

/// A manifest with a package.
struct Package<'m> {
    folder: &'m str,
    /// Library name as code writes it.
    library: String,
    manifest: &'m Table,
    /// `[workspace.dependencies]` that apply, and the folder their paths start at.
    shared: Option<(&'m str, &'m Table)>,
}

/// All crates of the repository. Libraries come first, so that a file shared by targets counts as the library's.
pub(super) fn crates(input: &LinkInput<'_>) -> Vec<Crate> {
    let files: BTreeMap<&str, FileId> = (0..)
        .zip(input.files)
        .filter(|(_, file)| file.language == LanguageName::Rust)
        .map(|(id, file)| (file.path.as_str(), id))
        .collect();
    let manifests = manifests(input);
    let packages = packages(&manifests);
    let mut targets: Vec<(usize, usize, FileId)> = Vec::new();
    for (package, found) in packages.iter().enumerate() {
        for (rank, path) in target_files(found, &files) {
            if let Some(&file) = files.get(path.as_str()) {
                targets.push((rank, package, file));
            }
        }
    }
    targets.sort();
    targets.dedup_by_key(|(_, _, file)| *file);
    let mut seen = BTreeSet::new();
    targets.retain(|(_, _, file)| seen.insert(*file));
    let libraries: BTreeMap<&str, CrateId> = targets
        .iter()
        .enumerate()
        .filter(|(_, (rank, ..))| *rank == 0)
        .map(|(id, (_, package, _))| (packages[*package].folder, id))
        .collect();
    targets
        .iter()
        .map(|(rank, package, root)| {
            let package = &packages[*package];
            let mut dependencies = dependencies(package, &packages, &libraries);
            if *rank > 0
                && let Some(&own) = libraries.get(package.folder)
            {
                dependencies.insert(package.library.clone(), Dependency::Local(own));
            }
            Crate { root: *root, dependencies }
        })
        .collect()
}

/// What code that belongs to no target may call: the dependencies of the nearest manifest.
pub(super) fn dependencies_near(path: &str, crates: &[Crate], input: &LinkInput<'_>) -> BTreeMap<String, Dependency> {
    crates
        .iter()
        .max_by_key(|own| {
            let root = &input.files[own.root as usize].path;
            root.bytes().zip(path.bytes()).take_while(|(left, right)| left == right).count()
        })
        .map(|own| own.dependencies.clone())
        .unwrap_or_default()
}

/// Every manifest that can be read, by folder.
fn manifests<'a>(input: &LinkInput<'a>) -> Vec<(&'a str, Table)> {
    let texts: Vec<(&str, &str)> = input
        .config
        .iter()
        .filter_map(|(path, text)| {
            let folder = if path == "Cargo.toml" { "" } else { path.strip_suffix("/Cargo.toml")? };
            Some((folder, text.as_str()))
        })
        .collect();
    texts.into_par_iter().filter_map(|(folder, text)| Some((folder, text.parse::<Table>().ok()?))).collect()
}

fn packages<'m>(manifests: &'m [(&'m str, Table)]) -> Vec<Package<'m>> {
    manifests
        .iter()
        .filter_map(|(folder, manifest)| {
            let name = manifest.get("package")?.get("name")?.as_str()?;
            let library = manifest.get("lib").and_then(|lib| lib.get("name")).and_then(Value::as_str).unwrap_or(name);
            let shared = manifests
                .iter()
                .filter(|(root, _)| root.is_empty() || folder == root || folder.starts_with(&format!("{root}/")))
                .filter_map(|(root, manifest)| {
                    let table = manifest.get("workspace")?.get("dependencies")?.as_table()?;
                    Some((*root, table))
                })
                .max_by_key(|(root, _)| root.len());
            Some(Package { folder, library: code_name(library), manifest, shared })
        })
        .collect()
}

/// Root files of a package's targets, each with the rank of its kind: the library first.
fn target_files(package: &Package<'_>, files: &BTreeMap<&str, FileId>) -> Vec<(usize, String)> {
    let manifest = package.manifest;
    let at = |path: &str| joined(package.folder, path);
    let text = |table: &Value, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let library = manifest.get("lib").and_then(|lib| text(lib, "path"));
    let mut found = vec![(0, at(library.as_deref().unwrap_or("src/lib.rs"))), (1, at("src/main.rs"))];
    let kinds = [(1, "bin", "src/bin"), (2, "test", "tests"), (3, "example", "examples"), (4, "bench", "benches")];
    for (rank, key, folder) in kinds {
        for target in manifest.get(key).and_then(Value::as_array).into_iter().flatten() {
            match (text(target, "path"), text(target, "name")) {
                (Some(path), _) => found.push((rank, at(&path))),
                (None, Some(name)) => {
                    found.push((rank, at(&format!("{folder}/{name}.rs"))));
                    found.push((rank, at(&format!("{folder}/{name}/main.rs"))));
                }
                (None, None) => {}
            }
        }
        // What Cargo finds by itself.
        let prefix = format!("{}/", at(folder));
        let range = files.range(prefix.as_str()..).take_while(|(path, _)| path.starts_with(&prefix));
        for (path, _) in range {
            let rest = &path[prefix.len()..];
            if !rest.contains('/') || rest.split('/').nth(1) == Some("main.rs") {
                found.push((rank + 4, (*path).to_owned()));
            }
        }
    }
    let build = manifest.get("package").and_then(|package| text(package, "build"));
    found.push((9, at(build.as_deref().unwrap_or("build.rs"))));
    found
}

fn dependencies(
    package: &Package<'_>,
    packages: &[Package<'_>],
    libraries: &BTreeMap<&str, CrateId>,
) -> BTreeMap<String, Dependency> {
    let mut found = BTreeMap::new();
    let mut tables: Vec<&Table> = vec![package.manifest];
    let targets = package.manifest.get("target").and_then(Value::as_table);
    tables.extend(targets.into_iter().flat_map(|targets| targets.values()).filter_map(Value::as_table));
    for table in tables {
        for key in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, entry) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
                let shared =
                    package.shared.filter(|_| entry.get("workspace").and_then(Value::as_bool).unwrap_or(false));
                let (base, entry) = match shared.and_then(|(root, table)| Some((root, table.get(name)?))) {
                    Some((root, entry)) => (root, entry),
                    None => (package.folder, entry),
                };
                let real = entry.get("package").and_then(Value::as_str).unwrap_or(name);
                let path = entry.get("path").and_then(Value::as_str);
                let local = path.and_then(|path| {
                    let folder = joined(base, path);
                    packages.iter().find(|other| other.folder == folder)
                });
                let resolved = match local {
                    Some(other) => match libraries.get(other.folder) {
                        Some(&id) => Dependency::Local(id),
                        None => Dependency::External(other.library.clone()),
                    },
                    None => Dependency::External(code_name(real)),
                };
                // A renamed library answers to its own name unless the manifest gives another.
                let code = match local {
                    Some(other) if entry.get("package").is_none() => other.library.clone(),
                    _ => code_name(name),
                };
                found.insert(code, resolved);
            }
        }
    }
    found
}

/// A crate name as code writes it.
pub(super) fn code_name(name: &str) -> String {
    name.replace('-', "_")
}

/// `path` seen from `folder`, with `.` and `..` resolved.
pub(super) fn joined(folder: &str, path: &str) -> String {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}
