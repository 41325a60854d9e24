//! Arguments that may be functions known by name.

use rustc_hash::FxHashSet;

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, Symbol, SymbolKind};
use crate::repo_map::name::Name;

/// Lists and objects that are looked into: `[guard, list]`, `{ handler: list }`.
const MAX_NESTING: usize = 2;

/// Names of a file that may stand for a function: what it imports and what it defines.
pub(super) fn function_names(facts: &FileFacts) -> FxHashSet<Name> {
    let imported = facts.imports.iter().filter(|import| !import.type_only).map(|import| import.local);
    let defined = facts.symbols.iter().filter(|symbol| may_be_called(symbol)).map(|symbol| symbol.name);
    imported.chain(defined).filter(|name| !name.is_empty()).collect()
}

/// Whether a definition is a function, has functions as members, or may hold one.
pub(super) fn may_be_called(symbol: &Symbol) -> bool {
    symbol.kind.is_callable() || matches!(symbol.kind, SymbolKind::Constant | SymbolKind::Class | SymbolKind::Struct)
}

/// Calls `visit` on every name within `argument` that may stand for a function, functions written in place left out.
pub(super) fn candidates<'a>(argument: &'a Expr, names: &FxHashSet<Name>, visit: &mut dyn FnMut(&'a Expr)) {
    nested(argument, names, MAX_NESTING, visit);
}

fn nested<'a>(argument: &'a Expr, names: &FxHashSet<Name>, depth: usize, visit: &mut dyn FnMut(&'a Expr)) {
    let expr = argument.peeled();
    match expr {
        Expr::Name(name) if names.contains(name) => visit(expr),
        Expr::Member(object, _) => match object.peeled() {
            Expr::Name(name) if names.contains(name) => visit(expr),
            Expr::This => visit(expr),
            _ => {}
        },
        Expr::Path(_) => visit(expr),
        Expr::Array(items) if depth > 0 => items.iter().for_each(|item| nested(item, names, depth - 1, visit)),
        Expr::Object(entries) if depth > 0 => {
            entries.iter().for_each(|(_, value)| nested(value, names, depth - 1, visit));
        }
        _ => {}
    }
}
