//! Answers of a type: the model may call tools on the way, and what it says at the end is read into the type or sent back once.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::conversation::{Conversation, Part};
use super::error::{ModelError, ReplyFault};
use super::reply::{Reply, Stop, ToolCall, ToolInput};
use super::schema::{recased, strict};
use super::session::{Question, Session};
use super::{Role, roles::Bound};

/// Whom to ask, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    /// As what.
    pub role: Role,
    /// Whom.
    pub bound: &'a Bound,
    /// For what, in a word or two.
    pub what: &'a str,
    /// The plan it is about.
    pub plan: Option<&'a str>,
    /// Tokens of each answer, at most.
    pub max_output: u64,
    /// Rounds of tool calls, at most.
    pub rounds: u32,
}

/// Runs the tools that a conversation offers.
pub trait Toolbox {
    /// What a call gives, or why it gives nothing; both are told to the model.
    fn call(&mut self, name: &str, input: &Value) -> Result<String, String>;
}

/// No tools.
pub struct NoTools;

impl Toolbox for NoTools {
    fn call(&mut self, name: &str, _input: &Value) -> Result<String, String> {
        Err(format!("there is no tool `{name}`"))
    }
}

/// Rounds of tool calls by batch, at most: each may take an hour.
const ROUNDS_BY_BATCH: u32 = 4;

/// Calls of tools that are not there, or with an input that is no JSON, in a row: beyond this the model is lost.
const LOST_AFTER: u32 = 3;

impl Session<'_> {
    /// Asks until there is an answer of type `T`. `conversation` ends with what the model is told, and grows.
    pub fn answer<T: DeserializeOwned>(
        &self,
        purpose: &Purpose<'_>,
        conversation: &mut Conversation,
        tools: &mut dyn Toolbox,
    ) -> Result<T, ModelError> {
        let unusable = |fault| ModelError::Unusable { model: purpose.bound.name(), fault };
        let mut rounds = 0;
        let mut lost = 0;
        let mut sent_back = false;
        let allowed = if self.batcher_for(purpose.bound).is_some() {
            purpose.rounds.min(ROUNDS_BY_BATCH)
        } else {
            purpose.rounds
        };
        if allowed < purpose.rounds && !conversation.opening().tools.is_empty() {
            let told = include_str!("../../templates/model/by_batch.md").replace("{{ rounds }}", &allowed.to_string());
            conversation.add(Part::Text(told.trim().to_owned()));
        }
        loop {
            let reply = self.ask(&Question {
                role: purpose.role,
                bound: purpose.bound,
                conversation,
                max_output: purpose.max_output,
                purpose: purpose.what,
                plan: purpose.plan,
            })?;
            match &reply.stop {
                Stop::Length => return Err(unusable(ReplyFault::Length(purpose.max_output))),
                Stop::Refused(category) => return Err(unusable(ReplyFault::Refused(category.clone()))),
                Stop::ContextFull => return Err(unusable(ReplyFault::ContextFull)),
                Stop::Paused => {
                    rounds += 1;
                    if rounds > allowed + 1 {
                        return Err(unusable(ReplyFault::Endless(rounds)));
                    }
                    conversation.keep(&reply);
                    continue;
                }
                Stop::End | Stop::ToolCalls | Stop::Other(_) => {}
            }
            conversation.keep(&reply);
            if reply.calls.is_empty() {
                match read(conversation, &reply) {
                    Ok(answer) => return Ok(answer),
                    Err(why) if sent_back => return Err(unusable(ReplyFault::Form(why))),
                    Err(why) => {
                        sent_back = true;
                        let told = include_str!("../../templates/model/form_again.md").replace("{{ why }}", &why);
                        conversation.tell([Part::Text(told.trim().to_owned())]);
                        continue;
                    }
                }
            }
            rounds += 1;
            let over = rounds > allowed;
            if rounds > allowed + 1 {
                return Err(unusable(ReplyFault::Endless(rounds)));
            }
            let offered: Vec<String> = conversation.opening().tools.iter().map(|tool| tool.name.clone()).collect();
            let results: Vec<(bool, Part)> =
                reply.calls.iter().map(|call| if over { spent(call) } else { run(call, &offered, tools) }).collect();
            lost = if !over && results.iter().all(|(strayed, _)| *strayed) { lost + 1 } else { 0 };
            if lost >= LOST_AFTER {
                return Err(unusable(ReplyFault::Endless(rounds)));
            }
            conversation.tell(results.into_iter().map(|(_, part)| part));
        }
    }
}

/// Runs one call; says too whether it could not even be run.
fn run(call: &ToolCall, offered: &[String], tools: &mut dyn Toolbox) -> (bool, Part) {
    let (strayed, given) = match &call.input {
        _ if !offered.contains(&call.name) => {
            (true, Err(format!("there is no tool `{}`; there are: {}", call.name, offered.join(", "))))
        }
        ToolInput::Unreadable(_) => (true, Err("the input is no JSON object".to_owned())),
        ToolInput::Json(input) => (false, tools.call(&call.name, input)),
    };
    let failed = given.is_err();
    let content = given.unwrap_or_else(|why| why);
    (strayed, Part::ToolResult { id: call.id.clone(), name: call.name.clone(), content, failed })
}

fn spent(call: &ToolCall) -> (bool, Part) {
    let content = "no more calls: give your final answer now, from what you have read".to_owned();
    (false, Part::ToolResult { id: call.id.clone(), name: call.name.clone(), content, failed: true })
}

/// Reads the answer, or says what is wrong with it and where.
fn read<T: DeserializeOwned>(conversation: &Conversation, reply: &Reply) -> Result<T, String> {
    let text = without_fence(&reply.text);
    let mut value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    if let Some(output) = &conversation.opening().output {
        recased(&output.schema, &mut value);
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => error.into_inner().to_string(),
            _ => format!("at `{path}`: {}", error.into_inner()),
        }
    })
}

/// The object inside a code fence or between sentences, where a server does not hold a model to its schema.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with('{') {
        return text;
    }
    match (text.find('{'), text.rfind('}')) {
        (Some(start), Some(end)) if start < end => &text[start..=end],
        _ => text,
    }
}

/// Reads the input of a tool, or says what is wrong with it and what is wanted.
pub(crate) fn parsed<T: DeserializeOwned + JsonSchema>(input: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(input).map_err(|error| {
        let path = error.path().to_string();
        let schema = strict::<T>();
        let fields = schema.get("properties").and_then(Value::as_object);
        let fields: Vec<&str> = fields.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let at = if path == "." { String::new() } else { format!("at `{path}`: ") };
        format!("{at}{}; the input is an object with: {}", error.into_inner(), fields.join(", "))
    })
}
