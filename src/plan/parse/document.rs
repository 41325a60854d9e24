//! From text to sections: where each heading stands and what belongs to it, broken fences put right.

use super::names::{self, Known};
use crate::plan::markdown::{Blocks, Fence, close};

/// Fences that are put right in one document. A file with more is no plan.
const MAX_BROKEN_FENCES: usize = 64;

/// A heading of level 1 or 2 and the text below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// 1 or 2; 0 for the text before the first heading.
    pub level: u8,
    /// The heading as written.
    pub heading: String,
    /// Line of the heading, 1-based.
    pub line: u32,
    /// The text, blank lines at its ends left out.
    pub body: String,
    /// Line of the body's first line, 1-based.
    pub body_line: u32,
}

impl Section {
    /// The known section its heading names.
    pub fn known(&self) -> Option<names::Match> {
        names::lookup(&self.heading)
    }
}

/// `text` as every later stage wants it: no byte order mark, line breaks as `\n`.
pub(super) fn normalise(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n")
}

/// The sections of a normalised text, the text before the first heading at the front.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut headings: Vec<(u8, String, usize, usize)> = Vec::new();
    let mut from = 0;
    for round in 0..=MAX_BROKEN_FENCES {
        let rest = &text[from..];
        let blocks = Blocks::of(rest);
        let broken = (round < MAX_BROKEN_FENCES).then(|| blocks.fences.iter().find_map(|fence| resume(rest, fence)));
        let limit = broken.flatten().unwrap_or(rest.len());
        headings.extend(
            blocks
                .headings
                .into_iter()
                .filter(|heading| heading.level <= 2 && heading.start < limit)
                .map(|heading| (heading.level, heading.text, from + heading.start, from + heading.end)),
        );
        if limit == rest.len() {
            break;
        }
        from += limit;
    }
    let mut found = Vec::with_capacity(headings.len() + 1);
    let mut lines = LineCounter { text, line: 1, offset: 0 };
    let first = headings.first().map_or(text.len(), |heading| heading.2);
    let (body, body_line) = body_of(text, 0, first, &mut lines);
    found.push(Section { level: 0, heading: String::new(), line: 1, body, body_line });
    for (index, (level, heading, start, end)) in headings.iter().enumerate() {
        let line = lines.line_at(*start);
        let next = headings.get(index + 1).map_or(text.len(), |heading| heading.2);
        let (body, body_line) = body_of(text, *end, next, &mut lines);
        found.push(Section { level: *level, heading: heading.clone(), line, body, body_line });
    }
    found
}

/// Where reading goes on when a fence was opened by accident: at the first section heading inside it.
///
/// A fence that never closes is broken. So is one without a language that holds the opening line of another fence of its own
/// length: its opening line was meant to close an outer fence.
fn resume(text: &str, fence: &Fence) -> Option<usize> {
    let block = &text[fence.range.clone()];
    let opener = block.lines().next().unwrap_or_default();
    let mark = opener.chars().next()?;
    let run = opener.chars().take_while(|character| *character == mark).count();
    let mut offset = 0;
    let mut heading = None;
    for line in block.split_inclusive('\n') {
        if heading.is_none()
            && let Some(name) = line.strip_prefix("## ")
            && names::lookup(name.trim()).is_some()
        {
            heading = Some(fence.range.start + offset);
            if !fence.closed {
                return heading;
            }
        }
        let inner = line.trim();
        let inner_run = inner.chars().take_while(|character| *character == mark).count();
        if heading.is_some() && fence.info.is_empty() && inner_run == run && inner.len() > run * mark.len_utf8() {
            return heading;
        }
        offset += line.len();
    }
    None
}

fn body_of(text: &str, start: usize, end: usize, lines: &mut LineCounter<'_>) -> (String, u32) {
    let raw = &text[start..end.max(start)];
    let mut skipped = 0;
    for line in raw.split_inclusive('\n') {
        if !line.trim().is_empty() {
            break;
        }
        skipped += line.len();
    }
    let body_line = lines.line_at(start + skipped);
    (close(raw[skipped..].trim_end()), body_line)
}

/// Counts lines once, for offsets that only grow.
struct LineCounter<'a> {
    text: &'a str,
    line: u32,
    offset: usize,
}

impl LineCounter<'_> {
    fn line_at(&mut self, offset: usize) -> u32 {
        let breaks = self.text.as_bytes()[self.offset..offset].iter().filter(|byte| **byte == b'\n').count();
        self.line += breaks as u32;
        self.offset = offset;
        self.line
    }
}

/// The sections sorted into known ones and others.
#[derive(Default)]
pub(super) struct Sorted {
    /// Known sections in the order of the document. A second section that means the same is not among them.
    pub known: Vec<(Known, Section)>,
    /// Other sections, each with the name of the known section before it.
    pub extra: Vec<(String, Section)>,
    /// Sections of level 1 or 2 that are steps themselves.
    pub steps: Vec<Section>,
}

/// Sorts sections. A section with the exact name wins over one with a similar name.
pub(super) fn sort(sections: Vec<Section>) -> Sorted {
    let has_step_headings = |section: &Section| {
        Blocks::of(&section.body).headings.iter().any(|heading| super::steps::is_step_word(&heading.text))
    };
    let mut owner: Vec<Option<Known>> = vec![None; sections.len()];
    let mut taken: Vec<Known> = Vec::new();
    for exact in [true, false] {
        for (index, section) in sections.iter().enumerate() {
            if section.body.is_empty() || owner[index].is_some() {
                continue;
            }
            if let Some(found) = section.known()
                && found.exact == exact
                && !taken.contains(&found.known)
            {
                owner[index] = Some(found.known);
                taken.push(found.known);
            }
        }
    }
    let mut is_step = vec![false; sections.len()];
    if !taken.contains(&Known::Steps) {
        for (index, section) in sections.iter().enumerate() {
            is_step[index] = owner[index].is_none() && super::steps::is_step_heading(&section.heading);
        }
        if !is_step.contains(&true)
            && let Some(index) =
                (0..sections.len()).find(|index| owner[*index].is_none() && has_step_headings(&sections[*index]))
        {
            owner[index] = Some(Known::Steps);
        }
    }
    let mut sorted = Sorted::default();
    let mut after = String::new();
    for ((section, owner), is_step) in sections.into_iter().zip(owner).zip(is_step) {
        if is_step {
            after = Known::Steps.name().to_owned();
            sorted.steps.push(section);
        } else if let Some(known) = owner {
            after = known.place().name().to_owned();
            sorted.known.push((known, section));
        } else if !section.heading.is_empty() || !section.body.is_empty() {
            sorted.extra.push((after.clone(), section));
        }
    }
    sorted
}
