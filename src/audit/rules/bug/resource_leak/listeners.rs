//! Listeners that stay: added once an item or a request, removed under another name, or bound and never called.

use crate::audit::rules::bug::resource_leak::body::Body;
use crate::audit::rules::bug::resource_leak::hooks::{effect_around, has_cleanup};
use crate::audit::rules::bug::resource_leak::{Kind, Leak};
use crate::effects::chain;
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, RegionIndex, RegionKind, Usage};
use crate::repo_map::{CallId, RepoMap};

/// The role of the place that adds what is not taken back.
pub const ADDED: &str = "added here";

/// What is wrong with a call about listeners, if anything is.
pub fn leaks(map: &RepoMap, call: CallId) -> Option<Leak> {
    let source = map.file(call.file);
    if !source.language.is_ecmascript() {
        return None;
    }
    let facts = &source.facts;
    let site = facts.call(call.index);
    let found = discarded_bind(site)
        .or_else(|| removed_by_value(facts, site))
        .or_else(|| removed_under_another_name(facts, call.index))
        .or_else(|| removed_for_nothing(facts, call.index))
        .or_else(|| added_for_one_promise(facts, call.index))
        .or_else(|| kept_by_effect(facts, call.index))
        .or_else(|| added_in_loop(facts, call.index))?;
    Some(Leak {
        call,
        symbol: site.caller,
        line: site.line,
        quote: site.name.to_string(),
        kind: found.kind,
        title: found.title,
        message: found.message,
        impact: found.impact,
        confidence: found.confidence,
        others: found.others,
    })
}

struct Found {
    kind: Kind,
    title: String,
    message: String,
    impact: u8,
    confidence: Confidence,
    others: Vec<(u32, &'static str)>,
}

/// `stream.destroy.bind(stream);`: makes a function and drops it.
fn discarded_bind(site: &CallSite) -> Option<Found> {
    let (Expr::Member(method, bind), Usage::Discarded, [object]) =
        (site.callee.peeled(), &site.usage, site.arguments.as_slice())
    else {
        return None;
    };
    let Expr::Member(owner, name) = method.peeled() else { return None };
    if bind != "bind" || owner.dotted().is_none() || owner.dotted() != object.dotted() {
        return None;
    }
    let text = format!("{}.{name}", owner.dotted()?);
    Some(Found {
        kind: Kind::Bind,
        title: format!("`{text}.bind(…)` makes a function and drops it"),
        message: format!("`bind` calls nothing: `{text}` never runs here, and what it should release stays open."),
        impact: 4,
        confidence: Confidence::High,
        others: Vec::new(),
    })
}

/// `removeEventListener("click", () => …)`: a new function was never added.
fn removed_by_value(facts: &FileFacts, site: &CallSite) -> Option<Found> {
    if !matches!(site.name.as_str(), "removeEventListener" | "removeListener") {
        return None;
    }
    let Expr::Member(target, _) = site.callee.peeled() else { return None };
    let made_here = match site.arguments.get(1)?.peeled() {
        Expr::Function { symbol: None, .. } => true,
        Expr::Call(index) => facts.call(*index).name == "bind",
        _ => false,
    };
    // React Native's subscriptions and the like take the listener away by the name alone.
    let Some(Expr::Text(event)) = site.arguments.first().map(Expr::peeled) else { return None };
    made_here.then(|| Found {
        kind: Kind::Listener,
        title: format!("`{}` is given a function that was never added", site.name),
        message: format!(
            "The function passed to `{}` for `{event}` is made on this line, so it is not the one that `{}` holds: the listener stays.",
            site.name,
            target.dotted().unwrap_or_else(|| "the target".to_owned())
        ),
        impact: 3,
        confidence: Confidence::High,
        others: Vec::new(),
    })
}

/// One listener as a call adds or removes it.
struct Registration<'a> {
    target: String,
    event: &'a str,
    handler: String,
    capture: bool,
}

fn registration(site: &CallSite) -> Option<Registration<'_>> {
    let Expr::Member(target, _) = site.callee.peeled() else { return None };
    let Some(Expr::Text(event)) = site.arguments.first().map(Expr::peeled) else { return None };
    let capture = match site.arguments.get(2).map(Expr::peeled) {
        None => false,
        Some(Expr::Bool(value)) => *value,
        Some(Expr::Object(entries)) => {
            if entries.iter().any(|(key, _)| matches!(key.as_str(), "..." | "once" | "signal")) {
                return None;
            }
            entries.iter().any(|(key, value)| key == "capture" && *value == Expr::Bool(true))
        }
        Some(_) => return None,
    };
    Some(Registration { target: target.dotted()?, event, handler: site.arguments.get(1)?.dotted()?, capture })
}

/// `addEventListener("mousemove", f)` taken back as `removeEventListener("mouseup", f)`, or without its `capture`.
fn removed_under_another_name(facts: &FileFacts, call: CallIndex) -> Option<Found> {
    let site = facts.call(call);
    if site.name != "addEventListener" {
        return None;
    }
    let added = registration(site)?;
    let same_function = |other: &&CallSite| other.caller == site.caller || site.caller.is_none();
    let about = |name: &'static str| {
        facts
            .calls
            .iter()
            .filter(move |other| other.name == name)
            .filter(same_function)
            .filter_map(|other| Some((other, registration(other)?)))
            .filter(|(_, other)| other.target == added.target && other.handler == added.handler)
            .collect::<Vec<_>>()
    };
    let removed = about("removeEventListener");
    let adds = about("addEventListener");
    if removed.is_empty() {
        return None;
    }
    if let Some((other, _)) = removed.iter().find(|(_, other)| other.event == added.event) {
        let matched = removed.iter().any(|(_, other)| other.event == added.event && other.capture == added.capture);
        // The same function added again is one listener to the browser; what is made at every call piles up.
        let is_of_module = facts
            .symbols
            .iter()
            .any(|symbol| symbol.name == added.handler && symbol.container.is_none() && symbol.member_of.is_none());
        return (!matched && !is_of_module).then(|| Found {
            kind: Kind::Listener,
            title: format!("`{}` is added with another `capture` than it is removed with", added.handler),
            message: format!(
                "`{}` is added for `{}` with `capture` {} and removed with the other value: the browser keeps the listener.",
                added.handler, added.event, added.capture
            ),
            impact: 3,
            confidence: Confidence::High,
            others: vec![(other.line, "removal")],
        });
    }
    // A removal of an event that nobody adds is the one that was meant.
    let (other, stray) = removed.iter().find(|(_, other)| !adds.iter().any(|(_, add)| add.event == other.event))?;
    Some(Found {
        kind: Kind::Listener,
        title: format!("`{}` is added for `{}` and removed for `{}`", added.handler, added.event, stray.event),
        message: format!(
            "`{}` listens to `{}`, and only `{}` is taken back: the listener stays, and with it all it refers to.",
            added.handler, added.event, stray.event
        ),
        impact: 3,
        confidence: Confidence::High,
        others: vec![(other.line, "removal")],
    })
}

/// `removeEventListener("mousemove", f)` where the file adds `f` for other events alone, in another function.
fn removed_for_nothing(facts: &FileFacts, call: CallIndex) -> Option<Found> {
    let site = facts.call(call);
    if site.name != "removeEventListener" {
        return None;
    }
    let removed = registration(site)?;
    let adds: Vec<_> = facts
        .calls
        .iter()
        .filter(|other| other.name == "addEventListener")
        .filter_map(|other| Some((other, registration(other)?)))
        .filter(|(_, add)| add.target == removed.target && add.handler == removed.handler)
        .collect();
    let (first, add) = adds.first()?;
    // Of one function the place that adds is told.
    if adds.iter().any(|(other, add)| add.event == removed.event || other.caller == site.caller) {
        return None;
    }
    Some(Found {
        kind: Kind::Listener,
        title: format!("`{}` is taken back for `{}`, for which nobody adds it", removed.handler, removed.event),
        message: format!(
            "`{}` is added for `{}` and never for `{}`, so this removal does nothing and the listener stays until something else takes it \
             back.",
            removed.handler, add.event, removed.event
        ),
        impact: 2,
        confidence: Confidence::High,
        others: vec![(first.line, ADDED)],
    })
}

/// `new Promise((resolve, reject) => { pool.on("error", reject); … })` on an object of the module: one more listener each call.
fn added_for_one_promise(facts: &FileFacts, call: CallIndex) -> Option<Found> {
    let site = facts.call(call);
    if !matches!(site.name.as_str(), "on" | "addListener") {
        return None;
    }
    let Expr::Member(target, _) = site.callee.peeled() else { return None };
    let Expr::Name(object) = target.peeled() else { return None };
    let Some(Expr::Text(event)) = site.arguments.first().map(Expr::peeled) else { return None };
    let is_of_module = facts.imports.iter().any(|import| import.local == *object && import.within.is_empty())
        || facts.bindings.iter().any(|own| own.name == *object && own.owner.is_none() && own.region.is_none());
    let is_local = facts.bindings.iter().any(|own| own.name == *object && own.owner.is_some());
    let executor = facts.enclosing_regions(site.region).find_map(|(_, region)| match &region.kind {
        RegionKind::Callback { call: Some(host), parameters, .. } if facts.call(*host).name == "Promise" => {
            Some((region, parameters))
        }
        _ => None,
    });
    let (region, parameters) = executor.filter(|_| is_of_module && !is_local && site.caller.is_some())?;
    let settles = |name: &str| parameters.iter().any(|own| own == name);
    let handler = site.arguments.get(1)?;
    let is_for_this_promise = match handler.peeled() {
        Expr::Name(name) => settles(name),
        Expr::Function { region: Some(body), .. } => {
            let body = facts.regions[*body as usize].span;
            facts.calls.iter().any(|inner| body.contains(inner.span) && settles(&inner.name))
        }
        _ => false,
    };
    let is_removed = facts.calls.iter().any(|other| {
        matches!(other.name.as_str(), "off" | "removeListener" | "removeAllListeners")
            && matches!(other.callee.peeled(), Expr::Member(owner, _) if owner.root_name() == Some(object.as_str()))
    });
    (is_for_this_promise && !is_removed).then(|| Found {
        kind: Kind::Listener,
        title: format!("each call adds a `{event}` listener to `{object}` for its own promise"),
        message: format!(
            "Each call adds one more listener for `{event}` to `{object}`, which all calls share, and none is removed: they pile up, and all \
             of them run when it happens once."
        ),
        impact: 3,
        confidence: Confidence::High,
        others: vec![(region.lines.start, "promise")],
    })
}

/// Objects that outlive every component.
fn is_global(target: &Expr) -> bool {
    matches!(
        target.dotted().as_deref(),
        Some(
            "window"
                | "document"
                | "document.body"
                | "document.documentElement"
                | "globalThis"
                | "window.visualViewport"
                | "visualViewport"
                | "navigator.serviceWorker"
                | "navigator.mediaDevices"
                | "window.document"
        )
    )
}

/// `useEffect(() => { window.addEventListener("resize", f); })` without a clean-up.
fn kept_by_effect(facts: &FileFacts, call: CallIndex) -> Option<Found> {
    let site = facts.call(call);
    let Expr::Member(target, _) = site.callee.peeled() else { return None };
    if site.name != "addEventListener" || !is_global(target) {
        return None;
    }
    let effect = effect_around(facts, site.region)?;
    let Some(Expr::Text(event)) = site.arguments.first().map(Expr::peeled) else { return None };
    let ends_itself = matches!(site.arguments.get(2).map(Expr::peeled), Some(Expr::Object(entries))
        if entries.iter().any(|(key, _)| matches!(key.as_str(), "once" | "signal" | "...")));
    let removed = facts.calls.iter().any(|other| {
        other.name == "removeEventListener"
            && matches!(other.arguments.first().map(Expr::peeled), Some(Expr::Text(own)) if own == event)
    });
    // What happens once for a page piles up nothing.
    let happens_once = matches!(event.as_str(), "load" | "DOMContentLoaded");
    if happens_once || ends_itself || removed || has_cleanup(facts, effect) || is_behind_a_flag(facts, effect, call) {
        return None;
    }
    Some(Found {
        kind: Kind::Effect,
        title: format!("an effect adds a `{event}` listener and never removes it"),
        message: format!(
            "The effect adds a listener for `{event}` to `{}` each time it runs and returns no clean-up: listeners pile up and keep the \
             component's state alive.",
            target.dotted()?
        ),
        impact: 3,
        confidence: Confidence::High,
        others: Vec::new(),
    })
}

/// `if (done) return; … setDone(true);`: the effect gets there once.
fn is_behind_a_flag(facts: &FileFacts, effect: RegionIndex, call: CallIndex) -> bool {
    let (body, site) = (facts.regions[effect as usize].span, facts.call(call));
    let raises = facts.calls.iter().any(|other| {
        let setter = other.name.strip_prefix("set").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        setter
            && body.contains(other.span)
            && matches!(other.arguments.as_slice(), [own] if matches!(own.peeled(), Expr::Bool(true)))
    });
    // A branch that does nothing but leave.
    let leaves_early = facts.regions.iter().any(|own| {
        matches!(own.kind, RegionKind::Branch)
            && body.contains(own.span)
            && own.span.end <= site.span.start
            && own.lines.count() <= 3
            && !facts.calls.iter().any(|other| own.span.contains(other.span))
            && !facts.assignments.iter().any(|other| own.span.contains(other.span))
    });
    raises && leaves_early
}

/// `for (…) { request.on("close", …); await …; }`: one more listener each round, on something that outlives the round.
fn added_in_loop(facts: &FileFacts, call: CallIndex) -> Option<Found> {
    let site = facts.call(call);
    if !matches!(site.name.as_str(), "on" | "addListener" | "addEventListener") {
        return None;
    }
    let Expr::Member(target, _) = site.callee.peeled() else { return None };
    let (Some(Expr::Text(event)), Some(Expr::Function { .. })) =
        (site.arguments.first().map(Expr::peeled), site.arguments.get(1).map(Expr::peeled))
    else {
        return None;
    };
    let (_, region) = facts
        .enclosing_regions(site.region)
        .take_while(|(_, region)| !matches!(region.kind, RegionKind::Callback { .. }))
        .find(|(_, region)| matches!(region.kind, RegionKind::Loop(_)))?;
    let RegionKind::Loop(head) = &region.kind else { return None };
    let made_inside = |name: &str| {
        head.bindings.iter().any(|own| own == name)
            || facts.bindings.iter().any(|binding| binding.name == name && region.span.contains(binding.span))
    };
    // Rounds that wait come one after the other, as long as their target lives.
    let waits = facts.calls.iter().any(|other| other.awaited && region.span.contains(other.span));
    let dotted = target.dotted()?;
    // `this.socket = new WebSocket(url); this.socket.on(…)`: another target each time.
    let is_set_inside = facts.assignments.iter().any(|assignment| {
        region.span.contains(assignment.span)
            && assignment.span.end <= site.span.start
            && assignment.target.dotted().as_deref() == Some(dotted.as_str())
    });
    if !waits || is_set_inside || chain::expr_uses(facts, target, &made_inside) {
        return None;
    }
    let body = Body::of_call(facts, call)?;
    let removed = body.calls(facts).any(|(_, other)| {
        matches!(other.name.as_str(), "off" | "removeListener" | "removeEventListener" | "removeAllListeners")
            && matches!(other.callee.peeled(), Expr::Member(object, _) if object.dotted().as_deref() == Some(dotted.as_str()))
    });
    (!removed).then(|| Found {
        kind: Kind::Listener,
        title: format!("every round of a loop adds a `{event}` listener to `{dotted}`"),
        message: format!(
            "Each round adds one more listener for `{event}` to `{dotted}`, which outlives the round, and none is removed: they pile up, \
             and all of them run at the end."
        ),
        impact: 3,
        confidence: Confidence::High,
        others: vec![(region.lines.start, "loop")],
    })
}
