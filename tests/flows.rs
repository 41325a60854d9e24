//! The program on repositories built for the purpose: what it prints, what it leaves behind, how it ends.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use alone::{command, json, run, stderr, stdout};
use common::{git, write};

const MANIFEST: &str = "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n";

const SHOP: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()

export async function listOrders(ids: string[]) {
  const orders = []
  for (const id of ids) {
    orders.push(await prisma.order.findUnique({ where: { id } }))
  }
  return orders
}
";

/// A repository with one commit and one query in a loop.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(
        folder.path(),
        "package.json",
        "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n",
    );
    write(folder.path(), "src/orders.ts", SHOP);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

#[test]
fn audit_finds_the_query_in_the_loop_and_quotes_it() {
    let shop = shop();
    let output = run(shop.path(), &["audit", "perf", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["planner"], "built-in");
    assert_eq!(document["repository"]["dirty"], false);
    let finding = &document["findings"][0];
    assert_eq!(finding["rule"], "n-plus-one");
    assert_eq!(finding["evidence"][0]["file"], "src/orders.ts");
    let line = finding["evidence"][0]["start_line"].as_u64().expect("a line");
    let end = finding["evidence"][0]["end_line"].as_u64().expect("a line");
    let quoted: Vec<&str> = SHOP.lines().skip(line as usize - 1).take((end - line + 1) as usize).collect();
    assert_eq!(finding["evidence"][0]["quote_sha256"], improve::finding::sha256_hex(&quoted.join("\n")));
}

#[test]
fn fail_on_turns_findings_into_exit_code_1_and_flags_win_over_files() {
    let shop = shop();
    assert_eq!(run(shop.path(), &["audit", "--fail-on", "low"]).status.code(), Some(1));
    write(shop.path(), "improve.toml", "fail-on = \"low\"\n");
    assert_eq!(run(shop.path(), &["audit"]).status.code(), Some(1));
    assert_eq!(run(shop.path(), &["audit", "--fail-on", "never"]).status.code(), Some(0));
    write(shop.path(), "improve.toml", "[rules]\nn-plus-one = false\n");
    let document = json(&run(shop.path(), &["audit", "perf", "--format", "json"]));
    assert_eq!(document["findings"], Value::Array(vec![]));
}

#[test]
fn unknown_settings_name_line_and_nearest_key() {
    let shop = shop();
    write(shop.path(), "improve.toml", "# ours\nexlude = ['a']\n");
    let output = run(shop.path(), &["audit"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("improve.toml:2: unknown key `exlude`"), "{said}");
    assert!(said.contains("hint: did you mean `exclude`?"), "{said}");
}

#[test]
fn one_run_writes_several_formats() {
    let shop = shop();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let report = elsewhere.path().join("report.json");
    let table = elsewhere.path().join("table.md");
    let markdown = format!("markdown={}", table.display());
    let report_path = report.display().to_string();
    let output = run(shop.path(), &["audit", "--color", "always", "--output", &report_path, "--output", &markdown]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(report).expect("written")).expect("the file is JSON");
    assert_eq!(document["findings"][0]["rule"], "n-plus-one");
    assert!(std::fs::read_to_string(table).expect("written").starts_with("# Findings\n"));
    assert!(stdout(&output).contains('\u{1b}'), "colour was asked for");
}

#[test]
fn a_folder_without_git_is_audited_and_says_no_commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "package.json", MANIFEST);
    write(folder.path(), "src/orders.ts", SHOP);
    let document = json(&run(folder.path(), &["audit", "perf", "--format", "json"]));
    assert_eq!(document["repository"]["commit"], Value::Null);
    assert_eq!(document["findings"][0]["rule"], "n-plus-one");
}

#[test]
fn an_empty_folder_is_nothing_to_read_and_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = run(folder.path(), &["audit"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("Nothing to read"), "{}", stdout(&output));
    assert_eq!(run(folder.path(), &["map", "--format", "json"]).status.code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shop = shop();
    let mut child = command(shop.path(), &["rules", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn show_finds_a_finding_by_the_beginning_of_its_fingerprint() {
    let shop = shop();
    let document = json(&run(shop.path(), &["audit", "perf", "--format", "json"]));
    let fingerprint = document["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let output = run(shop.path(), &["show", &fingerprint[..8]]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("prisma.order.findUnique({ where: { id } })"), "{}", stdout(&output));
    assert_eq!(run(shop.path(), &["show", "ffffffff"]).status.code(), Some(2));
}

#[test]
fn escape_sequences_in_file_names_do_not_reach_the_terminal() {
    let shop = shop();
    write(shop.path(), "src/a\u{1b}[31m.ts", SHOP);
    for format in ["human", "markdown", "json", "jsonl"] {
        let output = run(shop.path(), &["audit", "--format", format]);
        assert!(!stdout(&output).contains('\u{1b}'), "{format}");
    }
}

#[test]
fn map_paths_narrow_what_is_shown() {
    let shop = shop();
    write(shop.path(), "lib/other.ts", "export function other() {}\n");
    let names = |args: &[&str]| -> Vec<String> {
        let mut all = vec!["map", "--symbols", "--format", "jsonl"];
        all.extend(args);
        let output = run(shop.path(), &all);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let row = |line: &str| serde_json::from_str::<Value>(line).expect("a JSON line");
        stdout(&output).lines().map(|line| row(line)["file"].as_str().expect("a path").to_owned()).collect()
    };
    assert_eq!(names(&["lib"]), ["lib/other.ts"]);
    assert_eq!(names(&["--exclude", "src/**"]), ["lib/other.ts"]);
    assert_eq!(run(shop.path(), &["map", "nowhere"]).status.code(), Some(2));
}

#[test]
fn completions_know_the_commands() {
    let shop = shop();
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(shop.path(), &["completions", shell])).contains("audit"), "{shell}");
    }
}

const PLAN: &str = "\
# Plan 001: Name the running total what it is

## Status

- **Priority**: P3
- **Effort**: S
- **Risk**: LOW
- **Category**: tech-debt

## Why this matters

`sum` says less than `running`.

## Current state

```ts file=src/total.ts lines=1-3
export function total(items: number[]) {
  let sum = 0
  for (const item of items) sum += item
```

## Commands you will need

| Purpose | Command | Expected on success |
|---|---|---|
| Look | `git grep -nw running -- src/total.ts` | exit 0 |

## Scope

**In scope**

- `src/total.ts`

**Out of scope**

- `package.json`: nothing to change there

## Steps

### Step 1: Rename the variable in `total`

Rename `sum` to `running` in `src/total.ts`.

```edit file=src/total.ts
<<<<<<< SEARCH
  let sum = 0
  for (const item of items) sum += item
  return sum
=======
  let running = 0
  for (const item of items) running += item
  return running
>>>>>>> REPLACE
```

**Verify**: `git grep -nw sum -- src/total.ts` → no matches

## Done criteria

- [ ] `git grep -nw sum -- src/total.ts` → no matches
- [ ] `git grep -nw running -- src/total.ts` → exit 0

## STOP conditions

- `src/total.ts` has a second variable called `sum` inside `total`.
";

/// [`shop`] with a plan that carries exact edits.
fn planned() -> tempfile::TempDir {
    let shop = shop();
    let total = "export function total(items: number[]) {\n  let sum = 0\n  for (const item of items) sum += item\n  return sum\n}\n";
    write(shop.path(), "src/total.ts", total);
    // No dependencies: nothing is fetched.
    write(shop.path(), "package.json", "{ \"name\": \"shop\" }\n");
    write(shop.path(), "plans/001-name-total.md", PLAN);
    git(shop.path(), &["add", "."]);
    git(shop.path(), &["commit", "-q", "-m", "a plan"]);
    shop
}

fn git_output(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git").args(args).current_dir(folder).output().expect("git is installed");
    String::from_utf8(output.stdout).expect("git prints UTF-8 here")
}

#[test]
fn review_counts_steps_and_gates_and_finds_what_is_gone() {
    let shop = planned();
    let output = run(shop.path(), &["review", "1", "--offline", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let review = json(&output);
    assert_eq!(review["plan"], "plans/001-name-total.md");
    assert_eq!(review["steps"], 1);
    assert_eq!(review["gates"], 1);
    assert_eq!(review["problems"], Value::Array(vec![]));
    write(shop.path(), "plans/002-not.md", "nothing of the kind\n");
    std::fs::remove_file(shop.path().join("src/total.ts")).expect("it was there");
    let output = run(shop.path(), &["review", "1", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let reviews = json(&output);
    assert!(!reviews[0]["problems"].as_array().expect("a list").is_empty());
    assert_eq!(reviews[1]["problems"][0]["code"], "not-a-plan");
}

#[test]
fn apply_asks_for_trust_then_commits_on_a_branch_and_leaves_the_tree_alone() {
    let shop = planned();
    // The index of plans is the one file that is written.
    let tree = || git_output(shop.path(), &["status", "--porcelain=v1", "--ignored", "--", ".", ":!plans/README.md"]);
    let before = tree();
    let refused = run(shop.path(), &["apply", "1"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("git grep -nw sum -- src/total.ts") && said.contains("--trust"), "{said}");

    let output = run(shop.path(), &["apply", "plans/001.md", "--trust", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let receipt = json(&output);
    assert_eq!(receipt["outcome"], "verified");
    assert_eq!(receipt["branch"], "improve/001-name-total");
    let levels = ["namespaces", "landlock", "seatbelt", "none"];
    assert!(levels.iter().any(|level| receipt["sandbox"]["level"] == *level), "{}", receipt["sandbox"]);
    assert_eq!(tree(), before);
    let backlog = json(&run(shop.path(), &["status", "--format", "json"]));
    assert_eq!(backlog["plans"][0]["status"], "DONE", "{backlog}");
    assert_eq!(backlog["plans"][0]["last_outcome"], "verified");
    assert_eq!(backlog["worktrees"], Value::Array(vec![]));
    let work = git_output(shop.path(), &["show", "improve/001-name-total:src/total.ts"]);
    assert!(work.contains("let running = 0"), "{work}");

    let verified = run(shop.path(), &["verify", "1", "--branch", "improve/001-name-total", "--format", "json"]);
    assert_eq!(verified.status.code(), Some(0), "{}{}", stdout(&verified), stderr(&verified));
    assert_eq!(json(&verified)["outcome"], "verified");
    let undone = run(shop.path(), &["verify", "1", "--branch", "main", "--base", "main", "--format", "json"]);
    assert_eq!(undone.status.code(), Some(1), "{}{}", stdout(&undone), stderr(&undone));

    assert_eq!(run(shop.path(), &["clean", "1"]).status.code(), Some(2));
    let cleaned = run(shop.path(), &["clean", "1", "--yes"]);
    assert_eq!(cleaned.status.code(), Some(0), "{}", stderr(&cleaned));
    assert_eq!(git_output(shop.path(), &["branch", "--list", "improve/*"]), "");
}

#[test]
fn a_branch_that_is_merged_is_cleaned_without_a_question() {
    let shop = planned();
    let applied = run(shop.path(), &["apply", "1", "--trust"]);
    assert_eq!(applied.status.code(), Some(0), "{}", stderr(&applied));
    assert_eq!(run(shop.path(), &["clean", "1"]).status.code(), Some(2), "its commits are nowhere else");
    git(shop.path(), &["merge", "-q", "--ff-only", "improve/001-name-total"]);
    let cleaned = run(shop.path(), &["clean", "1"]);
    assert_eq!(cleaned.status.code(), Some(0), "{}", stderr(&cleaned));
    assert_eq!(git_output(shop.path(), &["branch", "--list", "improve/*"]), "");
}

#[test]
fn clean_removes_what_is_kept_for_the_next_run_and_says_how_much_that_was() {
    let shop = planned();
    let kept = || {
        let cleaned = json(&run(shop.path(), &["clean", "--dry-run", "--format", "json"]));
        (cleaned["caches"].as_array().expect("a list").len(), cleaned["freed_bytes"].as_u64().expect("a number"))
    };
    assert_eq!(kept(), (0, 0));
    let first = stdout(&run(shop.path(), &["map", "--calls", "--format", "jsonl"]));
    let (files, bytes) = kept();
    assert!(files >= 3 && bytes > 0, "{files} files, {bytes} bytes");
    assert_eq!(kept(), (files, bytes), "a dry run removes nothing");
    let cleaned = json(&run(shop.path(), &["clean", "--format", "json"]));
    assert_eq!((&cleaned["freed_bytes"], &cleaned["dry_run"]), (&Value::from(bytes), &Value::Bool(false)));
    assert_eq!(kept(), (0, 0));
    assert!(stdout(&run(shop.path(), &["clean"])).contains("Nothing to clean."));
    assert_eq!(stdout(&run(shop.path(), &["map", "--calls", "--format", "jsonl"])), first);
}

#[test]
fn apply_refuses_what_it_cannot_do_and_says_why() {
    let shop = planned();
    let plain = tempfile::tempdir().expect("a temporary folder");
    write(plain.path(), "plans/001-a.md", PLAN);
    let outside = run(plain.path(), &["apply", "1", "--trust"]);
    assert_eq!(outside.status.code(), Some(2));
    assert!(stderr(&outside).contains("not inside a git repository"), "{}", stderr(&outside));

    write(shop.path(), "src/total.ts", "// changed and not committed\n");
    let dirty = run(shop.path(), &["apply", "1", "--trust"]);
    assert_eq!(dirty.status.code(), Some(4), "{}", stderr(&dirty));
    assert!(stderr(&dirty).contains("commit or stash"), "{}", stderr(&dirty));

    let ambiguous = {
        write(shop.path(), "plans/002-name-other.md", PLAN);
        run(shop.path(), &["apply", "name", "--trust"])
    };
    assert_eq!(ambiguous.status.code(), Some(2));
    assert!(stderr(&ambiguous).contains("plans/002-name-other.md"), "{}", stderr(&ambiguous));
    assert!(stderr(&run(shop.path(), &["apply", "001-name-totl"])).contains("did you mean `001-name-total`?"));
}

#[test]
fn what_is_in_the_baseline_neither_shows_nor_fails() {
    let shop = shop();
    let written = run(shop.path(), &["audit", "--write-baseline"]);
    assert!(written.status.success(), "{}", stderr(&written));
    assert!(stdout(&written).contains("improve-baseline.json: "), "{}", stdout(&written));
    let known = run(shop.path(), &["audit", "--fail-on", "low"]);
    assert_eq!(known.status.code(), Some(0), "{}", stdout(&known));
    assert!(stdout(&known).contains("known by the baseline"), "{}", stdout(&known));
    // Its own place has moved; what is new is not known.
    write(shop.path(), "src/orders.ts", &format!("export const page = 20\n\n{SHOP}"));
    write(shop.path(), "src/users.ts", &SHOP.replace("order", "user").replace("Orders", "Users"));
    let new = json(&run(shop.path(), &["audit", "--format", "json"]));
    let files: Vec<&str> = new["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["evidence"][0]["file"].as_str())
        .collect();
    assert_eq!(files, ["src/users.ts"]);
    let all = json(&run(shop.path(), &["audit", "--no-baseline", "--format", "json"]));
    assert!(all["findings"].as_array().expect("a list").len() > files.len());
}

#[test]
fn a_file_that_is_no_baseline_is_refused_with_what_to_do() {
    let shop = shop();
    write(shop.path(), "improve-baseline.json", "{}");
    let refused = run(shop.path(), &["audit"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("is no baseline: missing field"), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--no-baseline"), "{}", stderr(&refused));
    let part = run(shop.path(), &["audit", "perf", "--write-baseline"]);
    assert_eq!(part.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(shop.path().join("improve-baseline.json")).expect("it is there"), "{}");
}

#[test]
fn a_rejected_finding_stays_away_and_says_why() {
    let shop = shop();
    let findings = |args: &[&str]| json(&run(shop.path(), args));
    let before = findings(&["audit", "perf", "--format", "json"]);
    let fingerprint = before["findings"][0]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(run(shop.path(), &["reject", &fingerprint[..8], "--reason", " "]).status.code(), Some(2));
    let output = run(shop.path(), &["reject", &fingerprint[..8], "--reason", "at most three ids"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let after = findings(&["audit", "perf", "--format", "json"]);
    assert_eq!(after["findings"], Value::Array(vec![]));
    assert_eq!(after["rejected"][0]["fingerprint"], fingerprint);
    assert_eq!(after["rejected"][0]["reason"], "at most three ids");
    assert_eq!(json(&run(shop.path(), &["status", "--format", "json"]))["rejected"], 1);
}

#[test]
fn a_rejected_plan_is_marked_in_the_index() {
    let shop = planned();
    assert_eq!(run(shop.path(), &["reject", "1", "--reason", "the name is fine"]).status.code(), Some(0));
    let backlog = json(&run(shop.path(), &["status", "--format", "json"]));
    assert_eq!(backlog["plans"][0]["status"], "REJECTED");
    assert_eq!(backlog["plans"][0]["note"], "the name is fine");
}

#[test]
fn bare_improve_writes_a_plan_for_each_finding_once() {
    let shop = shop();
    let dry = json(&run(shop.path(), &["perf", "--dry-run", "--format", "json"]));
    assert_eq!(dry["plans"][0]["outcome"], "would-be-written");
    assert!(!shop.path().join("plans").exists(), "a dry run writes nothing");

    let output = run(shop.path(), &["perf", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = json(&output);
    assert_eq!(written["plans"][0]["outcome"], "written");
    assert_eq!(written["plans"][0]["path"], dry["plans"][0]["path"]);
    assert_eq!(written["plans"][0]["problems"], Value::Array(vec![]));
    assert_eq!(run(shop.path(), &["review", "1"]).status.code(), Some(0));

    let again = json(&run(shop.path(), &["perf", "--format", "json"]));
    assert_eq!(again["plans"][0]["outcome"], "already-planned");
    assert_eq!(again["plans"][0]["path"], written["plans"][0]["path"]);
}

#[test]
fn flags_of_bare_improve_before_a_command_are_refused_rather_than_lost() {
    let shop = shop();
    let output = run(shop.path(), &["--top", "3", "audit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("improve audit"), "{}", stderr(&output));
    let swapped = run(shop.path(), &["perf", "audit"]);
    assert_eq!(swapped.status.code(), Some(2));
    assert!(stderr(&swapped).contains("the command comes first: improve audit"), "{}", stderr(&swapped));
    assert_eq!(run(shop.path(), &["--quiet", "audit"]).status.code(), Some(0));
}

#[test]
fn an_unknown_word_names_the_nearest_command() {
    let shop = shop();
    let output = run(shop.path(), &["aduit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `audit`?"), "{}", stderr(&output));
}

#[test]
fn show_tells_a_plan_its_receipt_and_the_diff_of_its_work() {
    let shop = planned();
    let before = json(&run(shop.path(), &["show", "1", "--format", "json"]));
    assert_eq!(before["title"], "Name the running total what it is");
    assert_eq!(before["steps"][0]["edits"], serde_json::json!(["src/total.ts"]));
    assert_eq!(before["steps"][0]["gates"][0]["command"], "git grep -nw sum -- src/total.ts");
    assert_eq!(before["branch"], Value::Null);
    let nothing = run(shop.path(), &["show", "1", "--diff"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(stderr(&nothing).contains("there is no branch improve/001-name-total"), "{}", stderr(&nothing));

    assert_eq!(run(shop.path(), &["apply", "1", "--trust"]).status.code(), Some(0));
    let after = json(&run(shop.path(), &["show", "001-name", "--format", "json"]));
    assert_eq!(after["branch"], "improve/001-name-total");
    assert_eq!(after["last_outcome"], "verified");
    assert!(after["status"].as_str().expect("it has a row").starts_with("DONE"), "{after}");
    let page = run(shop.path(), &["show", "1"]);
    assert!(stdout(&page).contains("improve/001-name-total"), "{}", stdout(&page));

    let diff = stdout(&run(shop.path(), &["show", "1", "--diff"]));
    assert_eq!(diff, git_output(shop.path(), &["diff", "main", "improve/001-name-total"]));
    let file = after["last_receipt"].as_str().expect("a receipt").to_owned();
    let receipt = json(&run(shop.path(), &["show", &file, "--format", "json"]));
    assert_eq!(receipt["outcome"], "verified");
    let name = Path::new(&file).file_stem().expect("a name").to_string_lossy().into_owned();
    assert_eq!(json(&run(shop.path(), &["show", &name, "--format", "json"])), receipt);
    assert_eq!(stdout(&run(shop.path(), &["show", &name, "--diff"])), diff);
}

/// A plan that replaces `search` by `replacement` in `src/total.ts`.
fn small_plan(number: u32, depends_on: &str, search: &str, replacement: &str) -> String {
    format!(
        "# Plan {number:03}: Write {replacement}\n\n## Status\n\n- **Priority**: P3\n- **Effort**: S\n- **Risk**: LOW\n\
         - **Depends on**: {depends_on}\n- **Category**: tech-debt\n\n## Why this matters\n\nIt reads better.\n\n\
         ## Scope\n\n**In scope**\n\n- `src/total.ts`\n\n## Steps\n\n### Step 1: Write `{replacement}`\n\n\
         ```edit file=src/total.ts\n<<<<<<< SEARCH\n{search}\n=======\n{replacement}\n>>>>>>> REPLACE\n```\n\n\
         **Verify**: `grep -q '{replacement}' src/total.ts` → exit 0\n\n## Done criteria\n\n\
         - [ ] `grep -q '{replacement}' src/total.ts` → exit 0\n\n## STOP conditions\n\n- The line is gone.\n"
    )
}

#[test]
fn all_plans_are_carried_out_in_order_and_each_is_built_on_the_one_it_depends_on() {
    let shop = planned();
    write(shop.path(), "plans/002-third.md", &small_plan(2, "plans/003-second.md", "  let sum = 2", "  let sum = 3"));
    write(shop.path(), "plans/003-second.md", &small_plan(3, "none", "  let sum = 0", "  let sum = 2"));
    std::fs::remove_file(shop.path().join("plans/001-name-total.md")).expect("it was there");
    git(shop.path(), &["add", "."]);
    git(shop.path(), &["commit", "-q", "-m", "two plans"]);
    let output = run(shop.path(), &["apply", "--all", "--trust", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let receipts = json(&output);
    assert_eq!(receipts[0]["plan"]["path"], "plans/003-second.md");
    assert_eq!(receipts[1]["plan"]["path"], "plans/002-third.md");
    assert_eq!(receipts[1]["notes"][0], "built on improve/003-second, which is not merged yet");
    let text = git_output(shop.path(), &["show", "improve/002-third:src/total.ts"]);
    assert!(text.contains("let sum = 3"), "{text}");
    let again = run(shop.path(), &["apply", "--all", "--trust"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(stderr(&again).contains("no plan waits"), "{}", stderr(&again));
}

#[test]
fn a_plan_that_fails_blocks_those_that_depend_on_it_and_no_others() {
    let shop = planned();
    write(shop.path(), "plans/002-stale.md", &small_plan(2, "none", "  let nowhere = 0", "  let sum = 2"));
    write(shop.path(), "plans/003-waits.md", &small_plan(3, "2", "  let sum = 0", "  let sum = 3"));
    git(shop.path(), &["add", "."]);
    git(shop.path(), &["commit", "-q", "-m", "two plans"]);
    let output = run(shop.path(), &["apply", "3", "2", "1", "--trust", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    let receipts = json(&output);
    let outcomes: Vec<(&str, &str)> = receipts
        .as_array()
        .expect("three receipts")
        .iter()
        .map(|receipt| {
            (receipt["plan"]["path"].as_str().expect("a path"), receipt["outcome"].as_str().expect("a word"))
        })
        .collect();
    let expected =
        [("plans/002-stale.md", "blocked"), ("plans/003-waits.md", "blocked"), ("plans/001-name-total.md", "verified")];
    assert_eq!(outcomes, expected);
    let reason = receipts[1]["reasons"][0].as_str().expect("a reason");
    assert!(reason.ends_with("which is not DONE"), "{reason}");
}

#[test]
fn plans_that_wait_for_each_other_are_refused() {
    let shop = planned();
    write(shop.path(), "plans/002-one.md", &small_plan(2, "3", "  let sum = 0", "  let sum = 2"));
    write(shop.path(), "plans/003-other.md", &small_plan(3, "2", "  let sum = 0", "  let sum = 3"));
    let output = run(shop.path(), &["apply", "--all", "--trust"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("in a circle: plans/002-one.md, plans/003-other.md"), "{said}");
}
