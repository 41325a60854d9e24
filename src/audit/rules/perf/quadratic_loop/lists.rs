//! Lists: whether a value has to be searched from its start, and how long it may get.

use crate::audit::place;
use crate::audit::rules::perf::per_item::origin::is_literal;
use crate::audit::rules::perf::per_item::scope::{Meaning, Scope};
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, BindingKind, CallIndex, FileFacts, LanguageName};
use crate::repo_map::{CallId, CallTarget, FileId, RepoMap};

/// Expressions entered below one another. A list goes through few hands; input that refers in a circle must end.
const MAX_DEPTH: usize = 8;

/// Rows that nobody minds comparing one by one.
const FEW: u32 = 50;

/// What a value is, as far as looking something up in it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// An array or a vector: found by comparing one element after the other.
    List,
    /// Text, a set, a map: something else.
    Other,
    /// Not known.
    Unknown,
}

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

/// Calls of JavaScript that give an array.
const GIVES_ARRAY: &[&str] = &[
    "map",
    "filter",
    "flatMap",
    "slice",
    "concat",
    "sort",
    "toSorted",
    "toReversed",
    "flat",
    "split",
    "findMany",
    "toArray",
    "matchAll",
];

/// What is known about values of one file.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    /// The repo map.
    pub map: &'a RepoMap,
    /// What functions do.
    pub effects: &'a Effects,
    /// The file.
    pub file: FileId,
}

impl<'a> Lists<'a> {
    /// Facts of the file.
    pub fn facts(self) -> &'a FileFacts {
        &self.map.file(self.file).facts
    }

    fn is_rust(self) -> bool {
        self.map.file(self.file).language == LanguageName::Rust
    }

    /// Whether a value is a list.
    pub fn shape(self, expr: &'a Expr, scope: Scope<'a>) -> Shape {
        self.shape_below(expr, scope, 0)
    }

    fn shape_below(self, expr: &'a Expr, scope: Scope<'a>, depth: usize) -> Shape {
        if depth > MAX_DEPTH {
            return Shape::Unknown;
        }
        match expr.peeled() {
            Expr::Array(_) => Shape::List,
            Expr::Text(_) | Expr::Template(_) | Expr::Regex(_) | Expr::Object(_) => Shape::Other,
            Expr::Name(name) => match scope.look_up(name) {
                Meaning::Declared(binding) => self.of_binding(binding, scope, depth),
                Meaning::Parameter(position) => {
                    let Some(owner) = scope.owner else { return Shape::Unknown };
                    let parameter = &self.facts().symbols[owner as usize].parameters[position];
                    let declared = parameter.declared_type.as_deref().unwrap_or_default();
                    if parameter.name == *name {
                        shape_of_type(declared, self.is_rust())
                    } else {
                        // `{ folders }: { folders: Folder[] }`
                        let key = parameter.destructured.iter().find(|(_, local)| local == name).map(|(key, _)| key);
                        let member = key.and_then(|key| type_of_member(declared, key));
                        member.map_or(Shape::Unknown, |member| shape_of_type(member, self.is_rust()))
                    }
                }
                Meaning::Unknown => Shape::Unknown,
            },
            Expr::Member(object, field) if matches!(object.peeled(), Expr::This) => {
                let owner = scope.owner.and_then(|owner| self.facts().symbols[owner as usize].member_of);
                let field = self.facts().bindings.iter().find(|binding| {
                    binding.name == *field && binding.member_of.is_some() && binding.member_of == owner
                });
                let declared = field.and_then(|field| field.declared_type.as_deref());
                declared.map_or(Shape::Unknown, |declared| shape_of_type(declared, self.is_rust()))
            }
            Expr::Binary(operator, left, right) if matches!(operator.as_str(), "??" | "||") => {
                match self.shape_below(left, scope, depth + 1) {
                    Shape::Unknown => self.shape_below(right, scope, depth + 1),
                    known => known,
                }
            }
            Expr::Either(items) => {
                let mut shapes = items.iter().map(|item| self.shape_below(item, scope, depth + 1));
                let first = shapes.next().unwrap_or(Shape::Unknown);
                if shapes.all(|shape| shape == first) { first } else { Shape::Unknown }
            }
            Expr::Call(index) => self.shape_of_call(*index, scope, depth),
            _ => Shape::Unknown,
        }
    }

    fn of_binding(self, binding: &'a Binding, scope: Scope<'a>, depth: usize) -> Shape {
        if let Some(declared) = &binding.declared_type {
            match shape_of_type(declared, self.is_rust()) {
                // `Vec<_>` is one, `Names` may be an alias of anything.
                Shape::Unknown => {}
                known => return known,
            }
        }
        if binding.taken.is_some() {
            return Shape::Unknown;
        }
        let own = binding.value.as_ref().map(|value| self.shape_below(value, scope.of_binding(binding), depth + 1));
        match own {
            Some(Shape::Unknown) | None => {}
            Some(known) => return known,
        }
        let mut assigned = self
            .assigned(binding)
            .map(|value| self.shape_below(value, scope, depth + 1))
            .filter(|shape| *shape != Shape::Unknown);
        let first = assigned.next().unwrap_or(Shape::Unknown);
        if assigned.all(|shape| shape == first) { first } else { Shape::Unknown }
    }

    fn shape_of_call(self, index: CallIndex, scope: Scope<'a>, depth: usize) -> Shape {
        let facts = self.facts();
        let site = facts.call(index);
        let name = site.name.as_str();
        if self.is_rust() {
            if name == "collect" || name == "sum" {
                let declared = site.type_arguments.as_deref().unwrap_or_default();
                return shape_of_type(declared, true);
            }
            return match site.callee.peeled() {
                Expr::Path(segments) if segments.len() >= 2 => match segments[segments.len() - 2].as_str() {
                    "Vec" | "VecDeque" => Shape::List,
                    "HashSet" | "HashMap" | "BTreeSet" | "BTreeMap" | "String" | "IndexMap" | "IndexSet" => {
                        Shape::Other
                    }
                    _ => self.shape_by_return(index),
                },
                Expr::Name(_) if name == "vec" => Shape::List,
                Expr::Member(object, _) => match name {
                    "to_vec" => Shape::List,
                    "clone" | "unwrap" | "expect" | "unwrap_or_default" | "as_slice" => {
                        self.shape_below(object, scope, depth + 1)
                    }
                    _ => self.shape_by_return(index),
                },
                _ => self.shape_by_return(index),
            };
        }
        match (name, site.callee.peeled()) {
            ("Set" | "Map" | "WeakSet" | "WeakMap" | "String" | "join" | "toString" | "trim" | "toLowerCase", _) => {
                Shape::Other
            }
            ("Array", _) => Shape::List,
            ("from" | "of", Expr::Member(object, _)) if object.last_name() == Some("Array") => Shape::List,
            ("keys" | "values" | "entries", Expr::Member(object, _)) if object.last_name() == Some("Object") => {
                Shape::List
            }
            // Text has them too.
            ("slice" | "concat", Expr::Member(object, _)) => self.shape_below(object, scope, depth + 1),
            (_, Expr::Member(..)) if GIVES_ARRAY.contains(&name) => Shape::List,
            _ => self.shape_by_return(index),
        }
    }

    fn shape_by_return(self, index: CallIndex) -> Shape {
        let call = CallId { file: self.file, index };
        let mut declared = self.map.resolved(call).map(|resolved| self.map.symbol(resolved.symbol).return_type);
        let shape = |declared: Option<crate::repo_map::name::Name>| {
            let text = declared.as_deref().unwrap_or_default().trim();
            let text = text.strip_prefix("Promise<").and_then(|text| text.strip_suffix('>')).unwrap_or(text);
            shape_of_type(text, self.is_rust())
        };
        let Some(first) = declared.next().map(shape) else { return Shape::Unknown };
        if declared.map(shape).all(|other| other == first) { first } else { Shape::Unknown }
    }

    /// What is assigned to a variable after its declaration.
    fn assigned(self, binding: &'a Binding) -> impl Iterator<Item = &'a Expr> {
        let variable = binding.kind == BindingKind::Variable;
        self.facts()
            .assignments
            .iter()
            .filter(move |assignment| {
                variable
                    && assignment.operator == "="
                    && assignment.symbol == binding.owner
                    && matches!(&assignment.target, Expr::Name(name) if *name == binding.name)
            })
            .map(|assignment| &assignment.value)
    }

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

fn shape_of_type(declared: &str, rust: bool) -> Shape {
    let mut text = declared.trim();
    if text.is_empty() {
        return Shape::Unknown;
    }
    if rust {
        loop {
            let before = text;
            text = text.trim_start_matches(['&', ' ']);
            text = text.strip_prefix("mut ").unwrap_or(text);
            if let Some(rest) = text.strip_prefix('\'') {
                text = rest.split_once(' ').map_or("", |(_, rest)| rest);
            }
            if text == before {
                break;
            }
        }
        return if text.starts_with("Vec<")
            || text.starts_with("VecDeque<")
            || (text.starts_with('[') && !text.contains(';'))
        {
            Shape::List
        } else if text.starts_with(|c: char| c.is_ascii_lowercase())
            || ["String", "Hash", "BTree", "Index", "Regex", "Range", "Path", "Option"]
                .iter()
                .any(|head| text.starts_with(head))
        {
            Shape::Other
        } else {
            Shape::Unknown
        };
    }
    for end in [" | undefined", " | null"] {
        text = text.strip_suffix(end).unwrap_or(text);
    }
    if text.ends_with("[]") || text.starts_with("Array<") || text.starts_with("ReadonlyArray<") {
        Shape::List
    } else if matches!(text, "string" | "any" | "unknown")
        || ["Set<", "Map<", "ReadonlySet<", "ReadonlyMap<", "WeakSet<", "Record<", "string "]
            .iter()
            .any(|head| text.starts_with(head))
    {
        if matches!(text, "any" | "unknown") { Shape::Unknown } else { Shape::Other }
    } else {
        Shape::Unknown
    }
}

/// The type of `key` in `{ key: Type; other?: Other }`.
fn type_of_member<'t>(declared: &'t str, key: &str) -> Option<&'t str> {
    let inner = declared.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut depth = 0_i32;
    let mut start = 0;
    let mut members = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '{' | '(' | '[' | '<' => depth += 1,
            // The arrow of a function type closes nothing.
            '>' if inner[..at].ends_with('=') => {}
            '}' | ')' | ']' | '>' => depth -= 1,
            ';' | ',' | '\n' if depth == 0 => {
                members.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(&inner[start..]);
    members.into_iter().find_map(|member| {
        let (name, declared) = member.split_once(':')?;
        (name.trim().trim_end_matches('?') == key).then(|| declared.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_must_be_searched() {
        let rust = |text| shape_of_type(text, true);
        assert_eq!(rust("&'a mut Vec<Order>"), Shape::List);
        assert_eq!(rust("&[Order]"), Shape::List);
        assert_eq!(rust("&HashSet<u32>"), Shape::Other);
        assert_eq!(rust("&str"), Shape::Other);
        assert_eq!(rust("Orders"), Shape::Unknown);
        let script = |text| shape_of_type(text, false);
        assert_eq!(script("Order[] | undefined"), Shape::List);
        assert_eq!(script("ReadonlyArray<string>"), Shape::List);
        assert_eq!(script("Set<string>"), Shape::Other);
        assert_eq!(script("string"), Shape::Other);
    }

    #[test]
    fn members_of_a_written_type_are_found() {
        let declared = "{ folders: Folder[]; pick: (a: A, b: B) => C; id?: string }";
        assert_eq!(type_of_member(declared, "folders"), Some("Folder[]"));
        assert_eq!(type_of_member(declared, "id"), Some("string"));
        assert_eq!(type_of_member(declared, "b"), None);
        assert_eq!(type_of_member("Props", "id"), None);
    }
}
