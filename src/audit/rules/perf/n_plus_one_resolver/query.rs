//! The query of a field resolver, if it runs one for each parent.

use super::resolvers::{Body, Resolver};
use crate::audit::place;
use crate::audit::rules::perf::per_item::{MAX_DISTANCE, kept};
use crate::effects::deferral::is_deferred_within;
use crate::effects::{Cause, DirectEffect, Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, FileId, RepoMap};

/// A resolver and the query it runs.
pub struct Site<'a> {
    /// The resolver.
    pub resolver: Resolver<'a>,
    /// Its query.
    pub call: CallId,
    /// From the query to the API.
    pub causes: Vec<Cause>,
    /// What is at the end of the way.
    pub api: &'a DirectEffect,
}

/// The nearest query of a resolver that asks with the parent's key.
pub fn site<'a>(map: &'a RepoMap, effects: &'a Effects, resolver: Resolver<'a>) -> Option<Site<'a>> {
    let found = calls_of(map, &resolver)
        .filter_map(|call| {
            let cause = effects.likely_cause(map, call, Effect::DbRead)?;
            let within = match resolver.body {
                Body::Region(region) => Some(region),
                Body::Symbol(_) => None,
            };
            if cause.distance > MAX_DISTANCE || is_deferred_within(map, call, Effect::DbRead, within) {
                return None;
            }
            let facts = &map.file(call.file).facts;
            let end = chain::end(map, call);
            let asks_with_parent = chain::call_uses(facts, end.index, &|name| resolver.parent.contains(name));
            if !asks_with_parent
                || pages(map, end)
                || takes_all_arguments(map, end, resolver.arguments)
                || guards(&map.call(call).name)
            {
                return None;
            }
            // What also writes or sends is an operation, not a look-up.
            if [Effect::DbWrite, Effect::Queue]
                .into_iter()
                .any(|effect| effects.likely_cause(map, call, effect).is_some())
            {
                return None;
            }
            let causes = effects.likely_causes(map, call, Effect::DbRead);
            if causes.iter().any(|cause| kept::is_cached(map, *cause))
                || causes.iter().skip(1).any(|cause| kept::asks_a_cache_first(map, effects, *cause))
                || causes.iter().any(|cause| loads(map, *cause) || kept::hands_over_loaders(map, *cause))
                || causes.last().is_some_and(|cause| kept::stands_in_for_a_loader(map, cause.call))
            {
                return None;
            }
            Some((call, causes))
        })
        .min_by_key(|(call, causes)| (causes.len(), *call))?;
    let (call, causes) = found;
    let api = effects.api_of(&causes, Effect::DbRead)?;
    // Prisma gathers the `findUnique` of one tick itself.
    if api.library == "prisma" && api.api.rsplit('.').next().is_some_and(|last| last.starts_with("findUnique")) {
        return None;
    }
    Some(Site { resolver, call, causes, api })
}

/// Whether the query depends on arguments of the field, or the resolver gives a page of a list.
pub fn depends_on_arguments(map: &RepoMap, site: &Site<'_>) -> bool {
    let facts = &map.file(site.call.file).facts;
    let end = chain::end(map, site.call);
    let asks = |name: &str| site.resolver.asked.contains(name) && !site.resolver.parent.contains(name);
    chain::call_uses(facts, end.index, &asks)
        || calls_of(map, &site.resolver).any(|call| chain::call_uses(facts, call.index, &asks) && pages(map, call))
}

/// Whether a field of the same type, or of the same file where types are not told apart, is loaded through a DataLoader.
pub fn has_loaders(map: &RepoMap, resolver: &Resolver<'_>) -> bool {
    let facts = &map.file(resolver.file).facts;
    let of_type = resolver.of_type(facts);
    facts.calls.iter().any(|site| {
        let loads = site.callee.dotted().is_some_and(|callee| callee.to_ascii_lowercase().contains("loader"))
            || chain::names(facts, &site.callee)
                .is_some_and(|names| names.iter().any(|name| name.to_ascii_lowercase().contains("loader")));
        loads
            && of_type.is_none_or(|kind| {
                site.caller
                    .is_some_and(|index| facts.symbols[index as usize].qualified.split('.').any(|part| part == kind))
            })
    })
}

fn calls_of<'a>(map: &'a RepoMap, resolver: &Resolver<'_>) -> Box<dyn Iterator<Item = CallId> + 'a> {
    let file: FileId = resolver.file;
    let facts = &map.file(file).facts;
    let all = (0..).zip(&facts.calls);
    match resolver.body {
        Body::Symbol(symbol) => Box::new(
            all.filter(move |(_, site)| site.caller == Some(symbol)).map(move |(index, _)| CallId { file, index }),
        ),
        Body::Region(region) => {
            let body = facts.regions[region as usize].span;
            let owner = facts.regions[region as usize].symbol;
            Box::new(
                all.filter(move |(_, site)| site.caller == owner && body.contains(site.span))
                    .map(move |(index, _)| CallId { file, index }),
            )
        }
    }
}

/// One page of a list, with arguments of the field: each parent has a page of its own.
fn pages(map: &RepoMap, call: CallId) -> bool {
    const PAGE: &[&str] =
        &["limit", "offset", "first", "last", "cursor", "take", "skip", "page", "after", "before", "perPage"];
    let facts = &map.file(call.file).facts;
    let owner = facts.call(call.index).caller;
    let mut found = false;
    let mut names = Vec::new();
    let mut look = |expr: &Expr, names: &mut Vec<Name>| {
        chain::walk_deep(facts, expr, &mut |inner| match inner {
            Expr::Name(name) => {
                found |= PAGE.contains(&name.as_str());
                names.push(*name);
            }
            Expr::Member(_, name) => found |= PAGE.contains(&name.as_str()),
            Expr::Object(entries) => found |= entries.iter().any(|(key, _)| PAGE.contains(&key.as_str())),
            _ => {}
        });
    };
    look(&Expr::Call(call.index), &mut names);
    // `const query = { where, limit: args.limit }`, or `query.limit = args.limit`.
    for name in std::mem::take(&mut names) {
        if let Some(value) = place::initialiser(facts, owner, &name) {
            look(value, &mut names);
        }
        for assignment in facts.assignments.iter().filter(|assignment| assignment.symbol == owner) {
            if assignment.target.root_name() == Some(name.as_str()) {
                look(&assignment.target, &mut names);
            }
        }
    }
    found
}

/// `load(parent.id, args)`: each field of each request asks for something else.
fn takes_all_arguments(map: &RepoMap, call: CallId, arguments: Option<&str>) -> bool {
    let is_all = |expr: &Expr| matches!(expr.peeled(), Expr::Name(name) if Some(name.as_str()) == arguments);
    map.call(call).arguments.iter().any(|argument| match argument {
        Expr::Spread(inner) => is_all(inner),
        Expr::Object(entries) => entries.iter().any(|(_, value)| is_all(value)),
        other => is_all(other),
    })
}

/// Calls that decide whether somebody may see the field.
fn guards(name: &str) -> bool {
    const GUARDS: &[&str] = &[
        "authorize",
        "authenticate",
        "validate",
        "check",
        "assert",
        "ensure",
        "require",
        "verify",
        "throw",
        "can",
        "is",
        "has",
        "may",
        "allow",
        "log",
        "track",
        "audit",
    ];
    place::words(name).first().is_some_and(|word| GUARDS.contains(&word.as_str()))
}

/// `loader.load(key)`, however far down.
fn loads(map: &RepoMap, cause: Cause) -> bool {
    let site = map.call(cause.call);
    let of_loader = |name: &str| name.to_ascii_lowercase().contains("loader");
    site.callee.dotted().is_some_and(|callee| callee.split('.').any(of_loader))
        || cause.through.is_some_and(|symbol| of_loader(&map.symbol(symbol).qualified))
}
