//! The verdict: from what was found to one word, and why it is not a better one. Pure.

use super::Proof;
use crate::gate::GateResult;
use crate::receipt::{CriterionReceipt, Judged, OpinionReceipt, Outcome, StepReceipt, StepStatus, Verdict};

/// The final word on a piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The word.
    pub outcome: Outcome,
    /// What should happen with the work.
    pub verdict: Verdict,
    /// Why it is not a better one, most important first.
    pub reasons: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// Decides on work whose steps are all done.
pub fn decide(proof: &Proof, steps: &[StepReceipt], install: Option<&GateResult>) -> Decision {
    let failures = failures(proof);
    if !failures.is_empty() {
        let blocked = !proof.scope.violations.is_empty() || proof.tampering.iter().any(|sign| !sign.planned);
        let verdict = if blocked { Verdict::Block } else { Verdict::Revise };
        let hint = Some("look at the work, correct it or its plan, and run `improve verify` again".to_owned());
        return Decision { outcome: Outcome::Failed, verdict, reasons: failures, hint };
    }
    let of_criteria = proof.criteria.iter().flat_map(|criterion| &criterion.gates);
    let mut gates = of_criteria.chain(&proof.replayed_gates).chain(steps.iter().flat_map(|step| &step.gates));
    let ran = gates.any(|gate| !proof.is_flaky(&gate.command));
    let doubts = doubts(proof, steps, install);
    let outcome = match (ran, doubts.is_empty()) {
        (false, _) => Outcome::Unverified,
        (true, false) => Outcome::PartlyVerified,
        (true, true) => Outcome::Verified,
    };
    let mut reasons = doubts;
    if !ran {
        let why = match proof.flaky.is_empty() {
            true => "no gate and no criterion of the plan is a command, so nothing was measured",
            false => "every command of the plan is flaky, so nothing was measured",
        };
        reasons.insert(0, why.to_owned());
    }
    let (verdict, hint) = match outcome {
        Outcome::Verified => (Verdict::Approve, None),
        Outcome::PartlyVerified | Outcome::Unverified | Outcome::Blocked | Outcome::Failed | Outcome::HandedOver => {
            (Verdict::Revise, Some("look at what could not be measured before merging".to_owned()))
        }
    };
    Decision { outcome, verdict, reasons, hint }
}

/// The decision with what a model thinks of the work: it may lower it, never raise it.
pub fn lowered(decision: Decision, opinion: &OpinionReceipt) -> Decision {
    if opinion.objections.is_empty() {
        return decision;
    }
    let objections =
        opinion.objections.iter().map(|it| format!("{} objects to `{}`: {}", opinion.model, it.quote, it.problem));
    let outcome = match decision.outcome {
        Outcome::Verified => Outcome::PartlyVerified,
        as_it_is => as_it_is,
    };
    Decision {
        outcome,
        verdict: decision.verdict.max(opinion.verdict),
        reasons: objections.chain(decision.reasons).collect(),
        hint: Some("look at what the verifier objects to before merging".to_owned()),
    }
}

/// Whether something speaks against the work.
pub fn is_refuted(proof: &Proof) -> bool {
    !failures(proof).is_empty()
}

/// What speaks against the work.
fn failures(proof: &Proof) -> Vec<String> {
    let scope = proof.scope.violations.iter().map(|violation| format!("{}: {}", violation.path, violation.why));
    let tampering =
        proof.tampering.iter().filter(|sign| !sign.planned).map(|sign| format!("{}: {}", sign.path, sign.what));
    let criteria = proof.criteria.iter().filter(|criterion| criterion.met == Some(false));
    let criteria = criteria.map(|criterion| format!("criterion not met: {}", criterion.why));
    let gates = proof.replayed_gates.iter().filter(|gate| !gate.green && !proof.is_flaky(&gate.command));
    let gates = gates.map(|gate| format!("`{}`: {}", gate.command, gate.why));
    scope.chain(tampering).chain(criteria).chain(gates).collect()
}

/// What keeps green work from being proven.
fn doubts(proof: &Proof, steps: &[StepReceipt], install: Option<&GateResult>) -> Vec<String> {
    let mut doubts = Vec::new();
    if proof.scope.changed.is_empty() {
        doubts.push("nothing differs from the base commit".to_owned());
    }
    for flaky in &proof.flaky {
        doubts.push(format!("`{}` is flaky, so what it gives proves nothing: {}", flaky.command, flaky.how));
    }
    if proof.vacuous {
        doubts.push("vacuous: nothing was red before and no test is new, so a green result proves nothing".to_owned());
    }
    if proof.new_tests.fail_without_change == Some(false) {
        doubts.push(proof.new_tests.why.clone());
    }
    for step in steps.iter().filter(|step| step.status == StepStatus::AlreadyFailing) {
        doubts.push(format!("step {}: a gate was red before the plan and still is", step.step));
    }
    if !proof.scope.checked {
        doubts.push("the plan's scope names no path, so scope was not checked".to_owned());
    }
    // A flaky one is said above.
    let is_flaky = |criterion: &CriterionReceipt| criterion.gates.iter().any(|gate| proof.is_flaky(&gate.command));
    let untold = proof.criteria.iter().filter(|criterion| criterion.judged == Judged::Commands);
    let as_before = untold.filter(|criterion| criterion.met.is_none() && !is_flaky(criterion));
    doubts.extend(as_before.map(|criterion| format!("criterion red before the plan and still: {}", criterion.why)));
    let unjudged = proof.criteria.iter().filter(|criterion| criterion.judged == Judged::Nobody).count();
    if unjudged > 0 {
        doubts.push(format!("{unjudged} done criteria name no command"));
    }
    if install.is_some_and(|install| !install.green) {
        doubts.push("the install command failed".to_owned());
    }
    doubts
}
