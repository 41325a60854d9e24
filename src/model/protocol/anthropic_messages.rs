//! Anthropic Messages.
//!
//! Never a forced tool: models that always think refuse one, so an answer's form goes through `output_config`. Never a sampling
//! parameter: newer versions of the interface refuse them. Results of tools stand before any text of their turn.

use serde_json::{Map, Value, json};

use super::super::conversation::{Part, Turn};
use super::super::error::ReplyFault;
use super::super::provider::Schemas;
use super::super::reply::{Reply, Stop, ToolCall, ToolInput};
use super::super::usage::Usage;
use super::{Assembler, Protocol, Request, count, event_json, owned, refuse_error_body, schema_in_words, text_of};

/// The wire.
pub struct AnthropicMessages;

/// Marks of a request that say where a prefix worth caching ends: the vendor takes four, and two are the system's and the tail's.
const SHARED_MARKS: usize = 2;

impl Protocol for AnthropicMessages {
    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn models_path(&self) -> &'static str {
        "/v1/models?limit=1000"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn encode(&self, request: &Request<'_>) -> Value {
        let opening = request.conversation.opening();
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(request.model));
        body.insert("max_tokens".to_owned(), json!(request.max_output));
        let mut system = opening.system.clone();
        let mut output_config = Map::new();
        if let Some(output) = &opening.output {
            match request.provider.schemas {
                Schemas::Strict => {
                    output_config.insert("format".to_owned(), json!({"type": "json_schema", "schema": output.schema}));
                }
                Schemas::Object | Schemas::Prompt => {
                    system = format!("{system}\n\n{}", schema_in_words(&output.schema)).trim().to_owned();
                }
            }
        }
        if let Some(reasoning) = request.reasoning {
            output_config.insert("effort".to_owned(), json!(reasoning.label()));
        }
        if !opening.tools.is_empty() {
            let tools = opening.tools.iter().map(|tool| {
                let mut said = json!({"name": tool.name, "description": tool.description, "input_schema": tool.input});
                if request.provider.strict_tools {
                    said["strict"] = json!(true);
                }
                said
            });
            body.insert("tools".to_owned(), tools.collect());
        }
        if !system.is_empty() {
            body.insert(
                "system".to_owned(),
                json!([{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]),
            );
        }
        body.insert("messages".to_owned(), messages(request));
        if !output_config.is_empty() {
            body.insert("output_config".to_owned(), Value::Object(output_config));
        }
        if !opening.tools.is_empty() {
            // Marks the end of a conversation that grows by its tools.
            body.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
        }
        if request.stream {
            body.insert("stream".to_owned(), json!(true));
        }
        Value::Object(body)
    }

    fn decode(&self, body: &Value) -> Result<Reply, ReplyFault> {
        refuse_error_body(body)?;
        let Some(content) = body.get("content").and_then(Value::as_array) else {
            return Err(ReplyFault::Malformed("it has no `content`".to_owned()));
        };
        let mut text = String::new();
        let mut calls = Vec::new();
        for block in content {
            match text_of(block, "type") {
                Some("text") => text.push_str(text_of(block, "text").unwrap_or_default()),
                Some("tool_use") => calls.push(ToolCall {
                    id: owned(block, "id").unwrap_or_default(),
                    name: owned(block, "name").unwrap_or_default(),
                    input: match block.get("input") {
                        Some(Value::String(text)) => ToolInput::read(text),
                        Some(value) => ToolInput::Json(value.clone()),
                        None => ToolInput::Json(json!({})),
                    },
                }),
                // Thinking, and what later versions add: kept in `raw` and sent back.
                Some(_) | None => {}
            }
        }
        let stop = match text_of(body, "stop_reason") {
            Some("end_turn" | "stop_sequence") | None => Stop::End,
            Some("tool_use") => Stop::ToolCalls,
            Some("max_tokens") => Stop::Length,
            Some("pause_turn") => Stop::Paused,
            Some("model_context_window_exceeded") => Stop::ContextFull,
            Some("refusal") => Stop::Refused(body.get("stop_details").and_then(|details| owned(details, "category"))),
            Some(other) => Stop::Other(other.to_owned()),
        };
        let usage = body.get("usage").filter(|usage| usage.is_object()).map(usage);
        let raw = Value::Array(content.clone());
        Ok(Reply { raw, text, calls, stop, usage, cost: None, model: owned(body, "model"), id: owned(body, "id") })
    }

    fn assembler(&self) -> Box<dyn Assembler> {
        Box::new(MessageStream::default())
    }
}

fn messages(request: &Request<'_>) -> Value {
    let turns = request.conversation.turns();
    let shared = turns.iter().flat_map(|turn| match turn {
        Turn::Told(parts) => parts.as_slice(),
        Turn::Answered(_) => &[],
    });
    let mut unmarked = shared.filter(|part| matches!(part, Part::Shared(_))).count().saturating_sub(SHARED_MARKS);
    let mut messages = Vec::new();
    for turn in turns {
        match turn {
            Turn::Answered(raw) => messages.push(json!({"role": "assistant", "content": raw})),
            Turn::Told(parts) => {
                let mut results = Vec::new();
                let mut texts = Vec::new();
                for part in parts {
                    match part {
                        Part::ToolResult { id, name: _, content, failed } => {
                            let mut block = json!({"type": "tool_result", "tool_use_id": id, "content": content});
                            if *failed {
                                block["is_error"] = json!(true);
                            }
                            results.push(block);
                        }
                        // Empty blocks are refused.
                        Part::Text(text) | Part::Shared(text) if text.is_empty() => {}
                        Part::Text(text) => texts.push(json!({"type": "text", "text": text})),
                        Part::Shared(text) => {
                            let mut block = json!({"type": "text", "text": text});
                            if unmarked == 0 {
                                block["cache_control"] = json!({"type": "ephemeral"});
                            } else {
                                unmarked -= 1;
                            }
                            texts.push(block);
                        }
                    }
                }
                results.append(&mut texts);
                messages.push(json!({"role": "user", "content": results}));
            }
        }
    }
    Value::Array(messages)
}

/// `input_tokens` is only what no cache had to do with.
fn usage(usage: &Value) -> Usage {
    let written = count(usage, &["cache_creation_input_tokens"]);
    let write_1h = count(usage, &["cache_creation", "ephemeral_1h_input_tokens"]);
    Usage {
        fresh: count(usage, &["input_tokens"]),
        write_5m: written.saturating_sub(write_1h).max(count(usage, &["cache_creation", "ephemeral_5m_input_tokens"])),
        write_1h,
        cache_read: count(usage, &["cache_read_input_tokens"]),
        output: count(usage, &["output_tokens"]),
    }
}

/// A message that comes in pieces.
#[derive(Default)]
struct MessageStream {
    message: Map<String, Value>,
    blocks: Vec<Block>,
    complete: bool,
}

struct Block {
    index: u64,
    value: Value,
    /// The input of a tool, as far as it came.
    input: String,
}

impl Assembler for MessageStream {
    fn event(&mut self, name: &str, data: &str) -> Result<(), ReplyFault> {
        let event = event_json(data)?;
        match text_of(&event, "type").unwrap_or(name) {
            "message_start" => {
                if let Some(Value::Object(message)) = event.get("message") {
                    self.message = message.clone();
                }
            }
            "content_block_start" => {
                let value = event.get("content_block").cloned().unwrap_or_else(|| json!({}));
                self.blocks.push(Block { index: count(&event, &["index"]), value, input: String::new() });
            }
            "content_block_delta" => {
                let index = count(&event, &["index"]);
                let delta = event.get("delta").cloned().unwrap_or(Value::Null);
                if let Some(block) = self.blocks.iter_mut().find(|block| block.index == index) {
                    block.take(&delta);
                }
            }
            "message_delta" => self.take(&event),
            "message_stop" => self.complete = true,
            // Pings, ends of blocks, and what later versions add.
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn body(self: Box<Self>) -> Result<Value, ReplyFault> {
        let mut body = self.message;
        let blocks = self.blocks.into_iter().map(Block::whole).collect();
        body.insert("content".to_owned(), Value::Array(blocks));
        Ok(Value::Object(body))
    }
}

impl MessageStream {
    /// Takes why the message ended, and counts that grow as it goes on.
    fn take(&mut self, event: &Value) {
        for (name, value) in event.get("delta").and_then(Value::as_object).into_iter().flatten() {
            self.message.insert(name.clone(), value.clone());
        }
        let Some(counts) = event.get("usage").and_then(Value::as_object) else { return };
        let usage = self.message.entry("usage").or_insert_with(|| json!({}));
        for (name, value) in counts.iter().filter(|(_, value)| !value.is_null()) {
            usage[name] = value.clone();
        }
    }
}

impl Block {
    fn take(&mut self, delta: &Value) {
        match text_of(delta, "type") {
            Some("input_json_delta") => self.input.push_str(text_of(delta, "partial_json").unwrap_or_default()),
            Some("citations_delta") => {
                if let Some(citation) = delta.get("citation") {
                    match self.value.get_mut("citations").and_then(Value::as_array_mut) {
                        Some(citations) => citations.push(citation.clone()),
                        None => self.value["citations"] = json!([citation]),
                    }
                }
            }
            Some("text_delta") => self.append("text", delta),
            Some("thinking_delta") => self.append("thinking", delta),
            Some("signature_delta") => self.append("signature", delta),
            Some(_) | None => {}
        }
    }

    fn append(&mut self, field: &str, delta: &Value) {
        let more = text_of(delta, field).unwrap_or_default();
        match self.value.get_mut(field) {
            Some(Value::String(text)) => text.push_str(more),
            Some(_) | None => self.value[field] = json!(more),
        }
    }

    /// An input that was cut short stays text, which [`AnthropicMessages::decode`] will not take for JSON.
    fn whole(mut self) -> Value {
        if !self.input.is_empty() {
            self.value["input"] =
                serde_json::from_str(&self.input).unwrap_or_else(|_| Value::String(self.input.clone()));
        }
        self.value
    }
}
