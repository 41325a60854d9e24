//! Methods known by name: `bean.isActive()` on a value nobody typed, where every `isActive` of the repository is asynchronous.

use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

use crate::effects::by_name::is_telling;
use crate::effects::tables::{api_names_of, names_package};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, FileRole, RepoMap, SymbolId};

/// Names of methods of which all the repository defines are asynchronous, and whether somebody awaits one.
#[derive(Debug, Clone, Default)]
pub struct Names {
    methods: BTreeMap<Name, Vec<SymbolId>>,
    awaited: BTreeSet<Name>,
}

/// Collects them. A name that anything else bears as well says nothing, nor does one that libraries have.
pub fn names(map: &RepoMap, asynchronous: &BTreeSet<SymbolId>) -> Names {
    let mut found = Names::default();
    let mut others: FxHashSet<Name> = FxHashSet::default();
    for (id, symbol) in map.symbols().filter(|(id, _)| map.file(id.file).language.is_ecmascript()) {
        if symbol.kind == SymbolKind::Method && asynchronous.contains(&id) {
            if map.file(id.file).role == FileRole::Production && symbol.has_body && is_telling(&symbol.name) {
                found.methods.entry(symbol.name).or_default().push(id);
            }
        } else if symbol.kind.is_callable() && !asynchronous.contains(&id) {
            others.insert(symbol.name);
        }
    }
    // `isActive: () => boolean`, `{ isActive: () => true }`.
    let made = map.files.iter().flat_map(|source| &source.facts.bindings);
    others.extend(
        made.filter(|binding| is_plain_function(binding.declared_type.as_deref(), binding.value.as_ref()))
            .map(|one| one.name),
    );
    others.extend(map.files.iter().flat_map(|source| entries_of_another_kind(&source.facts)));
    let packages =
        map.recon.packages.iter().flat_map(|package| &package.dependencies).map(|dependency| dependency.name.as_str());
    let apis = api_names_of(&packages.collect());
    found.methods.retain(|name, _| !others.contains(name) && !apis.contains(name.as_str()));
    found.awaited = map
        .calls()
        .filter(|(_, site)| site.awaited && found.methods.contains_key(&site.name))
        .map(|(_, site)| site.name)
        .collect();
    found
}

impl Names {
    /// Whether `call` can only mean one of these methods: nothing is known of its receiver, and either that is named like the class or
    /// the class is of the same package and somebody awaits the method.
    pub fn is_meant_by(&self, map: &RepoMap, call: CallId) -> bool {
        let site = map.call(call);
        let Some(methods) = self.methods.get(&site.name) else { return false };
        let Expr::Member(receiver, _) = site.callee.peeled() else { return false };
        let is_open = match map.target(call) {
            CallTarget::Unresolved => true,
            // What a library's call gave: a row of an ORM is of a class that stands here.
            CallTarget::External(outside) => {
                let imports = &map.file(call.file).facts.imports;
                names_package(CLASSES_OF_ROWS, &outside.package)
                    && !imports.iter().any(|import| receiver.root_name() == Some(import.local.as_str()))
            }
            CallTarget::Symbols(_) => false,
        };
        if site.kind != CallKind::Call || !is_open {
            return false;
        }
        let is_named_so = |method: &SymbolId| {
            let symbol = map.symbol(*method);
            let container = symbol.container.map(|index| map.file(method.file).facts.symbols[index as usize].name);
            let named = receiver.last_name().map(|name| name.trim_matches('_').to_ascii_lowercase());
            container.or(symbol.member_of).is_some_and(|owner| named == Some(owner.to_ascii_lowercase()))
        };
        let package = |path: &str| map.recon.package_of(path).map(|package| package.manifest.as_str());
        let own = package(&map.file(call.file).path);
        let is_near = || methods.iter().any(|method| package(&map.file(method.file).path) == own);
        methods.iter().all(|method| site.arguments.len() <= map.symbol(*method).parameters.len())
            && (methods.iter().any(is_named_so) || self.awaited.contains(&site.name) && is_near())
    }
}

/// Libraries whose rows are objects of classes that the program defines.
const CLASSES_OF_ROWS: &[&str] = &[
    "sequelize",
    "sequelize-typescript",
    "typeorm",
    "mongoose",
    "objection",
    "bookshelf",
    "redbean-node",
    "@mikro-orm/*",
];

/// `{ remove: db.prepared((id) => …) }`: what an object literal holds under a name, unless it is an async function.
fn entries_of_another_kind(facts: &FileFacts) -> impl Iterator<Item = Name> {
    let bound = facts.bindings.iter().filter_map(|binding| binding.value.as_ref());
    let values = bound.chain(facts.returns.iter().map(|given| &given.value));
    let entries = values.filter_map(|value| match value.peeled() {
        Expr::Object(entries) => Some(entries),
        _ => None,
    });
    let is_other = |value: &Expr| match value.peeled() {
        Expr::Name(name) => {
            facts.bindings.iter().any(|own| own.name == *name && own.value.as_ref().is_some_and(is_no_async_function))
        }
        value => is_no_async_function(value),
    };
    entries.flatten().filter(move |(_, value)| is_other(value)).map(|(name, _)| *name)
}

fn is_no_async_function(value: &Expr) -> bool {
    matches!(value.peeled(), Expr::Call(_) | Expr::Function { is_async: false, .. })
}

fn is_plain_function(declared: Option<&str>, value: Option<&Expr>) -> bool {
    let by_type = declared.is_some_and(|declared| declared.contains("=>") && !declared.contains("Promise<"));
    by_type || matches!(value, Some(Expr::Function { is_async: false, .. }))
}
