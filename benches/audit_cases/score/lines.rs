//! Lines before and after a fix: which line became which, and what was rewritten.

use std::ops::Range;

use similar::{DiffOp, TextDiff};

/// Unchanged lines between two changes that still are one rewriting; our choice.
const APART: usize = 3;

/// A file before and after. Lines count from 1.
pub struct LineMap {
    kept: Vec<(u32, u32)>,
    hunks: Vec<(Range<u32>, Range<u32>)>,
}

impl LineMap {
    /// Compares two texts by line.
    pub fn new(before: &str, after: &str) -> Self {
        let mut map = Self { kept: Vec::new(), hunks: Vec::new() };
        let mut apart = usize::MAX;
        for operation in TextDiff::from_lines(before, after).ops() {
            let (old, new) = (one_based(operation.old_range()), one_based(operation.new_range()));
            if let DiffOp::Equal { len, .. } = operation {
                apart = *len;
                map.kept.extend(old.zip(new));
                continue;
            }
            match map.hunks.last_mut().filter(|_| apart < APART) {
                Some(hunk) => *hunk = (hunk.0.start..old.end, hunk.1.start..new.end),
                None => map.hunks.push((old, new)),
            }
            apart = 0;
        }
        map
    }

    /// Where an unchanged line went.
    pub fn after(&self, line: u32) -> Option<u32> {
        let index = self.kept.binary_search_by_key(&line, |(old, _)| *old).ok()?;
        Some(self.kept[index].1)
    }

    /// Where an unchanged line came from.
    pub fn before(&self, line: u32) -> Option<u32> {
        let index = self.kept.binary_search_by_key(&line, |(_, new)| *new).ok()?;
        Some(self.kept[index].0)
    }

    /// What stands where a line that is gone stood.
    pub fn rewritten(&self, line: u32) -> Option<Range<u32>> {
        self.hunks.iter().find(|(old, _)| old.contains(&line)).map(|(_, new)| new.clone())
    }
}

fn one_based(range: Range<usize>) -> Range<u32> {
    let number = |line: usize| u32::try_from(line + 1).unwrap_or(u32::MAX);
    number(range.start)..number(range.end)
}
