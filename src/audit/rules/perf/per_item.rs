//! Effects that happen once an item: what `n-plus-one` and `n-plus-one-write` share.

use crate::audit::place::{self, Iteration};
use crate::effects::deferral::is_deferred_within;
use crate::effects::{Cause, DirectEffect, Effect, Effects, chain};
use crate::finding::Confidence;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, LoopForm, SymbolIndex, Usage};
use crate::repo_map::{CallId, CallTarget, How, RepoMap};

/// Calls from the loop to the API that are followed: real defects have at most three, and far ends are often caches.
const MAX_DISTANCE: u32 = 4;

/// Items that nobody minds: a loop over `.slice(0, 5)`.
const FEW: u32 = 10;

/// A call with an effect in a body that runs once an item.
pub struct PerItem<'a> {
    /// The call in the body.
    pub call: CallId,
    /// The body.
    pub iteration: Iteration<'a>,
    /// What is at the end of the way.
    pub api: &'a DirectEffect,
    /// From the call to the API.
    pub causes: Vec<Cause>,
    /// The query whose rows are iterated, when that is known.
    pub source: Option<CallId>,
    /// How sure it is that every item runs the effect.
    pub confidence: Confidence,
    /// A name through which the call depends on the item.
    pub item_name: &'a str,
}

impl PerItem<'_> {
    /// The effect.
    pub fn effect(&self) -> Effect {
        self.api.effect
    }
}

/// Calls with `effect` that run once an item of an unbounded collection, in order.
pub fn per_item<'a>(map: &'a RepoMap, effects: &'a Effects, effect: Effect) -> Vec<PerItem<'a>> {
    map.calls().filter_map(|(call, _)| judge(map, effects, effect, call)).collect()
}

/// The same, for these calls alone.
pub fn per_item_among<'a>(
    map: &'a RepoMap,
    effects: &'a Effects,
    effect: Effect,
    calls: &[CallId],
) -> Vec<PerItem<'a>> {
    calls.iter().filter_map(|&call| judge(map, effects, effect, call)).collect()
}

fn judge<'a>(map: &'a RepoMap, effects: &'a Effects, effect: Effect, call: CallId) -> Option<PerItem<'a>> {
    let nearest = effects.cause(map, call, effect)?;
    if nearest.distance > MAX_DISTANCE || place::in_test(map, call) {
        return None;
    }
    let facts = &map.file(call.file).facts;
    let owner = map.call(call).caller;
    // A body that runs a bounded number of times multiplies nothing: look at what is around it.
    let iteration = place::iterations(map, call).into_iter().find(|iteration| !is_bounded(facts, owner, iteration))?;
    if is_deferred_within(map, call, effect, Some(iteration.region)) {
        return None;
    }
    let names = place::item_names(facts, &iteration);
    // The whole chain counts: `.bind(item.id)` comes before `.execute()`, `.where(item.id)` after `.from()`.
    let end = chain::end(map, call);
    let uses = |name: &str| chain::call_uses(facts, end.index, &|used| used == name);
    let item_name = names.iter().copied().find(|name| uses(name))?;
    if !varies_by_item(facts, &iteration) || is_paced(facts, owner, &iteration) || is_one_round_trip(facts, &iteration)
    {
        return None;
    }
    let causes = effects.causes(map, call, effect);
    if causes.iter().any(|cause| is_cached(map, *cause)) || sends_a_chunk(facts, call, &iteration.bindings) {
        return None;
    }
    let api = effects.api(map, call, effect)?;
    let confidence = confidence(map, &iteration, &causes);
    let source = source_query(map, effects, call, &iteration);
    Some(PerItem { call, iteration, api, causes, source, confidence, item_name })
}

/// Loops over something the code itself keeps small.
fn is_bounded(facts: &FileFacts, owner: Option<SymbolIndex>, iteration: &Iteration<'_>) -> bool {
    let Some(over) = iteration.over else { return false };
    if iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) {
        return counts_to_a_number(over);
    }
    let over = place::resolve(facts, owner, over);
    is_literal(facts, owner, over)
}

fn is_literal(facts: &FileFacts, owner: Option<SymbolIndex>, over: &Expr) -> bool {
    match over.peeled() {
        Expr::Array(items) => !items.iter().any(|item| matches!(item, Expr::Spread(_))),
        Expr::Object(_) | Expr::Text(_) => true,
        Expr::Name(name) => is_constant_name(name),
        Expr::Path(segments) => segments.last().is_some_and(|name| is_constant_name(name)),
        Expr::Member(object, name) => is_constant_name(name) || is_type_like(object),
        Expr::Binary(operator, left, right) => {
            operator.starts_with("..") && matches!(**left, Expr::Number(_)) && matches!(**right, Expr::Number(_))
        }
        Expr::Call(index) => {
            let site = facts.call(*index);
            match (site.name.as_str(), site.callee.peeled()) {
                ("keys" | "values" | "entries", Expr::Member(object, _)) if object.last_name() == Some("Object") => {
                    site.arguments.first().is_some_and(|argument| {
                        is_type_like(argument) || is_literal(facts, owner, place::resolve(facts, owner, argument))
                    })
                }
                // `Kind::iter()`: the variants of an enum.
                ("iter" | "values" | "all" | "variants", Expr::Path(segments)) => segments.len() >= 2,
                ("take", _) => matches!(site.arguments.first(), Some(Expr::Number(count)) if is_few(count)),
                ("slice", Expr::Member(object, _)) => {
                    matches!(site.arguments.get(1), Some(Expr::Number(count)) if is_few(count))
                        || is_literal(facts, owner, place::resolve(facts, owner, object))
                }
                (
                    "iter" | "into_iter" | "map" | "filter" | "enumerate" | "entries" | "keys" | "values" | "rev"
                    | "concat",
                    Expr::Member(object, _),
                ) => is_literal(facts, owner, place::resolve(facts, owner, object)),
                _ => false,
            }
        }
        _ => false,
    }
}

fn counts_to_a_number(condition: &Expr) -> bool {
    matches!(condition.peeled(), Expr::Binary(_, _, right) if matches!(right.peeled(), Expr::Number(_)) || right.last_name().is_some_and(is_constant_name))
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

/// A counter that never indexes anything counts attempts or pages, not items.
fn varies_by_item(facts: &FileFacts, iteration: &Iteration<'_>) -> bool {
    let Some(statement) = iteration.statement else { return true };
    match statement.form {
        LoopForm::Each | LoopForm::Keys => true,
        LoopForm::WhileLet => !iteration.bindings.is_empty(),
        LoopForm::While | LoopForm::Endless => false,
        LoopForm::Counter => {
            let body = facts.regions[iteration.region as usize].span;
            let indexes = |expr: &Expr| {
                let mut found = false;
                chain::walk_deep(facts, expr, &mut |inner| {
                    if let Expr::Index(_, index) = inner {
                        found |= iteration.bindings.iter().any(|name| index.mentions(name));
                    }
                });
                found
            };
            let in_bindings = facts
                .bindings
                .iter()
                .filter(|binding| body.contains(binding.span))
                .any(|binding| binding.value.as_ref().is_some_and(&indexes));
            in_bindings
                || (0..)
                    .zip(&facts.calls)
                    .filter(|(_, site)| body.contains(site.span))
                    .any(|(index, _)| indexes(&Expr::Call(index)))
        }
    }
}

/// Chunks, pages and retries: the loop is there to bound what one query does.
fn is_paced(facts: &FileFacts, owner: Option<SymbolIndex>, iteration: &Iteration<'_>) -> bool {
    const MARKS: &[&str] = &[
        "chunk", "chunks", "batch", "batches", "page", "pages", "window", "windows", "attempt", "attempts", "retry",
        "retries", "slice", "cursor",
    ];
    let is_mark = |name: &str| {
        place::words(name).iter().any(|word| MARKS.contains(&word.as_str()) || word.starts_with("paginat"))
    };
    if iteration.bindings.iter().any(|name| is_mark(name)) {
        return true;
    }
    let Some(over) = iteration.over else { return false };
    let marked = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= match inner {
                // `.slice(1)` takes rows away, it does not cut chunks.
                Expr::Call(index) => {
                    let name = facts.call(*index).name.as_str();
                    name != "slice" && is_mark(name)
                }
                Expr::Name(name) => is_mark(name),
                _ => false,
            };
        });
        found
    };
    if marked(over) || marked(place::resolve(facts, owner, over)) {
        return true;
    }
    // `for (let i = 0; i < ids.length; i += 100) { … ids.slice(i, i + 100) … }`
    iteration.statement.is_some_and(|statement| statement.form == LoopForm::Counter) && {
        let body = facts.regions[iteration.region as usize].span;
        facts
            .calls
            .iter()
            .any(|site| body.contains(site.span) && matches!(site.name.as_str(), "slice" | "splice" | "subarray"))
    }
}

/// `prisma.$transaction(items.map((item) => …))`: built by `map`, sent at once.
fn is_one_round_trip(facts: &FileFacts, iteration: &Iteration<'_>) -> bool {
    let Some(host) = iteration.host else { return false };
    let mut usage = &facts.call(host).usage;
    for _ in 0..4 {
        let (Usage::Argument(outer) | Usage::Receiver(outer)) = usage else { return false };
        let outer = facts.call(*outer);
        if matches!(outer.name.as_str(), "$transaction" | "batch" | "pipeline" | "multi" | "transaction") {
            return true;
        }
        usage = &outer.usage;
    }
    false
}

/// A name on the way says that repeated calls are answered from memory, or gathered.
fn is_cached(map: &RepoMap, cause: Cause) -> bool {
    let says = |name: &str| {
        let words = place::words(name);
        words.iter().any(|word| word.contains("cache") || word.starts_with("memo") || word.contains("dataloader"))
            || words.windows(2).any(|pair| pair[0] == "data" && pair[1] == "loader")
    };
    cause.through.is_some_and(|symbol| says(&map.symbol(symbol).qualified)) || says(&map.call(cause.call).name)
}

/// `where: { id: { in: item.ids } }` asks for many rows at once; the loop around it walks chunks or groups.
fn sends_a_chunk(facts: &FileFacts, call: CallId, names: &[&str]) -> bool {
    let mut found = false;
    for link in chain::receivers(facts, call.index) {
        for argument in &facts.call(link).arguments {
            argument.walk(&mut |inner| {
                if let Expr::Object(entries) = inner {
                    found |= entries.iter().any(|(key, value)| {
                        matches!(key.as_str(), "in" | "$in" | "_in") && is_one_of(facts, value, names)
                    });
                }
            });
        }
    }
    found
}

/// `chunk` itself, or `chunk.map(…)`.
fn is_one_of(facts: &FileFacts, value: &Expr, names: &[&str]) -> bool {
    match value.peeled() {
        Expr::Name(name) => names.contains(&name.as_str()),
        Expr::Call(index) => match facts.call(*index).callee.peeled() {
            Expr::Member(object, _) => matches!(object.peeled(), Expr::Name(name) if names.contains(&name.as_str())),
            _ => false,
        },
        _ => false,
    }
}

/// HIGH when every item runs the effect by a way that was resolved, not guessed from an interface.
fn confidence(map: &RepoMap, iteration: &Iteration<'_>, causes: &[Cause]) -> Confidence {
    let leaves_early = iteration.statement.is_some_and(|statement| statement.exits_early)
        || iteration.host.is_some_and(|host| {
            let first = causes.first().map(|cause| map.file(cause.call.file).facts.call(host).name.as_str());
            matches!(first, Some("some" | "find" | "every" | "any" | "all"))
        });
    let conditional = causes.iter().enumerate().any(|(at, cause)| {
        let within = if at == 0 { Some(iteration.region) } else { None };
        place::is_conditional(map, cause.call, within)
    });
    let dispatched = causes.iter().any(|cause| {
        matches!(map.target(cause.call), CallTarget::Symbols(all) if all.iter().filter(|one| one.how == How::Dispatch).count() > 1)
    });
    if leaves_early || dispatched || (conditional && causes.len() > 1) || causes.len() > 2 {
        Confidence::Med
    } else {
        Confidence::High
    }
}

/// The query whose rows the loop walks: list, then one query a row.
fn source_query(map: &RepoMap, effects: &Effects, call: CallId, iteration: &Iteration<'_>) -> Option<CallId> {
    let facts = &map.file(call.file).facts;
    let over = place::resolve(facts, map.call(call).caller, iteration.over?);
    let mut found = None;
    chain::walk_deep(facts, over, &mut |inner| {
        if let Expr::Call(index) = inner {
            let id = CallId { file: call.file, index: *index };
            if found.is_none() && effects.cause(map, id, Effect::DbRead).is_some_and(|cause| cause.distance <= 3) {
                found = Some(id);
            }
        }
    });
    found
}

/// Whether the body also waits for something that is no query of ours to batch: an upload, a mail, a conversion.
///
/// Then the query is one of several round trips, and taking it out saves less.
pub fn waits_for_more(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    (0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: site.call.file, index };
        let is_query = || {
            [Effect::DbRead, Effect::DbWrite].into_iter().any(|effect| effects.cause(map, call, effect).is_some())
                || chain::receivers(facts, index)
                    .iter()
                    .any(|link| !effects.direct(CallId { index: *link, ..call }).is_empty())
        };
        other.awaited
            && body.contains(other.span)
            && !matches!(
                other.name.as_str(),
                "all" | "allSettled" | "join_all" | "try_join_all" | "map" | "$transaction"
            )
            && !is_query()
    })
}

/// Whether the function called does more than look something up: it writes, sends or queues.
///
/// Such a loop runs an operation once an item, which is often what was asked for; a look-up is what can be gathered.
pub fn is_operation(map: &RepoMap, effects: &Effects, site: &PerItem<'_>) -> bool {
    if site.causes.len() < 2 {
        return false;
    }
    let acts = [Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Process]
        .into_iter()
        .any(|effect| effects.cause(map, site.call, effect).is_some());
    acts || names_an_act(&map.call(site.call).name)
}

/// Whether the body sends something for each item that cannot be taken back: the write beside it records that.
pub fn acts_outside(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let body = facts.regions[site.iteration.region as usize].span;
    const ACTS: &[&str] =
        &["send", "mail", "sms", "charge", "pay", "refund", "upload", "publish", "webhook", "deliver", "notify"];
    facts.calls.iter().any(|other| {
        body.contains(other.span) && place::words(&other.name).first().is_some_and(|word| ACTS.contains(&word.as_str()))
    })
}

/// Whether a function that queries calls itself on children: one query a node of a tree.
pub fn is_recursive(map: &RepoMap, site: &PerItem<'_>) -> bool {
    let function = map.caller_of(site.call);
    function.is_some() && site.causes.first().is_some_and(|cause| cause.through == function)
}

fn names_an_act(name: &str) -> bool {
    const ACTS: &[&str] = &[
        "send", "mail", "sms", "charge", "pay", "refund", "upload", "publish", "webhook", "deliver", "notify", "exec",
        "execute", "run", "deploy", "cleanup", "clean", "remove", "delete", "process", "sync", "import", "export",
        "handle", "create", "update", "save",
    ];
    // `sendMail`, `removeUser`: the verb comes first. `findEmail` only speaks of one.
    place::words(name).first().is_some_and(|word| ACTS.contains(&word.as_str()))
}

/// How the loop is written, for messages.
pub fn loop_text(map: &RepoMap, call: CallId, iteration: &Iteration<'_>) -> String {
    let facts = &map.file(call.file).facts;
    let over = iteration.over.and_then(|over| match over.peeled() {
        Expr::Call(index) => {
            chain::names(facts, &facts.call(*index).callee).map(|names| format!("{}()", names.join(".")))
        }
        other => other.dotted(),
    });
    match over {
        Some(over) if over.len() <= 48 => match over.strip_prefix("this.") {
            Some(rest) if map.file(call.file).language == LanguageName::Rust => format!("`self.{rest}`"),
            _ => format!("`{over}`"),
        },
        _ => "the collection".to_owned(),
    }
}
