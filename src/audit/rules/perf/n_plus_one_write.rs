//! `n-plus-one-write`: a statement once an item that one statement could do.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::perf::batching;
use crate::audit::rules::perf::per_item::{
    PerItem, acts_outside, is_recursive, loop_text, per_item, per_item_among, waits_for_more,
};
use crate::effects::{Effect, Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, FileFacts, RegionKind, Usage};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, RepoMap};

/// A database or queue write that runs once for each item and that one statement could do.
pub struct NPlusOneWrite;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one-write",
    category: Category::Perf,
    what: "an insert, delete, constant update or queue job sent once for each item, though one statement could do them all",
    why: "each item costs a round trip and, without a transaction, a failure half-way leaves half of the rows written",
    quiet_when: "the row each statement gives is used, each update has values of its own, the statements are sent together, \
                 the collection is a literal, or it is test code",
    example: "for (const member of members) {\n  await prisma.invite.create({ data: { teamId, email: member.email } });\n}",
};

impl Rule for NPlusOneWrite {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut sites = per_item(map, effects, Effect::DbWrite);
        sites.extend(per_item(map, effects, Effect::Queue));
        sites.retain(|site| is_batchable(map, site));
        sites.sort_by_key(|site| (site.call.file, site.iteration.region, site.call.index));
        sites
            .chunk_by(|a, b| (a.call.file, a.iteration.region) == (b.call.file, b.iteration.region))
            .map(|group| finding(map, effects, group))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let calls: Vec<CallId> = place::calls_at(map, finding.location()).collect();
        let site = [Effect::DbWrite, Effect::Queue]
            .into_iter()
            .flat_map(|effect| per_item_among(map, context.effects, effect, &calls))
            .find(|site| is_batchable(map, site))?;
        let batching = batching::writing(site.api.library);
        let path = map.file(site.call.file).path.clone();
        let function = place::function_name(map, site.call);
        let over = loop_text(map, site.call, &site.iteration);
        let call = place::callee_text(map, site.call);
        let region = &map.file(site.call.file).facts.regions[site.iteration.region as usize];
        let call_site = map.call(site.call);
        let goal = place::unique_line(context.tree, &path, call_site.line, call_site.end_line, &|line| {
            place::has_word(line, site.item_name)
        })
        .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Write all rows of `{function}` in one statement"),
            why: format!(
                "{} With 200 items that is 200 round trips and 200 commits; one statement is one of each, and either all rows \
                 are written or none.",
                finding.message
            ),
            context: vec![format!("`{}` belongs to {}; its plural form is {}.", site.api.api, site.api.library, batching.api)],
            excerpts: vec![ExcerptDraft {
                file: path.clone(),
                start_line: region.lines.start,
                end_line: region.lines.end.min(region.lines.start + 39),
                role: format!("the loop over {over} and the write on line {}", call_site.line),
            }],
            steps: vec![StepDraft {
                title: format!("Replace the writes of `{call}` in the loop by one"),
                instruction: format!(
                    "In `{path}`, `{function}`: let the loop over {over} (line {}) only build the rows (or collect the keys) \
                     that line {} writes, and after it write them with {}. Skip the statement when there is nothing to write. \
                     {} Everything else the loop does stays in the loop, in the same order. Shape:\n\n```\n{}\n```",
                    region.lines.start, call_site.line, batching.api, batching.limit, batching.example
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("the loop in `{function}`") }],
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
                format!("the repository registers hooks or middleware for `{}` that the plural form does not run", site.api.api),
                "callers rely on some rows being written although a later one fails".to_owned(),
                format!("the value that line {} gives is used after all", call_site.line),
            ],
            maintenance: vec!["New columns are added where the loop builds the row.".to_owned()],
            risk: Some(Risk::Med),
        })
    }
}

/// Writes that take a list in every library of the tables: inserts nobody looks at, deletes, updates to a constant.
fn is_batchable(map: &RepoMap, site: &PerItem<'_>) -> bool {
    if site.api.is_batch || site.causes.len() > 2 || is_recursive(map, site) || acts_outside(map, site) {
        return false;
    }
    let facts = &map.file(site.call.file).facts;
    let end = chain::end(map, site.call);
    let unused = is_unused(facts, end.index, 0);
    if site.causes.len() == 2 {
        // A wrapper: its name says what it does, and it is about one row.
        return unused
            && site.confidence == Confidence::High
            && matches!(verb(&map.call(site.call).name), Some(Verb::Insert | Verb::Delete));
    }
    if site.api.effect == Effect::Queue {
        return unused;
    }
    match written_verb(facts, site) {
        Some(Verb::Insert) => unused && !writes_relations(facts, site),
        Some(Verb::Delete) => unused,
        Some(Verb::Update) => unused && has_constant_data(facts, site),
        None => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Insert,
    Update,
    Delete,
}

fn verb(name: &str) -> Option<Verb> {
    let first = place::words(name).into_iter().next()?;
    match first.as_str() {
        "create" | "insert" | "add" | "values" => Some(Verb::Insert),
        "delete" | "destroy" | "del" | "remove" => Some(Verb::Delete),
        "update" | "set" => Some(Verb::Update),
        _ => None,
    }
}

/// What a direct write does, by its API or by the statement it runs.
fn written_verb(facts: &FileFacts, site: &PerItem<'_>) -> Option<Verb> {
    let last = site.api.api.rsplit(['.', ':']).next().unwrap_or_default();
    if let Some(verb) = verb(last) {
        return Some(verb);
    }
    chain::receivers(facts, site.call.index).into_iter().find_map(|link| {
        let link = facts.call(link);
        let by_text = link.arguments.iter().find_map(|argument| match argument.peeled() {
            Expr::Text(text) => verb(text.trim_start()),
            _ => None,
        });
        by_text.or(match link.name.as_str() {
            "insert_into" | "insert" => Some(Verb::Insert),
            "delete" => Some(Verb::Delete),
            _ => None,
        })
    })
}

/// Whether nobody looks at what the call gives, through `Promise.all(items.map(…))` too.
fn is_unused(facts: &FileFacts, call: CallIndex, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    let site = facts.call(call);
    match &site.usage {
        Usage::Discarded | Usage::Ignored => true,
        Usage::Returned => facts
            .enclosing_regions(site.region)
            .find_map(|(_, region)| match &region.kind {
                RegionKind::Callback { call, .. } => Some(*call),
                _ => None,
            })
            .flatten()
            .is_some_and(|host| is_unused(facts, host, depth + 1)),
        Usage::Argument(outer) => {
            matches!(facts.call(*outer).name.as_str(), "all" | "allSettled" | "join_all" | "try_join_all")
                && is_unused(facts, *outer, depth + 1)
        }
        Usage::Receiver(_) | Usage::Bound(_) | Usage::Assigned | Usage::Tested | Usage::Operand | Usage::Element => {
            false
        }
    }
}

/// `create({ data: { name, fields: { createMany: … } } })`: the plural form takes no nested writes.
fn writes_relations(facts: &FileFacts, site: &PerItem<'_>) -> bool {
    let mut found = false;
    for argument in &facts.call(site.call.index).arguments {
        argument.walk(&mut |inner| {
            if let Expr::Object(entries) = inner {
                found |= entries
                    .iter()
                    .any(|(key, _)| matches!(key.as_str(), "create" | "createMany" | "connect" | "connectOrCreate"));
            }
        });
    }
    found
}

/// Whether no other query of the body remains once per item.
fn is_alone(map: &RepoMap, effects: &Effects, group: &[PerItem<'_>]) -> bool {
    let Some(first) = group.first() else { return true };
    let facts = &map.file(first.call.file).facts;
    let body = facts.regions[first.iteration.region as usize].span;
    !(0..).zip(&facts.calls).any(|(index, other)| {
        let call = CallId { file: first.call.file, index };
        body.contains(other.span)
            && group.iter().all(|site| site.call != call)
            && effects.direct(call).iter().any(|direct| matches!(direct.effect, Effect::DbRead | Effect::DbWrite))
    })
}

/// `update({ where: { id: item.id }, data: { seen: true } })`: the values are the same for every item.
fn has_constant_data(facts: &FileFacts, site: &PerItem<'_>) -> bool {
    let body = facts.regions[site.iteration.region as usize].span;
    let mut names = place::item_names(facts, &site.iteration);
    // Whatever is made in the body may differ from item to item.
    names.extend(
        facts.bindings.iter().filter(|binding| body.contains(binding.span)).map(|binding| binding.name.as_str()),
    );
    let varies = |expr: &Expr| chain::expr_uses(facts, expr, &|name| names.contains(name));
    facts.call(site.call.index).arguments.iter().any(|argument| match argument.peeled() {
        Expr::Object(entries) => match entries.iter().find(|(key, _)| key == "data") {
            Some((_, data)) => !varies(data),
            None => site.api.api.ends_with(".set") && !varies(argument),
        },
        _ => false,
    })
}

fn finding(map: &RepoMap, effects: &Effects, group: &[PerItem<'_>]) -> Finding {
    let first = group
        .iter()
        .min_by_key(|site| (std::cmp::Reverse(site.confidence), site.causes.len(), site.call.index))
        .expect("a group of `chunk_by` is not empty");
    let over = loop_text(map, first.call, &first.iteration);
    let call = place::callee_text(map, first.call);
    let direct = first.causes.len() == 1;
    let through = if direct { String::new() } else { format!(", which runs `{}`", first.api.api) };
    let (what, unit) = if first.api.effect == Effect::Queue { ("queues", "job") } else { ("writes", "row") };
    let mut draft = FindingDraft::at_call(&DOC, map, first.call, if direct { "write" } else { "call" })
        .title(format!("`{call}` {what} one {unit} at a time for each item of {over}"))
        .message(format!(
            "Each item of {over} sends a statement of its own with `{call}`{through}; nobody uses what it gives, so one \
             statement could write them all."
        ))
        .impact(if direct && !waits_for_more(map, effects, first) && is_alone(map, effects, group) { 3 } else { 2 })
        .effort(if direct { Effort::S } else { Effort::M })
        .risk(Risk::Med)
        .confidence(if direct && first.api.effect == Effect::DbWrite {
            first.confidence
        } else if direct {
            Confidence::Med
        } else {
            Confidence::Low
        })
        .and_region(map, first.call.file, first.iteration.region, "loop")
        .path(effects.path(map, first.call, first.effect()));
    for site in group.iter().filter(|site| site.call != first.call).take(3) {
        draft = draft.and_call(map, site.call, "write");
    }
    draft.build()
}
