//! Items that each need a statement of their own: another table, another text, another range of rows.

use std::collections::BTreeSet;

use crate::audit::place;
use crate::audit::rules::perf::per_item::scope::Scope;
use crate::effects::{Cause, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, SymbolIndex};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, RepoMap, SymbolId};

/// Methods whose argument is the table.
const TABLE: &[&str] = &[
    "from",
    "into",
    "table",
    "insert",
    "update",
    "delete",
    "selectFrom",
    "insertInto",
    "updateTable",
    "deleteFrom",
    "collection",
    "getRepository",
    "model",
    "knex",
];

/// Functions whose first argument is the statement.
const RUNS_TEXT: &[&str] = &[
    "query",
    "execute",
    "exec",
    "run",
    "raw",
    "$queryRawUnsafe",
    "$executeRawUnsafe",
    "queryRawUnsafe",
    "prepare",
    "batch_execute",
    "unsafe",
];

/// `SELECT cancel($1)`: a function of the database, which does its work for one.
pub fn calls_a_function(facts: &FileFacts, call: CallIndex) -> bool {
    let is_function = |text: &str| {
        let mut words = text.split_whitespace();
        let selects = words.next().is_some_and(|word| word.eq_ignore_ascii_case("select"));
        let called = words.next().unwrap_or_default();
        selects && called.contains('(') && !words.any(|word| word.eq_ignore_ascii_case("from"))
    };
    chain::receivers(facts, call).into_iter().any(|link| {
        matches!(facts.call(link).arguments.first().map(Expr::peeled), Some(Expr::Text(text)) if is_function(text))
    })
}

/// Whether the item decides the table or the text of the statement at the end of the way: no one statement serves all items.
pub fn has_own_statement(
    map: &RepoMap,
    call: CallId,
    names: &BTreeSet<&str>,
    bindings: &[&str],
    causes: &[Cause],
) -> bool {
    let mut names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut items: BTreeSet<String> = bindings.iter().map(|name| (*name).to_owned()).collect();
    let mut at = call;
    for cause in causes {
        at = cause.call;
        let Some(function) = cause.through else { break };
        names = handed_on(map, at, function, &names);
        items = handed_on(map, at, function, &items);
        if names.is_empty() {
            return false;
        }
    }
    let facts = &map.file(at.file).facts;
    let scope = Scope::of_call(facts, at.index);
    let chain_end = chain::end(map, at).index;
    let uses = |expr: &Expr| chain::expr_uses(facts, expr, &|name| names.contains(name));
    chain::receivers(facts, chain_end).into_iter().any(|link| {
        names_table(facts, link, &uses)
            || facts.call(link).arguments.first().is_some_and(|statement| {
                RUNS_TEXT.contains(&facts.call(link).name.as_str())
                    && (is_item(statement, &items) || is_built_for_table(scope, statement, &uses))
            })
    })
}

/// `knex(item.table)`, `.from(table)`, where the table depends on the item.
fn names_table(facts: &FileFacts, call: CallIndex, uses: &dyn Fn(&Expr) -> bool) -> bool {
    let site = facts.call(call);
    TABLE.contains(&site.name.as_str())
        && site.arguments.first().is_some_and(|table| {
            // `.update({ … })`, `.insert([…])`, `.from(db.select(…))`: rows, or a query.
            matches!(table.peeled(), Expr::Name(_) | Expr::Member(..) | Expr::Index(..) | Expr::Template(_)) && uses(table)
        })
        // `users.update(item)`: the table stands before, and rows are given.
        && (!matches!(site.name.as_str(), "insert" | "update" | "delete") || is_followed(facts, call))
}

/// `db.insert(table).values(rows)`: what is given first is the table.
fn is_followed(facts: &FileFacts, call: CallIndex) -> bool {
    use crate::repo_map::facts::Usage;
    matches!(facts.call(call).usage, Usage::Receiver(next)
        if matches!(facts.call(next).name.as_str(), "values" | "set" | "where" | "returning"))
}

/// The item itself is a statement: `for stmt in statements { query(stmt) }`.
fn is_item(statement: &Expr, items: &BTreeSet<String>) -> bool {
    match statement.peeled() {
        Expr::Name(name) => items.contains(name.as_str()),
        Expr::Unary(_, inner) => is_item(inner, items),
        Expr::Member(object, key) => {
            matches!(key.as_str(), "sql" | "query" | "statement" | "stmt" | "text" | "body") && is_item(object, items)
        }
        _ => false,
    }
}

/// `const query = knex(table).whereIn(…).toQuery(); await prisma.$queryRawUnsafe(query)`.
fn is_built_for_table(scope: Scope<'_>, statement: &Expr, uses: &dyn Fn(&Expr) -> bool) -> bool {
    let Expr::Name(name) = statement.peeled() else { return false };
    let super::scope::Meaning::Declared(binding) = scope.look_up(name) else { return false };
    let Some(Expr::Call(index)) = binding.value.as_ref().map(Expr::peeled) else { return false };
    chain::receivers(scope.facts, *index).into_iter().any(|link| names_table(scope.facts, link, uses))
}

/// Names of `function` that depend on `names` of the place that calls it.
fn handed_on(map: &RepoMap, call: CallId, function: SymbolId, names: &BTreeSet<String>) -> BTreeSet<String> {
    let facts = &map.file(call.file).facts;
    let uses = |expr: &Expr| chain::expr_uses(facts, expr, &|name| names.contains(name));
    let symbol = map.symbol(function);
    let mut given: BTreeSet<&str> = BTreeSet::new();
    // A method's `self` is no argument at its call.
    let own: Vec<_> = symbol.parameters.iter().filter(|parameter| parameter.name != "self").collect();
    for (parameter, argument) in own.iter().zip(&facts.call(call.index).arguments) {
        if uses(argument) {
            given.insert(parameter.name.as_str());
            given.extend(parameter.destructured.iter().map(|(_, local)| local.as_str()));
        }
    }
    given.remove("");
    let callee = &map.file(function.file).facts;
    place::derived_names(callee, given, &|binding| is_within(callee, binding.owner, function.index))
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn is_within(facts: &FileFacts, owner: Option<SymbolIndex>, function: SymbolIndex) -> bool {
    let mut next = owner;
    while let Some(index) = next {
        if index == function {
            return true;
        }
        next = facts.symbols[index as usize].container;
    }
    false
}

/// `find({ skip: start, take: end - start })`: each item is a range of rows, asked for at once.
pub fn asks_for_a_range(facts: &FileFacts, call: CallId, names: &BTreeSet<&str>) -> bool {
    const BOUNDS: &[&str] = &["skip", "take", "offset", "limit", "from", "to", "start", "end"];
    let varies = |expr: &Expr| chain::expr_uses(facts, expr, &|name| names.contains(name));
    let bounds = |key: &Name| BOUNDS.contains(&key.as_str());
    chain::receivers(facts, call.index).into_iter().any(|link| {
        facts.call(link).arguments.iter().any(|argument| {
            matches!(argument.peeled(), Expr::Object(entries)
                if entries.iter().filter(|(key, value)| bounds(key) && varies(value)).count() >= 2)
        })
    })
}
