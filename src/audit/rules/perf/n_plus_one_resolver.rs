//! `n-plus-one-resolver`: a field resolver that queries once for each parent.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::perf::batching;
use crate::audit::rules::perf::per_item::wording::{call_text, sink_text};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::name::file_name;
use crate::repo_map::recon::CommandPurpose;

mod query;
mod resolvers;

use query::{Site, depends_on_arguments, has_loaders, site};
use resolvers::resolvers;

/// A GraphQL field resolver that queries for each parent, without a DataLoader.
pub struct NPlusOneResolver;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one-resolver",
    category: Category::Perf,
    what: "a GraphQL field resolver that queries the database with its parent's key, without a DataLoader",
    why: "GraphQL calls a field resolver once for each object of a list: a page of 50 orders runs 50 queries for one field, and the \
          client decides how long the list is",
    quiet_when: "the field belongs to Query, Mutation or Subscription, the query does not depend on the parent, a DataLoader or a \
                 cache stands between, the query is one page of a list with arguments of its own, the call checks a permission, \
                 or it is test code",
    example: "const resolvers = {\n  Order: {\n    buyer: (order) => prisma.user.findUnique({ where: { id: order.buyerId } }),\n  },\n};",
};

/// Places one finding lists; a file with more has the same plan.
const MAX_PLACES: usize = 60;

impl Rule for NPlusOneResolver {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Effect(Effect::DbRead)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let mut sites: Vec<Site<'_>> =
            resolvers(map).into_iter().filter_map(|resolver| site(map, effects, resolver)).collect();
        sites.sort_by_key(|site| site.call);
        sites.dedup_by_key(|site| site.call);
        // Types whose other fields go through a loader are known to be in lists; of the others that is not known. What depends on
        // arguments of the field needs a loader for each set of them, and such fields are mostly asked of one parent.
        let (sure, unsure): (Vec<_>, Vec<_>) =
            sites.into_iter().partition(|site| has_loaders(map, &site.resolver) && !depends_on_arguments(map, site));
        [(sure, Confidence::Med), (unsure, Confidence::Low)]
            .iter()
            .flat_map(|(sites, confidence)| {
                sites
                    .chunk_by(|a, b| a.call.file == b.call.file)
                    .map(|one_file| finding(map, effects, one_file, *confidence))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let path = finding.location().file.clone();
        let (file, _) = map.file_by_path(&path)?;
        let sites: Vec<Site<'_>> = resolvers(map)
            .into_iter()
            .filter(|resolver| resolver.file == file)
            .filter_map(|resolver| site(map, context.effects, resolver))
            .collect();
        let first =
            place::calls_at(map, finding.location()).find_map(|call| sites.iter().find(|site| site.call == call))?;
        let batching = batching::reading(first.api.library);
        let call_site = map.call(first.call);
        let goal = place::unique_line(context.tree, &path, call_site.line, call_site.end_line, &|line| {
            place::has_word(line, &call_site.name)
        });
        let others: Vec<String> = sites
            .iter()
            .filter(|site| site.call != first.call)
            .take(MAX_PLACES)
            .map(|site| {
                format!(
                    "- `{}`, line {}: `{}`",
                    site.resolver.name,
                    map.call(site.call).line,
                    call_text(map, site.call)
                )
            })
            .collect();
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        if let Some(text) = &goal {
            gates.push(GateDraft::TextGone { text: text.clone(), file: path.clone() });
        }
        let mut steps = vec![
            StepDraft {
                title: format!("Add a loader for what `{}` loads", first.resolver.name),
                instruction: format!(
                    "Where the context of a GraphQL request is made (look for `new DataLoader` in the repository and follow that \
                         example; otherwise add the package `dataloader` and one loader a request), add a loader whose batch function \
                         runs {} and gives one result for each key, in the order of the keys: null, or an empty list, where there \
                         is none. Keep every other condition of the query. Shape:\n\n```\nnew DataLoader(async (keys) => {{\n  const rows = await loadMany(keys);\n  const byKey = new Map(rows.map((row) => [row.key, row]));\n  return keys.map((key) => byKey.get(key) ?? null);\n}});\n```",
                    batching.api
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck)],
            },
            StepDraft {
                title: format!("Use it in `{}`", first.resolver.name),
                instruction: format!(
                    "In `{path}`, line {}, let the resolver give what the loader gives for the parent's key. A permission that the \
                         call checked for each parent is checked on the loaded row in the resolver.",
                    call_site.line
                ),
                edits: Vec::new(),
                gates,
            },
        ];
        if !others.is_empty() {
            steps.push(StepDraft {
                title: "Go through the other resolvers of the file".to_owned(),
                instruction: format!(
                    "These resolvers query once for each parent too. Give each a loader in the same way, or say why one must stay (its \
                     type is never part of a list):\n\n{}",
                    others.join("\n")
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
            });
        }
        Some(PlanDraft {
            title: format!("Load what the field resolvers of `{}` need in batches", file_name(&path)),
            why: format!(
                "{} With a DataLoader the keys of all parents of one response are gathered and asked for in one query.",
                finding.message
            ),
            context: vec![format!(
                "{} belongs to {}. A DataLoader lives as long as one request: it is made where the context of the request is made.",
                sink_text(map, first.causes.last()?.call, first.api),
                first.api.library
            )],
            excerpts: vec![ExcerptDraft {
                file: path.clone(),
                start_line: call_site.line.saturating_sub(4).max(1),
                end_line: call_site.end_line.min(call_site.line + 14),
                role: format!("the resolver of `{}`", first.resolver.name),
            }],
            steps,
            in_scope: vec![ScopeDraft { path: path.clone(), remark: "the resolvers".to_owned() }],
            out_of_scope: vec![(
                "the schema, and what the fields give".to_owned(),
                "clients rely on it; only the number of queries changes".to_owned(),
            )],
            tests: vec![
                format!("a list of three parents asks for `{}` with one query", first.resolver.name),
                "a parent whose row does not exist gets the same answer as before".to_owned(),
            ],
            edge_cases: vec![
                "the batch function must give exactly one entry for each key, in the order of the keys".to_owned(),
                "a loader kept longer than one request would answer with old rows, and with another user's".to_owned(),
                "after a mutation the loader must be cleared for the key that changed".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.map(|text| GateDraft::TextGone { text, file: path.clone() }).into_iter().collect(),
            stop_conditions: vec![
                "the type of the parent is never part of a list: say where that is guaranteed".to_owned(),
                "the query depends on arguments of the field beside the parent's key: such a field needs a loader for each set of \
                 arguments"
                    .to_owned(),
            ],
            maintenance: vec!["A new field that loads by a key of its parent belongs on a loader.".to_owned()],
            risk: Some(Risk::Med),
        })
    }
}

fn finding(map: &RepoMap, effects: &Effects, sites: &[Site<'_>], confidence: Confidence) -> Finding {
    let rank =
        |site: &&Site<'_>| (site.causes.iter().any(|cause| effects.is_by_name(*cause)), site.causes.len(), site.call);
    let first = sites.iter().min_by_key(rank).expect("a file with a finding has a resolver");
    let path = &map.file(first.call.file).path;
    let call = call_text(map, first.call);
    let sink = first.causes.last().map_or(first.call, |cause| cause.call);
    let direct = first.causes.len() == 1;
    let field = &first.resolver.name;
    let title = match sites.len() {
        1 => format!("the resolver of `{field}` queries once for each parent"),
        count => format!("{count} field resolvers of `{}` query once for each parent", file_name(path)),
    };
    let through = if direct { String::new() } else { format!(", which ends in {}", sink_text(map, sink, first.api)) };
    let others = match sites.len() - 1 {
        0 => String::new(),
        1 => " One more resolver of the file does the same.".to_owned(),
        count => format!(" {count} more resolvers of the file do the same."),
    };
    let mut draft = FindingDraft::at_call(&DOC, map, first.call, "query")
        .title(title)
        .message(format!(
            "GraphQL runs the resolver of `{field}` once for each parent in a response, and each run calls `{call}`{through}: a list of \
             50 parents costs 50 queries for this field.{others}"
        ))
        .impact(3)
        .effort(if sites.len() > 3 { Effort::L } else { Effort::M })
        .risk(Risk::Med)
        .confidence(confidence)
        .path(effects.path(map, first.call, Effect::DbRead));
    if !direct {
        draft = draft.and_call(map, sink, "ends in");
    }
    for site in sites.iter().filter(|site| site.call != first.call).take(MAX_PLACES) {
        draft = draft.and_call(map, site.call, "query");
    }
    draft.build()
}
