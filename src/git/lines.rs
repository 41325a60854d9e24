//! Lines of history held against each other: whether two can be merged, and what changed a file in between.

use std::path::Path;

use super::{CommitId, GitError, Repository};

/// A commit with the first line of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The commit.
    pub id: CommitId,
    /// What it says it does.
    pub subject: String,
}

impl Repository {
    /// Whether two lines of history can be merged without somebody looking at both. Nothing is written.
    pub fn can_merge(&self, one: &CommitId, other: &CommitId) -> Result<bool, GitError> {
        let index = self.inner.merge_commits(&self.find_commit(one)?, &self.find_commit(other)?, None);
        Ok(!index.map_err(|error| self.failed(&error))?.has_conflicts())
    }

    /// The newest commit between `since` and `until` that changed one of `paths`. Merges are looked through.
    pub fn last_change(
        &self,
        paths: &[&str],
        since: Option<&CommitId>,
        until: &CommitId,
    ) -> Result<Option<Commit>, GitError> {
        /// Commits that are looked at: a plan that old is read by nobody.
        const COMMITS: usize = 5_000;
        let failed = |error: git2::Error| self.failed(&error);
        let mut walk = self.inner.revwalk().map_err(failed)?;
        walk.push(self.oid(until)?).map_err(failed)?;
        if let Some(since) = since {
            walk.hide(self.oid(since)?).map_err(failed)?;
        }
        for id in walk.take(COMMITS) {
            let commit = self.inner.find_commit(id.map_err(failed)?).map_err(failed)?;
            if commit.parent_count() > 1 {
                continue;
            }
            let tree = commit.tree().map_err(failed)?;
            let before = commit.parents().next().and_then(|parent| parent.tree().ok());
            let at = |tree: &git2::Tree<'_>, path: &str| tree.get_path(Path::new(path)).ok().map(|entry| entry.id());
            let is_changed = |path: &&str| before.as_ref().and_then(|before| at(before, path)) != at(&tree, path);
            if paths.iter().any(is_changed) {
                let subject = commit.summary().ok().flatten().unwrap_or_default().to_owned();
                return Ok(Some(Commit { id: CommitId(commit.id().to_string()), subject }));
            }
        }
        Ok(None)
    }
}
