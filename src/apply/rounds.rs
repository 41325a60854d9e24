//! Rounds: carry out the steps, verify, and where that is not enough, mend; where mending does not help, have the plan revised.

use super::course::{Course, MENDS, PlanFailure, REVISIONS, Revision, is_done, mending};
use super::draft::Draft;
use super::journal::{Entry, Journal};
use super::resume::Resumed;
use super::steps::{Progress, Steps};
use super::{ApplyError, ApplyRequest, Run, commands, failure};
use crate::gate::runner::Runner;
use crate::model::ModelError;
use crate::observer::{Event, Phase};
use crate::receipt::{Outcome, Prepared, StepStatus, Verdict};
use crate::verifier::baseline::Baseline;
use crate::verifier::opinion::Finished;
use crate::verifier::scope::ScopeRules;
use crate::verifier::second_look::BaseLook;
use crate::verifier::verdict::{Decision, decide, lowered};
use crate::verifier::{Inspection, Proof, Temporary, inspect, prepare};
use crate::worktree::leftover::REPLAY;
use crate::worktree::{Change, Worktree};

/// Lines of what a red gate printed, for whoever mends.
const LINES: usize = 12;

/// What every round works with.
pub(super) struct Rounds<'a> {
    pub run: &'a Run<'a>,
    pub worktree: &'a Worktree,
    pub runner: &'a Runner<'a>,
    pub base: &'a str,
    pub install: Option<&'a str>,
    pub prepared: &'a Prepared,
}

/// How a round ended.
enum End {
    /// A step stopped.
    Stopped,
    /// Every step is done, and the work was looked at.
    Verified,
}

impl Rounds<'_> {
    /// Rounds until the work is approved or nothing more can be done here.
    pub fn go(
        &self,
        mut resumed: Resumed,
        mut baseline: Baseline,
        journal: &mut Journal<'_>,
        draft: &mut Draft,
    ) -> Result<Decision, ApplyError> {
        let mut course = Course::of(self.run.request, &resumed.additions);
        if course.revisions > 0 {
            self.keep(&course, draft);
        }
        draft.follow(&course.plan);
        let second = format!("{}{REPLAY}", self.run.request.slug);
        // A look at the base leaves it behind for the next one.
        let _temporary = Temporary::new(self.run.place, &second);
        let look = BaseLook::new(self.run.place, second.clone(), self.worktree, self.base, self.install, self.runner);
        loop {
            let round = self.round(&course, resumed.clone(), &baseline, &look, journal, draft);
            draft.receipt.baseline = baseline.entries();
            let (decision, end) = round?;
            let go_on = match end {
                _ if decision.verdict == Verdict::Approve => false,
                End::Verified => {
                    self.mend(&mut course, &decision, journal, draft)? || {
                        is_faulty(&decision, draft)
                            && self.revise(&mut course, &decision, &mut baseline, journal, draft)?
                    }
                }
                End::Stopped => {
                    is_about_the_plan(draft) && self.revise(&mut course, &decision, &mut baseline, journal, draft)?
                }
            };
            if !go_on {
                return Ok(decision);
            }
            draft.follow(&course.plan);
            resumed = resumed.after(draft.done());
        }
    }

    fn round(
        &self,
        course: &Course,
        resumed: Resumed,
        baseline: &Baseline,
        look: &BaseLook<'_>,
        journal: &mut Journal<'_>,
        draft: &mut Draft,
    ) -> Result<(Decision, End), ApplyError> {
        let request = course.request(self.run.request);
        let rules = ScopeRules::of(&course.plan, request.plan_path);
        self.run.phase(Phase::Steps)?;
        let (worktree, runner) = (self.worktree, self.runner);
        let steps = Steps { request: &request, rules: &rules, worktree, runner, baseline, look };
        if let Progress::Stopped(decision) = steps.run(resumed, journal, &mut |step| draft.step(step))? {
            draft.receipt.scope = rules.judge(&self.worktree.changes_since(self.base)?);
            return Ok((decision, End::Stopped));
        }
        self.run.phase(Phase::Verify)?;
        let (changes, proof) = match self.verify(&request, baseline, &rules, look)? {
            Ok(inspected) => inspected,
            Err(decision) => return Ok((decision, End::Verified)),
        };
        let decision = decide(&proof, &draft.receipt.steps, self.prepared.install.as_ref());
        let decision = self.with_opinion(decision, &request, &changes, &proof, draft)?;
        draft.proof(proof);
        Ok((decision, End::Verified))
    }

    /// Replays the work in a second, clean worktree; or says why that cannot be had.
    fn verify(
        &self,
        request: &ApplyRequest<'_>,
        baseline: &Baseline,
        rules: &ScopeRules,
        look: &BaseLook<'_>,
    ) -> Result<Result<(Vec<Change>, Proof), Decision>, ApplyError> {
        let Rounds { run, worktree, runner, base, install, .. } = self;
        let tip = worktree.head()?;
        worktree.reset_to(&tip)?;
        let changes = worktree.changes_since(base)?;
        let name = format!("{}{REPLAY}", request.slug);
        let _temporary = Temporary::new(run.place, &name);
        let mut replay = Worktree::create(run.place, &name, base, None)?;
        let installed = prepare::prepare_again(run.place, worktree, &mut replay, *install, rules, runner)?;
        if let Some(decision) = super::check::not_installed(installed.as_ref()) {
            return Ok(Err(decision));
        }
        let proof = inspect(&Inspection {
            plan: request.plan,
            plan_path: request.plan_path,
            base,
            changes: &changes,
            baseline,
            replay: &replay,
            runner,
            base_look: Some(look),
            with_step_gates: false,
        })?;
        Ok(Ok((changes, proof)))
    }

    /// The decision with what the verifier model thinks, where nothing speaks against the work yet.
    fn with_opinion(
        &self,
        decision: Decision,
        request: &ApplyRequest<'_>,
        changes: &[Change],
        proof: &Proof,
        draft: &mut Draft,
    ) -> Result<Decision, ApplyError> {
        draft.receipt.opinion = None;
        let Some(reviewer) = request.reviewer.filter(|_| decision.outcome != Outcome::Failed && !changes.is_empty())
        else {
            return Ok(decision);
        };
        let (plan_text, plan_path) = (request.plan_text, request.plan_path);
        let finished = Finished { plan_text, plan_path, changes, proof, steps: &draft.receipt.steps };
        match reviewer.read(&finished) {
            Ok(opinion) => {
                let decision = lowered(decision, &opinion);
                draft.receipt.opinion = Some(opinion);
                Ok(decision)
            }
            Err(ModelError::Cancelled) => Err(ApplyError::Interrupted { worktree: None }),
            Err(error) => {
                draft.receipt.notes.push(format!("not read by the verifier: {error}"));
                Ok(decision)
            }
        }
    }

    /// Adds a step that mends what was found, where the executor can be told.
    fn mend(
        &self,
        course: &mut Course,
        decision: &Decision,
        journal: &mut Journal<'_>,
        draft: &Draft,
    ) -> Result<bool, ApplyError> {
        let request = self.run.request;
        if decision.verdict != Verdict::Revise
            || !is_faulty(decision, draft)
            || !request.executor.can_mend()
            || course.mends >= MENDS
        {
            return Ok(false);
        }
        let step = mending(&course.plan, &remarks(decision, draft));
        journal.append(&Entry::Mending { step: Box::new(step.clone()) })?;
        self.run.observer.event(&Event::Note("the verifier is not content; the executor mends the work"));
        course.add(step);
        Ok(true)
    }

    /// Has a planner put something else in the place of what failed.
    fn revise(
        &self,
        course: &mut Course,
        decision: &Decision,
        baseline: &mut Baseline,
        journal: &mut Journal<'_>,
        draft: &mut Draft,
    ) -> Result<bool, ApplyError> {
        let request = self.run.request;
        let Some(replanner) = request.replanner.filter(|_| course.revisions < REVISIONS) else { return Ok(false) };
        let report = failure::report(decision, &draft.receipt);
        let done = draft.done();
        let last_green = self.worktree.head()?;
        self.worktree.reset_to(&last_green)?;
        self.run.observer.event(&Event::Note("the plan failed; its planner is asked for another way"));
        let revised = replanner.revise(&PlanFailure {
            plan: &course.plan,
            plan_text: &course.text,
            done: &done,
            report: &report,
            folder: self.worktree.folder(),
        });
        let plan = match revised {
            Ok(Revision::Plan(plan)) => plan,
            Ok(Revision::GiveUp(why)) => {
                draft.receipt.notes.push(format!("the planner gives the plan up: {why}"));
                return Ok(false);
            }
            Err(why) => {
                if self.run.cancel.is_cancelled() {
                    return Err(ApplyError::Interrupted { worktree: None });
                }
                draft.receipt.notes.push(format!("the plan was not revised: {why}"));
                return Ok(false);
            }
        };
        let unmet = draft.receipt.criteria.iter().filter(|it| it.met == Some(false)).map(|it| it.text.clone());
        let unmet: Vec<String> = unmet.collect();
        let why = decision.reasons.first().cloned().unwrap_or_default();
        let mut next = course.clone();
        let receipt = next.revise(*plan, done.len(), &unmet, &why);
        draft.receipt.revisions.push(receipt);
        journal.append(&Entry::Revised { plan: next.text.clone() })?;
        let new = commands(&next.plan, request.install).into_iter().find(|it| !request.approved.allows(it));
        if let Some(command) = new {
            // Once it is agreed to, the next run goes on from here.
            self.keep(&next, draft);
            draft
                .receipt
                .notes
                .push(format!("the revised plan runs `{command}`, which nobody agreed to yet: run it again"));
            return Ok(false);
        }
        *course = next;
        self.keep(course, draft);
        if !baseline.covers(&course.plan) {
            self.run.phase(Phase::Baseline)?;
            self.worktree.reset_to(self.base)?;
            let measured = baseline.measure_missing(&course.plan, self.worktree, self.runner);
            self.worktree.reset_to(&last_green)?;
            measured?;
            journal.append(&Entry::Baseline { entries: baseline.entries() })?;
            draft.receipt.baseline = baseline.entries();
        }
        Ok(true)
    }

    /// Puts a revised plan where the user finds it, once.
    fn keep(&self, course: &Course, draft: &mut Draft) {
        let request = self.run.request;
        let Some(replanner) = request.replanner.filter(|_| course.text != request.plan_text) else { return };
        if let Err(why) = replanner.keep(&course.plan) {
            draft.receipt.notes.push(format!("{}: the revised plan could not be written: {why}", request.plan_path));
        }
    }
}

/// Something is wrong with the work, rather than that it could not all be measured.
fn is_faulty(decision: &Decision, draft: &Draft) -> bool {
    decision.outcome == Outcome::Failed
        || draft.receipt.opinion.as_ref().is_some_and(|opinion| !opinion.objections.is_empty())
}

/// A step stopped for a reason that another plan may not meet.
fn is_about_the_plan(draft: &Draft) -> bool {
    let stopped = draft.receipt.steps.iter().find(|step| !is_done(step));
    stopped.is_some_and(|step| {
        let halted = step.work.as_ref().and_then(|work| work.halted);
        step.status == StepStatus::Failed && halted.is_none_or(|halted| halted.is_about_the_plan())
    })
}

/// What is wrong with the work, for whoever mends it.
fn remarks(decision: &Decision, draft: &Draft) -> Vec<String> {
    let objections = draft.receipt.opinion.iter().flat_map(|opinion| &opinion.objections);
    let objections: Vec<String> = objections.map(|it| format!("`{}`: {}", it.quote, it.problem)).collect();
    if !objections.is_empty() {
        return objections;
    }
    let red = draft.receipt.criteria.iter().flat_map(|criterion| &criterion.gates).filter(|gate| !gate.green);
    let printed = red.filter_map(|gate| {
        let lines = gate.telling_lines(LINES);
        (!lines.is_empty()).then(|| format!("`{}` printed: {}", gate.command, lines.join(" / ")))
    });
    decision.reasons.iter().cloned().chain(printed).collect()
}
