//! Clones: stretches of code that stand in several places, found from hashed lines in linear time.
//!
//! Windows of lines are hashed by shape (names and literals aside); equal windows on one diagonal of a pair of files grow into
//! a run, and runs a few lines apart into one clone, so that a copy that drifted is still one clone.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::repo_map::facts::CodeLine;

pub mod compare;

/// Lines of a window. Our choice: six lines with names aside are rarely equal by chance. With four, clones begin and end
/// wherever chance has it.
const WINDOW: usize = 6;
/// A window that occurs more often is an idiom of the code base.
const MAX_OCCURRENCES: usize = 24;
/// Up to this many occurrences are compared each with each, more only with the next.
const ALL_PAIRS: usize = 8;
/// Lines that may differ between two runs of one clone.
const MAX_GAP: usize = 4;

/// A sequence of code lines: one file.
pub struct Sequence<'a> {
    /// Its lines.
    pub lines: &'a [CodeLine],
}

/// Two stretches that say the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clone2 {
    /// The first stretch.
    pub left: Stretch,
    /// The second stretch.
    pub right: Stretch,
    /// Lines that are equal up to white space.
    pub exact: usize,
    /// Lines that are equal once names and literals are set aside.
    pub same_shape: usize,
    /// Places in both sequences where lines differ in names or literals alone.
    pub renamed: Vec<(usize, usize)>,
    /// Places in both sequences before which one side has lines that the other has not, or has otherwise.
    pub gaps: Vec<(usize, usize)>,
}

/// A stretch of a sequence: code lines `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch {
    /// Index of the sequence.
    pub sequence: usize,
    /// First code line.
    pub start: usize,
    /// One past the last code line.
    pub end: usize,
}

impl Stretch {
    /// Number of code lines.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.end == self.start
    }

    /// Code lines shared with `other`.
    pub fn overlap(self, other: Stretch) -> usize {
        if self.sequence != other.sequence {
            return 0;
        }
        self.end.min(other.end).saturating_sub(self.start.max(other.start))
    }
}

/// A run of equal windows: `left + k` says what `right + k` says, for `k < len`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    left: usize,
    right: usize,
    len: usize,
}

/// Every maximal clone of at least `min_lines` code lines, in order.
pub fn find(sequences: &[Sequence<'_>], min_lines: usize) -> Vec<Clone2> {
    let mut found = Vec::new();
    for ((left, right), starts) in matching_windows(sequences) {
        for chain in chains(runs(starts)) {
            let clone = measure(sequences, left, right, &chain);
            let apart = left != right || clone.left.end <= clone.right.start;
            if apart && clone.left.len().min(clone.right.len()) >= min_lines {
                found.push(clone);
            }
        }
    }
    found.sort();
    found
}

/// Starts of equal windows by pair of sequences.
fn matching_windows(sequences: &[Sequence<'_>]) -> BTreeMap<(usize, usize), Vec<(usize, usize)>> {
    let mut windows: FxHashMap<u64, Vec<(usize, usize)>> = FxHashMap::default();
    for (index, sequence) in sequences.iter().enumerate() {
        for (start, window) in sequence.lines.windows(WINDOW).enumerate() {
            let mut hasher = DefaultHasher::new();
            for line in window {
                line.shape.hash(&mut hasher);
            }
            windows.entry(hasher.finish()).or_default().push((index, start));
        }
    }
    let mut pairs: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for places in windows.into_values().filter(|places| (2..=MAX_OCCURRENCES).contains(&places.len())) {
        let reach = if places.len() <= ALL_PAIRS { places.len() } else { 1 };
        for (at, &(left, left_start)) in places.iter().enumerate() {
            for &(right, right_start) in places[at + 1..].iter().take(reach) {
                pairs.entry((left, right)).or_default().push((left_start, right_start));
            }
        }
    }
    pairs
}

/// Windows that follow each other on a diagonal, joined.
fn runs(mut starts: Vec<(usize, usize)>) -> Vec<Run> {
    starts.sort_by_key(|&(left, right)| (right.wrapping_sub(left), left));
    let mut runs: Vec<Run> = Vec::new();
    for (left, right) in starts {
        match runs.last_mut() {
            Some(run) if right.wrapping_sub(left) == run.right.wrapping_sub(run.left) && left <= run.left + run.len => {
                run.len = left + WINDOW - run.left;
            }
            _ => runs.push(Run { left, right, len: WINDOW }),
        }
    }
    runs.sort();
    runs
}

/// Runs that follow each other in both sequences with a small gap, joined.
fn chains(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut chains: Vec<Vec<Run>> = Vec::new();
    for run in runs {
        let follows = |chain: &Vec<Run>| {
            let last = chain.last().expect("a chain starts with a run");
            let gap = |start: usize, end: usize| start.checked_sub(end).is_some_and(|gap| gap <= MAX_GAP);
            // Windows next to a changed line overlap by a line or two: they are trimmed when measured.
            gap(run.left + 2, last.left + last.len) && gap(run.right + 2, last.right + last.len)
        };
        // Only the newest chains can be continued: runs come in the order of their left start.
        match chains.iter_mut().rev().take(16).find(|chain| follows(chain)) {
            Some(chain) => chain.push(run),
            None => chains.push(vec![run]),
        }
    }
    chains
}

fn measure(sequences: &[Sequence<'_>], left: usize, right: usize, chain: &[Run]) -> Clone2 {
    let (first, last) = (chain[0], chain[chain.len() - 1]);
    let stretch = |sequence: usize, start: usize, end: usize| Stretch { sequence, start, end };
    let mut clone = Clone2 {
        left: stretch(left, first.left, last.left + last.len),
        right: stretch(right, first.right, last.right + last.len),
        exact: 0,
        same_shape: 0,
        renamed: Vec::new(),
        gaps: Vec::new(),
    };
    let (mut left_at, mut right_at) = (first.left, first.right);
    for run in chain {
        if run.left > left_at || run.right > right_at {
            clone.gaps.push((left_at.min(run.left), right_at.min(run.right)));
        }
        let skip = left_at.saturating_sub(run.left).max(right_at.saturating_sub(run.right)).min(run.len);
        for offset in skip..run.len {
            let (a, b) = (sequences[left].lines[run.left + offset], sequences[right].lines[run.right + offset]);
            clone.same_shape += 1;
            if a.exact == b.exact {
                clone.exact += 1;
            } else {
                clone.renamed.push((run.left + offset, run.right + offset));
            }
        }
        (left_at, right_at) = (run.left + run.len, run.right + run.len);
    }
    clone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line a letter; capitals share the shape of their small letter and differ exactly.
    fn lines(text: &str) -> Vec<CodeLine> {
        text.chars()
            .zip(1..)
            .map(|(c, line)| CodeLine {
                line,
                exact: c as u32,
                shape: c.to_ascii_lowercase() as u32,
                bag: c as u32,
                tokens: 6,
            })
            .collect()
    }

    fn clones(texts: &[&str], min_lines: usize) -> Vec<(Stretch, Stretch, usize)> {
        let lines: Vec<Vec<CodeLine>> = texts.iter().map(|text| lines(text)).collect();
        let sequences: Vec<Sequence<'_>> = lines.iter().map(|lines| Sequence { lines }).collect();
        find(&sequences, min_lines).into_iter().map(|clone| (clone.left, clone.right, clone.exact)).collect()
    }

    #[test]
    fn copies_are_found_whole_and_once() {
        let left = Stretch { sequence: 0, start: 2, end: 12 };
        let right = Stretch { sequence: 1, start: 0, end: 10 };
        assert_eq!(clones(&["12abcdefghij34", "abcdefghij56"], 10), [(left, right, 10)]);
    }

    #[test]
    fn renamed_lines_keep_a_clone_together() {
        let left = Stretch { sequence: 0, start: 0, end: 10 };
        let right = Stretch { sequence: 1, start: 0, end: 10 };
        assert_eq!(clones(&["abcdefghij", "abCdefghIj"], 10), [(left, right, 8)]);
    }

    #[test]
    fn an_added_line_does_not_split_a_clone() {
        let left = Stretch { sequence: 0, start: 0, end: 14 };
        let right = Stretch { sequence: 1, start: 0, end: 15 };
        assert_eq!(clones(&["abcdefghijklmn", "abcdefg9hijklmn"], 10), [(left, right, 14)]);
    }

    #[test]
    fn repetition_within_itself_is_no_clone() {
        assert_eq!(clones(&["ababababababababab"], 10), []);
        assert_eq!(clones(&["abcdefghij12abcdefghij"], 10).len(), 1);
    }

    #[test]
    fn short_and_distant_matches_are_left_alone() {
        assert_eq!(clones(&["abcdefg", "abcdefg"], 10), []);
        assert_eq!(clones(&["abcdef123456ghijkl", "abcdef987654ghijkl"], 10), []);
    }
}
