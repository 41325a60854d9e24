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
mod reads;
mod results;
mod scope;
mod specifier;
mod traces;
pub(in crate::map) use traces::Traces;
mod types;
mod typing;
mod values;
mod world;

#[cfg(test)]
mod named_tests;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::handed::{candidates, function_names};
use super::{LinkInput, Links};
use crate::repo_map::facts::{CallKind, HeritageKind, SymbolKind};
use crate::repo_map::{CallTarget, External, FileId, Handed, How, ImportTarget, Resolved, SymbolId};
use evaluate::Linker;
use exports::Space;
use reads::{Reads, Seen};
use traces::{Before, NewTrace};
use values::Value;
use world::World;

/// What was found for one file.
#[derive(Default)]
struct OfFile {
    /// What its imports and its exports from elsewhere mean.
    modules: Option<(Vec<ImportTarget>, Vec<Option<FileId>>)>,
    edges: Option<(Vec<CallTarget>, Vec<Handed>)>,
    trace: NewTrace,
}

/// Fills in the targets of every ECMAScript file. Where `links` has those of an earlier run, over the same paths and configuration,
/// and the facts of `changed` files differ, only what is no longer so is linked again.
pub fn link(input: &LinkInput<'_>, links: &mut Links, changed: Option<&[bool]>) {
    let files = input.files;
    if !files.iter().any(|file| file.language.is_ecmascript()) {
        return;
    }
    let traces = std::mem::take(&mut links.traces);
    let (known, kept) = (&links.import_targets, changed);
    let is_kept = |file: FileId| kept.is_some_and(|changed| !changed[file as usize]);
    let world = World::new(input, |file| is_kept(file).then(|| known[file as usize].as_slice()));
    let before = changed.and_then(|changed| Before::new(traces, changed, &world));
    let ours = |file: FileId| files[file as usize].language.is_ecmascript();
    let all = 0..files.len() as FileId;
    let mut found: Vec<OfFile> = all
        .clone()
        .into_par_iter()
        .map(|file| {
            let mut found = OfFile::default();
            if ours(file) {
                found.modules = (!is_kept(file)).then(|| (world.imports(file), world.reexports(file)));
                if before.as_ref().is_none_or(|before| before.builds_on(file).is_none()) {
                    found.trace.builds_on = Some(builds_on(&world, file));
                }
            }
            found
        })
        .collect();
    let builds_on = found.iter().zip(0..).map(|(found, file)| match (&found.trace.builds_on, &before) {
        (Some((builds_on, _)), _) => builds_on,
        (None, Some(before)) => before.builds_on(file).unwrap_or_default(),
        (None, None) => &[],
    });
    let subtypes = traces::subtypes(builds_on);
    let subtypes_before = before.as_ref().map(Before::subtypes).unwrap_or_default();
    found.par_iter_mut().zip(all).filter(|(_, file)| ours(*file)).for_each(|(found, file)| {
        if before.as_ref().is_some_and(|before| before.holds(file, &subtypes, &subtypes_before)) {
            return;
        }
        // A memo of its own for each file: what is known never depends on which file came first.
        let linker = Linker::new(Reads::new(&world, Some(&subtypes)));
        let calls = 0..files[file as usize].facts.calls.len() as u32;
        let targets = calls.map(|call| target(&linker, file, call)).collect();
        found.edges = Some((targets, handed(&linker, file)));
        found.trace.calls = Some(linker.reads.seen());
    });
    let (found, new): (Vec<_>, Vec<NewTrace>) =
        found.into_iter().map(|found| ((found.modules, found.edges), found.trace)).unzip();
    let traces = Traces::new(before, new, &world);
    drop(world);
    links.traces = traces;
    for (place, (modules, edges)) in found.into_iter().enumerate() {
        if let Some((imports, reexports)) = modules {
            links.import_targets[place] = imports;
            links.reexport_targets[place] = reexports;
        }
        if let Some((targets, handed)) = edges {
            links.targets[place] = targets;
            links.handed[place] = handed;
        }
    }
}

/// What the classes of `file` build on, and what was looked at to know.
fn builds_on(world: &World<'_>, file: FileId) -> (Vec<(SymbolId, SymbolId)>, Seen) {
    if world.files[file as usize].facts.heritage.is_empty() {
        return Default::default();
    }
    let linker = Linker::new(Reads::new(world, None));
    let facts = linker.facts(file);
    let mut found = Vec::new();
    for heritage in &facts.heritage {
        let types = facts.symbols.iter().zip(0..).filter(|(symbol, _)| {
            symbol.name == heritage.of && symbol.kind == SymbolKind::Class && symbol.lines.contains(heritage.line)
        });
        for (symbol, index) in types {
            let space = match heritage.kind {
                HeritageKind::Extends => Space::Value,
                HeritageKind::Implements => Space::Type,
            };
            if let Value::Instance(base, _) = linker.base_of(file, &heritage.base, symbol.span.start, space) {
                found.push((base, SymbolId { file, index }));
            }
        }
    }
    (found, linker.reads.seen())
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
fn target(linker: &Linker<'_, '_>, file: FileId, call: u32) -> CallTarget {
    let site = &linker.facts(file).calls[call as usize];
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
            let mut found = definitions(linker, symbol, callee.how, constructs);
            // `const run = tasks.run`: the constant is what is named, and the method what runs.
            if linker.symbol(symbol).kind == SymbolKind::Constant
                && let Value::Symbol(held) = linker.opened(callee).value
                && held != symbol
            {
                let held = definitions(linker, held, How::Dispatch, constructs);
                found.extend(held.into_iter().map(|held| Resolved { how: How::Dispatch, ..held }));
            }
            CallTarget::Symbols(found)
        }
        _ => CallTarget::Unresolved,
    }
}

/// The definition itself, a class's constructor beside it, and the implementations of a method without a body.
fn definitions(linker: &Linker<'_, '_>, id: SymbolId, how: How, constructs: bool) -> Vec<Resolved> {
    let symbol = linker.symbol(id);
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
