//! What runs only while a server starts: reached from `main` or from the top level of a module, and from nowhere else.
//!
//! A loop there runs once a process, over what somebody configured; a loop in a handler runs once a request.

use std::collections::{BTreeSet, VecDeque};

use super::MAX_DISTANCE;
use crate::effects::Effect;
use crate::effects::deferral::is_deferred;
use crate::repo_map::facts::{LoopForm, RegionKind, Usage};
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SymbolId};

/// Crates that mean a program answers requests.
pub const RUST_SERVERS: &[&str] = &[
    "axum",
    "actix-web",
    "hyper",
    "tonic",
    "warp",
    "rocket",
    "poem",
    "salvo",
    "tide",
    "tower-http",
    "async-graphql",
    "ntex",
];

/// Packages that mean the same.
const NODE_SERVERS: &[&str] = &[
    "express",
    "fastify",
    "koa",
    "hono",
    "@hapi/hapi",
    "@nestjs/core",
    "next",
    "@apollo/server",
    "apollo-server-express",
    "@trpc/server",
    "elysia",
    "restify",
];

/// Methods that NestJS calls once, as the application starts.
const LIFECYCLE: &[&str] = &["onModuleInit", "onApplicationBootstrap"];

/// Functions that only run while a server starts.
pub(super) fn only_at_start(map: &RepoMap) -> BTreeSet<SymbolId> {
    let mut found = reached(map);
    for handed in map.handed.iter().flatten() {
        found.remove(&handed.function);
    }
    // Who is also called from elsewhere is no longer only of the start; nor is what it calls.
    let mut open: Vec<SymbolId> = found.iter().copied().collect();
    while let Some(symbol) = open.pop() {
        let from_start = |call: &CallId| {
            map.is_test(call.file, map.call(*call).caller)
                || runs_straight(map, *call)
                    && map
                        .caller_of(*call)
                        .map_or_else(|| is_top_of_server(map, *call), |caller| found.contains(&caller))
        };
        if found.contains(&symbol) && !map.callers(symbol).iter().all(from_start) {
            found.remove(&symbol);
            open.extend(map.calls_in(symbol).flat_map(|call| map.resolved(call).map(|resolved| resolved.symbol)));
        }
    }
    found
}

/// What `main`, the top level of modules and what a framework calls once lead to.
fn reached(map: &RepoMap) -> BTreeSet<SymbolId> {
    let mut next: VecDeque<(SymbolId, u32)> = VecDeque::new();
    for (file, source) in map.files_with_ids() {
        if source.role != FileRole::Production || !serves(map, file) {
            continue;
        }
        for (index, symbol) in (0..).zip(&source.facts.symbols) {
            let is_start = match source.language.is_ecmascript() {
                true => LIFECYCLE.contains(&symbol.name.as_str()),
                false => symbol.qualified == "main",
            };
            if is_start {
                next.push_back((SymbolId { file, index }, 0));
            }
        }
        let calls = (0..).zip(&source.facts.calls).filter(|(_, site)| site.caller.is_none());
        for call in calls.map(|(index, _)| CallId { file, index }).filter(|call| is_top_of_server(map, *call)) {
            if runs_straight(map, call) {
                next.extend(map.resolved(call).map(|resolved| (resolved.symbol, 1)));
            }
        }
    }
    next.make_contiguous().sort_by_key(|(symbol, distance)| (*distance, *symbol));
    let mut found = BTreeSet::new();
    while let Some((symbol, distance)) = next.pop_front() {
        if map.is_test(symbol.file, Some(symbol.index)) || !found.insert(symbol) || distance == MAX_DISTANCE {
            continue;
        }
        let calls = map.calls_in(symbol).filter(|call| runs_straight(map, *call));
        next.extend(calls.flat_map(|call| map.resolved(call).map(move |resolved| (resolved.symbol, distance + 1))));
    }
    found
}

/// Whether a call stands at the top level of a module that a server loads.
fn is_top_of_server(map: &RepoMap, call: CallId) -> bool {
    let source = map.file(call.file);
    map.call(call).caller.is_none()
        && source.language.is_ecmascript()
        && source.role == FileRole::Production
        && serves(map, call.file)
}

fn serves(map: &RepoMap, file: FileId) -> bool {
    let source = map.file(file);
    let rust = !source.language.is_ecmascript();
    let known = if rust { RUST_SERVERS } else { NODE_SERVERS };
    let package = map.recon.package_in(&source.path, rust);
    package.is_some_and(|package| package.dependencies.iter().any(|own| known.contains(&own.name.as_str())))
}

/// Whether a call runs once when the code around it does: neither later, nor in a task, nor in a loop without an end.
fn runs_straight(map: &RepoMap, call: CallId) -> bool {
    const TASKS: &[&str] = &["spawn", "spawn_local", "spawn_blocking", "spawn_on"];
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    let goes_on = facts.enclosing_regions(site.region).any(|(_, region)| match &region.kind {
        RegionKind::Loop(statement) => {
            matches!(statement.form, LoopForm::While | LoopForm::WhileLet | LoopForm::Endless)
        }
        // A future runs when it is polled, most often as a task.
        RegionKind::AsyncBlock => true,
        RegionKind::Callback { .. }
        | RegionKind::Try
        | RegionKind::Handler
        | RegionKind::Branch
        | RegionKind::UnsafeBlock => false,
    });
    let is_task = matches!(site.usage, Usage::Argument(outer) if TASKS.contains(&facts.call(outer).name.as_str()));
    !goes_on && !is_task && !is_deferred(map, call, Effect::Http)
}
