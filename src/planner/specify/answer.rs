//! The draft of a plan as a model gives it: the schema of its answer, read into the type that recipes give.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::audit::draft::{EditDraft, ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::plan::expectation::Expectation;
use crate::planner::grade::Grade;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::CommandPurpose;
use crate::tree::Tree;

/// The draft of a plan.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Answer {
    /// The change is worth a plan.
    pub worth_it: bool,
    /// Imperative: what will be true afterwards.
    title: String,
    /// The problem, its concrete cost, what improves. If it is not worth a plan, why not.
    pub why: String,
    /// Facts the executor needs beside the code it is shown.
    context: Vec<String>,
    /// Places to quote.
    excerpts: Vec<Place>,
    /// Files the steps touch.
    in_scope: Vec<InScope>,
    /// What looks related and must stay.
    out_of_scope: Vec<OutOfScope>,
    /// The steps, in order.
    steps: Vec<Step>,
    /// Tests to write, one line each.
    tests: Vec<String>,
    /// Cases the executor would forget.
    edge_cases: Vec<String>,
    /// What must be true before the first step.
    prerequisites: Vec<String>,
    /// Checks that are red now and green afterwards.
    goals: Vec<Check>,
    /// What makes this plan wrong.
    stop_conditions: Vec<String>,
    /// For whoever owns the code afterwards.
    maintenance: Vec<String>,
    /// What the change may break.
    risk: Grade,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Place {
    file: String,
    start_line: u32,
    end_line: u32,
    /// What the place has to do with the plan, in a word or two.
    role: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct InScope {
    path: String,
    /// `create`, or what is changed in it.
    remark: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct OutOfScope {
    what: String,
    why: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Step {
    /// Imperative.
    title: String,
    /// What to do.
    instruction: String,
    /// Exact edits; none when the change needs judgement.
    edits: Vec<Edit>,
    /// What proves the step.
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Edit {
    kind: EditKind,
    file: String,
    /// For `replace`: the text as it stands now. Empty otherwise.
    old: String,
    /// For `replace` and `create`: what stands there afterwards. Empty for `delete`.
    new: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum EditKind {
    Replace,
    Create,
    Delete,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Check {
    kind: CheckKind,
    /// For `text-gone` and `text-present`: the file.
    file: Option<String>,
    /// For `text-gone` and `text-present`: one line, or part of one.
    text: Option<String>,
    /// For `command`: the command line.
    command: Option<String>,
    /// For `command`: what it must give, such as `exit 0`.
    expectation: Option<String>,
    /// For `new-tests`: how many.
    count: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum CheckKind {
    Test,
    Typecheck,
    Lint,
    Build,
    TextGone,
    TextPresent,
    NewTests,
    Command,
}

/// The draft of an answer, and what in it cannot be taken as it stands.
pub(super) fn draft(answer: Answer, tree: &dyn Tree) -> (PlanDraft, Vec<String>) {
    let mut faults = Vec::new();
    let mut steps = Vec::new();
    for (step, number) in answer.steps.into_iter().zip(1..) {
        let said = format!("step {number}");
        let edits: Result<Vec<EditDraft>, String> = step.edits.into_iter().map(|edit| exact(edit, tree)).collect();
        let edits = edits.unwrap_or_else(|why| {
            faults.push(format!("{said}: {why}"));
            Vec::new()
        });
        let gates = checks(step.checks, &said, &mut faults);
        steps.push(StepDraft { title: step.title, instruction: step.instruction, edits, gates });
    }
    if steps.is_empty() {
        faults.push("no step".to_owned());
    }
    let goals = checks(answer.goals, "goals", &mut faults);
    let draft = PlanDraft {
        title: answer.title.trim().trim_end_matches('.').to_owned(),
        why: answer.why,
        context: answer.context,
        excerpts: answer
            .excerpts
            .into_iter()
            .filter(|place| place.start_line >= 1 && place.start_line <= place.end_line && tree.is_file(&place.file))
            .map(|Place { file, start_line, end_line, role }| ExcerptDraft { file, start_line, end_line, role })
            .collect(),
        steps,
        in_scope: answer.in_scope.into_iter().map(|InScope { path, remark }| ScopeDraft { path, remark }).collect(),
        out_of_scope: answer.out_of_scope.into_iter().map(|OutOfScope { what, why }| (what, why)).collect(),
        tests: answer.tests,
        edge_cases: answer.edge_cases,
        prerequisites: answer.prerequisites,
        goals,
        stop_conditions: answer.stop_conditions,
        maintenance: answer.maintenance,
        risk: Some(answer.risk.into()),
    };
    (draft, faults)
}

/// An edit by its bytes, or why it is none: the old text has to stand in the file, once.
fn exact(edit: Edit, tree: &dyn Tree) -> Result<EditDraft, String> {
    let Edit { kind, file, old, new } = edit;
    if !is_inside(&file) {
        return Err(format!("`{file}` is no path of this repository"));
    }
    match kind {
        EditKind::Create if tree.is_file(&file) => Err(format!("`{file}` is there already: replace text in it")),
        EditKind::Create => Ok(EditDraft::Create { file, text: new }),
        EditKind::Delete if !tree.is_file(&file) => Err(format!("there is no file `{file}` to delete")),
        EditKind::Delete => Ok(EditDraft::Delete { file }),
        EditKind::Replace => {
            let text = tree.text(&file).ok_or_else(|| format!("there is no file `{file}`"))?;
            // A line end that the model left off at the end of its text is none of the edit's.
            let old = old.strip_suffix('\n').unwrap_or(&old);
            let new = new.strip_suffix('\n').unwrap_or(&new);
            if old.trim().is_empty() {
                return Err(format!("the edit of `{file}` names no text to replace"));
            }
            let mut places = text.match_indices(old);
            match (places.next(), places.next()) {
                (None, _) => Err(format!("the text to replace does not stand in `{file}` as it is written")),
                (Some(_), Some(_)) => {
                    Err(format!("the text to replace stands more than once in `{file}`: give more lines"))
                }
                (Some((at, _)), None) => {
                    let span = Span { start: at as u32, end: (at + old.len()) as u32 };
                    Ok(EditDraft::Replace { file, span, text: new.to_owned() })
                }
            }
        }
    }
}

fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains('\\')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
}

fn checks(checks: Vec<Check>, of: &str, faults: &mut Vec<String>) -> Vec<GateDraft> {
    let mut gates = Vec::new();
    for check in checks {
        match gate(check) {
            Ok(gate) => gates.push(gate),
            Err(why) => faults.push(format!("{of}: {why}")),
        }
    }
    gates
}

fn gate(check: Check) -> Result<GateDraft, String> {
    let Check { kind, file, text, command, expectation, count } = check;
    let given = |value: Option<String>, what: &str| {
        value.filter(|value| !value.trim().is_empty()).ok_or_else(|| format!("a check lacks its {what}"))
    };
    let one_line = |text: String| {
        if text.contains('\n') { Err("the text of a check is one line, or part of one".to_owned()) } else { Ok(text) }
    };
    Ok(match kind {
        CheckKind::Test => GateDraft::Project(CommandPurpose::Test),
        CheckKind::Typecheck => GateDraft::Project(CommandPurpose::Typecheck),
        CheckKind::Lint => GateDraft::Project(CommandPurpose::Lint),
        CheckKind::Build => GateDraft::Project(CommandPurpose::Build),
        CheckKind::TextGone => {
            GateDraft::TextGone { text: one_line(given(text, "text")?)?, file: given(file, "file")? }
        }
        CheckKind::TextPresent => {
            GateDraft::TextPresent { text: one_line(given(text, "text")?)?, file: given(file, "file")? }
        }
        CheckKind::NewTests => GateDraft::NewTests(count.unwrap_or(1).clamp(1, 100)),
        CheckKind::Command => {
            let said = given(expectation, "expectation")?;
            let expectation = Expectation::parse(&said).ok_or_else(|| {
                format!("`{said}` is no expectation: write `exit 0`, `no output`, `contains \"…\"` or `all pass`")
            })?;
            GateDraft::Command { command: one_line(given(command, "command")?)?, expectation }
        }
    })
}
