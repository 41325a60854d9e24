//! Expectations: what a command must give for a gate to be green.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod reading;

/// What a command must give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// This exit code.
    Exit(i32),
    /// Any exit code but 0.
    Fails,
    /// Nothing on stdout (exit code ignored: `grep` without a match exits 1).
    NoOutput,
    /// stdout or stderr contains the text.
    Contains(String),
    /// stdout or stderr matches the regular expression, line by line.
    Matches(String),
    /// This many lines on stdout.
    Lines(Count),
    /// Exit 0 and, where the runner's summary is one we parse, no failure and at least one test run.
    AllPass,
    /// [`Expectation::AllPass`], with at least this many tests more than on the base commit.
    NewTests(u32),
    /// [`Expectation::AllPass`], with this many tests passed.
    Passed(Count),
    /// Several at once.
    All(Vec<Expectation>),
}

/// A number and how it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// Exactly.
    Exactly(u32),
    /// At least.
    AtLeast(u32),
    /// At most.
    AtMost(u32),
}

impl fmt::Display for Expectation {
    /// The form `improve` writes; [`Expectation::parse`] is its exact inverse.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expectation::Exit(code) => write!(formatter, "exit {code}"),
            Expectation::Fails => formatter.write_str("fails"),
            Expectation::NoOutput => formatter.write_str("no output"),
            Expectation::Contains(text) => write!(formatter, "contains \"{}\"", escape(text, '"')),
            Expectation::Matches(regex) => write!(formatter, "matches /{}/", escape(regex, '/')),
            Expectation::Lines(count) => write!(formatter, "{count} {}", plural(*count, "match", "matches")),
            Expectation::AllPass => formatter.write_str("all pass"),
            Expectation::NewTests(count) => {
                write!(formatter, "{count} new {}", if *count == 1 { "test passes" } else { "tests pass" })
            }
            Expectation::Passed(count) => write!(formatter, "{count} {}", plural(*count, "test passes", "tests pass")),
            Expectation::All(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    write!(formatter, "{}{part}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::Exactly(number) => write!(formatter, "{number}"),
            Count::AtLeast(number) => write!(formatter, "at least {number}"),
            Count::AtMost(number) => write!(formatter, "at most {number}"),
        }
    }
}

fn plural(count: Count, one: &'static str, many: &'static str) -> &'static str {
    match count {
        Count::Exactly(1) | Count::AtLeast(1) | Count::AtMost(1) => one,
        Count::Exactly(_) | Count::AtLeast(_) | Count::AtMost(_) => many,
    }
}

/// Text between two `quote`s: the quote and line breaks escaped, and backticks, which would open a code span. The backslash is
/// escaped in strings only: regular expressions are full of them.
fn escape(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '`' => escaped.push_str("\\x60"),
            '\\' if quote == '"' => escaped.push_str("\\\\"),
            _ if character == quote => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The text up to the closing `quote`, and what follows it.
fn unescape(text: &str, quote: char) -> Option<(String, &str)> {
    let close = closing_quote(text, quote)?;
    let mut plain = String::with_capacity(close);
    let mut rest = &text[..close];
    while let Some(character) = rest.chars().next() {
        let (part, taken) = if rest.starts_with("\\x60") {
            ('`', 4)
        } else if character == '\\' && quote == '"' {
            match rest[1..].chars().next() {
                Some('n') => ('\n', 2),
                Some(escaped) => (escaped, 1 + escaped.len_utf8()),
                None => ('\\', 1),
            }
        } else if character == '\\' && rest[1..].starts_with(quote) {
            (quote, 1 + quote.len_utf8())
        } else {
            (character, character.len_utf8())
        };
        plain.push(part);
        rest = &rest[taken..];
    }
    Some((plain, &text[close + quote.len_utf8()..]))
}

fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if character == quote && !escaped {
            return Some(at);
        }
        // Within a regular expression `\\` does not escape: only `\/` is ours.
        escaped = character == '\\' && !(escaped && quote == '"');
    }
    // A regular expression that ends with a backslash.
    if quote == '/' { text.rfind(quote) } else { None }
}

impl Expectation {
    /// Whether it compares with the tests of the base commit.
    pub fn counts_new_tests(&self) -> bool {
        match self {
            Expectation::NewTests(_) => true,
            Expectation::All(parts) => parts.iter().any(Expectation::counts_new_tests),
            Expectation::Exit(_)
            | Expectation::Fails
            | Expectation::NoOutput
            | Expectation::Contains(_)
            | Expectation::Matches(_)
            | Expectation::Lines(_)
            | Expectation::AllPass
            | Expectation::Passed(_) => false,
        }
    }

    /// Reads the form that [`fmt::Display`] writes, and nothing else.
    pub fn parse(text: &str) -> Option<Expectation> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = parse_one(rest)?;
            parts.push(part);
            match after.strip_prefix(", ") {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return None,
            }
        }
        if parts.len() == 1 { parts.pop() } else { Some(Expectation::All(parts)) }
    }
}

fn parse_one(text: &str) -> Option<(Expectation, &str)> {
    if let Some(quoted) = text.strip_prefix("contains \"") {
        return unescape(quoted, '"').map(|(text, rest)| (Expectation::Contains(text), rest));
    }
    if let Some(quoted) = text.strip_prefix("matches /") {
        return unescape(quoted, '/').map(|(regex, rest)| (Expectation::Matches(regex), rest));
    }
    let (word, rest) = text.split_at(text.find(", ").unwrap_or(text.len()));
    let expectation = match word {
        "fails" => Expectation::Fails,
        "no output" | "no matches" => Expectation::NoOutput,
        "all pass" => Expectation::AllPass,
        _ => {
            if let Some(code) = word.strip_prefix("exit ") {
                return code.parse().ok().map(|code| (Expectation::Exit(code), rest));
            }
            let (count, noun) = parse_count(word)?;
            match (noun, count) {
                ("match" | "matches", _) => Expectation::Lines(count),
                ("test passes" | "tests pass", _) => Expectation::Passed(count),
                ("new test passes" | "new tests pass", Count::Exactly(number)) => Expectation::NewTests(number),
                _ => return None,
            }
        }
    };
    Some((expectation, rest))
}

/// A count and the words after it.
fn parse_count(text: &str) -> Option<(Count, &str)> {
    let (make, text): (fn(u32) -> Count, &str) = match (text.strip_prefix("at least "), text.strip_prefix("at most ")) {
        (Some(rest), _) => (Count::AtLeast, rest),
        (_, Some(rest)) => (Count::AtMost, rest),
        _ => (Count::Exactly, text),
    };
    let (number, noun) = text.split_once(' ')?;
    Some((make(number.parse().ok()?), noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for expectation in [
            Expectation::Exit(0),
            Expectation::Exit(-1),
            Expectation::Fails,
            Expectation::NoOutput,
            Expectation::Contains("a \"quoted\" \\ `tick`, exit 0\nnext".to_owned()),
            Expectation::Matches(r"^src/\w+\.ts`".to_owned()),
            Expectation::Matches(r"ends with \\".to_owned()),
            Expectation::Lines(Count::Exactly(1)),
            Expectation::Lines(Count::AtMost(3)),
            Expectation::AllPass,
            Expectation::NewTests(1),
            Expectation::NewTests(4),
            Expectation::Passed(Count::AtLeast(12)),
            Expectation::All(vec![Expectation::Exit(1), Expectation::Contains("x, y".to_owned()), Expectation::Fails]),
        ] {
            assert_eq!(Expectation::parse(&expectation.to_string()), Some(expectation.clone()), "{expectation}");
        }
    }
}
