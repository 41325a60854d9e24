//! Call chains: `db.select().from(users)` as names and calls from root to end.

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts, RegionIndex, RegionKind, Usage};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, RepoMap};

/// Names of a chain from its root to the callee, calls seen through: `db.select().from` is `db`, `select`, `from`.
/// `None` when the root has no name.
pub fn names<'a>(facts: &'a FileFacts, callee: &'a Expr) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut next = callee;
    loop {
        match next.peeled() {
            Expr::Name(name) => {
                found.push(name.as_str());
                break;
            }
            Expr::This => {
                found.push("this");
                break;
            }
            Expr::Path(segments) => {
                found.extend(segments.iter().rev().map(Name::as_str));
                break;
            }
            Expr::Member(object, name) => {
                found.push(name.as_str());
                next = object;
            }
            Expr::Index(object, _) => {
                found.push("[]");
                next = object;
            }
            Expr::Call(index) => next = &facts.call(*index).callee,
            _ => return None,
        }
    }
    found.reverse();
    Some(found)
}

/// Calls a chain is made of, this one first, then the receivers: `from`, `select` for `db.select().from(users)`.
pub fn receivers(facts: &FileFacts, call: CallIndex) -> Vec<CallIndex> {
    let mut found = vec![call];
    let mut next = &facts.call(call).callee;
    loop {
        match next.peeled() {
            Expr::Member(object, _) | Expr::Index(object, _) => next = object,
            Expr::Call(index) => {
                found.push(*index);
                next = &facts.call(*index).callee;
            }
            _ => return found,
        }
    }
}

/// The last call of the chain a call stands in: `where` for the `select` of `db.select().from(users).where(…)`.
pub fn end(map: &RepoMap, call: CallId) -> CallId {
    let facts = &map.file(call.file).facts;
    let mut last = call.index;
    while let Usage::Receiver(next) = facts.call(last).usage {
        // A chain grows to the right, so this ends.
        if next == last {
            break;
        }
        last = next;
    }
    CallId { file: call.file, index: last }
}

/// Whether somebody waits for the value of a chain that ends in `call`: at once, or through the name it is bound to.
pub fn is_waited_for(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    let gathers = |outer: CallIndex| matches!(facts.call(outer).name.as_str(), "all" | "allSettled" | "push" | "race");
    match &site.usage {
        _ if site.awaited => true,
        // `ids.map((id) => knex.select(…))`: who waits for the list waits for what is in it.
        Usage::Returned => mapping_around(facts, site.region).is_none_or(|host| is_waited_for(facts, host)),
        // A list that is waited for, or a part of what a bigger builder is told: `select({ id: knex.raw('?') })`.
        Usage::Element => taker(facts, call).is_none_or(gathers),
        Usage::Receiver(next) => matches!(facts.call(*next).name.as_str(), "then" | "catch" | "finally"),
        Usage::Argument(outer) => gathers(*outer),
        Usage::Bound(name) => {
            let awaits = |expr: &Expr| {
                let mut found = false;
                expr.walk(&mut |inner| {
                    found |= matches!(inner, Expr::Await(value) if matches!(&**value, Expr::Name(own) if own == name));
                });
                found
            };
            let is_it = |expr: &Expr| matches!(expr.peeled(), Expr::Name(own) if own == name);
            facts.bindings.iter().filter_map(|binding| binding.value.as_ref()).any(awaits)
                || facts.assignments.iter().any(|assignment| awaits(&assignment.value))
                || facts.returns.iter().any(|returned| {
                    returned.symbol == site.caller && (is_it(&returned.value) || awaits(&returned.value))
                })
                || facts.calls.iter().zip(0..).any(|(other, index)| {
                    other.caller == site.caller
                        && (other.arguments.iter().any(awaits)
                            || gathers(index) && other.arguments.iter().any(|argument| argument.mentions(name))
                            || (other.awaited || other.usage == Usage::Returned)
                                && names(facts, &other.callee)
                                    .is_some_and(|names| names.first() == Some(&name.as_str())))
                })
        }
        Usage::Discarded | Usage::Ignored | Usage::Assigned | Usage::Tested | Usage::Operand | Usage::Passed => false,
    }
}

/// `build(query, filter) { return query.where(…); }`: a part is added to a builder that somebody else made and runs.
pub fn extends_a_given_builder(facts: &FileFacts, call: CallIndex) -> bool {
    let site = facts.call(call);
    let Some(names) = names(facts, &site.callee).filter(|_| !site.awaited) else { return false };
    let root = match names.as_slice() {
        ["this", field, ..] => return field.to_ascii_lowercase().contains("builder"),
        [root, ..] => *root,
        [] => return false,
    };
    let speaks_of_one = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower == "qb" || lower.ends_with("query") || lower.contains("builder")
    };
    let parameters = site.caller.into_iter().flat_map(|index| &facts.symbols[index as usize].parameters);
    speaks_of_one(root) && parameters.into_iter().any(|parameter| parameter.name == root)
}

/// The call that maps a list by the callback a region is, or stands in.
fn mapping_around(facts: &FileFacts, region: Option<RegionIndex>) -> Option<CallIndex> {
    let (_, callback) =
        facts.enclosing_regions(region).find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }))?;
    let RegionKind::Callback { call: Some(host), .. } = callback.kind else { return None };
    matches!(facts.call(host).name.as_str(), "map" | "flatMap").then_some(host)
}

/// The innermost call that takes an argument in which `call` stands.
fn taker(facts: &FileFacts, call: CallIndex) -> Option<CallIndex> {
    let own = facts.call(call);
    (0..)
        .zip(&facts.calls)
        .filter(|(_, other)| other.span.contains(own.span) && other.span != own.span && other.region == own.region)
        .min_by_key(|(_, other)| other.span.end - other.span.start)
        .map(|(index, _)| index)
}

/// Whether the call only makes a value (`new`, JSX): no chain of queries starts below it.
pub fn is_plain_call(kind: CallKind) -> bool {
    matches!(kind, CallKind::Call | CallKind::Macro | CallKind::Template)
}

/// Calls `visit` on every expression of a call's arguments and of its receivers' arguments, calls entered.
pub fn walk_deep<'a>(facts: &'a FileFacts, expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    walk_bounded(facts, expr, visit, 0);
}

fn walk_bounded<'a>(facts: &'a FileFacts, expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr), depth: usize) {
    // Calls nest at most as deep as the extractor's expressions; the bound guards against facts that refer in a circle.
    if depth > 24 {
        return;
    }
    let mut calls = Vec::new();
    expr.walk(&mut |inner| {
        visit(inner);
        if let Expr::Call(index) = inner {
            calls.push(*index);
        }
    });
    for index in calls {
        let site = facts.call(index);
        walk_bounded(facts, &site.callee, visit, depth + 1);
        for argument in &site.arguments {
            walk_bounded(facts, argument, visit, depth + 1);
        }
    }
}

/// Whether a call's callee or arguments use a name for which `wanted` holds, receivers of its chain included.
pub fn call_uses(facts: &FileFacts, call: CallIndex, wanted: &dyn Fn(&str) -> bool) -> bool {
    expr_uses(facts, &Expr::Call(call), wanted)
}

/// Whether an expression uses a name for which `wanted` holds, calls entered.
pub fn expr_uses(facts: &FileFacts, expr: &Expr, wanted: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    walk_deep(facts, expr, &mut |inner| {
        found |= match inner {
            Expr::Name(name) => wanted(name),
            Expr::Path(segments) => segments.len() == 1 && wanted(&segments[0]),
            _ => false,
        };
    });
    found
}
