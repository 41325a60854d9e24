//! Trees: where files are read from, be it a working directory, a git commit or a worktree.
//!
//! The map, the linter, drift checks and quoting read through [`Tree`], so all of them work on a commit without a checkout.

use std::path::PathBuf;

pub(crate) mod dot_ignore;
mod kept;
mod working;

pub(crate) use kept::KeptTexts;
pub(crate) use working::Listing;
pub use working::WorkingTree;
pub(crate) use working::check_path;

/// Files that can be listed and read.
pub trait Tree: Sync {
    /// Every file that is not ignored, sorted by path. Links are listed, never followed.
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError>;

    /// The bytes of `path`, which is relative and `/`-separated. Links are not followed out of the tree.
    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError>;

    /// The text of `path`, or `None` when it is absent, not UTF-8 or cannot be read.
    fn text(&self, path: &str) -> Option<String> {
        String::from_utf8(self.read(path).ok()?).ok()
    }

    /// The text of a `.gitattributes`, as [`Tree::text`]; of a branch that is judged by what was there before it, that of before.
    fn attributes(&self, path: &str) -> Option<String> {
        self.text(path)
    }

    /// Whether `path` is a file of this tree (ignored files included where the tree can tell).
    fn is_file(&self, path: &str) -> bool {
        self.read(path).is_ok()
    }

    /// Whether `path`, or a file below it, belongs to the repository although this tree does not hold it, as in a sparse checkout.
    fn is_left_out(&self, _path: &str) -> bool {
        false
    }

    /// Whether `path` is a folder of this tree.
    fn is_folder(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        self.entries().is_ok_and(|entries| entries.iter().any(|entry| entry.path.starts_with(&prefix)))
    }
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeEntry {
    /// Path relative to the root, `/`-separated; bytes that are not UTF-8 are replaced and [`TreeEntry::kind`] says so.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes.
    pub bytes: u64,
    /// What tells its content from another without reading it.
    pub identity: Identity,
}

/// What tells the content of a file from another without reading it: two entries of one path, kind and size with the same
/// identity hold the same bytes, unless it is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Nothing does.
    Unknown,
    /// What the operating system says. It says the same of two contents when a file is written twice within one tick of the
    /// clock, so a file that was modified just before it was read is better read again.
    Stat {
        /// When it was last written, in nanoseconds since 1970.
        modified_ns: i64,
        /// When anything about it last changed. No program can set this one back.
        changed_ns: i64,
        /// Its number in the file system.
        inode: u64,
    },
    /// Its id in git, which is a hash of its content.
    Blob([u8; 20]),
}

/// What a tree entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A file whose name is not UTF-8: it cannot be named in a plan.
    NotUtf8Name,
}

/// A tree that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The path leaves the tree or names something inside `.git`.
    #[error("{path}: not a path inside the repository")]
    Outside {
        /// The path as given.
        path: String,
    },
    /// No such file.
    #[error("{path}: no such file")]
    Missing {
        /// The path.
        path: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// git could not read its own objects.
    #[error("git: {0}")]
    Git(String),
}

impl TreeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            TreeError::Outside { .. } => Some("name files relative to the repository's root, without `..`"),
            TreeError::Missing { .. } => Some("check the spelling; ignored files are not part of the tree"),
            TreeError::Io { .. } => Some("check that the file exists and may be read"),
            TreeError::Git(_) => Some("run `git fsck` to see whether the repository is damaged"),
        }
    }
}
