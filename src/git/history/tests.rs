//! Walks of small histories, clean and kept.

use super::stored::{decode, encode};
use super::*;
use crate::git::tests::{Fixture, START};
use crate::kept;
use crate::progress::NoProgress;
use crate::repo_map::FileHistory;
use crate::repo_map::history::History;

fn touches(fixture: &Fixture, commit: &CommitId, cache: Option<&Path>) -> Touches {
    fixture.open().history(commit, HistoryLimits::default(), cache, &NoProgress).expect("readable")
}

fn all(touches: &Touches) -> History {
    touches.history(touches.paths())
}

fn newest(commits: usize) -> HistoryLimits {
    HistoryLimits { commits, ..HistoryLimits::default() }
}

#[test]
fn history_counts_touches_and_leaves_merges_out() {
    let fixture = Fixture::new();
    let old = fixture.write("a/b/old.rs", "1").write("keep.rs", "1").commit(0, "ada");
    fixture.write("a/b/old.rs", "2").write("a.rs", "1").commit(200, "ada");
    let mine = fixture.write("a/b/old.rs", "3").commit(250, "bob");
    // A merge that brings nothing of its own.
    let mut index = fixture.repository.index().expect("a repository has an index");
    let parents = [&mine, &old].map(|commit| commit.as_str().parse().expect("an id"));
    let merge = fixture.commit_index(&mut index, 260, "eve", &parents);
    let history = all(&touches(&fixture, &merge, None));
    let file = |churn_90d, day: i64, authors| FileHistory { churn_90d, last_change: Some(START + day * DAY), authors };
    let expected = [("a.rs", file(1, 200, 1)), ("a/b/old.rs", file(2, 250, 2)), ("keep.rs", file(0, 0, 1))];
    assert_eq!(history, expected.map(|(path, history)| (path.to_owned(), history)).into_iter().collect());

    let one = fixture.open().history(&merge, newest(1), None, &NoProgress).expect("readable");
    assert_eq!(all(&one), [("a/b/old.rs".to_owned(), file(1, 250, 1))].into_iter().collect());
}

#[test]
fn history_sees_a_file_become_a_folder() {
    let fixture = Fixture::new();
    fixture.write("a", "1").write("a-b", "1").write("z", "1").commit(0, "ada");
    std::fs::remove_file(fixture.root().join("a")).expect("it was written");
    let commit = fixture.write("a/inner", "1").commit(1, "ada");
    let one = fixture.open().history(&commit, newest(1), None, &NoProgress).expect("readable");
    assert_eq!(one.paths().collect::<Vec<_>>(), ["a/inner"]);
}

#[test]
fn files_that_change_together_twice_are_a_pair_and_recent_changes_weigh_more() {
    let fixture = Fixture::new();
    let mut commit = None;
    let pairs = [(0, ["old", "x"]), (1, ["old", "x"]), (700, ["new", "x"]), (701, ["new", "x"]), (702, ["once", "x"])];
    for (day, files) in pairs {
        for file in files {
            fixture.write(file, format!("{day}"));
        }
        commit = Some(fixture.commit(day, "ada"));
    }
    // Too many files at once: no pair among them.
    for file in ["new", "old", "once", "x"] {
        fixture.write(file, "many");
    }
    for file in 0..30 {
        fixture.write(&format!("many/{file}"), "1");
    }
    commit.replace(fixture.commit(703, "ada"));
    let history = all(&touches(&fixture, &commit.expect("there are commits"), None));
    let named: Vec<(&str, &str, u32)> = history
        .pairs
        .iter()
        .map(|pair| (&*history.files[pair.one as usize].0, &*history.files[pair.other as usize].0, pair.together))
        .collect();
    assert_eq!(named, [("new", "x", 2), ("old", "x", 2)]);
    assert!(history.pairs[0].strength > 1.5 * history.pairs[1].strength, "{:?}", history.pairs);
    assert!(history.pairs.iter().all(|pair| 0.0 < pair.strength && pair.strength <= 1.0));
    // Files that are gone have no part in it.
    assert_eq!(
        touches(&fixture, &fixture.open().head().expect("readable").expect("one"), None)
            .history(["x"].into_iter())
            .pairs,
        []
    );
}

#[test]
fn a_second_look_at_the_same_commit_reads_no_commit() {
    let fixture = Fixture::new();
    fixture.write("a", "1").commit(0, "ada");
    let head = fixture.write("b", "1").commit(1, "bob");
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = folder.path().join("not/yet/there/history");
    let first = touches(&fixture, &head, Some(&cache));
    let repository = fixture.open();
    std::fs::rename(repository.git_dir().join("objects"), repository.git_dir().join("away")).expect("it is there");
    let again = repository.history(&head, HistoryLimits::default(), Some(&cache), &NoProgress).expect("from the file");
    assert_eq!(again, first);
}

#[test]
fn a_commit_on_top_is_read_alone() {
    let fixture = Fixture::new();
    let first = fixture.write("a", "1").commit(0, "ada");
    let second = fixture.write("b", "1").commit(1, "bob");
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = folder.path().join("history");
    touches(&fixture, &second, Some(&cache));
    let third = fixture.write("b", "2").commit(2, "bob");
    let clean = touches(&fixture, &third, None);
    // Without its tree the first commit could not be read again.
    let tree =
        fixture.repository.find_commit(first.as_str().parse().expect("an id")).expect("there").tree_id().to_string();
    std::fs::remove_file(fixture.open().git_dir().join("objects").join(&tree[..2]).join(&tree[2..]))
        .expect("it is loose");
    assert_eq!(touches(&fixture, &third, Some(&cache)), clean);
    assert_ne!(touches(&fixture, &third, None), clean);
}

#[test]
fn a_cache_that_is_damaged_old_or_not_writable_is_built_again_or_done_without() {
    let fixture = Fixture::new();
    let head = fixture.write("a", "1").write("dir/b", "2").commit(0, "ada");
    let clean = touches(&fixture, &head, None);
    let roots = fixture.open().roots();
    let body = encode(&clean, roots);
    assert_eq!(decode(&body, roots).as_ref(), Some(&clean));
    assert_eq!(decode(&body, roots + 1), None);
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = folder.path().join("history");
    kept::put(&cache, b"improve-hist-v1\n", &[&body]).expect("the folder is ours");
    let whole = std::fs::read(&cache).expect("it was written");
    let flip = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = (0..whole.len()).map(flip).chain((0..whole.len()).map(|length| whole[..length].to_vec()));
    for bytes in damaged.chain([[whole.as_slice(), b"x"].concat()]) {
        assert_eq!(kept::open(&bytes, b"improve-hist-v1\n"), None);
    }
    for bytes in [flip(20), whole[..40].to_vec(), Vec::new()] {
        std::fs::write(&cache, bytes).expect("the folder is ours");
        assert_eq!(touches(&fixture, &head, Some(&cache)), clean);
        assert_eq!(std::fs::read(&cache).expect("written again"), whole);
    }
    // A folder in its place, and a file in place of its folder.
    assert_eq!(touches(&fixture, &head, Some(folder.path())), clean);
    assert_eq!(touches(&fixture, &head, Some(&cache.join("below"))), clean);
}

#[test]
fn a_shallow_clone_is_not_remembered_once_it_is_deepened() {
    let fixture = Fixture::new();
    fixture.write("a", "1").commit(0, "ada");
    let middle = fixture.write("a", "2").commit(1, "ada");
    let head = fixture.write("a", "3").commit(2, "ada");
    let deep = touches(&fixture, &head, None);
    let folder = tempfile::tempdir().expect("the system has a temporary folder");
    let cache = folder.path().join("history");
    let shallow = fixture.open().git_dir().join("shallow");
    std::fs::write(&shallow, format!("{middle}\n")).expect("the folder is ours");
    let cut = touches(&fixture, &head, Some(&cache));
    assert_eq!(all(&cut).files.len(), 1);
    assert_eq!(cut.commits.len(), 2);
    assert_eq!(touches(&fixture, &head, Some(&cache)), cut);
    std::fs::remove_file(&shallow).expect("just written");
    assert_eq!(touches(&fixture, &head, Some(&cache)), deep);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Commits in any order of dates, branches and merges among them, looked at now and then.
    #[test]
    fn the_history_on_top_of_a_cache_is_the_history_without(
        steps in proptest::collection::vec((0_i64..900, "[abc]", proptest::collection::vec("(a|b|c/d|c/e|f)", 0..4), 0_usize..8, proptest::bool::ANY), 1..14),
        commits in 1_usize..10,
    ) {
        let fixture = Fixture::new();
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        let cache = folder.path().join("history");
        let limits = newest(commits);
        let mut made: Vec<git2::Oid> = Vec::new();
        for (number, (day, author, files, parent, look)) in steps.into_iter().enumerate() {
            for file in files {
                fixture.write(&file, format!("{number}"));
            }
            let mut index = fixture.repository.index().expect("a repository has an index");
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("files can be added");
            // The first parent is where the branch is; another one makes a merge.
            let mut parents: Vec<git2::Oid> = made.last().copied().into_iter().collect();
            if parent < made.len().saturating_sub(1) {
                parents.push(made[parent]);
            }
            let commit = fixture.commit_index(&mut index, day, &author, &parents);
            made.push(commit.as_str().parse().expect("an id"));
            if look {
                let repository = fixture.open();
                let clean = repository.history(&commit, limits, None, &NoProgress).expect("readable");
                let cached = repository.history(&commit, limits, Some(&cache), &NoProgress).expect("readable");
                proptest::prop_assert_eq!(encode(&clean, 0), encode(&cached, 0));
                proptest::prop_assert_eq!(decode(&encode(&clean, 0), 0), Some(clean));
            }
        }
    }

    /// Names that sort apart as files and as folders, and names that become the other.
    #[test]
    fn the_newest_commit_touched_what_libgit2_says_it_did(
        sides in proptest::collection::vec(proptest::collection::vec(("(a|a-b|a0|b)(/(a|a-b|a0)){0,2}", 0_u8..2), 0..8), 2),
    ) {
        let fixture = Fixture::new();
        let mut head = None;
        for (side, day) in sides.into_iter().zip(0..) {
            for name in ["a", "a-b", "a0", "b"] {
                let path = fixture.root().join(name);
                let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
            }
            for (path, text) in side {
                let path = fixture.root().join(path);
                // A name may already be a folder, or stand below a file.
                if path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()) {
                    let _ = std::fs::write(path, text.to_string());
                }
            }
            head = Some(fixture.commit(day, "ada"));
        }
        let head = head.expect("two commits");
        let commit = fixture.repository.find_commit(head.as_str().parse().expect("an id")).expect("there");
        let (before, after) = (commit.parent(0).and_then(|parent| parent.tree()), commit.tree());
        let diff = fixture.repository.diff_tree_to_tree(before.ok().as_ref(), after.ok().as_ref(), None).expect("whole");
        let mut expected: Vec<String> = diff
            .deltas()
            .filter(|delta| delta.status() != git2::Delta::Deleted)
            .filter_map(|delta| Some(delta.new_file().path()?.to_str()?.to_owned()))
            .collect();
        expected.sort();
        let one = fixture.open().history(&head, newest(1), None, &NoProgress).expect("readable");
        proptest::prop_assert_eq!(one.paths().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_bytes_are_too_strange_to_be_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = decode(&bytes, 0);
        let _ = decode(&[&0_u64.to_le_bytes()[..], &bytes].concat(), 0);
    }
}
