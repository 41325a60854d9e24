//! Callbacks: functions written in place whose promises the function they are given to does not wait for.

use crate::audit::place;
use crate::audit::rules::bug::unawaited_promise::misuse::is_done_at_once;
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, Region, RegionIndex, RegionKind, Usage};
use crate::repo_map::{CallId, RepoMap};

/// What is lost when nobody waits: a query, a request, a file.
const WEIGHTY: [Effect; 6] = [Effect::DbRead, Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Fs, Effect::Redis];

/// Methods of arrays that ask their callback for a truth value.
const PREDICATES: &[&str] = &["filter", "some", "every", "find", "findIndex", "findLast"];

/// Receivers whose `filter` and `find` wait for promises: libraries and streams.
const PATIENT: &[&str] =
    &["Promise", "Bluebird", "async", "stream", "Readable", "pipe", "page", "locator", "from", "observable"];

/// How sure it is that `forEach` loses the promises of its async callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It waits for something nobody knows.
    Unknown,
    /// Queries, requests or files.
    Weighty,
    /// The function goes on to wait for something else, as if the work were done.
    Overtaken,
}

/// `items.forEach(async (item) => { await … })`: `forEach` does not wait.
pub fn for_each(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Loss> {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    if site.name != "forEach" || site.awaited || site.usage != Usage::Discarded || !place::in_async_code(map, call) {
        return None;
    }
    let region = async_callback(facts, call.index)?;
    let body = facts.regions[region as usize].span;
    let mut waits = false;
    let mut weighty = false;
    let mut fails = false;
    for (index, inner) in (0..).zip(&facts.calls) {
        let id = CallId { file: call.file, index };
        if inner.awaited && body.contains(inner.span) && !is_done_at_once(map, id) {
            waits = true;
            fails |= !is_caught_below(facts, inner.region, region);
            weighty |= WEIGHTY.into_iter().any(|effect| effects.cause(map, id, effect).is_some());
        }
    }
    if !waits {
        return None;
    }
    let overtaken = facts.calls.iter().any(|other| {
        other.awaited
            && other.caller == site.caller
            && other.span.start > site.span.end
            && runs_after(facts, site.region, other.region)
    });
    // Nothing is lost where every failure is handled in place and nothing comes after.
    if !overtaken && !fails {
        return None;
    }
    Some(if overtaken {
        Loss::Overtaken
    } else if weighty {
        Loss::Weighty
    } else {
        Loss::Unknown
    })
}

/// Whether what fails in `inner` is caught within the callback `outer`, and not thrown on.
fn is_caught_below(facts: &FileFacts, inner: Option<RegionIndex>, outer: RegionIndex) -> bool {
    let catches =
        |index: RegionIndex| facts.catches.iter().any(|catch| catch.guarded == Some(index) && !catch.rethrows);
    facts
        .enclosing_regions(inner)
        .take_while(|(index, _)| *index != outer)
        .any(|(index, region)| region.kind == RegionKind::Try && catches(index))
}

/// Whether code in `later` runs in the same function activation as code in `earlier`: no callback between them.
fn runs_after(facts: &FileFacts, earlier: Option<RegionIndex>, later: Option<RegionIndex>) -> bool {
    let callback = |region| {
        facts
            .enclosing_regions(region)
            .find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }))
            .map(|(index, _)| index)
    };
    callback(earlier) == callback(later)
}

/// The region of the async function that is the first argument of `call`.
fn async_callback(facts: &FileFacts, call: CallIndex) -> Option<RegionIndex> {
    let Some(Expr::Function { region: Some(region), is_async: true, .. }) = facts.call(call).arguments.first() else {
        return None;
    };
    matches!(facts.regions[*region as usize].kind, RegionKind::Callback { .. }).then_some(*region)
}

/// `items.filter(async (item) => …)`: a promise is always true.
pub fn async_predicate(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    is_array_predicate(facts, call.index) && async_callback(facts, call.index).is_some()
}

/// `items.filter((item) => isAllowed(item))`, `isAllowed` being async; `call` is the inner one.
pub fn answers_predicate(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let Some((_, region)) = callback_around(facts, call.index) else { return false };
    match region.kind {
        RegionKind::Callback { call: Some(host), is_async: false, .. } => is_array_predicate(facts, host),
        _ => false,
    }
}

fn is_array_predicate(facts: &FileFacts, host: CallIndex) -> bool {
    let site = facts.call(host);
    let Expr::Member(..) = site.callee else { return false };
    PREDICATES.contains(&site.name.as_str())
        && !site.awaited
        && !matches!(site.usage, Usage::Receiver(next) if matches!(facts.call(next).name.as_str(), "then" | "toArray" | "pipe"))
        && chain::names(facts, &site.callee)
            .is_none_or(|names| !names.iter().any(|name| PATIENT.iter().any(|patient| name.contains(patient))))
}

/// The innermost function written in place around a call.
fn callback_around(facts: &FileFacts, call: CallIndex) -> Option<(RegionIndex, &Region)> {
    facts
        .enclosing_regions(facts.call(call).region)
        .find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. }))
}

/// `await mapLimit(items, (item) => { save(item) })`: somebody waits for the callbacks, and this one hands nothing back.
pub fn dropped_by_mapper(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let Some((index, region)) = callback_around(facts, call.index) else { return false };
    let RegionKind::Callback { call: Some(host), block_body: true, is_async, .. } = &region.kind else { return false };
    let host_site = facts.call(*host);
    let lower = host_site.name.to_ascii_lowercase();
    if !(lower.contains("map")
        || lower.starts_with("each")
        || lower.contains("foreachasync")
        || lower.contains("asyncforeach"))
    {
        return false;
    }
    let gives_back = facts.returns.iter().any(|returned| returned.region == Some(index));
    let waits = *is_async && facts.calls.iter().any(|inner| inner.awaited && region.span.contains(inner.span));
    !gives_back && !waits && is_waited_for(facts, *host)
}

/// `await host(…)`, `await Promise.all(host(…))`, `return Promise.all(host(…))`.
fn is_waited_for(facts: &FileFacts, host: CallIndex) -> bool {
    let site = facts.call(host);
    match site.usage {
        _ if site.awaited => true,
        Usage::Argument(outer) => matches!(facts.call(outer).name.as_str(), "all" | "allSettled" | "any" | "race"),
        _ => false,
    }
}

/// `Promise.all([load(), items.map(async (item) => …)])`: the inner list is a value of the outer one, and nobody waits for what is in it.
pub fn nested_in_all(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    if !matches!(site.name.as_str(), "map" | "flatMap") || site.usage != Usage::Element {
        return false;
    }
    let Some(Expr::Function { region: Some(region), is_async, .. }) = site.arguments.first() else { return false };
    let gives_promises = || {
        facts.returns.iter().filter(|returned| returned.region == Some(*region)).any(|returned| {
            matches!(&returned.value, Expr::Call(index)
                if !facts.call(*index).awaited && effects.call_is_async(map, CallId { index: *index, ..call }))
        })
    };
    let is_item = |item: &Expr| matches!(item, Expr::Call(index) if *index == call.index);
    (*is_async || gives_promises()) && facts.calls.iter().any(|host| {
        matches!(host.name.as_str(), "all" | "allSettled" | "any" | "race")
            && host.callee.root_name() == Some("Promise")
            && matches!(host.arguments.first().map(Expr::peeled), Some(Expr::Array(items)) if items.iter().any(is_item))
    })
}
