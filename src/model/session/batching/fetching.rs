//! What comes back from a batch: waited for, read, and put into the books.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::super::Session;
use super::super::books::label;
use super::super::events::{Batched, Event};
use super::super::judging::usable;
use super::exchange::unusable;
use super::{FIRST_LOOK, Outcomes};
use crate::model::batch::BatchFault;
use crate::model::batch::gathering::{Batcher, Booked, Delivered, Ticket};
use crate::model::batch::records::{Asked, Record};
use crate::model::batch::wire::{BatchWire, Outcome, Rest, State};
use crate::model::catalogue::Service;
use crate::model::error::{ModelError, RefusalKind};
use crate::model::ledger::Line;
use crate::model::money::NanoDollars;
use crate::model::reply::{Reply, Stop};
use crate::model::roles::Bound;

/// Each further look comes half as much later, up to this: most batches end within an hour.
const LONGEST_LOOK: Duration = Duration::from_secs(60);
impl Session<'_> {
    /// Waits until the batch ended, and puts what came of every one of its questions into the books.
    pub(super) fn fetch(
        &self,
        batcher: &Batcher,
        wire: &dyn BatchWire,
        bound: &Bound,
        record: &Record,
        resumed: bool,
        tickets: &[(u64, Ticket)],
    ) -> Result<Outcomes, ModelError> {
        let unknown = |error: ModelError| match error {
            ModelError::Refused { model, refusal } if refusal.kind == RefusalKind::NotFound => {
                let file = batcher.records.file(&record.id).display().to_string();
                ModelError::Batch { model, fault: BatchFault::Unknown { id: record.id.clone(), record: file } }
            }
            error => error,
        };
        let (paths, rest) = self.wait_for_end(wire, bound, record, resumed, tickets.len() as u64).map_err(unknown)?;
        let mut results: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut unread = 0_usize;
        for path in paths {
            let answer = self.get(bound, &path).map_err(unknown)?;
            let now = self.clock.now();
            for line in answer.body.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                let read = serde_json::from_slice(line).ok().and_then(|line: Value| wire.result(&line, now));
                match read {
                    Some((id, outcome)) => drop(results.insert(id, outcome)),
                    None => unread += 1,
                }
            }
        }
        let mut outcomes = Outcomes::new();
        for question in &record.questions {
            let claimed = tickets.iter().find(|(_, ticket)| ticket.key == question.key).map(|(_, ticket)| ticket);
            let outcome = results.remove(question.key.as_str());
            let delivered = self.book(record, question, bound, claimed, outcome, &rest, unread > 0);
            outcomes.insert(question.key.as_str().to_owned(), delivered);
        }
        self.tell(record, Batched::Fetched);
        // From here on the answers are among the replies and in the ledger.
        batcher.records.close(&record.id);
        Ok(outcomes)
    }

    fn wait_for_end(
        &self,
        wire: &dyn BatchWire,
        bound: &Bound,
        record: &Record,
        resumed: bool,
        questions: u64,
    ) -> Result<(Vec<String>, Rest), ModelError> {
        let mut wait = FIRST_LOOK;
        // A batch of an earlier run may have ended long ago.
        let mut next = if resumed { Duration::ZERO } else { wait };
        loop {
            self.clock.wait(next, &self.cancel);
            if self.cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            let body = self.json(bound, self.get(bound, &wire.path(&record.id))?)?;
            match wire.status(&body).map_err(|fault| unusable(bound, fault))?.state {
                State::Ended { results, rest } => return Ok((results, rest)),
                State::Open { done } => {
                    let total = questions.max(record.questions.len() as u64);
                    self.tell(record, Batched::Waiting { done, total });
                }
            }
            next = wait;
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
        }
    }

    /// Puts what came of one question into the books.
    #[expect(clippy::too_many_arguments, reason = "everything the ledger says of a question")]
    fn book(
        &self,
        record: &Record,
        question: &Asked,
        bound: &Bound,
        claimed: Option<&Ticket>,
        outcome: Option<Outcome>,
        rest: &Rest,
        damaged: bool,
    ) -> Delivered {
        let id = || record.id.clone();
        let model = bound.name();
        let fault = |fault: BatchFault| (Err(ModelError::Batch { model: model.clone(), fault }), None, false);
        let (answer, request_id, billed) = match outcome {
            Some(Outcome::Answered(body, request_id)) => match bound.server() {
                Some(located) => {
                    let read = usable(located.provider.protocol.protocol(), body);
                    (
                        read.map_err(|useless| ModelError::Unusable { model: model.clone(), fault: useless.fault }),
                        request_id,
                        true,
                    )
                }
                None => fault(BatchFault::NoEndpoint),
            },
            Some(Outcome::Refused(refusal)) => {
                let request_id = refusal.request_id.clone();
                (Err(ModelError::Refused { model: model.clone(), refusal }), request_id, false)
            }
            Some(Outcome::Expired) => fault(BatchFault::Expired { id: id() }),
            Some(Outcome::Cancelled) => fault(BatchFault::Cancelled { id: id() }),
            None => match rest {
                Rest::Expired => fault(BatchFault::Expired { id: id() }),
                Rest::Cancelled => fault(BatchFault::Cancelled { id: id() }),
                Rest::Failed(why) => fault(BatchFault::Failed { id: id(), why: why.clone() }),
                // Its line may be one of those that cannot be read: an answer that was paid for.
                Rest::Missing => (
                    Err(ModelError::Batch { model: model.clone(), fault: BatchFault::Missing { id: id() } }),
                    None,
                    damaged,
                ),
            },
        };
        let usage = answer.as_ref().ok().and_then(|(reply, _)| reply.usage);
        let cost = match usage {
            _ if !billed => Some(NanoDollars::ZERO),
            Some(usage) => bound.price().map(|price| price.cost(&usage, Service::Batch)),
            None => None,
        };
        let now = self.clock.now();
        let outcome = match &answer {
            Ok((reply, _)) => reply.stop.label().to_owned(),
            Err(error) => label(error).to_owned(),
        };
        let line = Line {
            usage,
            cost,
            answered_by: answer.as_ref().ok().and_then(|(reply, _)| reply.model.clone()),
            request_id: request_id.or_else(|| answer.as_ref().ok().and_then(|(reply, _)| reply.id.clone())),
            ..self.line(question, bound, record.submitted(), now, &outcome)
        };
        if let Err(error) = self.ledger.open().and_then(|ledger| ledger.append(&line)) {
            self.listener.event(&Event::Unrecorded { why: &error.to_string() });
        }
        if let Ok((reply, body)) = &answer {
            self.count(reply, bound, question.bytes);
            if matches!(reply.stop, Stop::End | Stop::ToolCalls) {
                self.replies.put(&question.key, body);
            }
        }
        let booked = match (cost, billed) {
            (None, true) => claimed.and_then(|ticket| ticket.at_most),
            (cost, _) => cost,
        };
        // Nobody asks for it in this run, and it is paid for all the same.
        if claimed.is_none() {
            self.settle(self.budget.paid(), booked);
        }
        Delivered { answer, booked: Booked::Now(booked) }
    }

    fn count(&self, reply: &Reply, bound: &Bound, bytes: u64) {
        self.tally.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(usage) = reply.usage {
            self.budget.measured(&bound.name(), bytes, usage.prompt());
            let mut sum = self.tally.usage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *sum = *sum + usage;
        }
    }
}
