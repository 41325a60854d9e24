//! Asynchrony: which functions give a promise or a future, written `async` or not.

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::DirectEffect;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, Symbol};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// Functions that give a promise or a future.
///
/// A function without a declared type counts when everything it returns is a call of one that does.
pub fn async_functions(map: &RepoMap, direct: &BTreeMap<CallId, Vec<DirectEffect>>) -> BTreeSet<SymbolId> {
    let mut found: BTreeSet<SymbolId> =
        map.symbols().filter(|(_, symbol)| declared_async(symbol)).map(|(id, _)| id).collect();
    let mut open: BTreeMap<SymbolId, Vec<&Expr>> = BTreeMap::new();
    for (file, source) in map.files_with_ids() {
        for returned in source.facts.returns.iter().filter(|returned| returned.region.is_none()) {
            let Some(index) = returned.symbol else { continue };
            let id = SymbolId { file, index };
            let symbol = map.symbol(id);
            if symbol.kind.is_callable() && symbol.return_type.is_none() && !found.contains(&id) {
                open.entry(id).or_default().push(&returned.value);
            }
        }
    }
    loop {
        let before = found.len();
        for (&id, values) in &open {
            if values.iter().all(|value| is_promise(map, direct, &found, id.file, value)) {
                found.insert(id);
            }
        }
        open.retain(|id, _| !found.contains(id));
        if found.len() == before {
            return found;
        }
    }
}

fn declared_async(symbol: &Symbol) -> bool {
    symbol.is_async
        || symbol.return_type.as_deref().is_some_and(|declared| {
            let declared = declared.trim_start();
            ["Promise<", "PromiseLike<", "BoxFuture<", "LocalBoxFuture<", "Pin<Box<dyn Future"]
                .iter()
                .any(|head| declared.starts_with(head))
                || (declared.starts_with("impl ") && declared.contains("Future<"))
        })
}

fn is_promise(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    found: &BTreeSet<SymbolId>,
    file: FileId,
    value: &Expr,
) -> bool {
    // `peeled` would see through `await`, whose value is no promise any more.
    let Expr::Call(index) = value else { return false };
    let call = CallId { file, index: *index };
    let site = map.call(call);
    if site.awaited {
        return false;
    }
    if site.kind == CallKind::New && site.name == "Promise" {
        return true;
    }
    let mut resolved = map.resolved(call).peekable();
    if resolved.peek().is_some() {
        return resolved.all(|resolved| found.contains(&resolved.symbol));
    }
    direct.get(&call).is_some_and(|effects| effects.iter().all(|effect| effect.is_async))
}
