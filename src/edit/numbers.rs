//! Line numbers in front of every line of a search text, as a model copies them from a numbered view.

use std::sync::LazyLock;

use regex::Regex;

/// A search text and its replacement without line numbers, and whether only a place without a shift of indent may count.
pub(crate) type Stripped<'a> = (Vec<&'a str>, Vec<&'a str>, bool);

/// The ways to take line numbers off; none unless every line has one and they count up by one. The space behind the mark is a part
/// of the number in some views and of the line in others, so both are tried.
pub(crate) fn stripped<'a>(search: &[&'a str], replace: &[&'a str]) -> Vec<Stripped<'a>> {
    let Some(bare) = without(search, true) else { return Vec::new() };
    let numbered = without(replace, false);
    let spaced = |lines: &[&'a str]| -> Option<Vec<&'a str>> {
        lines.iter().map(|line| if line.is_empty() { Some(*line) } else { line.strip_prefix(' ') }).collect()
    };
    // Without numbers on the replacement, the two may have lost different things.
    let has_numbers = numbered.is_some();
    if !has_numbers && replace.iter().any(|line| number(line).is_some_and(|(number, _)| number > 0)) {
        return Vec::new();
    }
    let replacement = numbered.unwrap_or_else(|| replace.to_vec());
    let mut found = Vec::new();
    if let Some(search) = spaced(&bare) {
        let replace = if has_numbers { spaced(&replacement) } else { Some(replacement.clone()) };
        found.extend(replace.map(|replace| (search, replace, !has_numbers)));
    }
    found.push((bare, replacement, !has_numbers));
    found
}

/// `lines` without their numbers, when every line has one; `in_order`: each one more than the one before.
fn without<'a>(lines: &[&'a str], in_order: bool) -> Option<Vec<&'a str>> {
    if lines.is_empty() {
        return None;
    }
    let mut before: Option<u64> = None;
    let mut bare = Vec::new();
    for line in lines {
        let (number, rest) = number(line)?;
        if in_order && before.is_some_and(|before| number != before + 1) {
            return None;
        }
        before = Some(number);
        bare.push(rest);
    }
    Some(bare)
}

/// What to send instead of numbered lines.
pub(crate) const ADVICE: &str = "send the lines without the numbers in front of them";

/// Whether some lines, two at least, carry numbers that count up by one.
pub(crate) fn are_numbered(lines: &[&str]) -> bool {
    lines.len() > 1 && without(lines, true).is_some()
}

/// The number in front of a line and what follows its mark.
pub(crate) fn number(line: &str) -> Option<(u64, &str)> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[ \t]*[Ll]?(\d{1,7})(?:\t| *[:|│→]| *->)").expect("a constant pattern"));
    let found = NUMBER.captures(line)?;
    let number = found[1].parse().ok()?;
    Some((number, &line[found[0].len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_off_only_when_every_line_has_one_and_they_count_up() {
        let numbered = stripped(&["12: a", "13:", "14:   b"], &["12: c"]);
        assert_eq!(numbered[0], (vec!["a", "", "  b"], vec!["c"], false));
        assert_eq!(stripped(&["  7|a"], &["b"]), [(vec!["a"], vec!["b"], true)]);
        assert_eq!(stripped(&["7\ta", "8\t\tb"], &["7\tc"]), [(vec!["a", "\tb"], vec!["c"], false)]);
        assert!(stripped(&["12: a", "b"], &["c"]).is_empty());
        assert!(stripped(&["12: a", "14: b"], &["c"]).is_empty());
        assert!(stripped(&["12: a"], &["12: c", "d"]).is_empty(), "a number on some lines of the replacement alone");
    }
}
