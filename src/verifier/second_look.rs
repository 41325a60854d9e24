//! Second looks: before anybody is blamed for a gate that turned red, and money is spent on mending, it is run again on the same files;
//! and one that is red again, on the base commit, where it was green. One that contradicts itself is flaky: see [`Baseline::mark_flaky`].
//!
//! What that costs: nothing while gates do what is expected of them. A guard that turns red is run once more in each step, and once in
//! the life of a run on the base; a goal that is red while somebody works on it surprises nobody.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::VerifyError;
use super::baseline::Baseline;
use super::prepare;
use super::scope::ScopeRules;
use crate::gate::GateResult;
use crate::gate::runner::{OwnedGate, Runner};
use crate::gate::summary::TestCounts;
use crate::plan::Gate;
use crate::receipt::Role;
use crate::worktree::{Place, Worktree};

/// Runs the red gates for which `surprises` holds once more in `worktree`, on the same files, which `put_back` restores. What they gave
/// the second time takes the place of what they gave the first time.
pub fn on_the_work(
    gates: &[OwnedGate<'_>],
    results: &mut [GateResult],
    worktree: &Worktree,
    baseline: &Baseline,
    runner: &Runner<'_>,
    surprises: &mut dyn FnMut(&Gate, &GateResult) -> bool,
    put_back: &mut dyn FnMut() -> Result<(), VerifyError>,
) -> Result<(), VerifyError> {
    for index in 0..gates.len() {
        let ((of, gate), result) = (&gates[index], &results[index]);
        // Who runs out of time does so again, and takes as long.
        let is_settled = result.green || result.timed_out || baseline.is_flaky(&gate.command);
        if is_settled || !surprises(gate, result) {
            continue;
        }
        let outcome = runner.run_again(of, gate, worktree.folder())?;
        put_back()?;
        let again = |gate: &Gate| outcome.against(gate, runner.limits, baseline.tests_of(&gate.command));
        let second = again(gate);
        if second.green {
            let how = format!("on the same files of the work it gave: {}; and then: {}", result.why, second.why);
            baseline.mark_flaky(&gate.command, how);
        }
        for (other, result) in gates.iter().zip(results.iter_mut()) {
            if other.1.command == gate.command {
                *result = again(other.1);
            }
        }
    }
    Ok(())
}

/// Looks at guards again where they were green: on the base commit, in a second clean worktree.
pub struct BaseLook<'a> {
    place: &'a Place,
    /// The name of that worktree.
    name: String,
    /// The worktree whose dependencies it is prepared with.
    from: &'a Worktree,
    base: &'a str,
    install: Option<&'a str>,
    runner: &'a Runner<'a>,
    /// Commands that were green there twice.
    sound: RefCell<BTreeSet<String>>,
}

impl<'a> BaseLook<'a> {
    /// In a worktree called `name`.
    pub fn new(
        place: &'a Place,
        name: String,
        from: &'a Worktree,
        base: &'a str,
        install: Option<&'a str>,
        runner: &'a Runner<'a>,
    ) -> BaseLook<'a> {
        BaseLook { place, name, from, base, install, runner, sound: RefCell::default() }
    }

    /// Whether `gate`, a guard that is red now, is still green on the base commit. If it is not, it is marked. It is run after the
    /// commands that came before it when the baseline was measured: it may need what they leave.
    pub fn blames(&self, gate: &Gate, rules: &ScopeRules, baseline: &Baseline) -> Result<bool, VerifyError> {
        if self.sound.borrow().contains(&gate.command) {
            return Ok(true);
        }
        let mut worktree = Worktree::create(self.place, &self.name, self.base, None)?;
        let install = prepare::prepare_again(self.place, self.from, &mut worktree, self.install, rules, self.runner)?;
        if install.is_some_and(|install| !install.green) {
            // Red gates there would say nothing of the base; what was measured on it stands.
            return Ok(true);
        }
        let before = baseline.gates_up_to(&gate.command);
        let mut gates: Vec<OwnedGate<'_>> =
            before.iter().map(|gate| ("the base commit, once more".to_owned(), gate)).collect();
        // The gate itself may expect something else of the same command.
        gates.retain(|(_, other)| other.command != gate.command);
        gates.push(("the base commit, once more".to_owned(), gate));
        let results = self.runner.run_all(&gates, &worktree, &|_| Some(TestCounts::default()))?;
        let green = results.last().is_some_and(|result| result.green);
        if let Some(result) = results.last().filter(|result| !result.green) {
            let first = baseline.result_of(gate).map_or("green", |result| result.why.as_str());
            let how = format!("on the base commit it gave: {first}; and when it was run there again: {}", result.why);
            baseline.mark_flaky(&gate.command, how);
        } else {
            self.sound.borrow_mut().insert(gate.command.clone());
        }
        Ok(green)
    }
}

/// Whether a red gate surprises: it was green on the base.
pub fn is_guard(gate: &Gate, baseline: &Baseline) -> bool {
    baseline.role_of(gate) == Some(Role::Guard)
}
