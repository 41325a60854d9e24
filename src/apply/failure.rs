//! The report of a failure for a planner: what was to be done, how far it came, what stood in the way. Short: not the story of it.

use crate::receipt::{CriterionReceipt, Receipt, StepReceipt};
use crate::report::map_outline::CHARACTERS_PER_TOKEN;
use crate::secrets::mask;
use crate::verifier::verdict::Decision;

use super::course::is_done;

/// Tokens of a report, at most.
const MAX_TOKENS: usize = 2_000;
/// Lines of what a red gate printed.
const LINES: usize = 12;

/// What became of the plan, in words.
pub(super) fn report(decision: &Decision, receipt: &Receipt) -> String {
    let mut said = format!("Outcome: {}\n", decision.outcome.words());
    decision.reasons.iter().for_each(|reason| said.push_str(&format!("- {reason}\n")));
    said.push_str("\nSteps:\n");
    for step in &receipt.steps {
        said.push_str(&of_step(step));
    }
    let unmet: Vec<&CriterionReceipt> = receipt.criteria.iter().filter(|it| it.met != Some(true)).collect();
    if !unmet.is_empty() {
        said.push_str("\nDone criteria that are not met:\n");
        unmet.iter().for_each(|it| said.push_str(&format!("- {}: {}\n", it.text.trim(), it.why)));
    }
    if !receipt.scope.changed.is_empty() {
        said.push_str("\nChanged so far:\n");
        for file in &receipt.scope.changed {
            said.push_str(&format!("- {} +{} -{}\n", file.path, file.added, file.removed));
        }
    }
    let most = MAX_TOKENS * CHARACTERS_PER_TOKEN;
    mask(&said.chars().take(most).collect::<String>())
}

fn of_step(step: &StepReceipt) -> String {
    let word = if is_done(step) { "done and committed" } else { "not done" };
    let mut said = format!("{}. {}: {word}\n", step.step, step.title);
    if is_done(step) {
        return said;
    }
    for refused in &step.refused {
        said.push_str(&format!("   edit refused: {refused}\n"));
    }
    for gate in step.gates.iter().filter(|gate| !gate.green) {
        said.push_str(&format!("   red: `{}` (expected: {}): {}\n", gate.command, gate.expected.trim(), gate.why));
        gate.telling_lines(LINES).iter().for_each(|line| said.push_str(&format!("   | {line}\n")));
    }
    if let Some(work) = &step.work {
        said.push_str(&format!(
            "   tried by {} in {} replies, {} edits refused\n",
            work.model, work.rounds, work.refused
        ));
        work.questions.iter().for_each(|it| said.push_str(&format!("   it asked: {}\n", it.question)));
    }
    said
}
