//! Text of the repository as a model may see it: credentials masked in the whole file, every line where it was.
//!
//! What is masked after it was cut could hold half a key, which nothing recognises; what is masked with line breaks in it would
//! shift the lines below, and evidence that cites them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::secrets;
use crate::tree::Tree;

/// Bytes of a file that is read at all. Our choice: beyond it stand bundles, dumps and data.
const MAX_BYTES: usize = 4 << 20;
/// Values of a dotenv file shorter than this stay: ports, flags, the names of stages.
const SHORTEST_VALUE: usize = 6;

/// `NAME=` at the start of a line of a dotenv file.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=[ \t]*").expect("the pattern is tested")
});

/// The masked text of the file at `path`, or why there is none.
pub(crate) fn read(tree: &dyn Tree, path: &str) -> Result<String, &'static str> {
    let bytes = tree.read(path).map_err(|_| "could not be read")?;
    if bytes.len() > MAX_BYTES {
        return Err("is larger than 4 MB");
    }
    if memchr::memchr(0, &bytes).is_some() {
        return Err("is not text");
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    Ok(masked(path, &text))
}

/// `text`, the content of the file `path`, with a mark in the place of every credential and as many lines as before.
pub(crate) fn masked(path: &str, text: &str) -> String {
    let mut found: Vec<(Range<usize>, &str)> =
        secrets::find_to_send(text).into_iter().map(|secret| (secret.range, secret.kind)).collect();
    if is_dotenv(path) {
        found.extend(dotenv_values(text).into_iter().map(|range| (range, "env-value")));
    }
    // Where two begin together, the longer one; where they overlap, both go.
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for (range, kind) in found {
        let end = range.start + text[range.clone()].trim_end().len();
        let start = range.start.max(from);
        if end <= start {
            continue;
        }
        let mark = format!("[secret:{kind}]");
        if start == range.start {
            masked.push_str(&text[from..start]);
            masked.push_str(&mark);
        }
        for _ in text[start..end].matches('\n') {
            masked.push('\n');
            masked.push_str(&mark);
        }
        from = end;
    }
    masked.push_str(&text[from..]);
    masked
}

/// `.env`, `.env.production`, `api.env`; not `.env.example`, which is written to be read.
fn is_dotenv(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_sample = ["example", "sample", "template", "dist", "default"].iter().any(|word| name.contains(word));
    (name.starts_with(".env") || name.ends_with(".env")) && !is_sample
}

/// Values of a dotenv file: every one of them may be a secret, whatever its name.
fn dotenv_values(text: &str) -> Vec<Range<usize>> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(found) = ASSIGNMENT.find_at(text, at) {
        let start = found.end();
        let rest = &text[start..];
        let line_end = start + rest.find('\n').unwrap_or(rest.len());
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
        let range = match quote.and_then(|quote| rest[1..].find(quote)) {
            Some(length) => start + 1..start + 1 + length,
            None => start..text[start..line_end].find(" #").map_or(line_end, |end| start + end),
        };
        at = range.end.max(found.end());
        if text[range.clone()].trim().len() >= SHORTEST_VALUE {
            values.push(range);
        }
        if at >= text.len() {
            break;
        }
    }
    values
}

/// What a model said, on one line, credentials masked.
pub(crate) fn one_line(text: &str) -> String {
    crate::secrets::mask(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random by construction, so that no credential stands in this file.
    fn noise(length: usize) -> String {
        let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            letters[(state >> 33) as usize % letters.len()]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn a_key_over_several_lines_shifts_nothing() {
        let head = ["-----BEGIN RSA PRIVATE", "KEY-----"].join(" ");
        let tail = ["-----END RSA PRIVATE", "KEY-----"].join(" ");
        let text = format!("a\n{head}\n{}\n{}\n{tail}\nb\n", noise(64), noise(60));
        let mark = "[secret:private-key]";
        assert_eq!(masked("key.pem", &text), format!("a\n{mark}\n{mark}\n{mark}\n{mark}\nb\n"));
    }

    #[test]
    fn every_value_of_a_dotenv_file_goes_but_short_ones_and_samples_stay() {
        let text =
            "PORT=3000\nDATABASE_URL=\"postgres://a:b@c/d\"\nexport WORD=plain-words # why\nKEY='one\ntwo'\nLAST=";
        assert_eq!(
            masked("api/.env.production", text),
            "PORT=3000\nDATABASE_URL=\"[secret:env-value]\"\nexport WORD=[secret:env-value] # why\nKEY='[secret:env-value]\n[secret:env-value]'\nLAST="
        );
        assert_eq!(masked(".env.example", text), text);
        assert_eq!(masked("environment.ts", text), text);
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_its_number_of_lines(text in "(?s)[a-zA-Z_=\"'# \n]{0,200}") {
            for path in [".env", "a.ts"] {
                proptest::prop_assert_eq!(masked(path, &text).matches('\n').count(), text.matches('\n').count());
            }
        }
    }
}
