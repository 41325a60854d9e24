//! Matching: where a search text stands in a file, on the first rung of tolerance that finds it.
//!
//! A rung that finds it more than once is ambiguous; a lower rung is tried only when the one above finds nothing at all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::indent::{Shift, Unit, Units, shift_between};

/// How much a search text had to be bent to match. A quality measure of whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Byte for byte.
    Exact,
    /// But for space at line ends, blank lines around it and the kind of line ending.
    TrailingSpace,
    /// But for the same indent added to, or taken from, every line, or for tabs in place of spaces.
    IndentShift,
    /// But for typographic quotes, dashes and spaces.
    UnicodePunctuation,
    /// But for line numbers in front of every line.
    LineNumbers,
    /// But for lines that the edit keeps, inside the one definition that the search text names.
    SameSymbol,
}

impl Rung {
    /// Every rung, from the strictest to the most tolerant.
    pub const ALL: [Rung; 6] = [
        Rung::Exact,
        Rung::TrailingSpace,
        Rung::IndentShift,
        Rung::UnicodePunctuation,
        Rung::LineNumbers,
        Rung::SameSymbol,
    ];

    /// Those that compare line by line.
    const OF_LINES: [Rung; 4] = [Rung::Exact, Rung::TrailingSpace, Rung::IndentShift, Rung::UnicodePunctuation];
}

/// A line of a file: its text and the line ending that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub text: &'a str,
    pub ending: &'a str,
}

impl Line<'_> {
    /// Its line ending as a constant.
    pub fn ending_static(&self) -> &'static str {
        match self.ending {
            "\r\n" => "\r\n",
            "\n" => "\n",
            _ => "",
        }
    }
}

/// The lines of `text`; none for an empty text, and no empty line after the last ending.
pub(crate) fn lines_of(text: &str) -> Vec<Line<'_>> {
    text.split_inclusive('\n').map(line_of).collect()
}

fn line_of(raw: &str) -> Line<'_> {
    let text = raw.strip_suffix('\n').map_or(raw, |line| line.strip_suffix('\r').unwrap_or(line));
    Line { text, ending: &raw[text.len()..] }
}

/// The lines of a block's text, which has no final line break; none for an empty text.
pub(crate) fn block_lines(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
}

/// A place where a search text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// Index of its first line.
    pub start: usize,
    pub rung: Rung,
    pub shift: Shift,
}

/// What looking for a search text gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Once(Match),
    /// Indexes of the first lines of every match, two at least.
    Many(Vec<usize>),
    Nowhere,
}

/// Looks for `search` in `file` on one rung after the other. `replace` tells how the edit is indented.
pub(crate) fn find(file: &[Line<'_>], search: &[&str], replace: &[&str]) -> Found {
    if search.is_empty() || search.len() > file.len() {
        return Found::Nowhere;
    }
    for rung in Rung::OF_LINES {
        let mut matches = find_on(rung, file, search, replace);
        match matches.len() {
            0 => continue,
            1 => return Found::Once(matches.remove(0)),
            _ => return Found::Many(matches.into_iter().map(|found| found.start).collect()),
        }
    }
    Found::Nowhere
}

fn find_on(rung: Rung, file: &[Line<'_>], search: &[&str], replace: &[&str]) -> Vec<Match> {
    let starts = 0..=file.len() - search.len();
    let fold: fn(&str) -> String = match rung {
        Rung::Exact => {
            let starts =
                starts.filter(|start| (0..search.len()).all(|offset| exact(&file[start + offset], search[offset])));
            return starts.map(|start| Match { start, rung, shift: Shift::None }).collect();
        }
        Rung::TrailingSpace | Rung::IndentShift | Rung::LineNumbers | Rung::SameSymbol => {
            |line| line.trim_end().to_owned()
        }
        Rung::UnicodePunctuation => |line| fold_punctuation(line).trim_end().to_owned(),
    };
    let folded_file: Vec<String> = file.iter().map(|line| fold(line.text)).collect();
    let folded_search: Vec<String> = search.iter().map(|line| fold(line)).collect();
    let units = Units {
        edit: Unit::of(search.iter().chain(replace).copied()),
        file: Unit::of(file.iter().map(|line| line.text)),
    };
    let find = |start: usize| {
        let window = &folded_file[start..start + search.len()];
        let shift = if rung == Rung::TrailingSpace {
            (window == folded_search).then_some(Shift::None)?
        } else {
            shift_between(window, &folded_search, replace, units)?
        };
        Some(Match { start, rung, shift })
    };
    starts.filter_map(find).collect()
}

/// An exact line of a CRLF file has its carriage return in the ending, so it matches on the rung below.
fn exact(line: &Line<'_>, search: &str) -> bool {
    line.text == search && line.ending != "\r\n"
}

/// `line` with typographic characters as a keyboard has them.
fn fold_punctuation(line: &str) -> String {
    let mut folded = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' => folded.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' => folded.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\u{2026}' => folded.push_str("..."),
            '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => folded.push(' '),
            _ => folded.push(c),
        }
    }
    folded
}
