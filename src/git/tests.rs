//! Repositories built in a temporary folder, author and date fixed.

use std::path::Path;

use super::*;
use crate::tree::{EntryKind, Identity, Tree, TreeEntry, TreeError};

/// Seconds: 2024-01-01.
pub(crate) const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

/// A repository to fill. Gone with the value.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) repository: git2::Repository,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("main");
        let repository = git2::Repository::init_opts(folder.path(), &options).expect("the folder is empty");
        Self { folder, repository }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::discover(self.root()).expect("the fixture is a repository")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, text).expect("the file can be written");
        self
    }

    /// Commits everything that is not ignored, on the day given after [`START`].
    pub(crate) fn commit(&self, day: i64, author: &str) -> CommitId {
        let mut index = self.repository.index().expect("a repository has an index");
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("files can be added");
        index.update_all(["*"], None).expect("files can be removed");
        index.write().expect("the index can be written");
        let parents: Vec<git2::Oid> = self.repository.head().ok().and_then(|head| head.target()).into_iter().collect();
        self.commit_index(&mut index, day, author, &parents)
    }

    pub(crate) fn commit_index(
        &self,
        index: &mut git2::Index,
        day: i64,
        author: &str,
        parents: &[git2::Oid],
    ) -> CommitId {
        let tree = self.repository.find_tree(index.write_tree().expect("the index is whole")).expect("just written");
        let time = git2::Time::new(START + day * DAY, 0);
        let signature = git2::Signature::new(author, &format!("{author}@acme.io"), &time).expect("a plain name");
        let parents: Vec<git2::Commit<'_>> =
            parents.iter().map(|id| self.repository.find_commit(*id).expect("an own commit")).collect();
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let message = format!("day {day}: change by {author}\n\nbody");
        let id = self
            .repository
            .commit(Some("HEAD"), &signature, &signature, &message, &tree, &parents)
            .expect("the parents fit the branch");
        CommitId(id.to_string())
    }
}

fn paths(entries: &[TreeEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn a_repository_without_commits_has_a_branch_and_no_head() {
    let fixture = Fixture::new();
    fixture.write("new.txt", "x");
    let repository = fixture.open();
    assert_eq!(repository.head().expect("unborn is no error"), None);
    assert_eq!(repository.branch().as_deref(), Some("main"));
    assert_eq!(repository.recent_subjects(5).expect("no commits is no error"), Vec::<String>::new());
    assert_eq!(repository.dirty_paths(&[]).expect("readable"), ["new.txt"]);
}

#[test]
fn a_detached_head_has_a_commit_and_no_branch() {
    let fixture = Fixture::new();
    let first = fixture.write("a.txt", "1").commit(0, "ada");
    fixture.write("a.txt", "2").commit(1, "ada");
    fixture.repository.set_head_detached(first.as_str().parse().expect("an id")).expect("the commit is there");
    let repository = fixture.open();
    assert_eq!(repository.head().expect("readable"), Some(first.clone()));
    assert_eq!(repository.branch(), None);
    assert_eq!(repository.default_branch().as_deref(), Some("main"));
    assert_eq!(repository.resolve("main~1").expect("it has a parent"), first);
    assert!(matches!(repository.resolve("nowhere"), Err(GitError::NoSuchCommit { .. })));
    assert_eq!(repository.author_time(&first).expect("readable"), START);
    assert!(first.as_str().starts_with(&repository.short_id(&first).expect("readable")));
}

#[test]
fn folders_around_and_inside_a_repository_are_told_apart() {
    let plain = tempfile::tempdir().expect("the system has a temporary folder");
    assert!(matches!(Repository::discover(plain.path()), Err(GitError::NotARepository { .. })));

    git2::Repository::init_bare(plain.path().join("bare.git")).expect("the folder is empty");
    let bare = Repository::discover(&plain.path().join("bare.git"));
    assert!(matches!(bare, Err(GitError::Bare { .. })));
    assert!(Repository::discover_commits(&plain.path().join("bare.git")).is_ok());

    let fixture = Fixture::new();
    fixture.write("src/deep/a.rs", "").commit(0, "ada");
    let inner = Repository::discover(&fixture.root().join("src/deep")).expect("inside a repository");
    assert_eq!(inner.root().canonicalize().ok(), fixture.root().canonicalize().ok());
    assert!(!inner.root().to_string_lossy().ends_with('/'));
}

#[test]
fn a_worktree_has_its_own_root_and_shares_the_common_folder() {
    let fixture = Fixture::new();
    let commit = fixture.write("a.txt", "1").commit(0, "ada");
    let place = tempfile::tempdir().expect("the system has a temporary folder");
    fixture.repository.worktree("side", &place.path().join("side"), None).expect("the place is free");
    let side = Repository::discover(&place.path().join("side")).expect("a worktree is a repository");
    assert_eq!(side.root().canonicalize().ok(), place.path().join("side").canonicalize().ok());
    assert_eq!(side.common_dir().canonicalize().ok(), fixture.root().join(".git").canonicalize().ok());
    assert_eq!(side.branch().as_deref(), Some("side"));
    let listed = side.working_tree().expect("readable").entries().expect("readable");
    assert_eq!(paths(&listed), ["a.txt"]);
    assert_eq!(paths(&side.tree_of(&commit).expect("the commit is there").entries().expect("readable")), ["a.txt"]);
}

#[test]
fn dirt_is_listed_within_the_paths_asked_for() {
    let fixture = Fixture::new();
    fixture.write("src/a.rs", "1").write("lib/b.rs", "1").write(".gitignore", "*.log\n").commit(0, "ada");
    let repository = fixture.open();
    assert!(!repository.is_dirty().expect("readable"));
    fixture.write("src/a.rs", "2").write("lib/new.rs", "1").write("x.log", "1").write("src/[a].rs", "1");
    assert_eq!(repository.dirty_paths(&[]).expect("readable"), ["lib/new.rs", "src/[a].rs", "src/a.rs"]);
    assert_eq!(repository.dirty_paths(&["src/"]).expect("readable"), ["src/[a].rs", "src/a.rs"]);
    assert_eq!(repository.dirty_paths(&["lib/b.rs"]).expect("readable"), Vec::<String>::new());
    assert_eq!(repository.dirty_paths(&["src/[a].rs"]).expect("readable"), ["src/[a].rs"]);
}

#[test]
fn subjects_are_the_first_lines_of_recent_commits() {
    let fixture = Fixture::new();
    fixture.write("a", "1").commit(0, "ada");
    fixture.write("a", "2").commit(1, "bob");
    let subjects = fixture.open().recent_subjects(1).expect("readable");
    assert_eq!(subjects, ["day 1: change by bob"]);
}

/// A clean checkout with everything a repository may hold.
#[cfg(unix)]
fn everything() -> (Fixture, CommitId) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let fixture = Fixture::new();
    let root = fixture.root();
    fixture
        .write("src/main.rs", "fn main() {}\n")
        .write(".github/workflows/ci.yml", "on: push\n")
        .write(".gitignore", "*.log\n/target\n")
        .write(".ignore", "data/\n")
        .write("data/big.csv", "1,2\n")
        .write("kept.log", "tracked although ignored\n")
        .write("bytes.bin", [0_u8, 159, 146, 150])
        .write("latin.txt", [0xe9_u8, b'\n']);
    symlink("src/main.rs", root.join("link.rs")).expect("links can be made");
    symlink("loop-b", root.join("loop-a")).expect("links can be made");
    symlink("loop-a", root.join("loop-b")).expect("links can be made");
    symlink(".", root.join("src/here")).expect("links can be made");
    symlink("/etc/hostname", root.join("out")).expect("links can be made");
    symlink("../../outside", root.join("src/up")).expect("links can be made");
    // File systems that insist on UTF-8 refuse the name; the rest of the test holds there too.
    let _ = std::fs::write(root.join(OsStr::from_bytes(b"caf\xe9.txt")), "x");
    let mut index = fixture.repository.index().expect("a repository has an index");
    index.add_all(["*"], git2::IndexAddOption::FORCE, None).expect("files can be added");
    let module = git2::IndexEntry {
        ctime: git2::IndexTime::new(0, 0),
        mtime: git2::IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: GITLINK,
        uid: 0,
        gid: 0,
        file_size: 0,
        id: git2::Oid::from_str("1234567890123456789012345678901234567890").expect("an id"),
        flags: 0,
        flags_extended: 0,
        path: b"module".to_vec(),
    };
    index.add(&module).expect("a submodule is an entry");
    index.write().expect("the index can be written");
    let commit = fixture.commit_index(&mut index, 0, "ada", &[]);
    fixture.write("module/.git", "gitdir: ../.git/modules/module\n").write("module/inside.rs", "");
    // Ignored, and a clone that git does not track.
    fixture.write("target/debug/x", "").write("new.log", "");
    git2::Repository::init(root.join("nested")).expect("the folder is empty");
    fixture.write("nested/inside.rs", "");
    (fixture, commit)
}

#[cfg(unix)]
#[test]
fn a_clean_checkout_and_its_commit_have_the_same_files() {
    let (fixture, commit) = everything();
    let repository = fixture.open();
    let working = repository.working_tree().expect("readable");
    let committed = repository.tree_of(&commit).expect("the commit is there");
    let entries = working.entries().expect("readable");
    let without_identity = |entries: &[TreeEntry]| -> Vec<TreeEntry> {
        entries.iter().map(|entry| TreeEntry { identity: Identity::Unknown, ..entry.clone() }).collect()
    };
    assert_eq!(without_identity(&entries), without_identity(&committed.entries().expect("readable")));
    let expected = [
        ".github/workflows/ci.yml",
        ".gitignore",
        ".ignore",
        "bytes.bin",
        "caf\u{fffd}.txt",
        "kept.log",
        "latin.txt",
        "link.rs",
        "loop-a",
        "loop-b",
        "out",
        "src/here",
        "src/main.rs",
        "src/up",
    ];
    let has_odd_name = entries.iter().any(|entry| entry.kind == EntryKind::NotUtf8Name);
    let expected: Vec<&str> = expected.into_iter().filter(|path| has_odd_name || path.is_ascii()).collect();
    assert_eq!(paths(&entries), expected);
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::File) {
        let bytes = working.read(&entry.path).expect("a listed file can be read");
        assert_eq!(bytes, committed.read(&entry.path).expect("a listed file can be read"));
        assert_eq!(bytes.len() as u64, entry.bytes);
    }
}

#[cfg(unix)]
#[test]
fn both_trees_refuse_to_leave_themselves_and_follow_links_within() {
    let (fixture, commit) = everything();
    let repository = fixture.open();
    let working = repository.working_tree().expect("readable");
    let committed = repository.tree_of(&commit).expect("the commit is there");
    for tree in [&working as &dyn Tree, &committed] {
        for path in ["../x", "/etc/hostname", "src/../../x", ".git/config", "src/.GIT/x", "", "a\\b", "out"] {
            assert!(matches!(tree.read(path), Err(TreeError::Outside { .. })), "{path}: {:?}", tree.read(path));
        }
        for path in ["nothing", "src", "src/main.rs/x", "module"] {
            assert!(matches!(tree.read(path), Err(TreeError::Missing { .. })), "{path}: {:?}", tree.read(path));
        }
        for path in ["loop-a", "src/up"] {
            assert!(tree.read(path).is_err(), "{path}");
        }
        for path in ["src/main.rs", "link.rs", "src/here/here/main.rs", "./src/main.rs"] {
            assert_eq!(tree.read(path).ok().as_deref(), Some(b"fn main() {}\n".as_slice()), "{path}");
        }
        assert!(tree.is_file("src/main.rs") && tree.is_file("link.rs") && !tree.is_file("src"));
        assert!(tree.is_folder("src") && tree.is_folder("src/") && !tree.is_folder("src/main.rs"));
    }
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_refused_with_the_way_out() {
    let fixture = Fixture::new();
    fixture.write("a", "1").commit(0, "ada");
    for path in [fixture.root().to_owned(), fixture.root().join(".git")] {
        // Only root may give files away: elsewhere there is nothing to test.
        if std::os::unix::fs::chown(path, Some(54_321), None).is_err() {
            return;
        }
    }
    let Err(error) = Repository::discover(fixture.root()) else { panic!("it belongs to another user") };
    assert!(matches!(error, GitError::NotOwned { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("safe.directory")));
}

#[test]
fn an_ignore_file_that_is_itself_ignored_still_counts() {
    let fixture = Fixture::new();
    fixture.write(".gitignore", "a\n").write("a/.ignore", "b\n").write("a/b", "").write("a/c", "");
    let mut index = fixture.repository.index().expect("a repository has an index");
    index.add_all(["*"], git2::IndexAddOption::FORCE, None).expect("files can be added");
    index.write().expect("the index can be written");
    let listed = fixture.open().working_tree().expect("readable").entries().expect("readable");
    assert_eq!(paths(&listed), [".gitignore", "a/.ignore", "a/c"]);
}

#[test]
fn attributes_are_those_of_the_tree_that_judges() {
    let fixture = Fixture::new();
    let before = fixture.write(".gitattributes", "sdk/** linguist-generated\n").commit(0, "ada");
    let branch = fixture.write(".gitattributes", "src/** linguist-generated\n").commit(1, "bob");
    let repository = fixture.open();
    let tree = |commit: &CommitId| repository.tree_of(commit).expect("the commit is there");
    assert_eq!(tree(&branch).attributes(".gitattributes").as_deref(), Some("src/** linguist-generated\n"));
    let judged = tree(&branch).ignoring_as(&tree(&before));
    assert_eq!(judged.attributes(".gitattributes").as_deref(), Some("sdk/** linguist-generated\n"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn any_clean_checkout_and_its_commit_have_the_same_files(
        files in proptest::collection::vec("(a|b|\\.h|c d)(/(a|b|\\.h|x\\.log)){0,2}", 1..8),
        git_ignore in proptest::collection::vec("!?/?(a|b|\\*\\.log|x\\.log|a/b|\\.h)/?", 0..4),
        dot_ignore in proptest::collection::vec("!?/?(a|b|\\*\\.log|x\\.log|a/b|\\.h)/?", 0..4),
        dot_ignore_folder in "(|a/|b/a/)",
    ) {
        let fixture = Fixture::new();
        let names = files.iter().map(|path| (path.clone(), "x".to_owned()));
        let ignores = [
            (".gitignore".to_owned(), git_ignore.join("\n")),
            (format!("{dot_ignore_folder}.ignore"), dot_ignore.join("\n")),
        ];
        for (path, text) in ignores.into_iter().chain(names) {
            let path = fixture.root().join(path);
            // A name may already be a folder, or stand below a file.
            if path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
                let _ = std::fs::write(path, text);
            }
        }
        let mut index = fixture.repository.index().expect("a repository has an index");
        index.add_all(["*"], git2::IndexAddOption::FORCE, None).expect("files can be added");
        index.write().expect("the index can be written");
        let commit = fixture.commit_index(&mut index, 0, "ada", &[]);
        let repository = fixture.open();
        let working = repository.working_tree().expect("readable").entries().expect("readable");
        let committed = repository.tree_of(&commit).expect("the commit is there").entries().expect("readable");
        let plain = |entries: Vec<TreeEntry>| entries.into_iter().map(|entry| (entry.path, entry.kind, entry.bytes)).collect::<Vec<_>>();
        proptest::prop_assert_eq!(plain(working), plain(committed));
    }
}
