//! Audits that may wait: what is submitted, what a killed or interrupted run leaves behind, what it costs.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::models::Server;
use super::{document, program, rules, run, shop, stderr, verdict, verdicts};

/// What Anthropic's batch endpoint has seen.
#[derive(Default)]
struct Seen {
    /// `POST /path` of every request.
    requests: Vec<String>,
    /// Batches, each with its questions.
    batches: Vec<Vec<Value>>,
    /// Batches end at once.
    ends: bool,
}

/// Anthropic's batch endpoint. It confirms every finding.
fn endpoint() -> (Server, Arc<Mutex<Seen>>) {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let shared = seen.clone();
    let server = Server::of_paths(move |line, body| {
        let mut seen = shared.lock().expect("no thread panics");
        seen.requests.push(line.to_owned());
        let (method, path) = line.split_once(' ').expect("a method and a path");
        if method == "POST" {
            assert_eq!(path, "/v1/messages/batches", "nothing is asked at once");
            let body: Value = serde_json::from_str(body).expect("JSON");
            seen.batches.push(body["requests"].as_array().expect("questions").clone());
            let id = format!("msgbatch_{}", seen.batches.len());
            return (200, json!({"id": id, "processing_status": "in_progress"}).to_string());
        }
        let path = path.strip_prefix("/v1/messages/batches/msgbatch_").expect("a batch");
        let Some(number) = path.strip_suffix("/results") else {
            let status = if seen.ends { "ended" } else { "in_progress" };
            return (200, json!({"id": format!("msgbatch_{path}"), "processing_status": status}).to_string());
        };
        let number: usize = number.parse().expect("a number");
        let lines = seen.batches[number - 1].iter().rev().map(|question| {
            let confirmed = |label| verdict(label, "confirmed", "  for (const id of ids) {");
            let (_, message) = verdicts(&question["params"], &confirmed);
            let result = json!({"type": "succeeded", "message": message});
            json!({"custom_id": question["custom_id"], "result": result}).to_string() + "\n"
        });
        (200, lines.collect())
    });
    (server, seen)
}

const AUDIT: [&str; 4] = ["audit", "--batch", "--format", "json"];

/// A run whose first batch is submitted and does not end.
fn waiting(folder: &Path, server: &Server, seen: &Mutex<Seen>) -> Child {
    let mut command = program(folder, server, &AUDIT);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let began = Instant::now();
    // It looks once: then the batch is on record.
    while seen.lock().expect("no thread panics").requests.len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was submitted");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn an_audit_by_batch_asks_everything_in_two_batches_and_costs_half() {
    let repository = shop();
    let (server, seen) = endpoint();
    seen.lock().unwrap().ends = true;
    let output = run(repository.path(), &server, &AUDIT);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let sizes: Vec<usize> = seen.lock().unwrap().batches.iter().map(Vec::len).collect();
    assert_eq!((sizes.len(), sizes[0]), (2, 5), "the lenses of standard effort, then the verdicts");
    assert!(
        stderr(&output).contains("batch msgbatch_1: 5 questions submitted; ctrl-C leaves it"),
        "{}",
        stderr(&output)
    );
    let first = document(&output);
    assert!(rules(&first, "findings").contains(&"n-plus-one".to_owned()));
    // 1 000 x $4 + 100 x $20 a million, halved, a question.
    assert_eq!(first["cost"]["nano_usd"], 3_000_000 * sizes.iter().sum::<usize>());
    let ledger = std::fs::read_to_string(repository.path().join(".git/improve/ledger.jsonl")).unwrap();
    assert!(ledger.lines().all(|line| line.contains("\"batch\":true")), "{ledger}");

    let requests = seen.lock().unwrap().requests.len();
    let second = document(&run(repository.path(), &server, &AUDIT));
    assert_eq!((seen.lock().unwrap().requests.len(), &second["cost"]["nano_usd"]), (requests, &json!(0)));
    assert_eq!(second["findings"], first["findings"]);
}

#[test]
fn a_killed_run_leaves_a_batch_that_the_next_one_fetches() {
    let repository = shop();
    let (server, seen) = endpoint();
    let mut child = waiting(repository.path(), &server, &seen);
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    seen.lock().unwrap().ends = true;
    let output = run(repository.path(), &server, &AUDIT);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("batch msgbatch_1: submitted at "), "{}", stderr(&output));
    assert!(stderr(&output).contains("has 5 questions of this run"), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    let submitted = seen.requests.iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(submitted, 2, "the lenses once, and the verdicts: {:?}", seen.requests);
    let left = std::fs::read_dir(repository.path().join(".git/improve/batches")).unwrap().count();
    assert_eq!(left, 0, "what was fetched is not on record any more");
}

#[test]
fn ctrl_c_leaves_the_batch_to_the_vendor_within_a_second_and_says_so() {
    let repository = shop();
    let (server, seen) = endpoint();
    let child = waiting(repository.path(), &server, &seen);
    let pid = rustix::process::Pid::from_child(&child);
    let pressed = Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert!(pressed.elapsed() < Duration::from_secs(1), "{:?}", pressed.elapsed());
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let said = "batch msgbatch_1 goes on at the vendor; the same command fetches its answers";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
}

#[test]
fn a_planner_that_no_batch_endpoint_serves_is_refused_before_anything_is_asked() {
    let repository = shop();
    let (server, seen) = endpoint();
    let local = run(repository.path(), &server, &["audit", "--batch", "--planner", "ollama/some-model"]);
    assert_eq!(local.status.code(), Some(2));
    assert!(stderr(&local).contains("ollama/some-model: its provider has no batch endpoint"), "{}", stderr(&local));
    assert!(stderr(&local).contains("leave out --batch"), "{}", stderr(&local));
    let none = run(repository.path(), &server, &["--batch", "--planner", "none"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("--batch: no model is bound as planner"), "{}", stderr(&none));
    let offline = run(repository.path(), &server, &["audit", "--batch", "--offline"]);
    assert_eq!(offline.status.code(), Some(2), "{}", stderr(&offline));
    assert_eq!(seen.lock().unwrap().requests, Vec::<String>::new());
}

#[test]
fn a_dry_run_shows_half_the_price() {
    let repository = shop();
    let (server, seen) = endpoint();
    let prices = |args: &[&str]| -> Vec<f64> {
        let output = run(repository.path(), &server, args);
        let said = stderr(&output);
        let prices = said.lines().filter_map(|line| line.split("at most $").nth(1));
        let mut prices: Vec<f64> = prices.map(|price| price.trim().parse().expect("a price")).collect();
        prices.sort_by(f64::total_cmp);
        prices
    };
    let (whole, half) = (prices(&["audit", "--dry-run"]), prices(&["audit", "--dry-run", "--batch"]));
    assert_eq!((whole.is_empty(), whole.len()), (false, half.len()));
    for (whole, half) in whole.iter().zip(&half) {
        assert!((whole / 2.0 - half).abs() < 0.006, "{whole} {half}");
    }
    assert_eq!(seen.lock().unwrap().requests, Vec::<String>::new());
}
