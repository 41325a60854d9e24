//! What a module exports, followed through re-exports.

use std::sync::atomic::Ordering;
use std::sync::{PoisonError, RwLock};

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::scope::Definition;
use super::world::World;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{ExportTarget, FileFacts, ImportItem};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, ImportTarget};

/// Re-exports followed in a row. Our choice: the deepest chain seen in public code is six.
const MAX_HOPS: usize = 32;

/// Values or types: a name may be both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Value,
    Type,
}

/// What an exported name stands for, all the way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Exported<'a> {
    /// A definition of a file.
    Definition(FileId, Definition),
    /// A whole module.
    Namespace(FileId),
    /// Something of a package outside the repository.
    External(Name, Vec<Name>),
    /// A value written in place.
    Value(FileId, &'a Expr),
}

/// What an exported name stands for, and whether another module was passed on the way.
pub(super) type Found<'a> = (Exported<'a>, bool);

/// The exports of one file that are not followed yet.
#[derive(Default)]
pub(super) struct ExportTable<'a> {
    named: HashMap<&'a str, &'a ExportTarget>,
    stars: Vec<&'a str>,
    default_symbol: Option<u32>,
    symbols: HashSet<&'a str>,
    /// What was asked for before, by [`Space`]: a barrel is asked for the same names by every file that imports it.
    known: [RwLock<HashMap<Box<str>, Asked<'a>>>; 2],
}

/// A question for an export that was answered.
struct Asked<'a> {
    number: u32,
    found: Option<Found<'a>>,
    /// Files whose exports were looked through, in order.
    through: Box<[FileId]>,
}

impl<'a> ExportTable<'a> {
    pub fn new(facts: &'a FileFacts) -> ExportTable<'a> {
        let mut table = ExportTable::default();
        for export in &facts.exports {
            match &export.target {
                ExportTarget::From { source, name } if name == "*" && export.name == "*" => table.stars.push(source),
                target => {
                    // `export type { A }` beside `export { A }`: the value one says more.
                    if !export.type_only || !table.named.contains_key(export.name.as_str()) {
                        table.named.insert(&export.name, target);
                    }
                }
            }
        }
        for (symbol, index) in facts.symbols.iter().zip(0..) {
            if symbol.default_export && (symbol.has_body || table.default_symbol.is_none()) {
                table.default_symbol = Some(index);
            } else if symbol.exported && symbol.container.is_none() {
                table.symbols.insert(&symbol.name);
            }
        }
        table
    }

    /// Calls `visit` on every question that was asked: space, name, number, what was found, through which files.
    pub fn each_known(&self, mut visit: impl FnMut(Space, &str, u32, Option<&Found<'a>>, &[FileId])) {
        for (space, known) in [Space::Value, Space::Type].into_iter().zip(&self.known) {
            for (name, asked) in known.read().unwrap_or_else(PoisonError::into_inner).iter() {
                visit(space, name, asked.number, asked.found.as_ref(), &asked.through);
            }
        }
    }
}

impl<'a> World<'a> {
    /// What `name` exported by `file` stands for, and whether another module was passed on the way; with the number of the question.
    pub fn export(&self, file: FileId, name: &str, space: Space) -> (u32, Option<Found<'a>>) {
        let known = &self.exports(file).known[space as usize];
        if let Some(known) = known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return (known.number, known.found.clone());
        }
        let mut seen = HashSet::default();
        let found = self.export_from(file, name, space, 0, &mut seen);
        let mut through: Vec<FileId> = seen.into_iter().map(|(file, _)| file).collect();
        through.sort_unstable();
        through.dedup();
        // What is found depends on the world alone, so that it does not matter which thread came first.
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(name.into()).or_insert_with(|| {
            let number = self.questions.fetch_add(1, Ordering::Relaxed);
            Asked { number, found: found.clone(), through: through.into() }
        });
        (known.number, found)
    }

    fn export_from<'n>(
        &self,
        file: FileId,
        name: &'n str,
        space: Space,
        hops: usize,
        seen: &mut HashSet<(FileId, &'n str)>,
    ) -> Option<Found<'a>>
    where
        'a: 'n,
    {
        if hops > MAX_HOPS || !seen.insert((file, name)) {
            return None;
        }
        let table = self.exports(file);
        let scope = self.scope(file);
        let passed = hops > 0;
        if let Some(target) = table.named.get(name) {
            return match target {
                ExportTarget::Local(local) => self.local(file, local, space, hops, seen),
                ExportTarget::From { source, name } => self.through(file, source, name, space, hops, seen),
                ExportTarget::Value(Expr::Name(local)) => self.local(file, local, space, hops, seen),
                ExportTarget::Value(value) => Some((Exported::Value(file, value), passed)),
            };
        }
        if name == "default"
            && let Some(symbol) = table.default_symbol
        {
            return Some((Exported::Definition(file, Definition::Symbol(symbol)), passed));
        }
        if table.symbols.contains(name) {
            let found = match space {
                Space::Value => scope.top_value(name).or_else(|| scope.top_kind(name)),
                Space::Type => scope.top_kind(name).or_else(|| scope.top_value(name)),
            };
            if let Some(definition) = found.filter(|found| !matches!(found, Definition::Import(_))) {
                return Some((Exported::Definition(file, definition), passed));
            }
        }
        if name == "default" {
            return None;
        }
        let found = table.stars.iter().find_map(|source| match self.module(file, source) {
            ImportTarget::File(target) => self.export_from(*target, name, space, hops + 1, seen),
            ImportTarget::External(_) | ImportTarget::Unresolved => None,
        });
        found.or_else(|| commonjs_member(file, table, name, passed)).or_else(|| {
            // The only module outside that everything is taken from may well hold it.
            let outside: Vec<&Name> = table
                .stars
                .iter()
                .filter_map(|source| match self.module(file, source) {
                    ImportTarget::External(package) => Some(package),
                    ImportTarget::File(_) | ImportTarget::Unresolved => None,
                })
                .collect();
            match outside[..] {
                [&package] => Some((Exported::External(package, vec![name.into()]), true)),
                _ => None,
            }
        })
    }

    fn local<'n>(
        &self,
        file: FileId,
        local: &str,
        space: Space,
        hops: usize,
        seen: &mut HashSet<(FileId, &'n str)>,
    ) -> Option<Found<'a>>
    where
        'a: 'n,
    {
        let scope = self.scope(file);
        let definition = match space {
            Space::Value => scope.top_value(local).or_else(|| scope.top_kind(local)),
            Space::Type => scope.top_kind(local).or_else(|| scope.top_value(local)),
        }?;
        match definition {
            Definition::Import(import) => {
                let import = self.files[file as usize].facts.imports.get(import as usize)?;
                let name = match &import.item {
                    ImportItem::Named(name) => name.as_str(),
                    ImportItem::Default => "default",
                    ImportItem::Namespace => "*",
                    ImportItem::Glob | ImportItem::SideEffect | ImportItem::Dynamic => return None,
                };
                self.through(file, &import.source, name, space, hops, seen)
            }
            definition => Some((Exported::Definition(file, definition), hops > 0)),
        }
    }

    /// `name` of the module that `source` means in `file`.
    fn through<'n>(
        &self,
        file: FileId,
        source: &str,
        name: &'n str,
        space: Space,
        hops: usize,
        seen: &mut HashSet<(FileId, &'n str)>,
    ) -> Option<Found<'a>>
    where
        'a: 'n,
    {
        match self.module(file, source) {
            ImportTarget::File(target) if name == "*" => Some((Exported::Namespace(*target), true)),
            ImportTarget::File(target) => {
                self.export_from(*target, name, space, hops + 1, seen).map(|(found, _)| (found, true))
            }
            ImportTarget::External(package) => {
                Some((Exported::External(*package, external_path(source, name).into_iter().collect()), true))
            }
            ImportTarget::Unresolved => None,
        }
    }
}

/// A member of `module.exports = { … }`.
fn commonjs_member<'a>(file: FileId, table: &ExportTable<'a>, name: &str, passed: bool) -> Option<Found<'a>> {
    let ExportTarget::Value(Expr::Object(entries)) = table.named.get("default")? else { return None };
    let (_, value) = entries.iter().find(|(key, _)| key == name)?;
    Some((Exported::Value(file, value), passed))
}

/// The path of an imported name: a default export of `pkg/part` goes by `part`.
pub(super) fn external_path(source: &str, name: &str) -> Vec<Name> {
    match (name, super::specifier::subpath(source)) {
        ("*", _) => Vec::new(),
        ("default", Some(part)) => vec![part.into()],
        (name, _) => vec![name.into()],
    }
}
