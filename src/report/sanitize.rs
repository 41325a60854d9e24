//! Makes text that came from a repository, a plan or a command safe to print.
//!
//! A file name or a line of source may hold escape sequences, and a terminal obeys them. Bidirectional overrides go too:
//! they make a line read differently from what it is.

use std::borrow::Cow;

/// Text for one line: control characters are dropped, line breaks and tabs become one space.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character.is_whitespace() && character != ' ' || is_hostile(character)) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|character| if character.is_whitespace() { ' ' } else { character });
    Cow::Owned(spaced.filter(|&character| !is_hostile(character)).collect())
}

/// Text for several lines: like [`line()`], but line feeds stay and tabs become four spaces.
pub fn block(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            hostile if is_hostile(hostile) => {}
            harmless => clean.push(harmless),
        }
    }
    clean
}

/// JSON as `serde_json` writes it, with the control characters it leaves alone escaped: the data stays exact and a
/// terminal is not steered. They can only stand inside strings, so the document stays valid.
pub fn json(text: String) -> String {
    if !text.chars().any(|character| is_hostile(character) && character != '\n') {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hostile(character) && character != '\n' {
            clean.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Markdown inside a table cell or a heading: one line, and nothing that would start a cell, a link or HTML.
pub fn markdown(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in line(text).chars() {
        if matches!(character, '|' | '<' | '[' | ']' | '\\' | '*' | '_') {
            clean.push('\\');
        }
        clean.push(character);
    }
    clean
}

/// Text that names nobody, links nowhere and holds no HTML: it quotes files and models.
pub fn prose(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut is_code = false;
    for character in block(text.trim()).chars() {
        is_code ^= character == '`';
        match character {
            '<' if !is_code => clean.push_str("&lt;"),
            '@' | '#' if !is_code => {
                clean.push(character);
                // Nobody is called, and no issue is linked.
                clean.push('\u{200b}');
            }
            '[' | ']' if !is_code => {
                clean.push('\\');
                clean.push(character);
            }
            _ => clean.push(character),
        }
    }
    clean
}

/// Control characters (C0, DEL, C1) and bidirectional formatting.
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_are_dropped_from_a_line() {
        assert_eq!(line("a\u{1b}[31mred\u{9b}2J\u{202e}\r\nb\tc"), "a[31mred2J  b c");
        assert!(matches!(line("plain — text"), Cow::Borrowed("plain — text")));
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("a\r\n\tb\u{7}\n"), "a\n    b\n");
    }

    #[test]
    fn json_keeps_the_data_and_escapes_what_steers_a_terminal() {
        let text = serde_json::to_string("a\u{9b}b\u{7f}\u{202e}").expect("a string serialises");
        let safe = json(text);
        assert_eq!(safe, "\"a\\u009bb\\u007f\\u202e\"");
        assert_eq!(serde_json::from_str::<String>(&safe).expect("valid"), "a\u{9b}b\u{7f}\u{202e}");
    }

    #[test]
    fn markdown_cells_cannot_be_broken_out_of() {
        assert_eq!(markdown("a|b <img>\n[x](y)"), "a\\|b \\<img> \\[x\\](y)");
    }

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        let text = prose("ping @octocat, see #12 and [here](http://x) <img src=x> but `a[0] @b` stays");
        assert!(
            !text.contains("@octocat") && !text.contains("#12") && !text.contains("[here]") && !text.contains("<img")
        );
        assert!(text.contains("`a[0] @b` stays"));
    }
}
