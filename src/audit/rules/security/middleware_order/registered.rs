//! Middleware of Express, Koa, Hono and their like, in the order it is registered: that is the order it runs in.

use std::collections::BTreeMap;

use super::kind::{Kind, kind, maker, root};
use super::{Fault, Order};
use crate::audit::place;
use crate::audit::rules::security::missing_auth::guards;
use crate::finding::Confidence;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallKind, CallSite, FileFacts, SymbolIndex};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Packages whose applications and routers run middleware in the order of registration. Fastify is not among them: its hooks count
/// for a whole context, wherever they are registered in it.
const APPLICATIONS: &[&str] =
    &["express", "koa", "hono", "@hono/zod-openapi", "polka", "restify", "ultimate-express", "hyper-express"];
/// Packages that only make routers, and names of makers of routers.
const ROUTERS: &[&str] = &["koa-router", "@koa/router", "express-promise-router"];

const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "del", "all", "openapi"];

/// Megabytes a parser may take before one asks who sends them. Our choice: a batch of records fits, an upload does not.
const LARGE: u32 = 20;

/// One step of an application: what runs next.
struct Step {
    call: CallId,
    /// Where it counts; `None` everywhere.
    path: Option<String>,
    what: What,
}

enum What {
    /// Middleware, by argument.
    Layers(Vec<Kind>),
    /// A route, its path, and the middleware before its handler.
    Route(Vec<Kind>),
    /// The application is handed to other code, which may add to it.
    HandedOn,
}

/// Every fault of order in `file`.
pub fn faults(map: &RepoMap, file: FileId, found: &mut Vec<Fault>) {
    let facts = &map.file(file).facts;
    let mut stacks: BTreeMap<(String, Option<SymbolIndex>), Vec<Step>> = BTreeMap::new();
    for (index, site) in (0..).zip(&facts.calls) {
        let call = CallId { file, index };
        if site.kind != CallKind::Call || map.is_test(file, site.caller) || place::is_conditional(map, call, None) {
            continue;
        }
        if let Some((receiver, step)) = step(map, facts, call, site) {
            stacks.entry((receiver, site.caller)).or_default().push(step);
        } else {
            // `registerRoutes(app)`.
            let names = site.arguments.iter().filter_map(|argument| match argument.peeled() {
                Expr::Name(name) => Some(name.to_string()),
                Expr::Object(entries) => entries.iter().find_map(|(_, value)| match value.peeled() {
                    Expr::Name(name) => Some(name.to_string()),
                    _ => None,
                }),
                _ => None,
            });
            let serves = matches!(site.name.as_str(), "createServer" | "serve" | "listen" | "log" | "Server");
            for name in names.filter(|_| !serves) {
                if let Some(steps) = stacks.get_mut(&(name, site.caller)) {
                    steps.push(Step { call, path: None, what: What::HandedOn });
                }
            }
        }
    }
    for ((receiver, owner), steps) in &stacks {
        let Some(is_application) = made(map, file, *owner, receiver) else { continue };
        whole(map, steps, is_application, found);
    }
    for steps in stacks.values() {
        for step in steps {
            within_route(map, step, found);
        }
    }
}

/// Whether the receiver is an application (`true`) or a router that is made here; `None` when it comes from elsewhere.
fn made(map: &RepoMap, file: FileId, owner: Option<SymbolIndex>, receiver: &str) -> Option<bool> {
    let facts = &map.file(file).facts;
    let value = place::initialiser(facts, owner, receiver)?;
    let site = facts.call(maker(facts, value)?);
    let name = site.callee.root_name()?;
    let import = facts.imports.iter().find(|import| import.local == name)?;
    let router = site.name == "Router" || ROUTERS.contains(&import.source.as_str());
    (router || APPLICATIONS.contains(&import.source.as_str())).then_some(!router)
}

fn step(map: &RepoMap, facts: &FileFacts, call: CallId, site: &CallSite) -> Option<(String, Step)> {
    let Expr::Member(object, name) = site.callee.peeled() else { return None };
    let is_use = name == "use";
    if !is_use && !VERBS.contains(&name.as_str()) {
        return None;
    }
    let receiver = root(facts, object)?;
    let path = site.arguments.first().and_then(path_text);
    let first = usize::from(path.is_some() || matches!(site.arguments.first(), Some(Expr::Array(_)) if !is_use));
    if !is_use && (path.is_none() || site.arguments.len() < 2) {
        return None;
    }
    let mut kinds = Vec::new();
    for (place, argument) in site.arguments.iter().enumerate().skip(first) {
        match argument.peeled() {
            Expr::Array(items) => kinds.extend(items.iter().map(|item| kind(map, call, place, item))),
            _ => kinds.push(kind(map, call, place, argument)),
        }
    }
    let path = path.map(|path| path.trim_end_matches(['*', '/']).to_owned()).filter(|path| !path.is_empty());
    let what = if is_use { What::Layers(kinds) } else { What::Route(kinds) };
    Some((receiver, Step { call, path, what }))
}

fn path_text(expr: &Expr) -> Option<String> {
    match expr.peeled() {
        Expr::Text(text) if text.starts_with(['/', '*', ':']) || text.is_empty() => Some(text.to_string()),
        Expr::Template(parts) => Some(
            parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Text(text) => text.to_string(),
                    TemplatePart::Hole(_) => ":".to_owned(),
                })
                .collect(),
        ),
        _ => None,
    }
}

/// Whether what counts for `one` counts for requests to `other` too.
fn covers(one: &Step, other: &Step) -> bool {
    match (&one.path, &other.path) {
        (None, _) => true,
        (Some(one), Some(other)) => other.starts_with(one.as_str()),
        (Some(_), None) => false,
    }
}

impl Step {
    fn has(&self, kind: Kind) -> bool {
        matches!(&self.what, What::Layers(kinds) if kinds.contains(&kind))
    }

    /// It answers requests, or other code that it mounts does.
    fn answers(&self) -> bool {
        match &self.what {
            What::HandedOn | What::Route(_) => true,
            What::Layers(kinds) => kinds.contains(&Kind::Other),
        }
    }

    /// What certainly is a route, or a router on a path.
    fn is_route(&self) -> bool {
        match &self.what {
            What::Route(_) => true,
            What::Layers(kinds) => self.path.is_some() && kinds.last() == Some(&Kind::Other),
            What::HandedOn => false,
        }
    }
}

/// Faults among the steps of one application or router.
fn whole(map: &RepoMap, steps: &[Step], is_application: bool, found: &mut Vec<Fault>) {
    for (at, step) in steps.iter().enumerate() {
        let (before, after) = (&steps[..at], &steps[at + 1..]);
        let What::Layers(kinds) = &step.what else { continue };
        let guard =
            || before.iter().find(|other| other.has(Kind::Guard) && (covers(other, step) || covers(step, other)));
        let alone = |kind: Kind| kinds.as_slice() == [kind];
        if step.has(Kind::Cors)
            && is_application
            && !before.iter().any(|other| other.has(Kind::Cors))
            && let Some(guard) = guard()
        {
            found.push(Fault {
                order: Order::CorsAfterGuard,
                at: step.call,
                other: guard.call,
                confidence: Confidence::High,
            });
            continue;
        }
        let useful = [Kind::Guard, Kind::Lenient, Kind::Cors, Kind::Limiter];
        let wanted = useful.into_iter().find(|kind| alone(*kind));
        if let Some(kind) = wanted {
            let public = |route: &Step| route.path.as_deref().is_some_and(guards::is_public);
            let missed = before.iter().rev().find(|other| {
                other.is_route()
                    && covers(step, other)
                    && (kind == Kind::Cors || !public(other) || kind == Kind::Limiter)
            });
            let covered = after.iter().any(|other| other.answers() && (covers(step, other) || covers(other, step)));
            if let Some(missed) = missed
                && !covered
            {
                let order = match kind {
                    Kind::Cors => Order::CorsCoversNothing,
                    Kind::Limiter => Order::LimiterCoversNothing,
                    _ => Order::GuardCoversNothing,
                };
                found.push(Fault { order, at: step.call, other: missed.call, confidence: Confidence::High });
                continue;
            }
        }
        if alone(Kind::Limiter)
            && let Some(guard) = guard()
            && !before.iter().any(|other| other.has(Kind::Limiter))
        {
            found.push(Fault {
                order: Order::LimiterAfterGuard,
                at: step.call,
                other: guard.call,
                confidence: Confidence::Med,
            });
        } else if let Some(Kind::Parser(megabytes)) =
            kinds.iter().find(|kind| matches!(kind, Kind::Parser(size) if *size >= LARGE))
            && let Some(guard) = after.iter().find(|other| other.has(Kind::Guard) && covers(other, step))
        {
            found.push(Fault {
                order: Order::ParserBeforeGuard(*megabytes),
                at: step.call,
                other: guard.call,
                confidence: Confidence::Med,
            });
        }
    }
    let _ = map;
}

/// Faults in the middleware of one route.
fn within_route(map: &RepoMap, step: &Step, found: &mut Vec<Fault>) {
    let (What::Route(kinds) | What::Layers(kinds)) = &step.what else { return };
    let place = |wanted: &dyn Fn(&Kind) -> bool| kinds.iter().position(wanted);
    let Some(guard) = place(&|kind| matches!(kind, Kind::Guard | Kind::Lenient)) else { return };
    let mut push = |order: Order, confidence: Confidence| {
        found.push(Fault { order, at: step.call, other: step.call, confidence });
    };
    if place(&|kind| *kind == Kind::Upload).is_some_and(|upload| upload < guard) {
        push(Order::UploadBeforeGuard, Confidence::High);
    } else if let Some(Kind::Parser(megabytes)) =
        kinds[..guard].iter().find(|kind| matches!(kind, Kind::Parser(size) if *size >= LARGE))
    {
        push(Order::ParserBeforeGuard(*megabytes), Confidence::Med);
    }
    let limiter = place(&|kind| *kind == Kind::Limiter);
    let is_login = step.path.as_deref().is_some_and(|path| {
        place::words(path)
            .iter()
            .any(|word| matches!(word.as_str(), "login" | "signin" | "token" | "otp" | "password" | "verify"))
    });
    let local = map.call(step.call).arguments.iter().any(|argument| match argument.peeled() {
        Expr::Call(index) => map.file(step.call.file).facts.call(*index).arguments.iter().any(
            |inner| matches!(inner.peeled(), Expr::Text(text) if matches!(text.as_str(), "local" | "basic" | "ldapauth")),
        ),
        _ => false,
    });
    if limiter.is_some_and(|limiter| limiter > guard) && (is_login || local) {
        push(Order::LimiterAfterGuard, if local { Confidence::High } else { Confidence::Med });
    }
}
