//! Relied: a dropped promise whose work is on an object that the code after it goes on with.

use crate::audit::rules::bug::unawaited_promise::habits::callees;
use crate::repo_map::expr::Expr;
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Objects that many functions work with at once: a connection, a request, the program itself.
const SHARED: &[&str] = &[
    "db",
    "database",
    "prisma",
    "tx",
    "trx",
    "client",
    "conn",
    "connection",
    "pool",
    "em",
    "manager",
    "ctx",
    "context",
    "c",
    "req",
    "request",
    "res",
    "response",
    "reply",
    "app",
    "server",
    "router",
    "page",
    "browser",
    "queue",
    "redis",
    "logger",
    "log",
    "session",
    "socket",
    "io",
    "ws",
    "store",
    "cache",
    "bus",
    "emitter",
    "events",
];

/// `flatten(document); await document.save();` where `flatten` waits for something before it changes the document: the two race.
pub fn goes_on_with_it(map: &RepoMap, call: CallId) -> bool {
    let site = map.call(call);
    let facts = &map.file(call.file).facts;
    (0..).zip(&site.arguments).any(|(position, argument)| {
        let Expr::Name(object) = argument.peeled() else { return false };
        let goes_on = facts.calls.iter().any(|later| {
            later.awaited
                && later.caller == site.caller
                && later.span.start > site.span.end
                && is_receiver(&later.callee, object)
        });
        goes_on
            && !SHARED.contains(&object.as_str())
            && callees(map, call).any(|callee| works_on(map, callee, position))
    })
}

/// Whether a function waits, and then calls a method of its parameter.
fn works_on(map: &RepoMap, function: SymbolId, position: usize) -> bool {
    let Some(parameter) = map.symbol(function).parameters.get(position) else { return false };
    let calls = || map.calls_in(function).map(|call| map.call(call));
    let Some(first) = calls().filter(|site| site.awaited).map(|site| site.span.start).min() else { return false };
    calls().any(|site| site.span.start > first && is_receiver(&site.callee, &parameter.name))
}

fn is_receiver(callee: &Expr, object: &Name) -> bool {
    matches!(callee.peeled(), Expr::Member(receiver, _) if matches!(receiver.peeled(), Expr::Name(name) if name == object))
}
