//! Assigned: a promise put where a value belongs.

use crate::audit::rules::bug::unawaited_promise::reads::MORE_THAN_PROMISES;
use crate::effects::{Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Assignment, FileFacts, RegionKind, Return};
use crate::repo_map::{CallId, RepoMap};

/// Methods of lists that no promise has.
const OF_LISTS: &[&str] = &[
    "map", "filter", "forEach", "find", "some", "every", "sort", "slice", "reduce", "push", "flatMap", "includes",
    "join", "concat",
];

/// Whether the promise of `call` is assigned to what holds a value: elsewhere in the file the same variable is given one that was waited
/// for, or the variable is a list that goes on being used as one.
pub fn is_taken_for_value(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let is_own = |assignment: &&Assignment| {
        assignment.operator == "=" && matches!(&assignment.value, Expr::Call(index) if *index == call.index)
    };
    let Some(own) = facts.assignments.iter().find(is_own) else { return false };
    let Some(target) = own.target.dotted() else { return false };
    if !effects.call_is_async(map, call)
        || effects.direct(call).iter().any(|direct| MORE_THAN_PROMISES.contains(&direct.library))
    {
        return false;
    }
    let is_settled_elsewhere = || {
        facts.assignments.iter().any(|other| {
            other.operator == "="
                && other.span != own.span
                && matches!(&other.value, Expr::Await(_))
                && other.target.dotted().as_deref() == Some(target.as_str())
                // A local of another function is another variable.
                && (other.symbol == own.symbol || is_of_file(facts, &target))
        })
    };
    // Whoever calls the function gets the promise.
    let callback =
        facts.enclosing_regions(own.region).find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }));
    let is_of_function = |given: &Return| match callback {
        Some((index, _)) => given.region == Some(index),
        None => given.symbol == own.symbol,
    };
    let gives_it = |given: &Return| given.value.dotted().as_deref() == Some(target.as_str());
    let is_given_back =
        !is_of_file(facts, &target) && facts.returns.iter().any(|one| is_of_function(one) && gives_it(one));
    (is_settled_elsewhere() && !is_given_back || is_used_as_list(facts, call, own, &target))
        && !is_awaited(facts, &target)
}

/// Whether a variable outlives the function that writes it: one of the file, or a field.
fn is_of_file(facts: &FileFacts, target: &str) -> bool {
    target.contains('.')
        || facts
            .bindings
            .iter()
            .any(|binding| binding.owner.is_none() && binding.region.is_none() && binding.name == target)
}

/// `orders = Promise.map(orders, …); orders.sort(…)`.
fn is_used_as_list(facts: &FileFacts, call: CallId, own: &Assignment, target: &str) -> bool {
    let site = facts.call(call.index);
    let takes_itself = site.arguments.iter().any(|argument| argument.dotted().as_deref() == Some(target));
    takes_itself
        && facts.calls.iter().any(|later| {
            later.caller == site.caller
                && later.span.start > own.span.end
                && OF_LISTS.contains(&later.name.as_str())
                && matches!(later.callee.peeled(), Expr::Member(receiver, _) if receiver.dotted().as_deref() == Some(target))
        })
}

/// Whether the file waits for the variable somewhere: then it may hold a promise.
fn is_awaited(facts: &FileFacts, target: &str) -> bool {
    let awaits = |value: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, value, &mut |inner| {
            found |= matches!(inner, Expr::Await(waited) if waited.dotted().as_deref() == Some(target));
        });
        found
    };
    let bound = facts.bindings.iter().filter_map(|one| one.value.as_ref());
    let assigned = facts.assignments.iter().map(|one| &one.value);
    let returned = facts.returns.iter().map(|one| &one.value);
    let given = facts.calls.iter().flat_map(|one| one.arguments.iter().chain(std::iter::once(&one.callee)));
    let handles = facts.calls.iter().any(|one| {
        matches!(one.name.as_str(), "then" | "catch" | "finally")
            && matches!(one.callee.peeled(), Expr::Member(receiver, _) if receiver.dotted().as_deref() == Some(target))
    });
    handles || bound.chain(assigned).chain(returned).chain(given).any(awaits)
}
