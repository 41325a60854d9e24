//! Rust: calls and imports linked across files and crates, from facts and manifests alone.
//!
//! `crates` and `modules` lay out what is where, `paths` resolves names, `members` and `types` know what types have,
//! `infer`, `parts` and `results` find the types of expressions, `calls` and `methods` put it together. A method is never
//! bound by its name alone.

mod calls;
mod crates;
mod infer;
mod library;
mod linker;
mod members;
mod methods;
mod modules;
mod parts;
mod paths;
mod results;
mod types;

use super::{LinkInput, Links};
use crate::repo_map::ImportTarget;
use crate::repo_map::facts::{CallIndex, LanguageName};
use linker::Linker;
use members::Members;
use modules::ModuleTree;
use paths::{Def, Names};

/// Links the Rust files of `input`.
pub fn link(input: &LinkInput<'_>, links: &mut Links) {
    if !input.files.iter().any(|file| file.language == LanguageName::Rust) {
        return;
    }
    let tree = ModuleTree::new(input);
    let names = Names::new(input.files, &tree);
    let members = Members::new(&names);
    let linker = Linker::new(&names, &members);
    for (file, source) in (0..).zip(input.files) {
        if source.language != LanguageName::Rust {
            continue;
        }
        for index in 0..source.facts.calls.len() {
            links.targets[file as usize][index] = linker.call(file, index as CallIndex).target;
        }
        for place in 0..source.facts.imports.len() {
            links.import_targets[file as usize][place] = match names.import(file, place).map(|found| found.def) {
                Some(Def::Module(module)) => ImportTarget::File(tree.modules[module].file),
                Some(Def::Symbol(symbol) | Def::Variant(symbol, _)) => ImportTarget::File(symbol.file),
                Some(Def::External(external)) => ImportTarget::External(external.package),
                None => ImportTarget::Unresolved,
            };
        }
    }
}

#[cfg(test)]
mod tests;
