//! Writes: which of them one statement could do.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::audit::rules::perf::per_item::by_design::{fails_alone, marks_progress};
use crate::audit::rules::perf::per_item::{PerItem, hooks, is_recursive};
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallIndex, FileFacts, RegionKind, Usage};
use crate::repo_map::{CallId, CallTarget, RepoMap};

/// Writes that take a list in every library of the tables: inserts nobody looks at, deletes, updates to a constant.
///
/// A call through a function counts when its name says that it writes or when nobody looks at what it gives.
pub fn is_batchable(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    if site.api.is_batch || is_recursive(map, site) || acts_outside(map, site) {
        return false;
    }
    let facts = &map.file(site.call.file).facts;
    let end = chain::end(map, site.call);
    let unused = is_unused(facts, end.index, 0);
    if fails_alone(facts, site.call, site.iteration.region)
        || walks_fields(facts, site)
        || follows_its_parent(map, effects, site)
    {
        return false;
    }
    if site.causes.len() > 1 {
        // A deletion gives nothing that anybody needs.
        let deletes = verb(&map.call(site.call).name) == Some(Verb::Delete);
        return site.api.effect == Effect::DbWrite && (unused || deletes);
    }
    if site.api.effect == Effect::Queue {
        return unused && has_bulk_method(map, site);
    }
    let written = written_verb(facts, site);
    if written.is_some_and(|verb| hooks::would_be_skipped(map, site, verb)) {
        return false;
    }
    if written == Some(Verb::Update) && marks_progress(map, effects, site.call, &site.iteration) {
        return false;
    }
    match written {
        Some(Verb::Insert) => unused && !writes_relations(facts, site),
        Some(Verb::Delete) => unused,
        Some(Verb::Update) => unused && has_constant_data(facts, site),
        None => false,
    }
}

/// `const order = await create(…); await addLine({ orderId: order.id })`: the row that this one hangs on is made in the same turn,
/// which runs once an item anyway.
fn follows_its_parent(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    let own = facts.call(site.call.index).span;
    let makes_row = |binding: &Binding| {
        (0..).zip(&facts.calls).any(|(index, other)| {
            let call = CallId { file: site.call.file, index };
            binding.span.contains(other.span) && effects.likely_cause(map, call, Effect::DbWrite).is_some()
        })
    };
    let parents: BTreeSet<&str> = facts
        .bindings
        .iter()
        .filter(|binding| body.contains(binding.span) && binding.span.end <= own.start && makes_row(binding))
        .map(|binding| binding.name.as_str())
        .collect();
    if parents.is_empty() {
        return false;
    }
    let names = place::derived_names(facts, parents, &|binding| body.contains(binding.span));
    chain::call_uses(facts, chain::end(map, site.call).index, &|name| names.contains(name))
}

/// `for (const key of Object.keys(input.account))`: the fields of one thing.
fn walks_fields(facts: &FileFacts, site: &PerItem<'_>) -> bool {
    let Some(Expr::Call(index)) = site.iteration.over.map(Expr::peeled) else { return false };
    let over = facts.call(*index);
    over.name == "keys"
        && matches!(over.callee.peeled(), Expr::Member(object, _) if object.last_name() == Some("Object"))
        && matches!(over.arguments.first().map(Expr::peeled), Some(Expr::Member(..)))
}

/// Whether the receiver is known to be a queue of a library that takes many jobs at once.
fn has_bulk_method(map: &RepoMap, site: &PerItem<'_>) -> bool {
    matches!(map.target(site.call), CallTarget::External(external)
        if matches!(external.package.as_str(), "bullmq" | "bull" | "@nestjs/bullmq" | "@nestjs/bull"))
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Adds a row.
    Insert,
    /// Changes rows.
    Update,
    /// Takes rows away.
    Delete,
}

fn verb(name: &str) -> Option<Verb> {
    let first = place::words(name).into_iter().next()?;
    match first.as_str() {
        "create" | "insert" | "add" | "values" => Some(Verb::Insert),
        "delete" | "destroy" | "del" | "remove" => Some(Verb::Delete),
        "update" | "set" => Some(Verb::Update),
        _ => None,
    }
}

/// What a direct write does, by its API or by the statement it runs.
fn written_verb(facts: &FileFacts, site: &PerItem<'_>) -> Option<Verb> {
    let last = site.api.api.rsplit(['.', ':']).next().unwrap_or_default();
    if let Some(verb) = verb(last) {
        return Some(verb);
    }
    chain::receivers(facts, site.call.index).into_iter().find_map(|link| {
        let link = facts.call(link);
        let by_text = link.arguments.iter().find_map(|argument| match argument.peeled() {
            Expr::Text(text) => verb(text.trim_start()),
            _ => None,
        });
        by_text.or(match link.name.as_str() {
            "insert_into" | "insert" => Some(Verb::Insert),
            "delete" => Some(Verb::Delete),
            _ => None,
        })
    })
}

/// Whether nobody looks at what the call gives, through `Promise.all(items.map(…))` too.
fn is_unused(facts: &FileFacts, call: CallIndex, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    let site = facts.call(call);
    match &site.usage {
        Usage::Discarded | Usage::Ignored => true,
        Usage::Returned => facts
            .enclosing_regions(site.region)
            .find_map(|(_, region)| match &region.kind {
                RegionKind::Callback { call, .. } => Some(*call),
                _ => None,
            })
            .flatten()
            .is_some_and(|host| is_unused(facts, host, depth + 1)),
        Usage::Argument(outer) => {
            matches!(facts.call(*outer).name.as_str(), "all" | "allSettled" | "join_all" | "try_join_all")
                && is_unused(facts, *outer, depth + 1)
        }
        // `.execute(…).map_err(…)?;`: an error is asked for. `.rows_affected()` tells what became of this item: one
        // statement for all of them could not.
        Usage::Receiver(next) => {
            let name = facts.call(*next).name.as_str();
            HANDLES_ERRORS.contains(&name) && is_unused(facts, *next, depth + 1)
        }
        Usage::Bound(_) | Usage::Assigned | Usage::Tested | Usage::Operand | Usage::Element | Usage::Passed => false,
    }
}

/// `create({ data: { name, fields: { createMany: … } } })`: the plural form takes no nested writes.
fn writes_relations(facts: &FileFacts, site: &PerItem<'_>) -> bool {
    let mut found = false;
    for argument in &facts.call(site.call.index).arguments {
        argument.walk(&mut |inner| {
            if let Expr::Object(entries) = inner {
                found |= entries
                    .iter()
                    .any(|(key, _)| matches!(key.as_str(), "create" | "createMany" | "connect" | "connectOrCreate"));
            }
        });
    }
    found
}

/// Calls that turn an error into another and leave the value alone.
const HANDLES_ERRORS: &[&str] =
    &["map_err", "map_res", "inspect_err", "context", "with_context", "wrap_err", "ok", "unwrap", "expect", "catch"];

/// `update({ where: { id: item.id }, data: { seen: true } })`: the values are the same for every item.
fn has_constant_data(facts: &FileFacts, site: &PerItem<'_>) -> bool {
    let body = facts.regions[site.iteration.region as usize].span;
    let mut names = place::item_names(facts, &site.iteration);
    // Whatever is made in the body may differ from item to item.
    names.extend(
        facts.bindings.iter().filter(|binding| body.contains(binding.span)).map(|binding| binding.name.as_str()),
    );
    let varies = |expr: &Expr| {
        let mut found = chain::expr_uses(facts, expr, &|name| names.contains(name));
        // What a function in the data reads is not followed: `seen: events.filter((event) => event.group === group.id).length`.
        chain::walk_deep(facts, expr, &mut |inner| found |= matches!(inner, Expr::Function { .. }));
        found
    };
    facts.call(site.call.index).arguments.iter().any(|argument| match argument.peeled() {
        Expr::Object(entries) => match entries.iter().find(|(key, _)| key == "data") {
            Some((_, data)) => !varies(data),
            None => site.api.api.ends_with(".set") && !varies(argument),
        },
        _ => false,
    })
}

/// Whether the body sends something for each item that cannot be taken back: the write beside it records that.
fn acts_outside(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    const ACTS: &[&str] =
        &["send", "mail", "sms", "charge", "pay", "refund", "upload", "publish", "webhook", "deliver", "notify"];
    facts.calls.iter().any(|other| {
        body.contains(other.span) && place::words(&other.name).first().is_some_and(|word| ACTS.contains(&word.as_str()))
    })
}
