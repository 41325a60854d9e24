//! `unbounded-concurrency`: as many requests at once as a table has rows.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, FileFacts, RegionKind, Usage};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// `Promise.all` over every row of a table.
pub struct UnboundedConcurrency;

static DOC: RuleDoc = RuleDoc {
    id: "unbounded-concurrency",
    category: Category::Perf,
    what: "`Promise.all` over all rows a query without a condition or a limit gave, each with a request, a file or a process of its own",
    why: "the work starts all at once: as the table grows, connections, memory and the other side's patience run out",
    quiet_when: "the query has a condition or a limit, the list is cut into chunks, a limiter stands between, the work is in memory or all of it on the one connection of a transaction, or it \
                 is a script or test code",
    example: "const users = await prisma.user.findMany();\nawait Promise.all(users.map((user) => fetch(hook(user))));",
};

impl Rule for UnboundedConcurrency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[
            Table::Effect(Effect::DbRead),
            Table::Effect(Effect::DbWrite),
            Table::Effect(Effect::Http),
            Table::Effect(Effect::Fs),
            Table::Effect(Effect::Process),
        ]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        map.calls().filter_map(|(call, _)| finding(map, effects, call)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call = place::calls_at(map, finding.location()).find(|call| rows(map, context.effects, *call).is_some())?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let site = map.call(call);
        let goal = place::unique_line(context.tree, &path, site.line, site.line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Bound the work `{function}` starts at once"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: vec![ExcerptDraft {
                file: path.clone(),
                start_line: site.line.saturating_sub(6).max(1),
                end_line: site.end_line.min(map.file(call.file).lines),
                role: "the query and what is started for each of its rows".to_owned(),
            }],
            steps: vec![StepDraft {
                title: "Work on the rows in chunks".to_owned(),
                instruction: format!(
                    "In `{path}`, `{function}`, line {}: use the repository's own limiter if it has one (`p-limit`, `p-map` with \
                     `concurrency`); else go through the rows in chunks of ten, `await Promise.all(chunk.map(…))` for each. Read the rows \
                     page by page when there may be more than memory holds.",
                    site.line
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path, remark: "the loop over the rows".to_owned() }],
            out_of_scope: vec![("what is done for one row".to_owned(), "only how many at once changes".to_owned())],
            tests: vec![format!("`{function}` handles more rows than one chunk holds")],
            edge_cases: vec!["one failing row must stop, or not stop, the others exactly as it does now".to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "the table is known to hold a handful of rows for good (a list of plans, of regions)".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

fn finding(map: &RepoMap, effects: &Effects, call: CallId) -> Option<Finding> {
    let rows = rows(map, effects, call)?;
    let (inner, effect) = work(map, effects, call)?;
    let function = place::function_name(map, call);
    let name = place::callee_text(map, inner);
    Some(
        FindingDraft::at_call(&DOC, map, call, "loop")
            .title(format!("`{function}` starts `{name}` for every row of a table at once"))
            .message(format!(
                "`{}` has no condition and no limit, and `Promise.all` starts `{name}` for all of its rows at once: the more rows, the more \
                 of them fail.",
                place::callee_text(map, rows)
            ))
            .impact(3)
            .effort(Effort::S)
            .risk(Risk::Low)
            .confidence(Confidence::Med)
            .and_call(map, rows, "query")
            .path(effects.path(map, inner, effect))
            .build(),
    )
}

/// The query whose rows `call`, a `map` inside `Promise.all`, runs over, when it gives a whole table.
fn rows(map: &RepoMap, effects: &Effects, call: CallId) -> Option<CallId> {
    let source = map.file(call.file);
    let facts = &source.facts;
    let site = facts.call(call.index);
    let Usage::Argument(outer) = site.usage else { return None };
    if site.name != "map"
        || !source.language.is_ecmascript()
        || source.role != FileRole::Production
        || place::in_test(map, call)
        || !matches!(facts.call(outer).name.as_str(), "all" | "allSettled")
        || facts.call(outer).callee.root_name() != Some("Promise")
    {
        return None;
    }
    let Expr::Member(receiver, _) = &site.callee else { return None };
    let Expr::Name(name) = receiver.peeled() else { return None };
    // Only a name whose value was waited for right where it was bound.
    let Expr::Await(value) = place::initialiser(facts, site.caller, name)? else { return None };
    let Expr::Call(index) = value.as_ref() else { return None };
    let query = CallId { file: call.file, index: *index };
    let is_list = effects.direct(query).iter().any(|direct| direct.effect == Effect::DbRead && direct.is_batch);
    (is_list && is_whole_table(facts.call(query.index))).then_some(query)
}

/// No argument, or an object that only says which columns and in which order.
fn is_whole_table(site: &CallSite) -> bool {
    const HARMLESS: &[&str] = &["select", "include", "orderBy", "order", "attributes", "raw", "omit", "relations"];
    site.arguments.iter().all(|argument| match argument {
        Expr::Object(entries) => entries.iter().all(|(key, _)| HARMLESS.contains(&key.as_str())),
        _ => false,
    })
}

/// The call in the callback of `host` that goes to another machine, a file or a process.
fn work(map: &RepoMap, effects: &Effects, host: CallId) -> Option<(CallId, Effect)> {
    let facts: &FileFacts = &map.file(host.file).facts;
    let Some(Expr::Function { region: Some(region), .. }) = facts.call(host.index).arguments.first() else {
        return None;
    };
    let region_of = &facts.regions[*region as usize];
    let RegionKind::Callback { .. } = region_of.kind else { return None };
    (0..).zip(&facts.calls).filter(|(_, site)| region_of.span.contains(site.span)).find_map(|(index, site)| {
        let call = CallId { file: host.file, index };
        let waited = site.awaited || site.usage == Usage::Returned;
        // In a callback of its own it is for somebody else to start: `limit(() => fetch(…))`.
        let own =
            facts.enclosing_regions(site.region).find(|(_, around)| matches!(around.kind, RegionKind::Callback { .. }));
        if !waited || own.map(|(index, _)| index) != Some(*region) {
            return None;
        }
        // What a transaction does, one connection does, one thing after the other.
        let in_transaction = facts.enclosing_regions(site.region).any(|(_, around)| match &around.kind {
            RegionKind::Callback { call: Some(host), parameters, .. } => {
                facts.call(*host).name.to_ascii_lowercase().contains("transaction")
                    && parameters.first().is_some_and(|own| site.callee.root_name() == Some(own.as_str()))
            }
            _ => false,
        });
        [Effect::Http, Effect::Process, Effect::Fs, Effect::DbWrite, Effect::DbRead]
            .into_iter()
            .filter(|effect| !in_transaction || !matches!(effect, Effect::DbWrite | Effect::DbRead))
            .find(|effect| effects.cause(map, call, *effect).is_some())
            .map(|effect| (call, effect))
    })
}
