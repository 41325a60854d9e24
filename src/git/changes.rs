//! What a branch changed since it left another.

use std::collections::BTreeMap;

use git2::{BranchType, Delta, Diff, DiffFindOptions, DiffOptions};

use super::{CommitId, GitError, Repository};

/// Where a branch left another, and what it changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The commit that both have.
    pub base: CommitId,
    /// Commits since then.
    pub ahead: usize,
    /// Files that are there now and differ, by path, with the path they had; `None` for new ones.
    pub files: BTreeMap<String, Option<String>>,
    /// Files that are gone.
    pub deleted: Vec<String>,
}

impl Repository {
    /// The revision that names a branch where others take it from: at `origin` where it is there, else here.
    pub fn published(&self, branch: &str) -> Option<String> {
        let remote = format!("origin/{branch}");
        let is_there = |name: &str, kind| self.inner.find_branch(name, kind).is_ok();
        match (is_there(&remote, BranchType::Remote), is_there(branch, BranchType::Local)) {
            (true, _) => Some(format!("refs/remotes/{remote}")),
            (false, true) => Some(format!("refs/heads/{branch}")),
            (false, false) => None,
        }
    }

    /// History was cut off when this repository was fetched.
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// The commit at which two lines of history part; `None` where they have none in common, or it was not fetched.
    pub fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, GitError> {
        match self.inner.merge_base(self.oid(one)?, self.oid(other)?) {
            Ok(base) => Ok(Some(CommitId(base.to_string()))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// What differs between `base` and `head`, with `uncommitted` between `base` and the user's files; untracked ones are new, renamed
    /// ones are known by their content.
    pub fn changes(&self, base: &CommitId, head: &CommitId, uncommitted: bool) -> Result<Changes, GitError> {
        let failed = |error: git2::Error| self.failed(&error);
        let diff = self.diff_from(base, head, uncommitted, DiffOptions::new())?;
        let (mut files, mut deleted) = (BTreeMap::new(), Vec::new());
        for delta in diff.deltas() {
            let path = |file: git2::DiffFile<'_>| {
                file.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned()).unwrap_or_default()
            };
            let (old, new) = (path(delta.old_file()), path(delta.new_file()));
            match delta.status() {
                Delta::Deleted => deleted.push(old),
                Delta::Added | Delta::Untracked | Delta::Copied => drop(files.insert(new, None)),
                Delta::Modified | Delta::Renamed | Delta::Typechange | Delta::Conflicted => {
                    drop(files.insert(new, Some(old)));
                }
                Delta::Unmodified | Delta::Ignored | Delta::Unreadable => {}
            }
        }
        let (ahead, _) = self.inner.graph_ahead_behind(self.oid(head)?, self.oid(base)?).map_err(failed)?;
        Ok(Changes { base: base.clone(), ahead, files, deleted })
    }

    /// Lines that differ from those at `base` as [`Repository::changes`] compares them: by path as it is now, first and last of each
    /// stretch that was added or changed.
    pub fn changed_lines(
        &self,
        base: &CommitId,
        head: &CommitId,
        uncommitted: bool,
    ) -> Result<BTreeMap<String, Vec<(u32, u32)>>, GitError> {
        let mut options = DiffOptions::new();
        // A stretch with lines around it would be more than was changed.
        options.context_lines(0).show_untracked_content(true);
        let diff = self.diff_from(base, head, uncommitted, options)?;
        let mut lines: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        let mut add = |delta: git2::DiffDelta<'_>, hunk: git2::DiffHunk<'_>| {
            if let (Some(path), true) = (delta.new_file().path_bytes(), hunk.new_lines() > 0) {
                let path = String::from_utf8_lossy(path).into_owned();
                lines.entry(path).or_default().push((hunk.new_start(), hunk.new_start() + hunk.new_lines() - 1));
            }
            true
        };
        diff.foreach(&mut |_, _| true, None, Some(&mut add), None).map_err(|error| self.failed(&error))?;
        Ok(lines)
    }

    fn diff_from(
        &self,
        base: &CommitId,
        head: &CommitId,
        uncommitted: bool,
        mut options: DiffOptions,
    ) -> Result<Diff<'_>, GitError> {
        let failed = |error: git2::Error| self.failed(&error);
        let before = self.find_commit(base)?.tree().map_err(failed)?;
        options.ignore_submodules(true).include_untracked(true).recurse_untracked_dirs(true).update_index(false);
        let mut diff = if uncommitted {
            self.inner.diff_tree_to_workdir_with_index(Some(&before), Some(&mut options)).map_err(failed)?
        } else {
            let after = self.find_commit(head)?.tree().map_err(failed)?;
            self.inner.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options)).map_err(failed)?
        };
        diff.find_similar(Some(DiffFindOptions::new().renames(true).for_untracked(true))).map_err(failed)?;
        Ok(diff)
    }
}
