//! What a loop that asks once an item is worth: how long the list gets, what else it waits for, who waits for it.

use crate::audit::place;
use crate::audit::rules::perf::per_item::by_design::has_limit;
use crate::audit::rules::perf::per_item::origin::Origin;
use crate::audit::rules::perf::per_item::{PerItem, is_recursive};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Confidence, Effort};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, RegionIndex, RegionKind};
use crate::repo_map::{CallId, RepoMap};

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

/// What the loop around `site` is worth; `more` are the other calls of the same loop that the change takes along.
pub fn worth(map: &RepoMap, effects: &Effects, site: &PerItem<'_>, more: usize) -> Worth {
    let direct = site.causes.len() == 1;
    let operation = is_operation(map, effects, site);
    let mut impact = match site.origin {
        Origin::Query(_) | Origin::Ids => 4,
        Origin::Parameter | Origin::Form | Origin::Unknown => 3,
        Origin::Entity if is_nested(map, site) => 3,
        Origin::Entity => 2,
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
        _ => names_an_act(name) || receiver_acts(map, site.call),
    };
    if !direct && is_far {
        ceiling = Confidence::Low;
    }
    if waits_for_more(map, effects, site) {
        ceiling = ceiling.min(Confidence::Med);
    }
    if is_in_background(map, site) {
        impact = impact.min(3) - 1;
        ceiling = ceiling.min(Confidence::Med);
    }
    if is_in_process(map, site) {
        impact = impact.min(2);
        // Written in one transaction, a statement a row is what an embedded database is fast at.
        let written = site.effect() == Effect::DbWrite;
        ceiling = ceiling.min(if written { Confidence::Low } else { Confidence::Med });
    }
    if waits_for_heavier(map, effects, site) || is_one_of_many_arms(map, site.call, site.iteration.region) {
        ceiling = Confidence::Low;
    }
    if site.effect() == Effect::DbWrite {
        // Rows are read far more often than lists of them are written.
        impact = impact.min(3);
        // What else a function that writes has to do for each row is not known.
        ceiling = match direct {
            true => ceiling,
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
    let confidence = site.confidence.min(ceiling);
    if confidence == Confidence::Low {
        impact = impact.min(2);
    }
    Worth { impact: impact.max(1), effort, confidence }
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
    first.through.is_some_and(|function| map.calls_in(function).filter(reaches).count() == 1)
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
    ];
    let marked = |text: &str| place::words(text).iter().any(|word| MARKS.contains(&word.as_str()));
    map.file(site.call.file).path.split('/').any(marked) || marked(&place::function_name(map, site.call))
}

/// The database runs in the process: a statement costs microseconds, not a trip over the network.
pub fn is_in_process(map: &RepoMap, site: &PerItem<'_>) -> bool {
    if matches!(site.api.library, "rusqlite" | "better-sqlite3") {
        return true;
    }
    let Some(last) = site.causes.last() else { return false };
    let sink = map.file(last.call.file);
    if sink.language != LanguageName::Rust {
        let depends = |name: &str| {
            map.recon.packages.iter().any(|package| package.dependencies.iter().any(|own| own.name == name))
        };
        return matches!(site.api.library, "drizzle" | "kysely" | "knex")
            && depends("better-sqlite3")
            && !["pg", "postgres", "mysql2", "@neondatabase/serverless"].into_iter().any(depends);
    }
    let types = || {
        let fields = sink.facts.bindings.iter().filter_map(|binding| binding.declared_type.as_deref());
        let parameters = sink.facts.symbols.iter().flat_map(|symbol| &symbol.parameters);
        fields.chain(parameters.filter_map(|parameter| parameter.declared_type.as_deref()))
    };
    types().any(|name| name.contains("Sqlite")) && !types().any(|name| name.contains("Pg") || name.contains("Postgres"))
}

/// Whether the body also waits for something that is no query of ours to batch: an upload, a mail, a conversion.
///
/// Then the query is one of several round trips, and taking it out saves less.
fn waits_for_more(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    (0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: site.call.file, index };
        let is_query = || {
            [Effect::DbRead, Effect::DbWrite]
                .into_iter()
                .any(|effect| effects.likely_cause(map, call, effect).is_some())
                || chain::receivers(facts, index)
                    .iter()
                    .any(|link| !effects.direct(CallId { index: *link, ..call }).is_empty())
        };
        other.awaited
            && body.contains(other.span)
            && !matches!(
                other.name.as_str(),
                "all" | "allSettled" | "join_all" | "try_join_all" | "map" | "$transaction"
            )
            && !is_query()
    })
}

/// Whether an item also costs a request, a process, a file or the like: beside it a query hardly counts.
fn waits_for_heavier(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    // A look-up that also asks another service or starts a process, however far down, waits for that.
    let looks_up = site.effect() == Effect::DbRead;
    (0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: site.call.file, index };
        if !body.contains(other.span) {
            return false;
        }
        let far = if looks_up { 6 } else { 3 };
        let near = |effect: Effect, distance: u32| {
            effects.likely_cause(map, call, effect).is_some_and(|cause| cause.distance <= distance)
        };
        let inside = || {
            map.resolved(call).flat_map(|resolved| map.calls_in(resolved.symbol)).any(|inner| {
                (map.resolved(inner).next().is_none() || runs_a_program(map, inner))
                    && is_heavy_by_name(map, effects, inner)
            })
        };
        let queries = near(Effect::DbRead, 3) || near(Effect::DbWrite, 3);
        let named = !queries && is_heavy_by_name(map, effects, call);
        named || inside() || near(Effect::Http, far) || near(Effect::Process, far) || near(Effect::Fs, 2)
    })
}

/// First words of calls that go over the network, start programs or compute for long.
const HEAVY: &[&str] = &[
    "send",
    "mail",
    "upload",
    "download",
    "render",
    "fetch",
    "convert",
    "inspect",
    "exec",
    "spawn",
    "deploy",
    "build",
    "crawl",
    "scrape",
    "generate",
    "detect",
    "transcribe",
    "notify",
    "publish",
    "archive",
];

/// `execAsyncRemote(…)`, also where it is the repository's own.
fn runs_a_program(map: &RepoMap, call: CallId) -> bool {
    place::words(&map.call(call).name).first().is_some_and(|word| matches!(word.as_str(), "exec" | "spawn" | "ssh"))
}

fn is_heavy_by_name(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let site = map.call(call);
    site.awaited
        && effects.direct(call).is_empty()
        && place::words(&site.name).first().is_some_and(|word| HEAVY.contains(&word.as_str()))
}

/// A `match` or `switch` in the body: only items of one kind come to the call.
fn is_one_of_many_arms(map: &RepoMap, call: CallId, within: RegionIndex) -> bool {
    const ARMS: usize = 3;
    /// Bytes between two arms: a pattern, not statements.
    const GAP: u32 = 160;
    let facts = &map.file(call.file).facts;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| *index != within)
        .filter(|(_, region)| matches!(region.kind, RegionKind::Branch))
        .any(|(index, region)| {
            let mut arms: Vec<_> = (0..)
                .zip(&facts.regions)
                .filter(|(_, other)| matches!(other.kind, RegionKind::Branch))
                .filter(|(_, other)| other.parent == region.parent && other.symbol == region.symbol)
                .collect();
            arms.sort_by_key(|(_, arm)| arm.span.start);
            let mut run: Vec<RegionIndex> = Vec::new();
            let mut end = None;
            for (own, arm) in arms {
                if end.is_none_or(|end| arm.span.start > end + GAP || arm.span.start < end) {
                    if run.contains(&index) {
                        break;
                    }
                    run.clear();
                }
                run.push(own);
                end = Some(arm.span.end);
            }
            run.len() >= ARMS && run.contains(&index)
        })
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

/// Whether the function called does more than look something up: it writes, sends or queues.
///
/// Such a loop runs an operation once an item; a look-up is easier to gather.
pub fn is_operation(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    site.causes.len() >= 2
        && ([Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Process]
            .into_iter()
            .any(|effect| effects.likely_cause(map, site.call, effect).is_some())
            || names_an_act(&map.call(site.call).name))
}

/// `createMount`, `delete_cipher`, `group.save`.
fn names_a_write(name: &str) -> bool {
    const WRITES: &[&str] = &[
        "create",
        "insert",
        "add",
        "delete",
        "destroy",
        "remove",
        "update",
        "set",
        "save",
        "upsert",
        "restore",
        "archive",
        "unarchive",
        "move",
        "mark",
        "activate",
        "deactivate",
        "enable",
        "disable",
        "revoke",
        "replace",
        "duplicate",
    ];
    place::words(name).first().is_some_and(|word| WRITES.contains(&word.as_str()))
}

/// `notify.user(…)`, `mailer.invite(…)`: the receiver says what is done.
fn receiver_acts(map: &RepoMap, call: CallId) -> bool {
    const RECEIVERS: &[&str] =
        &["notify", "notifier", "notifications", "mailer", "mail", "email", "emails", "sms", "slack"];
    match map.call(call).callee.peeled() {
        Expr::Member(object, _) => {
            object.last_name().is_some_and(|name| RECEIVERS.contains(&name.to_ascii_lowercase().as_str()))
        }
        _ => false,
    }
}

fn names_an_act(name: &str) -> bool {
    const ACTS: &[&str] = &[
        "send", "mail", "sms", "charge", "pay", "refund", "upload", "publish", "webhook", "deliver", "notify", "exec",
        "execute", "run", "deploy", "cleanup", "clean", "remove", "delete", "process", "sync", "import", "export",
        "handle", "create", "update", "save", "schedule", "init",
    ];
    // `sendMail`, `removeUser`: the verb comes first. `findEmail` only speaks of one.
    let words = place::words(name);
    let acts = |word: &String| ACTS.contains(&word.as_str());
    // `owner_remove`: verbs that end a name.
    let ends = matches!(
        words.last().map(String::as_str),
        Some("remove" | "delete" | "create" | "insert" | "update" | "upsert")
    );
    words.first().is_some_and(acts)
        || (ends && words.len() > 1)
        || words.windows(2).any(|pair| pair[0] == "and" && acts(&pair[1]))
}
