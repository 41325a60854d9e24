//! Where the items of a loop come from: how many there may be depends on it.

use crate::audit::place::{self, Iteration};
use crate::audit::rules::perf::per_item::hand_written::is_hand_written;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::{Effect, Effects};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, LoopForm};
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Expressions entered below one another. A list goes through few hands; input that refers in a circle must end.
const MAX_DEPTH: usize = 8;

/// Items that nobody minds: a loop over `.slice(0, 5)`.
const FEW: u32 = 10;

/// Where the items come from, the longest lists first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Rows of a query.
    Query(CallId),
    /// A list of ids a caller sends to have them all worked on.
    Ids,
    /// A parameter of the function.
    Parameter,
    /// A list in what a caller sends: a form, a request body.
    Form,
    /// Not known.
    Unknown,
    /// A list that belongs to one thing: `self.tags`, `team.groups`.
    Entity,
}

impl Origin {
    /// Whether the list grows with the data.
    pub fn is_long(self) -> bool {
        matches!(self, Origin::Query(_) | Origin::Ids)
    }
}

/// Calls that give the items they are called on, fewer or in another order.
pub(super) const PASSES_ON: &[&str] = &[
    "iter",
    "into_iter",
    "iter_mut",
    "enumerate",
    "rev",
    "cloned",
    "copied",
    "flatten",
    "flat",
    "filter",
    "filter_map",
    "map",
    "collect",
    "sort",
    "sorted",
    "sort_by",
    "sorted_by_key",
    "toSorted",
    "reverse",
    "toReversed",
    "slice",
    "concat",
    "values",
    "keys",
    "entries",
    "flatMap",
    "as_slice",
    "to_vec",
    "clone",
    "unwrap_or_default",
    "unwrap",
    "expect",
    "drain",
    "into_values",
    "into_keys",
    "skip",
    "unique",
    "uniq",
    "then",
    "from",
    "as_ref",
    "as_deref",
    "into_inner",
];

/// Where the items of `iteration` come from.
pub fn origin(map: &RepoMap, effects: &Effects, call: CallId, iteration: &Iteration<'_>) -> Origin {
    let facts = &map.file(call.file).facts;
    let Some(over) = iteration.over.map(|over| listed(iteration, over)) else { return Origin::Unknown };
    let start = Scope::around(facts, iteration.region);
    let asked = Asked { map, effects, call };
    match asked.origin(over, start, 0) {
        Origin::Query(source) => Origin::Query(source),
        other if is_id_list(map, call, facts, over) => match other {
            Origin::Entity => Origin::Entity,
            _ => Origin::Ids,
        },
        other => other,
    }
}

/// What a loop runs over; for a counter, the list it is compared with the length of.
pub fn listed<'a>(iteration: &Iteration<'a>, over: &'a Expr) -> &'a Expr {
    if !iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) {
        return over;
    }
    match over.peeled() {
        Expr::Binary(_, _, right) => match right.peeled() {
            Expr::Member(object, name) if matches!(name.as_str(), "length" | "size") => object,
            other => other,
        },
        other => other,
    }
}

struct Asked<'a> {
    map: &'a RepoMap,
    effects: &'a Effects,
    call: CallId,
}

impl Asked<'_> {
    fn origin(&self, expr: &Expr, scope: Scope<'_>, depth: usize) -> Origin {
        if depth > MAX_DEPTH {
            return Origin::Unknown;
        }
        match expr.peeled() {
            Expr::Name(name) => match scope.look_up(name) {
                Meaning::Parameter(_) => Origin::Parameter,
                Meaning::Unknown => Origin::Unknown,
                Meaning::Declared(_) => {
                    if let Some((taken, whole, place)) = scope.part(name) {
                        return match self.origin(whole, place, depth + 1) {
                            // `const { tags } = await findArticle(id)`: a list that belongs to the one row.
                            Origin::Query(_) if is_key(taken) && !is_row_list(taken) => Origin::Entity,
                            Origin::Parameter => Origin::Form,
                            other => other,
                        };
                    }
                    let (value, place) = scope.resolve(expr);
                    if std::ptr::eq(value, expr.peeled()) || matches!(value, Expr::Name(_)) {
                        return match value {
                            Expr::Name(last) if matches!(place.look_up(last), Meaning::Parameter(_)) => {
                                Origin::Parameter
                            }
                            _ => Origin::Unknown,
                        };
                    }
                    self.origin(value, place, depth + 1)
                }
            },
            Expr::Call(index) => self.of_call(scope, *index, depth),
            Expr::Member(object, name) => match object.peeled() {
                Expr::This => Origin::Entity,
                object => match self.origin(object, scope, depth + 1) {
                    Origin::Query(source) if is_row_list(name) => Origin::Query(source),
                    Origin::Query(_) | Origin::Entity => Origin::Entity,
                    Origin::Parameter | Origin::Form | Origin::Ids => Origin::Form,
                    Origin::Unknown => match object.root_name() {
                        Some("input" | "body" | "data" | "payload" | "req" | "request") => Origin::Form,
                        _ => Origin::Unknown,
                    },
                },
            },
            Expr::Binary(operator, left, _) if matches!(operator.as_str(), "??" | "||") => {
                self.origin(left, scope, depth + 1)
            }
            Expr::Spread(inner) => self.origin(inner, scope, depth + 1),
            Expr::Array(items) | Expr::Either(items) => {
                items.iter().map(|item| self.origin(item, scope, depth + 1)).min().unwrap_or(Origin::Unknown)
            }
            _ => Origin::Unknown,
        }
    }

    fn of_call(&self, scope: Scope<'_>, index: CallIndex, depth: usize) -> Origin {
        let call = CallId { file: self.call.file, index };
        if self.effects.likely_cause(self.map, call, Effect::DbRead).is_some_and(|cause| cause.distance <= 3) {
            return Origin::Query(call);
        }
        let site = scope.facts.call(index);
        if !PASSES_ON.contains(&site.name.as_str()) && !matches!(site.name.as_str(), "Set" | "all") {
            // A builder's last link may be the one that asks; the links before it say what.
            return match site.callee.peeled() {
                Expr::Member(object, _) => match self.origin(object, scope, depth + 1) {
                    Origin::Query(source) => Origin::Query(source),
                    _ => Origin::Unknown,
                },
                _ => Origin::Unknown,
            };
        }
        let of_argument = || site.arguments.first().map(|first| self.origin(first, scope, depth + 1));
        match site.callee.peeled() {
            // `Object.values(x)`, `Array.from(x)`: the argument is the list.
            Expr::Member(object, _) if matches!(object.last_name(), Some("Object" | "Array" | "Promise")) => {
                of_argument()
            }
            Expr::Member(object, _) => Some(self.origin(object, scope, depth + 1)),
            _ => of_argument(),
        }
        .unwrap_or(Origin::Unknown)
    }
}

/// A named part, not a position or a variant (`0`, `Some.0`).
fn is_key(taken: &str) -> bool {
    taken.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
}

/// `result.rows`, `page.items`: the rows of an answer rather than a list that belongs to one row.
fn is_row_list(name: &str) -> bool {
    matches!(name, "rows" | "data" | "items" | "results" | "docs" | "records" | "documents" | "nodes")
}

/// `ids`, or `linkIds` in a function that is about links or says that it works in bulk.
fn is_id_list(map: &RepoMap, call: CallId, facts: &FileFacts, over: &Expr) -> bool {
    let mut list = over.peeled();
    for _ in 0..MAX_DEPTH {
        match list {
            Expr::Call(index) => match facts.call(*index).callee.peeled() {
                Expr::Member(object, _) => list = object.peeled(),
                _ => return false,
            },
            _ => break,
        }
    }
    let words = list.last_name().map(place::words).unwrap_or_default();
    let Some((last, entity)) = words.split_last() else { return false };
    if !matches!(last.as_str(), "ids" | "uuids") {
        return false;
    }
    let Some(entity) = entity.last() else { return true };
    let path = &map.file(call.file).path;
    let function = place::function_name(map, call);
    let mut around = place::words(&function);
    around.extend(path.rsplit('/').take(3).flat_map(place::words));
    around.iter().any(|word| word == "bulk")
        || place::words(&function).iter().any(|word| word.starts_with(entity.as_str()))
}

/// Loops over something the code itself keeps small.
pub fn is_bounded(map: &RepoMap, call: CallId, iteration: &Iteration<'_>) -> bool {
    let Some(over) = iteration.over else { return false };
    let facts = &map.file(call.file).facts;
    let scope = Scope::around(facts, iteration.region);
    if iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) && counts_to_a_number(over) {
        return true;
    }
    let over = listed(iteration, over);
    let names_settings = iteration.statement.is_some_and(|statement| statement.form == LoopForm::Keys)
        && matches!(over.peeled(), Expr::Name(name) if facts.imports.iter().any(|import| import.local == *name));
    names_settings
        || gives_a_literal(map, call, over)
        || is_literal(over, scope, 0)
        || is_small_field(map, call, over)
        || is_small_argument(map, call, over, scope)
        || is_hand_written(map, call, over, scope)
}

/// A list the code writes out: a literal, a constant, the variants of an enum.
pub fn is_literal(over: &Expr, scope: Scope<'_>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    if let Expr::Name(name) = over.peeled()
        && is_constant_name(name)
    {
        return true;
    }
    let is_named = matches!(over.peeled(), Expr::Name(_));
    let (over, scope) = scope.resolve(over);
    let literal = |expr: &Expr| is_literal(expr, scope, depth + 1);
    match over {
        // An empty list with a name is filled elsewhere; one that is given back is empty.
        Expr::Array(items) => {
            (!items.is_empty() || !is_named)
                && items.iter().all(|item| match item {
                    Expr::Spread(inner) => literal(inner),
                    _ => true,
                })
        }
        Expr::Object(_) | Expr::Text(_) => true,
        Expr::Name(name) => is_constant_name(name),
        Expr::Path(segments) => segments.last().is_some_and(|name| is_constant_name(name)),
        Expr::Member(object, name) => is_constant_name(name) || is_type_like(object),
        Expr::Binary(operator, left, right) => {
            operator.starts_with("..") && matches!(**left, Expr::Number(_)) && matches!(**right, Expr::Number(_))
        }
        Expr::Call(index) => {
            let site = scope.facts.call(*index);
            match (site.name.as_str(), site.callee.peeled()) {
                ("keys" | "values" | "entries", Expr::Member(object, _)) if object.last_name() == Some("Object") => {
                    site.arguments.first().is_some_and(|argument| is_type_like(argument) || literal(argument))
                }
                // `Kind::iter()`: the variants of an enum.
                ("iter" | "values" | "all" | "variants", Expr::Path(segments)) => {
                    segments.len() >= 2 && site.arguments.is_empty()
                }
                // `Array.from({ length: 3 })`, `new Array(3).fill(0)`, `Array(3).keys()`, `range(3)`.
                ("from", Expr::Member(object, _)) if object.last_name() == Some("Array") => {
                    matches!(site.arguments.first(), Some(Expr::Object(entries)) if entries.iter().any(|(key, length)| {
                        key == "length" && is_constant_number(length)
                    }))
                }
                ("Array" | "range" | "times", Expr::Name(_)) => {
                    !site.arguments.is_empty() && site.arguments.iter().all(is_constant_number)
                }
                ("fill", Expr::Member(object, _)) => literal(object),
                // lodash: fewer entries of what the code writes out.
                ("omit" | "pick" | "without" | "difference", Expr::Name(_)) => {
                    site.arguments.first().is_some_and(literal)
                }
                ("take", _) => matches!(site.arguments.first(), Some(Expr::Number(count)) if is_few(count)),
                ("slice", Expr::Member(object, _)) => {
                    matches!(site.arguments.get(1), Some(Expr::Number(count)) if is_few(count)) || literal(object)
                }
                (
                    "iter" | "into_iter" | "map" | "filter" | "enumerate" | "entries" | "keys" | "values" | "rev"
                    | "concat" | "sort" | "toSorted" | "reverse" | "toReversed" | "flat" | "flatten" | "filter_map"
                    | "cloned" | "copied",
                    Expr::Member(object, _),
                ) => literal(object),
                _ => false,
            }
        }
        _ => false,
    }
}

/// `defaultApps()`, where the function has nothing to give but a list written out.
fn gives_a_literal(map: &RepoMap, call: CallId, over: &Expr) -> bool {
    let Expr::Call(index) = over.peeled() else { return false };
    let mut resolved = map.resolved(CallId { file: call.file, index: *index });
    let (Some(one), None) = (resolved.next(), resolved.next()) else { return false };
    let facts = &map.file(one.symbol.file).facts;
    let mut own = facts
        .returns
        .iter()
        .filter(|returned| returned.symbol == Some(one.symbol.index) && returned.region.is_none())
        .peekable();
    let scope = Scope::of_function(facts, one.symbol.index);
    own.peek().is_some() && own.all(|returned| is_literal(&returned.value, scope, 0))
}

fn counts_to_a_number(condition: &Expr) -> bool {
    matches!(condition.peeled(), Expr::Binary(_, _, right) if matches!(right.peeled(), Expr::Number(_)) || right.last_name().is_some_and(is_constant_name))
}

fn is_constant_number(expr: &Expr) -> bool {
    matches!(expr.peeled(), Expr::Number(_)) || expr.last_name().is_some_and(is_constant_name)
}

fn is_few(count: &str) -> bool {
    count.parse::<u32>().is_ok_and(|count| count <= FEW)
}

fn is_constant_name(name: &str) -> bool {
    name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `Status`, `Prisma.Status`: an enum, whose values are few.
fn is_type_like(expr: &Expr) -> bool {
    matches!(expr.peeled(), Expr::Name(_) | Expr::Member(..))
        && expr.last_name().is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// A list written out with a handful of elements.
fn is_short_list(expr: &Expr) -> bool {
    matches!(expr.peeled(), Expr::Array(items)
        if items.len() <= FEW as usize && !items.iter().any(|item| matches!(item, Expr::Spread(_))))
}

/// `self.hashes`, where every struct literal of the type writes a short list there.
fn is_small_field(map: &RepoMap, call: CallId, over: &Expr) -> bool {
    let Expr::Member(object, field) = over.peeled() else { return false };
    let owner = map.caller_of(call).and_then(|symbol| map.symbol(symbol).member_of.as_deref());
    let (Expr::This, Some(owner)) = (object.peeled(), owner) else { return false };
    let owner = owner.split('<').next().unwrap_or(owner);
    let (mut short, mut other) = (0_usize, 0_usize);
    let mut count = |expr: &Expr| {
        expr.walk(&mut |inner| {
            let Expr::Object(entries) = inner else { return };
            let is_own = entries.iter().any(|(key, value)| key == "::" && value.last_name() == Some(owner));
            if !is_own {
                return;
            }
            match entries.iter().find(|(key, _)| key == field) {
                Some((_, value)) if is_short_list(value) => short += 1,
                _ => other += 1,
            }
        });
    };
    for file in &map.files {
        let facts = &file.facts;
        facts.calls.iter().flat_map(|site| &site.arguments).for_each(&mut count);
        facts.bindings.iter().filter_map(|binding| binding.value.as_ref()).for_each(&mut count);
        facts.returns.iter().map(|returned| &returned.value).for_each(&mut count);
        facts.assignments.iter().map(|assignment| &assignment.value).for_each(&mut count);
    }
    short > 0 && other == 0
}

/// A parameter for which every caller writes a short list.
fn is_small_argument(map: &RepoMap, call: CallId, over: &Expr, scope: Scope<'_>) -> bool {
    let given = short_arguments(map, call, over, scope);
    !given.is_empty() && given.iter().all(|is_short| *is_short)
}

/// Whether some caller writes a short list where the loop runs over a parameter: the function is made for one as well as for many.
pub fn is_given_few(map: &RepoMap, call: CallId, iteration: &Iteration<'_>) -> bool {
    let Some(over) = iteration.over.map(|over| listed(iteration, over)) else { return false };
    let scope = Scope::around(&map.file(call.file).facts, iteration.region);
    short_arguments(map, call, over, scope).contains(&true)
}

/// For each caller, whether what it gives for the parameter that is looped over is a short list it writes out.
fn short_arguments(map: &RepoMap, call: CallId, over: &Expr, scope: Scope<'_>) -> Vec<bool> {
    let (Expr::Name(name), Some(owner)) = (over.peeled(), scope.owner) else { return Vec::new() };
    let Meaning::Parameter(position) = scope.look_up(name) else { return Vec::new() };
    let symbol = SymbolId { file: call.file, index: owner };
    if map.symbol(symbol).parameters[position].name != *name {
        return Vec::new();
    }
    // `Type::method(value, list)` names the receiver first: only plain positions are compared.
    let is_short = |caller: &CallId| map.call(*caller).arguments.get(position).is_some_and(is_short_list);
    map.callers(symbol).iter().map(is_short).collect()
}
