//! Checks: whether a name was tested before a call, so that only harmless values get there.

use crate::audit::place;
use crate::audit::rules::security::origin::holes;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, RegionKind, SymbolIndex, Usage};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// What is known about the values a name can hold at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Nothing.
    None,
    /// Something named like a check was asked about it; what it accepts is not known.
    Named,
    /// A fixed list or an anchored pattern accepted it.
    AllowList,
}

/// Words of functions that say whether a value is acceptable.
const CHECKS: &[&str] = &[
    "is",
    "valid",
    "validate",
    "check",
    "allowed",
    "allow",
    "assert",
    "ensure",
    "verify",
    "safe",
    "sanitize",
    "permitted",
];

/// Methods of lists and sets that ask for membership.
const MEMBERSHIP: &[&str] = &["includes", "has", "contains", "contains_key"];

/// What was asked about `name` before `sink`, in the functions around it.
pub fn check_before(map: &RepoMap, sink: CallId, name: &str) -> Check {
    let facts = &map.file(sink.file).facts;
    let at = facts.call(sink.index);
    if map.caller_of(sink).is_some_and(|function| takes_constants(map, function, name, 0)) {
        return Check::AllowList;
    }
    let owners = owners(facts, at.caller);
    (0..)
        .zip(&facts.calls)
        .filter(|(_, site)| {
            owners.contains(&site.caller)
                && site.span.end <= at.span.start
                && matches!(site.usage, Usage::Tested | Usage::Discarded)
                && site.arguments.iter().any(|argument| argument.peeled() == &Expr::Name(name.into()))
        })
        .map(|(index, site)| strength(map, CallId { file: sink.file, index }, site))
        .max()
        .unwrap_or(Check::None)
}

/// Calls that are followed upwards.
const MAX_CALLERS_DEPTH: u32 = 4;

/// Whether every call of a function that is not exported passes a constant of the code for its parameter `name`.
fn takes_constants(map: &RepoMap, function: SymbolId, name: &str, depth: u32) -> bool {
    let symbol = map.symbol(function);
    let Some(position) = symbol.parameters.iter().position(|parameter| parameter.name == name) else { return false };
    let callers = map.callers(function);
    !symbol.exported
        && symbol.of_trait.is_none()
        && !callers.is_empty()
        && depth < MAX_CALLERS_DEPTH
        && callers.iter().all(|&call| {
            map.call(call).arguments.get(position).is_some_and(|argument| is_constant(map, call, argument, depth))
        })
}

/// Text that stands in the code, directly, through a constant, or through a parameter that only takes constants.
fn is_constant(map: &RepoMap, at: CallId, expr: &Expr, depth: u32) -> bool {
    let facts = &map.file(at.file).facts;
    let site = facts.call(at.index);
    match expr.peeled() {
        Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Nothing => true,
        Expr::Array(items) => items.iter().all(|item| is_constant(map, at, item, depth)),
        Expr::Template(parts) => holes(parts).all(|hole| is_constant(map, at, hole, depth)),
        Expr::Call(index) => {
            let made = facts.call(*index);
            made.kind == CallKind::Macro
                && matches!(made.name.as_str(), "format" | "concat")
                && made.arguments.iter().all(|argument| is_constant(map, at, argument, depth))
        }
        Expr::Member(object, _) => is_constant(map, at, object, depth),
        Expr::Path(segments) => segments.last().is_some_and(|name| is_constant_name(name)),
        Expr::Name(name) if is_constant_name(name) => true,
        Expr::Name(name) => {
            let over = facts.enclosing_regions(site.region).find_map(|(_, region)| match &region.kind {
                RegionKind::Loop(head) if head.bindings.contains(name) => head.over.as_ref(),
                _ => None,
            });
            match over {
                Some(over) => is_constant(map, at, over, depth),
                None => map.caller_of(at).is_some_and(|function| takes_constants(map, function, name, depth + 1)),
            }
        }
        _ => false,
    }
}

fn is_constant_name(name: &str) -> bool {
    name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The function and those it is written in.
fn owners(facts: &FileFacts, caller: Option<SymbolIndex>) -> Vec<Option<SymbolIndex>> {
    let mut found = vec![caller];
    let mut next = caller;
    while let Some(index) = next {
        next = facts.symbols[index as usize].container;
        found.push(next);
    }
    found
}

fn strength(map: &RepoMap, call: CallId, site: &CallSite) -> Check {
    let facts = &map.file(call.file).facts;
    if is_anchored_test(facts, site) || (MEMBERSHIP.contains(&site.name.as_str()) && site.usage == Usage::Tested) {
        return Check::AllowList;
    }
    let asks_a_pattern = map.resolved(call).any(|resolved| {
        let facts = &map.file(resolved.symbol.file).facts;
        map.calls_in(resolved.symbol).any(|inner| {
            let inner = map.call(inner);
            is_anchored_test(facts, inner)
                || (MEMBERSHIP.contains(&inner.name.as_str()) && inner.usage == Usage::Returned)
        })
    });
    if asks_a_pattern {
        Check::AllowList
    } else if place::words(&site.name).iter().any(|word| CHECKS.contains(&word.as_str()) || word.starts_with("valid")) {
        Check::Named
    } else {
        Check::None
    }
}

/// `/^[a-z0-9]+$/.test(x)`, `NAME.is_match(x)` with a pattern for the whole text.
fn is_anchored_test(facts: &FileFacts, site: &CallSite) -> bool {
    if !matches!(site.name.as_str(), "test" | "is_match") {
        return false;
    }
    let Expr::Member(object, _) = site.callee.peeled() else { return false };
    let mut pattern = place::resolve(facts, site.caller, object);
    // `LazyLock::new(|| Regex::new("…"))` holds its pattern one call deeper.
    if let Expr::Call(index) = pattern
        && let Some(argument) = facts.call(*index).arguments.first()
    {
        pattern = argument;
    }
    let text = match pattern {
        Expr::Regex(text) | Expr::Text(text) => text,
        _ => return false,
    };
    let mut anchored = text.starts_with('^') && text.ends_with('$');
    chain::walk_deep(facts, pattern, &mut |inner| {
        if let Expr::Regex(text) = inner {
            anchored = text.starts_with('^') && text.ends_with('$');
        }
    });
    anchored
}
