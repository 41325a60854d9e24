//! Futures that a thread of their own drives: whoever blocks in one holds nobody else up.

use crate::audit::place;
use crate::effects::chain;
use crate::repo_map::facts::RegionKind;
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// `thread::spawn(move || runtime.block_on(async { … }))`: a thread with a runtime of its own, on which nobody else waits.
pub fn on_own_thread(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(map.call(call).region).any(|(_, region)| {
        let RegionKind::Callback { call: Some(host), is_async: false, .. } = &region.kind else { return false };
        let host = facts.call(*host);
        let names = chain::names(facts, &host.callee).unwrap_or_default();
        host.name == "spawn" && (names.contains(&"thread") || names.contains(&"Builder"))
    })
}

/// `block_on(async { … })` in a function that is not async: the thread waits for that one future and for nothing else.
pub fn is_driven_here(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    let in_async = map.caller_of(call).is_some_and(|function| map.symbol(function).is_async);
    let around = |name: &dyn Fn(&str) -> bool| {
        facts.calls.iter().any(|host| {
            name(&host.name) && host.span.contains(site.span) && host.span != site.span && host.caller == site.caller
        })
    };
    // A task that is spawned inside runs beside others.
    !in_async && around(&|name| name == "block_on") && !around(&|name| name.starts_with("spawn"))
}

/// Calls between a future and what drives it that are followed. Our choice.
const MAX_DEPTH: u32 = 4;

/// Nothing but `block_on` in code that is not async leads to the function around a call: the thread that waits for it has nothing else
/// to do.
pub fn is_driven_alone(map: &RepoMap, call: CallId) -> bool {
    map.caller_of(call).is_some_and(|function| is_only_driven(map, function, 0))
}

fn is_only_driven(map: &RepoMap, function: SymbolId, depth: u32) -> bool {
    let callers: Vec<CallId> = map.callers(function).iter().copied().filter(|own| !place::in_test(map, *own)).collect();
    let is_step = |caller: CallId| {
        let facts = &map.file(caller.file).facts;
        // A block or closure may be handed to whoever runs tasks.
        let is_apart = facts
            .enclosing_regions(map.call(caller).region)
            .any(|(_, region)| matches!(region.kind, RegionKind::AsyncBlock | RegionKind::Callback { .. }));
        let awaited_by = map.caller_of(caller).filter(|function| map.symbol(*function).is_async);
        !is_apart && map.call(caller).awaited && awaited_by.is_some_and(|own| is_only_driven(map, own, depth + 1))
    };
    depth < MAX_DEPTH && !callers.is_empty() && callers.iter().all(|own| is_driven_here(map, *own) || is_step(*own))
}
