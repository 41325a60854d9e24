//! `n-plus-one`: a query once an item, found through calls.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::perf::batching;
use crate::audit::rules::perf::per_item::PerItem;
use crate::audit::rules::perf::per_item::loops::{self, PerItemLoop, does_more_than_its_statement, findings, loops};
use crate::audit::rules::perf::per_item::origin::Origin;
use crate::audit::rules::perf::per_item::wording::{call_text, loop_text, sink_text};
use crate::audit::rules::perf::per_item::worth::{is_in_process, limit_of_source};
use crate::audit::text::count_of;
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::RegionKind;
use crate::repo_map::recon::CommandPurpose;

/// A database or cache read that runs once for each item of a collection.
pub struct NPlusOne;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one",
    category: Category::Perf,
    what: "a database or cache read that runs once for each item of a collection, directly or through calls",
    why: "the number of round trips grows with the data: fast with ten rows in a test, slow with a thousand in use",
    quiet_when: "the collection is a literal, an enum, a constant, a part of the configuration or of the arguments, or the tables of the \
                 database itself, the loop walks chunks, pages, attempts, messages or a syntax tree, each \
                 item has a transaction or a detached task of its own, a queue or limiter (`PQueue`, `pLimit`) sets how many run at a time, the query does not depend on the item, the length of the list was tested to be one, a schema keeps it short (`z.array(…).max(4)`), the statement calls a function of the database, the calls are \
                 sent together ($transaction, pipeline), a cache or a DataLoader stands between or is handed along, the caller \
                 hands in the answer, the loop keeps what it has asked for, each item is a group that is asked for at once, a database, a queue, a condition or the name of \
                 what runs, each item decides the table, the text or the range of its statement, or it is test code; with low confidence: what nothing calls or a comment calls deprecated, \
                 migrations and upgrades, SQLite in the process, jobs, and loops that no request is known to reach and that wait for more than the query",
    example: "for (const order of orders) {\n  order.user = await prisma.user.findUnique({ where: { id: order.userId } });\n}",
};

/// Findings of one loop are one fault; this many of its queries are shown.
const SHOWN: usize = 4;

impl Rule for NPlusOne {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbRead), Table::Effect(Effect::Redis)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let reading = loops(map, effects).into_iter().filter(PerItemLoop::reads).collect();
        findings(map, reading, |one, more| finding(map, effects, one, more))
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let site = place::calls_at(map, finding.location()).find_map(|call| loops::site(map, context.effects, call))?;
        let batching = batching::reading(site.api.library);
        let path = map.file(site.call.file).path.clone();
        let function = place::function_name(map, site.call);
        let over = loop_text(map, site.call, &site.iteration);
        let call = call_text(map, site.call);
        let region = &map.file(site.call.file).facts.regions[site.iteration.region as usize];
        let call_site = map.call(site.call);
        let sink = site.causes.last()?.call;
        let sink_path = map.file(sink.file).path.clone();
        let direct = site.causes.len() == 1;

        let mut steps = Vec::new();
        if !direct {
            let callee = site.causes.first()?.through.map(|symbol| map.symbol(symbol).qualified)?;
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
        further_places(finding, &path, &mut steps, &mut in_scope);
        if !direct {
            let sink_site = map.call(sink);
            excerpts.push(ExcerptDraft {
                file: sink_path.clone(),
                start_line: sink_site.line,
                end_line: sink_site.end_line.min(sink_site.line + 19),
                role: format!("the query at the end of the call path: {}", sink_text(map, sink, site.api)),
            });
            if sink_path != path {
                in_scope.push(ScopeDraft { path: sink_path, remark: "the plural function".to_owned() });
            }
        }
        let mut out_of_scope = vec![(
            "the singular query functions and their other callers".to_owned(),
            "they are right where one row is wanted".to_owned(),
        )];
        if let Origin::Query(source) = site.origin {
            out_of_scope.push((
                format!("the query on line {} that loads the items", map.call(source).line),
                "joining there would change what it gives to others; propose it in the maintenance notes if it fits better"
                    .to_owned(),
            ));
        }
        Some(PlanDraft {
            title: format!("Load everything the loop in `{function}` needs with one query"),
            why: format!(
                "{} {}",
                finding.message,
                if is_in_process(map, &site) {
                    "With 200 items that is 200 statements; after this plan it is one for each chunk of keys."
                } else {
                    "With 200 items and 2 ms a round trip that is 0.4 s of waiting, and 200 statements against the \
                     connection pool; after this plan it is one statement for each chunk of keys."
                }
            ),
            context: vec![format!(
                "The effect was followed through {}; {} belongs to {}.",
                count_of(site.causes.len(), "call"),
                sink_text(map, sink, site.api),
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

/// A step for the loops that want the same helper.
pub fn further_places(finding: &Finding, path: &str, steps: &mut Vec<StepDraft>, in_scope: &mut Vec<ScopeDraft>) {
    let places: Vec<_> = finding.evidence.iter().filter(|evidence| evidence.role == SAME).collect();
    if places.is_empty() {
        return;
    }
    let list: Vec<String> =
        places.iter().map(|place| format!("- `{}`, line {}", place.file, place.start_line)).collect();
    steps.push(StepDraft {
        title: match places.len() {
            1 => "Change one more loop in the same way".to_owned(),
            count => format!("Change {count} more loops in the same way"),
        },
        instruction: format!(
            "The same call, or one like it, stands in these loops. Change each as in the step before, or say why one must stay:\n\n{}",
            list.join("\n")
        ),
        edits: Vec::new(),
        gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
    });
    for place in places.iter().filter(|place| place.file != path) {
        if in_scope.iter().all(|known| known.path != place.file) {
            in_scope.push(ScopeDraft { path: place.file.clone(), remark: "a loop with the same call".to_owned() });
        }
    }
}

/// The role of a loop that wants the same helper.
pub const SAME: &str = "same call";

fn finding(map: &RepoMap, effects: &Effects, one: &PerItemLoop<'_>, more: &[&PerItemLoop<'_>]) -> Finding {
    let first = &one.first;
    let over = loop_text(map, first.call, &first.iteration);
    let call = call_text(map, first.call);
    let direct = first.causes.len() == 1;
    let sink = first.causes.last().map(|cause| cause.call).unwrap_or(first.call);
    let ends = if direct { String::new() } else { format!(", which ends in {}", sink_text(map, sink, first.api)) };
    let unit = if is_in_process(map, first) { "statements" } else { "round trips" };
    let source = match first.origin {
        Origin::Query(_) => format!(" The items come from a query themselves: 1 + N {unit}."),
        _ => String::new(),
    };
    let those = condition_text(map, first);
    let bound = limit_of_source(map, effects, first)
        .map_or(String::new(), |limit| format!(" The query they come from gives at most {limit}."));
    let through = |one: &PerItemLoop<'_>| one.first.causes.first().and_then(|cause| cause.through);
    let is_same = more.iter().all(|other| {
        (through(other).is_none() && call_text(map, other.first.call) == call)
            || (through(other).is_some() && through(other) == through(one))
    });
    let again = match more.len() {
        count if is_same => same_text(map, effects, one, count),
        1 => " One more loop of the file walks such a list in the same way.".to_owned(),
        count => format!(" {count} more loops of the file walk such a list in the same way."),
    };
    let mut draft = FindingDraft::at_call(&DOC, map, first.call, if direct { "query" } else { "call" })
        .title(format!("`{call}` queries once for each item of {over}{}", elsewhere(more.len())))
        .message(format!(
            "Each item of {over}{those} runs `{call}`{ends}, so the {unit} grow with the data.{source}{bound}{}{}",
            others_text(&one.others),
            again
        ))
        .impact(one.worth.impact)
        .effort(one.worth.effort)
        .risk(Risk::Med)
        .confidence(one.worth.confidence)
        .and_region(map, first.call.file, first.iteration.region, "loop")
        .path(effects.path(map, first.call, first.effect()));
    if !direct {
        draft = draft.and_call(map, sink, "query");
    }
    if let Some(source) = one.source() {
        draft = draft.and_call(map, source, "source");
    }
    with_places(draft, map, one, more).build()
}

/// ` that comes to the branch on line 7`: a query under a condition does not run for every item.
fn condition_text(map: &RepoMap, site: &PerItem<'_>) -> String {
    let facts = &map.file(site.call.file).facts;
    facts
        .enclosing_regions(facts.call(site.call.index).region)
        .take_while(|(index, _)| *index != site.iteration.region)
        .find(|(_, region)| region.kind == RegionKind::Branch)
        .map_or(String::new(), |(_, region)| format!(" that comes to the branch on line {}", region.lines.start))
}

/// The other calls of the loop, and the loops that want the same helper.
pub fn with_places(
    mut draft: FindingDraft,
    map: &RepoMap,
    one: &PerItemLoop<'_>,
    more: &[&PerItemLoop<'_>],
) -> FindingDraft {
    for site in one.others.iter().take(SHOWN) {
        draft = draft.and_call(map, site.call, if site.effect() == Effect::DbWrite { "write" } else { "query" });
    }
    for other in more {
        draft = draft.and_call(map, other.first.call, SAME);
    }
    draft
}

/// What else the loop does once an item.
pub fn others_text(others: &[PerItem<'_>]) -> String {
    let writes = others.iter().filter(|site| site.effect() == Effect::DbWrite).count();
    let jobs = others.iter().filter(|site| site.effect() == Effect::Queue).count();
    let mut parts = Vec::new();
    for (count, one, many) in
        [(others.len() - writes - jobs, "query", "queries"), (writes, "write", "writes"), (jobs, "job", "jobs")]
    {
        match count {
            0 => {}
            1 => parts.push(format!("one more {one}")),
            count => parts.push(format!("{count} more {many}")),
        }
    }
    match parts.as_slice() {
        [] => String::new(),
        parts => format!(" The same loop runs {} for each item.", parts.join(" and ")),
    }
}

/// How many more loops a title speaks of.
pub fn elsewhere(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => ", and in one more loop".to_owned(),
        count => format!(", and in {count} more loops"),
    }
}

/// What a message says about them.
pub fn same_text(map: &RepoMap, effects: &Effects, one: &PerItemLoop<'_>, more: usize) -> String {
    // What the function does beside its statement it goes on doing for each item.
    let helps_all = !does_more_than_its_statement(map, effects, &one.first);
    match more {
        0 => String::new(),
        1 if !helps_all => " One more loop calls it in the same way.".to_owned(),
        count if !helps_all => format!(" {count} more loops call it in the same way."),
        1 => " One more loop makes the same call: one batch helper serves both.".to_owned(),
        count => format!(" {count} more loops make the same call: one batch helper serves them all."),
    }
}
