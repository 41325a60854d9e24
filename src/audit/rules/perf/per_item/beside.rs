//! What else the body of a loop waits for, and whether every item comes to the call.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::audit::rules::perf::per_item::PerItem;
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::facts::{RegionIndex, RegionKind};
use crate::repo_map::{CallId, RepoMap};

/// Whether the body also waits for something that is no query of ours to batch: an upload, a mail, a conversion.
///
/// Then the query is one of several round trips, and taking it out saves less.
pub fn waits_for_more(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    (0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: site.call.file, index };
        other.awaited
            && body.contains(other.span)
            && !matches!(
                other.name.as_str(),
                "all" | "allSettled" | "join_all" | "try_join_all" | "map" | "$transaction"
            )
            && !is_query(map, effects, call)
    })
}

/// Whether the loop writes before and after the work that it waits for on the same item: rows that say how far each got, which must be
/// there while the work runs.
pub fn marks_the_work(
    map: &RepoMap,
    effects: &Effects,
    call: CallId,
    within: RegionIndex,
    names: &BTreeSet<&str>,
) -> bool {
    const VERBS: &[&str] = &["handle", "process", "run", "execute", "perform", "dispatch"];
    let facts = &map.file(call.file).facts;
    let body = facts.regions[within as usize].span;
    let calls: Vec<CallId> = (0..)
        .zip(&facts.calls)
        .filter(|(_, other)| other.awaited && body.contains(other.span))
        .map(|(index, _)| CallId { file: call.file, index })
        .collect();
    let is_work = |other: CallId| {
        let site = map.call(other);
        let reaches = |effect: Effect| effects.likely_cause(map, other, effect).is_some();
        let is_named = place::words(&site.name).first().is_some_and(|verb| VERBS.contains(&verb.as_str()));
        chain::call_uses(facts, other.index, &|used| names.contains(used))
            && (reaches(Effect::Http) || reaches(Effect::Process) || (is_named && map.resolved(other).next().is_some()))
    };
    let work: Vec<CallId> = calls.iter().copied().filter(|other| is_work(*other)).collect();
    let writes =
        |other: &&CallId| !work.contains(other) && effects.likely_cause(map, **other, Effect::DbWrite).is_some();
    work.iter().any(|work| {
        let span = map.call(*work).span;
        calls.iter().filter(writes).any(|write| map.call(*write).span.end <= span.start)
            && calls.iter().filter(writes).any(|write| map.call(*write).span.start >= span.end)
            && *work != call
    })
}

/// Whether a call asks the database, at its end or in a link before it.
pub fn is_query(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    [Effect::DbRead, Effect::DbWrite].into_iter().any(|effect| effects.likely_cause(map, call, effect).is_some())
        || chain::receivers(facts, call.index)
            .iter()
            .any(|link| !effects.direct(CallId { index: *link, ..call }).is_empty())
}

/// Whether an item also costs a request, a process, a file or the like: beside it a query hardly counts.
pub fn waits_for_heavier(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
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
pub fn is_one_of_many_arms(map: &RepoMap, call: CallId, within: RegionIndex) -> bool {
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
