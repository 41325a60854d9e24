//! The walk and the index against `git status`: what makes a checkout dirty, and what only looks so.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use crate::git::GITLINK;
use crate::git::tests::Fixture;

/// What is done to a checkout, in words and in fact.
type Change = (&'static str, fn(&Fixture));

/// What git itself says, with the index it finds.
fn git_says(fixture: &Fixture) -> bool {
    fixture.open().is_dirty().expect("readable")
}

fn dirty(fixture: &Fixture) -> bool {
    let cache = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = cache.path().join("staged");
    let look = |cache| fixture.open().checkout(cache).expect("readable").dirty;
    let answers = [look(None), look(Some(&cache)), look(Some(&cache))];
    assert_eq!(answers, [git_says(fixture); 3]);
    answers[0]
}

/// A commit of some files, made long enough ago for git to be sure of them.
fn committed() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("a.txt", "1").write("src/b.rs", "1").write("src/run.sh", "1").write(".gitignore", "*.log\n");
    symlink("a.txt", fixture.root().join("link")).expect("links can be made");
    settle(&fixture);
    fixture
}

/// Commits, and dates every file back before the index.
fn settle(fixture: &Fixture) {
    for path in ["a.txt", "src/b.rs", "src/run.sh", ".gitignore"] {
        if let Ok(file) = fs::File::open(fixture.root().join(path)) {
            file.set_modified(SystemTime::now() - Duration::from_secs(100)).expect("it is ours");
        }
    }
    fixture.commit(0, "ada");
    // libgit2 notes HEAD's tree in the index when it reads one.
    let mut index = fixture.repository.index().expect("there is one");
    let tree = fixture.repository.head().and_then(|head| head.peel_to_tree()).expect("there is one");
    index.read_tree(&tree).expect("it is whole");
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("files can be added");
    index.write_tree().expect("it is whole");
    index.write().expect("it can be written");
}

fn suspects(fixture: &Fixture) -> Option<Vec<String>> {
    let repository = fixture.open();
    let index = repository.read_index().expect("a plain one");
    let tree = repository.working_tree().expect("readable").listed().expect("readable");
    let suspects = repository.suspects(&index, tree.listing().expect("listed"));
    suspects.map(|suspects| suspects.iter().map(|suspect| suspect.path().to_owned()).collect())
}

#[test]
fn a_clean_checkout_is_clean_without_asking_git_twice() {
    let fixture = committed();
    assert!(!dirty(&fixture));
    let suspects = suspects(&fixture).expect("the tree is noted");
    assert!(!suspects.iter().any(|path| path == "a.txt" || path == "src/b.rs"), "{suspects:?}");
}

fn submodule() -> git2::IndexEntry {
    let time = git2::IndexTime::new(0, 0);
    let id = git2::Oid::from_str("1234567890123456789012345678901234567890").expect("an id");
    let path = b"module".to_vec();
    let (dev, ino, uid, gid, file_size, flags, flags_extended) = (0, 0, 0, 0, 0, 0, 0);
    git2::IndexEntry {
        ctime: time,
        mtime: time,
        dev,
        ino,
        mode: GITLINK,
        uid,
        gid,
        file_size,
        id,
        flags,
        flags_extended,
        path,
    }
}

#[test]
fn every_kind_of_change_is_dirt() {
    let changes: [Change; 10] = [
        ("changed", |fixture| {
            fixture.write("a.txt", "22");
        }),
        ("changed to the same size", |fixture| {
            fixture.write("a.txt", "2");
        }),
        ("new", |fixture| {
            fixture.write("new/file", "");
        }),
        ("gone", |fixture| fs::remove_file(fixture.root().join("src/b.rs")).expect("it is there")),
        ("runnable", |fixture| {
            let path = fixture.root().join("src/run.sh");
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }),
        ("a link now", |fixture| {
            fs::remove_file(fixture.root().join("a.txt")).expect("it is there");
            symlink("src/b.rs", fixture.root().join("a.txt")).expect("links can be made");
        }),
        ("a link elsewhere", |fixture| {
            fs::remove_file(fixture.root().join("link")).expect("it is there");
            symlink("b.txt", fixture.root().join("link")).expect("links can be made");
        }),
        ("a folder now", |fixture| {
            fs::remove_file(fixture.root().join("a.txt")).expect("it is there");
            fixture.write("a.txt/inside", "");
        }),
        ("staged and taken back", |fixture| {
            fixture.write("a.txt", "2");
            let mut index = fixture.repository.index().expect("there is one");
            index.add_path(std::path::Path::new("a.txt")).expect("it is there");
            index.write().expect("it can be written");
            fixture.write("a.txt", "1");
        }),
        ("hidden from us by a file that git does not know", |fixture| {
            fixture.write(".git/info/exclude", ".ignore\n").write(".ignore", "new\n").write("new", "");
        }),
    ];
    for (name, change) in changes {
        let fixture = committed();
        change(&fixture);
        assert!(dirty(&fixture), "{name}");
    }
}

#[test]
fn what_only_looks_like_a_change_is_none() {
    let changes: [Change; 8] = [
        ("written again", |fixture| {
            fixture.write("a.txt", "1");
        }),
        ("ignored", |fixture| {
            fixture.write("x.log", "").write("src/deep/x.log", "");
        }),
        ("an empty folder", |fixture| fs::create_dir(fixture.root().join("empty")).expect("it can be made")),
        ("another repository", |fixture| {
            git2::Repository::init(fixture.root().join("nested")).expect("the folder is empty");
            fixture.write("nested/file", "");
        }),
        ("excluded here alone", |fixture| {
            fixture.write(".git/info/exclude", "own\n").write("own", "");
        }),
        ("with line ends that git turns", |fixture| {
            let mut config = fixture.repository.config().expect("there is one");
            config.set_str("core.autocrlf", "input").expect("it can be written");
            fixture.write("src/b.rs", "1");
        }),
        ("in place of a submodule", |fixture| {
            let mut index = fixture.repository.index().expect("there is one");
            index.add(&submodule()).expect("a submodule is an entry");
            index.write().expect("it can be written");
            fixture.commit_index(
                &mut index,
                1,
                "ada",
                &[fixture.repository.head().and_then(|head| head.peel_to_commit()).expect("there is one").id()],
            );
            fixture.write("module/file", "");
        }),
        ("excluded by configuration", |fixture| {
            let list = fixture.root().join(".git/my-list");
            fs::write(&list, "own\n").expect("the folder is ours");
            let mut config = fixture.repository.config().expect("there is one");
            config.set_str("core.excludesfile", list.to_str().expect("a plain path")).expect("it can be written");
            fixture.write("own", "");
        }),
    ];
    for (name, change) in changes {
        let fixture = committed();
        change(&fixture);
        assert!(!dirty(&fixture), "{name}");
    }
}

#[test]
fn what_was_kept_of_one_index_says_nothing_of_another() {
    let fixture = committed();
    let cache = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = cache.path().join("staged");
    let look = || fixture.open().checkout(Some(&cache)).expect("readable").dirty;
    let mut index = fixture.repository.index().expect("there is one");
    // Without git's own note of the tree.
    index.remove_path(std::path::Path::new("a.txt")).expect("it is there");
    index.add_path(std::path::Path::new("a.txt")).expect("it is there");
    index.write().expect("it can be written");
    assert_eq!(fixture.open().read_index().expect("a plain one").tree, None);
    assert!(!look());
    let note = fs::read(&cache).expect("it was kept");
    assert!(!look());
    index.remove_path(std::path::Path::new("a.txt")).expect("it is there");
    index.write().expect("it can be written");
    fs::write(fixture.root().join(".git/info/exclude"), "a.txt\n").expect("the folder is ours");
    assert!(look());
    assert_eq!(fs::read(&cache).expect("as it was"), note);
}

#[test]
fn a_repository_without_commits_or_index_is_asked_about_as_ever() {
    let fixture = Fixture::new();
    assert!(!dirty(&fixture));
    fixture.write("a", "");
    assert!(dirty(&fixture));
}
