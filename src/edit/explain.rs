//! Why an edit failed, in terms its writer can act on: a code, the nearest real lines, the candidates.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use super::matching::{Line, block_lines, lines_of};

/// Lines shown around the nearest match, on either side. Our choice: enough to see which block of code it is.
const CONTEXT: usize = 3;

/// Lines shown at most.
const MAX_SHOWN: usize = 40;

/// Why an edit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// The search text stands nowhere in the file.
    NotFound,
    /// It stands in several places.
    Ambiguous,
    /// The file is not the one that was read when the edit was written.
    Stale,
    /// The file already is as the edit would make it.
    AlreadyApplied,
    /// The result does not parse, and the file did before.
    Syntax,
    /// The path may not be changed.
    OutOfScope,
    /// The edit itself cannot be carried out: an empty search, a masked secret.
    Malformed,
}

impl fmt::Display for FailureCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            FailureCode::NotFound => "NOT_FOUND",
            FailureCode::Ambiguous => "AMBIGUOUS",
            FailureCode::Stale => "STALE",
            FailureCode::AlreadyApplied => "ALREADY_APPLIED",
            FailureCode::Syntax => "SYNTAX",
            FailureCode::OutOfScope => "OUT_OF_SCOPE",
            FailureCode::Malformed => "MALFORMED",
        })
    }
}

/// A line of a file with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberedLine {
    /// 1-based.
    pub line: u32,
    /// Without its ending.
    pub text: String,
}

/// Where a search text and the file part ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Line of the file, 1-based.
    pub line: u32,
    /// What the edit expected there.
    pub expected: String,
    /// What stands there; `None` at the end of the file.
    pub found: Option<String>,
}

/// One edit that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EditFailure {
    /// The file.
    pub file: String,
    /// Which of its blocks, 1-based; `None` for the file as a whole.
    pub block: Option<usize>,
    /// Why.
    pub code: FailureCode,
    /// Why, in words.
    pub message: String,
    /// The lines of the file most like the search text, or those with the syntax errors.
    pub nearest: Vec<NumberedLine>,
    /// The first line that differs from the nearest match.
    pub first_difference: Option<Difference>,
    /// First lines (1-based) of every place the search text stands.
    pub candidates: Vec<u32>,
    /// SHA-256 of the file as it is, in hex; `None` when there is no such file.
    pub current_sha256: Option<String>,
}

impl fmt::Display for EditFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.file)?;
        if let Some(block) = self.block {
            write!(formatter, ", block {block}")?;
        }
        write!(formatter, ": {}", self.message)?;
        if !self.candidates.is_empty() {
            let lines: Vec<String> = self.candidates.iter().map(u32::to_string).collect();
            write!(formatter, " (lines {})", lines.join(", "))?;
        }
        if let Some(difference) = &self.first_difference {
            let found = difference.found.as_deref().unwrap_or("<end of file>");
            write!(formatter, "\n  first difference at line {}:", difference.line)?;
            write!(formatter, "\n    the edit expects  {}\n    the file has      {found}", difference.expected)?;
        }
        for line in &self.nearest {
            write!(formatter, "\n  {:>5} | {}", line.line, line.text)?;
        }
        Ok(())
    }
}

/// The lines of `text` most like `search`, with their surroundings, and where the two first differ.
pub(crate) fn nearest(text: &str, search: &str) -> (Vec<NumberedLine>, Option<Difference>) {
    let file = lines_of(text);
    let wanted = block_lines(search);
    let Some(start) = nearest_window(&file, &wanted) else { return (Vec::new(), None) };
    let end = (start + wanted.len()).min(file.len());
    let difference = wanted.iter().enumerate().find_map(|(offset, expected)| {
        let found = file.get(start + offset).map(|line| line.text);
        let same = found.is_some_and(|found| found.trim_end() == expected.trim_end());
        (!same).then(|| Difference {
            line: number(start + offset),
            expected: (*expected).to_owned(),
            found: found.map(str::to_owned),
        })
    });
    (numbered(&file, start.saturating_sub(CONTEXT), end + CONTEXT), difference)
}

/// The lines around each of `lines` (1-based).
pub(crate) fn around(text: &str, lines: &[u32]) -> Vec<NumberedLine> {
    let file = lines_of(text);
    let first = lines.first().map_or(0, |line| *line as usize);
    numbered(&file, first.saturating_sub(CONTEXT + 1), first + CONTEXT)
}

fn numbered(file: &[Line<'_>], start: usize, end: usize) -> Vec<NumberedLine> {
    let lines = file.iter().enumerate().take(end).skip(start).take(MAX_SHOWN);
    lines.map(|(index, line)| NumberedLine { line: number(index), text: line.text.to_owned() }).collect()
}

pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// The window with the most equal lines; where no line is equal, the one whose first line is most like the search's.
fn nearest_window(file: &[Line<'_>], wanted: &[&str]) -> Option<usize> {
    let trimmed: Vec<&str> = wanted.iter().map(|line| line.trim()).collect();
    let score = |start: usize| {
        let pairs = file[start..].iter().zip(&trimmed);
        pairs.filter(|(line, want)| !want.is_empty() && line.text.trim() == **want).count()
    };
    let best =
        (0..file.len()).map(|start| (score(start), start)).max_by_key(|(score, start)| (*score, usize::MAX - start))?;
    if best.0 > 0 {
        return Some(best.1);
    }
    let offset = trimmed.iter().position(|line| !line.is_empty())?;
    let likeness = |line: &str| (TextDiff::from_chars(line.trim(), trimmed[offset]).ratio() * 1000.0) as u32;
    // Character diffs are slow: only lines that share a word with the search are compared.
    let words: Vec<&str> = words(trimmed[offset]).collect();
    let like = file.iter().enumerate().filter(|(_, line)| words.iter().any(|word| line.text.contains(word))).take(500);
    let (_, index) = like
        .map(|(index, line)| (likeness(line.text), index))
        .max_by_key(|(score, index)| (*score, usize::MAX - index))?;
    Some(index.saturating_sub(offset))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2)
}
