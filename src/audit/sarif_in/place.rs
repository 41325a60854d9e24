//! Places as other tools write them: URIs become paths of the repository, regions become lines and bytes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::words;
use crate::audit::text::FileText;
use crate::repo_map::facts::Span;

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// UTF-16 code units: what the format says unless a run says something else.
    #[default]
    Utf16,
    /// Characters.
    CodePoints,
}

/// A place in a file, by a tool's word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Paths it may mean, relative to the repository, the likeliest first; none when it is outside.
    pub candidates: Vec<String>,
    /// The place as the tool writes it, for messages.
    pub said: String,
    pub region: Region,
    /// What the tool saw there.
    pub snippet: String,
    /// What it says of the place.
    pub message: String,
}

/// A region of a file. All are as written: lines and columns from 1, offsets from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Region {
    start_line: Option<u32>,
    start_column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    characters: Option<(u32, u32)>,
    bytes: Option<(u32, u32)>,
}

/// Where the paths of a run start.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// The repository, absolute, without a slash at its end.
    pub repository: String,
    /// Folders the run names as its own, absolute: what is below them may be below the repository, on another machine.
    pub tool: BTreeSet<String>,
}

impl Roots {
    /// The path that `uri` means where it is absolute: without scheme and escapes.
    fn absolute(uri: &str) -> Option<String> {
        let path = match scheme(uri) {
            Some("file") => {
                let rest = uri.get(5..)?;
                // `file://host/path`, `file:///path`, `file:/path`.
                let rest = rest.strip_prefix("//").map_or(rest, |rest| &rest[rest.find('/').unwrap_or(rest.len())..]);
                unescaped(rest)
            }
            Some(_) => return None,
            None => uri.to_owned(),
        };
        let path = path.replace('\\', "/");
        let unrooted = path.trim_start_matches('/');
        if is_drive(unrooted) {
            return Some(unrooted.to_owned());
        }
        path.starts_with('/').then_some(path)
    }

    /// A folder that a run names, as an absolute path.
    pub fn folder(uri: &str) -> Option<String> {
        Roots::absolute(uri).map(|path| path.trim_end_matches('/').to_owned()).filter(|path| !path.is_empty())
    }

    /// The folder below the repository that an absolute one is.
    fn below(&self, folder: &str) -> Option<String> {
        let rest = folder.strip_prefix(self.repository.as_str())?;
        if rest.is_empty() { Some(String::new()) } else { Some(rest.strip_prefix('/')?.to_owned()) }
    }

    /// Paths of the repository that `uri` may mean. `base` is the folder it is relative to, where the run says so.
    pub fn candidates(&self, uri: &str, base: Option<&str>) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut add = |path: String| {
            if let Some(path) = normalised(&path)
                && !found.contains(&path)
            {
                found.push(path);
            }
        };
        if scheme(uri).is_some() || uri.starts_with(['/', '\\']) || is_drive(uri) {
            let Some(path) = Roots::absolute(uri) else { return Vec::new() };
            for path in [unescaped(&path), path] {
                let tool = self.tool.iter().map(String::as_str).collect::<Vec<_>>();
                for root in std::iter::once(self.repository.as_str()).chain(tool) {
                    if let Some(rest) = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) {
                        add(rest.to_owned());
                    }
                }
            }
            return found;
        }
        let folders: Vec<String> = base.into_iter().filter_map(|base| self.below(base)).collect();
        let own: Vec<String> = self.tool.iter().filter_map(|folder| self.below(folder)).collect();
        for path in [unescaped(uri), uri.to_owned(), unescaped(uri).replace('\\', "/")] {
            for folder in folders.iter().map(String::as_str).chain([""]).chain(own.iter().map(String::as_str)) {
                add(if folder.is_empty() { path.clone() } else { format!("{folder}/{path}") });
            }
        }
        found
    }
}

/// The scheme of a URI. One letter is a drive.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

fn is_drive(path: &str) -> bool {
    let mut letters = path.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && letters.next() == Some(':')
        && matches!(letters.next(), Some('/' | '\\'))
}

/// `%20` becomes a space; what is no escape stays.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits.filter(|_| bytes[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            Some(byte) => out.push(byte),
            None => out.push(bytes[at]),
        }
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Without `.` and `..`; `None` for what leaves the repository or names no file.
fn normalised(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part if part.contains('\0') => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

impl Place {
    /// Whether the lines are those the tool saw, as far as it shows them. Some show none, or hide what is secret.
    pub fn shows(&self, text: &FileText, start: u32, end: u32) -> bool {
        let folded = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let hidden = ["REDACTED", "***", "requires login"];
        let Some(seen) = self.snippet.lines().map(folded).find(|line| !line.is_empty()) else { return true };
        if hidden.iter().any(|word| self.snippet.contains(word)) {
            return true;
        }
        let lines: String = (start..=end).filter_map(|line| text.line(line)).map(folded).collect();
        let first = text.line(start).map(folded).unwrap_or_default();
        lines.contains(&seen) || (!first.is_empty() && seen.contains(&first))
    }

    /// The place's region and snippet from a `region` object.
    pub fn with_region(mut self, region: Option<&Value>) -> Place {
        let Some(region) = region else { return self };
        self.region = Region::of(region);
        let snippet = region.pointer("/snippet/text").and_then(Value::as_str).unwrap_or_default();
        self.snippet = snippet.chars().take(4_000).collect();
        self
    }

    /// The words a tool has for it.
    pub fn saying(mut self, message: Option<&str>) -> Place {
        self.message = message.map(|text| words::line(text, 80)).unwrap_or_default();
        self
    }
}

impl Region {
    fn of(region: &Value) -> Region {
        let number = |key: &str| {
            let value = region.get(key)?;
            u32::try_from(value.as_u64().or_else(|| value.as_f64().filter(|it| *it >= 0.0).map(|it| it as u64))?).ok()
        };
        let stretch = |offset: &str, length: &str| Some((number(offset)?, number(length).unwrap_or(0)));
        Region {
            // A line 0 is how some tools say that they know none.
            start_line: number("startLine").filter(|line| *line > 0),
            start_column: number("startColumn").filter(|column| *column > 0),
            end_line: number("endLine").filter(|line| *line > 0),
            end_column: number("endColumn").filter(|column| *column > 0),
            characters: stretch("charOffset", "charLength"),
            bytes: stretch("byteOffset", "byteLength"),
        }
    }

    /// First and last line; the first of the file where the region says nothing. `None` for lines that are not there.
    pub fn lines(&self, text: &FileText, unit: Unit) -> Option<(u32, u32)> {
        let count = u32::try_from(text.text.lines().count()).ok().filter(|count| *count > 0)?;
        if let Some(start) = self.start_line {
            let end = self.end_line.unwrap_or(start).max(start);
            // What ends before the first column of a line does not reach into it.
            let end = if self.end_column == Some(1) && end > start { end - 1 } else { end };
            return (start <= count).then_some((start, end.min(count)));
        }
        let Some(span) = self.offsets(text, unit) else {
            let says_nothing = self.characters.is_none() && self.bytes.is_none();
            return says_nothing.then_some((1, 1));
        };
        let line =
            |at: u32| text.text.as_bytes()[..at as usize].iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        let last = line(span.end.saturating_sub(1).max(span.start));
        (line(span.start) <= count).then(|| (line(span.start), last.min(count)))
    }

    /// The bytes of the region; `None` for what is not there, and for a region that says no place.
    pub fn span(&self, text: &FileText, unit: Unit) -> Option<Span> {
        let Some(start_line) = self.start_line else { return self.offsets(text, unit) };
        let start = at_column(text, start_line, self.start_column.unwrap_or(1), unit)?;
        let end_line = self.end_line.unwrap_or(start_line);
        let end = match self.end_column {
            Some(column) => at_column(text, end_line, column, unit)?,
            None => {
                let line = text.line(end_line)?;
                text.line_span(end_line)?.start + line.len() as u32
            }
        };
        (start <= end).then_some(Span { start, end })
    }

    fn offsets(&self, text: &FileText, unit: Unit) -> Option<Span> {
        let whole = text.text.as_str();
        let (start, end) = match (self.characters, self.bytes) {
            (Some((offset, length)), _) => {
                (unit.byte_of(whole, offset)?, unit.byte_of(whole, offset.checked_add(length)?)?)
            }
            (None, Some((offset, length))) => (offset as usize, offset.checked_add(length)? as usize),
            (None, None) => return None,
        };
        whole.get(start..end)?;
        Some(Span { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }
}

impl Unit {
    /// The byte at which `count` units of `text` end, where a character does.
    fn byte_of(self, text: &str, count: u32) -> Option<usize> {
        let mut left = count as usize;
        for (at, character) in text.char_indices() {
            if left == 0 {
                return Some(at);
            }
            let width = match self {
                Unit::Utf16 => character.len_utf16(),
                Unit::CodePoints => 1,
            };
            left = left.checked_sub(width)?;
        }
        (left == 0).then_some(text.len())
    }
}

/// The byte of a column. The one behind the last character of a line is its end.
fn at_column(text: &FileText, line: u32, column: u32, unit: Unit) -> Option<u32> {
    let span = text.line_span(line)?;
    let within = unit.byte_of(text.line(line)?, column.checked_sub(1)?)?;
    Some(span.start + within as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> Roots {
        let tool = ["/github/workspace", "/home/me/repo/api"].map(str::to_owned).into();
        Roots { repository: "/home/me/repo".to_owned(), tool }
    }

    #[test]
    fn uris_become_paths_in_every_way_tools_write_them() {
        let first = |uri: &str, base: Option<&str>| roots().candidates(uri, base).into_iter().next();
        assert_eq!(first("src/a%20b.ts", None).as_deref(), Some("src/a b.ts"));
        assert_eq!(first("./src/../a.ts", None).as_deref(), Some("a.ts"));
        assert_eq!(first("file:///home/me/repo/src/a%20b.ts", None).as_deref(), Some("src/a b.ts"));
        assert_eq!(first("/home/me/repo/src/a.ts", None).as_deref(), Some("src/a.ts"));
        assert_eq!(first("file:///github/workspace/src/a.ts", None).as_deref(), Some("src/a.ts"));
        assert_eq!(first("src/a.ts", Some("/home/me/repo/api")).as_deref(), Some("api/src/a.ts"));
        assert_eq!(first("src/a.ts", Some("/elsewhere")).as_deref(), Some("src/a.ts"));
        assert_eq!(first("src\\a.ts", None).as_deref(), Some("src\\a.ts"), "the name may hold one");
        assert!(roots().candidates("src\\a.ts", None).contains(&"src/a.ts".to_owned()));
        assert!(roots().candidates("src/a.ts", None).contains(&"api/src/a.ts".to_owned()), "the tool's own folder");
        let windows = Roots { repository: "C:/repo".to_owned(), tool: BTreeSet::new() };
        assert_eq!(windows.candidates("file:///C:/repo/a.ts", None), ["a.ts"]);
        assert_eq!(windows.candidates("C:\\repo\\a.ts", None), ["a.ts"]);
    }

    #[test]
    fn what_lies_outside_has_no_path() {
        let roots = Roots { tool: ["/github/workspace".to_owned()].into(), ..roots() };
        for uri in
            ["../x", "/etc/passwd", "file:///etc/passwd", "https://a.b/c", "/home/me/repository/a", "", "file:", "."]
        {
            assert_eq!(roots.candidates(uri, None), Vec::<String>::new(), "{uri}");
        }
    }

    #[test]
    fn regions_become_lines_and_bytes() {
        let text = FileText::new("a😀b\nsecond\nthird\n".to_owned());
        let region = |json: &str| Region::of(&serde_json::from_str(json).expect("is JSON"));
        let lines = |json: &str| region(json).lines(&text, Unit::Utf16);
        let part =
            |json: &str, unit| region(json).span(&text, unit).and_then(|span| text.slice(span).map(str::to_owned));
        assert_eq!(lines("{}"), Some((1, 1)));
        assert_eq!(lines(r#"{"startLine":2,"endLine":3,"endColumn":1}"#), Some((2, 2)));
        assert_eq!(lines(r#"{"startLine":2,"endLine":99}"#), Some((2, 3)));
        assert_eq!(lines(r#"{"startLine":4}"#), None);
        assert_eq!(lines(r#"{"charOffset":5,"charLength":3}"#), Some((2, 2)));
        assert_eq!(lines(r#"{"byteOffset":900,"byteLength":1}"#), None);
        assert_eq!(lines(r#"{"startLine":-1,"endLine":"x"}"#), Some((1, 1)));
        assert_eq!(part(r#"{"startLine":1,"startColumn":4,"endColumn":5}"#, Unit::Utf16).as_deref(), Some("b"));
        assert_eq!(part(r#"{"startLine":1,"startColumn":3,"endColumn":4}"#, Unit::CodePoints).as_deref(), Some("b"));
        assert_eq!(part(r#"{"startLine":1,"startColumn":3,"endColumn":4}"#, Unit::Utf16), None, "half a character");
        assert_eq!(part(r#"{"startLine":2}"#, Unit::Utf16).as_deref(), Some("second"));
        assert_eq!(part(r#"{"startLine":3,"endLine":4,"endColumn":1}"#, Unit::Utf16).as_deref(), Some("third\n"));
        assert_eq!(part("{}", Unit::Utf16), None, "nobody replaces a whole file by saying nothing");
    }
}
