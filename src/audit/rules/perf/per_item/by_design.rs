//! Loops that ask once an item on purpose, or whose items are no collection.

use std::collections::BTreeSet;

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::origin::{Origin, listed};
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::{Cause, Effect, Effects, chain};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{FileFacts, LoopForm, RegionIndex, RegionKind, Usage};
use crate::repo_map::{CallId, RepoMap};

/// Whether the loop is right as it is for this call.
pub fn is_by_design(
    map: &RepoMap,
    effects: &Effects,
    call: CallId,
    iteration: &Iteration<'_>,
    causes: &[Cause],
    origin: Origin,
) -> bool {
    let facts = &map.file(call.file).facts;
    walks_on(facts, call, iteration)
        || receives_messages(facts, iteration, origin)
        || is_detached(map, call, iteration.region)
        || opens_a_transaction(facts, call, iteration.region)
        || walks_a_tree(map, call, iteration, causes)
        || causes.iter().skip(1).any(|cause| asks_a_cache_first(map, effects, *cause))
}

/// Keyset pages: the loop's own variable is set from what the body read, or the statement has a `LIMIT`.
fn walks_on(facts: &FileFacts, call: CallId, iteration: &Iteration<'_>) -> bool {
    let Some(statement) = iteration.statement else { return false };
    if !matches!(statement.form, LoopForm::While | LoopForm::WhileLet) {
        return false;
    }
    let body = facts.regions[iteration.region as usize].span;
    let variable = statement.over.as_ref().and_then(|over| match over.peeled() {
        Expr::Name(name) => Some(name),
        _ => None,
    });
    let reassigned = variable.is_some_and(|name| {
        facts.assignments.iter().any(|assignment| {
            body.contains(assignment.span) && matches!(assignment.target.peeled(), Expr::Name(own) if own == name)
        })
    });
    reassigned || has_limit(facts, call)
}

/// Whether the statement of a chain says `LIMIT`.
pub fn has_limit(facts: &FileFacts, call: CallId) -> bool {
    let limits = |text: &str| text.split_whitespace().any(|word| word.eq_ignore_ascii_case("limit"));
    let mut found = false;
    chain::walk_deep(facts, &facts.call(call.index).callee, &mut |inner| {
        found |= match inner {
            Expr::Text(text) => limits(text),
            Expr::Template(parts) => parts.iter().any(|part| matches!(part, TemplatePart::Text(text) if limits(text))),
            _ => false,
        };
    });
    found
}

/// `while let Some(message) = receiver.recv().await`: each message comes when it comes. Rows of a stream do not.
fn receives_messages(facts: &FileFacts, iteration: &Iteration<'_>, origin: Origin) -> bool {
    if !iteration.statement.is_some_and(|statement| statement.form == LoopForm::WhileLet) || origin.is_long() {
        return false;
    }
    let mut awaited = false;
    if let Some(over) = iteration.over {
        over.walk(&mut |inner| {
            awaited |= match inner {
                Expr::Await(_) => true,
                Expr::Call(index) => facts.call(*index).awaited,
                _ => false,
            };
        });
    }
    awaited
}

/// `spawn(async move { … });`: nobody in the loop waits for it.
fn is_detached(map: &RepoMap, call: CallId, within: RegionIndex) -> bool {
    let facts = &map.file(call.file).facts;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| *index != within)
        .filter(|(_, region)| matches!(region.kind, RegionKind::AsyncBlock))
        .any(|(_, region)| {
            let host = (0..)
                .zip(&facts.calls)
                .filter(|(_, site)| site.span.contains(region.span) && site.span != region.span)
                .min_by_key(|(_, site)| site.span.end - site.span.start);
            host.is_some_and(|(index, _)| {
                let end = chain::end(map, CallId { index, ..call });
                let end = map.call(end);
                !end.awaited && matches!(end.usage, Usage::Discarded | Usage::Ignored)
            })
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

/// What stands in a `catch` runs for the items that fail.
pub fn follows_an_error(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    facts.enclosing_regions(facts.call(call.index).region).take_while(|(index, _)| *index != within).any(
        |(index, region)| {
            matches!(region.kind, RegionKind::Handler) && facts.catches.iter().any(|catch| catch.region == Some(index))
        },
    )
}

/// The items are databases, and each is asked once.
pub fn asks_each_database(bindings: &[&str]) -> bool {
    const DATABASES: &[&str] = &[
        "db",
        "client",
        "database",
        "conn",
        "connection",
        "knex",
        "prisma",
        "pool",
        "shard",
        "region",
        "datasource",
        "schema",
    ];
    bindings.iter().any(|name| place::words(name).last().is_some_and(|word| DATABASES.contains(&word.as_str())))
}

/// A transaction an item keeps locks short and lets one item fail alone.
fn opens_a_transaction(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    let opens = |name: &str| {
        matches!(
            name,
            "transaction"
                | "$transaction"
                | "withTransaction"
                | "with_transaction"
                | "build_transaction"
                | "run_transaction"
        )
    };
    let site = facts.call(call.index);
    let inside_one =
        facts.enclosing_regions(site.region).take_while(|(index, _)| *index != within).any(|(_, region)| match &region
            .kind
        {
            RegionKind::Callback { call: Some(host), .. } => opens(&facts.call(*host).name),
            _ => false,
        });
    let body = facts.regions[within as usize].span;
    inside_one
        || facts.calls.iter().any(|other| {
            body.contains(other.span)
                && other.span.end <= site.span.start
                && matches!(other.name.as_str(), "begin" | "begin_transaction" | "begin_with" | "startTransaction")
        })
}

/// A function that calls itself on the parts of what it was given: a syntax tree, not a table.
fn walks_a_tree(map: &RepoMap, call: CallId, iteration: &Iteration<'_>, causes: &[Cause]) -> bool {
    let function = map.caller_of(call);
    if function.is_none() || causes.first().is_none_or(|cause| cause.through != function) {
        return false;
    }
    let facts = &map.file(call.file).facts;
    let Some(over) = iteration.over.map(|over| listed(iteration, over)) else { return false };
    let Expr::Member(object, _) = over.peeled() else { return false };
    match object.root_name() {
        Some("this") => true,
        Some(root) => matches!(Scope::around(facts, iteration.region).look_up(root), Meaning::Parameter(_)),
        None => false,
    }
}

/// The function returns what a cache holds before it comes to the query.
pub fn asks_a_cache_first(map: &RepoMap, effects: &Effects, cause: Cause) -> bool {
    let facts = &map.file(cause.call.file).facts;
    let query = map.call(cause.call);
    facts.calls.iter().zip(0..).any(|(site, index)| {
        let words = place::words(&site.name);
        let gets =
            words.first().is_some_and(|word| matches!(word.as_str(), "get" | "hget" | "lookup" | "read" | "cached"));
        site.caller == query.caller
            && site.span.end <= query.span.start
            && (gets || words.iter().any(|word| word.contains("cache")))
            && (effects.likely_cause(map, CallId { file: cause.call.file, index }, Effect::Redis).is_some()
                || site.callee.root_name().is_some_and(|root| root.to_ascii_lowercase().contains("cache")))
            && facts
                .returns
                .iter()
                .any(|returned| returned.symbol == query.caller && (site.line..=query.line).contains(&returned.line))
    })
}

/// Whether an error of this call is taken inside the loop, so that the next item goes on: each item fails alone.
pub fn fails_alone(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| *index != within)
        .filter(|(_, region)| matches!(region.kind, RegionKind::Try))
        .any(|(index, _)| facts.catches.iter().any(|catch| catch.guarded == Some(index) && !catch.rethrows))
}

/// Whether work the loop waits for comes before the write, which then records how far it got.
pub fn marks_progress(map: &RepoMap, effects: &Effects, call: CallId, iteration: &Iteration<'_>) -> bool {
    let facts = &map.file(call.file).facts;
    let body = facts.regions[iteration.region as usize].span;
    let site = facts.call(call.index);
    let names = place::item_names(facts, iteration);
    let is_query = |index| {
        let other = CallId { index, ..call };
        [Effect::DbRead, Effect::DbWrite].into_iter().any(|effect| effects.likely_cause(map, other, effect).is_some())
            || chain::receivers(facts, index)
                .iter()
                .any(|link| !effects.direct(CallId { index: *link, ..call }).is_empty())
    };
    (0..).zip(&facts.calls).any(|(index, other)| {
        other.awaited
            && body.contains(other.span)
            && other.span.end <= site.span.start
            && !matches!(other.name.as_str(), "all" | "allSettled" | "join_all" | "try_join_all" | "map")
            && !is_query(index)
            && chain::call_uses(facts, index, &|name| names.contains(name))
    })
}
