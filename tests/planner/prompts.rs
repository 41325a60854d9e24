//! Prompts as a model gets them: word for word, each with the guard, and with a version that follows their text.

use std::collections::BTreeMap;
use std::path::Path;

use improve::model::GUARD;
use improve::model::prompts_version;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::models::Server;
use super::plans::{body, draft, text_check, understanding, wants};
use super::{run, says, shop, stderr, verdict, verdicts};

/// What a request is for, by the schema of its answer.
fn purpose(request: &Value) -> &'static str {
    let of = |property: &str| wants(request, property);
    match () {
        () if of("findings") => "lens",
        () if of("verdicts") => "vet",
        () if of("worth_it") => "specify",
        () if of("doubts") => "cold read",
        () if of("verdict") => "request",
        () => "unknown",
    }
}

#[test]
fn every_prompt_is_as_it_was_agreed_and_holds_the_guard() {
    let repository = shop();
    let server = Server::start(move |request| match purpose(request) {
        "lens" => says(&json!({"findings": []})),
        "vet" => verdicts(request, &|label| verdict(label, "confirmed", "  for (const id of ids) {")),
        "cold read" => says(&json!({"doubts": []})),
        "request" => says(&understanding("plan", &json!([]))),
        _ => says(&draft(&body(), &json!([text_check("text-present", "findMany")]))),
    });
    for command in [&["perf", "--top", "1"] as &[&str], &["plan", "read the orders at once"]] {
        let output = run(repository.path(), &server, command);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let mut prompts: BTreeMap<&str, String> = BTreeMap::new();
    for request in server.asked().iter().map(|body| serde_json::from_str::<Value>(body).expect("a request is JSON")) {
        let system = match &request["system"] {
            Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect::<String>(),
            system => system.as_str().unwrap_or_default().to_owned(),
        };
        assert!(system.contains(GUARD.trim()), "{}: {system}", purpose(&request));
        prompts.insert(purpose(&request), system);
    }
    assert_eq!(prompts.keys().copied().collect::<Vec<_>>(), ["cold read", "lens", "request", "specify", "vet"]);
    let page: Vec<String> = prompts.iter().map(|(purpose, system)| format!("==== {purpose}\n{system}")).collect();
    insta::assert_snapshot!("prompts", page.join("\n\n"));
}

#[test]
fn who_changes_a_prompt_raises_the_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    // Of the guide, what a model is asked: the rest is the page.
    let is_asked = |name: &str| !name.starts_with("onboard/") || name.starts_with("onboard/prose");
    let mut texts: Vec<(String, Vec<u8>)> = ["planner", "model", "executor", "verifier", "edit", "onboard"]
        .into_iter()
        .flat_map(|folder| ignore::WalkBuilder::new(root.join(folder)).standard_filters(false).build().flatten())
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).expect("it is below").to_string_lossy().replace('\\', "/");
            (name, std::fs::read(entry.path()).expect("it can be read"))
        })
        .filter(|(name, _)| is_asked(name))
        .collect();
    texts.sort();
    let mut sum = Sha256::new();
    for (name, text) in &texts {
        sum.update(name.as_bytes());
        sum.update(text);
    }
    let sum: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    insta::assert_snapshot!("prompts-version", format!("version {} is {sum}", prompts_version()));
}
