//! Repository: what the search asks of the map again and again, kept by name.

use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::effects::Effects;
use crate::effects::entry::{EntryKind, Handler};
use crate::effects::tables::{Ecosystem, names_package};
use crate::effects::taint::guards::replaced_headers::replaced_headers;
use crate::effects::taint::names::{FileIndex, Meaning, Spot};
use crate::effects::taint::schemas::Field;
use crate::effects::taint::tables::{LIBRARIES, Library, Source};
use crate::effects::taint::types::{Kind, Types};
use crate::effects::taint::{Context, Danger};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, ImportItem, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::recon::declared::Declared;
use crate::repo_map::{CallId, FileId, ImportTarget, RepoMap, SymbolId};

/// A repository as the search asks about it.
pub struct Taint<'a> {
    /// The repository.
    pub map: &'a RepoMap,
    /// What its functions do.
    pub effects: &'a Effects,
    /// What its settings say of its own functions.
    pub declared: &'a Declared,
    /// Names bound to `promisify(…)`, anywhere.
    pub promisified: FxHashSet<Name>,
    /// Parameters of routes that a router checks for every handler: `app.param('id', check)`.
    pub(super) checked_parameters: FxHashSet<Name>,
    /// Headers that a middleware of the project writes into requests (Rust).
    pub(super) replaced_headers: FxHashSet<Name>,
    /// Functions that answer for a field of GraphQL: their second parameter is what a client wrote.
    pub(super) resolvers: BTreeSet<Handler>,
    pub(super) indices: Vec<OnceLock<FileIndex>>,
    pub(super) types: Types,
    /// Variables at module level, by name.
    pub(super) constants: FxHashMap<Name, Vec<(FileId, u32)>>,
    dependencies: BTreeSet<&'a str>,
    /// Libraries with sources that the repository depends on, in the order of the tables.
    used: Vec<&'static Library>,
    /// Cleaning functions by ecosystem and name, with what their results cannot do.
    pub(super) cleaners: FxHashMap<(bool, &'static str), Vec<&'static [Danger]>>,
}

impl<'a> Taint<'a> {
    pub(super) fn new(map: &'a RepoMap, effects: &'a Effects) -> Taint<'a> {
        let mut constants: FxHashMap<Name, Vec<(FileId, u32)>> = FxHashMap::default();
        let mut promisified = FxHashSet::default();
        let mut checked_parameters = FxHashSet::default();
        let param = Name::from("param");
        for (file, source) in map.files_with_ids() {
            for site in source.facts.calls.iter().filter(|site| site.name == param && site.arguments.len() == 2) {
                if let (Expr::Text(name), Expr::Function { .. } | Expr::Name(_)) =
                    (&site.arguments[0], &site.arguments[1])
                {
                    checked_parameters.insert(*name);
                }
            }
            for (at, binding) in (0..).zip(&source.facts.bindings) {
                if binding.owner.is_some() || binding.region.is_some() || binding.member_of.is_some() {
                    continue;
                }
                constants.entry(binding.name).or_default().push((file, at));
                if let Some(Expr::Call(made)) = binding.value.as_ref().map(Expr::peeled)
                    && source.facts.call(*made).name == "promisify"
                {
                    promisified.insert(binding.name);
                }
            }
        }
        let dependencies: BTreeSet<&str> = map
            .recon
            .packages
            .iter()
            .flat_map(|package| &package.dependencies)
            .map(|dependency| dependency.name.as_str())
            .collect();
        let used = LIBRARIES
            .iter()
            .copied()
            .filter(|library| !library.sources.is_empty() && is_used(&dependencies, library.packages))
            .collect();
        let mut cleaners: FxHashMap<(bool, &'static str), Vec<&'static [Danger]>> = FxHashMap::default();
        for library in LIBRARIES {
            for cleaner in library.cleaners {
                for name in cleaner.names.split('|') {
                    cleaners.entry((library.ecosystem == Ecosystem::Cargo, name)).or_default().push(cleaner.dangers);
                }
            }
        }
        Taint {
            map,
            effects,
            declared: &map.recon.declared,
            promisified,
            checked_parameters,
            replaced_headers: replaced_headers(map),
            resolvers: effects
                .entries
                .list
                .iter()
                .filter(|entry| entry.kind == EntryKind::Resolver)
                .map(|entry| entry.handler)
                .collect(),
            indices: (0..map.files.len()).map(|_| OnceLock::new()).collect(),
            types: Types::new(map),
            constants,
            dependencies,
            used,
            cleaners,
        }
    }

    /// What is asked of a file again and again.
    pub fn index(&self, file: FileId) -> &FileIndex {
        self.indices[file as usize].get_or_init(|| FileIndex::new(&self.map.file(file).facts))
    }

    /// Whether the repository uses a library of these packages; one without packages comes with the language.
    pub fn uses(&self, packages: &[&str]) -> bool {
        is_used(&self.dependencies, packages)
    }

    /// Where values come in by the libraries that the language of `file` calls and the repository uses.
    pub fn known_sources(&self, file: FileId) -> impl Iterator<Item = &'static Source> + use<'_, 'a> {
        let ecosystem = self.ecosystem(file);
        self.used.iter().filter(move |library| library.ecosystem == ecosystem).flat_map(|library| library.sources)
    }

    pub(super) fn ecosystem(&self, file: FileId) -> Ecosystem {
        if self.map.file(file).language.is_ecmascript() { Ecosystem::Npm } else { Ecosystem::Cargo }
    }

    /// The package that `name` is imported from.
    pub fn package_of(&self, file: FileId, name: &str) -> Option<&'a str> {
        let imports = &self.map.file(file).facts.imports;
        let at = imports.iter().position(|import| import.local == name)?;
        match &self.map.import_targets[file as usize][at] {
            ImportTarget::External(package) => Some(package.as_str()),
            ImportTarget::File(_) | ImportTarget::Unresolved => None,
        }
    }

    /// The value of a variable of another module that `name` is imported as.
    pub fn imported(&self, file: FileId, name: &str) -> Option<(Spot, &'a Expr)> {
        let facts = &self.map.file(file).facts;
        let at = facts.imports.iter().position(|import| import.local == name)?;
        let original = match facts.imports[at].item {
            ImportItem::Named(original) => original,
            ImportItem::Default
            | ImportItem::Namespace
            | ImportItem::Glob
            | ImportItem::SideEffect
            | ImportItem::Dynamic => {
                return None;
            }
        };
        let target = match &self.map.import_targets[file as usize][at] {
            ImportTarget::File(target) => Some(*target),
            ImportTarget::Unresolved => None,
            // A package of the workspace, by what its build leaves.
            ImportTarget::External(package) if self.map.recon.packages.iter().any(|own| own.name == *package) => None,
            ImportTarget::External(_) => return None,
        };
        let known = self.constants.get(&original)?;
        let is_exported = |home: &FileId| {
            let symbols = &self.map.file(*home).facts.symbols;
            symbols.iter().any(|symbol| symbol.name == original && symbol.exported)
        };
        let (home, binding) = match known.iter().find(|(home, _)| Some(*home) == target) {
            Some(found) => found,
            // Through a file that exports it again: the only variable of this name that is exported.
            None => {
                let mut exported = known.iter().filter(|(home, _)| is_exported(home));
                exported.next().filter(|_| exported.next().is_none())?
            }
        };
        let binding = &self.map.file(*home).facts.bindings[*binding as usize];
        let value = binding.value.as_ref().filter(|_| binding.taken.is_none())?;
        Some((Spot::of_binding(*home, binding), value))
    }

    /// The text of the pattern that `expr` stands for.
    pub fn pattern(&self, spot: Spot, expr: &Expr) -> Option<&'a str> {
        self.pattern_at(spot, expr, 0)
    }

    pub(super) fn pattern_at(&self, spot: Spot, expr: &Expr, depth: u32) -> Option<&'a str> {
        if depth > 6 {
            return None;
        }
        let facts = &self.map.file(spot.file).facts;
        match expr.peeled() {
            Expr::Regex(text) | Expr::Text(text) => Some(text.as_str()),
            Expr::Name(name) => match self.index(spot.file).meaning(facts, name, spot.at) {
                Meaning::Variable(binding) if binding.taken.is_none() => {
                    let own = Spot::of_binding(spot.file, binding);
                    self.pattern_at(own, binding.value.as_ref()?, depth + 1)
                }
                Meaning::Outside => {
                    let (own, value) = self.imported(spot.file, name)?;
                    self.pattern_at(own, value, depth + 1)
                }
                _ => None,
            },
            // `Regex::new("…")`, `new RegExp("…")`, `LazyLock::new(|| Regex::new("…").unwrap())`, `.unwrap()`.
            Expr::Call(index) => {
                let site = facts.call(*index);
                if matches!(site.name.as_str(), "unwrap" | "expect")
                    && let Expr::Member(object, _) = site.callee.peeled()
                {
                    return self.pattern_at(spot, object, depth + 1);
                }
                matches!(site.name.as_str(), "new" | "RegExp").then_some(())?;
                self.pattern_at(spot, site.arguments.first()?, depth + 1)
            }
            Expr::Function { region: Some(region), .. } => {
                let returned = self.index(spot.file).returned_in(facts, *region);
                self.pattern_at(spot, &returned.first()?.value, depth + 1)
            }
            _ => None,
        }
    }

    /// What values of the type written in `file` can hold that is of use for `danger`, after taking `keys` from them.
    pub fn kind(&self, file: FileId, written: &str, keys: &[Name], danger: Danger) -> Kind {
        if written.is_empty() {
            return Kind::Other;
        }
        // `z.infer<typeof schema>`, by name or written in place.
        let head = written.split(['<', '[', ' ']).next().unwrap_or(written);
        let aliased = self.types.find(file, head).and_then(|id| {
            let symbol = self.map.symbol(id);
            (symbol.kind == SymbolKind::TypeAlias).then(|| Some((id.file, symbol.return_type?))).flatten()
        });
        let (home, text) = match &aliased {
            Some((home, text)) => (*home, text.as_str()),
            None => (file, written),
        };
        if let Some((start, rest)) = text.split_once("<typeof ")
            && matches!(
                start.rsplit('.').next(),
                Some("infer" | "input" | "output" | "TypeOf" | "InferType" | "InferOutput" | "Infer")
            )
        {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
            let spot = Spot { file: home, at: u32::MAX - 1, until: u32::MAX, line: 0 };
            return match self.field(spot, &Expr::Name(name.into()), keys, danger, &Context::default()) {
                Field::Harmless => Kind::Harmless,
                Field::Text(_) => Kind::Text,
                Field::Checked | Field::Unclear => Kind::Other,
            };
        }
        self.types.kind(self.map, file, written, keys)
    }

    /// The argument that a call hands in for a parameter.
    pub fn argument(&self, call: CallId, callee: SymbolId, position: usize) -> Option<&'a Expr> {
        let site = self.map.call(call);
        if site.kind == CallKind::Jsx {
            return match site.arguments.first() {
                Some(properties) if position == 0 => Some(properties),
                _ => None,
            };
        }
        let by_path = self.map.symbol(callee).takes_self && matches!(site.callee.peeled(), Expr::Path(_));
        let position = position + usize::from(by_path);
        let arguments = site.arguments.get(..=position)?;
        if arguments.iter().any(|argument| matches!(argument, Expr::Spread(_))) { None } else { arguments.last() }
    }

    /// The arguments that a call hands in for a last parameter that takes the rest; empty for any other.
    pub fn rest_arguments(&self, call: CallId, callee: SymbolId, position: usize) -> &'a [Expr] {
        let site = self.map.call(call);
        let parameters = &self.map.symbol(callee).parameters;
        let takes_rest = position + 1 == parameters.len()
            && site.arguments.len() > parameters.len()
            && self.map.file(callee.file).language.is_ecmascript();
        if takes_rest { &site.arguments[position..] } else { &[] }
    }

    /// What `name` stands for at a place. A block that is a value has names of its own (Rust).
    pub fn meaning(&self, spot: Spot, name: Name) -> Meaning<'a> {
        let facts = &self.map.file(spot.file).facts;
        if !self.map.file(spot.file).language.is_ecmascript()
            && let Some(inner) = self.index(spot.file).within(facts, name, spot.at, spot.until)
        {
            return Meaning::Variable(inner);
        }
        self.index(spot.file).meaning(facts, &name, spot.at)
    }
}

fn is_used(dependencies: &BTreeSet<&str>, packages: &[&str]) -> bool {
    packages.is_empty() || dependencies.iter().any(|dependency| names_package(packages, dependency))
}
