//! `improve apply` with several plans: at once where they do not touch, one upon the other where that is asked for.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;
use std::process::Command;

use alone::{command, json, run, stderr, stdout};
use common::{git, write};

/// A repository with files `a`, `b` and `c`, and nothing else.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a", "b", "c"] {
        write(folder.path(), &format!("src/{name}.txt"), "before\n");
    }
    git(folder.path(), &["init", "-q", "-b", "main"]);
    folder
}

/// A plan that writes `after` into a file, with one gate more.
fn plan(number: u32, file: &str, gate: &str) -> String {
    format!(
        "# Plan {number:03}: Change {file}\n\n## Status\n\n- **Priority**: P3\n- **Effort**: S\n- **Risk**: LOW\n\
         - **Category**: tech-debt\n\n## Why this matters\n\nIt reads better.\n\n## Scope\n\n**In scope**\n\n- `src/{file}.txt`\n\n\
         ## Steps\n\n### Step 1: Write `after`\n\n```edit file=src/{file}.txt\n<<<<<<< SEARCH\nbefore\n=======\nafter\n>>>>>>> REPLACE\n```\n\n\
         **Verify**: `{gate}` → exit 0\n\n## Done criteria\n\n- [ ] `grep -q after src/{file}.txt` → exit 0\n\n\
         ## STOP conditions\n\n- The line is gone.\n"
    )
}

fn commit(folder: &Path, plans: &[(&str, String)]) {
    for (name, text) in plans {
        write(folder, &format!("plans/{name}.md"), text);
    }
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "plans"]);
}

fn on_branch(folder: &Path, branch: &str, file: &str) -> String {
    let output = Command::new("git").args(["show", &format!("{branch}:src/{file}.txt")]).current_dir(folder).output();
    String::from_utf8(output.expect("git is installed").stdout).expect("git prints UTF-8 here")
}

fn outcomes(receipts: &serde_json::Value) -> Vec<&str> {
    let receipts = receipts.as_array().expect("several receipts");
    receipts.iter().map(|receipt| receipt["outcome"].as_str().expect("a word")).collect()
}

#[test]
fn plans_that_do_not_touch_are_carried_out_at_once() {
    let (repository, meeting) = (repository(), tempfile::tempdir().expect("a temporary folder"));
    // Each waits for the other to come, for as long as a slow machine may take.
    let gate = |own: &str, other: &str| {
        let at = meeting.path().display();
        format!("touch {at}/{own}; for i in $(seq 600); do test -e {at}/{other} && exit 0; sleep 0.1; done; exit 1")
    };
    commit(repository.path(), &[("001-a", plan(1, "a", &gate("a", "b"))), ("002-b", plan(2, "b", &gate("b", "a")))]);
    let output =
        run(repository.path(), &["apply", "--all", "--jobs", "2", "--trust", "--sandbox", "none", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let receipts = json(&output);
    assert_eq!(outcomes(&receipts), ["verified", "verified"]);
    let green_on_the_base = receipts[0]["baseline"][0]["result"]["green"].as_bool();
    assert_eq!(green_on_the_base, Some(true), "the two met on the base already: {receipts}");
    let said = stderr(&output);
    assert!(said.contains("001: step 1 of 1") && said.contains("002: step 1 of 1"), "{said}");
    let index = std::fs::read_to_string(repository.path().join("plans/README.md")).expect("the index is written");
    assert!(index.contains("branch improve/001-a") && index.contains("branch improve/002-b"), "{index}");
}

#[test]
fn plans_that_touch_the_same_file_wait_for_each_other_and_the_page_ends_with_a_line_each() {
    let (repository, alone) = (repository(), tempfile::tempdir().expect("a temporary folder"));
    let at = alone.path().display();
    let gate = format!("mkdir {at}/alone && sleep 0.3 && rmdir {at}/alone");
    commit(repository.path(), &[("001-a", plan(1, "a", &gate)), ("002-a", plan(2, "a", &gate))]);
    let output = run(repository.path(), &["apply", "--all", "--jobs", "2", "--trust", "--sandbox", "none"]);
    let page = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{page}{}", stderr(&output));
    let log =
        std::fs::read_to_string(repository.path().join(".git/improve/log/001-a.log")).expect("the log is written");
    assert!(log.contains("Z step 1 of 1: Write `after`") && log.contains("Z journal: finished"), "{log}");
    let end = page.split("2 plans\n").nth(1).expect("the table");
    let row = |number: &str| {
        let row = end.lines().find(|line| line.trim_start().starts_with(number)).expect("a line");
        row.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for (number, branch) in [("001", "improve/001-a"), ("002", "improve/002-a")] {
        let row = row(number);
        assert_eq!(row[1..5], ["verified", "1", "of", "1"], "{row:?}");
        assert_eq!(row.last().map(String::as_str), Some(branch));
    }
    assert!(end.contains("2 of 2 verified, no model\n"), "{end}");
}

#[test]
fn a_stack_builds_each_plan_on_the_one_before_and_goes_on_where_it_ended() {
    let repository = repository();
    let plans: Vec<(&str, String)> = [("001-a", 1, "a"), ("002-b", 2, "b")]
        .map(|(name, number, file)| (name, plan(number, file, "true")))
        .into_iter()
        .collect();
    commit(repository.path(), &plans);
    let output = run(repository.path(), &["apply", "--all", "--stack", "--trust", "--format", "json"]);
    assert_eq!(outcomes(&json(&output)), ["verified", "verified"], "{}", stderr(&output));
    assert_eq!(on_branch(repository.path(), "improve/001-a", "b"), "before\n");
    assert_eq!(on_branch(repository.path(), "improve/002-b", "a"), "after\n");
    write(repository.path(), "plans/003-c.md", &plan(3, "c", "true"));
    write(repository.path(), "improve.toml", "[apply]\nlog-progress = false\n");
    let output = run(repository.path(), &["apply", "--all", "--stack", "--trust", "--format", "json"]);
    assert_eq!(json(&output)["outcome"], "verified", "{}", stderr(&output));
    let said = stderr(&output);
    let estimate = said.lines().find(|line| line.starts_with("1 plan with 1 step: about ")).expect("an estimate");
    assert!(estimate.ends_with(" s, by 2 verified runs before"), "{estimate}");
    assert!(!repository.path().join(".git/improve/log/003-c.log").exists(), "no log was wanted");
    for (file, text) in [("a", "after\n"), ("b", "after\n"), ("c", "after\n")] {
        assert_eq!(on_branch(repository.path(), "improve/003-c", file), text);
    }
}

#[test]
fn a_stack_leaves_out_a_plan_that_failed() {
    let repository = repository();
    commit(
        repository.path(),
        &[("001-a", plan(1, "a", "true")), ("002-b", plan(2, "b", "false")), ("003-c", plan(3, "c", "true"))],
    );
    let output = run(repository.path(), &["apply", "--all", "--stack", "--trust", "--format", "json"]);
    assert_eq!(outcomes(&json(&output)), ["verified", "failed", "verified"], "{}", stderr(&output));
    let tip = |file: &str| on_branch(repository.path(), "improve/003-c", file);
    assert_eq!([tip("a"), tip("b"), tip("c")], ["after\n", "before\n", "after\n"]);
}

#[test]
fn a_step_takes_one_line_on_a_narrow_page() {
    let repository = repository();
    commit(repository.path(), &[("001-a", plan(1, "a", "true"))]);
    let output = command(repository.path(), &["apply", "1", "--trust"]).env("COLUMNS", "60").output();
    let page = stdout(&output.expect("the program starts"));
    let line = page.lines().find(|line| line.contains("Write `after`") && line.contains("green")).expect("the step");
    assert!(line.chars().count() <= 60, "{line}");
}
