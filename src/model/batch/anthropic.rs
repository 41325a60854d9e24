//! Anthropic's Message Batches: all questions in one request, results as lines in any order.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::wire::{BatchWire, Item, Outcome, Outgoing, Rest, State, Status, id_of, refused};
use crate::model::error::ReplyFault;

/// The endpoint.
pub(super) struct MessageBatches;

impl BatchWire for MessageBatches {
    fn upload(&self, _items: &[Item<'_>], _path: &str) -> Option<Outgoing> {
        None
    }

    fn submission(&self, items: &[Item<'_>], _path: &str, _uploaded: Option<&str>) -> Outgoing {
        let requests: Vec<Value> =
            items.iter().map(|item| json!({"custom_id": item.id, "params": item.body})).collect();
        Outgoing {
            path: "/v1/messages/batches",
            content_type: "application/json".to_owned(),
            body: serde_json::to_vec(&json!({"requests": requests})).expect("a body is JSON"),
        }
    }

    fn path(&self, id: &str) -> String {
        format!("/v1/messages/batches/{id}")
    }

    fn status(&self, body: &Value) -> Result<Status, ReplyFault> {
        let id = id_of(body, "id")?;
        let state = match body.get("processing_status").and_then(Value::as_str) {
            // Not the address that the vendor names: a key goes to no host that the user did not name.
            Some("ended") => State::Ended { results: vec![format!("{}/results", self.path(&id))], rest: Rest::Missing },
            Some(_) => {
                let count = |field: &str| body["request_counts"][field].as_u64().unwrap_or(0);
                State::Open { done: ["succeeded", "errored", "canceled", "expired"].map(count).iter().sum() }
            }
            None => return Err(ReplyFault::Malformed("it has no `processing_status`".to_owned())),
        };
        Ok(Status { id, state })
    }

    fn result(&self, line: &Value, now: SystemTime) -> Option<(String, Outcome)> {
        let id = line.get("custom_id")?.as_str()?.to_owned();
        let result = line.get("result")?;
        let outcome = match result.get("type")?.as_str()? {
            "succeeded" => Outcome::Answered(result.get("message")?.clone(), None),
            "errored" => refused(0, result.get("error")?, now),
            "expired" => Outcome::Expired,
            "canceled" => Outcome::Cancelled,
            _ => return None,
        };
        Some((id, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::RefusalKind;

    #[test]
    fn every_result_that_the_vendor_names_is_read() {
        let read = |result: Value| {
            let line = json!({"custom_id": "k", "result": result});
            MessageBatches.result(&line, SystemTime::UNIX_EPOCH).map(|(_, outcome)| outcome)
        };
        let answered = read(json!({"type": "succeeded", "message": {"content": []}}));
        assert_eq!(answered, Some(Outcome::Answered(json!({"content": []}), None)));
        let error = json!({"type": "error", "request_id": "req_1", "error": {"type": "invalid_request_error", "message": "no"}});
        match read(json!({"type": "errored", "error": error})) {
            Some(Outcome::Refused(refusal)) => {
                assert_eq!((refusal.kind, refusal.message.as_str()), (RefusalKind::BadRequest, "no"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(read(json!({"type": "expired"})), Some(Outcome::Expired));
        assert_eq!(read(json!({"type": "canceled"})), Some(Outcome::Cancelled));
        assert_eq!(read(json!({"type": "later_invention"})), None);
    }

    #[test]
    fn an_id_that_would_lead_elsewhere_is_none() {
        let body = |id: &str| json!({"id": id, "processing_status": "ended"});
        assert!(MessageBatches.status(&body("../../v1/models")).is_err());
        let ended = State::Ended { results: vec!["/v1/messages/batches/b_1/results".to_owned()], rest: Rest::Missing };
        assert_eq!(MessageBatches.status(&body("b_1")).unwrap(), Status { id: "b_1".to_owned(), state: ended });
    }
}
