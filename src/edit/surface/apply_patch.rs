//! The apply-patch envelope, from `*** Begin Patch` to `*** End Patch`; a unified diff is read as well.
//!
//! Numbers behind `@@` are ignored: models get them wrong, and what a hunk quotes has to be unique anyway.

use super::fence::{self, is_markdown};
use super::{elision, paths};
use crate::edit::explain::EditFailure;
use crate::edit::{Block, EditOperation, FileEdit, Hunk, Insertion, Side};

/// Reads the patch that `text` holds.
pub(super) fn read(text: &str) -> Result<Vec<FileEdit>, Vec<EditFailure>> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let is_end = |line: &&str| line.trim_end() == "*** End Patch";
    let begin = lines.iter().position(|line| line.trim_end() == "*** Begin Patch");
    let end = lines.iter().rposition(is_end);
    let (first, body) = match (begin, end) {
        (Some(begin), Some(end)) if begin < end => (begin + 1, &lines[begin + 1..end]),
        (Some(_), _) => {
            let advice = "send the whole patch again, up to `*** End Patch`";
            return Err(vec![EditFailure::malformed("", None, "the patch has no `*** End Patch`", advice)]);
        }
        (None, _) => {
            let inner = fence::inside(&lines).unwrap_or(&lines);
            (0, &inner[..inner.iter().position(is_end).unwrap_or(inner.len())])
        }
    };
    let mut reading = Reading { edits: Vec::new(), failures: Vec::new(), first };
    let heads = heads(body);
    if let Some(line) = body[..heads.first().map_or(body.len(), |(at, _)| *at)]
        .iter()
        .find(|line| begin.is_some() && !line.trim().is_empty())
    {
        reading.fail("", 0, format!("`{}` stands before the first `*** … File:` line", shown(line)), HEADER);
    }
    for (index, (at, head)) in heads.iter().enumerate() {
        let until = heads.get(index + 1).map_or(body.len(), |(next, _)| *next);
        reading.section(head, *at, &body[at + head.lines..until]);
    }
    if reading.edits.is_empty() && reading.failures.is_empty() {
        reading.fail("", 0, "the text holds no patch", HEADER);
    }
    if reading.failures.is_empty() { Ok(reading.edits) } else { Err(reading.failures) }
}

const HEADER: &str = "start with `*** Begin Patch` and name each file: `*** Update File: PATH`, `*** Add File: PATH` or `*** Delete File: PATH`";

fn shown(line: &str) -> String {
    line.trim().chars().take(80).collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Update { to: Option<String> },
    Add,
    Delete,
}

/// The lines that open a section.
struct Head {
    file: String,
    kind: Kind,
    /// How many lines it takes.
    lines: usize,
}

/// Every section of `body`, with the index of its first line.
fn heads(body: &[&str]) -> Vec<(usize, Head)> {
    let mut found = Vec::new();
    let has_envelope = body.iter().any(|line| envelope(line).is_some());
    let mut at = 0;
    while at < body.len() {
        let head = if has_envelope { head_of_envelope(&body[at..]) } else { head_of_diff(&body[at..]) };
        let Some(head) = head else {
            at += 1;
            continue;
        };
        let lines = head.lines;
        found.push((at, head));
        at += lines;
    }
    found
}

fn envelope(line: &str) -> Option<(Kind, &str)> {
    let rest = line.trim_end().strip_prefix("*** ")?;
    let kinds = [
        ("Update File:", Kind::Update { to: None }),
        ("Add File:", Kind::Add),
        ("Create File:", Kind::Add),
        ("Delete File:", Kind::Delete),
    ];
    kinds.into_iter().find_map(|(label, kind)| Some((kind, rest.strip_prefix(label)?.trim())))
}

fn head_of_envelope(body: &[&str]) -> Option<Head> {
    let (kind, file) = envelope(body.first()?)?;
    let moved = body.get(1).and_then(|line| line.trim_end().strip_prefix("*** Move to:"));
    let (kind, lines) = match (kind, moved) {
        (Kind::Update { .. }, Some(to)) => (Kind::Update { to: Some(paths::tidy(to.trim_matches('`'))) }, 2),
        (kind, _) => (kind, 1),
    };
    Some(Head { file: paths::tidy(file.trim_matches('`')), kind, lines })
}

/// `--- a/FILE` and `+++ b/FILE`, with what git writes above them.
fn head_of_diff(body: &[&str]) -> Option<Head> {
    let old = body.first()?.strip_prefix("--- ")?;
    let new = body.get(1)?.strip_prefix("+++ ")?;
    if !body.get(2).is_none_or(|line| line.starts_with("@@") || line.trim().is_empty()) {
        return None;
    }
    let path = |side: &str, prefix: &str| {
        let side = side.split('\t').next().unwrap_or(side).trim();
        (side != "/dev/null").then(|| paths::tidy(side.strip_prefix(prefix).unwrap_or(side)))
    };
    let (file, kind) = match (path(old, "a/"), path(new, "b/")) {
        (None, Some(new)) => (new, Kind::Add),
        (Some(old), None) => (old, Kind::Delete),
        (Some(old), Some(new)) if old == new => (old, Kind::Update { to: None }),
        (Some(old), Some(new)) => (old, Kind::Update { to: Some(new) }),
        (None, None) => return None,
    };
    Some(Head { file, kind, lines: 2 })
}

/// A hunk, or one that adds to the end of the file and quotes nothing of it.
enum Part {
    Hunk(Hunk),
    Append(Insertion),
}

/// The line that a hunk stands under; none where `@@` is followed by line numbers, which are not believed.
fn heading_of(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix("@@").map_or(text, str::trim_end);
    let is_numbers = text.starts_with(['-', '+']) && text[1..].starts_with(|c: char| c.is_ascii_digit());
    (!text.is_empty() && !is_numbers).then(|| text.to_owned())
}

/// Hunks that say nothing of where they stand are blocks.
fn plain(operation: EditOperation) -> EditOperation {
    match operation {
        EditOperation::Hunks(hunks) if hunks.iter().all(|hunk| hunk.under.is_empty() && !hunk.at_end) => {
            EditOperation::Replace(hunks.into_iter().map(|hunk| hunk.block).collect())
        }
        operation => operation,
    }
}

struct Reading {
    edits: Vec<FileEdit>,
    failures: Vec<EditFailure>,
    /// Lines of the message before the patch's first.
    first: usize,
}

impl Reading {
    /// `at` is an index into the patch's lines.
    fn fail(&mut self, file: &str, at: usize, message: impl Into<String>, advice: &str) {
        let message = format!("line {} of the message: {}", self.first + at + 1, message.into());
        self.failures.push(EditFailure::malformed(file, None, message, advice));
    }

    fn section(&mut self, head: &Head, at: usize, body: &[&str]) {
        let file = head.file.as_str();
        if file.is_empty() {
            return self.fail("", at, "the section names no file", HEADER);
        }
        let body = &body
            [..body.iter().rposition(|line| !line.trim().is_empty() && !is_git_line(line)).map_or(0, |last| last + 1)];
        let failures = self.failures.len();
        let operation = match &head.kind {
            Kind::Delete => {
                if let Some(line) = body.iter().find(|line| !line.starts_with(['-', '@'])) {
                    self.fail(
                        file,
                        at + 1,
                        format!("`{}` stands below `*** Delete File`", shown(line)),
                        "leave the section empty",
                    );
                }
                EditOperation::Delete
            }
            Kind::Add => EditOperation::Create(self.added(file, at + head.lines, body)),
            Kind::Update { to } => return self.update(file, at, to.as_deref(), body),
        };
        if self.failures.len() == failures {
            self.edits.push(FileEdit { file: file.to_owned(), operation });
        }
    }

    fn update(&mut self, file: &str, at: usize, to: Option<&str>, body: &[&str]) {
        let failures = self.failures.len();
        let parts = self.parts(file, at + if to.is_some() { 2 } else { 1 }, body);
        if parts.is_empty() && to.is_none() && self.failures.len() == failures {
            self.fail(file, at, "the section changes nothing", "give at least one hunk with `-` or `+` lines");
        }
        if self.failures.len() > failures {
            return;
        }
        let mut operations = Vec::new();
        for part in parts {
            match (part, operations.last_mut()) {
                (Part::Hunk(hunk), Some(EditOperation::Hunks(hunks))) => hunks.push(hunk),
                (Part::Hunk(hunk), _) => operations.push(EditOperation::Hunks(vec![hunk])),
                (Part::Append(insertion), _) => operations.push(EditOperation::Insert(insertion)),
            }
        }
        let mut file = file.to_owned();
        if let Some(to) = to {
            let operation = EditOperation::Rename { to: to.to_owned(), blocks: Vec::new() };
            self.edits.push(FileEdit { file, operation });
            file = to.to_owned();
        }
        self.edits.extend(
            operations.into_iter().map(|operation| FileEdit { file: file.clone(), operation: plain(operation) }),
        );
    }

    /// The text of a new file.
    fn added(&mut self, file: &str, at: usize, body: &[&str]) -> String {
        let mut text = String::new();
        for (offset, line) in body.iter().enumerate() {
            match line.strip_prefix('+') {
                Some(added) => text.push_str(added),
                None if line.trim().is_empty() => {}
                None if line.starts_with("@@") || line.starts_with("\\ No newline") => continue,
                None => {
                    let message = format!("`{}` has no `+` in front", shown(line));
                    self.fail(file, at + offset, message, "start every line of a new file with `+`");
                    return text;
                }
            }
            text.push('\n');
        }
        if let Some(line) = elision::elided(file, "", &text) {
            self.fail(file, at, format!("the new file leaves code out: `{}`", shown(line)), elision::ADVICE);
        }
        text
    }

    /// The hunks of a section, in order.
    fn parts(&mut self, file: &str, at: usize, body: &[&str]) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut under: Vec<String> = Vec::new();
        let mut start = 0;
        let is_end = |line: &str| line.trim_end() == "*** End of File";
        while start < body.len() {
            if let Some(heading) = body[start].strip_prefix("@@") {
                under.extend(heading_of(heading));
                start += 1;
                continue;
            }
            if is_end(body[start]) {
                start += 1;
                continue;
            }
            let length = body[start..].iter().position(|line| line.starts_with("@@") || is_end(line));
            let end = length.map_or(body.len(), |length| start + length);
            let at_end = body.get(end).is_some_and(|line| is_end(line));
            parts.extend(self.part(file, at + start, &body[start..end], std::mem::take(&mut under), at_end));
            start = end;
        }
        parts
    }

    fn part(&mut self, file: &str, at: usize, body: &[&str], under: Vec<String>, at_end: bool) -> Option<Part> {
        // Blank lines at the end belong to the patch's layout, not to the file.
        let last = body.iter().rposition(|line| !line.is_empty())?;
        let (mut search, mut replace) = (Vec::new(), Vec::new());
        let mut changes = false;
        for (offset, line) in body[..=last].iter().enumerate() {
            let mut characters = line.chars();
            match characters.next() {
                None => {
                    search.push("");
                    replace.push("");
                }
                Some(' ') => {
                    search.push(characters.as_str());
                    replace.push(characters.as_str());
                }
                Some('-') => {
                    changes = true;
                    search.push(characters.as_str());
                }
                Some('+') => {
                    changes = true;
                    replace.push(characters.as_str());
                }
                Some('\\') if line.starts_with("\\ No newline") => {}
                Some(_) => {
                    let message = format!("`{}` starts with none of space, `-` and `+`", shown(line));
                    self.fail(file, at + offset, message, "start every line of a hunk with a space, `-` or `+`");
                    return None;
                }
            }
        }
        if !changes {
            self.fail(file, at, "the hunk changes nothing", "mark what goes with `-` and what comes with `+`");
            return None;
        }
        let adds_only = search.iter().all(|line| line.trim().is_empty());
        if adds_only && !at_end {
            let advice = "give at least one line, with a space in front, that stands next to what comes";
            self.fail(file, at, "the hunk only adds, and says not where", advice);
            return None;
        }
        if let Some(line) = elision::elided(file, &search.join("\n"), &replace.join("\n")) {
            self.fail(file, at, format!("the hunk leaves code out: `{}`", shown(line)), elision::ADVICE);
            return None;
        }
        let doubled = |sign: char| body.iter().any(|line| line.starts_with(sign));
        let added = || body.iter().filter_map(|line| line.strip_prefix('+')).filter(|line| !line.trim().is_empty());
        if !is_markdown(file)
            && doubled('+')
            && added().next().is_some()
            && added().all(|line| line.starts_with('+'))
            && !search.iter().any(|line| line.starts_with('+'))
        {
            self.fail(
                file,
                at,
                "the lines that the hunk adds start with two `+`",
                "write one `+` in front of what comes",
            );
            return None;
        }
        if adds_only {
            let text = replace[search.len().min(replace.len())..].join("\n");
            return Some(Part::Append(Insertion { anchor: String::new(), side: Side::After, text }));
        }
        Some(Part::Hunk(Hunk { under, block: Block::of_lines(&search, &replace), at_end }))
    }
}

/// What git writes between the files of a diff, or what stands between two patches of one message.
fn is_git_line(line: &str) -> bool {
    [
        "*** Begin Patch",
        "*** End Patch",
        "diff --git ",
        "index ",
        "new file mode ",
        "deleted file mode ",
        "similarity index ",
        "rename from ",
        "rename to ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}
