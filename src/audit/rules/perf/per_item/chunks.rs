//! Many items at once: chunks, pages, statements that are sent together.

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::scope::Scope;
use crate::effects::chain;
use crate::repo_map::CallId;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallIndex, FileFacts, LoopForm, Usage};

/// Chunks, pages and retries: the loop is there to bound what one query does.
pub fn is_paced(facts: &FileFacts, iteration: &Iteration<'_>) -> bool {
    const MARKS: &[&str] = &[
        "chunk", "chunks", "chunked", "batch", "batches", "batched", "page", "pages", "paged", "window", "windows",
        "attempt", "attempts", "retry", "retries", "slice", "cursor",
    ];
    let is_mark = |name: &str| {
        place::words(name).iter().any(|word| MARKS.contains(&word.as_str()) || word.starts_with("paginat"))
    };
    if iteration.bindings.iter().any(|name| is_mark(name)) {
        return true;
    }
    let Some(over) = iteration.over else { return false };
    let marked = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                // `.slice(1)` takes rows away, it does not cut chunks.
                Expr::Call(index) => {
                    let name = facts.call(*index).name.as_str();
                    name != "slice" && is_mark(name)
                }
                Expr::Name(name) => is_mark(name),
                _ => false,
            };
        });
        found
    };
    if marked(over) || marked(Scope::around(facts, iteration.region).resolve(over).0) {
        return true;
    }
    // `for (let i = 0; i < ids.length; i += 100) { … ids.slice(i, i + 100) … }`
    iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) && {
        let body = facts.regions[iteration.region as usize].span;
        facts
            .calls
            .iter()
            .any(|site| body.contains(site.span) && matches!(site.name.as_str(), "slice" | "splice" | "subarray"))
    }
}

/// `prisma.$transaction(items.map((item) => …))`: built by `map`, sent at once.
pub fn is_one_round_trip(facts: &FileFacts, call: CallIndex, iteration: &Iteration<'_>) -> bool {
    // `keys.forEach((key) => pipeline.get(key))`
    let gathered = facts.call(call).callee.root_name().is_some_and(|root| {
        place::words(root).iter().any(|word| matches!(word.as_str(), "pipeline" | "multi" | "batch"))
    });
    if gathered {
        return true;
    }
    let Some(host) = iteration.host else { return false };
    let mut usage = &facts.call(host).usage;
    for _ in 0..4 {
        let (Usage::Argument(outer) | Usage::Receiver(outer)) = usage else { return false };
        let outer = facts.call(*outer);
        if matches!(outer.name.as_str(), "$transaction" | "batch" | "pipeline" | "multi" | "transaction") {
            return true;
        }
        usage = &outer.usage;
    }
    false
}

/// `members_chunked(…)`, `streamRows(…)`: each item is asked about many rows, in pieces.
pub fn gives_a_stream(facts: &FileFacts, call: CallIndex) -> bool {
    place::words(&facts.call(call).name)
        .iter()
        .any(|word| matches!(word.as_str(), "chunked" | "stream" | "streamed" | "cursor" | "paginated" | "generator"))
}

/// Builder methods that ask for one of many values.
const ONE_OF: &[&str] =
    &["whereIn", "orWhereIn", "andWhereIn", "whereNotIn", "inArray", "In", "in", "eq_any", "is_in", "any", "join"];

/// `where: { id: { in: item.ids } }` asks for many rows at once; the loop around it walks chunks or groups.
pub fn sends_a_chunk(facts: &FileFacts, call: CallId, names: &[&str]) -> bool {
    let mut found = false;
    let scope = Scope::of_call(facts, call.index);
    let links = chain::receivers(facts, call.index);
    let given = || links.iter().flat_map(|link| &facts.call(*link).arguments);
    // `query!("… WHERE id = ANY($1)", &ids)`: the statement takes a list, and the item is one.
    if given().any(takes_a_list) && given().any(|argument| is_list_of_item(argument, names)) {
        return true;
    }
    for &link in &links {
        chain::walk_deep(facts, &Expr::Call(link), &mut |inner| {
            let Expr::Call(index) = inner else { return };
            let site = facts.call(*index);
            found |= ONE_OF.contains(&site.name.as_str())
                && site.arguments.iter().any(|argument| is_group(argument, scope, names));
        });
        for argument in &facts.call(link).arguments {
            argument.walk(&mut |inner| {
                if let Expr::Object(entries) = inner {
                    found |= entries.iter().any(|(key, value)| {
                        let is_plural = matches!(key.as_str(), "in" | "$in" | "_in") || is_list_name(key);
                        is_plural && is_group(value, scope, names)
                    });
                }
            });
        }
    }
    found
}

/// SQL that asks for one of many values.
fn takes_a_list(argument: &Expr) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["any(", "any (", "unnest("].iter().any(|form| text.contains(form))
    };
    match argument.peeled() {
        Expr::Text(text) => says(text),
        Expr::Template(parts) => parts.iter().any(|part| matches!(part, TemplatePart::Text(text) if says(text))),
        _ => false,
    }
}

/// An item that is named for being several things: `object_ids` of `for (kind, object_ids) in by_kind`.
fn is_list_of_item(argument: &Expr, names: &[&str]) -> bool {
    // `address`, `status`, `analysis` are one thing each.
    let is_plural = |word: &String| word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    matches!(argument.peeled(), Expr::Name(name)
        if names.contains(&name.as_str()) && place::words(name).last().is_some_and(is_plural))
}

/// `ids`, `userIds`, `emails`: a key that takes many values.
fn is_list_name(key: &str) -> bool {
    place::words(key).last().is_some_and(|word| matches!(word.as_str(), "ids" | "keys" | "uuids" | "slugs" | "emails"))
}

/// What gives a list of what it is called on.
const SELECTS: &[&str] = &["map", "filter", "flatMap", "iter", "into_iter", "filter_map", "collect", "keys", "values"];

/// Whether a value is the item itself or a list made from it (`group.map(…)`): the item is a group, asked for at once.
fn is_group(value: &Expr, scope: Scope<'_>, names: &[&str]) -> bool {
    /// Lists made from lists; real code takes two or three steps.
    const MAX_STEPS: usize = 6;
    let mut current = (value.peeled(), scope);
    for _ in 0..MAX_STEPS {
        current = match current.0 {
            Expr::Name(name) if names.contains(&name.as_str()) => return true,
            Expr::Name(_) => {
                let (next, place) = current.1.resolve(current.0);
                if std::ptr::eq(next, current.0) {
                    return false;
                }
                (next, place)
            }
            Expr::Call(index) => {
                let site = current.1.facts.call(*index);
                match site.callee.peeled() {
                    Expr::Member(object, _) if object.last_name() == Some("Object") => match site.arguments.first() {
                        Some(first) => (first.peeled(), current.1),
                        None => return false,
                    },
                    Expr::Member(object, _) if SELECTS.contains(&site.name.as_str()) => (object.peeled(), current.1),
                    _ => return false,
                }
            }
            _ => return false,
        };
    }
    false
}
