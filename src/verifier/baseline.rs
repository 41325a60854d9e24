//! The baseline: every gate on the untouched base, so that nobody is blamed, or praised, for what was there before.

use std::path::Path;

use crate::gate::GateResult;
use crate::gate::runner::{OwnedGate, RunError, Runner};
use crate::gate::summary::TestCounts;
use crate::plan::{Gate, Plan};
use crate::receipt::{BaselineEntry, Judged, Role};

use super::criteria::judged_by;

/// What every gate gave on the base commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    entries: Vec<BaselineEntry>,
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
    /// Runs every gate of `plan` in `folder`, which is at the base commit.
    pub fn measure(plan: &Plan, folder: &Path, runner: &Runner<'_>) -> Result<Baseline, RunError> {
        let gates: Vec<OwnedGate<'_>> = step_gates(plan).into_iter().chain(criterion_gates(plan)).collect();
        let results = runner.run_all(&gates, folder, &|_| Some(TestCounts::default()))?;
        let entries = gates.into_iter().zip(results).map(|((of, gate), result)| entry(of, gate, result));
        Ok(Baseline { entries: entries.collect() })
    }

    /// The gates of `plan` that are not in this baseline yet, run in `folder`, which is at the base commit.
    pub fn measure_missing(&mut self, plan: &Plan, folder: &Path, runner: &Runner<'_>) -> Result<(), RunError> {
        let gates = step_gates(plan).into_iter().chain(criterion_gates(plan));
        let gates: Vec<OwnedGate<'_>> = gates.filter(|(_, gate)| self.entry_of(gate).is_none()).collect();
        let results = runner.run_all(&gates, folder, &|_| Some(TestCounts::default()))?;
        self.entries.extend(gates.into_iter().zip(results).map(|((of, gate), result)| entry(of, gate, result)));
        Ok(())
    }

    /// Whether every gate of `plan` is in it.
    pub fn covers(&self, plan: &Plan) -> bool {
        step_gates(plan).into_iter().chain(criterion_gates(plan)).all(|(_, gate)| self.entry_of(gate).is_some())
    }

    /// The baseline that an earlier run measured.
    pub fn from_entries(entries: Vec<BaselineEntry>) -> Baseline {
        Baseline { entries }
    }

    /// Its entries, in the order of the plan.
    pub fn entries(&self) -> &[BaselineEntry] {
        &self.entries
    }

    /// Its entries, in the order of the plan.
    pub fn into_entries(self) -> Vec<BaselineEntry> {
        self.entries
    }

    /// What a gate gave on the base.
    pub fn result_of(&self, gate: &Gate) -> Option<&GateResult> {
        self.entry_of(gate).map(|entry| &entry.result)
    }

    /// What a gate is there for.
    pub fn role_of(&self, gate: &Gate) -> Option<Role> {
        self.entry_of(gate).map(|entry| entry.role)
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
        self.entries.iter().any(|entry| entry.role == Role::Goal)
    }
}

fn entry(of: String, gate: &Gate, result: GateResult) -> BaselineEntry {
    let role = if result.green && !expects_new_tests(gate) { Role::Guard } else { Role::Goal };
    BaselineEntry { of, role, result }
}

/// On the base there is nothing to compare with, so such a gate is a goal whatever it gave.
fn expects_new_tests(gate: &Gate) -> bool {
    use crate::plan::expectation::Expectation;
    match &gate.expectation {
        Expectation::NewTests(_) => true,
        Expectation::All(parts) => parts.iter().any(|part| matches!(part, Expectation::NewTests(_))),
        Expectation::Exit(_)
        | Expectation::Fails
        | Expectation::NoOutput
        | Expectation::Contains(_)
        | Expectation::Matches(_)
        | Expectation::Lines(_)
        | Expectation::AllPass
        | Expectation::Passed(_) => false,
    }
}
