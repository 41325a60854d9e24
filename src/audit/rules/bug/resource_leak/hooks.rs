//! Effects of React components and hooks: what they start and whether they clean up.

use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::chain;
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallIndex, CallSite, FileFacts, RegionIndex, RegionKind, SymbolIndex, Usage};
use crate::repo_map::{CallId, RepoMap};

/// The effect that runs a place when it runs itself: `useEffect(() => { … })`.
pub fn effect_around(facts: &FileFacts, region: Option<RegionIndex>) -> Option<RegionIndex> {
    facts
        .enclosing_regions(region)
        .find_map(|(index, region)| match &region.kind {
            RegionKind::Callback { call, .. } => {
                let host = call.map(|host| facts.call(host).name.as_str());
                Some(match host {
                    Some("useEffect" | "useLayoutEffect" | "useInsertionEffect") => Some(index),
                    _ => None,
                })
            }
            _ => None,
        })
        .flatten()
}

/// Whether an effect gives back something to call when it ends.
pub fn has_cleanup(facts: &FileFacts, effect: RegionIndex) -> bool {
    facts
        .returns
        .iter()
        .any(|returned| returned.region == Some(effect) && !matches!(returned.value, Expr::Nothing | Expr::Bool(_)))
}

/// A timer that a component or hook starts and nobody stops.
pub fn leaks(map: &RepoMap, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    if !source.language.is_ecmascript() {
        return None;
    }
    let facts = &source.facts;
    let site = facts.call(call.index);
    let name = site.callee.dotted()?;
    let name = name.strip_prefix("window.").unwrap_or(&name);
    let leak = |title: String, message: String, confidence, impact| Leak {
        call,
        symbol: site.caller,
        line: site.line,
        quote: site.name.to_string(),
        kind: Kind::Effect,
        title,
        message,
        impact,
        confidence,
        others: Vec::new(),
    };
    // `const [interval, setInterval] = useState(…)`: a setter of that name.
    if matches!(site.callee.peeled(), Expr::Name(own)
        if !matches!(Scope::of_call(facts, call.index).look_up(own), Meaning::Unknown))
    {
        return None;
    }
    match name {
        "setInterval" => {
            let effect = effect_around(facts, site.region)?;
            let stopped = facts.calls.iter().any(|other| other.name == "clearInterval");
            (!stopped && !has_cleanup(facts, effect)).then(|| {
                leak(
                    "an effect starts an interval and never stops it".to_owned(),
                    "The effect starts an interval each time it runs and returns no clean-up: after the component is gone it goes on, \
                     and every new mount adds one."
                        .to_owned(),
                    Confidence::High,
                    3,
                )
            })
        }
        "setTimeout" => {
            if site.usage != Usage::Discarded && site.usage != Usage::Returned {
                return None;
            }
            let hook = hook_around(facts, site.caller)?;
            let (setter, does_more) = called_setter(facts, call.index, hook)?;
            let span = facts.symbols[hook as usize].span;
            let stopped = facts.calls.iter().any(|other| other.name == "clearTimeout" && span.contains(other.span));
            // A tick or a transition is over before anybody leaves.
            let short = matches!(site.arguments.get(1).map(Expr::peeled), None | Some(Expr::Number(_)))
                && delay(site.arguments.get(1)).is_none_or(|delay| delay < 500.0);
            (!stopped && !short).then(|| {
                leak(
                    format!("`{}` starts a timer that outlives the component", facts.symbols[hook as usize].name),
                    format!(
                        "The timer calls `{setter}` later, whether the component is still there or not, and a second run does not stop the \
                         first: nobody keeps its handle or clears it on unmount."
                    ),
                    // React forgives a setter since version 18; what is left is a mark that goes too early, which none of those whose
                    // code was read would have changed.
                    if does_more { Confidence::Med } else { Confidence::Low },
                    1,
                )
            })
        }
        _ => None,
    }
}

fn delay(argument: Option<&Expr>) -> Option<f64> {
    match argument.map(Expr::peeled) {
        Some(Expr::Number(text)) => text.replace('_', "").parse().ok(),
        _ => None,
    }
}

/// The hook (`useCopy`) a function stands in, itself or as its container.
fn hook_around(facts: &FileFacts, symbol: Option<SymbolIndex>) -> Option<SymbolIndex> {
    let mut next = symbol;
    for _ in 0..8 {
        let index = next?;
        let symbol = &facts.symbols[index as usize];
        let is_hook =
            symbol.name.strip_prefix("use").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
        if is_hook {
            return Some(index);
        }
        next = symbol.container;
    }
    None
}

/// The state setter of the hook that a timer's callback calls, and whether it calls anything else.
fn called_setter(facts: &FileFacts, timer: CallIndex, hook: SymbolIndex) -> Option<(String, bool)> {
    let span = facts.symbols[hook as usize].span;
    let Expr::Function { region: Some(region), .. } = facts.call(timer).arguments.first()?.peeled() else {
        return None;
    };
    let body = facts.regions[*region as usize].span;
    let is_state = |binding: &&Binding| {
        span.contains(binding.span)
            && binding.taken.as_deref() == Some("1")
            && binding
                .value
                .as_ref()
                .is_some_and(|value| chain::names(facts, value).is_some_and(|names| names.last() == Some(&"useState")))
    };
    let setters: Vec<_> = facts.bindings.iter().filter(is_state).map(|binding| binding.name).collect();
    let called = || facts.calls.iter().filter(|other| body.contains(other.span));
    let is_setter = |other: &CallSite| matches!(other.callee.peeled(), Expr::Name(own) if setters.contains(own));
    let first = called().find(|other| is_setter(other))?;
    Some((first.name.to_string(), called().any(|other| !is_setter(other))))
}
