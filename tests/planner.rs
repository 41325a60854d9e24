//! The program with a planner, over real HTTP to a server on loopback: what it asks, what it makes of the answers, what it spends.

#[path = "planner/batches.rs"]
mod batches;
mod common;
#[path = "planner/docs.rs"]
mod docs;
#[path = "planner/faults.rs"]
mod faults;
#[path = "common/models.rs"]
mod models;
#[path = "planner/plans.rs"]
mod plans;
#[path = "common/program.rs"]
mod program;
#[path = "planner/prompts.rs"]
mod prompts;

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use common::{git, write};
use models::Server;
use program::program;

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

/// Who asks for it: a loop that a request waits for is certain to matter.
const SERVER: &str = "\
import express from 'express'
import { listOrders } from './orders'

export const app = express()
app.get('/orders', async (request, response) => {
  response.json(await listOrders(request.query.ids))
})
";

/// A repository with one commit and one query in a loop.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(
        folder.path(),
        "package.json",
        "{ \"name\": \"shop\", \"main\": \"src/server.ts\", \"dependencies\": { \"@prisma/client\": \"6.0.0\", \"express\": \"5.0.0\" } }\n",
    );
    write(folder.path(), "src/orders.ts", SHOP);
    write(folder.path(), "src/server.ts", SERVER);
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "-f", "."]);
    git(folder, &["commit", "-q", "-m", "first"]);
}

fn run(folder: &Path, server: &Server, args: &[&str]) -> Output {
    program(folder, server, args).output().expect("the program starts")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn message(content: Value, stop_reason: &str) -> (u16, Value) {
    let usage = json!({"input_tokens": 1_000, "output_tokens": 100});
    (
        200,
        json!({"id": "msg", "model": "claude-opus-5-5", "content": content, "stop_reason": stop_reason, "usage": usage}),
    )
}

fn says(answer: &Value) -> (u16, Value) {
    message(json!([{"type": "text", "text": answer.to_string()}]), "end_turn")
}

fn verdict(label: usize, verdict: &str, quote: &str) -> Value {
    json!({
        "finding": format!("F{label}"), "reason": "Seen.", "quote": {"file": "src/orders.ts", "line": 1, "text": quote},
        "verdict": verdict, "impact": 1, "confidence": "LOW", "duplicate_of": null,
    })
}

/// The request looks through a lens: it wants findings, not verdicts.
fn is_lens(request: &Value) -> bool {
    request["output_config"]["format"]["schema"]["properties"].get("findings").is_some()
}

/// Nothing through a lens; verdicts for the findings of a request: the query in the loop as said, everything else confirmed.
fn verdicts(request: &Value, query: &dyn Fn(usize) -> Value) -> (u16, Value) {
    if is_lens(request) {
        return says(&json!({"findings": []}));
    }
    let text = request["messages"].to_string();
    let labels = (1..).take_while(|label| text.contains(&format!("## F{label} "))).collect::<Vec<usize>>();
    let is_query = |label: usize| {
        let own = text.split(&format!("## F{label} ")).nth(1).unwrap_or_default();
        own.split("\\n## F").next().unwrap_or_default().contains("n-plus-one")
    };
    let judged = labels.iter().map(|&label| {
        if is_query(label) { query(label) } else { verdict(label, "confirmed", "const prisma = new PrismaClient()") }
    });
    says(&json!({"verdicts": judged.collect::<Vec<_>>()}))
}

fn rules(document: &Value, list: &str) -> Vec<String> {
    let of = document[list].as_array().expect("a list of findings");
    of.iter().map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect()
}

#[test]
fn a_planner_reads_and_sets_a_finding_apart_and_the_second_run_asks_nobody() {
    let repository = shop();
    let server = Server::start(|request| {
        let answered = request["messages"].as_array().map_or(0, Vec::len);
        if answered == 1 {
            let input = json!({"path": "src/orders.ts", "start_line": 5, "end_line": 9});
            return message(json!([{"type": "tool_use", "id": "t1", "name": "read", "input": input}]), "tool_use");
        }
        verdicts(request, &|label| verdict(label, "by-design", "  for (const id of ids) {"))
    });
    let first = run(repository.path(), &server, &["audit", "--format", "json"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let first = document(&first);
    assert!(!rules(&first, "findings").contains(&"n-plus-one".to_owned()));
    assert_eq!(rules(&first, "rejected"), ["n-plus-one"]);
    assert_eq!(first["rejected"][0]["reason"], "anthropic/claude-opus-5-5: by design — Seen.");
    assert_eq!(first["vetting"]["by_design"], 1);
    let requests = server.asked();
    let told =
        |request: &&String| request.contains("tool_result") && request.contains("| export async function listOrders");
    assert!(requests.iter().any(|request| told(&request)), "what it asked to read was told");
    assert!(!requests.concat().contains("hush-hush"), "the key is no part of what a model sees");
    // 1 000 x $4 + 100 x $20 a million, a call.
    assert_eq!(first["cost"]["nano_usd"], 6_000_000 * requests.len());

    let second = document(&run(repository.path(), &server, &["audit", "--format", "json"]));
    assert_eq!(server.asked().len(), requests.len(), "nobody was asked");
    assert_eq!(second["rejected"], first["rejected"]);
    assert_eq!((&second["cost"]["model_calls"], &second["cost"]["nano_usd"]), (&json!(0), &json!(0)));

    let status = run(repository.path(), &server, &["status", "--format", "json"]);
    let spending = &document(&status)["spending"];
    assert_eq!((&spending["calls"], &spending["nano_usd"]), (&json!(requests.len()), &first["cost"]["nano_usd"]));
    let status = run(repository.path(), &server, &["status"]);
    let told = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(told.contains("0 % of the prompts from the vendor's cache"), "{told}");

    let clean = run(repository.path(), &server, &["clean"]);
    assert_eq!(clean.status.code(), Some(0), "{}", stderr(&clean));
    run(repository.path(), &server, &["audit", "--format", "json"]);
    assert_eq!(server.asked().len(), 2 * requests.len(), "what models answered is gone with the caches");
}

#[test]
fn a_lens_adds_findings_whose_quotes_stand_in_the_files_and_they_are_judged_too() {
    let repository = shop();
    let reported = |line: u32, text: &str| {
        json!({
            "evidence": [{"file": "src/orders.ts", "line": line, "text": text}], "title": "Orders of strangers are listed.",
            "message": "Nobody asks whose they are.", "impact": 5, "effort": "S", "risk": "LOW", "confidence": "HIGH",
        })
    };
    let server = Server::start(move |request| {
        if !is_lens(request) {
            return verdicts(request, &|label| verdict(label, "confirmed", "  for (const id of ids) {"));
        }
        if !request["messages"].to_string().contains("**Security.**") {
            return says(&json!({"findings": []}));
        }
        says(
            &json!({"findings": [reported(99, "export async function listOrders(ids: string[]) {"), reported(5, "export function listAll() {")]}),
        )
    });
    let output = run(repository.path(), &server, &["audit", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = document(&output);
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["title"]),
        (&json!("planner-security"), &json!("Orders of strangers are listed"))
    );
    assert_eq!(finding["evidence"][0]["start_line"], 5, "the quote stands there, whatever line was said");
    assert_eq!(document["vetting"]["open"], 0);
    let dropped =
        document["not_audited"].as_array().unwrap().iter().any(|entry| entry["what"] == "1 finding of the model");
    assert!(dropped, "{:#}", document["not_audited"]);
    let asked: Vec<bool> = server.asked().iter().map(|body| is_lens(&serde_json::from_str(body).unwrap())).collect();
    assert_eq!(asked.iter().filter(|lens| **lens).count(), 5, "the lenses of standard effort");
}

#[test]
fn a_comment_with_a_reason_silences_what_a_lens_reports_too() {
    let repository = shop();
    let text = SHOP.replace("export async", "// improve-ignore: planner-security — the gateway asks\nexport async");
    write(repository.path(), "src/orders.ts", &text);
    let server = Server::start(|request| {
        if !is_lens(request) {
            return verdicts(request, &|label| verdict(label, "confirmed", "  for (const id of ids) {"));
        }
        let line =
            json!({"file": "src/orders.ts", "line": 6, "text": "export async function listOrders(ids: string[]) {"});
        says(&json!({"findings": [{
            "evidence": [line], "title": "Nobody asks whose orders these are", "message": "They are anybody's.", "impact": 5,
            "effort": "S", "risk": "LOW", "confidence": "HIGH",
        }]}))
    });
    let output = run(repository.path(), &server, &["audit", "security", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = document(&output);
    assert!(!rules(&document, "findings").contains(&"planner-security".to_owned()), "{document:#}");
    assert_eq!(document["suppressed"][0]["reason"], "the gateway asks");
    assert!(!stderr(&output).contains("no rule is called"), "{}", stderr(&output));
}

#[test]
fn a_verdict_with_an_invented_quote_changes_nothing() {
    let repository = shop();
    let server =
        Server::start(|request| verdicts(request, &|label| verdict(label, "wrong", "if (ids.length > 3) throw")));
    let output = run(repository.path(), &server, &["audit", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let document = document(&output);
    assert!(rules(&document, "findings").contains(&"n-plus-one".to_owned()));
    assert_eq!(document["vetting"]["open"], 1);
    assert_eq!(
        document["vetting"]["open_because"][0]["why"],
        "the model's quote does not count: it does not stand in src/orders.ts"
    );
}

#[test]
fn what_a_branch_brings_is_judged_where_that_is_asked_for_and_nothing_else_is() {
    let repository = shop();
    git(repository.path(), &["checkout", "-q", "-b", "feature"]);
    write(repository.path(), "src/names.ts", &SHOP.replace("listOrders", "names"));
    let more =
        SERVER.replace("listOrders", "names").replace("orders", "names").replace("export const app = express()", "");
    let more = more.replace("import express from 'express'\n", "");
    write(repository.path(), "src/server.ts", &format!("{SERVER}\n{more}"));
    git(repository.path(), &["add", "."]);
    git(repository.path(), &["commit", "-q", "-m", "second"]);
    let server = Server::start(|request| {
        assert!(!is_lens(request), "a branch is judged, not looked through");
        assert!(!request["messages"].to_string().contains("## F2 "), "one finding is new: {request:#}");
        let mut verdict = verdict(1, "wrong", "  for (const id of ids) {");
        verdict["quote"]["file"] = json!("src/names.ts");
        says(&json!({"verdicts": [verdict]}))
    });
    let unasked = run(repository.path(), &server, &["branch", "--effort", "quick", "--format", "json"]);
    assert_eq!((rules(&document(&unasked), "findings"), server.asked().len()), (vec!["n-plus-one".to_owned()], 0));
    let asked = run(repository.path(), &server, &["branch", "--effort", "quick", "--vet", "--format", "json"]);
    let asked = document(&asked);
    assert_eq!((rules(&asked, "findings"), rules(&asked, "rejected")), (vec![], vec!["n-plus-one".to_owned()]));
    let pushed = run(repository.path(), &server, &["branch", "--effort", "quick", "--vet", "--hook"]);
    let page = String::from_utf8_lossy(&pushed.stdout).into_owned();
    assert!(page.contains("with built-in rules and anthropic/claude-opus-5-5"), "{page}{}", stderr(&pushed));
    assert_eq!(pushed.status.code(), Some(0));
}

#[test]
fn a_wrong_key_ends_the_asking_and_not_the_audit() {
    let repository = shop();
    let server =
        Server::start(|_| (401, json!({"error": {"type": "authentication_error", "message": "invalid x-api-key"}})));
    let output = run(repository.path(), &server, &["audit", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the API key was not accepted (HTTP 401)"), "{}", stderr(&output));
    assert!(stderr(&output).contains("`improve doctor` shows which variable it came from"));
    assert!(rules(&document(&output), "findings").contains(&"n-plus-one".to_owned()));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_budget_is_kept_before_the_call_and_offline_and_dry_runs_ask_nobody() {
    let repository = shop();
    let server = Server::start(|request| {
        verdicts(request, &|label| verdict(label, "confirmed", "const prisma = new PrismaClient()"))
    });
    let output = run(repository.path(), &server, &["audit", "--format", "json", "--max-usd", "0.01"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("the budget of $0.010 is used up"), "{}", stderr(&output));
    let offline = run(repository.path(), &server, &["audit", "--format", "json", "--offline"]);
    assert_eq!((offline.status.code(), &document(&offline)["planner"]), (Some(0), &json!("built-in")));
    let dry = run(repository.path(), &server, &["audit", "--dry-run"]);
    assert!(stderr(&dry).contains("would ask anthropic/claude-opus-5-5: vet, about "), "{}", stderr(&dry));
    let plain = "further rounds depend on the answers, and are in this estimate";
    assert!(stderr(&dry).contains("5 lenses and ") && stderr(&dry).contains(plain), "{}", stderr(&dry));
    let dry = run(repository.path(), &server, &["--dry-run"]);
    let plans = "1 plan to write by anthropic/claude-opus-5-5";
    let plain = "what would be asked depends on the answers before, so it is not shown, and is in this estimate";
    assert!(stderr(&dry).contains(plans) && stderr(&dry).contains(plain), "{}", stderr(&dry));
    assert_eq!(server.asked(), Vec::<String>::new());
}

/// Letters and digits that look like chance, the same ones in every run.
struct Noise(u64);

impl Noise {
    fn of(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            letters[(self.0 >> 33) as usize % letters.len()]
        };
        (0..length).map(|_| next()).collect()
    }
}

/// A secret of each of 25 kinds: the file it stands in, the text around it (`@` is its place), and itself.
fn secrets(noise: &mut Noise, round: usize) -> Vec<(String, &'static str, String)> {
    const ALL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const HEX: &str = "0123456789abcdef";
    let mut kinds: Vec<(&str, &'static str, String)> = Vec::new();
    let mut add = |file, around, secret| kinds.push((file, around, secret));
    add("aws.ts", "export const id = '@'\n", format!("AKIA{}", noise.of(UPPER, 16)));
    add("aws-secret.ts", "export const awsSecretAccessKey = '@'\n", noise.of(ALL, 40));
    add("github.ts", "const auth = `token @`\n", format!("ghp_{}", noise.of(ALL, 36)));
    add("github-fine.py", "TOKEN = '@'\n", format!("github_pat_{}", noise.of(ALL, 70)));
    add("gitlab.yml", "token: @\n", format!("glpat-{}", noise.of(ALL, 20)));
    add(
        "slack.rs",
        "const SLACK: &str = \"@\";\n",
        format!("xoxb-{}-{}", noise.of("0123456789", 12), noise.of(ALL, 24)),
    );
    add(
        "hook.ts",
        "fetch('https://hooks.slack.com/services/@')\n",
        format!("T{}/B{}/{}", noise.of(UPPER, 9), noise.of(UPPER, 9), noise.of(ALL, 24)),
    );
    add("stripe.ts", "new Stripe('@')\n", format!("sk_live_{}", noise.of(ALL, 24)));
    add("anthropic.ts", "const key = '@'\n", format!("sk-ant-api03-{}", noise.of(ALL, 40)));
    add("openai.ts", "const key = '@'\n", format!("sk-proj-{}", noise.of(ALL, 40)));
    add("openrouter.ts", "const key = '@'\n", format!("sk-or-v1-{}", noise.of(HEX, 64)));
    add("google.ts", "const maps = '@'\n", format!("AIza{}", noise.of(ALL, 35)));
    add("oauth.json", "{\"client_secret\": \"@\"}\n", format!("GOCSPX-{}", noise.of(ALL, 28)));
    add(".npmrc", "//registry.npmjs.org/:_authToken=@\n", format!("npm_{}", noise.of(ALL, 36)));
    add("pypi.toml", "password = \"@\"\n", format!("pypi-AgE{}", noise.of(ALL, 60)));
    add("sendgrid.ts", "mail.setApiKey('@')\n", format!("SG.{}.{}", noise.of(ALL, 22), noise.of(ALL, 43)));
    add("twilio.ts", "const sid = '@'\n", format!("SK{}", noise.of(HEX, 32)));
    add("digitalocean.tf", "token = \"@\"\n", format!("dop_v1_{}", noise.of(HEX, 64)));
    add("huggingface.py", "login('@')\n", format!("hf_{}", noise.of(ALL, 34)));
    add("linear.ts", "const linear = '@'\n", format!("lin_api_{}", noise.of(ALL, 40)));
    add("vault.sh", "export VAULT_TOKEN=@\n", format!("hvs.{}", noise.of(ALL, 40)));
    add(
        "jwt.ts",
        "const session = '@'\n",
        format!("eyJ{}.eyJ{}.{}", noise.of(ALL, 20), noise.of(ALL, 40), noise.of(ALL, 43)),
    );
    add("database.ts", "const url = 'postgres://app:@@db.internal/app'\n", noise.of(ALL, 20));
    add(".env", "SOMETHING=@\n", format!("{}-{}", noise.of(ALL, 10), noise.of(ALL, 10)));
    add("password.ts", "export const dbPassword = '@'\n", noise.of(ALL, 24));
    kinds.into_iter().map(|(file, around, secret)| (format!("src/r{round}/{file}"), around, secret)).collect()
}

#[test]
fn none_of_a_hundred_secrets_leaves_the_machine_or_reaches_a_record() {
    let repository = tempfile::tempdir().unwrap();
    let folder = repository.path();
    write(folder, "package.json", "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n");
    write(folder, "src/orders.ts", SHOP);
    let mut noise = Noise(7);
    let secrets: Vec<_> = (0..4).flat_map(|round| secrets(&mut noise, round)).collect();
    assert_eq!(secrets.len(), 100);
    for (file, around, secret) in &secrets {
        // One at the top, and one beside it in a comment line further down, where excerpts cut.
        write(folder, file, &around.replacen('@', secret, 1));
    }
    commit(folder);
    let files: Vec<String> = secrets.iter().map(|(file, _, _)| file.clone()).collect();
    let server = Server::start(move |request| {
        let answered = request["messages"].as_array().map_or(0, Vec::len);
        if answered == 1 {
            let call = |at: usize, name: &str, input: Value| json!({"type": "tool_use", "id": format!("t{at}"), "name": name, "input": input});
            let mut calls: Vec<Value> = files
                .iter()
                .enumerate()
                .map(|(at, file)| call(at, "read", json!({"path": file, "start_line": 1, "end_line": 3})))
                .collect();
            calls.push(call(200, "search", json!({"pattern": "/.*/", "path_prefix": "src"})));
            calls.push(call(201, "search", json!({"pattern": "key", "path_prefix": null})));
            calls.push(call(202, "symbol", json!({"name": "dbPassword"})));
            return message(json!(calls), "tool_use");
        }
        verdicts(request, &|label| verdict(label, "confirmed", "const prisma = new PrismaClient()"))
    });
    let output = run(folder, &server, &["--effort", "deep", "--top", "5", "--format", "json"]);
    assert!(server.asked().len() >= 2, "{}", stderr(&output));
    assert!(server.asked().iter().any(|body| body.matches("[secret:").count() >= 100), "the files were read");
    let mut places: Vec<(String, String)> =
        server.asked().into_iter().map(|body| ("a request".to_owned(), body)).collect();
    places.push(("stdout".to_owned(), String::from_utf8_lossy(&output.stdout).into_owned()));
    places.push(("stderr".to_owned(), stderr(&output)));
    let mut records = 0;
    for kept in [folder.join("plans"), folder.join(".git/improve"), folder.join(".git/home")] {
        for entry in ignore::WalkBuilder::new(kept).standard_filters(false).build().flatten() {
            // The map's facts hold the names and literals of the source itself, and never leave the machine.
            let is_facts = entry.path().parent().is_some_and(|folder| folder.join("facts").is_file());
            if entry.path().is_file() && !is_facts {
                records += 1;
                let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned();
                places.push((entry.path().display().to_string(), text));
            }
        }
    }
    assert!(records >= 3, "a ledger, replies and plans");
    for (file, _, secret) in &secrets {
        for (place, text) in &places {
            assert!(!text.contains(secret.as_str()), "{file}: {secret} in {place}");
        }
    }
}
