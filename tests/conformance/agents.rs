//! Agent CLIs as npm has them, against a model on loopback that looks around once and then answers in the form it is held to. Together
//! they take 650 MB, so CI leaves them out.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::models::Server;
use super::{ledger, program, shop};
use crate::common::{git, write};

/// The versions that the table of agents was tried with.
const PACKAGES: [&str; 2] = ["@anthropic-ai/claude-code@2.1.197", "@openai/codex@0.171.0"];

/// The folder with the programs, made once below the target folder.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agents");
    let run = |command: &mut Command| {
        let output = command.output().expect("Node.js and npm are there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    std::fs::create_dir_all(&folder).expect("the folder is ours");
    run(Command::new("npm").args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(&folder).args(PACKAGES));
    // npm runs no scripts of packages unless it is told to; this one puts the program in its place.
    run(Command::new("node").arg(folder.join("node_modules/@anthropic-ai/claude-code/install.cjs")));
    folder.join("node_modules/.bin")
}

fn events(events: &[(&str, Value)]) -> (u16, String) {
    let event = |(name, data): &(&str, Value)| {
        let mut data = data.clone();
        data["type"] = json!(name);
        format!("event: {name}\ndata: {data}\n\n")
    };
    (200, events.iter().map(event).collect())
}

/// An answer without findings, or without verdicts, as the schema says.
fn answer(schema: &Value) -> Value {
    let wanted = schema["properties"].as_object().and_then(|properties| properties.keys().next()).expect("an object");
    json!({wanted: []})
}

/// Anthropic's Messages, as Claude Code streams them.
fn messages(body: &Value) -> (u16, String) {
    let tools = body["tools"].as_array().cloned().unwrap_or_default();
    let form = tools.iter().find(|tool| tool["name"] == "StructuredOutput").map(|tool| &tool["input_schema"]);
    let call = |name: &str, input: Value| {
        (json!({"type": "tool_use", "id": format!("toolu_{name}"), "name": name, "input": {}}), input)
    };
    let looked = body["messages"].to_string().contains("toolu_Glob");
    let (block, input) = match form {
        // It asks for other things beside, such as a title.
        None => (json!({"type": "text", "text": "Well."}), Value::Null),
        Some(_) if !looked => call("Glob", json!({"pattern": "**/*.ts"})),
        Some(form) => call("StructuredOutput", answer(form)),
    };
    let stop = if input.is_null() { "end_turn" } else { "tool_use" };
    let usage = json!({"input_tokens": 100, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage});
    events(&[
        ("message_start", json!({"message": message})),
        ("content_block_start", json!({"index": 0, "content_block": block})),
        (
            "content_block_delta",
            json!({"index": 0, "delta": {"type": "input_json_delta", "partial_json": input.to_string()}}),
        ),
        ("content_block_stop", json!({"index": 0})),
        (
            "message_delta",
            json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 20}}),
        ),
        ("message_stop", json!({})),
    ])
}

/// OpenAI's Responses, as Codex streams them.
fn responses(body: &Value) -> (u16, String) {
    let looked = body["input"].to_string().contains("function_call_output");
    let item = if looked {
        let text = answer(&body["text"]["format"]["schema"]).to_string();
        json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]})
    } else {
        let arguments = json!({"cmd": "ls src"}).to_string();
        json!({"type": "function_call", "id": "f", "call_id": "call_1", "name": "exec_command", "arguments": arguments, "status": "completed"})
    };
    let usage = json!({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 120});
    events(&[
        ("response.created", json!({"response": {"id": "r"}})),
        ("response.output_item.done", json!({"output_index": 0, "item": item})),
        (
            "response.completed",
            json!({"response": {"id": "r", "status": "completed", "output": [item], "usage": usage}}),
        ),
    ])
}

/// A quick audit by an agent; gives what its model was asked.
fn audit(planner: &str, lead: impl Fn(&mut Command, &Server)) -> Vec<Value> {
    let server = Server::of_paths(|line, body| {
        let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        match line.split('?').next().unwrap_or_default() {
            "POST /v1/messages" => messages(&body),
            "POST /v1/responses" => responses(&body),
            _ => (200, json!({"data": [], "input_tokens": 100}).to_string()),
        }
    });
    let repository = shop();
    let path = std::env::join_paths(
        [installed()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut command = program(repository.path());
    command.args(["audit", "--effort", "quick", "--format", "json", "--planner", planner]);
    command.env("PATH", path.expect("no path has a colon"));
    lead(&mut command, &server);
    let output = command.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(0), "{planner}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = ledger(repository.path());
    let purposes: Vec<&str> = lines.iter().filter_map(|line| line["purpose"].as_str()).collect();
    assert_eq!(purposes, ["lens security", "lens bug", "vet"], "nothing had to be asked again: {lines:?}");
    for line in &lines {
        assert_eq!(line["outcome"], "end", "{line}");
        assert!(line["usage"]["output"].as_u64().is_some_and(|tokens| tokens >= 40), "two rounds each: {line}");
    }
    server.asked().iter().filter_map(|body| serde_json::from_str(body).ok()).collect()
}

/// The prompt has the schema in it, in our words.
fn is_told_in_words(body: &Value) -> bool {
    body.to_string().contains("additionalProperties\\\": false")
}

#[test]
#[ignore = "needs npm and a package registry, and takes 650 MB"]
fn agent_clis_read_answer_in_the_form_they_are_held_to_and_say_what_it_took() {
    let asked = audit("claude/claude-opus-4-5", |command, server| {
        command.env("ANTHROPIC_API_KEY", "hush-hush").env("ANTHROPIC_BASE_URL", &server.url);
    });
    assert!(asked.iter().any(|body| body["messages"].to_string().contains("src/orders.ts")), "its tools go on working");
    assert!(!asked.iter().any(is_told_in_words), "it is told of the schema by its own program");

    let home = tempfile::tempdir().expect("a temporary folder");
    let asked = audit("codex/gpt-6.1-sol", |command, server| {
        let provider = format!(
            "name = \"here\"\nbase_url = \"{}/v1\"\nenv_key = \"CODEX_API_KEY\"\nwire_api = \"responses\"\n",
            server.url
        );
        let settings = format!("model_provider = \"here\"\n\n[model_providers.here]\n{provider}");
        std::fs::write(home.path().join("config.toml"), settings).expect("the folder is ours");
        command.env("CODEX_API_KEY", "hush-hush").env("CODEX_HOME", home.path());
    });
    assert!(asked.iter().any(is_told_in_words), "this one tells its model nothing of the schema");
    let strict = |body: &Value| body["text"]["format"]["strict"] == true;
    assert!(asked.iter().filter(|body| body.get("input").is_some()).all(strict), "every round is held to it");
    assert!(asked.iter().any(|body| body["input"].to_string().contains("orders.ts")), "its tools go on working");
}

const PLAN: &str = "\
# Plan 001: Greet politely

## Status

- **Priority**: P2
- **Effort**: S
- **Risk**: LOW

## Scope

**In scope** (nothing else may change):

- `src/greet.js`

## Steps

### Step 1: Say hello in `greet`

Return `Hello, ` followed by the name.

**Verify**: `grep -c Hello src/greet.js` → contains \"1\"

## Done criteria

- [ ] `grep -c 'Hello, ' src/greet.js` → contains \"1\"

## STOP conditions

- `greet` is not there
";

/// Claude Code, which reads a file, writes it, and tries what it must not: a file of another folder.
fn edits(body: &Value, folder: &str, outside: &str) -> (u16, String) {
    let said = body["messages"].to_string();
    let offers = |tool: &str| body["tools"].as_array().is_some_and(|tools| tools.iter().any(|it| it["name"] == tool));
    let call = |name: &str, mark: &str, input: Value| {
        (json!({"type": "tool_use", "id": format!("toolu_{mark}"), "name": name, "input": {}}), input)
    };
    let file = format!("{folder}/src/greet.js");
    let (block, input) = if !offers("Edit") || said.contains("toolu_third") {
        (json!({"type": "text", "text": ""}), json!("Done."))
    } else if said.contains("toolu_second") {
        call("Write", "third", json!({"file_path": outside, "content": "escaped"}))
    } else if said.contains("toolu_first") {
        let edit = json!({"file_path": file, "old_string": "return name", "new_string": "return `Hello, ${name}`"});
        call("Edit", "second", edit)
    } else {
        call("Read", "first", json!({"file_path": file}))
    };
    assert!(!offers("Bash"), "it has no shell");
    let (stop, delta) = match &input {
        Value::String(text) => ("end_turn", json!({"type": "text_delta", "text": text})),
        input => ("tool_use", json!({"type": "input_json_delta", "partial_json": input.to_string()})),
    };
    let usage = json!({"input_tokens": 100, "output_tokens": 1});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage});
    events(&[
        ("message_start", json!({"message": message})),
        ("content_block_start", json!({"index": 0, "content_block": block})),
        ("content_block_delta", json!({"index": 0, "delta": delta})),
        ("content_block_stop", json!({"index": 0})),
        (
            "message_delta",
            json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 20}}),
        ),
        ("message_stop", json!({})),
    ])
}

/// Codex, which edits with a command, and tries to write beside the folder and into git.
fn commands(body: &Value, outside: &str) -> (u16, String) {
    let looked = body["input"].to_string().contains("function_call_output");
    let item = if looked {
        json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Done.", "annotations": []}]})
    } else {
        let edit = "sed -i 's/return name/return `Hello, ${name}`/' src/greet.js";
        let command = format!("{edit}; echo escaped > {outside}; git commit -qam mine; true");
        let arguments = json!({"cmd": command}).to_string();
        json!({"type": "function_call", "id": "f", "call_id": "call_1", "name": "exec_command", "arguments": arguments, "status": "completed"})
    };
    let usage = json!({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 120});
    events(&[
        ("response.created", json!({"response": {"id": "r"}})),
        ("response.output_item.done", json!({"output_index": 0, "item": item})),
        (
            "response.completed",
            json!({"response": {"id": "r", "status": "completed", "output": [item], "usage": usage}}),
        ),
    ])
}

/// Carries out a step by an agent; gives the receipt.
fn apply(executor: &str, lead: impl Fn(&mut Command, &Server)) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().canonicalize().expect("it is there");
    let repository = root.join("greeter");
    write(&repository, "src/greet.js", "export function greet(name) {\n  return name;\n}\n");
    write(&repository, "plans/001-greet-politely.md", PLAN);
    git(&repository, &["init", "-q", "-b", "main"]);
    git(&repository, &["add", "-f", "."]);
    git(&repository, &["commit", "-q", "-m", "first"]);
    let outside = root.join("escaped").to_string_lossy().into_owned();
    let there = outside.clone();
    let server = Server::of_paths(move |line, body| {
        let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        // The agent says where it is.
        let text = body.to_string();
        let place = text.find("/worktrees/001-greet-politely").map(|end| {
            let start = text[..end].rfind([' ', '"', '\n', '\\']).map_or(0, |at| at + 1);
            let start = text[start..end].find('/').map_or(start, |at| start + at);
            format!("{}/worktrees/001-greet-politely", &text[start..end])
        });
        match line.split('?').next().unwrap_or_default() {
            "POST /v1/messages" => edits(&body, &place.unwrap_or_default(), &there),
            "POST /v1/responses" => commands(&body, &there),
            _ => (200, json!({"data": [], "input_tokens": 100}).to_string()),
        }
    });
    let path = std::env::join_paths(
        [installed()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut command = program(&repository);
    command.args(["apply", "1", "--trust", "--format", "json", "--planner", "none", "--verifier", "none"]);
    command.args(["--executor", executor]);
    // What lies below a `.git` is not edited without being asked about.
    command.env("IMPROVE_CACHE_DIR", root.join("cache"));
    command.env("PATH", path.expect("no path has a colon"));
    lead(&mut command, &server);
    let output = command.output().expect("the program starts");
    let receipt: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{executor}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(receipt["outcome"], "verified", "{executor}: {receipt:#}");
    assert!(!Path::new(&outside).exists(), "{executor}: it wrote beside the worktree");
    receipt["steps"][0]["work"].clone()
}

#[test]
#[ignore = "needs npm and a package registry, and takes 650 MB"]
fn agent_clis_carry_out_a_step_and_write_nowhere_else() {
    let work = apply("claude/claude-opus-4-5", |command, server| {
        command.env("ANTHROPIC_API_KEY", "hush-hush").env("ANTHROPIC_BASE_URL", &server.url);
    });
    assert_eq!((&work["attempts"], &work["edits"], &work["calls"]), (&json!(1), &json!(1), &json!(3)), "{work}");
    assert!(work["nano_usd"].as_u64().is_some_and(|cost| cost > 0), "{work}");

    let home = tempfile::tempdir().expect("a temporary folder");
    let work = apply("codex/gpt-6.1-sol", |command, server| {
        let provider = format!(
            "name = \"here\"\nbase_url = \"{}/v1\"\nenv_key = \"CODEX_API_KEY\"\nwire_api = \"responses\"\n",
            server.url
        );
        let settings = format!("model_provider = \"here\"\n\n[model_providers.here]\n{provider}");
        std::fs::write(home.path().join("config.toml"), settings).expect("the folder is ours");
        command.env("CODEX_API_KEY", "hush-hush").env("CODEX_HOME", home.path());
    });
    assert_eq!((&work["attempts"], &work["edits"]), (&json!(1), &json!(1)), "{work}");
}
