//! The program with an executor, a verifier and a planner, over real HTTP to a server on loopback: steps that say in words what to
//! do are carried out, checked, mended and planned anew.

mod common;
#[path = "common/greeter.rs"]
mod greeter;
#[path = "common/models.rs"]
mod models;
#[path = "common/program.rs"]
mod program;

use std::path::Path;
use std::process::Output;
use std::sync::Mutex;

use serde_json::{Value, json};

use common::{git, write};
use greeter::GREET;
use models::Server;
use program::program;

/// The gate of the plan's step.
const VERIFY: &str = "`grep -c Hello src/greet.js` → contains \"1\"";

fn repository() -> tempfile::TempDir {
    greeter::repository(VERIFY, &[])
}

fn run(folder: &Path, server: &Server, args: &[&str]) -> Output {
    program(folder, server, args).output().expect("the program starts")
}

fn receipt(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn message(content: Value, stop_reason: &str) -> (u16, Value) {
    let usage = json!({"input_tokens": 1_000, "output_tokens": 100});
    (200, json!({"id": "msg", "model": "m", "content": content, "stop_reason": stop_reason, "usage": usage}))
}

fn says(text: &str) -> (u16, Value) {
    message(json!([{"type": "text", "text": text}]), "end_turn")
}

fn calls(name: &str, input: Value) -> (u16, Value) {
    message(json!([{"type": "tool_use", "id": "toolu_1", "name": name, "input": input}]), "tool_use")
}

fn edit(old: &str, new: &str) -> (u16, Value) {
    calls("edit", json!({"file": "src/greet.js", "old": old, "new": new}))
}

fn objects(quote: &str, severity: &str) -> (u16, Value) {
    says(
        &json!({"objections": [{"quote": quote, "problem": "The comma is missing.", "severity": severity}]})
            .to_string(),
    )
}

fn content() -> (u16, Value) {
    says(&json!({"objections": []}).to_string())
}

/// Who is asked: by its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Executor,
    Verifier,
    Planner,
}

/// A server that gives each role its answers in turn, and the last one again.
fn server(executor: Vec<(u16, Value)>, verifier: Vec<(u16, Value)>, planner: Vec<(u16, Value)>) -> Server {
    let turns = Mutex::new([executor, verifier, planner].map(std::collections::VecDeque::from));
    Server::start(move |request| {
        let asked = match request["model"].as_str().unwrap_or_default() {
            model if model.contains("haiku") => Asked::Executor,
            model if model.contains("sonnet") => Asked::Verifier,
            _ => Asked::Planner,
        };
        let mut turns = turns.lock().expect("no thread panics");
        turns[asked as usize]
            .pop_front()
            .unwrap_or((500, json!({"error": {"message": format!("{asked:?}: no answer left")}})))
    })
}

const APPLY: [&str; 5] = ["apply", "1", "--trust", "--format", "json"];

#[test]
fn a_step_in_words_is_carried_out_by_the_executor_and_read_by_the_verifier() {
    let folder = repository();
    let server =
        server(vec![edit("  return name;", "  return `Hello, ${name}`;"), says("Done.")], vec![content()], vec![]);
    let output = run(folder.path(), &server, &APPLY);
    let receipt = receipt(&output);
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    let step = &receipt["steps"][0];
    assert_eq!(step["executor"], "anthropic/claude-haiku-5-5");
    assert_eq!((&step["work"]["attempts"], &step["work"]["edits"]), (&json!(1), &json!(1)));
    assert_eq!(receipt["opinion"]["model"], "anthropic/claude-sonnet-5-5");
    assert_eq!(std::fs::read_to_string(folder.path().join("src/greet.js")).expect("it is there"), GREET, "untouched");
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[2].contains("Hello, ${name}"), "the verifier sees the difference");
    assert!(asked.iter().all(|body| !body.contains("hush-hush")));
}

#[test]
fn an_objection_is_mended_and_the_work_read_again() {
    let folder = repository();
    let server = server(
        vec![
            edit("  return name;", "  return `Hello, , ${name}`;"),
            says("Done."),
            edit("  return `Hello, , ${name}`;", "  return `Hello, ${name}`;"),
            says("Mended."),
        ],
        vec![objects("return `Hello, , ${name}`", "revise"), content()],
        vec![],
    );
    let receipt = receipt(&run(folder.path(), &server, &APPLY));
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    assert_eq!(receipt["steps"].as_array().map(Vec::len), Some(2));
    assert_eq!(receipt["commits"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_objection_whose_words_stand_nowhere_does_not_count() {
    let folder = repository();
    let server = server(
        vec![edit("  return name;", "  return `Hello, ${name}`;"), says("Done.")],
        vec![objects("throw new Error('not there')", "block")],
        vec![],
    );
    let receipt = receipt(&run(folder.path(), &server, &APPLY));
    assert_eq!((&receipt["outcome"], &receipt["opinion"]["dropped"]), (&json!("verified"), &json!(1)), "{receipt:#}");
}

fn draft(worth_it: bool) -> (u16, Value) {
    let check = |kind: &str, text: &str| json!({"kind": kind, "file": "src/greet.js", "text": text, "command": null, "expectation": null, "count": null});
    says(
        &json!({
            "worth_it": worth_it, "title": "Greet politely", "why": "Visitors are addressed by their bare name.",
            "context": [], "excerpts": [{"file": "src/greet.js", "start_line": 1, "end_line": 3, "role": "the greeting"}],
            "in_scope": [{"path": "src/greet.js", "remark": "the greeting"}], "out_of_scope": [],
            "steps": [{
                "title": "Say hello in `greet`", "instruction": "Return the greeting.",
                "edits": [{"kind": "replace", "file": "src/greet.js", "old": "  return name;", "new": "  return `Hello, ${name}`;"}],
                "checks": [check("text-present", "Hello, ")],
            }],
            "tests": [], "edge_cases": [], "prerequisites": [], "goals": [check("text-present", "Hello, ")],
            "stop_conditions": ["`greet` is not in `src/greet.js`."], "maintenance": [], "risk": "LOW",
        })
        .to_string(),
    )
}

#[test]
fn a_step_that_is_given_up_goes_back_to_the_planner_and_its_plan_is_carried_out() {
    let folder = repository();
    let stop = calls("stop", json!({"reason": "src/greet.js: the step does not say which quotes to use"}));
    let doubts = says(&json!({"doubts": []}).to_string());
    let server = server(vec![stop], vec![doubts, content()], vec![draft(true)]);
    // The new plan looks for text with git, which is another command than the old one's.
    let output = run(folder.path(), &server, &APPLY);
    let first = receipt(&output);
    assert_eq!(first["revisions"].as_array().map(Vec::len), Some(1), "{first:#}");
    let plan = std::fs::read_to_string(folder.path().join("plans/001-greet-politely.md")).expect("it is there");
    assert!(plan.contains("<<<<<<< SEARCH") && plan.starts_with("# Plan 001: "), "{plan}");
    assert!(first["notes"].to_string().contains("nobody agreed to yet"), "{first:#}");
    let second = receipt(&run(folder.path(), &server, &APPLY));
    assert_eq!(second["outcome"], "verified", "{second:#}");
    let told = server.asked().into_iter().find(|body| body.contains("failed while it was carried out"));
    assert!(told.is_some_and(|body| body.contains("which quotes to use")));
}

#[test]
fn a_revised_plan_goes_on_behind_the_steps_that_are_done_once_its_commands_are_agreed_to() {
    let folder = repository();
    let first = "### Step 1: Say what the file is\n\n```edit file=src/greet.js\n<<<<<<< SEARCH\nexport function greet(name) {\n\
                 =======\n// Greetings.\nexport function greet(name) {\n>>>>>>> REPLACE\n```\n\n\
                 **Verify**: `grep -c Greetings src/greet.js` → contains \"1\"\n\n### Step 2: Say hello";
    let plan = greeter::plan(VERIFY).replace("### Step 1: Say hello", first);
    write(folder.path(), "plans/001-greet-politely.md", &plan);
    let stop = calls("stop", json!({"reason": "which quotes?"}));
    let doubts = says(&json!({"doubts": []}).to_string());
    let server = server(vec![stop], vec![doubts, content()], vec![draft(true)]);
    let before = receipt(&run(folder.path(), &server, &APPLY));
    assert_eq!((&before["outcome"], &before["steps"][0]["status"]), (&json!("blocked"), &json!("green")), "{before:#}");
    let after = receipt(&run(folder.path(), &server, &APPLY));
    assert_eq!(after["outcome"], "verified", "{after:#}");
    assert_eq!(after["commits"][0]["id"], before["commits"][0]["id"], "what is done keeps its commit");
    assert_eq!(after["commits"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_plan_that_its_planner_gives_up_is_blocked_with_the_reason() {
    let folder = repository();
    let stop = calls("stop", json!({"reason": "the file is generated"}));
    let server = server(vec![stop], vec![], vec![draft(false)]);
    let output = run(folder.path(), &server, &APPLY);
    let receipt = receipt(&output);
    assert_eq!((&receipt["outcome"], output.status.code()), (&json!("blocked"), Some(4)), "{receipt:#}");
    assert!(receipt["notes"].to_string().contains("gives the plan up"));
}

#[test]
fn offline_a_step_in_words_is_handed_over_and_nobody_is_asked() {
    let folder = repository();
    let server = server(vec![], vec![], vec![]);
    let output = run(folder.path(), &server, &["apply", "1", "--trust", "--offline", "--format", "json"]);
    assert_eq!(receipt(&output)["outcome"], "handed-over");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn a_key_that_is_refused_leaves_the_plan_where_it_was() {
    let folder = repository();
    let refused =
        Server::start(|_| (401, json!({"error": {"type": "authentication_error", "message": "no such key"}})));
    let output = run(folder.path(), &refused, &APPLY);
    let receipt = receipt(&output);
    assert_eq!((&receipt["outcome"], output.status.code()), (&json!("blocked"), Some(4)), "{receipt:#}");
    assert_eq!(receipt["steps"][0]["work"]["halted"], "unanswered");
}

#[test]
fn what_the_settings_want_is_run_and_asked_whatever_the_plan_names() {
    let folder = repository();
    write(
        folder.path(),
        "improve.toml",
        "[apply]\nrun-tests = true\nrequire-approval = true\nallow-plan-revision = false\n\n[commands]\ntest = \"sh check.sh\"\n",
    );
    write(folder.path(), "check.sh", "! grep -q Bye src/greet.js\n");
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "settings"]);
    let (bye, mended) = ("  return `Hello, ${name}. Bye`;", "  return `Hello, ${name}`;");
    let executor = vec![edit("  return name;", bye), says("Done."), edit(bye, mended), says("Mended.")];
    let server = server(executor, vec![content()], vec![]);
    let output = run(folder.path(), &server, &APPLY);
    assert_eq!((output.status.code(), server.asked().len()), (Some(2), 0), "nobody approved");
    assert!(String::from_utf8_lossy(&output.stderr).contains("improve.toml:3"));
    let receipt = receipt(&run(folder.path(), &server, &[&APPLY[..], &["--yes"]].concat()));
    assert_eq!(receipt["outcome"], "verified", "{receipt:#}");
    assert_eq!(receipt["criteria"][1]["text"], "`sh check.sh` → all pass");
    assert_eq!(receipt["steps"][1]["title"], "Mend what the verifier found", "the check of the repository was red");
}
