//! Texts beside the source: configuration, pages, scripts and the like, read once an audit, for rules that must know whether
//! anything names a file or a package.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use rayon::prelude::*;

use crate::map::classify::LOCKFILES;
use crate::repo_map::{RepoMap, SkipReason};
use crate::tree::Tree;

/// Bytes of one text: what is larger is data.
const MAX_BYTES: u64 = 1 << 20;
/// Bytes of all texts: beyond, nobody can say that nothing names a thing.
const MAX_TOTAL: u64 = 64 << 20;

/// Letters of words that are looked for by a table: about as many states of some 100 bytes each.
const MAX_IN_TABLE: usize = 1 << 16;

/// Words that may have bytes by which to skip text without any of them.
const FEW: usize = 8;

/// Prose, pictures and data: to be named there keeps nothing alive.
const SILENT: &[&str] = &[
    ".md",
    ".markdown",
    ".txt",
    ".rst",
    ".adoc",
    ".svg",
    ".csv",
    ".tsv",
    ".snap",
    ".po",
    ".pot",
    ".map",
    ".geojson",
    ".ipynb",
    ".patch",
    ".diff",
    ".log",
];

/// The texts of a repository that are no source code.
#[derive(Debug, Default)]
pub struct Texts {
    /// Path and text, sorted by path.
    pub files: Vec<(String, String)>,
    /// Some could not be read: silence about a name proves nothing.
    pub incomplete: bool,
}

impl Texts {
    /// Reads them.
    pub fn read(map: &RepoMap, tree: &dyn Tree) -> Texts {
        let Ok(entries) = tree.entries() else { return Texts { incomplete: true, ..Texts::default() } };
        let generated: BTreeSet<&str> = map
            .skipped
            .iter()
            .filter(|file| file.reason == SkipReason::Generated && !file.path.ends_with(".map"))
            .map(|file| file.path.as_str())
            .collect();
        let wanted: Vec<&str> = entries
            .iter()
            .filter(|entry| {
                let path = entry.path.as_str();
                let name = path.rsplit('/').next().unwrap_or(path);
                let is_other = map.other_files.binary_search_by(|other| other.as_str().cmp(path)).is_ok();
                entry.bytes <= MAX_BYTES
                    && (is_other || generated.contains(path))
                    && !LOCKFILES.contains(&name)
                    && !SILENT.iter().any(|end| name.ends_with(end))
            })
            .map(|entry| entry.path.as_str())
            .collect();
        let total: u64 = entries
            .iter()
            .filter(|entry| wanted.binary_search(&entry.path.as_str()).is_ok())
            .map(|entry| entry.bytes)
            .sum();
        if total > MAX_TOTAL {
            return Texts { incomplete: true, ..Texts::default() };
        }
        let files =
            wanted.into_par_iter().filter_map(|path| Some((path.to_owned(), tree.text(path)?))).collect::<Vec<_>>();
        Texts { files, incomplete: false }
    }
}

/// Words to be looked for in many texts at once.
pub struct Needles {
    finder: AhoCorasick,
}

impl Needles {
    /// For `words`.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Needles> {
        let words: Vec<&str> = words.into_iter().collect();
        // Every source file is read for them: an automaton twice as fast is worth some megabytes, not some hundred.
        let kind = (words.iter().map(|word| word.len()).sum::<usize>() < MAX_IN_TABLE).then_some(AhoCorasickKind::DFA);
        // With many words a byte that stands in one of them is never far: looking for it first takes longer than looking at all of them.
        let has_rare_bytes = words.len() <= FEW;
        Some(Needles { finder: AhoCorasick::builder().kind(kind).prefilter(has_rare_bytes).build(words).ok()? })
    }

    /// The words that occur in `text` at a place (what is before and after it is given) that `accepts` takes. A word without letters
    /// occurs in every text.
    pub fn found_in(&self, text: &str, accepts: &dyn Fn(usize, &str, &str) -> bool) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for hit in self.finder.find_overlapping_iter(text) {
            let word = hit.pattern().as_usize();
            // A hit within a multi-byte character cannot be: words start and end at character boundaries.
            if !found.contains(&word) && (hit.is_empty() || accepts(word, &text[..hit.start()], &text[hit.end()..])) {
                found.insert(word);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_are_accepted() {
        let needles = Needles::new(["order", "ordering", "price"]).expect("three words");
        let found = needles.found_in("é ordering", &|_, before, _| before.ends_with(' '));
        assert_eq!(found, BTreeSet::from([0, 1]));
        assert!(needles.found_in("reorder", &|_, before, _| before.is_empty()).is_empty());
    }

    #[test]
    fn an_empty_word_is_in_every_text() {
        let needles = Needles::new(["", "price"]).expect("two words");
        assert_eq!(needles.found_in("é", &|_, _, _| false), BTreeSet::from([0]));
    }
}
