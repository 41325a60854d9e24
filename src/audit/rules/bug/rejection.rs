//! Rejection: whether the promise of a function can fail, as far as facts tell.

use crate::effects::Effects;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, RegionIndex, RegionKind, Usage};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Whether a promise can reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// Whatever may fail inside is caught.
    Impossible,
    /// Not known.
    Possible,
    /// It throws, or waits for something outside the repository that can fail, and nothing catches it.
    Known,
}

/// Calls that are followed. Our choice: further down, somebody usually catches.
const MAX_DEPTH: u32 = 4;

/// Whether the promise that `call` gives can reject.
pub fn rejection(map: &RepoMap, effects: &Effects, call: CallId) -> Rejection {
    map.resolved(call)
        .map(|resolved| of_function(map, effects, resolved.symbol, 0))
        .max()
        .unwrap_or(Rejection::Possible)
}

fn of_function(map: &RepoMap, effects: &Effects, function: SymbolId, depth: u32) -> Rejection {
    if depth >= MAX_DEPTH || !map.symbol(function).has_body {
        return Rejection::Possible;
    }
    let facts = &map.file(function.file).facts;
    map.calls_in(function)
        .filter(|call| !is_caught(facts, map.call(*call)) && runs_with_function(facts, map.call(*call)))
        .map(|call| of_call(map, effects, facts, call, depth))
        .max()
        .unwrap_or(Rejection::Impossible)
}

fn of_call(map: &RepoMap, effects: &Effects, facts: &FileFacts, call: CallId, depth: u32) -> Rejection {
    let site = map.call(call);
    // `throw new Error(…)`; an error that is only made is rare.
    if site.kind == CallKind::New && site.name.ends_with("Error") {
        return Rejection::Known;
    }
    if resolves_only(facts, site) {
        return Rejection::Impossible;
    }
    let waits = site.awaited || (site.usage == Usage::Returned && effects.call_is_async(map, call));
    if !waits || site.name == "catch" || site.name == "allSettled" {
        return Rejection::Impossible;
    }
    let below = map.resolved(call).map(|resolved| of_function(map, effects, resolved.symbol, depth + 1)).max();
    match below {
        Some(below) => below,
        None if effects.direct(call).is_empty() => Rejection::Possible,
        None => Rejection::Known,
    }
}

/// `new Promise((resolve) => …)`, where nothing uses the function that rejects. What throws inside is a call of its own.
fn resolves_only(facts: &FileFacts, site: &CallSite) -> bool {
    if site.kind != CallKind::New || site.name != "Promise" {
        return false;
    }
    let Some(Expr::Function { region: Some(region), .. }) = site.arguments.first().map(Expr::peeled) else {
        return false;
    };
    let region = &facts.regions[*region as usize];
    let RegionKind::Callback { parameters, .. } = &region.kind else { return false };
    let Some(reject) = parameters.get(1) else { return true };
    let is_reject = |expr: &Expr| matches!(expr.peeled(), Expr::Name(name) if name == reject);
    !facts.calls.iter().filter(|inner| region.span.contains(inner.span)).any(|inner| {
        is_reject(&inner.callee)
            || inner.arguments.iter().any(|argument| {
                let mut found = false;
                argument.walk(&mut |part| found |= is_reject(part));
                found
            })
    })
}

/// Inside the body of a `try` whose `catch` does not throw.
fn is_caught(facts: &FileFacts, site: &CallSite) -> bool {
    let swallows =
        |index: RegionIndex| facts.catches.iter().any(|catch| catch.guarded == Some(index) && !catch.rethrows);
    facts.enclosing_regions(site.region).any(|(index, region)| region.kind == RegionKind::Try && swallows(index))
}

/// Not in a callback that runs later or whose promise somebody else has: `fs.unlink(path, (error) => …)`.
fn runs_with_function(facts: &FileFacts, site: &CallSite) -> bool {
    facts.enclosing_regions(site.region).all(|(_, region)| match &region.kind {
        RegionKind::Callback { call: Some(host), .. } => {
            facts.call(*host).awaited || facts.call(*host).usage != Usage::Discarded
        }
        RegionKind::Callback { call: None, .. } => false,
        _ => true,
    })
}
