//! Which files the commits of late touched: one walk with a bound, and none where the answer is already in the cache.
//!
//! The walk is our own. libgit2's, asked for an order, reads every commit down to the root before it gives the first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::Path;

use git2::Oid;

use super::{CommitId, GitError, Repository};
use crate::progress::Progress;

mod compare;
mod lines;
mod log;
mod stored;
mod touches;

use compare::Trees;
pub use lines::PastOfLines;
pub use touches::Touches;
use touches::{Change, Id, Interner, Touching};

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Commits compared at most.
    pub commits: usize,
    /// Seconds before the newest commit.
    pub age: i64,
}

impl Default for HistoryLimits {
    /// 2,000 commits and two years: our choice, under a second on a repository of 700,000 lines.
    fn default() -> Self {
        Self { commits: 2_000, age: 730 * DAY }
    }
}

pub(super) const DAY: i64 = 24 * 60 * 60;
/// Touches read at most, so that commits which touch everything cannot fill the memory: 16 MB. Our choice.
const MAX_TOUCHES: usize = 4_000_000;
/// Commits visited for each one compared: a history of merges alone must not be walked to its root.
const VISITS: usize = 4;

impl Repository {
    /// What the commits before `commit` touched. Merges are walked through but not counted: what they bring is counted where
    /// it was made. A rename begins a new file.
    ///
    /// What was read is kept in the file `cache`, and the next walk reads only commits that are new to it. The answer is the
    /// same without it: the file holds commits, which never change, and no sums, which do as the window moves on.
    pub fn history(
        &self,
        commit: &CommitId,
        limits: HistoryLimits,
        cache: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Touches, GitError> {
        progress.phase("history", None);
        let head: Id = self.oid(commit)?.into();
        let roots = self.roots();
        let known = cache.and_then(|file| stored::load(file, roots)).unwrap_or_default();
        if known.is_of(head, limits) {
            return Ok(known);
        }
        // Corrupt objects are `git fsck`'s business; hashing each again costs a third of the walk.
        git2::opts::strict_hash_verification(false);
        let mut walk = Walk::new(&self.inner, &known);
        walk.run(head, limits, progress).map_err(|stop| match stop {
            Stop::Cancelled => GitError::Cancelled,
            Stop::NoCommit => GitError::NoSuchCommit { revision: commit.as_str().to_owned() },
            Stop::Failed(error) => self.failed(&error),
        })?;
        let whole = walk.whole;
        let touches = walk.finish(head, limits);
        if whole && let Some(file) = cache {
            // A cache that cannot be written costs the next run some time and nothing else.
            let _ = stored::save(file, &touches, roots);
        }
        Ok(touches)
    }

    /// A number that changes when commits get other parents than they were made with: where a shallow clone ends, and grafts.
    fn roots(&self) -> u64 {
        let read = |name: &str| std::fs::read(self.inner.commondir().join(name)).unwrap_or_default();
        xxhash_rust::xxh3::xxh3_64(&[read("shallow"), read("info/grafts")].join(&0))
    }
}

/// Why a walk ended early.
enum Stop {
    Cancelled,
    NoCommit,
    Failed(git2::Error),
}

/// A walk over commits, the newest first.
struct Walk<'a> {
    repository: &'a git2::Repository,
    shallow: bool,
    known: &'a Touches,
    place: HashMap<Id, u32>,
    seen: HashSet<Id>,
    /// By time; among equals the one met first.
    queue: BinaryHeap<(i64, Reverse<usize>)>,
    met: Vec<Met<'a>>,
    interner: Interner<'a>,
    trees: Trees,
    commits: Vec<Touching>,
    /// No object was missing: only then will another walk see the same.
    whole: bool,
}

enum Met<'a> {
    Known(u32),
    Read(git2::Commit<'a>),
}

impl<'a> Walk<'a> {
    fn new(repository: &'a git2::Repository, known: &'a Touches) -> Self {
        Self {
            repository,
            shallow: repository.is_shallow(),
            known,
            place: known.commits.iter().zip(0..).map(|(commit, index)| (commit.id, index)).collect(),
            seen: HashSet::new(),
            queue: BinaryHeap::new(),
            met: Vec::new(),
            interner: Interner::new(known),
            trees: Trees::default(),
            commits: Vec::new(),
            whole: true,
        }
    }

    fn run(&mut self, head: Id, limits: HistoryLimits, progress: &dyn Progress) -> Result<(), Stop> {
        self.meet(head);
        let newest = self.queue.peek().ok_or(Stop::NoCommit)?.0;
        let mut compared = 0;
        while let Some((time, Reverse(index))) = self.queue.pop() {
            if progress.cancelled() {
                return Err(Stop::Cancelled);
            }
            let enough = compared >= limits.commits
                || self.commits.len() / VISITS >= limits.commits
                || self.interner.touches.len() >= MAX_TOUCHES;
            if enough || newest.saturating_sub(time) > limits.age {
                break;
            }
            let touching = match &self.met[index] {
                Met::Known(place) => self.interner.again(&self.known.commits[*place as usize]),
                Met::Read(commit) => match self.read(&commit.clone())? {
                    Some(touching) => touching,
                    None => break,
                },
            };
            compared += usize::from(touching.change.is_some());
            for parent in &touching.parents {
                self.meet(*parent);
            }
            self.commits.push(touching);
            progress.tick(1);
        }
        Ok(())
    }

    /// Puts a commit in the queue, once. A shallow clone ends in commits whose parents are absent: they are passed over.
    fn meet(&mut self, id: Id) {
        if !self.seen.insert(id) {
            return;
        }
        let (time, met) = match self.place.get(&id) {
            Some(&place) => (self.known.commits[place as usize].time, Met::Known(place)),
            None => match self.repository.find_commit(id.into()) {
                Ok(commit) => (commit.time().seconds(), Met::Read(commit)),
                Err(_) => {
                    self.whole = false;
                    return;
                }
            },
        };
        self.queue.push((time, Reverse(self.met.len())));
        self.met.push(met);
    }

    /// What `commit` touched; `None` where the objects to tell end, as in a clone that holds only the newest trees.
    fn read(&mut self, commit: &git2::Commit<'_>) -> Result<Option<Touching>, Stop> {
        let mut touching = Touching {
            id: commit.id().into(),
            time: commit.time().seconds(),
            parents: commit.parent_ids().map(Id::from).collect(),
            change: None,
        };
        let before = match touching.parents.as_slice() {
            // The first commit of a shallow clone seems to add every file; it says nothing about them.
            [] if self.shallow => return Ok(Some(touching)),
            [] => None,
            [parent] => match self.tree_of(*parent) {
                Some(tree) => Some(tree),
                None => {
                    self.whole = false;
                    return Ok(Some(touching));
                }
            },
            _ => return Ok(Some(touching)),
        };
        let start = self.interner.touches.len();
        let (interner, trees) = (&mut self.interner, &mut self.trees);
        let outcome = self.repository.odb().and_then(|odb| {
            compare::touched(&odb, trees, before, commit.tree_id(), &mut Vec::new(), &mut |path| interner.touch(path))
        });
        match outcome {
            Ok(()) => {}
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                self.interner.touches.truncate(start);
                self.whole = false;
                return Ok(None);
            }
            Err(error) => return Err(Stop::Failed(error)),
        }
        let author = self.interner.author(&commit.author().email_bytes().to_ascii_lowercase());
        touching.change = Some(Change { author, touches: start..self.interner.touches.len() });
        Ok(Some(touching))
    }

    fn tree_of(&self, commit: Id) -> Option<Oid> {
        let tree = self.repository.find_commit(commit.into()).ok()?.tree_id();
        self.repository.odb().is_ok_and(|odb| odb.exists(tree)).then_some(tree)
    }

    fn finish(self, head: Id, limits: HistoryLimits) -> Touches {
        self.interner.finish(self.commits, head, limits)
    }
}

#[cfg(test)]
mod tests;
