//! Lines of a file as recipes edit them: text to bytes, without touching the disk.

use crate::repo_map::facts::Span;
use crate::tree::Tree;

/// A file's text with the place of every line.
pub struct FileText {
    /// The text.
    pub text: String,
    starts: Vec<usize>,
}

impl FileText {
    /// The text of `path`, if it can be read.
    pub fn read(tree: &dyn Tree, path: &str) -> Option<FileText> {
        Some(FileText::new(tree.text(path)?))
    }

    /// A text.
    pub fn new(text: String) -> FileText {
        let starts = std::iter::once(0)
            .chain(text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next))
            .collect();
        FileText { text, starts }
    }

    /// Line `line` (from 1) without its line break.
    pub fn line(&self, line: u32) -> Option<&str> {
        let span = self.line_span(line)?;
        Some(self.text[span.start as usize..span.end as usize].trim_end_matches(['\n', '\r']))
    }

    /// Bytes of line `line`, its line break included.
    pub fn line_span(&self, line: u32) -> Option<Span> {
        let index = line.checked_sub(1)? as usize;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        Some(Span { start: start as u32, end: end as u32 })
    }

    /// Bytes of `part` on line `line`, when it stands there exactly once.
    pub fn part_span(&self, line: u32, part: &str) -> Option<Span> {
        let text = self.line(line)?;
        let mut places = text.match_indices(part);
        let (at, _) = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let start = self.line_span(line)?.start + at as u32;
        Some(Span { start, end: start + part.len() as u32 })
    }

    /// The text of `span`.
    pub fn slice(&self, span: Span) -> Option<&str> {
        self.text.get(span.start as usize..span.end as usize)
    }
}

/// `count` things of the kind `noun`: `1 line`, `2 lines`, `2 libraries`.
pub fn count_of(count: usize, noun: &str) -> String {
    match noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// The folder of `path`, `""` at the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `folder/path` with `.` and `..` resolved; `None` when it leaves the repository.
pub fn join_path(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// `path` as seen from `folder`: `../b/c.md`.
pub fn relative_path(folder: &str, path: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = path.split('/').collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(to.len() - 1);
    let mut parts = vec![".."; from.len() - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_in_english() {
        assert_eq!(count_of(1, "library"), "1 library");
        assert_eq!(count_of(2, "library"), "2 libraries");
        assert_eq!(count_of(2, "key"), "2 keys");
        assert_eq!(count_of(0, "line"), "0 lines");
    }

    #[test]
    fn parts_are_found_once_or_not_at_all() {
        let file = FileText::new("ab ab\r\ncd\n".to_owned());
        assert_eq!(file.line(1), Some("ab ab"));
        assert_eq!(file.part_span(1, "ab"), None);
        assert_eq!(file.part_span(2, "d"), Some(Span { start: 8, end: 9 }));
        assert_eq!(file.line_span(9), None);
    }

    #[test]
    fn paths_are_joined_and_made_relative() {
        assert_eq!(join_path("docs/a", "../b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(join_path("docs", "../../b.md"), None);
        assert_eq!(relative_path("docs/a", "docs/b/c.md"), "../b/c.md");
        assert_eq!(relative_path("", "c.md"), "c.md");
        assert_eq!(relative_path("c.md", "c.md"), "../c.md");
    }
}
