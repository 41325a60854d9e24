//! Components that run a query hook, and the lists that render them: followed from the hook upwards.

use std::collections::{BTreeMap, BTreeSet};

use super::hooks::{are_used, is_hook, waits_for_the_user};
use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::origin::is_bounded;
use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallKind, FileFacts, RegionKind, Symbol};
use crate::repo_map::name::{Name, words};
use crate::repo_map::{CallId, FileRole, RepoMap, SymbolId};

/// Functions between the hook and the list: hooks of the project's own, and components in components.
const MAX_HOPS: usize = 4;

/// A list that renders a component that queries.
pub struct Rendered<'a> {
    /// The element in the list.
    pub list: CallId,
    /// What runs once an item.
    pub iteration: Iteration<'a>,
    /// The component.
    pub component: SymbolId,
    /// Calls from the component to the hook, the hook last.
    pub way: Vec<CallId>,
    /// Every query hook it comes to, the one at the end of the way first.
    pub hooks: Vec<CallId>,
}

/// A parameter the query depends on: its position, and which part of it where the function takes it apart.
type Need = (usize, Option<Name>);

/// A function that queries with what it is given.
struct Asks {
    symbol: SymbolId,
    needs: BTreeSet<Need>,
    way: Vec<CallId>,
}

/// Lists that render a component that queries, grouped by component and by the hook it asks with, in order.
pub fn lists(map: &RepoMap) -> Vec<Vec<Rendered<'_>>> {
    if !are_used(map) {
        return Vec::new();
    }
    let mut level: Vec<Asks> = Vec::new();
    for (call, _) in map.calls() {
        if map.file(call.file).role == FileRole::Production && is_hook(map, call) {
            level.extend(asks(map, call, None, &[]));
        }
    }
    let mut found: BTreeMap<(SymbolId, CallId), Rendered<'_>> = BTreeMap::new();
    for _ in 0..MAX_HOPS {
        let mut next = Vec::new();
        for callee in &level {
            if opens_on_demand(&map.symbol(callee.symbol).name) {
                continue;
            }
            for &call in map.callers(callee.symbol) {
                let site = map.call(call);
                if !matches!(site.kind, CallKind::Call | CallKind::Jsx) || map.is_test(call.file, site.caller) {
                    continue;
                }
                if site.kind == CallKind::Jsx && (is_on_demand(map, call) || is_shown_on_condition(map, call)) {
                    continue;
                }
                match list(map, call, callee) {
                    Some(rendered) => match found.entry((callee.symbol, call)) {
                        std::collections::btree_map::Entry::Occupied(mut known) => {
                            known.get_mut().hooks.extend(rendered.hooks)
                        }
                        std::collections::btree_map::Entry::Vacant(free) => {
                            free.insert(rendered);
                        }
                    },
                    None => next.extend(asks(map, call, Some(&callee.needs), &callee.way)),
                }
            }
        }
        level = next;
    }
    let mut all: Vec<Rendered<'_>> = found.into_values().collect();
    for rendered in &mut all {
        let mut seen = BTreeSet::new();
        rendered.hooks.retain(|hook| seen.insert(*hook));
    }
    let mut groups: Vec<Vec<Rendered<'_>>> = Vec::new();
    for rendered in all {
        let asks_the_same = |group: &&mut Vec<Rendered<'_>>| {
            group[0].component == rendered.component
                || own_hook(map, &group[0]).is_some_and(|hook| Some(hook) == own_hook(map, &rendered))
        };
        match groups.iter_mut().find(asks_the_same) {
            Some(group) => group.push(rendered),
            None => groups.push(vec![rendered]),
        }
    }
    groups
}

/// The hook of the repository that queries, where the component does not do so itself: who gives it a plural form mends every list.
fn own_hook(map: &RepoMap, rendered: &Rendered<'_>) -> Option<SymbolId> {
    map.caller_of(*rendered.hooks.first()?).filter(|function| *function != rendered.component)
}

/// The function around `call`, if what the call needs (all its arguments when `needs` is `None`) depends on its parameters.
fn asks(map: &RepoMap, call: CallId, needs: Option<&BTreeSet<Need>>, way: &[CallId]) -> Option<Asks> {
    let symbol = map.caller_of(call)?;
    let facts = &map.file(call.file).facts;
    let given = given(facts, symbol);
    let is_given = |name: &str| given.iter().any(|(_, names)| names.contains(name));
    if waits_for_the_user(facts, call, &is_given) {
        return None;
    }
    let needed = needed_arguments(facts, call, needs);
    let own: BTreeSet<Need> = given
        .into_iter()
        .filter(|(_, names)| needed.iter().any(|expr| chain::expr_uses(facts, expr, &|name| names.contains(name))))
        .map(|(need, _)| need)
        .collect();
    let mut whole = vec![call];
    whole.extend(way);
    (!own.is_empty()).then_some(Asks { symbol, needs: own, way: whole })
}

/// For each parameter or part of one, the names that depend on it.
fn given(facts: &FileFacts, symbol: SymbolId) -> Vec<(Need, BTreeSet<&str>)> {
    let function: &Symbol = &facts.symbols[symbol.index as usize];
    let own = |binding: &Binding| binding.owner == Some(symbol.index);
    let all = function.parameters.iter().enumerate().flat_map(|(position, parameter)| {
        let parts = parameter.destructured.iter().map(move |(taken, local)| {
            let key = taken.split('.').next().filter(|key| *key != "...").map(Name::from);
            ((position, key), local.as_str())
        });
        std::iter::once(((position, None), parameter.name.as_str())).chain(parts)
    });
    all.filter(|(_, name)| !name.is_empty())
        .map(|(need, name)| (need, place::derived_names(facts, [name].into(), &own)))
        .collect()
}

/// The parts of a call's arguments that the callee's query depends on.
fn needed_arguments<'a>(facts: &'a FileFacts, call: CallId, needs: Option<&BTreeSet<Need>>) -> Vec<&'a Expr> {
    let arguments = &facts.call(call.index).arguments;
    let Some(needs) = needs else { return asked_by(arguments) };
    let mut found = Vec::new();
    for (position, key) in needs {
        let Some(argument) = arguments.get(*position) else { continue };
        match (argument, key) {
            (Expr::Object(entries), Some(wanted)) => {
                found.extend(entries.iter().filter(|(key, _)| key == wanted || key == "...").map(|(_, value)| value));
            }
            // `key` is React's own, no component sees it.
            (Expr::Object(entries), None) => {
                found.extend(entries.iter().filter(|(key, _)| key != "key").map(|(_, value)| value));
            }
            (argument, _) => found.push(argument),
        }
    }
    found
}

/// What a hook's answer is kept under: of options that have a key, that alone. What only picks from the answer asks for nothing.
fn asked_by(arguments: &[Expr]) -> Vec<&Expr> {
    let key = arguments.iter().find_map(|argument| match argument {
        Expr::Object(entries) => entries.iter().find(|(key, _)| key == "queryKey").map(|(_, value)| value),
        _ => None,
    });
    key.map_or_else(|| arguments.iter().collect(), |key| vec![key])
}

/// The list an element stands in, if the query depends on its item.
fn list<'a>(map: &'a RepoMap, call: CallId, callee: &Asks) -> Option<Rendered<'a>> {
    let facts = &map.file(call.file).facts;
    if facts.call(call.index).kind != CallKind::Jsx || map.file(call.file).role != FileRole::Production {
        return None;
    }
    let iteration = place::iterations(map, call).into_iter().find(|iteration| !is_bounded(map, call, iteration))?;
    // Rows of a virtual list are rendered when they scroll into view.
    if iteration.over.is_some_and(|over| {
        is_virtual(facts, over) || is_picked(facts, call.index, over) || is_of_keys(facts, call, over)
    }) {
        return None;
    }
    let names = place::item_names(facts, &iteration);
    let needed = needed_arguments(facts, call, Some(&callee.needs));
    let depends = needed.iter().any(|expr| chain::expr_uses(facts, expr, &|name| names.contains(name)));
    let hook = *callee.way.last()?;
    depends.then(|| Rendered {
        list: call,
        iteration,
        component: callee.symbol,
        way: callee.way.clone(),
        hooks: vec![hook],
    })
}

/// What somebody picked by hand, item by item: `useState([])` of the component, the fields of a form, or the `value` of a control. Few,
/// and each is asked for as it is picked.
fn is_picked(facts: &FileFacts, call: u32, over: &Expr) -> bool {
    let Some(name) = over.peeled().root_name() else { return false };
    let is_state = facts.bindings.iter().any(|own| {
        own.name == name
            && own.taken.as_deref() == Some("0")
            && matches!(own.value.as_ref().map(Expr::peeled), Some(Expr::Call(index)) if facts.call(*index).name == "useState"
                && matches!(facts.call(*index).arguments.first(), Some(Expr::Array(items)) if items.is_empty()))
    });
    // The rows of a form are added one by one.
    let is_of_form = facts.bindings.iter().any(|own| {
        own.name == name
            && matches!(own.value.as_ref().map(Expr::peeled), Some(Expr::Call(index)) if facts.call(*index).name == "useFieldArray")
    });
    let is_property = facts.call(call).caller.is_some_and(|component| {
        let parameters = &facts.symbols[component as usize].parameters;
        parameters.iter().any(|own| own.name == name || own.destructured.iter().any(|(_, local)| *local == name))
    });
    let is_control = matches!(name, "value" | "values" | "fields")
        || words(name)
            .first()
            .is_some_and(|word| matches!(word.as_str(), "selected" | "checked" | "picked" | "chosen"));
    is_state || is_of_form || is_property && is_control
}

/// `Object.entries(session.grants)`: what one thing holds under names is no list of things.
fn is_of_keys(facts: &FileFacts, call: CallId, over: &Expr) -> bool {
    let over = place::resolve(facts, facts.call(call.index).caller, over);
    let mut found = false;
    chain::walk_deep(facts, over, &mut |inner| {
        let Expr::Call(index) = inner else { return };
        let callee = facts.call(*index).callee.dotted();
        found |= matches!(callee.as_deref(), Some("Object.keys" | "Object.entries" | "Object.values"));
    });
    found
}

fn is_virtual(facts: &FileFacts, over: &Expr) -> bool {
    let mut found = false;
    chain::walk_deep(facts, over, &mut |inner| {
        let name = match inner {
            Expr::Call(index) => Some(facts.call(*index).name.as_str()),
            other => other.last_name(),
        };
        found |= name.is_some_and(|name| words(name).iter().any(|word| word.starts_with("virtual")));
    });
    found
}

/// Whether an element is rendered under a condition within what surrounds it: `selected && <Details />`.
fn is_shown_on_condition(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(_, region)| !matches!(region.kind, RegionKind::Loop(_) | RegionKind::Callback { .. }))
        .any(|(_, region)| matches!(region.kind, RegionKind::Branch))
}

/// Whether an element stands inside one whose content appears when the user asks for it.
fn is_on_demand(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let own = facts.call(call.index).span;
    facts.calls.iter().any(|other| {
        other.kind == CallKind::Jsx && other.span != own && other.span.contains(own) && opens_on_demand(&other.name)
    })
}

/// Names of components that show themselves on demand.
fn opens_on_demand(name: &str) -> bool {
    const ON_DEMAND: &[&str] = &[
        "dialog",
        "modal",
        "popover",
        "tooltip",
        "dropdown",
        "menu",
        "sheet",
        "drawer",
        "collapsible",
        "accordion",
        "hover",
        "tab",
        "tabs",
        "popup",
        "lightbox",
        "lazy",
    ];
    words(name).iter().any(|word| ON_DEMAND.contains(&word.as_str()))
}
