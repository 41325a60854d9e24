//! Routers of Rust: `Router::new().route("/orders", get(list).post(create))` of axum, `web::get().to(list)` of Actix Web, filters
//! of warp.

use super::{Entry, EntryKind, Handler, handlers};
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts, Usage};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Functions that make a route of one method out of a handler, and the method.
const VERBS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("any", "ALL"),
];

/// Adds the routes that `file` registers.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let facts = &map.file(file).facts;
    let depends = |name: &str| crate::audit::place::depends_on(map, file, name);
    for (index, site) in (0..).zip(&facts.calls) {
        if site.kind != CallKind::Call || map.is_test(file, site.caller) {
            continue;
        }
        match site.name.as_str() {
            "route" if site.arguments.len() == 2 => {
                let [path, made] = site.arguments.as_slice() else { continue };
                let Expr::Call(made) = made.peeled() else { continue };
                let path = match crate::audit::place::resolve(facts, site.caller, path).peeled() {
                    Expr::Text(path) => path.as_str(),
                    // `.route(paths::Consent::route(), get(consent))`: which path is not said here.
                    _ if depends("axum") || depends("actix-web") => "",
                    _ => continue,
                };
                let links = links(facts, *made);
                // Actix Web: the handler is given to `to`, and the method stands before it.
                if let Some(&to) = links.iter().find(|link| facts.call(**link).name == "to") {
                    let method = links.iter().find_map(|link| verb(&facts.call(*link).name)).unwrap_or("ALL");
                    let call = CallId { file, index: to };
                    if let Some(&handler) = handlers(map, call, 0).last() {
                        push(map, list, method, path, handler, call, "Actix Web");
                    }
                    continue;
                }
                for link in links {
                    add(map, CallId { file, index: link }, path, "axum", list);
                }
            }
            // Actix Web: `web::resource("/orders").route(web::get().to(list))`.
            "to" if depends("actix-web") && !is_routed(facts, &site.usage) => {
                let call = CallId { file, index };
                let verb = links(facts, index).into_iter().find_map(|link| verb(&facts.call(link).name));
                if let (Some(method), Some(&handler)) = (verb, handlers(map, call, 0).last()) {
                    push(map, list, method, "", handler, call, "Actix Web");
                }
            }
            "and_then" if depends("warp") => {
                let call = CallId { file, index };
                let Some(&handler @ Handler::Function(_)) = handlers(map, call, 0).last() else { continue };
                let chain = chain::receivers(facts, index);
                let is_filter = chain
                    .iter()
                    .any(|link| facts.call(*link).callee.dotted().is_some_and(|callee| callee.starts_with("warp::")));
                if is_filter {
                    push(map, list, "ALL", "", handler, call, "warp");
                }
            }
            _ => {}
        }
    }
}

/// Whether a value is given to a `route` together with its path.
fn is_routed(facts: &FileFacts, usage: &Usage) -> bool {
    matches!(usage, Usage::Argument(host) if facts.call(*host).name == "route" && facts.call(*host).arguments.len() == 2)
}

/// The calls of a chain, the last one first.
fn links(facts: &FileFacts, call: CallIndex) -> Vec<CallIndex> {
    let mut found = chain::receivers(facts, call);
    if !found.contains(&call) {
        found.insert(0, call);
    }
    found
}

fn verb(name: &str) -> Option<&'static str> {
    VERBS.iter().find(|(known, _)| *known == name).map(|(_, method)| *method)
}

fn add(map: &RepoMap, call: CallId, path: &str, framework: &'static str, list: &mut Vec<Entry>) {
    let name = map.call(call).name;
    let Some(method) = verb(&name) else { return };
    if let Some(&handler) = handlers(map, call, 0).last() {
        push(map, list, method, path, handler, call, framework);
    }
}

fn push(
    map: &RepoMap,
    list: &mut Vec<Entry>,
    method: &str,
    path: &str,
    handler: Handler,
    call: CallId,
    framework: &'static str,
) {
    // Without a path, the handler says which route it is.
    let what = match handler {
        Handler::Function(symbol) if path.is_empty() => format!("by {}", map.symbol(symbol).qualified),
        _ => path.to_owned(),
    };
    list.push(Entry {
        kind: EntryKind::Route,
        label: format!("{method} {what}").trim_end().to_owned(),
        method: Some(method.to_owned()),
        path: (!path.is_empty()).then(|| path.to_owned()),
        handler,
        registration: Some(call),
        framework,
    });
}
