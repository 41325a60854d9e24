//! The action's own steps, done by a runner of ours against GitHub's API on loopback: what they ask of it, and what they leave behind.

mod common;
#[path = "common/expression.rs"]
mod expression;
#[path = "common/models.rs"]
mod models;
#[path = "common/runner.rs"]
mod runner;
#[path = "common/skipped.rs"]
mod skipped;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use common::{git, write};
use models::Server;
use runner::{Done, Job};
use skipped::skipped;

const SHELL: &str = "\
import { exec } from 'node:child_process'
import express from 'express'

const app = express()

app.get('/ping', (request, response) => {
  exec(`ping -c 1 ${request.query.host}`, (error, output) => response.send(output))
})
";
/// What a recipe mends with exact edits.
const PAY: &str = "\
import { appendFile } from 'node:fs/promises'

async function audit(text) {
  await appendFile('log.txt', text)
}

export async function pay(id) {
  audit('paid ' + id)
  return id
}
";
const MARK: &str = "<!-- improve: findings -->\n";

/// A repository with a pull request, as GitHub and actions/checkout leave it, and GitHub's API.
struct World {
    folder: tempfile::TempDir,
    server: Server,
    api: Arc<Mutex<Api>>,
}

/// What the API holds and answers.
#[derive(Default)]
struct Api {
    comments: Vec<Value>,
    permission: &'static str,
    /// Answered to everything instead.
    fails_with: Option<u16>,
}

impl World {
    /// A pull request that adds `files`. `None` on a machine without the programs that the action's steps use.
    fn new(files: &[(&str, &str)]) -> Option<World> {
        if let Some(program) = ["bash", "jq", "curl"].into_iter().find(|program| !is_there(program)) {
            skipped(format!("no {program}"));
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("shop");
        write(&root, "package.json", "{ \"name\": \"shop\", \"dependencies\": { \"express\": \"5.0.0\" } }\n");
        write(&root, "src/db.ts", "export const names: string[] = []\n");
        git(&root, &["init", "-q", "-b", "main"]);
        commit(&root, "first");
        git(&root, &["checkout", "-q", "-b", "feature"]);
        for (path, text) in files {
            write(&root, path, text);
        }
        commit(&root, "feature");
        git(&root, &["checkout", "-q", "main"]);
        git(&root, &["checkout", "-q", "--detach"]);
        git(&root, &["merge", "-q", "--no-ff", "-m", "Merge feature into main", "feature"]);
        let api = Arc::new(Mutex::new(Api { permission: "write", ..Api::default() }));
        let shared = api.clone();
        let server = Server::of_paths(move |line, body| {
            let mut api = shared.lock().expect("no thread panics");
            let (status, answer) = api.answer(line, body);
            (status, answer.to_string())
        });
        Some(World { folder, server, api })
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn commit_of(&self, revision: &str) -> String {
        let output = Command::new("git").args(["rev-parse", revision]).current_dir(self.root()).output();
        String::from_utf8(output.expect("git is installed").stdout).expect("an id").trim().to_owned()
    }

    /// A job of the pull request, whose branch is in the repository itself or in a fork.
    fn pull_request(&self, is_fork: bool) -> Job {
        let event = json!({
            "action": "synchronize",
            "number": 7,
            "repository": { "default_branch": "main", "full_name": "me/shop" },
            "sender": { "login": "octocat", "type": "User" },
            "pull_request": {
                "number": 7,
                "title": "$(touch pwned)`touch pwned`\n::error::title",
                "head": { "ref": "feature\"; touch pwned; \n::error::ref", "sha": self.commit_of("feature"),
                    "repo": { "id": if is_fork { 2 } else { 1 } } },
                "base": { "ref": "main", "sha": self.commit_of("main"), "repo": { "id": 1 } },
            },
        });
        let job = Job::new(&self.root(), "pull_request", &event, &self.server.url);
        job.variable("GITHUB_SHA", &self.commit_of("HEAD"))
            .variable("GITHUB_REF", "refs/pull/7/merge")
            .variable("GITHUB_HEAD_REF", "feature\"; touch pwned; \n::error::ref")
    }

    /// A job on the default branch.
    fn on_main(&self, name: &str) -> Job {
        git(&self.root(), &["checkout", "-q", "-B", "main", "HEAD"]);
        let event = json!({
            "ref": "refs/heads/main",
            "repository": { "default_branch": "main", "full_name": "me/shop" },
            "sender": { "login": "octocat", "type": "User" },
        });
        let job = Job::new(&self.root(), name, &event, &self.server.url);
        job.variable("GITHUB_SHA", &self.commit_of("HEAD")).variable("GITHUB_REF", "refs/heads/main")
    }

    /// Lines of the requests so far; every one of them bears the token.
    fn asked(&self) -> Vec<String> {
        let heads = self.server.heads();
        for head in heads.iter().filter(|head| !head.starts_with("POST /v1/")) {
            let lower = head.to_ascii_lowercase();
            assert!(lower.contains("authorization: bearer hush-hush"), "{head}");
            assert!(lower.contains("accept: application/vnd.github+json"), "{head}");
        }
        let line = |head: &String| head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        heads.iter().map(line).collect()
    }

    fn comments(&self) -> Vec<String> {
        let api = self.api.lock().expect("no thread panics");
        api.comments.iter().map(|comment| comment["body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    fn set(&self, change: impl FnOnce(&mut Api)) {
        change(&mut self.api.lock().expect("no thread panics"));
    }
}

impl Api {
    fn answer(&mut self, line: &str, body: &str) -> (u16, Value) {
        if let Some(status) = self.fails_with {
            return (status, json!({ "message": "No\n::error::of\r\nthe API" }));
        }
        let sent: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        match line {
            "GET /repos/me/shop/collaborators/octocat/permission" => (200, json!({ "permission": self.permission })),
            "GET /repos/me/shop/issues/7/comments?per_page=100&page=1" => (200, Value::Array(self.comments.clone())),
            "POST /repos/me/shop/issues/7/comments" => {
                self.comments.push(comment(self.comments.len() + 1, "github-actions[bot]", &text_of(&sent)));
                (201, json!({}))
            }
            "GET /repos/me/shop/issues?state=all&sort=created&direction=desc&per_page=100&page=1"
            | "GET /repos/me/shop/labels?per_page=100&page=1" => (200, json!([])),
            "POST /repos/me/shop/issues" => {
                (201, json!({ "number": 5, "html_url": "https://github.com/me/shop/issues/5", "body": sent["body"] }))
            }
            "GET /repos/me/shop" => (200, json!({ "default_branch": "main", "private": true })),
            "POST /repos/me/shop/pulls" => {
                (201, json!({ "number": 9, "html_url": "https://github.com/me/shop/pull/9" }))
            }
            line if line.starts_with("GET /repos/me/shop/pulls?") => (200, json!([])),
            _ => match line.strip_prefix("PATCH /repos/me/shop/issues/comments/") {
                Some(id) => {
                    let id: usize = id.parse().expect("a number");
                    self.comments[id - 1]["body"] = sent["body"].clone();
                    (200, json!({}))
                }
                None => (404, json!({ "message": "Not Found" })),
            },
        }
    }
}

fn text_of(sent: &Value) -> String {
    assert_eq!(sent.as_object().map(serde_json::Map::len), Some(1), "nothing but a body is sent");
    sent["body"].as_str().expect("a text").to_owned()
}

fn comment(id: usize, author: &str, body: &str) -> Value {
    json!({ "id": id, "user": { "login": author }, "body": body })
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn commit(root: &Path, message: &str) {
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", message]);
}

const LIST: &str = "GET /repos/me/shop/issues/7/comments?per_page=100&page=1";
const POST: &str = "POST /repos/me/shop/issues/7/comments";

/// Names of the other actions a job used.
fn others(done: &Done) -> Vec<&str> {
    done.others.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_pull_request_gets_annotations_a_summary_and_one_comment() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    let job = world.pull_request(false);
    let done = job.run();
    assert_eq!(world.asked(), [LIST, POST], "{}{}", done.log, done.errors);
    let comments = world.comments();
    let body = comments[0].strip_prefix(MARK).expect("it bears our mark");
    assert!(body.contains("### 1 finding new here") && body.contains("src/ping.ts:7"), "{body}");
    assert!(body.contains("command-injection") && body.contains("<details><summary>"), "{body}");
    assert_eq!(done.summary, body);
    let annotations: Vec<&str> = done.commands();
    assert!(annotations[0].starts_with("::error file=src/ping.ts,line=7"), "{annotations:?}");
    assert!(done.failed, "a weakness beyond doubt stops it");
    let output = |name: &str| done.outputs[name].as_str();
    assert_eq!((output("conclusion"), output("highest-severity")), ("findings", "high"));
    assert_eq!((output("findings-count"), output("new-findings-count")), ("1", "1"));
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(output("sarif-file")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "command-injection");
    assert_eq!(others(&done), ["actions/cache/restore", "actions/cache/restore"], "nothing is saved for others");
    assert!(!world.pull_request(false).with("fail-on", "never").run().failed);
}

#[test]
fn a_comment_is_written_anew_only_when_it_would_say_something_else() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    let job = world.pull_request(false).with("fail-on", "never");
    job.run();
    job.run();
    assert_eq!(world.asked(), [LIST, POST, LIST], "nothing has changed");
    world.set(|api| api.comments[0]["body"] = json!(format!("{MARK}of an earlier commit")));
    job.run();
    assert_eq!(world.asked()[3..], [LIST, "PATCH /repos/me/shop/issues/comments/1"]);
    assert!(world.comments()[0].contains("### 1 finding new here"));
}

#[test]
fn a_comment_that_somebody_else_wrote_with_our_mark_is_left_alone() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    world.set(|api| api.comments.push(comment(1, "mallory", &format!("{MARK}mine"))));
    world.pull_request(false).run();
    assert_eq!(world.asked(), [LIST, POST]);
    assert_eq!(world.comments()[0], format!("{MARK}mine"));
}

#[test]
fn a_pull_request_that_brings_nothing_gets_no_comment() {
    let Some(world) = World::new(&[("src/more.ts", "export const more = 1\n")]) else { return };
    let done = world.pull_request(false).run();
    assert_eq!(world.asked(), [LIST], "{}{}", done.log, done.errors);
    assert!(!done.failed && done.outputs["conclusion"] == "success", "{}{}", done.log, done.errors);
    assert!(done.summary.contains("### No new finding"), "{}", done.summary);
}

#[test]
fn nothing_is_written_and_no_key_is_spent_for_a_fork() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    let job = world.pull_request(true).with("sarif", "true").with("api-key", "sk-secret").with("fail-on", "never");
    let done = job.run();
    assert_eq!(world.asked(), [""; 0], "{}", done.log);
    assert!(!done.failed && done.summary.contains("src/ping.ts:7"), "{}{}", done.log, done.errors);
    assert!(done.commands().iter().any(|line| line.contains("from a fork")), "{}", done.log);
    assert!(others(&done).iter().all(|name| *name == "actions/cache/restore"));
    assert!(!done.log.contains("sk-secret") && !done.errors.contains("sk-secret"));
    let done = world.pull_request(true).with("command", "apply").run();
    assert_eq!((world.asked().len(), others(&done).len()), (0, 0), "nothing of it is carried out");
}

#[test]
fn the_default_branch_is_audited_and_what_was_read_is_kept() {
    for event in ["push", "workflow_dispatch"] {
        let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
        let done = world.on_main(event).with("sarif", "true").with("artifact", "improve").run();
        assert_eq!(world.asked(), [""; 0]);
        assert!(!done.failed && done.outputs["conclusion"] == "success", "{}{}", done.log, done.errors);
        assert_eq!(
            others(&done),
            [
                "actions/cache/restore",
                "actions/cache/save",
                "actions/cache/restore",
                "actions/cache/save",
                "github/codeql-action/upload-sarif",
                "actions/upload-artifact"
            ]
        );
        let key = |at: usize| done.others[at].1["key"].clone();
        assert_eq!((key(0), key(2)), (key(1), key(3)), "what is saved is found again");
        assert_eq!(done.others[4].1["category"], "improve");
    }
}

#[test]
fn several_machines_say_what_one_says() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL), ("src/pong.ts", &SHELL.replace("ping", "pong"))]) else {
        return;
    };
    let document = |done: &Done| std::fs::read_to_string(&done.outputs["json-file"]).expect("a document");
    let whole = world.on_main("push").run();
    let parts = world.root().join("parts");
    let mut found = 0;
    let mut written = Vec::new();
    for shard in ["1/2", "2/2"] {
        let job = world.on_main("push").with("command", "audit").with("shard", shard).with("fail-on", "never");
        let done = job.run();
        assert_eq!(done.outputs["conclusion"], "success", "{}{}", done.log, done.errors);
        found += done.outputs["findings-count"].parse::<usize>().expect("a number");
        written.push((format!("improve-part-{}/improve.json", &shard[..1]), document(&done)));
    }
    // They were made on other machines: none of them saw the others.
    written.iter().for_each(|(name, text)| write(&parts, name, text));
    let job = world.on_main("push").with("command", "merge").with("sarif", "true");
    let merged = job.run();
    assert_eq!(merged.outputs["conclusion"], "success", "{}{}", merged.log, merged.errors);
    assert_eq!(merged.outputs["findings-count"], whole.outputs["findings-count"]);
    assert_eq!(merged.outputs["findings-count"], found.to_string());
    assert!(merged.outputs["findings-count"] != "0" && document(&merged).contains("src/pong.ts"));
    assert_eq!(others(&merged).last(), Some(&"github/codeql-action/upload-sarif"));
    std::fs::remove_dir_all(parts.join("improve-part-2")).expect("ours");
    let done = world.on_main("push").with("command", "merge").run();
    assert!(done.failed && done.log.contains("missing: part 2/2"), "{}{}", done.log, done.errors);
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn a_key_is_spent_only_for_who_may_write() {
    const MAY: &str = "GET /repos/me/shop/collaborators/octocat/permission";
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    let job = || {
        let job = world.pull_request(false).with("api-key", "sk-secret").with("fail-on", "never");
        job.with("comment", "false").variable("ANTHROPIC_BASE_URL", &world.server.url)
    };
    world.set(|api| api.permission = "read");
    let done = job().run();
    assert_eq!(world.asked(), [MAY], "{}{}", done.log, done.errors);
    assert!(!done.failed && done.outputs["new-findings-count"] == "1", "the rules cost nothing");
    let done = job().variable("GITHUB_ACTOR", "renovate[bot]").run();
    assert_eq!((world.asked().len(), done.failed), (1, false), "a bot is not even asked about");
    world.set(|api| api.permission = "write");
    let done = job().run();
    let heads = world.server.heads();
    assert!(heads[1].starts_with(MAY) && heads[2].starts_with("POST /v1/messages"), "{heads:?}{}", done.errors);
    assert!(heads[2].contains("authorization: Bearer sk-secret") && !heads[1].contains("sk-secret"), "{heads:?}");
    assert!(!done.log.contains("sk-secret") && !done.errors.contains("sk-secret"), "{}", done.log);
    assert!(done.outputs.values().all(|value| !value.contains("sk-secret")));
    world.set(|api| api.fails_with = Some(500));
    let asked = world.asked().len();
    let done = job().run();
    assert_eq!(world.asked()[asked..], [MAY], "what is not known is a no");
    assert!(!done.failed, "{}", done.log);
}

#[test]
fn a_pull_request_cannot_switch_off_what_judges_it() {
    let silenced = SHELL.replace("  exec(", "  // improve-ignore: command-injection — trust me @octocat\n  exec(");
    let Some(world) = World::new(&[
        ("src/ping.ts", SHELL),
        ("src/pong.ts", &silenced.replace("/ping", "/pong")),
        ("improve.toml", "exclude = [\"src\"]\nfail-on = \"never\"\n[rules]\ncommand-injection = false\n"),
        (".ignore", "src/\n"),
        ("improve-baseline.json", "no baseline at all"),
    ]) else {
        return;
    };
    let done = world.pull_request(false).run();
    assert!(done.failed && done.outputs["new-findings-count"] == "1", "{}{}", done.log, done.errors);
    let body = &world.comments()[0];
    assert!(body.contains("src/ping.ts:7"), "{body}");
    let (_, silenced) = body.split_once("that a comment in the branch silences").expect("it is said");
    assert!(silenced.contains("src/pong.ts:8") && silenced.contains("trust me") && !silenced.contains("@octocat"));
}

#[test]
fn names_and_texts_are_nothing_but_data() {
    let name = "src/$(touch pwned)`touch pwned`\n::error::name;x.ts";
    let Some(world) =
        World::new(&[(name, SHELL), ("src/a|b [x](y) <img> ping.ts", &SHELL.replace("/ping", "/@octocat"))])
    else {
        return;
    };
    let job = world.pull_request(false).with("command", "plan").with("paths", "$(touch pwned)\n::error::path\nsrc");
    let done = job.run();
    let pwned = |folder: &Path| folder.join("pwned").exists();
    assert!(!pwned(&world.root()) && !pwned(job.folder.path()) && !pwned(Path::new(env!("CARGO_MANIFEST_DIR"))));
    assert!(done.commands().iter().all(|line| !line.starts_with("::error::")), "{:?}", done.commands());
    assert_eq!(done.outputs["new-findings-count"], "2", "{}{}", done.log, done.errors);
    let body = &world.comments()[0];
    for broken in ["\n::error", "[x](y)", "<img>", "@octocat"] {
        assert!(!body.replace("\\<", "").contains(broken), "{broken} in {body}");
    }
    for (name, value) in [
        ("shard", "1/2; touch pwned"),
        ("provider", "x$(touch pwned)"),
        ("plans", "plans/../../x.md"),
        ("working-directory", "../.."),
        ("max-findings", "1 --trust"),
        ("command", "audit; touch pwned"),
    ] {
        let job = world.pull_request(false).with(name, value).with("comment", "false");
        let job = match name {
            "plans" => job.with("command", "apply"),
            "shard" => job.with("command", "audit"),
            _ => job,
        };
        let done = job.run();
        assert!(done.failed && !pwned(&world.root()), "{name}: {}{}", done.log, done.errors);
        assert!(done.commands().iter().any(|line| line.starts_with("::error title=improve::")), "{name}: {}", done.log);
    }
}

#[test]
fn a_comment_and_a_summary_end_where_github_ends_them() {
    let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
    let many: String = (0..220).map(|number| SHELL.replace("/ping", &format!("/ping{number}"))).collect();
    let Some(world_of_many) = World::new(&[("src/many.ts", &many)]) else { return };
    let done = world_of_many.pull_request(false).run();
    let body = &world_of_many.comments()[0];
    assert!(body.chars().count() <= 65_536 && body.chars().count() > 40_000, "{}", body.chars().count());
    assert!(
        body.contains("more findings not in this table") && body.contains("this comment is full"),
        "{}",
        done.errors
    );
    assert_eq!(body.matches("<details>").count(), body.matches("</details>").count(), "cut between two findings");
    assert!(done.commands().iter().filter(|line| line.starts_with("::error file=")).count() <= 10);
    // Whatever hands a longer page to the step that comments.
    let job = world.pull_request(false);
    let page = job.folder.path().join("page.md");
    std::fs::write(&page, "é".repeat(99).repeat(7_000) + "\nend").unwrap();
    let variables = [
        ("IMPROVE_NUMBER", "7".to_owned()),
        ("IMPROVE_PAGE", page.display().to_string()),
        ("IMPROVE_NEWS", "1".to_owned()),
        ("INPUT_GITHUB_TOKEN", "hush-hush".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let mut done = Done::default();
    let (code, _) = job.step("bash \"$GITHUB_ACTION_PATH/action/comment.sh\"", &variables, &mut done);
    assert_eq!(code, 0, "{}", done.errors);
    let body = &world.comments()[0];
    assert!(body.chars().count() <= 65_536 && body.contains("The rest is left out"), "{}", body.chars().count());
}

#[test]
fn files_that_need_attention_are_planned_carried_out_and_told_of_in_one_comment() {
    let Some(world) = World::new(&[("src/pay.js", PAY), ("src/refund.js", &PAY.replace("pay(", "refund("))]) else {
        return;
    };
    let planned = world.pull_request(false).with("command", "plan").with("artifact", "plans").with("fail-on", "never");
    let done = planned.run();
    assert_eq!(done.outputs["plans-count"], "2", "{}{}", done.log, done.errors);
    let matrix: Value = serde_json::from_str(&done.outputs["matrix"]).unwrap();
    assert_eq!((&matrix[0]["file"], &matrix[1]["file"]), (&json!("src/pay.js"), &json!("src/refund.js")));
    assert!(world.comments()[0].contains("```mermaid"), "{}", world.comments()[0]);
    let (name, given) = done.others.last().expect("plans are handed on");
    assert_eq!(name, "actions/upload-artifact");
    let report = PathBuf::from(&given["path"]);
    let receipts = world.root().join("receipts");
    for file in matrix.as_array().unwrap() {
        // Another machine: a checkout, and the plans of the artifact.
        git(&world.root(), &["clean", "-qfd", "plans"]);
        for plan in file["plans"].as_str().unwrap().split(' ') {
            write(&world.root(), plan, &std::fs::read_to_string(report.join(plan)).unwrap());
        }
        let job = world.pull_request(false).with("command", "apply").with("plans", file["plans"].as_str().unwrap());
        let asked = world.asked().len();
        let done = job.run();
        assert_eq!(world.asked().len(), asked, "a job that carries out a plan writes nothing to GitHub");
        assert_eq!(done.outputs["conclusion"], "success", "{}{}", done.log, done.errors);
        let folder = Path::new(&done.outputs["json-file"]).parent().unwrap().to_owned();
        let patch = std::fs::read_to_string(folder.join("1.patch")).unwrap();
        assert!(patch.contains("+  await audit("), "{patch}");
        let name = file["name"].as_str().unwrap();
        write(
            &receipts,
            &format!("{name}/improve.json"),
            &std::fs::read_to_string(folder.join("improve.json")).unwrap(),
        );
    }
    write(&receipts, "3/improve.json", "{\"outcome\":\"<b>\",\"plan\":{\"title\":\"@octocat [x](y)|\\n::error::z\"}}");
    let done = world.pull_request(false).with("command", "collect").run();
    assert!(!done.failed, "{}{}", done.log, done.errors);
    let told = world.comments()[1].clone();
    assert!(told.starts_with("<!-- improve: receipts -->\n### 2 of 3 plans verified"), "{told}");
    assert!(told.contains("| verified | src/pay.js |") && told.contains("| unreadable |"), "{told}");
    assert!(!told.contains("@octocat") && !told.contains("<b>") && !told.contains("\n::error"), "{told}");
}

#[test]
fn a_plan_of_the_default_branch_is_carried_out_and_becomes_a_pull_request() {
    let Some(world) = World::new(&[("src/pay.js", PAY)]) else { return };
    let job = world.on_main("workflow_dispatch");
    let (root, bare) = (world.root(), world.folder.path().join("shop.git"));
    let planned = Command::new(env!("CARGO_BIN_EXE_improve"))
        .args(["--no-input", "--offline"])
        .env("HOME", job.folder.path())
        .current_dir(&root)
        .output();
    assert!(planned.expect("the program starts").status.success());
    commit(&root, "plans");
    git(world.folder.path(), &["init", "-q", "--bare", "-b", "main", "shop.git"]);
    let address = "https://github.com/me/shop.git";
    git(&root, &["remote", "add", "origin", address]);
    git(&root, &["config", &format!("url.{}.pushInsteadOf", bare.display()), address]);
    git(&root, &["push", "-q", "origin", "main"]);
    let job =
        job.with("command", "apply").with("pull-request", "true").variable("GITHUB_SHA", &world.commit_of("HEAD"));
    let done = job.run();
    assert_eq!(done.outputs["conclusion"], "success", "{}", done.log);
    let asked = world.asked();
    assert_eq!(asked[0], "GET /repos/me/shop");
    assert!(asked[1].starts_with("GET /repos/me/shop/pulls?state=open&head=me%3Aimprove%2F001-"), "{asked:?}");
    assert_eq!(asked[2..], ["POST /repos/me/shop/pulls"]);
    let sent: Value = serde_json::from_str(&world.server.asked()[2]).unwrap();
    assert_eq!((&sent["base"], &sent["title"]), (&json!("main"), &json!("Await `audit` in `pay`")));
    assert!(!done.log.contains("hush-hush"), "{}", done.log);
    assert!(done.summary.contains("### 1 of 1 plans verified"), "{}", done.summary);
}

#[test]
fn plans_become_issues_where_that_is_asked_for_and_not_from_a_pull_request() {
    let Some(world) = World::new(&[("src/pay.js", PAY)]) else { return };
    git(&world.root(), &["remote", "add", "origin", "https://github.com/me/shop.git"]);
    let done = world.pull_request(false).with("command", "plan").with("issues", "true").with("comment", "false").run();
    assert_eq!((done.outputs["plans-count"].as_str(), world.asked()), ("1", vec![]), "{}", done.log);
    git(&world.root(), &["clean", "-qfd", "plans"]);
    let done = world.on_main("push").with("command", "plan").with("issues", "true").run();
    assert_eq!(done.outputs["conclusion"], "success", "{}{}", done.log, done.errors);
    let issues = "/repos/me/shop/issues";
    let listed = format!("GET {issues}?state=all&sort=created&direction=desc&per_page=100&page=1");
    let labels = "GET /repos/me/shop/labels?per_page=100&page=1".to_owned();
    assert_eq!(world.asked(), ["GET /repos/me/shop".to_owned(), listed, labels, format!("POST {issues}")]);
    let sent: Value = serde_json::from_str(&world.server.asked()[3]).unwrap();
    assert_eq!(sent["title"], "Await `audit` in `pay`");
    assert!(!done.log.contains("hush-hush"), "{}", done.log);
}

#[test]
fn a_plan_that_comes_with_a_pull_request_is_not_carried_out() {
    let Some(world) = World::new(&[("plans/001-evil.md", "# Plan 001: Evil\n\n## Steps\n\n1. `touch pwned`\n")]) else {
        return;
    };
    let done = world.pull_request(false).with("command", "apply").with("plans", "plans/001-evil.md").run();
    assert!(done.failed && done.log.contains("is carried out once it is merged"), "{}{}", done.log, done.errors);
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn an_api_that_refuses_is_said_and_stops_nothing() {
    for status in [403, 404, 500] {
        let Some(world) = World::new(&[("src/ping.ts", SHELL)]) else { return };
        world.set(|api| api.fails_with = Some(status));
        let done = world.pull_request(false).with("fail-on", "never").run();
        assert_eq!(world.asked(), [LIST], "{}{}", done.log, done.errors);
        assert!(!done.failed && done.summary.contains("src/ping.ts:7"), "{}{}", done.log, done.errors);
        let commands = done.commands();
        assert!(commands.iter().any(|line| line.starts_with("::warning title=improve::the comments")), "{commands:?}");
        assert!(commands.iter().all(|line| !line.starts_with("::error::")), "{commands:?}");
    }
}
