//! Batches: questions that may wait go to the vendor together, for half the price, and are answered within a day.
//!
//! Questions meet in a [`Batcher`]: each comes on the thread of whoever asks it and waits there until all who could ask do wait.
//! Then they are submitted as one, and one of the threads looks after the batch for all of them. What was submitted is in
//! [`records`] before anybody waits for it, so that a later run finds it by its id and asks nothing twice.
//!
//! What a vendor's endpoint wants is [`wire`]'s matter; sending, polling and the books are the session's.

use serde::Deserialize;

mod anthropic;
pub(super) mod gathering;
mod openai;
pub mod records;
pub(super) mod wire;

pub use gathering::{Batcher, Seat};

/// The batch endpoints there are, as settings name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchName {
    /// Anthropic's Message Batches.
    Anthropic,
    /// OpenAI's Batch API, with an uploaded file.
    Openai,
}

impl BatchName {
    /// What it wants.
    pub(super) fn wire(self) -> &'static dyn wire::BatchWire {
        match self {
            BatchName::Anthropic => &anthropic::MessageBatches,
            BatchName::Openai => &openai::FileBatches,
        }
    }
}

/// Why a question got no answer from a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchFault {
    /// The provider has no batch endpoint.
    #[error("its provider has no batch endpoint")]
    NoEndpoint,
    /// The vendor did not get to it in time.
    #[error("batch {id} expired before the vendor got to this question")]
    Expired {
        /// The batch.
        id: String,
    },
    /// It was cancelled at the vendor.
    #[error("batch {id} was cancelled at the vendor")]
    Cancelled {
        /// The batch.
        id: String,
    },
    /// The vendor took the batch and then refused it as a whole.
    #[error("batch {id} failed: {why}")]
    Failed {
        /// The batch.
        id: String,
        /// What the vendor says.
        why: String,
    },
    /// The batch ended without a word about this question.
    #[error("batch {id} ended without an answer to this question")]
    Missing {
        /// The batch.
        id: String,
    },
    /// The vendor does not know the batch, or not for this key.
    #[error("the vendor knows no batch {id}")]
    Unknown {
        /// The batch.
        id: String,
        /// The file that says it was submitted.
        record: String,
    },
}

impl BatchFault {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            BatchFault::NoEndpoint => {
                "leave out --batch, or bind a model of a provider that has one: anthropic or openai".to_owned()
            }
            BatchFault::Expired { .. } | BatchFault::Cancelled { .. } | BatchFault::Missing { .. } => {
                "run the same command again: only what has no answer is submitted anew".to_owned()
            }
            BatchFault::Failed { .. } => {
                "run the same command later, or without --batch: what was answered is kept".to_owned()
            }
            BatchFault::Unknown { record, .. } => {
                format!("use the key it was submitted with, or remove {record} to submit its questions anew")
            }
        }
    }

    /// One word for the ledger.
    pub(super) fn label(&self) -> &'static str {
        match self {
            BatchFault::NoEndpoint => "not_sent",
            BatchFault::Expired { .. } => "expired",
            BatchFault::Cancelled { .. } => "cancelled",
            BatchFault::Failed { .. } => "failed",
            BatchFault::Missing { .. } | BatchFault::Unknown { .. } => "missing",
        }
    }
}
