//! Asynchrony: which functions give a promise or a future, written `async` or not, and which give a function that does.

mod names;

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::asynchrony::names::Names;
use crate::effects::{DirectEffect, promises, tables};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, FileFacts, LanguageName, Symbol, SymbolIndex, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, FileId, RepoMap, SymbolId};

/// What is asynchronous in a repository.
#[derive(Debug, Clone, Default)]
pub struct Asynchrony {
    /// Functions that give a promise or a future when they are called.
    pub functions: BTreeSet<SymbolId>,
    /// Functions that give such a function: `const saveWith = (db) => async (row) => …`.
    pub factories: BTreeSet<SymbolId>,
    /// Names of methods of which all the repository defines are asynchronous.
    names: Names,
}

/// What a function without a declared type hands back.
struct Open<'a> {
    id: SymbolId,
    values: Vec<&'a Expr>,
}

/// What of the repository is asynchronous.
///
/// A function without a declared type counts when everything it returns is a call of one that does.
pub fn asynchrony(map: &RepoMap, direct: &BTreeMap<CallId, Vec<DirectEffect>>) -> Asynchrony {
    let mut found = Asynchrony::default();
    for (id, symbol) in map.symbols() {
        let rust = map.file(id.file).language == LanguageName::Rust;
        if declared_async(symbol, rust) {
            found.functions.insert(id);
        } else if !rust && symbol.kind.is_callable() && symbol.return_type.as_deref().is_some_and(gives_async_function)
        {
            found.factories.insert(id);
        }
    }
    let mut open = open_functions(map, &found);
    let mut constants = open_constants(map);
    loop {
        let before = (found.functions.len(), found.factories.len());
        for Open { id, values } in &open {
            if values.iter().all(|value| is_promise(map, direct, &found, *id, value)) {
                found.functions.insert(*id);
            } else if values.iter().all(|value| made_async(map, &found, id.file, value)) {
                found.factories.insert(*id);
            }
        }
        for (id, value) in &constants {
            if made_async(map, &found, id.file, value) {
                found.functions.insert(*id);
            }
        }
        open.retain(|function| !found.functions.contains(&function.id) && !found.factories.contains(&function.id));
        constants.retain(|(id, _)| !found.functions.contains(id));
        if (found.functions.len(), found.factories.len()) == before {
            found.names = names::names(map, &found.functions);
            return found;
        }
    }
}

fn open_functions<'a>(map: &'a RepoMap, found: &Asynchrony) -> Vec<Open<'a>> {
    let mut open: BTreeMap<SymbolId, Vec<&Expr>> = BTreeMap::new();
    for (file, source) in map.files_with_ids() {
        for returned in source.facts.returns.iter().filter(|returned| returned.region.is_none()) {
            let Some(index) = returned.symbol else { continue };
            let id = SymbolId { file, index };
            let symbol = map.symbol(id);
            // A type that was written down is believed as far as it can be read; an alias (`: SaveOrder`) says nothing here.
            let is_open = symbol.return_type.is_none() || matches!(returned.value, Expr::Function { .. });
            if symbol.kind.is_callable() && is_open && !found.functions.contains(&id) {
                open.entry(id).or_default().push(handed_back(&source.facts, index, &returned.value));
            }
        }
    }
    let may_be = |value: &&Expr| matches!(value, Expr::Call(_) | Expr::Function { .. });
    let functions = open.into_iter().filter(|(_, values)| values.iter().all(may_be));
    functions.map(|(id, values)| Open { id, values }).collect()
}

/// What a function hands back, casts left out; of `return save` the function `save`, when that stands inside.
fn handed_back<'a>(facts: &'a FileFacts, function: SymbolIndex, value: &'a Expr) -> &'a Expr {
    let value = without_casts(value);
    match value {
        Expr::Name(name) => match local_value(facts, Some(function), name) {
            Some(inner @ Expr::Function { .. }) => inner,
            _ => value,
        },
        _ => value,
    }
}

/// Module-level constants that may hold a function somebody made: `const run = promisify(exec)`.
fn open_constants(map: &RepoMap) -> Vec<(SymbolId, &Expr)> {
    let mut open = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.language.is_ecmascript()) {
        let made: BTreeMap<Name, &Binding> = source
            .facts
            .bindings
            .iter()
            .filter(|binding| binding.owner.is_none() && binding.region.is_none() && binding.taken.is_none())
            .map(|binding| (binding.name, binding))
            .collect();
        for (symbol, index) in source.facts.symbols.iter().zip(0..) {
            if symbol.kind == SymbolKind::Constant
                && let Some(value) = made.get(&symbol.name).and_then(|binding| binding.value.as_ref())
                && matches!(value, Expr::Call(_))
            {
                open.push((SymbolId { file, index }, value));
            }
        }
    }
    open
}

fn declared_async(symbol: &Symbol, rust: bool) -> bool {
    let declares = |is_async_type: fn(&str) -> bool| {
        symbol.kind.is_callable() && symbol.return_type.as_deref().is_some_and(is_async_type)
    };
    if rust {
        return symbol.is_async || declares(is_future_type);
    }
    // `async *rows()` gives an iterator, at once.
    !is_generator(symbol) && (symbol.is_async || declares(is_promise_type))
}

fn is_generator(symbol: &Symbol) -> bool {
    let head = symbol.signature.split('(').next().unwrap_or_default();
    head.contains('*')
        || symbol.return_type.as_deref().is_some_and(|declared| {
            ["AsyncGenerator", "AsyncIterable", "AsyncIterator"].iter().any(|head| declared.starts_with(head))
        })
}

fn is_future_type(declared: &str) -> bool {
    let declared = declared.trim_start();
    ["BoxFuture<", "LocalBoxFuture<", "Pin<Box<dyn Future"].iter().any(|head| declared.starts_with(head))
        || (declared.starts_with("impl ") && declared.contains("Future<"))
}

/// Whether every value of a TypeScript type is a promise: `Promise<User>`, not `Promise<User> | undefined`.
pub fn is_promise_type(declared: &str) -> bool {
    let parts = split_at_top(declared, "|");
    !parts.is_empty()
        && parts.iter().all(|part| {
            ["Promise<", "PromiseLike<", "Bluebird<"]
                .iter()
                .any(|head| part.strip_prefix(head).is_some_and(closes_at_end))
        })
}

/// `(row: Row) => Promise<void>`.
fn gives_async_function(declared: &str) -> bool {
    let declared = declared.trim();
    declared.starts_with('(')
        && split_at_top(declared, "=>").get(1..).is_some_and(|rest| rest.len() == 1 && is_promise_type(rest[0]))
}

/// Whether the bracket that stands open before `rest` closes with its last letter.
fn closes_at_end(rest: &str) -> bool {
    let mut depth = 1;
    let mut before = ' ';
    for (at, letter) in rest.char_indices() {
        match letter {
            '<' | '(' | '{' | '[' => depth += 1,
            // `=>` closes nothing.
            '>' if before == '=' => {}
            '>' | ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + letter.len_utf8() == rest.len();
        }
        before = letter;
    }
    false
}

/// `declared` in pieces, cut where `separator` stands outside every bracket.
fn split_at_top<'a>(declared: &'a str, separator: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut before) = (0, 0, ' ');
    for (at, letter) in declared.char_indices() {
        if depth == 0 && at >= start && declared[at..].starts_with(separator) {
            parts.push(declared[start..at].trim());
            start = at + separator.len();
        }
        match letter {
            '<' | '(' | '{' | '[' => depth += 1,
            '>' if before == '=' => {}
            '>' | ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        before = letter;
    }
    parts.push(declared[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether what `call` gives is most likely a promise, though the call graph does not know what it calls.
pub fn likely_gives_promise(map: &RepoMap, found: &Asynchrony, call: CallId) -> bool {
    found.names.is_meant_by(map, call)
}

fn is_promise(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    found: &Asynchrony,
    inside: SymbolId,
    value: &Expr,
) -> bool {
    // `peeled` would see through `await`, whose value is no promise any more.
    let Expr::Call(index) = value else { return false };
    let call = CallId { file: inside.file, index: *index };
    !map.call(call).awaited && gives_promise(map, direct, found, call)
}

/// Whether what `call` gives is a promise or a future: every function it may reach gives one, or the API is known to.
pub fn gives_promise(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    found: &Asynchrony,
    call: CallId,
) -> bool {
    let mut resolved = map.resolved(call).peekable();
    if resolved.peek().is_some() {
        return resolved.all(|resolved| found.functions.contains(&resolved.symbol));
    }
    let source = map.file(call.file);
    if source.language.is_ecmascript() {
        let site = map.call(call);
        let called = match without_casts(&site.callee) {
            callee @ Expr::Call(_) => Some(callee),
            Expr::Name(name) if matches!(map.target(call), CallTarget::Unresolved) => {
                local_value(&source.facts, site.caller, name)
            }
            _ => None,
        };
        if called.is_some_and(|called| made_async(map, found, call.file, called)) {
            return true;
        }
        if promises::is_promise(map, call) || reacts_to_promise(map, direct, found, call) {
            return true;
        }
    }
    // `memjs.Client.create` is named like a model's, but a package of its own gives it.
    let is_foreign = matches!(map.target(call), CallTarget::External(outside) if outside.package != "global"
        && direct.get(&call).is_some_and(|effects| effects.iter().any(|effect| !tables::is_of(effect.library, &outside.package))));
    if is_foreign {
        return false;
    }
    // Node's own functions have two forms; [`promises`] tells them apart.
    direct.get(&call).is_some_and(|effects| {
        !effects.is_empty() && effects.iter().all(|effect| effect.is_async && effect.library != "node")
    })
}

/// `save(order).catch(report)`.
fn reacts_to_promise(
    map: &RepoMap,
    direct: &BTreeMap<CallId, Vec<DirectEffect>>,
    found: &Asynchrony,
    call: CallId,
) -> bool {
    let site = map.call(call);
    if !matches!(site.name.as_str(), "then" | "catch" | "finally") {
        return false;
    }
    match &site.callee {
        Expr::Member(receiver, _) => match without_casts(receiver) {
            // A receiver stands before the call, so this ends.
            Expr::Call(inner) if *inner != call.index => {
                gives_promise(map, direct, found, CallId { index: *inner, ..call })
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether `value` is a function that gives a promise.
fn made_async(map: &RepoMap, found: &Asynchrony, file: FileId, value: &Expr) -> bool {
    let is_found = |index: SymbolIndex| found.functions.contains(&SymbolId { file, index });
    match without_casts(value) {
        Expr::Function { is_async: true, .. } => true,
        Expr::Function { symbol: Some(symbol), .. } => is_found(*symbol),
        Expr::Call(index) => {
            let call = CallId { file, index: *index };
            if map.call(call).awaited {
                return false;
            }
            let mut resolved = map.resolved(call).peekable();
            if resolved.peek().is_some() {
                return resolved.all(|resolved| found.factories.contains(&resolved.symbol));
            }
            promises::is_promisify(map, call)
        }
        _ => false,
    }
}

/// `f() as User` is what `f()` gives.
fn without_casts(mut value: &Expr) -> &Expr {
    while let Expr::Unary(operator, inner) = value {
        if !operator.starts_with("as ") && !operator.starts_with("satisfies ") {
            break;
        }
        value = inner;
    }
    value
}

/// What a name was given in the function `owner`, in one around it, or at module level.
fn local_value<'a>(facts: &'a FileFacts, owner: Option<SymbolIndex>, name: &Name) -> Option<&'a Expr> {
    let mut owner = owner;
    loop {
        let mut given = facts.bindings.iter().filter(|binding| {
            binding.owner == owner && binding.name == *name && binding.member_of.is_none() && binding.taken.is_none()
        });
        if let Some(binding) = given.next() {
            // Two variables of one name: which one is meant is not known here.
            return if given.next().is_none() { binding.value.as_ref() } else { None };
        }
        owner = facts.symbols[owner? as usize].container;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_a_promise_when_all_its_values_are() {
        assert!(is_promise_type("Promise<User | undefined>"));
        assert!(is_promise_type("Promise<(a: number) => void>"));
        assert!(is_promise_type("Promise<A> | Promise<B>"));
        assert!(!is_promise_type("Promise<User> | undefined"));
        assert!(!is_promise_type("void | Promise<void>"));
        assert!(!is_promise_type("Promise<User>[]"));
        assert!(!is_promise_type("PromiseState"));
    }

    #[test]
    fn a_function_type_that_ends_in_a_promise_is_asynchronous() {
        assert!(gives_async_function("(row: { id: string }) => Promise<void>"));
        assert!(!gives_async_function("(row: Row) => void"));
        assert!(!gives_async_function("(row: Row) => (id: string) => Promise<void>"));
        assert!(!gives_async_function("Promise<() => Promise<void>>"));
    }
}
