//! Bodies: the function a place runs in, named or not, and what happens to a value there.

use crate::effects::deferral::is_deferred_within;
use crate::effects::entry::EntryKind;
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, RegionIndex, RegionKind, Span, SymbolIndex, SymbolKind};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Hosts whose callbacks run at once, as part of the function around them.
const AT_ONCE: &[&str] = &[
    "map",
    "forEach",
    "flatMap",
    "filter",
    "some",
    "every",
    "find",
    "reduce",
    "then",
    "catch",
    "finally",
    "all",
    "Promise",
    "transaction",
    "$transaction",
];

/// The function a place runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// The named function around it.
    pub symbol: Option<SymbolIndex>,
    /// The callback without a name, when the place stands in one that runs on its own.
    pub callback: Option<RegionIndex>,
    /// Its bytes.
    pub span: Span,
}

impl Body {
    /// The function around a region; `None` for the top level of a file.
    pub fn around(facts: &FileFacts, symbol: Option<SymbolIndex>, region: Option<RegionIndex>) -> Option<Body> {
        let own = facts.enclosing_regions(region).find(|(_, region)| match &region.kind {
            RegionKind::Callback { call: Some(host), .. } => !AT_ONCE.contains(&facts.call(*host).name.as_str()),
            RegionKind::Callback { call: None, .. } => true,
            _ => false,
        });
        match (own, symbol) {
            (Some((index, region)), _) => Some(Body { symbol, callback: Some(index), span: region.span }),
            (None, Some(symbol)) => {
                Some(Body { symbol: Some(symbol), callback: None, span: facts.symbols[symbol as usize].span })
            }
            (None, None) => None,
        }
    }

    /// The function around a call.
    pub fn of_call(facts: &FileFacts, call: CallIndex) -> Option<Body> {
        let site = facts.call(call);
        Body::around(facts, site.caller, site.region)
    }

    /// Calls within it, nested functions included.
    pub fn calls(self, facts: &FileFacts) -> impl Iterator<Item = (CallIndex, &CallSite)> {
        (0..).zip(&facts.calls).filter(move |(_, site)| self.span.contains(site.span))
    }

    /// The call that takes the callback.
    pub fn host(self, facts: &FileFacts) -> Option<&CallSite> {
        match facts.regions[self.callback? as usize].kind {
            RegionKind::Callback { call, .. } => Some(facts.call(call?)),
            _ => None,
        }
    }

    /// What it gives back itself, inner functions left out.
    pub fn returns(self, facts: &FileFacts) -> impl Iterator<Item = &Expr> {
        facts
            .returns
            .iter()
            .filter(move |returned| match self.callback {
                Some(_) => returned.region == self.callback,
                None => returned.region.is_none() && returned.symbol == self.symbol,
            })
            .map(|returned| &returned.value)
    }

    /// Whether the value of `name` outlives the body: returned, stored, handed on, or used by a function that runs later.
    pub fn lets_out(self, map: &RepoMap, file: FileId, name: &str) -> bool {
        let facts = &map.file(file).facts;
        let holds = |expr: &Expr| expr.mentions(name);
        let inside = |region: Option<RegionIndex>| {
            region.is_some_and(|region| self.span.contains(facts.regions[region as usize].span))
        };
        let returned = facts.returns.iter().any(|returned| {
            (returned.symbol.is_some() && returned.symbol == self.symbol || inside(returned.region))
                && holds(&returned.value)
        });
        let stored =
            facts.assignments.iter().any(|assignment| self.span.contains(assignment.span) && holds(&assignment.value));
        let renamed = facts.bindings.iter().any(|binding| {
            self.span.contains(binding.span)
                && binding.name != name
                && binding.value.as_ref().is_some_and(|value| !matches!(value.peeled(), Expr::Call(_)) && holds(value))
        });
        returned
            || stored
            || renamed
            || self.calls(facts).any(|(index, site)| {
                let uses = site.callee.root_name() == Some(name);
                site.arguments.iter().any(holds)
                    || uses
                        && (site.caller != self.symbol
                            || is_deferred_within(map, CallId { file, index }, Effect::Http, self.callback))
            })
    }

    /// Calls of a method of `name` that `wanted` accepts.
    pub fn methods_of<'a>(
        self,
        facts: &'a FileFacts,
        name: &'a str,
        wanted: &'a dyn Fn(&str) -> bool,
    ) -> impl Iterator<Item = (CallIndex, &'a CallSite)> {
        self.calls(facts).filter(move |(_, site)| {
            matches!(site.callee.peeled(), Expr::Member(object, method)
                if wanted(method) && object.root_name() == Some(name))
        })
    }
}

/// Whether a region lies in a `finally`.
pub fn is_in_finally(facts: &FileFacts, region: Option<RegionIndex>) -> bool {
    facts.enclosing_regions(region).any(|(index, region)| match &region.kind {
        RegionKind::Handler => !facts.catches.iter().any(|catch| catch.region == Some(index)),
        RegionKind::Callback { call: Some(host), .. } => facts.call(*host).name == "finally",
        _ => false,
    })
}

/// Names of functions that run once, as a process starts or ends, or that are programs of their own.
const ONCE: &[&str] = &[
    "main",
    "bootstrap",
    "boot",
    "init",
    "initialize",
    "initialise",
    "setup",
    "start",
    "startup",
    "serve",
    "listen",
    "shutdown",
    "register",
    "onmoduleinit",
    "seed",
    "migrate",
    "cli",
    "script",
    "run",
    "configure",
    "install",
    "teardown",
    "global",
];

/// Whether a body is known to run more than once in a process.
pub fn runs_often(map: &RepoMap, effects: &Effects, call: CallId, body: Body) -> bool {
    let file = call.file;
    let source = map.file(file);
    let facts = &source.facts;
    // A program that ends itself closes everything.
    if facts.calls.iter().any(|site| site.callee.dotted().as_deref() == Some("process.exit")) {
        return false;
    }
    match effects.entries.of_call(map, call).map(|reach| reach.entry.kind) {
        Some(kind) if kind.is_request() => return true,
        Some(EntryKind::Job | EntryKind::Schedule) => return true,
        // A command ends, and everything with it.
        Some(_) => return false,
        None => {}
    }
    if body.callback.is_some() || effects.entries.is_only_at_start(map, call) {
        return false;
    }
    let Some(index) = body.symbol else { return false };
    let symbol = &facts.symbols[index as usize];
    let words = crate::audit::place::words(&symbol.name);
    if symbol.kind == SymbolKind::Constructor || words.iter().any(|word| ONCE.contains(&word.as_str())) {
        return false;
    }
    let callers = map.callers(crate::repo_map::SymbolId { file, index });
    let at_top = callers.iter().any(|caller| {
        let site = map.call(*caller);
        site.caller.is_none() && Body::around(&map.file(caller.file).facts, None, site.region).is_none()
    });
    !at_top && (symbol.exported || callers.iter().any(|caller| !map.is_test(caller.file, map.call(*caller).caller)))
}

/// Whether something is awaited between two places: it may fail, and what follows never runs.
pub fn waits_between(facts: &FileFacts, body: Body, from: Span, to: Span) -> bool {
    body.calls(facts).any(|(_, site)| site.awaited && site.span.start >= from.end && site.span.end <= to.start)
}
