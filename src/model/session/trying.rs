//! Tries: until one is answered or no further one may help, each with money set aside and a line in the ledger.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::books::{asked_model, label, millis, timestamp};
use super::headers::headers;
use super::hearing::Hearing;
use super::judging::Judged;
use super::preparing::{Prepared, Sending, Way};
use super::{Event, Session};
use crate::http::{Call, Method};
use crate::model::catalogue;
use crate::model::error::ModelError;
use crate::model::ledger::Line;
use crate::model::money::NanoDollars;
use crate::model::prompts_version;
use crate::model::reply::Reply;

/// One try that did not work.
enum Failed {
    /// For good.
    Final(ModelError),
    /// It may pass.
    Passing { error: ModelError, asked: Option<Duration> },
}

impl Session<'_> {
    pub(super) fn try_until_answered(
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
            Way::Server(_) => {
                usage.and_then(|usage| price.as_ref().map(|price| price.cost(&usage, self.service(question.bound))))
            }
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
        self.settle(reservation, booked);
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
}

pub(super) fn exhausted(error: ModelError, attempts: u32) -> ModelError {
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

/// 0..=99. Needs no quality: only that callers that failed together do not come back together.
pub(super) fn chance(what: &str, attempt: u32, now: SystemTime) -> u32 {
    let nanos = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let mixed = xxhash_rust::xxh3::xxh3_64_with_seed(what.as_bytes(), u64::from(nanos) + u64::from(attempt));
    (mixed % 100) as u32
}
