//! The baseline: every gate on the untouched base, so that nobody is blamed, or praised, for what was there before. And which of them
//! cannot be relied on, since on the same files they gave one thing and then the other.

use std::collections::{BTreeMap, btree_map};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::VerifyError;
use super::criteria::judged_by;
use crate::gate::runner::{OwnedGate, Runner};
use crate::gate::summary::TestCounts;
use crate::gate::{GateResult, Outcome};
use crate::plan::{Gate, Plan};
use crate::receipt::{BaselineEntry, Judged, Role};
use crate::sandbox::DISK_NEARLY_FULL;
use crate::worktree::Worktree;

/// What every gate gave on the base commit.
#[derive(Debug, Default)]
pub struct Baseline {
    entries: Vec<BaselineEntry>,
    /// How commands contradicted themselves. It is the command that is flaky, whatever a gate expects of it; and it may show itself
    /// as that at any time, while others only read the baseline.
    flaky: Mutex<BTreeMap<String, String>>,
}

/// A command that gave one thing and then the other on the same files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaky {
    /// The command line.
    pub command: String,
    /// How, in words.
    pub how: String,
}

/// The gates of a plan's steps.
pub fn step_gates(plan: &Plan) -> Vec<OwnedGate<'_>> {
    let steps = plan.steps.iter().enumerate();
    steps.flat_map(|(index, step)| step.gates.iter().map(move |gate| (format!("step {}", index + 1), gate))).collect()
}

/// The gates of the done criteria that commands judge.
pub fn criterion_gates(plan: &Plan) -> Vec<OwnedGate<'_>> {
    let criteria = plan.done_criteria.iter().enumerate();
    criteria
        .filter(|(_, criterion)| judged_by(criterion) == Judged::Commands)
        .flat_map(|(index, criterion)| {
            criterion.gates.iter().map(move |gate| (format!("criterion {}", index + 1), gate))
        })
        .collect()
}

impl Baseline {
    /// Runs every gate of `plan` in `worktree`, which is at the base commit and is so afterwards.
    pub fn measure(plan: &Plan, worktree: &Worktree, runner: &Runner<'_>) -> Result<Baseline, VerifyError> {
        let mut baseline = Baseline::default();
        baseline.measure_missing(plan, worktree, runner)?;
        Ok(baseline)
    }

    /// Runs the gates of `plan` that are not in this baseline yet in `worktree`, which is at the base commit and is so afterwards.
    ///
    /// What is red is run twice: a plan is praised for what turned green, so that has to have been red by itself and not by accident.
    /// What is green is run again only when it turns red later, since nobody is praised for it: see [`super::second_look`]. The second
    /// run is made now, not when the work is done: what git ignores, such as what a build left, is then of the work.
    pub fn measure_missing(
        &mut self,
        plan: &Plan,
        worktree: &Worktree,
        runner: &Runner<'_>,
    ) -> Result<(), VerifyError> {
        let gates = step_gates(plan).into_iter().chain(criterion_gates(plan));
        let gates: Vec<OwnedGate<'_>> = gates.filter(|(_, gate)| self.entry_of(gate).is_none()).collect();
        let mut results = runner.run_all(&gates, worktree, &|_| Some(TestCounts::default()))?;
        // Gates may write: coverage, snapshots, lockfiles.
        let base = worktree.head()?;
        worktree.reset_to(&base)?;
        // One second run of a command for all gates that expect something of it.
        let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
        for ((of, gate), result) in gates.iter().zip(&mut results) {
            // Who runs out of time does so again, and takes as long.
            if result.green || result.timed_out {
                continue;
            }
            let again = match outcomes.entry(&gate.command) {
                btree_map::Entry::Occupied(known) => known.into_mut(),
                btree_map::Entry::Vacant(unknown) => {
                    let again = runner.run_again(of, gate, worktree.folder())?;
                    worktree.reset_to(&base)?;
                    unknown.insert(again)
                }
            };
            let again = again.against(gate, runner.limits, Some(TestCounts::default()));
            if again.green && result.why.contains(DISK_NEARLY_FULL) {
                // The command did not contradict itself: somebody else had filled the disk.
                *result = again;
            } else if again.green {
                let how = format!(
                    "on the base commit it gave: {}; and when it was run there again: {}",
                    result.why, again.why
                );
                self.mark_flaky(&gate.command, how);
            }
        }
        self.entries.extend(gates.into_iter().zip(results).map(|((of, gate), result)| entry(of, gate, result)));
        Ok(())
    }

    /// Whether every gate of `plan` is in it.
    pub fn covers(&self, plan: &Plan) -> bool {
        step_gates(plan).into_iter().chain(criterion_gates(plan)).all(|(_, gate)| self.entry_of(gate).is_some())
    }

    /// The baseline that an earlier run measured.
    pub fn from_entries(entries: Vec<BaselineEntry>) -> Baseline {
        let marks = entries.iter().filter_map(|entry| Some((entry.result.command.clone(), entry.flaky.clone()?)));
        let flaky = Mutex::new(marks.collect());
        Baseline { entries, flaky }
    }

    /// Its entries, in the order of the plan.
    pub fn entries(&self) -> Vec<BaselineEntry> {
        let marks = self.marks();
        let marked =
            |entry: &BaselineEntry| BaselineEntry { flaky: marks.get(&entry.result.command).cloned(), ..entry.clone() };
        self.entries.iter().map(marked).collect()
    }

    /// A command contradicted itself: from now on nothing is proven by it, and nobody is blamed for it.
    pub fn mark_flaky(&self, command: &str, how: String) {
        self.marks().entry(command.to_owned()).or_insert(how);
    }

    /// Whether a command contradicted itself.
    pub fn is_flaky(&self, command: &str) -> bool {
        self.marks().contains_key(command)
    }

    /// Every command that contradicted itself, sorted.
    pub fn flaky(&self) -> Vec<Flaky> {
        let marks = self.marks();
        marks.iter().map(|(command, how)| Flaky { command: command.clone(), how: how.clone() }).collect()
    }

    fn marks(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.flaky.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a gate gave on the base.
    pub fn result_of(&self, gate: &Gate) -> Option<&GateResult> {
        self.entry_of(gate).map(|entry| &entry.result)
    }

    /// What a gate is there for.
    pub fn role_of(&self, gate: &Gate) -> Option<Role> {
        self.entry_of(gate).map(|entry| entry.role)
    }

    /// The gates that were run up to the first with this command, in order, each command once.
    pub fn gates_up_to(&self, command: &str) -> Vec<Gate> {
        let mut gates: Vec<Gate> = Vec::new();
        for GateResult { command: other, expectation, expected, .. } in self.entries.iter().map(|entry| &entry.result) {
            if gates.iter().all(|gate| gate.command != *other) {
                let (expectation, expected) = (expectation.clone(), expected.clone());
                gates.push(Gate { command: other.clone(), expectation, expected, line: 0 });
            }
            if other == command {
                break;
            }
        }
        gates
    }

    fn entry_of(&self, gate: &Gate) -> Option<&BaselineEntry> {
        let same = |entry: &&BaselineEntry| {
            entry.result.command == gate.command && entry.result.expectation == gate.expectation
        };
        self.entries.iter().find(same)
    }

    /// Tests that a command ran on the base. A command that ran and failed without a summary ran none.
    pub fn tests_of(&self, command: &str) -> Option<TestCounts> {
        let result = &self.entries.iter().find(|entry| entry.result.command == command)?.result;
        result.tests.or_else(|| (result.exit_code != Some(0)).then(TestCounts::default))
    }

    /// Whether anything was red, so that the plan can make a difference that is seen.
    pub fn has_goal(&self) -> bool {
        self.entries.iter().any(|entry| entry.role == Role::Goal && !self.is_flaky(&entry.result.command))
    }
}

fn entry(of: String, gate: &Gate, result: GateResult) -> BaselineEntry {
    // On the base there is nothing to compare with, so a gate that counts new tests is a goal whatever it gave.
    let role = if result.green && !gate.expectation.counts_new_tests() { Role::Guard } else { Role::Goal };
    BaselineEntry { of, role, result, flaky: None }
}
