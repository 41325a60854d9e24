//! Propagation: effects climb from callee to caller until nothing changes, each by the shortest way.

use std::collections::BTreeMap;

use crate::effects::deferral::is_deferred;
use crate::effects::{Cause, DirectEffect, Effect};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Every effect there is, in order.
pub const ALL: [Effect; 8] = [
    Effect::DbRead,
    Effect::DbWrite,
    Effect::Http,
    Effect::Redis,
    Effect::Queue,
    Effect::Fs,
    Effect::Blocking,
    Effect::Process,
];

/// Effects of every function: its own calls', then its callees', level by level.
///
/// Ways of equal length are told apart by the position of the call, so the result does not depend on order of work.
pub fn propagate(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
) -> BTreeMap<SymbolId, BTreeMap<Effect, Cause>> {
    let mut functions: BTreeMap<SymbolId, BTreeMap<Effect, Cause>> = BTreeMap::new();
    for effect in ALL {
        let mut known: BTreeMap<SymbolId, Cause> = BTreeMap::new();
        let mut level: BTreeMap<SymbolId, Cause> = BTreeMap::new();
        for (&call, effects) in direct {
            if effects.iter().any(|own| own.effect == effect) {
                offer(map, &mut level, &known, Cause { call, through: None, distance: 1 }, effect);
            }
        }
        while !level.is_empty() {
            known.extend(level.iter().map(|(&symbol, &cause)| (symbol, cause)));
            let mut next = BTreeMap::new();
            for (&symbol, cause) in &level {
                for &call in map.callers(symbol) {
                    let cause = Cause { call, through: Some(symbol), distance: cause.distance + 1 };
                    offer(map, &mut next, &known, cause, effect);
                }
            }
            level = next;
        }
        for (symbol, cause) in known {
            functions.entry(symbol).or_default().insert(effect, cause);
        }
    }
    functions
}

/// Takes `cause` for the function its call stands in, unless a way as short is known.
fn offer(
    map: &RepoMap,
    level: &mut BTreeMap<SymbolId, Cause>,
    known: &BTreeMap<SymbolId, Cause>,
    cause: Cause,
    effect: Effect,
) {
    let Some(function) = map.caller_of(cause.call) else { return };
    if known.contains_key(&function) || is_deferred(map, cause.call, effect) || stays_below(map, function, effect) {
        return;
    }
    let entry = level.entry(function).or_insert(cause);
    *entry = (*entry).min(cause);
}

/// Blocking is reported where an `async fn` meets it, so it climbs through synchronous functions only.
fn stays_below(map: &RepoMap, function: SymbolId, effect: Effect) -> bool {
    effect == Effect::Blocking && map.symbol(function).is_async
}
