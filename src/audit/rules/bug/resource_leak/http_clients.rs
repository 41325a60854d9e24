//! Rust clients made again for each item or each request: each has connections and a trust store of its own.

use crate::audit::place;
use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::effects::entry::EntryKind;
use crate::effects::{Effects, chain};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{BindingKind, LanguageName, Usage};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, RepoMap};

/// Calls from a handler to the place. Our choice: what is further away often runs on an event, not for each request.
const MAX_DISTANCE: u32 = 2;

/// `reqwest::Client::new()` and database pools, made where a loop or a request makes one each time.
pub fn leaks(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    if source.language != LanguageName::Rust {
        return None;
    }
    let what = client(map, call)?;
    let end = chain::end(map, call);
    let last = map.call(end);
    let in_loop = place::iterations(map, call).iter().any(|iteration| iteration.statement.is_some());
    let kept = match &last.usage {
        Usage::Bound(name) => {
            let mentions = |expr: &Expr| expr.mentions(name);
            let owner = site.caller;
            facts.returns.iter().any(|returned| returned.symbol == owner && mentions(&returned.value))
                || facts.assignments.iter().any(|assignment| assignment.symbol == owner && mentions(&assignment.value))
                || facts.calls.iter().any(|other| other.caller == owner && other.arguments.iter().any(mentions))
        }
        Usage::Receiver(_) => false,
        _ => true,
    };
    let request = effects.entries.of_call(map, call).filter(|reach| {
        matches!(reach.entry.kind, EntryKind::Route | EntryKind::Resolver) && reach.distance <= MAX_DISTANCE
    });
    if kept || !in_loop && request.is_none() {
        return None;
    }
    if !in_loop && (is_of_its_request(map, call) || is_for_an_option(map, call)) {
        return None;
    }
    let how_often = if in_loop { "item of a loop" } else { "request" };
    Some(Leak {
        call,
        symbol: site.caller,
        line: site.line,
        quote: site.name.to_string(),
        kind: Kind::RustClient,
        title: format!("a new {what} for every {how_often}"),
        message: format!(
            "Every {how_often} makes a new {what}: it opens connections of its own instead of using those that are open, and reads the trust \
             store again."
        ),
        // Milliseconds of a request, beside those it waits for the answer.
        impact: if in_loop { 3 } else { 2 },
        confidence: if in_loop { Confidence::High } else { Confidence::Med },
        others: Vec::new(),
    })
}

fn client(map: &RepoMap, call: CallId) -> Option<&'static str> {
    let CallTarget::External(external) = map.target(call) else { return None };
    let path: Vec<&str> = external.path.iter().map(|name| name.as_str()).collect();
    match (external.package.as_str(), path.as_slice()) {
        ("reqwest", ["Client", "new" | "builder"] | ["ClientBuilder", "new"]) => Some("HTTP client"),
        ("sqlx", [.., "PgPool" | "MySqlPool" | "SqlitePool" | "Pool", "connect"]) => Some("database pool"),
        _ => None,
    }
}

/// What makes a client fit one use and no other.
const CONFIGURES: &[&str] =
    &["default_headers", "identity", "proxy", "cookie_provider", "add_root_certificate", "resolve", "local_address"];
/// Words of parameters that are the same for every request.
const LASTING: &[&str] = &["config", "configuration", "settings", "options", "state", "app", "context", "ctx", "env"];

/// The client carries what its caller brings, the credentials of one request above all: another request must not use it.
fn is_of_its_request(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let Some(owner) = facts.call(call.index).caller else { return false };
    let lasts = |text: &str| place::words(text).iter().any(|word| LASTING.contains(&word.as_str()));
    let mut brought: Vec<Name> = facts.symbols[owner as usize]
        .parameters
        .iter()
        .filter(|given| !lasts(&given.name) && !given.declared_type.as_deref().is_some_and(lasts))
        .map(|given| given.name)
        .collect();
    let uses =
        |brought: &[Name], expr: &Expr| chain::expr_uses(facts, expr, &|name| brought.iter().any(|own| own == name));
    // What is made of it, or filled with it: `headers.insert("Api-Key", HeaderValue::from_str(key)?)`.
    loop {
        let bound = facts.bindings.iter().filter(|own| own.owner == Some(owner));
        let made =
            bound.filter(|own| own.value.as_ref().is_some_and(|value| uses(&brought, value))).map(|own| own.name);
        let filled = facts.calls.iter().filter(|other| other.caller == Some(owner)).filter_map(|other| {
            let Expr::Member(object, _) = other.callee.peeled() else { return None };
            let fills = matches!(other.name.as_str(), "insert" | "append" | "extend" | "push");
            let root =
                object.root_name().filter(|_| fills && other.arguments.iter().any(|given| uses(&brought, given)))?;
            Some(Name::new(root))
        });
        let more: Vec<Name> = made.chain(filled).filter(|name| !brought.contains(name)).collect();
        if more.is_empty() {
            break;
        }
        brought.extend(more);
    }
    facts.calls.iter().any(|other| {
        other.caller == Some(owner)
            && CONFIGURES.contains(&other.name.as_str())
            && other.arguments.iter().any(|given| uses(&brought, given))
    })
}

/// `if let Some(url) = &settings.webhook_url { notify(url).await }`, of which nobody looks at the result: most installations never make
/// the client, and the others for one message.
fn is_for_an_option(map: &RepoMap, call: CallId) -> bool {
    let Some(function) = map.caller_of(call) else { return false };
    let gives_nothing = map.symbol(function).return_type.as_deref().is_none_or(|given| given == "()");
    let mut callers = map.callers(function).iter().filter(|caller| !place::in_test(map, **caller)).peekable();
    gives_nothing && callers.peek().is_some() && callers.all(|caller| is_under_an_option(map, *caller))
}

/// A branch around the call binds what it is given from a setting.
fn is_under_an_option(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let in_branch = place::is_conditional(map, call, None);
    let of_setting = |value: &Expr| {
        let path = value.dotted().unwrap_or_default();
        path.split(['.', ':']).any(|part| matches!(part, "settings" | "config" | "configuration" | "options"))
    };
    let bound = facts.bindings.iter().filter(|own| own.owner == site.caller && own.kind == BindingKind::Pattern);
    in_branch
        && bound
            .filter(|own| own.value.as_ref().is_some_and(of_setting) && own.taken.as_deref() == Some("Some.0"))
            .any(|own| site.arguments.iter().any(|given| given.mentions(&own.name)))
}
