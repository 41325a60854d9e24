//! opencode: steps of texts and tools, each step with what it took.

use serde_json::Value;

use super::{about, at, count, dollars, status, text};
use crate::model::agent_cli::event::AgentEvent;
use crate::model::usage::Usage;

pub(super) fn events(line: &Value) -> Vec<AgentEvent> {
    match line.get("type").and_then(Value::as_str) {
        Some("step_start") => {
            vec![AgentEvent::Started { model: None, id: text(line, &["sessionID"]) }, AgentEvent::Step]
        }
        Some("text") => text(line, &["part", "text"]).map(AgentEvent::Text).into_iter().collect(),
        Some("tool_use") => {
            let name = text(line, &["part", "tool"]).unwrap_or_default();
            vec![AgentEvent::ToolUse { name, about: about(at(line, &["part", "state", "input"])) }]
        }
        Some("step_finish") => finished(line),
        Some("error") => {
            let message = text(line, &["error", "data", "message"]).or_else(|| text(line, &["error", "name"]));
            let message = message.unwrap_or_else(|| "it gave no reason".to_owned());
            vec![AgentEvent::Error { message, status: status(line, &["error", "data", "statusCode"]), last: true }]
        }
        _ => Vec::new(),
    }
}

fn finished(line: &Value) -> Vec<AgentEvent> {
    let tokens = |path: &[&str]| count(line, &[&["part", "tokens"], path].concat());
    let usage = Usage {
        fresh: tokens(&["input"]),
        write_5m: tokens(&["cache", "write"]),
        write_1h: 0,
        cache_read: tokens(&["cache", "read"]),
        output: tokens(&["output"]).saturating_add(tokens(&["reasoning"])),
    };
    let mut events = vec![AgentEvent::Usage { model: None, usage, cost: dollars(line, &["part", "cost"]) }];
    // A step that ends for its tools is followed by another one.
    if at(line, &["part", "reason"]).is_some_and(|reason| reason != "tool-calls") {
        events.push(AgentEvent::Result { text: None });
    }
    events
}
