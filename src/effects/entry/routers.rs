//! HTTP routers of JavaScript: `app.get("/orders", guard, list)` of Express, Fastify, Koa, Hono and their like.

use super::{Entry, EntryKind, Handler, handlers};
use crate::effects::chain;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallKind, CallSite, FileFacts};
use crate::repo_map::{CallId, CallTarget, FileId, RepoMap};

/// Methods of a router that take a path and handlers, and the HTTP method they stand for.
const VERBS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("del", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("all", "ALL"),
];

/// npm packages whose routers look like this.
const ROUTERS: &[&str] = &[
    "express",
    "express-promise-router",
    "fastify",
    "koa",
    "koa-router",
    "@koa/router",
    "hono",
    "@hono/zod-openapi",
    "polka",
    "restify",
    "elysia",
    "itty-router",
    "find-my-way",
    "h3",
    "@medusajs/framework",
    "@medusajs/medusa",
    "ultimate-express",
    "hyper-express",
];

/// Adds the routes that `file` registers.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let facts = &map.file(file).facts;
    for (index, site) in (0..).zip(&facts.calls) {
        if site.kind != CallKind::Call || map.is_test(file, site.caller) {
            continue;
        }
        let call = CallId { file, index };
        let Some(route) = route(map, facts, call, site) else { continue };
        for handler in route.handlers.into_iter().rev().take(1) {
            list.push(Entry {
                kind: EntryKind::Route,
                label: format!("{} {}", route.method, route.path),
                method: Some(route.method.clone()),
                path: Some(route.path.clone()),
                handler,
                registration: Some(call),
                framework: route.framework,
            });
        }
    }
}

struct Route {
    method: String,
    path: String,
    /// In order: guards first, and last what answers.
    handlers: Vec<Handler>,
    framework: &'static str,
}

fn route(map: &RepoMap, facts: &FileFacts, call: CallId, site: &CallSite) -> Option<Route> {
    let Expr::Member(receiver, name) = site.callee.peeled() else { return None };
    if let Some((_, method)) = VERBS.iter().find(|(verb, _)| name == verb) {
        let (path, first) = match site.arguments.first().and_then(path_text) {
            Some(path) if is_path(&path) => (path, 1),
            // `router.route("/orders").get(list)`
            _ => (routed(facts, receiver)?, 0),
        };
        let handlers = handlers(map, call, first);
        if handlers.is_empty() {
            return None;
        }
        let framework = framework(map, call)?;
        return Some(Route { method: (*method).to_owned(), path, handlers, framework });
    }
    match name.as_str() {
        // Fastify: `app.route({ method, url, handler })`.
        "route" => {
            let Expr::Object(entries) = site.arguments.first()?.peeled() else { return None };
            let field = |wanted: &[&str]| {
                entries.iter().find(|(key, _)| wanted.contains(&key.as_str())).map(|(_, value)| value)
            };
            let path = field(&["url", "path"]).and_then(path_text)?;
            field(&["handler"])?;
            let method = match field(&["method"])?.peeled() {
                Expr::Text(method) => method.to_uppercase(),
                Expr::Array(methods) => methods.first().and_then(path_text)?.to_uppercase(),
                _ => "ALL".to_owned(),
            };
            Some(Route { method, path, handlers: handlers(map, call, 0), framework: framework(map, call)? })
        }
        // Hono: `app.on("PURGE", "/cache", handler)`.
        "on" => {
            let Expr::Text(method) = site.arguments.first()?.peeled() else { return None };
            let path = site.arguments.get(1).and_then(path_text).filter(|path| is_path(path))?;
            let is_method = !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase());
            let framework = framework(map, call).filter(|_| is_method)?;
            Some(Route { method: method.to_string(), path, handlers: handlers(map, call, 2), framework })
        }
        _ => None,
    }
}

/// The path a chain of routes was opened with.
fn routed(facts: &FileFacts, receiver: &Expr) -> Option<String> {
    let Expr::Call(index) = receiver.peeled() else { return None };
    chain::receivers(facts, *index).into_iter().find_map(|link| {
        let link = facts.call(link);
        (link.name == "route").then(|| link.arguments.first().and_then(path_text)).flatten()
    })
}

/// The path in an argument; what is put into it is written `:name`.
fn path_text(expr: &Expr) -> Option<String> {
    match expr.peeled() {
        Expr::Text(text) => Some(text.to_string()),
        Expr::Template(parts) => Some(
            parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Text(text) => text.to_string(),
                    TemplatePart::Hole(hole) => format!(":{}", hole.last_name().unwrap_or("value")),
                })
                .collect(),
        ),
        Expr::Binary(operator, left, right) if operator == "+" => match (path_text(left), path_text(right)) {
            (Some(left), Some(right)) => Some(left + &right),
            (Some(left), None) => Some(format!("{left}:value")),
            (None, Some(right)) => Some(format!(":value{right}")),
            (None, None) => None,
        },
        Expr::Array(items) => items.first().and_then(path_text),
        _ => None,
    }
}

/// Whether a text is a path of a route rather than a header, a key or a setting: `app.get("view engine")`.
fn is_path(text: &str) -> bool {
    (text.starts_with(['/', '*', ':']) || text.is_empty()) && !text.contains(' ')
}

/// The library whose router this is: what the receiver resolves to, else what the package depends on.
fn framework(map: &RepoMap, call: CallId) -> Option<&'static str> {
    if let CallTarget::External(external) = map.target(call) {
        return ROUTERS.iter().copied().find(|router| external.package == *router);
    }
    let source = map.file(call.file);
    let package = map.recon.package_in(&source.path, false)?;
    let depends = |router: &&&str| package.dependencies.iter().any(|own| own.name == ***router);
    ROUTERS.iter().find(depends).copied()
}

/// The name of the file without folders and extension.
pub(super) fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}
