//! Words of other tools: decoded, resolved to plain text, made one line that steers no terminal and opens nothing in a plan.

use serde_json::Value;

use crate::report::sanitize;
use crate::secrets;

/// Characters of a message.
const MESSAGE: usize = 600;
/// Characters of a title: what a table shows.
const TITLE: usize = 100;

/// The text of a file: UTF-8, or UTF-16 where a byte order mark says so. Windows' shells write that.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        if odd.is_empty() { String::from_utf16(&units).ok() } else { None }
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// One line of at most `longest` characters, secrets masked. No code spans, comments or HTML: in a plan they would mean something.
pub fn line(text: &str, longest: usize) -> String {
    // What is cut anyway need not be looked through.
    let text: String = text.chars().take(longest.saturating_mul(4)).collect();
    let clean = sanitize::line(&text).replace('`', "'").replace('<', "‹").replace('>', "›");
    let folded = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&secrets::mask(&folded), longest)
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Text of several lines, as data inside a fence.
pub fn block(text: &str, longest: usize) -> String {
    let text: String = text.chars().take(longest.saturating_mul(2)).collect();
    let clean = sanitize::block(&text);
    let kept: Vec<&str> = clean.trim().lines().map(str::trim_end).collect();
    cut(&secrets::mask(&kept.join("\n")), longest)
}

/// What a message object says: placeholders filled, links resolved to their text, one line. `strings` looks an id up.
pub fn message(message: &Value, strings: &dyn Fn(&str) -> Option<String>) -> String {
    let text = |key: &str| message.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let by_id = || strings(text("id")?);
    let said = text("text").or_else(|| text("markdown")).map(str::to_owned).or_else(by_id).unwrap_or_default();
    let arguments: Vec<&str> = message
        .get("arguments")
        .and_then(Value::as_array)
        .map(|arguments| arguments.iter().map(|argument| argument.as_str().unwrap_or_default()).collect())
        .unwrap_or_default();
    line(&without_links(&filled(&said, &arguments)), MESSAGE)
}

/// `{0}` becomes the first argument. Without arguments braces are braces: few tools write them twice.
fn filled(text: &str, arguments: &[&str]) -> String {
    if arguments.is_empty() {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let number = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'));
        if let Some(after) = tail.strip_prefix("{{") {
            out.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            out.push('}');
            rest = after;
        } else if let Some((index, after)) = number
            && let Ok(index) = index.parse::<usize>()
        {
            out.push_str(arguments.get(index).copied().unwrap_or_default());
            rest = after;
        } else {
            out.push_str(&tail[..1]);
            rest = &tail[1..];
        }
    }
    out.push_str(rest);
    out
}

/// `[text](target)` becomes `text`; `\[` is a bracket.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '\\']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if let Some(after) = tail.strip_prefix('\\') {
            let escaped = after.starts_with(['[', ']', '\\']);
            let bracket = if escaped { &after[..1] } else { "\\" };
            out.push_str(bracket);
            rest = if escaped { &after[1..] } else { after };
            continue;
        }
        let link = tail[1..].split_once("](").and_then(|(shown, target)| {
            let (_, after) = target.split_once(')')?;
            (!shown.contains(['[', '\n'])).then_some((shown, after))
        });
        match link {
            Some((shown, after)) => {
                out.push_str(shown);
                rest = after;
            }
            None => {
                out.push('[');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The first sentence, for a table: no full stop.
pub fn title(text: &str) -> String {
    let end = text.find(". ").unwrap_or(text.len());
    cut(text[..end].trim_end_matches(['.', ' ']), TITLE)
}

/// With a full stop at its end.
pub fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{text}{end}")
}

/// A name as our ids are: lower case, words joined by dashes. Never empty.
pub fn kebab(name: &str) -> String {
    let mut id = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            id.push(character.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= 120 {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() { "unnamed".to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_links_and_escapes_become_text() {
        assert_eq!(filled("{0} of {1}, {{x}} {2}", &["a", "b"]), "a of b, {x} ");
        assert_eq!(filled("${{ github.ref }}", &[]), "${{ github.ref }}");
        assert_eq!(filled("{not} }", &["a"]), "{not} }");
        assert_eq!(without_links("This [path](1) is [ours\\]"), "This path is [ours]");
        assert_eq!(without_links("a[0](x"), "a[0](x");
    }

    #[test]
    fn words_of_others_open_nothing() {
        let text = "a `rm -rf /`\n## Steps\n<!-- x -->\u{1b}[31m\u{202e}";
        assert_eq!(line(text, 80), "a 'rm -rf /' ## Steps ‹!-- x --›[31m");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn names_become_ids() {
        assert_eq!(kebab("@typescript-eslint/no-floating-promises"), "typescript-eslint-no-floating-promises");
        assert_eq!(kebab("clippy::Perf__x"), "clippy-perf-x");
        assert_eq!(kebab("——"), "unnamed");
    }

    #[test]
    fn windows_shells_write_utf_16() {
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain("{}ä".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decoded(&wide).as_deref(), Some("{}ä"));
        assert_eq!(decoded(b"\xEF\xBB\xBF{}").as_deref(), Some("{}"));
        assert_eq!(decoded(b"\xFF"), None);
        assert_eq!(decoded(b"\xFE\xFF\x00"), None);
    }
}
