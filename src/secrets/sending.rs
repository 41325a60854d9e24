//! Credentials in text that is about to leave the machine: more is masked there than in a plan, since a hole in what a model reads
//! costs little and a key that was sent cannot be called back.

use std::sync::LazyLock;

use regex::Regex;

use super::{SecretMatch, find, is_checksum, kind_of_name, plausible};

/// A name and the value bound to it: quoted anywhere, or bare at the end of a line as in YAML, shell and settings.
static BOUND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?m)([A-Za-z_][A-Za-z0-9_.-]{0,100})["'`\]]{0,2}(?:\s{0,4}:\s{0,4}[&'A-Za-z<>: ]{1,24})?\s{0,4}(?::=|=>|[:=])\s{0,4}"#,
        r#"(?:r#{0,2}|b)?(?:["'`]([A-Za-z0-9+/=_.~!@#%^&*-]{8,512})["'`]|([A-Za-z0-9+/=_.~!@#%^&*-]{8,512})\s*$)"#
    ))
    .expect("the pattern is tested")
});

/// A password in an address, whatever it looks like.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[a-z][a-z0-9+.-]{1,30}://[^\s/:@"'`]{0,100}:([^\s/@"'`]{4,200})@"#).expect("the pattern is tested")
});

/// Shortest value that is masked for its looks alone.
const SHORTEST: usize = 24;

/// Every credential in `text`, and what may be one.
pub fn find_to_send(text: &str) -> Vec<SecretMatch> {
    let mut found = find(text);
    for captures in USERINFO.captures_iter(text) {
        let Some(value) = captures.get(1) else { continue };
        let known = found.iter().any(|secret| secret.range.start < value.end() && value.start() < secret.range.end);
        if !known && !plausible::is_placeholder(value.as_str()) {
            found.push(SecretMatch { kind: "password", range: value.range() });
        }
    }
    let certain = found.len();
    for captures in BOUND.captures_iter(text) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2).or(captures.get(3))) else { continue };
        let range = value.range();
        let value = value.as_str();
        let overlaps = |secret: &SecretMatch| secret.range.start < range.end && range.start < secret.range.end;
        if found[..certain].iter().any(overlaps) || is_checksum(value) || plausible::is_placeholder(value) {
            continue;
        }
        let kind = match kind_of_name(name.as_str()) {
            Some(kind) if looks_random(value, 3.0) => kind,
            None if value.len() >= SHORTEST && has_all_classes(value) && looks_random(value, 4.0) => "high-entropy",
            Some(_) | None => continue,
        };
        found.push(SecretMatch { kind, range });
    }
    found.sort_by_key(|secret| secret.range.start);
    found
}

/// `text` as it may leave the machine.
pub fn mask_to_send(text: &str) -> String {
    super::masked(text, &find_to_send(text))
}

fn looks_random(value: &str, bits: f64) -> bool {
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    // A path or a dotted name is random in no part of it.
    let longest = value.split(['/', '.']).map(str::len).max().unwrap_or(0);
    has_letter && has_digit && longest * 2 > value.len() && plausible::entropy(value) >= bits
}

fn has_all_classes(value: &str) -> bool {
    let has = |class: fn(&u8) -> bool| value.as_bytes().iter().any(class);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_credential_does_not_leave() {
        for text in [
            "export const dbPassword = 'KPSvAni2thQDZYQCMb39yRLA'",
            "password: hunting4season",
            "postgres://app:correct-horse@db/app",
            "sessionSalt = \"q7Lw0ZtPx3VbN8mKcR5yTdGh\"",
        ] {
            assert!(mask_to_send(text).contains("[secret:"), "{text}");
        }
    }

    #[test]
    fn what_a_model_needs_to_read_stays() {
        for text in [
            "import x from './components/upload/EditableUpload2'",
            "integrity: \"sha512-q7Lw0ZtPx3VbN8mKcR5yTdGhq7Lw0ZtPx3VbN8mKcR5yTdGh==\"",
            "const password = process.env.DB_PASSWORD_2",
            "id = \"3f2504e0-4f89-11d3-9a0c-0305e82c3301\"",
            "const commit = \"4318ec0f73fa45e9a79ef563872bd0e6d0ae1122\"",
            "version = \"1.2.3-beta.4\"",
            "const url = 'https://example.com/v2/customers'",
        ] {
            assert_eq!(mask_to_send(text), text);
        }
    }
}
