//! Linking: what every import and call of the repository resolves to, from facts alone and without a type checker.

pub mod ecmascript;
mod handed;
pub mod rust;
#[cfg(test)]
pub mod testing;

use std::collections::BTreeMap;

use ecmascript::Traces;

use crate::repo_map::facts::LanguageName;
use crate::repo_map::{CallTarget, FileId, Handed, ImportTarget, SourceFile};

/// What linking reads.
pub struct LinkInput<'a> {
    /// Source files, sorted by path.
    pub files: &'a [SourceFile],
    /// Text of every file that decides resolution, by path: `package.json`, `tsconfig*.json`, `jsconfig.json`,
    /// `pnpm-workspace.yaml`, `Cargo.toml`.
    pub config: &'a BTreeMap<String, String>,
}

/// What linking finds, parallel to the files' facts.
#[derive(Default)]
pub struct Links {
    /// `targets[file][call]`.
    pub targets: Vec<Vec<CallTarget>>,
    /// `import_targets[file][import]`.
    pub import_targets: Vec<Vec<ImportTarget>>,
    /// `reexport_targets[file][export]`.
    pub reexport_targets: Vec<Vec<Option<FileId>>>,
    /// `handed[file]`, in order of the call.
    pub handed: Vec<Vec<Handed>>,
    /// What was looked at to find it.
    pub(super) traces: Traces,
}

/// Links all files.
pub fn link(input: &LinkInput<'_>) -> Links {
    let mut links = Links::default();
    for file in input.files {
        links.add_open(file);
    }
    ecmascript::link(input, &mut links, None);
    rust::link(input, &mut links);
    links
}

/// Links again what `links` of an earlier run no longer say rightly. Paths and configuration are the same; the facts of `changed` files
/// differ.
pub fn link_again(input: &LinkInput<'_>, links: Links, changed: &[bool]) -> Links {
    let before = links;
    let mut links = Links { traces: before.traces, ..Links::default() };
    let modules = before.import_targets.into_iter().zip(before.reexport_targets);
    let edges = before.targets.into_iter().zip(modules).zip(before.handed);
    for ((file, ((targets, (imports, reexports)), handed)), changed) in input.files.iter().zip(edges).zip(changed) {
        if *changed {
            links.add_open(file);
        } else {
            links.targets.push(targets);
            links.import_targets.push(imports);
            links.reexport_targets.push(reexports);
            links.handed.push(handed);
        }
    }
    let changed_is = |wanted: fn(LanguageName) -> bool| {
        input.files.iter().zip(changed).any(|(file, changed)| *changed && wanted(file.language))
    };
    if changed_is(LanguageName::is_ecmascript) {
        ecmascript::link(input, &mut links, Some(changed));
    }
    if changed_is(|language| language == LanguageName::Rust) {
        // In Rust an `impl` anywhere changes what a type has, so that all of it is linked together.
        rust::link(input, &mut links);
    }
    links
}

impl Links {
    /// Adds `file`, of which nothing is known.
    fn add_open(&mut self, file: &SourceFile) {
        self.targets.push(vec![CallTarget::Unresolved; file.facts.calls.len()]);
        self.import_targets.push(vec![ImportTarget::Unresolved; file.facts.imports.len()]);
        self.reexport_targets.push(vec![None; file.facts.exports.len()]);
        self.handed.push(Vec::new());
    }
}
