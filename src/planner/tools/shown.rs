//! Which lines a model was shown: evidence is worth what its author has seen.

use std::collections::{BTreeMap, BTreeSet};

/// Lines that were shown, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    lines: BTreeMap<String, BTreeSet<u32>>,
}

impl Shown {
    /// Counts the lines `start` to `end` of `path`, both included, as shown.
    pub(super) fn add(&mut self, path: &str, start: u32, end: u32) {
        self.lines.entry(path.to_owned()).or_default().extend(start..=end);
    }

    /// Whether every line from `start` to `end` of `path` was shown.
    pub fn covers(&self, path: &str, start: u32, end: u32) -> bool {
        // Counted rather than walked: a model may claim any range.
        let Some(lines) = self.lines.get(path).filter(|_| 1 <= start && start <= end) else { return false };
        lines.range(start..=end).count() as u64 == u64::from(end - start) + 1
    }

    /// The lines of `path` that were shown, in order.
    pub fn of(&self, path: &str) -> impl Iterator<Item = u32> {
        self.lines.get(path).into_iter().flatten().copied()
    }

    /// The files of which lines were shown, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_covered_when_all_of_it_was_shown() {
        let mut shown = Shown::default();
        shown.add("a.ts", 3, 5);
        shown.add("a.ts", 6, 8);
        assert!(shown.covers("a.ts", 3, 8));
        for (path, start, end) in
            [("a.ts", 2, 4), ("a.ts", 3, 9), ("b.ts", 3, 3), ("a.ts", 5, 4), ("a.ts", 0, 3), ("a.ts", 1, u32::MAX)]
        {
            assert!(!shown.covers(path, start, end), "{path}:{start}-{end}");
        }
    }
}
