//! What the program sends, held against the types of the vendors' own Python SDKs. Needs Python 3 and a package registry, so it runs
//! when asked: `cargo test --test conformance -- --ignored`.

mod common;
#[path = "common/models.rs"]
mod models;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use common::{git, write};
use models::Server;

/// A planner, the variables that lead it to a server, and the protocol it speaks.
struct Route {
    planner: &'static str,
    key: &'static str,
    base: &'static str,
    path: &'static str,
    protocol: &'static str,
}

const ROUTES: [Route; 3] = [
    Route {
        planner: "anthropic/claude-opus-5-5",
        key: "ANTHROPIC_API_KEY",
        base: "ANTHROPIC_BASE_URL",
        path: "",
        protocol: "anthropic-messages",
    },
    Route {
        planner: "openai/gpt-6.1-sol",
        key: "OPENAI_API_KEY",
        base: "OPENAI_BASE_URL",
        path: "/v1",
        protocol: "openai-responses",
    },
    Route {
        planner: "vllm/some-model",
        key: "VLLM_API_KEY",
        base: "VLLM_BASE_URL",
        path: "/v1",
        protocol: "openai-chat",
    },
];

/// Python with the SDKs in it, made once below the target folder.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let python = folder.join("bin/python");
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/requirements.txt");
    let run = |command: &mut Command| {
        let output = command.output().expect("Python 3 is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(requirements));
    python
}

/// The first answer of a conversation calls two tools, one of them wrongly; the next one is the answer.
fn answer(protocol: &str, request: &Value) -> (u16, Value) {
    let text = request.to_string();
    let is_first = !text.contains("call-1");
    let calls = [
        ("call-1", "read", json!({"path": "src/orders.ts", "start_line": null, "end_line": null})),
        ("call-2", "read", json!({"path": "nowhere.ts", "start_line": null, "end_line": null})),
    ];
    let is_lens = text.contains("\"findings\"") && !text.contains("\"verdicts\"");
    let said = if is_lens { json!({"findings": []}) } else { json!({"verdicts": []}) }.to_string();
    let body = match protocol {
        "anthropic-messages" => {
            let content: Vec<Value> = if is_first {
                calls
                    .iter()
                    .map(|(id, name, input)| json!({"type": "tool_use", "id": id, "name": name, "input": input}))
                    .collect()
            } else {
                vec![json!({"type": "text", "text": said})]
            };
            let stop = if is_first { "tool_use" } else { "end_turn" };
            json!({"id": "m", "model": "claude-opus-5-5", "content": content, "stop_reason": stop, "usage": {"input_tokens": 10, "output_tokens": 5}})
        }
        "openai-responses" => {
            let output: Vec<Value> = if is_first {
                calls.iter().map(|(id, name, input)| json!({"type": "function_call", "id": format!("fc-{id}"), "call_id": id, "name": name, "arguments": input.to_string(), "status": "completed"})).collect()
            } else {
                vec![
                    json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": said, "annotations": []}]}),
                ]
            };
            json!({"id": "r", "object": "response", "model": "gpt-6.1-sol", "status": "completed", "output": output, "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}})
        }
        _ => {
            let message = if is_first {
                let calls: Vec<Value> = calls.iter().map(|(id, name, input)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})).collect();
                json!({"role": "assistant", "content": null, "tool_calls": calls})
            } else {
                json!({"role": "assistant", "content": said})
            };
            let stop = if is_first { "tool_calls" } else { "stop" };
            json!({"id": "c", "object": "chat.completion", "model": "some-model", "choices": [{"index": 0, "message": message, "finish_reason": stop}], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
        }
    };
    (200, body)
}

fn asked_over(route: &Route) -> Vec<String> {
    let repository = tempfile::tempdir().expect("a temporary folder");
    let folder = repository.path();
    write(folder, "package.json", "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n");
    write(
        folder,
        "src/orders.ts",
        "import { PrismaClient } from '@prisma/client'\nconst prisma = new PrismaClient()\nexport async function list(ids: string[]) {\n  const orders = []\n  for (const id of ids) {\n    orders.push(await prisma.order.findUnique({ where: { id } }))\n  }\n  return orders\n}\n",
    );
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "-q", "-m", "first"]);
    let protocol = route.protocol;
    let server = Server::start(move |request| answer(protocol, request));
    let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
    for variable in ["IMPROVE_CACHE_DIR", "IMPROVE_STATE_DIR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    let output = command
        .args(["audit", "--planner", route.planner, "--effort", "quick", "--format", "json"])
        .current_dir(folder)
        .env("HOME", folder.join(".git/home"))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_STATE_HOME")
        .env(route.key, "hush-hush")
        .env(route.base, format!("{}{}", server.url, route.path))
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{}: {}", route.planner, String::from_utf8_lossy(&output.stderr));
    server.asked()
}

#[test]
#[ignore = "needs Python 3 and a package registry"]
fn every_request_is_one_that_the_vendors_own_types_accept() {
    let python = python();
    let mut lines = String::new();
    for route in &ROUTES {
        let asked = asked_over(route);
        assert!(asked.len() >= 6, "{}: two lenses and a judgement, each in two rounds: {}", route.planner, asked.len());
        for body in asked {
            let body: Value = serde_json::from_str(&body).expect("a request is JSON");
            lines.push_str(&format!("{}\n", json!({"protocol": route.protocol, "body": body})));
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/validate.py");
    let mut child =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
    child.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
