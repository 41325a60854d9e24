//! OpenAI Responses.
//!
//! Nothing is stored at the vendor: every item it gave goes back as it came, its encrypted reasoning included.

use serde_json::{Map, Value, json};

use super::super::conversation::{Part, Turn};
use super::super::error::ReplyFault;
use super::super::provider::Schemas;
use super::super::reply::{Reply, Stop, ToolCall, ToolInput};
use super::super::usage::Usage;
use super::{Assembler, Protocol, Request, count, event_json, owned, refusal, schema_in_words, text_of};

/// The wire.
pub struct OpenaiResponses;

/// The vendor refuses a smaller limit.
const SMALLEST_OUTPUT: u64 = 16;

impl Protocol for OpenaiResponses {
    fn path(&self) -> &'static str {
        "/responses"
    }

    fn models_path(&self) -> &'static str {
        "/models"
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn encode(&self, request: &Request<'_>) -> Value {
        let opening = request.conversation.opening();
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(request.model));
        let mut instructions = opening.system.clone();
        if let Some(output) = &opening.output {
            match request.provider.schemas {
                Schemas::Strict => {
                    let format =
                        json!({"type": "json_schema", "name": output.name, "schema": output.schema, "strict": true});
                    body.insert("text".to_owned(), json!({"format": format}));
                }
                Schemas::Object | Schemas::Prompt => {
                    instructions = format!("{instructions}\n\n{}", schema_in_words(&output.schema)).trim().to_owned();
                }
            }
        }
        if !instructions.is_empty() {
            body.insert("instructions".to_owned(), json!(instructions));
        }
        body.insert("input".to_owned(), input(request));
        if !opening.tools.is_empty() {
            let tools = opening.tools.iter().map(|tool| {
                json!({
                    "type": "function", "name": tool.name, "description": tool.description,
                    "parameters": tool.input, "strict": request.provider.strict_tools,
                })
            });
            body.insert("tools".to_owned(), tools.collect());
        }
        if let Some(reasoning) = request.reasoning {
            body.insert("reasoning".to_owned(), json!({"effort": reasoning.label()}));
        }
        body.insert("max_output_tokens".to_owned(), json!(request.max_output.max(SMALLEST_OUTPUT)));
        body.insert("store".to_owned(), json!(false));
        if request.provider.reasoning {
            body.insert("include".to_owned(), json!(["reasoning.encrypted_content"]));
        }
        if request.provider.prompt_cache_key {
            body.insert("prompt_cache_key".to_owned(), json!(request.cache_key));
        }
        if request.stream {
            body.insert("stream".to_owned(), json!(true));
        }
        Value::Object(body)
    }

    fn decode(&self, body: &Value) -> Result<Reply, ReplyFault> {
        if body.get("error").is_some_and(|error| !error.is_null()) || text_of(body, "status") == Some("failed") {
            return Err(ReplyFault::MidStream(refusal::of_body(body, 0)));
        }
        let Some(output) = body.get("output").and_then(Value::as_array) else {
            return Err(ReplyFault::Malformed("it has no `output`".to_owned()));
        };
        let mut text = String::new();
        let mut calls = Vec::new();
        let mut refused = false;
        for item in output {
            match text_of(item, "type") {
                Some("message") => {
                    for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
                        match text_of(part, "type") {
                            Some("refusal") => refused = true,
                            Some(_) | None => text.push_str(text_of(part, "text").unwrap_or_default()),
                        }
                    }
                }
                Some("function_call") => calls.push(ToolCall {
                    id: owned(item, "call_id").unwrap_or_default(),
                    name: owned(item, "name").unwrap_or_default(),
                    input: ToolInput::read(text_of(item, "arguments").unwrap_or_default()),
                }),
                Some(_) | None => {}
            }
        }
        let reason = body.get("incomplete_details").and_then(|details| text_of(details, "reason"));
        let stop = match (text_of(body, "status"), reason) {
            _ if refused => Stop::Refused(None),
            (Some("incomplete"), Some("max_output_tokens")) => Stop::Length,
            (Some("incomplete"), Some("content_filter")) => Stop::Refused(Some("content_filter".to_owned())),
            (Some("incomplete"), reason) => Stop::Other(reason.unwrap_or("incomplete").to_owned()),
            _ if !calls.is_empty() => Stop::ToolCalls,
            _ => Stop::End,
        };
        let usage = body.get("usage").filter(|usage| usage.is_object()).map(usage);
        let raw = Value::Array(output.clone());
        Ok(Reply { raw, text, calls, stop, usage, cost: None, model: owned(body, "model"), id: owned(body, "id") })
    }

    fn assembler(&self) -> Box<dyn Assembler> {
        Box::new(ResponseStream::default())
    }
}

fn input(request: &Request<'_>) -> Value {
    let mut items = Vec::new();
    for turn in request.conversation.turns() {
        match turn {
            Turn::Answered(Value::Array(output)) => items.extend(output.iter().cloned()),
            Turn::Answered(item) => items.push(item.clone()),
            Turn::Told(parts) => {
                let mut texts = Vec::new();
                for part in parts {
                    match part {
                        Part::ToolResult { id, name: _, content, failed: _ } => {
                            items.push(json!({"type": "function_call_output", "call_id": id, "output": content}));
                        }
                        Part::Text(text) | Part::Shared(text) if text.is_empty() => {}
                        Part::Text(text) | Part::Shared(text) => {
                            texts.push(json!({"type": "input_text", "text": text}));
                        }
                    }
                }
                if !texts.is_empty() {
                    items.push(json!({"type": "message", "role": "user", "content": texts}));
                }
            }
        }
    }
    Value::Array(items)
}

/// The prompt is counted with its cached part.
fn usage(usage: &Value) -> Usage {
    let cache_read = count(usage, &["input_tokens_details", "cached_tokens"]);
    let written = count(usage, &["input_tokens_details", "cache_write_tokens"]);
    Usage {
        fresh: count(usage, &["input_tokens"]).saturating_sub(cache_read + written),
        write_5m: written,
        write_1h: 0,
        cache_read,
        output: count(usage, &["output_tokens"]),
    }
}

/// A response that comes in pieces; its last event repeats it whole.
#[derive(Default)]
struct ResponseStream {
    response: Option<Value>,
    items: Vec<Value>,
}

impl Assembler for ResponseStream {
    fn event(&mut self, name: &str, data: &str) -> Result<(), ReplyFault> {
        // Some servers end as Chat Completions does.
        if data.trim() == "[DONE]" {
            return Ok(());
        }
        let event = event_json(data)?;
        match text_of(&event, "type").unwrap_or(name) {
            "response.output_item.done" => self.items.extend(event.get("item").cloned()),
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.response = event.get("response").cloned();
            }
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.response.is_some()
    }

    fn body(self: Box<Self>) -> Result<Value, ReplyFault> {
        let mut body = self.response.ok_or(ReplyFault::Cut)?;
        let output = body.get("output").and_then(Value::as_array);
        if output.is_none_or(Vec::is_empty) && !self.items.is_empty() {
            body["output"] = Value::Array(self.items);
        }
        Ok(body)
    }
}
