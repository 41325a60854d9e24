//! A reply: what a model answered, the same for every wire, with the wire's own blocks beside it.

use serde_json::Value;

use super::money::NanoDollars;
use super::usage::Usage;

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer as the wire gave it, to be sent back unchanged.
    pub raw: Value,
    /// Its text.
    pub text: String,
    /// The tools it wants called, in order.
    pub calls: Vec<ToolCall>,
    /// Why it ended.
    pub stop: Stop,
    /// What it took; `None` where the server did not say.
    pub usage: Option<Usage>,
    /// What it cost by the word of an agent; servers name no sum, tables do.
    pub cost: Option<NanoDollars>,
    /// The model that answered, by the server's word.
    pub model: Option<String>,
    /// The server's id of the answer.
    pub id: Option<String>,
}

/// A tool the model wants called.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Names the call in its result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What it is called with.
    pub input: ToolInput,
}

/// What a tool is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolInput {
    /// JSON.
    Json(Value),
    /// Text that is no JSON: cut short, or made up. Never to be acted upon.
    Unreadable(String),
}

impl ToolInput {
    /// Reads the text of an input; no text at all is the empty object.
    pub(super) fn read(text: &str) -> ToolInput {
        if text.trim().is_empty() {
            return ToolInput::Json(Value::Object(serde_json::Map::new()));
        }
        match serde_json::from_str(text) {
            Ok(value) => ToolInput::Json(value),
            Err(_) => ToolInput::Unreadable(text.to_owned()),
        }
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It was said.
    End,
    /// Tools are to be called.
    ToolCalls,
    /// It reached the limit of its length.
    Length,
    /// The model, or a filter around it, would not; with the category where one was named.
    Refused(Option<String>),
    /// The server wants the answer sent back to go on.
    Paused,
    /// Prompt and answer do not fit the model together.
    ContextFull,
    /// A reason this program does not know.
    Other(String),
}

impl Stop {
    /// One word for the ledger.
    pub fn label(&self) -> &str {
        match self {
            Stop::End => "end",
            Stop::ToolCalls => "tool_calls",
            Stop::Length => "length",
            Stop::Refused(_) => "refused",
            Stop::Paused => "paused",
            Stop::ContextFull => "context_full",
            Stop::Other(word) => word,
        }
    }
}
