//! Where questions meet before they are submitted: whoever asks takes a seat, and when nobody in a seat is still thinking, those
//! who wait go together.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::records::{Record, Records};
use crate::cancel::Cancel;
use crate::model::Role;
use crate::model::error::ModelError;
use crate::model::money::NanoDollars;
use crate::model::replies::Key;
use crate::model::reply::Reply;
use crate::model::roles::Bound;

/// How often a waiting question looks whether the user asked to stop.
const LOOK: Duration = Duration::from_millis(50);
/// Questions in one batch, at most: the vendors take 50 000 and more, and all answers have to fit into one download.
const MOST: usize = 400;
/// Bytes of one batch, at most: the vendors take 200 MB and 256 MB.
const LARGEST: u64 = 100 << 20;

/// Brings questions together that may wait.
pub struct Batcher {
    /// What was submitted and not fetched.
    pub(in crate::model) records: Records,
    room: Mutex<Room>,
    changed: Condvar,
}

/// Who is there.
#[derive(Default)]
struct Room {
    next: u64,
    /// Threads that ask, wait or may still ask.
    seats: usize,
    /// Questions that are with a vendor.
    away: usize,
    waiting: BTreeMap<u64, Ticket>,
    leads: BTreeMap<u64, Group>,
    answers: BTreeMap<u64, Delivered>,
}

/// A question that waits.
pub(in crate::model) struct Ticket {
    pub(in crate::model) key: Key,
    pub(in crate::model) body: Value,
    pub(in crate::model) bytes: u64,
    pub(in crate::model) path: &'static str,
    pub(in crate::model) bound: Bound,
    pub(in crate::model) role: Role,
    pub(in crate::model) purpose: String,
    pub(in crate::model) plan: Option<String>,
    pub(in crate::model) at_most: Option<NanoDollars>,
    /// The batch it is in already.
    pub(in crate::model) open: Option<Record>,
}

/// Questions that go together.
pub(in crate::model) struct Group {
    /// The batch they are in already.
    pub(in crate::model) open: Option<Record>,
    /// At least one, by number.
    pub(in crate::model) tickets: Vec<(u64, Ticket)>,
}

/// What came of a question.
#[derive(Debug, Clone)]
pub(in crate::model) struct Delivered {
    pub(in crate::model) answer: Result<(Reply, Value), ModelError>,
    pub(in crate::model) booked: Booked,
}

/// What the budget is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Booked {
    /// Nothing: the batch goes on, and who fetches it books it.
    Later,
    /// What it did cost; `None` where nobody knows.
    Now(Option<NanoDollars>),
}

/// What a waiting question is to do.
pub(in crate::model) enum Turn {
    /// Look after a batch for all that are in it.
    Lead(Group),
    /// Go on with what came of it.
    Answered(Box<Delivered>),
    /// Stop.
    Cancelled,
}

/// A thread that may ask. Its seat is free when it is dropped.
pub struct Seat<'a>(Option<&'a Batcher>);

impl Seat<'_> {
    /// A seat where nobody waits for anybody.
    pub fn alone() -> Seat<'static> {
        Seat(None)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(batcher) = self.0 else { return };
        let mut room = batcher.room();
        room.seats -= 1;
        batcher.submit_when_all_wait(&mut room);
    }
}

impl Batcher {
    /// One whose records are in the folder `state`.
    pub fn within(state: &Path) -> Batcher {
        Batcher { records: Records::within(state), room: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes so many seats. Nothing is submitted while somebody in one does not wait yet: take them before anybody asks.
    pub fn seats(&self, count: usize) -> Vec<Seat<'_>> {
        self.room().seats += count;
        (0..count).map(|_| Seat(Some(self))).collect()
    }

    /// Joins those who wait.
    pub(in crate::model) fn join(&self, ticket: Ticket) -> u64 {
        let mut room = self.room();
        let number = room.next;
        room.next += 1;
        room.waiting.insert(number, ticket);
        self.submit_when_all_wait(&mut room);
        number
    }

    /// Waits until there is something to do for question `number`.
    pub(in crate::model) fn turn(&self, number: u64, cancel: &Cancel) -> Turn {
        let mut room = self.room();
        loop {
            if let Some(delivered) = room.answers.remove(&number) {
                return Turn::Answered(Box::new(delivered));
            }
            if cancel.is_cancelled() {
                room.waiting.remove(&number);
                return Turn::Cancelled;
            }
            if let Some(group) = room.leads.remove(&number) {
                return Turn::Lead(group);
            }
            room = self.changed.wait_timeout(room, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands out what came of questions.
    pub(in crate::model) fn deliver(&self, answers: impl IntoIterator<Item = (u64, Delivered)>) {
        let mut room = self.room();
        for (number, delivered) in answers {
            room.away -= 1;
            room.answers.insert(number, delivered);
        }
        self.changed.notify_all();
    }

    /// The open batch that holds a question.
    pub(in crate::model) fn holding(&self, key: &Key, now: SystemTime) -> Option<Record> {
        let holds = |record: &Record| record.questions.iter().any(|question| question.key == *key);
        self.records.open(now).into_iter().find(holds)
    }

    fn submit_when_all_wait(&self, room: &mut Room) {
        if room.waiting.is_empty() || room.waiting.len() + room.away < room.seats {
            return;
        }
        let waiting = std::mem::take(&mut room.waiting);
        room.away += waiting.len();
        for group in groups(waiting) {
            let (leader, _) = group.tickets[0];
            room.leads.insert(leader, group);
        }
        self.changed.notify_all();
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // What a thread left behind when it panicked is whole: it only counts and moves.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts together what can go together: questions of one open batch, and new ones for one model, within the vendors' limits.
fn groups(waiting: BTreeMap<u64, Ticket>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, ticket) in waiting {
        let fits = |group: &&mut Group| match (&group.open, &ticket.open) {
            (Some(one), Some(other)) => one.id == other.id,
            (None, None) => {
                let (_, first) = &group.tickets[0];
                let bytes: u64 = group.tickets.iter().map(|(_, ticket)| ticket.bytes).sum();
                first.bound.via == ticket.bound.via
                    && first.bound.model == ticket.bound.model
                    && first.path == ticket.path
                    && group.tickets.len() < MOST
                    && bytes + ticket.bytes <= LARGEST
            }
            (Some(_), None) | (None, Some(_)) => false,
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.tickets.push((number, ticket)),
            None => groups.push(Group { open: ticket.open.clone(), tickets: vec![(number, ticket)] }),
        }
    }
    groups
}
