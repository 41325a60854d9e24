//! Secrets: credentials in text, found by form or by the name they are bound to, and masked as `[secret:kind]`.
//!
//! Pure. Precise rather than complete: what looks like a placeholder, a word, a lookup or a checksum is left alone, since a
//! plan with holes where no secret was cannot be carried out.

use std::ops::Range;

mod forms;
mod named;
pub(crate) mod of_files;
mod plausible;
mod sending;

pub use sending::{find_to_send, mask_to_send};

use forms::{CUES, FORMS};

/// A credential in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMatch {
    /// What it is, as in `[secret:github-token]`.
    pub kind: &'static str,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Shortest text that can hold a credential: `pwd=` and eight bytes.
const SHORTEST: usize = 12;
/// Shortest credential with a form of its own: an AWS access key.
const SHORTEST_FORM: usize = 20;

/// Every credential in `text`, by position, none overlapping.
pub fn find(text: &str) -> Vec<SecretMatch> {
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let mut found = Vec::new();
    if text.len() >= SHORTEST_FORM && CUES.is_match(text) {
        find_forms(text, &mut found);
    }
    if text.contains("://") {
        find_userinfo(text, &mut found);
    }
    named::each(text, |name, value| {
        if let Some(kind) = kind_of_name(name)
            && is_named_secret(kind, &text[value.clone()])
        {
            found.push(SecretMatch { kind, range: value });
        }
    });
    // Stable, and forms were found first: where two begin together the form's own name wins.
    found.sort_by_key(|secret| secret.range.start);
    let mut end = 0;
    found.retain(|secret| {
        let keep = secret.range.start >= end;
        if keep {
            end = secret.range.end;
        }
        keep
    });
    found
}

/// What `value`, the content of one string literal bound to `name`, is, if it is or holds a credential.
pub fn of_value(name: Option<&str>, value: &str) -> Option<&'static str> {
    if let Some(found) = find(value).first() {
        return Some(found.kind);
    }
    let kind = kind_of_name(name?)?;
    is_named_secret(kind, value).then_some(kind)
}

/// `text` with every credential replaced by its mark.
pub fn mask(text: &str) -> String {
    masked(text, &find(text))
}

fn masked(text: &str, found: &[SecretMatch]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for secret in found {
        masked.push_str(&text[from..secret.range.start]);
        masked.push_str("[secret:");
        masked.push_str(secret.kind);
        masked.push(']');
        from = secret.range.end;
    }
    masked.push_str(&text[from..]);
    masked
}

fn find_forms(text: &str, found: &mut Vec<SecretMatch>) {
    for form in FORMS.iter().filter(|form| text.contains(form.needle)) {
        for captures in form.pattern().captures_iter(text) {
            let Some(whole) = captures.get(1).or_else(|| captures.get(0)) else { continue };
            let value = whole.as_str().strip_prefix(form.needle).unwrap_or(whole.as_str());
            // The payload of the token that every tutorial about them shows.
            let is_tutorial = form.kind == "jwt" && value.contains("eyJzdWIiOiIxMjM0NTY3ODkw");
            // A key block is random by construction; its head would read as a placeholder.
            if !is_tutorial && (form.kind == "private-key" || !plausible::is_placeholder(value)) {
                found.push(SecretMatch { kind: form.kind, range: whole.range() });
            }
        }
    }
}

/// `scheme://user:password@host`.
fn find_userinfo(text: &str, found: &mut Vec<SecretMatch>) {
    let mut from = 0;
    for (at, mark) in text.match_indices("://") {
        if !ends_in_scheme(&text[from..at]) {
            continue;
        }
        let start = at + mark.len();
        let Some((user, password, host)) = userinfo(&text[start..]) else { continue };
        let password_start = start + user.len() + 1;
        from = password_start + password.len() + 1 + host.len();
        let is_local =
            ["localhost", "127.", "0.0.0.0", "[", "host.docker.internal"].iter().any(|local| host.starts_with(local))
                || !host.contains('.');
        if is_local || user == password || plausible::is_placeholder(password) || !plausible::is_random(password, 6) {
            continue;
        }
        found.push(SecretMatch { kind: "url-password", range: password_start..password_start + password.len() });
    }
}

/// Whether `before` ends in a letter and 1 to 20 letters, digits and signs of a scheme.
fn ends_in_scheme(before: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    let scheme = before.as_bytes().iter().rev().take(21).take_while(|byte| is_part(byte));
    scheme.skip(1).any(u8::is_ascii_alphabetic)
}

/// User, password and host at the start of `rest`, when they are of sizes that occur.
fn userinfo(rest: &str) -> Option<(&str, &str, &str)> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '"' | '\'' | '`' | '<' | '>');
    let (user, rest) = rest.split_at(rest.find(|c| c == ':' || ends(c))?);
    let rest = rest.strip_prefix(':')?;
    let (password, rest) = rest.split_at(rest.find(ends)?);
    let rest = rest.strip_prefix('@')?;
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'[' | b'-');
    let host = &rest[..rest.bytes().take_while(is_host).count()];
    let fits = user.chars().count() <= 100 && (1..=200).contains(&password.chars().count()) && !host.is_empty();
    fits.then_some((user, password, host))
}

/// Starts of keys that their issuers mean to be shown to everybody: PostHog's project keys, publishable keys of Stripe and of those who
/// copy its forms, Mapbox's public tokens.
const PUBLIC: &[&str] = &["phc_", "pk_live_", "pk_test_", "sb_publishable_", "pk.ey"];

fn is_named_secret(kind: &str, value: &str) -> bool {
    if PUBLIC.iter().any(|start| value.starts_with(start)) {
        return false;
    }
    let min_length = if kind == "password" { 8 } else { 16 };
    plausible::is_random(value, min_length) && !plausible::is_placeholder(value) && !is_checksum(value)
}

/// `sha512-…`, `sha256:…`: checksums of lock files and integrity attributes.
fn is_checksum(value: &str) -> bool {
    ["sha1", "sha256", "sha384", "sha512", "md5", "blake3"]
        .iter()
        .any(|name| value.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', ':', '='])))
}

/// What a name says its value is, if it says credential: judged by its last words, so that `tokenUrl` and `secret_name` do not.
fn kind_of_name(name: &str) -> Option<&'static str> {
    let words = words(name);
    let says = |word: &str| words.iter().any(|own| own == word);
    let last = words.last()?.trim_end_matches('s');
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    const NOT_SECRET: &[&str] = &[
        "public",
        "page",
        "next",
        "cancel",
        "cursor",
        "continuation",
        "csrf",
        "test",
        "mock",
        "fake",
        "example",
        "dummy",
        "invalid",
        "wrong",
        "hash",
        "hashed",
        "cache",
        "site",
        "publishable",
        "design",
        "i18n",
        "translation",
        "sort",
    ];
    if NOT_SECRET.iter().any(|word| says(word)) {
        return None;
    }
    match last {
        "password" | "passwd" | "passphrase" | "pwd" => Some("password"),
        "secret" => Some("secret"),
        "token" | "authtoken" | "accesstoken" => Some("token"),
        "credential" => Some("credential"),
        "apikey" | "secretkey" | "accesskey" | "privatekey" => Some("api-key"),
        "key" => match before? {
            "api" | "apis" => Some("api-key"),
            "secret" | "access" | "private" | "auth" | "encryption" | "signing" | "account" | "master" | "service" => {
                Some("secret-key")
            }
            _ => None,
        },
        _ => None,
    }
}

/// The words of an identifier in lower case: `clientSecret`, `CLIENT_SECRET` and `client-secret` are `["client", "secret"]`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            before = '_';
            continue;
        }
        let starts = before == '_' || (character.is_ascii_uppercase() && !before.is_ascii_uppercase());
        if starts || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random by construction, so that no credential stands in this file.
    fn noise(alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                letters[(state >> 33) as usize % letters.len()]
            })
            .collect()
    }

    const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const HEX: &str = "0123456789abcdef";

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text).into_iter().map(|secret| secret.kind).collect()
    }

    #[test]
    fn each_known_form_is_found_and_masked_whole() {
        let jwt = format!("eyJ{}.eyJ{}.{}", noise(BASE62, 30), noise(BASE62, 60), noise(BASE62, 43));
        let cases = [
            ("aws-access-key", format!("AKIA{}", noise(BASE32, 16))),
            ("github-token", format!("ghp_{}", noise(BASE62, 36))),
            ("github-token", format!("github_pat_{}_{}", noise(BASE62, 22), noise(BASE62, 59))),
            ("gitlab-token", format!("glpat-{}", noise(BASE62, 20))),
            ("slack-token", format!("xoxb-{}", noise(BASE62, 40))),
            ("stripe-key", format!("sk_live_{}", noise(BASE62, 24))),
            ("openai-key", format!("sk-proj-{}", noise(BASE62, 48))),
            ("openai-key", format!("sk-{}", noise(BASE62, 48))),
            ("anthropic-key", format!("sk-ant-api03-{}", noise(BASE62, 80))),
            ("google-api-key", format!("AIza{}", noise(BASE62, 35))),
            ("npm-token", format!("npm_{}", noise(BASE62, 36))),
            ("pypi-token", format!("pypi-AgE{}", noise(BASE62, 60))),
            ("sendgrid-key", format!("SG.{}.{}", noise(BASE62, 22), noise(BASE62, 43))),
            ("twilio-key", format!("SK{}", noise(HEX, 32))),
            ("jwt", jwt),
        ];
        for (kind, token) in cases {
            let text = format!("before {token} after");
            assert_eq!(kinds(&text), [kind], "{text}");
            assert_eq!(mask(&text), format!("before [secret:{kind}] after"));
        }
    }

    #[test]
    fn private_keys_are_masked_with_and_without_their_end() {
        let body = noise(BASE62, 64);
        let head = ["-----BEGIN RSA PRIVATE", "KEY-----"].join(" ");
        let tail = ["-----END RSA PRIVATE", "KEY-----"].join(" ");
        assert_eq!(mask(&format!("a\n{head}\n{body}\n{tail}\nb")), "a\n[secret:private-key]\nb");
        assert_eq!(mask(&format!("{head}\\n{body}")), "[secret:private-key]");
        assert_eq!(kinds(&format!("match line {{ \"{head}\" => true }}")), [] as [&str; 0]);
    }

    #[test]
    fn values_bound_to_a_telling_name_are_found_in_every_notation() {
        let value = noise(BASE62, 24);
        for (kind, text) in [
            ("password", format!("const dbPassword = \"{value}\";")),
            ("secret", format!("clientSecret: '{value}',")),
            ("token", format!("\"auth_token\": \"{value}\"")),
            ("api-key", format!("const API_KEY: &str = \"{value}\";")),
            ("api-key", format!("api-key: {value}")),
            ("secret-key", format!("export APP_SECRET_KEY={value}\n")),
            ("password", format!("password: string = \"{value}\"")),
        ] {
            assert_eq!(kinds(&text), [kind], "{text}");
            assert!(!mask(&text).contains(&value));
        }
        assert_eq!(of_value(Some("STRIPE_SECRET"), &value), Some("secret"));
        assert_eq!(of_value(None, &value), None);
    }

    #[test]
    fn the_password_of_a_url_is_masked_and_nothing_else() {
        let password = noise(BASE62, 16);
        assert_eq!(
            mask(&format!("postgres://app:{password}@db.acme.io:5432/shop")),
            "postgres://app:[secret:url-password]@db.acme.io:5432/shop"
        );
    }

    #[test]
    fn what_only_looks_like_a_secret_is_quiet() {
        let hash = noise(HEX, 64);
        let quiet = [
            "password = \"changeme123\"".to_owned(),
            "password: \"<your password 1>\"".to_owned(),
            "API_KEY=${API_KEY_V2_PROD}".to_owned(),
            "apiKey: process.env.API_KEY_2024".to_owned(),
            "const token = \"xxxxxxxxxxxxxxxxxxxxxxxx\"".to_owned(),
            "const token = 'AAAAAAAAAAAAAAAAAAAAAAAAAA'".to_owned(),
            "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE".to_owned(),
            "token: 'refresh_token_v2_session'".to_owned(),
            "secret: '0123456789abcdef0123456789abcdef'".to_owned(),
            "password: 'correct-horse-battery-staple'".to_owned(),
            format!("\"integrity\": \"sha512-{}==\"", noise(BASE62, 86)),
            format!("checksum = \"{hash}\""),
            format!("passwordHash: '{hash}'"),
            format!("tokenUrl: 'https://id.acme.io/{hash}'"),
            format!("public_key = \"{hash}\""),
            format!("<li key=\"{hash}\">"),
            "api_token: '550e8400-e29b-41d4-a716-446655440000'".to_owned(),
            "postgres://postgres:postgres@localhost:5432/app".to_owned(),
            "postgres://user:pa55word1@localhost/app".to_owned(),
            "https://user:password@acme.io".to_owned(),
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
            "sk_test_4eC39HqLyjWDarjtT1zdp7dc".to_owned(),
            "data-testid=\"password-input-2\"".to_owned(),
            "if (token === 'EndOfFile' || secret) {".to_owned(),
            "fn token(&self) -> &'static str { \"identifier_2\" }".to_owned(),
        ];
        for text in quiet {
            assert_eq!(kinds(&text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn masking_is_idempotent() {
        let text = format!("token = \"{}\"\nurl = https://a:{}@b.io/", noise(BASE62, 30), noise(BASE62, 20));
        let once = mask(&text);
        assert_ne!(once, text);
        assert_eq!(mask(&once), once);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_masked_without_panic(text in "(?s).{0,300}") {
            let masked = mask(&text);
            proptest::prop_assert_eq!(mask(&masked), masked);
        }
    }
}
