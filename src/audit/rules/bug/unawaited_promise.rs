//! `unawaited-promise`: a promise used as if it were its value, or dropped.

use std::collections::BTreeMap;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::bug::rejection::{Rejection, rejection};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, CommentKind, LoopForm, RegionKind, Span, Usage};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap, SymbolId};

/// A promise that is tested, or dropped in async code.
pub struct UnawaitedPromise;

static DOC: RuleDoc = RuleDoc {
    id: "unawaited-promise",
    category: Category::Bug,
    what: "the promise of an async function used as a condition, or dropped inside an async function",
    why: "a promise is always truthy, so a check that returns one never fails; a dropped one runs later than the code after it, \
          and its error ends the process or is lost",
    quiet_when: "the promise is awaited, returned, stored, marked with `void`, has a `.catch`, is handed to `waitUntil`, or the \
                 function sends telemetry",
    example: "async function remove(user: User) {\n  if (!isAdmin(user)) throw new Forbidden(); // isAdmin is async\n  deleteAll();\n}",
};

/// Functions whose result nobody waits for on purpose: telemetry, warming, navigation, cache hints.
const FIRE_AND_FORGET: &[&str] = &[
    "track",
    "log",
    "capture",
    "prefetch",
    "preload",
    "invalidate",
    "revalidate",
    "refetch",
    "report",
    "trace",
    "debug",
    "emit",
    "notify",
    "warm",
    "schedule",
    "enqueue",
    "trigger",
    "navigate",
    "redirect",
    "push",
    "replace",
    "start",
    "run",
    "main",
    "bootstrap",
    "close",
    "abort",
    "end",
    "destroy",
    "dispose",
    "cancel",
    "init",
    "watch",
    "poll",
    "toast",
    "telemetry",
    "analytics",
    "background",
    "queue",
    "on",
    "handle",
    "dispatch",
];

/// Functions whose whole point is to stop the code after them.
const GUARDS: &[&str] = &[
    "check",
    "verify",
    "enforce",
    "authenticate",
    "authorize",
    "authorise",
    "require",
    "assert",
    "validate",
    "ensure",
    "can",
    "has",
    "is",
];

/// How a promise is misused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misuse {
    /// As a condition.
    Tested,
    /// As a statement in async code.
    Dropped,
    /// `items.forEach(async …)`.
    ForEach,
}

impl Rule for UnawaitedPromise {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let habits = Habits::of(map);
        groups(map, effects, &habits).iter().filter_map(|sites| finding(map, effects, &habits, sites)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let habits = Habits::of(map);
        let at: Vec<CallId> = place::calls_at(map, finding.location()).collect();
        let sites = groups(map, context.effects, &habits)
            .into_iter()
            .find(|sites| sites.first().is_some_and(|(call, _)| at.contains(call)))?;
        let &(call, kind) = sites.first()?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let name = place::callee_text(map, call);
        let site = map.call(call);
        let mut goals = Vec::new();
        for (call, _) in &sites {
            let file = map.file(call.file).path.clone();
            let line = map.call(*call).line;
            let text = place::unique_line(context.tree, &file, line, line, &|_| true);
            goals.extend(text.map(|text| match kind {
                // `await ` goes in front of the call, so a line that starts with it still holds the old text.
                Misuse::Dropped => GateDraft::TextPresent { text: format!("await {text}"), file },
                Misuse::Tested | Misuse::ForEach => GateDraft::TextGone { text, file },
            }));
        }
        let edits = match kind {
            Misuse::ForEach => Vec::new(),
            Misuse::Tested | Misuse::Dropped => sites
                .iter()
                .filter(|(call, _)| place::in_async_code(map, *call))
                .filter_map(|(call, _)| await_edit(context, *call))
                .collect(),
        };
        let (title, instruction) = match kind {
            Misuse::Tested => (
                format!("Await `{name}` before testing it in `{function}`"),
                format!(
                    "In `{path}`, `{function}`, line {}: write `await {name}(…)` in the condition. {}",
                    site.line,
                    if edits.is_empty() {
                        format!("`{function}` must become async; then every caller of it has to await it too.")
                    } else {
                        String::new()
                    }
                ),
            ),
            Misuse::Dropped => (
                if sites.len() == 1 {
                    format!("Await `{name}` in `{function}`")
                } else {
                    format!("Await `{name}` in {} places", sites.len())
                },
                format!("Write `await` before the call: {}.", place_list(map, &sites)),
            ),
            Misuse::ForEach => (
                format!("Wait for the callbacks of `forEach` in `{function}`"),
                format!(
                    "In `{path}`, `{function}`, line {}: replace `forEach` with `for (const item of items) {{ await … }}` when order \
                     matters or the load must stay low, else with `await Promise.all(items.map(async (item) => {{ … }}))`.",
                    site.line
                ),
            ),
        };
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goals.iter().cloned());
        Some(PlanDraft {
            title: title.clone(),
            why: finding.message.clone(),
            context: habits.awaited_elsewhere(map, call).map_or_else(Vec::new, |count| {
                vec![format!(
                    "`{name}` is awaited in {count} other place{} of this repository.",
                    if count == 1 { "" } else { "s" }
                )]
            }),
            excerpts: Vec::new(),
            steps: vec![StepDraft { title, instruction, edits, gates }],
            in_scope: Vec::new(),
            out_of_scope: vec![(
                format!("the body of `{name}`"),
                "this plan is about how it is called; what it does is another matter".to_owned(),
            )],
            tests: vec![match kind {
                Misuse::Tested => format!("`{function}` takes the other branch when `{name}` resolves to false"),
                Misuse::Dropped | Misuse::ForEach => {
                    format!("when `{name}` rejects, the caller of `{function}` sees the error")
                }
            }],
            edge_cases: vec![
                "an error that used to be lost now reaches the caller: is somebody there to answer it?".to_owned(),
                "the code after the call now runs later than before".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals,
            stop_conditions: vec![
                format!("a comment or a test says that a caller such as `{function}` must not wait for `{name}`"),
                "waiting would hold a response or a lock for longer than a second".to_owned(),
            ],
            maintenance: vec![
                "The type-aware lint rules `no-floating-promises` and `no-misused-promises` find this kind of fault."
                    .to_owned(),
            ],
            risk: None,
        })
    }
}

/// How often each function is awaited: what most callers do is what was meant.
struct Habits {
    awaited: BTreeMap<SymbolId, usize>,
    dropped: BTreeMap<SymbolId, usize>,
}

impl Habits {
    fn of(map: &RepoMap) -> Habits {
        let mut habits = Habits { awaited: BTreeMap::new(), dropped: BTreeMap::new() };
        for (call, site) in map.calls() {
            let counts = if site.awaited {
                &mut habits.awaited
            } else if matches!(site.usage, Usage::Discarded | Usage::Ignored) {
                &mut habits.dropped
            } else {
                continue;
            };
            for resolved in map.resolved(call) {
                *counts.entry(resolved.symbol).or_default() += 1;
            }
        }
        habits
    }

    fn awaited_elsewhere(&self, map: &RepoMap, call: CallId) -> Option<usize> {
        map.resolved(call).find_map(|resolved| self.awaited.get(&resolved.symbol).copied())
    }

    fn dropped(&self, map: &RepoMap, call: CallId) -> usize {
        map.resolved(call).filter_map(|resolved| self.dropped.get(&resolved.symbol)).max().copied().unwrap_or_default()
    }
}

/// Misuses, in order; those that drop the promise of the same function belong together, since one plan mends them all.
fn groups(map: &RepoMap, effects: &Effects, habits: &Habits) -> Vec<Vec<(CallId, Misuse)>> {
    let mut by_callee: BTreeMap<SymbolId, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<(CallId, Misuse)>> = Vec::new();
    for (call, _) in map.calls() {
        let Some(kind) = misuse(map, effects, habits, call) else { continue };
        let callee = map.resolved(call).next().filter(|_| kind == Misuse::Dropped).map(|resolved| resolved.symbol);
        match callee.and_then(|callee| by_callee.get(&callee).copied()) {
            Some(group) => groups[group].push((call, kind)),
            None => {
                by_callee.extend(callee.map(|callee| (callee, groups.len())));
                groups.push(vec![(call, kind)]);
            }
        }
    }
    groups
}

/// `` `a.ts` line 3, `b.ts` line 9 ``.
fn place_list(map: &RepoMap, sites: &[(CallId, Misuse)]) -> String {
    let places: Vec<String> =
        sites.iter().map(|(call, _)| format!("`{}` line {}", map.file(call.file).path, map.call(*call).line)).collect();
    places.join(", ")
}

fn misuse(map: &RepoMap, effects: &Effects, habits: &Habits, call: CallId) -> Option<Misuse> {
    let source = map.file(call.file);
    let site = map.call(call);
    if !source.language.is_ecmascript()
        || site.awaited
        || place::in_test(map, call)
        || source.role != FileRole::Production
    {
        return None;
    }
    if let Some(misuse) = for_each(map, effects, call) {
        return Some(misuse);
    }
    if site.kind != CallKind::Call || !effects.call_is_async(map, call) {
        return None;
    }
    let in_repository = map.resolved(call).next().is_some();
    match &site.usage {
        Usage::Tested => (in_repository || is_query_end(effects, call)).then_some(Misuse::Tested),
        Usage::Discarded if in_repository && place::in_async_code(map, call) => {
            let forgotten = site.name.is_empty() || is_fire_and_forget(&site.name) || is_explained(map, call);
            if forgotten {
                return None;
            }
            let usually_awaited = habits.awaited_elsewhere(map, call).unwrap_or_default();
            // Two droppers are a habit; against it speaks only that a failure ends the process.
            let breaks_habit = usually_awaited > 0 && usually_awaited >= habits.dropped(map, call);
            (breaks_habit || rejects_on_a_server(map, effects, call)).then_some(Misuse::Dropped)
        }
        Usage::Discarded if is_query_end(effects, call) && chain::end(map, call) == call => {
            // A query that is neither awaited nor given a callback never runs (Prisma) or is lost.
            let has_callback = site.arguments.iter().any(|argument| matches!(argument, Expr::Function { .. }));
            (place::in_async_code(map, call) && !has_callback && !is_explained(map, call)).then_some(Misuse::Dropped)
        }
        _ => None,
    }
}

/// A failure of the called function reaches nobody, in code that only a server runs.
fn rejects_on_a_server(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    const SERVER: [Effect; 5] = [Effect::DbRead, Effect::DbWrite, Effect::Fs, Effect::Queue, Effect::Redis];
    rejection(map, effects, call) == Rejection::Known
        && !runs_for_ever(map, call)
        && !map.file(call.file).path.ends_with('x')
        && SERVER.into_iter().any(|effect| effects.cause(map, call, effect).is_some_and(|cause| cause.distance <= 3))
}

/// A worker's endless loop is started, never waited for.
fn runs_for_ever(map: &RepoMap, call: CallId) -> bool {
    map.resolved(call).any(|resolved| {
        map.file(resolved.symbol.file).facts.regions.iter().any(|region| {
            region.symbol == Some(resolved.symbol.index)
                && matches!(&region.kind, RegionKind::Loop(head) if head.form == LoopForm::Endless)
        })
    })
}

/// `await ` before a call, unless it stands there already.
fn await_edit(context: &RecipeContext<'_>, call: CallId) -> Option<EditDraft> {
    let file = context.map.file(call.file).path.clone();
    let start = context.map.call(call).span.start;
    let text = context.tree.text(&file)?;
    if text.get(..start as usize)?.trim_end().ends_with("await") {
        return None;
    }
    Some(EditDraft::Replace { file, span: Span { start, end: start }, text: "await ".to_owned() })
}

/// A database call that gives a promise by itself.
fn is_query_end(effects: &Effects, call: CallId) -> bool {
    effects
        .direct(call)
        .iter()
        .any(|direct| direct.is_async && matches!(direct.effect, Effect::DbRead | Effect::DbWrite))
}

/// `items.forEach(async (item) => { await … })`: `forEach` does not wait.
fn for_each(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Misuse> {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    if site.name != "forEach" || site.usage != Usage::Discarded || !place::in_async_code(map, call) {
        return None;
    }
    let Some(Expr::Function { region: Some(region), is_async: true, .. }) = site.arguments.first() else { return None };
    let is_callback = matches!(facts.regions[*region as usize].kind, RegionKind::Callback { .. });
    let body = facts.regions[*region as usize].span;
    // Only where something of weight is lost: a query, a request, a file.
    let loses = (0..).zip(&facts.calls).any(|(index, inner)| {
        inner.awaited
            && body.contains(inner.span)
            && [Effect::DbRead, Effect::DbWrite, Effect::Http, Effect::Queue, Effect::Fs, Effect::Redis]
                .into_iter()
                .any(|effect| effects.cause(map, CallId { file: call.file, index }, effect).is_some())
    });
    (is_callback && loses).then_some(Misuse::ForEach)
}

fn is_fire_and_forget(name: &str) -> bool {
    place::words(name).iter().any(|word| FIRE_AND_FORGET.contains(&word.as_str()))
}

/// A comment at the line says that it is meant.
fn is_explained(map: &RepoMap, call: CallId) -> bool {
    let line = map.call(call).line;
    map.file(call.file).facts.comments.iter().any(|comment| {
        comment.kind == CommentKind::Justification && (comment.applies_to == line || comment.line == line)
    })
}

fn finding(map: &RepoMap, effects: &Effects, habits: &Habits, sites: &[(CallId, Misuse)]) -> Option<Finding> {
    let &(call, misuse) = sites.first()?;
    let site = map.call(call);
    let name = place::callee_text(map, call);
    let function = place::function_name(map, call);
    let guards = place::words(&site.name).first().is_some_and(|word| GUARDS.contains(&word.as_str()));
    let awaited = habits.awaited_elsewhere(map, call).unwrap_or_default();
    let rejects = rejection(map, effects, call);
    let path = &map.file(call.file).path;
    let title = match misuse {
        Misuse::Tested => format!("`{name}` gives a promise, which `{function}` tests as if it were its value"),
        Misuse::Dropped if guards && sites.len() > 1 => {
            format!("{} places do not wait for the check `{name}`", sites.len())
        }
        Misuse::Dropped if guards => format!("`{function}` does not wait for the check `{name}`"),
        Misuse::Dropped if sites.len() > 1 => format!("{} places drop the promise of `{name}`", sites.len()),
        Misuse::Dropped => format!("`{function}` drops the promise of `{name}`"),
        Misuse::ForEach => format!("`forEach` in `{function}` drops the promises of its async callback"),
    };
    let message = match misuse {
        Misuse::Tested => format!("`{name}` is async, so the condition on its result in `{function}` always holds."),
        Misuse::Dropped => {
            let elsewhere = match awaited {
                0 => String::new(),
                1 => " It is awaited in 1 other place.".to_owned(),
                count => format!(" It is awaited in {count} other places."),
            };
            let who = droppers(map, sites);
            let goes = if who.matches('`').count() == 2 { "goes" } else { "go" };
            let lost = match rejects {
                Rejection::Impossible => "",
                // Components run in browsers, which only print it.
                Rejection::Known if !path.ends_with('x') => {
                    ", and its rejection is unhandled, which ends a Node.js process by default"
                }
                Rejection::Possible | Rejection::Known => ", and its rejection is unhandled",
            };
            if guards {
                format!("{who} {goes} on before `{name}` is done: the check cannot stop anything{lost}.{elsewhere}")
            } else {
                format!("{who} {goes} on before `{name}` is done{lost}.{elsewhere}")
            }
        }
        Misuse::ForEach => format!(
            "`forEach` does not wait for its async callback: `{function}` goes on before the work is done, and a rejection in it is \
             unhandled."
        ),
    };
    let writes = effects.cause(map, call, Effect::DbWrite).is_some();
    let mut draft = FindingDraft::at_call(&DOC, map, call, "call")
        .title(title)
        .message(message)
        .impact(match misuse {
            Misuse::Tested => 5,
            Misuse::Dropped if guards => 5,
            Misuse::Dropped if rejects == Rejection::Impossible => 2,
            Misuse::Dropped if writes || rejects == Rejection::Known => 4,
            Misuse::Dropped | Misuse::ForEach => 3,
        })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(match misuse {
            Misuse::Tested => Confidence::High,
            Misuse::Dropped if guards => Confidence::High,
            Misuse::Dropped if rejects == Rejection::Impossible => Confidence::Low,
            Misuse::Dropped | Misuse::ForEach => Confidence::Med,
        });
    if let Some(callee) = map.resolved(call).next() {
        draft = draft.and_symbol(map, callee.symbol, "async function");
    }
    for (other, _) in sites.iter().skip(1) {
        draft = draft.and_call(map, *other, "call");
    }
    Some(draft.build())
}

/// `` `close` ``, `` `close` and `remove` ``, `` `close`, `remove` and 3 more functions ``.
fn droppers(map: &RepoMap, sites: &[(CallId, Misuse)]) -> String {
    let mut names: Vec<String> = Vec::new();
    for (call, _) in sites {
        let name = format!("`{}`", place::function_name(map, *call));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [one, other] => format!("{one} and {other}"),
        [one, other, third] => format!("{one}, {other} and {third}"),
        [one, other, rest @ ..] => format!("{one}, {other} and {} more functions", rest.len()),
        [one] => one.clone(),
        [] => String::new(),
    }
}
