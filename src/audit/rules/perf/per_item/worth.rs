//! What a loop that asks once an item is worth: how long the list gets, what else it waits for, who waits for it.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::audit::rules::perf::per_item::beside::{is_one_of_many_arms, is_query, waits_for_heavier, waits_for_more};
use crate::audit::rules::perf::per_item::by_design::{fails_alone, has_limit};
use crate::audit::rules::perf::per_item::kept::is_fallback;
use crate::audit::rules::perf::per_item::origin::{Origin, is_given_few};
use crate::audit::rules::perf::per_item::verbs::{
    is_look_up, is_operation, names_a_write, names_an_act, receiver_acts,
};
use crate::audit::rules::perf::per_item::{PerItem, is_recursive};
use crate::audit::uncalled::{builds_program, is_uncalled};
use crate::effects::entry::EntryKind;
use crate::effects::{Cause, Effect, Effects, chain};
use crate::finding::{Confidence, Effort};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, RegionKind, Usage};
use crate::repo_map::{CallId, FileRole, RepoMap, SourceFile};

/// Impact, effort and confidence of a finding about one loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worth {
    /// As in a finding.
    pub impact: u8,
    /// As in a finding.
    pub effort: Effort,
    /// As in a finding.
    pub confidence: Confidence,
}

/// Rows of a page, which nobody waits long for: lists of shops and posts show some twenty. Our choice.
const A_PAGE: u32 = 25;

/// What the loop around `site` is worth; `more` are the other calls of the same loop that the change takes along.
pub fn worth(map: &RepoMap, effects: &Effects, site: &PerItem<'_>, more: usize) -> Worth {
    let direct = site.causes.len() == 1;
    let operation = is_operation(map, effects, site);
    let mut impact = match site.origin {
        Origin::Query(_) | Origin::Ids => 4,
        Origin::Entity if is_nested(map, site) => 3,
        // How long such a list gets is not known, and most are short: of those that were read line by line in sixteen repositories
        // three of four were not worth a change.
        Origin::Parameter | Origin::Form | Origin::Unknown | Origin::Entity => 1,
    };
    let mut effort = if (direct || (site.causes.len() == 2 && !operation)) && more < 3 { Effort::S } else { Effort::M };
    let mut ceiling = Confidence::High;
    if !site.origin.is_long() || site.api.effect == Effect::Redis || site.api.effect == Effect::Queue {
        ceiling = Confidence::Med;
    }
    let name = &map.call(site.call).name;
    let is_far = match site.effect() {
        // What a function does besides a query is a guess, unless its name says that it writes a row.
        Effect::DbWrite => !names_a_write(name) || site.causes.len() > 3,
        _ => names_an_act(name) && !is_look_up(map, site.call) || receiver_acts(map, site.call),
    };
    if !direct && is_far && !is_recursive(map, site) {
        ceiling = Confidence::Low;
    }
    let is_asked = effects.entries.of_call(map, site.call).is_some_and(|reach| reach.entry.kind.is_request());
    if waits_for_more(map, effects, site) {
        // Beside what an item waits for otherwise, a query more counts where somebody waits for the whole.
        ceiling = ceiling.min(if is_asked { Confidence::Med } else { Confidence::Low });
    }
    if is_in_background(map, site) {
        impact = impact.min(3) - 1;
        // The authors of one book, the steps of one job: few, and nobody waits.
        let is_part = matches!(site.origin, Origin::Form | Origin::Entity);
        ceiling = ceiling.min(if is_part || !is_asked { Confidence::Low } else { Confidence::Med });
    }
    if is_in_process(map, site) {
        // Many small statements are what an embedded database is fast at (https://www.sqlite.org/np1queryprob.html).
        impact = impact.min(2);
        ceiling = Confidence::Low;
    }
    if waits_for_heavier(map, effects, site)
        || is_one_of_many_arms(map, site.call, site.iteration.region)
        || is_seldom(map, effects, site)
        || runs_once(map, site)
        || builds_program(map) && map.caller_of(site.call).is_some_and(|function| is_uncalled(map, function))
        || starts_the_program(map, effects, site)
        || is_piece_of_work(map, effects, site)
        || is_of_a_tool(map, effects, site)
    {
        ceiling = Confidence::Low;
    }
    // How long the list gets where nobody waits for it is for those to say who run the job.
    if !is_asked {
        ceiling = ceiling.min(Confidence::Med);
    }
    if is_given_few(map, site.call, &site.iteration) {
        impact = impact.min(2);
        ceiling = ceiling.min(Confidence::Med);
    }
    if is_throttled(map, site) {
        // Who set how many run at a time has thought of what each of them costs.
        ceiling = ceiling.min(Confidence::Med);
    }
    if is_gathered_by_prisma(map, site) {
        ceiling = ceiling.min(Confidence::Med);
    }
    if site.effect() == Effect::DbWrite {
        // Rows are read far more often than lists of them are written.
        impact = impact.min(3);
        // What else a function that writes has to do for each row is not known.
        ceiling = match direct {
            true => ceiling.min(Confidence::Med),
            false if is_thin(map, effects, site) && !is_conditional(map, site) => ceiling.min(Confidence::Med),
            false => Confidence::Low,
        };
    }
    if is_recursive(map, site) {
        effort = Effort::L;
        // A function that queries for the children of each row it has read asks once a node; what else calls itself is a guess.
        let walks_rows = site.causes.len() == 2 && matches!(site.origin, Origin::Query(_));
        ceiling = ceiling.min(if walks_rows { Confidence::Med } else { Confidence::Low });
        impact = impact.min(3);
    }
    if takes_a_few_each(map, site) {
        // One statement for all needs a window function, or reads more rows than are shown.
        effort = Effort::M;
        ceiling = ceiling.min(Confidence::Med);
        impact = impact.min(3);
    }
    if stops_at_first(map, site) || (is_scheduled(map, effects, site) && writes_too(map, effects, site)) {
        ceiling = Confidence::Low;
    }
    if place::is_conditional(map, site.call, Some(site.iteration.region)) {
        impact = impact.min(3);
    }
    if limit_of_source(map, effects, site).is_some_and(|limit| limit.parse::<u32>().is_ok_and(|rows| rows <= A_PAGE)) {
        impact = impact.min(2);
        ceiling = ceiling.min(Confidence::Med);
    }
    if site.effect() == Effect::DbWrite && (walks_settings(map, site) || is_left_alone(map, site)) {
        impact = impact.min(2);
        ceiling = ceiling.min(Confidence::Med);
    }
    let confidence = site.confidence.min(ceiling);
    if confidence == Confidence::Low {
        impact = impact.min(2);
    }
    Worth { impact: impact.max(1), effort, confidence }
}

/// `pMap(ids, work, { concurrency: 5 })`.
fn is_throttled(map: &RepoMap, site: &PerItem<'_>) -> bool {
    site.iteration.host.is_some_and(|host| {
        map.file(site.call.file).facts.call(host).arguments.iter().any(|argument| {
            matches!(argument.peeled(), Expr::Object(entries) if entries.iter().any(|(key, _)| *key == "concurrency"))
        })
    })
}

/// Whether the loop ends with the first item the query has something for: how many it asks for is not known, and seldom all.
pub fn stops_at_first(map: &RepoMap, site: &PerItem<'_>) -> bool {
    if !site.iteration.statement.is_some_and(|statement| statement.exits_early) {
        return false;
    }
    let facts = &map.file(site.call.file).facts;
    let region = &facts.regions[site.iteration.region as usize];
    let holds = |expr: &Expr| {
        let mut found = false;
        expr.walk(&mut |inner| found |= matches!(inner, Expr::Call(index) if *index == site.call.index));
        found
    };
    let own = facts.bindings.iter().filter(|binding| region.span.contains(binding.span));
    let names: Vec<&str> =
        own.filter(|own| own.value.as_ref().is_some_and(&holds)).map(|own| own.name.as_str()).collect();
    let tested = facts.call(site.call.index).usage == Usage::Tested;
    facts.returns.iter().filter(|given| region.lines.contains(given.line)).any(|given| {
        tested && matches!(given.value.peeled(), Expr::Bool(true))
            || names.iter().any(|name| given.value.mentions(name))
    })
}

/// In a package that is a command line tool, and nothing else comes here: somebody ran it, for once, and watches.
fn is_of_a_tool(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let path = &map.file(site.call.file).path;
    let of_tool = path.split('/').any(|part| place::words(part).iter().any(|word| word == "cli"));
    of_tool && effects.entries.of_call(map, site.call).is_none_or(|reach| reach.entry.kind == EntryKind::Command)
}

fn is_scheduled(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    effects.entries.of_call(map, site.call).is_some_and(|reach| reach.entry.kind == EntryKind::Schedule)
}

/// Whether the body writes what it has computed for its item.
fn writes_too(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    (0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: site.call.file, index };
        body.contains(other.span) && effects.likely_cause(map, call, Effect::DbWrite).is_some()
    })
}

/// The constant number of rows the query that gives the items asks for: `.limit(20)`, `take: 20`.
pub fn limit_of_source(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> Option<String> {
    let Origin::Query(source) = site.origin else { return None };
    let last = effects.causes(map, source, Effect::DbRead).last().map_or(source, |cause| cause.call);
    let facts = &map.file(last.file).facts;
    let number = |expr: &Expr| match place::resolve(facts, facts.call(last.index).caller, expr) {
        Expr::Number(number) => Some(number.to_string()),
        _ => None,
    };
    chain::receivers(facts, chain::end(map, last).index).into_iter().find_map(|link| {
        let link = facts.call(link);
        let first = link.arguments.first();
        if matches!(link.name.as_str(), "limit" | "take") {
            return first.and_then(number);
        }
        match first.map(Expr::peeled) {
            Some(Expr::Object(entries)) => entries
                .iter()
                .find(|(key, _)| matches!(key.as_str(), "take" | "limit"))
                .and_then(|(_, value)| number(value)),
            _ => None,
        }
    })
}

/// Rows somebody switched on one by one (`enabled`, `ACTIVE`): settings, and few.
fn walks_settings(map: &RepoMap, site: &PerItem<'_>) -> bool {
    const MARKS: &[&str] = &["enabled", "isenabled", "active", "isactive"];
    let facts = &map.file(site.call.file).facts;
    let Some(over) = site.iteration.over else { return false };
    let is_mark = |name: &str| MARKS.contains(&name.to_ascii_lowercase().as_str());
    let marked = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| found |= matches!(inner, Expr::Member(_, name) if is_mark(name)));
        found
    };
    let Expr::Call(filter) = place::resolve(facts, facts.call(site.call.index).caller, over) else { return false };
    let filter = facts.call(*filter);
    filter.name == "filter"
        && (filter.arguments.iter().any(marked)
            || facts
                .comparisons
                .iter()
                .any(|test| filter.span.contains(test.span) && (marked(&test.left) || marked(&test.right))))
}

/// Whether whoever calls the function goes on without it: `notify(event).catch(report);`.
fn is_left_alone(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let Some(function) = map.caller_of(site.call) else { return false };
    let callers: Vec<CallId> =
        map.callers(function).iter().copied().filter(|call| !place::in_test(map, *call)).collect();
    let is_alone = |call: &CallId| {
        let end = map.call(chain::end(map, *call));
        end.name == "catch" && !end.awaited && matches!(end.usage, Usage::Discarded | Usage::Ignored)
    };
    !callers.is_empty() && callers.iter().all(is_alone)
}

/// Whether few items come to the query, or each is a piece of work of its own.
fn is_seldom(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let on_condition = |(at, cause): (usize, &Cause)| {
        place::is_conditional(map, cause.call, (at == 0).then_some(site.iteration.region))
    };
    let is_branch_of_branch = site.causes.iter().enumerate().filter(|one| on_condition(*one)).count() > 1;
    // Counts that are left at nought when their query fails are look-ups all the same.
    let works_alone = site.causes.len() > 1
        && fails_alone(facts, site.call, site.iteration.region)
        && !only_reads(map, effects, site);
    let falls_back = site.causes.iter().any(|cause| {
        let end = chain::end(map, cause.call);
        is_fallback(&map.file(end.file).facts, end.index)
    });
    let after_an_error = facts
        .enclosing_regions(facts.call(site.call.index).region)
        .any(|(_, region)| matches!(region.kind, RegionKind::Handler));
    is_branch_of_branch || works_alone || falls_back || after_an_error
}

/// Whether the body does nothing but ask, for an answer that somebody waits for.
fn only_reads(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    const WORK: [Effect; 6] =
        [Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Fs, Effect::Process, Effect::Blocking];
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    site.effect() == Effect::DbRead
        && (0..).zip(&facts.calls).filter(|(_, other)| body.contains(other.span)).all(|(index, _)| {
            let call = CallId { file: site.call.file, index };
            WORK.into_iter().all(|effect| effects.likely_cause(map, call, effect).is_none())
        })
}

/// Whether the loop waits for many things in each turn, one after the other: a job for each item, not a look-up. Of queries that a
/// request waits for any number is too many.
fn is_piece_of_work(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    const MANY: usize = 6;
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    let is_asked = effects.entries.of_call(map, site.call).is_some_and(|reach| reach.entry.kind.is_request());
    let is_of_the_request = |index: u32| {
        is_asked && site.causes.len() == 1 && is_query(map, effects, CallId { file: site.call.file, index })
    };
    let waits = (0..).zip(&facts.calls).filter(|(_, other)| other.awaited && body.contains(other.span));
    let of_work = waits.filter(|(index, _)| !is_of_the_request(*index)).map(|(_, other)| other.statement);
    of_work.collect::<BTreeSet<_>>().len() >= MANY
}

/// Migrations, seeds and what else runs once, with nobody waiting.
fn runs_once(map: &RepoMap, site: &PerItem<'_>) -> bool {
    const MARKS: &[&str] =
        &["alterations", "populate", "dummy", "fixtures", "checks", "disabled", "debug", "developer"];
    let source = map.file(site.call.file);
    // Words that tell wherever they stand in a name.
    const STEPS: &[&str] = &["migrate", "migration", "migrations", "upgrade", "upgrades", "backfill", "seed", "seeds"];
    let is_step = |name: &str| place::words(name).iter().any(|word| STEPS.contains(&word.as_str()));
    // A helper of theirs lies elsewhere.
    let serves_steps = || {
        let callers = map.caller_of(site.call).map(|function| map.callers(function)).unwrap_or_default();
        !callers.is_empty() && callers.iter().all(|call| map.file(call.file).role == FileRole::Migration)
    };
    source.role == FileRole::Migration
        || serves_steps()
        || is_step(&place::function_name(map, site.call))
        || source
            .path
            .split('/')
            .map(|part| part.split('.').next().unwrap_or(part))
            .any(|part| MARKS.contains(&part) || is_step(part))
}

/// What only runs while a server starts, over what somebody configured; where it is not known who calls, the name may say so.
fn starts_the_program(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    const FOLDERS: &[&str] = &["config", "configuration", "startup", "bootstrap"];
    const VERBS: &[&str] = &["bootstrap", "startup", "discover"];
    const ALONE: &[&str] = &["init", "initialize", "initialise", "setup"];
    if effects.entries.is_only_at_start(map, site.call) {
        return true;
    }
    let function = place::function_name(map, site.call);
    let last = function.rsplit(['.', ':']).next().unwrap_or(&function);
    // `init()` is about the program; `initBoard(id)` is about a board.
    let is_named = ALONE.contains(&last)
        || place::words(last).first().is_some_and(|word| VERBS.contains(&word.as_str()))
        || map
            .file(site.call.file)
            .path
            .split('/')
            .any(|part| FOLDERS.contains(&part.split('.').next().unwrap_or(part)));
    let reach = effects.entries.of_call(map, site.call);
    is_named && reach.is_none_or(|reach| reach.entry.kind == EntryKind::Command)
}

/// Prisma sends the `findUnique` calls of one tick as one query.
fn is_gathered_by_prisma(map: &RepoMap, site: &PerItem<'_>) -> bool {
    site.api.library == "prisma"
        && site.iteration.statement.is_none()
        && site.causes.last().is_some_and(|cause| map.call(cause.call).name.starts_with("findUnique"))
}

fn is_conditional(map: &RepoMap, site: &PerItem<'_>) -> bool {
    site.causes
        .iter()
        .enumerate()
        .any(|(at, cause)| place::is_conditional(map, cause.call, (at == 0).then_some(site.iteration.region)))
}

/// Whether the function called only writes its row: one call that reaches out, at the API itself.
fn is_thin(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    const REMOTE: [Effect; 4] = [Effect::DbRead, Effect::DbWrite, Effect::Http, Effect::Queue];
    let [first, _] = site.causes.as_slice() else { return false };
    let reaches = |call: &CallId| REMOTE.into_iter().any(|effect| effects.likely_cause(map, *call, effect).is_some());
    let Some(function) = first.through else { return false };
    // `storage.delete(path).await`, whatever it is, goes with the row; `conn.run(|conn| …).await` holds the query.
    let also_waits = |call: &CallId| {
        let own = map.call(*call);
        let holds_it = map.calls_in(function).any(|inner| own.span.contains(map.call(inner).span) && reaches(&inner));
        own.awaited && !is_query(map, effects, *call) && !holds_it && map.resolved(*call).next().is_none()
    };
    map.calls_in(function).filter(reaches).count() == 1 && !map.calls_in(function).any(|call| also_waits(&call))
}

/// A loop in a loop over a collection: lists multiply.
fn is_nested(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let outer = place::iterations(map, site.call);
    outer.iter().any(|iteration| {
        iteration.region != site.iteration.region
            && map.file(site.call.file).facts.regions[iteration.region as usize]
                .span
                .contains(map.file(site.call.file).facts.regions[site.iteration.region as usize].span)
    })
}

/// Webhooks, schedules, workers, administration: nobody waits for a page.
fn is_in_background(map: &RepoMap, site: &PerItem<'_>) -> bool {
    const MARKS: &[&str] = &[
        "webhook",
        "webhooks",
        "cron",
        "crons",
        "worker",
        "workers",
        "job",
        "jobs",
        "cli",
        "admin",
        "migrate",
        "migration",
        "migrations",
        "scheduler",
        "scheduled",
        "schedule",
        "maintenance",
        "command",
        "commands",
        "purge",
        "startup",
        "init",
        "scan",
        "scanner",
        "import",
        "importer",
        "importers",
    ];
    let marked = |text: &str| place::words(text).iter().any(|word| MARKS.contains(&word.as_str()));
    map.file(site.call.file).path.split('/').any(marked) || marked(&place::function_name(map, site.call))
}

/// tokio-postgres sends what is asked at once over one connection without waiting between: one trip for all.
fn is_pipelined(map: &RepoMap, site: &PerItem<'_>) -> bool {
    const GATHER: &[&str] = &["join_all", "try_join_all", "buffer_unordered", "buffered", "try_buffer_unordered"];
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    site.api.library == "tokio-postgres"
        && facts.calls.iter().any(|other| GATHER.contains(&other.name.as_str()) && other.span.contains(body))
}

/// The database runs in the process, or takes all statements in one trip: a statement costs microseconds, not a trip over the network.
pub fn is_in_process(map: &RepoMap, site: &PerItem<'_>) -> bool {
    if matches!(site.api.library, "rusqlite" | "better-sqlite3") || is_pipelined(map, site) {
        return true;
    }
    let Some(last) = site.causes.last() else { return false };
    let sink = map.file(last.call.file);
    if sink.language != LanguageName::Rust {
        let depends = |name: &str| {
            map.recon.packages.iter().any(|package| package.dependencies.iter().any(|own| own.name == name))
        };
        const SERVERS: &[&str] =
            &["pg", "postgres", "mysql", "mysql2", "mariadb", "tedious", "oracledb", "@neondatabase/serverless"];
        // Knex comes without a driver, and Node.js with one for SQLite. Prisma has drivers of its own.
        let is_sqlite = || ["better-sqlite3", "sqlite3", "sqlite"].into_iter().any(depends);
        let may_be = site.api.library == "knex" || site.api.library != "prisma" && is_sqlite();
        return may_be && !SERVERS.iter().copied().any(depends);
    }
    // A function that takes any executor says nothing; who makes the pool does.
    match backend_of(sink) {
        Backend::Embedded => true,
        Backend::Server => false,
        Backend::Unknown => {
            let rust = map.files.iter().filter(|file| file.language == LanguageName::Rust);
            let known: Vec<Backend> = rust.map(backend_of).filter(|backend| *backend != Backend::Unknown).collect();
            known.contains(&Backend::Embedded) && !known.contains(&Backend::Server)
        }
    }
}

/// Which kind of database the types of a file speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    /// In the process.
    Embedded,
    /// Over the network, or either.
    Server,
    /// They say nothing.
    Unknown,
}

fn backend_of(source: &SourceFile) -> Backend {
    let fields = source.facts.bindings.iter().filter_map(|binding| binding.declared_type.as_deref());
    let parameters = source.facts.symbols.iter().flat_map(|symbol| &symbol.parameters);
    let mut backend = Backend::Unknown;
    for name in fields.chain(parameters.filter_map(|parameter| parameter.declared_type.as_deref())) {
        if ["Pg", "Postgres", "MySql", "Mysql", "AnyPool", "AnyConnection"].iter().any(|server| name.contains(server)) {
            return Backend::Server;
        }
        if name.contains("Sqlite") {
            backend = Backend::Embedded;
        }
    }
    backend
}

/// The newest few rows of each item: one statement needs a window function.
fn takes_a_few_each(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let Some(last) = site.causes.last() else { return false };
    let facts = &map.file(last.call.file).facts;
    let end = chain::end(map, last.call);
    let (mut limited, mut ordered) = (has_limit(facts, last.call), false);
    for link in chain::receivers(facts, end.index) {
        let link = facts.call(link);
        limited |= matches!(link.name.as_str(), "limit" | "take");
        ordered |= matches!(link.name.as_str(), "orderBy" | "order_by" | "order" | "sort" | "then_order_by");
        for argument in &link.arguments {
            argument.walk(&mut |inner| match inner {
                Expr::Object(entries) => {
                    limited |= entries.iter().any(|(key, _)| matches!(key.as_str(), "take" | "limit"));
                    ordered |= entries.iter().any(|(key, _)| matches!(key.as_str(), "orderBy" | "order" | "sort"));
                }
                Expr::Text(text) => ordered |= mentions_order(text),
                _ => {}
            });
        }
    }
    limited && (ordered || orders_by_text(facts, end))
}

fn mentions_order(text: &str) -> bool {
    text.to_ascii_lowercase().contains("order by")
}

fn orders_by_text(facts: &FileFacts, call: CallId) -> bool {
    let mut found = false;
    chain::walk_deep(facts, &facts.call(call.index).callee, &mut |inner| {
        found |= matches!(inner, Expr::Text(text) if mentions_order(text));
    });
    found
}
