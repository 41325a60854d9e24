//! What git or the file system refuses, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use git2::ErrorCode;

/// Something git or the file system refused.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// There is no repository.
    #[error("{}: not inside a git repository", folder.display())]
    NotARepository {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The repository has no working tree.
    #[error("{}: a bare repository, which has no files to work on", folder.display())]
    Bare {
        /// The repository.
        folder: PathBuf,
    },
    /// libgit2 cannot read it.
    #[error("{}: a repository of a kind that cannot be read here: {}", folder.display(), source.message())]
    Unsupported {
        /// Where it was looked for.
        folder: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// Its index leaves out folders as a whole.
    #[error("{}: the index is sparse, which cannot be read here", folder.display())]
    SparseIndex {
        /// The working tree.
        folder: PathBuf,
    },
    /// A partial clone lacks files of the commit.
    #[error("{}: a partial clone, in which files of the commit are missing", folder.display())]
    Partial {
        /// The working tree.
        folder: PathBuf,
    },
    /// There is nothing to start from.
    #[error("{}: the repository has no commit yet", folder.display())]
    NoCommit {
        /// The repository.
        folder: PathBuf,
    },
    /// A commit, branch or tag that is not there.
    #[error("`{name}`: no such commit, branch or tag")]
    NoSuchCommit {
        /// As given.
        name: String,
    },
    /// Another process works on the same plan.
    #[error("plan {slug}: another process is working on it{}", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// The plan.
        slug: String,
        /// The process, where known.
        pid: Option<u32>,
    },
    /// The file that ties a worktree to its repository is not the one we wrote.
    #[error("{}: the worktree's `.git` file was changed, so git is not run there", folder.display())]
    PointerChanged {
        /// The worktree.
        folder: PathBuf,
    },
    /// A path that must not be written.
    #[error("{path}: not written: {reason}")]
    RefusedPath {
        /// The path.
        path: String,
        /// Why.
        reason: String,
    },
    /// The cache folder lies inside the repository.
    #[error("{}: the cache folder lies inside the repository's own files", folder.display())]
    CacheInside {
        /// The cache folder.
        folder: PathBuf,
    },
    /// git refused.
    #[error("git: {what}: {}", source.message())]
    Git {
        /// What was tried.
        what: &'static str,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl WorktreeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            WorktreeError::NotARepository { .. } => {
                "plans are carried out on a branch: run `git init` and commit first"
            }
            WorktreeError::Bare { .. } => "run it in a clone that has a working tree",
            WorktreeError::Unsupported { .. } => {
                "repositories with SHA-256 names, or with references in a reftable, are not supported: work on another clone"
            }
            WorktreeError::SparseIndex { .. } => {
                "`git sparse-checkout reapply --no-sparse-index` writes it in full; the checkout stays sparse"
            }
            WorktreeError::Partial { .. } => {
                "`git archive HEAD > /dev/null` fetches what is missing; then run the same command again"
            }
            WorktreeError::NoCommit { .. } => "commit something first: plans are carried out on top of a commit",
            WorktreeError::InUse { .. } => "wait for it to end, or end it; then run the command again",
            WorktreeError::PointerChanged { .. } => "run `improve clean` to remove the worktree, then start again",
            WorktreeError::CacheInside { .. } => "set IMPROVE_CACHE_DIR to a folder outside the repository",
            WorktreeError::Git { source, .. } if source.code() == ErrorCode::Owner => {
                "the repository belongs to another user: add it to git's `safe.directory`"
            }
            WorktreeError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "apply writes a branch and a worktree's metadata into `.git`: make it writable, or work on a clone"
            }
            WorktreeError::NoSuchCommit { .. }
            | WorktreeError::RefusedPath { .. }
            | WorktreeError::Git { .. }
            | WorktreeError::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

pub(crate) fn git(what: &'static str) -> impl Fn(git2::Error) -> WorktreeError {
    move |source| WorktreeError::Git { what, source }
}

pub(crate) fn io_at(path: &Path) -> impl Fn(io::Error) -> WorktreeError + '_ {
    move |source| WorktreeError::Io { path: path.to_owned(), source }
}
