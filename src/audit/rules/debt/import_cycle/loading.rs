//! What runs while a module loads: whether a cycle of imports can fail there.

use super::knot::{Edge, Graph};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{BindingKind, FileFacts, Import, ImportItem, RegionKind, Span, Symbol, SymbolKind};
use crate::repo_map::{FileId, ImportTarget, RepoMap};

/// An edge whose imported value is used while the module loads: by a call at the top level or as a base class.
pub fn eager_edge(map: &RepoMap, graph: &Graph, cycle: &[Edge]) -> Option<(Edge, String, u32)> {
    for &edge in cycle {
        let (from, to, _) = edge;
        if is_never_first(map, graph, to, from) {
            continue;
        }
        let facts = &map.file(from).facts;
        // Where a class could not be read, what stands in its methods looks as if it stood outside of them.
        if facts.partly_read {
            continue;
        }
        let locals = facts
            .imports
            .iter()
            .zip(&map.import_targets[from as usize])
            .filter(|(import, target)| {
                **target == ImportTarget::File(to) && !import.type_only && !import.local.is_empty()
            })
            .filter(|(import, _)| comes_too_late(map, import, to, from))
            .map(|(import, _)| import.local.as_str());
        for local in locals {
            let base = facts.heritage.iter().find(|heritage| heritage.base == local);
            let is_class =
                |name: &str| facts.symbols.iter().any(|symbol| symbol.name == name && symbol.kind == SymbolKind::Class);
            if let Some(heritage) = base.filter(|heritage| is_class(&heritage.of)) {
                return Some((edge, local.to_owned(), heritage.line));
            }
            if is_hoisted(map, to, local) {
                continue;
            }
            let call = facts.calls.iter().find(|call| {
                call.caller.is_none()
                    && call.callee.root_name() == Some(local)
                    && !is_in_field(facts, call.span)
                    // Inside a callback it runs later, if the callback does.
                    && facts.enclosing_regions(call.region).all(|(_, region)| !matches!(region.kind, RegionKind::Callback { .. }))
            });
            if let Some(call) = call {
                return Some((edge, local.to_owned(), call.line));
            }
        }
    }
    None
}

/// Whether `name` is a function declaration of `file`: it is there before anything of its module runs.
fn is_hoisted(map: &RepoMap, file: FileId, name: &str) -> bool {
    let facts = &map.file(file).facts;
    let is_function = |symbol: &Symbol| symbol.kind == SymbolKind::Function && symbol.container.is_none();
    facts.symbols.iter().any(|symbol| symbol.name == name && is_function(symbol))
        && !facts.bindings.iter().any(|binding| binding.name == name && binding.owner.is_none())
}

/// Whether the program comes in by `from` alone: it loads first of the two then, and has `to` run whole.
fn is_never_first(map: &RepoMap, graph: &Graph, to: FileId, from: FileId) -> bool {
    is_imported_besides(map, graph, from, to) && !is_imported_besides(map, graph, to, from)
}

/// Whether anything but `other` leads to `file`.
fn is_imported_besides(map: &RepoMap, graph: &Graph, file: FileId, other: FileId) -> bool {
    let path = &map.file(file).path;
    graph.iter().any(|(own, imports)| *own != other && imports.contains_key(&file))
        || map.recon.packages.iter().any(|package| package.entry_points.contains(path))
}

/// Whether something stands in the initialiser of a field. That of an instance runs when one is made; a static one is not told apart.
fn is_in_field(facts: &FileFacts, span: Span) -> bool {
    facts.bindings.iter().any(|binding| binding.kind == BindingKind::Field && binding.span.contains(span))
}

/// Whether `to`, when it is imported first, does not hold the name yet while it waits for `from`: it defines the name itself, or takes
/// it from a file that it imports after `from`. What a barrel has taken before is there.
fn comes_too_late(map: &RepoMap, import: &Import, to: FileId, from: FileId) -> bool {
    let ImportItem::Named(name) = &import.item else { return true };
    let defines =
        |file: FileId| map.file(file).facts.symbols.iter().any(|own| own.name == *name && own.container.is_none());
    if defines(to) {
        return true;
    }
    let imports = || map.file(to).facts.imports.iter().zip(&map.import_targets[to as usize]);
    let line_of = |wanted: &dyn Fn(FileId) -> bool| {
        let found = imports().filter(|(_, target)| matches!(target, ImportTarget::File(file) if wanted(*file)));
        found.map(|(import, _)| import.line).min()
    };
    match (line_of(&|file| defines(file)), line_of(&|file| file == from)) {
        (Some(own), Some(other)) => own > other,
        // Where the name comes from is not known.
        _ => false,
    }
}

/// Whether something at the top level of a file or the type a decorated class is given reads a name that another file
/// of the cycle exports.
pub fn is_read_at_load(map: &RepoMap, graph: &Graph, cycle: &[Edge]) -> bool {
    let may_fail = |&&(from, to, _): &&Edge| !map.file(from).facts.partly_read && !is_never_first(map, graph, to, from);
    cycle.iter().filter(may_fail).any(|&(from, to, _)| {
        let facts = &map.file(from).facts;
        let imports = facts.imports.iter().zip(&map.import_targets[from as usize]);
        let mut locals = imports
            .filter(|(import, target)| {
                **target == ImportTarget::File(to) && !import.type_only && !import.local.is_empty()
            })
            .filter(|(import, _)| comes_too_late(map, import, to, from))
            .map(|(import, _)| import.local.as_str())
            .filter(|local| !is_hoisted(map, to, local));
        locals.any(|local| {
            let in_value = |expr: &Expr| expr.mentions(local);
            let held = facts
                .bindings
                .iter()
                .filter(|binding| binding.owner.is_none() && binding.kind != BindingKind::Field)
                .any(|binding| binding.region.is_none() && binding.value.as_ref().is_some_and(in_value));
            let called = || {
                facts
                    .calls
                    .iter()
                    .filter(|call| call.caller.is_none() && call.region.is_none() && !is_in_field(facts, call.span))
                    .any(|call| call.callee.root_name() == Some(local) || call.arguments.iter().any(in_value))
            };
            let is_decorated =
                || facts.symbols.iter().any(|symbol| symbol.kind == SymbolKind::Class && !symbol.attributes.is_empty());
            let given = || {
                facts
                    .symbols
                    .iter()
                    .filter(|symbol| symbol.kind == SymbolKind::Constructor)
                    .any(|symbol| symbol.parameters.iter().any(|own| own.declared_type.as_deref() == Some(local)))
            };
            let extended = facts.heritage.iter().any(|heritage| heritage.base == local);
            held || extended || called() || is_decorated() && given()
        })
    })
}
