//! New tests must fail without the change: a test that passes either way proves nothing about it.

use super::VerifyError;
use super::baseline::Baseline;
use super::tamper::{declared_tests, is_test_path};
use crate::gate::GateResult;
use crate::gate::runner::{OwnedGate, Runner};
use crate::plan::expectation::Expectation;
use crate::plan::{Gate, Plan};
use crate::receipt::NewTestsReceipt;
use crate::worktree::{Change, Worktree};

/// Runs the new tests of `changes` on the base commit. `ran` are the gates that ran on the finished work.
pub fn check(
    base: &str,
    changes: &[Change],
    ran: &[&GateResult],
    plan: &Plan,
    replay: &Worktree,
    baseline: &Baseline,
    runner: &Runner<'_>,
) -> Result<NewTestsReceipt, VerifyError> {
    let added = |change: &Change| declared_tests(&change.lines().0).saturating_sub(declared_tests(&change.lines().1));
    let with_tests: Vec<&Change> = changes.iter().filter(|change| added(change) > 0).collect();
    let receipt = NewTestsReceipt {
        files: with_tests.iter().map(|change| change.path.clone()).collect(),
        added: with_tests.iter().map(|change| added(change)).sum(),
        fail_without_change: None,
        why: String::new(),
    };
    let untried = |why: &str| Ok(NewTestsReceipt { why: why.to_owned(), ..receipt.clone() });
    let (tests, rest): (Vec<Change>, Vec<Change>) =
        changes.iter().cloned().partition(|change| is_test_path(&change.path));
    if with_tests.is_empty() {
        return untried("no test is new");
    }
    if rest.is_empty() {
        return untried("the change is tests alone, so there is nothing to take away");
    }
    if !with_tests.iter().any(|change| is_test_path(&change.path)) {
        return untried(
            "the new tests stand in the changed files themselves and cannot be taken apart from the change",
        );
    }
    let gates = test_gates(plan, ran, baseline);
    if gates.is_empty() {
        return untried("no gate that was green before runs tests");
    }
    replay.reset_to(base)?;
    replay.take_over(&tests)?;
    let results = runner.run_all(&gates, replay, &|command| baseline.tests_of(command))?;
    let red = results.iter().find(|result| !result.green);
    Ok(match red {
        Some(result) => NewTestsReceipt {
            fail_without_change: Some(true),
            why: format!("without the change `{}` gives: {}", result.command, result.why),
            ..receipt
        },
        None => NewTestsReceipt {
            fail_without_change: Some(false),
            why: "the new tests pass without the change too".to_owned(),
            ..receipt
        },
    })
}

/// Gates that ran tests, are green on the work, and did not fail on the base for a reason of their own.
fn test_gates<'p>(plan: &'p Plan, ran: &[&GateResult], baseline: &Baseline) -> Vec<OwnedGate<'p>> {
    let ran_tests =
        |gate: &Gate| ran.iter().any(|result| result.command == gate.command && result.green && result.tests.is_some());
    let was_sound = |gate: &Gate| baseline.tests_of(&gate.command).is_some_and(|tests| tests.failed == 0);
    let step_gates = plan.steps.iter().flat_map(|step| &step.gates);
    let gates = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates).chain(step_gates);
    gates
        .filter(|gate| gate.expectation != Expectation::Fails && ran_tests(gate) && was_sound(gate))
        // One that is red by accident would be taken for the proof.
        .filter(|gate| !baseline.is_flaky(&gate.command))
        .map(|gate| ("new tests without the change".to_owned(), gate))
        .collect()
}
