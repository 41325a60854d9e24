//! `n-plus-one`: a query once an item, found through calls.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::perf::batching;
use crate::audit::rules::perf::per_item::{
    PerItem, is_operation, is_recursive, loop_text, per_item, per_item_among, waits_for_more,
};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;

/// A database or cache read that runs once for each item of a collection.
pub struct NPlusOne;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one",
    category: Category::Perf,
    what: "a database or cache read that runs once for each item of a collection, directly or through calls",
    why: "the number of round trips grows with the data: fast with ten rows in a test, slow with a thousand in use",
    quiet_when: "the collection is a literal or an enum, the loop walks chunks, pages or attempts, the query does not depend \
                 on the item, the calls are sent together ($transaction, pipeline), a cache or a DataLoader stands between, \
                 or it is test code",
    example: "for (const order of orders) {\n  order.user = await prisma.user.findUnique({ where: { id: order.userId } });\n}",
};

/// Findings of one loop are one fault; this many of its queries are shown.
const SHOWN: usize = 4;

impl Rule for NPlusOne {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut sites = per_item(map, effects, Effect::DbRead);
        sites.extend(per_item(map, effects, Effect::Redis).into_iter().filter(|site| reads_key(&site.api.api)));
        sites.sort_by_key(|site| (site.call.file, site.iteration.region, site.call.index));
        sites
            .chunk_by(|a, b| (a.call.file, a.iteration.region) == (b.call.file, b.iteration.region))
            .map(|group| finding(map, effects, group))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let site = [Effect::DbRead, Effect::Redis]
            .into_iter()
            .flat_map(|effect| per_item_at(context, finding, effect))
            .next()?;
        let batching = batching::reading(site.api.library);
        let path = map.file(site.call.file).path.clone();
        let function = place::function_name(map, site.call);
        let over = loop_text(map, site.call, &site.iteration);
        let call = place::callee_text(map, site.call);
        let region = &map.file(site.call.file).facts.regions[site.iteration.region as usize];
        let call_site = map.call(site.call);
        let sink = site.causes.last()?.call;
        let sink_path = map.file(sink.file).path.clone();
        let direct = site.causes.len() == 1;

        let mut steps = Vec::new();
        if !direct {
            let callee = site.causes.first()?.through.map(|symbol| map.symbol(symbol).qualified.clone())?;
            let last = site.causes.iter().rev().find_map(|cause| cause.through)?;
            let holder = map.symbol(last);
            steps.push(StepDraft {
                title: format!("Add a plural sibling of `{}`", holder.qualified),
                instruction: format!(
                    "In `{}`, beside `{}` (line {}), add a function that takes all keys at once and gives a map from key to \
                     result. It runs one query: {}. Keep every other condition of the query as it is (tenant, soft delete, \
                     `select`/`include`, order). An empty list of keys gives an empty map without a query. Leave `{}` as it \
                     is for its other callers. Shape:\n\n```\n{}\n```",
                    map.file(last.file).path,
                    holder.qualified,
                    holder.name_line,
                    batching.api,
                    callee,
                    batching.example,
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck)],
            });
        }
        let goal = place::unique_line(context.tree, &path, call_site.line, call_site.end_line, &|line| {
            place::has_word(line, site.item_name)
        });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        if let Some(text) = &goal {
            gates.push(GateDraft::TextGone { text: text.clone(), file: path.clone() });
        }
        steps.push(StepDraft {
            title: format!("Move the query of `{call}` out of the loop in `{function}`"),
            instruction: format!(
                "In `{path}`, `{function}`: before the loop over {over} (line {}), collect the keys that line {} uses from \
                 each item, without duplicates, and load them all with {}. Index the rows in a map; inside the loop replace \
                 the call on line {} by a look-up in it. An item without a row must take the same branch as before (the call \
                 gave null or an error there). {}{}",
                region.lines.start,
                call_site.line,
                if direct { format!("one query: {}", batching.api) } else { "the plural function of the step before".to_owned() },
                call_site.line,
                batching.limit,
                if direct { format!(" Shape:\n\n```\n{}\n```", batching.example) } else { String::new() },
            ),
            edits: Vec::new(),
            gates,
        });

        let mut excerpts = vec![ExcerptDraft {
            file: path.clone(),
            start_line: region.lines.start,
            end_line: region.lines.end.min(region.lines.start + 39),
            role: format!("the loop over {over} and the call on line {}", call_site.line),
        }];
        let mut in_scope = vec![ScopeDraft { path: path.clone(), remark: format!("the loop in `{function}`") }];
        if !direct {
            let sink_site = map.call(sink);
            excerpts.push(ExcerptDraft {
                file: sink_path.clone(),
                start_line: sink_site.line,
                end_line: sink_site.end_line.min(sink_site.line + 19),
                role: format!("the query at the end of the call path: `{}`", site.api.api),
            });
            if sink_path != path {
                in_scope.push(ScopeDraft { path: sink_path, remark: "the plural function".to_owned() });
            }
        }
        let mut out_of_scope = vec![(
            "the singular query functions and their other callers".to_owned(),
            "they are right where one row is wanted".to_owned(),
        )];
        if let Some(source) = site.source {
            out_of_scope.push((
                format!("the query on line {} that loads the items", map.call(source).line),
                "joining there would change what it gives to others; propose it in the maintenance notes if it fits better"
                    .to_owned(),
            ));
        }
        Some(PlanDraft {
            title: format!("Load everything the loop in `{function}` needs with one query"),
            why: format!(
                "{} With 200 items and 2 ms a round trip that is 0.4 s of waiting, and 200 statements against the \
                 connection pool; after this plan it is one statement, however many items there are.",
                finding.message
            ),
            context: vec![format!(
                "The effect was followed through {} call{}; `{}` belongs to {}.",
                site.causes.len(),
                if site.causes.len() == 1 { "" } else { "s" },
                site.api.api,
                site.api.library
            )],
            excerpts,
            steps,
            in_scope,
            out_of_scope,
            tests: vec![
                format!(
                    "`{function}` with three items gives the same result as before, item by item, in the same order"
                ),
                "an item whose row does not exist takes the same branch as before".to_owned(),
                "no items: no query runs and the result is empty".to_owned(),
            ],
            edge_cases: vec![
                "two items with the same key must both get the row: do not consume map entries".to_owned(),
                "keys that are null or undefined must not reach the query".to_owned(),
                "rows come back in any order: never rely on the position in the result".to_owned(),
                "key types must agree on both sides of the map (number and string, ObjectId and string)".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.map(|text| GateDraft::TextGone { text, file: path.clone() }).into_iter().collect(),
            stop_conditions: vec![
                format!(
                    "the body of the loop changes what the query on line {} would give for a later item (it writes the same \
                     table)",
                    call_site.line
                ),
                format!("{over} never holds more than a handful of items: say where that is guaranteed"),
                "the query takes a lock (`FOR UPDATE`) or the loop leaves at the first match and usually does so early"
                    .to_owned(),
            ],
            maintenance: vec![
                "New fields of the item that need a look-up belong into the same query, not into the loop.".to_owned(),
            ],
            risk: None,
        })
    }
}

/// The site a finding is about.
fn per_item_at<'a>(context: &RecipeContext<'a>, finding: &Finding, effect: Effect) -> Option<PerItem<'a>> {
    let calls: Vec<_> = place::calls_at(context.map, finding.location()).collect();
    per_item_among(context.map, context.effects, effect, &calls).into_iter().next()
}

/// Whether a Redis command reads one key, so that `mget` or a pipeline can take its place.
fn reads_key(api: &str) -> bool {
    let last = api.rsplit(['.', ':']).next().unwrap_or_default();
    matches!(
        last,
        "get" | "hget" | "hgetall" | "getBuffer" | "hGet" | "hGetAll" | "exists" | "smembers" | "sMembers" | "ttl"
    )
}

fn finding(map: &RepoMap, effects: &Effects, group: &[PerItem<'_>]) -> Finding {
    // The most certain and shortest way first: that is the line to open.
    let first = group
        .iter()
        .min_by_key(|site| {
            (is_operation(map, effects, site), std::cmp::Reverse(site.confidence), site.causes.len(), site.call.index)
        })
        .expect("a group of `chunk_by` is not empty");
    let over = loop_text(map, first.call, &first.iteration);
    let call = place::callee_text(map, first.call);
    let direct = first.causes.len() == 1;
    let through = if direct { String::new() } else { format!(", which ends in `{}`", first.api.api) };
    let more = match group.len() {
        1 => String::new(),
        count => format!(" {} further queries in the same loop do too.", count - 1),
    };
    let source =
        if first.source.is_some() { " The items come from a query themselves: 1 + N round trips." } else { "" };
    let mut draft = FindingDraft::at_call(&DOC, map, first.call, if direct { "query" } else { "call" })
        .title(format!("`{call}` queries once for each item of {over}"))
        .message(format!(
            "Each item of {over} runs `{call}`{through}, so the round trips grow with the data.{source}{more}"
        ))
        .impact(if first.source.is_some() || !waits_for_more(map, effects, first) { 4 } else { 3 })
        .effort(if direct && group.len() <= SHOWN { Effort::S } else { Effort::M })
        .risk(Risk::Med)
        .confidence(first.confidence)
        .and_region(map, first.call.file, first.iteration.region, "loop")
        .path(effects.path(map, first.call, first.effect()));
    if !direct && let Some(cause) = first.causes.last() {
        draft = draft.and_call(map, cause.call, "query");
    }
    if let Some(source) = first.source {
        draft = draft.and_call(map, source, "source");
    }
    for site in group.iter().filter(|site| site.call != first.call).take(SHOWN - 1) {
        draft = draft.and_call(map, site.call, "query");
    }
    if is_recursive(map, first) {
        // A walk over a tree: one recursive query can do it, but that is a change of shape.
        return draft.impact(3).effort(Effort::M).confidence(Confidence::Med).build();
    }
    if is_operation(map, effects, first) {
        // Bulk deletion by the function that deletes one: advice at most.
        return draft.impact(2).confidence(Confidence::Low).build();
    }
    let confidence = if first.api.effect == Effect::Redis { Confidence::Med } else { first.confidence };
    draft.confidence(confidence).build()
}
