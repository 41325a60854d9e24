//! What a session says of its calls while they run.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Question;
use crate::model::money::NanoDollars;
use crate::model::usage::Usage;

/// Hears how calls go.
pub trait Listener: Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Hears nothing.
pub struct Deaf;

impl Listener for Deaf {
    fn event(&self, _event: &Event<'_>) {}
}

/// How a batch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batched {
    /// So many questions were submitted.
    Submitted {
        /// How many.
        questions: usize,
    },
    /// An earlier run submitted so many of the questions that are asked now.
    Resumed {
        /// How many.
        questions: usize,
    },
    /// It goes on.
    Waiting {
        /// Questions that are done with.
        done: u64,
        /// Questions in all.
        total: u64,
    },
    /// Its answers are here.
    Fetched,
    /// This run stops, and it goes on at the vendor.
    Left,
}

/// Something that happened to a call.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A request is ready; in a dry run this is all that happens.
    Ready {
        /// What it is for.
        question: &'a Question<'a>,
        /// Its body.
        body: &'a Value,
        /// Tokens of the prompt, estimated.
        prompt: u64,
        /// What it may cost at most, where the price is known.
        at_most: Option<NanoDollars>,
    },
    /// A piece of the answer came; characters of it so far.
    Heard {
        /// What it is for.
        purpose: &'a str,
        /// Characters so far.
        characters: usize,
    },
    /// It failed in a way that may pass.
    Retrying {
        /// What it is for.
        purpose: &'a str,
        /// What went wrong.
        why: &'a str,
        /// How long until the next try.
        wait: Duration,
    },
    /// A batch goes on.
    Batch {
        /// The vendor's id of it.
        id: &'a str,
        /// When it was submitted.
        since: SystemTime,
        /// How it goes.
        how: Batched,
    },
    /// It was answered and could not be recorded.
    Unrecorded {
        /// Why.
        why: &'a str,
    },
    /// It was answered.
    Answered {
        /// What it is for.
        purpose: &'a str,
        /// Its tokens.
        usage: Option<Usage>,
        /// Its cost, where known.
        cost: Option<NanoDollars>,
        /// The answer was kept from an earlier run and cost nothing.
        kept: bool,
    },
}
