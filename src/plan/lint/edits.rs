//! Exact edits: they stay in scope and can be applied, one after the other, to the files as they are.

use std::collections::BTreeMap;

use super::{Problems, places};
use crate::edit::{Block, EditOperation, FileEdit};
use crate::plan::Plan;
use crate::tree::Tree;

/// Why an exact edit cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EditFault {
    /// The file is not there.
    FileMissing(String),
    /// A file to be created is there.
    FileExists(String),
    /// The text to search for is not there.
    NotFound(String),
    /// The text to search for is there several times.
    Ambiguous(String, usize),
}

/// Files as the edits leave them: `None` when removed.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// Checks the exact edits of all steps in order.
pub(super) fn check(plan: &Plan, tree: &dyn Tree, problems: &mut Problems) {
    let mut files = Files::new();
    for (index, step) in plan.steps.iter().enumerate() {
        for edit in &step.edits {
            let mut touched = vec![edit.file.as_str()];
            if let EditOperation::Rename { to, .. } = &edit.operation {
                touched.push(to);
            }
            for file in touched {
                if let Some(message) = places::forbidden(file) {
                    problems.push("scope-path-forbidden", step.line, message, "name a path inside the repository");
                } else if !plan.scope.in_scope.iter().any(|entry| places::covers(entry, file)) {
                    let message = format!("step {} edits {file}, which is not in scope", index + 1);
                    problems.push("edit-out-of-scope", step.line, message, "add the file to **In scope**");
                }
            }
            if holds_mark(edit) {
                let message = format!("step {}: the edit of {} holds a masked secret", index + 1, edit.file);
                problems.push("edit-with-secret", step.line, message, "describe the change instead of quoting it");
            } else if let Err(fault) = apply(edit, tree, &mut files) {
                let (code, message, hint) = describe(&fault);
                problems.push(code, step.line, format!("step {}: {message}", index + 1), hint);
            }
        }
    }
}

fn holds_mark(edit: &FileEdit) -> bool {
    edit.operation.texts().iter().any(|text| text.contains("[secret:"))
}

fn describe(fault: &EditFault) -> (&'static str, String, &'static str) {
    match fault {
        EditFault::FileMissing(file) => {
            ("edit-file-missing", format!("{file} does not exist"), "write `op=create` for a new file")
        }
        EditFault::FileExists(file) => {
            ("edit-file-exists", format!("{file} is to be created and exists"), "replace its text instead")
        }
        EditFault::NotFound(file) => {
            ("edit-not-found", format!("the text to search for is not in {file}"), "quote whole lines as they are")
        }
        EditFault::Ambiguous(file, count) => {
            let message = format!("the text to search for is {count} times in {file}");
            ("edit-ambiguous", message, "search for more lines, so that there is one match")
        }
    }
}

/// Applies `edit` to the files as earlier edits left them.
pub(crate) fn apply(edit: &FileEdit, tree: &dyn Tree, files: &mut Files) -> Result<(), EditFault> {
    let current = |files: &Files, file: &str| files.get(file).cloned().unwrap_or_else(|| tree.text(file));
    let exists = |files: &Files, file: &str| files.get(file).map_or_else(|| tree.is_file(file), Option::is_some);
    let missing = || EditFault::FileMissing(edit.file.clone());
    match &edit.operation {
        EditOperation::Create(_) if exists(files, &edit.file) => return Err(EditFault::FileExists(edit.file.clone())),
        EditOperation::Create(text) | EditOperation::Whole(text) => {
            files.insert(edit.file.clone(), Some(text.clone()));
        }
        EditOperation::Delete if !exists(files, &edit.file) => return Err(missing()),
        EditOperation::Delete => {
            files.insert(edit.file.clone(), None);
        }
        EditOperation::Replace(blocks) => {
            let text = current(files, &edit.file).ok_or_else(missing)?;
            let text = replace(&edit.file, text, blocks)?;
            files.insert(edit.file.clone(), Some(text));
        }
        // A plan cannot be written with one of these.
        EditOperation::Substitute { .. } | EditOperation::Hunks(_) | EditOperation::Insert(_) => {
            return Err(EditFault::NotFound(edit.file.clone()));
        }
        EditOperation::Rename { to, blocks } => {
            let text = current(files, &edit.file).ok_or_else(missing)?;
            if exists(files, to) {
                return Err(EditFault::FileExists(to.clone()));
            }
            let text = replace(&edit.file, text, blocks)?;
            files.insert(edit.file.clone(), None);
            files.insert(to.clone(), Some(text));
        }
    }
    Ok(())
}

fn replace(file: &str, text: String, blocks: &[Block]) -> Result<String, EditFault> {
    let mut text = text;
    for block in blocks {
        let crlf = text.contains("\r\n");
        let adapt = |part: &str| if crlf { part.replace('\n', "\r\n") } else { part.to_owned() };
        let search = adapt(&block.search);
        let found = whole_line_matches(&text, &search);
        let [start] = found.as_slice() else {
            return Err(match found.len() {
                0 => EditFault::NotFound(file.to_owned()),
                count => EditFault::Ambiguous(file.to_owned(), count),
            });
        };
        let mut end = start + search.len();
        if block.replace.is_empty() {
            end += if text[end..].starts_with("\r\n") { 2 } else { usize::from(text[end..].starts_with('\n')) };
        }
        text.replace_range(*start..end, &adapt(&block.replace));
    }
    Ok(text)
}

/// Where `search` stands in `text` as whole lines.
pub(crate) fn whole_line_matches(text: &str, search: &str) -> Vec<usize> {
    if search.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(search) {
        let start = from + at;
        let end = start + search.len();
        let starts_line = start == 0 || text[..start].ends_with('\n');
        let ends_line = end == text.len() || text[end..].starts_with('\n') || text[end..].starts_with("\r\n");
        if starts_line && ends_line {
            found.push(start);
        }
        from = start + search.chars().next().map_or(1, char::len_utf8);
    }
    found
}
