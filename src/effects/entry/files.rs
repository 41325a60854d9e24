//! Frameworks that route by where a file stands: Next.js, Remix and React Router, SvelteKit, Nuxt, Astro.

use super::{Entry, EntryKind, Handler};
use crate::repo_map::facts::{ExportTarget, FileFacts, SymbolKind};
use crate::repo_map::recon::Package;
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// HTTP methods that a file may export a function for.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ALL"];

/// What a file's place says.
struct Place {
    framework: &'static str,
    path: String,
    /// Names of exports that answer requests; `default` for the default export.
    exports: &'static [&'static str],
    kind: EntryKind,
}

/// Adds what the place of `file` makes an entry point.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let source = map.file(file);
    let Some(package) = map.recon.package_in(&source.path, false) else { return };
    let inner = source.path.strip_prefix(package.folder.as_str()).unwrap_or(&source.path).trim_start_matches('/');
    for place in places(package, inner) {
        for export in place.exports {
            for handler in exported(map, file, export) {
                // A page is a function of the server only where it may wait.
                if place.kind == EntryKind::Page && !is_async(map, handler) {
                    continue;
                }
                let method = METHODS.contains(export).then(|| (*export).to_owned());
                let label = match (&method, *export) {
                    (Some(method), _) => format!("{method} {}", place.path),
                    (None, "default") => place.path.clone(),
                    (None, export) => format!("{export} of {}", place.path),
                };
                list.push(Entry {
                    kind: place.kind,
                    label,
                    method,
                    path: Some(place.path.clone()),
                    handler,
                    registration: None,
                    framework: place.framework,
                });
            }
        }
    }
}

fn is_async(map: &RepoMap, handler: Handler) -> bool {
    matches!(handler, Handler::Function(symbol) if map.symbol(symbol).is_async)
}

fn places(package: &Package, path: &str) -> Vec<Place> {
    let has = |name: &str| package.dependencies.iter().any(|own| own.name == name);
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = super::routers::file_stem(path);
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let mut found = Vec::new();
    if has("next") {
        let app = inner
            .strip_prefix("app/")
            .and_then(|rest| rest.rsplit_once('/').map_or(Some(""), |(folder, _)| Some(folder)));
        if let Some(folder) = app {
            if stem == "route" {
                found.push(Place {
                    framework: "Next.js",
                    path: route_of(folder),
                    exports: METHODS,
                    kind: EntryKind::Route,
                });
            } else if matches!(stem, "page" | "layout") {
                found.push(Place {
                    framework: "Next.js",
                    path: format!("page {}", route_of(folder)),
                    exports: &["default", "generateMetadata"],
                    kind: EntryKind::Page,
                });
            }
        }
        if let Some(rest) = inner.strip_prefix("pages/") {
            let route = route_of(rest.rsplit_once('.').map_or(rest, |(stem, _)| stem).trim_end_matches("/index"));
            if rest.starts_with("api/") {
                found.push(Place { framework: "Next.js", path: route, exports: &["default"], kind: EntryKind::Route });
            } else {
                found.push(Place {
                    framework: "Next.js",
                    path: format!("page {route}"),
                    exports: &["getServerSideProps"],
                    kind: EntryKind::Page,
                });
            }
        }
    }
    let remix = ["@remix-run/node", "@remix-run/react", "react-router", "@react-router/node", "@remix-run/cloudflare"];
    if remix.iter().any(|name| has(name))
        && let Some(rest) = inner.strip_prefix("app/").unwrap_or(inner).strip_prefix("routes/")
    {
        let route = rest.rsplit_once('.').map_or(rest, |(stem, _)| stem);
        found.push(Place {
            framework: "Remix",
            path: route.to_owned(),
            exports: &["loader", "action"],
            kind: EntryKind::Route,
        });
    }
    if has("@sveltejs/kit")
        && let Some((folder, _)) = inner.strip_prefix("routes/").and_then(|rest| rest.rsplit_once('/'))
    {
        let exports: &[&str] = match name.split('.').next() {
            Some("+server") => METHODS,
            Some("+page" | "+layout") if name.contains(".server.") => &["load", "actions"],
            _ => &[],
        };
        found.push(Place { framework: "SvelteKit", path: route_of(folder), exports, kind: EntryKind::Route });
    }
    if (has("nuxt") || has("nitropack") || has("h3"))
        && let Some(rest) = inner.strip_prefix("server/api/").or_else(|| inner.strip_prefix("server/routes/"))
    {
        let route = rest.rsplit_once('.').map_or(rest, |(stem, _)| stem);
        found.push(Place { framework: "Nitro", path: route_of(route), exports: &["default"], kind: EntryKind::Route });
    }
    if has("astro")
        && let Some(rest) = inner.strip_prefix("pages/")
    {
        let route = rest.rsplit_once('.').map_or(rest, |(stem, _)| stem);
        found.push(Place { framework: "Astro", path: route_of(route), exports: METHODS, kind: EntryKind::Route });
    }
    found
}

/// `/orders/[id]` for the folder `(shop)/orders/[id]`: groups are no part of the path.
fn route_of(folder: &str) -> String {
    let parts = folder.split('/').filter(|part| !part.is_empty() && !part.starts_with('(') && !part.starts_with('@'));
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

/// The functions that a file exports under this name; a constant stands for the functions given to the calls that made it.
fn exported(map: &RepoMap, file: FileId, name: &str) -> Vec<Handler> {
    let facts = &map.file(file).facts;
    let mut found = Vec::new();
    for (index, symbol) in (0..).zip(&facts.symbols) {
        let is_it = if name == "default" { symbol.default_export } else { symbol.exported && symbol.name == name };
        if is_it && symbol.container.is_none() {
            found.extend(behind(map, SymbolId { file, index }));
        }
    }
    for export in facts.exports.iter().filter(|export| export.name == name) {
        match &export.target {
            ExportTarget::Local(local) => {
                let own =
                    (0..).zip(&facts.symbols).filter(|(_, symbol)| symbol.name == *local && symbol.container.is_none());
                found.extend(own.flat_map(|(index, _)| behind(map, SymbolId { file, index })));
            }
            ExportTarget::Value(value) => {
                value.walk(&mut |expr| found.extend(of_value(map, file, expr)));
            }
            ExportTarget::From { .. } => {}
        }
    }
    found
}

/// The functions behind a definition.
fn behind(map: &RepoMap, id: SymbolId) -> Vec<Handler> {
    let symbol = map.symbol(id);
    if symbol.kind.is_callable() {
        return vec![Handler::Function(id)];
    }
    if symbol.kind != SymbolKind::Constant {
        return Vec::new();
    }
    let facts: &FileFacts = &map.file(id.file).facts;
    let values =
        facts.bindings.iter().filter(|binding| binding.name == symbol.name && symbol.span.contains(binding.span));
    values.filter_map(|binding| binding.value.as_ref()).flat_map(|value| of_value(map, id.file, value)).collect()
}

/// The functions in a value: written in place, named, or given to the call that makes it.
fn of_value(map: &RepoMap, file: FileId, value: &crate::repo_map::expr::Expr) -> Vec<Handler> {
    use crate::repo_map::expr::Expr;
    match value.peeled() {
        Expr::Function { symbol: Some(index), .. } => vec![Handler::Function(SymbolId { file, index: *index })],
        Expr::Function { region: Some(region), .. } => vec![Handler::Callback(file, *region)],
        Expr::Call(index) => {
            super::handlers(map, CallId { file, index: *index }, 0).into_iter().rev().take(1).collect()
        }
        _ => Vec::new(),
    }
}
