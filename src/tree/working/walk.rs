//! The walk over a working directory: every folder is listed once, every file asked once for what the system knows of it.
//!
//! It is our own because it knows what git tracks: a tracked file is listed whatever `.gitignore` says, so that patterns are
//! matched against the few other files alone.

use std::ffi::OsString;
use std::fs::{self, DirEntry, FileType, Metadata};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::Scope;

use super::ignored::{Has, Outermost, Rules};
use crate::os;
use crate::tree::{EntryKind, Identity, TreeEntry};

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Files, sorted by path.
    pub entries: Vec<TreeEntry>,
    /// Folders and files that the operating system would not let us list, sorted.
    pub unreadable: Vec<String>,
    /// A `.ignore` file was met: git would list more.
    pub dot_ignore: bool,
}

/// Lists `root`. `tracked` is sorted and listed even where an ignore file of git's names it; `excludes` are git's own lists.
pub(super) fn list(root: &Path, tracked: &[String], excludes: &[PathBuf]) -> io::Result<Listing> {
    // The walk passes over folders it cannot open, but a root it cannot open is the caller's mistake.
    fs::read_dir(root)?;
    let outermost = Outermost::new(root, excludes);
    let top = Folder {
        path: String::new(),
        is_utf8: true,
        disk: root.to_owned(),
        tracked: 0..tracked.len(),
        rules: outermost.around.clone(),
        hidden: OnceLock::from(false),
        outer: None,
    };
    let walk = Walk { tracked, outermost, found: Mutex::new(Listing::default()) };
    rayon::scope(|scope| walk.folder(scope, top));
    let mut listing = walk.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    listing.entries.sort_unstable();
    listing.unreadable.sort_unstable();
    Ok(listing)
}

struct Walk<'a> {
    tracked: &'a [String],
    outermost: Outermost,
    found: Mutex<Listing>,
}

/// A folder to be listed, later one that was.
struct Folder {
    /// Its path in the tree; empty for the root.
    path: String,
    is_utf8: bool,
    disk: PathBuf,
    /// What is tracked in it, as places in the list.
    tracked: Range<usize>,
    /// The ignore files that hold for what is in it; those of the folder around until it is listed.
    rules: Option<Arc<Rules>>,
    /// Git ignores it or a folder around it, so that only tracked files count. Found out when first asked.
    hidden: OnceLock<bool>,
    outer: Option<Arc<Folder>>,
}

impl<'a> Walk<'a> {
    fn folder<'scope>(&'scope self, scope: &Scope<'scope>, mut folder: Folder)
    where
        'a: 'scope,
    {
        let mut found = Listing::default();
        let Ok(children) = fs::read_dir(&folder.disk).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>) else {
            self.without_listing(&folder, &mut found);
            found.unreadable.push(folder.path);
            return self.add(found);
        };
        let names: Vec<OsString> = children.iter().map(DirEntry::file_name).collect();
        let has = |name: &str| names.iter().any(|child| child == name);
        if folder.outer.is_some() && has(".git") {
            // Another repository: what is in it is not ours, but for what our index says.
            if folder.tracked.is_empty() {
                return;
            }
            folder.hidden = OnceLock::from(true);
        }
        let has = Has { dot_ignore: has(".ignore"), git_ignore: has(".gitignore") };
        folder.rules = Rules::inside(&folder.disk, &folder.path, folder.rules.as_ref(), has);
        found.dot_ignore = Rules::has_dot_ignore(folder.rules.as_ref());
        let folder = Arc::new(folder);
        for (child, name) in children.iter().zip(&names).filter(|(_, name)| *name != ".git") {
            let Ok(file_type) = child.file_type() else { continue };
            let path = join(&folder.path, &name.to_string_lossy());
            let is_utf8 = folder.is_utf8 && name.to_str().is_some();
            let tracked = self.tracked_at(&folder, &path, file_type.is_dir());
            if self.leaves_out(&folder, &path, file_type.is_dir(), !tracked.is_empty()) {
                continue;
            }
            if file_type.is_dir() {
                let child = Folder {
                    path,
                    is_utf8,
                    disk: child.path(),
                    hidden: if tracked.is_empty() { OnceLock::from(false) } else { OnceLock::new() },
                    tracked,
                    rules: folder.rules.clone(),
                    outer: Some(Arc::clone(&folder)),
                };
                scope.spawn(move |scope| self.folder(scope, child));
            } else {
                found.push(path, is_utf8, file_type, child.metadata());
            }
        }
        self.add(found);
    }

    /// The places of what is tracked at or below a path in `folder`.
    fn tracked_at(&self, folder: &Folder, path: &str, is_folder: bool) -> Range<usize> {
        let start = folder.tracked.start;
        let tracked = &self.tracked[folder.tracked.clone()];
        // What all paths in a folder begin with need not be compared.
        let skip = path.len() - path.rsplit('/').next().map_or(0, str::len);
        let name = &path.as_bytes()[skip..];
        if !is_folder {
            return match tracked.binary_search_by(|tracked| tracked.as_bytes()[skip..].cmp(name)) {
                Ok(index) => start + index..start + index + 1,
                Err(index) => start + index..start + index,
            };
        }
        let prefix = [name, b"/"].concat();
        let first = tracked.partition_point(|tracked| tracked.as_bytes()[skip..] < *prefix);
        let count = tracked[first..].partition_point(|tracked| tracked.as_bytes()[skip..].starts_with(&prefix));
        start + first..start + first + count
    }

    fn leaves_out(&self, folder: &Folder, path: &str, is_folder: bool, is_tracked: bool) -> bool {
        match Rules::dot_ignores(folder.rules.as_ref(), path, is_folder) {
            Some(true) => true,
            _ if is_tracked => false,
            Some(false) => self.is_hidden(folder),
            None => self.is_hidden(folder) || self.outermost.git_ignores(folder.rules.as_ref(), path, is_folder),
        }
    }

    fn is_hidden(&self, folder: &Folder) -> bool {
        *folder.hidden.get_or_init(|| {
            let Some(outer) = &folder.outer else { return false };
            let rules = outer.rules.as_ref();
            self.is_hidden(outer)
                || (Rules::dot_ignores(rules, &folder.path, true).is_none()
                    && self.outermost.git_ignores(rules, &folder.path, true))
        })
    }

    /// Some folders may be entered but not listed; what is tracked there has names all the same.
    fn without_listing(&self, folder: &Folder, found: &mut Listing) {
        for path in &self.tracked[folder.tracked.clone()] {
            let inside = path[folder.path.len()..].trim_start_matches('/');
            if Rules::dot_ignores(folder.rules.as_ref(), path, false) == Some(true) {
                continue;
            }
            if let Ok(metadata) = folder.disk.join(inside).symlink_metadata() {
                found.push(path.clone(), folder.is_utf8, metadata.file_type(), Ok(metadata));
            }
        }
    }

    fn add(&self, mut found: Listing) {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        all.entries.append(&mut found.entries);
        all.unreadable.append(&mut found.unreadable);
        all.dot_ignore |= found.dot_ignore;
    }
}

impl Listing {
    fn push(&mut self, path: String, is_utf8: bool, file_type: FileType, metadata: io::Result<Metadata>) {
        let kind = match (is_utf8, file_type.is_symlink(), file_type.is_file()) {
            (false, true, _) | (false, _, true) => EntryKind::NotUtf8Name,
            (true, true, _) => EntryKind::Symlink,
            (true, false, true) => EntryKind::File,
            // Folders; sockets, pipes and devices.
            (_, false, false) => return,
        };
        match metadata {
            Ok(metadata) => {
                self.entries.push(TreeEntry { path, kind, bytes: metadata.len(), identity: identity(&metadata) });
            }
            Err(_) => self.unreadable.push(path),
        }
    }
}

fn identity(metadata: &Metadata) -> Identity {
    let nanoseconds = |(seconds, rest): (i64, i64)| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    let stat = os::stat(metadata);
    Identity::Stat { modified_ns: nanoseconds(stat.modified), changed_ns: nanoseconds(stat.changed), inode: stat.inode }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
