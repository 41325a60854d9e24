//! The plan of a rule whose remedy is one change on one line: what the rules about weak settings share.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::place;
use crate::audit::rule::RecipeContext;
use crate::finding::Finding;
use crate::repo_map::recon::CommandPurpose;

/// What to do about a weak setting.
pub struct Remedy {
    /// Imperative.
    pub title: &'static str,
    /// The target shape.
    pub instruction: String,
    /// Exact edits, where the change is certain.
    pub edits: Vec<EditDraft>,
    /// What to test.
    pub test: &'static str,
    /// What the executor would forget.
    pub edge_case: &'static str,
    /// When to stop.
    pub stop: &'static str,
}

impl Remedy {
    /// The plan for the finding's first line.
    pub fn plan(self, finding: &Finding, context: &RecipeContext<'_>) -> PlanDraft {
        let at = finding.location();
        let path = at.file.clone();
        let goal = place::unique_line(context.tree, &path, at.start_line, at.end_line, &|_| true)
            .map(|text| GateDraft::TextGone { text, file: path.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        PlanDraft {
            title: format!("{} in `{path}`", self.title),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: self.title.to_owned(),
                instruction: format!("In `{path}`, line {}: {}", at.start_line, self.instruction),
                edits: self.edits,
                gates,
            }],
            in_scope: vec![ScopeDraft { path, remark: "the setting, and what depends on it".to_owned() }],
            out_of_scope: Vec::new(),
            tests: vec![self.test.to_owned()],
            edge_cases: vec![self.edge_case.to_owned()],
            prerequisites: Vec::new(),
            goals: goal.into_iter().collect(),
            stop_conditions: vec![self.stop.to_owned()],
            maintenance: Vec::new(),
            risk: None,
        }
    }
}
