//! The worktree of a step as its executor sees it: files in scope, and the gates of the step.

use std::collections::BTreeSet;

use super::steps::{Gates, Steps};
use crate::edit::apply::Changes;
use crate::executor::{Bench, BenchError, Checked};
use crate::gate::GateResult;
use crate::gate::runner::OwnedGate;
use crate::plan::Step;
use crate::worktree::Change;

/// See [`Bench`].
pub(super) struct StepBench<'s> {
    steps: &'s Steps<'s>,
    /// Whose gates these are, for progress.
    of: &'s str,
    step: &'s Step,
    /// The commit the step starts from.
    last_green: &'s str,
    /// What the gates gave, and on which changes: they are not run twice on the same files.
    last: Option<(Vec<Change>, Checked)>,
    /// Files that only gates changed.
    put_back: BTreeSet<String>,
}

impl<'s> StepBench<'s> {
    pub fn new(steps: &'s Steps<'s>, of: &'s str, step: &'s Step, last_green: &'s str) -> StepBench<'s> {
        StepBench { steps, of, step, last_green, last: None, put_back: BTreeSet::new() }
    }

    /// What the gates gave last; nothing where they were not run.
    pub fn last_results(&self) -> Vec<GateResult> {
        self.last.as_ref().map(|(_, checked)| checked.results.clone()).unwrap_or_default()
    }

    /// What there is to say of the gates.
    pub fn into_notes(self) -> Option<String> {
        let paths: Vec<String> = self.put_back.into_iter().collect();
        (!paths.is_empty()).then(|| format!("put back, because only its gates changed it: {}", paths.join(", ")))
    }
}

impl Bench for StepBench<'_> {
    fn text(&self, file: &str) -> Option<String> {
        self.steps.worktree.text(file)
    }

    fn in_scope(&self, file: &str) -> bool {
        !self.steps.rules.is_known() || self.steps.rules.allows(file)
    }

    fn write(&mut self, changes: &Changes) -> Result<(), BenchError> {
        Ok(self.steps.worktree.write(&changes.files)?)
    }

    fn run_gates(&mut self) -> Result<Checked, BenchError> {
        let Steps { worktree, runner, baseline, .. } = self.steps;
        let before = worktree.changes_since(self.last_green)?;
        if let Some((changes, checked)) = &self.last
            && *changes == before
        {
            return Ok(checked.clone());
        }
        let gates: Vec<OwnedGate<'_>> = self.step.gates.iter().map(|gate| (self.of.to_owned(), gate)).collect();
        let results = runner.run_all(&gates, worktree.folder(), &|command| baseline.tests_of(command))?;
        let after = worktree.changes_since(self.last_green)?;
        if after != before {
            // Coverage, snapshots, lockfiles: not the step's work.
            let strays =
                after.iter().filter(|change| !before.contains(change) && !self.steps.rules.is_ours(&change.path));
            self.put_back.extend(strays.map(|change| change.path.clone()));
            worktree.reset_to(self.last_green)?;
            worktree.take_over(&before)?;
        }
        let red = match self.steps.judge(self.step, &results) {
            Gates::Red(why) => Some(why),
            Gates::Green | Gates::AlreadyRed => None,
        };
        let checked = Checked { results, red };
        self.last = Some((before, checked.clone()));
        Ok(checked)
    }
}
