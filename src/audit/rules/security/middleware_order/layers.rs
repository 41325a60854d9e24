//! Layers of axum and tower, and middleware of Actix Web: in a router the last one added runs first, in a `ServiceBuilder` the
//! first one, and a layer of an axum router counts for the routes added before it.

use super::kind::{Kind, kind};
use super::{Fault, Order};
use crate::effects::chain;
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, Usage};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Every fault of order in `file`.
pub fn faults(map: &RepoMap, file: FileId, found: &mut Vec<Fault>) {
    let facts = &map.file(file).facts;
    for (index, site) in (0..).zip(&facts.calls) {
        let is_end = !matches!(site.usage, Usage::Receiver(_)) && site.kind == CallKind::Call;
        if !is_end || map.is_test(file, site.caller) {
            continue;
        }
        let mut links = chain::receivers(facts, index);
        links.reverse();
        let has_layer =
            links.iter().any(|link| matches!(facts.call(*link).name.as_str(), "layer" | "route_layer" | "wrap"));
        if has_layer {
            within(map, file, facts, &links, found);
        }
    }
}

/// How the layers of a chain are nested.
enum Nesting {
    /// The last one added runs first.
    LastFirst,
    /// The first one added runs first.
    FirstFirst,
}

fn within(map: &RepoMap, file: FileId, facts: &FileFacts, links: &[u32], found: &mut Vec<Fault>) {
    let Some(first) = links.first() else { return };
    let root = match facts.call(*first).callee.peeled() {
        Expr::Path(segments) => segments.iter().rev().nth(1).map_or("", |name| name.as_str()),
        _ => "",
    };
    let nesting = if root == "ServiceBuilder" { Nesting::FirstFirst } else { Nesting::LastFirst };
    let mut layers: Vec<(Kind, CallId)> = Vec::new();
    let mut routes = 0;
    for (place, link) in links.iter().enumerate() {
        let site = facts.call(*link);
        let call = CallId { file, index: *link };
        match site.name.as_str() {
            "layer" | "route_layer" | "wrap" => {
                let Some(argument) = site.arguments.first() else { continue };
                let kind = kind(map, call, 0, argument);
                let later = links[place + 1..].iter().find(|later| adds_route(&facts.call(**later).name));
                if root == "Router"
                    && routes == 0
                    && let Some(later) = later
                    && let Some(order) = covers_nothing(kind)
                {
                    let other = CallId { file, index: *later };
                    found.push(Fault { order, at: call, other, confidence: Confidence::High });
                    continue;
                }
                layers.push((kind, call));
            }
            name if adds_route(name) || matches!(name, "fallback" | "fallback_service") => routes += 1,
            _ => {}
        }
    }
    if matches!(nesting, Nesting::LastFirst) {
        layers.reverse();
    }
    // Now in the order they run in.
    let Some(guard) = layers.iter().position(|(kind, _)| *kind == Kind::Guard) else { return };
    let inner = &layers[guard + 1..];
    let outer = &layers[..guard];
    let inside = |wanted: Kind| {
        let known = outer.iter().any(|(kind, _)| *kind == wanted);
        inner.iter().find(|(kind, _)| *kind == wanted && !known).map(|(_, call)| *call)
    };
    if let Some(cors) = inside(Kind::Cors) {
        found.push(Fault {
            order: Order::CorsAfterGuard,
            at: cors,
            other: layers[guard].1,
            confidence: Confidence::High,
        });
    }
    if let Some(limiter) = inside(Kind::Limiter) {
        found.push(Fault {
            order: Order::LimiterAfterGuard,
            at: limiter,
            other: layers[guard].1,
            confidence: Confidence::Med,
        });
    }
}

fn adds_route(name: &str) -> bool {
    matches!(name, "route" | "nest" | "merge" | "route_service" | "nest_service")
}

fn covers_nothing(kind: Kind) -> Option<Order> {
    match kind {
        Kind::Guard | Kind::Lenient => Some(Order::GuardCoversNothing),
        Kind::Cors => Some(Order::CorsCoversNothing),
        Kind::Limiter | Kind::UserLimiter => Some(Order::LimiterCoversNothing),
        Kind::Parser(_) | Kind::Upload | Kind::Ends | Kind::Other => None,
    }
}
