//! How the ledger puts what happened.

use std::time::SystemTime;

use crate::model::error::{ModelError, RefusalKind, ReplyFault};
use crate::model::roles::Bound;

/// The model for the ledger.
pub(super) fn asked_model(bound: &Bound) -> String {
    if bound.model.is_empty() { "default".to_owned() } else { bound.model.clone() }
}

/// One word for the ledger.
pub(super) fn label(error: &ModelError) -> &'static str {
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

pub(super) fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| time.round(jiff::Unit::Second).unwrap_or(time).to_string())
        .unwrap_or_default()
}

pub(super) fn millis(began: SystemTime, ended: SystemTime) -> u64 {
    u64::try_from(ended.duration_since(began).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
