//! `n-plus-one-write`: a statement once an item that one statement could do.

use std::collections::BTreeMap;

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::perf::batching;
use crate::audit::rules::perf::n_plus_one::{elsewhere, further_places, others_text, same_text, with_places};
use crate::audit::rules::perf::per_item::loops::{self, PerItemLoop, findings, loops};
use crate::audit::rules::perf::per_item::wording::{call_text, loop_text, sink_text};
use crate::audit::rules::perf::per_item::worth::is_in_process;
use crate::audit::text::count_of;
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

/// A database or queue write that runs once for each item and that one statement could do.
pub struct NPlusOneWrite;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one-write",
    category: Category::Perf,
    what: "an insert, delete, constant update or queue job sent once for each item, though one statement could do them all",
    why: "each item costs a round trip and, without a transaction, a failure half-way leaves half of the rows written",
    quiet_when: "the row each statement gives is used, each update has values of its own or marks how far the loop got or the item's work is, the item's \
                 parent row is made in the same loop, each item fails alone or has a transaction of its own, the statements are sent together, the queue takes one job at a \
                 time, the model has hooks that run for each row, the collection is a literal or kept short by a schema, or it is test code",
    example: "for (const member of members) {\n  await prisma.invite.create({ data: { teamId, email: member.email } });\n}",
};

impl Rule for NPlusOneWrite {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbWrite), Table::Effect(Effect::Queue)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        // A loop that reads too is one finding of `n-plus-one`, which takes its writes along.
        let writing = loops(map, effects).into_iter().filter(|one| !one.reads()).collect();
        fold(findings(map, writing, |one, more| finding(map, effects, one, more)))
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let site = place::calls_at(map, finding.location()).find_map(|call| loops::site(map, context.effects, call))?;
        let batching = batching::writing(site.api.library);
        let path = map.file(site.call.file).path.clone();
        let function = place::function_name(map, site.call);
        let over = loop_text(map, site.call, &site.iteration);
        let call = call_text(map, site.call);
        let region = &map.file(site.call.file).facts.regions[site.iteration.region as usize];
        let call_site = map.call(site.call);
        let goal = place::unique_line(context.tree, &path, call_site.line, call_site.end_line, &|line| {
            place::has_word(line, site.item_name)
        })
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        let sink = site.causes.last()?.call;
        let mut steps = Vec::new();
        let holder = site.causes.iter().rev().find_map(|cause| cause.through).map(|symbol| map.symbol(symbol));
        if let Some(holder) = holder {
            steps.push(StepDraft {
                title: format!("Add a plural sibling of `{}`", holder.qualified),
                instruction: format!(
                    "In `{}`, beside `{}` (line {}), add a function that takes all items at once and writes them with {}. Keep \
                     every check the singular function makes, made for all items before the write. No items: no statement. \
                     Leave `{}` as it is for its other callers. Shape:\n\n```\n{}\n```",
                    map.file(sink.file).path,
                    holder.qualified,
                    holder.name_line,
                    batching.api,
                    holder.name,
                    batching.example,
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck)],
            });
        }
        steps.push(StepDraft {
                title: format!("Replace the writes of `{call}` in the loop by one"),
                instruction: format!(
                    "In `{path}`, `{function}`: let the loop over {over} (line {}) only build the rows (or collect the keys) \
                     that line {} writes, and after it write them with {}. Skip the statement when there is nothing to write. \
                     {} Everything else the loop does stays in the loop, in the same order. Shape:\n\n```\n{}\n```",
                    region.lines.start, call_site.line, batching.api, batching.limit, batching.example
                ),
                edits: Vec::new(),
                gates,
            });
        let mut in_scope = vec![ScopeDraft { path: path.clone(), remark: format!("the loop in `{function}`") }];
        if map.file(sink.file).path != path {
            in_scope
                .push(ScopeDraft { path: map.file(sink.file).path.clone(), remark: "the plural function".to_owned() });
        }
        further_places(finding, &path, &mut steps, &mut in_scope);
        let others: Vec<String> = finding
            .evidence
            .iter()
            .filter(|evidence| evidence.role == BESIDE)
            .map(|place| format!("- `{}`, line {}", place.file, place.start_line))
            .collect();
        if !others.is_empty() {
            steps.push(StepDraft {
                title: "Go through the other loops of the file that write".to_owned(),
                instruction: format!(
                    "These writes run once for each item too. Change each in the same way where one statement can do it, and say of \
                     the others why each item needs its own:\n\n{}",
                    others.join("\n")
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
            });
        }
        Some(PlanDraft {
            title: format!("Write all rows of `{function}` in one statement"),
            why: format!(
                "{} With 200 items that is 200 {} and, outside a transaction, 200 commits; one statement is one of each, and \
                 either all rows are written or none.",
                finding.message,
                if is_in_process(map, &site) { "statements" } else { "round trips" }
            ),
            context: vec![format!("{} belongs to {}; its plural form is {}.", sink_text(map, sink, site.api), site.api.library, batching.api)],
            excerpts: vec![ExcerptDraft {
                file: path.clone(),
                start_line: region.lines.start,
                end_line: region.lines.end.min(region.lines.start + 39),
                role: format!("the loop over {over} and the write on line {}", call_site.line),
            }],
            steps,
            in_scope,
            out_of_scope: vec![(
                "the schema, and other callers of the same write".to_owned(),
                "the change is about how often this loop asks, not about what is stored".to_owned(),
            )],
            tests: vec![
                format!("`{function}` with three items leaves the same three rows as before"),
                "no items: nothing is written and nothing fails".to_owned(),
                "a row that violates a constraint fails the whole batch, and nothing is written".to_owned(),
            ],
            edge_cases: vec![
                "an item that violates a constraint used to fail alone, after earlier items were written; now none is written"
                    .to_owned(),
                "hooks, middleware and triggers of the singular call may not run for the plural one".to_owned(),
                "generated defaults (ids, timestamps) must come out as before".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                format!(
                    "the repository registers hooks or middleware for {} that the plural form does not run",
                    sink_text(map, sink, site.api)
                ),
                "callers rely on some rows being written although a later one fails".to_owned(),
                format!("the value that line {} gives is used after all", call_site.line),
            ],
            maintenance: vec!["New columns are added where the loop builds the row.".to_owned()],
            risk: Some(Risk::Med),
        })
    }
}

/// The role of another write of the file.
const BESIDE: &str = "write beside it";

/// One finding a file, the best of its writes first: whoever changes one of them looks at the others anyway, and a list of
/// findings is read for its reads.
fn fold(all: Vec<Finding>) -> Vec<Finding> {
    let mut files: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in all {
        files.entry(finding.location().file.clone()).or_default().push(finding);
    }
    let leverage = |finding: &Finding| Finding::leverage_of(finding.impact, finding.effort, finding.confidence);
    files
        .into_values()
        .map(|mut of_file| {
            of_file.sort_by(|a, b| leverage(b).total_cmp(&leverage(a)));
            let mut rest = of_file.split_off(1);
            let mut first = of_file.pop().expect("a file of the list has a finding");
            // What is hidden by itself is not carried into the open.
            rest.retain(|other| other.confidence > Confidence::Low || first.confidence == Confidence::Low);
            if !rest.is_empty() {
                let count = count_of(rest.len(), "more loop");
                let verb = if rest.len() == 1 { "writes" } else { "write" };
                first.title = format!("{}, beside {count} of the file", first.title);
                first.message = format!("{} {count} of the file {verb} once for each item too.", first.message);
                first.effort = first.effort.max(Effort::M);
            }
            for mut place in rest.into_iter().map(|mut other| other.evidence.swap_remove(0)) {
                place.role = BESIDE.to_owned();
                first.evidence.push(place);
            }
            first
        })
        .collect()
}

fn finding(map: &RepoMap, effects: &Effects, one: &PerItemLoop<'_>, more: &[&PerItemLoop<'_>]) -> Finding {
    let first = &one.first;
    let over = loop_text(map, first.call, &first.iteration);
    let call = call_text(map, first.call);
    let direct = first.causes.len() == 1;
    let sink = first.causes.last().map(|cause| cause.call).unwrap_or(first.call);
    let queue = first.api.effect == Effect::Queue;
    let unit = if is_in_process(map, first) { "statements" } else { "round trips" };
    let (title, message) = if queue {
        (
            format!("`{call}` queues one job at a time for each item of {over}"),
            format!(
                "Each item of {over} costs a round trip of its own to the queue with `{call}`; `addBulk` takes all jobs at once."
            ),
        )
    } else if direct {
        (
            format!("`{call}` sends one statement for each item of {over}"),
            format!(
                "Each item of {over} sends a statement of its own with `{call}`; nothing it gives is used, so one \
                 statement could write them all."
            ),
        )
    } else {
        (
            format!("`{call}` writes once for each item of {over}"),
            format!(
                "Each item of {over} runs `{call}`, which ends in {}, so the {unit} grow with the data.",
                sink_text(map, sink, first.api)
            ),
        )
    };
    let mut draft = FindingDraft::at_call(&DOC, map, first.call, if direct { "write" } else { "call" })
        .title(format!("{title}{}", elsewhere(more.len())))
        .message(format!("{message}{}{}", others_text(&one.others), same_text(map, effects, one, more.len())))
        .impact(one.worth.impact)
        .effort(one.worth.effort)
        .risk(Risk::Med)
        .confidence(one.worth.confidence)
        .and_region(map, first.call.file, first.iteration.region, "loop")
        .path(effects.path(map, first.call, first.effect()));
    if !direct {
        draft = draft.and_call(map, sink, "write");
    }
    if let Some(source) = one.source() {
        draft = draft.and_call(map, source, "source");
    }
    with_places(draft, map, one, more).build()
}
