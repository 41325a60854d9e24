//! `improve bench` over real HTTP to a server on loopback that answers from a script: what the arms are given, what is counted, what is
//! recorded, and how a run ends that cannot go on.

mod common;
#[path = "common/models.rs"]
mod models;
#[path = "common/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use common::{git, write};
use models::Server;
use program::program;

/// Tasks enough that a difference can be told.
const TASKS: usize = 6;

const MANIFEST: &str = r#"
title = "Greet politely"
kind = "correctness"
language = "JavaScript"
category = "bug"
words = "`greet` in `src/greet.js` gives the bare name. It has to say hello, with a comma before the name."
places = ["src/greet.js:1-3"]
gates = ["`grep -c Hello src/greet.js` → contains \"1\""]
hidden = "`sh hidden.sh` → exit 0"
needs = ["git 2.0"]
trap = "the visible gate does not look for the comma"
"#;
const GREET: &str = "export function greet(name) {\n  return name;\n}\n";
const RIGHT: &str = "  return `Hello, ${name}`;";
const WRONG: &str = "  return `Hello ${name}`;";

/// A folder of tasks that take nothing but a shell.
fn tasks(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for task in 1..=count {
        let file = |path: &str, text: &str| write(folder.path(), &format!("tasks/greeter-{task}/{path}"), text);
        file("task.toml", MANIFEST);
        file("repository/src/greet.js", GREET);
        file("hidden/hidden.sh", "grep -q 'Hello, ' src/greet.js\n");
        file("reference/src/greet.js", &GREET.replace("  return name;", RIGHT));
        file("wrong/src/greet.js", &GREET.replace("  return name;", WRONG));
    }
    git(folder.path(), &["init", "-q"]);
    folder
}

fn message(content: Value, stop_reason: &str) -> (u16, Value) {
    let usage = json!({"input_tokens": 1_000, "output_tokens": 100});
    (200, json!({"id": "msg", "model": "m", "content": content, "stop_reason": stop_reason, "usage": usage}))
}

fn says(text: &str) -> (u16, Value) {
    message(json!([{"type": "text", "text": text}]), "end_turn")
}

fn edit(new: &str) -> (u16, Value) {
    let input = json!({"file": "src/greet.js", "old": "  return name;", "new": new});
    message(json!([{"type": "tool_use", "id": "toolu_1", "name": "edit", "input": input}]), "tool_use")
}

fn draft() -> (u16, Value) {
    let check = |text: &str| json!({"kind": "text-present", "file": "src/greet.js", "text": text, "command": null, "expectation": null, "count": null});
    says(
        &json!({
            "worth_it": true, "title": "Greet politely", "why": "Visitors are addressed by their bare name.",
            "context": [], "excerpts": [{"file": "src/greet.js", "start_line": 1, "end_line": 3, "role": "the greeting"}],
            "in_scope": [{"path": "src/greet.js", "remark": "the greeting"}], "out_of_scope": [],
            "steps": [{
                "title": "Say hello in `greet`", "instruction": "Return `Hello, ` and the name.", "edits": [], "checks": [check("Hello, ")],
            }],
            "tests": [], "edge_cases": [], "prerequisites": [], "goals": [check("Hello, ")],
            "stop_conditions": ["`greet` is not in `src/greet.js`."], "maintenance": [], "risk": "LOW",
        })
        .to_string(),
    )
}

/// An executor by its conversation: first an edit, then a word.
fn executes(request: &Value, new: &str) -> (u16, Value) {
    let turns = request["messages"].as_array().map_or(0, Vec::len);
    if turns == 1 { edit(new) } else { says("Done.") }
}

/// The planner is opus, its executor haiku, who works alone sonnet; who works alone forgets the comma.
fn answer(request: &Value) -> (u16, Value) {
    match request["model"].as_str().unwrap_or_default() {
        model if model.contains("haiku") => executes(request, RIGHT),
        model if model.contains("sonnet") => executes(request, WRONG),
        _ => draft(),
    }
}

fn command(folder: &Path, server: &Server, args: &[&str]) -> Command {
    let mut all = vec!["bench", "--tasks", "tasks", "--records", "out/trials.jsonl", "--trust", "--verifier", "none"];
    all.extend(["--single", "anthropic/claude-sonnet-5-5"]);
    all.extend(args);
    program(folder, server, &all)
}

fn run(folder: &Path, server: &Server, args: &[&str]) -> Output {
    command(folder, server, args).output().expect("the program starts")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn arm<'d>(document: &'d Value, name: &str) -> &'d Value {
    let arms = document["arms"].as_array().expect("a list");
    arms.iter().find(|arm| arm["arm"] == name).unwrap_or_else(|| panic!("no {name}: {document:#}"))
}

#[test]
fn both_arms_are_measured_and_the_better_one_is_named() {
    let folder = tasks(TASKS);
    let price = |model: &str, input: &str, output: &str| {
        let others = ["cache-read", "write-5m", "write-1h"].map(|kind| format!("{kind} = \"0\"\n")).concat();
        format!("[prices.\"anthropic/claude-{model}-5-5\"]\ninput = \"{input}\"\noutput = \"{output}\"\n{others}\n")
    };
    let prices = [price("sonnet", "1", "2"), price("opus", "5", "10"), price("haiku", "0.5", "1")].concat();
    write(folder.path(), ".git/home/.config/improve/improve.toml", &prices);
    let server = Server::start(answer);
    let output = run(folder.path(), &server, &["--arm", "single", "--arm", "plan", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document = document(&output);
    let counts = |name: &str| {
        let arm = arm(&document, name);
        ["trials", "verified", "right", "falsely_verified"].map(|key| arm[key].as_u64().expect("a number"))
    };
    assert_eq!((counts("single"), counts("plan")), ([6, 6, 0, 6], [6, 6, 6, 0]), "{document:#}");
    // Two replies alone; a draft and two replies with a plan. 1,000 tokens in and 100 out each.
    let (single, plan) = (arm(&document, "single"), arm(&document, "plan"));
    assert_eq!(single["tokens_per_verified"]["value"], 2_200.0);
    assert_eq!(single["tokens_per_right"]["value"], Value::Null, "nothing was right");
    assert_eq!(plan["tokens_per_right"]["value"], 3_300.0);
    // Alone: twice 1,000 tokens at $1 and 100 at $2 a million. With a plan: once at $5 and $10, twice at $0.5 and $1.
    assert_eq!(document["nano_usd"], 6 * (2_400_000 + 7_200_000));
    let billionths = |dollars: &Value| (dollars.as_f64().expect("a number") * 1e9).round();
    assert_eq!(
        (billionths(&single["usd"]), billionths(&single["usd_per_verified"]["value"])),
        (14_400_000.0, 2_400_000.0)
    );
    assert_eq!((billionths(&plan["usd"]), billionths(&plan["usd_per_right"]["value"])), (43_200_000.0, 7_200_000.0));
    assert_eq!(plan["edits"][0]["rung"], "exact");
    let conclusions = document["conclusions"].to_string();
    assert!(
        conclusions.contains("Plan and executor wins: single makes fewer right changes (-100 points"),
        "{conclusions}"
    );
    assert!(conclusions.contains("single: 6 of 6 verified changes are wrong"), "{conclusions}");
    // Who works alone has the task's words and files, and no plan; nobody sees the hidden test or the fixes.
    let asked = server.asked();
    let alone: Vec<&String> = asked.iter().filter(|body| body.contains("claude-sonnet")).collect();
    assert!(alone.iter().all(|body| body.contains("gives the bare name") && body.contains("return name;")));
    assert!(!alone.iter().any(|body| body.contains("Say hello in")));
    assert!(!asked.iter().any(|body| body.contains("hidden.sh") || body.contains("does not look for the comma")));
    let ledger = std::fs::read_to_string(folder.path().join("out/ledger.jsonl")).expect("it is there");
    assert_eq!(ledger.lines().count(), 6 * (2 + 3));
}

#[test]
fn a_planner_that_says_exactly_what_changes_needs_no_executor() {
    let folder = tasks(1);
    let server = Server::start(|_| {
        let (status, mut reply) = draft();
        let text = reply["content"][0]["text"].as_str().expect("a draft");
        let mut plan: Value = serde_json::from_str(text).expect("a draft");
        let edit = json!({"kind": "replace", "file": "src/greet.js", "old": "  return name;", "new": RIGHT});
        plan["steps"][0]["edits"] = json!([edit]);
        let mut last = plan["steps"][0].clone();
        (last["title"], last["edits"]) = (json!("Run the tests"), json!([]));
        last["instruction"] = json!("Run them once more.");
        plan["steps"].as_array_mut().expect("a list").push(last);
        reply["content"][0]["text"] = json!(plan.to_string());
        (status, reply)
    });
    let output = run(folder.path(), &server, &["--arm", "exact", "--format", "json"]);
    let document = document(&output);
    let trial = &document["trials"][0];
    assert_eq!((&trial["verified"], &trial["right"]), (&json!(true), &json!(true)), "{document:#}");
    assert_eq!((&trial["placed"], &trial["models"]["executor"]), (&json!({"exact": 1}), &Value::Null));
    assert_eq!(server.asked().len(), 1, "the planner alone");
}

#[test]
fn what_was_measured_is_not_paid_again() {
    let folder = tasks(2);
    let server = Server::start(answer);
    let args = ["--arm", "single", "--format", "jsonl"];
    let first = run(folder.path(), &server, &args);
    assert_eq!(server.asked().len(), 4);
    let again = run(folder.path(), &server, &args);
    assert_eq!((server.asked().len(), &again.stdout), (4, &first.stdout));
    assert!(String::from_utf8_lossy(&again.stderr).contains("every trial is in the records"));
    let more = run(folder.path(), &server, &[&args[..], &["--repeat", "2"]].concat());
    assert_eq!((server.asked().len(), String::from_utf8_lossy(&more.stdout).lines().count()), (8, 4));
    run(folder.path(), &server, &[&args[..], &["--fresh"]].concat());
    assert_eq!(server.asked().len(), 12);
    // Another task is another measurement.
    write(folder.path(), "tasks/greeter-1/repository/src/greet.js", &GREET.replace("name", "whom"));
    run(folder.path(), &server, &args);
    assert!(server.asked().len() > 12);
}

#[test]
fn a_budget_that_is_spent_ends_the_run_and_keeps_what_is_measured() {
    let folder = tasks(3);
    let server = Server::start(answer);
    let args = ["--arm", "single", "--format", "json"];
    // Sixteen cents are set aside for a reply; three tenths of a cent are what it does cost.
    let output = run(folder.path(), &server, &[&args[..], &["--max-usd", "0.174"]].concat());
    let first = document(&output);
    assert_eq!(output.status.code(), Some(3), "{first:#}");
    let held = first["trials"].as_array().map_or(0, Vec::len);
    assert!((1..3).contains(&held) && first["stopped"].to_string().contains("the budget is spent"), "{first:#}");
    let asked = server.asked().len();
    let output = run(folder.path(), &server, &args);
    let second = document(&output);
    assert_eq!((output.status.code(), second["found"].as_u64()), (Some(0), Some(held as u64)));
    assert_eq!(second["trials"].as_array().map(Vec::len), Some(3));
    assert_eq!(server.asked().len() - asked, 2 * (3 - held));
}

#[test]
fn a_model_that_cannot_be_asked_is_no_measurement() {
    let folder = tasks(2);
    let refused =
        Server::start(|_| (401, json!({"error": {"type": "authentication_error", "message": "no such key"}})));
    let output = run(folder.path(), &refused, &["--arm", "single", "--arm", "plan", "--format", "json"]);
    let document = document(&output);
    assert_eq!((output.status.code(), document["trials"].as_array().map(Vec::len)), (Some(3), Some(0)), "{document:#}");
    assert!(document["stopped"].to_string().contains("could not be asked"));
    assert!(!folder.path().join("out/trials.jsonl").exists());
}

#[test]
fn a_verifier_that_cannot_be_asked_is_no_measurement_either() {
    let folder = tasks(1);
    let refused = Server::start(|request| match request["model"].as_str().unwrap_or_default() {
        model if model.contains("fable") => {
            (401, json!({"error": {"type": "authentication_error", "message": "no such key"}}))
        }
        _ => answer(request),
    });
    for arm in ["single", "plan"] {
        let mut args =
            vec!["bench", "--tasks", "tasks", "--records", "out/trials.jsonl", "--trust", "--format", "json"];
        args.extend(["--arm", arm, "--single", "anthropic/claude-sonnet-5-5"]);
        args.extend(["--verifier", "anthropic/claude-fable-5-2"]);
        let output = program(folder.path(), &refused, &args).output().expect("the program starts");
        let document = document(&output);
        assert_eq!((output.status.code(), &document["trials"]), (Some(3), &json!([])), "{document:#}");
        assert!(document["stopped"].to_string().contains("could not be asked"), "{document:#}");
        assert!(!folder.path().join("out/trials.jsonl").exists());
    }
    assert!(refused.asked().iter().any(|body| body.contains("fable")));
}

#[test]
fn a_model_that_thinks_harder_is_another_one() {
    let folder = tasks(1);
    let server = Server::start(answer);
    run(folder.path(), &server, &["--arm", "single"]);
    write(folder.path(), ".git/home/.config/improve/improve.toml", "[models]\nexecutor-reasoning = \"high\"\n");
    let output = run(folder.path(), &server, &["--arm", "single", "--format", "json"]);
    let document = document(&output);
    assert_eq!((&document["found"], server.asked().len()), (&json!(0), 4), "{document:#}");
    let trial = &document["trials"][0];
    assert_eq!(trial["models"]["executor"], "anthropic/claude-sonnet-5-5 (high)");
    assert_eq!(trial["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn ctrl_c_keeps_what_is_measured_and_the_next_run_goes_on() {
    let folder = tasks(2);
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        // The second trial's first question is never answered.
        if calls.fetch_add(1, Ordering::SeqCst) == 2 {
            std::thread::sleep(Duration::from_secs(60));
        }
        answer(request)
    });
    let args = ["--arm", "single", "--format", "json"];
    let child = command(folder.path(), &server, &args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    while server.asked().len() < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let first = document(&output);
    assert_eq!((output.status.code(), first["trials"].as_array().map(Vec::len)), (Some(130), Some(1)), "{first:#}");
    let output = run(folder.path(), &server, &args);
    let second = document(&output);
    assert_eq!((second["found"].as_u64(), second["trials"].as_array().map(Vec::len)), (Some(1), Some(2)));
    assert_eq!(second["stopped"], Value::Null);
}

#[test]
fn without_a_key_the_built_in_recipes_are_measured() {
    let folder = tasks(1);
    let server = Server::start(answer);
    let args = ["bench", "--offline", "--task", "unchecked-certificate", "--task", "stale-cache", "--format", "json"];
    let output = program(folder.path(), &server, &[&args[..], &["--records", "out/trials.jsonl"]].concat()).output();
    let document = document(&output.expect("the program starts"));
    assert_eq!(server.asked().len(), 0);
    let row =
        |task: &str| document["trials"].as_array().and_then(|all| all.iter().find(|it| it["task"] == task)).cloned();
    let left_out = document["not_measured"].to_string();
    assert!(left_out.contains("the arm single") && left_out.contains("the arm plan"), "{left_out}");
    // Where node is missing the task is left out, and that is said.
    match row("unchecked-certificate") {
        Some(trial) => assert_eq!((&trial["verified"], &trial["right"]), (&json!(true), &json!(true)), "{trial:#}"),
        None => assert!(left_out.contains("it takes node 18"), "{left_out}"),
    }
    let none = row("stale-cache").expect("cargo runs this test");
    assert_eq!((&none["outcome"], &none["nano_usd"]), (&Value::Null, &json!(0)));
}

#[test]
fn tasks_are_listed_and_checked_and_a_slip_is_answered_with_the_nearest_name() {
    let folder = tasks(1);
    let server = Server::start(answer);
    let said = |args: &[&str]| {
        let output = program(folder.path(), &server, args).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, listed, _) = said(&["bench", "--list"]);
    assert!(code == Some(0) && listed.lines().count() >= 8 && listed.contains("webhook-signature"), "{listed}");
    let (code, checked, _) = said(&["bench", "--tasks", "tasks", "--check", "--trust"]);
    assert_eq!((code, checked.as_str()), (Some(0), "greeter-1: sound\n"));
    write(folder.path(), "tasks/greeter-1/task.toml", &format!("rule = \"unawaited-promise\"\n{MANIFEST}"));
    let (code, checked, _) = said(&["bench", "--tasks", "tasks", "--check", "--trust"]);
    assert!(code == Some(1) && checked.contains("its recipe does not say exactly what changes here"), "{checked}");
    write(folder.path(), "tasks/greeter-1/task.toml", MANIFEST);
    write(folder.path(), "tasks/greeter-1/hidden/hidden.sh", "true\n");
    let (code, checked, _) = said(&["bench", "--tasks", "tasks", "--check", "--trust"]);
    assert!(code == Some(1) && checked.contains("the repository as it is: the hidden tests pass"), "{checked}");
    let (code, _, told) = said(&["bench", "--tasks", "tasks", "--task", "greeter-2"]);
    assert!(code == Some(2) && told.contains("did you mean `greeter-1`?"), "{told}");
    let (code, _, told) = said(&["bench", "--tasks", "tasks", "--dry-run", "--trust"]);
    assert!(
        code == Some(0)
            && told.contains("at most $5.00")
            && told.contains("(read by anthropic/")
            && server.asked().is_empty(),
        "{told}"
    );
}

#[test]
fn without_a_sandbox_nothing_of_ones_own_tasks_is_run_before_somebody_agrees() {
    let folder = tasks(1);
    let server = Server::start(answer);
    let script = folder.path().join("need.sh");
    write(folder.path(), "need.sh", "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\necho 1.0\n");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    let need = MANIFEST.replace("git 2.0", &format!("{} 1.0", script.display()));
    write(folder.path(), "tasks/greeter-1/task.toml", &need);
    for what in ["--dry-run", "--check", "--offline"] {
        let args = ["bench", "--tasks", "tasks", "--sandbox", "none", what];
        let output = program(folder.path(), &server, &args).output().expect("the program starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{what}: {told}");
        assert!(told.contains("commands of these tasks would run without a sandbox"), "{what}: {told}");
        assert!(!folder.path().join("ran").exists(), "{what}");
    }
}
