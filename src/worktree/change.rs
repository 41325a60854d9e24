//! What differs between a commit and another commit or a folder: paths, contents, modes.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{DiffOptions, FileMode, Repository};
use similar::{ChangeTag, TextDiff};

use super::{WorktreeError, git, oid};
use crate::os;

/// One path that differs. A renamed file is one removed and one added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the repository.
    pub path: String,
    /// What was there; `None` when it is new.
    pub old: Option<Content>,
    /// What is there; `None` when it was removed.
    pub new: Option<Content>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A regular file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// It may be executed.
        executable: bool,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: PathBuf,
    },
    /// A nested repository, or something else that is no file.
    Other,
}

impl Change {
    /// The text before, when it is a text file.
    pub fn old_text(&self) -> Option<&str> {
        self.old.as_ref()?.text()
    }

    /// The text after, when it is a text file.
    pub fn new_text(&self) -> Option<&str> {
        self.new.as_ref()?.text()
    }

    /// Lines that were added and removed, without their endings.
    pub fn lines(&self) -> (Vec<String>, Vec<String>) {
        let (old, new) = alike(self.old_text().unwrap_or_default(), self.new_text().unwrap_or_default());
        let diff = TextDiff::from_lines(&*old, &*new);
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for change in diff.iter_all_changes() {
            let line = change.value().trim_end_matches(['\r', '\n']).to_owned();
            match change.tag() {
                ChangeTag::Insert => added.push(line),
                ChangeTag::Delete => removed.push(line),
                ChangeTag::Equal => {}
            }
        }
        (added, removed)
    }
}

/// Two texts, to be compared. Where all lines of one end in `\r\n` and none of the other does, git converts them on their way, and that
/// is no change of anybody's.
pub fn alike<'a>(old: &'a str, new: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    let is_dos = |text: &str| text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
    let is_unix = |text: &str| text.contains('\n') && !text.contains('\r');
    let converted = |text: &str| Cow::Owned(text.replace("\r\n", "\n"));
    if is_dos(old) && is_unix(new) {
        (converted(old), new.into())
    } else if is_unix(old) && is_dos(new) {
        (old.into(), converted(new))
    } else {
        (old.into(), new.into())
    }
}

impl Content {
    /// The text of a file that is UTF-8.
    pub fn text(&self) -> Option<&str> {
        match self {
            Content::File { bytes, .. } => std::str::from_utf8(bytes).ok(),
            Content::Link { .. } | Content::Other => None,
        }
    }

    /// The mode as git writes it.
    pub fn mode(&self) -> &'static str {
        match self {
            Content::File { executable: false, .. } => "100644",
            Content::File { executable: true, .. } => "100755",
            Content::Link { .. } => "120000",
            Content::Other => "160000",
        }
    }
}

/// What differs between `commit` and the files in `folder`, whose repository this is. Ignored files are left out.
pub(crate) fn in_folder(repository: &Repository, folder: &Path, commit: &str) -> Result<Vec<Change>, WorktreeError> {
    let what = git("compare the worktree");
    let tree = repository.find_commit(oid(commit)?).and_then(|commit| commit.tree()).map_err(&what)?;
    let diff = repository.diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options())).map_err(&what)?;
    collect(repository, &diff, |file, path| read(&folder.join(path), file.mode()))
}

/// What differs between two commits.
pub fn between(repository: &Repository, base: &str, tip: &str) -> Result<Vec<Change>, WorktreeError> {
    let what = git("compare two commits");
    let tree = |commit: &str| repository.find_commit(oid(commit)?).and_then(|commit| commit.tree()).map_err(&what);
    let (base, tip) = (tree(base)?, tree(tip)?);
    let diff = repository.diff_tree_to_tree(Some(&base), Some(&tip), Some(&mut options())).map_err(&what)?;
    collect(repository, &diff, |file, _| blob(repository, file))
}

fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true).skip_binary_check(true);
    options
}

fn collect(
    repository: &Repository,
    diff: &git2::Diff<'_>,
    new: impl Fn(&git2::DiffFile<'_>, &Path) -> Option<Content>,
) -> Result<Vec<Change>, WorktreeError> {
    let mut changes = Vec::new();
    for delta in diff.deltas() {
        let (before, after) = (delta.old_file(), delta.new_file());
        let Some(bytes) = after.path_bytes().or_else(|| before.path_bytes()) else { continue };
        let path = &os::path_of(bytes);
        let old = if delta.status() == git2::Delta::Untracked { None } else { blob(repository, &before) };
        let new = if delta.status() == git2::Delta::Deleted { None } else { new(&after, path) };
        if old != new {
            changes.push(Change { path: path.to_string_lossy().trim_end_matches('/').to_owned(), old, new });
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    // A file replaced by something of another type comes as two: what was removed, and what was added.
    changes.dedup_by(|second, first| {
        let same = second.path == first.path;
        if same {
            first.old = first.old.take().or(second.old.take());
            first.new = first.new.take().or(second.new.take());
        }
        same
    });
    Ok(changes)
}

fn blob(repository: &Repository, file: &git2::DiffFile<'_>) -> Option<Content> {
    match file.mode() {
        FileMode::Unreadable => None,
        FileMode::Link => {
            let target = repository.find_blob(file.id()).ok()?.content().to_vec();
            Some(Content::Link { target: os::path_of(&target) })
        }
        FileMode::Blob | FileMode::BlobGroupWritable | FileMode::BlobExecutable => {
            let bytes = repository.find_blob(file.id()).ok()?.content().to_vec();
            Some(Content::File { bytes, executable: file.mode() == FileMode::BlobExecutable })
        }
        FileMode::Tree | FileMode::Commit => Some(Content::Other),
    }
}

/// `mode` is what git takes it for.
fn read(file: &Path, mode: FileMode) -> Option<Content> {
    let metadata = fs::symlink_metadata(file).ok()?;
    if metadata.is_symlink() {
        return Some(Content::Link { target: fs::read_link(file).ok()? });
    }
    if !metadata.is_file() {
        return Some(Content::Other);
    }
    let executable = os::is_executable(&metadata).unwrap_or(mode == FileMode::BlobExecutable);
    Some(Content::File { bytes: fs::read(file).ok()?, executable })
}
