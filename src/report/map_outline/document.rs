//! An outline as a document: what `improve map --tokens N --format json` says.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Folder, Form, Level, Levels, Outliner, signature};
use crate::repo_map::{FileId, SymbolId};
use crate::report::audit_document::SCHEMA_VERSION;
use crate::report::json;

/// What matters most in a number of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Most tokens that the document takes, counted at three characters a token.
    pub tokens: usize,
    /// Files that something is shown of: all of a folder before its subfolders.
    pub files: Vec<OutlineFile>,
    /// Folders of which nothing is shown; those within one that is listed are counted with it.
    pub not_shown: Vec<OutlineFolder>,
    /// Definitions in `files`, and those files.
    pub shown: OutlineCount,
    /// Definitions and source files of the repository.
    pub total: OutlineCount,
    /// Files left out of the map.
    pub not_read: usize,
    /// Files with syntax the parser does not know.
    pub read_in_part: usize,
}

/// A file of an outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineFile {
    /// Its path.
    pub path: String,
    /// Why it is there; left out when there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Definitions, in order of position.
    pub definitions: Vec<OutlineDefinition>,
}

/// A definition of an outline. The more important it is, the more is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineDefinition {
    /// Line of its name.
    pub line: u32,
    /// Qualified name.
    pub name: String,
    /// First line of the definition with the qualified name; of less important ones without parameters, `(...)`, or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Why it is there; left out when there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// A folder of which nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineFolder {
    /// Its path; empty for the root.
    pub folder: String,
    /// Source files.
    pub files: usize,
    /// Definitions in them.
    pub definitions: usize,
}

/// So many definitions in so many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineCount {
    /// Definitions.
    pub definitions: usize,
    /// Files.
    pub files: usize,
}

/// One line of JSON.
pub(super) struct Document {
    pub tokens: usize,
}

impl Form for Document {
    fn body(&self, outliner: &Outliner<'_>, levels: &Levels) -> String {
        json::line(&files(outliner, levels))
    }

    fn line(&self, outliner: &Outliner<'_>, id: SymbolId, level: Level) -> String {
        json::line(&definition(outliner, id, level))
    }

    fn folders(&self, folders: &[Folder<'_>]) -> String {
        if folders.is_empty() { String::new() } else { json::line(&not_shown(folders)) }
    }

    fn frame(&self, outliner: &Outliner<'_>, shown: &BTreeSet<SymbolId>) -> String {
        json::line(&self.document(outliner, shown, Vec::new(), Vec::new()))
    }

    fn page(&self, outliner: &Outliner<'_>, levels: &Levels, folders: &[Folder<'_>]) -> String {
        let shown: BTreeSet<SymbolId> = levels.keys().copied().collect();
        json::line(&self.document(outliner, &shown, files(outliner, levels), not_shown(folders)))
    }
}

impl Document {
    fn document(
        &self,
        outliner: &Outliner<'_>,
        shown: &BTreeSet<SymbolId>,
        files: Vec<OutlineFile>,
        not_shown: Vec<OutlineFolder>,
    ) -> OutlineDocument {
        let shown_files: BTreeSet<FileId> = shown.iter().map(|id| id.file).collect();
        let (all_files, all_definitions) = outliner.total();
        OutlineDocument {
            schema_version: SCHEMA_VERSION,
            tokens: self.tokens,
            files,
            not_shown,
            shown: OutlineCount { definitions: shown.len(), files: shown_files.len() },
            total: OutlineCount { definitions: all_definitions, files: all_files },
            not_read: outliner.map.skipped.len(),
            read_in_part: outliner.read_in_part(),
        }
    }
}

fn files(outliner: &Outliner<'_>, levels: &Levels) -> Vec<OutlineFile> {
    let by_file = outliner.by_file(levels).into_iter();
    by_file
        .map(|(file, definitions)| OutlineFile {
            path: outliner.map.file(file).path.clone(),
            why: outliner.file_reasons(file),
            definitions: definitions.into_iter().map(|(id, level)| definition(outliner, id, level)).collect(),
        })
        .collect()
}

fn definition(outliner: &Outliner<'_>, id: SymbolId, level: Level) -> OutlineDefinition {
    let symbol = outliner.map.symbol(id);
    let (signature, why) = match level {
        Level::Full => (Some(signature::full(symbol)), outliner.reasons(id)),
        Level::Short => (Some(signature::short(symbol)), Vec::new()),
        Level::Name => (None, Vec::new()),
    };
    OutlineDefinition { line: symbol.name_line, name: symbol.qualified.to_string(), signature, why }
}

fn not_shown(folders: &[Folder<'_>]) -> Vec<OutlineFolder> {
    let folders = folders.iter();
    folders
        .map(|&(folder, (files, definitions))| OutlineFolder { folder: folder.to_owned(), files, definitions })
        .collect()
}
