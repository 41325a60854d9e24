//! Markdown fences around what a model sends.

use crate::edit::Block;

/// The opening or closing line of a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence<'a> {
    sign: char,
    length: usize,
    pub(super) info: &'a str,
}

impl<'a> Fence<'a> {
    /// Reads a line as a fence's.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        if line.len() - text.len() > 3 {
            return None;
        }
        let sign = text.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
        let length = text.chars().take_while(|character| *character == sign).count();
        let info = text[length..].trim();
        (length >= 3 && !(sign == '`' && info.contains('`'))).then_some(Self { sign, length, info })
    }

    pub(super) fn closes(&self, opener: &Fence<'_>) -> bool {
        self.info.is_empty() && self.sign == opener.sign && self.length >= opener.length
    }
}

/// The lines inside the one fence that is all of `lines` but for blank ones; `None` when there is no such fence.
pub(super) fn inside<'l, 't>(lines: &'l [&'t str]) -> Option<&'l [&'t str]> {
    let first = lines.iter().position(|line| !line.trim().is_empty())?;
    let last = lines.iter().rposition(|line| !line.trim().is_empty())?;
    let opener = Fence::of(lines[first])?;
    (last > first && Fence::of(lines[last])?.closes(&opener)).then(|| &lines[first + 1..last])
}

/// `text` without a fence that is wrapped around all of it. Markdown may itself be one fence, so only one that says
/// it wraps Markdown is taken off it.
pub(super) fn unwrapped(file: &str, text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let Some(inner) = inside(&lines) else { return text.to_owned() };
    let opener = lines.iter().find_map(|line| Fence::of(line)).map_or("", |fence| fence.info);
    if is_markdown(file) && !matches!(opener, "markdown" | "md") {
        return text.to_owned();
    }
    joined(inner, text)
}

/// The lines of a text and of its replacement without a fence around each. A file may hold fences, so both have to have one and the
/// same: then a fence of the file is only left out of what is quoted. A fence with nothing inside wraps nothing that could be looked for.
pub(super) fn unwrapped_parts<'l, 't>(
    file: &str,
    old: &'l [&'t str],
    new: &'l [&'t str],
) -> (&'l [&'t str], &'l [&'t str]) {
    let opener = |lines: &[&'t str]| lines.iter().find(|line| !line.trim().is_empty()).copied();
    let is_blank = |lines: &[&str]| lines.iter().all(|line| line.trim().is_empty());
    match (inside(old), inside(new)) {
        _ if is_markdown(file) => (old, new),
        (Some(old_inner), _) if is_blank(old_inner) => (old, new),
        (Some(old_inner), Some(new_inner)) if opener(old) == opener(new) => (old_inner, new_inner),
        (None, Some(new_inner)) if is_blank(old) => (old, new_inner),
        (Some(old_inner), None) if is_blank(new) => (old_inner, new),
        _ => (old, new),
    }
}

/// A block without the fences around both of its parts, where it has them.
pub(in crate::edit) fn unwrapped_block(file: &str, block: &Block) -> Option<Block> {
    let (search, replace) = unwrapped_pair(file, &block.search, &block.replace);
    (search != block.search).then_some(Block { search, replace })
}

/// The same of two texts.
pub(in crate::edit) fn unwrapped_pair(file: &str, old: &str, new: &str) -> (String, String) {
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let (old_inner, new_inner) = unwrapped_parts(file, &old_lines, &new_lines);
    let text = |inner: &[&str], all: &[&str], whole: &str| {
        if inner.len() == all.len() { whole.to_owned() } else { joined(inner, whole) }
    };
    (text(old_inner, &old_lines, old), text(new_inner, &new_lines, new))
}

/// The lines of a fence as a text that ends like the one around it.
fn joined(inner: &[&str], whole: &str) -> String {
    let mut text = inner.join("\n");
    if whole.ends_with('\n') && !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Whether a file is prose, in which fences, dots and signs at line starts are text.
pub(super) fn is_markdown(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let Some((_, extension)) = name.rsplit_once('.') else {
        return matches!(name, "README" | "CHANGELOG" | "CONTRIBUTING");
    };
    let extension = extension.to_ascii_lowercase();
    matches!(extension.as_str(), "md" | "mdx" | "mdc" | "qmd" | "rmd" | "markdown" | "rst" | "txt" | "adoc" | "org")
}

/// The index of the line that closes the fence opened at `lines[opener]`, with fences inside it counted as pairs.
pub(super) fn closing(lines: &[&str], opener: usize) -> Option<usize> {
    let outer = Fence::of(lines.get(opener)?)?;
    let mut open = vec![outer];
    for (index, line) in lines.iter().enumerate().skip(opener + 1) {
        let Some(fence) = Fence::of(line) else { continue };
        if open.last().is_some_and(|last| fence.closes(last)) {
            open.pop();
            if open.is_empty() {
                return Some(index);
            }
        } else if !fence.info.is_empty() {
            open.push(fence);
        }
    }
    None
}
