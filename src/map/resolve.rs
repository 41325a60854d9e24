//! Linking: what every import and call of the repository resolves to, from facts alone and without a type checker.

pub mod ecmascript;
mod handed;
pub mod rust;
#[cfg(test)]
pub mod testing;

use std::collections::BTreeMap;

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
pub struct Links {
    /// `targets[file][call]`.
    pub targets: Vec<Vec<CallTarget>>,
    /// `import_targets[file][import]`.
    pub import_targets: Vec<Vec<ImportTarget>>,
    /// `reexport_targets[file][export]`.
    pub reexport_targets: Vec<Vec<Option<FileId>>>,
    /// `handed[file]`, in order of the call.
    pub handed: Vec<Vec<Handed>>,
}

/// Links all files.
pub fn link(input: &LinkInput<'_>) -> Links {
    let mut links = Links {
        targets: input.files.iter().map(|file| vec![CallTarget::Unresolved; file.facts.calls.len()]).collect(),
        import_targets: input
            .files
            .iter()
            .map(|file| vec![ImportTarget::Unresolved; file.facts.imports.len()])
            .collect(),
        reexport_targets: input.files.iter().map(|file| vec![None; file.facts.exports.len()]).collect(),
        handed: vec![Vec::new(); input.files.len()],
    };
    ecmascript::link(input, &mut links);
    rust::link(input, &mut links);
    links
}
