//! `panic-on-input`: a request that makes its handler panic (Rust).

use std::collections::BTreeSet;

use crate::audit::draft::PlanDraft;
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::remedy::Remedy;
use crate::effects::entry::Handler;
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Hop, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, LanguageName, Span, Symbol, SymbolIndex};
use crate::repo_map::name::words;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap, SymbolId};

/// `unwrap` of what a client may have got wrong.
pub struct PanicOnInput;

static DOC: RuleDoc = RuleDoc {
    id: "panic-on-input",
    category: Category::Bug,
    what: "`unwrap` or `expect` on a value that a request holds or that is read from it",
    why: "a request without the header, or with a number that is none, panics: the client gets a broken connection instead of 400, and what \
          the handler held (a lock, a transaction) is poisoned or left",
    quiet_when: "the value was asked about before (`is_some`, `contains_key`, a pattern), the router or a middleware put it there (path \
                 parameters, extensions, state), or it is test code",
    example: "async fn list(headers: HeaderMap) -> String {\n    let page: u32 = headers.get(\"x-page\").unwrap().to_str().unwrap().parse().unwrap();\n    …\n}",
};

/// Calls that give nothing or an error where the text is not as expected. The first and the last letter are not among them: a
/// segment of a path is never empty.
const FALLIBLE: &[&str] = &[
    "parse",
    "from_str",
    "from_slice",
    "parse_str",
    "decode",
    "from_utf8",
    "to_str",
    "get",
    "get_first",
    "file_name",
    "content_type",
    "split_once",
    "rsplit_once",
    "nth",
    "strip_prefix",
    "strip_suffix",
    "find",
    "parse_from_rfc3339",
    "parse_from_str",
    "from_bytes",
    "header",
    "query",
    "from_hex",
];

/// Of these, those that find nothing where a request lacks what they look for; to the others it has another form.
const FINDS: &[&str] =
    &["get", "get_first", "find", "header", "query", "nth", "file_name", "content_type", "split_once", "rsplit_once"];

/// Of these, those that look something up when they are no method of the text.
const LOOKS_UP: &[&str] = &["find", "get", "get_first", "query", "header", "nth"];

/// Calls that hand on what they are asked.
const TRANSPARENT: &[&str] = &[
    "to_string",
    "to_owned",
    "clone",
    "as_str",
    "as_ref",
    "as_deref",
    "as_bytes",
    "trim",
    "into_inner",
    "unwrap",
    "expect",
    "headers",
    "iter",
    "into_iter",
    "split",
    "chars",
    "lines",
    "split_whitespace",
    "cloned",
    "copied",
    "to_lowercase",
    "to_uppercase",
    "into",
    "as_mut",
    "borrow",
    "deref",
    "query_string",
    "rsplit",
    "splitn",
];

/// What the router or a middleware puts into a request.
const OURS: &[&str] = &[
    "extensions",
    "extensions_mut",
    "app_data",
    "state",
    "local_cache",
    "peer_addr",
    "match_info",
    "param",
    "params",
    "uri",
    "method",
    "connection_info",
    "guard",
    "route",
    "match_name",
    "match_pattern",
    "resource_map",
    "version",
];

/// Calls from the handler that are followed.
const MAX_HOPS: usize = 2;

impl Rule for PanicOnInput {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::Panics)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        // One look at a function mends all of its panics, and one helper those of a type's methods that read the same.
        let mut groups: Vec<((FileId, bool), Vec<Panic>)> = Vec::new();
        for panic in panics(map, effects) {
            let key = (panic.call.file, panic.hops.is_empty());
            let group =
                groups.iter_mut().find(|(own, group)| *own == key && are_mended_together(map, &group[0], &panic));
            match group {
                Some((_, group)) => group.push(panic),
                None => groups.push((key, vec![panic])),
            }
        }
        groups.iter().map(|(_, group)| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let remedy = Remedy {
            title: "Refuse what cannot be read",
            instruction: "return the handler's error type with status 400 instead of panicking (`ok_or(…)?`, `map_err(…)?`, or an extractor \
                          that refuses by itself), with a message that names what is missing or wrong; in a function below the handler, \
                          return the error to it."
                .to_owned(),
            edits: Vec::new(),
            test: "a request without the value, and one with a value of another form, get 400 and leave the service running",
            edge_case: "a header may hold bytes that are no UTF-8, so `to_str` fails where the header is there",
            stop: "the value cannot be absent here, because the router or a middleware refuses such requests: then say so in `expect`",
        };
        Some(remedy.plan(finding, context))
    }
}

/// A call that panics.
struct Panic {
    call: CallId,
    /// What fails.
    reads: String,
    label: String,
    hops: Vec<Hop>,
}

fn are_mended_together(map: &RepoMap, one: &Panic, other: &Panic) -> bool {
    let facts = &map.file(one.call.file).facts;
    let [own, also] = [one, other].map(|panic| facts.call(panic.call.index).caller);
    let of_type = |symbol: Option<SymbolIndex>| facts.symbols[symbol? as usize].member_of;
    own == also || one.reads == other.reads && of_type(own).is_some() && of_type(own) == of_type(also)
}

fn panics(map: &RepoMap, effects: &Effects) -> Vec<Panic> {
    let mut found: Vec<Panic> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in effects.entries.list.iter().filter(|entry| entry.kind.is_request()) {
        let Handler::Function(handler) = entry.handler else { continue };
        let source = map.file(handler.file);
        if source.language != LanguageName::Rust
            || source.role != FileRole::Production
            || map.is_test(handler.file, Some(handler.index))
        {
            continue;
        }
        let symbol = map.symbol(handler);
        let mut names = BTreeSet::new();
        for parameter in &symbol.parameters {
            if parameter.declared_type.as_deref().is_some_and(is_sent) {
                names.extend(
                    std::iter::once(parameter.name.as_str())
                        .chain(parameter.destructured.iter().map(|(_, local)| local.as_str())),
                );
            }
        }
        names.remove("");
        collect(map, effects, handler, names, &entry.label, &[], &mut seen, &mut found);
    }
    found.sort_by_key(|panic| panic.call);
    found
}

/// Types by which a handler gets what the client wrote.
fn is_sent(declared: &str) -> bool {
    let by_server = ["State", "Extension", "Data<", "Pool", "Arc<", "Conn"].iter().any(|word| declared.contains(word));
    let sent = [
        "Path<String",
        "Path<(String",
        "Query<",
        "HeaderMap",
        "Json<",
        "Form<",
        "HttpRequest",
        "Request",
        "RawQuery",
        "String",
        "&str",
        "Bytes",
    ];
    // Values of `Path<HashMap<…>>` are those the route names.
    !by_server && !declared.contains("Path<HashMap") && sent.iter().any(|word| declared.contains(word))
}

#[expect(clippy::too_many_arguments, reason = "what goes down a walk and what it gathers")]
fn collect<'a>(
    map: &'a RepoMap,
    effects: &Effects,
    function: SymbolId,
    mut names: BTreeSet<&'a str>,
    label: &str,
    hops: &[Hop],
    seen: &mut BTreeSet<(SymbolId, Vec<&'a str>)>,
    found: &mut Vec<Panic>,
) {
    if names.is_empty() || !seen.insert((function, names.iter().copied().collect())) {
        return;
    }
    let facts = &map.file(function.file).facts;
    let span = map.symbol(function).span;
    loop {
        let before = names.len();
        for binding in facts.bindings.iter().filter(|binding| span.contains(binding.span)) {
            if binding.value.as_ref().is_some_and(|value| is_text(facts, value, &names)) {
                names.insert(binding.name.as_str());
            }
        }
        if names.len() == before {
            break;
        }
    }
    names.remove("");
    for call in map.calls_in(function) {
        let site = map.call(call);
        if effects.own(call, Effect::Panics).is_some() && matches!(site.name.as_str(), "unwrap" | "expect") {
            if let Some(reads) = fails(map, call, &names)
                && !was_asked(facts, span, call.index, &names)
                && !found.iter().any(|other| {
                    let known = map.call(other.call);
                    other.call.file == call.file && known.statement == site.statement
                })
            {
                found.push(Panic { call, reads, label: label.to_owned(), hops: hops.to_vec() });
            }
            continue;
        }
        if hops.len() >= MAX_HOPS {
            continue;
        }
        for resolved in map.resolved(call).take(1) {
            let inner = map.symbol(resolved.symbol);
            if map.file(resolved.symbol.file).role != FileRole::Production
                || inner.kind == crate::repo_map::facts::SymbolKind::Macro
                || effects.of_function(resolved.symbol, Effect::Panics).is_none()
            {
                continue;
            }
            let skip = usize::from(inner.takes_self && matches!(site.callee.peeled(), Expr::Path(_)));
            let given = site.arguments.iter().skip(skip).zip(&inner.parameters);
            let inner_names: BTreeSet<&str> = given
                .filter(|(argument, _)| is_text(facts, argument, &names))
                .map(|(_, parameter)| parameter.name.as_str())
                .filter(|name| !name.is_empty())
                .collect();
            let mut way = hops.to_vec();
            way.push(Hop { file: map.file(call.file).path.clone(), line: site.line, symbol: site.name.to_string() });
            collect(map, effects, resolved.symbol, inner_names, label, &way, seen, found);
        }
    }
}

/// Whether an expression is text of the request: a name that holds some, or what is read from it step by step.
fn is_text(facts: &FileFacts, expr: &Expr, names: &BTreeSet<&str>) -> bool {
    match expr.peeled() {
        Expr::Name(name) => names.contains(name.as_str()),
        Expr::Member(object, _) => is_text(facts, object, names),
        Expr::Call(index) => {
            let site = facts.call(*index);
            let known = TRANSPARENT.contains(&site.name.as_str()) || FALLIBLE.contains(&site.name.as_str());
            match site.callee.peeled() {
                Expr::Member(object, _) => known && is_text(facts, object, names),
                // `User::find(id)`, `get(key)`: what is kept under the text is not the text.
                _ if LOOKS_UP.contains(&site.name.as_str()) => false,
                _ => known && site.arguments.first().is_some_and(|argument| is_text(facts, argument, names)),
            }
        }
        _ => false,
    }
}

/// What is read where an `unwrap` stands, when a client can make it fail.
fn fails(map: &RepoMap, unwrap: CallId, names: &BTreeSet<&str>) -> Option<String> {
    let facts = &map.file(unwrap.file).facts;
    let Expr::Member(receiver, _) = facts.call(unwrap.index).callee.peeled() else { return None };
    let Expr::Call(read) = receiver.peeled() else { return None };
    let site = facts.call(*read);
    let links = chain::receivers(facts, *read);
    let ours = links.iter().any(|link| OURS.contains(&facts.call(*link).name.as_str()));
    if ours
        || copies_header(facts, *read)
        || gives_always(map, CallId { index: *read, ..unwrap })
        || !FALLIBLE.contains(&site.name.as_str())
        || !is_text(facts, receiver, names)
    {
        return None;
    }
    Some(site.name.to_string())
}

/// `Role::from_str(&name)` or `name.parse::<Role>()` of the repository's own, which ends in `Ok` whatever it is given.
fn gives_always(map: &RepoMap, read: CallId) -> bool {
    let site = map.call(read);
    let called: Vec<SymbolId> = match (site.name.as_str(), site.type_arguments) {
        ("parse", Some(made)) => {
            let reads = |symbol: &Symbol| symbol.name == "from_str" && symbol.member_of == Some(made);
            map.symbols().filter(|(_, symbol)| reads(symbol)).map(|(id, _)| id).collect()
        }
        _ => map.resolved(read).map(|found| found.symbol).collect(),
    };
    !called.is_empty()
        && called.into_iter().all(|function| {
            let inside = || map.calls_in(function).map(|call| map.call(call));
            let fails = |site: &CallSite| site.propagated || matches!(site.name.as_str(), "Err" | "bail" | "anyhow");
            inside().any(|site| site.name == "Ok") && !inside().any(fails)
        })
}

/// `HeaderValue::from_bytes(value.as_bytes())`: what came as the value of a header is one.
fn copies_header(facts: &FileFacts, read: CallIndex) -> bool {
    let site = facts.call(read);
    let makes_one = matches!(site.callee.peeled(), Expr::Path(segments)
        if matches!(segments.as_slice(), [.., of, name] if *of == "HeaderValue" && *name == "from_bytes"));
    let is_get = |expr: &Expr| match expr {
        Expr::Call(index) => {
            let names = chain::names(facts, &facts.call(*index).callee).unwrap_or_default();
            names.contains(&"headers") && names.last() == Some(&"get")
        }
        _ => false,
    };
    let gets = |value: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, value, &mut |inner| found |= is_get(inner));
        found
    };
    makes_one
        && facts.bindings.iter().any(|binding| {
            binding.owner == site.caller
                && chain::call_uses(facts, read, &|used| used == binding.name.as_str())
                && binding.value.as_ref().is_some_and(gets)
        })
}

/// Whether the function asks about the value before.
fn was_asked(facts: &FileFacts, span: Span, unwrap: CallIndex, names: &BTreeSet<&str>) -> bool {
    let own = facts.call(unwrap);
    let used: Vec<&str> =
        names.iter().copied().filter(|name| chain::call_uses(facts, unwrap, &|used| used == *name)).collect();
    (0..).zip(&facts.calls).any(|(index, site)| {
        let asks = matches!(
            site.name.as_str(),
            "is_some"
                | "is_none"
                | "is_ok"
                | "is_err"
                | "contains_key"
                | "is_empty"
                | "is_match"
                | "len"
                | "starts_with"
                | "contains"
                | "all"
        ) || words(&site.name).iter().any(|word| word.starts_with("valid"));
        asks && span.contains(site.span)
            && site.span.start < own.span.end
            && used.iter().any(|name| chain::call_uses(facts, index, &|used| used == *name))
    })
}

fn finding(map: &RepoMap, group: &[Panic]) -> Finding {
    let panic = &group[0];
    let name = map.call(panic.call).name;
    let reads: BTreeSet<&str> = group.iter().map(|panic| panic.reads.as_str()).collect();
    let how = match (reads.iter().any(|read| FINDS.contains(read)), reads.iter().all(|read| FINDS.contains(read))) {
        (true, true) => "without it",
        (true, false) => "without it, or with another form,",
        (false, _) => "that has another form",
    };
    let mut hops = panic.hops.clone();
    if !hops.is_empty() {
        let site = map.call(panic.call);
        hops.push(Hop { file: map.file(panic.call.file).path.clone(), line: site.line, symbol: name.to_string() });
    }
    let draft = FindingDraft::at_call(&DOC, map, panic.call, "panics")
        .title(format!(
            "`{}` panics when a request is not as expected{}",
            place::function_name(map, panic.call),
            match group.len() {
                1 => String::new(),
                several => format!(" ({several} places)"),
            }
        ))
        .message(format!(
            "`{name}` follows {} of what a client sent to `{}`: a request {how} breaks the connection instead of being refused.",
            reads.into_iter().map(|read| format!("`{read}`")).collect::<Vec<_>>().join(", "),
            panic.label
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(if panic.hops.is_empty() { Confidence::High } else { Confidence::Med })
        .path(hops);
    group[1..].iter().fold(draft, |draft, other| draft.and_call(map, other.call, "panics")).build()
}
