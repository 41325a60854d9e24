//! Given: the caller hands in what the query would ask for, and the function only asks when nobody did.

use crate::effects::Cause;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{BindingKind, CallKind, FileFacts, RegionIndex, RegionKind};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// `head(row, Known::Given(owner), db)` where the query stands in another arm of `match owner { Known::Given(owner) => …, … }`.
pub fn is_given(map: &RepoMap, causes: &[Cause]) -> bool {
    causes
        .windows(2)
        .any(|pair| pair[0].through.is_some_and(|function| answers(map, pair[0].call, function, pair[1].call)))
}

fn answers(map: &RepoMap, call: CallId, function: SymbolId, query: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let parameters = &map.symbol(function).parameters;
    query.file == function.file
        && facts.call(call.index).arguments.iter().zip(parameters).any(|(argument, parameter)| {
            variant(facts, argument)
                .is_some_and(|variant| is_in_another_arm(&map.file(query.file).facts, query, &parameter.name, variant))
        })
}

/// `Given` for `Known::Given(owner)`.
fn variant<'f>(facts: &'f FileFacts, argument: &Expr) -> Option<&'f str> {
    let Expr::Call(index) = argument.peeled() else { return None };
    let site = facts.call(*index);
    let is_path = matches!(site.callee, Expr::Name(_) | Expr::Path(_));
    let is_variant = site.kind == CallKind::Call && is_path && site.name.starts_with(|c: char| c.is_ascii_uppercase());
    is_variant.then_some(site.name.as_str())
}

/// Whether the query runs only where `parameter` is something else than `variant`.
fn is_in_another_arm(facts: &FileFacts, query: CallId, parameter: &str, variant: &str) -> bool {
    let is_it = |expr: &Expr| expr.root_name() == Some(parameter);
    let takes_it = |taken: &str| {
        let first = taken.split('.').next().unwrap_or_default();
        first.rsplit("::").next() == Some(variant)
    };
    let own_regions: Vec<RegionIndex> =
        facts.enclosing_regions(facts.call(query.index).region).map(|(index, _)| index).collect();
    own_regions.iter().map(|&own| &facts.regions[own as usize]).any(|region| {
        matches!(region.kind, RegionKind::Branch)
            && facts.bindings.iter().any(|binding| {
                binding.kind == BindingKind::Pattern
                    && binding.value.as_ref().is_some_and(is_it)
                    && binding.taken.as_deref().is_some_and(takes_it)
                    && binding.region.is_some_and(|arm| {
                        !own_regions.contains(&arm) && facts.regions[arm as usize].parent == region.parent
                    })
            })
    })
}
