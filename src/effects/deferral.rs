//! Deferral: code written in a function that does not run when the function does, such as a route handler or a timer.

use crate::effects::Effect;
use crate::repo_map::CallId;
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CallSite, LanguageName, RegionIndex, RegionKind};

/// Functions that keep a callback for later. Registering is not running.
const KEEPS: &[&str] = &[
    "on",
    "once",
    "off",
    "addEventListener",
    "addListener",
    "removeEventListener",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "queueMicrotask",
    "nextTick",
    "requestAnimationFrame",
    "subscribe",
    "DataLoader",
    "debounce",
    "throttle",
    "memoize",
    "cache",
    "createServer",
    "handler",
    "resolver",
    "defineEventHandler",
    "get_or_init",
    "get_or_try_init",
];

/// Methods that register a handler when their first argument is a path or an event name.
const REGISTERS: &[&str] = &[
    "get", "post", "put", "patch", "delete", "head", "options", "all", "use", "route", "command", "query", "mutation",
];

/// Rust functions that move work to a thread that may block.
const MOVES_TO_THREAD: &[&str] =
    &["spawn_blocking", "block_in_place", "install", "unblock", "asyncify", "run_blocking"];

/// Whether running the function around `call` does not run `call`, as far as `effect` goes.
pub fn is_deferred(map: &RepoMap, call: CallId, effect: Effect) -> bool {
    is_deferred_within(map, call, effect, None)
}

/// The same for the region `within` instead of the whole function: does running the region's body run `call`?
pub fn is_deferred_within(map: &RepoMap, call: CallId, effect: Effect, within: Option<RegionIndex>) -> bool {
    let file = map.file(call.file);
    let facts = &file.facts;
    let rust = file.language == LanguageName::Rust;
    let inside = facts.enclosing_regions(facts.call(call.index).region).take_while(|(index, _)| Some(*index) != within);
    inside.into_iter().any(|(_, region)| match &region.kind {
        RegionKind::Callback { call: None, .. } => true,
        RegionKind::Callback { call: Some(host), .. } => {
            let host = facts.call(*host);
            if rust { is_moved(host, effect) } else { keeps_callback(host) }
        }
        // A future blocks whoever polls it, not whoever builds it; what polls it is not known here.
        RegionKind::AsyncBlock => effect == Effect::Blocking,
        RegionKind::Loop(_) | RegionKind::Try | RegionKind::Handler | RegionKind::Branch | RegionKind::UnsafeBlock => {
            false
        }
    })
}

fn keeps_callback(host: &CallSite) -> bool {
    let name = host.name.as_str();
    let is_hook = name.strip_prefix("use").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let registers = REGISTERS.contains(&name)
        && matches!(
            host.arguments.first().map(Expr::peeled),
            Some(Expr::Text(_) | Expr::Function { .. } | Expr::Regex(_))
        )
        && matches!(host.callee.peeled(), Expr::Member(..));
    // `<Button onClick={() => …} />`: rendering is not clicking.
    is_hook || registers || host.kind == CallKind::Jsx || KEEPS.contains(&name)
}

/// Whether a Rust callback's work happens on another thread, so that it neither blocks nor ends this one.
fn is_moved(host: &CallSite, effect: Effect) -> bool {
    let other_task = MOVES_TO_THREAD.contains(&host.name.as_str()) || host.name == "spawn";
    // A panic there ends that task or thread, not the one that started it.
    let ends_there = effect == Effect::Panics && (other_task || host.name == "catch_unwind");
    effect == Effect::Blocking && other_task
        || ends_there
        || matches!(host.name.as_str(), "get_or_init" | "get_or_try_init" | "from_fn" | "from_fn_with_state")
        || host.callee.dotted().is_some_and(|callee| {
            ["LazyLock::new", "Lazy::new", "OnceLock::new", "LazyCell::new"].iter().any(|end| callee.ends_with(end))
        })
}
