//! Reads: where a secret is read from the environment, and which string takes its place.

use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts, Lines, SymbolIndex};
use crate::repo_map::name::{Name, words};

/// A value that may be one.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The value.
    pub value: &'a Expr,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// The lines it may stand on.
    pub lines: Lines,
    /// The name it is bound to.
    pub name: Option<&'a str>,
    /// The call it is handed to.
    pub given_to: Option<CallIndex>,
}

/// A statement is hardly longer, a configuration written as one object included: where it ends is not known of a binding.
const STATEMENT_LINES: u32 = 1000;

/// Everything that is bound, given, assigned or returned.
pub fn places(facts: &FileFacts) -> impl Iterator<Item = Place<'_>> {
    let from = |line: u32| Lines { start: line, end: line + STATEMENT_LINES };
    let bound = facts.bindings.iter().filter_map(move |one| {
        let value = one.value.as_ref()?;
        Some(Place { value, symbol: one.owner, lines: from(one.line), name: Some(&one.name), given_to: None })
    });
    let given = (0..).zip(&facts.calls).flat_map(|(index, site)| {
        let lines = Lines { start: site.line, end: site.end_line };
        site.arguments.iter().map(move |value| Place {
            value,
            symbol: site.caller,
            lines,
            name: None,
            given_to: Some(index),
        })
    });
    let assigned = facts.assignments.iter().map(move |one| Place {
        value: &one.value,
        symbol: one.symbol,
        lines: from(one.line),
        name: one.target.last_name(),
        given_to: None,
    });
    let returned = facts.returns.iter().map(move |one| Place {
        value: &one.value,
        symbol: one.symbol,
        lines: from(one.line),
        name: None,
        given_to: None,
    });
    bound.chain(given).chain(assigned).chain(returned)
}

/// The variables of `process.env.JWT_SECRET || "…"` or `env::var("JWT_SECRET").unwrap_or("…".into())`, wherever they stand in a value.
pub fn defaulted(facts: &FileFacts, value: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    value.walk(&mut |inner| {
        if let Expr::Object(entries) = inner {
            let declared =
                |(name, value): &&(Name, Expr)| protects(name) && is_in_capitals(name) && has_default(facts, value);
            found.extend(entries.iter().filter(declared).map(|(name, _)| name.to_string()));
        }
        let pair = match inner {
            Expr::Binary(operator, read, default) if matches!(operator.as_str(), "||" | "??") => {
                Some((read.as_ref(), is_string(facts, default)))
            }
            Expr::Call(index) => unwrapped(facts, *index),
            _ => None,
        };
        if let Some((read, true)) = pair {
            found.extend(variable(facts, read).filter(|name| protects(name)));
        }
    });
    found
}

/// `z.string().default("…")`, `str({ default: "…" })`: what a schema of the environment says of one variable.
fn has_default(facts: &FileFacts, declared: &Expr) -> bool {
    let Expr::Call(index) = declared.peeled() else { return false };
    let site = facts.call(*index);
    let Some(argument) = site.arguments.first() else { return false };
    match argument.peeled() {
        Expr::Object(entries) => entries.iter().any(|(key, value)| key == "default" && is_string(facts, value)),
        _ => site.name == "default" && is_string(facts, argument),
    }
}

/// `new MailClient({ apiKey: process.env.MAIL_SECRET_KEY || "…" })`: what another service knows us by protects nothing here.
pub fn is_shown_to_another_service(facts: &FileFacts, place: &Place<'_>, variable: &str) -> bool {
    let is_key =
        |name: &Name| matches!(name.to_ascii_lowercase().as_str(), "apikey" | "api_key" | "accesskey" | "access_key");
    place.given_to.is_some_and(|call| facts.call(call).kind == CallKind::New)
        && matches!(place.value.peeled(), Expr::Object(entries) if entries.iter().any(|(name, value)| {
            is_key(name) && defaulted(facts, value).iter().any(|own| own == variable)
        }))
}

fn is_in_capitals(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
}

/// `env::var(…)` and whether a string takes its place, of `env::var(…).unwrap_or_else(|_| "…".to_owned())`.
fn unwrapped(facts: &FileFacts, call: CallIndex) -> Option<(&Expr, bool)> {
    let site = facts.call(call);
    let Expr::Member(read, method) = site.callee.peeled() else { return None };
    let default = site.arguments.first()?;
    let is_known = match method.as_str() {
        "unwrap_or" => is_string(facts, default),
        "unwrap_or_else" => matches!(default, Expr::Function { region: Some(region), .. }
            if facts.returns.iter().any(|one| one.region == Some(*region) && is_string(facts, &one.value))),
        _ => return None,
    };
    Some((read, is_known))
}

/// `"…"`, `"…".to_owned()`, `String::from("…")`, with something in it.
fn is_string(facts: &FileFacts, expr: &Expr) -> bool {
    match expr.peeled() {
        Expr::Text(text) => !text.trim().is_empty(),
        Expr::Call(index) => {
            let site = facts.call(*index);
            let made_of = match site.callee.peeled() {
                Expr::Member(text, method) => {
                    matches!(method.as_str(), "to_owned" | "to_string" | "into").then_some(text.as_ref())
                }
                Expr::Path(segments) => {
                    segments.ends_with(&["String".into(), "from".into()]).then(|| site.arguments.first()).flatten()
                }
                _ => None,
            };
            made_of.is_some_and(|made_of| is_string(facts, made_of))
        }
        _ => false,
    }
}

/// The environment variable a value is read from.
fn variable(facts: &FileFacts, read: &Expr) -> Option<String> {
    let is_environment = |expr: &Expr| matches!(expr.last_name(), Some("env" | "environment"));
    match read.peeled() {
        Expr::Member(object, name) if is_environment(object) => Some(name.to_string()),
        Expr::Index(object, key) if is_environment(object) => match key.peeled() {
            Expr::Text(name) => Some(name.to_string()),
            _ => None,
        },
        // `process.env.SUDO_SECRET ?? process.env.JWT_SECRET ?? "…"`
        Expr::Binary(operator, first, second) if matches!(operator.as_str(), "||" | "??") => {
            variable(facts, first).or_else(|| variable(facts, second))
        }
        // `env::var("JWT_SECRET")`, `configService.get("JWT_SECRET")`, and what is made of them.
        Expr::Call(index) => {
            let site = facts.call(*index);
            let names = chain::names(facts, &site.callee).unwrap_or_default();
            let reads = matches!(names.as_slice(), [.., holder, "var" | "get" | "getOrThrow"]
                if words(holder).iter().any(|word| matches!(word.as_str(), "env" | "config" | "dotenvy" | "dotenv")));
            match (site.arguments.first().map(Expr::peeled), site.callee.peeled()) {
                (Some(Expr::Text(name)), _) if reads => Some(name.to_string()),
                (_, Expr::Member(made_of, _)) => variable(facts, made_of),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a variable holds what tokens, sessions or stored data are safe by. What somebody else gave out is useless when wrong.
pub fn protects(variable: &str) -> bool {
    const USES: &[&str] = &[
        "jwt",
        "jwe",
        "jws",
        "session",
        "sessions",
        "cookie",
        "cookies",
        "auth",
        "nextauth",
        "token",
        "tokens",
        "encryption",
        "encrypt",
        "signing",
        "sign",
        "signature",
        "hmac",
        "csrf",
        "app",
        "access",
        "refresh",
        "master",
        "magic",
        "secret",
    ];
    const OTHERS: &[&str] = &[
        "client",
        "aws",
        "s3",
        "minio",
        "r2",
        "gcp",
        "azure",
        "stripe",
        "github",
        "gitlab",
        "google",
        "slack",
        "discord",
        "twilio",
        "oauth",
        "oauth2",
        "oidc",
        "webhook",
        "captcha",
        "recaptcha",
        "turnstile",
        "hcaptcha",
        "api",
        "public",
        "name",
        "id",
        "file",
        "path",
        "arn",
        "length",
        "bot",
        "vapid",
        "seed",
        "test",
        "dev",
        "demo",
        "algorithm",
        "header",
        "url",
        "ttl",
        "expiry",
    ];
    let words = words(variable);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&["secret", "key", "keys", "secrets"]) && has(USES) && !has(OTHERS)
}
