//! `unawaited-promise`: a promise used as if it were its value, or dropped.
//!
//! `misuse` says what is wrong with a call, from how its value is used (`reads`), where it stands (`callbacks`) and what speaks
//! against its being meant ([`dropped`], [`habits`]); [`wording`] makes a finding of it.

mod assigned;
mod callbacks;
mod dropped;
mod habits;
mod misuse;
mod reads;
mod relied;
mod wording;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Finding};
use crate::repo_map::facts::{Span, Usage};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, RepoMap};
use misuse::{Misuse, groups, misuse};

/// A promise that is used as a value, or dropped where somebody should wait for it.
pub struct UnawaitedPromise;

static DOC: RuleDoc = RuleDoc {
    id: "unawaited-promise",
    category: Category::Bug,
    what: "a promise used as if it were its value (a condition, a spread, a text, a response), dropped where the code after it relies \
           on it, or lost by `forEach`, a predicate or the callback of a mapper",
    why: "a promise is always truthy and has none of the fields of its value, so a check never fails and data is missing; a dropped \
          one runs later than the code after it, and its error ends the process or is lost",
    quiet_when: "the promise is awaited, returned, stored, raced, marked with `void`, has a `.catch`, is handed to `waitUntil`, \
                 comes from a call that takes a callback for errors or from a function that awaits nothing or gives `new Promise((resolve) => …)`, which cannot fail, comes after the response was sent, is the last a function does that runs in browsers or a handler of a component, fetches the next item ahead, or the function sends telemetry; `forEach` also when its callback \
                 handles every failure and nothing comes after it; dropped ones also when every caller drops them or most of \
                 them do with `void`; an assigned one also when the function gives it back; with low confidence in pages that listen for unhandled rejections",
    example: "async function remove(user: User) {\n  if (!isAdmin(user)) throw new Forbidden(); // isAdmin is async\n  deleteAll();\n}",
};

impl Rule for UnawaitedPromise {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[
            Table::Effect(Effect::DbRead),
            Table::Effect(Effect::DbWrite),
            Table::Effect(Effect::Http),
            Table::Effect(Effect::Redis),
            Table::Effect(Effect::Queue),
            Table::Effect(Effect::Fs),
        ]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        groups(map, effects).iter().filter_map(|sites| wording::finding(map, effects, sites)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let sites: Vec<(CallId, Misuse)> = finding
            .evidence
            .iter()
            .filter(|evidence| evidence.role == "call")
            .filter_map(|evidence| {
                place::calls_at(map, evidence).find_map(|call| Some((call, misuse(map, context.effects, call)?)))
            })
            .collect();
        let &(call, kind) = sites.first()?;
        let function = place::function_name(map, call);
        let name = wording::shown_name(map, call);
        let edits = edits(context, &sites);
        let (title, instruction) = task(map, &sites, edits.is_empty())?;
        let goals = goals(context, &sites);
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goals.iter().cloned());
        let awaited = habits::awaited(map, call);
        Some(PlanDraft {
            title: title.clone(),
            why: finding.message.clone(),
            context: match awaited {
                0 => Vec::new(),
                1 => vec![format!("`{name}` is awaited in 1 other place of this repository.")],
                count => vec![format!("`{name}` is awaited in {count} other places of this repository.")],
            },
            excerpts: Vec::new(),
            steps: vec![StepDraft { title, instruction, edits, gates }],
            in_scope: Vec::new(),
            out_of_scope: vec![(
                format!("the body of `{name}`"),
                "this plan is about how it is called; what it does is another matter".to_owned(),
            )],
            tests: vec![match kind {
                Misuse::Tested => format!("`{function}` takes the other branch when `{name}` resolves to false"),
                Misuse::Read | Misuse::LikelyRead => format!("`{function}` uses what `{name}` resolves to"),
                Misuse::Predicate => {
                    format!("`{name}` in `{function}` leaves out an item whose check resolves to false")
                }
                Misuse::Dropped(_)
                | Misuse::Nested
                | Misuse::ForEach(_)
                | Misuse::DroppedByMapper
                | Misuse::ReturnedFromTry => {
                    format!("when `{name}` rejects, `{function}` answers the error or passes it on")
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

/// `await` before every call where that is all there is to do.
fn edits(context: &RecipeContext<'_>, sites: &[(CallId, Misuse)]) -> Vec<EditDraft> {
    let map = context.map;
    sites
        .iter()
        .filter(|(call, kind)| match kind {
            Misuse::Tested | Misuse::Read | Misuse::LikelyRead | Misuse::Dropped(_) | Misuse::ReturnedFromTry => {
                place::in_async_code(map, *call) && needs_no_parentheses(map, *call)
            }
            Misuse::ForEach(_) | Misuse::Predicate | Misuse::DroppedByMapper => false,
            Misuse::Nested => true,
        })
        .flat_map(|(call, kind)| match kind {
            Misuse::Nested => gathered(context, *call),
            _ => await_edit(context, *call).into_iter().collect(),
        })
        .collect()
}

/// `await f().name` would wait for the name, not for `f()`; where a value is read at once, how is not known here.
fn needs_no_parentheses(map: &RepoMap, call: CallId) -> bool {
    map.call(call).usage != Usage::Operand
}

/// Title and instruction of the one step.
fn task(map: &RepoMap, sites: &[(CallId, Misuse)], by_hand: bool) -> Option<(String, String)> {
    let &(call, kind) = sites.first()?;
    let path = &map.file(call.file).path;
    let function = place::function_name(map, call);
    let name = wording::shown_name(map, call);
    let line = map.call(call).line;
    let place = format!("In `{path}`, `{function}`, line {line}");
    let must_become_async = if by_hand && !place::in_async_code(map, call) {
        format!(" `{function}` must become async; then every caller of it has to await it too.")
    } else {
        String::new()
    };
    Some(match kind {
        Misuse::Tested => (
            format!("Await `{name}` before testing it in `{function}`"),
            format!("{place}: write `await {name}(…)` in the condition.{must_become_async}"),
        ),
        Misuse::Read | Misuse::LikelyRead => (
            format!("Await `{name}` before using its value in `{function}`"),
            format!(
                "{place}: write `await {name}(…)`, in parentheses where something is read from it at once.{must_become_async}"
            ),
        ),
        Misuse::Dropped(_) => (
            match sites.len() {
                1 => format!("Await `{name}` in `{function}`"),
                count if wording::is_of_one_function(map, sites) => {
                    format!("Await what `{function}` drops in {count} places")
                }
                count => format!("Await `{name}` in {count} places"),
            },
            format!("Write `await` before the call: {}.{must_become_async}", place_list(map, sites)),
        ),
        Misuse::DroppedByMapper => (
            format!("Hand the promise of `{name}` to what waits for it in `{function}`"),
            match sites.len() {
                1 => format!(
                    "{place}: return the promise from the callback (`return {name}(…)`, or an arrow without braces)."
                ),
                _ => format!(
                    "Return the promise from the callback (`return {name}(…)`, or an arrow without braces) at each place: {}.",
                    place_list(map, sites)
                ),
            },
        ),
        Misuse::Nested => (
            format!("Wait for the promises of the inner list in `{function}`"),
            format!(
                "{place}: hand the outer list `Promise.all({name}(…))`, so that it waits for what is in the inner one."
            ),
        ),
        Misuse::ForEach(_) => (
            format!("Wait for the callbacks of `forEach` in `{function}`"),
            format!(
                "{place}: replace `forEach` with `for (const item of items) {{ await … }}` when order matters or the load must stay \
                 low, else with `await Promise.all(items.map(async (item) => {{ … }}))`."
            ),
        ),
        Misuse::Predicate => (
            format!("Wait for the answers before choosing in `{function}`"),
            format!(
                "{place}: ask first, `const answers = await Promise.all(items.map(…))`, then choose with the answers: \
                 `items.filter((_, index) => answers[index])`."
            ),
        ),
        Misuse::ReturnedFromTry => (
            format!("Await `{name}` inside the `try` of `{function}`"),
            format!("{place}: write `return await {name}(…)`, so that its failure reaches the handler."),
        ),
    })
}

/// What shows that each place is mended.
fn goals(context: &RecipeContext<'_>, sites: &[(CallId, Misuse)]) -> Vec<GateDraft> {
    let map = context.map;
    let goal = |(call, kind): &(CallId, Misuse)| {
        let file = map.file(call.file).path.clone();
        let line = map.call(*call).line;
        let text = place::unique_line(context.tree, &file, line, line, &|_| true)?;
        Some(match kind {
            // `await ` goes in front of the call, so a line that starts with it still holds the old text.
            Misuse::Dropped(_) => GateDraft::TextPresent { text: format!("await {text}"), file },
            Misuse::DroppedByMapper => GateDraft::TextPresent { text: format!("return {text}"), file },
            Misuse::Nested => GateDraft::TextPresent { text: format!("Promise.all({}", text.trim_start()), file },
            Misuse::Tested
            | Misuse::Read
            | Misuse::LikelyRead
            | Misuse::ForEach(_)
            | Misuse::Predicate
            | Misuse::ReturnedFromTry => GateDraft::TextGone { text, file },
        })
    };
    sites.iter().filter_map(goal).collect()
}

/// `` `a.ts` line 3, `b.ts` line 9 ``.
fn place_list(map: &RepoMap, sites: &[(CallId, Misuse)]) -> String {
    let places: Vec<String> =
        sites.iter().map(|(call, _)| format!("`{}` line {}", map.file(call.file).path, map.call(*call).line)).collect();
    places.join(", ")
}

/// `Promise.all(…)` around a call that gives a list.
fn gathered(context: &RecipeContext<'_>, call: CallId) -> Vec<EditDraft> {
    let file = context.map.file(call.file).path.clone();
    let span = context.map.call(call).span;
    let at = |at: u32, text: &str| EditDraft::Replace {
        file: file.clone(),
        span: Span { start: at, end: at },
        text: text.to_owned(),
    };
    vec![at(span.start, "Promise.all("), at(span.end, ")")]
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
