//! Rust: calls and imports linked across files and crates, from facts and manifests alone.
//!
//! `crates` and `modules` lay out what is where, `index` holds it in tables, `paths` resolves names, `members` knows what types
//! have, `written` and `declared` read declared types, `infer`, `parts` and `results` find the types of expressions, `calls` and
//! `methods` put it together, one file at a time, the files side by side. A method is never bound by its name alone.

mod calls;
mod chains;
mod choose;
mod crates;
mod declared;
mod index;
mod infer;
mod library;
mod linker;
mod members;
mod methods;
mod modules;
mod outside;
mod parts;
mod paths;
mod results;
mod types;
mod written;

use rayon::prelude::*;

use super::{LinkInput, Links};
use crate::repo_map::FileId;
use crate::repo_map::facts::LanguageName;
use index::Index;
use linker::Linker;
use members::Members;
use modules::ModuleTree;

/// Links the Rust files of `input`.
pub fn link(input: &LinkInput<'_>, links: &mut Links) {
    let is_rust = |file: usize| input.files[file].language == LanguageName::Rust;
    if !(0..input.files.len()).any(is_rust) {
        return;
    }
    let tree = ModuleTree::new(input);
    let index = Index::new(input.files, &tree);
    let (members, lookups) = Members::new(&index);
    let linked: Vec<_> = lookups
        .into_par_iter()
        .enumerate()
        .filter(|(file, _)| is_rust(*file))
        .map(|(file, names)| (file, Linker::new(file as FileId, names, &members).link()))
        .collect();
    for (file, linked) in linked {
        links.targets[file] = linked.targets;
        links.import_targets[file] = linked.imports;
        links.handed[file] = linked.handed;
    }
}

#[cfg(test)]
mod tests;
