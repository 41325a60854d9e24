//! Checks: whether a name was tested before a call, so that only harmless values get there.

use crate::audit::place;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, FileFacts, SymbolIndex, Usage};
use crate::repo_map::{CallId, RepoMap};

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
    let owners = owners(facts, at.caller);
    (0..)
        .zip(&facts.calls)
        .filter(|(_, site)| {
            owners.contains(&site.caller)
                && site.span.end <= at.span.start
                && matches!(site.usage, Usage::Tested | Usage::Discarded)
                && site.arguments.iter().any(|argument| argument.peeled() == &Expr::Name(name.to_owned()))
        })
        .map(|(index, site)| strength(map, CallId { file: sink.file, index }, site))
        .max()
        .unwrap_or(Check::None)
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
