//! Extent: how long a list may get.

use crate::audit::place;
use crate::audit::rules::perf::per_item::origin::is_literal;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::audit::rules::perf::quadratic_loop::lists::{Lists, MAX_DEPTH};
use crate::effects::{Effect, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallIndex};
use crate::repo_map::{CallId, CallTarget};

/// Rows that nobody minds comparing one by one.
const FEW: u32 = 50;

/// How long a list may get, the longest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Written out in the code: a constant, the variants of an enum.
    Few,
    /// It belongs to one thing: `order.tags`, `self.columns`.
    Owned,
    /// Not known.
    Unknown,
    /// A parameter: whoever calls decides.
    Parameter,
    /// A list that somebody was asked for and waited for, as the name of the call says.
    Answer,
    /// Rows of a query, or a list made from them.
    Rows,
}

/// Calls that give the items they are called on, fewer, changed or in another order.
const PASSES_ON: &[&str] = &[
    "map",
    "filter",
    "flatMap",
    "slice",
    "concat",
    "sort",
    "toSorted",
    "reverse",
    "toReversed",
    "flat",
    "iter",
    "into_iter",
    "iter_mut",
    "enumerate",
    "rev",
    "cloned",
    "copied",
    "flatten",
    "filter_map",
    "flat_map",
    "collect",
    "values",
    "keys",
    "entries",
    "into_values",
    "into_keys",
    "as_slice",
    "to_vec",
    "clone",
    "unwrap_or_default",
    "unwrap",
    "expect",
    "skip",
    "as_ref",
    "as_deref",
    "then",
    "uniq",
    "compact",
    "drain",
    "to_owned",
    "as_array",
];

impl<'a> Lists<'a> {
    /// How long a list may get.
    pub fn extent(self, expr: &'a Expr, scope: Scope<'a>) -> Extent {
        self.extent_below(expr, scope, 0)
    }

    fn extent_below(self, expr: &'a Expr, scope: Scope<'a>, depth: usize) -> Extent {
        if depth > MAX_DEPTH {
            return Extent::Unknown;
        }
        let below = |inner: &'a Expr| self.extent_below(inner, scope, depth + 1);
        match expr.peeled() {
            Expr::Name(name) => match scope.look_up(name) {
                Meaning::Parameter(_) => Extent::Parameter,
                Meaning::Unknown => {
                    if is_literal(expr, scope, 0) {
                        Extent::Few
                    } else {
                        Extent::Unknown
                    }
                }
                Meaning::Declared(binding) => self.extent_of_binding(binding, scope, depth),
            },
            Expr::Call(index) => self.extent_of_call(*index, scope, depth),
            Expr::Member(object, name) => {
                if is_literal(expr, scope, 0) {
                    return Extent::Few;
                }
                match object.peeled() {
                    Expr::This => Extent::Owned,
                    object => match below(object) {
                        long @ (Extent::Rows | Extent::Answer) if is_row_list(name) => long,
                        Extent::Parameter => Extent::Parameter,
                        Extent::Few | Extent::Owned | Extent::Rows | Extent::Answer | Extent::Unknown => Extent::Owned,
                    },
                }
            }
            Expr::Binary(operator, left, _) if matches!(operator.as_str(), "??" | "||") => below(left),
            Expr::Spread(inner) => below(inner),
            Expr::Array(items) => items
                .iter()
                .map(|item| if let Expr::Spread(inner) = item { below(inner) } else { Extent::Few })
                .max()
                .unwrap_or(Extent::Few),
            Expr::Either(items) => items.iter().map(below).max().unwrap_or(Extent::Unknown),
            _ if is_literal(expr, scope, 0) => Extent::Few,
            _ => Extent::Unknown,
        }
    }

    fn extent_of_binding(self, binding: &'a Binding, scope: Scope<'a>, depth: usize) -> Extent {
        if is_few_by_type(binding.declared_type.as_deref().unwrap_or_default()) {
            return Extent::Few;
        }
        if let Some(taken) = binding.taken.as_deref() {
            let whole = binding.value.as_ref().filter(|_| !taken.contains('*'));
            let Some(whole) = whole else { return Extent::Unknown };
            return match self.extent_below(whole, scope.of_binding(binding), depth + 1) {
                // `const [rows, total] = await Promise.all([…])` against `const { tags } = await findOrder()`.
                long @ (Extent::Rows | Extent::Answer)
                    if taken.starts_with(|c: char| c.is_ascii_digit()) || is_row_list(taken) =>
                {
                    long
                }
                Extent::Rows | Extent::Answer | Extent::Few => Extent::Owned,
                other => other,
            };
        }
        let own = binding.value.as_ref().map(|value| self.extent_below(value, scope.of_binding(binding), depth + 1));
        let assigned = self.assigned(binding).map(|value| self.extent_below(value, scope, depth + 1)).max();
        let grown = self.grown(binding, depth);
        own.into_iter().chain(assigned).chain(grown).max().unwrap_or(Extent::Unknown)
    }

    /// How long a list gets by what is put into it one by one.
    fn grown(self, binding: &'a Binding, depth: usize) -> Option<Extent> {
        let facts = self.facts();
        let pushes = (0..).zip(&facts.calls).filter(|(_, site)| {
            matches!(site.name.as_str(), "push" | "push_back" | "extend" | "append" | "insert")
                && site.caller == binding.owner
                && site.span.start > binding.span.start
                && matches!(site.callee.peeled(), Expr::Member(object, _)
                    if matches!(object.peeled(), Expr::Name(name) if *name == binding.name))
        });
        pushes
            .take(4)
            .map(|(index, _)| {
                let call = CallId { file: self.file, index };
                let around = place::iterations(self.map, call).into_iter().filter(|iteration| {
                    // Made anew for each item, it holds what one item puts in.
                    !facts.regions[iteration.region as usize].span.contains(binding.span)
                });
                around
                    .map(|iteration| match iteration.over {
                        Some(over) => self.extent_below(over, Scope::around(facts, iteration.region), depth + 1),
                        None => Extent::Unknown,
                    })
                    .max()
                    .unwrap_or(Extent::Few)
            })
            .max()
    }

    /// `take: 5`, `.limit(5)`: the query says how many rows it wants.
    fn asks_for_few(self, index: CallIndex, scope: Scope<'a>) -> bool {
        let facts = self.facts();
        let is_few = |value: &'a Expr| matches!(number(scope, value), Some(count) if count <= FEW);
        chain::receivers(facts, index).into_iter().any(|link| {
            let site = facts.call(link);
            let by_link = matches!(site.name.as_str(), "limit" | "take") && site.arguments.first().is_some_and(is_few);
            by_link
                || site.arguments.iter().any(|argument| {
                    matches!(argument.peeled(), Expr::Object(entries)
                        if entries.iter().any(|(key, value)| matches!(key.as_str(), "take" | "limit" | "first") && is_few(value)))
                })
        })
    }

    fn extent_of_call(self, index: CallIndex, scope: Scope<'a>, depth: usize) -> Extent {
        let facts = self.facts();
        let call = CallId { file: self.file, index };
        let site = facts.call(index);
        let name = site.name.as_str();
        if self.effects.cause(self.map, call, Effect::DbRead).is_some_and(|cause| cause.distance <= 3) {
            // What a function gives is as long as what it asks for.
            let asked = self.effects.api(self.map, call, Effect::DbRead).map_or("", |api| api.api.as_str());
            let asked = asked.rsplit(['.', ':']).next().unwrap_or_default();
            return if gives_one(name) || gives_one(asked) {
                Extent::Owned
            } else if self.asks_for_few(index, scope) {
                Extent::Few
            } else {
                Extent::Rows
            };
        }
        if site.awaited && gives_rows_by_name(name) && !matches!(site.arguments.first(), Some(Expr::Function { .. })) {
            return Extent::Answer;
        }
        if is_literal(&site.callee, scope, 0) && name == "iter" {
            return Extent::Few;
        }
        let below = |inner: &'a Expr| self.extent_below(inner, scope, depth + 1);
        match site.callee.peeled() {
            // `Object.values(x)`, `Array.from(x)`, `Promise.all(x)`: the argument is the list.
            Expr::Member(object, _) if matches!(object.last_name(), Some("Object" | "Array" | "Promise")) => {
                match site.arguments.first().map(Expr::peeled) {
                    Some(Expr::Array(items)) if name == "all" => items.iter().map(below).max(),
                    Some(Expr::Call(made)) if name == "all" => Some(self.extent_of_call(*made, scope, depth + 1)),
                    first => first.map(below),
                }
                .unwrap_or(Extent::Unknown)
            }
            Expr::Path(segments) if segments.len() >= 2 && matches!(name, "new" | "with_capacity") => Extent::Few,
            Expr::Path(segments) if segments.len() >= 2 && matches!(name, "iter" | "values" | "all" | "variants") => {
                Extent::Few
            }
            Expr::Member(object, _) if PASSES_ON.contains(&name) => below(object),
            Expr::Member(_, _) if matches!(name, "split" | "split_whitespace" | "chars" | "bytes") => Extent::Owned,
            Expr::Name(_) if matches!(name, "vec" | "Array") => {
                site.arguments.iter().map(below).max().unwrap_or(Extent::Few)
            }
            Expr::Name(_) if matches!(name, "Set" | "Map") => site.arguments.first().map_or(Extent::Few, below),
            // `lodash.uniq(rows)`
            _ if PASSES_ON.contains(&name) => site.arguments.first().map_or(Extent::Unknown, below),
            Expr::Member(object, _) if matches!(self.map.target(call), CallTarget::External(_)) => {
                // A builder's last link may be the one that asks; the links before it say what.
                match below(object) {
                    Extent::Rows => Extent::Rows,
                    _ => Extent::Unknown,
                }
            }
            _ => Extent::Unknown,
        }
    }
}

/// A number written in place or behind a constant's name.
fn number<'a>(scope: Scope<'a>, value: &'a Expr) -> Option<u32> {
    match scope.resolve(value).0 {
        Expr::Number(text) => text.replace('_', "").parse().ok(),
        _ => None,
    }
}

/// Queries for one row.
fn gives_one(name: &str) -> bool {
    const ONE: &[&str] = &[
        "findUnique",
        "findFirst",
        "findOne",
        "findById",
        "findByPk",
        "findOneBy",
        "findOneOrFail",
        "findOneByOrFail",
        "first",
        "getOne",
        "findUniqueOrThrow",
        "findFirstOrThrow",
        "executeTakeFirst",
        "executeTakeFirstOrThrow",
        "count",
        "exists",
        "query_row",
        "get_result",
        "one",
        "findOneAsync",
        "maybeSingle",
        "single",
        "aggregate",
        "sum",
    ];
    ONE.contains(&name) || name.starts_with("fetch_one") || name.starts_with("fetch_optional")
}

/// `await orders.list({ … })`: a list from somewhere else, as its name and the waiting say.
fn gives_rows_by_name(name: &str) -> bool {
    matches!(name, "findMany" | "findAll" | "getMany" | "getAll" | "fetchAll" | "selectAll" | "find" | "fetch_all")
        || place::words(name).first().is_some_and(|word| word == "list")
}

/// `result.rows`, `page.items`: the rows of an answer rather than a list that belongs to one row.
fn is_row_list(name: &str) -> bool {
    matches!(name, "rows" | "data" | "items" | "results" | "docs" | "records" | "documents" | "nodes" | "edges")
}

/// `[u8; 4]`, `SmallVec<…>`, `("a" | "b")[]`.
fn is_few_by_type(declared: &str) -> bool {
    let declared = declared.trim_start_matches(['&', ' ']);
    (declared.starts_with('[') && declared.contains(';'))
        || declared.starts_with("SmallVec")
        || declared.starts_with("ArrayVec")
        || declared.starts_with("(\"")
        || declared.starts_with("('")
}
