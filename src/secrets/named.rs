//! Values bound to a name that says credential: where they stand, name and value. Whether one is real is asked elsewhere.
//!
//! The telling words are found first, and the patterns are tried where one stands with a `:` or `=` behind it: run over a whole
//! text they would look at every name in it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Bytes of a value that are looked at. A longer one is no credential.
const LONGEST: usize = 512;
/// Bytes of a name before its telling word, as in the patterns.
const LONGEST_NAME: usize = 60;

/// Words one of which the name of a credential holds.
static CUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i-u)password|passwd|passphrase|pwd|secret|token|credential|key").expect("literals are a pattern")
});

/// `name = "value"`, `"name": "value"`, `NAME: &str = "value"`: group 1 is the name, group 2 the value.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)\A([a-z0-9_.-]{0,60}(?-u:password|passwd|passphrase|pwd|secret|token|credential|key)s?)["'`\]]{0,2}"#,
        r#"(?:\s{0,8}:\s{0,8}[&'a-z<>: ]{1,24})?\s{0,8}(?::=|=>|[:=])\s{0,8}(?:r#{0,2}|b)?["'`]([^"'`\r\n\\]{8,})["'`]"#
    ))
    .expect("the pattern is tested")
});

/// A whole line `NAME=value` or `name: value` of a dotenv, ini or YAML file.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\A[ \t]{0,40}(?:- |export )?([a-z0-9_.-]{0,60}(?-u:password|passwd|passphrase|pwd|secret|token|credential|key)s?)[ \t]{0,8}[:=][ \t]{0,8}([a-z0-9+/=_.!@#%^&*~-]{8,})[ \t]{0,8}\r?\z",
    )
    .expect("the pattern is tested")
});

/// Calls `visit` with each name and the bytes of its value.
pub(super) fn each<'t>(text: &'t str, mut visit: impl FnMut(&'t str, Range<usize>)) {
    // Without either mark nothing is bound to a name, and most texts have neither.
    if memchr::memchr2(b':', b'=', text.as_bytes()).is_none() {
        return;
    }
    // Where the next quoted one may begin, and the end of the last line looked at.
    let (mut quoted_from, mut line_end) = (0, 0);
    let mut at = 0;
    while let Some(cue) = CUE.find_at(text, at) {
        // Telling words may overlap.
        at = cue.start() + 1;
        let rest = &text[cue.end()..];
        let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest);
        if cue.start() >= quoted_from && is_bound(after_marks(rest).trim_start()) {
            let start = name_start(text, cue.start(), quoted_from);
            if let Some((name, value)) = try_at(&QUOTED, text, start..text.len()) {
                // Behind the closing quote.
                quoted_from = value.end + 1;
                visit(name, value);
            }
        }
        if cue.start() >= line_end && is_bound(rest.trim_start_matches([' ', '\t'])) {
            let start = memchr::memrchr(b'\n', &text.as_bytes()[..cue.start()]).map_or(0, |before| before + 1);
            line_end = memchr::memchr(b'\n', rest.as_bytes()).map_or(text.len(), |end| text.len() - rest.len() + end);
            if let Some((name, value)) = try_at(&BARE, text, start..line_end) {
                visit(name, value);
            }
        }
    }
}

/// What follows the quotes and the bracket that may close a name.
fn after_marks(rest: &str) -> &str {
    let marks = rest.bytes().take(2).take_while(|byte| matches!(byte, b'"' | b'\'' | b'`' | b']')).count();
    &rest[marks..]
}

fn is_bound(rest: &str) -> bool {
    rest.starts_with([':', '='])
}

/// First byte of the name whose telling word starts at `cue`.
fn name_start(text: &str, cue: usize, from: usize) -> usize {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    cue - text.as_bytes()[from..cue].iter().rev().take(LONGEST_NAME).take_while(|byte| is_name(byte)).count()
}

/// Name and value, where `pattern` matches `within` from its first byte.
fn try_at<'t>(pattern: &Regex, text: &'t str, within: Range<usize>) -> Option<(&'t str, Range<usize>)> {
    let start = within.start;
    let captures = pattern.captures(&text[within])?;
    let (name, value) = (captures.get(1)?, captures.get(2)?);
    (value.len() <= LONGEST).then(|| (name.as_str(), start + value.start()..start + value.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same patterns, for whole texts.
    static ANYWHERE: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        let quoted = QUOTED.as_str().replace(r"\A", "");
        let bare = BARE.as_str().replace("(?i)", "(?im)").replace(r"\A", "^").replace(r"\z", "$");
        [quoted, bare].map(|pattern| Regex::new(&pattern.replace("{8,}", "{8,512}")).expect("a pattern"))
    });

    fn found_by_pattern(text: &str) -> Vec<(&str, Range<usize>)> {
        let mut found = Vec::new();
        for captures in ANYWHERE.iter().flat_map(|pattern| pattern.captures_iter(text)) {
            let (name, value) = (captures.get(1).expect("a name"), captures.get(2).expect("a value"));
            found.push((name.as_str(), value.range()));
        }
        found.sort_by_key(|(_, value)| value.start);
        found
    }

    fn found(text: &str) -> Vec<(&str, Range<usize>)> {
        let mut found = Vec::new();
        each(text, |name, value| found.push((name, value)));
        found.sort_by_key(|(_, value)| value.start);
        found
    }

    proptest::proptest! {
        #[test]
        fn looking_near_telling_words_finds_what_the_patterns_find(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "key", "secretoken", "TOKEN", "passwords", "pwd", "a", "_", "api.", "-", "\"", "'", "`", "]", ":", "=", ":=", "=>", " ",
                "\t", "\n", "\r\n", "  ", "&str", "<T>", "r#", "b", "abcdefgh", "a1b2c3d4e5", "é", "\u{a0}", "\\", "export ", "- ", "s",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ]), 0..24),
        ) {
            let text = pieces.concat();
            proptest::prop_assert_eq!(found(&text), found_by_pattern(&text));
        }
    }
}
