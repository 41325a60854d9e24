//! Text → HTML. Every piece of text of a page goes through here, so that nothing that is quoted becomes markup.

use std::fmt::Write as _;

use crate::report::sanitize;

/// Text of one line, for elements and quoted attributes.
pub fn escape(text: &str) -> String {
    escaped(&sanitize::line(text))
}

/// Text of several lines.
pub fn block(text: &str) -> String {
    escaped(&sanitize::block(text))
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// Prose of one line in which backticks mark code.
pub fn prose(text: &str) -> String {
    let text = sanitize::line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut html = String::with_capacity(text.len() + 32);
    for (place, part) in parts.iter().enumerate() {
        let is_closed = place + 1 < parts.len();
        match (place % 2, is_closed) {
            (1, true) => {
                let _ = write!(html, "<code>{}</code>", escaped(part));
            }
            // A backtick without a second one is a backtick.
            (1, false) => {
                let _ = write!(html, "`{}", escaped(part));
            }
            (_, _) => html.push_str(&escaped(part)),
        }
    }
    html
}

/// JSON for a script element: nothing in it can end the element, and it stays JSON.
pub fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).expect("our types have string keys and no failing serialisers");
    let text = sanitize::json(text);
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// `text` in at most `most` characters.
pub fn cut(text: &str, most: usize) -> String {
    let text = sanitize::line(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let hostile = "</script><img onerror=\"x\" src='y'>\u{202e}&\u{1b}[0m\n";
        assert_eq!(escape(hostile), "&lt;/script&gt;&lt;img onerror=&quot;x&quot; src=&#39;y&#39;&gt;&amp;[0m ");
        assert_eq!(json(&"</script><!--&"), "\"\\u003c/script\\u003e\\u003c!--\\u0026\"");
    }

    #[test]
    fn backticks_mark_code() {
        assert_eq!(prose("`a<b` calls `c`"), "<code>a&lt;b</code> calls <code>c</code>");
        assert_eq!(prose("a ` b"), "a ` b");
        assert_eq!(prose("`a` and `<b"), "<code>a</code> and `&lt;b");
        assert_eq!(prose("plain"), "plain");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("ab cdef", 4), "ab…");
    }
}
