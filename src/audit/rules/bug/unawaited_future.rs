//! `unawaited-future`: a Rust future that is dropped, so that nothing happens.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, FileFacts, LanguageName, Span, Usage};
use crate::repo_map::name::Name;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, CallTarget, How, RepoMap};

/// A Rust future that nobody polls.
pub struct UnawaitedFuture;

static DOC: RuleDoc = RuleDoc {
    id: "unawaited-future",
    category: Category::Bug,
    what: "the future of an async function, a query or a lock dropped by `let _ =`, an unused `_name` or a statement",
    why: "a future does nothing until it is polled: the call looks made and is not",
    quiet_when: "the future is awaited, returned, stored, spawned or joined, it is a method's whose receiver is known by its type alone and \
                 whose result is dropped as a statement (the compiler warns of that), or it is test code",
    example: "async fn close(pool: &Pool) {\n    let _ = flush(pool); // flush is async: nothing is flushed\n}",
};

impl Rule for UnawaitedFuture {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        map.calls()
            .filter(|(call, _)| is_dropped_future(map, effects, *call))
            .map(|(call, _)| {
                let name = place::callee_text(map, call);
                let function = place::function_name(map, call);
                let mut draft = FindingDraft::at_call(&DOC, map, call, "call")
                    .title(format!("`{function}` drops the future of `{name}`, which never runs"))
                    .message(format!(
                        "`{name}` is async and its future is dropped in `{function}` without being polled: the work is not done."
                    ))
                    .impact(4)
                    .effort(Effort::S)
                    .risk(Risk::Low)
                    .confidence(Confidence::High);
                if let Some(callee) = map.resolved(call).next() {
                    draft = draft.and_symbol(map, callee.symbol, "async function");
                }
                draft.build()
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call =
            place::calls_at(map, finding.location()).find(|call| is_dropped_future(map, context.effects, *call))?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let name = place::callee_text(map, call);
        let site = map.call(call);
        let edits = if place::in_async_code(map, call) {
            let end = site.span.end;
            vec![EditDraft::Replace { file: path.clone(), span: Span { start: end, end }, text: ".await".to_owned() }]
        } else {
            Vec::new()
        };
        let goal = place::unique_line(context.tree, &path, site.line, site.line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        let title = format!("Await `{name}` in `{function}`");
        let instruction = if edits.is_empty() {
            format!(
                "In `{path}`, line {}: `{function}` is not async. Make it async and await the call, or hand the future to the \
                 runtime with `tokio::spawn` and keep the handle.",
                site.line
            )
        } else {
            format!("In `{path}`, `{function}`, line {}: add `.await` after the call.", site.line)
        };
        Some(PlanDraft {
            title: title.clone(),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft { title, instruction, edits, gates }],
            in_scope: Vec::new(),
            out_of_scope: vec![(
                format!("the body of `{name}`"),
                "this plan is about how it is called; what it does is another matter".to_owned(),
            )],
            tests: vec![format!("after `{function}` the effect of `{name}` can be seen")],
            edge_cases: vec!["a lock guard held over the new `.await` must be released before it".to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![format!("a comment or a test says that `{name}` must not run here")],
            maintenance: vec!["`clippy::let_underscore_future` finds the plain `_` form of this fault.".to_owned()],
            risk: None,
        })
    }
}

fn is_dropped_future(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let source = map.file(call.file);
    let site = map.call(call);
    if source.language != LanguageName::Rust || site.awaited || site.kind != CallKind::Call || place::in_test(map, call)
    {
        return false;
    }
    if !is_function_of_ours(map, effects, call) && !is_future_of_library(map, effects, call) {
        return false;
    }
    match &site.usage {
        // The compiler warns of these by itself (`unused_must_use`): what is still there is no future, as often as not, but a method of
        // the same name on a type that was taken for another.
        Usage::Discarded => !site.propagated && map.resolved(call).all(|one| is_certain(one.how)),
        Usage::Ignored => !site.propagated,
        Usage::Bound(name) => name.starts_with('_') && name.len() > 1 && !is_mentioned(&source.facts, name),
        Usage::Assigned
        | Usage::Returned
        | Usage::Argument(_)
        | Usage::Receiver(_)
        | Usage::Tested
        | Usage::Operand
        | Usage::Element
        | Usage::Passed => false,
    }
}

/// Whether a call says by itself what it calls, whatever types are.
fn is_certain(how: How) -> bool {
    match how {
        How::Scope | How::Import | How::Reexport | How::Member => true,
        How::Typed | How::Returned | How::Trait | How::Dispatch | How::Guess => false,
    }
}

/// Whether a name is used again. What only awaits it is no fact of the map, but nobody awaits what was named to be unused.
fn is_mentioned(facts: &FileFacts, name: &str) -> bool {
    let mentions = |expr: &Expr| expr.mentions(name);
    facts.calls.iter().any(|site| mentions(&site.callee) || site.arguments.iter().any(mentions))
        || facts.bindings.iter().filter_map(|binding| binding.value.as_ref()).any(mentions)
        || facts.returns.iter().any(|returned| mentions(&returned.value))
}

/// An async function of the repository.
fn is_function_of_ours(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let mut resolved = map.resolved(call).peekable();
    // `#[async_trait]` and plain `async fn` alike; a declared `impl Future` may be lazy by contract, so it is left out.
    if resolved.peek().is_none() || !resolved.all(|one| map.symbol(one.symbol).is_async && effects.is_async(one.symbol))
    {
        return false;
    }
    // `#[tokio::main]` and its like make the function synchronous: it runs the future itself.
    let runs_itself = |attribute: &Name| attribute.split('(').next().is_some_and(|path| path.trim().ends_with("main"));
    !map.resolved(call).any(|one| map.symbol(one.symbol).attributes.iter().any(runs_itself))
}

/// A query of a library that has no synchronous form, or a lock or a pause of tokio.
fn is_future_of_library(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    const ALWAYS_ASYNC: &[&str] = &["sqlx", "sea-orm", "tokio-postgres", "tokio"];
    let direct = effects.direct(call);
    let is_query = !direct.is_empty()
        && direct.iter().all(|direct| direct.is_async && ALWAYS_ASYNC.contains(&direct.library))
        && chain::end(map, call) == call;
    let is_tokio = match map.target(call) {
        CallTarget::External(outside) if outside.package == "tokio" => {
            let path: Vec<&str> = outside.path.iter().map(Name::as_str).collect();
            matches!(
                path.as_slice(),
                ["sync", "Mutex", "lock"]
                    | ["sync", "RwLock", "read" | "write"]
                    | ["time", "sleep" | "sleep_until"]
                    | ["Mutex", "lock"]
            )
        }
        _ => false,
    };
    is_query || is_tokio
}
