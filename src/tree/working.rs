//! A working directory as a [`Tree`]: what git would track there, read from disk.

use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};

use super::{EntryKind, Tree, TreeEntry, TreeError, dot_ignore};

/// A working directory.
///
/// Lists what is neither ignored nor inside another repository (submodules, nested clones), hidden files included. Ignore
/// files count outside git too. Folders that cannot be opened are passed over; see [`WorkingTree::unreadable`].
#[derive(Debug, Clone)]
pub struct WorkingTree {
    root: PathBuf,
    tracked: Vec<String>,
}

impl WorkingTree {
    /// The folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), tracked: Vec::new() }
    }

    /// The folder `root`, of which git tracks `tracked`: those files are listed even where an ignore file names them.
    pub fn with_tracked(root: impl Into<PathBuf>, tracked: Vec<String>) -> Self {
        Self { root: root.into(), tracked }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folders and files that the operating system would not let us list, sorted.
    pub fn unreadable(&self) -> Vec<String> {
        self.walk().unreadable
    }

    fn walk(&self) -> Walked {
        let is_repository = self.root.join(".git").exists();
        let mut builder = WalkBuilder::new(&self.root);
        builder
            .hidden(false)
            .require_git(false)
            .follow_links(false)
            // A repository's own root is the top; elsewhere the ignore files of enclosing folders count as git counts them.
            .parents(!is_repository)
            .filter_entry(|entry| {
                entry.depth() == 0
                    || (entry.file_name() != ".git"
                        && !(entry.file_type().is_some_and(|kind| kind.is_dir()) && entry.path().join(".git").exists()))
            });
        let found = Mutex::new(Walked::default());
        builder.build_parallel().run(|| {
            // One batch a thread: the lock is taken once, when the visitor is dropped at the end.
            let mut batch = Batch { walked: Walked::default(), all: &found };
            Box::new(move |result| {
                match result {
                    Ok(entry) => batch.walked.push(&self.root, &entry),
                    Err(error) => batch.walked.push_error(&self.root, &error),
                }
                WalkState::Continue
            })
        });
        let mut walked = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        walked.entries.sort();
        walked.unreadable.sort();
        walked
    }

    /// Tracked files that an ignore file hid from the walk and that exist.
    fn tracked_but_ignored(&self, listed: &[TreeEntry]) -> Vec<TreeEntry> {
        let missing: Vec<TreeEntry> = self
            .tracked
            .iter()
            .filter(|path| listed.binary_search_by(|entry| entry.path.as_str().cmp(path)).is_err())
            .filter_map(|path| {
                let metadata = self.root.join(path).symlink_metadata().ok()?;
                let kind = if metadata.is_symlink() { EntryKind::Symlink } else { EntryKind::File };
                (!metadata.is_dir()).then(|| TreeEntry { path: path.clone(), kind, bytes: metadata.len() })
            })
            .collect();
        if missing.is_empty() {
            return missing;
        }
        // `.ignore` is for readers like us and holds for tracked files too.
        let paths = listed.iter().chain(&missing).map(|entry| entry.path.as_str());
        let ignored = dot_ignore::DotIgnore::new(paths, |path| self.text(path));
        missing.into_iter().filter(|entry| !ignored.matches(&entry.path)).collect()
    }

    /// Where `path` is on disk, links resolved; an error if that is outside the tree.
    fn locate(&self, path: &str) -> Result<PathBuf, TreeError> {
        check_path(path)?;
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                TreeError::Missing { path: path.to_owned() }
            }
            _ => TreeError::Io { path: self.root.join(path), source },
        };
        let full = self.root.join(path).canonicalize().map_err(io)?;
        let root = self.root.canonicalize().map_err(io)?;
        let inside = full.strip_prefix(&root).map_err(|_| TreeError::Outside { path: path.to_owned() })?;
        if inside.components().any(|component| is_git_folder(component.as_os_str().to_str())) {
            return Err(TreeError::Outside { path: path.to_owned() });
        }
        Ok(full)
    }
}

impl Tree for WorkingTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        // The walk passes over folders it cannot open, but a root it cannot open is the caller's mistake.
        std::fs::read_dir(&self.root).map_err(|source| TreeError::Io { path: self.root.clone(), source })?;
        let mut entries = self.walk().entries;
        let hidden = self.tracked_but_ignored(&entries);
        if !hidden.is_empty() {
            entries.extend(hidden);
            entries.sort();
        }
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let full = self.locate(path)?;
        let metadata = full.metadata().map_err(|source| TreeError::Io { path: full.clone(), source })?;
        // Reading a pipe or a device might never end.
        if !metadata.is_file() {
            return Err(TreeError::Missing { path: path.to_owned() });
        }
        std::fs::read(&full).map_err(|source| TreeError::Io { path: full, source })
    }

    fn is_file(&self, path: &str) -> bool {
        self.locate(path).is_ok_and(|full| full.is_file())
    }

    fn is_folder(&self, path: &str) -> bool {
        self.locate(path.trim_end_matches('/')).is_ok_and(|full| full.is_dir())
    }
}

/// Refuses what is not a plain relative path: `..`, absolute, a drive, or anything inside `.git`.
pub(crate) fn check_path(path: &str) -> Result<(), TreeError> {
    let outside = || TreeError::Outside { path: path.to_owned() };
    if path.is_empty() || path.contains(['\0', '\\']) {
        return Err(outside());
    }
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) if !is_git_folder(name.to_str()) => {}
            Component::CurDir => {}
            Component::Normal(_) | Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(outside());
            }
        }
    }
    Ok(())
}

/// `.git` in any case: file systems that fold case would open it too.
fn is_git_folder(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.eq_ignore_ascii_case(".git"))
}

#[derive(Default)]
struct Walked {
    entries: Vec<TreeEntry>,
    unreadable: Vec<String>,
}

impl Walked {
    fn push(&mut self, root: &Path, entry: &ignore::DirEntry) {
        let Some(file_type) = entry.file_type() else { return };
        let Some((path, is_utf8)) = relative(root, entry.path()) else { return };
        let kind = match (is_utf8, file_type.is_symlink(), file_type.is_file()) {
            (false, true, _) | (false, _, true) => EntryKind::NotUtf8Name,
            (true, true, _) => EntryKind::Symlink,
            (true, false, true) => EntryKind::File,
            // Folders; sockets, pipes and devices.
            (_, false, false) => return,
        };
        match entry.path().symlink_metadata() {
            Ok(metadata) => self.entries.push(TreeEntry { path, kind, bytes: metadata.len() }),
            Err(_) => self.unreadable.push(path),
        }
    }

    fn push_error(&mut self, root: &Path, error: &ignore::Error) {
        if let Some(path) = path_of(error).and_then(|path| relative(root, path)) {
            self.unreadable.push(path.0);
        }
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// `path` below `root` with `/`, and whether it was UTF-8.
fn relative(root: &Path, path: &Path) -> Option<(String, bool)> {
    let inside = path.strip_prefix(root).ok()?;
    let text = inside.to_string_lossy();
    let is_utf8 = inside.to_str().is_some();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    (!text.is_empty()).then_some((text, is_utf8))
}

struct Batch<'a> {
    walked: Walked,
    all: &'a Mutex<Walked>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.entries.append(&mut self.walked.entries);
        all.unreadable.append(&mut self.walked.unreadable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, text).expect("the file can be written");
    }

    fn paths(tree: &WorkingTree) -> Vec<String> {
        tree.entries().expect("readable").into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn ignore_files_count_outside_git_too() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        for path in ["a.txt", "b.log", "sub/c.log", "sub/.hidden/d.txt", "out/e.txt", "data/f.txt"] {
            write(folder.path(), path, "x");
        }
        write(folder.path(), ".gitignore", "*.log\n/out\n");
        write(folder.path(), "sub/.gitignore", "!c.log\n");
        write(folder.path(), ".ignore", "data\n");
        let listed = paths(&WorkingTree::new(folder.path()));
        assert_eq!(listed, [".gitignore", ".ignore", "a.txt", "sub/.gitignore", "sub/.hidden/d.txt", "sub/c.log"]);
    }

    #[test]
    fn an_ignored_file_can_still_be_read_by_name() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), ".gitignore", "*.log\n");
        write(folder.path(), "b.log", "x");
        let tree = WorkingTree::new(folder.path());
        assert_eq!(tree.text("b.log").as_deref(), Some("x"));
        assert_eq!(paths(&tree), [".gitignore"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_root_that_is_a_link_is_the_folder_behind_it() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), "real/src/a.txt", "x");
        std::os::unix::fs::symlink("real", folder.path().join("link")).expect("links can be made");
        let tree = WorkingTree::new(folder.path().join("link"));
        assert_eq!(paths(&tree), ["src/a.txt"]);
        assert_eq!(tree.text("src/a.txt").as_deref(), Some("x"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_may_not_be_opened_is_passed_over_and_told() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), "a.txt", "x");
        write(folder.path(), "locked/b.txt", "x");
        let locked = folder.path().join("locked");
        let allow =
            |mode| std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        allow(0o000);
        // Root opens everything: for it nothing is unreadable.
        let opens_anyway = std::fs::read_dir(&locked).is_ok();
        let tree = WorkingTree::new(folder.path());
        let (listed, unreadable) = (paths(&tree), tree.unreadable());
        allow(0o755);
        if opens_anyway {
            assert_eq!((listed, unreadable), (vec!["a.txt".to_owned(), "locked/b.txt".to_owned()], Vec::new()));
        } else {
            assert_eq!((listed, unreadable), (vec!["a.txt".to_owned()], vec!["locked".to_owned()]));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pipes_are_neither_listed_nor_read() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.path().join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .expect("a pipe can be made");
        let tree = WorkingTree::new(folder.path());
        assert_eq!(paths(&tree), Vec::<String>::new());
        assert!(matches!(tree.read("pipe"), Err(TreeError::Missing { .. })));
    }
}
