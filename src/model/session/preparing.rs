//! A question in the words of whoever is asked, and what it may cost.

use serde_json::Value;

use super::{Question, Session, agent};
use crate::model::conversation::{Conversation, Part, Turn};
use crate::model::error::{ModelError, Refusal, RefusalKind};
use crate::model::money::NanoDollars;
use crate::model::protocol::{Protocol, Request};
use crate::model::provider::Located;
use crate::model::replies::Key;
use crate::model::reply::Reply;
use crate::model::roles::Via;
use crate::model::usage::Usage;

/// Answers longer than this come in pieces: a server that thinks for minutes in silence looks like one that is gone, and the
/// vendors' SDKs refuse to wait for long answers in one piece.
const STREAM_ABOVE: u64 = 4_000;

/// A question that was put into the words of whoever is asked.
pub(super) struct Prepared<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) way: Way<'a>,
    pub(super) key: Key,
    /// What is sent or run, to be shown.
    pub(super) body: Value,
    /// Bytes of the prompt.
    pub(super) size: u64,
    pub(super) max_output: u64,
    /// Tokens of the prompt, about.
    pub(super) prompt: u64,
}

/// How a question gets there.
pub(super) enum Way<'a> {
    Server(Sending<'a>),
    Agent(agent::Work<'a>),
}

/// A request over a wire.
pub(super) struct Sending<'a> {
    pub(super) wire: &'static dyn Protocol,
    pub(super) located: &'a Located,
    pub(super) url: String,
    pub(super) bytes: Vec<u8>,
}

impl Session<'_> {
    pub(super) fn prepare<'a>(&self, question: &'a Question<'a>) -> Result<Prepared<'a>, ModelError> {
        let bound = question.bound;
        let prepared = match &bound.via {
            Via::Server(located) => self.for_server(question, located)?,
            Via::Agent(agent) => Prepared::for_agent(question, agent, &self.agents.state()),
        };
        if let Some(entry) = &bound.entry
            && prepared.prompt > entry.context.saturating_add(entry.context / 5)
        {
            let message = format!("about {} tokens, and the model takes {}", prepared.prompt, entry.context);
            return Err(ModelError::Refused { model: bound.name(), refusal: too_large(message) });
        }
        Ok(prepared)
    }

    fn for_server<'a>(&self, question: &'a Question<'a>, located: &'a Located) -> Result<Prepared<'a>, ModelError> {
        let bound = question.bound;
        let provider = &located.provider;
        if !located.is_ready() {
            return Err(ModelError::NoKey {
                provider: provider.name.clone(),
                variables: provider.key_variables.clone(),
            });
        }
        let wire = provider.protocol.protocol();
        let max_output =
            bound.entry.as_ref().map_or(question.max_output, |entry| question.max_output.min(entry.max_output));
        let cache_key = prefix_key(question.conversation);
        let request = Request {
            provider,
            model: &bound.model,
            conversation: question.conversation,
            max_output,
            reasoning: bound.reasoning.filter(|_| bound.takes_reasoning()),
            cache_key: &cache_key,
            // A batch is answered in one piece.
            stream: max_output > STREAM_ABOVE && self.batcher_for(bound).is_none(),
        };
        let body = wire.encode(&request);
        let bytes = serde_json::to_vec(&body).expect("a body is JSON");
        let size = bytes.len() as u64;
        let url = format!("{}{}", located.base_url, wire.path());
        Ok(Prepared {
            question,
            key: Key::of(&url, &body),
            way: Way::Server(Sending { wire, located, url, bytes }),
            body,
            size,
            max_output,
            prompt: self.budget.estimate(&bound.name(), size),
        })
    }

    /// What a call may cost: every token of the prompt written to a cache, every token of the answer used.
    pub(super) fn at_most(&self, prepared: &Prepared<'_>) -> Result<Option<NanoDollars>, ModelError> {
        let bound = prepared.question.bound;
        // A budget that counts nothing is none, except on the user's own machine.
        if self.budget.limit().is_some() && !bound.is_counted() && !bound.is_local() {
            return Err(ModelError::Unpriced { model: bound.name() });
        }
        let price = match &prepared.way {
            Way::Agent(_) => return Ok(agent::about(bound, prepared.prompt, prepared.max_output)),
            Way::Server(_) => bound.price(),
        };
        let Some(price) = price else { return Ok(None) };
        let usage = Usage { write_5m: prepared.prompt, output: prepared.max_output, ..Usage::default() };
        Ok(Some(price.cost(&usage, self.service(bound))))
    }
}

impl Prepared<'_> {
    pub(super) fn read_kept(&self, body: &Value) -> Option<Reply> {
        match &self.way {
            Way::Server(sending) => sending.wire.decode(body).ok(),
            Way::Agent(_) => agent::read_kept(body),
        }
    }
}

/// Names what a conversation begins with, for servers that keep requests with one beginning together. The same in every run: it is
/// a part of the question that a kept reply answers.
fn prefix_key(conversation: &Conversation) -> String {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(conversation.opening().system.as_bytes());
    let told = conversation.turns().iter().filter_map(|turn| match turn {
        Turn::Told(parts) => Some(parts),
        Turn::Answered(_) => None,
    });
    for part in told.flatten() {
        if let Part::Shared(text) = part {
            hash.update(text.as_bytes());
        }
    }
    format!("improve-{:016x}", hash.digest())
}

fn too_large(message: String) -> Refusal {
    Refusal {
        kind: RefusalKind::TooLarge,
        status: 0,
        message,
        request_id: None,
        retry_after: None,
        should_retry: Some(false),
    }
}
