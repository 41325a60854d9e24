//! What the rules about handlers ask of code: the expressions in it, and what records a call is about.

use crate::effects::chain;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, Span};
use crate::repo_map::{CallId, RepoMap};

/// Everything that is given, compared, bound, assigned or returned within `span`.
pub fn expressions(facts: &FileFacts, span: Span) -> impl Iterator<Item = &Expr> {
    let inside = move |other: Span| span.contains(other);
    let lines = {
        let starts = facts.regions.iter().find(|region| region.span == span).map(|region| region.lines);
        starts.or_else(|| facts.symbols.iter().find(|symbol| symbol.span == span).map(|symbol| symbol.lines))
    };
    let calls = facts.calls.iter().filter(move |site| inside(site.span));
    let compared = facts.comparisons.iter().filter(move |one| inside(one.span));
    let bound = facts.bindings.iter().filter(move |one| inside(one.span)).filter_map(|one| one.value.as_ref());
    let assigned = facts.assignments.iter().filter(move |one| inside(one.span)).map(|one| &one.value);
    let returned = facts
        .returns
        .iter()
        .filter(move |one| lines.is_some_and(|lines| lines.contains(one.line)))
        .map(|one| &one.value);
    calls
        .flat_map(|site| site.arguments.iter().chain(std::iter::once(&site.callee)))
        .chain(compared.flat_map(|one| [&one.left, &one.right]))
        .chain(bound)
        .chain(assigned)
        .chain(returned)
}

/// What records a call is about: `prisma.user` of `prisma.user.update`, `User` of `manager.save(User, …)`.
pub fn model(map: &RepoMap, call: CallId) -> Option<String> {
    let site = map.call(call);
    if let Some(Expr::Name(name)) = site.arguments.first().map(Expr::peeled)
        && name.starts_with(char::is_uppercase)
    {
        return Some(name.to_string());
    }
    let facts = &map.file(call.file).facts;
    // `getRepository(ctx, Order).findOne(…)`: every entity has its repository from the same call.
    if let Expr::Member(object, _) = site.callee.peeled()
        && let Expr::Call(index) = object.peeled()
        && matches!(facts.call(*index).name.as_str(), "getRepository" | "getTreeRepository" | "getMongoRepository")
    {
        let mut given = facts.call(*index).arguments.iter().filter_map(|argument| argument.last_name());
        return given.find(|name| name.starts_with(char::is_uppercase)).map(str::to_owned);
    }
    let names = chain::names(facts, &site.callee)?;
    let holder = names.iter().rev().nth(1)?;
    (!matches!(*holder, "manager" | "db" | "repo" | "repository" | "em")).then(|| (*holder).to_owned())
}
