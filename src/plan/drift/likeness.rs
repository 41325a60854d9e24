//! Likeness: how much of an excerpt stands in a file, line by line and in order, and which of its lines do not.

use super::{is_elision, locate, matches};
use crate::plan::Excerpt;
use crate::tree::Tree;

/// Pairs of lines that are compared at most; beyond, the file is too large to tell and counts as unlike.
const MAX_PAIRS: usize = 20_000_000;

/// How much of an excerpt stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// Lines found, in order.
    pub found: usize,
    /// Lines there are, without elisions and lines of brackets alone.
    pub of: usize,
    /// Lines that were not found: how far below the excerpt's first line (0-based), and their text.
    pub missing: Vec<(usize, String)>,
}

impl Likeness {
    /// Whether at least this share of the lines was found; an excerpt without lines is all there.
    pub fn is_at_least(&self, percent: usize) -> bool {
        self.found * 100 >= self.of * percent
    }
}

/// How much of `excerpt` stands in the file it names; nothing when the file is not in `tree`.
pub fn likeness(excerpt: &Excerpt, tree: &dyn Tree) -> Likeness {
    let file = excerpt.file.as_deref().and_then(|named| locate(named, tree));
    let text = file.and_then(|file| tree.text(&file)).unwrap_or_default();
    let there: Vec<&str> = text.lines().map(str::trim).filter(|line| tells(line)).collect();
    let quoted: Vec<(usize, &str)> =
        excerpt.text.lines().map(str::trim).enumerate().filter(|(_, line)| tells(line) && !is_elision(line)).collect();
    let kept = if quoted.len() * there.len() > MAX_PAIRS { vec![false; quoted.len()] } else { common(&quoted, &there) };
    let missing = quoted.iter().zip(&kept).filter(|(_, kept)| !**kept).map(|((at, line), _)| (*at, (*line).to_owned()));
    Likeness { found: kept.iter().filter(|kept| **kept).count(), of: quoted.len(), missing: missing.collect() }
}

/// A line of brackets alone stands everywhere.
fn tells(line: &str) -> bool {
    line.contains(|c: char| c.is_alphanumeric())
}

/// Which of the quoted lines belong to the longest common subsequence with the lines of the file.
fn common(quoted: &[(usize, &str)], there: &[&str]) -> Vec<bool> {
    let width = there.len() + 1;
    let same: Vec<bool> =
        quoted.iter().flat_map(|(_, line)| there.iter().map(move |other| matches(line, other))).collect();
    let mut longest = vec![0u32; (quoted.len() + 1) * width];
    for row in (0..quoted.len()).rev() {
        for column in (0..there.len()).rev() {
            longest[row * width + column] = if same[row * there.len() + column] {
                longest[(row + 1) * width + column + 1] + 1
            } else {
                longest[(row + 1) * width + column].max(longest[row * width + column + 1])
            };
        }
    }
    let mut kept = vec![false; quoted.len()];
    let (mut row, mut column) = (0, 0);
    while row < quoted.len() && column < there.len() {
        if same[row * there.len() + column] {
            kept[row] = true;
            row += 1;
            column += 1;
        } else if longest[(row + 1) * width + column] >= longest[row * width + column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lint::tests::MemoryTree;

    fn of(text: &str) -> Likeness {
        let tree = MemoryTree::of(&[("src/a.ts", "one\n  two {\n}\n\nthree\nfour\n}\nfive\n")]);
        likeness(&Excerpt { file: Some("src/a.ts".to_owned()), text: text.to_owned(), ..Excerpt::default() }, &tree)
    }

    #[test]
    fn lines_are_counted_in_order_and_elisions_and_brackets_are_not() {
        let missing = vec![(2, "drei".to_owned())];
        assert_eq!(of("two {\n}\ndrei\n// ...\nfive"), Likeness { found: 2, of: 3, missing });
        assert_eq!(of("four\none\ntwo {").found, 2);
        assert!(of("one\ntwo {\nthree\nfour\n5").is_at_least(80));
        assert!(!of("one\ntwo {\nthree\n4\n5").is_at_least(80));
    }

    #[test]
    fn a_file_that_is_gone_holds_no_line() {
        let tree = MemoryTree::of(&[]);
        let excerpt = Excerpt { file: Some("b.ts".to_owned()), text: "x".to_owned(), ..Excerpt::default() };
        assert_eq!(likeness(&excerpt, &tree), Likeness { found: 0, of: 1, missing: vec![(0, "x".to_owned())] });
    }
}
