//! Built-in specifying: a finding and its recipe become a plan, from what the repository itself says.
//!
//! The words are in `templates/built_in/`; what is quoted, run and checked comes from the tree and the repo map.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use std::sync::LazyLock;

use crate::audit::draft::PlanDraft;
use crate::backlog::slug;
use crate::finding::{Effort, Finding};
use crate::plan::markdown::code_span;
use crate::plan::parse::parse;
use crate::plan::{Criterion, Gate, Plan, PlanCommand, Scope, ScopeEntry, Status, Step, render};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::CommandPurpose;
use crate::tree::Tree;

mod edits;
mod gates;
mod models;
mod new_tests;
mod quoting;

use edits::ExactSteps;
use gates::Commands;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, text) in [
        ("preamble.md", include_str!("../../templates/built_in/preamble.md")),
        ("current_state.md", include_str!("../../templates/built_in/current_state.md")),
        ("git_workflow.md", include_str!("../../templates/built_in/git_workflow.md")),
        ("test_plan.md", include_str!("../../templates/built_in/test_plan.md")),
        ("stop.md", include_str!("../../templates/built_in/stop.md")),
        ("new_tests.md", include_str!("../../templates/built_in/new_tests.md")),
        ("edit_by_hand.md", include_str!("../../templates/built_in/edit_by_hand.md")),
    ] {
        environment.add_template(name, text).expect("the templates are tested");
    }
    environment
});

/// What the plan must know beside the finding and the repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanContext {
    /// The plan's number.
    pub number: u32,
    /// The commit the tree was read at.
    pub commit: Option<String>,
    /// Today, `YYYY-MM-DD`.
    pub date: String,
    /// Subjects of recent commits, newest first.
    pub subjects: Vec<String>,
    /// The index, relative to the repository; `plans/README.md` when empty.
    pub index: String,
}

/// Specifies the change that `draft` describes for `finding`.
pub fn specify(
    finding: &Finding,
    draft: &PlanDraft,
    map: &RepoMap,
    tree: &dyn Tree,
    plan_context: &PlanContext,
) -> Plan {
    let file = finding.location().file.as_str();
    let commands = Commands::nearest(file, &map.recon, tree);
    let exact = ExactSteps::of(draft, tree);
    let draft = &new_tests::with_step(masked(draft), &exact, file, map, tree, &commands);
    let mut plan = Plan {
        number: Some(plan_context.number),
        title: draft.title.clone(),
        why: draft.why.clone(),
        ..Plan::default()
    };
    plan.scope = scope(finding, draft, &exact, tree);
    plan.status = status(finding, draft, &exact, plan_context, tree, &plan.scope);
    plan.current_state = current_state(finding, draft, &exact, map, tree);
    plan.commands = commands
        .all()
        .map(|(purpose, command)| PlanCommand {
            purpose: purpose.label().to_owned(),
            command: command.to_owned(),
            expected: gates::expectation_of(purpose).to_string(),
        })
        .collect();
    plan.git_workflow = git_workflow(draft, plan_context);
    plan.prerequisites = bullets(&draft.prerequisites);
    plan.steps = steps(draft, &exact, &commands);
    plan.test_plan = test_plan(file, draft, &exact, map, tree, &commands);
    plan.edge_cases = bullets(&draft.edge_cases);
    plan.done_criteria = criteria(draft, &exact, &commands);
    let files: Vec<String> = plan.scope.in_scope.iter().filter_map(|entry| entry.path.clone()).collect();
    plan.preamble = preamble(plan_context, &files);
    plan.stop_conditions = stop_conditions(finding, draft, &exact, &commands);
    plan.maintenance = bullets(&draft.maintenance);
    // Read back, the plan is what everybody else will read: lines, excerpts and the drift check included.
    parse(&render::render(&plan)).unwrap_or(plan)
}

/// The plan under another number, or under none: its title has it, and so has the branch it names.
pub fn numbered(mut plan: Plan, number: Option<u32>) -> Plan {
    let branch = |number: Option<u32>| number.map_or("improve/".to_owned(), |number| format!("improve/{number:03}-"));
    plan.git_workflow = plan.git_workflow.replacen(&branch(plan.number), &branch(number), 1);
    plan.number = number;
    plan
}

/// The draft without credentials in its words. Edits stay: those that hold one are not written exactly.
fn masked(draft: &PlanDraft) -> PlanDraft {
    let mask = |text: &mut String| *text = crate::secrets::mask(text);
    let mut draft = draft.clone();
    let lists = [
        &mut draft.context,
        &mut draft.tests,
        &mut draft.edge_cases,
        &mut draft.prerequisites,
        &mut draft.stop_conditions,
        &mut draft.maintenance,
    ];
    lists.into_iter().flatten().for_each(mask);
    draft.steps.iter_mut().for_each(|step| mask(&mut step.instruction));
    mask(&mut draft.why);
    draft
}

fn fill(template: &str, values: impl Serialize) -> String {
    let template = TEMPLATES.get_template(template).expect("named in the list of templates");
    let text = template.render(Serde(values)).expect("every value the template names is given");
    text.trim().to_owned()
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| crate::plan::markdown::list_item("- ", line)).collect::<Vec<_>>().join("\n")
}

fn preamble(plan_context: &PlanContext, files: &[String]) -> String {
    let drift_check = plan_context.commit.as_ref().map(|commit| {
        let paths: Vec<_> = files.iter().map(|file| shell_words::quote(file)).collect();
        code_span(&format!("git diff --stat {}..HEAD -- {}", short(commit), paths.join(" ")))
    });
    let index = if plan_context.index.is_empty() { "plans/README.md" } else { &plan_context.index };
    fill("preamble.md", context_of([("index", Some(index.to_owned())), ("drift_check", drift_check)]))
}

fn context_of<const N: usize>(values: [(&str, Option<String>); N]) -> std::collections::BTreeMap<&str, Option<String>> {
    values.into_iter().collect()
}

/// Twelve digits name a commit in repositories of any size.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn status(
    finding: &Finding,
    draft: &PlanDraft,
    exact: &ExactSteps,
    plan_context: &PlanContext,
    tree: &dyn Tree,
    scope: &Scope,
) -> Status {
    let mut status = Status {
        priority: Some(finding.priority()),
        effort: Some(finding.effort),
        risk: Some(draft.risk.unwrap_or(finding.risk)),
        category: Some(finding.category),
        planned_at_commit: plan_context.commit.as_deref().map(|commit| short(commit).to_owned()),
        planned_at_date: Some(plan_context.date.clone()),
        planner: Some("built-in".to_owned()),
        finding: Some(finding.fingerprint.clone()),
        estimate: Some(estimate(finding.effort, draft, exact, tree, scope)),
        ..Status::default()
    };
    status.raw = render::status_lines(&status);
    status
}

/// Minutes by effort, our guess; tokens from the files in scope, read once a step that needs judgement. Exact edits take none.
fn estimate(effort: Effort, draft: &PlanDraft, exact: &ExactSteps, tree: &dyn Tree, scope: &Scope) -> String {
    let by_hand = (0..draft.steps.len()).filter(|step| exact.of_step(*step).is_none()).count();
    if by_hand == 0 {
        return "2 minutes, 0 tokens".to_owned();
    }
    let minutes = match effort {
        Effort::S => 20,
        Effort::M => 60,
        Effort::L => 180,
    };
    let files = scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()).filter_map(|path| tree.text(path));
    let tokens: usize = files.map(|text| text.len() / 4).sum();
    let thousands = (by_hand * (tokens + 4_000)).div_ceil(1_000);
    format!("{minutes} minutes, about {thousands} 000 tokens")
}

fn scope(finding: &Finding, draft: &PlanDraft, exact: &ExactSteps, tree: &dyn Tree) -> Scope {
    let mut in_scope: Vec<ScopeEntry> = Vec::new();
    let mut add = |path: &str, remark: &str| {
        if in_scope.iter().any(|entry| entry.path.as_deref() == Some(path)) {
            return;
        }
        let create = !tree.is_file(path) && !tree.is_folder(path);
        let remark = remark.trim();
        let said = if remark.is_empty() || remark.eq_ignore_ascii_case("create") {
            String::new()
        } else {
            format!(" — {remark}")
        };
        let mark = if create { " (create)" } else { "" };
        in_scope.push(ScopeEntry {
            path: Some(path.to_owned()),
            create,
            text: format!("{}{mark}{said}", code_span(path)),
        });
    };
    for entry in &draft.in_scope {
        add(&entry.path, &entry.remark);
    }
    for file in exact.files(draft) {
        add(&file, "");
    }
    if draft.in_scope.is_empty() && exact.files(draft).is_empty() {
        add(&finding.location().file, "");
    }
    let mut out_of_scope: Vec<String> = draft
        .out_of_scope
        .iter()
        .map(|(what, why)| {
            let named = if what.contains(' ') || what.contains('`') { what.clone() } else { code_span(what) };
            format!("{named} — {why}")
        })
        .collect();
    for hop in &finding.call_path {
        let known = in_scope.iter().any(|entry| entry.path.as_deref() == Some(&hop.file))
            || out_of_scope.iter().any(|text| text.contains(&hop.file));
        if !known {
            out_of_scope.push(format!("{} — it is on the call path and right as it is.", code_span(&hop.file)));
        }
    }
    Scope { in_scope, out_of_scope, notes: String::new() }
}

fn current_state(finding: &Finding, draft: &PlanDraft, exact: &ExactSteps, map: &RepoMap, tree: &dyn Tree) -> String {
    let hops: Vec<String> = finding
        .call_path
        .iter()
        .map(|hop| format!("{} ({})", code_span(&hop.symbol), code_span(&format!("{}:{}", hop.file, hop.line))))
        .collect();
    let by_hand = (0..draft.steps.len()).any(|step| exact.of_step(step).is_none());
    let file = finding.location().file.as_str();
    let exemplar = by_hand.then(|| models::exemplar(file, map)).flatten().map(|path| code_span(&path));
    fill(
        "current_state.md",
        serde_json::json!({
            // A recipe that says why in the finding's own words has said it already.
            "message": if draft.why.starts_with(finding.message.as_str()) { "" } else { finding.message.as_str() },
            "call_path": hops.join(" → "),
            "context": draft.context,
            "excerpts": quoting::excerpts(finding, draft, tree),
            "exemplar": exemplar,
            "intent": models::intent(finding, map, tree),
        }),
    )
}

fn git_workflow(draft: &PlanDraft, plan_context: &PlanContext) -> String {
    let usable: Vec<&String> = plan_context
        .subjects
        .iter()
        // Two words ("minor fix") are nothing to imitate.
        .filter(|subject| {
            !subject.starts_with("Merge ") && subject.split_whitespace().count() >= 3 && subject.len() <= 100
        })
        .collect();
    let conventional = usable.iter().filter(|subject| is_conventional(subject)).count() * 2 > usable.len();
    let shown: Vec<String> = usable
        .iter()
        .filter(|subject| !conventional || is_conventional(subject))
        .take(2)
        .map(|subject| code_span(subject))
        .collect();
    fill(
        "git_workflow.md",
        serde_json::json!({
            "branch": code_span(&format!("improve/{:03}-{}", plan_context.number, slug(&draft.title))),
            "subjects": shown.join(" and "),
            "conventional": conventional,
        }),
    )
}

/// `fix(api): …`, `docs: …`.
fn is_conventional(subject: &str) -> bool {
    subject.split_once(": ").is_some_and(|(head, _)| {
        let kind = head.split('(').next().unwrap_or_default().trim_end_matches('!');
        !kind.is_empty()
            && kind.chars().all(|c| c.is_ascii_lowercase())
            && (!head.contains('(') || head.trim_end_matches('!').ends_with(')'))
    })
}

fn steps(draft: &PlanDraft, exact: &ExactSteps, commands: &Commands) -> Vec<Step> {
    let step = |(index, step_draft): (usize, &crate::audit::draft::StepDraft)| {
        let mut instruction = step_draft.instruction.clone();
        let edits = match exact.of_step(index) {
            Some(edits) => edits.to_vec(),
            None => {
                for by_hand in exact.described(index) {
                    instruction = format!("{instruction}\n\n{by_hand}");
                }
                Vec::new()
            }
        };
        let mut gates: Vec<Gate> = Vec::new();
        let wanted =
            step_draft.gates.iter().filter_map(|gate| commands.gate(gate)).chain(exact.goals(index).iter().cloned());
        for gate in wanted.chain(step_draft.gates.is_empty().then(|| commands.guards()).into_iter().flatten()) {
            push_new(&mut gates, gate);
        }
        if gates.is_empty() {
            gates = commands.guards();
        }
        if gates.is_empty() {
            gates.push(gates::well_formed());
        }
        Step {
            number: Some(index as u32 + 1),
            title: step_draft.title.clone(),
            instruction,
            edits,
            verify_text: render::verify_text(&gates),
            gates,
            ..Step::default()
        }
    };
    draft.steps.iter().enumerate().map(step).collect()
}

fn push_new(gates: &mut Vec<Gate>, gate: Gate) {
    if !gates.iter().any(|known| known.command == gate.command && known.expectation == gate.expectation) {
        gates.push(gate);
    }
}

/// Goals, red now and green afterwards, then guards, green now and afterwards.
fn criteria(draft: &PlanDraft, exact: &ExactSteps, commands: &Commands) -> Vec<Criterion> {
    let mut gates: Vec<Gate> = Vec::new();
    let goals = draft.goals.iter().filter_map(|goal| commands.gate(goal));
    for gate in goals.chain((0..draft.steps.len()).flat_map(|step| exact.goals(step).to_vec())) {
        push_new(&mut gates, gate);
    }
    for guard in commands.guards() {
        // `4 new tests pass` says all that `all pass` says.
        if !gates.iter().any(|gate| gate.command == guard.command) {
            gates.push(guard);
        }
    }
    if gates.is_empty() {
        gates.push(gates::well_formed());
    }
    let criterion = |gate: Gate| Criterion {
        text: render::verify_text(std::slice::from_ref(&gate)),
        gates: vec![gate],
        ..Criterion::default()
    };
    gates.into_iter().map(criterion).collect()
}

fn test_plan(
    file: &str,
    draft: &PlanDraft,
    exact: &ExactSteps,
    map: &RepoMap,
    tree: &dyn Tree,
    commands: &Commands,
) -> String {
    let model = models::test_to_model_on(file, map, tree);
    fill(
        "test_plan.md",
        serde_json::json!({
            "tests": draft.tests,
            "exact": (0..draft.steps.len()).all(|step| exact.of_step(step).is_some()),
            "model": model.as_ref().map(|(path, _)| code_span(path)),
            "reason": model.as_ref().map(|(_, reason)| *reason),
            "command": commands.of(CommandPurpose::Test).map(code_span),
        }),
    )
}

fn stop_conditions(finding: &Finding, draft: &PlanDraft, exact: &ExactSteps, commands: &Commands) -> Vec<String> {
    let mut places = exact.files(draft);
    places.push(finding.location().file.clone());
    places.sort();
    places.dedup();
    let places: Vec<String> = places.iter().take(3).map(|place| code_span(place)).collect();
    let subject = if finding.symbol.is_empty() { &finding.location().file } else { &finding.symbol };
    let text = fill(
        "stop.md",
        serde_json::json!({
            "conditions": draft.stop_conditions,
            "places": places,
            "command": commands.of(CommandPurpose::Test).map(code_span),
            "subject": code_span(subject),
        }),
    );
    crate::plan::markdown::Blocks::of(&text).items.into_iter().map(|item| item.text).collect()
}

#[cfg(test)]
mod tests;
