//! OpenAI's Batch API: a file of questions, a batch of that file, and up to two files of results.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::wire::{BatchWire, Item, Outcome, Outgoing, Rest, State, Status, id_of, refused};
use crate::model::error::ReplyFault;

/// The endpoint.
pub(super) struct FileBatches;

/// Seconds after which the vendor forgets the file of questions: a batch ends within a day. By default it keeps files for 30.
const KEPT: u32 = 3 * 24 * 60 * 60;

/// Path of a wire as the endpoint names it: the version stands in our base URLs.
fn endpoint(path: &str) -> String {
    format!("/v1{path}")
}

impl BatchWire for FileBatches {
    fn upload(&self, items: &[Item<'_>], path: &str) -> Option<Outgoing> {
        let mut lines = String::new();
        for item in items {
            let line = json!({"custom_id": item.id, "method": "POST", "url": endpoint(path), "body": item.body});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        // Sixteen digits that depend on every byte between the boundaries are in none of them, except by intent.
        let boundary = format!("improve-{:016x}", xxhash_rust::xxh3::xxh3_64(lines.as_bytes()));
        let mut body = String::new();
        let kept = KEPT.to_string();
        for (name, value) in
            [("purpose", "batch"), ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", &kept)]
        {
            body.push_str(&format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str(&format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"questions.jsonl\"\r\n\
             content-type: application/jsonl\r\n\r\n{lines}\r\n--{boundary}--\r\n"
        ));
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Some(Outgoing { path: "/files", content_type, body: body.into_bytes() })
    }

    fn submission(&self, _items: &[Item<'_>], path: &str, uploaded: Option<&str>) -> Outgoing {
        let body = json!({"input_file_id": uploaded, "endpoint": endpoint(path), "completion_window": "24h"});
        Outgoing {
            path: "/batches",
            content_type: "application/json".to_owned(),
            body: serde_json::to_vec(&body).expect("a body is JSON"),
        }
    }

    fn path(&self, id: &str) -> String {
        format!("/batches/{id}")
    }

    fn status(&self, body: &Value) -> Result<Status, ReplyFault> {
        let id = id_of(body, "id")?;
        let rest = match body.get("status").and_then(Value::as_str) {
            Some("completed") => Rest::Missing,
            Some("expired") => Rest::Expired,
            Some("cancelled") => Rest::Cancelled,
            Some("failed") => Rest::Failed(why(body)),
            Some(_) => {
                let count = |field: &str| body["request_counts"][field].as_u64().unwrap_or(0);
                return Ok(Status { id, state: State::Open { done: count("completed") + count("failed") } });
            }
            None => return Err(ReplyFault::Malformed("it has no `status`".to_owned())),
        };
        let files = ["output_file_id", "error_file_id"].into_iter().filter(|field| body[*field].is_string());
        let results = files.map(|field| Ok(format!("/files/{}/content", id_of(body, field)?)));
        Ok(Status { id, state: State::Ended { results: results.collect::<Result<_, ReplyFault>>()?, rest } })
    }

    fn result(&self, line: &Value, now: SystemTime) -> Option<(String, Outcome)> {
        let id = line.get("custom_id")?.as_str()?.to_owned();
        let outcome = match line.get("response").filter(|response| response.is_object()) {
            Some(response) => {
                let status = response.get("status_code")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
                let body = response.get("body")?;
                match status {
                    200..300 => {
                        let request_id = response.get("request_id").and_then(Value::as_str).map(str::to_owned);
                        Outcome::Answered(body.clone(), request_id)
                    }
                    _ => refused(status, body, now),
                }
            }
            None => match line.get("error")?.get("code")?.as_str()? {
                "batch_expired" => Outcome::Expired,
                "batch_cancelled" => Outcome::Cancelled,
                _ => refused(0, line, now),
            },
        };
        Some((id, outcome))
    }
}

/// What the vendor says of a batch that it refused as a whole: the first of its errors.
fn why(body: &Value) -> String {
    let error = &body["errors"]["data"][0];
    let said = |field: &str| error[field].as_str().unwrap_or_default();
    match (said("code"), said("message")) {
        ("", "") => "the vendor does not say why".to_owned(),
        ("", text) | (text, "") => crate::secrets::mask(text),
        (code, message) => crate::secrets::mask(&format!("{code}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::RefusalKind;

    #[test]
    fn the_file_has_a_line_for_each_question() {
        let body = json!({"model": "m", "input": "--improve"});
        let items = [Item { id: "k1", body: &body }, Item { id: "k2", body: &body }];
        let upload = FileBatches.upload(&items, "/responses").unwrap();
        let text = String::from_utf8(upload.body).unwrap();
        let boundary = upload.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        assert_eq!(parts.len(), 6, "nothing before, four parts, the end: {text}");
        let lines: Vec<Value> = parts[4]
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let line = |id: &str| json!({"custom_id": id, "method": "POST", "url": "/v1/responses", "body": body});
        assert_eq!(lines, [line("k1"), line("k2")]);
    }

    #[test]
    fn every_end_that_the_vendor_names_is_read() {
        let end = |status: &str| {
            let errors = json!({"data": [{"code": "token_limit_exceeded", "message": "Enqueued too much."}]});
            let body = json!({"id": "batch_1", "status": status, "output_file_id": "file-1", "errors": errors});
            FileBatches.status(&body).unwrap().state
        };
        let ended = |rest: Rest| State::Ended { results: vec!["/files/file-1/content".to_owned()], rest };
        assert_eq!(end("completed"), ended(Rest::Missing));
        assert_eq!(end("expired"), ended(Rest::Expired));
        assert_eq!(end("cancelled"), ended(Rest::Cancelled));
        assert_eq!(end("failed"), ended(Rest::Failed("token_limit_exceeded: Enqueued too much.".to_owned())));
        assert_eq!(end("finalizing"), State::Open { done: 0 });
    }

    #[test]
    fn every_result_that_the_vendor_names_is_read() {
        let read = |response: Value, error: Value| {
            let line = json!({"id": "r", "custom_id": "k", "response": response, "error": error});
            FileBatches.result(&line, SystemTime::UNIX_EPOCH).map(|(_, outcome)| outcome)
        };
        let answered = read(json!({"status_code": 200, "request_id": "r1", "body": {"output": []}}), Value::Null);
        assert_eq!(answered, Some(Outcome::Answered(json!({"output": []}), Some("r1".to_owned()))));
        let no = json!({"status_code": 429, "body": {"error": {"code": "rate_limit_exceeded", "message": "slow"}}});
        match read(no, Value::Null) {
            Some(Outcome::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::RateLimit),
            other => panic!("{other:?}"),
        }
        assert_eq!(read(Value::Null, json!({"code": "batch_expired", "message": "x"})), Some(Outcome::Expired));
        assert_eq!(read(Value::Null, Value::Null), None);
    }
}
