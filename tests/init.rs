//! `improve init` and the hook it sets up, with real pushes.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use alone::{command, json, run, stderr, stdout};
use common::{git, write};

const SHELL: &str = "\
import { exec } from 'node:child_process'
import express from 'express'

const app = express()

app.get('/ping', (request, response) => {
  exec(`ping -c 1 ${request.query.host}`, (error, output) => response.send(output))
})
";

/// A repository on a branch of its own that can be pushed, and where it is pushed to.
fn shop() -> (tempfile::TempDir, tempfile::TempDir) {
    let (folder, remote) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let root = folder.path();
    git(remote.path(), &["init", "-q", "--bare", "-b", "main"]);
    git(root, &["init", "-q", "-b", "main"]);
    write(root, "package.json", "{ \"name\": \"shop\", \"dependencies\": { \"express\": \"5.0.0\" } }\n");
    commit(root, "first");
    git(root, &["remote", "add", "origin", &remote.path().to_string_lossy()]);
    git(root, &["push", "-q", "origin", "main"]);
    git(root, &["checkout", "-q", "-b", "feature"]);
    write(root, "src/a.ts", "export const a = 1\n");
    commit(root, "second");
    (folder, remote)
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", message]);
}

/// `git push` with the program on PATH.
fn push(root: &Path, reference: &str, variables: &[(&str, &str)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_improve")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut git = Command::new("git");
    git.args(["push", "origin", reference]).current_dir(root).stdin(Stdio::null());
    git.env("PATH", format!("{}:{path}", program.display())).env("HOME", root.join(".git/home")).env("COLUMNS", "100");
    git.envs(variables.iter().copied()).output().expect("git is installed")
}

fn hook(root: &Path) -> String {
    fs::read_to_string(root.join(".git/hooks/pre-push")).expect("a hook")
}

#[test]
fn a_push_that_brings_nothing_goes_on_after_three_lines() {
    let (shop, _remote) = shop();
    let output = run(shop.path(), &["init", "--hook"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), "wrote .git/hooks/pre-push\n".to_owned()));
    let pushed = push(shop.path(), "feature", &[]);
    assert!(pushed.status.success(), "{}", stderr(&pushed));
    let said: Vec<String> = stdout(&pushed).lines().map(str::to_owned).collect();
    assert!(
        said.len() == 3
            && said[1] == "improve: it brings nothing that stops it; 1 new finding that stops nothing: improve branch",
        "{said:?}"
    );
    let again = run(shop.path(), &["init", "--hook"]);
    assert_eq!(stdout(&again), "kept .git/hooks/pre-push: it is there already\n");
}

#[test]
fn a_push_with_a_weakness_beyond_doubt_stops_unless_it_is_left_out() {
    let (shop, remote) = shop();
    run(shop.path(), &["init", "--hook"]);
    write(shop.path(), "src/ping.ts", SHELL);
    commit(shop.path(), "ping");
    let pushed = push(shop.path(), "feature", &[]);
    let said = stdout(&pushed);
    assert!(!pushed.status.success() && said.contains("this stops the push"), "{said}");
    assert!(said.contains("src/ping.ts:7 · command-injection") && !said.contains("unused-file"), "{said}");
    assert!(!remote.path().join("refs/heads/feature").exists());
    assert!(push(shop.path(), "main:elsewhere", &[]).status.success(), "another commit is another matter");
    assert!(push(shop.path(), "feature", &[("IMPROVE_FAIL_ON", "never")]).status.success());
    assert!(push(shop.path(), ":feature", &[]).status.success(), "a branch is deleted");
    assert!(push(shop.path(), "feature", &[("IMPROVE_SKIP_HOOK", "1")]).status.success());
}

#[test]
fn a_hook_that_was_there_runs_too_and_gets_its_input() {
    let (shop, _remote) = shop();
    let path = shop.path().join(".git/hooks/pre-push");
    write(shop.path(), ".git/hooks/pre-push", "#!/bin/sh\nwhile read -r name rest; do echo \"pushes $name\"; done\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("ours");
    assert_eq!(stdout(&run(shop.path(), &["init", "--hook"])), "added to .git/hooks/pre-push\n");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o711, "its rights, and a program");
    let said = stdout(&push(shop.path(), "feature", &[]));
    assert!(said.contains("nothing that stops it") && said.contains("pushes refs/heads/feature"), "{said}");
}

#[test]
fn a_push_never_waits_longer_than_it_may() {
    let (shop, _remote) = shop();
    let begun = Instant::now();
    let mut hook = command(shop.path(), &["branch", "--hook"]);
    // What git would tell never comes.
    let mut child =
        hook.stdin(Stdio::piped()).stderr(Stdio::piped()).env("IMPROVE_HOOK_TIMEOUT", "1s").spawn().expect("starts");
    let open = child.stdin.take();
    let output = child.wait_with_output().expect("ends");
    drop(open);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("within 1 s"), "{}", stderr(&output));
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_is_wrong_elsewhere_stops_no_push() {
    let (shop, _remote) = shop();
    run(shop.path(), &["init", "--hook"]);
    write(shop.path(), "improve.toml", "no-such-key = 1\n");
    let pushed = push(shop.path(), "feature", &[]);
    assert!(pushed.status.success());
    assert!(
        stderr(&pushed).contains("improve looked at nothing: ") && stderr(&pushed).contains("no-such-key"),
        "{}",
        stderr(&pushed)
    );
}

#[test]
fn files_are_written_where_there_are_none() {
    let (shop, _remote) = shop();
    let output = run(shop.path(), &["init", "--config", "--skill"]);
    assert_eq!(stdout(&output), "wrote improve.toml\nwrote .agents/skills/improve/SKILL.md\n");
    let document = json(&run(shop.path(), &["audit", "--format", "json"]));
    assert!(document["findings"].is_array(), "the settings are good: {document}");
    write(shop.path(), "improve.toml", "effort = \"quick\"\n");
    assert_eq!(stdout(&run(shop.path(), &["init", "--config"])), "kept improve.toml: it is there already\n");
    assert_eq!(fs::read_to_string(shop.path().join("improve.toml")).expect("there"), "effort = \"quick\"\n");
}

#[test]
fn workflows_are_written_for_one_machine_or_several() {
    let (shop, _remote) = shop();
    let output = run(shop.path(), &["init", "--workflow", "--shards", "3"]);
    let page = stdout(&output);
    assert!(
        page.starts_with("wrote .github/workflows/improve.yml\n  put in the place of OWNER/improve@REVISION"),
        "{page}"
    );
    let text = fs::read_to_string(shop.path().join(".github/workflows/improve-shards.yml")).expect("written");
    assert!(text.contains("shard: [1/3, 2/3, 3/3]") && text.contains("branches: [\"main\"]"), "{text}");
    assert_eq!(run(shop.path(), &["init", "--workflow", "--shards", "1"]).status.code(), Some(2));
}

#[test]
fn what_was_set_up_is_taken_back_and_what_was_changed_since_is_left() {
    let (shop, _remote) = shop();
    let root = shop.path();
    write(root, ".git/hooks/pre-push", "#!/bin/sh\necho pushes\n");
    run(root, &["init", "--hook", "--config", "--workflow", "--shards", "3", "--skill"]);
    let workflow = ".github/workflows/improve.yml";
    let published =
        fs::read_to_string(root.join(workflow)).expect("written").replace("OWNER/improve@REVISION", "me/improve@0a1b");
    write(root, workflow, &published);
    write(root, "improve.toml", "jobs = 1\n");
    let rehearsed = run(root, &["init", "--undo", "--dry-run"]);
    assert!(stdout(&rehearsed).contains("-  improve branch --hook") && hook(root).contains("improve branch"));
    let undone = run(root, &["init", "--undo"]);
    assert_eq!(
        stdout(&undone),
        "took our lines out of .git/hooks/pre-push\n\
         left improve.toml: it was changed since it was written: remove it yourself\n\
         removed .github/workflows/improve.yml\n\
         removed .agents/skills/improve/SKILL.md\n\
         removed .github/workflows/improve-shards.yml\n"
    );
    assert_eq!((hook(root).as_str(), undone.status.code()), ("#!/bin/sh\necho pushes\n", Some(4)));
    fs::remove_file(root.join("improve.toml")).expect("there");
    assert_eq!(stdout(&run(root, &["init", "--undo"])), "Nothing that `improve init` sets up is here.\n");
}

#[test]
fn a_rehearsal_writes_nothing() {
    let (shop, _remote) = shop();
    let output = run(shop.path(), &["init", "--hook", "--config", "--skill", "--dry-run"]);
    let page = stdout(&output);
    assert!(page.contains("+  improve branch --hook || exit 1") && page.contains("+# fail-on = "), "{page}");
    assert!(!shop.path().join(".git/hooks/pre-push").exists() && !shop.path().join("improve.toml").exists());
}

#[test]
fn nothing_is_written_through_links_or_into_hooks_of_all_repositories() {
    let (shop, _remote) = shop();
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(elsewhere.path(), shop.path().join(".agents")).expect("a link");
    let output = run(shop.path(), &["init", "--skill"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("leads out of the repository"), "{}", stderr(&output));
    symlink(elsewhere.path().join("none"), shop.path().join("improve.toml")).expect("a link");
    assert!(stdout(&run(shop.path(), &["init", "--config"])).starts_with("kept improve.toml"));
    write(shop.path(), ".git/home/.gitconfig", &format!("[core]\n\thooksPath = {}\n", elsewhere.path().display()));
    let output = run(shop.path(), &["init", "--hook"]);
    assert_eq!(output.status.code(), Some(4), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("every repository of yours"), "{}", stdout(&output));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}

#[test]
fn a_program_that_is_no_shell_script_is_left_to_its_owner() {
    let (shop, _remote) = shop();
    let text = "#!/usr/bin/env python3\nprint('hello')\n";
    write(shop.path(), ".git/hooks/pre-push", text);
    let output = run(shop.path(), &["init", "--hook"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stdout(&output).contains("it is no shell script. Add there:"), "{}", stdout(&output));
    assert_eq!(hook(shop.path()), text);
}

#[test]
fn a_script_has_to_say_what_it_wants() {
    let (shop, _remote) = shop();
    let output = run(shop.path(), &["init"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--hook"), "{}", stderr(&output));
}
