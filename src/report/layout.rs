//! Laying text out on a page of fixed width: measuring, cutting, wrapping and columns.
//!
//! Text is measured before it is styled; styles are added last, so that escape sequences never count.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a human report is laid out for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Rows of the terminal; `None` in a file or a pipe.
    pub height: Option<usize>,
    /// Absolute path of the repository, when places are to be written as links a terminal can open.
    pub links: Option<String>,
}

impl Page {
    /// A page without links.
    pub fn plain(width: usize) -> Page {
        Page { width, height: None, links: None }
    }

    /// `text`, which names a line of `file`, as a link where the page has links.
    pub fn link(&self, text: &str, file: &str, line: u32) -> String {
        match &self.links {
            Some(root) => {
                let target = percent_encode(&format!("{root}/{file}"));
                format!("\x1b]8;;file://{target}#L{line}\x1b\\{text}\x1b]8;;\x1b\\")
            }
            None => text.to_owned(),
        }
    }
}

/// `text` as a link that a terminal opens, to a file by its absolute path.
pub fn link(path: &str, text: &str) -> String {
    format!("\x1b]8;;file://{}\x1b\\{text}\x1b]8;;\x1b\\", percent_encode(path))
}

/// Styles, by meaning.
pub mod style {
    use anstyle::{AnsiColor, Style};

    /// Titles and numbers that count.
    pub const STRONG: Style = Style::new().bold();
    /// What is there for reference.
    pub const FAINT: Style = Style::new().dimmed();
    /// Wrong.
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    /// Doubtful.
    pub const WARN: Style = AnsiColor::Yellow.on_default();
    /// Right.
    pub const GOOD: Style = AnsiColor::Green.on_default();
    /// Something to type.
    pub const COMMAND: Style = AnsiColor::Cyan.on_default();
    /// No style.
    pub const PLAIN: Style = Style::new();
}

/// `text` in `style`.
pub fn paint(style: Style, text: &str) -> String {
    if text.is_empty() || style.is_plain() { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

/// Columns `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns`, the last one an ellipsis when something was cut.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let kept: String = text
        .chars()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .collect();
    if columns == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

/// A path in at most `columns`, cut at the front, since its end says more; at a folder where there is one.
pub fn cut_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.char_indices().rev().take_while(|(_, character)| {
        used += character.width().unwrap_or(0);
        used <= columns
    });
    let tail = kept.last().map_or("", |(start, _)| &text[start..]);
    let tail = tail.find('/').map_or(tail, |slash| &tail[slash..]);
    if columns == 0 { String::new() } else { format!("…{tail}") }
}

/// `text` padded with spaces to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in lines of at most `columns`, broken at spaces; a word longer than a line stands alone and sticks out.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() && width(&current) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    if !current.is_empty() {
        lines.push(current);
    }
    lines
}

/// Wraps `text` and indents every line by `indent` spaces, with line breaks.
pub fn indented(text: &str, indent: usize, columns: usize) -> String {
    let mut page = String::new();
    for line in wrap(text, columns.saturating_sub(indent).max(20)) {
        page.push_str(&" ".repeat(indent));
        page.push_str(&line);
        page.push('\n');
    }
    page
}

/// Rows in columns that are as wide as their widest cell, two spaces apart; the last column takes what is left of the
/// page and is cut.
pub fn columns(rows: &[Vec<String>], page_width: usize, indent: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let mut page = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (column, cell) in row.iter().enumerate() {
            if column + 1 == row.len() {
                line.push_str(&cut(cell, page_width.saturating_sub(width(&line)).max(8)));
            } else {
                line.push_str(&pad(cell, widths[column]));
                line.push_str("  ");
            }
        }
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

/// Like [`columns`], for rows that end in a path: it is cut at its front, and the columns before it give way when they leave
/// it less than a third of the page.
pub fn columns_to_path(rows: &[Vec<String>], page_width: usize, indent: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let least = page_width / 3;
    let mut widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    if count > 1 {
        let before: usize = indent + widths[..count - 1].iter().map(|width| width + 2).sum::<usize>();
        let over = (before + least).saturating_sub(page_width);
        widths[count - 2] = widths[count - 2].saturating_sub(over).max(8);
    }
    let mut page = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (column, cell) in row.iter().enumerate() {
            if column + 1 == count {
                line.push_str(&cut_front(cell, page_width.saturating_sub(width(&line)).max(8)));
            } else {
                line.push_str(&pad(&cut(cell, widths[column]), widths[column] + 2));
            }
        }
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

/// `1 file`, `2 files`, `1,234 files`.
pub fn count(number: usize, singular: &str) -> String {
    let plural = match singular.strip_suffix('y') {
        Some(stem) if !singular.ends_with("ay") && !singular.ends_with("ey") => format!("{stem}ies"),
        _ => format!("{singular}s"),
    };
    format!("{} {}", grouped(number), if number == 1 { singular } else { &plural })
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn percent_encode(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(width("日本"), 4);
    }

    #[test]
    fn a_path_keeps_its_end() {
        assert_eq!(cut_front("packages/api/src/orders/list.ts:34", 20), "…/orders/list.ts:34");
    }

    #[test]
    fn words_wrap_and_long_words_stick_out() {
        assert_eq!(
            wrap("one two three incomprehensibilities four", 9),
            ["one two", "three", "incomprehensibilities", "four"]
        );
    }

    #[test]
    fn counts_read_as_english() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "dependency"), "0 dependencies");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
    }

    #[test]
    fn a_link_escapes_the_path_it_names() {
        let page = Page { width: 80, height: None, links: Some("/home/me/my repo".into()) };
        assert_eq!(
            page.link("a;b.ts:3", "a;b.ts", 3),
            "\x1b]8;;file:///home/me/my%20repo/a%3Bb.ts#L3\x1b\\a;b.ts:3\x1b]8;;\x1b\\"
        );
    }
}
