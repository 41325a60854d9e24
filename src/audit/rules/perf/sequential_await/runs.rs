//! Runs: statements in a row that each wait for a read, none using what another gave.

use std::collections::BTreeMap;

use super::{Sequence, speaks_of_order};
use crate::audit::place;
use crate::effects::entry::Handler;
use crate::effects::{Effect, Effects, chain};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{Binding, BindingKind, CallKind, CallSite, FileFacts, RegionKind, Usage};
use crate::repo_map::{CallId, FileId, RepoMap};

/// Reads in a row that are worth a word. Our choice: two are often written so on purpose.
const LONG: usize = 3;

/// A statement that waits for one call.
struct Wait<'a> {
    call: CallId,
    names: Vec<&'a str>,
}

/// Runs of a file.
pub fn of_file(map: &RepoMap, effects: &Effects, file: FileId) -> Vec<Sequence> {
    let facts = &map.file(file).facts;
    let mut by_statement: BTreeMap<(u32, u32), Wait<'_>> = BTreeMap::new();
    for binding in &facts.bindings {
        let Some(call) = awaited_call(binding) else { continue };
        let id = CallId { file, index: call };
        if facts.call(call).awaited && is_read(map, effects, id) {
            let place = (binding.statement.block, binding.statement.index);
            let wait = by_statement.entry(place).or_insert_with(|| Wait { call: id, names: Vec::new() });
            wait.names.push(binding.name.as_str());
        }
    }
    let mut found = Vec::new();
    let mut run: Vec<((u32, u32), Wait<'_>)> = Vec::new();
    for (place, wait) in by_statement {
        let follows = run.last().is_some_and(|(last, _)| *last == (place.0, place.1.wrapping_sub(1)));
        if !follows || uses_any(facts, wait.call, &run) {
            found.extend(sequence(map, &run));
            run.clear();
        }
        run.push((place, wait));
    }
    found.extend(sequence(map, &run));
    found
}

fn sequence(map: &RepoMap, run: &[((u32, u32), Wait<'_>)]) -> Option<Sequence> {
    let calls: Vec<CallId> = run.iter().map(|(_, wait)| wait.call).collect();
    let first = *calls.first()?;
    let is_test = map.is_test(first.file, map.call(first).caller);
    let is_told = calls.len() >= LONG && !is_test && saves_much(map, &calls) && !share_a_builder(map, &calls);
    is_told.then_some(Sequence { calls, turns: None, is_list: false, is_remote: true })
}

/// Of a hundred waits of a function, those that waiting together takes away for it to be felt. Our choice.
const SAVED_PERCENT: usize = 25;

/// Three look-ups of a mutation that then waits for a dozen writes are not where its time goes.
fn saves_much(map: &RepoMap, run: &[CallId]) -> bool {
    let facts = &map.file(run[0].file).facts;
    let first = map.call(run[0]);
    let callback = |site: &CallSite| {
        let mut around = facts.enclosing_regions(site.region);
        around.find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. })).map(|(index, _)| index)
    };
    let is_beside = |site: &&CallSite| site.caller == first.caller && callback(site) == callback(first);
    let waits = facts.calls.iter().filter(|site| site.awaited).filter(is_beside).count();
    (run.len() - 1) * 100 >= waits * SAVED_PERCENT
}

/// `query.where(…); await query.getCount();`: one builder that each call changes before it is asked.
fn share_a_builder(map: &RepoMap, run: &[CallId]) -> bool {
    let facts = &map.file(run[0].file).facts;
    let caller = map.call(run[0]).caller;
    let builder = |call: &CallId| {
        let names = chain::names(facts, &map.call(*call).callee)?;
        let name = names.first()?;
        facts.bindings.iter().find(|own| own.owner == caller && own.name == *name).map(|own| own.name)
    };
    let Some(name) = builder(&run[0]) else { return false };
    run.iter().all(|call| builder(call) == Some(name))
        && run.iter().any(|call| chain::receivers(facts, call.index).len() > 1)
}

fn awaited_call(binding: &Binding) -> Option<u32> {
    let local = matches!(binding.kind, BindingKind::Constant | BindingKind::Variable)
        && (binding.owner.is_some() || binding.region.is_some());
    match (local, binding.value.as_ref()?) {
        (true, Expr::Await(inner)) => match inner.as_ref() {
            Expr::Call(call) => Some(*call),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a database or asks another machine, and changes nothing that is known of.
fn is_read(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let has = |effect| effects.cause(map, call, effect).is_some_and(|cause| cause.distance <= 3);
    let facts = &map.file(call.file).facts;
    let site = facts.call(call.index);
    (has(Effect::DbRead) || has(Effect::Http))
        && ![Effect::DbWrite, Effect::Queue, Effect::Process].into_iter().any(has)
        && !matches!(site.usage, Usage::Receiver(_))
        && !chain::call_uses(facts, call.index, &|name| {
            matches!(name, "tx" | "trx" | "transaction" | "t" | "session" | "manager" | "queryRunner")
        })
        && !shares_a_connection(map, effects, call)
        && !runs_in_a_transaction(map, effects, call)
        && !speaks_of_order(&site.name)
        && !changes_by_name(&site.name)
}

/// `@Transaction()` on the handler or on the function itself: what runs below it has one connection.
fn runs_in_a_transaction(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let handler = effects.entries.of_call(map, call).map(|reach| reach.entry.handler);
    let handler = match handler {
        Some(Handler::Function(function)) => Some(function),
        Some(Handler::Callback(..)) | None => None,
    };
    map.caller_of(call).into_iter().chain(handler).any(|function| {
        let facts = &map.file(function.file).facts;
        let symbol = map.symbol(function);
        // From the member before it, or the head of its class, to its name.
        let before = facts.symbols.iter().filter(|own| own.span.start < symbol.span.start);
        let from = before.map(|own| if own.span.contains(symbol.span) { own.span.start } else { own.span.end }).max();
        facts.calls.iter().any(|own| {
            own.kind == CallKind::Decorator
                && matches!(own.name.as_str(), "Transaction" | "Transactional")
                && own.line <= symbol.name_line
                && own.span.start >= from.unwrap_or_default()
        })
    })
}

/// `prisma.txClient().user.findMany()`: a client that is the transaction's where there is one, which takes one statement at a time.
fn shares_a_connection(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let Some(last) = effects.causes(map, call, Effect::DbRead).last().copied() else { return false };
    let facts = &map.file(last.call.file).facts;
    chain::receivers(facts, last.call.index).into_iter().skip(1).any(|link| {
        place::words(&facts.call(link).name).iter().any(|word| matches!(word.as_str(), "tx" | "trx" | "transaction"))
    })
}

/// `createUser`, `ensureTeam`, `requireAdmin`: later statements count on what it did.
fn changes_by_name(name: &str) -> bool {
    const CHANGES: &[&str] = &[
        "create",
        "insert",
        "update",
        "upsert",
        "save",
        "delete",
        "remove",
        "set",
        "add",
        "post",
        "put",
        "patch",
        "send",
        "ensure",
        "check",
        "verify",
        "require",
        "assert",
        "validate",
        "authorize",
        "authenticate",
        "login",
        "setup",
        "init",
        "sync",
        "process",
        "run",
        "import",
        "refresh",
        "begin",
        "start",
        "execute",
        "apply",
        "handle",
        "register",
    ];
    crate::audit::place::words(name).first().is_some_and(|word| CHANGES.contains(&word.as_str()))
}

fn uses_any(facts: &FileFacts, call: CallId, run: &[((u32, u32), Wait<'_>)]) -> bool {
    chain::call_uses(facts, call.index, &|name| run.iter().any(|(_, wait)| wait.names.contains(&name)))
}
