//! Gemini CLI: messages in pieces, tools between them, and a `result` with the sums.

use serde_json::Value;

use super::{about, at, count, text};
use crate::model::agent_cli::event::AgentEvent;
use crate::model::usage::Usage;

pub(super) fn events(line: &Value) -> Vec<AgentEvent> {
    match line.get("type").and_then(Value::as_str) {
        Some("init") => {
            vec![AgentEvent::Started { model: text(line, &["model"]), id: text(line, &["session_id"]) }]
        }
        Some("message") if line.get("role").is_some_and(|role| role == "assistant") => {
            text(line, &["content"]).map(AgentEvent::Text).into_iter().collect()
        }
        Some("tool_use") => {
            let name = text(line, &["tool_name"]).unwrap_or_default();
            vec![AgentEvent::ToolUse { name, about: about(line.get("parameters")) }]
        }
        Some("error") => vec![error(text(line, &["message"]), false)],
        Some("result") => {
            let mut events = took(line);
            events.push(end(line));
            events
        }
        _ => Vec::new(),
    }
}

/// What each model took: it chooses one, and asks smaller ones on the way.
fn took(line: &Value) -> Vec<AgentEvent> {
    match at(line, &["stats", "models"]).and_then(Value::as_object) {
        Some(models) if !models.is_empty() => {
            models.iter().map(|(name, sums)| part(Some(name.clone()), sums)).collect()
        }
        _ => line.get("stats").map(|sums| part(None, sums)).into_iter().collect(),
    }
}

/// What is neither prompt nor answer is thinking, which is billed as the answer is.
fn part(model: Option<String>, sums: &Value) -> AgentEvent {
    let prompt = count(sums, &["input_tokens"]);
    let cache_read = count(sums, &["cached"]);
    let answer = count(sums, &["output_tokens"]);
    let usage = Usage {
        fresh: prompt.saturating_sub(cache_read),
        cache_read,
        output: count(sums, &["total_tokens"]).saturating_sub(prompt).max(answer),
        ..Usage::default()
    };
    AgentEvent::Usage { model, usage, cost: None }
}

fn end(line: &Value) -> AgentEvent {
    match line.get("status").and_then(Value::as_str) {
        Some("success") => AgentEvent::Result { text: None },
        _ => error(text(line, &["error", "message"]), true),
    }
}

fn error(message: Option<String>, last: bool) -> AgentEvent {
    AgentEvent::Error { message: message.unwrap_or_else(|| "it gave no reason".to_owned()), status: None, last }
}
