//! Places: where a call stands and what surrounds it, as rules ask about it.

use std::collections::BTreeSet;

use crate::effects::chain;
use crate::finding::Evidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, CallIndex, FileFacts, LanguageName, Loop, RegionIndex, RegionKind, SymbolIndex};
use crate::repo_map::name::Name;
pub use crate::repo_map::name::words;
use crate::repo_map::{CallId, FileId, RepoMap};
use crate::tree::Tree;

/// A body that runs once an item: a loop, or a callback of `map`, `forEach`, `for_each` and the like.
#[derive(Debug, Clone)]
pub struct Iteration<'a> {
    /// Its region.
    pub region: RegionIndex,
    /// Names bound for each item.
    pub bindings: Vec<&'a str>,
    /// What it runs over.
    pub over: Option<&'a Expr>,
    /// The loop statement, or `None` for a callback.
    pub statement: Option<&'a Loop>,
    /// The call that takes the callback.
    pub host: Option<CallIndex>,
}

/// JavaScript functions that run a callback for each item.
const EACH_JS: &[&str] = &[
    "map",
    "forEach",
    "flatMap",
    "filter",
    "some",
    "every",
    "find",
    "findIndex",
    "reduce",
    "mergeMap",
    "concatMap",
    "switchMap",
    "pMap",
    "mapSeries",
    "eachSeries",
    "eachLimit",
    "each",
    "mapLimit",
    "asyncMap",
    "forEachAsync",
    "mapAsync",
    "forEachSeries",
    "pEach",
    "pForEach",
    "promiseMap",
];

/// Rust methods that run a closure for each item of an iterator or stream.
const EACH_RUST: &[&str] = &[
    "for_each",
    "try_for_each",
    "for_each_concurrent",
    "try_for_each_concurrent",
    "map",
    "filter_map",
    "flat_map",
    "then",
    "fold",
    "try_fold",
    "filter",
    "any",
    "all",
    "find",
    "find_map",
    "retain",
    "par_bridge",
];

/// Rust methods that show a receiver to be an iterator or a stream rather than an `Option` or a `Result`.
const ITERATES_RUST: &[&str] = &[
    "iter",
    "into_iter",
    "iter_mut",
    "drain",
    "par_iter",
    "into_par_iter",
    "keys",
    "values",
    "lines",
    "chars",
    "split",
    "windows",
    "enumerate",
    "zip",
    "chain",
    "cloned",
    "copied",
    "stream",
    "into_values",
    "into_keys",
    "filter_map",
    "flat_map",
    "rev",
    "skip",
    "take",
    "collect",
    "range",
    "split_whitespace",
    "then",
    "buffered",
    "buffer_unordered",
];

/// The bodies around a call that run once an item, innermost first.
pub fn iterations(map: &RepoMap, call: CallId) -> Vec<Iteration<'_>> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let rust = source.language == LanguageName::Rust;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .filter_map(|(index, region)| match &region.kind {
            RegionKind::Loop(statement) => Some(Iteration {
                region: index,
                bindings: statement.bindings.iter().map(Name::as_str).collect(),
                over: statement.over.as_ref(),
                statement: Some(statement),
                host: None,
            }),
            RegionKind::Callback { call: Some(host), parameters, .. } => {
                let over = iterated(facts, *host, rust)?;
                let bindings = parameters.iter().map(Name::as_str).collect();
                Some(Iteration { region: index, bindings, over: Some(over), statement: None, host: Some(*host) })
            }
            RegionKind::Callback { call: None, .. }
            | RegionKind::Try
            | RegionKind::Handler
            | RegionKind::Branch
            | RegionKind::AsyncBlock
            | RegionKind::UnsafeBlock => None,
        })
        .collect()
}

/// What a call runs its callback over, if it runs it for each item.
fn iterated(facts: &FileFacts, host: CallIndex, rust: bool) -> Option<&Expr> {
    let site = facts.call(host);
    let name = site.name.as_str();
    let Expr::Member(receiver, _) = site.callee.peeled() else {
        return (!rust && EACH_JS.contains(&name)).then(|| site.arguments.first()).flatten();
    };
    if rust {
        let iterates = name.contains("for_each")
            || chain::names(facts, receiver).is_some_and(|names| names.iter().any(|name| ITERATES_RUST.contains(name)))
            || matches!(receiver.peeled(), Expr::Unary(..) | Expr::Binary(..));
        return (EACH_RUST.contains(&name) && iterates).then_some(receiver);
    }
    if !EACH_JS.contains(&name) {
        return None;
    }
    // `Bluebird.map(items, f)`, `async.eachSeries(items, f)`: the first argument is what is iterated.
    match site.arguments.first() {
        Some(first) if !matches!(first, Expr::Function { .. }) && site.arguments.len() > 1 && name != "reduce" => {
            Some(first)
        }
        _ => Some(receiver),
    }
}

/// Names whose value depends on the item: the bindings, and what is computed from them inside the body.
pub fn item_names<'a>(facts: &'a FileFacts, iteration: &Iteration<'a>) -> BTreeSet<&'a str> {
    let body = facts.regions[iteration.region as usize].span;
    let names = iteration.bindings.iter().copied().filter(|name| !name.is_empty()).collect();
    derived_names(facts, names, &|binding| body.contains(binding.span))
}

/// `names`, and what the bindings that `within` accepts compute from them.
pub fn derived_names<'a>(
    facts: &'a FileFacts,
    mut names: BTreeSet<&'a str>,
    within: &dyn Fn(&Binding) -> bool,
) -> BTreeSet<&'a str> {
    let local: Vec<_> = facts.bindings.iter().filter(|binding| within(binding)).collect();
    loop {
        let before = names.len();
        for binding in &local {
            if let Some(value) = &binding.value
                && chain::expr_uses(facts, value, &|name| names.contains(name))
            {
                names.insert(&binding.name);
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// What a name stands for: its initialiser, looked up in the function around it and then at module level.
pub fn initialiser<'a>(facts: &'a FileFacts, owner: Option<SymbolIndex>, name: &str) -> Option<&'a Expr> {
    let of = |owner: Option<SymbolIndex>| {
        facts
            .bindings
            .iter()
            .filter(|binding| binding.owner == owner && binding.name == name && binding.member_of.is_none())
            .find_map(|binding| binding.value.as_ref())
    };
    let mut owner = owner;
    loop {
        if let Some(value) = of(owner) {
            return Some(value);
        }
        owner = facts.symbols[owner? as usize].container;
    }
}

/// The expression a name finally stands for, followed through at most four names.
pub fn resolve<'a>(facts: &'a FileFacts, owner: Option<SymbolIndex>, expr: &'a Expr) -> &'a Expr {
    let mut current = expr.peeled();
    for _ in 0..4 {
        let Expr::Name(name) = current else { break };
        match initialiser(facts, owner, name) {
            Some(value) => current = value.peeled(),
            None => break,
        }
    }
    current
}

/// Whether the code around a call is async, so that `await` may be written there.
pub fn in_async_code(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    for (_, region) in facts.enclosing_regions(site.region) {
        match &region.kind {
            RegionKind::Callback { is_async, .. } => return *is_async,
            RegionKind::AsyncBlock => return true,
            RegionKind::Loop(_)
            | RegionKind::Try
            | RegionKind::Handler
            | RegionKind::Branch
            | RegionKind::UnsafeBlock => {}
        }
    }
    site.caller.is_some_and(|index| facts.symbols[index as usize].is_async)
}

/// Whether a call stands in a branch, relative to the region `within` or to its function.
pub fn is_conditional(map: &RepoMap, call: CallId, within: Option<RegionIndex>) -> bool {
    let facts = &map.file(call.file).facts;
    facts
        .enclosing_regions(facts.call(call.index).region)
        .take_while(|(index, _)| Some(*index) != within)
        .any(|(_, region)| matches!(region.kind, RegionKind::Branch | RegionKind::Handler))
}

/// Whether a call stands in test code.
pub fn in_test(map: &RepoMap, call: CallId) -> bool {
    map.is_test(call.file, map.call(call).caller)
}

/// Calls whose callee's name stands on the first line of an evidence.
pub fn calls_at<'a>(map: &'a RepoMap, evidence: &Evidence) -> impl Iterator<Item = CallId> + use<'a> {
    let line = evidence.start_line;
    map.file_by_path(&evidence.file).into_iter().flat_map(move |(file, source)| {
        (0..)
            .zip(&source.facts.calls)
            .filter(move |(_, site)| site.line == line)
            .map(move |(index, _)| CallId { file, index })
    })
}

/// What is called, for messages: `prisma.user.findMany`, `sqlx::query(…).fetch_one`, `self.load`.
pub fn callee_text(map: &RepoMap, call: CallId) -> String {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    let own_name = |text: String| match text.strip_prefix("this.") {
        Some(rest) if source.language == LanguageName::Rust => format!("self.{rest}"),
        _ => text,
    };
    if let Some(text) = site.callee.dotted() {
        return own_name(text);
    }
    let links = chain::receivers(facts, call.index);
    let root = links.last().filter(|_| links.len() > 1).and_then(|root| facts.call(*root).callee.dotted());
    match root {
        Some(root) => own_name(format!("{root}(…).{}", site.name)),
        None => site.name.to_string(),
    }
}

/// The qualified name of the function around a call; at top level the route or the key it is registered under, else the
/// name of the file.
pub fn function_name(map: &RepoMap, call: CallId) -> String {
    match map.caller_of(call) {
        Some(symbol) => map.symbol(symbol).qualified.to_string(),
        None => {
            if let Some(name) = registered_name(&map.file(call.file).facts, call.index) {
                return name;
            }
            let path = &map.file(call.file).path;
            path.rsplit('/').next().unwrap_or(path).to_owned()
        }
    }
}

/// `POST /orders` for a handler given to a router, `create` for one that is a value of an object literal.
fn registered_name(facts: &FileFacts, call: CallIndex) -> Option<String> {
    const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options", "all"];
    let hosts: Vec<CallIndex> = facts
        .enclosing_regions(facts.call(call).region)
        .filter_map(|(_, region)| match region.kind {
            RegionKind::Callback { call: host, .. } => host,
            _ => None,
        })
        .collect();
    let outermost = facts.call(*hosts.last()?);
    if let Some(Expr::Text(path)) = outermost.arguments.first()
        && VERBS.contains(&outermost.name.as_str())
        && path.starts_with('/')
    {
        return Some(format!("{} {path}", outermost.name.to_uppercase()));
    }
    let holds =
        |value: &Expr| matches!(value.peeled(), Expr::Call(index) if facts.call(*index).span.contains(outermost.span));
    let mut found = None;
    let objects = facts.calls.iter().flat_map(|site| &site.arguments);
    for expr in objects.chain(facts.bindings.iter().filter_map(|binding| binding.value.as_ref())) {
        expr.walk(&mut |inner| {
            if let Expr::Object(entries) = inner {
                let entry = entries.iter().find(|(key, value)| key != "..." && holds(value));
                // The innermost object comes last.
                found = entry.map(|(key, _)| *key).or_else(|| found.take());
            }
        });
    }
    found.map(String::from)
}

/// The first line among `start..=end` that `wanted` accepts and that occurs once in the file, trimmed.
///
/// A criterion that says "this text is gone" can only be met when nothing else holds the same text.
pub fn unique_line(tree: &dyn Tree, path: &str, start: u32, end: u32, wanted: &dyn Fn(&str) -> bool) -> Option<String> {
    let text = tree.text(path)?;
    let lines: Vec<&str> = text.lines().collect();
    let range = lines.get(start.checked_sub(1)? as usize..(end as usize).min(lines.len()))?;
    range
        .iter()
        .map(|line| line.trim())
        .find(|line| line.len() >= 8 && wanted(line) && text.matches(line).count() == 1)
        .map(str::to_owned)
}

/// Whether `word` occurs in `text` as a whole identifier.
pub fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    !word.is_empty()
        && text
            .match_indices(word)
            .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

/// Whether the package a file belongs to depends on `name`.
pub fn depends_on(map: &RepoMap, file: FileId, name: &str) -> bool {
    let source = map.file(file);
    map.recon
        .package_in(&source.path, source.language == LanguageName::Rust)
        .is_some_and(|package| package.dependencies.iter().any(|own| own.name == name))
}

/// Whether code keeps things where only a browser does: whoever runs it has all of it before them.
pub fn is_of_a_page(facts: &FileFacts) -> bool {
    ["localStorage", "sessionStorage"].iter().any(|name| facts.references.binary_search(&Name::from(*name)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        assert!(has_word("where: { id: order.id }", "order"));
        assert!(!has_word("where: { id: orders.id }", "order"));
        assert!(!has_word("anything", ""));
    }
}
