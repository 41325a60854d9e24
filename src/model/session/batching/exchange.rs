//! Requests to a batch endpoint, and which of them may be made again.

use serde_json::Value;

use super::super::hearing::read_body;
use super::super::trying::{chance, exhausted};
use super::super::{Event, Session, headers};
use crate::http::{Answer, Call, Hidden, Method, TransportFault};
use crate::model::batch::BatchFault;
use crate::model::batch::wire::Outgoing;
use crate::model::error::{ModelError, RefusalKind, ReplyFault};
use crate::model::roles::Bound;

/// Statuses with which a server says that it did not even begin. Any other failure of a submission may have had an effect, and
/// submitting again would be paid twice.
const NOT_BEGUN: [u16; 3] = [429, 503, 529];

/// How often a request may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Once, where it may have had an effect.
    Never,
    /// As often as the policy says.
    ByPolicy,
    /// Until it did not work for as long as the policy waits in all: a batch takes hours, and nobody is to lose it to a bad minute.
    Patiently,
}

impl Session<'_> {
    pub(super) fn json(&self, bound: &Bound, answer: Answer) -> Result<Value, ModelError> {
        read_body(&answer.body).map_err(|fault| unusable(bound, fault))
    }

    pub(super) fn get(&self, bound: &Bound, path: &str) -> Result<Answer, ModelError> {
        self.exchange(bound, Method::Get, path, None, Repeat::Patiently)
    }

    pub(super) fn post(&self, bound: &Bound, outgoing: &Outgoing, repeat: Repeat) -> Result<Answer, ModelError> {
        self.exchange(bound, Method::Post, outgoing.path, Some(outgoing), repeat)
    }

    /// Sends a request to the endpoint until it is answered well, or will not be.
    fn exchange(
        &self,
        bound: &Bound,
        method: Method,
        path: &str,
        outgoing: Option<&Outgoing>,
        repeat: Repeat,
    ) -> Result<Answer, ModelError> {
        let Some(located) = bound.server() else {
            return Err(ModelError::Batch { model: bound.name(), fault: BatchFault::NoEndpoint });
        };
        let url = format!("{}{path}", located.base_url);
        let mut headers = headers(located, located.provider.protocol.protocol());
        if let Some(outgoing) = outgoing {
            headers.push(("content-type".to_owned(), Hidden(outgoing.content_type.clone())));
        }
        let call =
            Call { method, url: &url, headers: &headers, body: outgoing.map(|outgoing| outgoing.body.as_slice()) };
        let started = self.clock.now();
        let mut attempt = 1;
        loop {
            if self.cancel.is_cancelled() {
                return Err(ModelError::Cancelled);
            }
            let (error, passes, asked) = match self.transport.send(&call, &mut |_, _| {}, &self.cancel) {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer),
                Ok(answer) => {
                    let refusal = self.refusal(&answer);
                    let passes = refusal.kind != RefusalKind::Billing
                        && self.policy.passes(answer.status, refusal.should_retry)
                        && (repeat != Repeat::Never || NOT_BEGUN.contains(&answer.status));
                    let asked = refusal.retry_after;
                    (ModelError::Refused { model: bound.name(), refusal }, passes, asked)
                }
                Err(TransportFault::Cancelled) => return Err(ModelError::Cancelled),
                Err(fault) => {
                    let passes = fault.passes() && (repeat != Repeat::Never || !fault.may_be_billed());
                    (ModelError::Unreachable { model: bound.name(), fault }, passes, None)
                }
            };
            let wait = self.policy.wait(attempt, asked, chance(&url, attempt, self.clock.now()));
            let elapsed = self.clock.now().duration_since(started).unwrap_or_default();
            let often = attempt >= self.policy.attempts || wait > self.policy.longest_asked;
            if !passes || elapsed + wait > self.policy.deadline || often && repeat != Repeat::Patiently {
                return Err(if passes { exhausted(error, attempt) } else { error });
            }
            let why = error.to_string();
            self.listener.event(&Event::Retrying { purpose: "batch", why: &why, wait });
            self.clock.wait(wait, &self.cancel);
            attempt += 1;
        }
    }
}

/// An answer of the endpoint that cannot be used.
pub(super) fn unusable(bound: &Bound, fault: ReplyFault) -> ModelError {
    ModelError::Unusable { model: bound.name(), fault }
}
