//! The verifier: what a piece of work proves, told mechanically. A model that reads it ([`opinion`]) may lower the verdict, never raise it.
//!
//! [`inspect`] looks at changes from wherever they come; [`verify`] is `improve verify`: the same on work done by anybody.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::edit::apply::sha256;
use crate::gate::GateLimits;
use crate::gate::GateResult;
use crate::gate::memory::Memory;
use crate::gate::runner::{RunError, Runner};
use crate::model::ModelError;
use crate::model::cost::Cost;
use crate::observer::{Event, Observer, Phase};
use crate::os;
use crate::plan::Plan;
use crate::plan::expectation::Expectation;
use crate::receipt::{
    CriterionReceipt, NewTestsReceipt, OpinionReceipt, PlanReference, Prepared, Receipt, SCHEMA_VERSION, ScopeReceipt,
    Tampering,
};
use crate::sandbox::{Sandbox, policy};
use crate::trust::Approved;
use crate::worktree::lease::Lease;
use crate::worktree::leftover::{VERIFY, disk_bytes};
use crate::worktree::{Change, Place, Worktree, WorktreeError, change};

pub mod baseline;
pub mod criteria;
pub mod new_tests;
pub mod opinion;
pub mod prepare;
pub mod scope;
pub mod second_look;
pub mod tamper;
pub mod trial;
pub mod verdict;

use baseline::{Baseline, Flaky};
use opinion::{Finished, Reviewer};
use scope::ScopeRules;
use second_look::BaseLook;

/// Work that could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// git or the file system refused.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// A gate could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The folder is no worktree of this repository.
    #[error("{}: not a worktree of this repository", folder.display())]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
    },
}

impl VerifyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            VerifyError::Worktree(error) => error.hint(),
            VerifyError::Run(RunError::NotApproved { .. }) => {
                Some("look at the command, then run again with `--trust`".to_owned())
            }
            VerifyError::Run(RunError::Process(error)) => error.hint(),
            VerifyError::Run(RunError::Sandbox(error)) => error.hint(),
            VerifyError::Run(RunError::Interrupted) => None,
            VerifyError::ForeignFolder { .. } => {
                Some("name a checkout of this repository, or a branch with `--branch`".to_owned())
            }
        }
    }

    /// The documented exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            VerifyError::Run(RunError::Interrupted) => 130,
            VerifyError::Worktree(_) | VerifyError::Run(_) | VerifyError::ForeignFolder { .. } => 2,
        }
    }
}

/// Work to inspect, and a clean worktree at its base to do that in.
pub struct Inspection<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its path.
    pub plan_path: &'a str,
    /// The commit the work starts from.
    pub base: &'a str,
    /// The work.
    pub changes: &'a [Change],
    /// Every gate on the base.
    pub baseline: &'a Baseline,
    /// A worktree that is at the base, clean and prepared.
    pub replay: &'a Worktree,
    /// Runs the gates.
    pub runner: &'a Runner<'a>,
    /// Looks at the base again, where that is worth its time; it may use up the worktree `replay`.
    pub base_look: Option<&'a BaseLook<'a>>,
    /// Whether the gates of the steps are run too, because nobody has run them on this work.
    pub with_step_gates: bool,
}

/// What an inspection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was changed, and whether it may be.
    pub scope: ScopeReceipt,
    /// Signs that checks were weakened.
    pub tampering: Vec<Tampering>,
    /// Done criteria.
    pub criteria: Vec<CriterionReceipt>,
    /// Gates of the steps, when they were asked for.
    pub replayed_gates: Vec<GateResult>,
    /// Whether new tests fail without the change.
    pub new_tests: NewTestsReceipt,
    /// Nothing was red before, and no test is new.
    pub vacuous: bool,
    /// Commands of the plan that gave one thing and then the other on the same files.
    pub flaky: Vec<Flaky>,
}

impl Proof {
    /// Whether a command is one of those.
    pub fn is_flaky(&self, command: &str) -> bool {
        self.flaky.iter().any(|flaky| flaky.command == command)
    }
}

/// Inspects work: its scope, what it did to the tests, its criteria on base + changes, its tests without the change.
pub fn inspect(inspection: &Inspection<'_>) -> Result<Proof, VerifyError> {
    let Inspection { plan, plan_path, base, changes, baseline, replay, runner, base_look, with_step_gates } =
        inspection;
    let rules = ScopeRules::of(plan, plan_path);
    let scope = rules.judge(changes);
    let judged: Vec<Change> = changes.iter().filter(|change| !rules.is_ours(&change.path)).cloned().collect();
    let tampering = tamper::scan(plan, &judged);
    let paths: Vec<String> = judged.iter().map(|change| change.path.clone()).collect();
    if scope.violations.is_empty() && !paths.is_empty() {
        // Committed, so that criteria which ask git see what they would see on the branch.
        replay.take_over(&judged)?;
        replay.commit(&paths, "improve: the work to be verified")?;
    } else if !scope.violations.is_empty() {
        // Work that left its scope is not run: what it brought may be what would run.
        let criteria = criteria::unjudged(plan, &scope);
        let new_tests =
            NewTestsReceipt { why: "not tried: the work left its scope".to_owned(), ..NewTestsReceipt::default() };
        let (replayed_gates, flaky) = (Vec::new(), flaky_of(plan, baseline));
        return Ok(Proof { scope, tampering, criteria, replayed_gates, new_tests, vacuous: false, flaky });
    }
    let replayed_gates = if *with_step_gates { step_gates(plan, replay, runner, baseline)? } else { Vec::new() };
    let look = base_look.map(|look| (look, &rules));
    let criteria = criteria::judge(plan, &scope, baseline, replay, runner, look)?;
    let ran: Vec<&GateResult> = criteria.iter().flat_map(|criterion| &criterion.gates).chain(&replayed_gates).collect();
    let new_tests = new_tests::check(base, &judged, &ran, plan, replay, baseline, runner)?;
    let vacuous = !baseline.has_goal() && new_tests.added == 0;
    let flaky = flaky_of(plan, baseline);
    Ok(Proof { scope, tampering, criteria, replayed_gates, new_tests, vacuous, flaky })
}

/// Flaky commands that the plan still has: a revision may have taken one out.
fn flaky_of(plan: &Plan, baseline: &Baseline) -> Vec<Flaky> {
    let gates = || baseline::step_gates(plan).into_iter().chain(baseline::criterion_gates(plan));
    let is_there = |flaky: &Flaky| gates().any(|(_, gate)| gate.command == flaky.command);
    baseline.flaky().into_iter().filter(is_there).collect()
}

/// The gates of the steps on the finished work. One that expects a failure is about a moment in between and is left out.
fn step_gates(
    plan: &Plan,
    replay: &Worktree,
    runner: &Runner<'_>,
    baseline: &Baseline,
) -> Result<Vec<GateResult>, VerifyError> {
    let gates = baseline::step_gates(plan).into_iter().filter(|(_, gate)| gate.expectation != Expectation::Fails);
    let gates: Vec<_> = gates.collect();
    let mut results = runner.run_all(&gates, replay, &|command| baseline.tests_of(command))?;
    let tip = replay.head()?;
    second_look::on_the_work(
        &gates,
        &mut results,
        replay,
        baseline,
        runner,
        &mut |gate, _| second_look::is_guard(gate, baseline),
        &mut || Ok(replay.reset_to(&tip)?),
    )?;
    Ok(results)
}

/// Where work to be verified is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// On a branch, or any other name of a commit.
    Branch(String),
    /// In a checkout of the repository, committed or not.
    Folder(PathBuf),
}

/// `improve verify`.
pub struct VerifyRequest<'a> {
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
    /// Its file name without `.md`.
    pub slug: &'a str,
    /// The work.
    pub subject: &'a Subject,
    /// Where the work starts; told from history for `None`.
    pub base: Option<&'a str>,
    /// How the repository fetches its dependencies; the plan's own install command for `None`.
    pub install: Option<&'a str>,
    /// Commands that may be run.
    pub approved: &'a Approved,
    /// How far commands are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// What each may take.
    pub limits: GateLimits,
    /// Who reads the work, beside the commands that check it.
    pub reviewer: Option<&'a dyn Reviewer>,
}

/// Verifies work done by anybody. The user's tree is only read, and nothing is left behind but the receipt.
pub fn verify(request: &VerifyRequest<'_>, observer: &dyn Observer, cancel: &Cancel) -> Result<Receipt, VerifyError> {
    let started = (Instant::now(), Timestamp::now());
    let place = Place::of(request.root, request.cache)?;
    let work = Work::find(&place, request)?;
    let name = format!("{}{VERIFY}", request.slug);
    let lease = Lease::take(&place, &name, request.plan_path, "")?;
    policy::sweep();
    let receipt = replay(request, &place, &name, work, observer, cancel);
    lease.end()?;
    let duration_ms = u64::try_from(started.0.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Receipt { started_at: started.1.to_string(), duration_ms, ..receipt? })
}

/// Baseline and inspection in the worktree `name`, which is removed whatever happens.
fn replay(
    request: &VerifyRequest<'_>,
    place: &Place,
    name: &str,
    work: Work,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Receipt, VerifyError> {
    let runner = Runner {
        approved: request.approved,
        limits: request.limits,
        sandbox: request.sandbox,
        git: place.common(),
        record: Some(place.running_of(name)),
        output: Some(place.output_of(name)),
        observer,
        cancel,
        memory: Memory::default(),
    };
    let _temporary = Temporary::new(place, name);
    let mut replay = Worktree::create(place, name, &work.base, None)?;
    observer.event(&Event::Phase(Phase::Prepare));
    let install = prepare::install_command(request.plan, request.install);
    let rules = ScopeRules::of(request.plan, request.plan_path);
    let prepared = prepare::prepare(place, &mut replay, install.as_deref(), &rules, &runner)?;
    let work = work.without(&prepared.aside);
    observer.event(&Event::Phase(Phase::Baseline));
    let baseline = Baseline::measure(request.plan, &replay, &runner)?;
    observer.event(&Event::Phase(Phase::Verify));
    let proof = inspect(&Inspection {
        plan: request.plan,
        plan_path: request.plan_path,
        base: &work.base,
        changes: &work.changes,
        baseline: &baseline,
        replay: &replay,
        runner: &runner,
        base_look: None,
        with_step_gates: true,
    })?;
    let disk_bytes = disk_bytes(replay.folder());
    let opinion = opinion_of(request, &work.changes, &proof)?;
    Ok(Receipt { disk_bytes, ..receipt_of(request, work, prepared, baseline, proof, opinion) })
}

/// What the verifier model thinks of the work, where nothing speaks against it yet; or why it was not asked.
fn opinion_of(
    request: &VerifyRequest<'_>,
    changes: &[Change],
    proof: &Proof,
) -> Result<Option<Result<OpinionReceipt, String>>, VerifyError> {
    let Some(reviewer) = request.reviewer.filter(|_| !changes.is_empty() && !verdict::is_refuted(proof)) else {
        return Ok(None);
    };
    let (plan_text, plan_path) = (request.plan_text, request.plan_path);
    match reviewer.read(&Finished { plan_text, plan_path, changes, proof, steps: &[] }) {
        Ok(opinion) => Ok(Some(Ok(opinion))),
        Err(ModelError::Cancelled) => Err(VerifyError::Run(RunError::Interrupted)),
        Err(error) => Ok(Some(Err(error.to_string()))),
    }
}

fn receipt_of(
    request: &VerifyRequest<'_>,
    work: Work,
    prepared: Prepared,
    baseline: Baseline,
    proof: Proof,
    opinion: Option<Result<OpinionReceipt, String>>,
) -> Receipt {
    let decision = verdict::decide(&proof, &[], prepared.install.as_ref());
    let (opinion, unread) = match opinion.transpose() {
        Ok(opinion) => (opinion, None),
        Err(why) => (None, Some(format!("not read by the verifier: {why}"))),
    };
    let decision = match &opinion {
        Some(opinion) => verdict::lowered(decision, opinion),
        None => decision,
    };
    let branch = match request.subject {
        Subject::Branch(branch) => Some(branch.clone()),
        Subject::Folder(_) => None,
    };
    let notes = work.notes.into_iter().chain(prepared.limits.iter().cloned()).chain(unread).collect();
    Receipt {
        schema_version: SCHEMA_VERSION,
        plan: plan_reference(request.plan, request.plan_path, request.plan_text),
        outcome: decision.outcome,
        verdict: decision.verdict,
        reasons: decision.reasons,
        hint: decision.hint,
        base: work.base,
        branch,
        worktree: None,
        commits: Vec::new(),
        sandbox: request.sandbox.receipt(),
        trusted_commands: request.approved.commands().cloned().collect(),
        prepared,
        baseline: baseline.entries(),
        steps: Vec::new(),
        scope: proof.scope,
        tampering: proof.tampering,
        criteria: proof.criteria,
        replayed_gates: proof.replayed_gates,
        new_tests: proof.new_tests,
        vacuous: proof.vacuous,
        opinion,
        revisions: Vec::new(),
        pull_request: None,
        notes,
        cost: Cost::default(),
        disk_bytes: 0,
        started_at: String::new(),
        duration_ms: 0,
        file: None,
    }
}

/// Which plan a receipt is about.
pub(crate) fn plan_reference(plan: &Plan, path: &str, text: &str) -> PlanReference {
    PlanReference { path: path.to_owned(), number: plan.number, title: plan.title.clone(), sha256: sha256(text) }
}

/// Removes a worktree when it goes out of scope, however that happens.
pub(crate) struct Temporary<'a> {
    place: &'a Place,
    name: String,
}

impl<'a> Temporary<'a> {
    pub(crate) fn new(place: &'a Place, name: &str) -> Temporary<'a> {
        Temporary { place, name: name.to_owned() }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is a leftover, which `improve clean` lists.
        let _ = Worktree::remove(self.place, &self.name);
    }
}

/// The work of a [`Subject`], and where it starts.
struct Work {
    base: String,
    changes: Vec<Change>,
    /// Paths of changes that git does not track where the work was done.
    untracked: BTreeSet<String>,
    notes: Vec<String>,
}

impl Work {
    /// The work without what the install command leaves too: whoever did the work ran it.
    fn without(mut self, aside: &[String]) -> Work {
        let is_aside = |path: &str| {
            let covers = |aside: &String| path == aside || aside.ends_with('/') && path.starts_with(aside.as_str());
            aside.iter().any(covers)
        };
        self.changes.retain(|change| !(self.untracked.contains(&change.path) && is_aside(&change.path)));
        self
    }

    fn find(place: &Place, request: &VerifyRequest<'_>) -> Result<Work, VerifyError> {
        let repository = place.repository()?;
        let mut notes = Vec::new();
        match request.subject {
            Subject::Branch(branch) => {
                let tip = place.commit_of(Some(branch))?;
                let base = Work::base(place, request, &tip, true, &mut notes)?;
                let changes = change::between(&repository, &base, &tip)?;
                Ok(Work { base, changes, untracked: BTreeSet::new(), notes })
            }
            Subject::Folder(folder) => {
                let foreign = || VerifyError::ForeignFolder { folder: folder.clone() };
                let checkout = git2::Repository::discover(folder).map_err(|_| foreign())?;
                let common = os::canonical(checkout.commondir()).map_err(|_| foreign())?;
                let work_folder = checkout.workdir().ok_or_else(foreign)?.to_owned();
                if common != place.common() {
                    return Err(foreign());
                }
                let head =
                    checkout.head().and_then(|head| head.peel_to_commit()).map_err(|_| foreign())?.id().to_string();
                let base = Work::base(place, request, &head, false, &mut notes)?;
                let changes = change::in_folder(&checkout, &work_folder, &base)?;
                if !changes.is_empty() {
                    let index = checkout.index().map_err(|_| foreign())?;
                    let is_new = |path: &String| index.get_path(Path::new(path), 0).is_none();
                    let untracked = changes.iter().map(|change| change.path.clone()).filter(is_new).collect();
                    return Ok(Work { base, changes, untracked, notes });
                }
                let base = Work::base(place, request, &head, true, &mut notes)?;
                let changes = change::in_folder(&checkout, &work_folder, &base)?;
                Ok(Work { base, changes, untracked: BTreeSet::new(), notes })
            }
        }
    }

    /// The base as given, else where the work left the user's HEAD. Work that HEAD already contains starts where its plan was
    /// written; `committed` says that all of it is in `tip`.
    fn base(
        place: &Place,
        request: &VerifyRequest<'_>,
        tip: &str,
        committed: bool,
        notes: &mut Vec<String>,
    ) -> Result<String, VerifyError> {
        if let Some(base) = request.base {
            return Ok(place.commit_of(Some(base))?);
        }
        let head = place.commit_of(None)?;
        let base = place.merge_base(&head, tip)?;
        if base != tip || !committed {
            return Ok(base);
        }
        let planned = request.plan.status.planned_at_commit.as_deref();
        let planned = planned.and_then(|planned| place.commit_of(Some(planned)).ok());
        match planned.filter(|planned| place.merge_base(planned, tip).is_ok_and(|base| base == *planned)) {
            Some(planned) => {
                notes.push(
                    "HEAD already contains the work, so it is compared with the commit the plan was written at"
                        .to_owned(),
                );
                Ok(planned)
            }
            None => Ok(base),
        }
    }
}
