//! Remote procedures: tRPC, and GraphQL fields written as objects.

use rustc_hash::FxHashMap;

use super::{Entry, EntryKind, Handler, handlers};
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, FileFacts};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// Methods that end the chain of a procedure.
const ENDS: &[&str] = &["query", "mutation", "subscription"];

/// Adds the procedures that `file` defines.
pub(super) fn find(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let source = map.file(file);
    let facts = &source.facts;
    let mut keys = None;
    for (index, site) in (0..).zip(&facts.calls) {
        let Expr::Member(_, name) = site.callee.peeled() else { continue };
        let call = CallId { file, index };
        let is_action = name == "action" && is_chain_of(map, call, "action");
        if site.kind != CallKind::Call
            || !(ENDS.contains(&name.as_str()) && is_chain_of(map, call, "procedure") || is_action)
        {
            continue;
        }
        let Some(&handler) = handlers(map, call, 0).last() else { continue };
        let key = keys.get_or_insert_with(|| keys_of(facts)).get(&index).copied();
        let around = map.around(call).map(|around| around.name.into_owned());
        let label = key
            .map(|key| key.to_string())
            .or(around)
            .unwrap_or_else(|| super::routers::file_stem(&source.path).to_owned());
        list.push(Entry {
            kind: EntryKind::Procedure,
            label: format!("{name} {label}"),
            method: None,
            path: None,
            handler,
            registration: Some(call),
            framework: if is_action { "next-safe-action" } else { "tRPC" },
        });
    }
    resolvers(map, file, list);
}

/// Keys of objects by the call that is their value: `create` for `router({ create: procedure.mutation(…) })`.
fn keys_of(facts: &FileFacts) -> FxHashMap<CallIndex, Name> {
    let mut keys = FxHashMap::default();
    let given = facts.calls.iter().flat_map(|site| &site.arguments);
    for value in given.chain(facts.bindings.iter().filter_map(|binding| binding.value.as_ref())) {
        value.walk(&mut |expr| {
            if let Expr::Object(entries) = expr {
                let calls = entries.iter().filter_map(|(key, value)| match value.peeled() {
                    Expr::Call(call) => Some((*call, *key)),
                    _ => None,
                });
                keys.extend(calls);
            }
        });
    }
    keys
}

/// Whether the chain before `call` starts at something whose name ends like this: `publicProcedure.input(…).query(…)`.
fn is_chain_of(map: &RepoMap, call: CallId, ending: &str) -> bool {
    let facts = &map.file(call.file).facts;
    let first = chain::receivers(facts, call.index).last().copied().unwrap_or(call.index);
    let Expr::Member(receiver, _) = facts.call(first).callee.peeled() else { return false };
    let ends = |name: &str| name.to_ascii_lowercase().ends_with(ending) && name.len() >= ending.len();
    match receiver.peeled() {
        Expr::Name(name) => ends(name) || ending == "action" && name.to_ascii_lowercase().ends_with("actionclient"),
        Expr::Member(_, name) => ends(name),
        _ => false,
    }
}

/// Resolver maps: `{ Query: { orders() {} }, Order: { customer() {} } }`, and fields with a `resolve`.
fn resolvers(map: &RepoMap, file: FileId, list: &mut Vec<Entry>) {
    let source = map.file(file);
    let imports = source.facts.imports.iter().any(|import| import.source.contains("graphql"));
    if !imports {
        return;
    }
    for (index, symbol) in (0..).zip(&source.facts.symbols) {
        if !symbol.kind.is_callable() || !symbol.has_body {
            continue;
        }
        let mut names = symbol.qualified.rsplit('.');
        let (last, holder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let label = match (last, holder) {
            ("resolve" | "subscribe", holder) if !holder.is_empty() => format!("field {holder}"),
            (field, "Query" | "Mutation" | "Subscription") => format!("{} {field}", holder.to_lowercase()),
            _ => continue,
        };
        list.push(Entry {
            kind: EntryKind::Resolver,
            label,
            method: None,
            path: None,
            handler: Handler::Function(SymbolId { file, index }),
            registration: None,
            framework: "GraphQL",
        });
    }
}
