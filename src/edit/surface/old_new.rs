//! `{file, old, new}`: a text and what stands there afterwards.

use serde_json::Value;

use super::arguments::{FILE, NEW, OLD, field, object};
use super::{elision, fence, paths};
use crate::edit::explain::EditFailure;
use crate::edit::{EditOperation, FileEdit};

/// Reads the arguments of one call.
pub(super) fn read(arguments: &Value) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    object(arguments, |arguments| {
        let file = field(arguments, FILE).map(paths::tidy);
        let name = file.as_deref().unwrap_or_default().to_owned();
        match (&file, field(arguments, OLD), field(arguments, NEW)) {
            (Ok(file), Ok(old), Ok(new)) => Ok(vec![edit(file, old, new)?]),
            (file, old, new) => {
                let missing = [file.as_ref().err(), old.as_ref().err(), new.as_ref().err()];
                Err(missing.into_iter().flatten().map(|missing| missing.for_file(&name)).collect())
            }
        }
    })
}

/// Reads free text: one JSON object with the arguments, several, or an array of them, in fences or not.
pub(super) fn read_text(text: &str) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    let mut edits = Vec::new();
    let mut failures = Vec::new();
    for call in calls(text) {
        match read(&call) {
            Ok(read) => edits.extend(read),
            Err(wrong) => failures.extend(wrong),
        }
    }
    if edits.is_empty() && failures.is_empty() {
        let advice = "send one JSON object {\"file\": …, \"old\": …, \"new\": …} for each place you change";
        failures.push(EditFailure::malformed("", None, "the text holds no edit", advice));
    }
    if failures.is_empty() { Ok(edits) } else { Err(failures) }
}

/// Every JSON object that starts a line of `text`.
fn calls(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = start_of_value(rest) {
        let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Array(items))) => found.extend(items),
            Some(Ok(value)) => found.push(value),
            Some(Err(_)) | None => {
                // Not a value: on with the line after it.
                let Some(end) = rest[start..].find('\n') else { break };
                rest = &rest[start + end + 1..];
                continue;
            }
        }
        rest = &rest[start + values.byte_offset()..];
    }
    found.retain(Value::is_object);
    found
}

fn start_of_value(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line[indent..].starts_with(['{', '[']) {
            return Some(start + indent);
        }
        start += line.len();
    }
    None
}

fn edit(file: &str, old: &str, new: &str) -> Result<FileEdit, Vec<EditFailure>> {
    let (written, written_new) = (old, new);
    let (old, new) = fence::unwrapped_pair(file, old, new);
    if let Some(line) = elision::elided(file, &old, &new) {
        let message = format!("`new` leaves code out: `{}`", line.trim());
        return Err(vec![EditFailure::malformed(file, Some(1), message, elision::ADVICE)]);
    }
    let operation = if old.trim().is_empty() {
        if new.trim().is_empty() {
            let advice = "quote in `old` the lines to change";
            return Err(vec![EditFailure::malformed(file, Some(1), "`old` and `new` are both empty", advice)]);
        }
        EditOperation::Create(new)
    } else {
        // Whose the fences are is known once the file is read.
        EditOperation::Substitute { old: written.to_owned(), new: written_new.to_owned() }
    };
    Ok(FileEdit { file: file.to_owned(), operation })
}
