//! A working directory as a [`Tree`]: what git would track there, read from disk.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{Tree, TreeEntry, TreeError};
use crate::os;

mod ignored;
mod open;
mod walk;

pub(crate) use walk::Listing;

/// A working directory.
///
/// Lists what is neither ignored nor inside another repository (submodules, nested clones), hidden files included. Ignore
/// files count outside git too. Folders that cannot be opened are passed over; see [`WorkingTree::unreadable`].
#[derive(Debug, Clone)]
pub struct WorkingTree {
    root: PathBuf,
    /// The root with links resolved, once it was asked for.
    real_root: Arc<OnceLock<PathBuf>>,
    tracked: Arc<[String]>,
    excludes: Vec<PathBuf>,
    listing: Option<Arc<Listing>>,
}

impl WorkingTree {
    /// The folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let own = root.join(".git/info/exclude");
        let excludes = [own].into_iter().chain(ignore::gitignore::gitconfig_excludes_path()).collect();
        Self::with_tracked(root, Vec::new(), excludes)
    }

    /// The folder `root`, of which git tracks `tracked`: those files are listed even where a `.gitignore` or one of the lists
    /// `excludes` names them.
    pub fn with_tracked(root: impl Into<PathBuf>, mut tracked: Vec<String>, excludes: Vec<PathBuf>) -> Self {
        tracked.sort_unstable();
        tracked.dedup();
        Self { root: root.into(), real_root: Arc::default(), tracked: tracked.into(), excludes, listing: None }
    }

    /// The same tree, its files listed now and once: [`Tree::entries`] repeats what was there.
    pub fn listed(self) -> Result<Self, TreeError> {
        let listing = Some(Arc::new(self.list()?));
        Ok(Self { listing, ..self })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folders and files that the operating system would not let us list, sorted.
    pub fn unreadable(&self) -> Vec<String> {
        match &self.listing {
            Some(listing) => listing.unreadable.clone(),
            None => self.list().map(|listing| listing.unreadable).unwrap_or_default(),
        }
    }

    /// What was listed, if it was.
    pub(crate) fn listing(&self) -> Option<&Listing> {
        self.listing.as_deref()
    }

    fn list(&self) -> Result<Listing, TreeError> {
        let io = |source| TreeError::Io { path: self.root.clone(), source };
        walk::list(&self.root, &self.tracked, &self.excludes).map_err(io)
    }

    fn real_root(&self) -> std::io::Result<&Path> {
        if let Some(root) = self.real_root.get() {
            return Ok(root);
        }
        let root = os::canonical(&self.root)?;
        Ok(self.real_root.get_or_init(|| root))
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
        let full = os::canonical(&self.root.join(path)).map_err(io)?;
        let root = os::canonical(&self.root).map_err(io)?;
        let inside = full.strip_prefix(&root).map_err(|_| TreeError::Outside { path: path.to_owned() })?;
        if inside.components().any(|component| is_git_folder(component.as_os_str().to_str())) {
            return Err(TreeError::Outside { path: path.to_owned() });
        }
        Ok(full)
    }
}

impl Tree for WorkingTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        match &self.listing {
            Some(listing) => Ok(listing.entries.clone()),
            None => Ok(self.list()?.entries),
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        check_path(path)?;
        // Nearly all paths hold no link, and then there is nothing to resolve.
        if let Some(bytes) = self.real_root().ok().and_then(|root| open::read_without_links(root, path)) {
            return Ok(bytes);
        }
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

    fn is_left_out(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let below = format!("{path}/");
        let at = self.tracked.partition_point(|own| own.as_str() < below.as_str());
        let is_tracked = self.tracked.binary_search_by(|own| own.as_str().cmp(path)).is_ok()
            || self.tracked.get(at).is_some_and(|own| own.starts_with(&below));
        is_tracked && !self.is_file(path) && !self.is_folder(path)
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
    fn what_git_tracks_and_the_folder_lacks_is_left_out() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), "a.txt", "x");
        let tracked = ["a.txt", "docs/b.md", "docs-old/c.md"].map(str::to_owned).to_vec();
        let tree = WorkingTree::with_tracked(folder.path(), tracked, Vec::new());
        let asked = ["a.txt", "docs/b.md", "docs", "docs/", "doc", "c.md"];
        let left_out: Vec<&str> = asked.into_iter().filter(|path| tree.is_left_out(path)).collect();
        assert_eq!(left_out, ["docs/b.md", "docs", "docs/"]);
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

    #[test]
    fn a_listed_tree_repeats_what_was_there() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), "a.txt", "x");
        let tree = WorkingTree::new(folder.path()).listed().expect("readable");
        write(folder.path(), "b.txt", "x");
        assert_eq!(paths(&tree), ["a.txt"]);
        assert_eq!(tree.text("b.txt").as_deref(), Some("x"));
    }

    #[test]
    fn the_identity_of_a_file_changes_with_the_file() {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        write(folder.path(), "a.txt", "x");
        let tree = WorkingTree::new(folder.path());
        let before = tree.entries().expect("readable");
        assert_eq!(tree.entries().expect("readable"), before);
        let file = std::fs::File::create(folder.path().join("a.txt")).expect("it is ours");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("it is ours");
        assert_ne!(tree.entries().expect("readable")[0].identity, before[0].identity);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// The `ignore` crate walks as ripgrep does; where nothing is tracked, so do we.
        #[test]
        fn without_git_the_listing_is_that_of_ripgrep(
            files in proptest::collection::vec("(a|b|\\.h|c d)(/(a|b|\\.h|x\\.log)){0,2}", 1..12),
            patterns in proptest::collection::vec(
                ("(|a/|b/a/|\\.\\./)\\.(git)?ignore", "!?/?(a|b|\\*\\.log|x\\.log|a/b|\\.h|\\*\\*/a|top/a)/?"), 0..6),
        ) {
            let folder = tempfile::tempdir().expect("the system has a temporary folder");
            let root = folder.path().join("top");
            let mut ignores: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
            for (path, pattern) in patterns {
                ignores.entry(path).or_default().push_str(&format!("{pattern}\n"));
            }
            std::fs::create_dir(&root).expect("the folder can be made");
            for (path, text) in files.into_iter().map(|path| (path, "x".to_owned())).chain(ignores) {
                let path = root.join(path);
                // A name may already be a folder, or stand below a file.
                if path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
                    let _ = std::fs::write(path, text);
                }
            }
            let mut expected: Vec<String> = ignore::WalkBuilder::new(&root)
                .hidden(false).require_git(false).build()
                .map(|entry| entry.expect("readable"))
                .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
                .map(|entry| entry.path().strip_prefix(&root).expect("inside").to_str().expect("plain").to_owned())
                .collect();
            expected.sort();
            proptest::prop_assert_eq!(paths(&WorkingTree::new(&root)), expected);
        }
    }
}
