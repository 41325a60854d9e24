//! Markdown fences around what a model sends.

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
    let mut inner = inner.join("\n");
    if text.ends_with('\n') && !inner.is_empty() {
        inner.push('\n');
    }
    inner
}

/// Whether a file is prose, in which fences, dots and signs at line starts are text.
pub(super) fn is_markdown(file: &str) -> bool {
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension.to_ascii_lowercase().as_str(), "md" | "mdx" | "markdown" | "rst" | "txt" | "adoc")
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
