//! How often lines were changed: read only for the few functions that somebody asks about, since it takes every version of their file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use git2::{DiffOptions, Patch};

use super::touches::{CHURN_WINDOW, Id};
use super::{CommitId, GitError, HistoryLimits, Repository, Touches};
use crate::progress::NoProgress;
use crate::repo_map::facts::Lines;
use crate::repo_map::history::LineHistory;

/// The history of lines as of a commit.
#[derive(Debug)]
pub struct PastOfLines {
    root: PathBuf,
    commit: CommitId,
    /// Where the walk over the commits is kept.
    cache: Option<PathBuf>,
    touches: OnceLock<Option<Touches>>,
}

impl PastOfLines {
    /// Of the repository at `root`, up to `commit`, with the file that [`Repository::history`] keeps. Reads nothing yet.
    pub fn new(root: PathBuf, commit: CommitId, cache: Option<PathBuf>) -> Self {
        Self { root, commit, cache, touches: OnceLock::new() }
    }

    fn read(&self, path: &str, text: &str, lines: Lines) -> Result<Option<u32>, GitError> {
        let git = Repository::discover(&self.root)?;
        let walk = || git.history(&self.commit, HistoryLimits::default(), self.cache.as_deref(), &NoProgress).ok();
        let Some(touches) = self.touches.get_or_init(walk) else { return Ok(None) };
        git.commits_that_changed(touches, path, text, lines).map(Some)
    }
}

impl LineHistory for PastOfLines {
    fn commits(&self, path: &str, text: &str, lines: Lines) -> Option<u32> {
        self.read(path, text, lines).ok().flatten()
    }
}

impl Repository {
    /// Of the commits of `touches` in the 90 days before the newest, those that changed one of `lines` of the file at `path`, which
    /// reads `text` now. The lines are followed back from version to version until none of them was there.
    fn commits_that_changed(&self, touches: &Touches, path: &str, text: &str, lines: Lines) -> Result<u32, GitError> {
        let Some(newest) = touches.commits.first().map(|commit| commit.time) else { return Ok(0) };
        let mut now = text.as_bytes().to_vec();
        let mut lines = lines;
        let mut commits = 0;
        for commit in &touches.commits {
            let Some(change) = &commit.change else { continue };
            let is_late = newest.saturating_sub(commit.time) <= CHURN_WINDOW;
            let touched = touches.touches[change.touches.clone()].iter();
            if !is_late || !touched.clone().any(|number| touches.paths.get(*number) == path.as_bytes()) {
                continue;
            }
            let Some(after) = self.version(commit.id, path)? else { continue };
            // Lines of history run beside each other: what other commits changed since is not this one's.
            let Some((there, _)) = self.carried(&now, &after, lines)? else { break };
            let before = match commit.parents.first() {
                Some(parent) => self.version(*parent, path)?,
                None => None,
            };
            let Some(before) = before else { return Ok(commits + 1) };
            match self.carried(&after, &before, there)? {
                Some((back, is_changed)) => {
                    commits += u32::from(is_changed);
                    lines = back;
                }
                None => return Ok(commits + 1),
            }
            now = before;
        }
        Ok(commits)
    }

    /// The file at `path` in a commit.
    fn version(&self, commit: Id, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let failed = |error: git2::Error| self.failed(&error);
        let tree = self.inner.find_commit(commit.into()).and_then(|commit| commit.tree()).map_err(failed)?;
        let Ok(entry) = tree.get_path(Path::new(path)) else { return Ok(None) };
        Ok(self.inner.find_blob(entry.id()).ok().map(|blob| blob.content().to_vec()))
    }

    /// Where `lines` of one version are in another, and whether one of them differs there; `None` where all of them do.
    fn carried(&self, one: &[u8], other: &[u8], lines: Lines) -> Result<Option<(Lines, bool)>, GitError> {
        if one == other {
            return Ok(Some((lines, false)));
        }
        let mut options = DiffOptions::new();
        options.context_lines(0).interhunk_lines(0).force_text(true).ignore_whitespace(true);
        let failed = |error: git2::Error| self.failed(&error);
        let patch = Patch::from_buffers(one, None, other, None, Some(&mut options)).map_err(failed)?;
        let mut hunks = Vec::with_capacity(patch.num_hunks());
        for index in 0..patch.num_hunks() {
            let (hunk, _) = patch.hunk(index).map_err(failed)?;
            hunks.push(Hunk {
                start: after_which(hunk.old_start(), hunk.old_lines()),
                lines: hunk.old_lines(),
                there: after_which(hunk.new_start(), hunk.new_lines()),
                lines_there: hunk.new_lines(),
            });
        }
        Ok(carried_over(&hunks, lines))
    }
}

/// Lines of one version that stand for lines of another. Each begins after so many lines of its version.
struct Hunk {
    start: u32,
    lines: u32,
    there: u32,
    lines_there: u32,
}

/// A hunk without lines names the line it stands behind, any other its first.
fn after_which(start: u32, lines: u32) -> u32 {
    if lines == 0 { start } else { start.saturating_sub(1) }
}

fn carried_over(hunks: &[Hunk], lines: Lines) -> Option<(Lines, bool)> {
    // Lines before the first of ours, and up to the last.
    let (from, to) = (lines.start.saturating_sub(1), lines.end);
    let moved = |line: u32, is_end: bool| {
        // What stands between our first line and the one before it is not ours, nor what follows our last.
        let is_before = |hunk: &&Hunk| if is_end { hunk.start < line } else { hunk.start <= line };
        let Some(hunk) = hunks.iter().rev().find(is_before) else { return line };
        let end = hunk.start + hunk.lines;
        match (line < end, is_end) {
            (true, true) => hunk.there + hunk.lines_there,
            (true, false) => hunk.there,
            (false, _) => hunk.there + hunk.lines_there + (line - end),
        }
    };
    if hunks.iter().any(|hunk| hunk.start <= from && to <= hunk.start + hunk.lines) {
        return None;
    }
    let is_changed = hunks.iter().any(|hunk| {
        let is_between = hunk.lines == 0 && from < hunk.start && hunk.start < to;
        is_between || (hunk.lines > 0 && hunk.start < to && from < hunk.start + hunk.lines)
    });
    let (start, end) = (moved(from, false), moved(to, true));
    (start < end).then_some((Lines { start: start + 1, end }, is_changed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::Fixture;

    /// A function of three lines between `above` lines and `below` lines.
    fn text(above: usize, body: &str, below: usize) -> String {
        format!("{}fn f() {{\n{body}\n}}\n{}", "// above\n".repeat(above), "// below\n".repeat(below))
    }

    fn commits(fixture: &Fixture, commit: &CommitId, now: &str) -> Option<u32> {
        let line = |text: &str| now.lines().position(|line| line == text).expect("the line is there") as u32 + 1;
        let past = PastOfLines::new(fixture.root().to_owned(), commit.clone(), None);
        past.commits("a.rs", now, Lines { start: line("fn f() {"), end: line("}") })
    }

    #[test]
    fn only_commits_that_change_the_lines_are_counted() {
        let fixture = Fixture::new();
        fixture.write("a.rs", text(1, "one", 1)).commit(0, "ada");
        fixture.write("a.rs", text(1, "two", 1)).commit(100, "ada");
        fixture.write("a.rs", text(5, "two", 1)).commit(101, "ada");
        fixture.write("a.rs", text(5, "two", 9)).commit(102, "ada");
        fixture.write("a.rs", text(3, "three\nfour", 9)).commit(103, "ada");
        let last = fixture.write("a.rs", text(3, "three\n  four", 9)).commit(104, "ada");
        // The first is too long ago, two lie around the function, the last only indents.
        assert_eq!(commits(&fixture, &last, &text(3, "three\n  four", 9)), Some(2));
        // What is not committed yet moves the lines and is no commit.
        assert_eq!(commits(&fixture, &last, &text(7, "three\nmine\n  four", 9)), Some(2));
    }

    #[test]
    fn a_commit_that_brings_the_lines_is_counted_and_ends_the_search() {
        let fixture = Fixture::new();
        fixture.write("a.rs", "// above\n// below\n").commit(0, "ada");
        fixture.write("a.rs", "// other\n// below\n").commit(1, "ada");
        fixture.write("a.rs", text(1, "one", 1)).commit(2, "ada");
        let last = fixture.write("a.rs", text(1, "two", 1)).commit(3, "ada");
        assert_eq!(commits(&fixture, &last, &text(1, "two", 1)), Some(2));
        let new = Fixture::new();
        let first = new.write("a.rs", text(0, "one", 0)).commit(0, "ada");
        assert_eq!(commits(&new, &first, &text(0, "one", 0)), Some(1));
    }

    #[test]
    fn commits_beside_each_other_are_each_counted_once() {
        let fixture = Fixture::new();
        let old = fixture.write("a.rs", text(2, "one", 2)).commit(0, "ada");
        let mine = fixture.write("a.rs", text(2, "two", 2)).commit(101, "ada");
        let repository = &fixture.repository;
        let id = |commit: &CommitId| commit.as_str().parse::<git2::Oid>().expect("an id");
        // Beside it, from the same parent: a change above the function.
        fixture.write("a.rs", text(9, "one", 2));
        let mut index = repository.index().expect("a repository has an index");
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("files can be added");
        repository.set_head_detached(id(&old)).expect("the commit is there");
        let theirs = fixture.commit_index(&mut index, 102, "bob", &[id(&old)]);
        fixture.write("a.rs", text(9, "two", 2));
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("files can be added");
        let merge = fixture.commit_index(&mut index, 103, "eve", &[id(&theirs), id(&mine)]);
        assert_eq!(commits(&fixture, &merge, &text(9, "two", 2)), Some(1));
    }

    #[test]
    fn what_git_does_not_know_has_no_history() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let past = PastOfLines::new(folder.path().to_owned(), CommitId("0".repeat(40)), None);
        assert_eq!(past.commits("a.rs", "fn f() {}\n", Lines { start: 1, end: 1 }), None);
    }
}
