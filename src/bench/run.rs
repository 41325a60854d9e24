//! Running a trial: a ground of its own, a plan by its arm, the same way of carrying it out and of verifying as everywhere, then the
//! hidden tests.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use crate::apply::{self, AfterWork, ApplyError, ApplyOptions, ApplyRequest};
use crate::cancel::Cancel;
use crate::edit::explain::FailureCode;
use crate::effects::effects;
use crate::executor::{
    self,
    advisor::{Advisor, PlannerAdvisor},
};
use crate::gate::GateLimits;
use crate::gate::runner::RunError;
use crate::model::agent_cli::{self, Agents, Installed};
use crate::model::cost::Cost;
use crate::model::ledger::Ledger;
use crate::model::replies::Replies;
use crate::model::session::{Session, Summary};
use crate::model::{ModelError, NanoDollars};
use crate::observer::{Observer, Silent};
use crate::plan::Plan;
use crate::plan::lint::{Problem, lint};
use crate::planner::asking::Desk;
use crate::planner::built_in::PlanContext;
use crate::planner::pack::{PACK_TOKENS, pack};
use crate::planner::reading_copy::ReadingCopy;
use crate::planner::specify::{Remaining, Specified, Specifier, Subject};
use crate::receipt::{Halted, OpinionReceipt, Outcome, Receipt};
use crate::report::sanitize;
use crate::sandbox::{OnDemand, Sandbox};
use crate::trust::Approved;
use crate::verifier::baseline::Baseline;
use crate::verifier::opinion::{Finished, ModelReviewer, Reviewer};
use crate::verifier::trial::{Trial as Tryout, TrialRun};

use super::arms::{self, Written};
use super::crew::Crew;
use super::ground::{Ground, GroundError, Reading, Running};
use super::task::Task;
use super::trial::{Arm, SCHEMA_VERSION, Trial, TrialKey};

/// The day that plans of trials bear: the repository's own, so that the same trial asks the same questions tomorrow.
const DAY: &str = "2026-01-01";

/// Opens ways to models.
pub trait Switchboard: Sync {
    /// A session for one trial; `spent` is what was spent before it.
    fn session<'a>(
        &'a self,
        agents: &'a dyn Agents,
        ledger: Ledger,
        replies: Replies,
        spent: NanoDollars,
    ) -> Session<'a>;
}

/// What every trial shares.
pub struct Bench<'a> {
    /// Who is measured.
    pub crew: &'a Crew,
    /// The way to them; `None` where nobody is asked.
    pub switchboard: Option<&'a dyn Switchboard>,
    /// Where calls are recorded.
    pub ledger: Ledger,
    /// Our environment, of which agents get the listed part.
    pub variables: Vec<(OsString, OsString)>,
    /// How far commands are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// What each may take.
    pub limits: GateLimits,
    /// Hears how the work goes.
    pub observer: &'a dyn Observer,
    /// Stops it.
    pub cancel: &'a Cancel,
}

/// A trial that was not finished: nothing is measured by it, and the next one would fare no better.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub why: Why,
    /// What it had spent.
    pub spent: NanoDollars,
}

/// Why a trial was not finished.
#[derive(Debug)]
pub enum Why {
    /// The user gave up.
    Interrupted,
    /// The next call might cost more than is left.
    OutOfMoney(String),
    /// A model could not be asked.
    Unanswered(String),
    /// The ground gave way.
    Broken(String),
}

impl From<GroundError> for Why {
    fn from(error: GroundError) -> Why {
        match error {
            GroundError::Run(RunError::Interrupted) => Why::Interrupted,
            error => Why::Broken(error.to_string()),
        }
    }
}

impl From<ModelError> for Why {
    fn from(error: ModelError) -> Why {
        match error {
            ModelError::Cancelled => Why::Interrupted,
            ModelError::OverBudget { .. } | ModelError::Unpriced { .. } => Why::OutOfMoney(error.to_string()),
            error => Why::Unanswered(error.to_string()),
        }
    }
}

/// A plan, or why there is none.
enum Planned {
    Plan(Box<Written>),
    Nothing(String),
}

impl Bench<'_> {
    /// Holds one trial. `spent` is what was spent before it.
    pub fn measure(&self, task: &Task, key: TrialKey, spent: NanoDollars) -> Result<Trial, Stopped> {
        let none = |why: Why| Stopped { why, spent: NanoDollars::ZERO };
        let ground = Ground::lay(task).map_err(|error| none(error.into()))?;
        let reading = ground.read().map_err(|error| none(error.into()))?;
        let copy = ReadingCopy::new(&reading.map, &reading.tree, ground.place().id());
        let agents = Installed {
            quarters: &copy,
            repository: ground.root(),
            variables: self.variables.clone(),
            limits: agent_cli::Limits::default(),
            sandbox: OnDemand::chosen(self.sandbox.clone()),
            git: Some(ground.place().common().to_owned()),
        };
        let asks = !key.models.is_none();
        // Nothing that was answered in another trial counts: a repetition is a new measurement.
        let session = self
            .switchboard
            .filter(|_| asks)
            .map(|board| board.session(&agents, self.ledger.clone(), Replies::nowhere(), spent));
        let work =
            Work { bench: self, task, arm: key.arm, ground: &ground, reading: &reading, session: session.as_ref() };
        let measured = work.measure(key);
        let summary = session.as_ref().map(Session::summary).unwrap_or_default();
        measured.map_err(|why| Stopped { why, spent: summary.spent.known })
    }

    fn running(&self) -> Running<'_> {
        Running { sandbox: self.sandbox, limits: self.limits, observer: &Silent, cancel: self.cancel }
    }
}

/// One trial at work.
struct Work<'w, 's> {
    bench: &'w Bench<'w>,
    task: &'w Task,
    arm: Arm,
    ground: &'w Ground,
    reading: &'w Reading,
    session: Option<&'w Session<'s>>,
}

impl Work<'_, '_> {
    fn measure(&self, key: TrialKey) -> Result<Trial, Why> {
        let (began, started_at) = (Instant::now(), Timestamp::now().to_string());
        let (receipt, missing) = match self.planned()? {
            Planned::Plan(written) => (Some(self.carry_out(&written)?), String::new()),
            Planned::Nothing(why) => (None, why),
        };
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (right, wrong) = match receipt.as_ref().and_then(|receipt| receipt.commits.last()) {
            Some(commit) => self.hidden(&commit.id)?,
            None => (false, String::new()),
        };
        let verified = receipt.as_ref().is_some_and(|receipt| receipt.outcome == Outcome::Verified);
        let why = match &receipt {
            None => missing,
            Some(_) if verified && right => String::new(),
            Some(_) if verified => wrong,
            Some(receipt) => receipt.reasons.first().cloned().unwrap_or_default(),
        };
        let Summary { calls, usage, spent, .. } = self.session.map(Session::summary).unwrap_or_default();
        let steps = receipt.iter().flat_map(|receipt| &receipt.steps);
        let mut placed = BTreeMap::new();
        let mut refused = 0;
        for step in steps {
            step.placed.iter().for_each(|place| *placed.entry(place.rung).or_insert(0) += 1);
            // Edits that are there already were not placed, and nothing is wrong with them.
            let refusals = step.refused.iter().filter(|failure| failure.code != FailureCode::AlreadyApplied);
            refused += u32::try_from(refusals.count()).unwrap_or(u32::MAX);
            refused += step.work.as_ref().map_or(0, |work| work.refused);
        }
        Ok(Trial {
            schema_version: SCHEMA_VERSION,
            key,
            kind: self.task.manifest.kind.clone(),
            outcome: receipt.as_ref().map(|receipt| receipt.outcome),
            verified,
            right,
            changed: receipt.as_ref().is_some_and(|receipt| !receipt.commits.is_empty()),
            why: sanitize::line(&why).into_owned(),
            placed,
            refused,
            calls,
            prompt_tokens: usage.prompt(),
            output_tokens: usage.output,
            nano_usd: spent.known.0,
            unpriced_calls: spent.unpriced_calls,
            duration_ms,
            started_at,
        })
    }

    /// The plan that the arm has.
    fn planned(&self) -> Result<Planned, Why> {
        let plan = |plan: Option<Written>| match plan {
            Some(written) => Planned::Plan(Box::new(written)),
            None => Planned::Nothing("the task could not be written down".to_owned()),
        };
        match self.arm {
            Arm::Single => Ok(plan(arms::unplanned(self.task, &self.reading.map))),
            Arm::Plan => self.by_planner(),
            Arm::Exact => match arms::recipe(self.task, self.reading, &self.context()) {
                Some(recipe) => Ok(plan(Some(Written::of(recipe, self.task)))),
                None => Ok(match self.by_planner()? {
                    Planned::Plan(written) if apply::steps_for_a_model(&written.plan) > 0 => {
                        Planned::Nothing("the plan says in words what changes, not exactly".to_owned())
                    }
                    planned => planned,
                }),
            },
        }
    }

    fn context(&self) -> PlanContext {
        PlanContext {
            number: 1,
            commit: Some(self.ground.commit().to_owned()),
            date: DAY.to_owned(),
            ..PlanContext::default()
        }
    }

    fn by_planner(&self) -> Result<Planned, Why> {
        let (Some(session), Some(bound)) = (self.session, self.bench.crew.planner.as_ref()) else {
            return Ok(Planned::Nothing("no recipe says exactly what changes, and no planner is bound".to_owned()));
        };
        let Reading { tree, map } = self.reading;
        let pack = pack(map, &effects(map), tree, PACK_TOKENS);
        let desk = Desk { session, bound, map, tree, pack: &pack };
        let finding = arms::subject(self.task, &desk);
        let measure = |plan: &Plan| self.try_out(plan);
        let (context, reader) = (self.context(), self.bench.crew.verifier.as_ref());
        let specifier = Specifier { desk: &desk, context: &context, reader, measure: &measure };
        match specifier.write(&Subject { finding: &finding, remarks: "", decided: &[] }) {
            // A plan whose polish was not paid for is not the plan that this crew writes.
            Ok(Specified::Plan(_, Remaining { unread: Some(error), .. })) if says_nothing(&error) => Err(error.into()),
            Ok(Specified::Plan(plan, _)) => Ok(Planned::Plan(Box::new(Written::of(*plan, self.task)))),
            Ok(Specified::NotWorthIt(why)) => Ok(Planned::Nothing(format!("the planner gives it up: {why}"))),
            Err(error) if says_nothing(&error) => Err(error.into()),
            Err(error) => Ok(Planned::Nothing(format!("no plan: {error}"))),
        }
    }

    /// What the gates of a plan give on the base.
    fn try_out(&self, plan: &Plan) -> Option<Baseline> {
        let Running { sandbox, limits, observer, cancel } = self.bench.running();
        let approved = Approved::by_user(&apply::commands(plan, None));
        let run = TrialRun { approved: &approved, sandbox, limits, observer, cancel };
        Tryout::open(self.ground.place(), None, run).ok()?.ok()?.measure(plan, run).ok()
    }

    fn carry_out(&self, written: &Written) -> Result<Receipt, Why> {
        let Written { plan, text } = written;
        let Bench { crew, sandbox, limits, observer, cancel, .. } = self.bench;
        let Reading { tree, map } = self.reading;
        let bound = match self.arm {
            Arm::Single => crew.single.as_ref(),
            Arm::Plan => crew.executor.as_ref(),
            Arm::Exact => None,
        };
        let worker = self.session.zip(bound);
        // Who works alone has nobody to ask.
        let planner = crew.planner.as_ref().filter(|_| self.arm == Arm::Plan);
        let advisor = self.session.zip(planner).map(|(session, bound)| PlannerAdvisor { session, bound });
        let executor = executor::chosen(worker, map, advisor.as_ref().map(|advisor| advisor as &dyn Advisor));
        let reviewer = self.session.zip(crew.verifier.as_ref()).map(|(session, bound)| Remembering {
            reviewer: ModelReviewer { session, bound },
            failed: Mutex::default(),
        });
        let stopping = lint(plan, tree, &map.recon).into_iter().filter(Problem::stops);
        let problems: Vec<String> = stopping.map(|problem| problem.message).collect();
        let request = ApplyRequest {
            root: self.ground.root(),
            cache: &self.ground.cache(),
            plan,
            plan_path: "plans/001-task.md",
            plan_text: text,
            slug: "001-task",
            base: None,
            excerpts_at: None,
            problems: &problems,
            undone_dependencies: &[],
            install: None,
            approved: &Approved::by_user(&apply::commands(plan, None)),
            sandbox,
            executor: executor.as_ref(),
            reviewer: reviewer.as_ref().map(|reviewer| reviewer as &dyn Reviewer),
            replanner: None,
            cost: &|| self.session.map(|session| Cost::from(session.summary())).unwrap_or_default(),
            checkpoint: &|_, _| true,
            options: ApplyOptions { limits: *limits, worktree: AfterWork::Remove, ..ApplyOptions::default() },
        };
        let receipt = apply::run(&request, *observer, cancel).map_err(|error| match error {
            ApplyError::Interrupted { .. } => Why::Interrupted,
            error => Why::Broken(error.to_string()),
        })?;
        let unread = reviewer.and_then(|reviewer| reviewer.failed.into_inner().unwrap_or_else(PoisonError::into_inner));
        match (halted(&receipt), unread) {
            (Some((Halted::OutOfMoney, why)), _) => Err(Why::OutOfMoney(why)),
            (Some((_, why)), _) => Err(Why::Unanswered(why)),
            (None, Some(error)) if says_nothing(&error) => Err(error.into()),
            (None, _) => Ok(receipt),
        }
    }

    /// Whether the hidden tests pass on a commit, and why not.
    fn hidden(&self, commit: &str) -> Result<(bool, String), Why> {
        let gates: Vec<_> = self.task.hidden_gate().into_iter().collect();
        let results = self.ground.judge(commit, &self.task.hidden, &gates, self.bench.running())?;
        let red = results.iter().find(|result| !result.green);
        Ok((red.is_none(), red.map(|result| format!("hidden tests: {}", result.why)).unwrap_or_default()))
    }
}

/// Whether a question that got no answer says nothing of the model. An answer of which nothing can be used is its doing, and measured.
fn says_nothing(error: &ModelError) -> bool {
    !matches!(error, ModelError::Unusable { .. })
}

/// A reviewer whose last failure is remembered: applying a plan goes on without it, a measurement does not.
struct Remembering<'a> {
    reviewer: ModelReviewer<'a>,
    failed: Mutex<Option<ModelError>>,
}

impl Reviewer for Remembering<'_> {
    fn read(&self, work: &Finished<'_>) -> Result<OpinionReceipt, ModelError> {
        let read = self.reviewer.read(work);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = read.as_ref().err().cloned();
        read
    }
}

/// What kept a model from working at all: that says nothing of how well it works.
fn halted(receipt: &Receipt) -> Option<(Halted, String)> {
    let works = receipt.steps.iter().filter_map(|step| step.work.as_ref());
    let halted =
        works.filter_map(|work| work.halted).find(|it| matches!(it, Halted::OutOfMoney | Halted::Unanswered))?;
    Some((halted, receipt.reasons.first().cloned().unwrap_or_default()))
}
