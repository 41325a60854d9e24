//! The receipt of a run while the work goes on.

use std::time::Instant;

use jiff::Timestamp;

use super::course::is_done;
use super::{ApplyRequest, steps};
use crate::model::cost::Cost;
use crate::plan::Plan;
use crate::receipt::{
    CommitReference, NewTestsReceipt, Outcome, Prepared, Receipt, SCHEMA_VERSION, ScopeReceipt, StepReceipt, Verdict,
};
use crate::secrets::mask;
use crate::verifier::verdict::Decision;
use crate::verifier::{Proof, plan_reference};

/// What a receipt is made of while the work goes on.
pub(super) struct Draft {
    pub receipt: Receipt,
}

impl Draft {
    pub fn new(request: &ApplyRequest<'_>, base: &str) -> Draft {
        let steps = request.plan.steps.iter().enumerate();
        // Only a plan that starts from another plan's branch is compared with something else.
        let built_on = request.base.filter(|_| request.excerpts_at.is_some());
        let notes = built_on.map(|branch| format!("built on {branch}, which is not merged yet")).into_iter().collect();
        let receipt = Receipt {
            schema_version: SCHEMA_VERSION,
            plan: plan_reference(request.plan, request.plan_path, request.plan_text),
            outcome: Outcome::Unverified,
            verdict: Verdict::Revise,
            reasons: Vec::new(),
            hint: None,
            base: base.to_owned(),
            branch: None,
            worktree: None,
            commits: Vec::new(),
            sandbox: request.sandbox.receipt(),
            trusted_commands: request.approved.commands().cloned().collect(),
            prepared: Prepared::default(),
            baseline: Vec::new(),
            steps: steps.map(|(index, step)| steps::not_reached(index, step)).collect(),
            scope: ScopeReceipt::default(),
            tampering: Vec::new(),
            criteria: Vec::new(),
            replayed_gates: Vec::new(),
            new_tests: NewTestsReceipt::default(),
            vacuous: false,
            opinion: None,
            revisions: Vec::new(),
            pull_request: None,
            notes,
            cost: Cost::default(),
            disk_bytes: 0,
            started_at: String::new(),
            duration_ms: 0,
            file: None,
        };
        Draft { receipt }
    }

    /// A step is done, or stopped.
    pub fn step(&mut self, step: StepReceipt) {
        let index = step.step - 1;
        let known = |id: &String| self.receipt.commits.iter().any(|commit| commit.id == *id);
        if let Some(id) = step.commit.as_ref().filter(|id| !known(id)) {
            self.receipt.commits.push(CommitReference { id: id.clone(), step: step.step, title: step.title.clone() });
        }
        if let Some(place) = self.receipt.steps.get_mut(index) {
            *place = step;
        }
    }

    /// The steps are now those of `plan`: what is done stays.
    pub fn follow(&mut self, plan: &Plan) {
        let done = self.receipt.steps.iter().take_while(|step| is_done(step)).count();
        self.receipt.steps.truncate(done);
        let left = plan.steps.iter().enumerate().skip(done);
        self.receipt.steps.extend(left.map(|(index, step)| steps::not_reached(index, step)));
    }

    /// Steps that are behind us.
    pub fn done(&self) -> Vec<StepReceipt> {
        self.receipt.steps.iter().take_while(|step| is_done(step)).cloned().collect()
    }

    /// What the work proves.
    pub fn proof(&mut self, proof: Proof) {
        self.receipt.scope = proof.scope;
        self.receipt.tampering = proof.tampering;
        self.receipt.criteria = proof.criteria;
        self.receipt.replayed_gates = proof.replayed_gates;
        self.receipt.new_tests = proof.new_tests;
        self.receipt.vacuous = proof.vacuous;
    }

    /// The receipt, given how it ended and when it began.
    pub fn finish(self, decision: Decision, clock: (Instant, Timestamp)) -> Receipt {
        Receipt {
            outcome: decision.outcome,
            verdict: decision.verdict,
            // Reasons quote files.
            reasons: decision.reasons.iter().map(|reason| mask(reason)).collect(),
            hint: decision.hint,
            started_at: clock.1.to_string(),
            duration_ms: u64::try_from(clock.0.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..self.receipt
        }
    }
}
