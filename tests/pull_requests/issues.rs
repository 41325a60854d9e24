//! `--issues` against a forge on loopback: what is asked, what is told, what is noted.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::alone::{command, stderr};
use super::common::{git, write};
use super::models::Server;

/// A promise that nobody waits for, and a value of a request in a shell command.
const APP: &str = "\
import { exec } from 'node:child_process'
import express from 'express'
import { pay } from './pay.js'

const app = express()

app.post('/pay', async (request, response) => response.json({ total: await pay(request.body) }))

app.get('/ping', (request, response) => {
  exec(`ping -c 1 ${request.query.host}`, (error, output) => response.send(output))
})
";
const PAY: &str = "\
import { PrismaClient } from '@prisma/client'

const prisma = new PrismaClient()

async function audit(entry) {
  await prisma.entry.create({ data: { entry } })
}

export async function pay(order) {
  audit(`paid ${order.id}`)
  return order.total
}
";

/// A repository whose remote is called as on GitHub, and a server that stands for the API: it keeps what it is told.
struct World {
    folder: tempfile::TempDir,
    server: Server,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    issues: Arc<Mutex<Vec<Value>>>,
    is_public: Arc<AtomicBool>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        write(
            root,
            "package.json",
            "{ \"name\": \"shop\", \"type\": \"module\", \"dependencies\": { \"@prisma/client\": \"6.0.0\", \"express\": \"5.0.0\" }, \"main\": \"src/app.js\" }\n",
        );
        write(root, "src/app.js", APP);
        write(root, "src/pay.js", PAY);
        git(root, &["init", "-q", "-b", "main"]);
        git(root, &["add", "."]);
        git(root, &["commit", "-q", "-m", "first"]);
        git(root, &["remote", "add", "origin", "https://github.com/me/shop.git"]);
        let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        // More than one page of them, and pull requests are none.
        let others = (1..=120).map(|number| {
            let pull_request = if number % 2 == 0 { json!({ "url": "x" }) } else { Value::Null };
            json!({ "number": number, "html_url": format!("https://github.com/me/shop/issues/{number}"), "body": null, "state": "open", "pull_request": pull_request })
        });
        let issues: Arc<Mutex<Vec<Value>>> = Arc::new(Mutex::new(others.collect()));
        let is_public = Arc::new(AtomicBool::new(false));
        let (log, kept, public) = (asked.clone(), issues.clone(), is_public.clone());
        let server = Server::of_paths(move |path, body| {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            log.lock().expect("no thread panics").push((path.to_owned(), body.clone()));
            let mut issues = kept.lock().expect("no thread panics");
            let page = |all: &[Value]| {
                let page: usize = path.rsplit("page=").next().and_then(|page| page.parse().ok()).unwrap_or(1);
                Value::Array(all.iter().skip((page - 1) * 100).take(100).cloned().collect())
            };
            let place = path.split('?').next().unwrap_or_default();
            let answer = match place.split('/').collect::<Vec<_>>().as_slice() {
                ["GET ", "repos", "me", "shop"] => {
                    json!({ "default_branch": "main", "private": !public.load(Ordering::Relaxed) })
                }
                ["GET ", "repos", "me", "shop", "issues"] => page(&issues),
                ["GET ", "repos", "me", "shop", "labels"] => {
                    page(&[json!({ "name": "Bug" }), json!({ "name": "wontfix" })])
                }
                ["POST ", "repos", "me", "shop", "issues"] => {
                    let number = issues.len() + 1;
                    let issue = json!({ "number": number, "html_url": format!("https://github.com/me/shop/issues/{number}"), "body": body["body"], "state": "open" });
                    issues.push(issue.clone());
                    issue
                }
                ["PATCH ", "repos", "me", "shop", "issues", number] => {
                    let number: usize = number.parse().expect("a number");
                    issues[number - 1]["body"] = body["body"].clone();
                    issues[number - 1].clone()
                }
                _ => return (404, json!({ "message": "Not Found" }).to_string()),
            };
            (200, answer.to_string())
        });
        World { folder, server, asked, issues, is_public }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = command(self.folder.path(), args);
        command.env("GITHUB_API_URL", &self.server.url).env("GH_TOKEN", "hush-hush").env("NO_PROXY", "127.0.0.1");
        command.output().expect("the program starts")
    }

    /// What was asked that changes something.
    fn written(&self) -> Vec<(String, Value)> {
        let asked = self.asked.lock().expect("no thread panics");
        asked.iter().filter(|(path, _)| !path.starts_with("GET")).cloned().collect()
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).expect("written")
    }
}

#[test]
fn a_plan_becomes_an_issue_once_and_both_name_each_other() {
    let world = World::new();
    let output = world.run(&["bugs", "--top", "1", "--issues"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = world.written();
    let [(path, issue)] = written.as_slice() else { panic!("{written:?}") };
    assert_eq!((path.as_str(), &issue["title"]), ("POST /repos/me/shop/issues", &json!("Await `audit` in `pay`")));
    assert_eq!(issue["labels"], json!(["bug"]), "those that exist");
    let body = issue["body"].as_str().expect("text");
    assert!(body.contains("## Steps") && body.contains("<!-- improve:plan="), "{body}");
    let plan = world.text("plans/001-await-audit-in-pay.md");
    assert!(plan.contains("- **Issue**: https://github.com/me/shop/issues/121\n"), "{plan}");
    assert!(world.text("plans/README.md").contains("([#121](https://github.com/me/shop/issues/121))"));
    assert!(stderr(&output).contains("issue opened: https://github.com/me/shop/issues/121"), "{}", stderr(&output));
    // The same plan says the same; one that somebody changed says something else.
    world.run(&["bugs", "--top", "1", "--issues"]);
    assert_eq!(world.written().len(), 1);
    write(
        world.folder.path(),
        "plans/001-await-audit-in-pay.md",
        &plan.replace("## Steps", "## Steps\n\nMind the tests."),
    );
    world.run(&["bugs", "--top", "1", "--issues"]);
    let paths: Vec<String> = world.written().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["POST /repos/me/shop/issues", "PATCH /repos/me/shop/issues/121"]);
    assert_eq!(world.text("plans/README.md").matches("#121").count(), 1);
}

#[test]
fn an_issue_that_was_closed_stays_closed_as_it_is() {
    let world = World::new();
    world.run(&["bugs", "--top", "1", "--issues"]);
    world.issues.lock().expect("no thread panics")[120]["state"] = json!("closed");
    let output = world.run(&["bugs", "--top", "1", "--issues"]);
    assert!(stderr(&output).contains("issue is there"), "{}", stderr(&output));
    assert_eq!(world.written().len(), 1);
}

#[test]
fn a_weakness_is_not_told_to_everybody_unless_that_is_said() {
    let world = World::new();
    world.is_public.store(true, Ordering::Relaxed);
    let output = world.run(&["--all", "--issues"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("me/shop is public"), "{}", stderr(&output));
    let titles =
        |world: &World| world.written().iter().map(|(_, issue)| issue["title"].to_string()).collect::<Vec<_>>();
    assert!(titles(&world).iter().any(|title| title.contains("Await")), "others are published: {:?}", titles(&world));
    assert!(!titles(&world).iter().any(|title| title.contains("shell")), "{:?}", titles(&world));
    let before = titles(&world).len();
    assert_eq!(world.run(&["security", "--all", "--issues", "--allow-public-security"]).status.code(), Some(0));
    assert!(titles(&world).len() > before);
}

#[test]
fn nothing_is_published_unasked_nor_in_a_rehearsal() {
    let world = World::new();
    world.run(&["bugs", "--top", "1", "--dry-run", "--issues"]);
    world.run(&["bugs", "--top", "1"]);
    assert!(world.asked.lock().expect("no thread panics").is_empty());
}

#[test]
fn a_refusal_keeps_the_plans_and_says_what_the_forge_said() {
    let world = World::new();
    git(world.folder.path(), &["remote", "set-url", "origin", "https://github.com/me/other.git"]);
    let output = world.run(&["bugs", "--top", "1", "--issues"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Not Found (404)"), "{}", stderr(&output));
    assert!(world.text("plans/001-await-audit-in-pay.md").contains("## Steps"));
}
