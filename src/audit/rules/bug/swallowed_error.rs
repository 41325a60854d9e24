//! `swallowed-error`: a failed write that nobody hears of.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    CallSite, Catch, CatchForm, FileFacts, LanguageName, Lines, RegionKind, SymbolIndex, Usage,
};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileId, FileRole, RepoMap};

/// An error of a write that is thrown away.
pub struct SwallowedError;

static DOC: RuleDoc = RuleDoc {
    id: "swallowed-error",
    category: Category::Bug,
    what: "an empty `catch` around a database write or a queue, one that only logs before the function reports success, or `let _ =` or \
           `.ok()` on the result of a write",
    why: "the caller goes on as if the data were stored; the loss shows up days later, without a trace",
    quiet_when: "the handler holds a comment, a fallback or a rethrow, the function returns `false` or nothing after it and something \
                 else before it, a comment in or above the function says that errors are ignored, the function gives nothing back, nothing it guards writes, what it writes is a log, a counter, a \
                 cache or when something was last seen, what it deletes belongs to a row that is deleted next, it answers an error \
                 already, what is logged comes after another write of the function, or, in Rust, the statement ends in `?`",
    example: "try {\n  await prisma.order.update({ where: { id }, data });\n} catch {}",
};

impl Rule for SwallowedError {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbWrite), Table::Effect(Effect::Queue)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
            let mut lost: Vec<(&Catch, CallId)> = Vec::new();
            for catch in &source.facts.catches {
                if let Some(write) = lost_write(map, effects, file, catch).filter(|write| !is_swept(map, *write)) {
                    lost.push((catch, write));
                } else if let Some(write) = denied_write(map, effects, file, catch) {
                    found.push(of_logging_catch(map, effects, file, catch, write));
                }
            }
            // One finding a function: who opens it decides about all of its handlers.
            lost.sort_by_key(|(catch, _)| (catch.symbol, catch.lines.start));
            let groups = lost.chunk_by(|(one, _), (other, _)| one.symbol.is_some() && one.symbol == other.symbol);
            found.extend(groups.map(|group| of_catches(map, effects, file, group)));
        }
        let ignored: Vec<CallId> =
            map.calls().map(|(call, _)| call).filter(|call| is_ignored_write(map, effects, *call)).collect();
        // One finding a type or file: what is decided about one of its methods is decided about all.
        found.extend(
            ignored.chunk_by(|a, b| holder(map, *a) == holder(map, *b)).map(|group| of_calls(map, effects, group)),
        );
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let place = finding.location();
        let (_, source) = map.file_by_path(&place.file)?;
        let function =
            if finding.symbol.is_empty() { format!("`{}`", place.file) } else { format!("`{}`", finding.symbol) };
        let goal = place::unique_line(context.tree, &place.file, place.start_line, place.end_line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: place.file.clone() });
        let rust = source.language == LanguageName::Rust;
        let how = if rust {
            "Where the function gives a `Result`, pass the error on with `?`; where it cannot fail (a `Drop`, a background task), log \
             it at the level of an error, with the id of what was being written."
        } else {
            "Rethrow when the caller must know (the default for a write); else log the error with the id of what was being written \
             and give the caller a result that says it failed. Catch only what is expected (a unique-key conflict, for instance) and \
             let the rest pass."
        };
        let more: Vec<String> = finding.evidence[1..]
            .iter()
            .filter(|place| rust && place.file == finding.location().file)
            .map(|place| place.start_line.to_string())
            .collect();
        let also =
            if more.is_empty() { String::new() } else { format!(" Decide the same for lines {}.", more.join(", ")) };
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Let {function} report a failed write"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: vec![ExcerptDraft {
                file: place.file.clone(),
                start_line: place.start_line.saturating_sub(8).max(1),
                end_line: (place.end_line + 3).min(source.lines),
                role: "the write and what becomes of its error".to_owned(),
            }],
            steps: vec![StepDraft {
                title: "Answer the error instead of dropping it".to_owned(),
                instruction: format!(
                    "In `{}`, {function}, line {}: {how} Use the logger and the error types this file or its neighbours already use.{also}",
                    place.file, place.start_line
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: place.file.clone(), remark: "the handler".to_owned() }],
            out_of_scope: vec![(
                "other handlers of the file".to_owned(),
                "each needs its own decision about what its caller must know".to_owned(),
            )],
            tests: vec![format!("when the write in {function} fails, the caller or the log says so")],
            edge_cases: vec![
                "an error that is expected in normal use (a duplicate, a row already gone) must not become a failure"
                    .to_owned(),
                "the error text may hold personal data: log ids, not rows".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![format!(
                "callers of {function} depend on it never failing, and nobody reads a log there"
            )],
            maintenance: vec!["An empty handler needs a comment that says why nothing is to be done.".to_owned()],
            risk: Some(Risk::Med),
        })
    }
}

const WRITES: [Effect; 2] = [Effect::DbWrite, Effect::Queue];

/// The write whose error an empty handler throws away.
fn lost_write(map: &RepoMap, effects: &Effects, file: FileId, catch: &Catch) -> Option<CallId> {
    let silent = catch.is_empty && !catch.has_comment && !catch.rethrows && !catch.has_fallback;
    if !silent || map.is_test(file, catch.symbol) {
        return None;
    }
    let facts = &map.file(file).facts;
    if is_said(facts, catch) || is_within_handler(facts, catch) || is_answered_after(facts, catch) {
        return None;
    }
    let body = match catch.form {
        CatchForm::Block => facts.regions.get(catch.guarded? as usize)?.span,
        CatchForm::Method => catch.span,
        CatchForm::ErrPattern => return None,
    };
    let lost = (0..).zip(&facts.calls).find_map(|(index, site)| {
        let call = CallId { file, index };
        // `.catch(() => {})` stands behind the call it guards.
        let guarded = match catch.form {
            CatchForm::Block => body.contains(site.span) && site.awaited,
            CatchForm::Method => matches!(site.usage, Usage::Receiver(outer) if facts.call(outer).name == "catch"
                && facts.call(outer).span.contains(catch.span)
                && facts.call(outer).arguments.len() == 1
                && site.span.end <= catch.span.start),
            CatchForm::ErrPattern => false,
        };
        let writes =
            WRITES.into_iter().any(|effect| effects.cause(map, call, effect).is_some_and(|cause| cause.distance <= 2));
        (guarded && writes).then_some(call)
    })?;
    let is_stamp = place::words(&map.call(lost).name).iter().any(|word| STAMPS.contains(&word.as_str()));
    let is_needless = is_stamp || only_touches(facts, lost) || is_cleared_before(map, effects, catch, lost);
    (!is_needless).then_some(lost)
}

/// `try { await store(row); return true; } catch {} return false;`: the caller hears of the failure.
fn is_answered_after(facts: &FileFacts, catch: &Catch) -> bool {
    let Some(guarded) = catch.guarded.map(|region| facts.regions[region as usize].lines) else { return false };
    let of_function =
        || facts.returns.iter().filter(|returned| returned.symbol == catch.symbol && returned.region.is_none());
    let succeeds = of_function().any(|returned| {
        guarded.contains(returned.line) && !matches!(returned.value, Expr::Bool(false) | Expr::Nothing)
    });
    let fails = of_function()
        .any(|returned| returned.line > catch.lines.end && matches!(returned.value, Expr::Bool(false) | Expr::Nothing));
    succeeds && fails
}

/// A comment on the line of a handler, or right above its statement, says why.
fn is_said(facts: &FileFacts, catch: &Catch) -> bool {
    let last = catch.lines.end;
    facts.comments.iter().any(|comment| comment.line == last || comment.applies_to == catch.lines.start)
}

/// Where an error is answered already: what is put right after it is put right if it can be.
fn is_within_handler(facts: &FileFacts, catch: &Catch) -> bool {
    let regions = || facts.regions.iter().filter(|region| matches!(region.kind, RegionKind::Handler));
    regions().any(|region| {
        region.span.contains(catch.span) && region.span != catch.span && {
            let own = catch.region.and_then(|own| facts.regions.get(own as usize));
            own.is_none_or(|own| own.span != region.span)
        }
    })
}

/// `try { await db.access.deleteMany(…) } catch {} … return db.user.delete(…)`: what belongs to a row that is deleted next goes
/// with it, or keeps it from going, and that is heard of.
fn is_cleared_before(map: &RepoMap, effects: &Effects, catch: &Catch, lost: CallId) -> bool {
    let facts = &map.file(lost.file).facts;
    let is_guarded = |site: &CallSite| {
        facts.catches.iter().any(|other| {
            let guarded = other.guarded.and_then(|region| facts.regions.get(region as usize));
            guarded.is_some_and(|region| region.span.contains(site.span))
        })
    };
    deletes(map, lost)
        && (0..).zip(&facts.calls).any(|(index, site)| {
            let call = CallId { file: lost.file, index };
            site.caller == catch.symbol
                && site.span.start >= catch.span.end
                && deletes(map, call)
                && (site.awaited || site.usage == Usage::Returned)
                && !is_guarded(site)
                && effects.cause(map, call, Effect::DbWrite).is_some()
        })
}

/// Functions that only tell somebody about an error.
const LOGS: &[&str] = &[
    "log",
    "error",
    "warn",
    "warning",
    "info",
    "debug",
    "captureException",
    "captureMessage",
    "trace",
    "fatal",
    "stringify",
];

/// What may be lost without harm, by a word of the table, the function or the method.
const MINOR: &[&str] = &[
    "log",
    "logs",
    "audit",
    "event",
    "events",
    "activity",
    "activities",
    "analytics",
    "metric",
    "metrics",
    "stat",
    "stats",
    "cache",
    "seen",
    "visit",
    "visits",
    "view",
    "views",
    "track",
    "telemetry",
    "history",
    "notification",
    "notifications",
    "usage",
    "counter",
    "increment",
    "cleanup",
    "heartbeat",
    "last",
    "touch",
];

/// What notes in passing that something was there: it is noted again the next time.
const STAMPS: &[&str] = &[
    "last",
    "seen",
    "touch",
    "heartbeat",
    "track",
    "visit",
    "visits",
    "visited",
    "view",
    "views",
    "viewed",
    "increment",
];

/// The write whose failure is only logged before the function says that all went well.
fn denied_write(map: &RepoMap, effects: &Effects, file: FileId, catch: &Catch) -> Option<CallId> {
    let goes_on = catch.form == CatchForm::Block
        && !catch.is_empty
        && !catch.has_comment
        && !catch.rethrows
        && !catch.has_fallback
        && !map.is_test(file, catch.symbol);
    if !goes_on || !map.file(file).language.is_ecmascript() {
        return None;
    }
    let facts = &map.file(file).facts;
    let body = facts.regions.get(catch.guarded? as usize)?.span;
    let handler = facts.regions.get(catch.region? as usize)?;
    // One item that fails must not stop the others; and what is noted about an error is not what the caller asked for.
    if facts
        .enclosing_regions(handler.parent)
        .any(|(_, region)| matches!(region.kind, RegionKind::Loop(_) | RegionKind::Handler))
    {
        return None;
    }
    let mut said = facts.calls.iter().filter(|site| handler.span.contains(site.span)).peekable();
    // A handler that decides something (`if (error.code !== …) throw error`) is no plain log line.
    let only_logs = said.peek().is_some()
        && said.all(|site| LOGS.contains(&site.name.as_str()))
        && !facts.regions.iter().any(|region| region.kind == RegionKind::Branch && handler.span.contains(region.span));
    // What had to be stored is stored, and somebody decided that the rest is worth a line in the log.
    let stored_before = || {
        (0..).zip(&facts.calls).any(|(index, site)| {
            site.caller == catch.symbol
                && site.awaited
                && site.span.end <= body.start
                && effects.cause(map, CallId { file, index }, Effect::DbWrite).is_some()
        })
    };
    if stored_before() {
        return None;
    }
    let around = facts
        .enclosing_regions(handler.parent)
        .find_map(|(index, region)| matches!(region.kind, RegionKind::Callback { .. }).then_some(index));
    // What it says when all went well: something other than nothing, behind the handler.
    let reports_success = facts.returns.iter().any(|returned| {
        returned.region == around
            && (around.is_some() || returned.symbol == catch.symbol)
            && returned.line > catch.lines.end
            && matches!(
                &returned.value,
                Expr::Object(_) | Expr::Bool(true) | Expr::Text(_) | Expr::Call(_) | Expr::Name(_) | Expr::Member(..)
            )
    });
    if !only_logs || !reports_success {
        return None;
    }
    // Something of the body that the rest of the function uses would be a fallback of its own: undefined.
    let written: Vec<CallId> = (0..)
        .zip(&facts.calls)
        .filter(|(_, site)| body.contains(site.span) && site.awaited)
        .map(|(index, _)| CallId { file, index })
        .collect();
    // More than writes: what failed is not clear, and reading on its own may well be optional.
    let writes = |call: &CallId| {
        map.call(*call).usage == Usage::Discarded
            && effects.cause(map, *call, Effect::DbWrite).is_some_and(|cause| cause.distance <= 2)
    };
    let minor = |call: &CallId| {
        place::words(&place::callee_text(map, *call)).iter().any(|word| MINOR.contains(&word.as_str()))
            || catch.symbol.is_some_and(|index| {
                place::words(&facts.symbols[index as usize].name).iter().any(|word| MINOR.contains(&word.as_str()))
            })
    };
    let first = *written.first()?;
    (written.iter().all(writes) && !written.iter().any(|call| minor(call) || only_touches(facts, *call)))
        .then_some(first)
}

/// `.update({ last_used_at: now })`, `data: { lastSeenAt }`: what is noted in passing, and noted again the next time.
fn only_touches(facts: &FileFacts, call: CallId) -> bool {
    let is_minor = |key: &str| place::words(key).iter().any(|word| MINOR.contains(&word.as_str()));
    let links = chain::receivers(facts, call.index);
    links.iter().flat_map(|link| &facts.call(*link).arguments).any(|argument| {
        let Expr::Object(entries) = argument.peeled() else { return false };
        let of_row = |key: &str| matches!(key, "data" | "metadata" | "set" | "values");
        let written = entries.iter().find(|(key, _)| of_row(key)).map_or(entries, |(_, data)| match data.peeled() {
            Expr::Object(inner) => inner,
            _ => entries,
        });
        !written.is_empty() && written.iter().all(|(key, _)| is_minor(key))
    })
}

fn of_logging_catch(map: &RepoMap, effects: &Effects, file: FileId, catch: &Catch, write: CallId) -> Finding {
    let name = place::callee_text(map, write);
    let function = place::function_name(map, write);
    let path = &map.file(file).path;
    FindingDraft::at_lines(&DOC, path, catch.lines.start, catch.lines.end.min(catch.lines.start + 4), "handler")
        .within(map, file, catch.symbol)
        .title(format!("`{function}` reports success after `{name}` failed"))
        .message(format!(
            "When `{name}` fails, `{function}` logs the error and gives its normal result: the caller goes on as if it were stored."
        ))
        // What is logged and goes on is most often a stamp or a hint that the answer does not depend on.
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(Confidence::Med)
        .and_call(map, write, "write")
        .path(effects.path(map, write, Effect::DbWrite))
        .build()
}

/// `let _ = tx.commit().await`, `tx.commit().await.ok();`.
fn is_ignored_write(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let source = map.file(call.file);
    let site = map.call(call);
    let is_ignored = match &site.usage {
        Usage::Ignored => true,
        Usage::Receiver(next) => {
            let next = source.facts.call(*next);
            next.name == "ok" && next.arguments.is_empty() && next.usage == Usage::Discarded && !next.propagated
        }
        _ => false,
    };
    source.language == LanguageName::Rust
        && source.role == FileRole::Production
        && is_ignored
        // `let _ = … .await?;` drops the value; the error goes to the caller.
        && !site.propagated
        && !place::in_test(map, call)
        && answers_to_somebody(map, call)
        && !is_said_to_be_ignored(map, call)
        && !answers_an_error(&source.facts, call)
        && effects.direct(call).iter().any(|direct| direct.effect == Effect::DbWrite)
        && !source.facts.comments.iter().any(|comment| comment.applies_to == site.line)
}

/// Lines above a function in which its documentation is looked for. Our choice.
const MAX_DOC_LINES: u32 = 40;

/// Whether the function around a call gives its caller anything, through which an error could be told.
fn answers_to_somebody(map: &RepoMap, call: CallId) -> bool {
    map.caller_of(call).is_none_or(|function| {
        map.symbol(function).return_type.is_some_and(|declared| !matches!(declared.trim(), "" | "()" | "!"))
    })
}

/// A comment in the function, or the one that documents it, says that errors are ignored.
fn is_said_to_be_ignored(map: &RepoMap, call: CallId) -> bool {
    const WORDS: &[&str] = &["ignor", "swallow", "best effort", "best-effort", "fatal"];
    let facts = &map.file(call.file).facts;
    let Some(function) = map.caller_of(call).map(|function| map.symbol(function)) else { return false };
    // Attributes may stand between a function and its documentation, another definition may not.
    let start = function.lines.start;
    let documents = |line: u32| {
        let stands_between = |lines: Lines| lines.end >= line && lines.start < start && !lines.contains(start);
        (start.saturating_sub(MAX_DOC_LINES)..start).contains(&line)
            && !facts.symbols.iter().any(|other| stands_between(other.lines))
    };
    facts.comments.iter().any(|comment| {
        let text = comment.text.to_ascii_lowercase();
        WORDS.iter().any(|word| text.contains(word))
            && (function.lines.contains(comment.line) || documents(comment.line))
    })
}

/// `if let Err(error) = … { let _ = record(error).await; return Err(error) }`: the caller hears of the error that matters.
fn answers_an_error(facts: &FileFacts, call: CallId) -> bool {
    facts.enclosing_regions(facts.call(call.index).region).any(|(index, _)| {
        facts
            .catches
            .iter()
            .any(|catch| catch.form == CatchForm::ErrPattern && catch.region == Some(index) && catch.rethrows)
    })
}

fn of_catches(map: &RepoMap, effects: &Effects, file: FileId, group: &[(&Catch, CallId)]) -> Finding {
    let (catch, write) = group[0];
    let name = place::callee_text(map, write);
    let function = place::function_name(map, write);
    let path = &map.file(file).path;
    let effect =
        WRITES.into_iter().find(|effect| effects.cause(map, write, *effect).is_some()).unwrap_or(Effect::DbWrite);
    let more = match group.len() {
        1 => String::new(),
        2 => " One more handler of the function does the same.".to_owned(),
        count => format!(" {} more handlers of the function do the same.", count - 1),
    };
    // What is to be gone and cannot be deleted was most often gone before.
    let is_telling = !effects.direct(write).is_empty() && !deletes(map, write);
    let mut draft = FindingDraft::at_lines(&DOC, path, catch.lines.start, catch.lines.end.min(catch.lines.start + 4), "handler")
        .within(map, file, catch.symbol)
        .title(format!("`{function}` hides that `{name}` failed"))
        .message(format!(
            "When `{name}` fails, the empty handler in `{function}` drops the error: the caller goes on as if it were stored.{more}"
        ))
        .impact(if is_telling { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(if is_telling { Confidence::High } else { Confidence::Med })
        .and_call(map, write, "write")
        .path(effects.path(map, write, effect));
    for (other, _) in &group[1..] {
        draft = draft.and_lines(path, other.lines.start, other.lines.end.min(other.lines.start + 4), "handler");
    }
    draft.build()
}

/// `rows.deleteStale().catch(() => {})`: nobody waits for it, and what is left over is swept the next time.
fn is_swept(map: &RepoMap, write: CallId) -> bool {
    let end = map.call(chain::end(map, write));
    deletes(map, write) && !end.awaited && end.usage == Usage::Discarded
}

fn deletes(map: &RepoMap, call: CallId) -> bool {
    let name = map.call(call).name.to_ascii_lowercase();
    ["delete", "remove", "destroy", "drop"].iter().any(|verb| name.starts_with(verb))
}

/// The file, the type whose method the function around a call is, and whether the error is dropped by `let _ =`.
fn holder(map: &RepoMap, call: CallId) -> (FileId, Option<SymbolIndex>, bool) {
    let container = map.caller_of(call).and_then(|function| map.symbol(function).container);
    (call.file, container, map.call(call).usage == Usage::Ignored)
}

fn of_calls(map: &RepoMap, effects: &Effects, group: &[CallId]) -> Finding {
    let call = group[0];
    let more = match group.len() {
        1 => String::new(),
        2 => " One more place beside it does the same.".to_owned(),
        count => format!(" {} more places beside it do the same.", count - 1),
    };
    let is_plain = map.call(call).usage == Usage::Ignored;
    let name = place::callee_text(map, call);
    let function = place::function_name(map, call);
    let mut draft = FindingDraft::at_call(&DOC, map, call, "write")
        .title(format!("`{function}` hides that `{name}` failed"))
        .message(format!(
            "{} drops the error of `{name}` in `{function}`: the caller goes on as if it were stored.{more}",
            if is_plain { "`let _ =`" } else { "`.ok()`" }
        ))
        // `.ok()` at the end of a statement is seldom written without a thought.
        .impact(if is_plain { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(if is_plain { Confidence::Med } else { Confidence::Low })
        .path(effects.path(map, call, Effect::DbWrite));
    for other in &group[1..] {
        draft = draft.and_call(map, *other, "write");
    }
    draft.build()
}
