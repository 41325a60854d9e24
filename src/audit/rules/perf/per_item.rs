//! Effects that happen once an item: what `n-plus-one` and `n-plus-one-write` share.

pub mod beside;
pub mod by_design;
pub mod chunks;
pub mod given;
pub mod hand_written;
pub mod hooks;
pub mod kept;
pub mod loops;
pub mod origin;
pub mod own_statement;
pub mod schema;
pub mod scope;
pub mod verbs;
pub mod wording;
pub mod worth;
pub mod writes;

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::origin::{Origin, is_bounded, listed, origin};
use crate::audit::rules::perf::per_item::scope::Scope;
use crate::effects::deferral::is_deferred_within;
use crate::effects::{Cause, DirectEffect, Effect, Effects, chain};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, LoopForm};
use crate::repo_map::{CallId, CallTarget, How, RepoMap};

/// Calls from the loop to the API that are followed: real defects have at most three, and far ends are often caches.
pub const MAX_DISTANCE: u32 = 4;

/// A call with an effect in a body that runs once an item.
pub struct PerItem<'a> {
    /// The call in the body.
    pub call: CallId,
    /// The body.
    pub iteration: Iteration<'a>,
    /// What is at the end of the way.
    pub api: &'a DirectEffect,
    /// From the call to the API.
    pub causes: Vec<Cause>,
    /// Where the items come from.
    pub origin: Origin,
    /// How sure it is that every item runs the effect.
    pub confidence: Confidence,
    /// A name through which the call depends on the item.
    pub item_name: &'a str,
}

impl PerItem<'_> {
    /// The effect.
    pub fn effect(&self) -> Effect {
        self.api.effect
    }
}

/// A call that has `effect` once an item of an unbounded collection.
fn judge<'a>(map: &'a RepoMap, effects: &'a Effects, effect: Effect, call: CallId) -> Option<PerItem<'a>> {
    let nearest = effects.likely_cause(map, call, effect)?;
    if nearest.distance > MAX_DISTANCE || place::in_test(map, call) || reads_an_answer(map, effects, call, nearest) {
        return None;
    }
    let facts = &map.file(call.file).facts;
    // A body that runs a bounded number of times multiplies nothing: look at what is around it.
    let iteration = place::iterations(map, call).into_iter().find(|iteration| !is_bounded(map, call, iteration))?;
    if is_deferred_within(map, call, effect, Some(iteration.region)) {
        return None;
    }
    let names = place::item_names(facts, &iteration);
    // The whole chain counts: `.bind(item.id)` comes before `.execute()`, `.where(item.id)` after `.from()`.
    let end = chain::end(map, call);
    let uses = |name: &str| chain::call_uses(facts, end.index, &|used| used == name);
    let item_name = names.iter().copied().find(|name| uses(name))?;
    if !varies_by_item(facts, &iteration)
        || chunks::is_paced(facts, &iteration)
        || chunks::is_one_round_trip(facts, call.index, &iteration)
        || chunks::gives_a_stream(facts, call.index)
    {
        return None;
    }
    let causes = effects.likely_causes(map, call, effect);
    if causes.iter().any(|cause| kept::is_cached(map, *cause))
        || chunks::sends_a_chunk(facts, call, &iteration.bindings)
        || kept::remembers(facts, call, iteration.region)
        || by_design::follows_an_error(facts, call, iteration.region)
        || kept::hands_over_the_rows(map, call, &names, &causes)
        || causes.iter().any(|cause| kept::hands_over_loaders(map, *cause))
        || kept::stands_in_for_a_loader(map, call)
        || given::is_given(map, &causes)
        || own_statement::has_own_statement(map, call, &names, &iteration.bindings, &causes)
        || own_statement::asks_for_a_range(facts, call, &names)
        || own_statement::calls_a_function(facts, end.index)
        || by_design::asks_each_database(facts, &iteration)
        || by_design::asks_the_item(facts, call, &iteration)
        || by_design::walks_conditions(&iteration.bindings)
        || by_design::has_one_item(facts, call, &iteration)
        || effect == Effect::DbWrite && beside::marks_the_work(map, effects, call, iteration.region, &names)
        || effect == Effect::Redis && by_design::also_asks_for_many(facts, call)
        || by_design::chooses_what_runs(facts, call, &iteration)
    {
        return None;
    }
    let origin = origin(map, effects, call, &iteration);
    let from_outside = !matches!(origin, Origin::Query(_));
    if from_outside && iteration.over.is_some_and(|over| schema::keeps_short(map, listed(&iteration, over))) {
        return None;
    }
    let lists_catalog = matches!(origin, Origin::Query(source) if hand_written::asks_the_catalog(map, source));
    if lists_catalog || causes.last().is_some_and(|cause| hand_written::asks_the_catalog(map, cause.call)) {
        return None;
    }
    if by_design::is_by_design(map, effects, call, &iteration, &causes, origin) {
        return None;
    }
    let api = effects.api_of(&causes, effect)?;
    let confidence = confidence(map, effects, &iteration, &causes);
    Some(PerItem { call, iteration, api, causes, origin, confidence, item_name })
}

/// `results.get(index)` where `results` is what a query gave: data, however its type was guessed (Rust).
fn reads_an_answer(map: &RepoMap, effects: &Effects, call: CallId, cause: Cause) -> bool {
    let source = map.file(call.file);
    if cause.through.is_some() || source.language != LanguageName::Rust {
        return false;
    }
    let facts = &source.facts;
    let Expr::Member(receiver, _) = facts.call(call.index).callee.peeled() else { return false };
    let (value, _) = Scope::of_call(facts, call.index).resolve(receiver);
    matches!(value, Expr::Call(index) if facts.call(*index).awaited
        && !effects.direct(CallId { index: *index, ..call }).is_empty())
}

/// A counter that never indexes anything counts attempts or pages, not items.
fn varies_by_item(facts: &FileFacts, iteration: &Iteration<'_>) -> bool {
    let Some(statement) = iteration.statement else { return true };
    match statement.form {
        LoopForm::Each | LoopForm::Keys => true,
        LoopForm::WhileLet => !iteration.bindings.is_empty(),
        LoopForm::While | LoopForm::Endless => false,
        LoopForm::Counter => {
            let body = facts.regions[iteration.region as usize].span;
            let indexes = |expr: &Expr| {
                let mut found = false;
                chain::walk_deep(facts, expr, &mut |inner| {
                    if let Expr::Index(_, index) = inner {
                        found |= iteration.bindings.iter().any(|name| index.mentions(name));
                    }
                });
                found
            };
            let in_bindings = facts
                .bindings
                .iter()
                .filter(|binding| body.contains(binding.span))
                .any(|binding| binding.value.as_ref().is_some_and(&indexes));
            in_bindings
                || (0..)
                    .zip(&facts.calls)
                    .filter(|(_, site)| body.contains(site.span))
                    .any(|(index, _)| indexes(&Expr::Call(index)))
        }
    }
}

/// HIGH when every item runs the effect by a way that was resolved, not guessed from an interface; LOW when a long way also
/// has a turn that may not be taken.
fn confidence(map: &RepoMap, effects: &Effects, iteration: &Iteration<'_>, causes: &[Cause]) -> Confidence {
    let leaves_early = iteration.statement.is_some_and(|statement| statement.exits_early)
        || iteration.host.is_some_and(|host| {
            let first = causes.first().map(|cause| map.file(cause.call.file).facts.call(host).name.as_str());
            matches!(first, Some("some" | "find" | "every" | "any" | "all"))
        });
    let conditional = causes.iter().enumerate().any(|(at, cause)| {
        let within = if at == 0 { Some(iteration.region) } else { None };
        place::is_conditional(map, cause.call, within)
    });
    let dispatched = causes.iter().any(|cause| {
        matches!(map.target(cause.call), CallTarget::Symbols(all) if all.iter().filter(|one| one.how == How::Dispatch).count() > 1)
    });
    let by_name = causes.iter().any(|cause| effects.is_by_name(*cause));
    let far = causes.len() > 3;
    if far && (dispatched || conditional || by_name) {
        return Confidence::Low;
    }
    if leaves_early || dispatched || conditional || by_name || far { Confidence::Med } else { Confidence::High }
}

/// Whether a function that queries calls itself on children: one query a node of a tree.
pub fn is_recursive(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let function = map.caller_of(site.call);
    function.is_some() && site.causes.first().is_some_and(|cause| cause.through == function)
}
