//! Dropped promises: which of them were meant to be awaited.

use crate::audit::place;
use crate::audit::rules::bug::rejection::{Rejection, rejection};
use crate::audit::rules::bug::unawaited_promise::habits::{self, callees};
use crate::audit::rules::bug::unawaited_promise::reads::MORE_THAN_PROMISES;
use crate::audit::rules::bug::unawaited_promise::relied;
use crate::audit::text::folder_of;
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    CallKind, CallSite, CommentKind, FileFacts, LoopForm, Region, RegionIndex, RegionKind, Usage,
};
use crate::repo_map::{CallId, FileRole, RepoMap, SourceFile};

/// Functions whose result nobody waits for on purpose: telemetry, warming, navigation, cache hints.
const FIRE_AND_FORGET: &[&str] = &[
    "track",
    "log",
    "capture",
    "prefetch",
    "preload",
    "invalidate",
    "revalidate",
    "refetch",
    "report",
    "trace",
    "debug",
    "emit",
    "notify",
    "warm",
    "schedule",
    "enqueue",
    "trigger",
    "navigate",
    "redirect",
    "push",
    "replace",
    "start",
    "run",
    "main",
    "bootstrap",
    "close",
    "abort",
    "end",
    "destroy",
    "dispose",
    "cancel",
    "init",
    "watch",
    "poll",
    "toast",
    "telemetry",
    "analytics",
    "background",
    "queue",
    "on",
    "handle",
    "dispatch",
    "refresh",
    "reload",
    "ping",
    "metric",
    "metrics",
    "stat",
    "stats",
    "record",
];

/// Of those, verbs that start work as often as they do it: where the same function waits for one, it meant to wait for the other.
const EITHER: &[&str] = &[
    "schedule", "enqueue", "trigger", "start", "run", "main", "close", "end", "destroy", "dispose", "cancel", "init",
    "queue", "handle", "dispatch", "refresh", "reload",
];

/// Functions whose whole point is to stop the code after them.
const GUARDS: &[&str] = &[
    "check",
    "verify",
    "enforce",
    "authenticate",
    "authorize",
    "authorise",
    "require",
    "assert",
    "validate",
    "ensure",
];

/// Functions that change what is stored.
const WRITES: &[&str] = &[
    "create",
    "insert",
    "update",
    "upsert",
    "save",
    "delete",
    "remove",
    "add",
    "set",
    "store",
    "persist",
    "write",
    "publish",
    "revoke",
    "assign",
    "mark",
    "archive",
    "restore",
    "move",
    "rename",
    "copy",
    "unlink",
    "mkdir",
    "patch",
    "put",
    "increment",
    "commit",
    "rollback",
    "upload",
    "charge",
    "refund",
    "transfer",
    "send",
];

/// What only a server does.
const SERVER: [Effect; 5] = [Effect::DbRead, Effect::DbWrite, Effect::Fs, Effect::Queue, Effect::Redis];

/// Methods that answer a request: what comes after them is work in the background.
const ANSWERS: &[&str] = &["json", "send", "end", "sendStatus", "redirect"];

/// Why a dropped promise is taken for a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It writes something, by its name.
    Writes,
    /// Its failure reaches nobody, on a server.
    RejectsUnheard,
    /// Other callers wait for it.
    AwaitedElsewhere,
    /// It works on an object that the code after it goes on with.
    ReliedOn,
    /// It stands alone in a `try`, whose handler never hears of its failure.
    AloneInTry,
}

/// Whether the function checks something that the code after it relies on.
pub fn is_guard(name: &str) -> bool {
    place::words(name).first().is_some_and(|word| GUARDS.contains(&word.as_str()))
}

/// Why the dropped promise of `call` is a mistake, as far as there is evidence.
pub fn evidence(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Evidence> {
    let found = evidence_of_loss(map, effects, call)?;
    // What never fails is missed by nobody who does not need its value.
    let is_of_failure = match found {
        Evidence::RejectsUnheard | Evidence::AwaitedElsewhere | Evidence::AloneInTry => true,
        Evidence::Writes | Evidence::ReliedOn => false,
    };
    (!is_of_failure || !only_resolves(map, call)).then_some(found)
}

/// Whether every function that may be called gives `new Promise((resolve) => …)`: there is no way for it to fail, as in a dialog that
/// ends when somebody closes it.
fn only_resolves(map: &RepoMap, call: CallId) -> bool {
    let mut called = map.resolved(call).peekable();
    called.peek().is_some()
        && called.all(|one| {
            let facts = &map.file(one.symbol.file).facts;
            let mut returned = facts.returns.iter().filter(|own| own.symbol == Some(one.symbol.index)).peekable();
            returned.peek().is_some() && returned.all(|own| is_promise_without_failure(facts, &own.value))
        })
}

fn is_promise_without_failure(facts: &FileFacts, value: &Expr) -> bool {
    let Expr::Call(index) = value.peeled() else { return false };
    let site = facts.call(*index);
    let executor = match site.arguments.as_slice() {
        [Expr::Function { region: Some(region), .. }] => &facts.regions[*region as usize].kind,
        _ => return false,
    };
    site.kind == CallKind::New
        && site.name == "Promise"
        && matches!(executor, RegionKind::Callback { parameters, .. } if parameters.len() == 1)
}

fn evidence_of_loss(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Evidence> {
    let site = map.call(call);
    let facts = &map.file(call.file).facts;
    let name = called_name(map, call);
    // `Promise.resolve(client.shutdown()).catch(log)`: its failure is heard.
    let is_heard = name == "catch" && !site.arguments.is_empty();
    let is_awaited_beside = is_either(&name) && is_awaited_beside(map, call);
    if name.is_empty()
        || is_heard
        || is_fire_and_forget(&name) && !is_awaited_beside
        || is_of_messenger(site)
        || is_explained(map, call)
        || answered_before(facts, site)
        || answers_errors_itself(site)
        || ends_unwatched_callback(map.file(call.file), site)
        || fetches_ahead(facts, site)
        || builds_query(effects, site, call)
    {
        return None;
    }
    match map.file(call.file).role {
        FileRole::Production => {}
        // A script ends when nothing is left to do, or at once where it says so: what it writes counts, who waits for what does not.
        FileRole::Test | FileRole::Example | FileRole::Script | FileRole::Migration | FileRole::Generated => {
            let writes = effects.direct(call).iter().any(|direct| direct.effect == Effect::DbWrite);
            let is_in_async = site.caller.is_some_and(|caller| facts.symbols[caller as usize].is_async);
            return (writes && is_in_async).then_some(Evidence::Writes);
        }
    }
    if is_awaited_beside {
        return Some(Evidence::AwaitedElsewhere);
    }
    if is_alone_in_try(facts, site) && rejection(map, effects, call) != Rejection::Impossible {
        return Some(Evidence::AloneInTry);
    }
    // A page prints a rejection that nobody handles, and here nothing comes after the call that could rely on it.
    if ends_function(facts, site) && !is_server_code(map, effects, call) {
        return None;
    }
    if !place::in_async_code(map, call) || runs_for_ever(map, call) {
        return None;
    }
    // Most of those who drop it say that they mean to.
    if habits::ignored(map, call) * 2 > habits::dropped(map, call) {
        return None;
    }
    let awaited = habits::awaited(map, call);
    // Two droppers are a habit; against it speaks only that a failure ends the process.
    if awaited > 0 && awaited >= habits::dropped(map, call) {
        return Some(Evidence::AwaitedElsewhere);
    }
    if rejects_on_a_server(map, effects, call) {
        return Some(Evidence::RejectsUnheard);
    }
    if relied::goes_on_with_it(map, call) {
        return Some(Evidence::ReliedOn);
    }
    let writes = place::words(&name).first().is_some_and(|word| WRITES.contains(&word.as_str()));
    let harmless = || rejection(map, effects, call) == Rejection::Impossible;
    (writes && is_server_code(map, effects, call) && habits::dropped(map, call) <= 1 && !harmless())
        .then_some(Evidence::Writes)
}

/// The name of what is called; of `saveWith(db)(row)` that of the factory.
pub fn called_name(map: &RepoMap, call: CallId) -> String {
    let site = map.call(call);
    if !site.name.is_empty() {
        return site.name.to_string();
    }
    callees(map, call).next().map_or_else(String::new, |symbol| map.symbol(symbol).name.to_string())
}

/// A failure of the called function reaches nobody, in code that only a server runs.
fn rejects_on_a_server(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    rejection(map, effects, call) == Rejection::Known
        && is_server_code(map, effects, call)
        && SERVER.into_iter().any(|effect| effects.cause(map, call, effect).is_some_and(|cause| cause.distance <= 3))
}

/// Folders of what runs in browsers.
const CLIENT_FOLDERS: &[&str] =
    &["public", "client", "frontend", "webapp", "browser", "renderer", "widgets", "components", "composables"];

/// Whether nothing is called after the site in its function, but for other branches of what it stands in.
fn ends_function(facts: &FileFacts, site: &CallSite) -> bool {
    let around: Vec<RegionIndex> = facts.enclosing_regions(site.region).map(|(index, _)| index).collect();
    let in_loop = facts.enclosing_regions(site.region).any(|(_, region)| matches!(region.kind, RegionKind::Loop(_)));
    !in_loop
        && !facts.calls.iter().any(|other| {
            other.caller == site.caller
                && other.span.start > site.span.end
                && !is_harmless(other)
                && !is_in_other_branch(facts, &around, other)
        })
}

/// Whether `other` stands in another branch of an `if` or `switch` in one of whose branches all of `around` ends.
fn is_in_other_branch(facts: &FileFacts, around: &[RegionIndex], other: &CallSite) -> bool {
    let Some((_, outer)) = facts.enclosing_regions(other.region).filter(|(index, _)| !around.contains(index)).last()
    else {
        return false;
    };
    let own = around.iter().map(|index| &facts.regions[*index as usize]).find(|region| region.parent == outer.parent);
    let Some(own) = own.filter(|own| own.kind == RegionKind::Branch && outer.kind == RegionKind::Branch) else {
        return false;
    };
    if own.is_case && outer.is_case {
        return true;
    }
    // `} else if (…) {`: each arm begins on the line where the one before ends.
    let mut end = own.lines.end;
    for next in facts
        .regions
        .iter()
        .filter(|next| next.parent == own.parent && next.kind == RegionKind::Branch && next.span.start > own.span.end)
    {
        if next.lines.start != end {
            return false;
        }
        if next.span == outer.span {
            return true;
        }
        end = next.lines.end;
    }
    false
}

/// Files of components run in browsers, where a rejection is only printed; one that renders mail beside its queries does not.
pub fn is_server_code(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let source = map.file(call.file);
    let works_on_a_server = || {
        (0..source.facts.calls.len() as u32).any(|index| {
            effects.direct(CallId { file: call.file, index }).iter().any(|direct| SERVER.contains(&direct.effect))
        })
    };
    let is_for_clients = || {
        folder_of(&source.path).split('/').any(|folder| CLIENT_FOLDERS.contains(&folder.to_ascii_lowercase().as_str()))
    };
    // An app on a telephone has a database of its own, and prints a rejection like a page.
    if place::depends_on(map, call.file, "react-native") {
        return false;
    }
    !(source.path.ends_with('x') || is_for_clients()) || works_on_a_server()
}

/// A worker's endless loop is started, never waited for.
fn runs_for_ever(map: &RepoMap, call: CallId) -> bool {
    callees(map, call).any(|symbol| {
        map.file(symbol.file).facts.regions.iter().any(|region| {
            region.symbol == Some(symbol.index)
                && matches!(&region.kind, RegionKind::Loop(head) if head.form == LoopForm::Endless)
        })
    })
}

/// `notify.user(activity)`, `analytics.page()`: the receiver says what kind of work it is.
fn is_of_messenger(site: &CallSite) -> bool {
    match &site.callee {
        Expr::Member(receiver, _) => receiver.last_name().is_some_and(is_fire_and_forget),
        _ => false,
    }
}

/// `query.where(…);`: a query held by a local is still being built.
fn builds_query(effects: &Effects, site: &CallSite, call: CallId) -> bool {
    matches!(&site.callee, Expr::Member(receiver, _) if matches!(receiver.peeled(), Expr::Name(_)))
        && effects.direct(call).iter().any(|direct| MORE_THAN_PROMISES.contains(&direct.library))
}

/// Sends mail, a message or the like: often left to itself on purpose.
pub fn sends_message(name: &str) -> bool {
    const MESSAGES: &[&str] = &[
        "email",
        "emails",
        "mail",
        "mails",
        "slack",
        "tweet",
        "sms",
        "message",
        "notification",
        "notifications",
        "webhook",
        "webhooks",
        "event",
    ];
    place::words(name).iter().any(|word| MESSAGES.contains(&word.as_str()))
}

fn is_either(name: &str) -> bool {
    let words = place::words(name);
    let of = |list: &[&str]| words.iter().filter(|word| list.contains(&word.as_str())).count();
    of(EITHER) > 0 && of(EITHER) == of(FIRE_AND_FORGET)
}

/// `await docs.run(); api.run();`: the same function waits for a call of the same name. Components start work from many callbacks.
fn is_awaited_beside(map: &RepoMap, call: CallId) -> bool {
    let site = map.call(call);
    site.caller.is_some()
        && !map.file(call.file).path.ends_with('x')
        && callees(map, call).next().is_some()
        && map.file(call.file).facts.calls.iter().any(|other| {
            other.awaited && other.caller == site.caller && other.name == site.name && other.span != site.span
        })
}

fn is_fire_and_forget(name: &str) -> bool {
    place::words(name).iter().any(|word| FIRE_AND_FORGET.contains(&word.as_str()))
}

/// A comment at the line says that it is meant.
pub fn is_explained(map: &RepoMap, call: CallId) -> bool {
    let line = map.call(call).line;
    map.file(call.file).facts.comments.iter().any(|comment| {
        comment.kind == CommentKind::Justification && (comment.applies_to == line || comment.line == line)
    })
}

/// `res.json(order); sendReceipt(order);`: the caller has the answer, the rest is meant to run behind it.
fn answered_before(facts: &FileFacts, site: &CallSite) -> bool {
    facts.calls.iter().any(|other| {
        other.caller == site.caller
            && other.statement.block == site.statement.block
            && other.statement.index < site.statement.index
            && ANSWERS.contains(&other.name.as_str())
            && other.callee.root_name().is_some_and(|root| matches!(root, "res" | "response" | "reply" | "ctx"))
    })
}

/// `answer(request, response, next)`: whoever gets `next` hands errors to it.
fn answers_errors_itself(site: &CallSite) -> bool {
    site.arguments.iter().any(|argument| matches!(argument, Expr::Name(name) if *name == "next"))
}

/// The last thing that a callback of a timer or an event does: nobody waits for the callback either.
fn ends_unwatched_callback(source: &SourceFile, site: &CallSite) -> bool {
    let facts = &source.facts;
    const UNWATCHED: &[&str] =
        &["setTimeout", "setInterval", "setImmediate", "nextTick", "on", "once", "addEventListener", "subscribe"];
    let callback = facts.enclosing_regions(site.region).find_map(|(_, region)| match &region.kind {
        RegionKind::Callback { call, .. } => Some((call.map(|host| facts.call(host)), region.span)),
        _ => None,
    });
    let Some((host, body)) = callback else { return false };
    // `<button onClick={async () => { … }} />`: React drops what a handler gives.
    let is_handler = source.path.ends_with('x');
    let is_unwatched =
        host.map_or(is_handler, |host| host.kind == CallKind::Jsx || UNWATCHED.contains(&host.name.as_str()));
    is_unwatched && !facts.calls.iter().any(|other| body.contains(other.span) && other.span.start > site.span.end)
}

/// `const page = await load(index); load(index + 1);`: the next one is sent for while this one is in use.
fn fetches_ahead(facts: &FileFacts, site: &CallSite) -> bool {
    let is_next = |argument: &Expr| {
        let mut found = false;
        argument.walk(&mut |inner| {
            found |= matches!(inner, Expr::Binary(operator, _, step) if operator == "+" && matches!(step.peeled(), Expr::Number(_)));
        });
        found
    };
    site.arguments.iter().any(is_next)
        && facts.calls.iter().any(|other| other.awaited && other.caller == site.caller && other.name == site.name)
}

/// `try { save(order) } catch (error) { … }`: nothing else in the body can fail, so the handler was meant for this.
pub fn is_alone_in_try(facts: &FileFacts, site: &CallSite) -> bool {
    // `case "GET": return list(request);`: of the cases one runs, and the others cannot fail beside it.
    let is_returned_case = |region: &Region| region.is_case && site.usage == Usage::Returned;
    let around = facts.enclosing_regions(site.region).find(|(_, region)| !is_returned_case(region));
    let Some((index, region)) = around else { return false };
    let case = facts.enclosing_regions(site.region).next().filter(|(own, _)| *own != index);
    let region_of_rest = case.map_or(region, |(_, case)| case);
    region.kind == RegionKind::Try
        && facts.catches.iter().any(|catch| catch.guarded == Some(index) && !catch.rethrows && !catch.is_empty)
        && !facts.calls.iter().any(|other| {
            region_of_rest.span.contains(other.span) && !site.span.contains(other.span) && !is_harmless(other)
        })
}

/// Logging and setting state does not throw.
fn is_harmless(site: &CallSite) -> bool {
    site.callee.root_name().is_some_and(|root| matches!(root, "console" | "logger" | "log"))
        || (site.usage == Usage::Discarded && !site.awaited && site.name.starts_with("set"))
}
