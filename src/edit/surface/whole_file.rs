//! `{file, text}`: everything the file holds afterwards.

use serde_json::Value;

use super::arguments::{FILE, TEXT, field, object};
use super::fence::{self, Fence};
use super::{elision, paths};
use crate::edit::explain::EditFailure;
use crate::edit::{EditOperation, FileEdit, numbers};

/// Reads the arguments of one call.
pub(super) fn read(arguments: &Value) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    object(arguments, |arguments| {
        let file = field(arguments, FILE).map(paths::tidy);
        let name = file.as_deref().unwrap_or_default().to_owned();
        match (&file, field(arguments, TEXT)) {
            (Ok(file), Ok(text)) => {
                let text = fence::unwrapped(file, text);
                Ok(vec![edit(file, text)?])
            }
            (file, text) => {
                let missing = [file.as_ref().err(), text.as_ref().err()];
                Err(missing.into_iter().flatten().map(|missing| missing.for_file(&name)).collect())
            }
        }
    })
}

/// Reads free text: each file as its path and a fence with everything it holds.
pub(super) fn read_text(text: &str) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let mut edits: Vec<FileEdit> = Vec::new();
    let mut failures = Vec::new();
    let advice = "write the path alone on a line and below it the whole file in one fence";
    let mut after = 0;
    let mut at = 0;
    while at < lines.len() {
        if Fence::of(lines[at]).is_none() {
            at += 1;
            continue;
        }
        let Some(end) = fence::closing(&lines, at) else {
            let message = format!("the fence at line {} has no end", at + 1);
            failures.push(EditFailure::malformed(
                "",
                None,
                message,
                "send the whole file again, up to the closing fence",
            ));
            break;
        };
        match paths::file_above(&lines[after..=at], None) {
            Ok(file) if edits.iter().any(|edit| edit.file == file) => {
                let message = format!("the file comes a second time at line {}", at + 1);
                failures.push(EditFailure::malformed(&file, None, message, advice));
            }
            Ok(file) => {
                let mut whole = lines[at + 1..end].join("\n");
                whole.push('\n');
                match edit(&file, whole) {
                    Ok(edit) => edits.push(edit),
                    Err(faults) => failures.extend(faults),
                }
            }
            Err(why) => {
                failures.push(EditFailure::malformed("", None, format!("the fence at line {}: {why}", at + 1), advice));
            }
        }
        (after, at) = (end + 1, end + 1);
    }
    if edits.is_empty() && failures.is_empty() {
        failures.push(EditFailure::malformed("", None, "the text holds no file", advice));
    }
    if failures.is_empty() { Ok(edits) } else { Err(failures) }
}

fn edit(file: &str, text: String) -> Result<FileEdit, Vec<EditFailure>> {
    if text.trim().is_empty() {
        let advice = "send everything the file holds afterwards, or use `delete`";
        return Err(vec![EditFailure::malformed(file, None, "the text is empty", advice)]);
    }
    if let Some(line) = elision::elided(file, "", &text) {
        let message = format!("the text leaves code out: `{}`", line.trim());
        return Err(vec![EditFailure::malformed(file, None, message, elision::ADVICE)]);
    }
    if numbers::are_numbered(&text.lines().collect::<Vec<_>>()) {
        let message = "every line of the text starts with a line number";
        return Err(vec![EditFailure::malformed(file, None, message, numbers::ADVICE)]);
    }
    Ok(FileEdit { file: file.to_owned(), operation: EditOperation::Whole(text) })
}
