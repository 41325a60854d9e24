//! Matching: where a search text stands in a file, on the first rung of tolerance that finds it.
//!
//! A rung that finds it more than once is ambiguous; a lower rung is tried only when the one above finds nothing at all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a search text had to be bent to match. A quality measure of whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Byte for byte.
    Exact,
    /// But for space at line ends and the kind of line ending.
    TrailingSpace,
    /// But for the same indent added to, or taken from, every line.
    IndentShift,
    /// But for typographic quotes, dashes and spaces.
    UnicodePunctuation,
}

impl Rung {
    const ALL: [Rung; 4] = [Rung::Exact, Rung::TrailingSpace, Rung::IndentShift, Rung::UnicodePunctuation];
}

/// A line of a file: its text and the line ending that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub text: &'a str,
    pub ending: &'a str,
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

/// The indent by which a file's lines differ from a search text's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shift {
    None,
    /// The file has this before the indent of every line.
    Added(String),
    /// The search text has this before the indent of every line.
    Removed(String),
}

impl Shift {
    /// `line` of a replacement, moved to where the file has it.
    pub fn apply(&self, line: &str) -> String {
        if line.trim().is_empty() {
            return line.to_owned();
        }
        match self {
            Shift::None => line.to_owned(),
            Shift::Added(indent) => format!("{indent}{line}"),
            Shift::Removed(indent) => {
                let shared = line.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
                line[shared..].to_owned()
            }
        }
    }
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
    Many(Rung, Vec<usize>),
    Nowhere,
}

/// Looks for `search` in `file` on one rung after the other.
pub(crate) fn find(file: &[Line<'_>], search: &[&str]) -> Found {
    if search.is_empty() || search.len() > file.len() {
        return Found::Nowhere;
    }
    for rung in Rung::ALL {
        let mut matches = find_on(rung, file, search);
        match matches.len() {
            0 => continue,
            1 => return Found::Once(matches.remove(0)),
            _ => return Found::Many(rung, matches.into_iter().map(|found| found.start).collect()),
        }
    }
    Found::Nowhere
}

fn find_on(rung: Rung, file: &[Line<'_>], search: &[&str]) -> Vec<Match> {
    let fold: fn(&str) -> String = match rung {
        Rung::Exact => {
            let starts = (0..=file.len() - search.len())
                .filter(|start| (0..search.len()).all(|offset| exact(&file[start + offset], search[offset])));
            return starts.map(|start| Match { start, rung, shift: Shift::None }).collect();
        }
        Rung::TrailingSpace | Rung::IndentShift => |line| line.trim_end().to_owned(),
        Rung::UnicodePunctuation => |line| fold_punctuation(line).trim_end().to_owned(),
    };
    let folded_file: Vec<String> = file.iter().map(|line| fold(line.text)).collect();
    let folded_search: Vec<String> = search.iter().map(|line| fold(line)).collect();
    (0..=file.len() - search.len())
        .filter_map(|start| {
            let window = &folded_file[start..start + search.len()];
            let shift = match rung {
                Rung::Exact | Rung::TrailingSpace => (window == folded_search).then_some(Shift::None)?,
                Rung::IndentShift | Rung::UnicodePunctuation => uniform_shift(window, &folded_search)?,
            };
            Some(Match { start, rung, shift })
        })
        .collect()
}

/// An exact line of a CRLF file has its carriage return in the ending, so it matches on the rung below.
fn exact(line: &Line<'_>, search: &str) -> bool {
    line.text == search && line.ending != "\r\n"
}

/// The one shift that turns every line of `search` into its line of `window`, if there is one.
fn uniform_shift(window: &[String], search: &[String]) -> Option<Shift> {
    let mut shift: Option<Shift> = None;
    for (have, want) in window.iter().zip(search) {
        if have.is_empty() != want.is_empty() {
            return None;
        }
        if have.is_empty() {
            continue;
        }
        let (have_indent, want_indent) = (indent_of(have), indent_of(want));
        if have[have_indent.len()..] != want[want_indent.len()..] {
            return None;
        }
        let here = if have_indent == want_indent {
            Shift::None
        } else if let Some(added) = have_indent.strip_suffix(want_indent) {
            Shift::Added(added.to_owned())
        } else {
            Shift::Removed(want_indent.strip_suffix(have_indent)?.to_owned())
        };
        match &shift {
            None => shift = Some(here),
            Some(known) if *known == here => {}
            Some(_) => return None,
        }
    }
    shift
}

fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
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
