//! Misuse: what is wrong with the way a call's promise is used, if anything.

use std::collections::BTreeMap;

use crate::audit::place;
use crate::audit::rules::bug::rejection::{Rejection, rejection};
use crate::audit::rules::bug::unawaited_promise::assigned;
use crate::audit::rules::bug::unawaited_promise::callbacks::{self, Loss};
use crate::audit::rules::bug::unawaited_promise::dropped::{self, Evidence};
use crate::audit::rules::bug::unawaited_promise::habits::{Callee, callee};
use crate::audit::rules::bug::unawaited_promise::{reads, wording};
use crate::audit::text::folder_of;
use crate::effects::Effects;
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, RegionKind, SymbolIndex, Usage};
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SymbolId};

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

/// What the misuses of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Common {
    /// They drop the promise of one function, wherever they stand.
    Callee(Callee),
    /// They drop what is written alike in one file: `orders.save`.
    Written(FileId, String),
    /// They lose promises of one function that calls.
    Caller(Kind, FileId, SymbolIndex),
    /// One function takes the promises of another for values.
    ReadBy(FileId, SymbolIndex, Callee),
}

/// Kinds that one function may have several of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// What is said of one that stands alone in a `try` is not so of the others.
    Dropped(Confidence, bool),
    DroppedByMapper,
    Nested,
}

/// Misuses, in order; those that one plan mends belong together.
pub fn groups(map: &RepoMap, effects: &Effects) -> Vec<Vec<(CallId, Misuse)>> {
    let mut known: BTreeMap<Common, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<(CallId, Misuse)>> = Vec::new();
    for (call, _) in map.calls() {
        let Some(kind) = misuse(map, effects, call) else { continue };
        let common = common(map, effects, call, kind);
        let beside = (kind == Misuse::ReturnedFromTry).then(|| beside(map, &groups, call)).flatten();
        let group = common.iter().find_map(|one| known.get(one).copied()).or(beside).unwrap_or(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push((call, kind));
        for one in common {
            known.entry(one).or_insert(group);
        }
    }
    groups
}

/// By what a misuse may belong to others.
fn common(map: &RepoMap, effects: &Effects, call: CallId, kind: Misuse) -> Vec<Common> {
    let of_caller = |kind| map.call(call).caller.map(|caller| Common::Caller(kind, call.file, caller));
    match kind {
        Misuse::Dropped(evidence) => {
            let (_, confidence) = wording::weight(map, effects, call, kind);
            let written = || map.call(call).callee.dotted().filter(|text| text.contains('.'));
            let callee = callee(map, call)
                .map(Common::Callee)
                .or_else(|| written().map(|text| Common::Written(call.file, text)));
            callee.into_iter().chain(of_caller(Kind::Dropped(confidence, evidence == Evidence::AloneInTry))).collect()
        }
        Misuse::DroppedByMapper => of_caller(Kind::DroppedByMapper).into_iter().collect(),
        Misuse::Nested => of_caller(Kind::Nested).into_iter().collect(),
        Misuse::Read | Misuse::LikelyRead => {
            let read_by = |callee| Some(Common::ReadBy(call.file, map.call(call).caller?, callee));
            callee(map, call).and_then(read_by).into_iter().collect()
        }
        Misuse::Tested | Misuse::ForEach(_) | Misuse::Predicate | Misuse::ReturnedFromTry => Vec::new(),
    }
}

/// The group of the same slip in neighbouring files, which is one habit.
fn beside(map: &RepoMap, groups: &[Vec<(CallId, Misuse)>], call: CallId) -> Option<usize> {
    let (folder, _) = folder_of(&map.file(call.file).path).rsplit_once('/')?;
    let is_below = |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    groups.iter().position(|group| {
        group
            .first()
            .is_some_and(|(first, kind)| *kind == Misuse::ReturnedFromTry && is_below(&map.file(first.file).path))
    })
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
        Usage::Discarded if is_done_at_once(map, call) => None,
        Usage::Discarded if callbacks::dropped_by_mapper(map, call) => Some(Misuse::DroppedByMapper),
        Usage::Discarded => dropped::evidence(map, effects, call).map(Misuse::Dropped),
        _ => reads::is_read(map, effects, call).then_some(Misuse::Read),
    }
}

/// Whether a call is over when it returns, whatever promise it gives.
pub fn is_done_at_once(map: &RepoMap, call: CallId) -> bool {
    map.resolved(call).next().is_some() && map.resolved(call).all(|own| waits_for_nothing(map, own.symbol))
}

/// An async function that awaits nothing and gives back no call's promise is done when its call is.
fn waits_for_nothing(map: &RepoMap, function: SymbolId) -> bool {
    let facts = &map.file(function.file).facts;
    let symbol = map.symbol(function);
    let waits = |site: &CallSite| site.awaited || site.usage == Usage::Returned || site.name == "Promise";
    symbol.has_body
        && !facts.partly_read
        && !facts.calls.iter().any(|site| symbol.span.contains(site.span) && waits(site))
        && !facts.returns.iter().any(|given| given.symbol == Some(function.index))
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
