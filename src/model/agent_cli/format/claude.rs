//! Claude Code: `system`, `assistant` (a block a line), `user` (what tools gave), and a `result` with the sums.

use serde_json::Value;

use super::{about, at, count, dollars, status, text};
use crate::model::agent_cli::event::AgentEvent;
use crate::model::usage::Usage;

pub(super) fn events(line: &Value) -> Vec<AgentEvent> {
    match line.get("type").and_then(Value::as_str) {
        Some("system") => system(line),
        Some("assistant") => assistant(line),
        Some("result") => result(line),
        _ => Vec::new(),
    }
}

fn system(line: &Value) -> Vec<AgentEvent> {
    match line.get("subtype").and_then(Value::as_str) {
        Some("init") => {
            vec![AgentEvent::Started { model: text(line, &["model"]), id: text(line, &["session_id"]) }]
        }
        Some("api_retry") => {
            let message = text(line, &["error"]).unwrap_or_else(|| "the server said no".to_owned());
            vec![AgentEvent::Error { message, status: status(line, &["error_status"]), last: false }]
        }
        _ => Vec::new(),
    }
}

fn assistant(line: &Value) -> Vec<AgentEvent> {
    if let Some(error) = text(line, &["error"]) {
        // What follows is a `result` that repeats it in words, without the kind.
        let status = (error == "authentication_failed").then_some(401);
        let said = at(line, &["message", "content"]).and_then(Value::as_array).into_iter().flatten();
        let said = said.filter_map(|block| text(block, &["text"])).collect::<Vec<_>>().join(" ");
        return vec![AgentEvent::Error { message: if said.is_empty() { error } else { said }, status, last: false }];
    }
    let blocks = at(line, &["message", "content"]).and_then(Value::as_array);
    blocks.into_iter().flatten().filter_map(block).collect()
}

fn block(block: &Value) -> Option<AgentEvent> {
    match block.get("type")?.as_str()? {
        "text" => Some(AgentEvent::Text(text(block, &["text"])?)),
        "tool_use" => Some(AgentEvent::ToolUse { name: text(block, &["name"])?, about: about(block.get("input")) }),
        _ => None,
    }
}

fn result(line: &Value) -> Vec<AgentEvent> {
    let hour = count(line, &["usage", "cache_creation", "ephemeral_1h_input_tokens"]);
    let usage = Usage {
        fresh: count(line, &["usage", "input_tokens"]),
        write_5m: count(line, &["usage", "cache_creation_input_tokens"]).saturating_sub(hour),
        write_1h: hour,
        cache_read: count(line, &["usage", "cache_read_input_tokens"]),
        output: count(line, &["usage", "output_tokens"]),
    };
    let took = AgentEvent::Usage { model: None, usage, cost: dollars(line, &["total_cost_usd"]) };
    let kind = text(line, &["subtype"]).unwrap_or_default();
    let failed = line.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    let said = text(line, &["result"]);
    let end = if failed || kind != "success" {
        let status = status(line, &["api_error_status"]);
        AgentEvent::Error { message: said.filter(|said| !said.is_empty()).unwrap_or(kind), status, last: true }
    } else {
        AgentEvent::Result { text: said }
    };
    vec![took, end]
}
