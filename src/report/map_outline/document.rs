//! An outline as a document: what `improve map --tokens N --format json` says.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Folder, Form, Level, Levels, Outliner, signature};
use crate::repo_map::{FileId, SymbolId};
use crate::report::json;

/// Version of this contract. Version 1 had an object with four keys for each definition, which took half of the room.
const SCHEMA_VERSION: u32 = 2;

/// What matters most in a number of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Most tokens that the document takes, counted at three characters a token.
    pub tokens: usize,
    /// Files that something is shown of, by folder (empty for the root) and name.
    pub files: BTreeMap<String, BTreeMap<String, OutlineFile>>,
    /// Folders of which nothing is shown; those within one that is listed are counted with it.
    pub not_shown: BTreeMap<String, OutlineFolder>,
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
    /// Why it is there; left out when there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Definitions with a signature, in order of position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<OutlineSignature>,
    /// Less important ones, in order of position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<OutlineName>,
}

/// `[line, signature]` or `[line, signature, why]`: the line of the name; the first line of the definition with its
/// qualified name, of less important ones without parameters, `(...)`; why it is there, when there is something to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OutlineSignature {
    /// With nothing to say of why.
    Plain(u32, String),
    /// With the reason.
    Reasoned(u32, String, String),
}

/// `[line, qualified name]`: the line is that of the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineName(u32, String);

/// `[files, definitions]`: how many source files are in a folder, and how many definitions in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutlineFolder(usize, usize);

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
        match level {
            Level::Full | Level::Short => json::line(&signature(outliner, id, level)),
            Level::Name => json::line(&name(outliner, id)),
        }
    }

    fn folders(&self, folders: &[Folder<'_>]) -> String {
        if folders.is_empty() { String::new() } else { json::line(&not_shown(folders)) }
    }

    fn frame(&self, outliner: &Outliner<'_>, shown: &BTreeSet<SymbolId>) -> String {
        json::line(&self.document(outliner, shown, Files::new(), BTreeMap::new()))
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
        files: Files,
        not_shown: BTreeMap<String, OutlineFolder>,
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

/// Files by folder and name.
type Files = BTreeMap<String, BTreeMap<String, OutlineFile>>;

fn files(outliner: &Outliner<'_>, levels: &Levels) -> Files {
    let mut files = Files::new();
    for (file, definitions) in outliner.by_file(levels) {
        let (names, signatures): (Vec<_>, Vec<_>) =
            definitions.into_iter().partition(|(_, level)| *level == Level::Name);
        let path = &outliner.map.file(file).path;
        let (folder, file_name) = path.rsplit_once('/').unwrap_or(("", path));
        // A file with names alone is there for those, unless there is a focus that it is near to.
        let said = !signatures.is_empty() || outliner.near.contains_key(&file);
        let file = OutlineFile {
            why: said.then(|| because(&outliner.file_reasons(file))).flatten(),
            signatures: signatures.into_iter().map(|(id, level)| signature(outliner, id, level)).collect(),
            names: names.into_iter().map(|(id, _)| name(outliner, id)).collect(),
        };
        files.entry(folder.to_owned()).or_default().insert(file_name.to_owned(), file);
    }
    files
}

fn signature(outliner: &Outliner<'_>, id: SymbolId, level: Level) -> OutlineSignature {
    let symbol = outliner.map.symbol(id);
    let (written, why) = match level {
        Level::Full => (signature::full(symbol), because(&outliner.reasons(id))),
        Level::Short | Level::Name => (signature::short(symbol), None),
    };
    match why {
        Some(why) => OutlineSignature::Reasoned(symbol.name_line, written, why),
        None => OutlineSignature::Plain(symbol.name_line, written),
    }
}

fn name(outliner: &Outliner<'_>, id: SymbolId) -> OutlineName {
    let symbol = outliner.map.symbol(id);
    OutlineName(symbol.name_line, symbol.qualified.to_string())
}

fn not_shown(folders: &[Folder<'_>]) -> BTreeMap<String, OutlineFolder> {
    let folders = folders.iter();
    folders.map(|&(folder, (files, definitions))| (folder.to_owned(), OutlineFolder(files, definitions))).collect()
}

fn because(reasons: &[String]) -> Option<String> {
    (!reasons.is_empty()).then(|| reasons.join(", "))
}
