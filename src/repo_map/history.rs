//! What git's history says of files, and of files together.

use serde::{Deserialize, Serialize};

use super::facts::Lines;
use super::{FileHistory, FileId, SourceFile};

/// What the history says of the files of a tree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Files that the history knows, sorted by path.
    pub files: Vec<(String, FileHistory)>,
    /// Files that changed together at least twice, sorted.
    pub pairs: Vec<PathPair>,
}

/// Two files that change together, as places in [`History::files`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathPair {
    /// The first by path.
    pub one: u32,
    /// The other.
    pub other: u32,
    /// See [`CoChangePair::together`].
    pub together: u32,
    /// See [`CoChangePair::strength`].
    pub strength: f64,
}

/// Which source files change together: what a change to one of them has usually meant for others, calls or no calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CoChange {
    /// Pairs, sorted by `one`, then by `other`.
    pub pairs: Vec<CoChangePair>,
}

/// Two source files that change together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoChangePair {
    /// The file with the lower id.
    pub one: FileId,
    /// The other.
    pub other: FileId,
    /// Commits that touched both, those left out that touched very many files.
    pub together: u32,
    /// From 0 to 1: the cosine of the two files over commits, recent commits weighing more.
    pub strength: f64,
}

/// The commits behind a history: who changed which source files, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Commits that touched source files, the newest first; merges are left out.
    pub commits: Vec<Commit>,
    /// The walk ended before the history did: older commits are not among them.
    pub bounded: bool,
}

/// One commit that touched source files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Unix time in seconds.
    pub time: i64,
    /// The author's name, by `.mailmap` where there is one.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// Source files it touched, sorted.
    pub files: Vec<FileId>,
}

/// What git can say of single lines, for whoever asks: it is too much to be read of every file.
pub trait LineHistory: std::fmt::Debug + Send + Sync {
    /// Commits of the 90 days before the newest one that changed one of `lines` of the file at `path`, which reads `text` now. Merges
    /// are not counted. `None` where it cannot be told.
    fn commits(&self, path: &str, text: &str, lines: Lines) -> Option<u32>;
}

/// Pairs kept of one file, the strongest: memory grows with files, not with their square. Our choice.
const PAIRS_OF_A_FILE: usize = 32;

impl History {
    /// What it says of the file at `path`.
    pub fn of(&self, path: &str) -> Option<&FileHistory> {
        let index = self.files.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        Some(&self.files[index].1)
    }

    /// The pairs of which both are among `files`, which are sorted by path.
    pub fn co_change(&self, files: &[SourceFile]) -> CoChange {
        let mut known = self.files.iter().zip(0_u32..).peekable();
        let mut ids: Vec<Option<FileId>> = vec![None; self.files.len()];
        for (file, id) in files.iter().zip(0..) {
            while known.next_if(|((path, _), _)| *path < file.path).is_some() {}
            if let Some((_, index)) = known.next_if(|((path, _), _)| *path == file.path) {
                ids[index as usize] = Some(id);
            }
        }
        let pairs = self.pairs.iter().filter_map(|pair| {
            let (one, other) = (ids[pair.one as usize]?, ids[pair.other as usize]?);
            Some(CoChangePair { one, other, together: pair.together, strength: pair.strength })
        });
        CoChange { pairs: strongest(pairs.collect(), files.len()) }
    }
}

impl FromIterator<(String, FileHistory)> for History {
    /// A history of files, without pairs.
    fn from_iter<I: IntoIterator<Item = (String, FileHistory)>>(files: I) -> Self {
        let mut files: Vec<(String, FileHistory)> = files.into_iter().collect();
        files.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self { files, pairs: Vec::new() }
    }
}

/// Leaves out pairs that are among the strongest of neither file.
fn strongest(pairs: Vec<CoChangePair>, files: usize) -> Vec<CoChangePair> {
    let mut pairs_of: Vec<Vec<u32>> = vec![Vec::new(); files];
    for (pair, index) in pairs.iter().zip(0..) {
        pairs_of[pair.one as usize].push(index);
        pairs_of[pair.other as usize].push(index);
    }
    let mut keep = vec![false; pairs.len()];
    for mut own in pairs_of {
        if own.len() > PAIRS_OF_A_FILE {
            own.sort_by(|&left, &right| {
                let (left_pair, right_pair) = (&pairs[left as usize], &pairs[right as usize]);
                right_pair.strength.total_cmp(&left_pair.strength).then(left.cmp(&right))
            });
        }
        for index in own.into_iter().take(PAIRS_OF_A_FILE) {
            keep[index as usize] = true;
        }
    }
    pairs.into_iter().zip(keep).filter_map(|(pair, keep)| keep.then_some(pair)).collect()
}
