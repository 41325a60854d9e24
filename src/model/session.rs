//! A session: the one way to ask a model. Kept reply → money set aside → call → retries → books.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::agent_cli::Agents;
use super::batch::Batcher;
use super::budget::{Budget, Spent};
use super::catalogue;
use super::conversation::{Conversation, Part, Turn};
use super::error::{ModelError, Refusal, RefusalKind, ReplyFault};
use super::ledger::{Ledger, Line};
use super::money::NanoDollars;
use super::protocol::{Protocol, Request};
use super::provider::Located;
use super::replies::{Key, Replies};
use super::reply::{Reply, Stop};
use super::retry::RetryPolicy;
use super::roles::{Bound, Via};
use super::usage::Usage;
use super::{Role, prompts_version, protocol::refusal_of};
use crate::cancel::Cancel;
use crate::http::{Answer, Call, Hidden, Method, Transport, TransportFault};

mod agent;
mod batching;
mod clock;
mod events;
mod hearing;

pub use clock::{Clock, SystemClock};
pub use events::{Batched, Deaf, Event, Listener};
use hearing::{Hearing, read_body};

/// Answers longer than this come in pieces: a server that thinks for minutes in silence looks like one that is gone, and the
/// vendors' SDKs refuse to wait for long answers in one piece.
const STREAM_ABOVE: u64 = 4_000;

/// Asks models, keeps the books.
pub struct Session<'a> {
    /// What sends requests.
    pub transport: &'a dyn Transport,
    /// What runs agents.
    pub agents: &'a dyn Agents,
    /// Where calls are recorded.
    pub ledger: Ledger,
    /// Replies that were paid for.
    pub replies: Replies,
    /// What may be spent.
    pub budget: Budget,
    /// When to try again.
    pub policy: RetryPolicy,
    /// The time, and waiting.
    pub clock: &'a dyn Clock,
    /// Raised by ctrl-C.
    pub cancel: Cancel,
    /// Hears how calls go.
    pub listener: &'a dyn Listener,
    /// Names this run in the ledger.
    pub run: String,
    /// What came of calls so far.
    pub tally: Tally,
    /// Requests are shown and not sent.
    pub dry_run: bool,
    /// Questions may wait, and go together; otherwise each is asked at once.
    pub batcher: Option<Batcher>,
}

/// What came of a session's calls so far.
#[derive(Debug, Default)]
pub struct Tally {
    calls: AtomicU64,
    kept: AtomicU64,
    usage: Mutex<Usage>,
}

/// A session in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Calls that got an answer.
    pub calls: u64,
    /// Questions answered from kept replies.
    pub kept: u64,
    /// Their tokens.
    pub usage: Usage,
    /// Their cost.
    pub spent: Spent,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What the model is asked as.
    pub role: Role,
    /// The model.
    pub bound: &'a Bound,
    /// What was said so far.
    pub conversation: &'a Conversation,
    /// Tokens of the answer, at most; the model's own limit is kept too.
    pub max_output: u64,
    /// What it is for, in a word or two, for the ledger.
    pub purpose: &'a str,
    /// The plan it is about.
    pub plan: Option<&'a str>,
}

/// A question that was put into the words of whoever is asked.
struct Prepared<'a> {
    question: &'a Question<'a>,
    way: Way<'a>,
    key: Key,
    /// What is sent or run, to be shown.
    body: Value,
    /// Bytes of the prompt.
    size: u64,
    max_output: u64,
    /// Tokens of the prompt, about.
    prompt: u64,
}

/// How a question gets there.
enum Way<'a> {
    Server(Sending<'a>),
    Agent(agent::Work<'a>),
}

/// A request over a wire.
struct Sending<'a> {
    wire: &'static dyn Protocol,
    located: &'a Located,
    url: String,
    bytes: Vec<u8>,
}

/// What a try that failed may have cost.
struct Bill {
    /// Somebody may have worked for it.
    billed: bool,
    usage: Option<Usage>,
    cost: Option<NanoDollars>,
}

impl Bill {
    /// What a server says of a failure: nothing of tokens.
    fn unread(billed: bool) -> Bill {
        Bill { billed, usage: None, cost: None }
    }
}

/// One try that did not work.
enum Failed {
    /// For good.
    Final(ModelError),
    /// It may pass.
    Passing { error: ModelError, asked: Option<Duration> },
}

impl Session<'_> {
    /// Asks. The reply has text or calls; whether it ended as it should is the caller's to judge, except for what no caller can
    /// use: nothing at all, and a context that is full.
    pub fn ask(&self, question: &Question<'_>) -> Result<Reply, ModelError> {
        let prepared = self.prepare(question)?;
        if let Some(body) = self.replies.get(&prepared.key)
            && let Some(reply) = prepared.read_kept(&body)
        {
            self.tally.kept.fetch_add(1, Ordering::Relaxed);
            let event = Event::Answered { purpose: question.purpose, usage: reply.usage, cost: None, kept: true };
            self.listener.event(&event);
            return Ok(reply);
        }
        let at_most = self.at_most(&prepared)?;
        self.listener.event(&Event::Ready { question, body: &prepared.body, prompt: prepared.prompt, at_most });
        if self.dry_run {
            return Err(ModelError::DryRun);
        }
        let (reply, body) = match &self.batcher {
            Some(batcher) => self.ask_in_batch(batcher, &prepared, at_most)?,
            None => self.try_until_answered(&prepared, at_most)?,
        };
        // An answer that was cut or refused may come better next time.
        if matches!(reply.stop, Stop::End | Stop::ToolCalls) {
            self.replies.put(&prepared.key, &body);
        }
        Ok(reply)
    }

    /// What was spent and on what so far.
    pub fn summary(&self) -> Summary {
        Summary {
            calls: self.tally.calls.load(Ordering::Relaxed),
            kept: self.tally.kept.load(Ordering::Relaxed),
            usage: *self.tally.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
            spent: self.budget.spent(),
        }
    }

    fn prepare<'a>(&self, question: &'a Question<'a>) -> Result<Prepared<'a>, ModelError> {
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
            stream: max_output > STREAM_ABOVE && self.batcher.is_none(),
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
    fn at_most(&self, prepared: &Prepared<'_>) -> Result<Option<NanoDollars>, ModelError> {
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
        Ok(Some(price.cost(&usage, self.service())))
    }

    fn try_until_answered(
        &self,
        prepared: &Prepared<'_>,
        at_most: Option<NanoDollars>,
    ) -> Result<(Reply, Value), ModelError> {
        let started = self.clock.now();
        let mut attempt = 1;
        loop {
            if self.cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            let (error, asked) = match self.try_once(prepared, at_most, attempt) {
                Ok(done) => return Ok(done),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Passing { error, asked }) => (error, asked),
            };
            let wait = self.policy.wait(attempt, asked, chance(prepared.key.as_str(), attempt, self.clock.now()));
            let elapsed = self.clock.now().duration_since(started).unwrap_or_default();
            let too_long = wait > self.policy.longest_asked || elapsed + wait > self.policy.deadline;
            if attempt >= self.policy.attempts || too_long {
                return Err(exhausted(error, attempt));
            }
            let why = error.to_string();
            self.listener.event(&Event::Retrying { purpose: prepared.question.purpose, why: &why, wait });
            self.clock.wait(wait, &self.cancel);
            attempt += 1;
        }
    }

    fn try_once(
        &self,
        prepared: &Prepared<'_>,
        at_most: Option<NanoDollars>,
        attempt: u32,
    ) -> Result<(Reply, Value), Failed> {
        let question = prepared.question;
        let reservation = self.budget.reserve(at_most.unwrap_or_default()).map_err(Failed::Final)?;
        let ledger = self.ledger.open().map_err(Failed::Final)?;
        let began = self.clock.now();
        let outcome = match &prepared.way {
            Way::Server(sending) => self.send(prepared, sending),
            Way::Agent(work) => self.run_agent(prepared, work, at_most),
        };
        let ended = self.clock.now();
        let (usage, said, label, request_id, answered_by, billed) = match &outcome {
            Judged::Answered { reply, request_id, .. } => {
                let id = request_id.clone().or_else(|| reply.id.clone());
                (reply.usage, reply.cost, reply.stop.label().to_owned(), id, reply.model.clone(), true)
            }
            Judged::Failed { error, request_id, bill, .. } => {
                (bill.usage, bill.cost, label(error).to_owned(), request_id.clone(), None, bill.billed)
            }
        };
        let price = question.bound.price();
        let cost = match &prepared.way {
            Way::Server(_) => usage.and_then(|usage| price.as_ref().map(|price| price.cost(&usage, self.service()))),
            Way::Agent(_) => said,
        };
        let cost = if billed { cost } else { Some(NanoDollars::ZERO) };
        if let Some(usage) = usage {
            if let Way::Server(_) = prepared.way {
                self.budget.measured(&question.bound.name(), prepared.size, usage.prompt());
            }
            let mut sum = self.tally.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *sum = *sum + usage;
        }
        // What may have been billed and cannot be counted is booked in full: a cap that trusts luck is none.
        let booked = match (cost, billed) {
            (None, true) if at_most.is_some() => at_most,
            _ => cost,
        };
        reservation.settle(booked);
        let recorded = ledger.append(&Line {
            time: timestamp(ended),
            run: self.run.clone(),
            role: question.role,
            purpose: question.purpose.to_owned(),
            plan: question.plan.map(str::to_owned),
            prompts: prompts_version(),
            attempt,
            provider: question.bound.vendor().to_owned(),
            model: asked_model(question.bound),
            answered_by,
            usage,
            cost,
            price_as_of: catalogue::as_of().to_owned(),
            batch: false,
            request_id,
            outcome: label,
            milliseconds: millis(began, ended),
        });
        match outcome {
            Judged::Answered { reply, body, .. } => {
                self.tally.calls.fetch_add(1, Ordering::Relaxed);
                let event = Event::Answered { purpose: question.purpose, usage, cost, kept: false };
                self.listener.event(&event);
                // The answer is there and paid for: it goes out even where its record does not.
                if let Err(error) = recorded {
                    self.listener.event(&Event::Unrecorded { why: &error.to_string() });
                }
                Ok((*reply, body))
            }
            Judged::Failed { error, passes, asked, .. } => {
                recorded.map_err(Failed::Final)?;
                Err(if passes { Failed::Passing { error, asked } } else { Failed::Final(error) })
            }
        }
    }

    /// Sends a request once.
    fn send(&self, prepared: &Prepared<'_>, sending: &Sending<'_>) -> Judged {
        let mut hearing = Hearing::new(sending.wire.assembler());
        let headers = headers(sending.located, sending.wire);
        let call = Call { method: Method::Post, url: &sending.url, headers: &headers, body: Some(&sending.bytes) };
        let mut hear = |name: &str, data: &str| {
            hearing.hear(name, data);
            let characters = hearing.characters;
            self.listener.event(&Event::Heard { purpose: prepared.question.purpose, characters });
        };
        let sent = self.transport.send(&call, &mut hear, &self.cancel);
        self.judge(prepared, sending.wire, sent, hearing)
    }

    /// What a try came to.
    fn judge(
        &self,
        prepared: &Prepared<'_>,
        wire: &dyn Protocol,
        sent: Result<Answer, TransportFault>,
        hearing: Hearing,
    ) -> Judged {
        let model = prepared.question.bound.name();
        let answer = match sent {
            Ok(answer) => answer,
            Err(TransportFault::Cancelled) => {
                return Judged::Failed {
                    error: ModelError::Cancelled,
                    passes: false,
                    asked: None,
                    request_id: None,
                    bill: Bill::unread(true),
                };
            }
            Err(fault) => {
                let (passes, bill) = (fault.passes(), Bill::unread(fault.may_be_billed()));
                let error = ModelError::Unreachable { model, fault };
                return Judged::Failed { error, passes, asked: None, request_id: None, bill };
            }
        };
        let request_id = header(&answer, "request-id").or_else(|| header(&answer, "x-request-id"));
        if !(200..300).contains(&answer.status) {
            let mut refusal = self.refusal(&answer);
            self.recognise_overflow(prepared, &mut refusal);
            let passes =
                refusal.kind != RefusalKind::Billing && self.policy.passes(answer.status, refusal.should_retry);
            let (asked, request_id) = (refusal.retry_after, refusal.request_id.clone());
            let error = ModelError::Refused { model, refusal };
            return Judged::Failed { error, passes, asked, request_id, bill: Bill::unread(false) };
        }
        let body = if answer.streamed { hearing.body() } else { read_body(&answer.body) };
        match body.and_then(|body| usable(wire, body)) {
            Ok((reply, body)) => Judged::Answered { reply: Box::new(reply), body, request_id },
            Err(fault) => {
                let passes = fault.passes();
                let error = ModelError::Unusable { model, fault };
                Judged::Failed { error, passes, asked: None, request_id, bill: Bill::unread(true) }
            }
        }
    }

    /// What an answer that is no answer says. A date in it is read by the server's own clock, which may be another than ours.
    fn refusal(&self, answer: &Answer) -> Refusal {
        let date = header(answer, "date").and_then(|date| httpdate::parse_http_date(&date).ok());
        refusal_of(answer.status, &answer.headers, &answer.body, date.unwrap_or_else(|| self.clock.now()))
    }

    /// A vendor says of a prompt that is too long only that the request is invalid. By its size it can be told apart.
    fn recognise_overflow(&self, prepared: &Prepared<'_>, refusal: &mut Refusal) {
        let context = prepared.question.bound.entry.as_ref().map(|entry| entry.context);
        if refusal.kind == RefusalKind::BadRequest && context.is_some_and(|context| prepared.prompt > context / 5 * 3) {
            refusal.kind = RefusalKind::TooLarge;
        }
    }
}

impl Prepared<'_> {
    fn read_kept(&self, body: &Value) -> Option<Reply> {
        match &self.way {
            Way::Server(sending) => sending.wire.decode(body).ok(),
            Way::Agent(_) => agent::read_kept(body),
        }
    }
}

enum Judged {
    Answered { reply: Box<Reply>, body: Value, request_id: Option<String> },
    Failed { error: ModelError, passes: bool, asked: Option<Duration>, request_id: Option<String>, bill: Bill },
}

/// The model for the ledger.
fn asked_model(bound: &Bound) -> String {
    if bound.model.is_empty() { "default".to_owned() } else { bound.model.clone() }
}

/// Reads the body of an answer, except for what no caller can use.
fn usable(wire: &dyn Protocol, body: Value) -> Result<(Reply, Value), ReplyFault> {
    let reply = wire.decode(&body)?;
    match reply.stop {
        Stop::ContextFull => Err(ReplyFault::ContextFull),
        Stop::End if reply.text.trim().is_empty() && reply.calls.is_empty() => Err(ReplyFault::Empty),
        Stop::End | Stop::ToolCalls | Stop::Length | Stop::Refused(_) | Stop::Paused | Stop::Other(_) => {
            Ok((reply, body))
        }
    }
}

/// The headers of every request to a model's server.
pub(super) fn headers(located: &Located, wire: &dyn Protocol) -> Vec<(String, Hidden)> {
    use super::provider::Auth;
    let mut headers: Vec<(String, Hidden)> = Vec::new();
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), Hidden(value)));
    for (name, value) in wire.headers() {
        add(name, (*value).to_owned());
    }
    for (name, value) in &located.provider.headers {
        add(name, value.clone());
    }
    if let Some(key) = &located.key {
        match located.provider.auth {
            Auth::Bearer => add("authorization", format!("Bearer {}", key.reveal())),
            Auth::ApiKey => add("x-api-key", key.reveal().to_owned()),
        }
    }
    headers
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

fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
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

fn exhausted(error: ModelError, attempts: u32) -> ModelError {
    match error {
        ModelError::Refused { model, refusal } => ModelError::Exhausted { model, refusal, attempts },
        ModelError::NoKey { .. }
        | ModelError::Exhausted { .. }
        | ModelError::Unreachable { .. }
        | ModelError::Unusable { .. }
        | ModelError::Agent { .. }
        | ModelError::OverBudget { .. }
        | ModelError::Unpriced { .. }
        | ModelError::Record { .. }
        | ModelError::Batch { .. }
        | ModelError::DryRun
        | ModelError::Cancelled => error,
    }
}

/// One word for the ledger.
fn label(error: &ModelError) -> &'static str {
    match error {
        ModelError::Refused { refusal, .. } | ModelError::Exhausted { refusal, .. } => match refusal.kind {
            RefusalKind::BadRequest => "bad_request",
            RefusalKind::Unauthorized => "unauthorized",
            RefusalKind::Billing => "billing",
            RefusalKind::Forbidden => "forbidden",
            RefusalKind::NotFound => "not_found",
            RefusalKind::TooLarge => "too_large",
            RefusalKind::RateLimit => "rate_limit",
            RefusalKind::Server => "server_error",
            RefusalKind::Other => "error",
        },
        ModelError::Unreachable { .. } => "unreachable",
        ModelError::Unusable { fault, .. } => match fault {
            ReplyFault::Cut => "cut",
            ReplyFault::Empty => "empty",
            ReplyFault::ContextFull => "context_full",
            ReplyFault::MidStream(_) => "stream_error",
            ReplyFault::Malformed(_)
            | ReplyFault::Refused(_)
            | ReplyFault::Length(_)
            | ReplyFault::Form(_)
            | ReplyFault::Endless(_) => "unusable",
        },
        ModelError::Agent { fault, .. } => fault.label(),
        ModelError::Batch { fault, .. } => fault.label(),
        ModelError::Cancelled => "cancelled",
        ModelError::NoKey { .. }
        | ModelError::OverBudget { .. }
        | ModelError::Unpriced { .. }
        | ModelError::DryRun
        | ModelError::Record { .. } => "not_sent",
    }
}

/// 0..=99. Needs no quality: only that callers that failed together do not come back together.
fn chance(what: &str, attempt: u32, now: SystemTime) -> u32 {
    let nanos = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let mixed = xxhash_rust::xxh3::xxh3_64_with_seed(what.as_bytes(), u64::from(nanos) + u64::from(attempt));
    (mixed % 100) as u32
}

fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| time.round(jiff::Unit::Second).unwrap_or(time).to_string())
        .unwrap_or_default()
}

fn millis(began: SystemTime, ended: SystemTime) -> u64 {
    u64::try_from(ended.duration_since(began).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
