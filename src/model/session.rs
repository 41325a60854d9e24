//! A session: the one way to ask a model. Kept reply → money set aside → call → retries → books.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Role;
use super::agent_cli::Agents;
use super::batch::Batcher;
use super::budget::{Budget, Reservation, Spent};
use super::conversation::Conversation;
use super::error::ModelError;
use super::ledger::Ledger;
use super::money::NanoDollars;
use super::replies::Replies;
use super::reply::{Reply, Stop};
use super::retry::RetryPolicy;
use super::roles::Bound;
use super::usage::Usage;
use crate::cancel::Cancel;
use crate::http::Transport;

mod agent;
mod batching;
mod books;
mod clock;
mod events;
mod headers;
mod hearing;
mod judging;
mod preparing;
mod trying;

pub use agent::{Errand, Ran};
pub use clock::{Clock, SystemClock};
pub use events::{Batched, Deaf, Event, Listener};
pub(super) use headers::headers;

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
    /// What may be spent, by this session and by others that have the same budget.
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
    /// Questions may wait, and go together where their provider has a batch endpoint; otherwise each is asked at once.
    pub batcher: Option<Batcher>,
}

/// What came of a session's calls so far.
#[derive(Debug, Default)]
pub struct Tally {
    calls: AtomicU64,
    kept: AtomicU64,
    usage: Mutex<Usage>,
    spent: Mutex<Spent>,
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
        let (reply, body) = match self.batcher_for(question.bound) {
            Some(batcher) => self.ask_in_batch(batcher, &prepared, at_most)?,
            None => self.try_until_answered(&prepared, at_most)?,
        };
        // An answer that was cut or refused may come better next time.
        if matches!(reply.stop, Stop::End | Stop::ToolCalls) {
            self.replies.put(&prepared.key, &body);
        }
        Ok(reply)
    }

    /// What this session spent so far, and on what.
    pub fn summary(&self) -> Summary {
        Summary {
            calls: self.tally.calls.load(Ordering::Relaxed),
            kept: self.tally.kept.load(Ordering::Relaxed),
            usage: *self.tally.usage.lock().unwrap_or_else(PoisonError::into_inner),
            spent: *self.tally.spent.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Books what a call cost; `None` where nobody knows.
    fn settle(&self, reservation: Reservation<'_>, cost: Option<NanoDollars>) {
        reservation.settle(cost);
        let mut spent = self.tally.spent.lock().unwrap_or_else(PoisonError::into_inner);
        *spent = spent.and(cost);
    }
}
