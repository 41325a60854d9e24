//! Wording: a finding of misuses that belong together, and how much it weighs.

use std::collections::BTreeSet;

use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rules::bug::rejection::{Rejection, rejection};
use crate::audit::rules::bug::unawaited_promise::DOC;
use crate::audit::rules::bug::unawaited_promise::callbacks::Loss;
use crate::audit::rules::bug::unawaited_promise::dropped::{
    Evidence, called_name, is_guard, is_server_code, sends_message,
};
use crate::audit::rules::bug::unawaited_promise::habits::{self, callees};
use crate::audit::rules::bug::unawaited_promise::misuse::Misuse;
use crate::effects::{Effect, Effects};
use crate::finding::{Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::{CallId, FileRole, RepoMap, SourceFile};

/// The finding about `sites`, which drop the same promise or are one place.
pub fn finding(map: &RepoMap, effects: &Effects, sites: &[(CallId, Misuse)]) -> Option<Finding> {
    let &(call, misuse) = sites.first()?;
    let (impact, confidence) = gravest(map, effects, sites)?;
    let mut draft = FindingDraft::at_call(&DOC, map, call, "call")
        .title(title(map, sites, call, misuse))
        .message(message(map, effects, sites, call, misuse))
        .impact(impact)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence);
    if let Some(callee) = callees(map, call).next() {
        draft = draft.and_symbol(map, callee, "async function");
    }
    for (other, _) in sites.iter().skip(1) {
        draft = draft.and_call(map, *other, "call");
    }
    Some(draft.build())
}

fn title(map: &RepoMap, sites: &[(CallId, Misuse)], call: CallId, misuse: Misuse) -> String {
    let name = shown_name(map, call);
    let function = place::function_name(map, call);
    let guards = is_guard(&called_name(map, call));
    match misuse {
        Misuse::Tested => format!("`{name}` gives a promise, which `{function}` tests as if it were its value"),
        Misuse::Read | Misuse::LikelyRead => {
            format!("`{name}` gives a promise, which `{function}` reads as if it were its value")
        }
        Misuse::Dropped(_) if guards && sites.len() > 1 => {
            format!("{} places do not wait for the check `{name}`", sites.len())
        }
        Misuse::Dropped(_) if guards => format!("`{function}` does not wait for the check `{name}`"),
        Misuse::Dropped(_) if sites.len() > 1 && is_of_one_function(map, sites) => {
            format!("`{function}` drops {} promises", sites.len())
        }
        Misuse::Dropped(_) if sites.len() > 1 => format!("{} places drop the promise of `{name}`", sites.len()),
        Misuse::Dropped(_) => format!("`{function}` drops the promise of `{name}`"),
        Misuse::DroppedByMapper if sites.len() > 1 => {
            format!("{} callbacks in `{function}` keep promises from what waits for them", sites.len())
        }
        Misuse::DroppedByMapper => {
            format!("A callback in `{function}` keeps the promise of `{name}` from what waits for it")
        }
        Misuse::Nested => {
            format!("`{function}` hands `Promise.all` a list inside its list, whose promises nobody waits for")
        }
        Misuse::ForEach(_) => format!("`forEach` in `{function}` drops the promises of its async callback"),
        Misuse::Predicate => format!("`{function}` chooses by promises, which are always true"),
        Misuse::ReturnedFromTry if sites.len() > 1 => {
            format!("The handlers of {} places never hear that what they guard failed", sites.len())
        }
        Misuse::ReturnedFromTry => format!("The handler in `{function}` never hears that `{name}` failed"),
    }
}

fn message(map: &RepoMap, effects: &Effects, sites: &[(CallId, Misuse)], call: CallId, misuse: Misuse) -> String {
    let name = shown_name(map, call);
    let names = names(map, sites);
    let are_several = names.contains("` and");
    let is_done = if are_several { "are done" } else { "is done" };
    let its = if are_several { "a" } else { "its" };
    let function = place::function_name(map, call);
    let elsewhere = match habits::awaited(map, call) {
        _ if are_several => String::new(),
        0 => String::new(),
        1 => " It is awaited in 1 other place.".to_owned(),
        count => format!(" It is awaited in {count} other places."),
    };
    match misuse {
        Misuse::Tested => {
            format!("`{name}` gives a promise, so the condition on its result in `{function}` always holds.{elsewhere}")
        }
        Misuse::LikelyRead => format!(
            "Every `{}` of this repository is async, so `{name}` gives a promise, but `{function}` takes the result for its value: it is always \
             truthy and has none of the fields.{elsewhere}",
            map.call(call).name
        ),
        Misuse::Read => format!(
            "`{name}` gives a promise, but `{function}` reads the result as if it were there: what it reads is undefined, empty or \
             `[object Promise]`.{elsewhere}"
        ),
        Misuse::Dropped(Evidence::AloneInTry) => format!(
            "The `catch` around `{name}` in `{function}` was meant for its failure, but the promise is not awaited, so the handler never \
             runs and the rejection is unhandled.{elsewhere}"
        ),
        Misuse::Dropped(_) => {
            let who = droppers(map, sites);
            let goes = if who.matches('`').count() == 2 { "goes" } else { "go" };
            let lost = match rejection(map, effects, call) {
                Rejection::Impossible => String::new(),
                Rejection::Possible | Rejection::Known
                    if is_server_code(map, effects, call) && listens_for_rejections(map) =>
                {
                    format!(", and only what listens for rejections in the whole process hears of {its} failure")
                }
                // Components run in browsers, which only print it; Next.js listens for rejections itself.
                Rejection::Known
                    if is_server_code(map, effects, call) && !place::depends_on(map, call.file, "next") =>
                {
                    format!(", and {its} rejection is unhandled, which ends a Node.js process by default")
                }
                Rejection::Possible | Rejection::Known => format!(", and {its} rejection is unhandled"),
            };
            if is_guard(&called_name(map, call)) {
                format!("{who} {goes} on before {names} {is_done}: the check cannot stop anything{lost}.{elsewhere}")
            } else {
                format!("{who} {goes} on before {names} {is_done}{lost}.{elsewhere}")
            }
        }
        Misuse::DroppedByMapper => {
            let lost = match rejection(map, effects, call) {
                Rejection::Impossible => "",
                Rejection::Possible | Rejection::Known => " and its failure is lost",
            };
            format!(
                "The callback neither returns nor awaits the promise of `{name}`, so `{function}` waits for nothing{lost}.{elsewhere}"
            )
        }
        Misuse::Nested => format!(
            "`{name}` gives a list, which is one value in the list of `Promise.all`: `{function}` goes on before the promises in it are \
             settled, and a rejection in one is unhandled."
        ),
        Misuse::ForEach(_) => format!(
            "`forEach` does not wait for its async callback: `{function}` goes on before the work is done, and a rejection in it is \
             unhandled."
        ),
        Misuse::Predicate => format!(
            "The callback gives a promise, which is always truthy, so every item in `{function}` passes the check whatever it says."
        ),
        Misuse::ReturnedFromTry => format!(
            "`{function}` returns the promise of `{name}` out of its `try` without `await`: when it fails, the `catch` has been left and \
             never runs.{elsewhere}{}",
            match sites.len() {
                1 => String::new(),
                2 => " One more place beside it does the same.".to_owned(),
                count => format!(" {} more places beside it do the same.", count - 1),
            }
        ),
    }
}

/// Files that are the program's own: a library that is kept here listens for itself.
fn own_files(map: &RepoMap) -> impl Iterator<Item = &SourceFile> {
    map.files.iter().filter(|file| !matches!(file.role, FileRole::Generated | FileRole::Test))
}

/// `process.on('unhandledRejection', …)`.
fn listens_for_rejections(map: &RepoMap) -> bool {
    own_files(map).flat_map(|file| &file.facts.calls).any(|own| {
        matches!(own.name.as_str(), "on" | "once" | "addListener")
            && matches!(own.arguments.first(), Some(Expr::Text(event)) if event == "unhandledRejection")
    })
}

/// `window.addEventListener('unhandledrejection', …)`: the program shows its users what nobody handled.
fn listens_in_browsers(map: &RepoMap) -> bool {
    own_files(map).flat_map(|file| &file.facts.calls).any(|own| {
        own.name == "addEventListener"
            && matches!(own.arguments.first(), Some(Expr::Text(event)) if event == "unhandledrejection")
    })
}

/// The name of what is called, also where it has none of its own: `saveWith(…)`.
pub fn shown_name(map: &RepoMap, call: CallId) -> String {
    if map.call(call).name.is_empty() {
        let name = called_name(map, call);
        return if name.is_empty() { "the call".to_owned() } else { format!("{name}(…)") };
    }
    place::callee_text(map, call)
}

/// Impact and confidence of the gravest of `sites`.
fn gravest(map: &RepoMap, effects: &Effects, sites: &[(CallId, Misuse)]) -> Option<(u8, Confidence)> {
    sites
        .iter()
        .map(|(call, misuse)| weight(map, effects, *call, *misuse))
        .max_by_key(|(impact, confidence)| (*confidence, *impact))
}

/// Whether a function returns the promise where it is there, and something else where it is not.
fn is_given_back(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let first = |value: &Expr| match value.peeled() {
        Expr::Either(arms) => arms.first().is_some_and(|arm| *arm.peeled() == Expr::Call(call.index)),
        Expr::Binary(operator, left, _) => {
            matches!(operator.as_str(), "||" | "??") && *left.peeled() == Expr::Call(call.index)
        }
        _ => false,
    };
    facts.returns.iter().any(|given| first(&given.value))
}

/// Impact and confidence of one place.
pub fn weight(map: &RepoMap, effects: &Effects, call: CallId, misuse: Misuse) -> (u8, Confidence) {
    let rejects = rejection(map, effects, call);
    let guards = is_guard(&called_name(map, call));
    let writes = effects.cause(map, call, Effect::DbWrite).is_some();
    let is_known = map.resolved(call).next().is_some();
    match misuse {
        // `return load() || []`: who calls it gets the promise all the same.
        Misuse::Tested if is_given_back(map, call) => (2, Confidence::Med),
        Misuse::Tested => (5, Confidence::High),
        Misuse::Predicate => (4, Confidence::High),
        Misuse::Nested => (4, Confidence::High),
        Misuse::Read => (4, Confidence::High),
        // Another type may have a method of the same name.
        Misuse::LikelyRead => (4, Confidence::Low),
        Misuse::DroppedByMapper if rejects == Rejection::Impossible => (3, Confidence::Med),
        Misuse::DroppedByMapper => (4, Confidence::High),
        Misuse::ForEach(Loss::Overtaken) => (4, Confidence::High),
        Misuse::ForEach(Loss::Weighty) => (3, Confidence::Med),
        Misuse::ForEach(Loss::Unknown) => (3, Confidence::Med),
        Misuse::ReturnedFromTry => (3, Confidence::Med),
        Misuse::Dropped(evidence) => {
            let impact = match rejects {
                _ if guards => 5,
                Rejection::Impossible => 2,
                Rejection::Known => 4,
                Rejection::Possible if writes => 4,
                Rejection::Possible => 3,
            };
            let usual = habits::awaited(map, call) > 2 * habits::dropped(map, call);
            // In the repository somebody wrapped the sending; whether to wait for it was then decided, too.
            let is_message = sends_message(&called_name(map, call)) && is_known;
            let rare = habits::awaited(map, call) >= habits::dropped(map, call);
            let impact = if is_message { impact.min(3) } else { impact };
            let confidence = match (rejects, evidence) {
                _ if is_message && !usual => Confidence::Low,
                // What a script drops was looked at by its direct effect.
                _ if map.file(call.file).role != FileRole::Production => Confidence::Med,
                _ if !is_known && habits::dropped(map, call) > 1 && !rare => Confidence::Low,
                _ if guards && evidence == Evidence::AwaitedElsewhere => Confidence::High,
                (Rejection::Impossible, _) => Confidence::Low,
                _ if !is_server_code(map, effects, call) && listens_in_browsers(map) => Confidence::Low,
                (Rejection::Known, Evidence::AwaitedElsewhere) if usual && is_server_code(map, effects, call) => {
                    Confidence::High
                }
                _ => Confidence::Med,
            };
            (impact, confidence)
        }
    }
}

/// Whether all stand in one function and call different ones.
pub fn is_of_one_function(map: &RepoMap, sites: &[(CallId, Misuse)]) -> bool {
    let Some(&(first, _)) = sites.first() else { return false };
    let name = shown_name(map, first);
    sites.iter().all(|(call, _)| call.file == first.file && map.call(*call).caller == map.call(first).caller)
        && sites.iter().any(|(call, _)| shown_name(map, *call) != name)
}

/// `` `close` ``, `` `close` and `remove` ``, `` `close`, `remove` and 3 more functions ``.
fn droppers(map: &RepoMap, sites: &[(CallId, Misuse)]) -> String {
    listed(sites.iter().map(|(call, _)| place::function_name(map, *call)), "functions")
}

/// The calls, each function once, whatever its object is called: `server.send` and `this.send`.
fn names(map: &RepoMap, sites: &[(CallId, Misuse)]) -> String {
    let mut known = BTreeSet::new();
    let others = sites.iter().filter(|(call, _)| callees(map, *call).next().is_none_or(|symbol| known.insert(symbol)));
    listed(others.map(|(call, _)| shown_name(map, *call)), "calls")
}

fn listed(all: impl Iterator<Item = String>, noun: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in all.map(|name| format!("`{name}`")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [one, other] => format!("{one} and {other}"),
        [one, other, third] => format!("{one}, {other} and {third}"),
        [one, other, rest @ ..] => format!("{one}, {other} and {} more {noun}", rest.len()),
        [one] => one.clone(),
        [] => String::new(),
    }
}
