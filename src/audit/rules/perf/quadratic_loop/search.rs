//! Searches: a list walked from its start to find one element, and the loops that do it once an item.

use std::collections::BTreeSet;

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::origin::is_bounded;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::audit::rules::perf::quadratic_loop::lists::Lists;
use crate::audit::rules::perf::quadratic_loop::lists::extent::Extent;
use crate::audit::rules::perf::quadratic_loop::lists::shape::Shape;
use crate::effects::{Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, LoopForm, RegionIndex, RegionKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileRole, How, RepoMap, SymbolId};

/// How a list is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Whether a value is among the elements: `includes`, `contains`, `indexOf`.
    Member,
    /// The first element with some key: `find`, `some`, `any`, `position`.
    First,
    /// All elements with some key: `filter`.
    All,
}

/// One search of a list for one value.
pub struct Search<'a> {
    /// The call that searches.
    pub call: CallId,
    /// How.
    pub way: Way,
    /// What is searched, calls that pass it on taken off.
    pub list: &'a Expr,
    /// What is looked for.
    keys: Vec<&'a Expr>,
    /// The callback's region, when a callback compares.
    callback: Option<RegionIndex>,
}

/// A search that a loop runs once an item.
pub struct SearchPerItem<'a> {
    /// The search, or the call of a function that searches.
    pub call: CallId,
    /// How the list is searched.
    pub way: Way,
    /// The search itself, when `call` only leads to it.
    pub through: Option<(SymbolId, CallId)>,
    /// What is searched, as the loop names it.
    pub list: &'a Expr,
    /// The loop.
    pub iteration: Iteration<'a>,
    /// How often the loop runs.
    pub items: Extent,
    /// How long the list is.
    pub length: Extent,
    /// The loop ends at its first hit.
    pub leaves_early: bool,
}

/// The search a call is, in code that ships.
fn shipped_search<'a>(map: &'a RepoMap, effects: &'a Effects, call: CallId) -> Option<Search<'a>> {
    let ships = map.file(call.file).role == FileRole::Production;
    ships.then(|| search(map, effects, call)).flatten().filter(|search| !place::in_test(map, search.call))
}

fn search<'a>(map: &'a RepoMap, effects: &'a Effects, call: CallId) -> Option<Search<'a>> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let rust = source.language == LanguageName::Rust;
    let site = facts.call(call.index);
    let Expr::Member(receiver, _) = site.callee.peeled() else { return None };
    let way = match (site.name.as_str(), rust) {
        ("includes" | "indexOf" | "lastIndexOf", false) | ("contains", true) => Way::Member,
        ("find" | "findIndex" | "findLast" | "some", false) | ("find" | "any" | "position" | "rposition", true) => {
            Way::First
        }
        ("filter", _) => Way::All,
        _ => return None,
    };
    // The repository's own method of that name does what its author wrote.
    if map.resolved(call).next().is_some() {
        return None;
    }
    let first = site.arguments.first()?;
    let lists = Lists { map, effects, file: call.file };
    let scope = Scope::of_call(facts, call.index);
    if way == Way::Member {
        let whole = lists.shape(receiver, scope);
        if whole != Shape::List {
            return None;
        }
        return Some(Search { call, way, list: base(facts, receiver, rust)?, keys: vec![first], callback: None });
    }
    let Expr::Function { region: Some(region), is_async: false, .. } = first.peeled() else { return None };
    let list = base(facts, receiver, rust)?;
    if rust && !is_iterated(facts, receiver) {
        return None;
    }
    if matches!(lists.shape(list, scope), Shape::Other) && !matches!(list.peeled(), Expr::Call(_)) {
        return None;
    }
    let keys = compared_keys(facts, *region)?;
    Some(Search { call, way, list, keys, callback: Some(*region) })
}

/// Methods whose result is searched as its receiver would be.
const STEPS: &[&str] = &[
    "map",
    "filter",
    "slice",
    "sort",
    "toSorted",
    "reverse",
    "toReversed",
    "values",
    "keys",
    "entries",
    "iter",
    "into_iter",
    "iter_mut",
    "enumerate",
    "rev",
    "cloned",
    "copied",
    "as_slice",
    "to_vec",
    "clone",
    "as_ref",
    "skip",
    "values_mut",
];

/// What is searched behind calls that only pass it on: `folders` for `folders.iter().rev()` and `Object.values(folders)`.
fn base<'a>(facts: &'a FileFacts, receiver: &'a Expr, rust: bool) -> Option<&'a Expr> {
    let mut current = receiver.peeled();
    for _ in 0..8 {
        match current {
            Expr::Name(_) | Expr::Member(..) => return Some(current),
            Expr::Binary(operator, left, _) if matches!(operator.as_str(), "??" | "||") => current = left.peeled(),
            Expr::Call(index) => {
                let site = facts.call(*index);
                current = match site.callee.peeled() {
                    Expr::Member(object, _) if !rust && matches!(object.last_name(), Some("Object" | "Array")) => {
                        site.arguments.first()?.peeled()
                    }
                    Expr::Member(object, name) if STEPS.contains(&name.as_str()) => object.peeled(),
                    _ => return None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// `list.iter()` and the like: in Rust, `find` and `filter` of anything else may be those of an `Option` or of text.
fn is_iterated(facts: &FileFacts, receiver: &Expr) -> bool {
    let mut current = receiver.peeled();
    while let Expr::Call(index) = current {
        let site = facts.call(*index);
        if matches!(site.name.as_str(), "iter" | "into_iter" | "iter_mut" | "values" | "keys") {
            return true;
        }
        let Expr::Member(object, _) = site.callee.peeled() else { return false };
        current = object.peeled();
    }
    false
}

/// What a callback compares its element with, when it is nothing but an equality, or one among conditions that all must hold.
fn compared_keys(facts: &FileFacts, region: RegionIndex) -> Option<Vec<&Expr>> {
    let RegionKind::Callback { parameters, .. } = &facts.regions[region as usize].kind else { return None };
    let mut returned = facts.returns.iter().filter(|returned| returned.region == Some(region));
    let (value, None) = (returned.next()?, returned.next()) else { return None };
    let mut keys = Vec::new();
    let mut open = vec![&value.value];
    while let Some(condition) = open.pop() {
        match condition.peeled() {
            Expr::Binary(operator, left, right) if operator == "&&" => open.extend([right.as_ref(), left.as_ref()]),
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "===" | "==") => {
                let of_element =
                    |side: &Expr| chain::expr_uses(facts, side, &|name| parameters.iter().any(|own| own == name));
                match (of_element(left), of_element(right)) {
                    (true, false) => keys.push(right.as_ref()),
                    (false, true) => keys.push(left.as_ref()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    (!keys.is_empty()).then_some(keys)
}

/// Searches that run once an item of a loop around them, or around a call of the function they stand in.
pub fn per_item<'a>(map: &'a RepoMap, effects: &'a Effects) -> Vec<SearchPerItem<'a>> {
    let mut found = Vec::new();
    for search in map.calls().filter_map(|(call, _)| shipped_search(map, effects, call)) {
        match local(map, effects, &search) {
            Some(one) => found.push(one),
            None => found.extend(through_calls(map, effects, &search)),
        }
    }
    found.sort_by_key(|one| one.call);
    found
}

/// What `call` searches once an item, itself or through the function it calls.
pub fn at_call<'a>(map: &'a RepoMap, effects: &'a Effects, call: CallId) -> Option<SearchPerItem<'a>> {
    if let Some(found) = shipped_search(map, effects, call).and_then(|search| local(map, effects, &search)) {
        return Some(found);
    }
    let inner = map.resolved(call).flat_map(|resolved| map.calls_in(resolved.symbol));
    let searches = inner.filter_map(|inner| shipped_search(map, effects, inner));
    let kept = searches.filter(|search| local(map, effects, search).is_none());
    kept.flat_map(|search| through_calls(map, effects, &search)).find(|one| one.call == call)
}

fn local<'a>(map: &'a RepoMap, effects: &'a Effects, search: &Search<'a>) -> Option<SearchPerItem<'a>> {
    let facts = &map.file(search.call.file).facts;
    let around = around(map, search.call, search.list, &|names| {
        search.keys.iter().any(|key| chain::expr_uses(facts, key, &|name| names.contains(name)))
    })?;
    let lists = Lists { map, effects, file: search.call.file };
    let length = lists.extent(search.list, Scope::of_call(facts, search.call.index));
    around.per_item(lists, search.call, search.way, None, search.list, length)
}

/// The loops around a call that its list does not depend on, innermost first; the first of them gives what is looked for.
struct Around<'a> {
    loops: Vec<Iteration<'a>>,
}

fn around<'a>(
    map: &'a RepoMap,
    call: CallId,
    list: &Expr,
    varies: &dyn Fn(&BTreeSet<&'a str>) -> bool,
) -> Option<Around<'a>> {
    let facts = &map.file(call.file).facts;
    let mut loops = Vec::new();
    let mut looked_for = false;
    for iteration in place::iterations(map, call) {
        let body = facts.regions[iteration.region as usize].span;
        let names = place::item_names(facts, &iteration);
        let made_here = |name: &str| {
            names.contains(name)
                || facts.bindings.iter().any(|binding| binding.name == name && body.contains(binding.span))
        };
        if chain::expr_uses(facts, list, &made_here) {
            break;
        }
        if iteration.statement.is_some_and(|statement| !is_over_items(statement.form)) {
            continue;
        }
        looked_for |= varies(&names);
        // A loop around the one that gives the value only runs it more often.
        if looked_for {
            loops.push(iteration);
        }
    }
    (!loops.is_empty()).then_some(Around { loops })
}

fn is_over_items(form: LoopForm) -> bool {
    match form {
        LoopForm::Each | LoopForm::Keys | LoopForm::WhileLet => true,
        LoopForm::Counter | LoopForm::While | LoopForm::Endless => false,
    }
}

impl<'a> Around<'a> {
    fn per_item(
        self,
        lists: Lists<'a>,
        call: CallId,
        way: Way,
        through: Option<(SymbolId, CallId)>,
        list: &'a Expr,
        length: Extent,
    ) -> Option<SearchPerItem<'a>> {
        let facts = lists.facts();
        let (iteration, items) = self
            .loops
            .into_iter()
            .filter(|iteration| !is_bounded(lists.map, call, iteration))
            .map(|iteration| {
                let items = iteration
                    .over
                    .map_or(Extent::Unknown, |over| lists.extent(over, Scope::around(facts, iteration.region)));
                (iteration, items)
            })
            .filter(|(_, items)| *items > Extent::Few)
            // The innermost of equals.
            .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        if length == Extent::Few {
            return None;
        }
        let leaves_early = iteration.statement.is_some_and(|statement| statement.exits_early)
            || iteration.host.is_some_and(|host| {
                matches!(
                    facts.call(host).name.as_str(),
                    "some" | "find" | "findIndex" | "every" | "any" | "all" | "position" | "find_map"
                )
            });
        Some(SearchPerItem { call, way, through, list, iteration, items, length, leaves_early })
    }
}

/// A function that searches one of its parameters for another: the loops around its calls.
fn through_calls<'a>(map: &'a RepoMap, effects: &'a Effects, search: &Search<'a>) -> Vec<SearchPerItem<'a>> {
    let facts = &map.file(search.call.file).facts;
    let (Some(function), Expr::Name(list)) = (map.caller_of(search.call), search.list.peeled()) else {
        return Vec::new();
    };
    let scope = Scope::of_call(facts, search.call.index);
    let Meaning::Parameter(position) = scope.look_up(list) else { return Vec::new() };
    let symbol = map.symbol(function);
    let own: BTreeSet<&str> = symbol
        .parameters
        .iter()
        .flat_map(|parameter| parameter.destructured.iter().map(|(_, local)| local).chain([&parameter.name]))
        .map(Name::as_str)
        .filter(|name| !name.is_empty() && *name != list.as_str())
        .collect();
    let given = derived(facts, function, own);
    if !search.keys.iter().any(|key| chain::expr_uses(facts, key, &|name| given.contains(name))) {
        return Vec::new();
    }
    if search.callback.is_none()
        && !facts
            .call(search.call.index)
            .arguments
            .iter()
            .any(|argument| chain::expr_uses(facts, argument, &|name| given.contains(name)))
    {
        return Vec::new();
    }
    let parameter = &symbol.parameters[position];
    let key = parameter.destructured.iter().find(|(_, local)| local == list).map(|(key, _)| *key);
    let mut found = Vec::new();
    for &caller in map.callers(function) {
        let site = map.call(caller);
        let resolved: Vec<_> = map.resolved(caller).collect();
        if resolved.len() != 1
            || resolved[0].how == How::Dispatch
            || map.file(caller.file).role != FileRole::Production
            || place::in_test(map, caller)
        {
            continue;
        }
        let Some(argument) = site.arguments.get(position) else { continue };
        let handed = match (argument.peeled(), key) {
            (Expr::Object(entries), Some(key)) => entries.iter().find(|(name, _)| *name == key).map(|(_, value)| value),
            (whole, None) => Some(whole),
            _ => None,
        };
        let caller_facts = &map.file(caller.file).facts;
        let rust = map.file(caller.file).language == LanguageName::Rust;
        let Some(list) = handed.and_then(|handed| base(caller_facts, handed, rust)) else { continue };
        let others = |names: &BTreeSet<&'a str>| {
            chain::expr_uses(caller_facts, &Expr::Call(caller.index), &|name| names.contains(name))
        };
        let Some(around) = around(map, caller, list, &others) else { continue };
        let lists = Lists { map, effects, file: caller.file };
        let length = lists.extent(list, Scope::of_call(caller_facts, caller.index));
        found.extend(around.per_item(lists, caller, search.way, Some((function, search.call)), list, length));
    }
    found
}

/// Names of a function whose value comes from `names`, by declaration or assignment.
fn derived<'a>(facts: &'a FileFacts, function: SymbolId, mut names: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    loop {
        let before = names.len();
        for binding in facts.bindings.iter().filter(|binding| binding.owner == Some(function.index)) {
            if binding.value.as_ref().is_some_and(|value| chain::expr_uses(facts, value, &|name| names.contains(name)))
            {
                names.insert(&binding.name);
            }
        }
        if names.len() == before {
            return names;
        }
    }
}
