//! What a vendor's batch endpoint wants and says, as pure functions.

use std::time::SystemTime;

use serde_json::Value;

use crate::model::error::{Refusal, ReplyFault};
use crate::model::protocol::refusal_of;

/// A batch endpoint.
pub(crate) trait BatchWire: Sync {
    /// A file that has to be there before the submission, where the endpoint wants one. `path` is the wire's, below the base URL.
    fn upload(&self, items: &[Item<'_>], path: &str) -> Option<Outgoing>;

    /// The submission. `uploaded` is the id of the file.
    fn submission(&self, items: &[Item<'_>], path: &str, uploaded: Option<&str>) -> Outgoing;

    /// Where to look how it goes, below the base URL.
    fn path(&self, id: &str) -> String;

    /// Reads how it goes.
    fn status(&self, body: &Value) -> Result<Status, ReplyFault>;

    /// Reads a line of the results: which question it is about, and what came of it.
    fn result(&self, line: &Value, now: SystemTime) -> Option<(String, Outcome)>;
}

/// One question of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// Names it among the results.
    pub id: &'a str,
    /// Its body.
    pub body: &'a Value,
}

/// A request to the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Below the base URL.
    pub path: &'static str,
    /// What the body is.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A batch, as the vendor has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// Its id.
    pub id: String,
    /// How it goes.
    pub state: State,
}

/// How a batch goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It goes on.
    Open {
        /// Questions that are done with.
        done: u64,
    },
    /// It ended.
    Ended {
        /// Where the results are, below the base URL.
        results: Vec<String>,
        /// What became of questions that have no result.
        rest: Rest,
    },
}

/// What became of questions that have no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nobody knows.
    Missing,
    /// The vendor did not get to them in time.
    Expired,
    /// They were cancelled.
    Cancelled,
    /// The batch was refused as a whole.
    Failed(String),
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// It was answered: the body that the wire would have sent, and the server's id of the request.
    Answered(Value, Option<String>),
    /// It was refused.
    Refused(Refusal),
    /// The vendor did not get to it in time.
    Expired,
    /// It was cancelled.
    Cancelled,
}

/// The no in `body`, as if it had come with `status`; 0 where there was none.
pub(super) fn refused(status: u16, body: &Value, now: SystemTime) -> Outcome {
    let bytes = serde_json::to_vec(body).expect("a body is JSON");
    Outcome::Refused(refusal_of(status, &[], &bytes, now))
}

/// An id that the vendor gave, if it can stand in a path and in the name of a file as it is.
pub(crate) fn id_of(body: &Value, field: &str) -> Result<String, ReplyFault> {
    let id = body.get(field).and_then(Value::as_str).unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > 200 || !id.bytes().all(fits) {
        return Err(ReplyFault::Malformed(format!("its `{field}` is none")));
    }
    Ok(id.to_owned())
}
