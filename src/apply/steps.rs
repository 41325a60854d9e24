//! Steps: carry out, run the gates, commit when green; hand over what nobody here can do.

use std::path::Path;

use super::bench::StepBench;
use super::journal::{Entry, Journal};
use super::resume::Resumed;
use super::{ApplyError, ApplyRequest};
use crate::edit::explain::{EditFailure, FailureCode};
use crate::executor::{Bench, Carried, Task};
use crate::gate::GateResult;
use crate::gate::runner::Runner;
use crate::observer::Event;
use crate::plan::Step;
use crate::receipt::{Halted, Outcome, Role, StepReceipt, StepStatus, Verdict};
use crate::secrets::mask;
use crate::verifier::baseline::Baseline;
use crate::verifier::scope::ScopeRules;
use crate::verifier::second_look::BaseLook;
use crate::verifier::verdict::Decision;
use crate::worktree::{Change, Worktree};

/// The executor of a step that was handed over and taken up.
pub(super) const SOMEBODY: &str = "somebody else";

/// How far the steps came.
pub(super) enum Progress {
    /// All are done.
    Done,
    /// One stopped.
    Stopped(Decision),
}

/// What was done before a step.
struct SoFar<'a> {
    earlier: &'a [StepReceipt],
    last_green: &'a str,
    beginnings: usize,
}

/// What carrying out the steps takes.
pub(super) struct Steps<'a> {
    pub request: &'a ApplyRequest<'a>,
    pub rules: &'a ScopeRules,
    pub worktree: &'a Worktree,
    pub runner: &'a Runner<'a>,
    pub baseline: &'a Baseline,
    pub look: &'a BaseLook<'a>,
}

/// The receipt of a step that was not begun.
pub(crate) fn not_reached(index: usize, step: &Step) -> StepReceipt {
    StepReceipt {
        step: index + 1,
        title: step.title.clone(),
        status: StepStatus::NotReached,
        executor: None,
        placed: Vec::new(),
        refused: Vec::new(),
        gates: Vec::new(),
        commit: None,
        work: None,
        notes: Vec::new(),
    }
}

/// Whether a step changes something and does not say exactly what.
pub(super) fn needs_somebody(step: &Step) -> bool {
    step.edits.is_empty() && !only_checks(step)
}

/// A step such as "Run the full test suite" has gates and nothing to change.
fn only_checks(step: &Step) -> bool {
    const SUBJECTS: &[&str] =
        &["checks", "criteria", "everything", "gates", "lint", "suite", "test", "tests", "typecheck"];
    let title = step.title.to_lowercase();
    let mut words = title.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let mut rest = words.peekable();
    let is_about_checks = match first {
        "run" | "re-run" | "rerun" => true,
        // "Check the certificate of the server" is something to write.
        "verify" | "check" | "confirm" => {
            matches!(rest.peek(), None | Some(&("that" | "whether" | "if")))
                || rest.any(|word| SUBJECTS.contains(&word))
        }
        _ => false,
    };
    !step.gates.is_empty() && is_about_checks
}

/// The decision to wait for somebody, and what to tell them.
pub(super) fn handed_over(index: usize, title: &str, folder: &Path, problems: Vec<String>) -> Decision {
    let mut reasons = problems;
    reasons.push(format!("step {} is handed over: {title}", index + 1));
    let hint = format!(
        "do the step in {} (edit files only; commits are made by the host), then run `improve apply PLAN --continue`",
        folder.display()
    );
    Decision { outcome: Outcome::HandedOver, verdict: Verdict::Revise, reasons, hint: Some(hint) }
}

/// The decision about a step that its executor gave up.
fn given_up(index: usize, halted: Halted, why: &str) -> Decision {
    let (outcome, hint) = match halted {
        Halted::Stopped => {
            (Outcome::Blocked, "read what stands in the way; correct the plan, then run `improve apply` again")
        }
        Halted::OutOfMoney | Halted::Unanswered => {
            (Outcome::Blocked, "run `improve apply` again when that is mended: it goes on at this step")
        }
        Halted::RedGates
        | Halted::SameFailure
        | Halted::RepeatedCalls
        | Halted::BackAndForth
        | Halted::NoProgress
        | Halted::Malformed
        | Halted::Refused
        | Halted::OutOfScope
        | Halted::OutOfRounds
        | Halted::OutOfTime
        | Halted::OutOfContext => (
            Outcome::Failed,
            "make the step clearer, or bind a stronger model with --executor, then run `improve apply --fresh`",
        ),
    };
    let reasons = vec![format!("step {}: {why}", index + 1)];
    Decision { outcome, verdict: Verdict::Revise, reasons, hint: Some(hint.to_owned()) }
}

/// What became of a step's gates.
pub(super) enum Gates {
    Green,
    /// Red, as before the plan began.
    AlreadyRed,
    /// Red, and not to be relied on.
    Flaky,
    Red(String),
}

impl Steps<'_> {
    /// Carries out every step that is not green yet; `done` hears of each.
    pub fn run(
        &self,
        resumed: Resumed,
        journal: &mut Journal<'_>,
        done: &mut dyn FnMut(StepReceipt),
    ) -> Result<Progress, ApplyError> {
        let plan = self.request.plan;
        let mut last_green = resumed.last_green().to_owned();
        let first = resumed.steps.len();
        resumed.steps.iter().cloned().for_each(&mut *done);
        let mut earlier = resumed.steps;
        let beginnings = journal.beginnings();
        let mut taken_up = resumed.handed_over.is_some();
        let mut was_handed_over = false;
        for (index, step) in plan.steps.iter().enumerate().skip(first) {
            if self.runner.cancel.is_cancelled() {
                return Err(ApplyError::Interrupted { worktree: None });
            }
            let event = Event::StepStarted { step: index + 1, steps: plan.steps.len(), title: &step.title };
            self.runner.observer.event(&event);
            let mut receipt = not_reached(index, step);
            let flaky = self.baseline.flaky().len();
            if let Some(question) = step.checkpoint.as_deref().filter(|_| !taken_up)
                && !(self.request.checkpoint)(index + 1, question)
            {
                let reasons = vec![format!("step {} was not agreed to at its checkpoint: {question}", index + 1)];
                let hint = Some("run `improve apply` again to be asked again: it goes on at this step".to_owned());
                let decision = Decision { outcome: Outcome::Blocked, verdict: Verdict::Block, reasons, hint };
                return Ok(Progress::Stopped(decision));
            }
            let stopped = if taken_up {
                taken_up = false;
                was_handed_over = true;
                journal.append(&Entry::TakenUp { index })?;
                self.take_up(index, step, &last_green, &mut receipt)?
            } else {
                self.worktree.reset_to(&last_green)?;
                let nothing_to_do = match (only_checks(step), self.has_goal(step)) {
                    (true, false) => true,
                    // Its title speaks of checks, but a gate of it that was red says whether there is something to do.
                    (is_check, true) => (is_check || was_handed_over) && self.is_done_already(step, &last_green)?,
                    (false, false) => false,
                };
                let so_far = SoFar { earlier: &earlier, last_green: &last_green, beginnings };
                self.carry_out(index, &so_far, nothing_to_do, &mut receipt)?
            };
            if receipt.status == StepStatus::HandedOver {
                journal.append(&Entry::HandedOver { index })?;
            }
            if self.baseline.flaky().len() > flaky {
                // Also of a step that stops: who takes the run up knows.
                journal.append(&Entry::Baseline { entries: self.baseline.entries() })?;
            }
            if let Some(decision) = stopped {
                done(receipt);
                return Ok(Progress::Stopped(decision));
            }
            if let Some(commit) = &receipt.commit {
                last_green.clone_from(commit);
            }
            journal.append(&Entry::StepGreen { step: Box::new(receipt.clone()) })?;
            self.runner.observer.event(&Event::StepGreen { step: index + 1, commit: receipt.commit.as_deref() });
            earlier.push(receipt.clone());
            done(receipt);
            let misfits = super::check::misfits_ahead(plan, index + 1, self.rules, self.worktree)?;
            if !misfits.is_empty() {
                let mut broken = not_reached(index + 1, &plan.steps[index + 1]);
                broken.status = StepStatus::Failed;
                broken.notes.push("not begun: a step before it changed what it counts on".to_owned());
                done(broken);
                return Ok(Progress::Stopped(super::check::blocked(misfits)));
            }
        }
        Ok(Progress::Done)
    }

    /// Whether a gate of a step was red on the base.
    fn has_goal(&self, step: &Step) -> bool {
        step.gates.iter().any(|gate| self.baseline.role_of(gate) == Some(Role::Goal))
    }

    /// Whether the gates of a step, one of which was red on the base, are green now: what was done before it did both.
    fn is_done_already(&self, step: &Step, last_green: &str) -> Result<bool, ApplyError> {
        if !step.edits.is_empty() {
            return Ok(false);
        }
        let checked = StepBench::new(self, "step done already?", step, last_green).run_gates()?;
        Ok(checked.results.iter().all(|result| result.green))
    }

    fn carry_out(
        &self,
        index: usize,
        so_far: &SoFar<'_>,
        nothing_to_do: bool,
        receipt: &mut StepReceipt,
    ) -> Result<Option<Decision>, ApplyError> {
        let step = &self.request.plan.steps[index];
        let of = format!("step {}", index + 1);
        let mut bench = StepBench::new(self, &of, step, so_far.last_green);
        if !nothing_to_do {
            let red = step.gates.iter().filter_map(|gate| self.baseline.result_of(gate)).filter(|result| !result.green);
            let red: Vec<&GateResult> = red.collect();
            let task = Task {
                plan: self.request.plan,
                plan_text: self.request.plan_text,
                plan_path: self.request.plan_path,
                index,
                earlier: so_far.earlier,
                red: &red,
                beginnings: so_far.beginnings,
            };
            receipt.executor = Some(self.request.executor.name(step));
            match self.request.executor.carry_out(&task, &mut bench)? {
                Carried::Over => {
                    receipt.executor = None;
                    receipt.status = StepStatus::HandedOver;
                    return Ok(Some(handed_over(index, &step.title, self.worktree.folder(), Vec::new())));
                }
                Carried::Refused(failures)
                    if failures.iter().all(|failure| failure.code == FailureCode::AlreadyApplied) =>
                {
                    receipt.notes.push("the edits are there already".to_owned());
                    receipt.refused = masked(failures);
                }
                Carried::Refused(failures) => {
                    receipt.status = StepStatus::Failed;
                    let reasons = failures.iter().map(|failure| format!("step {}: {failure}", index + 1)).collect();
                    receipt.refused = masked(failures);
                    return Ok(Some(super::check::blocked(reasons)));
                }
                Carried::Out(work) => {
                    receipt.placed = work.placed;
                    receipt.work = work.work;
                }
                Carried::Halted { halted, why, placed, work } => {
                    receipt.status = StepStatus::Failed;
                    receipt.placed = placed;
                    receipt.work = Some(work);
                    receipt.gates = bench.last_results();
                    return Ok(Some(given_up(index, halted, &why)));
                }
            }
        }
        let checked = bench.run_gates()?;
        receipt.notes.extend(bench.into_notes());
        receipt.gates = checked.results;
        match self.judge(step, &receipt.gates) {
            Gates::Red(why) => {
                receipt.status = StepStatus::Failed;
                let reasons = vec![format!("step {}: {why}", index + 1)];
                let hint =
                    Some("read what the gate printed; correct the plan, then run `improve apply` again".to_owned());
                Ok(Some(Decision { outcome: Outcome::Failed, verdict: Verdict::Revise, reasons, hint }))
            }
            gates => {
                self.keep(index, step, so_far.last_green, gates, receipt)?;
                Ok(None)
            }
        }
    }

    /// Takes up a step that somebody else carried out: whatever is in the worktree is its work.
    fn take_up(
        &self,
        index: usize,
        step: &Step,
        last_green: &str,
        receipt: &mut StepReceipt,
    ) -> Result<Option<Decision>, ApplyError> {
        receipt.executor = Some(SOMEBODY.to_owned());
        self.runner.memory.forget();
        receipt.status = StepStatus::HandedOver;
        let changes = self.worktree.changes_since(last_green)?;
        let wait = |problems: Vec<String>| Some(handed_over(index, &step.title, self.worktree.folder(), problems));
        let violations = self.rules.judge(&changes).violations;
        if !violations.is_empty() {
            // Nothing of it is run: what left its scope may be what would run.
            let problems = violations.iter().map(|violation| format!("{}: {}", violation.path, violation.why));
            return Ok(wait(problems.collect()));
        }
        if changes.is_empty() {
            receipt.notes.push("nothing was changed".to_owned());
        }
        let of = format!("step {}", index + 1);
        let mut bench = StepBench::new(self, &of, step, last_green);
        receipt.gates = bench.run_gates()?.results;
        receipt.notes.extend(bench.into_notes());
        match self.judge(step, &receipt.gates) {
            Gates::Red(why) => Ok(wait(vec![format!("step {}: {why}", index + 1)])),
            gates => {
                self.keep(index, step, last_green, gates, receipt)?;
                Ok(None)
            }
        }
    }

    pub(super) fn judge(&self, step: &Step, results: &[GateResult]) -> Gates {
        let (mut already, mut flaky) = (false, false);
        for (gate, result) in step.gates.iter().zip(results).filter(|(_, result)| !result.green) {
            let before = self.baseline.result_of(gate);
            if before.is_some_and(|before| result.is_no_worse_than(before)) {
                already = true;
            } else if self.baseline.is_flaky(&gate.command) {
                flaky = true;
            } else {
                // Red twice in the same words is more often a missing tool than a plan that did nothing.
                let same = before.is_some_and(|before| !before.green && before.why == result.why);
                let as_before = if same { " (as on the base commit, before the plan)" } else { "" };
                return Gates::Red(format!("`{}`: {}{as_before}", result.command, result.why));
            }
        }
        match (flaky, already) {
            (true, _) => Gates::Flaky,
            (false, true) => Gates::AlreadyRed,
            (false, false) => Gates::Green,
        }
    }

    /// Commits what a step changed.
    fn keep(
        &self,
        index: usize,
        step: &Step,
        last_green: &str,
        gates: Gates,
        receipt: &mut StepReceipt,
    ) -> Result<(), ApplyError> {
        let changes = self.worktree.changes_since(last_green)?;
        let (ours, work): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| self.rules.is_ours(&change.path));
        if !ours.is_empty() {
            self.worktree.reset_to(last_green)?;
            self.worktree.take_over(&work)?;
        }
        if !work.is_empty() {
            let paths: Vec<String> = work.into_iter().map(|change| change.path).collect();
            receipt.commit = Some(self.worktree.commit(&paths, &self.message(index, step))?);
        }
        receipt.status = match gates {
            Gates::AlreadyRed => StepStatus::AlreadyFailing,
            Gates::Flaky => StepStatus::Flaky,
            Gates::Green | Gates::Red(_) => StepStatus::Green,
        };
        Ok(())
    }

    fn message(&self, index: usize, step: &Step) -> String {
        format!("improve: {}\n\nImprove-Plan: {}\nImprove-Step: {}\n", step.title, self.request.plan_path, index + 1)
    }
}

/// Failures quote files, and receipts are kept.
fn masked(failures: Vec<EditFailure>) -> Vec<EditFailure> {
    failures.into_iter().map(|failure| failure.masked(mask)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Gate;
    use crate::plan::expectation::Expectation;

    #[test]
    fn a_step_is_about_checks_when_its_title_says_so_and_of_what() {
        let cases = [
            ("Run the full test suite", true),
            ("Verify", true),
            ("Verify that nothing else changed", true),
            ("Check the gates", true),
            ("Confirm everything", true),
            ("Check the result of every write", false),
            ("Verify the types of the request body", false),
            ("Confirm all inputs", false),
            ("Check whole words", false),
            ("Verify the build number in the header", false),
            ("Check the certificate of the server", false),
            ("Add tests", false),
        ];
        let gate = Gate { command: "true".into(), expectation: Expectation::Exit(0), expected: String::new(), line: 0 };
        for (title, expected) in cases {
            let step = Step { title: title.into(), gates: vec![gate.clone()], ..Step::default() };
            assert_eq!(only_checks(&step), expected, "{title}");
        }
        assert!(!only_checks(&Step { title: "Run the full test suite".into(), ..Step::default() }));
    }
}
