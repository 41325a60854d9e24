//! The only door to reading git: repositories, commits, what is dirty. Worktrees and commits are made elsewhere, but for the first
//! one of a repository that is founded here.
//!
//! libgit2 runs no hooks, no fsmonitor and no external filters, and its types do not leave this module. The environment
//! (`GIT_DIR` and the like) is not asked: the repository is the one around the path given.

use std::path::{Path, PathBuf};

use crate::os;

mod changes;
mod checkout;
mod found;
mod history;
mod hooks;
mod index;
mod lines;
mod tree;

pub use changes::Changes;
pub use checkout::Checkout;
pub use found::found;
pub use history::{HistoryLimits, PastOfLines, Touches};
pub use hooks::Hooks;
pub use lines::Commit;
pub use tree::GitTree;

/// A git repository with a working tree.
pub struct Repository {
    inner: git2::Repository,
    root: PathBuf,
}

/// A commit by its full hexadecimal id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// The full id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CommitId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A repository that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository around the path.
    #[error("{}: not a git repository", path.display())]
    NotARepository {
        /// Where we looked.
        path: PathBuf,
    },
    /// A repository without a working tree.
    #[error("{}: a bare repository has no files to work on", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// Another user owns the repository, and git refuses to trust its configuration.
    #[error("{}: the repository belongs to another user", path.display())]
    NotOwned {
        /// The repository.
        path: PathBuf,
    },
    /// A revision that names nothing.
    #[error("{revision}: no such commit")]
    NoSuchCommit {
        /// The revision as given.
        revision: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
    /// Anything else libgit2 says.
    #[error("{}: {message}", path.display())]
    Failed {
        /// The repository.
        path: PathBuf,
        /// What it said.
        message: String,
    },
}

impl GitError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            GitError::NotARepository { .. } => {
                Some("run inside a repository, name one with `--repo`, or make one with `git init`".to_owned())
            }
            GitError::Bare { .. } => Some("clone it and run there".to_owned()),
            GitError::NotOwned { path } => Some(format!(
                "if you trust it, run `git config --global --add safe.directory {}`",
                shell_words::quote(&path.to_string_lossy())
            )),
            GitError::NoSuchCommit { .. } => {
                Some("a branch, tag or commit id; fetch it first if it is remote".to_owned())
            }
            GitError::Cancelled => None,
            GitError::Failed { .. } => Some("run `git fsck` to see whether the repository is damaged".to_owned()),
        }
    }
}

impl Repository {
    /// The repository around `path`: its root, any folder below, or a worktree.
    pub fn discover(path: &Path) -> Result<Self, GitError> {
        let repository = Self::discover_commits(path)?;
        if repository.inner.workdir().is_none() {
            return Err(GitError::Bare { path: repository.inner.path().to_owned() });
        }
        Ok(repository)
    }

    /// The same for its commits alone: one without a working tree will do, and its root is then the git directory.
    pub fn discover_commits(path: &Path) -> Result<Self, GitError> {
        let failed = |error: git2::Error| match error.code() {
            git2::ErrorCode::NotFound => GitError::NotARepository { path: path.to_owned() },
            git2::ErrorCode::Owner => GitError::NotOwned { path: owned_root(path) },
            _ => GitError::Failed { path: path.to_owned(), message: error.message().to_owned() },
        };
        let inner = git2::Repository::discover(path).map_err(failed)?;
        // libgit2 ends the path with a slash, which would show in every message.
        let root = inner.workdir().unwrap_or_else(|| inner.path()).components().collect();
        Ok(Self { inner, root })
    }

    /// The top of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The git directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// The git directory of this worktree.
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// The commit that is checked out; `None` before the first commit.
    pub fn head(&self) -> Result<Option<CommitId>, GitError> {
        match self.inner.head() {
            Ok(head) => {
                let commit = head.peel_to_commit().map_err(|error| self.failed(&error))?;
                Ok(Some(CommitId(commit.id().to_string())))
            }
            Err(error) if matches!(error.code(), git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The commit `revision` names: a branch, tag, `HEAD~2` or id prefix.
    pub fn resolve(&self, revision: &str) -> Result<CommitId, GitError> {
        self.inner
            .revparse_single(revision)
            .and_then(|object| object.peel_to_commit())
            .map(|commit| CommitId(commit.id().to_string()))
            .map_err(|_| GitError::NoSuchCommit { revision: revision.to_owned() })
    }

    /// The shortest prefix of `commit` that git itself would print.
    pub fn short_id(&self, commit: &CommitId) -> Result<String, GitError> {
        let object = self.inner.find_object(self.oid(commit)?, None).map_err(|error| self.failed(&error))?;
        let short = object.short_id().map_err(|error| self.failed(&error))?;
        Ok(String::from_utf8_lossy(&short).into_owned())
    }

    /// The branch that is checked out, one without commits included; `None` when HEAD is detached.
    pub fn branch(&self) -> Option<String> {
        let head = self.inner.find_reference("HEAD").ok()?;
        let target = head.symbolic_target().ok()??;
        target.strip_prefix("refs/heads/").map(str::to_owned)
    }

    /// Whether a local branch of this name exists.
    pub fn has_branch(&self, name: &str) -> bool {
        self.inner.find_branch(name, git2::BranchType::Local).is_ok()
    }

    /// The branch that others start from, guessed: what `origin` says, then configuration, then the usual names.
    pub fn default_branch(&self) -> Option<String> {
        if let Ok(head) = self.inner.find_reference("refs/remotes/origin/HEAD")
            && let Ok(Some(target)) = head.symbolic_target()
            && let Some(name) = target.strip_prefix("refs/remotes/origin/")
        {
            return Some(name.to_owned());
        }
        let configured = self.inner.config().ok().and_then(|config| config.get_string("init.defaultBranch").ok());
        let exists = |name: &&str| {
            self.has_branch(name) || self.inner.find_branch(&format!("origin/{name}"), git2::BranchType::Remote).is_ok()
        };
        configured
            .as_deref()
            .into_iter()
            .chain(["main", "master", "trunk", "develop"])
            .find(exists)
            .map(str::to_owned)
            .or_else(|| self.branch())
    }

    /// Files that differ from HEAD, untracked ones included and ignored ones not, sorted. An empty `within` means everywhere;
    /// otherwise files and folders are taken literally.
    pub fn dirty_paths(&self, within: &[&str]) -> Result<Vec<String>, GitError> {
        let mut options = git2::StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(false)
            .exclude_submodules(true)
            .disable_pathspec_match(true)
            // Reading must not write: the index is the user's.
            .update_index(false);
        for path in within {
            options.pathspec(path.trim_end_matches('/'));
        }
        let statuses = self.inner.statuses(Some(&mut options)).map_err(|error| self.failed(&error))?;
        let mut paths: Vec<String> = statuses
            .iter()
            .filter(|entry| entry.status() != git2::Status::CURRENT)
            // A folder is a nested repository: none of our files.
            .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
            .filter(|path| !path.ends_with('/'))
            .collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Whether anything differs from HEAD.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        Ok(!self.dirty_paths(&[])?.is_empty())
    }

    /// Subjects of the newest `count` commits that are no merges: how this project words its commits.
    pub fn recent_subjects(&self, count: usize) -> Result<Vec<String>, GitError> {
        if self.head()?.is_none() {
            return Ok(Vec::new());
        }
        let failed = |error: git2::Error| self.failed(&error);
        let mut walk = self.inner.revwalk().map_err(failed)?;
        walk.push_head().map_err(failed)?;
        let subjects = walk
            // A history of merges alone must not be walked to its root.
            .take(count.saturating_mul(20))
            .filter_map(|id| self.inner.find_commit(id.ok()?).ok())
            .filter(|commit| commit.parent_count() < 2)
            .filter_map(|commit| Some(String::from_utf8_lossy(commit.summary_bytes()?).into_owned()))
            .take(count)
            .collect();
        Ok(subjects)
    }

    /// Unix time in seconds at which `commit` was authored.
    pub fn author_time(&self, commit: &CommitId) -> Result<i64, GitError> {
        Ok(self.find_commit(commit)?.author().when().seconds())
    }

    /// The files of `commit`, read from git without a checkout.
    pub fn tree_of(&self, commit: &CommitId) -> Result<GitTree, GitError> {
        let tree = self.find_commit(commit)?.tree_id();
        Ok(GitTree::new(self.inner.path().to_owned(), tree))
    }

    fn find_commit(&self, commit: &CommitId) -> Result<git2::Commit<'_>, GitError> {
        self.inner
            .find_commit(self.oid(commit)?)
            .map_err(|_| GitError::NoSuchCommit { revision: commit.as_str().to_owned() })
    }

    fn oid(&self, commit: &CommitId) -> Result<git2::Oid, GitError> {
        commit.as_str().parse().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &git2::Error) -> GitError {
        GitError::Failed { path: self.root.clone(), message: error.message().to_owned() }
    }
}

/// File mode of a submodule's entry.
const GITLINK: u32 = 0o160_000;

/// The nearest folder at or above `path` that holds `.git`: what `safe.directory` must name.
fn owned_root(path: &Path) -> PathBuf {
    let absolute = os::canonical(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&absolute).to_owned()
}

#[cfg(test)]
pub(crate) mod tests;
