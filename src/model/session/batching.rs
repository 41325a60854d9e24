//! Questions that go by a batch: submitted once, recorded before anybody waits, and put into the books when they come back.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Session;
use super::books::{label, millis, timestamp};
use super::events::{Batched, Event};
use super::preparing::{Prepared, Way};
use crate::model::batch::BatchFault;
use crate::model::batch::gathering::{Batcher, Booked, Delivered, Group, Seat, Ticket, Turn};
use crate::model::batch::records::{Asked, Hold, Record};
use crate::model::batch::wire::{BatchWire, Item, Outgoing, id_of};
use crate::model::catalogue::{self, Service};
use crate::model::error::ModelError;
use crate::model::ledger::Line;
use crate::model::money::NanoDollars;
use crate::model::prompts_version;
use crate::model::reply::Reply;
use crate::model::roles::Bound;

mod exchange;
mod fetching;

use exchange::{Repeat, unusable};

/// The first look at a batch comes this soon; a small one may be done within a minute.
const FIRST_LOOK: Duration = Duration::from_secs(2);

/// Why there is no batch.
enum Unsubmitted {
    /// The vendor has none.
    Surely(ModelError),
    /// It may have one, and bill it.
    Perhaps(ModelError),
}

/// What became of a batch: for each of its questions, by key.
type Outcomes = BTreeMap<String, Delivered>;

impl Session<'_> {
    /// Where questions to `bound` meet, if they go together.
    pub(in crate::model) fn batcher_for(&self, bound: &Bound) -> Option<&Batcher> {
        self.batcher.as_ref().filter(|_| bound.batch().is_some())
    }

    /// How calls to `bound` are served.
    pub(super) fn service(&self, bound: &Bound) -> Service {
        if self.batcher_for(bound).is_some() { Service::Batch } else { Service::Standard }
    }

    /// Seats for those who are about to ask so many questions: `usual` at most where each is answered by itself, all of them where
    /// they go together.
    pub fn seats(&self, questions: usize, usual: usize) -> Vec<Seat<'_>> {
        match &self.batcher {
            Some(batcher) => batcher.seats(questions),
            None => (0..usual.min(questions)).map(|_| Seat::alone()).collect(),
        }
    }

    /// Has a question answered by a batch.
    pub(super) fn ask_in_batch(
        &self,
        batcher: &Batcher,
        prepared: &Prepared<'_>,
        at_most: Option<NanoDollars>,
    ) -> Result<(Reply, Value), ModelError> {
        let question = prepared.question;
        if question.bound.batch().is_none() {
            return Err(ModelError::Batch { model: question.bound.name(), fault: BatchFault::NoEndpoint });
        }
        let Way::Server(sending) = &prepared.way else {
            return Err(ModelError::Batch { model: question.bound.name(), fault: BatchFault::NoEndpoint });
        };
        let key = &prepared.key;
        let open = batcher.holding(key, self.clock.now());
        let reservation = match open {
            // What is with the vendor already is paid for, whatever may be spent now.
            Some(_) => self.budget.paid(),
            None => self.budget.reserve(at_most.unwrap_or_default())?,
        };
        let number = batcher.join(Ticket {
            key: key.clone(),
            body: prepared.body.clone(),
            bytes: prepared.size,
            path: sending.wire.path(),
            bound: question.bound.clone(),
            role: question.role,
            purpose: question.purpose.to_owned(),
            plan: question.plan.map(str::to_owned),
            at_most,
            open,
        });
        let delivered = loop {
            match batcher.turn(number, &self.cancel) {
                Turn::Lead(group) => self.look_after(batcher, group),
                Turn::Answered(delivered) => break *delivered,
                Turn::Cancelled => return Err(ModelError::Cancelled),
            }
        };
        if let Booked::Now(cost) = delivered.booked {
            self.settle(reservation, cost);
        }
        let mut answer = delivered.answer;
        match &mut answer {
            Ok((reply, _)) => {
                let cost = match delivered.booked {
                    Booked::Now(cost) => cost,
                    Booked::Later => None,
                };
                let event = Event::Answered { purpose: question.purpose, usage: reply.usage, cost, kept: false };
                self.listener.event(&event);
            }
            Err(ModelError::Refused { refusal, .. }) => self.recognise_overflow(prepared, refusal),
            Err(_) => {}
        }
        answer
    }

    /// Sees a batch through and hands out what came of it.
    fn look_after(&self, batcher: &Batcher, group: Group) {
        let mut owed = Owed { batcher, numbers: group.tickets.iter().map(|(number, _)| *number).collect() };
        let numbers: Vec<(u64, String)> =
            group.tickets.iter().map(|(number, ticket)| (*number, ticket.key.as_str().to_owned())).collect();
        let outcomes = self.see_through(batcher, &group);
        let mut seen: Vec<&str> = Vec::new();
        let answers = numbers.iter().map(|(number, key)| {
            let mut delivered = match &outcomes {
                Ok(outcomes) => outcomes.get(key).cloned().unwrap_or_else(|| {
                    let id = group.open.as_ref().map(|record| record.id.clone()).unwrap_or_default();
                    failed(&group.tickets[0].1.bound, BatchFault::Missing { id })
                }),
                Err(error) => Delivered { answer: Err(error.clone()), booked: Booked::Later },
            };
            // The same question of two askers is one question of the batch, and paid once.
            if seen.contains(&key.as_str()) && delivered.booked != Booked::Later {
                delivered.booked = Booked::Now(Some(NanoDollars::ZERO));
            }
            seen.push(key);
            (*number, delivered)
        });
        let answers: Vec<_> = answers.collect();
        owed.numbers.clear();
        batcher.deliver(answers);
    }

    fn see_through(&self, batcher: &Batcher, group: &Group) -> Result<Outcomes, ModelError> {
        let bound = &group.tickets[0].1.bound;
        let Some(name) = bound.batch() else {
            return Err(ModelError::Batch { model: bound.name(), fault: BatchFault::NoEndpoint });
        };
        let wire = name.wire();
        // What cannot be recorded is not sent.
        self.ledger.open()?;
        let unrecorded = |error: std::io::Error| ModelError::Record {
            what: "the record of a batch".to_owned(),
            why: error.to_string(),
        };
        batcher.records.check().map_err(unrecorded)?;
        let (record, resumed) = match &group.open {
            Some(record) => (record.clone(), true),
            None => match self.submit(wire, group) {
                Ok(id) => (self.record(id, group), false),
                Err(unsubmitted) => return Ok(self.not_submitted(group, &unsubmitted)),
            },
        };
        let hold = batcher.records.hold(&record.id);
        if !resumed && let Err(error) = batcher.records.write(&record) {
            self.listener.event(&Event::Unrecorded { why: &format!("batch {}: {error}", record.id) });
        }
        let questions = group.tickets.len();
        let how = if resumed { Batched::Resumed { questions } } else { Batched::Submitted { questions } };
        self.tell(&record, how);
        let Some(_hold) = hold.or_else(|| self.wait_for_hold(batcher, &record)) else {
            self.tell(&record, Batched::Left);
            return Err(ModelError::Cancelled);
        };
        if resumed && !batcher.records.has(&record.id) {
            return Ok(self.fetched_by_another(group));
        }
        match self.fetch(batcher, wire, bound, &record, resumed, &group.tickets) {
            Err(ModelError::Cancelled) => {
                self.tell(&record, Batched::Left);
                Err(ModelError::Cancelled)
            }
            fetched => fetched,
        }
    }

    fn tell(&self, record: &Record, how: Batched) {
        self.listener.event(&Event::Batch { id: &record.id, since: record.submitted(), how });
    }

    /// Waits until no other run looks after the batch; `None` once the user asks to stop.
    fn wait_for_hold(&self, batcher: &Batcher, record: &Record) -> Option<Hold> {
        while !self.cancel.is_cancelled() {
            if let Some(hold) = batcher.records.hold(&record.id) {
                return Some(hold);
            }
            self.clock.wait(FIRST_LOOK, &self.cancel);
        }
        None
    }

    /// What another run fetched meanwhile stands among the replies.
    fn fetched_by_another(&self, group: &Group) -> Outcomes {
        let kept = group.tickets.iter().filter_map(|(_, ticket)| {
            let body = self.replies.get(&ticket.key)?;
            let reply = ticket.bound.server()?.provider.protocol.protocol().decode(&body).ok()?;
            let delivered = Delivered { answer: Ok((reply, body)), booked: Booked::Now(Some(NanoDollars::ZERO)) };
            Some((ticket.key.as_str().to_owned(), delivered))
        });
        kept.collect()
    }

    fn record(&self, id: String, group: &Group) -> Record {
        let (_, first) = &group.tickets[0];
        let mut questions: Vec<Asked> = Vec::new();
        for (_, ticket) in &group.tickets {
            if !questions.iter().any(|question| question.key == ticket.key) {
                questions.push(Asked {
                    key: ticket.key.clone(),
                    role: ticket.role,
                    purpose: ticket.purpose.clone(),
                    plan: ticket.plan.clone(),
                    bytes: ticket.bytes,
                });
            }
        }
        Record {
            id,
            submitted: timestamp(self.clock.now()),
            provider: first.bound.vendor().to_owned(),
            model: first.bound.model.clone(),
            questions,
        }
    }

    /// Submits questions, and gives the vendor's id of the batch.
    fn submit(&self, wire: &dyn BatchWire, group: &Group) -> Result<String, Unsubmitted> {
        let (_, first) = &group.tickets[0];
        let mut items: Vec<Item<'_>> = Vec::new();
        for (_, ticket) in &group.tickets {
            if !items.iter().any(|item| item.id == ticket.key.as_str()) {
                items.push(Item { id: ticket.key.as_str(), body: &ticket.body });
            }
        }
        let bound = &first.bound;
        let upload = |file: Outgoing| {
            let body = self.json(bound, self.post(bound, &file, Repeat::ByPolicy)?)?;
            id_of(&body, "id").map_err(|fault| unusable(bound, fault))
        };
        let uploaded = wire.upload(&items, first.path).map(upload).transpose().map_err(Unsubmitted::Surely)?;
        let submission = wire.submission(&items, first.path, uploaded.as_deref());
        let begin = || {
            let body = self.json(bound, self.post(bound, &submission, Repeat::Never)?)?;
            wire.status(&body).map(|status| status.id).map_err(|fault| unusable(bound, fault))
        };
        begin().map_err(|error| match &error {
            ModelError::Unreachable { fault, .. } if fault.may_be_billed() => Unsubmitted::Perhaps(error),
            // The vendor answered in words that nobody understands; or the user stopped in the middle of it.
            ModelError::Unusable { .. } | ModelError::Cancelled => Unsubmitted::Perhaps(error),
            _ => Unsubmitted::Surely(error),
        })
    }

    /// Puts questions into the books that were not submitted, or perhaps were.
    fn not_submitted(&self, group: &Group, unsubmitted: &Unsubmitted) -> Outcomes {
        let (error, billed) = match unsubmitted {
            Unsubmitted::Surely(error) => (error, false),
            Unsubmitted::Perhaps(error) => (error, true),
        };
        let now = self.clock.now();
        let outcomes = group.tickets.iter().map(|(_, ticket)| {
            let cost = if billed { None } else { Some(NanoDollars::ZERO) };
            let line = Line { cost, ..self.line(&asked(ticket), &ticket.bound, now, now, label(error)) };
            let recorded = self.ledger.open().and_then(|ledger| ledger.append(&line));
            if let Err(error) = recorded {
                self.listener.event(&Event::Unrecorded { why: &error.to_string() });
            }
            let booked = Booked::Now(if billed { ticket.at_most } else { Some(NanoDollars::ZERO) });
            (ticket.key.as_str().to_owned(), Delivered { answer: Err(error.clone()), booked })
        });
        outcomes.collect()
    }

    fn line(&self, asked: &Asked, bound: &Bound, began: SystemTime, ended: SystemTime, outcome: &str) -> Line {
        Line {
            time: timestamp(ended),
            run: self.run.clone(),
            role: asked.role,
            purpose: asked.purpose.clone(),
            plan: asked.plan.clone(),
            prompts: prompts_version(),
            attempt: 1,
            provider: bound.vendor().to_owned(),
            model: bound.model.clone(),
            answered_by: None,
            usage: None,
            cost: None,
            price_as_of: catalogue::as_of().to_owned(),
            batch: true,
            request_id: None,
            outcome: outcome.to_owned(),
            milliseconds: millis(began, ended),
        }
    }
}

/// Questions that wait for a thread that looks after their batch: should it panic, they are told to stop.
struct Owed<'a> {
    batcher: &'a Batcher,
    numbers: Vec<u64>,
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        let stopped = || Delivered { answer: Err(ModelError::Cancelled), booked: Booked::Later };
        self.batcher.deliver(self.numbers.drain(..).map(|number| (number, stopped())));
    }
}

fn asked(ticket: &Ticket) -> Asked {
    Asked {
        key: ticket.key.clone(),
        role: ticket.role,
        purpose: ticket.purpose.clone(),
        plan: ticket.plan.clone(),
        bytes: ticket.bytes,
    }
}

fn failed(bound: &Bound, fault: BatchFault) -> Delivered {
    let answer = Err(ModelError::Batch { model: bound.name(), fault });
    Delivered { answer, booked: Booked::Now(Some(NanoDollars::ZERO)) }
}
