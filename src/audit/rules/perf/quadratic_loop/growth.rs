//! Growth: a collection copied or moved as a whole for each item added to it or taken from it.

use crate::audit::place::Iteration;
use crate::audit::rules::perf::per_item::origin::is_bounded;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::audit::rules::perf::quadratic_loop::lists::Lists;
use crate::audit::rules::perf::quadratic_loop::lists::extent::Extent;
use crate::audit::rules::perf::quadratic_loop::lists::shape::Shape;
use crate::effects::Effects;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallIndex, FileFacts, LanguageName, LoopForm, RegionIndex, RegionKind, SymbolIndex};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SourceFile};

/// What is done to the whole collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Copying {
    /// `[...list, item]`, `list.concat(item)`.
    Array,
    /// `{ ...object, [key]: value }`.
    Object,
    /// `text = format!("{text}…")`.
    Text,
    /// `list.remove(0)`, `list.insert(0, item)`: every element moves up or down.
    Shifting,
}

/// A collection copied once an item.
pub struct Growth {
    /// The file.
    pub file: FileId,
    /// The function around it.
    pub symbol: Option<SymbolIndex>,
    /// Where it stands.
    pub line: u32,
    /// The loop.
    pub region: RegionIndex,
    /// Name of the collection.
    pub name: Name,
    /// What is done to it.
    pub copying: Copying,
    /// The call of `reduce`, for an accumulator.
    pub reduce: Option<CallIndex>,
    /// How often the loop runs.
    pub items: Extent,
}

/// Every collection that is copied once an item, in code that ships.
pub fn growths(map: &RepoMap, effects: &Effects) -> Vec<Growth> {
    map.files_with_ids().flat_map(|(file, _)| growths_in(map, effects, file)).collect()
}

/// The same for one file.
pub fn growths_in(map: &RepoMap, effects: &Effects, file: FileId) -> Vec<Growth> {
    let mut found = Vec::new();
    let source = map.file(file);
    if source.role == FileRole::Production {
        let lists = Lists { map, effects, file };
        accumulators(lists, source, &mut found);
        assigned(lists, source, &mut found);
        shifted(lists, source, &mut found);
    }
    found.retain(|growth| growth.items > Extent::Few && !map.is_test(growth.file, growth.symbol));
    found.sort_by_key(|growth| (growth.file, growth.line, growth.copying));
    found.dedup_by_key(|growth| (growth.file, growth.line));
    found
}

/// `items.reduce((all, item) => ({ ...all, [item.id]: item }), {})`.
fn accumulators(lists: Lists<'_>, source: &SourceFile, found: &mut Vec<Growth>) {
    if source.language == LanguageName::Rust {
        return;
    }
    let facts = &source.facts;
    for returned in &facts.returns {
        let Some(region) = returned.region else { continue };
        let RegionKind::Callback { call: Some(host), parameters, .. } = &facts.regions[region as usize].kind else {
            continue;
        };
        let site = facts.call(*host);
        let Some(name) = parameters.first().filter(|_| matches!(site.name.as_str(), "reduce" | "reduceRight")) else {
            continue;
        };
        let Expr::Member(over, _) = site.callee.peeled() else { continue };
        let Some(copying) = copies(facts, &returned.value, name) else { continue };
        let items = lists.extent(over, Scope::of_call(facts, *host));
        found.push(Growth {
            file: lists.file,
            symbol: site.caller,
            line: returned.line,
            region,
            name: *name,
            copying,
            reduce: Some(*host),
            items,
        });
    }
}

/// What `value` copies of `name`, if it is a copy of it with more.
fn copies(facts: &FileFacts, value: &Expr, name: &str) -> Option<Copying> {
    let is_it = |expr: &Expr| matches!(expr.peeled(), Expr::Name(own) if own == name);
    match value.peeled() {
        Expr::Object(entries) => {
            let spreads = entries.iter().any(|(key, value)| {
                key == "..." && (is_it(value) || matches!(value, Expr::Spread(inner) if is_it(inner)))
            });
            (spreads && entries.len() > 1).then_some(Copying::Object)
        }
        Expr::Array(items) => {
            let spreads = items.iter().any(|item| matches!(item, Expr::Spread(inner) if is_it(inner)));
            (spreads && items.len() > 1).then_some(Copying::Array)
        }
        Expr::Call(index) => {
            let site = facts.call(*index);
            match site.callee.peeled() {
                Expr::Member(object, method) if method == "concat" && is_it(object) => Some(Copying::Array),
                Expr::Member(object, method)
                    if method == "assign"
                        && object.last_name() == Some("Object")
                        && matches!(site.arguments.first(), Some(Expr::Object(_)))
                        && site.arguments.iter().skip(1).any(is_it) =>
                {
                    Some(Copying::Object)
                }
                _ => None,
            }
        }
        // `keep ? [...all, item] : all`
        Expr::Either(items) => items.iter().find_map(|item| copies(facts, item, name)),
        _ => None,
    }
}

/// `list = [...list, item]` in a loop; in Rust, `text = format!("{text}…")`.
fn assigned(lists: Lists<'_>, source: &SourceFile, found: &mut Vec<Growth>) {
    let facts = &source.facts;
    let rust = source.language == LanguageName::Rust;
    for assignment in facts.assignments.iter().filter(|assignment| assignment.operator == "=") {
        let Expr::Name(name) = &assignment.target else { continue };
        let copying = if rust {
            appends_by_format(facts, &assignment.value, name)
        } else {
            copies(facts, &assignment.value, name)
        };
        let Some(copying) = copying else { continue };
        // What is made from text (`list = list.concat(…)` on a string) is no list.
        let Some((region, items)) = loop_around(lists, assignment.region, name) else { continue };
        found.push(Growth {
            file: lists.file,
            symbol: assignment.symbol,
            line: assignment.line,
            region,
            name: *name,
            copying,
            reduce: None,
            items,
        });
    }
}

fn appends_by_format(facts: &FileFacts, value: &Expr, name: &str) -> Option<Copying> {
    let template = match value.peeled() {
        Expr::Template(parts) => Some(parts),
        Expr::Call(index) if facts.call(*index).name == "format" => {
            facts.call(*index).arguments.iter().find_map(|argument| match argument {
                Expr::Template(parts) => Some(parts),
                _ => None,
            })
        }
        _ => None,
    }?;
    let first = template.iter().find(|part| !matches!(part, TemplatePart::Text(text) if text.is_empty()))?;
    matches!(first, TemplatePart::Hole(hole) if matches!(hole.peeled(), Expr::Name(own) if own == name))
        .then_some(Copying::Text)
}

/// `list.remove(0)` and `list.insert(0, item)` on a vector, once an item.
fn shifted(lists: Lists<'_>, source: &SourceFile, found: &mut Vec<Growth>) {
    if source.language != LanguageName::Rust {
        return;
    }
    let facts = &source.facts;
    for (index, site) in (0..).zip(&facts.calls) {
        let first = matches!(site.arguments.first(), Some(Expr::Number(number)) if number == "0");
        if !first || !matches!((site.name.as_str(), site.arguments.len()), ("remove", 1) | ("insert", 2)) {
            continue;
        }
        let Expr::Member(receiver, _) = site.callee.peeled() else { continue };
        let Expr::Name(name) = receiver.peeled() else { continue };
        let scope = Scope::of_call(facts, index);
        if lists.map.resolved(CallId { file: lists.file, index }).next().is_some()
            || lists.shape(receiver, scope) != Shape::List
            || is_deque(scope, name)
        {
            continue;
        }
        let Some((region, items)) = loop_around(lists, site.region, name) else { continue };
        found.push(Growth {
            file: lists.file,
            symbol: site.caller,
            line: site.line,
            region,
            name: *name,
            copying: Copying::Shifting,
            reduce: None,
            items,
        });
    }
}

/// A `VecDeque` has both ends.
fn is_deque(scope: Scope<'_>, name: &str) -> bool {
    let Meaning::Declared(binding) = scope.look_up(name) else { return true };
    let says = |text: Option<&str>| text.is_some_and(|text| text.contains("Deque"));
    says(binding.declared_type.as_deref())
        || binding.value.as_ref().is_some_and(|value| match value.peeled() {
            Expr::Call(index) => says(scope.facts.call(*index).callee.dotted().as_deref()),
            _ => false,
        })
}

/// The innermost loop that runs often around a place, when `name` lives longer than one of its rounds.
fn loop_around(lists: Lists<'_>, region: Option<RegionIndex>, name: &str) -> Option<(RegionIndex, Extent)> {
    let facts = lists.facts();
    let call = facts.calls.iter().position(|site| site.region == region);
    for (index, around) in facts.enclosing_regions(region) {
        let RegionKind::Loop(statement) = &around.kind else {
            if matches!(around.kind, RegionKind::Callback { .. }) {
                return None;
            }
            continue;
        };
        let made_here = facts.bindings.iter().any(|binding| binding.name == name && around.span.contains(binding.span));
        if made_here || statement.bindings.iter().any(|own| own == name) {
            return None;
        }
        match statement.form {
            LoopForm::Each | LoopForm::Keys | LoopForm::WhileLet => {}
            // How often a `while` runs is not written down; a counter often counts to a few.
            LoopForm::While | LoopForm::Counter | LoopForm::Endless => continue,
        }
        let iteration = Iteration {
            region: index,
            bindings: statement.bindings.iter().map(Name::as_str).collect(),
            over: statement.over.as_ref(),
            statement: Some(statement),
            host: None,
        };
        let bounded = call.is_some_and(|call| {
            is_bounded(lists.map, CallId { file: lists.file, index: call as CallIndex }, &iteration)
        });
        let over = statement.over.as_ref()?;
        let items = lists.extent(over, Scope::around(facts, index));
        return (!bounded).then_some((index, items));
    }
    None
}
