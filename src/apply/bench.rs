//! The worktree of a step as its executor sees it: files in scope, and the gates of the step.

use std::collections::BTreeSet;
use std::path::Path;

use super::branch_of;
use super::steps::{Gates, Steps};
use crate::edit::apply::Changes;
use crate::executor::{Bench, BenchError, Checked, Stock};
use crate::gate::GateResult;
use crate::gate::runner::OwnedGate;
use crate::plan::{Gate, Step};
use crate::verifier::{VerifyError, second_look};
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
    /// Commands that were looked at twice: what is red after that is red because of the work.
    looked_at: BTreeSet<String>,
}

impl<'s> StepBench<'s> {
    pub fn new(steps: &'s Steps<'s>, of: &'s str, step: &'s Step, last_green: &'s str) -> StepBench<'s> {
        StepBench { steps, of, step, last_green, last: None, put_back: BTreeSet::new(), looked_at: BTreeSet::new() }
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

impl StepBench<'_> {
    /// Takes back what gates changed.
    fn put_back_to(&mut self, before: &[Change]) -> Result<(), VerifyError> {
        let Steps { worktree, rules, .. } = self.steps;
        let after = worktree.changes_since(self.last_green)?;
        if after != before {
            // Coverage, snapshots, lockfiles: not the step's work.
            let strays = after.iter().filter(|change| !before.contains(change) && !rules.is_ours(&change.path));
            self.put_back.extend(strays.map(|change| change.path.clone()));
            worktree.reset_to(self.last_green)?;
            worktree.take_over(before)?;
        }
        Ok(())
    }

    /// Looks again at guards that turned red, before anybody is told.
    fn look_again(
        &mut self,
        gates: &[OwnedGate<'_>],
        results: &mut [GateResult],
        before: &[Change],
    ) -> Result<(), VerifyError> {
        let Steps { worktree, runner, baseline, look, rules, .. } = *self.steps;
        let mut looked_at = std::mem::take(&mut self.looked_at);
        let mut again = |gate: &Gate, _: &GateResult| {
            second_look::is_guard(gate, baseline) && looked_at.insert(gate.command.clone())
        };
        let mut put_back = || self.put_back_to(before);
        second_look::on_the_work(gates, results, worktree, baseline, runner, &mut again, &mut put_back)?;
        self.looked_at = looked_at;
        for ((_, gate), result) in gates.iter().zip(results.iter()).filter(|(_, result)| !result.green) {
            if !result.timed_out && !baseline.is_flaky(&gate.command) && second_look::is_guard(gate, baseline) {
                look.blames(gate, rules, baseline)?;
            }
        }
        Ok(())
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
        let mut results = runner.run_all(&gates, worktree, &|command| baseline.tests_of(command))?;
        self.put_back_to(&before)?;
        self.look_again(&gates, &mut results, &before)?;
        let red = match self.steps.judge(self.step, &results) {
            Gates::Red(why) => Some(why),
            Gates::Green | Gates::AlreadyRed | Gates::Flaky => None,
        };
        let checked = Checked { results, red };
        self.last = Some((before, checked.clone()));
        Ok(checked)
    }

    fn folder(&self) -> Option<&Path> {
        Some(self.steps.worktree.folder())
    }

    fn take_stock(&mut self) -> Result<Stock, BenchError> {
        let Steps { worktree, rules, request, runner, .. } = self.steps;
        // Whoever has tools of its own may leave behind what git ignores.
        runner.memory.forget();
        worktree.bring_back_to(&branch_of(request.slug), self.last_green)?;
        let changes = worktree.changes_since(self.last_green)?;
        let violations = rules.judge(&changes).violations;
        let is_outside = |path: &str| violations.iter().any(|violation| violation.path == path);
        let (outside, work): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| is_outside(&change.path));
        let is_stuck = if outside.is_empty() {
            false
        } else {
            worktree.reset_to(self.last_green)?;
            worktree.take_over(&work)?;
            !rules.judge(&worktree.changes_since(self.last_green)?).violations.is_empty()
        };
        let changed = work.into_iter().map(|change| change.path).filter(|path| !rules.is_ours(path)).collect();
        let outside = violations.iter().map(|violation| format!("{}: {}", violation.path, violation.why)).collect();
        Ok(Stock { changed, outside, is_stuck })
    }
}
