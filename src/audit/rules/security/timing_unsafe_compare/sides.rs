//! Sides: what each side of a comparison is, by its name and by where it comes from.

use crate::audit::place;
use crate::audit::rules::security::timing_unsafe_compare::harmless::is_in_capitals;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Comparison, FileFacts};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// Words of names that hold something an attacker must not guess.
const SECRETS: &[&str] =
    &["signature", "hmac", "digest", "secret", "apikey", "password", "passwd", "csrf", "mac", "sig"];

/// Words that, together with `token` or `key`, say the same.
const QUALIFIERS: &[&str] = &[
    "api",
    "auth",
    "access",
    "secret",
    "bearer",
    "webhook",
    "admin",
    "internal",
    "cron",
    "verification",
    "reset",
    "expected",
    "provided",
    "private",
    "service",
    "session",
    "refresh",
    "invite",
    "hub",
];

/// Words that say the name is about something else.
const HARMLESS: &[&str] = &[
    "type",
    "kind",
    "name",
    "id",
    "count",
    "length",
    "len",
    "index",
    "status",
    "state",
    "mode",
    "algorithm",
    "alg",
    "oid",
    "masked",
    "redacted",
    "placeholder",
    "field",
    "label",
    "level",
    "address",
    "mint",
    "symbol",
    "kinds",
    "types",
    "position",
    "error",
    "form",
    "confirm",
    "confirmation",
    "repeat",
    "visible",
    "image",
    "url",
    "path",
    "file",
    "size",
    "format",
    "version",
    "hash",
    "class",
    "method",
    // A signature of content, by which a change is noticed.
    "manifest",
    "schema",
    "layout",
    "config",
    "content",
    "function",
    "plan",
    "candidate",
    "persisted",
    "snapshot",
    "block",
    "chunk",
    "names",
];

/// How one side of a comparison looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Nothing secret about it.
    Plain,
    /// Its name says that it is a secret.
    Named,
    /// It comes from the environment, from configuration or from an HMAC: the right value.
    Known,
    /// It comes from a request: the guess.
    Guess,
}

/// What is compared, without what only changes its form: `Some(token)`, `token.as_bytes()`, `secret.lock().await.as_deref()`.
pub fn bare<'a>(facts: &'a FileFacts, expr: &'a Expr) -> &'a Expr {
    const FORMS: &[&str] = &[
        "as_bytes",
        "as_str",
        "as_deref",
        "as_ref",
        "as_slice",
        "to_string",
        "to_owned",
        "to_vec",
        "into_bytes",
        "clone",
        "cloned",
        "lock",
        "read",
        "borrow",
        "unwrap",
        "expose_secret",
        "toString",
        "trim",
    ];
    let Expr::Call(index) = expr.peeled() else { return expr };
    let site = facts.call(*index);
    match site.callee.peeled() {
        Expr::Member(inner, form) if FORMS.contains(&form.as_str()) && site.arguments.len() <= 1 => bare(facts, inner),
        Expr::Name(wrapper) if *wrapper == "Some" && site.arguments.len() == 1 => bare(facts, &site.arguments[0]),
        _ => expr,
    }
}

/// Calls that are followed to find the keyed hash. Our choice: a helper, and what it wraps.
const HELPERS: u32 = 2;

/// `generate_key(id, master_key)`, whose body makes an HMAC: the right value, made to be compared.
pub fn is_computed_with_a_key(map: &RepoMap, file: FileId, comparison: &Comparison, expr: &Expr) -> bool {
    let facts = &map.file(file).facts;
    let made = bare(facts, place::resolve(facts, comparison.symbol, expr));
    let Expr::Call(index) = made.peeled() else { return false };
    // `signJwt(user)`: a new one each time, which nobody guesses at.
    const ISSUED: &[&str] = &["jwt", "token", "session", "cookie", "otp", "nonce"];
    if place::words(&facts.call(*index).name).iter().any(|word| ISSUED.contains(&word.as_str())) {
        return false;
    }
    map.resolved(CallId { file, index: *index }).any(|resolved| makes_keyed_hash(map, resolved.symbol, HELPERS))
}

fn makes_keyed_hash(map: &RepoMap, function: SymbolId, depth: u32) -> bool {
    map.calls_in(function).any(|call| {
        let site = map.call(call);
        let is_it = site.name == "createHmac"
            || matches!(site.callee.peeled(), Expr::Path(segments) if segments.iter().any(|segment| *segment == "Hmac"));
        is_it || depth > 1 && map.resolved(call).any(|resolved| makes_keyed_hash(map, resolved.symbol, depth - 1))
    })
}

/// `hash`, `encoded_key`: what somebody handed in to be compared with a keyed hash. Of a stored one the guess is what was hashed, and
/// nobody can tell how much of a hash a guess gets right.
pub fn is_guess_at(expr: &Expr) -> bool {
    const STORED: &[&str] = &["stored", "saved", "existing", "cached", "db", "last", "previous", "old", "current"];
    const WORDS: &[&str] = &["key", "hash", "token", "signature", "sig", "digest", "mac", "hmac", "code"];
    let Expr::Name(name) = expr.peeled() else { return false };
    let words = place::words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(WORDS) && !has(STORED)
}

/// What one side of a comparison is, also through the local it is bound to.
pub fn side(facts: &FileFacts, comparison: &Comparison, expr: &Expr) -> Side {
    let resolved = place::resolve(facts, comparison.symbol, expr);
    let of = |expr: &Expr| {
        let names = match expr.peeled() {
            Expr::Call(index) => chain::names(facts, &facts.call(*index).callee),
            other => chain::names(facts, other),
        };
        let names = names.unwrap_or_default();
        let has = |words: &[&str]| names.iter().any(|name| words.contains(name));
        let speaks_of = |list: &[&str]| {
            names.iter().any(|name| place::words(name).iter().any(|word| list.contains(&word.as_str())))
        };
        if has(&["createHmac", "hmac", "computeSignature", "sign"])
            || (has(&["env"]) && names.len() > 1)
            || has(&["config", "settings", "CONFIG"])
            || speaks_of(&["config", "configuration", "settings"])
        {
            Some(Side::Known)
        } else if has(&["headers", "header", "query", "body", "cookies", "searchParams", "params"])
            && has(&["req", "request", "c", "ctx", "headers", "searchParams", "event"])
        {
            Some(Side::Guess)
        } else if is_secret(expr) && speaks_of(&["expected", "computed", "configured"]) {
            Some(Side::Known)
        } else if speaks_of(&["header", "headers", "provided", "received", "incoming", "supplied"]) {
            Some(Side::Guess)
        } else {
            None
        }
    };
    match resolved {
        Expr::Text(_)
        | Expr::Number(_)
        | Expr::Bool(_)
        | Expr::Nothing
        | Expr::Regex(_)
        | Expr::Array(_)
        | Expr::Object(_) => Side::Plain,
        Expr::Unary(operator, _) if operator == "typeof" => Side::Plain,
        Expr::Template(parts) => {
            // `Bearer ${process.env.CRON_SECRET}`
            let known = crate::repo_map::expr::holes(parts).any(|hole| {
                of(place::resolve(facts, comparison.symbol, hole)) == Some(Side::Known) || is_env_name(hole)
            });
            if known { Side::Known } else { Side::Plain }
        }
        // `message.text.split(' ')[1]` was received from somebody who cannot take the time.
        Expr::Index(inner, _) if matches!(inner.peeled(), Expr::Call(_)) && of(resolved).is_none() => Side::Plain,
        other => of(other).or_else(|| of(expr)).unwrap_or(if is_env_name(expr) {
            Side::Known
        } else if is_secret(expr) {
            Side::Named
        } else {
            Side::Plain
        }),
    }
}

/// `CRON_SECRET`: a constant that holds a secret came from configuration.
pub fn is_env_name(expr: &Expr) -> bool {
    is_secret(expr) && expr.last_name().is_some_and(is_in_capitals)
}

/// Whether a name says that what it holds must not be guessed.
pub fn is_secret(expr: &Expr) -> bool {
    let name = match expr.peeled() {
        // The password of basic authentication, as its callbacks name it.
        Expr::Name(name) if *name == "pass" => return true,
        Expr::Template(parts) => return crate::repo_map::expr::holes(parts).any(is_secret),
        Expr::Index(_, key) => match key.as_ref() {
            Expr::Text(text) => text.as_str(),
            _ => return false,
        },
        other => match other.last_name() {
            Some(name) => name,
            None => return false,
        },
    };
    let words = place::words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let token = has(&["token", "key"]) && (has(QUALIFIERS) || words.len() == 1 && words[0] == "token");
    (has(SECRETS) || token) && !has(HARMLESS)
}
