//! The user's checkout: its files, and whether they differ from HEAD, out of one walk over the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::index::{Index, Stat, Tracked};
use super::{GITLINK, GitError, Repository};
use crate::tree::{EntryKind, Identity, Listing, TreeEntry, TreeError, WorkingTree};
use crate::{kept, os};

/// A checkout as it was found.
pub struct Checkout {
    /// Its files, listed.
    pub tree: WorkingTree,
    /// Something differs from HEAD: a tracked file changed or gone, one that is neither tracked nor ignored, anything staged.
    pub dirty: bool,
}

/// From so many suspects on, git's own look at everything is cheaper.
const MANY_SUSPECTS: usize = 2_000;
/// Larger files are left to libgit2, which need not hold them whole.
const MAX_READ: u64 = 16 << 20;
/// File mode of a symbolic link.
const LINK: u32 = 0o120_000;
const EXECUTABLE: u32 = 0o100;
/// An index and a tree that hold the same, by their hashes.
const NOTE: &[u8] = b"improve-same-v1\n";

/// A path that may differ from HEAD.
enum Suspect<'a> {
    Tracked(&'a Tracked),
    /// Listed and not tracked.
    New(&'a str),
}

impl Repository {
    /// The working tree, tracked files listed even where they are ignored.
    pub fn working_tree(&self) -> Result<WorkingTree, GitError> {
        self.tree_with(self.read_index().as_ref())
    }

    /// The working tree, listed, and whether it is dirty.
    ///
    /// In the file `cache` it is kept that nothing was staged in the index as it is, where git itself has no note of it.
    pub fn checkout(&self, cache: Option<&Path>) -> Result<Checkout, GitError> {
        let index = self.read_index();
        let tree = self.tree_with(index.as_ref())?;
        let tree = tree
            .listed()
            .map_err(|error: TreeError| GitError::Failed { path: self.root.clone(), message: error.to_string() })?;
        let dirty = match (&index, tree.listing()) {
            (Some(index), Some(listing)) => self.differs_from_head(index, listing, cache)?,
            _ => self.is_dirty()?,
        };
        Ok(Checkout { tree, dirty })
    }

    fn differs_from_head(&self, index: &Index, listing: &Listing, cache: Option<&Path>) -> Result<bool, GitError> {
        match self.suspects(index, listing) {
            Some(suspects) if suspects.len() < MANY_SUSPECTS => {
                Ok(self.any_staged(index, cache)? || self.any_dirty(&suspects)?)
            }
            _ => self.is_dirty(),
        }
    }

    /// Whether the index differs from HEAD.
    fn any_staged(&self, index: &Index, cache: Option<&Path>) -> Result<bool, GitError> {
        let head = match self.head()? {
            Some(head) => Some(self.find_commit(&head)?.tree().map_err(|error| self.failed(&error))?),
            None => None,
        };
        let id = head.as_ref().map(git2::Tree::id);
        if index.tree.is_some() && index.tree.as_ref().map(<[u8; 20]>::as_slice) == id.as_ref().map(git2::Oid::as_bytes)
        {
            return Ok(false);
        }
        let note = index.hash.zip(id).map(|(hash, id)| [hash.as_slice(), id.as_bytes()].concat());
        if note.is_some() && cache.and_then(|file| kept::get(file, NOTE)) == note {
            return Ok(false);
        }
        let mut options = git2::DiffOptions::new();
        options.ignore_submodules(true);
        let diff = self.inner.diff_tree_to_index(head.as_ref(), None, Some(&mut options));
        let is_staged = diff.map_err(|error| self.failed(&error))?.deltas().len() > 0;
        // Someone may have written another index meanwhile, of which libgit2 spoke.
        let is_same_index = || self.read_index().is_some_and(|again| again.hash == index.hash);
        if let (false, Some(file), Some(note)) = (is_staged, cache, note)
            && is_same_index()
        {
            // What is not kept is found out again.
            let _ = kept::put(file, NOTE, &[&note]);
        }
        Ok(is_staged)
    }

    fn any_dirty(&self, suspects: &[Suspect<'_>]) -> Result<bool, GitError> {
        let mut open = Vec::new();
        for suspect in suspects {
            match self.differs(suspect) {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => open.push(suspect.path()),
            }
        }
        // No paths would mean all of them.
        Ok(!open.is_empty() && !self.dirty_paths(&open)?.is_empty())
    }

    /// Whether a suspect differs from HEAD; `None` where that is not plain, and libgit2 must say.
    fn differs(&self, suspect: &Suspect<'_>) -> Option<bool> {
        let tracked = match suspect {
            // Where the file system takes several names for one, it may be tracked under another.
            Suspect::New(_) if self.is_set("core.ignorecase") || self.is_set("core.precomposeunicode") => return None,
            Suspect::New(path) => return self.inner.is_path_ignored(path).ok().map(|is_ignored| !is_ignored),
            Suspect::Tracked(tracked) => tracked,
        };
        let full = self.root.join(&tracked.path);
        let metadata = match full.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Some(true),
            Err(_) => return None,
        };
        let bytes = if tracked.mode == LINK {
            if !metadata.is_symlink() {
                return None;
            }
            os::bytes_of(&fs::read_link(&full).ok()?).into_owned()
        } else {
            if !metadata.is_file() {
                return Some(true);
            }
            let has_mode = |executable: bool| executable == (tracked.mode & EXECUTABLE != 0);
            if !os::is_executable(&metadata).is_none_or(has_mode) || metadata.len() > MAX_READ {
                return None;
            }
            let bytes = fs::read(&full).ok()?;
            if bytes.contains(&b'\r') || self.is_filtered(&tracked.path) {
                return None;
            }
            bytes
        };
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, &bytes).ok()?;
        Some(id.as_bytes() != tracked.id)
    }

    fn is_set(&self, name: &str) -> bool {
        self.inner.config().and_then(|config| config.get_bool(name)).unwrap_or(false)
    }

    /// Whether git may keep other bytes of the file at `path` than the disk has, line ends apart.
    fn is_filtered(&self, path: &str) -> bool {
        ["filter", "ident", "working-tree-encoding"].iter().any(|name| {
            let value = self.inner.get_attr(Path::new(path), name, git2::AttrCheckFlags::FILE_THEN_INDEX);
            !matches!(value, Ok(None))
        })
    }

    fn read_index(&self) -> Option<Index> {
        Index::load(&self.git_dir().join("index"))
    }

    fn tree_with(&self, index: Option<&Index>) -> Result<WorkingTree, GitError> {
        let tracked = match index {
            Some(index) => {
                index.entries.iter().filter(|entry| entry.mode != GITLINK).map(|entry| entry.path.clone()).collect()
            }
            None => self.tracked()?,
        };
        Ok(WorkingTree::with_tracked(self.root.clone(), tracked, self.excludes()))
    }

    fn tracked(&self) -> Result<Vec<String>, GitError> {
        let mut index = self.inner.index().map_err(|error| self.failed(&error))?;
        index.read(false).map_err(|error| self.failed(&error))?;
        let files = index.iter().filter(|entry| entry.mode != GITLINK);
        Ok(files.filter_map(|entry| String::from_utf8(entry.path).ok()).collect())
    }

    /// Git's lists of ignored files outside the tree, the stronger first.
    fn excludes(&self) -> Vec<PathBuf> {
        let own = self.common_dir().join("info/exclude");
        let configured = self.inner.config().and_then(|config| config.get_path("core.excludesfile")).ok();
        [own].into_iter().chain(configured.or_else(ignore::gitignore::gitconfig_excludes_path)).collect()
    }

    /// Paths of which the walk cannot say that they are as in the index; `None` where it cannot say enough, and git must be asked
    /// about all.
    ///
    /// A tracked file is as in the index if the operating system says of it what it said when git read it, and it was written
    /// before the index was.
    fn suspects<'a>(&self, index: &'a Index, listing: &'a Listing) -> Option<Vec<Suspect<'a>>> {
        let sees_less = listing.dot_ignore || !listing.unreadable.is_empty();
        let has_odd_names = || listing.entries.iter().any(|entry| entry.kind == EntryKind::NotUtf8Name);
        if sees_less || has_odd_names() {
            return None;
        }
        let mut suspects = Vec::new();
        let mut listed = listing.entries.iter().peekable();
        for tracked in &index.entries {
            while let Some(entry) = listed.next_if(|entry| entry.path < tracked.path) {
                suspects.push(Suspect::New(&entry.path));
            }
            if tracked.mode == GITLINK {
                // A submodule that was not fetched: what lies in its place is not ours, nor does git list it.
                let folder = format!("{}/", tracked.path);
                let next = listed.clone().find(|entry| entry.path > folder);
                if next.is_some_and(|entry| entry.path.starts_with(&folder)) {
                    return None;
                }
                continue;
            }
            let same = listed.next_if(|entry| entry.path == tracked.path);
            if !same.is_some_and(|entry| is_unchanged(tracked, entry, index.written)) && !tracked.is_assumed {
                suspects.push(Suspect::Tracked(tracked));
            }
        }
        suspects.extend(listed.map(|entry| Suspect::New(&entry.path)));
        Some(suspects)
    }
}

impl<'a> Suspect<'a> {
    fn path(&self) -> &'a str {
        match self {
            Suspect::Tracked(tracked) => &tracked.path,
            Suspect::New(path) => path,
        }
    }
}

/// Whether a file is as it was when git wrote it into the index.
fn is_unchanged(tracked: &Tracked, entry: &TreeEntry, index_written: (i64, i64)) -> bool {
    let Identity::Stat { modified_ns, changed_ns, inode } = entry.identity else { return false };
    let parts = |ns: i64| (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
    let (modified, changed) = (parts(modified_ns), parts(changed_ns));
    let cut = |(seconds, rest): (i64, i64)| (seconds as u32, rest as u32);
    let now = Stat { modified: cut(modified), changed: cut(changed), inode: inode as u32, bytes: entry.bytes as u32 };
    let whole = |stat: Stat| Stat { modified: (stat.modified.0, 0), changed: (stat.changed.0, 0), ..stat };
    if tracked.stat.modified.1 == 0 && tracked.stat.changed.1 == 0 {
        // Written by a git that counts whole seconds.
        return whole(now) == whole(tracked.stat) && modified.0 < index_written.0;
    }
    now == tracked.stat && modified < index_written
}

#[cfg(test)]
mod tests;
