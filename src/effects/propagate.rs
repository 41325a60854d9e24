//! Propagation: effects climb from callee to caller until nothing changes, each by the shortest way.

use std::collections::BTreeMap;

use crate::effects::by_name::ByName;
use crate::effects::deferral::{is_deferred, is_deferred_within};
use crate::effects::{Cause, DirectEffect, Effect};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Effects that are followed by name too: the ones that cost a trip over the network.
pub const REMOTE: [Effect; 5] = [Effect::DbRead, Effect::DbWrite, Effect::Http, Effect::Redis, Effect::Queue];

/// A function, or the function it gives.
type Node = (SymbolId, bool);

/// What functions do, each effect with the shortest way to it.
pub type Functions = BTreeMap<SymbolId, BTreeMap<Effect, Cause>>;

/// Effects of every function: its own calls', then its callees', level by level.
///
/// Ways of equal length are told apart by the position of the call, so the result does not depend on order of work.
pub fn propagate(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    inward: &BTreeMap<CallId, Vec<DirectEffect>>,
) -> Functions {
    let mut functions = run(map, direct, &ByName::default(), &Effect::OUTWARD).0;
    for (function, effects) in run(map, inward, &ByName::default(), &Effect::INWARD).0 {
        functions.entry(function).or_default().extend(effects);
    }
    functions
}

/// The same where calls are followed by name too, and what the functions do that factories give.
///
/// A call that is followed by name has an effect once everything it may mean has it.
pub fn propagate_likely(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    by_name: &ByName,
) -> (Functions, Functions) {
    run(map, direct, by_name, &REMOTE)
}

fn run(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    by_name: &ByName,
    wanted: &[Effect],
) -> (Functions, Functions) {
    let (mut functions, mut given) = (Functions::new(), Functions::new());
    for &effect in wanted {
        let mut known: BTreeMap<Node, Cause> = BTreeMap::new();
        let mut level: BTreeMap<Node, Cause> = BTreeMap::new();
        let offer = |level: &mut BTreeMap<Node, Cause>, known: &BTreeMap<Node, Cause>, cause: Cause| {
            let Some(node) = node_of(map, by_name, cause.call, effect).filter(|node| !known.contains_key(node)) else {
                return;
            };
            let entry = level.entry(node).or_insert(cause);
            *entry = (*entry).min(cause);
        };
        for (&call, effects) in direct {
            if effects.iter().any(|own| own.effect == effect) {
                offer(&mut level, &known, Cause { call, through: None, given: false, distance: 1 });
            }
        }
        while !level.is_empty() {
            known.extend(level.iter().map(|(&node, &cause)| (node, cause)));
            let mut next = BTreeMap::new();
            for (&(symbol, is_given), cause) in &level {
                for &call in map.callers(symbol).iter().filter(|_| !is_given) {
                    let cause = Cause { call, through: Some(symbol), given: false, distance: cause.distance + 1 };
                    offer(&mut next, &known, cause);
                }
                for &call in by_name.callers.get(&(symbol, is_given)).map_or(&[][..], Vec::as_slice) {
                    if let Some(cause) = by_name.cause(call, &|symbol, given| known.get(&(symbol, given)).copied()) {
                        offer(&mut next, &known, cause);
                    }
                }
            }
            level = next;
        }
        for ((symbol, is_given), cause) in known {
            let table = if is_given { &mut given } else { &mut functions };
            table.entry(symbol).or_default().insert(effect, cause);
        }
    }
    (functions, given)
}

/// What runs a call: the function around it, or the function that one gives.
fn node_of(map: &RepoMap, by_name: &ByName, call: CallId, effect: Effect) -> Option<Node> {
    let function = map.caller_of(call)?;
    if stays_below(map, function, effect) {
        return None;
    }
    if !is_deferred(map, call, effect) {
        return Some((function, false));
    }
    let product = *by_name.products.get(&function)?;
    let facts = &map.file(call.file).facts;
    let inside = facts.enclosing_regions(facts.call(call.index).region).any(|(region, _)| region == product);
    (inside && !is_deferred_within(map, call, effect, Some(product))).then_some((function, true))
}

/// Blocking is reported where an `async fn` meets it, so it climbs through synchronous functions only.
fn stays_below(map: &RepoMap, function: SymbolId, effect: Effect) -> bool {
    effect == Effect::Blocking && map.symbol(function).is_async
}
