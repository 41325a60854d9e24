//! Rust files that no `mod` declaration reaches: the compiler never sees them.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::audit::rule::Ground;
use crate::audit::text::{folder_of, join_path};
use crate::audit::texts::Needles;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::PackageManager;
use crate::repo_map::{FileId, FileRole, RepoMap};

/// Files below `src/` of a package that belong to no crate; `None` when the texts of the repository cannot be read whole.
pub fn orphans(ground: &Ground<'_>) -> Option<Vec<FileId>> {
    let map = ground.map;
    let reached = reached(map);
    let found: Vec<FileId> = map
        .files_with_ids()
        .filter(|(id, file)| {
            file.language == LanguageName::Rust
                && file.role == FileRole::Production
                && !reached.contains(id)
                && is_source_of_a_crate(map, &file.path, &reached)
        })
        .map(|(id, _)| id)
        .collect();
    if found.is_empty() {
        return Some(found);
    }
    if ground.texts().incomplete {
        return None;
    }
    let names: Vec<String> = found.iter().map(|id| module_name(&map.file(*id).path).to_owned()).collect();
    let needles = Needles::new(names.iter().map(String::as_str))?;
    // `include!("name.rs")`, `#[path = "…/name.rs"]`, and `mod name` where a macro writes it.
    let names_it = |before: &str, after: &str| {
        let is_file = after.starts_with(".rs") || after.starts_with("/mod.rs");
        let is_module = before.trim_end().ends_with("mod")
            && after.trim_start().starts_with([';', '{', ',', ')', '}'])
            && before.ends_with(char::is_whitespace);
        is_file && before.ends_with(['/', '"', '\'', ' ', '(']) || is_module
    };
    let outside: BTreeSet<usize> = ground
        .texts()
        .files
        .par_iter()
        .flat_map_iter(|(_, text)| needles.found_in(text, &|_, before, after| names_it(before, after)))
        .collect();
    let inside: BTreeSet<usize> = map
        .files
        .par_iter()
        .filter(|file| file.language == LanguageName::Rust)
        .filter_map(|file| ground.tree.text(&file.path))
        .flat_map_iter(|text| needles.found_in(&text, &|_, before, after| names_it(before, after)))
        .collect();
    Some(
        (0..)
            .zip(found)
            .filter(|(index, _)| !outside.contains(index) && !inside.contains(index))
            .map(|(_, id)| id)
            .collect(),
    )
}

/// Files that some crate root leads to.
fn reached(map: &RepoMap) -> BTreeSet<FileId> {
    let mut queue: Vec<(FileId, bool)> = Vec::new();
    for package in map.recon.packages.iter().filter(|package| package.manager == PackageManager::Cargo) {
        queue.extend(package.entry_points.iter().filter_map(|path| Some((map.file_by_path(path)?.0, true))));
    }
    // Tests, examples, benches and build scripts are crates of their own, or modules of one: what they declare is reached.
    queue.extend(
        map.files_with_ids()
            .filter(|(_, file)| file.language == LanguageName::Rust && file.role != FileRole::Production)
            .map(|(id, _)| (id, true)),
    );
    let mut reached = BTreeSet::new();
    let mut seen = BTreeSet::new();
    while let Some((id, is_root)) = queue.pop() {
        if !seen.insert((id, is_root)) {
            continue;
        }
        reached.insert(id);
        let file = map.file(id);
        let folder = folder_of(&file.path);
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let own = if is_root || name == "mod.rs" {
            folder.to_owned()
        } else {
            join_path(folder, name.trim_end_matches(".rs")).unwrap_or_default()
        };
        for module in &file.facts.modules {
            let within = module.within.iter().fold(own.clone(), |path, part| format!("{path}/{part}"));
            let paths = match &module.path {
                Some(path) => [join_path(folder, path), join_path(&within, path)],
                None => [
                    join_path(&within, &format!("{}.rs", module.name)),
                    join_path(&within, &format!("{}/mod.rs", module.name)),
                ],
            };
            for path in paths.into_iter().flatten() {
                // A file that `#[path]` names has its modules beside it.
                queue.extend(map.file_by_path(&path).map(|(id, _)| (id, module.path.is_some())));
            }
        }
    }
    reached
}

/// Whether the file stands below `src/` of a package one of whose crates was followed.
fn is_source_of_a_crate(map: &RepoMap, path: &str, reached: &BTreeSet<FileId>) -> bool {
    let Some(package) = map.recon.package_in(path, true) else { return false };
    let roots = package.entry_points.iter().filter_map(|path| map.file_by_path(path));
    package.inside(path).is_some_and(|inside| inside.starts_with("src/") && !inside.starts_with("src/bin/"))
        && roots.clone().any(|(id, file)| reached.contains(&id) && !file.facts.modules.is_empty())
        && roots.into_iter().all(|(_, file)| !file.facts.partly_read)
}

/// The name a module in this file has.
fn module_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    if name == "mod" { folder_of(path).rsplit('/').next().unwrap_or(name) } else { name }
}
