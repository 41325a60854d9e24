//! Association getters: `await order.getBuyer()` on a row, which Sequelize defines when models are associated.
//!
//! No file defines them and rows have no written type, so they are known by the models of the repository: a getter counts when
//! what it gets is a model or the name of an association, or when it is handed the options of a query.

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::by_name::waits;
use crate::effects::{DirectEffect, Effect};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::CallKind;
use crate::repo_map::{CallId, CallTarget, RepoMap};

/// Calls that associate two models.
const ASSOCIATES: &[&str] = &["belongsTo", "hasOne", "hasMany", "belongsToMany"];

/// Keys of the options of a query.
const OPTIONS: &[&str] =
    &["where", "include", "order", "limit", "attributes", "through", "joinTableAttributes", "paranoid", "raw"];

/// Getters of associations, with what they do.
pub fn getters(map: &RepoMap) -> BTreeMap<CallId, Vec<DirectEffect>> {
    let uses_it =
        map.recon.packages.iter().flat_map(|package| &package.dependencies).any(|dependency| {
            matches!(dependency.name.as_str(), "sequelize" | "sequelize-typescript" | "@sequelize/core")
        });
    if !uses_it {
        return BTreeMap::new();
    }
    let own: BTreeSet<&str> =
        map.symbols().filter(|(_, symbol)| symbol.kind.is_callable()).map(|(_, symbol)| symbol.name.as_str()).collect();
    let associated = associated(map);
    let mut found = BTreeMap::new();
    for (id, site) in map.calls() {
        let Some(what) =
            site.name.strip_prefix("get").filter(|what| what.starts_with(|c: char| c.is_ascii_uppercase()))
        else {
            continue;
        };
        let file = map.file(id.file);
        if site.kind != CallKind::Call
            || !file.language.is_ecmascript()
            || !matches!(site.callee.peeled(), Expr::Member(..))
            || !matches!(map.target(id), CallTarget::Unresolved)
            || own.contains(site.name.as_str())
        {
            continue;
        }
        let asks = match site.arguments.as_slice() {
            [] => false,
            [Expr::Object(entries)] => entries.iter().any(|(key, _)| OPTIONS.contains(&key.as_str())),
            _ => continue,
        };
        if asks || (associated.contains(&singular(what)) && waits(map, id, site)) {
            found.insert(
                id,
                vec![DirectEffect {
                    effect: Effect::DbRead,
                    api: format!("row.{}", site.name),
                    library: "sequelize",
                    is_async: true,
                    is_batch: false,
                }],
            );
        }
    }
    found
}

/// Names of models and associations, in lower case and the singular.
fn associated(map: &RepoMap) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, site) in map.calls() {
        match site.name.as_str() {
            "define" => {
                if let Some(Expr::Text(name)) = site.arguments.first() {
                    names.insert(singular(name));
                }
            }
            name if ASSOCIATES.contains(&name) => {
                names.extend(site.arguments.first().and_then(Expr::last_name).map(singular));
                if let Some(Expr::Object(entries)) = site.arguments.get(1) {
                    names.extend(entries.iter().filter(|(key, _)| key == "as").filter_map(|(_, value)| match value {
                        Expr::Text(name) => Some(singular(name)),
                        _ => None,
                    }));
                }
            }
            _ => {}
        }
    }
    names
}

/// `Orders` and `order` are one thing; exact plurals do not matter for a comparison of names.
fn singular(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => lower.strip_suffix('s').map(str::to_owned).unwrap_or(lower),
    }
}
