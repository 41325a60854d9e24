//! Effects: what each function does to the world outside it, directly and through the functions it calls, and whether it asks
//! who is calling, checks values or may panic.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub mod associations;
pub mod asynchrony;
pub mod by_name;
pub mod chain;
pub mod deferral;
pub mod entry;
pub mod factories;
pub mod promises;
pub mod propagate;
pub mod tables;
pub mod taint;

use crate::effects::by_name::ByName;
use crate::effects::propagate::Functions;
use crate::effects::taint::Flow;
use crate::finding::Hop;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::{CallId, RepoMap, SymbolId};
use asynchrony::Asynchrony;
use entry::Entries;

/// Something a function does that its callers should know about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Reads a database.
    DbRead,
    /// Writes a database.
    DbWrite,
    /// Sends an HTTP or RPC request.
    Http,
    /// Talks to Redis or another cache server.
    Redis,
    /// Puts work on a queue.
    Queue,
    /// Reads or writes files.
    Fs,
    /// Holds the thread: synchronous I/O, sleeping, waiting, heavy computing.
    Blocking,
    /// Starts a process.
    Process,
    /// Asks who is calling, or whether they may: reads a session, verifies a token or a signature.
    AuthCheck,
    /// Asks whether a value has the form it must have: a schema, a validator.
    Validation,
    /// May end the thread: `unwrap`, `expect`, `panic!`, assertions (Rust).
    Panics,
}

impl Effect {
    /// Effects on the world outside; the others only look at values.
    pub const OUTWARD: [Effect; 8] = [
        Effect::DbRead,
        Effect::DbWrite,
        Effect::Http,
        Effect::Redis,
        Effect::Queue,
        Effect::Fs,
        Effect::Blocking,
        Effect::Process,
    ];

    /// What a function does with values or with its own thread. A call may have one of them beside an outward effect:
    /// reading a session reads a database, too.
    pub const INWARD: [Effect; 3] = [Effect::AuthCheck, Effect::Validation, Effect::Panics];
}

/// What one call does by itself, by the API it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectEffect {
    /// What.
    pub effect: Effect,
    /// The API in its library's words: `prisma.user.findMany`, `std::fs::read_to_string`.
    pub api: String,
    /// The library: `prisma`, `std`.
    pub library: &'static str,
    /// The API gives a promise or a future.
    pub is_async: bool,
    /// One call already handles many items (`findMany` with `in`, `createMany`, `mget`).
    pub is_batch: bool,
}

/// How a function comes to have an effect: the call that causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The call in the function's body.
    pub call: CallId,
    /// The function called, or `None` when the call itself has the effect.
    pub through: Option<SymbolId>,
    /// What runs is the function that [`Cause::through`] gave when it was called before.
    pub given: bool,
    /// Calls from here to the API, the last one included.
    pub distance: u32,
}

/// What every function and call of a repository does.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Effects a call has by itself.
    pub direct: BTreeMap<CallId, Vec<DirectEffect>>,
    /// The same for [`Effect::INWARD`], kept apart: whoever asks whether a call reaches a library means the world outside.
    pub inward: BTreeMap<CallId, Vec<DirectEffect>>,
    /// Effects of each function, with the shortest way to them.
    pub functions: Functions,
    /// Functions that give a promise or a future, and functions that give such functions.
    pub asynchrony: Asynchrony,
    /// Where the world calls in, and what is reached from there.
    pub entries: Entries,
    /// The same with calls followed by name where nothing better is known: likely, not certain.
    pub likely: Likely,
    /// What [`Effects::direct`] and [`Effects::inward`] hold, without looking it up.
    own: OwnEffects,
    /// Values from outside that reach a sink, once somebody asked.
    flows: OnceLock<Vec<Flow>>,
}

/// The effects each call has by itself, a bit an effect: rules ask of every call, and most have none.
#[derive(Debug, Clone, Default)]
struct OwnEffects(Vec<Vec<u16>>);

impl OwnEffects {
    fn of<'a>(calls: impl Iterator<Item = (&'a CallId, &'a Vec<DirectEffect>)>) -> OwnEffects {
        let mut files: Vec<Vec<u16>> = Vec::new();
        for (call, effects) in calls {
            let (file, index) = (call.file as usize, call.index as usize);
            files.resize_with(files.len().max(file + 1), Vec::new);
            let calls = &mut files[file];
            calls.resize(calls.len().max(index + 1), 0);
            calls[index] |= effects.iter().fold(0, |bits, direct| bits | 1 << direct.effect as u16);
        }
        OwnEffects(files)
    }

    fn contain(&self, call: CallId, effect: Effect) -> bool {
        let bits = self.0.get(call.file as usize).and_then(|calls| calls.get(call.index as usize));
        bits.is_some_and(|bits| bits & 1 << effect as u16 != 0)
    }
}

/// What functions most likely do: [`Effects::functions`], and what is only known by name.
#[derive(Debug, Clone, Default)]
pub struct Likely {
    /// Calls followed by name.
    pub by_name: ByName,
    /// Effects of each function, with the shortest way to them.
    pub functions: Functions,
    /// Effects of the functions that factories give, by factory.
    pub given: Functions,
}

impl Likely {
    /// How a function, or the function it gives, comes to have an effect.
    fn of(&self, symbol: SymbolId, given: bool, effect: Effect) -> Option<Cause> {
        let table = if given { &self.given } else { &self.functions };
        table.get(&symbol)?.get(&effect).copied()
    }
}

/// What every function and call of the repository does.
pub fn effects(map: &RepoMap) -> Effects {
    let mut direct = tables::direct_effects(map);
    direct.extend(associations::getters(map));
    let inward = tables::inward_effects(map);
    let likely = || {
        let by_name = by_name::by_name(map, &direct);
        let (functions, given) = propagate::propagate_likely(map, &direct, &by_name);
        Likely { by_name, functions, given }
    };
    let ((functions, likely), (asynchrony, entries)) = rayon::join(
        || rayon::join(|| propagate::propagate(map, &direct, &inward), likely),
        || rayon::join(|| asynchrony::asynchrony(map, &direct), || entry::entries(map)),
    );
    let own = OwnEffects::of(direct.iter().chain(&inward));
    Effects { direct, inward, functions, asynchrony, entries, likely, own, flows: OnceLock::new() }
}

impl Effects {
    /// Ways of values that somebody outside chose to calls that must not get them, in order of the calls.
    pub fn flows(&self, map: &RepoMap) -> &[Flow] {
        self.flows.get_or_init(|| taint::flows(map, self))
    }

    /// What a call does to the world outside by itself.
    pub fn direct(&self, call: CallId) -> &[DirectEffect] {
        self.direct.get(&call).map_or(&[], Vec::as_slice)
    }

    /// A call's own effect of one kind, inward ones included.
    pub fn own(&self, call: CallId, effect: Effect) -> Option<&DirectEffect> {
        if !self.own.contain(call, effect) {
            return None;
        }
        let inward = self.inward.get(&call).map_or(&[][..], Vec::as_slice);
        self.direct(call).iter().chain(inward).find(|direct| direct.effect == effect)
    }

    /// How a function comes to have an effect.
    pub fn of_function(&self, function: SymbolId, effect: Effect) -> Option<Cause> {
        self.functions.get(&function)?.get(&effect).copied()
    }

    /// How a call comes to have an effect: by itself, or through the function it calls that is nearest to the API.
    pub fn cause(&self, map: &RepoMap, call: CallId, effect: Effect) -> Option<Cause> {
        self.cause_in(&self.functions, map, call, effect)
    }

    fn cause_in(&self, functions: &Functions, map: &RepoMap, call: CallId, effect: Effect) -> Option<Cause> {
        if self.own(call, effect).is_some() {
            return Some(Cause { call, through: None, given: false, distance: 1 });
        }
        map.resolved(call)
            .filter_map(|resolved| {
                let cause = functions.get(&resolved.symbol)?.get(&effect)?;
                Some(Cause { call, through: Some(resolved.symbol), given: false, distance: cause.distance + 1 })
            })
            .min_by_key(|cause| (cause.distance, cause.through))
    }

    /// The same where a call may be followed by name when nothing better is known.
    pub fn likely_cause(&self, map: &RepoMap, call: CallId, effect: Effect) -> Option<Cause> {
        self.cause(map, call, effect).or_else(|| self.only_likely_cause(map, call, effect))
    }

    fn only_likely_cause(&self, map: &RepoMap, call: CallId, effect: Effect) -> Option<Cause> {
        let likely = &self.likely;
        self.cause_in(&likely.functions, map, call, effect)
            .or_else(|| likely.by_name.cause(call, &|symbol, given| likely.of(symbol, given, effect)))
    }

    /// The calls from `call` to the API that has the effect, both included; empty when it does not have it.
    pub fn causes(&self, map: &RepoMap, call: CallId, effect: Effect) -> Vec<Cause> {
        follow(self.cause(map, call, effect), &|symbol, _| self.functions.get(&symbol)?.get(&effect).copied())
    }

    /// The same where calls may be followed by name when nothing better is known.
    pub fn likely_causes(&self, map: &RepoMap, call: CallId, effect: Effect) -> Vec<Cause> {
        match self.cause(map, call, effect) {
            Some(_) => self.causes(map, call, effect),
            None => follow(self.only_likely_cause(map, call, effect), &|symbol, given| {
                self.likely.of(symbol, given, effect)
            }),
        }
    }

    /// Whether a step of a way was followed by name.
    pub fn is_by_name(&self, cause: Cause) -> bool {
        self.likely.by_name.guessed.contains(&cause.call)
    }

    /// The way from a call to the API that has the effect, one hop a call; empty when it does not have it.
    pub fn path(&self, map: &RepoMap, from: CallId, effect: Effect) -> Vec<Hop> {
        let hop = |cause: Cause| {
            let site = map.call(cause.call);
            let symbol = match cause.through {
                Some(symbol) => map.symbol(symbol).qualified,
                None => self.api_text(map, cause.call, effect).into(),
            };
            Hop { file: map.file(cause.call.file).path.clone(), line: site.line, symbol: symbol.to_string() }
        };
        self.likely_causes(map, from, effect).into_iter().map(hop).collect()
    }

    /// The API at the end of a path: as the source names it where that is a plain chain of names, else as its library does.
    fn api_text(&self, map: &RepoMap, call: CallId, effect: Effect) -> String {
        let site = map.call(call);
        let written = site.callee.dotted().filter(|text| text.contains(['.', ':']));
        if let Some(written) = written {
            let is_rust = map.file(call.file).language == LanguageName::Rust;
            return match written.strip_prefix("this.") {
                Some(rest) if is_rust => format!("self.{rest}"),
                Some(_) | None => written,
            };
        }
        self.own(call, effect).map_or_else(|| site.name.to_string(), |direct| direct.api.clone())
    }

    /// What the API at the end of the way from `call` is.
    pub fn api(&self, map: &RepoMap, call: CallId, effect: Effect) -> Option<&DirectEffect> {
        self.api_of(&self.causes(map, call, effect), effect)
    }

    /// What the API at the end of a way is.
    pub fn api_of(&self, causes: &[Cause], effect: Effect) -> Option<&DirectEffect> {
        self.own(causes.last()?.call, effect)
    }

    /// Whether a function gives a promise or a future.
    pub fn is_async(&self, symbol: SymbolId) -> bool {
        self.asynchrony.functions.contains(&symbol)
    }

    /// Whether a call gives a promise or a future: every function it may reach does, or the API is known to.
    pub fn call_is_async(&self, map: &RepoMap, call: CallId) -> bool {
        asynchrony::gives_promise(map, &self.direct, &self.asynchrony, call)
    }

    /// Whether a call of an unknown receiver most likely gives a promise: every method of that name in the repository does.
    pub fn call_is_likely_async(&self, map: &RepoMap, call: CallId) -> bool {
        asynchrony::likely_gives_promise(map, &self.asynchrony, call)
    }
}

/// The whole way that starts with `first`, `next` telling how a function, or the function it gives, has the effect.
fn follow(first: Option<Cause>, next: &dyn Fn(SymbolId, bool) -> Option<Cause>) -> Vec<Cause> {
    // Distances fall by one a hop, so this ends.
    std::iter::successors(first, |cause| next(cause.through?, cause.given)).collect()
}

#[cfg(test)]
mod inward_tests;
