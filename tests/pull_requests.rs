//! `improve apply --pr` against a forge on loopback and a remote in a folder: what is pushed, what is asked, what is told.

#[path = "common/alone.rs"]
mod alone;
mod common;
#[path = "pull_requests/issues.rs"]
mod issues;
#[path = "common/models.rs"]
mod models;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use alone::{command, json, run, stderr, stdout};
use common::{git, write};
use models::Server;

const PLAN: &str = "\
# Plan 001: Greet politely

## Status

- **Priority**: P2
- **Effort**: S
- **Risk**: LOW
- **Category**: tech-debt

## Why this matters

Visitors are addressed by @name, see #12.

## Scope

**In scope**

- `src/greet.txt`

## Steps

### Step 1: Say hello

```edit file=src/greet.txt
<<<<<<< SEARCH
name
=======
Hello, name
>>>>>>> REPLACE
```

**Verify**: `grep -q Hello src/greet.txt` → exit 0

## Done criteria

- [ ] `grep -q Hello src/greet.txt` → exit 0

## STOP conditions

- The line is gone.
";

/// A repository whose remote is called as on GitHub and lies in a folder, and a server that stands for the API.
struct World {
    folder: tempfile::TempDir,
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
    is_public: Arc<AtomicBool>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (root, bare) = (folder.path().join("shop"), folder.path().join("shop.git"));
        write(&root, "src/greet.txt", "name\n");
        write(&root, "plans/001-greet.md", PLAN);
        git(folder.path(), &["init", "-q", "--bare", "-b", "main", "shop.git"]);
        git(&root, &["init", "-q", "-b", "main"]);
        git(&root, &["add", "."]);
        git(&root, &["commit", "-q", "-m", "first"]);
        let address = "https://github.com/me/shop.git";
        git(&root, &["remote", "add", "origin", address]);
        git(&root, &["config", &format!("url.{}.pushInsteadOf", bare.display()), address]);
        git(&root, &["push", "-q", "origin", "main"]);
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let is_public = Arc::new(AtomicBool::new(false));
        let (log, public) = (asked.clone(), is_public.clone());
        let opened: Mutex<Option<Value>> = Mutex::default();
        let server = Server::of_paths(move |path, _| {
            log.lock().expect("no thread panics").push(path.to_owned());
            let mut opened = opened.lock().expect("no thread panics");
            let answer = match path.split(['?', ' ']).collect::<Vec<_>>().as_slice() {
                ["GET", "/repos/me/shop"] => {
                    serde_json::json!({ "default_branch": "main", "private": !public.load(Ordering::Relaxed) })
                }
                ["GET", "/repos/me/shop/pulls", _] => Value::Array(opened.iter().cloned().collect()),
                ["POST", "/repos/me/shop/pulls"] => opened
                    .insert(serde_json::json!({ "number": 7, "html_url": "https://github.com/me/shop/pull/7" }))
                    .clone(),
                _ => return (404, serde_json::json!({ "message": "Not Found" }).to_string()),
            };
            (200, answer.to_string())
        });
        World { folder, server, asked, is_public }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("shop")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.root(), args);
        command.env("GITHUB_API_URL", &self.server.url).env("GH_TOKEN", "hush-hush");
        command.env("NO_PROXY", "127.0.0.1");
        command
    }

    fn apply(&self, args: &[&str]) -> Output {
        let args: Vec<&str> = ["apply", "1", "--pr", "--trust"].iter().chain(args).copied().collect();
        self.command(&args).output().expect("the program starts")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread panics").clone()
    }

    /// The branches at the remote.
    fn pushed(&self) -> Vec<String> {
        let mut git = Command::new("git");
        git.args(["for-each-ref", "--format=%(refname:short)"]).current_dir(self.folder.path().join("shop.git"));
        let output = git.output().expect("git is installed");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

fn index(root: &Path) -> String {
    std::fs::read_to_string(root.join("plans/README.md")).expect("the index is written")
}

#[test]
fn a_verified_plan_is_pushed_and_its_pull_request_says_what_ran() {
    let world = World::new();
    let output = world.apply(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let receipt = json(&output);
    assert_eq!(receipt["pull_request"], "https://github.com/me/shop/pull/7");
    assert_eq!(world.pushed(), ["improve/001-greet", "main"]);
    let sent: Value = world.server.asked().iter().find_map(|body| serde_json::from_str(body).ok()).expect("a body");
    assert_eq!((&sent["title"], &sent["base"]), (&serde_json::json!("Greet politely"), &serde_json::json!("main")));
    let body = sent["body"].as_str().expect("a text");
    assert!(body.contains("- [x] `grep -q Hello src/greet.txt`"), "{body}");
    assert!(body.contains("`src/greet.txt` +1 −1"), "{body}");
    assert!(!body.contains("@name") && !body.contains("#12"), "nobody is called: {body}");
    assert!(index(&world.root()).contains("https://github.com/me/shop/pull/7"));
    assert!(!stderr(&output).contains("hush-hush") && !stdout(&output).contains("hush-hush"));
}

#[test]
fn what_was_verified_before_is_published_once() {
    let world = World::new();
    let first = run(&world.root(), &["apply", "1", "--trust"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert_eq!(world.pushed(), ["main"], "nothing leaves the machine unasked");
    for _ in 0..2 {
        let output = world.apply(&[]);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    }
    let opened = world.asked().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!((opened, world.pushed().len()), (1, 2));
}

#[test]
fn what_a_pull_request_needs_is_asked_before_any_work() {
    let world = World::new();
    let output = world
        .command(&["apply", "1", "--pr", "--trust"])
        .env_remove("GH_TOKEN")
        .env_remove("GITHUB_TOKEN")
        .env("PATH", "/nowhere")
        .output();
    let output = output.expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no token for github.com"), "{}", stderr(&output));
    git(&world.root(), &["remote", "set-url", "origin", "/srv/shop.git"]);
    let output = world.apply(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not the address of a repository on GitHub"), "{}", stderr(&output));
    assert!(!world.root().join("plans/README.md").exists(), "nothing was begun");
}

#[test]
fn a_weakness_is_not_published_to_everybody_unless_that_is_said() {
    let world = World::new();
    world.is_public.store(true, Ordering::Relaxed);
    write(&world.root(), "plans/001-greet.md", &PLAN.replace("tech-debt", "security"));
    let output = world.apply(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would publish the weakness"), "{}", stderr(&output));
    assert_eq!(world.pushed(), ["main"]);
    let output = world.apply(&["--allow-public-security"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn work_that_starts_from_commits_nobody_has_is_kept_and_said() {
    let world = World::new();
    write(&world.root(), "src/more.txt", "more\n");
    git(&world.root(), &["add", "."]);
    git(&world.root(), &["commit", "-q", "-m", "not pushed"]);
    let output = world.apply(&[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("which is on no branch of origin") && said.contains("push your branch first"), "{said}");
    assert!(index(&world.root()).contains("DONE"), "the work itself is done");
    git(&world.root(), &["push", "-q", "origin", "main"]);
    assert_eq!(world.apply(&[]).status.code(), Some(0));
    assert_eq!(world.pushed(), ["improve/001-greet", "main"]);
}
