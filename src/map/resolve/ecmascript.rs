//! TypeScript and JavaScript: what imports and calls mean, across files and without a type checker.
//!
//! [`project`] and [`specifier`] find modules, [`exports`] follows names through them, [`scope`] knows what is visible where,
//! [`types`] reads annotations, and [`values`] works out what an expression is as far as calls on it need to know.

mod evaluate;
mod exports;
mod generics;
mod globals;
mod libraries;
mod members;
mod parameters;
mod project;
pub(in crate::map) use project::{extended_by, join, parse_jsonc, split_package};
mod results;
mod scope;
mod specifier;
mod types;
mod typing;
mod values;

#[cfg(test)]
mod named_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::handed::{candidates, function_names};
use super::{LinkInput, Links};
use crate::repo_map::facts::{CallKind, Export, ExportTarget, HeritageKind, SymbolKind};
use crate::repo_map::{CallTarget, External, FileId, Handed, How, ImportTarget, Resolved, SourceFile, SymbolId};
use evaluate::Linker;
use exports::{ExportTable, Space};
use rustc_hash::FxHashMap as HashMap;
use scope::Scope;
use values::Value;

/// What all files share while they are linked.
struct World<'a> {
    files: &'a [SourceFile],
    scopes: Vec<Scope<'a>>,
    /// What every specifier of a file means.
    modules: Vec<HashMap<&'a str, ImportTarget>>,
    exports: Vec<ExportTable<'a>>,
    /// Classes and interfaces that build on a type, by that type.
    subtypes: BTreeMap<SymbolId, Vec<SymbolId>>,
}

impl World<'_> {
    /// What `specifier` means in `file`.
    fn module(&self, file: FileId, specifier: &str) -> &ImportTarget {
        self.modules.get(file as usize).and_then(|modules| modules.get(specifier)).unwrap_or(&ImportTarget::Unresolved)
    }
}

/// Fills in the targets of every ECMAScript file.
pub fn link(input: &LinkInput<'_>, links: &mut Links) {
    let files = input.files;
    if !files.iter().any(|file| file.language.is_ecmascript()) {
        return;
    }
    let project = project::Project::read(input.config);
    let specifiers = specifier::Specifiers::new(files, &project);
    let modules: Vec<HashMap<&str, ImportTarget>> = files
        .par_iter()
        .map(|file| {
            if !file.language.is_ecmascript() {
                return HashMap::default();
            }
            let imported = file.facts.imports.iter().map(|import| import.source.as_str());
            let reexported = file.facts.exports.iter().filter_map(|export| match &export.target {
                ExportTarget::From { source, .. } => Some(source.as_str()),
                ExportTarget::Local(_) | ExportTarget::Value(_) => None,
            });
            imported.chain(reexported).map(|source| (source, specifiers.resolve(source, &file.path))).collect()
        })
        .collect();
    for ((file, modules), targets) in files.iter().zip(&modules).zip(&mut links.import_targets) {
        if file.language.is_ecmascript() {
            *targets = file.facts.imports.iter().map(|import| modules[import.source.as_str()].clone()).collect();
        }
    }
    for ((file, modules), targets) in files.iter().zip(&modules).zip(&mut links.reexport_targets) {
        let target = |export: &Export| match &export.target {
            ExportTarget::From { source, .. } => match modules.get(source.as_str()) {
                Some(ImportTarget::File(file)) => Some(*file),
                _ => None,
            },
            ExportTarget::Local(_) | ExportTarget::Value(_) => None,
        };
        if file.language.is_ecmascript() {
            *targets = file.facts.exports.iter().map(target).collect();
        }
    }
    let empty = |file: &SourceFile| !file.language.is_ecmascript();
    let scopes = files.par_iter().map(|file| if empty(file) { Scope::default() } else { Scope::new(&file.facts) });
    let exports =
        files.iter().map(|file| if empty(file) { ExportTable::default() } else { ExportTable::new(&file.facts) });
    let mut world =
        World { files, scopes: scopes.collect(), modules, exports: exports.collect(), subtypes: BTreeMap::new() };
    world.subtypes = subtypes(&world);
    let found: Vec<Option<(Vec<CallTarget>, Vec<Handed>)>> = (0..files.len() as FileId)
        .into_par_iter()
        .map(|id| {
            let file = &files[id as usize];
            file.language.is_ecmascript().then(|| {
                // A memo of its own for each file: what is known never depends on which file came first.
                let linker = Linker::new(&world);
                let targets =
                    (0..file.facts.calls.len() as u32).map(|call| target(&world, &linker, id, call)).collect();
                (targets, handed(&linker, id))
            })
        })
        .collect();
    for (place, found) in found.into_iter().enumerate() {
        if let Some((targets, handed)) = found {
            links.targets[place] = targets;
            links.handed[place] = handed;
        }
    }
}

/// Types by what they build on.
fn subtypes(world: &World<'_>) -> BTreeMap<SymbolId, Vec<SymbolId>> {
    let linker = Linker::new(world);
    let mut found: BTreeMap<SymbolId, Vec<SymbolId>> = BTreeMap::new();
    for (file, id) in world.files.iter().zip(0..) {
        if !file.language.is_ecmascript() {
            continue;
        }
        for heritage in &file.facts.heritage {
            let types = file.facts.symbols.iter().zip(0..).filter(|(symbol, _)| {
                symbol.name == heritage.of && symbol.kind == SymbolKind::Class && symbol.lines.contains(heritage.line)
            });
            for (symbol, index) in types {
                let space = match heritage.kind {
                    HeritageKind::Extends => Space::Value,
                    HeritageKind::Implements => Space::Type,
                };
                if let Value::Instance(base, _) = linker.base(id, &heritage.base, symbol.span.start, space, &[]) {
                    found.entry(base).or_default().push(SymbolId { file: id, index });
                }
            }
        }
    }
    found
}

/// Functions that the calls of `file` are given by name.
fn handed(linker: &Linker<'_, '_>, file: FileId) -> Vec<Handed> {
    let facts = linker.facts(file);
    let names = function_names(facts);
    let mut found = Vec::new();
    for (call, site) in (0..).zip(&facts.calls) {
        for (argument, value) in (0..).zip(&site.arguments) {
            candidates(value, &names, &mut |expr| {
                if let Some(Value::Symbol(function)) = linker.handed(file, expr, site.span.start)
                    && matches!(
                        linker.symbol(function).kind,
                        SymbolKind::Function | SymbolKind::Method | SymbolKind::Constant
                    )
                {
                    found.push(Handed { call, argument, function });
                }
            });
        }
    }
    found
}

/// What one call resolves to.
fn target(world: &World<'_>, linker: &Linker<'_, '_>, file: FileId, call: u32) -> CallTarget {
    let site = &world.files[file as usize].facts.calls[call as usize];
    let Some(callee) = linker.callee(file, call) else { return CallTarget::Unresolved };
    match callee.value {
        Value::External { package, path, .. } => CallTarget::External(External { package, path }),
        Value::Symbol(symbol) => {
            // `` sql`…` ``: what runs is the package's tag, not our name for it.
            if site.kind == CallKind::Template
                && let Value::External { package, path, .. } = linker.opened(callee.clone()).value
            {
                return CallTarget::External(External { package, path });
            }
            let constructs = site.kind == CallKind::New || site.callee == crate::repo_map::expr::Expr::Super;
            let mut found = definitions(world, linker, symbol, callee.how, constructs);
            // `const run = tasks.run`: the constant is what is named, and the method what runs.
            if linker.symbol(symbol).kind == SymbolKind::Constant
                && let Value::Symbol(held) = linker.opened(callee).value
                && held != symbol
            {
                let held = definitions(world, linker, held, How::Dispatch, constructs);
                found.extend(held.into_iter().map(|held| Resolved { how: How::Dispatch, ..held }));
            }
            CallTarget::Symbols(found)
        }
        _ => CallTarget::Unresolved,
    }
}

/// The definition itself, a class's constructor beside it, and the implementations of a method without a body.
fn definitions(world: &World<'_>, linker: &Linker<'_, '_>, id: SymbolId, how: How, constructs: bool) -> Vec<Resolved> {
    let symbols = &world.files[id.file as usize].facts.symbols;
    let symbol = &symbols[id.index as usize];
    if symbol.kind == SymbolKind::Class && constructs {
        let constructor = linker.constructor(id);
        return std::iter::once(id).chain(constructor).map(|symbol| Resolved { symbol, how }).collect();
    }
    let holder = symbol.container.map(|index| SymbolId { file: id.file, index });
    let abstract_member = !symbol.has_body && symbol.kind == SymbolKind::Method;
    let Some(holder) = holder.filter(|_| abstract_member) else { return vec![Resolved { symbol: id, how }] };
    let mut found = vec![Resolved { symbol: id, how: How::Trait }];
    for symbol in linker.overrides(holder, &symbol.name) {
        found.push(Resolved { symbol, how: How::Dispatch });
    }
    found
}
