//! Excerpts: fences of "Current state", each with the place it was quoted from.

use std::sync::LazyLock;

use regex::Regex;

use super::edits::attributes;
use super::programs::is_source_path;
use crate::plan::Excerpt;
use crate::plan::markdown::{Blocks, Fence, code_spans};

static LINES_AFTER_PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^:~?(\d+)(?:\s*[-–]\s*~?(\d+))?").expect("a constant pattern"));
static LINES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:\blines?\s*~?|\bL|[(\s`]:|~)(\d+)(?:\s*(?:[-–]|to)\s*[L~]?(\d+))?").expect("a constant pattern")
});
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:[\w@.\[\]()$+-]+/)*[\w@.\[\]()$+-]+\.[A-Za-z][A-Za-z0-9]{0,9}\b").expect("a constant pattern")
});

/// A place as far as it could be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    file: Option<String>,
    lines: Option<(u32, u32)>,
}

/// The excerpts of `body`, whose first line is `first_line` of the plan.
pub(super) fn read(body: &str, first_line: u32) -> Vec<Excerpt> {
    let blocks = Blocks::of(body);
    let mut found = Vec::new();
    for fence in &blocks.fences {
        let mut words = fence.info.splitn(2, char::is_whitespace);
        let language = words.next().unwrap_or_default().to_owned();
        let mut place = from_attributes(words.next().unwrap_or_default());
        let mut text = fence.text.trim_end_matches('\n').to_owned();
        // Where the fence names the file, a comment that does so too is the file's own.
        if let Some((inside, rest)) = from_comment(&text).filter(|_| place.file.is_none()) {
            if place.file.is_none() {
                place.file = inside.file;
            }
            place.lines = place.lines.or(inside.lines);
            text = rest;
        }
        if place.file.is_none() || place.lines.is_none() {
            let before = from_before(&blocks, fence, place.file.as_deref());
            place.file = place.file.or(before.file);
            place.lines = place.lines.or(before.lines);
        }
        if let Some(file) = place.file.take() {
            place.file = Some(if file.contains('/') { file } else { full_path(&blocks, fence, file) });
        }
        found.push(Excerpt {
            file: place.file,
            lines: place.lines,
            language,
            text,
            line: first_line + fence.first as u32,
        });
    }
    found
}

fn from_attributes(info: &str) -> Place {
    let attributes = attributes(info);
    let value = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let lines = value("lines").and_then(|lines| {
        let (start, end) = lines.split_once('-').unwrap_or((lines, lines));
        Some((start.parse().ok()?, end.parse().ok()?))
    });
    let file = value("file").or_else(|| value("title")).or_else(|| value("path"));
    if let Some(file) = file {
        return Place { file: Some(file.trim_matches(['\'', '"']).to_owned()), lines };
    }
    Place { lines, ..place_in(info) }
}

/// The place named by a comment on the first line, and the text below that line.
fn from_comment(text: &str) -> Option<(Place, String)> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim();
    let comment = ["//", "#", "--", "/*", "<!--", ";", "{/*", "%"].iter().find_map(|mark| line.strip_prefix(mark))?;
    // Attributes and preprocessor lines are code.
    if comment.starts_with(['[', '!'])
        || ["include", "define", "if", "endif"].iter().any(|word| comment.starts_with(word))
    {
        return None;
    }
    let comment = comment.trim_end_matches(['*', '/', '-', '>', '}']).trim();
    let place = place_in(comment);
    let starts_with_path =
        place.file.as_ref().is_some_and(|file| comment.trim_start_matches('`').starts_with(file.as_str()));
    let only_lines = place.file.is_none()
        && place.lines.is_some()
        && LINES.find(&format!(" {comment}")).is_some_and(|found| found.start() <= 1);
    (starts_with_path || only_lines).then(|| (place, rest.to_owned()))
}

/// The place named before the fence: in the three lines above, else the last path above with line numbers of its own or none.
fn from_before(blocks: &Blocks<'_>, fence: &Fence, known: Option<&str>) -> Place {
    let mut found = Place { file: known.map(str::to_owned), lines: None };
    let mut seen = 0;
    for index in (0..fence.first).rev() {
        if blocks.is_code(index) || blocks.lines[index].trim().is_empty() {
            continue;
        }
        let place = place_in(blocks.lines[index]);
        if seen < 3 {
            if found.lines.is_none() && (found.file.is_none() || place.file.is_none() || place.file == found.file) {
                found.lines = place.lines;
            }
            seen += 1;
        }
        if found.file.is_none() {
            found.file = place.file;
        }
        if found.file.is_some() && (seen >= 3 || found.lines.is_some()) {
            break;
        }
    }
    found
}

/// The path that ends in the bare file name `name` and is named last before the fence, else the name.
fn full_path(blocks: &Blocks<'_>, fence: &Fence, name: String) -> String {
    let suffix = format!("/{name}");
    let lines = (0..fence.first).rev().filter(|index| !blocks.is_code(*index)).map(|index| blocks.lines[index]);
    lines
        .flat_map(|line| PATH.find_iter(line).map(|found| found.as_str()).collect::<Vec<_>>())
        .find(|path| path.ends_with(&suffix))
        .map_or(name, str::to_owned)
}

/// The last path of a line with its line numbers, else line numbers alone.
fn place_in(line: &str) -> Place {
    let spans = code_spans(line);
    let mut place = Place::default();
    for span in &spans {
        let text = span.text.as_str();
        let Some(path) = leading_path(text) else {
            if let Some(found) = LINES_AFTER_PATH.captures(text) {
                place.lines = numbers(&found);
            }
            continue;
        };
        let after = &text[path.len()..];
        let lines = LINES_AFTER_PATH.captures(after).as_ref().and_then(numbers);
        place = Place { file: Some(path.to_owned()), lines };
    }
    if place.file.is_none()
        && let Some(path) = PATH.find_iter(line).filter(|found| is_path(found.as_str())).last()
        && !spans.iter().any(|span| span.range.contains(&path.start()))
    {
        let lines = LINES_AFTER_PATH.captures(&line[path.end()..]).as_ref().and_then(numbers);
        place = Place { file: Some(path.as_str().to_owned()), lines: lines.or(place.lines) };
    }
    if place.lines.is_none() {
        place.lines = LINES.captures(line).as_ref().and_then(numbers);
    }
    place
}

fn numbers(found: &regex::Captures<'_>) -> Option<(u32, u32)> {
    let start: u32 = found[1].parse().ok()?;
    let end = found.get(2).and_then(|end| end.as_str().parse().ok()).unwrap_or(start);
    (start > 0 && end >= start).then_some((start, end))
}

/// The path a code span starts with.
fn leading_path(text: &str) -> Option<&str> {
    if text.contains(' ') {
        return None;
    }
    let end = text.find(':').unwrap_or(text.len());
    let path = &text[..end];
    is_path(path).then_some(path)
}

fn is_path(text: &str) -> bool {
    is_source_path(text) && !text.starts_with("http") && !text.contains("(")
}
