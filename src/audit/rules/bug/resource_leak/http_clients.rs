//! Rust clients made again for each item or each request: each has connections and a trust store of its own.

use crate::audit::place;
use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::effects::entry::EntryKind;
use crate::effects::{Effects, chain};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{LanguageName, Usage};
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
