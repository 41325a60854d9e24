//! What a server says when it says no. Decided on status and codes; the words are for people.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::super::error::{Refusal, RefusalKind};

/// A message longer than this is cut: some servers send their whole error page.
const LONGEST: usize = 300;

/// Codes of an account that may spend no more: trying again does not help.
const BILLING: [&str; 6] = [
    "insufficient_quota",
    "billing_error",
    "billing_hard_limit_reached",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "insufficient_balance",
];
/// Codes of a prompt that is too long.
const TOO_LONG: [&str; 4] =
    ["context_length_exceeded", "request_too_large", "string_above_max_length", "exceed_context_size_error"];

/// The no of an answer.
pub(super) fn of(status: u16, headers: &[(String, String)], body: &[u8], now: SystemTime) -> Refusal {
    let header = |name: &str| {
        headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let parsed: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut refusal = of_body(&parsed, status);
    if refusal.message.is_empty() && parsed.is_null() {
        refusal.message = plain(&String::from_utf8_lossy(body));
    }
    refusal.request_id = header("request-id").or_else(|| header("x-request-id")).or(refusal.request_id);
    refusal.retry_after = header("retry-after-ms")
        .and_then(|text| text.parse::<f64>().ok())
        .and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok())
        .or_else(|| header("retry-after").and_then(|text| retry_after(&text, now)));
    refusal.should_retry = header("x-should-retry").and_then(|text| text.parse().ok());
    // A limit on spending looks like a rate limit and does not pass.
    if refusal.kind == RefusalKind::Billing {
        refusal.should_retry = Some(false);
    }
    refusal
}

/// Seconds, with fractions or without, or an HTTP date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The no inside an event, if the event is one.
pub(super) fn in_stream(event: &Value) -> Option<Refusal> {
    let is_error = event.get("error").is_some_and(|error| !error.is_null() && !error.is_boolean())
        || event.get("type").is_some_and(|kind| kind == "error");
    // A `response.failed` event carries its error inside the response, where its own wire looks for it.
    is_error.then(|| of_body(event, 0))
}

/// The no of a body: `{error: {type, code, message}}`, `[{error: …}]`, `{error: "…"}`, `{message: …}`.
pub(super) fn of_body(body: &Value, status: u16) -> Refusal {
    let body = body.as_array().and_then(|list| list.first()).unwrap_or(body);
    let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let code = text(error, "code")
        .or_else(|| error.get("details").and_then(|details| text(details, "error_code")))
        .or_else(|| text(error, "type"))
        .unwrap_or_default();
    let inner_status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let message = error.as_str().map(str::to_owned).or_else(|| text(error, "message")).unwrap_or_default();
    let told = if status == 0 { inner_status.unwrap_or(0) } else { status };
    Refusal {
        kind: kind(told, &code, &text(error, "type").unwrap_or_default()),
        status,
        message: plain(&message),
        request_id: text(body, "request_id"),
        retry_after: None,
        should_retry: None,
    }
}

fn kind(status: u16, code: &str, error_type: &str) -> RefusalKind {
    let is = |codes: &[&str]| codes.contains(&code) || codes.contains(&error_type);
    if is(&BILLING) {
        return RefusalKind::Billing;
    }
    if is(&TOO_LONG) {
        return RefusalKind::TooLarge;
    }
    match status {
        400 | 422 => RefusalKind::BadRequest,
        401 => RefusalKind::Unauthorized,
        402 => RefusalKind::Billing,
        403 => RefusalKind::Forbidden,
        404 => RefusalKind::NotFound,
        413 => RefusalKind::TooLarge,
        429 => RefusalKind::RateLimit,
        500..=599 => RefusalKind::Server,
        0 => match error_type {
            "overloaded_error" | "api_error" | "server_error" | "timeout_error" => RefusalKind::Server,
            "rate_limit_error" | "rate_limit_exceeded" => RefusalKind::RateLimit,
            "invalid_request_error" => RefusalKind::BadRequest,
            "authentication_error" => RefusalKind::Unauthorized,
            "permission_error" => RefusalKind::Forbidden,
            "not_found_error" => RefusalKind::NotFound,
            _ => RefusalKind::Other,
        },
        _ => RefusalKind::Other,
    }
}

/// One line, without the tags of an error page.
fn plain(text: &str) -> String {
    let mut inside = false;
    let without_tags: String = text
        .chars()
        .filter(|&character| {
            let keep = !inside && character != '<';
            match character {
                '<' => inside = true,
                '>' => inside = false,
                _ => {}
            }
            keep
        })
        .collect();
    let text = if text.trim_start().starts_with('<') { &without_tags } else { text };
    let mut line: String = crate::secrets::mask(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        of(status, &headers, body.as_bytes(), SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_spent_quota_is_no_rate_limit() {
        let limit =
            read(429, &[("Retry-After", "1.5")], r#"{"error":{"code":"rate_limit_exceeded","message":"slow"}}"#);
        assert_eq!((limit.kind, limit.retry_after), (RefusalKind::RateLimit, Some(Duration::from_millis(1_500))));
        let quota = read(429, &[], r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#);
        assert_eq!((quota.kind, quota.should_retry), (RefusalKind::Billing, Some(false)));
        let spend = r#"{"type":"error","error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
        assert_eq!(read(429, &[], spend).kind, RefusalKind::Billing);
    }

    #[test]
    fn every_shape_of_error_is_read() {
        assert_eq!(read(503, &[], r#"{"error":{"code":503,"message":"loading"}}"#).message, "loading");
        assert_eq!(read(400, &[], r#"[{"error":{"message":"no"}}]"#).message, "no");
        assert_eq!(read(404, &[], r#"{"error":"model not found"}"#).message, "model not found");
        assert_eq!(read(502, &[], "<html><h1>Bad  Gateway</h1></html>").message, "Bad Gateway");
        assert_eq!(read(500, &[("x-request-id", "r1")], "").request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn a_date_is_a_wait_too() {
        let date = read(503, &[("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT")], "{}");
        assert_eq!(date.retry_after, Some(Duration::from_secs(9)));
        assert_eq!(read(503, &[("retry-after-ms", "250")], "{}").retry_after, Some(Duration::from_millis(250)));
        assert_eq!(read(503, &[("retry-after", "-5")], "{}").retry_after, None);
    }

    #[test]
    fn a_context_overflow_is_told_by_its_code() {
        let body = r#"{"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"x"}}"#;
        assert_eq!(read(400, &[], body).kind, RefusalKind::TooLarge);
    }
}
