//! Arms: how a task becomes a plan. In every arm the task's visible gates are among the done criteria, so that a verdict means the same.

use crate::audit::draft::PlanDraft;
use crate::audit::rule::RecipeContext;
use crate::audit::{AuditOptions, engine};
use crate::effects::effects;
use crate::finding::{Effort, Evidence, Finding, Risk};
use crate::plan::parse::parse;
use crate::plan::{Criterion, Plan, render};
use crate::planner::asking::Desk;
use crate::planner::built_in::{PlanContext, specify};
use crate::planner::request::Wish;
use crate::repo_map::RepoMap;
use crate::settings;
use crate::tree::Tree;

use super::ground::Reading;
use super::task::Task;

/// A plan and its text.
pub(super) struct Written {
    pub plan: Plan,
    pub text: String,
}

impl Written {
    /// The plan with the task's visible gates among its done criteria.
    pub fn of(mut plan: Plan, task: &Task) -> Written {
        for gate in task.gates() {
            let known = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates);
            if !known.into_iter().any(|known| known.command == gate.command && known.expectation == gate.expectation) {
                let text = render::verify_text(std::slice::from_ref(&gate));
                plan.done_criteria.push(Criterion { text, gates: vec![gate], ..Criterion::default() });
            }
        }
        let text = render::render(&plan);
        Written { plan: parse(&text).unwrap_or(plan), text }
    }
}

/// The document of a task that nobody planned: its words, all files, one step. It has the form of a plan because that is what an
/// executor takes; nothing in it was thought of by a model.
pub(super) fn unplanned(task: &Task, map: &RepoMap) -> Option<Written> {
    let sources = map.files.iter().map(|file| file.path.to_string());
    // What decides how checks are run is nobody's to change.
    let others = map.other_files.iter().filter(|path| !path.starts_with('.') && *path != settings::FILE_NAME);
    let mut in_scope: Vec<String> = sources.chain(others.cloned()).collect();
    // New files may stand beside those that are there.
    let folders: std::collections::BTreeSet<String> =
        in_scope.iter().filter_map(|path| Some(format!("{}/", path.split_once('/')?.0))).collect();
    in_scope.extend(folders);
    let listed: Vec<String> = in_scope.iter().map(|path| format!("- `{path}`")).collect();
    let gates = &task.manifest.gates;
    let criteria: Vec<String> = gates.iter().map(|gate| format!("- [ ] {gate}")).collect();
    let text = include_str!("../../templates/bench/unplanned.md")
        .replace("@title", &task.manifest.title)
        .replace("@words", task.manifest.words.trim())
        .replace("@scope", &listed.join("\n"))
        .replace("@gates", &gates.join("; "))
        .replace("@criteria", &criteria.join("\n"));
    Some(Written { plan: parse(&text).ok()?, text })
}

/// What a planner is told of a task: its words and its places, as a user's request has them.
pub(super) fn subject(task: &Task, desk: &Desk<'_>) -> Finding {
    let manifest = &task.manifest;
    let evidence: Vec<Evidence> =
        task.places().iter().map(|place| desk.evidence(&place.file, place.start, place.end, "place")).collect();
    let wish = Wish {
        request: &manifest.words,
        title: &manifest.title,
        text: &manifest.words,
        category: manifest.category,
        impact: 4,
        effort: Effort::S,
        risk: Risk::Med,
        evidence,
    };
    wish.finding(desk)
}

/// The plan of the task's rule where its recipe says exactly what changes.
pub(super) fn recipe(task: &Task, reading: &Reading, context: &PlanContext) -> Option<Plan> {
    let Reading { tree, map } = reading;
    let rule = task.manifest.rule.as_ref()?;
    let effects = effects(map);
    let options = AuditOptions { only_rules: vec![rule.clone()], ..AuditOptions::default() };
    let audit = engine::run(map, &effects, tree, &options).ok()?;
    let here = |finding: &&Finding| task.places().iter().any(|place| place.file == finding.location().file);
    let finding = audit.findings.iter().find(here)?;
    let draft: PlanDraft = engine::recipe(finding, &RecipeContext { map, effects: &effects, tree })?;
    let tree: &dyn Tree = tree;
    engine::is_mechanical(&draft).then(|| specify(finding, &draft, map, tree, context))
}
