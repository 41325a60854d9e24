//! Rewriting: the lines of a file with some of them replaced. Every other line keeps its bytes, line ending included.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::matching::Line;

/// Lines of a file, by index, and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub lines: Range<usize>,
    pub new: Vec<String>,
}

/// Products of line counts above this are not compared line by line: 4 million, our choice, some tens of milliseconds.
const MAX_COMPARED: usize = 4_000_000;

/// The ranges in which `old` and `new` differ, and what of `new` stands there.
pub(crate) fn differences(old: &[&str], new: &[&str]) -> Vec<(Range<usize>, Range<usize>)> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_range, new_range) = (head..old.len() - tail, head..new.len() - tail);
    if old_range.len().saturating_mul(new_range.len()) > MAX_COMPARED {
        return vec![(old_range, new_range)];
    }
    capture_diff_slices(Algorithm::Myers, &old[old_range], &new[new_range])
        .iter()
        .filter(|operation| !matches!(operation, DiffOp::Equal { .. }))
        .map(|operation| {
            let (old, new) = (operation.old_range(), operation.new_range());
            (old.start + head..old.end + head, new.start + head..new.end + head)
        })
        .collect()
}

/// The indexes of the lines that `old` and `new` have in common, in order.
pub(crate) fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    for (gone, come) in differences(old, new).into_iter().chain([(old.len()..old.len(), new.len()..new.len())]) {
        pairs.extend((old_at..gone.start).zip(new_at..come.start));
        (old_at, new_at) = (gone.end, come.end);
    }
    pairs
}

/// The file with `changes`, which are in order and do not overlap. New lines take the line ending of those around them.
pub(crate) fn rewrite(file: &[Line<'_>], changes: &[Change]) -> String {
    let (first, last) = match (changes.first(), changes.last()) {
        (Some(first), Some(last)) => (first.lines.start, last.lines.end),
        _ => (0, 0),
    };
    let around = &file[first.saturating_sub(1)..(last + 1).min(file.len())];
    let ending = dominant_ending(around).or_else(|| dominant_ending(file)).unwrap_or("\n");
    // Only the last line may have no ending, and it may not be the last any more.
    let kept =
        |line: &Line<'_>| (line.text.to_owned(), if line.ending.is_empty() { ending } else { line.ending_static() });
    let mut lines: Vec<(String, &str)> = Vec::new();
    let mut at = 0;
    for change in changes {
        lines.extend(file[at..change.lines.start].iter().map(kept));
        lines.extend(change.new.iter().map(|line| (line.clone(), ending)));
        at = change.lines.end;
    }
    lines.extend(file[at..].iter().map(kept));
    let ends_open = file.last().is_some_and(|line| line.ending.is_empty());
    if let Some(last) = lines.last_mut().filter(|_| ends_open) {
        last.1 = "";
    }
    lines.into_iter().flat_map(|(text, ending)| [text, ending.to_owned()]).collect()
}

fn dominant_ending(lines: &[Line<'_>]) -> Option<&'static str> {
    let windows = lines.iter().filter(|line| line.ending == "\r\n").count();
    let unix = lines.iter().filter(|line| line.ending == "\n").count();
    (windows + unix > 0).then_some(if windows > unix { "\r\n" } else { "\n" })
}
