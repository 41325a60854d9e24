//! The rows of `improve map --calls`, `--symbols` and `--files`: the JSON lines contract.

use schemars::JsonSchema;
use serde::Serialize;

use crate::repo_map::facts::SymbolKind;
use crate::repo_map::{CallId, CallTarget, How, RepoMap, SymbolId};

/// The caller of a call outside every function.
pub const MODULE: &str = "<module>";

/// One resolved call, or, with the callee null, one that stayed open.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CallRow {
    /// File the call stands in.
    pub caller_file: String,
    /// Qualified name of the function it stands in, else of the constant, field or class; `<module>` at top level.
    pub caller_name: String,
    /// Line of that name; 1 at top level.
    pub caller_line: u32,
    /// Line of the called name.
    pub call_line: u32,
    /// The called name as written; empty when the callee is an expression without one.
    pub call_name: String,
    /// File of the definition called.
    pub callee_file: Option<String>,
    /// Its qualified name.
    pub callee_name: Option<String>,
    /// Line of its name.
    pub callee_line: Option<u32>,
    /// How it was found.
    pub how: Option<How>,
    /// Confidence of that way of finding.
    pub confidence: Option<f64>,
}

/// One definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SymbolRow {
    /// File.
    pub file: String,
    /// Line of its name.
    pub line: u32,
    /// Last line of the definition.
    pub end_line: u32,
    /// What it is.
    pub kind: SymbolKind,
    /// Qualified name.
    pub name: String,
    /// Qualified name of what it stands in, or the type it is a member of.
    pub container: Option<String>,
    /// Visible outside its file.
    pub exported: bool,
    /// Test code.
    pub test: bool,
    /// First line of the definition, white space folded.
    pub signature: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileRow {
    /// Path.
    pub path: String,
    /// Language; null for files without facts.
    pub language: Option<String>,
    /// What kind of code it holds; null for files without facts.
    pub role: Option<crate::repo_map::FileRole>,
    /// Lines; null for files without facts.
    pub lines: Option<u32>,
    /// Bytes; null for files without facts.
    pub bytes: Option<u64>,
    /// Why it was left out; null when it was read.
    pub skipped: Option<crate::repo_map::SkipReason>,
    /// Holds syntax the parser does not know.
    pub partly_read: bool,
    /// Commits that touched it in 90 days.
    pub churn_90d: u32,
}

/// Every call that resolves to a definition of this repository, in order of file and position. With `open`, also those
/// known by name alone and those that stayed open.
pub fn calls<'a>(map: &'a RepoMap, open: bool, keep: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = CallRow> + 'a {
    map.calls().filter(|(id, _)| keep(&map.file(id.file).path)).flat_map(move |(id, _)| call_rows(map, id, open))
}

fn call_rows(map: &RepoMap, id: CallId, open: bool) -> Vec<CallRow> {
    match map.target(id) {
        CallTarget::Symbols(_) => map
            .named(id)
            .filter(|resolved| open || resolved.how != How::Guess)
            .map(|resolved| call_row(map, id, Some((resolved.symbol, resolved.how))))
            .collect(),
        CallTarget::External(_) => Vec::new(),
        CallTarget::Unresolved if open => vec![call_row(map, id, None)],
        CallTarget::Unresolved => Vec::new(),
    }
}

fn call_row(map: &RepoMap, id: CallId, callee: Option<(SymbolId, How)>) -> CallRow {
    let call = map.call(id);
    let around = map.around(id);
    let caller_line = around.as_ref().map_or(1, |around| around.line);
    CallRow {
        caller_file: map.file(id.file).path.clone(),
        caller_name: around.map_or_else(|| MODULE.to_owned(), |around| around.name.into_owned()),
        caller_line,
        call_line: call.line,
        call_name: call.name.to_string(),
        callee_file: callee.map(|(symbol, _)| map.file(symbol.file).path.clone()),
        callee_name: callee.map(|(symbol, _)| map.symbol(symbol).qualified).map(String::from),
        callee_line: callee.map(|(symbol, _)| map.symbol(symbol).name_line),
        how: callee.map(|(_, how)| how),
        confidence: callee.map(|(_, how)| how.confidence()),
    }
}

/// Every definition, in order of file and position.
pub fn symbols<'a>(map: &'a RepoMap, keep: &'a dyn Fn(&str) -> bool) -> impl Iterator<Item = SymbolRow> + 'a {
    map.symbols().filter(|(id, _)| keep(&map.file(id.file).path)).map(|(id, symbol)| SymbolRow {
        file: map.file(id.file).path.clone(),
        line: symbol.name_line,
        end_line: symbol.lines.end,
        kind: symbol.kind,
        name: symbol.qualified.to_string(),
        container: symbol
            .container
            .map(|index| map.file(id.file).facts.symbols[index as usize].qualified)
            .or(symbol.member_of)
            .map(String::from),
        exported: symbol.exported,
        test: map.is_test(id.file, Some(id.index)),
        signature: symbol.signature.to_string(),
    })
}

/// Every file of the tree, sorted by path.
pub fn files(map: &RepoMap, keep: &dyn Fn(&str) -> bool) -> Vec<FileRow> {
    let unread = |path: &str, skipped| FileRow {
        path: path.to_owned(),
        language: None,
        role: None,
        lines: None,
        bytes: None,
        skipped,
        partly_read: false,
        churn_90d: 0,
    };
    let mut rows: Vec<FileRow> = map
        .files
        .iter()
        .map(|file| FileRow {
            path: file.path.clone(),
            language: Some(file.language.label().to_owned()),
            role: Some(file.role),
            lines: Some(file.lines),
            bytes: Some(file.bytes),
            skipped: None,
            partly_read: file.facts.partly_read,
            churn_90d: file.history.churn_90d,
        })
        .chain(map.other_files.iter().map(|path| unread(path, None)))
        .chain(map.skipped.iter().map(|file| unread(&file.path, Some(file.reason))))
        .filter(|row| keep(&row.path))
        .collect();
    rows.sort_by(|one, two| one.path.cmp(&two.path));
    rows
}
