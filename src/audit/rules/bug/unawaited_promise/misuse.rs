//! Misuse: what is wrong with the way a call's promise is used, if anything.

use std::collections::BTreeMap;

use crate::audit::place;
use crate::audit::rules::bug::rejection::{Rejection, rejection};
use crate::audit::rules::bug::unawaited_promise::assigned;
use crate::audit::rules::bug::unawaited_promise::callbacks::{self, Loss};
use crate::audit::rules::bug::unawaited_promise::dropped::{self, Evidence};
use crate::audit::rules::bug::unawaited_promise::habits::{Callee, callee};
use crate::audit::rules::bug::unawaited_promise::reads;
use crate::audit::text::folder_of;
use crate::effects::Effects;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, RegionKind, Usage};
use crate::repo_map::{CallId, FileRole, RepoMap};

/// How a promise is misused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// As a condition.
    Tested,
    /// As if it were its value: destructured, spread, compared, put into text or a response.
    Read,
    /// As if it were its value, where nothing but the name of the method tells that it is a promise.
    LikelyRead,
    /// As a statement.
    Dropped(Evidence),
    /// As a statement in a callback whose host is waited for.
    DroppedByMapper,
    /// `items.forEach(async …)`.
    ForEach(Loss),
    /// `items.filter(async …)`.
    Predicate,
    /// `Promise.all([items.map(async …)])`.
    Nested,
    /// `try { return f() } catch …`.
    ReturnedFromTry,
}

/// Misuses, in order; those that drop the promise of the same function belong together, since one plan mends them all.
pub fn groups(map: &RepoMap, effects: &Effects) -> Vec<Vec<(CallId, Misuse)>> {
    let mut by_callee: BTreeMap<Callee, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<(CallId, Misuse)>> = Vec::new();
    for (call, _) in map.calls() {
        let Some(kind) = misuse(map, effects, call) else { continue };
        let callee = if matches!(kind, Misuse::Dropped(_)) { callee(map, call) } else { None };
        // The same slip in neighbouring files is one habit.
        let folder = folder_of(&map.file(call.file).path).rsplit_once('/').map_or("", |(above, _)| above);
        if kind == Misuse::ReturnedFromTry && !folder.is_empty() {
            let near = |other: &Vec<(CallId, Misuse)>| {
                let (first, own) = other[0];
                own == kind && is_below(&map.file(first.file).path, folder)
            };
            if let Some(group) = groups.iter_mut().find(|other| near(other)) {
                group.push((call, kind));
                continue;
            }
        }
        // Lists inside one list are mended together.
        if kind == Misuse::Nested {
            let beside = |other: &&mut Vec<(CallId, Misuse)>| {
                let (first, own) = other[0];
                own == kind && first.file == call.file && map.call(first).caller == map.call(call).caller
            };
            if let Some(group) = groups.iter_mut().find(beside) {
                group.push((call, kind));
                continue;
            }
        }
        match callee.as_ref().and_then(|callee| by_callee.get(callee).copied()) {
            Some(group) => groups[group].push((call, kind)),
            None => {
                by_callee.extend(callee.map(|callee| (callee, groups.len())));
                groups.push(vec![(call, kind)]);
            }
        }
    }
    groups
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What is wrong with how the promise of `call` is used.
pub fn misuse(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Misuse> {
    let source = map.file(call.file);
    let site = map.call(call);
    let runs = matches!(source.role, FileRole::Production | FileRole::Script | FileRole::Migration);
    if !source.language.is_ecmascript() || site.awaited || !runs || place::in_test(map, call) {
        return None;
    }
    if let Some(loss) = callbacks::for_each(map, effects, call) {
        return Some(Misuse::ForEach(loss));
    }
    if callbacks::async_predicate(map, call) {
        return Some(Misuse::Predicate);
    }
    if callbacks::nested_in_all(map, effects, call) {
        return Some(Misuse::Nested);
    }
    if site.usage == Usage::Assigned && assigned::is_taken_for_value(map, effects, call) {
        return Some(Misuse::Read);
    }
    if !matches!(site.kind, CallKind::Call | CallKind::New)
        || answers_by_callback(&source.facts, site)
        || is_handed_on(&source.facts, site)
    {
        return None;
    }
    if !effects.call_is_async(map, call) {
        // By its name alone: only what cannot be anything but a mistake.
        let is_likely = effects.call_is_likely_async(map, call);
        return match &site.usage {
            Usage::Tested if is_likely => Some(Misuse::LikelyRead),
            _ => (is_likely && reads::is_read(map, effects, call)).then_some(Misuse::LikelyRead),
        };
    }
    match &site.usage {
        Usage::Tested => Some(Misuse::Tested),
        Usage::Returned if callbacks::answers_predicate(map, call) => Some(Misuse::Predicate),
        Usage::Returned => returned_from_try(map, effects, call).then_some(Misuse::ReturnedFromTry),
        // A query is sent when somebody waits for it, so one with a callback or further links is none to drop.
        Usage::Discarded if callbacks::dropped_by_mapper(map, call) => Some(Misuse::DroppedByMapper),
        Usage::Discarded => dropped::evidence(map, effects, call).map(Misuse::Dropped),
        _ => reads::is_read(map, effects, call).then_some(Misuse::Read),
    }
}

/// `client.query(text, (error, rows) => …)`: who hands over what to do with an error gets no promise.
fn answers_by_callback(facts: &FileFacts, site: &CallSite) -> bool {
    let Some(Expr::Function { region: Some(region), .. }) = site.arguments.last() else { return false };
    let RegionKind::Callback { parameters, .. } = &facts.regions[*region as usize].kind else { return false };
    matches!(parameters.first().map(|first| first.as_str()), Some("err" | "error" | "_err" | "_error"))
        || parameters.len() > 1 && parameters[0] == "e"
}

/// The commonest fates of a promise that are no misuse, so that most calls are not looked at twice.
fn is_handed_on(facts: &FileFacts, site: &CallSite) -> bool {
    match &site.usage {
        Usage::Ignored | Usage::Assigned | Usage::Receiver(_) | Usage::Element | Usage::Passed => true,
        Usage::Argument(host) => {
            matches!(facts.call(*host).name.as_str(), "all" | "allSettled" | "race" | "any" | "push")
        }
        Usage::Discarded | Usage::Bound(_) | Usage::Returned | Usage::Tested | Usage::Operand => false,
    }
}

fn takes_reject(facts: &FileFacts, site: &CallSite) -> bool {
    match site.arguments.first() {
        Some(Expr::Function { region: Some(region), .. }) => match &facts.regions[*region as usize].kind {
            RegionKind::Callback { parameters, .. } => parameters.len() > 1,
            _ => true,
        },
        _ => true,
    }
}

/// `try { return load(id) } catch { return null }` in an async function: the handler is left before the promise fails.
fn returned_from_try(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    // `new Promise((resolve) => …)` is never rejected.
    if site.kind == CallKind::New && !takes_reject(facts, site) {
        return false;
    }
    place::in_async_code(map, call)
        && dropped::is_alone_in_try(facts, site)
        && rejection(map, effects, call) != Rejection::Impossible
        && !facts.enclosing_regions(site.region).skip(1).any(|(_, region)| region.kind == RegionKind::Handler)
}
