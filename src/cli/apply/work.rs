//! Plans at work: which begins when, what each is built on, what came of it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use improve::apply::course::Replanner;
use improve::apply::record::read_all;
use improve::apply::schedule::{Footprint, Schedule};
use improve::apply::{ApplyError, ApplyOptions, ApplyRequest};
use improve::model::budget::Budget;
use improve::plan::Plan;
use improve::plan::index::PlanStatus;
use improve::plan::lint::{Problem, lint};
use improve::receipt::{Outcome, Receipt};
use improve::report::plans::plan_name;
use improve::sandbox::Sandbox;
use improve::settings::apply::ApplySettings;
use improve::trust::Approved;
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::super::exit_code::ExitCode;
use super::super::failure::Failure;
use super::super::models::Line;
use super::super::narrator::Narrator;
use super::super::plan_argument::PlanFile;
use super::super::progress::Bar;
use super::super::trust::confirm;
use super::crew::{Crew, Workplace};
use super::log::Logged;
use super::policy;
use super::publish::Publisher;
use super::revising::OfPlan;
use super::several::{Chosen, Ground, ground, on_top_of, paths};
use super::{install, status_of};

/// What every plan of one run shares.
pub struct Work<'a> {
    pub workplace: &'a Workplace<'a>,
    pub crew: &'a Crew,
    pub line: Option<&'a Line>,
    /// What all of them may spend.
    pub budget: &'a Budget,
    pub bar: &'a Bar,
    pub place: &'a Place,
    pub base: Option<&'a str>,
    pub approved: &'a Approved,
    pub sandbox: &'a Sandbox,
    pub yes: bool,
    pub policy: &'a ApplySettings,
    pub options: ApplyOptions,
    pub order: Order,
    /// Opens pull requests for what is verified.
    pub publisher: Option<&'a Publisher<'a>>,
    /// A pull request could not be opened.
    pub is_unpublished: AtomicBool,
}

/// How several plans follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Each from the same commit, so many at a time.
    Apart(usize),
    /// One after the other, each on the branch of the one before; the first on this branch, or where it would start anyway.
    Stacked(Option<String>),
}

/// Plans with their receipts, and the worst code of those that could not be taken up.
pub type Carried<'a> = (Vec<(&'a PlanFile, Receipt)>, Option<ExitCode>);

impl Work<'_> {
    /// Carries out the plans. Of several, one that cannot be taken up does not stop the others; ctrl-C stops them all.
    pub fn carry_out_all<'c>(&self, chosen: &'c [Chosen]) -> Result<Carried<'c>, Failure> {
        let console = &self.workplace.context.console;
        let (at_a_time, mut top) = match &self.order {
            Order::Apart(at_a_time) => (*at_a_time, None),
            Order::Stacked(begin) => (1, begin.clone()),
        };
        let mut schedule = self.schedule(chosen);
        let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut receipts: BTreeMap<usize, Receipt> = BTreeMap::new();
        let mut worst: Option<ExitCode> = None;
        let (sender, ended) = channel();
        let alone: Option<Failure> = thread::scope(|scope| {
            let mut at_work = 0;
            loop {
                while at_work < at_a_time
                    && let Some(index) = schedule.begin()
                {
                    let Chosen { file, plan } = &chosen[index];
                    if chosen.len() > 1 {
                        self.bar.suspend(|| console.note(&format!("{}: {}", file.path, plan.title)));
                    }
                    let ground = self.ground(plan, &outcomes, top.as_deref());
                    let sender = sender.clone();
                    let name = (at_a_time > 1 && chosen.len() > 1).then(|| plan_name(&file.path).to_owned());
                    scope.spawn(move || {
                        let done = catch_unwind(AssertUnwindSafe(|| self.carry_out(file, plan, ground?, name)));
                        // Nobody listens any more when another plan's thread panicked.
                        let _ = sender.send((index, done));
                    });
                    at_work += 1;
                }
                if at_work == 0 {
                    break None;
                }
                let Ok((index, done)) = ended.recv() else { break None };
                at_work -= 1;
                schedule.end(index);
                let Chosen { file, .. } = &chosen[index];
                let is_verified = match done.unwrap_or_else(|panic| resume_unwind(panic)) {
                    Ok(receipt) => {
                        let outcome = receipt.outcome;
                        outcomes.insert(file.path.clone(), outcome);
                        if outcome == Outcome::Verified
                            && let Order::Stacked(_) = self.order
                        {
                            top = receipt.branch.clone();
                        }
                        receipts.insert(index, receipt);
                        outcome == Outcome::Verified
                    }
                    Err(failure) if chosen.len() == 1 => break Some(failure),
                    Err(failure) => {
                        if failure.code == ExitCode::Interrupted {
                            schedule.close();
                        }
                        self.bar.suspend(|| console.fail(&failure));
                        worst = worst.max(Some(failure.code));
                        false
                    }
                };
                if self.policy.stop_on_error.value && !is_verified {
                    schedule.close();
                }
            }
        });
        if let Some(failure) = alone {
            return Err(failure);
        }
        if self.is_unpublished.load(Ordering::Relaxed) {
            worst = worst.max(Some(ExitCode::Incomplete));
        }
        let left: Vec<&str> = schedule.left().map(|index| chosen[index].file.path.as_str()).collect();
        if !left.is_empty() && worst != Some(ExitCode::Interrupted) {
            let origin = &self.policy.stop_on_error.origin;
            console.note(&format!("not begun: {}; {origin} stops at an error", left.join(", ")));
        }
        Ok((receipts.into_iter().map(|(index, receipt)| (&chosen[index].file, receipt)).collect(), worst))
    }

    fn schedule(&self, chosen: &[Chosen]) -> Schedule {
        let plans: Vec<(&Plan, &str)> = chosen.iter().map(|one| (&one.plan, one.file.path.as_str())).collect();
        let files = self.workplace.map.files.iter().map(|file| file.path.as_str());
        let footprints = Footprint::of(&plans, files);
        let position = |path: &String| chosen.iter().position(|other| other.file.path == *path);
        let entries = chosen.iter().zip(footprints).enumerate().map(|(index, (one, footprint))| {
            let before = paths(&one.plan, self.workplace.backlog);
            let before: Vec<usize> = before.iter().filter_map(position).filter(|before| *before != index).collect();
            (before, footprint)
        });
        Schedule::new(entries)
    }

    /// What a plan is built on: what it depends on and, in a stack, the plan before it.
    fn ground(&self, plan: &Plan, outcomes: &BTreeMap<String, Outcome>, top: Option<&str>) -> Result<Ground, Failure> {
        let ground = ground(plan, self.workplace.backlog, self.place, outcomes, self.options.dry_run)?;
        match top {
            Some(top) => on_top_of(ground, top, self.place),
            None => Ok(ground),
        }
    }

    fn carry_out(
        &self,
        file: &PlanFile,
        plan: &Plan,
        ground: Ground,
        name: Option<String>,
    ) -> Result<Receipt, Failure> {
        let Workplace { map, tree, workspace, context, .. } = self.workplace;
        let console = &context.console;
        let install = install(plan, map);
        let head = self.place.commit_of(None)?;
        // In a stack, what the user named is where its first plan starts.
        let is_stacked = matches!(self.order, Order::Stacked(_));
        let built_on = ground.branch.as_deref().filter(|_| self.base.is_none() || is_stacked);
        let problems = lint(plan, *tree, &map.recon);
        let (stopping, other): (Vec<_>, Vec<_>) = problems.into_iter().partition(Problem::stops);
        if !other.is_empty() {
            let text = format!("the plan has weaknesses: `improve review {}` lists {}", file.slug, other.len());
            self.bar.suspend(|| console.warn(&text));
        }
        let stopping = stopping.into_iter().map(|problem| format!("line {}: {}", problem.line, problem.message));
        let stopping = stopping.chain(ground.problems.iter().cloned()).chain(policy::too_long(plan, self.policy));
        let stopping: Vec<String> = stopping.collect();
        let narrator = Narrator::new(console, self.bar, name);
        let logged =
            Logged::new(&narrator, self.policy.log_progress.value && !self.options.dry_run, self.place, &file.slug);
        let receipt = self.crew.at_work(self.line, self.budget, self.workplace, |team| {
            let reviser = team
                .reviser
                .filter(|_| self.policy.allow_plan_revision.value)
                .map(|reviser| OfPlan { reviser, path: &file.path });
            let request = ApplyRequest {
                root: &workspace.root,
                cache: &cache_folder(),
                plan,
                plan_path: &file.path,
                plan_text: &file.text,
                slug: &file.slug,
                base: built_on.or(self.base),
                excerpts_at: built_on.map(|_| head.as_str()),
                problems: &stopping,
                undone_dependencies: &ground.undone,
                install: install.as_deref(),
                approved: self.approved,
                executor: team.executor,
                reviewer: team.reviewer,
                replanner: reviser.as_ref().map(|reviser| reviser as &dyn Replanner),
                sandbox: self.sandbox,
                cost: team.cost,
                checkpoint: &|step, question| self.yes || narrator.pause(|| self.agree_at_checkpoint(step, question)),
                options: self.options,
            };
            improve::apply::run(&request, &logged, &context.cancel)
        });
        let receipt = match receipt {
            Err(ApplyError::BranchExists { ours: true, branch }) if self.publisher.is_some() => {
                self.verified_before(file, &branch)?.ok_or(ApplyError::BranchExists { ours: true, branch })
            }
            Err(error @ ApplyError::BranchExists { ours: true, .. }) => {
                self.note_late(file)?;
                Err(error)
            }
            other => other,
        };
        let mut receipt = receipt.map_err(|error| {
            let code = ExitCode::of(error.exit_code());
            Failure::from(error).code(code)
        })?;
        if let Some(publisher) = self.publisher {
            match publisher.publish(plan, &receipt, built_on) {
                Ok(page) => receipt.pull_request = page,
                Err(error) => {
                    self.is_unpublished.store(true, Ordering::Relaxed);
                    let failure = Failure::from(error);
                    self.bar.suspend(|| console.fail(&failure));
                }
            }
        }
        if !self.options.dry_run {
            self.note_in_index(file, &receipt)?;
        }
        Ok(receipt)
    }

    /// The receipt of work that an earlier run verified, and that is on its branch as it was then.
    fn verified_before(&self, file: &PlanFile, branch: &str) -> Result<Option<Receipt>, Failure> {
        let last = read_all(&self.place.receipts(), &file.slug)?.pop();
        let tip = self.place.commit_of(Some(branch))?;
        let is_same = |receipt: &Receipt| receipt.commits.last().is_some_and(|commit| commit.id == tip);
        Ok(last.filter(|receipt| receipt.outcome == Outcome::Verified && is_same(receipt)))
    }

    /// Notes what became of a plan whose run was killed before it could do that.
    fn note_late(&self, file: &PlanFile) -> Result<(), Failure> {
        let last = read_all(&self.place.receipts(), &file.slug)?.pop();
        let said = self.workplace.backlog.status(Path::new(&file.path))?;
        match (last, said) {
            (Some(last), None | Some(PlanStatus::Todo | PlanStatus::InProgress(_))) => self.note_in_index(file, &last),
            (_, _) => Ok(()),
        }
    }

    /// What became of the plan, for the index. A plan kept elsewhere has no row.
    fn note_in_index(&self, file: &PlanFile, receipt: &Receipt) -> Result<(), Failure> {
        let backlog = self.workplace.backlog;
        if !file.path.starts_with(&format!("{}/", backlog.folder())) {
            return Ok(());
        }
        let lock = backlog.lock()?;
        Ok(backlog.set_status(&lock, Path::new(&file.path), &status_of(receipt))?)
    }

    /// Asks before a step that has a checkpoint. Nobody to ask, no agreement: the plan stops there and can go on later.
    fn agree_at_checkpoint(&self, step: usize, question: &str) -> bool {
        let context = self.workplace.context;
        if !context.console.interactive {
            return false;
        }
        let asked = confirm(&format!("Step {step}: {}", improve::report::sanitize::line(question)));
        if asked.as_ref().is_err_and(|failure| failure.code == ExitCode::Interrupted) {
            context.cancel.cancel();
        }
        asked.unwrap_or(false)
    }
}
