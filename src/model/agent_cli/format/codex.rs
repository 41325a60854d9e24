//! Codex: a thread of turns of items. Errors are told on the way too, while it tries again.

use serde_json::Value;

use super::{about, count, text};
use crate::model::agent_cli::event::AgentEvent;
use crate::model::usage::Usage;

pub(super) fn events(line: &Value) -> Vec<AgentEvent> {
    match line.get("type").and_then(Value::as_str) {
        Some("thread.started") => vec![AgentEvent::Started { model: None, id: text(line, &["thread_id"]) }],
        Some("item.started") => line.get("item").and_then(tool).into_iter().collect(),
        Some("item.completed") => line.get("item").map(said).unwrap_or_default(),
        Some("turn.completed") => vec![took(line), AgentEvent::Result { text: None }],
        Some("turn.failed") => vec![error(text(line, &["error", "message"]), true)],
        Some("error") => vec![error(text(line, &["message"]), false)],
        _ => Vec::new(),
    }
}

fn said(item: &Value) -> Vec<AgentEvent> {
    match item.get("type").and_then(Value::as_str) {
        Some("agent_message") => {
            text(item, &["text"]).map(|text| vec![AgentEvent::Step, AgentEvent::Text(text)]).unwrap_or_default()
        }
        Some("error") => vec![error(text(item, &["message"]), false)],
        _ => Vec::new(),
    }
}

/// An item that is work rather than words.
fn tool(item: &Value) -> Option<AgentEvent> {
    match item.get("type")?.as_str()? {
        "agent_message" | "reasoning" | "todo_list" | "error" => None,
        kind => Some(AgentEvent::ToolUse { name: kind.to_owned(), about: about(Some(item)) }),
    }
}

/// Its input counts what came from a cache and what went into one.
fn took(line: &Value) -> AgentEvent {
    let read = count(line, &["usage", "cached_input_tokens"]);
    let written = count(line, &["usage", "cache_write_input_tokens"]);
    let usage = Usage {
        fresh: count(line, &["usage", "input_tokens"]).saturating_sub(read).saturating_sub(written),
        write_5m: written,
        write_1h: 0,
        cache_read: read,
        output: count(line, &["usage", "output_tokens"]),
    };
    AgentEvent::Usage { model: None, usage, cost: None }
}

fn error(message: Option<String>, last: bool) -> AgentEvent {
    let message = message.unwrap_or_else(|| "it gave no reason".to_owned());
    AgentEvent::Error { status: named_status(&message), message, last }
}

/// Codex names the status of the server in words alone: `unexpected status 401 Unauthorized: …`.
fn named_status(message: &str) -> Option<u16> {
    let (_, rest) = message.split_once("unexpected status ")?;
    rest.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
}
