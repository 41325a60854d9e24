//! Habits: how often each function is awaited. What most callers do is what was meant.

use crate::audit::place;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, Usage};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Places that await what `call` calls.
pub fn awaited(map: &RepoMap, call: CallId) -> usize {
    count(map, call, |site| site.awaited)
}

/// Places that drop its promise, this one included.
pub fn dropped(map: &RepoMap, call: CallId) -> usize {
    count(map, call, |site| !site.awaited && matches!(site.usage, Usage::Discarded | Usage::Ignored))
}

/// Places that say by `void` that nobody waits for it.
pub fn ignored(map: &RepoMap, call: CallId) -> usize {
    count(map, call, |site| matches!(site.usage, Usage::Ignored))
}

fn count(map: &RepoMap, call: CallId, wanted: impl Fn(&CallSite) -> bool) -> usize {
    let through_factory = map.resolved(call).next().is_none();
    let of_function = |symbol: SymbolId| {
        // Tests wait for everything, whatever was meant.
        let callers = map.callers(symbol).iter().filter(|caller| !place::in_test(map, **caller)).filter(|caller| {
            let site = map.call(**caller);
            match site.usage {
                // Of `saveWith(db)(row)` the outer call is the one that counts.
                Usage::Receiver(outer) if through_factory => {
                    let outer = map.call(CallId { index: outer, ..**caller });
                    outer.name.is_empty() && wanted(outer)
                }
                _ => !through_factory && wanted(site),
            }
        });
        callers.count()
    };
    match callees(map, call).map(of_function).max() {
        Some(count) => count,
        None => namesakes(map, call).filter(|other| wanted(map.call(*other))).count(),
    }
}

/// What identifies what a call calls, for calls that belong together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Callee {
    /// A function of the repository.
    Function(SymbolId),
    /// An API, as written: `models.Activity.create`.
    Api(String),
}

/// What `call` calls, if it can be told.
pub fn callee(map: &RepoMap, call: CallId) -> Option<Callee> {
    match callees(map, call).next() {
        Some(symbol) => Some(Callee::Function(symbol)),
        None => api_text(map, call).map(Callee::Api),
    }
}

/// An API by the names written, when these say enough to mean the same everywhere.
fn api_text(map: &RepoMap, call: CallId) -> Option<String> {
    map.call(call).callee.dotted().filter(|text| text.matches('.').count() >= 2)
}

/// Calls of the same API, `call` included; none for functions of the repository.
fn namesakes(map: &RepoMap, call: CallId) -> impl Iterator<Item = CallId> {
    let text = if callees(map, call).next().is_none() { api_text(map, call) } else { None };
    let name = map.call(call).name;
    let calls = text.is_some().then(|| map.calls()).into_iter().flatten();
    calls
        .filter(move |(_, site)| site.name == name && site.callee.dotted() == text)
        .map(|(other, _)| other)
        .filter(|other| !place::in_test(map, *other))
}

/// Functions a call reaches; of `saveWith(db)(row)` the factory.
pub fn callees(map: &RepoMap, call: CallId) -> impl Iterator<Item = SymbolId> {
    let factory = match map.call(call).callee.peeled() {
        Expr::Call(inner) => Some(CallId { index: *inner, ..call }),
        _ => None,
    };
    map.resolved(call).chain(factory.into_iter().flat_map(|factory| map.resolved(factory))).map(|found| found.symbol)
}
