//! Two stretches side by side: which lines are equal, which differ in names alone, and what only one of them has.

use std::ops::Range;

use crate::repo_map::facts::CodeLine;

/// Cells of the table that is filled to align two stretches. Our choice: two thousand lines each.
const MAX_CELLS: usize = 4_000_000;
/// What a pair of lines is worth: two pairs alike but for their names are more than one equal pair, three equal pairs more
/// than four of those.
const EQUAL: u32 = 3;
const RENAMED: u32 = 2;

/// What two stretches share, and where they part. Places are indices into the lines compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Lines of the left side that the right side holds too, broken into lines alike or not.
    pub equal: usize,
    /// Lines that differ in names or literals alone.
    pub renamed: Vec<(usize, usize)>,
    /// What stands between: lines of one side, of the other, or of both. Never two ranges that say the same.
    pub apart: Vec<(Range<usize>, Range<usize>)>,
}

/// Aligns two stretches line by line.
pub fn compare(left: &[CodeLine], right: &[CodeLine]) -> Comparison {
    let mut found = Comparison::default();
    let (mut a, mut b) = (0, 0);
    for (x, y) in aligned(left, right).into_iter().chain([(left.len(), right.len())]) {
        if x > a || y > b {
            let (own, other) = (&left[a..x], &right[b..y]);
            if bag(own) == bag(other) {
                found.equal += own.len();
            } else {
                found.apart.push((a..x, b..y));
            }
        }
        if let (Some(own), Some(other)) = (left.get(x), right.get(y)) {
            if own.exact == other.exact {
                found.equal += 1;
            } else {
                found.renamed.push((x, y));
            }
        }
        (a, b) = (x + 1, y + 1);
    }
    found
}

fn bag(lines: &[CodeLine]) -> u32 {
    lines.iter().fold(0, |sum: u32, line| sum.wrapping_add(line.bag))
}

/// Pairs of lines of equal shape in the order of both sides, worth most together.
pub fn aligned(left: &[CodeLine], right: &[CodeLine]) -> Vec<(usize, usize)> {
    let worth = |a: &CodeLine, b: &CodeLine| match (a.exact == b.exact, a.shape == b.shape) {
        (true, _) => EQUAL,
        (false, true) => RENAMED,
        (false, false) => 0,
    };
    let width = right.len() + 1;
    if (left.len() + 1) * width > MAX_CELLS {
        return left
            .iter()
            .zip(right)
            .take_while(|(a, b)| worth(a, b) > 0)
            .enumerate()
            .map(|(at, _)| (at, at))
            .collect();
    }
    let mut best = vec![0_u32; (left.len() + 1) * width];
    for a in (0..left.len()).rev() {
        for b in (0..right.len()).rev() {
            let paired = match worth(&left[a], &right[b]) {
                0 => 0,
                worth => worth + best[(a + 1) * width + b + 1],
            };
            best[a * width + b] = paired.max(best[(a + 1) * width + b]).max(best[a * width + b + 1]);
        }
    }
    let mut pairs = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < left.len() && b < right.len() {
        let here = best[a * width + b];
        let worth = worth(&left[a], &right[b]);
        if worth > 0 && here == worth + best[(a + 1) * width + b + 1] {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if here == best[(a + 1) * width + b] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line a word; capitals share the shape of their small letters. A line is the sum of its letters.
    fn lines(text: &str) -> Vec<CodeLine> {
        let hash =
            |text: &str| text.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        text.split(' ')
            .zip(1..)
            .map(|(word, line)| CodeLine {
                line,
                exact: hash(word),
                shape: hash(&word.to_ascii_lowercase()),
                bag: word.bytes().map(u32::from).sum(),
                tokens: 6,
            })
            .collect()
    }

    #[test]
    fn lines_that_only_one_side_has_are_told_from_renamed_ones() {
        let found = compare(&lines("a b c d e"), &lines("a b x c D e"));
        assert_eq!(found, Comparison { equal: 4, renamed: vec![(3, 4)], apart: vec![(2..2, 2..3)] });
    }

    #[test]
    fn a_statement_broken_into_other_lines_is_equal() {
        let found = compare(&lines("a bcd e"), &lines("a b cd e"));
        assert_eq!(found, Comparison { equal: 3, renamed: vec![], apart: vec![] });
    }

    #[test]
    fn an_end_that_differs_is_apart() {
        assert_eq!(compare(&lines("a b"), &lines("a c d")).apart, [(1..2, 1..3)]);
    }
}
