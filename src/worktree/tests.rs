//! Worktrees in repositories built in a temporary folder.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use git2::{IndexAddOption, Time};

use super::*;
use crate::worktree::files::write_file;
use crate::worktree::leftover::disk_bytes;

/// A repository with one commit, our cache beside it.
struct World {
    folder: tempfile::TempDir,
    place: Place,
    commit: String,
}

fn commit_all(root: &Path) -> String {
    let repository = Repository::open(root).expect("it is a repository");
    let mut index = repository.index().expect("it has an index");
    if root.join("inner").exists() {
        // `add_all` takes a nested repository for a folder.
        index.add_path(Path::new("inner")).expect("a submodule can be added");
        index.add_path(Path::new(".gitmodules")).expect("files can be added");
    } else {
        index.add_all(["*"], IndexAddOption::DEFAULT, None).expect("files can be added");
    }
    index.write().expect("an index can be written");
    let tree = index.write_tree().and_then(|id| repository.find_tree(id)).expect("the index is a tree");
    let author = Signature::new("A User", "user@example.com", &Time::new(1_700_000_000, 0)).expect("a plain signature");
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    repository
        .commit(Some("HEAD"), &author, &author, "all", &tree, &parents)
        .expect("a tree can be committed")
        .to_string()
}

impl World {
    fn new(files: &[(&str, &str)]) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("repo");
        for (path, text) in files {
            write_file(&root.join(path), text.as_bytes()).expect("the folder is ours");
        }
        Repository::init(&root).expect("a folder becomes a repository");
        let commit = commit_all(&root);
        let place = Place::of(&root, &folder.path().join("cache")).expect("it is a repository");
        World { folder, place, commit }
    }

    fn worktree(&self) -> Worktree {
        Worktree::create(&self.place, "001-a", &self.commit, Some("improve/001-a")).expect("a worktree can be made")
    }
}

fn described(changes: &[Change]) -> Vec<(String, Option<&'static str>, Option<&'static str>)> {
    let mode = |content: &Option<Content>| content.as_ref().map(Content::mode);
    changes.iter().map(|change| (change.path.clone(), mode(&change.old), mode(&change.new))).collect()
}

#[test]
fn changes_say_what_was_added_removed_linked_and_made_executable() {
    let world = World::new(&[("a", "1\n"), ("b", "1\n"), ("c", "1\n"), ("d", "1\n"), (".gitignore", "ignored\n")]);
    let worktree = world.worktree();
    let folder = worktree.folder();
    fs::remove_file(folder.join("a")).expect("it is ours");
    fs::set_permissions(folder.join("b"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    fs::remove_file(folder.join("c")).expect("it is ours");
    std::os::unix::fs::symlink("d", folder.join("c")).expect("it is ours");
    write_file(&folder.join("new/e"), b"").expect("it is ours");
    write_file(&folder.join("ignored"), b"x").expect("it is ours");
    let changes = worktree.changes_since(&world.commit).expect("they can be compared");
    assert_eq!(
        described(&changes),
        [
            ("a".to_owned(), Some("100644"), None),
            ("b".to_owned(), Some("100644"), Some("100755")),
            ("c".to_owned(), Some("100644"), Some("120000")),
            ("new/e".to_owned(), None, Some("100644")),
        ]
    );
    let other = Worktree::create(&world.place, "001-a.replay", &world.commit, None).expect("a worktree can be made");
    other.take_over(&changes).expect("they can be brought over");
    assert_eq!(other.changes_since(&world.commit).expect("they can be compared"), changes);
    let paths: Vec<String> = changes.iter().map(|change| change.path.clone()).collect();
    let tip = other.commit(&paths, "all of it").expect("they can be committed");
    let between =
        change::between(&world.place.repository().expect("it is there"), &world.commit, &tip).expect("commits compare");
    assert_eq!(between, changes);
    other.reset_to(&world.commit).expect("it can be reset");
    assert_eq!(other.changes_since(&world.commit).expect("they can be compared"), []);
}

#[test]
fn a_detached_worktree_leaves_no_branch_and_removing_one_leaves_nothing() {
    let world = World::new(&[("a", "1\n")]);
    Worktree::create(&world.place, "001-a.replay", &world.commit, None).expect("a worktree can be made");
    let repository = world.place.repository().expect("it is there");
    let branches = || repository.branches(None).expect("branches can be listed").count();
    assert_eq!(branches(), 1);
    Worktree::remove(&world.place, "001-a.replay").expect("it can be removed");
    assert_eq!(repository.worktrees().expect("worktrees can be listed").len(), 0);
    assert!(!world.place.folder_of("001-a.replay").exists());
    assert!(!world.place.common().join("worktrees/improve-001-a.replay").exists());
}

#[test]
fn a_half_made_worktree_is_replaced() {
    let world = World::new(&[("a", "1\n")]);
    fs::create_dir_all(world.place.common().join("worktrees/improve-001-a")).expect("it is ours");
    write_file(&world.place.folder_of("001-a").join("junk"), b"x").expect("it is ours");
    let worktree = world.worktree();
    assert_eq!(worktree.changes_since(&world.commit).expect("they can be compared"), []);
}

#[test]
fn writing_is_all_or_nothing_where_a_path_is_refused() {
    let world = World::new(&[("a", "1\n")]);
    let worktree = world.worktree();
    std::os::unix::fs::symlink(world.folder.path(), worktree.folder().join("z")).expect("it is ours");
    let files = BTreeMap::from([("a".to_owned(), Some("2\n".to_owned())), ("z/x".to_owned(), Some("x".to_owned()))]);
    assert!(matches!(worktree.write(&files), Err(WorktreeError::RefusedPath { .. })));
    assert_eq!(worktree.text("a").as_deref(), Some("1\n"));
    assert_eq!(worktree.text("z/repo/a"), None);
}

#[test]
fn line_endings_of_the_checkout_are_committed_as_git_wants_them() {
    let world = World::new(&[("a.txt", "1\n2\n"), (".gitattributes", "*.txt text eol=crlf\n")]);
    let worktree = world.worktree();
    assert_eq!(worktree.text("a.txt").as_deref(), Some("1\r\n2\r\n"));
    assert_eq!(worktree.changes_since(&world.commit).expect("they can be compared"), []);
    worktree.write(&BTreeMap::from([("a.txt".to_owned(), Some("1\r\n3\r\n".to_owned()))])).expect("it is ours");
    let tip = worktree.commit(&["a.txt".to_owned()], "x").expect("it can be committed");
    assert_eq!(world.place.text_at(&tip, "a.txt").expect("it is there").as_deref(), Some("1\n3\n"));
}

#[test]
fn submodules_come_as_files_and_survive_a_reset() {
    let world = World::new(&[("a", "1\n")]);
    let inner = world.place.root().join("inner");
    write_file(&inner.join("lib"), b"x").expect("it is ours");
    Repository::init(&inner).expect("a folder becomes a repository");
    commit_all(&inner);
    write_file(&world.place.root().join(".gitmodules"), b"[submodule \"inner\"]\n\tpath = inner\n\turl = ./inner\n")
        .expect("ours");
    let commit = commit_all(world.place.root());
    let worktree =
        Worktree::create(&world.place, "001-a", &commit, Some("improve/001-a")).expect("a worktree can be made");
    let brought = bring::submodules(&world.place, &worktree).expect("they can be copied");
    assert_eq!(worktree.text("inner/lib").as_deref(), Some("x"));
    assert_eq!(worktree.changes_since(&commit).expect("they can be compared"), []);
    worktree.reset_to(&commit).expect("it can be reset");
    assert_eq!(worktree.text("inner/lib").as_deref(), Some("x"));
    let limits = world.place.limits(&commit, &brought).expect("they can be listed");
    assert_eq!(limits, ["submodule inner: copied from your checkout, without its history"]);
}

#[test]
fn prepared_dependencies_are_brought_without_links_between_the_trees() {
    let world = World::new(&[("a", "1\n"), (".gitignore", "node_modules\ntarget\n")]);
    let from = world.worktree();
    write_file(&from.folder().join("packages/x/node_modules/dep/index.js"), b"1").expect("it is ours");
    write_file(&from.folder().join("src/target/not-cargos"), b"1").expect("it is ours");
    let to = Worktree::create(&world.place, "001-a.replay", &world.commit, None).expect("a worktree can be made");
    assert_eq!(bring::dependencies(&from, &to).expect("they can be brought"), ["packages/x/node_modules"]);
    let brought = to.folder().join("packages/x/node_modules/dep/index.js");
    assert_eq!(fs::read(&brought).expect("it is there"), b"1");
    fs::remove_dir_all(to.folder().join("packages")).expect("it is ours");
    assert!(from.folder().join("packages/x/node_modules/dep/index.js").exists());
}

#[test]
fn a_cache_inside_the_repository_is_refused() {
    let world = World::new(&[("a", "1\n")]);
    let inside = world.place.root().join("cache");
    assert!(matches!(Place::of(world.place.root(), &inside), Err(WorktreeError::CacheInside { .. })));
}

#[test]
fn leftovers_know_their_size_and_go_when_asked() {
    let world = World::new(&[("a", "1\n")]);
    let lease = lease::Lease::take(&world.place, "001-a", "plans/001-a.md", "improve/001-a").expect("nobody holds it");
    let worktree = world.worktree();
    let found = leftovers(&world.place);
    let expected = Leftover {
        slug: "001-a".to_owned(),
        plan: Some("plans/001-a.md".to_owned()),
        branch: Some("improve/001-a".to_owned()),
        worktree: worktree.folder().to_owned(),
        exists: true,
        bytes: disk_bytes(worktree.folder()),
        in_use: true,
    };
    assert_eq!(found, [expected]);
    assert_eq!(clean(&world.place, None, true).expect("it may list").len(), 0, "what is in use stays");
    assert!(matches!(clean(&world.place, Some("001-a"), true), Err(WorktreeError::InUse { .. })));
    drop(lease);
    assert_eq!(clean(&world.place, None, true).expect("nobody uses it").len(), 1);
    assert_eq!(leftovers(&world.place), []);
    assert!(!world.place.has_branch("improve/001-a").expect("branches can be listed"));
}

#[test]
fn what_a_killed_verification_left_goes_with_its_plan() {
    let world = World::new(&[("a", "1\n")]);
    let name = format!("001-a{}", leftover::VERIFY);
    drop(lease::Lease::take(&world.place, &name, "plans/001-a.md", "").expect("nobody holds it"));
    Worktree::create(&world.place, &name, &world.commit, None).expect("a worktree can be made");
    let found: Vec<_> = leftovers(&world.place).into_iter().map(|leftover| (leftover.slug, leftover.branch)).collect();
    assert_eq!(found, [(name, None)]);
    clean(&world.place, Some("001-a"), true).expect("nobody uses it");
    assert_eq!(leftovers(&world.place), []);
}

#[test]
fn what_somebody_did_with_git_is_taken_back_and_the_files_and_every_other_branch_stay() {
    let world = World::new(&[("a.txt", "one\n")]);
    let worktree = world.worktree();
    let repository = Repository::open(worktree.folder()).expect("it is a worktree");
    let target = repository.head().and_then(|head| head.peel_to_commit()).expect("it has a commit");
    repository.branch("theirs", &target, false).expect("a branch can be made");
    repository.set_head("refs/heads/theirs").expect("it can be switched to");
    write_file(&worktree.folder().join("a.txt"), b"two\n").expect("the folder is ours");
    let theirs = commit_all(worktree.folder());
    repository.find_reference("refs/heads/improve/001-a").and_then(|mut it| it.delete()).expect("it is there");

    worktree.bring_back_to("improve/001-a", &world.commit).expect("it can be taken back");
    assert_eq!(worktree.head().expect("HEAD is there"), world.commit);
    assert_eq!(repository.head().expect("HEAD is there").name_bytes(), b"refs/heads/improve/001-a");
    assert_eq!(repository.refname_to_id("refs/heads/theirs").expect("it is there").to_string(), theirs);
    assert_eq!(worktree.text("a.txt").as_deref(), Some("two\n"));
    assert_eq!(worktree.changes_since(&world.commit).expect("it can be read").len(), 1);
}

#[test]
fn neither_an_edit_nor_a_reset_writes_through_a_link() {
    let world = World::new(&[("src/a.txt", "one\n"), ("src/b.txt", "two\n"), ("lib/c.txt", "three\n")]);
    let worktree = world.worktree();
    let outside = world.folder.path().join("outside");
    write_file(&outside.join("c.txt"), b"theirs\n").expect("the folder is ours");
    let target = outside.join("c.txt");
    let inside = |path: &str| worktree.folder().join(path);
    fs::remove_file(inside("src/a.txt")).expect("it is there");
    std::os::unix::fs::symlink(&target, inside("src/a.txt")).expect("the folder is ours");
    fs::remove_file(inside("src/b.txt")).expect("it is there");
    fs::hard_link(&target, inside("src/b.txt")).expect("both are on one disk");
    fs::remove_dir_all(inside("lib")).expect("it is there");
    std::os::unix::fs::symlink(&outside, inside("lib")).expect("the folder is ours");

    let edit = BTreeMap::from([("src/b.txt".to_owned(), Some("four\n".to_owned()))]);
    worktree.write(&edit).expect("it is a file");
    assert_eq!(fs::read_to_string(&target).expect("it is there"), "theirs\n");
    worktree.bring_back_to("improve/001-a", &world.commit).expect("it can be taken back");
    worktree.reset_to(&world.commit).expect("it can be reset");
    assert_eq!(fs::read_to_string(&target).expect("it is there"), "theirs\n");
    assert_eq!(described(&worktree.changes_since(&world.commit).expect("it can be read")), []);
    let texts = ["src/a.txt", "src/b.txt", "lib/c.txt"].map(|path| worktree.text(path));
    assert_eq!(texts, ["one\n", "two\n", "three\n"].map(|text| Some(text.to_owned())));
}

#[test]
fn worktrees_can_be_made_at_the_same_moment() {
    for _ in 0..20 {
        let world = World::new(&[("a", "1\n")]);
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            let make = |number: usize| {
                let (world, start) = (&world, &start);
                move || {
                    start.wait();
                    let (name, branch) = (format!("00{number}-a"), format!("improve/00{number}-a"));
                    Worktree::create(&world.place, &name, &world.commit, Some(&branch)).map(drop)
                }
            };
            let threads: Vec<_> = (0..4).map(|number| scope.spawn(make(number))).collect();
            for thread in threads {
                thread.join().expect("no thread panics").expect("a worktree can be made");
            }
        });
    }
}
