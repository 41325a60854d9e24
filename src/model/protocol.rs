//! Wire protocols: pure functions between a conversation and the bodies of requests and answers.
//!
//! A stream is put together into the body that the same server would have sent in one piece, and decoded like that.

use serde::Deserialize;
use serde_json::Value;

use super::Reasoning;
use super::conversation::Conversation;
use super::error::{Refusal, ReplyFault};
use super::provider::Provider;
use super::reply::Reply;

pub mod anthropic_messages;
pub mod openai_chat;
pub mod openai_responses;
pub mod refusal;

/// A wire protocol.
pub trait Protocol: Sync {
    /// Path of a call below the base URL.
    fn path(&self) -> &'static str;

    /// Path of the list of models.
    fn models_path(&self) -> &'static str;

    /// Headers of the wire beside the key.
    fn headers(&self) -> &'static [(&'static str, &'static str)];

    /// The body of a request.
    fn encode(&self, request: &Request<'_>) -> Value;

    /// Reads the body of an answer.
    fn decode(&self, body: &Value) -> Result<Reply, ReplyFault>;

    /// Puts a stream together.
    fn assembler(&self) -> Box<dyn Assembler>;
}

/// A question, ready to be put into the words of a wire.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The server and its quirks.
    pub provider: &'a Provider,
    /// The model's id there.
    pub model: &'a str,
    /// What was said so far, ending with what the model is told.
    pub conversation: &'a Conversation,
    /// Tokens of the answer, at most.
    pub max_output: u64,
    /// How hard to think; the model's default when left out.
    pub reasoning: Option<Reasoning>,
    /// Groups requests that share a prefix, for servers that want to be told.
    pub cache_key: &'a str,
    /// The answer is to come in pieces.
    pub stream: bool,
}

/// Puts the events of a stream together.
pub trait Assembler {
    /// Takes one event. `name` is empty where the wire names none.
    fn event(&mut self, name: &str, data: &str) -> Result<(), ReplyFault>;

    /// The closing event was seen.
    fn is_complete(&self) -> bool;

    /// The body that the server would have sent in one piece.
    fn body(self: Box<Self>) -> Result<Value, ReplyFault>;
}

/// The wires there are, as settings name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProtocolName {
    /// Anthropic Messages.
    AnthropicMessages,
    /// OpenAI Responses.
    OpenaiResponses,
    /// OpenAI Chat Completions, which every compatible server speaks.
    OpenaiChat,
}

impl ProtocolName {
    /// The wire.
    pub fn protocol(self) -> &'static dyn Protocol {
        match self {
            ProtocolName::AnthropicMessages => &anthropic_messages::AnthropicMessages,
            ProtocolName::OpenaiResponses => &openai_responses::OpenaiResponses,
            ProtocolName::OpenaiChat => &openai_chat::OpenaiChat,
        }
    }
}

/// Parses the data of an event; an error object in it ends the stream.
fn event_json(data: &str) -> Result<Value, ReplyFault> {
    let value: Value =
        serde_json::from_str(data).map_err(|error| ReplyFault::Malformed(format!("an event is no JSON: {error}")))?;
    match refusal::in_stream(&value) {
        Some(refusal) => Err(ReplyFault::MidStream(refusal)),
        None => Ok(value),
    }
}

/// An answer of 200 whose body is an error after all, as gateways send them.
fn refuse_error_body(body: &Value) -> Result<(), ReplyFault> {
    match body.get("error") {
        Some(error) if !error.is_null() => Err(ReplyFault::MidStream(refusal::of_body(body, 0))),
        _ => Ok(()),
    }
}

fn text_of<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn owned(value: &Value, field: &str) -> Option<String> {
    text_of(value, field).map(str::to_owned)
}

fn count(value: &Value, path: &[&str]) -> u64 {
    path.iter().try_fold(value, |value, field| value.get(field)).and_then(Value::as_u64).unwrap_or(0)
}

/// What a model is told where its server makes nothing of schemas.
pub(crate) fn schema_in_words(schema: &Value) -> String {
    let template = include_str!("../../templates/model/answer_in_json.md");
    template.replace("{{ schema }}", &serde_json::to_string_pretty(schema).expect("a schema is JSON")).trim().to_owned()
}

/// Reads what a server says when it says no.
pub fn refusal_of(status: u16, headers: &[(String, String)], body: &[u8], now: std::time::SystemTime) -> Refusal {
    refusal::of(status, headers, body, now)
}
