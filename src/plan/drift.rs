//! Drift: where an excerpt stands now. Found by content; line numbers are hints.

use std::sync::LazyLock;

use regex::Regex;

use super::Excerpt;
use crate::tree::{EntryKind, Tree};

pub mod likeness;

/// Lines that a cited number may be off without anything having moved: one in eight public plans cites that loosely.
const TOLERANCE: u32 = 3;

/// What became of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// It stands where the plan says, or the plan cites no line.
    Untouched,
    /// Its text stands elsewhere in the file.
    Moved {
        /// First line now.
        to: u32,
    },
    /// The file is there, the text is not.
    Changed {
        /// The file.
        file: String,
        /// Lines of the excerpt that were found in order.
        found: usize,
        /// Lines of the excerpt, blank ones and elisions left out.
        of: usize,
        /// The first line that was not found.
        missing: String,
    },
    /// The file is not there.
    Missing {
        /// The file.
        file: String,
    },
    /// The plan does not say where it is from.
    Unlocatable,
}

static SECRET_MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[secret:[\w-]+\]").expect("a constant pattern"));

/// Where `excerpt` stands in `tree`. Indentation, blank lines and elisions (`…`, `// ...`) make no difference; a secret's mark
/// matches anything.
pub fn drift(excerpt: &Excerpt, tree: &dyn Tree) -> Drift {
    let Some(named) = &excerpt.file else { return Drift::Unlocatable };
    let Some(file) = locate(named, tree) else { return Drift::Missing { file: named.clone() } };
    let Some(text) = tree.text(&file) else { return Drift::Missing { file } };
    let lines: Vec<(u32, &str)> = text
        .lines()
        .zip(1..)
        .map(|(line, number)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let quoted: Vec<&str> = excerpt.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let segments: Vec<&[&str]> = quoted.split(|line| is_elision(line)).filter(|segment| !segment.is_empty()).collect();
    let hint = excerpt.lines.map(|(start, _)| start);
    let found = find_segments(&lines, &segments, hint).or_else(|| find_in_order(&lines, &segments));
    match found {
        Some(to) if hint.is_none_or(|hint| to.abs_diff(hint) <= TOLERANCE) => Drift::Untouched,
        Some(to) => Drift::Moved { to },
        None if segments.is_empty() => Drift::Untouched,
        None => {
            let (found, missing) = count_in_order(&lines, &segments);
            let of = segments.iter().map(|segment| segment.len()).sum();
            Drift::Changed { file, found, of, missing }
        }
    }
}

/// The path of `named` in `tree`: itself, or the one file whose path ends with it.
pub fn locate(named: &str, tree: &dyn Tree) -> Option<String> {
    if tree.is_file(named) {
        return Some(named.to_owned());
    }
    let suffix = format!("/{}", named.trim_start_matches("./").trim_start_matches('/'));
    let mut matching =
        tree.entries().ok()?.into_iter().filter(|entry| entry.kind == EntryKind::File && entry.path.ends_with(&suffix));
    let first = matching.next()?.path;
    matching.next().is_none().then_some(first)
}

/// A line that stands for lines left out.
fn is_elision(line: &str) -> bool {
    let inner = line.trim_start_matches(['/', '*', '#', '{', '<', '!', '-', '(', '[', ' ', '"']);
    (inner.starts_with("...") || inner.starts_with('…'))
        // `...rest` and `...args,` are code.
        && !inner.trim_start_matches("...").starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '(' | '['))
}

fn matches(quoted: &str, line: &str) -> bool {
    if quoted == line {
        return true;
    }
    if quoted.contains("[secret:") {
        let pieces: Vec<&str> = SECRET_MARK.split(quoted).collect();
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return false };
        return line.len() >= first.len() + last.len() && line.starts_with(first) && line.ends_with(last);
    }
    // A remark that the planner added behind the code.
    [" //", " #", " ←", " <--", " --"].iter().any(|mark| {
        quoted.rfind(mark).is_some_and(|at| !quoted[..at].trim().is_empty() && quoted[..at].trim_end() == line)
    })
}

/// Every segment whole and in order; the first one as near to `hint` as possible. Gives the first line.
fn find_segments(lines: &[(u32, &str)], segments: &[&[&str]], hint: Option<u32>) -> Option<u32> {
    let (first, rest) = segments.split_first()?;
    let starts = |segment: &[&str], from: usize| -> Vec<usize> {
        let last = lines.len().saturating_sub(segment.len().saturating_sub(1));
        (from..last)
            .filter(|start| segment.iter().zip(&lines[*start..]).all(|(quoted, (_, line))| matches(quoted, line)))
            .collect()
    };
    let mut candidates = starts(first, 0);
    candidates.sort_by_key(|start| hint.map_or(0, |hint| lines[*start].0.abs_diff(hint)));
    candidates.into_iter().find_map(|start| {
        let mut from = start + first.len();
        for segment in rest {
            from = starts(segment, from).first()? + segment.len();
        }
        Some(lines[start].0)
    })
}

/// Every line in order, with others between: an excerpt abridged without a mark.
fn find_in_order(lines: &[(u32, &str)], segments: &[&[&str]]) -> Option<u32> {
    let total: usize = segments.iter().map(|segment| segment.len()).sum();
    // Short lines such as `}` are found anywhere: an abridged excerpt needs substance.
    if total < 3 {
        return None;
    }
    let mut from = 0;
    let mut first = None;
    for quoted in segments.iter().flat_map(|segment| segment.iter()) {
        let at = (from..lines.len()).find(|index| matches(quoted, lines[*index].1))?;
        first = first.or(Some(lines[at].0));
        from = at + 1;
    }
    first
}

fn count_in_order(lines: &[(u32, &str)], segments: &[&[&str]]) -> (usize, String) {
    let (mut from, mut count, mut missing) = (0, 0, String::new());
    for quoted in segments.iter().flat_map(|segment| segment.iter()) {
        match (from..lines.len()).find(|index| matches(quoted, lines[*index].1)) {
            Some(at) => {
                count += 1;
                from = at + 1;
            }
            None if missing.is_empty() => missing = (*quoted).to_owned(),
            None => {}
        }
    }
    (count, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lint::tests::MemoryTree;

    fn state(text: &str, lines: Option<(u32, u32)>) -> Drift {
        let tree = MemoryTree::of(&[("src/a.ts", "one\n  two\n\n  three\nkey = 'hunter2';\nfour\n}\n")]);
        let excerpt = Excerpt { file: Some("src/a.ts".to_owned()), lines, text: text.to_owned(), ..Excerpt::default() };
        drift(&excerpt, &tree)
    }

    #[test]
    fn text_is_found_by_content() {
        assert_eq!(state("two\nthree", Some((2, 4))), Drift::Untouched);
        assert_eq!(state("two\nthree", None), Drift::Untouched);
        assert_eq!(state("two\nthree", Some((40, 42))), Drift::Moved { to: 2 });
        assert_eq!(state("one\n// ...\nfour", Some((1, 6))), Drift::Untouched);
        assert_eq!(state("one\nthree\nfour", Some((1, 6))), Drift::Untouched);
        assert_eq!(state("key = [secret:password];", None), Drift::Untouched);
        assert_eq!(state("two // the culprit", None), Drift::Untouched);
    }

    #[test]
    fn what_is_gone_is_named() {
        let changed = Drift::Changed { file: "src/a.ts".to_owned(), found: 1, of: 2, missing: "zwei".to_owned() };
        assert_eq!(state("one\nzwei", Some((1, 2))), changed);
        let tree = MemoryTree::of(&[]);
        let excerpt = Excerpt { file: Some("b.ts".to_owned()), text: "x".to_owned(), ..Excerpt::default() };
        assert_eq!(drift(&excerpt, &tree), Drift::Missing { file: "b.ts".to_owned() });
        assert_eq!(drift(&Excerpt::default(), &tree), Drift::Unlocatable);
    }

    #[test]
    fn a_bare_file_name_is_found_when_it_is_the_only_one() {
        let tree = MemoryTree::of(&[("src/a.ts", "x\n"), ("src/b.ts", ""), ("lib/b.ts", "")]);
        assert_eq!(locate("a.ts", &tree).as_deref(), Some("src/a.ts"));
        assert_eq!(locate("b.ts", &tree), None);
    }
}
