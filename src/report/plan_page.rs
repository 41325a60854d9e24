//! One plan in full, and the diff of the work done for it: `improve show PLAN`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::human::next_commands;
use super::layout::{Page, columns, count, cut, indented, paint, style};
use super::sanitize;
use crate::plan::{Gate, Plan};
use crate::receipt::Receipt;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// A plan and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Its path.
    pub path: String,
    /// The number in its title.
    pub number: Option<u32>,
    /// Its title.
    pub title: String,
    /// What the index says: TODO, IN PROGRESS, DONE, BLOCKED, REJECTED, with what stands behind the word; null when it says nothing.
    pub status: Option<String>,
    /// Plans it depends on, as written.
    pub depends_on: Vec<String>,
    /// The commit it was written at.
    pub planned_at: Option<String>,
    /// Paths it may change, as written.
    pub in_scope: Vec<String>,
    /// Its steps.
    pub steps: Vec<StepRow>,
    /// Its done criteria.
    pub criteria: Vec<CriterionRow>,
    /// The branch with the work done for it, when there is one.
    pub branch: Option<String>,
    /// The worktree that was left, when there is one.
    pub worktree: Option<String>,
    /// The file with what a gate prints that runs now, or had printed when the last run was cut off.
    pub gate_output: Option<String>,
    /// How its last run ended.
    pub last_outcome: Option<String>,
    /// Why it did not end better.
    pub last_reasons: Vec<String>,
    /// The receipt of its last run.
    pub last_receipt: Option<String>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepRow {
    /// 1-based.
    pub step: usize,
    /// Its title.
    pub title: String,
    /// Files that its exact edits change; none for a step that somebody has to carry out.
    pub edits: Vec<String>,
    /// Its gates.
    pub gates: Vec<GateRow>,
}

/// A done criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CriterionRow {
    /// As written.
    pub text: String,
    /// Its gates.
    pub gates: Vec<GateRow>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateRow {
    /// The command line.
    pub command: String,
    /// What it must give, as written.
    pub expected: String,
}

/// What is known of a plan beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// What the index says.
    pub status: Option<String>,
    /// Its branch, when it exists.
    pub branch: Option<String>,
    /// Its worktree, when it exists.
    pub worktree: Option<String>,
    /// What a gate prints, or had printed, when there is a file with that.
    pub gate_output: Option<String>,
    /// The receipt of its last run.
    pub last: Option<Receipt>,
}

impl PlanDocument {
    /// The document of `plan`, which stands at `path`.
    pub fn new(plan: &Plan, path: &str, known: Known) -> PlanDocument {
        let Known { status, branch, worktree, gate_output, last } = known;
        let steps = plan.steps.iter().enumerate().map(|(index, step)| {
            let mut edits: Vec<String> =
                step.edits.iter().flat_map(|edit| edit.paths()).map(ToString::to_string).collect();
            edits.dedup();
            StepRow { step: index + 1, title: step.title.clone(), edits, gates: gates(&step.gates) }
        });
        let criteria = plan
            .done_criteria
            .iter()
            .map(|criterion| CriterionRow { text: criterion.text.clone(), gates: gates(&criterion.gates) });
        PlanDocument {
            schema_version: SCHEMA_VERSION,
            path: path.to_owned(),
            number: plan.number,
            title: plan.title.clone(),
            status,
            depends_on: plan.status.depends_on.clone(),
            planned_at: plan.status.planned_at_commit.clone(),
            in_scope: plan.scope.in_scope.iter().map(|entry| entry.text.clone()).collect(),
            steps: steps.collect(),
            criteria: criteria.collect(),
            branch,
            worktree,
            gate_output,
            last_outcome: last.as_ref().map(|receipt| receipt.outcome.words().to_owned()),
            last_reasons: last.as_ref().map(|receipt| receipt.reasons.clone()).unwrap_or_default(),
            last_receipt: last.and_then(|receipt| receipt.file),
        }
    }
}

fn gates(gates: &[Gate]) -> Vec<GateRow> {
    gates.iter().map(|gate| GateRow { command: gate.command.clone(), expected: gate.expected.clone() }).collect()
}

/// The plan on a page. `next` are the commands worth typing now.
pub fn plan(document: &PlanDocument, next: &[(String, String)], page: &Page) -> String {
    let number = document.number.map(|number| format!("Plan {number:03}: ")).unwrap_or_default();
    let mut text = format!("{}\n", paint(style::STRONG, &format!("{number}{}", sanitize::line(&document.title))));
    let mut facts = vec![
        ("File", document.path.clone()),
        ("Status", document.status.clone().unwrap_or_else(|| "not in the index".to_owned())),
    ];
    let optional = [
        ("Depends on", Some(document.depends_on.join(", ")).filter(|text| !text.is_empty())),
        ("Planned at", document.planned_at.clone()),
        ("Last run", document.last_outcome.clone()),
        ("Branch", document.branch.clone()),
        ("Worktree", document.worktree.clone()),
        ("Receipt", document.last_receipt.clone()),
        ("A gate printed", document.gate_output.clone()),
    ];
    facts.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let rows: Vec<Vec<String>> =
        facts.iter().map(|(name, value)| vec![(*name).to_owned(), sanitize::line(value).into_owned()]).collect();
    text.push_str(&columns(&rows, page.width, 2));
    for reason in &document.last_reasons {
        let _ = write!(text, "{}", indented(&format!("- {}", sanitize::line(reason)), 4, page.width.min(100)));
    }
    if !document.in_scope.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Scope"));
        for entry in &document.in_scope {
            let _ = writeln!(text, "  {}", cut(&sanitize::line(entry), page.width.saturating_sub(2)));
        }
    }
    let _ = writeln!(text, "\n{}", paint(style::STRONG, "Steps"));
    for step in &document.steps {
        let how = match step.edits.len() {
            0 => "to be carried out by a person or an agent".to_owned(),
            files => format!("exact edits in {}", count(files, "file")),
        };
        let heading = format!("{:>3}  {}", step.step, sanitize::line(&step.title));
        let _ = writeln!(text, "{}", cut(&heading, page.width));
        let _ = writeln!(text, "     {}", paint(style::FAINT, &how));
        text.push_str(&gate_lines(&step.gates, page));
    }
    if !document.criteria.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Done criteria"));
        for criterion in &document.criteria {
            let _ = write!(text, "{}", indented(&sanitize::line(&criterion.text), 2, page.width.min(100)));
        }
    }
    text.push_str(&next_commands(next, page));
    text
}

fn gate_lines(gates: &[GateRow], page: &Page) -> String {
    let mut text = String::new();
    for gate in gates {
        let line = format!("$ {} → {}", sanitize::line(&gate.command), sanitize::line(&gate.expected));
        let _ = writeln!(text, "     {}", cut(&line, page.width.saturating_sub(5)));
    }
    text
}

/// The work done for a plan, as a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiffDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// The plan's path.
    pub plan: String,
    /// The branch that holds the work.
    pub branch: String,
    /// The commit it starts from.
    pub base: String,
    /// The commit it ends at.
    pub tip: String,
    /// The diff, as git writes it.
    pub diff: String,
}

/// The diff, with its lines in colour.
pub fn diff(document: &DiffDocument) -> String {
    let mut text = String::new();
    for line in sanitize::block(&document.diff).lines() {
        let look = match line.as_bytes().first() {
            Some(b'+') if !line.starts_with("+++") => style::GOOD,
            Some(b'-') if !line.starts_with("---") => style::BAD,
            Some(b'@') => style::COMMAND,
            Some(b'd' | b'i' | b'+' | b'-') => style::STRONG,
            Some(_) | None => style::PLAIN,
        };
        let _ = writeln!(text, "{}", paint(look, line));
    }
    text
}
