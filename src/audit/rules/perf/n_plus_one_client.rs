//! `n-plus-one-client`: a list whose every element asks the server by itself.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::perf::per_item::wording::{call_text, loop_text};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Hop, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::recon::CommandPurpose;

mod hooks;
mod rendered;

use rendered::{Rendered, lists};

/// A component that queries with a hook and is rendered once for each item of a list.
pub struct NPlusOneClient;

static DOC: RuleDoc = RuleDoc {
    id: "n-plus-one-client",
    category: Category::Perf,
    what: "a component that runs a query hook (useQuery, useSWR and the like) with its item's key and is rendered once for each item of a \
           list",
    why: "a page of 50 rows sends 50 requests: browsers run six at a time to one host, rows pop in one after the other, and the server \
          does everything 50 times",
    quiet_when: "the list is a literal, what one thing holds under names, or what somebody picks item by item, the query does not depend on the item (one cached answer), it waits for the user (`enabled`, a \
                 key that is there once the row is unfolded or in view, a lazy hook, a dialog, menu or tooltip, `open && <Details />`), or it is test code",
    example: "{orders.map((order) => <OrderRow key={order.id} order={order} />)}\n// in OrderRow: const { data } = useQuery({ queryKey: ['buyer', order.buyerId], queryFn });",
};

/// The role of another list that asks with the same hook.
const RENDERED_TOO: &str = "rendered too";

impl Rule for NPlusOneClient {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        lists(map).iter().map(|of_one| finding(map, of_one)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let all = lists(map);
        let rendered = all.iter().map(|of_one| &of_one[0]).find(|rendered| {
            let place = finding.location();
            map.file(rendered.list.file).path == place.file && map.call(rendered.list).line == place.start_line
        })?;
        let list_path = map.file(rendered.list.file).path.clone();
        let component = map.symbol(rendered.component);
        let component_path = map.file(rendered.component.file).path.clone();
        let first_hook = *rendered.hooks.first()?;
        let hook_site = map.call(first_hook);
        let in_component = *rendered.way.first()?;
        let call_site = map.call(in_component);
        let over = loop_text(map, rendered.list, &rendered.iteration);
        let hook = call_text(map, first_hook);
        let goal = place::unique_line(
            context.tree,
            &map.file(in_component.file).path,
            call_site.line,
            call_site.end_line,
            &|line| place::has_word(line, &call_site.name),
        )
        .map(|text| GateDraft::TextGone { text, file: map.file(in_component.file).path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        let mut in_scope = vec![ScopeDraft { path: list_path.clone(), remark: "the list".to_owned() }];
        for (path, remark) in
            [(&component_path, "the component of one row"), (&map.file(first_hook.file).path, "the query hook")]
        {
            if in_scope.iter().all(|known| known.path != *path) {
                in_scope.push(ScopeDraft { path: path.clone(), remark: remark.to_owned() });
            }
        }
        let mut further = Vec::new();
        for other in finding.evidence.iter().filter(|place| place.role == RENDERED_TOO) {
            further.push(format!("- `{}`, line {}", other.file, other.start_line));
            if in_scope.iter().all(|known| known.path != other.file) {
                in_scope.push(ScopeDraft {
                    path: other.file.clone(),
                    remark: "a list that asks in the same way".to_owned(),
                });
            }
        }
        let further = (!further.is_empty()).then(|| StepDraft {
            title: "Do the same in the other lists".to_owned(),
            instruction: format!(
                "These lists ask in the same way. Change each as in the step before, or say why one must stay:\n\n{}",
                further.join("\n")
            ),
            edits: Vec::new(),
            gates: vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)],
        });
        Some(PlanDraft {
            title: format!("Ask once for all rows of `{}`", component.name),
            why: format!("{} After this plan the list sends one request.", finding.message),
            context: vec![format!(
                "The hook stands in `{}`, line {}. Requests that a client bundles into one (a batching link) still run the query on the \
                 server once for each row.",
                map.file(first_hook.file).path,
                hook_site.line
            )],
            excerpts: vec![
                ExcerptDraft {
                    file: list_path.clone(),
                    start_line: map.call(rendered.list).line,
                    end_line: map.call(rendered.list).end_line.min(map.call(rendered.list).line + 9),
                    role: format!("`{}` for each item of {over}", component.name),
                },
                ExcerptDraft {
                    file: map.file(first_hook.file).path.clone(),
                    start_line: hook_site.line,
                    end_line: hook_site.end_line.min(hook_site.line + 14),
                    role: "the query each row runs".to_owned(),
                },
            ],
            steps: vec![
                StepDraft {
                    title: format!("Add a plural form of the query of `{hook}`"),
                    instruction: format!(
                        "On the server, beside the procedure or route that `{}` line {} asks, add one that takes a list of keys (at most \
                         100, checked) and gives a result for each, with one query; keep the check of who may see what for every key. \
                         If the query that loads the list can give these values with each item, extend that one instead.",
                        map.file(first_hook.file).path,
                        hook_site.line
                    ),
                    edits: Vec::new(),
                    gates: vec![GateDraft::Project(CommandPurpose::Typecheck)],
                },
                StepDraft {
                    title: "Call it in the list and hand each row its part".to_owned(),
                    instruction: format!(
                        "In `{list_path}`, run the plural hook once with the keys of all items of {over}, and hand `{}` its result and \
                         whether it is still loading as props. In `{component_path}` take these props in place of the hook (line {}). Rows \
                         show what they showed while the query runs and when it fails.",
                        component.name, call_site.line
                    ),
                    edits: Vec::new(),
                    gates,
                },
            ]
            .into_iter()
            .chain(further)
            .collect(),
            in_scope,
            out_of_scope: vec![(
                "other places that use the singular hook".to_owned(),
                "it is right where one thing is shown".to_owned(),
            )],
            tests: vec![
                "a list of three items sends one request, and each row shows its own values".to_owned(),
                "an empty list sends none".to_owned(),
            ],
            edge_cases: vec![
                "the key of the cached answer must not change when the list is sorted: sort the keys".to_owned(),
                "what invalidates the singular query must invalidate the plural one too".to_owned(),
                "a longer list than the server takes at once is cut into chunks".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                format!("{over} never holds more than a handful of items: say where that is guaranteed"),
                "rows load only when they scroll into view, on purpose".to_owned(),
            ],
            maintenance: vec!["What a row needs is loaded with the list.".to_owned()],
            risk: Some(Risk::Med),
        })
    }
}

/// `changeRequest.segments`: the parts of one thing are few.
fn is_part(iteration: &place::Iteration<'_>) -> bool {
    matches!(iteration.over.map(Expr::peeled), Some(Expr::Member(whole, _)) if matches!(whole.peeled(), Expr::Name(name)
        if !matches!(name.as_str(), "props" | "data" | "query" | "result" | "response")))
}

fn finding(map: &RepoMap, of_one: &[Rendered<'_>]) -> Finding {
    let first = &of_one[0];
    let component = map.symbol(first.component);
    let over = loop_text(map, first.list, &first.iteration);
    let hook = call_text(map, first.hooks[0]);
    let count = first.hooks.len();
    let queries = if count == 1 { "a query".to_owned() } else { format!("{count} queries") };
    let mut others: Vec<String> = Vec::new();
    for other in &of_one[1..] {
        let name = format!("`{}`", map.symbol(other.component).name);
        if other.component != first.component && !others.contains(&name) {
            others.push(name);
        }
    }
    let elsewhere = match (of_one.len() - 1, others.as_slice()) {
        (0, _) => String::new(),
        (1, []) => " One more list renders it.".to_owned(),
        (more, []) => format!(" {more} more lists render it."),
        (_, others) => format!(" So does each item of the lists that render {}.", others.join(", ")),
    };
    let asks = if hooks::are_batched(map) {
        format!(
            "asks for {} answers, which a batching client sends together and the server still works out one by one",
            count * 50
        )
    } else {
        format!("sends {} requests", count * 50)
    };
    let hop = |line: u32, file: u32, symbol: String| Hop { file: map.file(file).path.clone(), line, symbol };
    let mut path = vec![hop(map.call(first.list).line, first.list.file, component.qualified.to_string())];
    path.extend(first.way.iter().map(|call| hop(map.call(*call).line, call.file, call_text(map, *call))));
    let mut draft = FindingDraft::at_call(&DOC, map, first.list, "rendered")
        .title(format!("each item of {over} renders `{}`, which sends {queries} of its own", component.name))
        .message(format!(
            "`{}` is rendered once for each item of {over} and runs `{hook}` with the item's key: a list of 50 {asks}.{elsewhere}",
            component.name
        ))
        // Most such lists are picked or configured by a person, and short.
        .impact(1)
        .effort(Effort::M)
        .risk(Risk::Med)
        .confidence(if of_one.iter().all(|own| is_part(&own.iteration)) { Confidence::Low } else { Confidence::Med })
        .and_region(map, first.list.file, first.iteration.region, "loop")
        .path(path);
    for call in &first.way {
        draft = draft.and_call(map, *call, "hook");
    }
    for call in &first.hooks {
        draft = draft.and_call(map, *call, "query");
    }
    for other in &of_one[1..] {
        draft = draft.and_call(map, other.list, RENDERED_TOO);
    }
    draft.build()
}
