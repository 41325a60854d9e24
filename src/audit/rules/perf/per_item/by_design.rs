//! Loops that ask once an item on purpose, or whose items are no collection.

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::beside::is_query;
use crate::audit::rules::perf::per_item::kept;
use crate::audit::rules::perf::per_item::origin::{Origin, listed};
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::{Cause, Effects, chain};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{FileFacts, LoopForm, RegionIndex, RegionKind, Usage};
use crate::repo_map::{CallId, RepoMap};

/// Whether the loop is right as it is for this call.
pub fn is_by_design(
    map: &RepoMap,
    effects: &Effects,
    call: CallId,
    iteration: &Iteration<'_>,
    causes: &[Cause],
    origin: Origin,
) -> bool {
    let facts = &map.file(call.file).facts;
    walks_on(facts, call, iteration)
        || receives_messages(facts, iteration, origin)
        || is_detached(map, call, iteration.region)
        || is_limited(facts, call, iteration.region)
        || opens_a_transaction(map, effects, call, iteration.region)
        || walks_a_tree(map, call, iteration, causes)
        || causes.iter().skip(1).any(|cause| kept::asks_a_cache_first(map, effects, *cause))
}

/// Whether a test of the list's length says that the body runs once: `if (xs.length !== 1) throw …` before the loop, the loop under
/// `if (xs.length === 1)`, or a value of the call chosen by `xs.length === 1`.
pub fn has_one_item(facts: &FileFacts, call: CallId, iteration: &Iteration<'_>) -> bool {
    let Some(over) = iteration.over.map(|over| listed(iteration, over).peeled()) else { return false };
    let body = facts.regions[iteration.region as usize].span;
    let site = facts.call(call.index);
    let counts = |expr: &Expr| match expr.peeled() {
        Expr::Member(object, name) => matches!(name.as_str(), "length" | "size") && object.peeled() == over,
        Expr::Call(index) => {
            let own = facts.call(*index);
            own.name == "len" && matches!(own.callee.peeled(), Expr::Member(object, _) if object.peeled() == over)
        }
        _ => false,
    };
    let is_one = |expr: &Expr| matches!(expr.peeled(), Expr::Number(number) if number == "1");
    let tests = facts.comparisons.iter().filter(|test| {
        test.symbol == site.caller
            && (counts(&test.left) && is_one(&test.right) || counts(&test.right) && is_one(&test.left))
    });
    // The branch a condition opens is the next one in the text.
    let opened = |after: u32| {
        let branches =
            facts.regions.iter().filter(|region| region.kind == RegionKind::Branch && region.span.start >= after);
        branches.min_by_key(|region| region.span.start)
    };
    tests.into_iter().any(|test| {
        if test.operator.starts_with('=') {
            return site.span.contains(test.span)
                || opened(test.span.end)
                    .is_some_and(|branch| branch.span.contains(body) && test.span.end <= body.start);
        }
        opened(test.span.end).is_some_and(|branch| {
            let leaves = facts.returns.iter().any(|given| branch.lines.contains(given.line))
                || facts.calls.iter().any(|own| {
                    branch.span.contains(own.span)
                        && (own.usage == Usage::Passed || matches!(own.name.as_str(), "bail" | "panic"))
                });
            leaves && branch.span.end <= body.start
        })
    })
}

/// Keyset pages: the loop's own variable is set from what the body read, or the statement has a `LIMIT`.
fn walks_on(facts: &FileFacts, call: CallId, iteration: &Iteration<'_>) -> bool {
    let Some(statement) = iteration.statement else { return false };
    if !matches!(statement.form, LoopForm::While | LoopForm::WhileLet) {
        return false;
    }
    let body = facts.regions[iteration.region as usize].span;
    let variable = statement.over.as_ref().and_then(|over| match over.peeled() {
        Expr::Name(name) => Some(name),
        _ => None,
    });
    let reassigned = variable.is_some_and(|name| {
        facts.assignments.iter().any(|assignment| {
            body.contains(assignment.span) && matches!(assignment.target.peeled(), Expr::Name(own) if own == name)
        })
    });
    reassigned || has_limit(facts, call)
}

/// Whether the statement of a chain says `LIMIT`.
pub fn has_limit(facts: &FileFacts, call: CallId) -> bool {
    let limits = |text: &str| text.split_whitespace().any(|word| word.eq_ignore_ascii_case("limit"));
    let mut found = false;
    chain::walk_deep(facts, &facts.call(call.index).callee, &mut |inner| {
        found |= match inner {
            Expr::Text(text) => limits(text),
            Expr::Template(parts) => parts.iter().any(|part| matches!(part, TemplatePart::Text(text) if limits(text))),
            _ => false,
        };
    });
    found
}

/// `while let Some(message) = receiver.recv().await`: each message comes when it comes. Rows of a stream do not.
fn receives_messages(facts: &FileFacts, iteration: &Iteration<'_>, origin: Origin) -> bool {
    if !iteration.statement.is_some_and(|statement| statement.form == LoopForm::WhileLet) || origin.is_long() {
        return false;
    }
    let mut awaited = false;
    if let Some(over) = iteration.over {
        over.walk(&mut |inner| {
            awaited |= match inner {
                Expr::Await(_) => true,
                Expr::Call(index) => facts.call(*index).awaited,
                _ => false,
            };
        });
    }
    awaited
}

/// `spawn(async move { … });`: nobody in the loop waits for it.
fn is_detached(map: &RepoMap, call: CallId, within: RegionIndex) -> bool {
    let facts = &map.file(call.file).facts;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| *index != within)
        .filter(|(_, region)| matches!(region.kind, RegionKind::AsyncBlock))
        .any(|(_, region)| {
            let host = (0..)
                .zip(&facts.calls)
                .filter(|(_, site)| site.span.contains(region.span) && site.span != region.span)
                .min_by_key(|(_, site)| site.span.end - site.span.start);
            host.is_some_and(|(index, _)| {
                let end = chain::end(map, CallId { index, ..call });
                let end = map.call(end);
                !end.awaited && matches!(end.usage, Usage::Discarded | Usage::Ignored)
            })
        })
}

/// `queue.add(async () => …)` with `const queue = new PQueue({ concurrency: 4 })`: who sets how many run at a time knows of the many.
fn is_limited(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    const LIMITERS: &[&str] = &["PQueue", "pLimit", "Bottleneck", "Sema", "Semaphore", "pThrottle"];
    let makes_limiter = |value: &Expr| matches!(value.peeled(), Expr::Call(index) if facts.call(*index).callee.last_name().is_some_and(|name| LIMITERS.contains(&name)));
    let inner = facts.enclosing_regions(facts.call(call.index).region).take_while(|(index, _)| *index != within);
    let callbacks = inner.filter(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }));
    callbacks.map(|(_, region)| region.span).any(|span| {
        let hosts = facts.calls.iter().filter(|host| host.span.contains(span) && host.span != span);
        let host = hosts.min_by_key(|host| host.span.end - host.span.start);
        let root = host.and_then(|host| host.callee.root_name());
        root.is_some_and(|root| {
            facts.bindings.iter().any(|own| own.name == root && own.value.as_ref().is_some_and(makes_limiter))
        })
    })
}

/// What stands in a `catch` runs for the items that fail.
pub fn follows_an_error(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    facts.enclosing_regions(facts.call(call.index).region).take_while(|(index, _)| *index != within).any(
        |(index, region)| {
            matches!(region.kind, RegionKind::Handler) && facts.catches.iter().any(|catch| catch.region == Some(index))
        },
    )
}

/// `for server in servers { server.query(sql) }`: the item itself takes statements, so that it is a connection, and each is asked once.
pub fn asks_the_item(facts: &FileFacts, call: CallId, iteration: &Iteration<'_>) -> bool {
    const STATEMENTS: &[&str] = &[
        "query",
        "execute",
        "query_one",
        "query_opt",
        "batch_execute",
        "simple_query",
        "exec",
        "$queryRaw",
        "$executeRaw",
    ];
    chain::receivers(facts, call.index).into_iter().any(|link| {
        let site = facts.call(link);
        STATEMENTS.contains(&site.name.as_str())
            && matches!(site.callee.peeled(), Expr::Member(object, _)
                if matches!(object.peeled(), Expr::Name(name) if iteration.bindings.iter().any(|own| own == name)))
    })
}

/// The items are databases or queues, and each is asked once: `for db of databases`, `[...this.stores.values()].map((s) => …)`.
pub fn asks_each_database(facts: &FileFacts, iteration: &Iteration<'_>) -> bool {
    const LISTS: &[&str] =
        &["databases", "stores", "shards", "replicas", "pools", "backends", "datasources", "tenants"];
    let bindings = &iteration.bindings;
    let lists = iteration.over.is_some_and(|over| {
        let mut found = false;
        chain::walk_deep(facts, over, &mut |inner| {
            // A field of the object itself: rows of stores come from a query.
            found |= matches!(inner, Expr::Member(object, name)
                if matches!(object.peeled(), Expr::This) && LISTS.contains(&name.as_str()));
        });
        found
    });
    if lists {
        return true;
    }
    const DATABASES: &[&str] = &[
        "db",
        "client",
        "database",
        "conn",
        "connection",
        "knex",
        "prisma",
        "pool",
        "shard",
        "region",
        "datasource",
        "schema",
        "queue",
    ];
    bindings.iter().any(|name| place::words(name).last().is_some_and(|word| DATABASES.contains(&word.as_str())))
}

/// `providers[method].options(user)`: the items name what is run, a handful of kinds rather than rows.
pub fn chooses_what_runs(facts: &FileFacts, call: CallId, iteration: &Iteration<'_>) -> bool {
    if iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) {
        return false;
    }
    let Expr::Member(receiver, _) = facts.call(call.index).callee.peeled() else { return false };
    matches!(receiver.peeled(), Expr::Index(_, index)
        if matches!(index.peeled(), Expr::Name(name) if iteration.bindings.contains(&name.as_str())))
}

/// The items are parts of one question or of a schema: a handful, each with a statement of its own.
pub fn walks_conditions(bindings: &[&str]) -> bool {
    const PARTS: &[&str] = &["filter", "condition", "column"];
    bindings.iter().any(|name| place::words(name).last().is_some_and(|word| PARTS.contains(&word.as_str())))
}

/// `if (isCluster) return Promise.all(keys.map((key) => redis.get(key)))` beside `redis.mget(keys)`: where many cannot be asked for.
pub fn also_asks_for_many(facts: &FileFacts, call: CallId) -> bool {
    let caller = facts.call(call.index).caller;
    facts.calls.iter().any(|other| other.caller == caller && matches!(other.name.as_str(), "mget" | "mGet" | "hmget"))
}

/// A transaction an item keeps locks short and lets one item fail alone.
fn opens_a_transaction(map: &RepoMap, effects: &Effects, call: CallId, within: RegionIndex) -> bool {
    let facts = &map.file(call.file).facts;
    let opens = |name: &str| {
        matches!(
            name,
            "transaction"
                | "$transaction"
                | "withTransaction"
                | "with_transaction"
                | "build_transaction"
                | "run_transaction"
        )
    };
    let site = facts.call(call.index);
    let inside_one =
        facts.enclosing_regions(site.region).take_while(|(index, _)| *index != within).any(|(_, region)| match &region
            .kind
        {
            RegionKind::Callback { call: Some(host), .. } => opens(&facts.call(*host).name),
            _ => false,
        });
    let body = facts.regions[within as usize].span;
    inside_one
        || (0..).zip(&facts.calls).any(|(index, other)| {
            body.contains(other.span)
                && other.span.start <= site.span.start
                && (matches!(other.name.as_str(), "begin" | "begin_transaction" | "begin_with" | "startTransaction")
                    || (other.arguments.iter().any(steers_a_transaction)
                        && is_sent(map, effects, CallId { index, ..call })))
        })
}

/// Whether a text goes to the database, as it is or put together by a macro: `query(&format!("SAVEPOINT {name}")).execute(db)`.
fn is_sent(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let outer = match map.call(call).usage {
        Usage::Argument(outer) => CallId { index: outer, ..call },
        _ => call,
    };
    [call, outer].into_iter().any(|call| is_query(map, effects, chain::end(map, call)))
}

/// `SAVEPOINT name`, `BEGIN`: the statement does nothing to rows, and what follows it fails alone.
fn steers_a_transaction(argument: &Expr) -> bool {
    let text = match argument.peeled() {
        Expr::Text(text) => *text,
        Expr::Template(parts) => match parts.first() {
            Some(TemplatePart::Text(text)) => *text,
            _ => return false,
        },
        _ => return false,
    };
    let text = text.trim().trim_end_matches(';').to_ascii_lowercase();
    // A log line may begin with such a word, too.
    text.starts_with("savepoint ")
        || matches!(text.as_str(), "savepoint" | "begin" | "begin transaction" | "start transaction")
}

/// A function that calls itself on the parts of what it was given: a syntax tree, not a table.
fn walks_a_tree(map: &RepoMap, call: CallId, iteration: &Iteration<'_>, causes: &[Cause]) -> bool {
    let function = map.caller_of(call);
    if function.is_none() || causes.first().is_none_or(|cause| cause.through != function) {
        return false;
    }
    let facts = &map.file(call.file).facts;
    let Some(over) = iteration.over.map(|over| listed(iteration, over)) else { return false };
    let Expr::Member(object, _) = over.peeled() else { return false };
    match object.root_name() {
        Some("this") => true,
        Some(root) => matches!(Scope::around(facts, iteration.region).look_up(root), Meaning::Parameter(_)),
        None => false,
    }
}

/// Whether an error of this call is taken inside the loop, so that the next item goes on: each item fails alone.
pub fn fails_alone(facts: &FileFacts, call: CallId, within: RegionIndex) -> bool {
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| *index != within)
        .filter(|(_, region)| matches!(region.kind, RegionKind::Try))
        .any(|(index, _)| facts.catches.iter().any(|catch| catch.guarded == Some(index) && !catch.rethrows))
}

/// Whether work the loop waits for comes before the write, which then records how far it got.
pub fn marks_progress(map: &RepoMap, effects: &Effects, call: CallId, iteration: &Iteration<'_>) -> bool {
    let facts = &map.file(call.file).facts;
    let body = facts.regions[iteration.region as usize].span;
    let site = facts.call(call.index);
    let names = place::item_names(facts, iteration);
    (0..).zip(&facts.calls).any(|(index, other)| {
        other.awaited
            && body.contains(other.span)
            && other.span.end <= site.span.start
            && !matches!(other.name.as_str(), "all" | "allSettled" | "join_all" | "try_join_all" | "map")
            && !is_query(map, effects, CallId { index, ..call })
            && chain::call_uses(facts, index, &|name| names.contains(name))
    })
}
