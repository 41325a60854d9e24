//! What a try came to: an answer that can be used, or what went wrong and whether it may pass.

use std::time::Duration;

use serde_json::Value;

use super::Session;
use super::hearing::{Hearing, read_body};
use super::preparing::Prepared;
use crate::http::{Answer, TransportFault};
use crate::model::error::{ModelError, Refusal, RefusalKind, ReplyFault};
use crate::model::money::NanoDollars;
use crate::model::protocol::{Protocol, refusal_of};
use crate::model::reply::{Reply, Stop};
use crate::model::usage::Usage;

/// What a try came to.
pub(super) enum Judged {
    Answered { reply: Box<Reply>, body: Value, request_id: Option<String> },
    Failed { error: ModelError, passes: bool, asked: Option<Duration>, request_id: Option<String>, bill: Bill },
}

/// What a try that failed may have cost.
pub(super) struct Bill {
    /// Somebody may have worked for it.
    pub(super) billed: bool,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<NanoDollars>,
}

impl Bill {
    /// What a server says of a failure: nothing of tokens.
    pub(super) fn unread(billed: bool) -> Bill {
        Bill { billed, usage: None, cost: None }
    }
}

impl Session<'_> {
    /// What a try came to.
    pub(super) fn judge(
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
        let fault = match body.map(|body| usable(wire, body)) {
            Ok(Ok((reply, body))) => return Judged::Answered { reply: Box::new(reply), body, request_id },
            Ok(Err(useless)) => useless,
            Err(fault) => Useless { fault, usage: None },
        };
        let Useless { fault, usage } = fault;
        let passes = fault.passes();
        let error = ModelError::Unusable { model, fault };
        Judged::Failed { error, passes, asked: None, request_id, bill: Bill { usage, ..Bill::unread(true) } }
    }

    /// What an answer that is no answer says. A date in it is read by the server's own clock, which may be another than ours.
    pub(super) fn refusal(&self, answer: &Answer) -> Refusal {
        let date = header(answer, "date").and_then(|date| httpdate::parse_http_date(&date).ok());
        refusal_of(answer.status, &answer.headers, &answer.body, date.unwrap_or_else(|| self.clock.now()))
    }

    /// A vendor says of a prompt that is too long only that the request is invalid. By its size it can be told apart.
    pub(super) fn recognise_overflow(&self, prepared: &Prepared<'_>, refusal: &mut Refusal) {
        let context = prepared.question.bound.entry.as_ref().map(|entry| entry.context);
        if refusal.kind == RefusalKind::BadRequest && context.is_some_and(|context| prepared.prompt > context / 5 * 3) {
            refusal.kind = RefusalKind::TooLarge;
        }
    }
}

/// An answer that no caller can use, and what it took all the same.
pub(super) struct Useless {
    pub(super) fault: ReplyFault,
    pub(super) usage: Option<Usage>,
}

/// Reads the body of an answer, except for what no caller can use.
pub(super) fn usable(wire: &dyn Protocol, body: Value) -> Result<(Reply, Value), Useless> {
    let reply = wire.decode(&body).map_err(|fault| Useless { fault, usage: None })?;
    let useless = |fault| Err(Useless { fault, usage: reply.usage });
    match reply.stop {
        Stop::ContextFull => useless(ReplyFault::ContextFull),
        Stop::End if reply.text.trim().is_empty() && reply.calls.is_empty() => useless(ReplyFault::Empty),
        Stop::End | Stop::ToolCalls | Stop::Length | Stop::Refused(_) | Stop::Paused | Stop::Other(_) => {
            Ok((reply, body))
        }
    }
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
}
