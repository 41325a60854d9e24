//! What the work came to, in words for a model: which edits were placed, why others were not, what gates printed.

use crate::edit::apply::Changes;
use crate::edit::explain::{EditFailure, for_model};
use crate::gate::GateResult;
use crate::plan::markdown::fence_for;
use crate::secrets::mask;

/// Lines of a stream's head that are shown, and of its tail: failures name themselves at the end, and their cause at the start.
const HEAD: usize = 15;
const TAIL: usize = 40;
/// Characters of one line.
const LINE: usize = 300;
/// Characters of what one gate printed.
const OUTPUT: usize = 6_000;
/// Lines that speak of an error, shown where the rest is cut.
const TELLING: usize = 12;

/// What gates gave: a line for a green one, with what it printed for a red one.
pub(super) fn gates(results: &[GateResult]) -> String {
    let mut said = String::new();
    for result in results {
        let (mark, expected) = (if result.green { "green" } else { "RED" }, result.expected.trim());
        said.push_str(&format!("{mark}: `{}` (expected: {expected}): {}\n", result.command, result.why));
        if !result.green {
            said.push_str(&output(result));
        }
    }
    said
}

/// What a red gate printed, fenced: head, tail, and the lines between them that speak of an error.
fn output(result: &GateResult) -> String {
    let mut said = String::new();
    for (name, stream) in [("stdout", &result.stdout), ("stderr", &result.stderr)] {
        if stream.trim().is_empty() {
            continue;
        }
        let lines: Vec<&str> = stream.lines().collect();
        let mut kept: Vec<String> = Vec::new();
        if lines.len() <= HEAD + TAIL {
            kept.extend(lines.iter().map(|line| cut(line, LINE)));
        } else {
            kept.extend(lines[..HEAD].iter().map(|line| cut(line, LINE)));
            let between = &lines[HEAD..lines.len() - TAIL];
            let telling = result.telling_lines(TELLING);
            let telling: Vec<&str> = between.iter().copied().filter(|line| telling.contains(line)).collect();
            kept.push(format!("[… {} lines; of them these speak of an error:]", between.len()));
            kept.extend(telling.iter().take(TELLING).map(|line| cut(line, LINE)));
            kept.push("[…]".to_owned());
            kept.extend(lines[lines.len() - TAIL..].iter().map(|line| cut(line, LINE)));
        }
        let text = ends(&kept.join("\n"), OUTPUT);
        let fence = fence_for(&text);
        said.push_str(&format!("{name}:\n{fence}\n{text}\n{fence}\n"));
    }
    mask(&said)
}

/// Edits that were placed.
pub(super) fn placed(changes: &Changes) -> String {
    let mut said = String::from("Done.");
    for placement in &changes.placed {
        said.push_str(&format!(" {} changed at line {}.", placement.file, placement.line));
    }
    for (file, text) in &changes.files {
        if changes.placed.iter().all(|placement| placement.file != *file) {
            let what = if text.is_some() { "written" } else { "removed" };
            said.push_str(&format!(" {file} {what}."));
        }
    }
    if changes.files.is_empty() {
        said.push_str(" Nothing differs by it.");
    }
    said
}

/// Edits that were refused: nothing of their message was kept.
pub(super) fn refused(failures: &[EditFailure]) -> String {
    mask(&for_model(failures))
}

/// The first characters of a line.
pub(super) fn cut(line: &str, most: usize) -> String {
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// Both ends of a text that is too long.
fn ends(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most / 3).collect();
    let tail: String = text.chars().skip(length - most / 3 * 2).collect();
    format!("{head}\n[…]\n{tail}")
}
