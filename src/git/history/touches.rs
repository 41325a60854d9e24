//! Commits and the files they touched, and what follows from them for each file.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{DAY, HistoryLimits};
use crate::repo_map::FileHistory;
use crate::repo_map::history::{History, PathPair};

/// Churn predicts defects (Nagappan & Ball, ICSE 2005); 90 days is our choice.
pub(super) const CHURN_WINDOW: i64 = 90 * DAY;
/// Commits that touch more files say nothing about any two of them: renames, formatting, licence headers, whole new packages.
/// They would also make most of the pairs: 1,000 files are half a million. Our choice, as is usual in the literature on co-change.
const MAX_FILES_OF_A_PAIRING_COMMIT: usize = 30;
/// Once together is chance.
const MIN_TOGETHER: u32 = 2;
/// After so many seconds a commit weighs half as much as today's. Our choice.
const HALF_WEIGHT_AGE: i64 = 180 * DAY;

/// A commit's id in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Id(pub [u8; 20]);

impl From<git2::Oid> for Id {
    fn from(oid: git2::Oid) -> Self {
        let mut id = [0; 20];
        for (to, from) in id.iter_mut().zip(oid.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }
}

impl From<Id> for git2::Oid {
    fn from(id: Id) -> Self {
        git2::Oid::from_bytes(&id.0).expect("an id has 20 bytes")
    }
}

/// The commits of a walk and what they touched.
#[derive(Debug, Default, PartialEq)]
pub struct Touches {
    pub(super) head: Id,
    pub(super) limits: Option<HistoryLimits>,
    pub(super) paths: Paths,
    /// Addresses in lower case, in the order in which the walk met them.
    pub(super) authors: Vec<Vec<u8>>,
    /// The newest first.
    pub(super) commits: Vec<Touching>,
    /// Paths touched, commit after commit, ascending within each.
    pub(super) touches: Vec<u32>,
}

/// One commit.
#[derive(Debug, PartialEq)]
pub(super) struct Touching {
    pub id: Id,
    pub time: i64,
    pub parents: Vec<Id>,
    /// `None` for a commit that is not counted: a merge, the end of a shallow clone.
    pub change: Option<Change>,
}

/// What a commit changed, and who made it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub author: u32,
    pub touches: Range<usize>,
}

/// Paths one after another in a single text, sorted: thousands of small allocations less.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Paths {
    pub bytes: Vec<u8>,
    pub ends: Vec<u32>,
}

impl Paths {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, index: u32) -> &[u8] {
        let index = index as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    pub fn push(&mut self, path: &[u8]) {
        self.bytes.extend_from_slice(path);
        self.ends.push(self.bytes.len() as u32);
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len() as u32).map(|index| self.get(index))
    }
}

impl Touches {
    pub(super) fn is_of(&self, head: Id, limits: HistoryLimits) -> bool {
        self.head == head && self.limits == Some(limits)
    }

    /// Every path touched that is UTF-8, sorted; files that are gone since included.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|path| std::str::from_utf8(path).ok())
    }

    /// What follows for the files `present`, which are sorted.
    pub fn history<'a>(&self, present: impl Iterator<Item = &'a str>) -> History {
        let Some(newest) = self.commits.first().map(|commit| commit.time) else { return History::default() };
        let (files, place) = self.join(present);
        let mut history: Vec<FileHistory> = vec![FileHistory::default(); files.len()];
        let mut counted: Vec<(&Touching, &Change)> =
            self.commits.iter().filter_map(|commit| Some((commit, commit.change.as_ref()?))).collect();
        let pairs = self.pairs(&counted, newest, &place, files.len());

        // One author after another, so that remembering the last one is enough to count each once.
        counted.sort_by_key(|(_, change)| change.author);
        let mut last_author = vec![u32::MAX; files.len()];
        for (commit, change) in counted {
            for &path in &self.touches[change.touches.clone()] {
                let Some(index) = place[path as usize] else { continue };
                let index = index as usize;
                let file = &mut history[index];
                file.churn_90d += u32::from(newest.saturating_sub(commit.time) <= CHURN_WINDOW);
                file.last_change = Some(file.last_change.map_or(commit.time, |last| last.max(commit.time)));
                file.authors += u32::from(last_author[index] != change.author);
                last_author[index] = change.author;
            }
        }
        let files = files.into_iter().map(str::to_owned).zip(history).collect();
        History { files, pairs }
    }

    /// The touched among `present`, and the place of each path among them.
    fn join<'a>(&self, present: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<Option<u32>>) {
        let mut files = Vec::new();
        let mut place = vec![None; self.paths.len()];
        let mut paths = self.paths.iter().zip(&mut place).peekable();
        for path in present {
            while paths.next_if(|(touched, _)| *touched < path.as_bytes()).is_some() {}
            if let Some((_, place)) = paths.next_if(|(touched, _)| *touched == path.as_bytes()) {
                *place = Some(files.len() as u32);
                files.push(path);
            }
        }
        (files, place)
    }

    /// Pairs of files touched together. Weights are whole numbers until the last step, so that no order of adding matters.
    fn pairs(
        &self,
        counted: &[(&Touching, &Change)],
        newest: i64,
        place: &[Option<u32>],
        files: usize,
    ) -> Vec<PathPair> {
        let groups: Vec<(u64, Vec<u32>)> = counted
            .iter()
            .filter(|(_, change)| (2..=MAX_FILES_OF_A_PAIRING_COMMIT).contains(&change.touches.len()))
            .map(|(commit, change)| {
                let files = self.touches[change.touches.clone()].iter().filter_map(|&path| place[path as usize]);
                (weight(newest.saturating_sub(commit.time)), files.collect())
            })
            .collect();
        let mut groups_of: Vec<Vec<u32>> = vec![Vec::new(); files];
        let mut total = vec![0_u64; files];
        for ((weight, group), index) in groups.iter().zip(0..) {
            for &file in group {
                groups_of[file as usize].push(index);
                total[file as usize] += weight;
            }
        }
        let mut together = vec![(0_u32, 0_u64); files];
        let mut others = Vec::new();
        let mut pairs = Vec::new();
        for (own, one) in groups_of.iter().zip(0_u32..) {
            for &group in own {
                let (weight, group) = &groups[group as usize];
                for &other in group.iter().filter(|&&other| other > one) {
                    let (count, sum) = &mut together[other as usize];
                    if *count == 0 {
                        others.push(other);
                    }
                    *count += 1;
                    *sum += weight;
                }
            }
            others.sort_unstable();
            for other in others.drain(..) {
                let (count, sum) = std::mem::take(&mut together[other as usize]);
                if count >= MIN_TOGETHER {
                    let all = total[one as usize] as f64 * total[other as usize] as f64;
                    pairs.push(PathPair { one, other, together: count, strength: sum as f64 / all.sqrt() });
                }
            }
        }
        pairs
    }
}

/// What a commit of `age` seconds weighs: about a million for the newest, and never nothing.
fn weight(age: i64) -> u64 {
    let half = HALF_WEIGHT_AGE as u64;
    // A commit dated after the newest is as new as that.
    (half << 20) / (half + age.max(0) as u64)
}

/// Gives numbers to paths and authors while a walk goes on.
pub(super) struct Interner<'a> {
    known: &'a Touches,
    /// The number of each path of `known`, once it has one.
    renumbered: Vec<Option<u32>>,
    paths: FxHashMap<Vec<u8>, u32>,
    authors: FxHashMap<Vec<u8>, u32>,
    pub touches: Vec<u32>,
}

impl<'a> Interner<'a> {
    pub fn new(known: &'a Touches) -> Self {
        Self {
            known,
            renumbered: vec![None; known.paths.len()],
            paths: FxHashMap::default(),
            authors: FxHashMap::default(),
            touches: Vec::new(),
        }
    }

    fn path(&mut self, path: &[u8]) -> u32 {
        if let Some(number) = self.paths.get(path) {
            return *number;
        }
        let number = self.paths.len() as u32;
        self.paths.insert(path.to_vec(), number);
        number
    }

    pub fn touch(&mut self, path: &[u8]) {
        let number = self.path(path);
        self.touches.push(number);
    }

    pub fn author(&mut self, address: &[u8]) -> u32 {
        let next = self.authors.len() as u32;
        *self.authors.entry(address.to_vec()).or_insert(next)
    }

    /// A commit known from an earlier walk.
    pub fn again(&mut self, commit: &Touching) -> Touching {
        let known = self.known;
        let change = commit.change.as_ref().map(|change| {
            let start = self.touches.len();
            for &path in &known.touches[change.touches.clone()] {
                let number = match self.renumbered[path as usize] {
                    Some(number) => number,
                    None => self.path(known.paths.get(path)),
                };
                self.renumbered[path as usize] = Some(number);
                self.touches.push(number);
            }
            let author = self.author(&known.authors[change.author as usize]);
            Change { author, touches: start..self.touches.len() }
        });
        Touching { id: commit.id, time: commit.time, parents: commit.parents.clone(), change }
    }

    /// The commits with paths numbered in their order: the same value whatever part of it was known before.
    pub fn finish(self, commits: Vec<Touching>, head: Id, limits: HistoryLimits) -> Touches {
        let mut sorted: Vec<(Vec<u8>, u32)> = self.paths.into_iter().collect();
        sorted.sort_unstable();
        let mut renumbered = vec![0; sorted.len()];
        let mut paths = Paths::default();
        for ((path, number), index) in sorted.iter().zip(0..) {
            paths.push(path);
            renumbered[*number as usize] = index;
        }
        let mut touches: Vec<u32> = self.touches.iter().map(|&number| renumbered[number as usize]).collect();
        for change in commits.iter().filter_map(|commit| commit.change.as_ref()) {
            touches[change.touches.clone()].sort_unstable();
        }
        let mut authors: Vec<(Vec<u8>, u32)> = self.authors.into_iter().collect();
        authors.sort_unstable_by_key(|(_, number)| *number);
        let authors = authors.into_iter().map(|(address, _)| address).collect();
        Touches { head, limits: Some(limits), paths, authors, commits, touches }
    }
}
