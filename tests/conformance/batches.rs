//! What goes together over a batch endpoint.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::models::Server;
use super::routes::{ROUTES, answer};
use super::{audit, shop, validated};

/// What a batch endpoint was sent: `POST /path` and the body.
type Sent = Arc<Mutex<Vec<(String, String)>>>;

/// Anthropic's endpoint and OpenAI's. Every batch ends at once.
fn endpoint(protocol: &'static str) -> (Server, Sent) {
    let sent: Sent = Arc::default();
    let shared = sent.clone();
    let server = Server::of_paths(move |line, body| {
        let mut sent = shared.lock().expect("no thread panics");
        let (method, path) = line.split_once(' ').expect("a method and a path");
        if method == "POST" {
            sent.push((line.to_owned(), body.to_owned()));
            let id = sent.len();
            return (
                200,
                json!({"id": format!("b-{id}"), "processing_status": "in_progress", "status": "in_progress"})
                    .to_string(),
            );
        }
        let last = path.rsplit('/').nth(usize::from(path.ends_with("/results") || path.ends_with("/content")));
        let number: usize = last.and_then(|id| id.strip_prefix("b-")?.parse().ok()).expect("an id of ours");
        if path.ends_with("/results") {
            let batch: Value = serde_json::from_str(&sent[number - 1].1).expect("JSON");
            let result = |question: &Value| {
                let message = answer(protocol, &question["params"]).1;
                json!({"custom_id": question["custom_id"], "result": {"type": "succeeded", "message": message}})
            };
            let lines = batch["requests"]
                .as_array()
                .expect("questions")
                .iter()
                .map(|question| format!("{}\n", result(question)));
            return (200, lines.collect());
        }
        if path.ends_with("/content") {
            let result = |question: &Value| {
                let response =
                    json!({"status_code": 200, "request_id": "r", "body": answer(protocol, &question["body"]).1});
                json!({"id": "r", "custom_id": question["custom_id"], "response": response, "error": null})
            };
            let lines = form(&sent[number - 1].1).1.iter().map(|question| format!("{}\n", result(question))).collect();
            return (200, lines);
        }
        // The answers of a batch are in the file of its questions here.
        let file = serde_json::from_str::<Value>(&sent[number - 1].1).expect("JSON")["input_file_id"].clone();
        let status = json!({"id": format!("b-{number}"), "processing_status": "ended", "status": "completed", "output_file_id": file});
        (200, status.to_string())
    });
    (server, sent)
}

/// The fields of an upload, and the lines of its file.
fn form(body: &str) -> (Value, Vec<Value>) {
    let boundary = body.lines().next().expect("it begins with its boundary");
    let mut fields = json!({});
    let mut lines = Vec::new();
    for part in body.split(boundary).filter(|part| part.contains("\r\n\r\n")) {
        let (head, content) = part.split_once("\r\n\r\n").expect("a part has a head");
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a part has a name");
        if name == "file" {
            let questions = content.lines().filter(|line| !line.is_empty());
            lines = questions.map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        } else {
            fields[name] = json!(content.trim_end());
        }
    }
    (fields, lines)
}

#[test]
#[ignore = "needs Python 3 and a package registry"]
fn every_batch_is_one_that_the_vendors_own_types_accept() {
    let mut lines = String::new();
    for route in ROUTES.iter().filter(|route| !route.planner.starts_with("vllm/")) {
        let repository = shop();
        let (server, sent) = endpoint(route.protocol);
        audit(repository.path(), route, &server.url, &["--batch"]);
        let sent = sent.lock().expect("no thread panics");
        assert!(sent.len() >= 4, "{}: lenses and a judgement, each in two rounds: {}", route.planner, sent.len());
        for (line, body) in sent.iter() {
            let (protocol, body) = match line.as_str() {
                "POST /v1/messages/batches" => ("anthropic-batch", serde_json::from_str(body).expect("JSON")),
                "POST /v1/batches" => ("openai-batch", serde_json::from_str(body).expect("JSON")),
                "POST /v1/files" => {
                    let (fields, questions) = form(body);
                    ("openai-batch-file", json!({"fields": fields, "lines": questions}))
                }
                other => panic!("{other}: nothing else is asked"),
            };
            lines.push_str(&format!("{}\n", json!({"protocol": protocol, "body": body})));
        }
    }
    validated(&lines);
}
