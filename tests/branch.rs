//! `improve branch`: what came with a branch is told from what was there.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;

use serde_json::Value;

use alone::{json, run, stderr, stdout};
use common::{git, write};

const DB: &str = "\
import { PrismaClient } from '@prisma/client'

export const prisma = new PrismaClient()

export async function nameOf(id: string) {
  return id.toUpperCase()
}
";

/// Has a query in a loop, which is there before any branch is.
const ORDERS: &str = "\
import { prisma } from './db'

export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

/// Calls what a branch will make slow.
const NAMES: &str = "\
import { nameOf } from './db'

export async function names(ids: string[]) {
  const all = []
  for (const id of ids) {
    all.push(await nameOf(id))
  }
  return all
}
";

const SHELL: &str = "\
import { exec } from 'node:child_process'
import express from 'express'

const app = express()

app.get('/ping', (request, response) => {
  exec(`ping -c 1 ${request.query.host}`, (error, output) => response.send(output))
})
";

/// A repository on a branch without commits of its own.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    write(
        root,
        "package.json",
        "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\", \"express\": \"5.0.0\" } }\n",
    );
    write(root, "src/db.ts", DB);
    write(root, "src/orders.ts", ORDERS);
    write(root, "src/elsewhere.ts", &ORDERS.replace("listOrders", "listOthers"));
    write(root, "src/names.ts", NAMES);
    git(root, &["init", "-q", "-b", "main"]);
    commit(root, "first");
    git(root, &["checkout", "-q", "-b", "feature"]);
    folder
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", message]);
}

/// Rule, file and state of every finding.
fn found(document: &Value) -> Vec<(String, String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = document["findings"].as_array().expect("findings");
    findings.iter().map(|it| (word(&it["rule"]), word(&it["evidence"][0]["file"]), word(&it["state"]))).collect()
}

fn branch(root: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = ["branch", "--format", "json"].iter().chain(args).copied().collect();
    json(&run(root, &args))
}

fn triple(rule: &str, file: &str, state: &str) -> (String, String, String) {
    (rule.to_owned(), file.to_owned(), state.to_owned())
}

#[test]
fn what_came_with_the_branch_is_told_from_what_was_there_in_files_it_changed() {
    let shop = shop();
    write(shop.path(), "src/ping.ts", SHELL);
    write(shop.path(), "src/orders.ts", &format!("// Orders.\n{ORDERS}"));
    commit(shop.path(), "ping");
    let document = branch(shop.path(), &[]);
    let found = found(&document);
    assert!(found.contains(&triple("command-injection", "src/ping.ts", "introduced")), "{found:?}");
    assert!(found.contains(&triple("n-plus-one", "src/orders.ts", "pre-existing")), "{found:?}");
    assert!(found.iter().all(|(_, file, _)| file != "src/elsewhere.ts"), "{found:?}");
    let comparison = &document["comparison"];
    assert_eq!(
        (&comparison["with"], &comparison["ahead"], &comparison["changed"]),
        (&"main".into(), &1.into(), &2.into())
    );
    let output = run(shop.path(), &["branch"]);
    assert_eq!(output.status.code(), Some(1), "a weakness beyond doubt");
    let page = stdout(&output);
    assert!(page.contains("feature · 1 commit since main") && page.contains("was there before"), "{page}");
    assert_eq!(run(shop.path(), &["branch", "--fail-on", "never"]).status.code(), Some(0));
}

#[test]
fn a_change_shows_where_it_bites_though_that_file_is_as_it_was() {
    let shop = shop();
    let slow = DB.replace("return id.toUpperCase()", "return prisma.user.findUnique({ where: { id } })");
    write(shop.path(), "src/db.ts", &slow);
    commit(shop.path(), "names from the database");
    let found = found(&branch(shop.path(), &[]));
    assert!(found.contains(&triple("n-plus-one", "src/names.ts", "introduced")), "{found:?}");
    assert!(found.iter().all(|(.., state)| state == "introduced"), "what is around is not looked over: {found:?}");
}

#[test]
fn a_file_that_was_renamed_brings_nothing_new_and_all_is_well_in_three_lines() {
    let shop = shop();
    git(shop.path(), &["mv", "src/orders.ts", "src/all-orders.ts"]);
    commit(shop.path(), "another name");
    let found = found(&branch(shop.path(), &[]));
    assert_eq!(found, [triple("n-plus-one", "src/all-orders.ts", "pre-existing")]);
    let output = run(shop.path(), &["branch"]);
    assert_eq!((output.status.code(), stdout(&output).trim_end().lines().count()), (Some(0), 3), "{}", stdout(&output));
}

#[test]
fn uncommitted_changes_count_when_that_is_said() {
    let shop = shop();
    write(shop.path(), "README.md", "# Shop\n");
    commit(shop.path(), "words");
    write(shop.path(), "src/ping.ts", SHELL);
    let output = run(shop.path(), &["branch", "--format", "json"]);
    assert_eq!(found(&json(&output)), []);
    assert!(stderr(&output).contains("--worktree-changes does"), "{}", stderr(&output));
    let found = found(&branch(shop.path(), &["--worktree-changes"]));
    assert!(found.contains(&triple("command-injection", "src/ping.ts", "introduced")), "{found:?}");
}

#[test]
fn nothing_ahead_says_what_to_run_instead() {
    let shop = shop();
    for _ in 0..2 {
        let output = run(shop.path(), &["branch"]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()));
        let said = stderr(&output);
        assert!(said.contains("nothing differs from main") && said.contains("`improve audit`"), "{said}");
        git(shop.path(), &["checkout", "-q", "main"]);
    }
}

#[test]
fn detached_heads_and_merges_are_branches_too() {
    let shop = shop();
    write(shop.path(), "src/ping.ts", SHELL);
    commit(shop.path(), "ping");
    git(shop.path(), &["checkout", "-q", "main"]);
    write(shop.path(), "src/elsewhere.ts", "export const nothing = 0\n");
    commit(shop.path(), "main goes on");
    git(shop.path(), &["checkout", "-q", "feature"]);
    git(shop.path(), &["merge", "-q", "--no-edit", "main"]);
    git(shop.path(), &["checkout", "-q", "--detach"]);
    let document = branch(shop.path(), &[]);
    assert_eq!(document["comparison"]["changed"], 1, "what main brought is main's: {document}");
    assert!(found(&document).contains(&triple("command-injection", "src/ping.ts", "introduced")));
    assert!(stdout(&run(shop.path(), &["branch"])).contains("detached HEAD"));
}

#[test]
fn history_that_is_not_there_is_asked_for() {
    let shop = shop();
    write(shop.path(), "src/ping.ts", SHELL);
    commit(shop.path(), "ping");
    git(shop.path(), &["checkout", "-q", "main"]);
    write(shop.path(), "README.md", "# Shop\n");
    commit(shop.path(), "main goes on");
    let clone = tempfile::tempdir().expect("a temporary folder");
    let address = format!("file://{}", shop.path().display());
    git(clone.path(), &["clone", "-q", "--depth", "1", "--no-single-branch", "--branch", "feature", &address, "shop"]);
    let output = run(&clone.path().join("shop"), &["branch"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("without its history") && said.contains("git fetch --unshallow"), "{said}");
    let output = run(shop.path(), &["branch", "--base", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nowhere: no such branch, tag or commit"), "{}", stderr(&output));
}

#[test]
fn settings_baseline_rejections_and_ignore_files_can_be_those_of_another_commit() {
    let shop = shop();
    write(shop.path(), "src/ping.ts", SHELL);
    commit(shop.path(), "ping");
    let known = branch(shop.path(), &[]);
    let fingerprint = known["findings"][0]["fingerprint"].as_str().expect("a finding").to_owned();
    assert_eq!(run(shop.path(), &["reject", &fingerprint, "--reason", "so"]).status.code(), Some(0));
    write(shop.path(), "improve.toml", "[rules]\ncommand-injection = false\n");
    write(shop.path(), ".ignore", "src/ping.ts\n");
    write(shop.path(), "improve-baseline.json", "{ no baseline");
    commit(shop.path(), "and nobody shall see it");
    assert_eq!(run(shop.path(), &["branch"]).status.code(), Some(2), "its own baseline is none");
    let found = found(&branch(shop.path(), &["--settings-from", "main"]));
    assert!(found.contains(&triple("command-injection", "src/ping.ts", "introduced")), "{found:?}");
    git(shop.path(), &["rm", "-q", "improve-baseline.json", ".ignore"]);
    commit(shop.path(), "readable");
    assert_eq!(branch(shop.path(), &[])["findings"], serde_json::json!([]));
    let audit = |args: &[&str]| json(&run(shop.path(), &[&["audit", "--format", "json"], args].concat()));
    let rules = |document: &Value| document["findings"].to_string();
    assert!(!rules(&audit(&[])).contains("command-injection"));
    assert!(rules(&audit(&["--settings-from", "main"])).contains("command-injection"));
    // The other way round: what that commit switches off is off, whatever stands here.
    write(shop.path(), "improve.toml", "");
    let document = audit(&["--settings-from", "HEAD"]);
    assert!(!rules(&document).contains("command-injection"));
    let output = run(shop.path(), &["audit", "--settings-from", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--settings-from nowhere: no such branch, tag or commit"), "{}", stderr(&output));
}

#[test]
fn rejections_of_the_other_commit_count() {
    let shop = shop();
    let finding = json(&run(shop.path(), &["audit", "--format", "json"]))["findings"][0].clone();
    let fingerprint = finding["fingerprint"].as_str().expect("a finding");
    assert_eq!(run(shop.path(), &["reject", fingerprint, "--reason", "three tenants"]).status.code(), Some(0));
    commit(shop.path(), "rejected");
    git(shop.path(), &["rm", "-q", "-r", "plans"]);
    commit(shop.path(), "forgotten");
    let rejected =
        |args: &[&str]| json(&run(shop.path(), &[&["audit", "--format", "json"], args].concat()))["rejected"].clone();
    assert_eq!(rejected(&[]), serde_json::json!([]));
    let there = rejected(&["--settings-from", "HEAD~1"]);
    assert_eq!((&there[0]["fingerprint"], &there[0]["reason"]), (&fingerprint.into(), &"three tenants".into()));
}

#[test]
fn what_a_branch_silences_itself_is_told_in_the_comment_on_its_pull_request() {
    let shop = shop();
    let silenced = SHELL.replace("  exec(", "  // improve-ignore: command-injection — ask @octocat\n  exec(");
    write(shop.path(), "src/ping.ts", &silenced);
    write(shop.path(), "src/orders.ts", &format!("// Orders.\n{ORDERS}"));
    commit(shop.path(), "ping");
    let output = run(shop.path(), &["branch", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.starts_with("### No new finding\n\n1 commit since main: 2 files changed"), "{text}");
    assert!(
        text.contains("1 new finding that a comment in the branch silences") && !text.contains("@octocat"),
        "{text}"
    );
    assert!(text.contains("1 finding there before, in files that were changed"), "{text}");
}

#[test]
fn plans_are_written_for_what_came_with_the_branch_alone() {
    let shop = shop();
    write(shop.path(), "src/more.ts", &ORDERS.replace("listOrders", "listMore"));
    commit(shop.path(), "more");
    let document =
        branch(shop.path(), &["--plan", "--output", &format!("markdown={}/.git/page.md", shop.path().display())]);
    let plans = document["plans"].as_array().expect("plans");
    assert_eq!((plans.len(), &plans[0]["outcome"]), (1, &"written".into()), "{document}");
    let plan =
        std::fs::read_to_string(shop.path().join(plans[0]["path"].as_str().expect("a path"))).expect("it is there");
    assert!(plan.contains("src/more.ts"), "{plan}");
    let page = std::fs::read_to_string(shop.path().join(".git/page.md")).expect("it is written");
    assert!(page.contains("<details><summary>1 plan</summary>"), "{page}");
    write(shop.path(), "src/more.ts", "changed");
    assert_eq!(run(shop.path(), &["branch", "--plan"]).status.code(), Some(2), "plans are of what is committed");
}
