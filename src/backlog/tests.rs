//! Backlogs in temporary folders.

use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a path below the root")).expect("a temporary folder is writable");
    fs::write(path, text).expect("a temporary folder is writable");
}

fn plan(number: u32, title: &str, finding: &str) -> Plan {
    let text = format!(
        "# Plan {number:03}: {title}\n\n## Status\n\n- **Priority**: P1\n- **Effort**: S\n- **Finding**: `{finding}`\n\n## Steps\n\n### Step 1: Do it\n"
    );
    parse(&text).expect("a plan")
}

#[test]
fn a_new_backlog_counts_up_and_never_makes_a_plan_twice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backlog = Backlog::open(folder.path()).expect("an empty repository");
    assert_eq!((backlog.folder(), backlog.is_displaced()), ("plans", false));
    let lock = backlog.lock().expect("nobody else");
    assert_eq!(backlog.next_number().expect("readable"), 1);
    let first = backlog.write_plan(&lock, &plan(1, "Load `orders` once", "00ff")).expect("written");
    assert_eq!(first, PathBuf::from("plans/001-load-orders-once.md"));
    assert_eq!(backlog.next_number().expect("readable"), 2);
    assert_eq!(backlog.plan_of_finding("00ff"), Some(first.clone()));
    assert_eq!(backlog.plan_of_finding("11ee"), None);
    assert!(matches!(
        backlog.write_plan(&lock, &plan(1, "Load orders once", "00ff")),
        Err(BacklogError::Exists { .. })
    ));
    assert_eq!(backlog.status(&first).expect("readable"), Some(PlanStatus::Todo));
    let names: Vec<_> =
        fs::read_dir(folder.path().join("plans")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names.len(), 2, "no temporary file is left: {names:?}");
}

#[test]
fn numbers_of_plans_that_are_gone_are_not_used_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(
        folder.path(),
        "plans/README.md",
        "| Plan | Title | Status |\n|--|--|--|\n| 007 | Gone | DONE |\n| 008–011 | Gone | DONE |\n",
    );
    write(folder.path(), "plans/done/005-x.md", "# Plan 005: x\n\n## Steps\n\n1. a\n");
    write(folder.path(), "plans/2026-06-01-y.md", "# Plan: y\n\n## Steps\n\n1. a\n");
    assert_eq!(Backlog::open(folder.path()).expect("ours").next_number().expect("readable"), 12);
}

#[test]
fn a_plans_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "plans/gold.json", "{}");
    write(folder.path(), "plans/README.md", "# Subscription plans\n");
    let backlog = Backlog::open(folder.path()).expect("a second folder");
    assert_eq!((backlog.folder(), backlog.is_displaced()), ("advisor-plans", true));
    write(folder.path(), "advisor-plans/x.txt", "");
    assert!(matches!(Backlog::open(folder.path()), Err(BacklogError::NoFolder)));
}

#[test]
fn statuses_and_rejections_are_kept_in_the_index() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let backlog = Backlog::open(folder.path()).expect("an empty repository");
    let lock = backlog.lock().expect("nobody else");
    let path = backlog.write_plan(&lock, &plan(1, "One", "00ff")).expect("written");
    let done = PlanStatus::Done("improve/001-one at abc1234 (not merged)".to_owned());
    backlog.set_status(&lock, &path, &done).expect("written");
    assert_eq!(backlog.status(&path).expect("readable"), Some(done));
    backlog.reject_finding(&lock, "11ee", "Loop", "three rows at most").expect("written");
    backlog.reject_plan(&lock, &path, "the table\nhas ten rows").expect("written");
    assert_eq!(
        backlog.status(&path).expect("readable"),
        Some(PlanStatus::Rejected("the table has ten rows".to_owned()))
    );
    assert_eq!(backlog.rejected_fingerprints().expect("readable"), ["00ff", "11ee"]);
}

#[test]
fn plan_arguments_are_resolved_or_the_candidates_listed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "# Plan 001: x\n\n## Steps\n\n1. a\n";
    for path in [
        "plans/001-load-orders.md",
        "plans/002-load-users.md",
        "plans/003-x.md",
        "plans/old/001-other.md",
        "plans/old/004-a.md",
        "plans/new/004-b.md",
    ] {
        write(folder.path(), path, text);
    }
    let backlog = Backlog::open(folder.path()).expect("ours");
    let found = |argument: &str| {
        backlog.resolve(argument).map(|path| path.to_string_lossy().into_owned()).map_err(|error| error.to_string())
    };
    for argument in [
        "1",
        "001",
        "plans/001.md",
        "plans/001",
        "load-orders",
        "001-load-orders",
        "load-o",
        "./plans/001-load-orders.md",
    ] {
        assert_eq!(found(argument), Ok("plans/001-load-orders.md".to_owned()), "{argument}");
    }
    assert_eq!(found("old/001-other"), Ok("plans/old/001-other.md".to_owned()));
    assert_eq!(found("load"), Err("`load` may be plans/001-load-orders.md, plans/002-load-users.md".to_owned()));
    assert_eq!(found("4"), Err("`4` may be plans/new/004-b.md, plans/old/004-a.md".to_owned()));
    assert_eq!(found("nine"), Err("no plan is called `nine`".to_owned()));
    assert_eq!(found(""), Err("no plan is called ``".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_linked_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("plans")).expect("links work here");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("advisor-plans")).expect("links work here");
    assert!(matches!(Backlog::open(folder.path()), Err(BacklogError::NoFolder)));
    fs::remove_file(folder.path().join("advisor-plans")).expect("a link");
    let backlog = Backlog::open(folder.path()).expect("a second folder");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("advisor-plans")).expect("links work here");
    assert!(matches!(backlog.lock(), Err(BacklogError::Symlink { .. })));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}

#[test]
fn slugs_are_short_words() {
    assert_eq!(slug("Load `orders` once (N+1)!"), "load-orders-once-n-1");
    assert_eq!(slug("тест"), "plan");
    assert!(slug(&"word ".repeat(40)).len() <= 60);
}
