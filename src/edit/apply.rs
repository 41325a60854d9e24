//! Applying a message of edits to texts: all of them, or none and every reason why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::explain::{EditFailure, FailureCode, around, nearest, number};
use super::matching::{Found, Line, Match, Rung, Shift, block_lines, find, lines_of};
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
            (EditOperation::Replace(blocks), Some(text)) => {
                if blocks.is_empty() {
                    return self.fail(file, FailureCode::Malformed, "the edit holds no block");
                }
                if let Some(text) = self.replace(file, text, blocks) {
                    self.texts.insert(file.to_owned(), Some(text));
                }
            }
            (EditOperation::Replace(_), None) => self.fail(file, FailureCode::NotFound, "there is no such file"),
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
            Some(_) => self.fail(file, FailureCode::Stale, "the file exists already, with another text"),
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

    /// `text` with every block applied, or `None` after at least one failure was recorded.
    fn replace(&mut self, file: &str, text: String, blocks: &[Block]) -> Option<String> {
        let mut text = text;
        let mut whole = true;
        for (index, block) in blocks.iter().enumerate() {
            match place(&text, block) {
                Ok((changed, found)) => {
                    let placement = Placement {
                        file: file.to_owned(),
                        block: index + 1,
                        line: number(found.start),
                        rung: found.rung,
                    };
                    self.placed.push(placement);
                    text = changed;
                }
                Err(refusal) => {
                    whole = false;
                    let failure = self.explain(file, index + 1, block, &text, refusal);
                    self.failures.push(failure);
                }
            }
        }
        whole.then_some(text)
    }

    fn explain(&self, file: &str, block: usize, edit: &Block, text: &str, refusal: Refusal) -> EditFailure {
        match refusal {
            Refusal::Malformed(message) => self.failure(file, Some(block), FailureCode::Malformed, message),
            Refusal::AlreadyApplied(line) => EditFailure {
                candidates: vec![line],
                ..self.failure(file, Some(block), FailureCode::AlreadyApplied, "the replacement already stands there")
            },
            Refusal::Ambiguous(candidates) => {
                let message = format!("the search text stands in {} places: add lines around it", candidates.len());
                EditFailure { candidates, ..self.failure(file, Some(block), FailureCode::Ambiguous, message) }
            }
            Refusal::NotFound => {
                let (nearest, first_difference) = nearest(text, &edit.search);
                let (code, message) = if self.message.is_stale(file) {
                    (FailureCode::Stale, "the file has changed since it was read: read it again")
                } else {
                    (FailureCode::NotFound, "the search text stands nowhere in the file")
                };
                EditFailure { nearest, first_difference, ..self.failure(file, Some(block), code, message) }
            }
        }
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
            let nearest = around(text, &errors);
            broken.push(EditFailure {
                nearest,
                candidates: errors,
                ..self.failure(file, None, FailureCode::Syntax, message)
            });
        }
        self.failures.extend(broken);
    }
}

enum Refusal {
    NotFound,
    Ambiguous(Vec<u32>),
    AlreadyApplied(u32),
    Malformed(String),
}

/// `text` with one block applied, and where.
fn place(text: &str, block: &Block) -> Result<(String, Match), Refusal> {
    if block.search.trim().is_empty() {
        return Err(Refusal::Malformed("the search text is empty".to_owned()));
    }
    for side in [&block.search, &block.replace] {
        if let Some(mark) = foreign_mark(side, text) {
            return Err(Refusal::Malformed(masked(mark)));
        }
    }
    if block.search == block.replace {
        return Err(Refusal::Malformed("the search text and its replacement are the same".to_owned()));
    }
    let (mark, body) = split_mark(text);
    let file = lines_of(body);
    let (search, replace) = (block_lines(&block.search), block_lines(&block.replace));
    match find(&file, &search) {
        Found::Once(found) => match stands_around(&file, &found, &search, &replace) {
            Some(line) => Err(Refusal::AlreadyApplied(line)),
            None => Ok((format!("{mark}{}", splice(&file, &found, &search, &replace)), found)),
        },
        Found::Many(_, starts) => Err(Refusal::Ambiguous(starts.into_iter().map(number).collect())),
        Found::Nowhere => match find(&file, &replace) {
            Found::Once(found) if !block.replace.trim().is_empty() => Err(Refusal::AlreadyApplied(number(found.start))),
            Found::Once(_) | Found::Many(..) | Found::Nowhere => Err(Refusal::NotFound),
        },
    }
}

/// The line on which the whole replacement already stands around a match, when the replacement only adds to the search text.
fn stands_around(file: &[Line<'_>], found: &Match, search: &[&str], replace: &[&str]) -> Option<u32> {
    if replace.len() <= search.len() {
        return None;
    }
    (0..=replace.len() - search.len()).filter(|offset| replace[*offset..*offset + search.len()] == *search).find_map(
        |offset| {
            let start = found.start.checked_sub(offset)?;
            let window = file.get(start..start + replace.len())?;
            let same = window
                .iter()
                .zip(replace)
                .all(|(line, want)| line.text.trim_end() == found.shift.apply(want).trim_end());
            same.then(|| number(start))
        },
    )
}

/// The file with the lines of a match replaced. Lines that the block keeps keep the file's bytes.
fn splice(file: &[Line<'_>], found: &Match, search: &[&str], replace: &[&str]) -> String {
    let window = &file[found.start..found.start + search.len()];
    let new_ending = dominant_ending(window).or_else(|| dominant_ending(file)).unwrap_or("\n");
    let mut middle: Vec<(String, &str)> = Vec::new();
    // Only the last line may have no ending, and it may not be the last any more.
    let ending_of = |line: &Line<'_>| match line.ending {
        "\r\n" => "\r\n",
        "\n" => "\n",
        _ => new_ending,
    };
    let keep = |line: &Line<'_>| (line.text.to_owned(), ending_of(line));
    for operation in capture_diff_slices(Algorithm::Myers, search, replace) {
        if let DiffOp::Equal { old_index, len, .. } = operation {
            middle.extend(window[old_index..old_index + len].iter().map(keep));
        } else {
            middle.extend(replace[operation.new_range()].iter().map(|line| (found.shift.apply(line), new_ending)));
        }
    }
    let before = file[..found.start].iter().map(keep);
    let after = file[found.start + search.len()..].iter().map(keep);
    let mut lines: Vec<(String, &str)> = before.chain(middle).chain(after).collect();
    let ends_open = file.last().is_some_and(|line| line.ending.is_empty());
    if let Some(last) = lines.last_mut().filter(|_| ends_open) {
        last.1 = "";
    }
    lines.into_iter().flat_map(|(text, ending)| [text, ending.to_owned()]).collect()
}

fn dominant_ending(lines: &[Line<'_>]) -> Option<&'static str> {
    let windows = lines.iter().filter(|line| line.ending == "\r\n").count();
    let unix = lines.iter().filter(|line| line.ending == "\n").count();
    (windows + unix > 0).then_some(if windows > unix { "\r\n" } else { "\n" })
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
    let everything = Match { start: 0, rung: Rung::Exact, shift: Shift::None };
    format!("{mark}{}", splice(&file, &everything, &old, &new))
}

/// The byte order mark of a text, and the rest: it is not part of the first line.
fn split_mark(text: &str) -> (&str, &str) {
    text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body))
}

/// A file's text as a plan holds it has no final line break; a text file has one.
fn with_final_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// A mask that stands in an edit and not in the file: writing it would replace a secret by its mask.
fn foreign_mark<'t>(edit: &'t str, file: &str) -> Option<&'t str> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[secret:[a-z0-9_-]+\]").expect("a constant pattern"));
    MARK.find_iter(edit).map(|found| found.as_str()).find(|mark| !file.contains(mark))
}

fn masked(mark: &str) -> String {
    format!("the edit holds the masked secret `{mark}`, whose text it cannot know")
}

#[cfg(test)]
mod tests;
