//! Why an edit failed, in terms its writer can act on: a code, the nearest real lines, the candidates.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use super::matching::{Line, block_lines, lines_of};
use super::place::number;

/// Lines shown around the nearest match, on either side. Our choice: enough to see which block of code it is.
const CONTEXT: usize = 3;

/// Lines shown at most.
const MAX_SHOWN: usize = 40;

/// Characters of a line that are shown. Our choice.
const MAX_WIDTH: usize = 240;

/// Characters of a line that are compared one by one, and lines that are. Our choice: well under a tenth of a second.
const MAX_COMPARED: usize = 200;
const MAX_LIKE: usize = 300;

/// Lines of a search text that are looked for one by one when it is not there. Our choice: its head tells where it was meant.
const MAX_QUOTED: usize = 100;

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

impl FailureCode {
    /// What its writer should do, and what not to send again, where nothing more special is known.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            FailureCode::NotFound => {
                "the same text again fails again: copy the lines as the file has them now, without their numbers"
            }
            FailureCode::Ambiguous => {
                "send it again with lines above or below it that stand at only one of these places"
            }
            FailureCode::Stale => "read the file again before you send another edit of it",
            FailureCode::AlreadyApplied => "leave this edit out; do not send it again",
            FailureCode::Syntax => {
                "find the bracket, quote or line that the edits lost or doubled, and send all of them again"
            }
            FailureCode::OutOfScope => {
                "leave this file as it is; when the step cannot be done without it, say so instead of editing it"
            }
            FailureCode::Malformed => "send the edit again in the form that was asked for",
        }
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
    /// What its writer should send instead, and what not again.
    #[serde(default)]
    pub advice: String,
    /// The lines of the file most like the search text, or those with the syntax errors.
    pub nearest: Vec<NumberedLine>,
    /// The first line that differs from the nearest match.
    pub first_difference: Option<Difference>,
    /// First lines (1-based) of every place the search text stands.
    pub candidates: Vec<u32>,
    /// SHA-256 of the file as it is, in hex; `None` when there is no such file.
    pub current_sha256: Option<String>,
}

impl EditFailure {
    /// The failure with `mask` over every text that may quote a file. Failures quote whole lines, so that a secret is not cut in two
    /// before it is looked for.
    pub fn masked(self, mask: impl Fn(&str) -> String) -> Self {
        let mask_line = |line: NumberedLine| NumberedLine { text: mask(&line.text), ..line };
        let mask_difference = |difference: Difference| Difference {
            expected: mask(&difference.expected),
            found: difference.found.as_deref().map(&mask),
            ..difference
        };
        Self {
            message: mask(&self.message),
            nearest: self.nearest.into_iter().map(mask_line).collect(),
            first_difference: self.first_difference.map(mask_difference),
            ..self
        }
    }

    /// An edit that cannot be read.
    pub(crate) fn malformed(
        file: &str,
        block: Option<usize>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            block,
            code: FailureCode::Malformed,
            message: message.into(),
            advice: advice.into(),
            nearest: Vec::new(),
            first_difference: None,
            candidates: Vec::new(),
            current_sha256: None,
        }
    }
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
            let word = if lines.len() == 1 { "line" } else { "lines" };
            write!(formatter, " ({word} {})", lines.join(", "))?;
        }
        if let Some(difference) = &self.first_difference {
            let found = difference.found.as_deref().map_or("<end of file>".into(), shown);
            write!(formatter, "\n  first difference at line {}:", difference.line)?;
            write!(
                formatter,
                "\n    the edit expects  {}\n    the file has      {found}",
                shown(&difference.expected)
            )?;
        }
        let mut before: Option<u32> = None;
        for line in &self.nearest {
            if before.is_some_and(|before| line.line > before + 1) {
                formatter.write_str("\n        …")?;
            }
            write!(formatter, "\n  {:>5} | {}", line.line, shown(&line.text))?;
            before = Some(line.line);
        }
        Ok(())
    }
}

/// A line as it is shown: minified ones are cut.
fn shown(line: &str) -> Cow<'_, str> {
    match line.char_indices().nth(MAX_WIDTH) {
        Some((end, _)) => format!("{} … ({} bytes more)", &line[..end], line.len() - end).into(),
        None => line.into(),
    }
}

/// What a model is told of a message that was refused: every reason, what to do about each, and that nothing was kept.
pub fn for_model(failures: &[EditFailure]) -> String {
    let mut text = String::from(
        "Nothing of this message was applied, so the edits in it that are not named here have to be sent again too.",
    );
    for failure in failures {
        text.push_str(&format!("\n\n{failure}"));
        if !failure.advice.is_empty() {
            text.push_str(&format!("\n  What to do: {}.", failure.advice));
        }
    }
    text
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

/// The lines around each of `lines` (1-based), `context` on either side.
pub(crate) fn around(text: &str, lines: &[u32], context: usize) -> Vec<NumberedLine> {
    let file = lines_of(text);
    let mut shown: Vec<NumberedLine> = Vec::new();
    for line in lines {
        let index = (*line as usize).saturating_sub(1);
        let from = shown.last().map_or(0, |last| last.line as usize).max(index.saturating_sub(context));
        shown.extend(numbered(&file, from, index + context + 1));
    }
    shown.truncate(MAX_SHOWN);
    shown
}

fn numbered(file: &[Line<'_>], start: usize, end: usize) -> Vec<NumberedLine> {
    let lines = file.iter().enumerate().take(end).skip(start).take(MAX_SHOWN);
    lines.map(|(index, line)| NumberedLine { line: number(index), text: line.text.to_owned() }).collect()
}

/// The window in which the most of the search text stands; where no line does, the one whose first line is most like the search's.
fn nearest_window(file: &[Line<'_>], wanted: &[&str]) -> Option<usize> {
    let trimmed: Vec<&str> = wanted.iter().take(MAX_QUOTED).map(|line| line.trim()).collect();
    let lines: Vec<&str> = file.iter().map(|line| line.text.trim()).collect();
    // Brackets stand everywhere: a line counts by its letters.
    let weight = |line: &str| line.chars().filter(|c| c.is_alphanumeric()).take(MAX_COMPARED).count();
    let weights: Vec<usize> = trimmed.iter().map(|line| weight(line)).collect();
    let score = |start: usize| -> usize {
        let pairs = lines[start..].iter().zip(trimmed.iter().zip(&weights));
        pairs.filter(|(line, (want, _))| line == want).map(|(_, (_, weight))| weight).sum()
    };
    let best =
        (0..file.len()).map(|start| (score(start), start)).max_by_key(|(score, start)| (*score, usize::MAX - start))?;
    if best.0 > 0 {
        return Some(best.1);
    }
    // The longest line tells most.
    let offset = (0..trimmed.len()).max_by_key(|index| (weights[*index], usize::MAX - index))?;
    let cut = |line: &str| line.trim().chars().take(MAX_COMPARED).collect::<String>();
    let target = cut(trimmed[offset]);
    let likeness = |line: &str| (TextDiff::from_chars(cut(line).as_str(), target.as_str()).ratio() * 1000.0) as u32;
    // Character diffs are slow: only lines that share a word with the search are compared.
    let words: Vec<&str> = words(&target).collect();
    let like = file.iter().enumerate().filter(|(_, line)| words.iter().any(|word| line.text.contains(word)));
    let (_, index) = like
        .take(MAX_LIKE)
        .map(|(index, line)| (likeness(line.text), index))
        .max_by_key(|(score, index)| (*score, usize::MAX - index))?;
    Some(index.saturating_sub(offset))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2)
}
