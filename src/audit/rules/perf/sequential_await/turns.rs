//! Turns: loops that wait in each turn for something no other turn needs.

use std::collections::BTreeSet;

use super::{Sequence, speaks_of_order};
use crate::audit::place;
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    BindingKind, CallIndex, CallSite, FileFacts, LanguageName, Loop, LoopForm, Region, RegionIndex, RegionKind, Span,
    Usage,
};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileId, RepoMap};

/// Loops of a file that wait in turn.
pub fn of_file(map: &RepoMap, effects: &Effects, file: FileId) -> Vec<Sequence> {
    let facts = &map.file(file).facts;
    (0..)
        .zip(&facts.regions)
        .filter_map(|(index, region)| match &region.kind {
            RegionKind::Loop(head) => of_loop(map, effects, file, index, region, head),
            _ => None,
        })
        .collect()
}

fn of_loop(
    map: &RepoMap,
    effects: &Effects,
    file: FileId,
    index: RegionIndex,
    region: &Region,
    head: &Loop,
) -> Option<Sequence> {
    let source = map.file(file);
    let facts = &source.facts;
    let rust = source.language == LanguageName::Rust;
    if head.form != LoopForm::Each
        || head.is_async
        || head.exits_early
        || is_ordered(head)
        || map.is_test(file, region.symbol)
    {
        return None;
    }
    let inside: Vec<(CallIndex, &CallSite)> =
        (0..).zip(&facts.calls).filter(|(_, site)| region.span.contains(site.span)).collect();
    let awaited: Vec<CallId> = inside
        .iter()
        .filter(|(_, site)| site.awaited && innermost_turn(facts, site) == Some(index))
        .map(|(index, _)| CallId { file, index: *index })
        .collect();
    let first = *awaited.first()?;
    // An inner loop, or a pause, makes the turn more than its calls.
    let is_plain = inside.iter().all(|(_, site)| !speaks_of_order(&site.name) && !has_ordered_argument(site))
        && !facts.regions.iter().any(|inner| {
            matches!(inner.kind, RegionKind::Loop(_)) && inner.span != region.span && region.span.contains(inner.span)
        });
    if !is_plain || carries_on(facts, region.span, head, rust) || is_inside_turn(facts, region) {
        return None;
    }
    if is_explained(facts, region) {
        return None;
    }
    if awaited.iter().any(|call| sets_on_one_thing(facts, facts.call(call.index), head)) {
        return None;
    }
    let names: BTreeSet<&str> = head.bindings.iter().map(Name::as_str).collect();
    let about_item = |call: &CallId| chain::call_uses(facts, call.index, &|name| names.contains(name));
    if !awaited.iter().any(about_item) {
        return None;
    }
    // A query a turn is another rule's: one statement for all items beats many at once.
    let has =
        |call: &CallId, wanted: &[Effect]| wanted.iter().any(|effect| effects.cause(map, *call, *effect).is_some());
    if awaited
        .iter()
        .any(|call| has(call, &[Effect::DbRead, Effect::DbWrite, Effect::Redis, Effect::Queue, Effect::Process]))
    {
        return None;
    }
    if is_look_up(facts, index, region, head) || awaited.iter().any(|call| goes_slowly(map, *call)) {
        return None;
    }
    let remote = awaited.iter().any(|call| has(call, &[Effect::Http]));
    if rust {
        return remote.then_some(Sequence {
            calls: vec![first],
            turns: Some(region.lines.start),
            is_list: false,
            is_remote: false,
        });
    }
    Some(Sequence {
        is_list: false,
        is_remote: !shares_local(facts, &awaited, &names) && remote
            || !is_embedded(map) && awaited.iter().any(|call| stores_item(facts.call(call.index), &names)),
        calls: awaited,
        turns: Some(region.lines.start),
    })
}

/// `draw(pdf, field)`, nobody looking at what it gives: the calls work on the same thing, where order may show.
fn shares_local(facts: &FileFacts, awaited: &[CallId], items: &BTreeSet<&str>) -> bool {
    let made =
        |owner, name: &str| matches!(place::initialiser(facts, owner, name), Some(Expr::Await(_) | Expr::Call(_)));
    awaited.iter().map(|call| facts.call(call.index)).filter(|site| site.usage == Usage::Discarded).any(|site| {
        site.arguments.iter().any(|argument| {
            matches!(argument, Expr::Name(name) if !items.contains(name.as_str()) && made(site.caller, name))
        })
    })
}

/// `for (const item of items) { if (item.id === id) { await … } }`: one item, or few, and the others are passed over.
fn is_look_up(facts: &FileFacts, index: RegionIndex, region: &Region, head: &Loop) -> bool {
    let mut branches = facts.regions.iter().filter(|inner| inner.parent == Some(index));
    let (Some(only), None) = (branches.next(), branches.next()) else { return false };
    let calls_outside = facts
        .calls
        .iter()
        .any(|site| region.span.contains(site.span) && site.awaited && !only.span.contains(site.span));
    let of_item = |expr: &Expr| {
        matches!(expr.peeled(), Expr::Member(..))
            && expr.root_name().is_some_and(|root| head.bindings.iter().any(|own| own == root))
    };
    only.kind == RegionKind::Branch
        && !calls_outside
        && facts.comparisons.iter().any(|comparison| {
            comparison.operator.starts_with("==")
                && comparison.line == only.lines.start
                && comparison.span.start < only.span.start
                && (of_item(&comparison.left) != of_item(&comparison.right))
        })
}

/// Whether what is called waits on purpose, so as not to ask the other side too often.
fn goes_slowly(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] =
        &["sleep", "delay", "throttle", "throttled", "backoff", "limiter", "wait", "pause", "debounce"];
    let waits = |call: CallId| {
        let name = &map.call(call).name;
        name == "setTimeout" || place::words(name).iter().any(|word| WORDS.contains(&word.as_str()))
    };
    map.resolved(call).any(|resolved| {
        map.calls_in(resolved.symbol)
            .any(|inner| waits(inner) || map.resolved(inner).any(|below| map.calls_in(below.symbol).any(waits)))
    })
}

/// A comment in the loop or above it says why the items wait for each other.
fn is_explained(facts: &FileFacts, region: &Region) -> bool {
    const WORDS: &[&str] =
        &["concurren", "sequential", "rate limit", "one at a time", "one by one", "on purpose", "deliberate"];
    facts.comments.iter().any(|comment| {
        let lower = comment.text.to_ascii_lowercase();
        (region.lines.contains(comment.line) || (comment.line..=comment.line + 4).contains(&region.lines.start))
            && WORDS.iter().any(|word| lower.contains(word))
    })
}

/// `await resource.set(key, value)`: what is changed is one thing, and in which order may show.
fn sets_on_one_thing(facts: &FileFacts, site: &CallSite, head: &Loop) -> bool {
    const CHANGES: &[&str] = &["set", "add", "append", "insert", "push", "put", "apply", "remove", "write"];
    let Expr::Member(receiver, _) = site.callee.peeled() else { return false };
    let of_item = chain::expr_uses(facts, receiver, &|name| head.bindings.iter().any(|own| own == name));
    let first = place::words(&site.name).into_iter().next();
    !of_item && site.usage == Usage::Discarded && first.is_some_and(|word| CHANGES.contains(&word.as_str()))
}

/// The innermost loop around a call, unless a function written in place stands between.
fn innermost_turn(facts: &FileFacts, site: &CallSite) -> Option<RegionIndex> {
    facts
        .enclosing_regions(site.region)
        .take_while(|(_, region)| !matches!(region.kind, RegionKind::Callback { .. } | RegionKind::AsyncBlock))
        .find(|(_, region)| matches!(region.kind, RegionKind::Loop(_)))
        .map(|(index, _)| index)
}

/// Whether the loop stands in another: which of the two is to be turned into one wait is a question for a person.
fn is_inside_turn(facts: &FileFacts, region: &Region) -> bool {
    facts.enclosing_regions(region.parent).any(|(_, outer)| matches!(outer.kind, RegionKind::Loop(_)))
}

/// The only database is SQLite in the process itself, which does one thing after the other anyway.
fn is_embedded(map: &RepoMap) -> bool {
    let depends = |names: &[&str]| {
        map.recon
            .packages
            .iter()
            .any(|package| package.dependencies.iter().any(|own| names.contains(&own.name.as_str())))
    };
    depends(&["sqlite3", "better-sqlite3"]) && !depends(&["pg", "postgres", "mysql", "mysql2", "mariadb", "tedious"])
}

/// `expense.update(…)`: a record stores itself.
fn stores_item(site: &CallSite, items: &BTreeSet<&str>) -> bool {
    const STORES: &[&str] = &["update", "save", "destroy", "reload", "delete", "remove", "setAttributes"];
    STORES.contains(&site.name.as_str())
        && matches!(&site.callee, Expr::Member(receiver, _) if matches!(receiver.peeled(), Expr::Name(name) if items.contains(name.as_str())))
}

/// What the loop runs over, or what an item is called, speaks of order.
fn is_ordered(head: &Loop) -> bool {
    let over = head.over.as_ref().and_then(|over| over.peeled().last_name());
    // A literal list is short, and its order was chosen.
    matches!(head.over.as_ref().map(Expr::peeled), Some(Expr::Array(_) | Expr::Binary(..)) | None)
        || over.is_some_and(|name| speaks_of_order(name) || name.chars().all(|letter| !letter.is_lowercase()))
        || head.bindings.iter().any(|name| speaks_of_order(name))
}

/// `{ transaction }`, `tx`: the turns share a connection.
fn has_ordered_argument(site: &CallSite) -> bool {
    let mut found = false;
    let receiver = match &site.callee {
        Expr::Member(receiver, _) => Some(receiver.as_ref()),
        _ => None,
    };
    for argument in site.arguments.iter().chain(receiver) {
        argument.walk(&mut |inner| match inner {
            Expr::Name(name) => found |= is_shared(name),
            Expr::Object(entries) => found |= entries.iter().any(|(key, _)| is_shared(key)),
            _ => {}
        });
    }
    found
}

fn is_shared(name: &str) -> bool {
    matches!(
        name,
        "tx" | "trx"
            | "transaction"
            | "t"
            | "session"
            | "manager"
            | "queryRunner"
            | "dbTransaction"
            | "sequelizeTransaction"
            | "conn"
            | "connection"
            | "page"
            | "browser"
    )
}

/// Whether a turn hands something on to the next: it assigns to what stands outside the loop.
fn carries_on(facts: &FileFacts, body: Span, head: &Loop, rust: bool) -> bool {
    let own: BTreeSet<&str> = facts
        .bindings
        .iter()
        .filter(|binding| body.contains(binding.span))
        .map(|binding| binding.name.as_str())
        .chain(head.bindings.iter().map(Name::as_str))
        .collect();
    let assigns = facts.assignments.iter().any(|assignment| {
        body.contains(assignment.span)
            && assignment.target.root_name().is_none_or(|root| !own.contains(root))
            // `done += 1` counts, in whatever order.
            && !(assignment.operator == "++" || (assignment.operator == "+=" && matches!(assignment.value, Expr::Number(_))))
    });
    // `names.push(…)`, `seen.add(…)`: later turns may look.
    let collects = facts.calls.iter().any(|site| {
        body.contains(site.span)
            && matches!(site.name.as_str(), "push" | "unshift" | "add" | "set" | "insert" | "extend" | "append")
            && !site.awaited
            && site.callee.root_name().is_some_and(|root| !own.contains(root))
    });
    // A `&mut` goes to one future at a time.
    let is_mutable = |name: &str| {
        facts.bindings.iter().any(|binding| binding.kind == BindingKind::Variable && binding.name == name)
            || facts.symbols.iter().flat_map(|symbol| &symbol.parameters).any(|parameter| {
                parameter.name == name && parameter.declared_type.is_some_and(|declared| declared.starts_with("&mut"))
            })
    };
    let lends = rust
        && facts.calls.iter().filter(|site| body.contains(site.span)).any(|site| {
            site.arguments
                .iter()
                .filter_map(Expr::root_name)
                .chain(site.callee.root_name())
                .any(|root| !own.contains(root) && is_mutable(root))
        });
    assigns || collects || lends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared() {
        assert!(is_shared("trx"));
        assert!(!is_shared("order"));
    }

    #[test]
    fn a_list_named_for_its_order_is_left_alone() {
        let head = |over: &str| Loop {
            form: LoopForm::Each,
            over: Some(Expr::Name(over.into())),
            bindings: vec!["one".into()],
            is_async: false,
            exits_early: false,
        };
        assert!(is_ordered(&head("migrations")));
        assert!(is_ordered(&head("STEPS")));
        assert!(!is_ordered(&head("users")));
    }
}
