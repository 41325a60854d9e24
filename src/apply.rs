//! Applying a plan: check, prepare, baseline, steps, verify, verdict. Every edit happens in a worktree of ours; what is done is
//! journalled, so that a run killed at any instant goes on at its last green step.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::executor::Executor;
use crate::gate::GateLimits;
use crate::gate::live;
use crate::gate::memory::Memory;
use crate::gate::runner::{RunError, Runner};
use crate::model::cost::Cost;
use crate::observer::{Event, Observer, Phase};
use crate::plan::Plan;
use crate::receipt::{Outcome, Receipt, Verdict};
use crate::sandbox::{Sandbox, policy};
use crate::trust::{Approved, commands_of};
use crate::verifier::baseline::Baseline;
use crate::verifier::opinion::Reviewer;
use crate::verifier::prepare;
use crate::verifier::scope::ScopeRules;
use crate::verifier::verdict::Decision;
use crate::worktree::lease::Lease;
use crate::worktree::leftover::disk_bytes;
use crate::worktree::{Place, Worktree};

mod bench;
pub mod check;
pub mod course;
mod draft;
mod error;
mod failure;
pub mod journal;
pub mod order;
pub mod record;
pub mod resume;
mod rounds;
pub mod schedule;
pub mod steps;

pub use error::ApplyError;

use course::Replanner;
use draft::Draft;
use journal::{Entry, Journal};
use resume::{Resumed, Start};
use rounds::Rounds;

/// A plan to carry out.
#[derive(Clone, Copy)]
pub struct ApplyRequest<'a> {
    /// A folder of the repository.
    pub root: &'a Path,
    /// Our cache folder: see [`crate::worktree::place::cache_folder`].
    pub cache: &'a Path,
    /// The plan.
    pub plan: &'a Plan,
    /// Its path, relative to the repository.
    pub plan_path: &'a str,
    /// Its text.
    pub plan_text: &'a str,
    /// Its file name without `.md`: names the branch and the worktree.
    pub slug: &'a str,
    /// The commit, branch or tag to start from; HEAD for `None`.
    pub base: Option<&'a str>,
    /// The commit whose files the plan's excerpts are compared with, when it is not where the work starts: plans are written against
    /// what the user has, also those that start from another plan's branch.
    pub excerpts_at: Option<&'a str>,
    /// What the linter found that stops an executor, in words.
    pub problems: &'a [String],
    /// Plans it depends on that are not DONE.
    pub undone_dependencies: &'a [String],
    /// How the repository fetches its dependencies; the plan's own install command for `None`.
    pub install: Option<&'a str>,
    /// Commands that may be run.
    pub approved: &'a Approved,
    /// How far they are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// Who carries out the steps.
    pub executor: &'a dyn Executor,
    /// Who reads the finished work, beside the commands that check it.
    pub reviewer: Option<&'a dyn Reviewer>,
    /// Who revises the plan when it fails.
    pub replanner: Option<&'a dyn Replanner>,
    /// What models took so far for this plan, in this run.
    pub cost: &'a dyn Fn() -> Cost,
    /// Asked before a step that has a checkpoint, with the step (1-based) and the question; `false` stops there.
    pub checkpoint: &'a dyn Fn(usize, &str) -> bool,
    /// How.
    pub options: ApplyOptions,
}

/// How a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApplyOptions {
    /// What each gate may take.
    pub limits: GateLimits,
    /// What to do about an earlier run of the same plan.
    pub earlier: Earlier,
    /// Whether the worktree stays when the work is done.
    pub worktree: AfterWork,
    /// Only check whether the plan fits; nothing is written.
    pub dry_run: bool,
}

/// What to do about an earlier run of the same plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Earlier {
    /// Go on at its last green step; a step that was handed over goes on waiting.
    #[default]
    Resume,
    /// Take up the step that was handed over: whatever is in the worktree is its work.
    Continue,
    /// Discard its branch and worktree and begin again.
    Discard,
}

/// What happens to the worktree when the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterWork {
    /// It is removed; the branch stays.
    #[default]
    Remove,
    /// It stays.
    Keep,
}

/// Every command that carrying out or verifying a plan may run: what the user has to agree to. `install` is how the repository
/// fetches its dependencies, when that is known.
pub fn commands(plan: &Plan, install: Option<&str>) -> Vec<String> {
    commands_of(plan, prepare::install_command(plan, install).as_deref())
}

/// Steps of a plan that change something and do not say exactly what: a model carries them out, or somebody else.
pub fn steps_for_a_model(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| steps::needs_somebody(step)).count()
}

/// The branch of a plan.
pub fn branch_of(slug: &str) -> String {
    format!("improve/{slug}")
}

/// Carries out a plan as far as it goes.
pub fn run(request: &ApplyRequest<'_>, observer: &dyn Observer, cancel: &Cancel) -> Result<Receipt, ApplyError> {
    let clock = (Instant::now(), Timestamp::now());
    if !is_slug(request.slug) {
        return Err(ApplyError::Slug { slug: request.slug.to_owned() });
    }
    let place = Place::of(request.root, request.cache)?;
    let head = place.commit_of(request.base)?;
    let mut commands = commands(request.plan, request.install).into_iter();
    if let Some(command) = commands.find(|command| !request.approved.allows(command)) {
        return Err(ApplyError::Run(RunError::NotApproved { command }));
    }
    let mut draft = Draft::new(request, &head);
    if request.options.dry_run {
        observer.event(&Event::Phase(Phase::Check));
        let blocked = check::check(request, &place, &head)?;
        return Ok(draft.finish(blocked.unwrap_or_else(fits), clock));
    }
    let lease = Lease::take(&place, request.slug, request.plan_path, &branch_of(request.slug))?;
    policy::sweep();
    if let Some(said) = live::cut_off(&place.output_of(request.slug), &place.cut_off_of(request.slug)) {
        observer.event(&Event::Note(&said));
        draft.receipt.notes.push(said);
    }
    let (mut journal, entries) = Journal::open(&place.journal_of(request.slug), observer)?;
    let start = match resume::decide(request, &place, &entries) {
        Ok(start) => start,
        Err(error) => {
            // What an earlier run holds on to keeps its lease; a plan that never began needs none, nor one whose run came to its
            // end and was killed before it could say so.
            if entries.is_empty() || !place.folder_of(request.slug).is_dir() {
                lease.end()?;
            }
            return Err(error);
        }
    };
    let run = Run { request, place: &place, observer, cancel };
    let finished = run.from(start, &head, &mut journal, &mut draft);
    let decision = match finished {
        Ok(decision) => decision,
        Err(error) => return Err(error.leaving(Run::left(lease, place.folder_of(request.slug))?)),
    };
    run.close(lease, &mut journal, draft, decision, clock)
}

fn is_slug(slug: &str) -> bool {
    let plain = slug.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    plain
        && !slug.is_empty()
        && !slug.starts_with(['.', '-'])
        && !slug.ends_with('.')
        && !slug.contains("..")
        && !slug.ends_with(".lock")
}

fn fits() -> Decision {
    let reasons = vec!["the plan fits; nothing was run".to_owned()];
    Decision { outcome: Outcome::Unverified, verdict: Verdict::Revise, reasons, hint: None }
}

/// One run of a plan.
struct Run<'a> {
    request: &'a ApplyRequest<'a>,
    place: &'a Place,
    observer: &'a dyn Observer,
    cancel: &'a Cancel,
}

impl Run<'_> {
    /// The phases from where an earlier run got to.
    fn from(
        &self,
        start: Start,
        head: &str,
        journal: &mut Journal<'_>,
        draft: &mut Draft,
    ) -> Result<Decision, ApplyError> {
        let resumed = match start {
            Start::Waiting(resumed) => return Ok(self.still_waiting(*resumed, draft)),
            Start::Resume(resumed) => *resumed,
            Start::Fresh => {
                self.phase(Phase::Check)?;
                if let Some(blocked) = check::check(self.request, self.place, head)? {
                    return Ok(blocked);
                }
                resume::discard(self.request, self.place, journal)?;
                journal.append(&Entry::Started {
                    plan_sha256: draft.receipt.plan.sha256.clone(),
                    plan: self.request.plan_path.to_owned(),
                    base: head.to_owned(),
                    steps: self.request.plan.steps.len(),
                })?;
                Resumed::new(head)
            }
        };
        draft.receipt.base.clone_from(&resumed.base);
        if resumed.base != head {
            draft
                .receipt
                .notes
                .push("HEAD has moved since the work began; it still starts from the earlier commit".to_owned());
        }
        let branch = branch_of(self.request.slug);
        draft.receipt.branch = Some(branch.clone());
        let mut resumed = resumed;
        if !self.place.folder_of(self.request.slug).is_dir() {
            // Somebody removed the worktree, and with it what was installed there.
            resumed.prepared = None;
        }
        let mut worktree = resume::worktree(self.place, self.request.slug, &branch, &resumed)?;
        self.carry_out(resumed, &mut worktree, journal, draft)
    }

    fn carry_out(
        &self,
        resumed: Resumed,
        worktree: &mut Worktree,
        journal: &mut Journal<'_>,
        draft: &mut Draft,
    ) -> Result<Decision, ApplyError> {
        let runner = self.runner();
        let base = resumed.base.clone();
        let rules = ScopeRules::of(self.request.plan, self.request.plan_path);
        let is_whole = worktree.head()? == base && resumed.handed_over.is_none();
        let install = prepare::install_command(self.request.plan, self.request.install);
        let prepared = match resumed.prepared.clone() {
            Some(prepared) => prepared,
            None => {
                self.phase(Phase::Prepare)?;
                let prepared = prepare::prepare(self.place, worktree, install.as_deref(), &rules, &runner)?;
                journal.append(&Entry::Prepared { prepared: prepared.clone() })?;
                prepared
            }
        };
        draft.receipt.prepared = prepared.clone();
        draft.receipt.notes.extend(prepared.limits.iter().cloned());
        if let Some(blocked) = check::not_installed(prepared.install.as_ref()) {
            return Ok(blocked);
        }
        let baseline = match resumed.baseline.clone() {
            Some(entries) => Baseline::from_entries(entries),
            None if is_whole => {
                self.phase(Phase::Baseline)?;
                worktree.reset_to(&base)?;
                let baseline = Baseline::measure(self.request.plan, worktree, &runner)?;
                journal.append(&Entry::Baseline { entries: baseline.entries() })?;
                baseline
            }
            None => Baseline::default(),
        };
        draft.receipt.baseline = baseline.entries();
        let rounds = Rounds {
            run: self,
            worktree,
            runner: &runner,
            base: &base,
            install: install.as_deref(),
            prepared: &prepared,
        };
        rounds.go(resumed, baseline, journal, draft)
    }

    fn runner(&self) -> Runner<'_> {
        let limits = self.request.options.limits;
        Runner {
            approved: self.request.approved,
            limits,
            sandbox: self.request.sandbox,
            git: self.place.common(),
            record: Some(self.place.running_of(self.request.slug)),
            output: Some(self.place.output_of(self.request.slug)),
            observer: self.observer,
            cancel: self.cancel,
            memory: Memory::at(self.place.gates_of(self.request.slug)),
        }
    }

    fn phase(&self, phase: Phase) -> Result<(), ApplyError> {
        if self.cancel.is_cancelled() {
            return Err(ApplyError::Interrupted { worktree: None });
        }
        self.observer.event(&Event::Phase(phase));
        Ok(())
    }

    /// A step is handed over and nobody took it up: the same receipt again.
    fn still_waiting(&self, resumed: Resumed, draft: &mut Draft) -> Decision {
        draft.receipt.base.clone_from(&resumed.base);
        draft.receipt.branch = Some(branch_of(self.request.slug));
        draft.receipt.prepared = resumed.prepared.unwrap_or_default();
        draft.receipt.baseline = resumed.baseline.unwrap_or_default();
        resumed.steps.into_iter().for_each(|step| draft.step(step));
        let waiting = resumed.handed_over.unwrap_or(0);
        let title = self.request.plan.steps.get(waiting).map_or("", |step| step.title.as_str());
        steps::handed_over(waiting, title, &self.place.folder_of(self.request.slug), Vec::new())
    }

    /// Leaves a run that cannot be finished now: its worktree stays only when there is something to go on from.
    fn left(lease: Lease, folder: PathBuf) -> Result<Option<PathBuf>, ApplyError> {
        let worktree = folder.is_dir().then_some(folder);
        if worktree.is_none() {
            lease.end()?;
        }
        Ok(worktree)
    }

    /// Ends a run: removes what nobody needs, writes the receipt, says how it ended.
    fn close(
        &self,
        lease: Lease,
        journal: &mut Journal<'_>,
        mut draft: Draft,
        decision: Decision,
        clock: (Instant, Timestamp),
    ) -> Result<Receipt, ApplyError> {
        let slug = self.request.slug;
        let folder = self.place.folder_of(slug);
        draft.receipt.disk_bytes = disk_bytes(&folder);
        draft.receipt.cost = (self.request.cost)();
        let keep = match decision.outcome {
            Outcome::HandedOver => true,
            // What went wrong can be looked at.
            Outcome::Failed => folder.is_dir(),
            Outcome::Verified | Outcome::PartlyVerified | Outcome::Unverified | Outcome::Blocked => {
                self.request.options.worktree == AfterWork::Keep && folder.is_dir()
            }
        };
        if keep {
            draft.receipt.worktree = Some(folder.display().to_string());
        } else {
            Worktree::remove(self.place, slug)?;
            // What is remembered is of that worktree.
            let _ = fs::remove_file(self.place.gates_of(slug));
        }
        if draft.receipt.commits.is_empty() && !keep {
            // A branch without work is no use to anybody.
            if !journal.is_empty() && draft.receipt.branch.take().is_some() {
                self.place.delete_branch(&branch_of(slug))?;
            }
        }
        let receipt = draft.finish(decision, clock);
        let receipt = record::write(&self.place.receipts(), slug, receipt)?;
        if !journal.is_empty() && receipt.outcome != Outcome::HandedOver {
            journal.append(&Entry::Finished { outcome: receipt.outcome, green: receipt.commits.len() })?;
        }
        if keep {
            drop(lease)
        } else {
            lease.end()?
        }
        Ok(receipt)
    }
}
