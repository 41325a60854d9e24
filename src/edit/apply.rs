//! Applying a message of edits to texts: all of them, or none and every reason why.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::explain::{EditFailure, FailureCode, around, nearest};
use super::matching::{Found, Rung, block_lines, find, lines_of};
use super::place::{self, Placed, Refusal, Target, foreign_mark, masked, number, split_mark};
use super::rewrite::{Change, differences, rewrite};
use super::{Block, EditOperation, FileEdit, path, syntax};

/// A message of edits and what it is applied to.
pub struct Message<'a> {
    /// The texts as they are; a path that is absent or `None` is no file.
    pub texts: &'a BTreeMap<String, Option<String>>,
    /// What to do, in order.
    pub edits: &'a [FileEdit],
    /// Whether a path may be changed.
    pub in_scope: &'a dyn Fn(&str) -> bool,
    /// SHA-256 (hex) of the files as they were when the edits were written, where known.
    pub preimages: &'a BTreeMap<String, String>,
}

/// What a message of edits changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The texts as they become, of the files that differ; `None` is removed.
    pub files: BTreeMap<String, Option<String>>,
    /// How each block was placed.
    pub placed: Vec<Placement>,
}

/// How a block was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// The file.
    pub file: String,
    /// Which of its blocks, 1-based.
    pub block: usize,
    /// The line its search text was found on, 1-based, in the text the blocks before it made.
    pub line: u32,
    /// The rung it took.
    pub rung: Rung,
}

/// Applies every edit of `message`, or none.
pub fn apply(message: &Message<'_>) -> Result<Changes, Vec<EditFailure>> {
    let mut work = Work { message, texts: BTreeMap::new(), placed: Vec::new(), failures: Vec::new() };
    for edit in message.edits {
        work.edit(edit);
    }
    work.check_syntax();
    if !work.failures.is_empty() {
        return Err(work.failures);
    }
    let files = work.texts.into_iter().filter(|(file, text)| message.before(file) != text.as_deref());
    Ok(Changes { files: files.collect(), placed: work.placed })
}

/// SHA-256 of `text`, in hex.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Message<'_> {
    fn before(&self, file: &str) -> Option<&str> {
        self.texts.get(file).and_then(Option::as_deref)
    }

    fn is_stale(&self, file: &str) -> bool {
        let Some(expected) = self.preimages.get(file) else { return false };
        self.before(file).map(sha256).as_deref() != Some(expected)
    }
}

struct Work<'a> {
    message: &'a Message<'a>,
    /// The texts that the edits so far made.
    texts: BTreeMap<String, Option<String>>,
    placed: Vec<Placement>,
    failures: Vec<EditFailure>,
}

impl Work<'_> {
    fn text(&self, file: &str) -> Option<String> {
        self.texts.get(file).cloned().unwrap_or_else(|| self.message.before(file).map(str::to_owned))
    }

    fn fail(&mut self, file: &str, code: FailureCode, message: impl Into<String>) {
        let failure = self.failure(file, None, code, message);
        self.failures.push(failure);
    }

    fn failure(&self, file: &str, block: Option<usize>, code: FailureCode, message: impl Into<String>) -> EditFailure {
        EditFailure {
            file: file.to_owned(),
            block,
            code,
            message: message.into(),
            advice: code.advice().to_owned(),
            nearest: Vec::new(),
            first_difference: None,
            candidates: Vec::new(),
            current_sha256: self.message.before(file).map(sha256),
        }
    }

    fn edit(&mut self, edit: &FileEdit) {
        for path in edit.paths() {
            if let Some(fault) = path::fault(path) {
                return self.fail(path, FailureCode::OutOfScope, format!("the path is refused: {fault}"));
            }
            if !(self.message.in_scope)(path) {
                return self.fail(path, FailureCode::OutOfScope, "the file is not in the plan's scope");
            }
        }
        let file = edit.file.as_str();
        let current = self.text(file);
        match (&edit.operation, current) {
            (EditOperation::Create(text), current) => self.create(file, text, current.as_deref()),
            (EditOperation::Whole(text), None) => self.create(file, text, None),
            (EditOperation::Whole(text), Some(current)) => self.overwrite(file, text, &current),
            (EditOperation::Delete, Some(_)) if self.message.is_stale(file) => {
                self.fail(file, FailureCode::Stale, "the file has changed since it was read, so it is not removed");
            }
            (EditOperation::Delete, Some(_)) => {
                self.texts.insert(file.to_owned(), None);
            }
            (EditOperation::Delete, None) => {
                self.fail(file, FailureCode::AlreadyApplied, "there is no such file any more")
            }
            (EditOperation::Replace(blocks), current) => {
                let searches: Vec<&str> = blocks.iter().map(|block| block.search.as_str()).collect();
                self.change(file, current, &searches, &|target, index| place::block(target, &blocks[index]));
            }
            (EditOperation::Hunks(hunks), current) => {
                let searches: Vec<&str> = hunks.iter().map(|hunk| hunk.block.search.as_str()).collect();
                self.change(file, current, &searches, &|target, index| place::hunk(target, &hunks[index]));
            }
            (EditOperation::Substitute { old, new }, current) => {
                self.change(file, current, &[old], &|target, _| place::substitution(target, old, new));
            }
            (EditOperation::Insert(insertion), current) => {
                self.change(file, current, &[&insertion.anchor], &|target, _| place::insertion(target, insertion));
            }
            (EditOperation::Rename { to, blocks }, current) => self.rename(file, to, blocks, current),
        }
    }

    fn create(&mut self, file: &str, text: &str, current: Option<&str>) {
        if let Some(mark) = foreign_mark(text, "") {
            return self.fail(file, FailureCode::Malformed, masked(mark));
        }
        let text = with_final_newline(text);
        match current {
            Some(current) if current == text => {
                self.fail(file, FailureCode::AlreadyApplied, "the file already has this text");
            }
            Some(_) => {
                let failure =
                    self.failure(file, None, FailureCode::Stale, "the file exists already, with another text");
                let advice = "read the file, and send an edit of what it holds instead of a new file".to_owned();
                self.failures.push(EditFailure { advice, ..failure });
            }
            None => {
                self.texts.insert(file.to_owned(), Some(text));
            }
        }
    }

    fn overwrite(&mut self, file: &str, text: &str, current: &str) {
        if let Some(mark) = foreign_mark(text, current) {
            return self.fail(file, FailureCode::Malformed, masked(mark));
        }
        if self.message.is_stale(file) {
            return self.fail(
                file,
                FailureCode::Stale,
                "the file has changed since it was read, so it is not replaced",
            );
        }
        let (lines, before) = (filled_lines(text), filled_lines(current));
        if before > MAX_SHRINKING && lines < before / 2 {
            let message = format!("the text has {lines} lines where the file has {before}, blank ones aside");
            let advice =
                "send the file whole; if it really is to be that short, delete it and create it anew".to_owned();
            let failure = self.failure(file, None, FailureCode::Malformed, message);
            return self.failures.push(EditFailure { advice, ..failure });
        }
        let text = in_form_of(current, text);
        if text == current {
            return self.fail(file, FailureCode::AlreadyApplied, "the file already has this text");
        }
        self.texts.insert(file.to_owned(), Some(text));
    }

    fn rename(&mut self, file: &str, to: &str, blocks: &[Block], current: Option<String>) {
        match (current, self.text(to)) {
            (None, Some(_)) => self.fail(file, FailureCode::AlreadyApplied, format!("the file already is `{to}`")),
            (None, None) => self.fail(file, FailureCode::NotFound, "there is no such file"),
            (Some(_), Some(_)) => self.fail(to, FailureCode::Stale, "a file of the new name exists already"),
            (Some(text), None) => {
                if let Some(text) = self.replace(file, text, blocks) {
                    self.texts.insert(file.to_owned(), None);
                    self.texts.insert(to.to_owned(), Some(text));
                }
            }
        }
    }

    /// `text` with every edit applied that `parts` tells apart, or `None` after at least one failure was recorded. `place` is given
    /// the text as it is by then, and the index of the part.
    fn place_all(
        &mut self,
        file: &str,
        text: String,
        searches: &[&str],
        place: &dyn Fn(Target<'_>, usize) -> Result<Placed, Refusal>,
    ) -> Option<String> {
        let mut text = text;
        let mut whole = true;
        let is_current = !self.message.is_stale(file);
        for (index, search) in searches.iter().enumerate() {
            match place(
                Target { path: file, text: &text, may_guess: is_current && self.failures.len() < MAX_GUESSES },
                index,
            ) {
                Ok(placed) => {
                    let line = number(placed.line);
                    self.placed.push(Placement { file: file.to_owned(), block: index + 1, line, rung: placed.rung });
                    text = placed.text;
                }
                Err(refusal) => {
                    whole = false;
                    let failure = self.explain(file, index + 1, search, &text, refusal);
                    self.failures.push(failure);
                }
            }
        }
        whole.then_some(text)
    }

    fn replace(&mut self, file: &str, text: String, blocks: &[Block]) -> Option<String> {
        let searches: Vec<&str> = blocks.iter().map(|block| block.search.as_str()).collect();
        self.place_all(file, text, &searches, &|target, index| place::block(target, &blocks[index]))
    }

    /// Like [`Work::place_all`], for a file that has to exist, and keeps the text.
    fn change(
        &mut self,
        file: &str,
        current: Option<String>,
        searches: &[&str],
        place: &dyn Fn(Target<'_>, usize) -> Result<Placed, Refusal>,
    ) {
        let Some(text) = current else {
            return self.fail(file, FailureCode::NotFound, "there is no such file");
        };
        if searches.is_empty() {
            return self.fail(file, FailureCode::Malformed, "the edit holds no block");
        }
        if let Some(text) = self.place_all(file, text, searches, place) {
            self.texts.insert(file.to_owned(), Some(text));
        }
    }

    fn explain(&self, file: &str, block: usize, search: &str, text: &str, refusal: Refusal) -> EditFailure {
        let failure = |code, message: String| self.failure(file, Some(block), code, message);
        match refusal {
            Refusal::Malformed { message, advice } => {
                EditFailure { advice: advice.to_owned(), ..failure(FailureCode::Malformed, message) }
            }
            Refusal::AlreadyApplied(line) => {
                let message = "the file already is as the edit would make it";
                let nearest = around(text, &[line], 2);
                EditFailure {
                    nearest,
                    candidates: vec![line],
                    ..failure(FailureCode::AlreadyApplied, message.to_owned())
                }
            }
            Refusal::Ambiguous(candidates) => {
                let message = format!("the search text stands in {} places: add lines around it", candidates.len());
                let nearest = around(text, &candidates[..candidates.len().min(4)], 2);
                EditFailure { nearest, candidates, ..failure(FailureCode::Ambiguous, message) }
            }
            Refusal::NoHeading(heading) => {
                let (nearest, first_difference) = nearest(text, &heading);
                let message = "the line behind `@@` stands nowhere in the file".to_owned();
                EditFailure { nearest, first_difference, ..failure(FailureCode::NotFound, message) }
            }
            Refusal::NotFound => {
                let (nearest, first_difference) = nearest(text, search);
                if self.message.is_stale(file) {
                    let message = "the file has changed since it was read: read it again".to_owned();
                    return EditFailure { nearest, first_difference, ..failure(FailureCode::Stale, message) };
                }
                let mut failure =
                    failure(FailureCode::NotFound, "the search text stands nowhere in the file".to_owned());
                if let Some(other) = self.other_file_with(file, search) {
                    failure.message = format!("the search text stands nowhere in the file, but in `{other}`");
                    failure.advice = "name the file that you mean".to_owned();
                    return failure;
                }
                EditFailure { nearest, first_difference, ..failure }
            }
        }
    }

    /// Another file of the message, which may be changed, that holds the search text once.
    fn other_file_with(&self, file: &str, search: &str) -> Option<&str> {
        let search = block_lines(search);
        let holds = |text: &str| matches!(find(&lines_of(text), &search, &[]), Found::Once(_));
        let others = self.message.texts.iter().filter(|(other, _)| *other != file && (self.message.in_scope)(other));
        others.filter(|(_, text)| text.as_deref().is_some_and(holds)).map(|(other, _)| other.as_str()).next()
    }

    /// Records a failure for each changed file that no longer parses.
    fn check_syntax(&mut self) {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        for edit in self.message.edits {
            if let EditOperation::Rename { to, .. } = &edit.operation {
                before.insert(to, &edit.file);
            }
        }
        let failed: BTreeSet<String> = self.failures.iter().map(|failure| failure.file.clone()).collect();
        let mut broken = Vec::new();
        for (file, text) in &self.texts {
            let Some(text) = text else { continue };
            if failed.contains(file) {
                continue;
            }
            let original = self.message.before(before.get(file.as_str()).copied().unwrap_or(file));
            let errors = syntax::new_errors(file, original, text);
            if errors.is_empty() {
                continue;
            }
            let message = "the file no longer parses with the edit, so nothing of the message was kept";
            let nearest = around(text, &errors[..1], 3);
            broken.push(EditFailure {
                nearest,
                candidates: errors,
                ..self.failure(file, None, FailureCode::Syntax, message)
            });
        }
        self.failures.extend(broken);
    }
}

/// Edits of one message that may fail before the last rung, which parses the file, is tried no more. Our choice: nothing of such a
/// message is kept anyway.
const MAX_GUESSES: usize = 8;

/// A longer file that a whole text would cut to less than half was more likely left out than meant: 30 lines, our choice.
const MAX_SHRINKING: usize = 30;

fn filled_lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

/// `text` as all of a file that was `current`: with its byte order mark, its line endings and its end. Equal lines keep their bytes.
fn in_form_of(current: &str, text: &str) -> String {
    let (mark, body) = split_mark(current);
    let text = split_mark(text).1;
    let file = lines_of(body);
    if file.is_empty() {
        return format!("{mark}{}", with_final_newline(text));
    }
    let old: Vec<&str> = file.iter().map(|line| line.text).collect();
    let new = block_lines(text.strip_suffix('\n').unwrap_or(text));
    let own = |range: std::ops::Range<usize>| new[range].iter().map(|line| (*line).to_owned()).collect();
    let changes: Vec<Change> =
        differences(&old, &new).into_iter().map(|(old, new)| Change { lines: old, new: own(new) }).collect();
    format!("{mark}{}", rewrite(&file, &changes))
}

/// A file's text as a plan holds it has no final line break; a text file has one.
fn with_final_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests;
