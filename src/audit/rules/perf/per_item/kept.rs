//! Answers that are kept or gathered: caches, memo functions, DataLoaders, rows that were loaded before the loop.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::effects::{Cause, Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, RegionIndex, RegionKind};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// A name on the way says that repeated calls are answered from memory, or gathered.
pub fn is_cached(map: &RepoMap, cause: Cause) -> bool {
    cause.through.is_some_and(|symbol| says_kept(&map.symbol(symbol).qualified) || is_memoised(map, symbol))
        || says_kept(&map.call(cause.call).name)
        || is_given_to_a_cache(map, cause.call)
}

/// `cache.get(key, () => findZones())`: asked the first time alone. A key made of the item asks once for each all the same.
fn is_given_to_a_cache(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    facts.enclosing_regions(facts.call(call.index).region).any(|(_, region)| match region.kind {
        RegionKind::Callback { call: Some(host), .. } => {
            let host = facts.call(host);
            let holder = host.callee.dotted();
            let holder = holder.as_deref().and_then(|callee| callee.rsplit_once('.')).map(|(holder, _)| holder);
            matches!(host.name.as_str(), "get" | "wrap" | "fetch" | "remember" | "getOrSet" | "getOrFetch")
                && host
                    .arguments
                    .iter()
                    .any(|argument| matches!(argument.peeled(), Expr::Text(_)) || constant(argument))
                && holder.is_some_and(says_kept)
        }
        _ => false,
    })
}

/// `CACHE_KEYS.zones`, `ZONES_KEY`.
fn constant(expr: &Expr) -> bool {
    expr.dotted().is_some_and(|name| {
        let first = name.split('.').next().unwrap_or_default();
        first.len() > 1 && first.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

fn says_kept(name: &str) -> bool {
    let words = place::words(name);
    words.iter().any(|word| word.contains("cache") || word.starts_with("memo") || word.contains("dataloader"))
        || words.windows(2).any(|pair| pair[0] == "data" && pair[1] == "loader")
}

/// `const find = cache.memoize(async (id) => …)`
fn is_memoised(map: &RepoMap, function: SymbolId) -> bool {
    let facts = &map.file(function.file).facts;
    let symbol = &facts.symbols[function.index as usize];
    facts.bindings.iter().filter(|binding| binding.name == symbol.name && binding.owner == symbol.container).any(
        |binding| match binding.value.as_ref().map(Expr::peeled) {
            Some(Expr::Call(index)) => says_kept(&facts.call(*index).name),
            _ => false,
        },
    )
}

/// `findUser(id, { loaders })`: what is handed the loaders of a request asks through them.
pub fn hands_over_loaders(map: &RepoMap, cause: Cause) -> bool {
    let facts = &map.file(cause.call.file).facts;
    let are_loaders = |name: &str| {
        let words = place::words(name);
        words.last().is_some_and(|word| word == "loaders" || word == "dataloader")
    };
    let mut found = false;
    for link in chain::receivers(facts, cause.call.index) {
        let site = facts.call(link);
        for expr in site.arguments.iter().chain([&site.callee]) {
            expr.walk(&mut |inner| {
                found |= match inner {
                    Expr::Name(name) | Expr::Member(_, name) => are_loaders(name),
                    Expr::Object(entries) => entries.iter().any(|(key, _)| are_loaders(key)),
                    _ => false,
                };
            });
        }
    }
    found
}

/// `loaders ? loaders.user.load(id) : User.findOne(…)`: the query is for callers without a loader.
pub fn stands_in_for_a_loader(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let own = facts.call(call.index);
    let loads = |index: CallIndex| {
        let other = facts.call(index);
        matches!(other.name.as_str(), "load" | "loadMany")
            && chain::names(facts, &other.callee).is_some_and(|names| names.iter().any(|name| name.ends_with("oaders")))
    };
    let function = |region: Option<RegionIndex>| {
        let mut around = facts.enclosing_regions(region);
        around.find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. })).map(|(index, _)| index)
    };
    let in_other_branch = || {
        facts.calls.iter().zip(0..).any(|(other, index)| {
            other.caller == own.caller && function(other.region) == function(own.region) && loads(index)
        })
    };
    let is_arm = |inner: &Expr| {
        let Expr::Either(arms) = inner else { return false };
        let calls =
            || arms.iter().filter_map(|arm| if let Expr::Call(index) = arm.peeled() { Some(*index) } else { None });
        calls().any(|arm| arm == call.index) && calls().any(loads)
    };
    place::is_conditional(map, call, None) && in_other_branch() || has_value(facts, &is_arm)
}

/// `order.buyer ?? (await order.getBuyer())`: asked only for rows that were loaded without it.
pub fn is_fallback(facts: &FileFacts, call: CallIndex) -> bool {
    has_value(facts, &|inner| {
        matches!(inner, Expr::Binary(operator, left, right) if operator == "??"
            && matches!(left.peeled(), Expr::Member(..) | Expr::Index(..))
            && matches!(right.peeled(), Expr::Call(index) if *index == call))
    })
}

/// Whether a value that is bound, assigned, returned or handed on is, or holds, a `wanted` one.
fn has_value(facts: &FileFacts, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    let bound = facts.bindings.iter().filter_map(|binding| binding.value.as_ref());
    let assigned = facts.assignments.iter().map(|assignment| &assignment.value);
    let returned = facts.returns.iter().map(|returned| &returned.value);
    let handed = facts.calls.iter().flat_map(|site| &site.arguments);
    bound.chain(assigned).chain(returned).chain(handed).any(|value| {
        let mut found = false;
        value.walk(&mut |inner| found |= wanted(inner));
        found
    })
}

/// `if (!hosts[id]) hosts[id] = await find(id)`: each key is asked for once, and the loop reads what it has kept.
pub fn remembers(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    let site = facts.call(call.index);
    let branch = facts
        .enclosing_regions(site.region)
        .take_while(|(index, _)| *index != within)
        .find(|(_, region)| matches!(region.kind, RegionKind::Branch));
    let Some((_, branch)) = branch else { return false };
    let body = facts.regions[within as usize].span;
    let keeper = |expr: &Expr| match expr.peeled() {
        Expr::Index(object, _) => object.dotted(),
        _ => None,
    };
    let assigned = facts
        .assignments
        .iter()
        .filter(|assignment| branch.span.contains(assignment.span))
        .filter_map(|assignment| keeper(&assignment.target));
    let set = facts.calls.iter().filter(|other| branch.span.contains(other.span) && other.name == "set").filter_map(
        |other| match other.callee.peeled() {
            Expr::Member(object, _) if other.arguments.len() == 2 => object.dotted(),
            _ => None,
        },
    );
    let keepers: Vec<String> = assigned.chain(set).collect();
    let reads = |expr: &Expr| {
        let mut found = false;
        expr.walk(&mut |inner| found |= keeper(inner).is_some_and(|name| keepers.contains(&name)));
        found
    };
    let bound = facts.bindings.iter().filter(|binding| body.contains(binding.span)).filter_map(|b| b.value.as_ref());
    let assigned = facts.assignments.iter().filter(|one| body.contains(one.span)).map(|one| &one.value);
    let returned = facts
        .returns
        .iter()
        .filter(|returned| (facts.regions[within as usize].lines).contains(returned.line))
        .map(|returned| &returned.value);
    let calls = facts.calls.iter().filter(|other| body.contains(other.span));
    !keepers.is_empty()
        && (bound.chain(assigned).chain(returned).any(reads)
            || calls.clone().any(|other| reads(&other.callee) || other.arguments.iter().any(reads))
            || calls.filter(|other| matches!(other.name.as_str(), "has" | "get")).any(|other| {
                match other.callee.peeled() {
                    Expr::Member(object, _) => object.dotted().is_some_and(|name| keepers.contains(&name)),
                    _ => false,
                }
            }))
}

/// `cipher.to_json(Some(&loaded), conn)`: the function asks only who has not been handed the rows.
pub fn hands_over_the_rows(map: &RepoMap, call: CallId, names: &BTreeSet<&str>, causes: &[Cause]) -> bool {
    let facts = &map.file(call.file).facts;
    let asks_on_condition = causes.get(1).is_some_and(|inner| place::is_conditional(map, inner.call, None));
    let varies = |expr: &Expr| chain::expr_uses(facts, expr, &|name| names.contains(name));
    asks_on_condition
        && facts.call(call.index).arguments.iter().any(|argument| match argument.peeled() {
            Expr::Call(index) => {
                let wrapper = facts.call(*index);
                wrapper.name == "Some" && wrapper.arguments.first().is_some_and(|inner| !varies(inner))
            }
            Expr::Name(name) => !names.contains(name.as_str()) && holds_rows(name),
            Expr::Object(entries) => entries
                .iter()
                .any(|(key, value)| (holds_rows(key) || value.last_name().is_some_and(holds_rows)) && !varies(value)),
            _ => false,
        })
}

/// `usersById`, `source_map`, `preloaded`: something that was loaded for all items.
fn holds_rows(name: &str) -> bool {
    let words = place::words(name);
    let last = words.last().map(String::as_str);
    matches!(last, Some("map" | "lookup" | "cache" | "index" | "preloaded" | "prefetched"))
        || words.iter().any(|word| word == "by") && words.len() > 2
}

/// The function returns what a cache holds before it comes to the query, or comes there only on a miss.
pub fn asks_a_cache_first(map: &RepoMap, effects: &Effects, cause: Cause) -> bool {
    let facts = &map.file(cause.call.file).facts;
    let query = map.call(cause.call);
    // `let kept = cache.get(id); if (!kept) { kept = await find(id); … }`
    let is_for_a_miss = |get: &CallSite| {
        let branches = || {
            let around = facts.enclosing_regions(query.region);
            around.filter(|(_, region)| matches!(region.kind, RegionKind::Branch) && region.symbol == query.caller)
        };
        branches().any(|(_, branch)| get.span.end <= branch.span.start)
    };
    facts.calls.iter().zip(0..).any(|(site, index)| {
        let words = place::words(&site.name);
        let gets =
            words.first().is_some_and(|word| matches!(word.as_str(), "get" | "hget" | "lookup" | "read" | "cached"));
        site.caller == query.caller
            && site.span.end <= query.span.start
            && (gets || words.iter().any(|word| word.contains("cache")))
            && (effects.likely_cause(map, CallId { file: cause.call.file, index }, Effect::Redis).is_some()
                || site.callee.dotted().is_some_and(|path| path.to_ascii_lowercase().contains("cache")))
            && (is_for_a_miss(site)
                || facts.returns.iter().any(|returned| {
                    returned.symbol == query.caller && (site.line..=query.line).contains(&returned.line)
                }))
    })
}
