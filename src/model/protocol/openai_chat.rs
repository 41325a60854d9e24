//! OpenAI Chat Completions, as OpenAI and every compatible server speak it.
//!
//! Compatible servers leave out nearly every field, so nothing but the answer itself is required. What they add to a message or
//! a call goes back as it came: Gemini's and DeepSeek's reasoning lives there.

use serde_json::{Map, Value, json};

use super::super::conversation::{Part, Turn};
use super::super::error::ReplyFault;
use super::super::provider::{OutputLimit, Schemas, SystemRole};
use super::super::reply::{Reply, Stop, ToolCall, ToolInput};
use super::super::usage::Usage;
use super::{Assembler, Protocol, Request, count, event_json, owned, refuse_error_body, schema_in_words, text_of};

/// The wire.
pub struct OpenaiChat;

impl Protocol for OpenaiChat {
    fn path(&self) -> &'static str {
        "/chat/completions"
    }

    fn models_path(&self) -> &'static str {
        "/models"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn encode(&self, request: &Request<'_>) -> Value {
        let provider = request.provider;
        let opening = request.conversation.opening();
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(request.model));
        let mut system = opening.system.clone();
        if let Some(output) = &opening.output {
            match provider.schemas {
                Schemas::Strict => {
                    let schema = json!({"name": output.name, "schema": output.schema, "strict": true});
                    body.insert("response_format".to_owned(), json!({"type": "json_schema", "json_schema": schema}));
                }
                Schemas::Object => {
                    system = format!("{system}\n\n{}", schema_in_words(&output.schema)).trim().to_owned();
                    body.insert("response_format".to_owned(), json!({"type": "json_object"}));
                }
                Schemas::Prompt => {
                    system = format!("{system}\n\n{}", schema_in_words(&output.schema)).trim().to_owned();
                }
            }
        }
        body.insert("messages".to_owned(), messages(request, &system));
        if !opening.tools.is_empty() {
            let tools = opening.tools.iter().map(|tool| {
                let mut function =
                    json!({"name": tool.name, "description": tool.description, "parameters": tool.input});
                if provider.strict_tools {
                    function["strict"] = json!(true);
                }
                json!({"type": "function", "function": function})
            });
            body.insert("tools".to_owned(), tools.collect());
        }
        let limit = match provider.output_limit {
            OutputLimit::MaxTokens => "max_tokens",
            OutputLimit::MaxCompletionTokens => "max_completion_tokens",
        };
        body.insert(limit.to_owned(), json!(request.max_output));
        if let Some(reasoning) = request.reasoning {
            body.insert("reasoning_effort".to_owned(), json!(reasoning.label()));
        }
        if provider.prompt_cache_key {
            body.insert("prompt_cache_key".to_owned(), json!(request.cache_key));
        }
        if request.stream {
            body.insert("stream".to_owned(), json!(true));
            if provider.stream_usage {
                body.insert("stream_options".to_owned(), json!({"include_usage": true}));
            }
        }
        Value::Object(body)
    }

    fn decode(&self, body: &Value) -> Result<Reply, ReplyFault> {
        refuse_error_body(body)?;
        let Some(choice) = body.get("choices").and_then(Value::as_array).and_then(|choices| choices.first()) else {
            return Err(ReplyFault::Malformed("it has no `choices`".to_owned()));
        };
        let Some(Value::Object(message)) = choice.get("message") else {
            return Err(ReplyFault::Malformed("its choice has no `message`".to_owned()));
        };
        let mut message = message.clone();
        message.entry("role").or_insert_with(|| json!("assistant"));
        // Fields that say nothing are left out of what goes back, but for the one that servers insist on.
        message.retain(|name, value| name == "content" || !value.is_null() && *value != json!([]));
        let raw = Value::Object(message);
        let calls: Vec<ToolCall> = raw
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|call| {
                let function = call.get("function").unwrap_or(&Value::Null);
                ToolCall {
                    id: owned(call, "id").unwrap_or_default(),
                    name: owned(function, "name").unwrap_or_default(),
                    input: match function.get("arguments") {
                        Some(Value::String(text)) => ToolInput::read(text),
                        Some(value) => ToolInput::Json(value.clone()),
                        None => ToolInput::Json(json!({})),
                    },
                }
            })
            .collect();
        let stop = match text_of(choice, "finish_reason") {
            _ if text_of(&raw, "refusal").is_some_and(|said| !said.is_empty()) => Stop::Refused(None),
            Some("length") => Stop::Length,
            Some("content_filter") => Stop::Refused(Some("content_filter".to_owned())),
            _ if !calls.is_empty() => Stop::ToolCalls,
            Some("stop" | "tool_calls" | "eos") | None => Stop::End,
            Some(other) => Stop::Other(other.to_owned()),
        };
        let text = match raw.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => parts.iter().filter_map(|part| text_of(part, "text")).collect(),
            Some(_) | None => String::new(),
        };
        let usage = body.get("usage").filter(|usage| usage.is_object()).map(usage);
        Ok(Reply { raw, text, calls, stop, usage, cost: None, model: owned(body, "model"), id: owned(body, "id") })
    }

    fn assembler(&self) -> Box<dyn Assembler> {
        Box::new(CompletionStream::default())
    }
}

fn messages(request: &Request<'_>, system: &str) -> Value {
    let mut messages = Vec::new();
    if !system.is_empty() {
        let role = match request.provider.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        messages.push(json!({"role": role, "content": system}));
    }
    for turn in request.conversation.turns() {
        match turn {
            Turn::Answered(raw) => messages.push(raw.clone()),
            Turn::Told(parts) => {
                let mut texts: Vec<&str> = Vec::new();
                for part in parts {
                    match part {
                        Part::ToolResult { id, name: _, content, failed: _ } => {
                            messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
                        }
                        Part::Text(text) | Part::Shared(text) if text.is_empty() => {}
                        Part::Text(text) | Part::Shared(text) => texts.push(text),
                    }
                }
                // One string: servers that know no parts are many.
                if !texts.is_empty() {
                    messages.push(json!({"role": "user", "content": texts.join("\n\n")}));
                }
            }
        }
    }
    Value::Array(messages)
}

/// The prompt is counted with its cached part. DeepSeek has a field of its own for that.
fn usage(usage: &Value) -> Usage {
    let cache_read =
        count(usage, &["prompt_tokens_details", "cached_tokens"]).max(count(usage, &["prompt_cache_hit_tokens"]));
    let written = count(usage, &["prompt_tokens_details", "cache_write_tokens"]);
    Usage {
        fresh: count(usage, &["prompt_tokens"]).saturating_sub(cache_read + written),
        write_5m: written,
        write_1h: 0,
        cache_read,
        output: count(usage, &["completion_tokens"]),
    }
}

/// A completion that comes in pieces.
#[derive(Default)]
struct CompletionStream {
    head: Map<String, Value>,
    message: Map<String, Value>,
    calls: Vec<Call>,
    finish_reason: Value,
    done: bool,
}

struct Call {
    index: Option<u64>,
    value: Value,
    arguments: String,
}

impl Assembler for CompletionStream {
    fn event(&mut self, _name: &str, data: &str) -> Result<(), ReplyFault> {
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let event = event_json(data)?;
        for field in ["id", "model", "usage"] {
            if let Some(value) = event.get(field).filter(|value| !value.is_null()) {
                self.head.insert(field.to_owned(), value.clone());
            }
        }
        let Some(choice) = event.get("choices").and_then(Value::as_array).and_then(|choices| choices.first()) else {
            return Ok(());
        };
        for (name, value) in choice.get("delta").and_then(Value::as_object).into_iter().flatten() {
            match (name.as_str(), value) {
                ("tool_calls", Value::Array(calls)) => calls.iter().for_each(|call| self.take_call(call)),
                (_, Value::Null) => {}
                ("role", _) => {
                    self.message.insert(name.clone(), value.clone());
                }
                (_, Value::String(more)) => match self.message.get_mut(name) {
                    Some(Value::String(text)) => text.push_str(more),
                    Some(_) | None => {
                        self.message.insert(name.clone(), value.clone());
                    }
                },
                _ => {
                    self.message.insert(name.clone(), value.clone());
                }
            }
        }
        if let Some(reason) = choice.get("finish_reason").filter(|reason| !reason.is_null()) {
            self.finish_reason = reason.clone();
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.done || !self.finish_reason.is_null()
    }

    fn body(self: Box<Self>) -> Result<Value, ReplyFault> {
        let mut message = self.message;
        message.entry("content").or_insert(Value::Null);
        if !self.calls.is_empty() {
            let calls = self.calls.into_iter().map(|mut call| {
                call.value["function"]["arguments"] = Value::String(call.arguments);
                call.value
            });
            message.insert("tool_calls".to_owned(), calls.collect());
        }
        let mut body = self.head;
        body.insert(
            "choices".to_owned(),
            json!([{"index": 0, "message": message, "finish_reason": self.finish_reason}]),
        );
        Ok(Value::Object(body))
    }
}

impl CompletionStream {
    /// Takes a piece of a call: known by its index, or, where a server gives none, by its id.
    fn take_call(&mut self, piece: &Value) {
        let index = piece.get("index").and_then(Value::as_u64);
        let id = text_of(piece, "id").filter(|id| !id.is_empty());
        let known = match (index, id) {
            (Some(_), _) => self.calls.iter().position(|call| call.index == index),
            (None, Some(id)) => self.calls.iter().position(|call| text_of(&call.value, "id") == Some(id)),
            (None, None) => self.calls.len().checked_sub(1),
        };
        let at = known.unwrap_or_else(|| {
            self.calls.push(Call {
                index,
                value: json!({"type": "function", "function": {}}),
                arguments: String::new(),
            });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        for (name, value) in piece.as_object().into_iter().flatten() {
            match name.as_str() {
                "index" | "function" => {}
                _ if value.is_null() || *value == json!("") => {}
                _ => call.value[name] = value.clone(),
            }
        }
        for (name, value) in piece.get("function").and_then(Value::as_object).into_iter().flatten() {
            match (name.as_str(), value) {
                ("arguments", Value::String(more)) => call.arguments.push_str(more),
                // Some servers repeat the name in every piece: it is taken, never added to.
                _ if value.is_null() || *value == json!("") => {}
                _ => call.value["function"][name] = value.clone(),
            }
        }
    }
}
