//! The course of a plan: the plan as the user has it, with what was added while it was carried out. A step that mends what the
//! verifier found; or, where that does not help, what a planner put in the place of the steps that are left.

use std::path::Path;

use super::ApplyRequest;
use crate::plan::parse::parse;
use crate::plan::{Gate, Plan, Step, render};
use crate::planner::tighten::succeed;
use crate::receipt::{RevisionReceipt, StepReceipt, StepStatus};
use similar::TextDiff;

/// Steps that mend, for each revision of a plan.
pub(super) const MENDS: usize = 2;
/// Revisions of a plan by a planner.
pub(super) const REVISIONS: usize = 2;

/// A plan that failed, and what its planner needs to know of that.
pub struct PlanFailure<'a> {
    /// The plan as it was carried out.
    pub plan: &'a Plan,
    /// Its text.
    pub plan_text: &'a str,
    /// Its steps that are done and committed.
    pub done: &'a [StepReceipt],
    /// What went wrong, in words.
    pub report: &'a str,
    /// A worktree with what is done, and nothing else.
    pub folder: &'a Path,
}

/// What a planner makes of a plan that failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Revision {
    /// A plan for what is left.
    Plan(Box<Plan>),
    /// It should be given up, and why.
    GiveUp(String),
}

/// Revises plans that failed.
pub trait Replanner: Sync {
    /// What to do now; an error says in words why nobody knows.
    fn revise(&self, failure: &PlanFailure<'_>) -> Result<Revision, String>;

    /// Keeps a revised plan where the user finds it.
    fn keep(&self, plan: &Plan) -> Result<(), String>;
}

/// Something that was added to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addition {
    /// A step.
    Step(Box<Step>),
    /// The plan that took its place.
    Plan(String),
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    pub plan: Plan,
    pub text: String,
    /// Revisions so far.
    pub revisions: usize,
    /// Steps that mend since the last of them.
    pub mends: usize,
}

impl Course {
    /// The plan with what an earlier run added.
    pub fn of(request: &ApplyRequest<'_>, additions: &[Addition]) -> Course {
        let mut course =
            Course { plan: request.plan.clone(), text: request.plan_text.to_owned(), revisions: 0, mends: 0 };
        for addition in additions {
            match addition {
                Addition::Step(step) => course.add(step.as_ref().clone()),
                Addition::Plan(text) => {
                    // It was written by us, and a plan when it was.
                    if let Ok(plan) = parse(text) {
                        course.take(plan, text.clone());
                    }
                }
            }
        }
        course
    }

    /// The request as if the user had this plan.
    pub fn request<'a>(&'a self, request: &ApplyRequest<'a>) -> ApplyRequest<'a> {
        ApplyRequest { plan: &self.plan, plan_text: &self.text, ..*request }
    }

    /// Adds a step that mends.
    pub fn add(&mut self, step: Step) {
        self.plan.steps.push(step);
        self.mends += 1;
    }

    fn take(&mut self, plan: Plan, text: String) {
        self.plan = plan;
        self.text = text;
        self.revisions += 1;
        self.mends = 0;
    }

    /// Takes a planner's plan for what is left behind the steps that are done. Criteria that were met go on holding.
    pub fn revise(&mut self, rest: Plan, done: usize, unmet: &[String], why: &str) -> RevisionReceipt {
        let mut plan = succeed(&self.plan, rest);
        let mut steps: Vec<Step> = self.plan.steps.iter().take(done).map(finished).collect();
        steps.append(&mut plan.steps);
        for (step, number) in steps.iter_mut().zip(1..) {
            step.number = Some(number);
        }
        plan.steps = steps;
        for criterion in self.plan.done_criteria.iter().rev() {
            let known = plan.done_criteria.iter().any(|other| other.text == criterion.text);
            if !known && !unmet.contains(&criterion.text) {
                plan.done_criteria.insert(0, criterion.clone());
            }
        }
        for entry in self.plan.scope.in_scope.iter().rev() {
            if plan.scope.in_scope.iter().all(|other| other.path != entry.path) {
                plan.scope.in_scope.insert(0, entry.clone());
            }
        }
        // As it will be read again, and written.
        let plan = parse(&render::render(&plan)).unwrap_or(plan);
        let text = render::render(&plan);
        let diff = TextDiff::from_lines(&self.text, &text).unified_diff().context_radius(2).to_string();
        self.take(plan, text);
        RevisionReceipt { why: why.to_owned(), diff }
    }
}

/// A step that is done, as a plan for the rest shows it: its edits are in the files already.
fn finished(step: &Step) -> Step {
    const DONE: &str = "*Done: its work is committed.*";
    let instruction = match step.instruction.strip_prefix(DONE) {
        Some(_) => step.instruction.clone(),
        None => format!("{DONE}\n\n{}", step.instruction),
    };
    Step { edits: Vec::new(), instruction, ..step.clone() }
}

/// The step that mends what was found in finished work.
pub(super) fn mending(plan: &Plan, remarks: &[String]) -> Step {
    let listed: Vec<String> = remarks.iter().map(|remark| format!("- {remark}")).collect();
    let gates = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates);
    let last = plan.steps.last().into_iter().flat_map(|step| &step.gates);
    let mut all: Vec<Gate> = Vec::new();
    for gate in gates.chain(last) {
        if all.iter().all(|other| other.command != gate.command || other.expectation != gate.expectation) {
            all.push(gate.clone());
        }
    }
    Step {
        number: u32::try_from(plan.steps.len() + 1).ok(),
        title: "Mend what the verifier found".to_owned(),
        instruction: include_str!("../../templates/verifier/mend.md").trim().replace("@remarks", &listed.join("\n")),
        gates: all,
        ..Step::default()
    }
}

/// Whether a step is behind us.
pub(super) fn is_done(step: &StepReceipt) -> bool {
    matches!(step.status, StepStatus::Green | StepStatus::AlreadyFailing | StepStatus::Flaky)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# Plan 001: Mend it\n\n## Scope\n\n**In scope**:\n\n- `a.ts`\n\n## Steps\n\n### Step 1: One\n\nDo one.\n\n**Verify**: `true` → exit 0\n\n### Step 2: Two\n\nDo two.\n\n**Verify**: `make check` → exit 0\n\n## Done criteria\n\n- [ ] `npm test` → all pass\n- [ ] `grep x a.ts` → exit 0\n";
    const REST: &str = "# Plan 002: Mend it otherwise\n\n## Scope\n\n**In scope**:\n\n- `b.ts`\n\n## Steps\n\n### Step 1: Three\n\nDo three.\n\n**Verify**: `true` → exit 0\n\n## Done criteria\n\n- [ ] `grep y b.ts` → exit 0\n";

    fn plan(text: &str) -> Plan {
        parse(text).expect("it is one")
    }

    #[test]
    fn a_revision_keeps_what_is_done_and_criteria_that_were_met() {
        let mut course = Course { plan: plan(PLAN), text: PLAN.to_owned(), revisions: 0, mends: 1 };
        let unmet = course.plan.done_criteria[1].text.clone();
        let receipt = course.revise(plan(REST), 1, &[unmet], "step 2: red");
        let titles: Vec<&str> = course.plan.steps.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(titles, ["One", "Three"]);
        assert!(course.plan.steps[0].instruction.starts_with("*Done"));
        let commands: Vec<&str> =
            course.plan.done_criteria.iter().flat_map(|it| &it.gates).map(|gate| gate.command.as_str()).collect();
        assert_eq!(commands, ["npm test", "grep y b.ts"], "what was not met may be replaced");
        let scope: Vec<&str> = course.plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()).collect();
        assert_eq!(scope, ["a.ts", "b.ts"]);
        assert_eq!((course.plan.number, course.revisions, course.mends), (Some(1), 1, 0));
        assert!(receipt.diff.contains("-### Step 2: Two") && receipt.diff.contains("+### Step 2: Three"));
        assert_eq!(parse(&course.text).expect("it is one"), course.plan, "as a later run reads it");
    }

    #[test]
    fn the_step_that_mends_has_the_gates_of_the_whole() {
        let plan = plan(PLAN);
        let step = mending(&plan, &["`a`: the comma is missing".to_owned()]);
        let commands: Vec<&str> = step.gates.iter().map(|gate| gate.command.as_str()).collect();
        assert_eq!(commands, ["npm test", "grep x a.ts", "make check"]);
        assert!(step.instruction.contains("the comma is missing"));
        assert_eq!(step.number, Some(3));
    }
}
