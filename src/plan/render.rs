//! [`Plan`] → Markdown, in the one form that `improve` writes. The words are in `templates/plan.md`.

use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::markdown::{cell, code_span, list_item};
use super::parse::{edits, gates, status, verify};
use super::{ExtraSection, Plan, Status, Step};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.add_template("plan.md", include_str!("../../templates/plan.md")).expect("the template is tested");
    environment
});

/// Writes a plan. For plans that `improve` makes, [`super::parse::parse`] gives back the same plan.
pub fn render(plan: &Plan) -> String {
    let template = TEMPLATES.get_template("plan.md").expect("added when the environment was made");
    let mut text = template.render(Serde(View::of(plan))).expect("the view has every value the template names");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The lines of a status block in the order they are written: what [`Status::raw`] holds for a plan of ours.
pub fn status_lines(status: &Status) -> Vec<(String, String)> {
    status::lines(status)
}

/// The Verify text for `gates`: `` `command` → expectation; … ``.
pub fn verify_text(gates: &[super::Gate]) -> String {
    gates::write(gates)
}

/// What the template sees: Markdown pieces, escaped.
#[derive(Serialize)]
struct View<'a> {
    number: Option<String>,
    title: &'a str,
    preamble: &'a str,
    status: Vec<String>,
    why: &'a str,
    current_state: &'a str,
    commands: Vec<CommandView>,
    commands_notes: &'a str,
    in_scope: Vec<String>,
    out_of_scope: Vec<String>,
    scope_notes: &'a str,
    git_workflow: &'a str,
    prerequisites: &'a str,
    steps_intro: &'a str,
    steps: Vec<StepView<'a>>,
    test_plan: &'a str,
    edge_cases: &'a str,
    done_criteria: Vec<String>,
    done_notes: &'a str,
    stop_conditions: Vec<String>,
    stop_notes: &'a str,
    maintenance: &'a str,
    extra: &'a [ExtraSection],
}

#[derive(Serialize)]
struct CommandView {
    purpose: String,
    command: String,
    expected: String,
}

#[derive(Serialize)]
struct StepView<'a> {
    number: Option<u32>,
    title: &'a str,
    fields: &'a [(String, String)],
    checkpoint: Option<&'a str>,
    instruction: &'a str,
    edits: Vec<String>,
    verify: Option<String>,
}

impl<'a> View<'a> {
    fn of(plan: &'a Plan) -> View<'a> {
        View {
            number: plan.number.map(|number| format!("{number:03}")),
            title: &plan.title,
            preamble: &plan.preamble,
            status: status_entries(&plan.status),
            why: &plan.why,
            current_state: &plan.current_state,
            commands: plan
                .commands
                .iter()
                .map(|command| CommandView {
                    purpose: cell(&command.purpose),
                    command: cell(&code_span(&command.command)),
                    expected: cell(&command.expected),
                })
                .collect(),
            commands_notes: &plan.commands_notes,
            in_scope: plan.scope.in_scope.iter().map(|entry| list_item("- ", &entry.text)).collect(),
            out_of_scope: plan.scope.out_of_scope.iter().map(|text| list_item("- ", text)).collect(),
            scope_notes: &plan.scope.notes,
            git_workflow: &plan.git_workflow,
            prerequisites: &plan.prerequisites,
            steps_intro: &plan.steps_intro,
            steps: plan.steps.iter().map(StepView::of).collect(),
            test_plan: &plan.test_plan,
            edge_cases: &plan.edge_cases,
            done_criteria: plan
                .done_criteria
                .iter()
                .map(|criterion| list_item(if criterion.checked { "- [x] " } else { "- [ ] " }, &criterion.text))
                .collect(),
            done_notes: &plan.done_notes,
            stop_conditions: plan.stop_conditions.iter().map(|text| list_item("- ", text)).collect(),
            stop_notes: &plan.stop_notes,
            maintenance: &plan.maintenance,
            extra: &plan.extra_sections,
        }
    }
}

/// The status block: bullets in a row, prose as paragraphs of its own.
fn status_entries(status: &Status) -> Vec<String> {
    let lines = match status.raw.is_empty() {
        false => status.raw.clone(),
        true if *status == Status::default() => Vec::new(),
        true => status_lines(status),
    };
    let is_prose = |index: usize| lines.get(index).is_some_and(|(key, _)| key.is_empty());
    let entries = lines.iter().enumerate().map(|(index, (key, value))| {
        let text = if key.is_empty() { value.clone() } else { format!("- **{key}**: {value}").trim_end().to_owned() };
        let last = index + 1 == lines.len();
        let apart = is_prose(index) || is_prose(index + 1);
        format!(
            "{text}{}",
            if last {
                ""
            } else if apart {
                "\n\n"
            } else {
                "\n"
            }
        )
    });
    entries.collect()
}

impl<'a> StepView<'a> {
    fn of(step: &'a Step) -> StepView<'a> {
        let text = if step.verify_text.is_empty() { gates::write(&step.gates) } else { step.verify_text.clone() };
        let verify = (!text.is_empty()).then(|| {
            let space = if verify::needs_own_line(&text) { "\n\n" } else { " " };
            format!("{space}{text}")
        });
        StepView {
            number: step.number,
            title: &step.title,
            fields: &step.fields,
            checkpoint: step.checkpoint.as_deref(),
            instruction: &step.instruction,
            edits: step.edits.iter().map(edits::write).collect(),
            verify,
        }
    }
}

#[cfg(test)]
mod tests;
