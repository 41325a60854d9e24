//! The pieces of Markdown that plans and indexes are made of, as text: code spans, list items, fences, table rows.
//!
//! Blocks are found with `pulldown-cmark`; their text is cut from the source, so that what is not understood stays
//! as it was written.

use std::ops::Range;

mod table;

pub(crate) use table::{Table, cell, cells, is_delimiter_row, tables};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A code span and the bytes it takes up, backticks included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeSpan {
    /// Bytes of the text it stands in.
    pub range: Range<usize>,
    /// What it says.
    pub text: String,
}

/// The code spans of `text`.
pub(crate) fn code_spans(text: &str) -> Vec<CodeSpan> {
    let bytes = text.as_bytes();
    let run_at = |start: usize| bytes[start..].iter().take_while(|byte| **byte == b'`').count();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            // An escaped backtick opens nothing.
            b'\\' if bytes.get(at + 1) == Some(&b'`') => at += 2,
            b'`' => {
                let run = run_at(at);
                let mut close = at + run;
                let end = loop {
                    match text[close..].find('`') {
                        None => break None,
                        Some(next) => {
                            let next = close + next;
                            let length = run_at(next);
                            if length == run {
                                break Some(next);
                            }
                            close = next + length;
                        }
                    }
                };
                match end {
                    Some(end) => {
                        found.push(CodeSpan { range: at..end + run, text: span_text(&text[at + run..end]) });
                        at = end + run;
                    }
                    None => at += run,
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// What a code span says: line breaks are blanks, and one blank on both sides is padding.
fn span_text(raw: &str) -> String {
    let joined = raw.split('\n').map(str::trim_end).collect::<Vec<_>>().join(" ");
    let joined = if raw.contains('\n') { joined.split_whitespace().collect::<Vec<_>>().join(" ") } else { joined };
    match joined.strip_prefix(' ').and_then(|inner| inner.strip_suffix(' ')) {
        Some(inner) if !inner.trim().is_empty() => inner.to_owned(),
        _ => joined,
    }
}

/// `text` as a code span. Line breaks become blanks.
pub(crate) fn code_span(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let padded = text.starts_with('`') || text.ends_with('`') || (text.starts_with(' ') && text.ends_with(' '));
    if padded { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

/// A fence long enough for `text`: at least three backticks, longer than any run in it.
pub(crate) fn fence_for(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

/// A heading written with `#`, not inside a list, a quote or a fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its text as written, marks left out.
    pub text: String,
    /// Index of its line.
    pub line: usize,
    /// First byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// A fenced code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Index of the line it opens on.
    pub first: usize,
    /// Index of its last line, the closing one included.
    pub last: usize,
    /// Everything after the opening backticks, as written.
    pub info: String,
    /// Its text; every line ends with a line break.
    pub text: String,
    /// It has a closing line.
    pub closed: bool,
    /// Bytes of the block.
    pub range: Range<usize>,
}

/// An item of a list at the top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Index of its first line.
    pub first: usize,
    /// Index of its last line, blank lines at the end left out.
    pub last: usize,
    /// Its number in an ordered list.
    pub number: Option<u32>,
    /// The state of its check box.
    pub checked: Option<bool>,
    /// Its text, marker and indentation left out.
    pub text: String,
}

/// Text with its blocks.
pub(crate) struct Blocks<'a> {
    /// Lines without their breaks.
    pub lines: Vec<&'a str>,
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Fenced code blocks in order, nested ones included.
    pub fences: Vec<Fence>,
    /// Items of lists at the top level, in order.
    pub items: Vec<Item>,
    in_code: Vec<bool>,
}

impl<'a> Blocks<'a> {
    /// Reads `text`, whose line breaks are `\n`.
    pub fn of(text: &'a str) -> Blocks<'a> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut starts = Vec::with_capacity(lines.len());
        let mut offset = 0;
        for line in &lines {
            starts.push(offset);
            offset += line.len() + 1;
        }
        let line_of = |byte: usize| starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let last_line = |range: &Range<usize>| line_of(range.end.saturating_sub(1).max(range.start));
        let mut blocks = Blocks {
            in_code: vec![false; lines.len()],
            lines,
            headings: Vec::new(),
            fences: Vec::new(),
            items: Vec::new(),
        };
        let mut containers = 0_usize;
        let mut numbers: Vec<Option<u64>> = Vec::new();
        for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) if containers == 0 => {
                    if let Some(heading) = atx_heading(text, level, &range, line_of(range.start)) {
                        blocks.headings.push(heading);
                    }
                }
                Event::Start(Tag::BlockQuote(_)) => containers += 1,
                Event::End(TagEnd::BlockQuote(_)) => containers -= 1,
                Event::Start(Tag::List(start)) => {
                    numbers.push(start);
                    containers += 1;
                }
                Event::End(TagEnd::List(_)) => {
                    numbers.pop();
                    containers -= 1;
                }
                Event::Start(Tag::Item) => {
                    let number = numbers.last_mut().and_then(Option::as_mut).map(|next| {
                        let number = *next;
                        *next = next.saturating_add(1);
                        number
                    });
                    if containers == 1 {
                        let (first, last) = (line_of(range.start), last_line(&range));
                        blocks.items.push(item(&blocks.lines, first, last, number));
                    }
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => {
                    let (first, last) = (line_of(range.start), last_line(&range));
                    let opener = text[range.start..].lines().next().unwrap_or_default();
                    let mark = opener.chars().next().unwrap_or('`');
                    let run = opener.chars().take_while(|character| *character == mark).count();
                    let end = blocks.lines[last].trim_start_matches(|c: char| c.is_whitespace() || c == '>').trim_end();
                    let closed = last > first && end.len() >= run && end.chars().all(|character| character == mark);
                    let info = opener[run.min(opener.len())..].trim().to_owned();
                    blocks.in_code[first..=last].fill(true);
                    blocks.fences.push(Fence { first, last, info, text: String::new(), closed, range });
                }
                Event::Text(part) => {
                    if let Some(fence) = blocks.fences.last_mut()
                        && fence.range.contains(&range.start)
                    {
                        fence.text.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        blocks
    }

    /// Whether the line at `index` is inside a fence, the fence's own lines included.
    pub fn is_code(&self, index: usize) -> bool {
        self.in_code[index]
    }

    /// Lines that belong to no item, in paragraphs apart.
    pub fn outside_items(&self) -> Vec<(usize, String)> {
        let mut paragraphs: Vec<(usize, Vec<&str>)> = Vec::new();
        let mut open = false;
        for (index, line) in self.lines.iter().enumerate() {
            let in_item = self.items.iter().any(|item| (item.first..=item.last).contains(&index));
            if in_item || (line.trim().is_empty() && !self.is_code(index)) {
                open = false;
            } else if open && let Some((_, lines)) = paragraphs.last_mut() {
                lines.push(line);
            } else {
                paragraphs.push((index, vec![line]));
                open = true;
            }
        }
        paragraphs.into_iter().map(|(index, lines)| (index, lines.join("\n"))).collect()
    }
}

fn atx_heading(text: &str, level: HeadingLevel, range: &Range<usize>, line: usize) -> Option<Heading> {
    let raw = text[range.clone()].trim_end();
    // A paragraph over `---` is a heading to CommonMark and an accident in plans.
    let inner = raw.trim_start().strip_prefix('#')?.trim_start_matches('#').trim();
    let unclosed = inner.trim_end_matches('#');
    let closed = unclosed.len() < inner.len() && (unclosed.is_empty() || unclosed.ends_with([' ', '\t']));
    let inner = if closed { unclosed.trim_end() } else { inner };
    let end = range.start + raw.len();
    Some(Heading { level: level as u8, text: inner.to_owned(), line, start: range.start, end })
}

fn item(lines: &[&str], first: usize, last: usize, number: Option<u64>) -> Item {
    let mut last = last;
    while last > first && lines[last].trim().is_empty() {
        last -= 1;
    }
    let head = lines[first].trim_start();
    let after_marker = match head.strip_prefix(['-', '*', '+']) {
        Some(rest) => rest,
        None => head.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['.', ')']),
    };
    let mut head = after_marker.trim();
    let mut checked = None;
    for (mark, state) in [("[ ]", false), ("[]", false), ("[x]", true), ("[X]", true)] {
        if let Some(rest) = head.strip_prefix(mark)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
        {
            (head, checked) = (rest.trim_start(), Some(state));
            break;
        }
    }
    let rest = dedent(&lines[first + 1..=last].join("\n"));
    let text = if rest.is_empty() { head.to_owned() } else { format!("{head}\n{rest}") };
    let number = number.and_then(|number| u32::try_from(number).ok());
    Item { first, last, number, checked, text: text.trim_matches('\n').to_owned() }
}

/// `text` without the indentation all its lines share.
pub(crate) fn dedent(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let shared = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    text.split('\n').map(|line| line.get(shared..).unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// `text` on one line when it is one paragraph; as it is when it holds lists, fences or several paragraphs.
pub(crate) fn flow(text: &str) -> String {
    let structured = text.lines().enumerate().any(|(index, line)| {
        let line = line.trim_start();
        line.is_empty()
            || line.starts_with("```")
            || line.starts_with("~~~")
            || (index > 0 && (line.starts_with(['|', '>', '#']) || starts_item(line)))
    });
    if structured { text.to_owned() } else { one_line(text) }
}

/// The lines of `text` as one, each without the blanks at its ends.
pub(crate) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a line opens a list item.
pub(crate) fn starts_item(line: &str) -> bool {
    let line = line.trim_start();
    let rest = match line.strip_prefix(['-', '*', '+']) {
        Some(rest) => rest,
        None => match line.trim_start_matches(|c: char| c.is_ascii_digit()) {
            rest if rest.len() < line.len() => match rest.strip_prefix(['.', ')']) {
                Some(rest) => rest,
                None => return false,
            },
            _ => return false,
        },
    };
    rest.starts_with([' ', '\t'])
}

/// `text` as a list item: the marker, then every further line indented to it.
pub(crate) fn list_item(marker: &str, text: &str) -> String {
    let mut lines = text.split('\n');
    let mut item = format!("{marker}{}", lines.next().unwrap_or_default());
    for line in lines {
        item.push('\n');
        if !line.is_empty() {
            item.push_str("  ");
            item.push_str(line);
        }
    }
    item
}

/// `text` without blank lines at its ends and with at most one blank line in a row outside fences.
pub(crate) fn tidy(text: &str) -> String {
    let blocks = Blocks::of(text);
    let mut kept: Vec<&str> = Vec::new();
    for (index, line) in blocks.lines.iter().enumerate() {
        let blank = line.trim().is_empty() && !blocks.is_code(index);
        if blank && kept.last().is_none_or(|last| last.is_empty()) {
            continue;
        }
        kept.push(if blank { "" } else { line });
    }
    while kept.last().is_some_and(|last| last.is_empty()) {
        kept.pop();
    }
    close(&kept.join("\n"))
}

/// `text` with a fence or comment that never closes closed, so that it swallows nothing that follows it.
pub(crate) fn close(text: &str) -> String {
    const PROBE: &str = "\n\n## probe\n";
    let probed = format!("{text}{PROBE}");
    let blocks = Blocks::of(&probed);
    if blocks.headings.last().is_some_and(|heading| heading.text == "probe") {
        return text.to_owned();
    }
    let Some(fence) = blocks.fences.last().filter(|fence| !fence.closed) else {
        return if text.contains("<!--") { format!("{text}\n-->") } else { text.to_owned() };
    };
    let before = blocks.lines[..fence.first].join("\n");
    if fence.text.trim_end().trim_end_matches("## probe").trim().is_empty() {
        // A closing line too many: what it opened is empty.
        return close(before.trim_end());
    }
    let run: String = probed[fence.range.start..].chars().take_while(|c| *c == '`' || *c == '~').collect();
    format!("{text}\n{run}")
}

/// `text` without emphasis, code marks and links, for comparing words.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let linked = rest[open..].find("](").and_then(|middle| {
            let close = rest[open + middle..].find(')')?;
            Some((&rest[open + 1..open + middle], &rest[open + middle + close + 1..]))
        });
        match linked {
            Some((label, after)) => {
                plain.push_str(&rest[..open]);
                plain.push_str(label);
                rest = after;
            }
            None => {
                plain.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.replace(['*', '`', '~'], "").trim().to_owned()
}
