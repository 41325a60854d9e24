//! Factories: functions that give the function which does the work, `(deps) => async (id) => { … }`.
//!
//! Calling the factory does nothing yet; what stands in the function it gives happens when that is called.

use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{RegionIndex, SymbolIndex, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, FileId, RepoMap, SymbolId};

/// Functions given by functions given by functions; real code curries twice.
const MAX_LEVELS: usize = 3;

/// The function a factory gives, as a stretch of the factory's own code.
pub type Products = BTreeMap<SymbolId, RegionIndex>;

/// Every factory of the repository.
pub fn products(map: &RepoMap) -> Products {
    let mut found = Products::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.language.is_ecmascript()) {
        let facts = &source.facts;
        for returned in facts.returns.iter().filter(|returned| returned.region.is_none()) {
            let (Some(index), Some(mut region)) = (returned.symbol, function_of(&returned.value)) else { continue };
            for _ in 0..MAX_LEVELS {
                let inner = facts.returns.iter().filter(|inner| inner.region == Some(region));
                match inner.filter_map(|inner| function_of(&inner.value)).next() {
                    Some(deeper) => region = deeper,
                    None => break,
                }
            }
            found.insert(SymbolId { file, index }, region);
        }
    }
    found
}

/// The region of a function written in place.
fn function_of(value: &Expr) -> Option<RegionIndex> {
    match value.peeled() {
        Expr::Function { region, symbol: None, .. } => *region,
        _ => None,
    }
}

/// Names that hold what a factory gave, by file and function, with the factory.
pub type Made = FxHashMap<(FileId, Option<SymbolIndex>, Name), SymbolId>;

/// Every name that holds what a factory gave.
pub fn made(map: &RepoMap, products: &Products) -> Made {
    let mut found = Made::default();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.language.is_ecmascript()) {
        for binding in source.facts.bindings.iter().filter(|one| one.member_of.is_none() && one.taken.is_none()) {
            let factory = binding.value.as_ref().and_then(|value| factory(map, products, file, value));
            if let Some(factory) = factory {
                found.insert((file, binding.owner, binding.name), factory);
            }
        }
    }
    found
}

/// The factory whose product a call runs: `const load = loadFactory({ db }); await load(id)`, the constant imported or not.
pub fn made_by(map: &RepoMap, products: &Products, made: &Made, call: CallId) -> Option<SymbolId> {
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    match (map.target(call), site.callee.peeled()) {
        (CallTarget::Symbols(found), _) => match found.as_slice() {
            [one] if map.symbol(one.symbol).kind == SymbolKind::Constant => {
                let symbol = map.symbol(one.symbol);
                held(map, made, one.symbol.file, symbol.container, symbol.name)
            }
            _ => None,
        },
        (CallTarget::Unresolved, Expr::Name(name)) => held(map, made, call.file, site.caller, *name),
        // `loadFactory({ db })(id)`
        (CallTarget::Unresolved, callee @ Expr::Call(_)) => factory(map, products, call.file, callee),
        (CallTarget::Unresolved | CallTarget::External(_), _) => None,
    }
}

/// The factory an expression calls.
fn factory(map: &RepoMap, products: &Products, file: FileId, made: &Expr) -> Option<SymbolId> {
    let Expr::Call(index) = made.peeled() else { return None };
    let mut all = map.resolved(CallId { file, index: *index }).map(|resolved| resolved.symbol);
    let first = all.next().filter(|symbol| products.contains_key(symbol))?;
    all.next().is_none().then_some(first)
}

/// The factory that gave what a name holds, seen from a function: its own variables, those around it, the module's. A name that
/// is given a value twice, or hidden by a nearer namesake, is not followed.
fn held(map: &RepoMap, made: &Made, file: FileId, owner: Option<SymbolIndex>, name: Name) -> Option<SymbolId> {
    let facts = &map.file(file).facts;
    let mut around = vec![owner];
    while let Some(Some(inner)) = around.last() {
        around.push(facts.symbols[*inner as usize].container);
    }
    let place = around.iter().position(|owner| made.contains_key(&(file, *owner, name)))?;
    let namesakes = facts
        .bindings
        .iter()
        .filter(|binding| binding.name == name && binding.member_of.is_none())
        .filter(|binding| around[..=place].contains(&binding.owner));
    (namesakes.count() == 1).then(|| made[&(file, around[place], name)])
}
