//! Reads: a promise used where only its value makes sense.

use crate::audit::place;
use crate::effects::{Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, Usage};
use crate::repo_map::{CallId, RepoMap};

/// Libraries whose promises are more than that: a query under construction, a process with streams.
pub const MORE_THAN_PROMISES: &[&str] =
    &["knex", "drizzle", "kysely", "mongoose", "supabase", "postgres.js", "slonik", "mikro-orm", "redis"];

/// Functions that look into the value they are given, by the names written: receiver (empty for a bare call) and name.
const LOOKERS: &[(&str, &[&str])] = &[
    ("JSON", &["stringify", "parse"]),
    ("Object", &["keys", "values", "entries", "fromEntries"]),
    ("Array", &["isArray", "from"]),
    ("Number", &["isNaN", "isInteger", "isFinite", "parseInt", "parseFloat"]),
    ("Math", &["max", "min", "round", "floor", "ceil", "abs"]),
    ("NextResponse", &["json"]),
    ("Response", &["json"]),
    ("", &["String", "Number", "Boolean", "parseInt", "parseFloat", "isNaN", "encodeURIComponent"]),
    ("_", LODASH),
    ("lodash", LODASH),
];

/// Functions of lodash that read their first argument.
const LODASH: &[&str] = &[
    "get",
    "pick",
    "omit",
    "keys",
    "values",
    "isEmpty",
    "map",
    "filter",
    "find",
    "groupBy",
    "keyBy",
    "sortBy",
    "orderBy",
    "uniq",
    "uniqBy",
    "sum",
    "sumBy",
    "size",
    "first",
    "last",
    "head",
    "flatten",
    "merge",
    "has",
    "mapValues",
    "pickBy",
    "omitBy",
];

/// Names under which web frameworks hand out the response.
const RESPONSES: &[&str] = &["res", "response", "reply"];

/// Whether the value of `call` is read as if it were no promise, at once or through the local it is bound to.
pub fn is_read(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    if has_members_of_its_own(map, effects, call) {
        return false;
    }
    match &site.usage {
        // `load().then(show).catch`: what a promise has of its own, forgotten to be called.
        Usage::Operand => !matches!(site.name.as_str(), "then" | "catch" | "finally"),
        Usage::Bound(name) if name.is_empty() => true,
        Usage::Argument(host) => looks_into(map, CallId { index: *host, ..call }, call.index),
        Usage::Bound(_) => {
            let from = facts.local_reads.partition_point(|read| facts.call(read.call).span < site.span);
            let mut reads = facts.local_reads[from..]
                .iter()
                .take_while(|read| facts.call(read.call).span == site.span)
                .filter(|read| !is_printed(facts, &read.usage))
                .peekable();
            // What is only passed to functions nobody knows may be awaited there.
            reads.peek().is_some()
                && reads.all(|read| match &read.usage {
                    Usage::Operand | Usage::Tested => true,
                    Usage::Bound(name) => name.is_empty(),
                    Usage::Receiver(next) => !is_of_bluebird(map, CallId { index: *next, ..call }),
                    Usage::Argument(host) => looks_into_local(map, CallId { index: *host, ..call }),
                    Usage::Discarded
                    | Usage::Ignored
                    | Usage::Assigned
                    | Usage::Returned
                    | Usage::Element
                    | Usage::Passed => false,
                })
        }
        Usage::Discarded
        | Usage::Ignored
        | Usage::Assigned
        | Usage::Returned
        | Usage::Receiver(_)
        | Usage::Tested
        | Usage::Element
        | Usage::Passed => false,
    }
}

/// `rows.map(…)`, `rows.tap(…)` on a promise of Bluebird, which has methods of its own.
fn is_of_bluebird(map: &RepoMap, method: CallId) -> bool {
    const METHODS: &[&str] = &[
        "map",
        "mapSeries",
        "each",
        "filter",
        "reduce",
        "spread",
        "tap",
        "get",
        "props",
        "return",
        "asCallback",
        "nodeify",
        "timeout",
        "delay",
        "any",
        "some",
        "all",
    ];
    METHODS.contains(&map.call(method).name.as_str())
        && (map.file(method.file).facts.imports.iter().any(|import| import.source == "bluebird")
            || ["bluebird", "sequelize"].iter().any(|package| place::depends_on(map, method.file, package)))
}

/// `console.log(user)`: says nothing about what the value was taken for.
fn is_printed(facts: &FileFacts, usage: &Usage) -> bool {
    matches!(usage, Usage::Argument(host) if matches!(facts.call(*host).callee.root_name(), Some("console" | "logger" | "log")))
}

/// A promise with methods and fields of its own: reading those is no mistake.
fn has_members_of_its_own(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let by_api = effects.direct(call).iter().any(|direct| MORE_THAN_PROMISES.contains(&direct.library));
    by_api || starts_process(&map.call(call).name) || gives_process(map, call)
}

fn starts_process(name: &str) -> bool {
    name.starts_with("exec") || name.starts_with("spawn")
}

/// Whether what is called is not async and hands on a process that it starts: `return execa(…)`.
fn gives_process(map: &RepoMap, call: CallId) -> bool {
    let mut called = map.resolved(call).map(|own| own.symbol).peekable();
    called.peek().is_some()
        && called.all(|function| {
            let facts = &map.file(function.file).facts;
            let gives =
                |value: &Expr| matches!(value.peeled(), Expr::Call(index) if starts_process(&facts.call(*index).name));
            !map.symbol(function).is_async
                && facts.returns.iter().any(|own| own.symbol == Some(function.index) && gives(&own.value))
        })
}

/// Whether `host` reads its argument `call`.
fn looks_into(map: &RepoMap, host: CallId, call: u32) -> bool {
    let site = map.call(host);
    is_looker(&map.file(host.file).facts, site)
        && site.arguments.first().is_some_and(|first| matches!(first.peeled(), Expr::Call(index) if *index == call))
}

/// Whether `host` reads the local that is its first argument.
fn looks_into_local(map: &RepoMap, host: CallId) -> bool {
    let site = map.call(host);
    is_looker(&map.file(host.file).facts, site)
        && matches!(site.arguments.first().map(Expr::peeled), Some(Expr::Name(_)))
}

fn is_looker(facts: &FileFacts, site: &CallSite) -> bool {
    let Some(names) = chain::names(facts, &site.callee) else { return false };
    let (receiver, name) = match names.as_slice() {
        [name] => ("", *name),
        [.., receiver, name] => (*receiver, *name),
        [] => return false,
    };
    if site.kind == CallKind::New {
        return receiver.is_empty() && matches!(name, "Set" | "Map" | "Date" | "URL" | "Error" | "Blob");
    }
    let from_lodash = || {
        receiver.is_empty()
            && LODASH.contains(&name)
            && facts.imports.iter().any(|import| import.local == name && import.source.starts_with("lodash"))
    };
    LOOKERS.iter().any(|(known, names)| *known == receiver && names.contains(&name))
        || (RESPONSES.contains(&receiver) && matches!(name, "json" | "send"))
        // `res.status(200).json(…)`.
        || (name == "json" && names.iter().any(|part| RESPONSES.contains(part)))
        || from_lodash()
}
