//! What a guard looks like: by its name where it is put, and by what it reads where the handler checks for itself.

use std::collections::BTreeSet;

use crate::audit::place::words;
use crate::effects::entry::{Entry, Handler};
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, Span};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// Words that a guard's name holds.
const GUARD_WORDS: &[&str] = &[
    "auth",
    "authed",
    "authenticate",
    "authenticated",
    "authentication",
    "authenticator",
    "authorize",
    "authorized",
    "authorization",
    "authorise",
    "authorised",
    "permission",
    "permissions",
    "guard",
    "guards",
    "jwt",
    "passport",
    "acl",
    "rbac",
    "role",
    "roles",
    "protect",
    "protected",
    "restrict",
    "restricted",
    "scopes",
    "ability",
    "policy",
    "logged",
    "login",
    "admin",
    "superuser",
    "owner",
    "member",
    "membership",
    "access",
    "apikey",
    "signed",
    "identity",
    "bearer",
    "entitlement",
    "allowed",
    "forbid",
    "workspace",
    "tenant",
    "session",
    "user",
];

/// Words that turn a guard's name into its opposite, or into something else.
const NO_GUARD_WORDS: &[&str] = &[
    "optional",
    "public",
    "skip",
    "no",
    "without",
    "anonymous",
    "maybe",
    "limit",
    "limiter",
    "rate",
    "cors",
    "log",
    "logger",
];

/// Words that begin the name of a function that checks.
const CHECKS: &[&str] = &[
    "require", "requires", "required", "ensure", "check", "verify", "assert", "validate", "get", "fetch", "load",
    "find", "is", "has", "can", "with", "must", "current", "decode", "use", "resolve", "read", "enforce", "parse",
];

/// Names that are a check as they are.
const WHOLE: &[&str] = &[
    "auth",
    "authenticate",
    "authorize",
    "authorise",
    "getServerSession",
    "getServerAuthSession",
    "getSession",
    "currentUser",
    "getAuth",
    "getToken",
    "getUser",
    "unstable_getServerSession",
    "timingSafeEqual",
    "constructEvent",
    "verifySignature",
    "verifySignatureAppRouter",
    "verify",
];

/// Names of values that say who is asking.
const IDENTITY: &[&str] = &[
    "user",
    "session",
    "auth",
    "currentUser",
    "userId",
    "user_id",
    "locals",
    "account",
    "remoteUser",
    "principal",
    "claims",
    "authorization",
    "identity",
    "actor",
    "viewer",
    "member",
    "apiKey",
    "token",
    "x-api-key",
    "Authorization",
    "auth_context",
];

/// Whether a middleware, decorator, wrapper or type of this name guards.
pub fn is_guard(name: &str) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    // `session()` alone only makes sessions, and `user` alone is a value.
    words.len() + usize::from(name.len() > 7) > 1 && has(GUARD_WORDS) && !has(NO_GUARD_WORDS)
        || matches!(words.as_slice(), [one] if matches!(one.as_str(), "auth" | "guard" | "protect" | "admin" | "acl"))
}

/// Whether a function of this name, called in a handler, checks who is asking.
fn is_check(name: &str) -> bool {
    if WHOLE.contains(&name) {
        return true;
    }
    let words = words(name);
    let (Some(first), true) = (words.first(), words.len() > 1) else { return false };
    let about =
        words[1..].iter().any(|word| GUARD_WORDS.contains(&word.as_str()) || word == "token" || word == "signature");
    about && CHECKS.contains(&first.as_str())
        || is_guard(name) && !matches!(first.as_str(), "create" | "delete" | "update")
}

/// Calls from a handler that are followed. Our choice: a check further down is the service's, about something else.
const MAX_HOPS: u32 = 2;

/// Names of the guards written between the path and the handler of a registration, and around the handler.
pub fn written(map: &RepoMap, entry: &Entry) -> Vec<String> {
    let Some(call) = entry.registration else { return Vec::new() };
    let facts = &map.file(call.file).facts;
    let mut found = Vec::new();
    let last = match entry.handler {
        Handler::Function(symbol) => Some(map.symbol(symbol).name),
        Handler::Callback(..) => None,
    };
    let mut note = |name: &str| {
        if last.is_none_or(|last| last != *name) && is_guard(name) {
            found.push(name.to_owned());
        }
    };
    for argument in &map.call(call).arguments {
        named_in(facts, argument, 3, &mut note);
    }
    found
}

/// The same and the middlewares that ask who is calling, whatever they are called.
pub fn before(map: &RepoMap, effects: &Effects, entry: &Entry) -> Vec<String> {
    let mut found = written(map, entry);
    let Some(call) = entry.registration else { return found };
    let handler = match entry.handler {
        Handler::Function(symbol) => Some(symbol),
        Handler::Callback(..) => None,
    };
    for handed in map.handed(call).iter().filter(|handed| Some(handed.function) != handler) {
        let name = map.symbol(handed.function).name;
        if asks(effects, handed.function) && !found.iter().any(|known| *known == *name) {
            found.push(name.to_string());
        }
    }
    found
}

/// Whether a function asks a library who is calling, itself or through what it calls.
fn asks(effects: &Effects, function: SymbolId) -> bool {
    effects.of_function(function, Effect::AuthCheck).is_some_and(|cause| cause.distance <= MAX_HOPS + 1)
}

/// Every name an argument is or calls, functions written in place left out.
fn named_in(facts: &FileFacts, argument: &Expr, depth: u32, note: &mut dyn FnMut(&str)) {
    argument.walk(&mut |expr| match expr {
        Expr::Name(name) | Expr::Member(_, name) => note(name),
        Expr::Call(index) if depth > 0 => {
            let site = facts.call(*index);
            note(&site.name);
            for inner in &site.arguments {
                named_in(facts, inner, depth - 1, note);
            }
        }
        _ => {}
    });
}

/// Whether the handler, or what it calls within two calls, looks at who is asking.
pub fn checks_itself(map: &RepoMap, effects: &Effects, entry: &Entry) -> bool {
    match entry.handler {
        Handler::Function(symbol) => {
            let own = map.symbol(symbol);
            takes_identity(own.parameters.iter().filter_map(|parameter| parameter.declared_type.as_deref()))
                || looks(map, effects, symbol.file, own.span, MAX_HOPS, &mut BTreeSet::from([symbol]))
        }
        Handler::Callback(file, region) => {
            let span = map.file(file).facts.regions[region as usize].span;
            looks(map, effects, file, span, MAX_HOPS, &mut BTreeSet::new())
        }
    }
}

/// Extractors of a handler that fail without a user: `AuthUser`, `Claims`, `LocalUserView`.
pub fn extractors(map: &RepoMap, entry: &Entry) -> Vec<String> {
    let Handler::Function(symbol) = entry.handler else { return Vec::new() };
    let types = map.symbol(symbol).parameters.iter().filter_map(|parameter| parameter.declared_type);
    types.filter(|declared| takes_identity(std::iter::once(declared.as_str()))).map(String::from).collect()
}

fn takes_identity<'a>(types: impl Iterator<Item = &'a str>) -> bool {
    const TYPES: &[&str] =
        &["user", "auth", "session", "claims", "admin", "identity", "principal", "token", "account", "bearer"];
    types.flat_map(words).any(|word| TYPES.contains(&word.as_str()))
}

fn looks(map: &RepoMap, effects: &Effects, file: FileId, span: Span, hops: u32, seen: &mut BTreeSet<SymbolId>) -> bool {
    let facts = &map.file(file).facts;
    if mentions_identity(facts, span) {
        return true;
    }
    for (index, site) in (0..).zip(&facts.calls) {
        if !span.contains(site.span) {
            continue;
        }
        let call = CallId { file, index };
        let asks = effects.cause(map, call, Effect::AuthCheck).is_some_and(|cause| cause.distance <= hops + 1);
        if asks || is_check(&site.name) {
            return true;
        }
        if hops == 0 {
            continue;
        }
        for resolved in map.resolved(call) {
            if seen.insert(resolved.symbol)
                && looks(map, effects, resolved.symbol.file, map.symbol(resolved.symbol).span, hops - 1, seen)
            {
                return true;
            }
        }
    }
    false
}

/// Whether the code reads a value that says who is asking: `req.user`, `ctx.session`, `c.get("user")`, `headers.authorization`.
fn mentions_identity(facts: &FileFacts, span: Span) -> bool {
    let reads = |expr: &Expr| {
        let mut found = false;
        expr.walk(&mut |inner| {
            found |= match inner {
                Expr::Member(_, name) => IDENTITY.contains(&name.as_str()),
                Expr::Text(text) => IDENTITY.iter().any(|word| text.eq_ignore_ascii_case(word)),
                _ => false,
            };
        });
        found
    };
    let taken = |binding: &crate::repo_map::facts::Binding| {
        binding.taken.as_deref().is_some_and(|taken| taken.split('.').any(|part| IDENTITY.contains(&part)))
    };
    facts
        .bindings
        .iter()
        .filter(|binding| span.contains(binding.span))
        .any(|binding| taken(binding) || binding.value.as_ref().is_some_and(reads))
        || facts.calls.iter().filter(|site| span.contains(site.span)).any(|site| {
            site.arguments.iter().any(reads) || matches!(&site.callee, Expr::Member(object, _) if reads(object))
        })
        || facts
            .comparisons
            .iter()
            .filter(|comparison| span.contains(comparison.span))
            .any(|comparison| reads(&comparison.left) || reads(&comparison.right))
}

/// Names that say that everybody may come in.
pub fn is_public(text: &str) -> bool {
    const PUBLIC: &[&str] = &[
        "login",
        "signin",
        "sign",
        "logout",
        "signout",
        "signup",
        "register",
        "registration",
        "auth",
        "oauth",
        "oauth2",
        "sso",
        "saml",
        "oidc",
        "callback",
        "callbacks",
        "webhook",
        "webhooks",
        "hook",
        "health",
        "healthz",
        "healthcheck",
        "ping",
        "status",
        "ready",
        "readyz",
        "live",
        "livez",
        "metrics",
        "version",
        "public",
        "csrf",
        "token",
        "tokens",
        "refresh",
        "forgot",
        "reset",
        "password",
        "verify",
        "verification",
        "confirm",
        "invite",
        "invitation",
        "invites",
        "unsubscribe",
        "robots",
        "sitemap",
        "favicon",
        "static",
        "assets",
        "docs",
        "openapi",
        "swagger",
        "embed",
        "share",
        "shared",
        "config",
        "feedback",
        "contact",
        "og",
        "manifest",
        "known",
        "session",
        "sessions",
        "magic",
        "otp",
        "captcha",
        "cron",
        "crons",
        "stripe",
        "slack",
        "github",
        "telemetry",
        "track",
        "event",
        "events",
        "analytics",
        "view",
        "views",
        "prediction",
        "download",
        "downloads",
        "icon",
        "icons",
        "image",
        "images",
        "avatar",
        "preview",
        "test",
        "demo",
        "anonymous",
        "guest",
        "bootstrap",
        "setup",
        "init",
        "ok",
        "info",
        "locale",
        "locales",
        "language",
    ];
    words(text).iter().any(|word| PUBLIC.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_known_by_their_words() {
        for name in
            ["requireAuth", "checkPermission", "isAdmin", "auth", "ensureLoggedIn", "withWorkspace", "JwtAuthGuard"]
        {
            assert!(is_guard(name), "{name}");
        }
        for name in ["optionalAuth", "session", "user", "rateLimitUser", "validate", "asyncHandler", "publicAuth"] {
            assert!(!is_guard(name), "{name}");
        }
    }

    #[test]
    fn addresses_for_everybody_are_known_by_their_words() {
        assert!(is_public("POST /auth/login") && is_public("/healthz") && is_public("stripeWebhook"));
        assert!(!is_public("DELETE /orders/:id"));
    }
}
