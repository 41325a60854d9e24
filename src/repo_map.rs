//! The repo map: what the mapper knows about a repository, linked and ready to be asked.
//!
//! Plain data, and a door to the history of lines. [`crate::map`] makes it; [`crate::effects`] and [`crate::audit`] read it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod around;
pub mod expr;
pub mod facts;
pub mod grouped;
pub mod history;
pub mod name;
pub mod query;
pub mod recon;
#[cfg(test)]
pub(crate) mod sample;

use facts::{CallIndex, CallSite, FileFacts, LanguageName, Symbol, SymbolIndex};
use grouped::Grouped;
use history::{CoChange, LineHistory};
use name::Name;
use recon::Recon;

/// Index into [`RepoMap::files`].
pub type FileId = u32;

/// A definition, anywhere in the repository. Ordered by file, then by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SymbolId {
    /// The file.
    pub file: FileId,
    /// Its place among the file's symbols.
    pub index: SymbolIndex,
}

/// A call site, anywhere in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    /// The file.
    pub file: FileId,
    /// Its place among the file's calls.
    pub index: CallIndex,
}

/// What the mapper knows about a repository.
#[derive(Debug, Clone, Default)]
pub struct RepoMap {
    /// The commit the tree was read at, if any.
    pub commit: Option<String>,
    /// Source files with facts, sorted by path.
    pub files: Vec<SourceFile>,
    /// Every other file of the tree (manifests, documents, data), sorted by path.
    pub other_files: Vec<String>,
    /// Files left out, sorted by path.
    pub skipped: Vec<SkippedFile>,
    /// Project facts.
    pub recon: Recon,
    /// What of the project's configuration could not be followed.
    pub notes: Vec<Note>,
    /// What every call resolves to: `targets[file][call]`, parallel to [`FileFacts::calls`].
    pub targets: Vec<Vec<CallTarget>>,
    /// What every import resolves to: `import_targets[file][import]`, parallel to [`FileFacts::imports`].
    pub import_targets: Vec<Vec<ImportTarget>>,
    /// The file behind every export that names another module: `reexport_targets[file][export]`, parallel to
    /// [`FileFacts::exports`]; `None` for an export of the file's own and for one of a package.
    pub reexport_targets: Vec<Vec<Option<FileId>>>,
    /// Functions that a file's calls are given by name, in order of the call: `handed[file]`.
    pub handed: Vec<Vec<Handed>>,
    /// Call sites that resolve to a symbol, by symbol. Guesses are left out.
    pub callers: Grouped<SymbolId, CallId>,
    /// Call sites standing directly in a symbol, anonymous callbacks included; `None` is the top level of the file.
    pub calls_in: Grouped<(FileId, Option<SymbolIndex>), CallIndex>,
    /// Files that git says change together; none outside a repository.
    pub co_change: CoChange,
    /// How often lines were changed, for whoever asks; `None` outside a repository.
    pub line_history: Option<Arc<dyn LineHistory>>,
}

/// A source file and its facts.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the repository, `/`-separated.
    pub path: String,
    /// Its language.
    pub language: LanguageName,
    /// What kind of code it holds.
    pub role: FileRole,
    /// Lines.
    pub lines: u32,
    /// Bytes.
    pub bytes: u64,
    /// What git knows about it; zero outside a repository.
    pub history: FileHistory,
    /// What the extractor found.
    pub facts: FileFacts,
}

/// What kind of code a file holds, judged by path and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileRole {
    /// Code that ships.
    Production,
    /// Tests, their helpers and fixtures.
    Test,
    /// Examples, demos, playgrounds, benchmarks, documentation code.
    Example,
    /// Build scripts, configuration, one-off scripts, code generators.
    Script,
    /// Database migrations and seeds.
    Migration,
    /// Written by a tool, or a copy of somebody else's library: calls are followed through it, but nobody edits it, so it is not
    /// audited.
    Generated,
}

/// What git knows about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileHistory {
    /// Commits that touched it in the 90 days before the newest commit, merges not counted.
    pub churn_90d: u32,
    /// Unix time of its last change in seconds, if within the history walked.
    pub last_change: Option<i64>,
    /// Distinct authors within the history walked.
    pub authors: u32,
}

/// Something that could not be followed, and what that means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The file, and what in it.
    pub what: String,
    /// What is wrong and what follows.
    pub why: String,
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SkippedFile {
    /// Its path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Copied from elsewhere: `vendor/`, `node_modules/`, `third_party/`.
    Vendored,
    /// Put out by a build or a tool: lock files, bundles, large generated sources. Smaller ones are read, as [`FileRole::Generated`].
    Generated,
    /// Mean line over 300 bytes.
    Minified,
    /// Not text.
    Binary,
    /// Over the size limit.
    TooLarge,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A symbolic link.
    Symlink,
    /// The operating system would not let us read it.
    Unreadable,
    /// Parsing it took too long and was given up.
    TooSlow,
}

/// What a call resolves to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallTarget {
    /// Definitions of this repository, at least one; several when a trait or interface method dispatches.
    Symbols(Vec<Resolved>),
    /// Something outside the repository, or built into the language or its runtime.
    External(External),
    /// Not known. "No callers" is only as good as the number of these.
    Unresolved,
}

/// A function that a call is given by name, to be called later: `router.get("/orders", list)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Handed {
    /// The call.
    pub call: CallIndex,
    /// Which argument it is, or is part of, from 0.
    pub argument: u8,
    /// The function, or the constant that holds one: `const list = withUser(async () => …)`.
    pub function: SymbolId,
}

/// A definition a call resolves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The definition.
    pub symbol: SymbolId,
    /// How it was found.
    pub how: How,
}

/// Something outside the repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct External {
    /// The npm package or crate (`@prisma/client`, `sqlx`, `std`), a Node built-in without `node:` (`fs/promises`), or
    /// `global` for what the runtime provides without an import (`fetch`, `Promise`, `JSON`).
    pub package: Name,
    /// Names from the package's export to the callee: `["PrismaClient", "user", "findMany"]`, `["fs", "read_to_string"]`.
    /// A value constructed from or typed as an exported type goes by the type's name.
    pub path: Vec<Name>,
}

/// What an import resolves to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportTarget {
    /// A file of this repository.
    File(FileId),
    /// A package or crate outside it, by name.
    External(Name),
    /// A specifier that should resolve within the repository and does not.
    Unresolved,
}

/// How an edge of the call graph was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A name in the same file, by lexical scope.
    Scope,
    /// Through an import of the defining file.
    Import,
    /// Through an import and at least one re-export.
    Reexport,
    /// A member of the type the call stands in (`this`, `self`, `Self`), inherited ones included.
    Member,
    /// The receiver's type is written or constructed: annotation, `new`, field, parameter, `Type::f`.
    Typed,
    /// The receiver is what a resolved function returns.
    Returned,
    /// The method of a trait or interface the receiver is known to have.
    Trait,
    /// From a trait or interface method to an implementation in this repository.
    Dispatch,
    /// By name alone. Kept out of callers, ranking and effects.
    Guess,
}

impl How {
    /// Fixed confidence of the class: the share of right edges among those a compiler's answer can judge, over the nine repositories of
    /// `benches/README.md`, both languages, rounded down (2026-11). `returned` is .92 as counted; its one large class of wrong edges are
    /// values that the compiler calls `any` because the packages they come from were not installed, and without it .99. A compiler
    /// names the trait's or interface's own method: for `dispatch` it is the share of edges to an implementation of that method, in the
    /// worst repository. A guess is never shown; its number is our estimate.
    pub fn confidence(self) -> f64 {
        match self {
            How::Scope => 0.99,
            How::Import => 0.99,
            How::Reexport => 0.99,
            How::Member => 0.98,
            How::Typed => 0.97,
            How::Returned => 0.95,
            How::Trait => 0.99,
            How::Dispatch => 0.86,
            How::Guess => 0.50,
        }
    }

    /// The word in JSON.
    pub fn label(self) -> &'static str {
        match self {
            How::Scope => "scope",
            How::Import => "import",
            How::Reexport => "reexport",
            How::Member => "member",
            How::Typed => "typed",
            How::Returned => "returned",
            How::Trait => "trait",
            How::Dispatch => "dispatch",
            How::Guess => "guess",
        }
    }
}

impl RepoMap {
    /// The file `id`.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id as usize]
    }

    /// The file at `path`.
    pub fn file_by_path(&self, path: &str) -> Option<(FileId, &SourceFile)> {
        let index = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        Some((index as FileId, &self.files[index]))
    }

    /// Whether `path` is a file of the tree, source or not.
    pub fn has_path(&self, path: &str) -> bool {
        self.file_by_path(path).is_some()
            || self.other_files.binary_search_by(|other| other.as_str().cmp(path)).is_ok()
            || self.skipped.iter().any(|skipped| skipped.path == path)
    }

    /// The definition `id`.
    pub fn symbol(&self, id: SymbolId) -> &Symbol {
        &self.file(id.file).facts.symbols[id.index as usize]
    }

    /// The call site `id`.
    pub fn call(&self, id: CallId) -> &CallSite {
        &self.file(id.file).facts.calls[id.index as usize]
    }

    /// The functions that the call `id` is given by name, in order of the arguments.
    pub fn handed(&self, id: CallId) -> &[Handed] {
        let handed = self.handed.get(id.file as usize).map_or(&[][..], Vec::as_slice);
        let start = handed.partition_point(|one| one.call < id.index);
        let end = handed.partition_point(|one| one.call <= id.index);
        &handed[start..end]
    }

    /// What the call `id` resolves to.
    pub fn target(&self, id: CallId) -> &CallTarget {
        &self.targets[id.file as usize][id.index as usize]
    }

    /// Every definition, in order.
    pub fn symbols(&self) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        self.files.iter().zip(0..).flat_map(|(file, id)| {
            file.facts.symbols.iter().zip(0..).map(move |(symbol, index)| (SymbolId { file: id, index }, symbol))
        })
    }

    /// Every call site, in order.
    pub fn calls(&self) -> impl Iterator<Item = (CallId, &CallSite)> {
        self.files.iter().zip(0..).flat_map(|(file, id)| {
            file.facts.calls.iter().zip(0..).map(move |(call, index)| (CallId { file: id, index }, call))
        })
    }

    /// Every file with its id, in order of path.
    pub fn files_with_ids(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).zip(&self.files)
    }

    /// Definitions a call resolves to, guesses left out.
    pub fn resolved(&self, id: CallId) -> impl Iterator<Item = Resolved> {
        match self.target(id) {
            CallTarget::Symbols(resolved) => resolved.as_slice(),
            CallTarget::External(_) | CallTarget::Unresolved => &[],
        }
        .iter()
        .copied()
        .filter(|resolved| resolved.how != How::Guess)
    }

    /// Call sites that resolve to `symbol`, guesses left out.
    pub fn callers(&self, symbol: SymbolId) -> &[CallId] {
        self.callers.get(symbol)
    }

    /// Call sites that stand in `symbol`, anonymous callbacks included.
    pub fn calls_in(&self, symbol: SymbolId) -> impl Iterator<Item = CallId> {
        self.calls_in
            .get((symbol.file, Some(symbol.index)))
            .iter()
            .map(move |&index| CallId { file: symbol.file, index })
    }

    /// The function a call stands in.
    pub fn caller_of(&self, id: CallId) -> Option<SymbolId> {
        self.call(id).caller.map(|index| SymbolId { file: id.file, index })
    }

    /// Whether a place is test code: a test file, or inside a definition marked as a test.
    pub fn is_test(&self, file: FileId, symbol: Option<SymbolIndex>) -> bool {
        let file = self.file(file);
        file.role == FileRole::Test || symbol.is_some_and(|index| file.facts.symbols[index as usize].test)
    }
}
