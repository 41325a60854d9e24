//! What makes a clone a copy of logic that one function could hold, rather than a pattern that repeats.

use std::collections::{BTreeMap, BTreeSet};

use super::MIN_RUN;
use crate::audit::clones::{Clone2, Stretch};
use crate::audit::rules::debt::clone_family::{Body, code, differences, file_lines};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::{CallKind, CallSite, Region, RegionKind, StatementRef, Usage};

/// Leaf tokens of the smallest clone: ten lines of one call each are less.
const MIN_TOKENS: u32 = 90;
/// Of a hundred lines of a clone, how many must be equal up to white space: below that it is a pattern, not a copy.
const MIN_EXACT_PERCENT: usize = 70;

/// Whether the lines of a clone say enough.
pub fn is_dense(bodies: &[Body], clone: &Clone2) -> bool {
    let tokens: u32 = code(bodies, clone.left).iter().map(|line| u32::from(line.tokens)).sum();
    tokens >= MIN_TOKENS
}

/// Whether a clone is logic that was copied, rather than a pattern that repeats.
pub fn is_copy(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let own = code(bodies, clone.left);
    let shapes: BTreeSet<u32> = own.iter().map(|line| line.shape).collect();
    clone.exact * 100 >= clone.left.len().max(clone.right.len()) * MIN_EXACT_PERCENT
        && clone.exact >= MIN_RUN
        // Rows of a table share few shapes.
        && shapes.len() * 10 >= own.len() * 6
        && [clone.left, clone.right].iter().all(|stretch| has_logic(map, bodies, *stretch))
        && ![clone.left, clone.right].iter().any(|stretch| is_cut_at_both_ends(map, bodies, *stretch))
        && can_be_shared(map, bodies, clone)
}

/// From within one branch into the next: neither holds the copy, and no function can.
fn is_cut_at_both_ends(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> bool {
    let range = file_lines(bodies, stretch);
    let branches = || {
        let regions = map.file(bodies[stretch.sequence].file).facts.regions.iter();
        regions.filter(|region| matches!(region.kind, RegionKind::Branch))
    };
    let left = |region: &Region| {
        region.lines.start < range.start && range.contains(region.lines.end) && region.lines.end < range.end
    };
    let entered = |region: &Region| {
        region.lines.start > range.start && range.contains(region.lines.start) && region.lines.end > range.end
    };
    branches()
        .filter(|region| left(region))
        .any(|one| branches().any(|other| other.parent == one.parent && entered(other)))
}

/// Whether one function could do what both sides do.
fn can_be_shared(map: &RepoMap, bodies: &[Body], clone: &Clone2) -> bool {
    let (comparison, differences) = differences(map, bodies, clone.left, clone.right);
    let file = bodies[clone.left.sequence].file;
    // The compiler checks such a query against the tables: no parameter can stand for the name of one.
    let is_fixed = |line: u32| {
        let queries = map.file(file).facts.calls.iter().filter(|call| is_checked_query(call));
        queries.into_iter().any(|call| (call.line..=call.end_line).contains(&line))
    };
    let own = code(bodies, clone.left);
    is_little(differences.logic(), clone.left.len().max(clone.right.len()))
        && !comparison.renamed.iter().any(|(at, _)| is_fixed(own[*at].line))
}

/// Whether copies part in few of their lines. An eighth that does something else: the same frame around two things.
pub fn is_little(parted: usize, lines: usize) -> bool {
    parted * 8 <= lines
}

/// `sqlx::query!("…")`, `query_as!(Row, "…")`.
pub fn is_checked_query(call: &CallSite) -> bool {
    call.kind == CallKind::Macro && call.name.starts_with("query")
}

/// At least three calls and a choice, a loop or a callback, on enough lines that are neither markup nor set-up.
fn has_logic(map: &RepoMap, bodies: &[Body], stretch: Stretch) -> bool {
    let range = file_lines(bodies, stretch);
    let facts = &map.file(bodies[stretch.sequence].file).facts;
    let inside: Vec<&CallSite> = facts.calls.iter().filter(|call| range.contains(call.line)).collect();
    let (markup, calls): (Vec<&CallSite>, Vec<&CallSite>) =
        inside.into_iter().partition(|call| call.kind == CallKind::Jsx);
    // `const [open, setOpen] = useState(false)`: every component begins with these.
    let set_up = |call: &CallSite| {
        let is_hook = call.name.strip_prefix("use").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        is_hook && matches!(call.usage, Usage::Bound(_)) && call.end_line <= call.line + 1
    };
    let light = |line: u32| {
        let covers = |call: &&CallSite| (call.line..=call.end_line).contains(&line);
        markup.iter().any(covers) || calls.iter().any(|call| covers(call) && set_up(call))
    };
    let logic = code(bodies, stretch).iter().filter(|line| !light(line.line)).count();
    if is_one_chain(&calls, code(bodies, stretch).len()) {
        return false;
    }
    let branches = facts.regions.iter().filter(|region| range.contains(region.lines.start)).count();
    calls.len() >= 3 && branches >= 1 && markup.len() * 2 <= calls.len() && logic >= MIN_RUN
}

/// Whether most lines are links of one statement's chain, as of a typed builder: a value that is spelt out, no logic.
fn is_one_chain(calls: &[&CallSite], lines: usize) -> bool {
    let mut chains: BTreeMap<StatementRef, BTreeSet<u32>> = BTreeMap::new();
    for call in calls.iter().filter(|call| matches!(call.usage, Usage::Receiver(_))) {
        chains.entry(call.statement).or_default().insert(call.line);
    }
    chains.values().any(|links| links.len() * 10 >= lines * 6)
}
