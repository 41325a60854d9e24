//! Wording: calls and lists named as the source writes them.

use crate::audit::place::Iteration;
use crate::audit::rules::perf::per_item::origin::listed;
use crate::effects::{DirectEffect, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, LanguageName};
use crate::repo_map::name::joined;
use crate::repo_map::{CallId, RepoMap};

/// Longest text of a call or list in a title; longer ones are cut down to their ends.
const MAX_TEXT: usize = 60;

/// Links followed in a chain; deeper ones answer nothing.
const MAX_LINKS: usize = 24;

/// What is called, for messages: `prisma.user.findMany`, `db.update(server)`, `sqlx::query!(…).fetch_one`.
pub fn call_text(map: &RepoMap, call: CallId) -> String {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    let rust = source.language == LanguageName::Rust;
    // `db.update(server).set({…})` is known as `db.update(server)`: the last link only fills it in.
    if let (Expr::Member(object, _), "set" | "values" | "from") = (site.callee.peeled(), site.name.as_str())
        && let Expr::Call(verb) = object.peeled()
        && let Some(text) = rendered(facts, &facts.call(*verb).callee, rust, 0)
    {
        let about = if site.name == "from" { &site.arguments } else { &facts.call(*verb).arguments };
        let about = about.first().and_then(|first| first.dotted());
        return match (site.name.as_str(), about) {
            ("from", Some(table)) => format!("{text}(…).from({table})"),
            ("from", None) => format!("{text}(…).from"),
            (_, Some(table)) => format!("{text}({table})"),
            (_, None) => format!("{text}(…)"),
        };
    }
    let macro_mark = if site.kind == CallKind::Macro { "!" } else { "" };
    let links = chain::receivers(facts, call.index);
    let root = links.last().copied().filter(|_| links.len() > 2);
    let text = match root {
        // What a long chain does in between (`bind`, `map`) says little.
        Some(root) => rendered(facts, &Expr::Call(root), rust, 0).map(|root| format!("{root}.{}", site.name)),
        None => rendered(facts, &site.callee, rust, 0),
    };
    let text = text.filter(|text| text.len() <= MAX_TEXT).unwrap_or_else(|| site.name.to_string());
    format!("{text}{macro_mark}")
}

/// The query at the end of a way, for messages.
pub fn sink_text(map: &RepoMap, sink: CallId, api: &DirectEffect) -> String {
    if api.library == "diesel" {
        let facts = &map.file(sink.file).facts;
        let names = chain::names(facts, &facts.call(sink.index).callee).unwrap_or_default();
        let table = match names.as_slice() {
            [table, "table", ..] | [_, table, "table", ..] => Some(*table),
            _ => None,
        };
        return table.map_or_else(|| "a diesel query".to_owned(), |table| format!("a diesel query on `{table}`"));
    }
    format!("`{}`", call_text(map, sink))
}

/// An expression as it was written, arguments left out; `None` when it has no name.
fn rendered(facts: &FileFacts, expr: &Expr, rust: bool, depth: usize) -> Option<String> {
    if depth > MAX_LINKS {
        return None;
    }
    match expr.peeled() {
        Expr::Name(name) => Some(name.to_string()),
        Expr::This => Some(if rust { "self" } else { "this" }.to_owned()),
        // `crate::database::models::Loader::get_id`: the last two say what it is.
        Expr::Path(segments) => Some(joined(&segments[segments.len().saturating_sub(2)..], "::")),
        Expr::Member(object, name) => Some(format!("{}.{name}", rendered(facts, object, rust, depth + 1)?)),
        Expr::Index(object, _) => Some(format!("{}[…]", rendered(facts, object, rust, depth + 1)?)),
        Expr::Call(index) => {
            let site = facts.call(*index);
            let mark = if site.kind == CallKind::Macro { "!" } else { "" };
            let arguments = if site.arguments.is_empty() { "()" } else { "(…)" };
            Some(format!("{}{mark}{arguments}", rendered(facts, &site.callee, rust, depth + 1)?))
        }
        _ => None,
    }
}

/// What the loop runs over, for messages; a list without a name goes by the loop's line.
pub fn loop_text(map: &RepoMap, call: CallId, iteration: &Iteration<'_>) -> String {
    let source = map.file(call.file);
    let facts = &source.facts;
    let rust = source.language == LanguageName::Rust;
    let over = iteration.over.map(|over| inside_a_stream(facts, listed(iteration, over)));
    let text = over.and_then(|over| rendered(facts, over, rust, 0)).filter(|text| text.len() <= MAX_TEXT);
    // `a.iter().filter(…)` that is too long: where it starts.
    let root = || over.and_then(|over| first_list(facts, over)).and_then(|first| rendered(facts, first, rust, 0));
    match text.or_else(root) {
        Some(text) => format!("`{text}`"),
        None => format!("the loop on line {}", facts.regions[iteration.region as usize].lines.start),
    }
}

/// `rows` for `stream::iter(rows)`.
fn inside_a_stream<'a>(facts: &'a FileFacts, over: &'a Expr) -> &'a Expr {
    let Expr::Call(index) = over.peeled() else { return over };
    let site = facts.call(*index);
    match (site.callee.peeled(), site.arguments.as_slice()) {
        (Expr::Path(_), [only]) if site.name == "iter" => only.peeled(),
        _ => over,
    }
}

fn first_list<'a>(facts: &'a FileFacts, over: &'a Expr) -> Option<&'a Expr> {
    let mut current = over.peeled();
    for _ in 0..MAX_LINKS {
        match current {
            Expr::Call(index) => match facts.call(*index).callee.peeled() {
                Expr::Member(object, _) => current = object.peeled(),
                _ => return None,
            },
            Expr::Name(_) | Expr::Member(..) => return Some(current),
            _ => return None,
        }
    }
    None
}
