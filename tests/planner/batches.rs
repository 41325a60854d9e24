//! Audits and plans that may wait: what is submitted, what a killed or interrupted run leaves behind, what it costs.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::models::Server;
use super::plans::{body, draft, text_check, wants};
use super::{SHOP, document, git, program, rules, run, says, shop, stderr, verdict, verdicts, write};

/// What Anthropic's batch endpoint has seen.
#[derive(Default)]
struct Seen {
    /// `POST /path` of every request.
    requests: Vec<String>,
    /// Batches, each with its questions.
    batches: Vec<Vec<Value>>,
    /// So many batches end, the first ones, each at once.
    ending: usize,
}

const ALL: usize = usize::MAX;

/// Anthropic's batch endpoint. It confirms every finding and has a plan for each; the first draft of one has no goal, and what goes
/// back is mended. Nobody who reads a plan has a doubt.
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
            let ended = path.parse::<usize>().is_ok_and(|number| number <= seen.ending);
            let status = if ended { "ended" } else { "in_progress" };
            return (200, json!({"id": format!("msgbatch_{path}"), "processing_status": status}).to_string());
        };
        let number: usize = number.parse().expect("a number");
        let lines = seen.batches[number - 1].iter().rev().map(|question| {
            let (_, message) = answer(&question["params"]);
            let result = json!({"type": "succeeded", "message": message});
            json!({"custom_id": question["custom_id"], "result": result}).to_string() + "\n"
        });
        (200, lines.collect())
    });
    (server, seen)
}

fn answer(request: &Value) -> (u16, Value) {
    if wants(request, "doubts") {
        return says(&json!({"doubts": []}));
    }
    if !wants(request, "worth_it") {
        return verdicts(request, &|label| verdict(label, "confirmed", "  for (const id of ids) {"));
    }
    let mended = request["messages"].as_array().is_some_and(|messages| messages.len() > 1);
    let goals = if mended { json!([text_check("text-present", "findMany")]) } else { json!([]) };
    let of_orders = draft(&body(), &goals);
    let is_of_invoices = request["messages"].to_string().contains(" at src/invoices.ts:");
    says(&if is_of_invoices { of_invoices(&of_orders) } else { of_orders })
}

/// The same of invoices.
fn of_invoices(of_orders: &Value) -> Value {
    serde_json::from_str(&of_orders.to_string().replace("order", "invoice")).expect("it is JSON as before")
}

/// A repository with two queries in loops.
fn two_shops() -> tempfile::TempDir {
    let folder = shop();
    write(folder.path(), "src/invoices.ts", &SHOP.replace("order", "invoice"));
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "invoices"]);
    folder
}

const AUDIT: [&str; 4] = ["audit", "--batch", "--format", "json"];
const PLANS: [&str; 6] = ["perf", "--batch", "--top", "2", "--format", "json"];

/// What the questions of each batch are for, by the schema of their answers, and how many there are.
fn purposes(seen: &Seen) -> Vec<(&'static str, usize)> {
    let purpose = |question: &Value| {
        let of = |property: &str| wants(&question["params"], property);
        match () {
            () if of("findings") => "lens",
            () if of("verdicts") => "vet",
            () if of("worth_it") => "specify",
            () if of("doubts") => "cold read",
            () => "unknown",
        }
    };
    seen.batches.iter().map(|batch| (purpose(&batch[0]), batch.len())).collect()
}

/// A run whose first batch of those that do not end is submitted.
fn waiting(folder: &Path, server: &Server, seen: &Mutex<Seen>, args: &[&str]) -> Child {
    let mut command = program(folder, server, args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let began = Instant::now();
    // It looks once at a batch that goes on: then that batch is on record.
    let looked = |seen: &Seen| {
        let look = format!("GET /v1/messages/batches/msgbatch_{}", seen.ending + 1);
        seen.requests.contains(&look)
    };
    while !looked(&seen.lock().expect("no thread panics")) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was submitted");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn an_audit_by_batch_asks_everything_in_two_batches_and_costs_half() {
    let repository = shop();
    let (server, seen) = endpoint();
    seen.lock().unwrap().ending = ALL;
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
    let mut child = waiting(repository.path(), &server, &seen, &AUDIT);
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    seen.lock().unwrap().ending = ALL;
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
fn plans_by_batch_are_drafted_mended_and_read_together_and_cost_half() {
    let repository = two_shops();
    let (server, seen) = endpoint();
    seen.lock().unwrap().ending = ALL;
    let output = run(repository.path(), &server, &PLANS);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rounds = [("lens", 1), ("vet", 1), ("specify", 2), ("specify", 2), ("cold read", 2)];
    assert_eq!(purposes(&seen.lock().unwrap()), rounds);
    let first = document(&output);
    let paths: Vec<&str> = first["plans"].as_array().unwrap().iter().map(|row| row["path"].as_str().unwrap()).collect();
    // A request waits for the orders.
    assert_eq!(paths, ["plans/001-read-the-orders-in-one-query.md", "plans/002-read-the-invoices-in-one-query.md"]);
    let second = std::fs::read_to_string(repository.path().join(paths[1])).unwrap();
    assert!(
        second.starts_with("# Plan 002: ") && second.contains("`improve/002-read-the-invoices-in-one-query`"),
        "{second}"
    );
    // 1 000 and 100 tokens a question: $4 and $20 a million for the planner, $2 and $10 for who reads cold; halved.
    assert_eq!(first["cost"]["nano_usd"], 6 * 3_000_000 + 2 * 1_500_000);
    let ledger = std::fs::read_to_string(repository.path().join(".git/improve/ledger.jsonl")).unwrap();
    assert_eq!((ledger.lines().count(), ledger.matches("\"batch\":true").count()), (8, 8), "{ledger}");
}

#[test]
fn a_run_that_is_killed_while_its_plans_are_written_goes_on_with_their_batch() {
    let rounds = [("lens", 1), ("vet", 1), ("specify", 2), ("specify", 2), ("cold read", 2)];
    let killed_while_waiting_for = |batch: usize| {
        let repository = two_shops();
        let (server, seen) = endpoint();
        seen.lock().unwrap().ending = batch - 1;
        let mut child = waiting(repository.path(), &server, &seen, &PLANS);
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
        seen.lock().unwrap().ending = ALL;
        let output = run(repository.path(), &server, &PLANS);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("batch msgbatch_{batch}: submitted at ")), "{}", stderr(&output));
        assert_eq!(purposes(&seen.lock().unwrap()), rounds, "nothing is submitted twice");
        let rows = document(&output)["plans"].as_array().unwrap().clone();
        assert!(rows.len() == 2 && rows.iter().all(|row| row["outcome"] == "written"), "{rows:?}");
        let ledger = std::fs::read_to_string(repository.path().join(".git/improve/ledger.jsonl")).unwrap();
        assert_eq!(ledger.lines().count(), 8, "every answer is paid for once: {ledger}");
    };
    // First drafts, what went back, cold reads. A run waits for seconds before it looks at a batch, so they go side by side.
    std::thread::scope(|scope| {
        for batch in 3..=5 {
            scope.spawn(move || killed_while_waiting_for(batch));
        }
    });
}

#[test]
fn ctrl_c_leaves_the_batch_to_the_vendor_within_a_second_and_says_so() {
    let repository = shop();
    let (server, seen) = endpoint();
    let child = waiting(repository.path(), &server, &seen, &AUDIT);
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
        let shown = said.lines().filter(|line| line.starts_with("would ask "));
        let prices = shown.filter_map(|line| line.split("at most $").nth(1));
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
