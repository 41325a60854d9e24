//! Executors: who carries out a step. Exact edits need nobody; whatever else a step asks for is a [`ModelExecutor`]'s, an
//! [`AgentExecutor`]'s, or is handed over.
//!
//! An executor has a [`Bench`] and nothing else: the files of a worktree of ours, inside the plan's scope, and the step's gates.
//! No shell, no git, no network; an agent, which has tools of its own, is held to that by its flags and by what the bench takes back.
//! What was changed counts once the gates are green, which the caller judges, not the executor.

use std::collections::BTreeMap;
use std::path::Path;

use crate::edit::apply::{Changes, Message, Placement, apply};
use crate::edit::explain::EditFailure;
use crate::gate::GateResult;
use crate::gate::runner::RunError;
use crate::model::NanoDollars;
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::session::{Session, Summary};
use crate::plan::{Plan, Step};
use crate::receipt::{Halted, StepReceipt, WorkReceipt};
use crate::repo_map::RepoMap;
use crate::verifier::VerifyError;
use crate::worktree::WorktreeError;

pub mod advisor;
mod agent;
mod brief;
pub mod limits;
mod model;
mod said;
mod tools;

#[cfg(test)]
mod tests;

pub use agent::AgentExecutor;
pub use model::ModelExecutor;

use advisor::Advisor;
use limits::Limits;

/// A step to carry out.
pub struct Task<'a> {
    /// The whole plan.
    pub plan: &'a Plan,
    /// Its text.
    pub plan_text: &'a str,
    /// Its path, relative to the repository.
    pub plan_path: &'a str,
    /// Which of its steps, 0-based.
    pub index: usize,
    /// The receipts of the steps before.
    pub earlier: &'a [StepReceipt],
    /// The step's gates that were red before the plan began.
    pub red: &'a [&'a GateResult],
    /// How often the plan was begun before from nothing: a new beginning is not answered with the replies of the last one.
    pub beginnings: usize,
}

impl Task<'_> {
    /// The step.
    pub fn step(&self) -> &Step {
        &self.plan.steps[self.index]
    }
}

/// The worktree in which a step is carried out, as far as an executor may use it.
pub trait Bench {
    /// The text of a file as it is now; `None` when there is none, or none that may be read.
    fn text(&self, file: &str) -> Option<String>;

    /// Whether a file may be changed.
    fn in_scope(&self, file: &str) -> bool;

    /// Writes changes.
    fn write(&mut self, changes: &Changes) -> Result<(), BenchError>;

    /// Runs the gates of the step on the files as they are now. What the gates themselves change is put back.
    fn run_gates(&mut self) -> Result<Checked, BenchError>;

    /// The folder of the worktree, for an agent that has tools of its own; `None` where there is no such folder.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// To be called when an agent has ended, before anything else is: takes back what it did with git and what it changed outside the
    /// scope, and says what it changed since the step began.
    fn take_stock(&mut self) -> Result<Stock, BenchError> {
        Ok(Stock::default())
    }
}

/// What an agent changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// Files in scope.
    pub changed: Vec<String>,
    /// What it had changed that it may not, each with the reason: put back.
    pub outside: Vec<String>,
    /// Some of that could not be put back.
    pub is_stuck: bool,
}

/// Writes into a receipt what a session did between two looks at it.
fn book(receipt: &mut WorkReceipt, before: &Summary, after: &Summary) {
    let counted = after.spent.unpriced_calls == before.spent.unpriced_calls;
    receipt.nano_usd = counted.then_some(after.spent.known.saturating_sub(before.spent.known).0);
    receipt.prompt_tokens = after.usage.prompt().saturating_sub(before.usage.prompt());
    receipt.output_tokens = after.usage.output.saturating_sub(before.usage.output);
}

/// What carrying out so many steps may cost with this model; `None` where its price is not known.
pub fn estimate(steps: usize, bound: &Bound) -> Option<NanoDollars> {
    /// Replies of a step: read, edit, hand in, and one attempt more; our guess.
    const REPLIES: u64 = 6;
    /// Tokens the brief takes, and what the model says in all; our guess.
    const BRIEF: u64 = 12_000;
    const SAID: u64 = 6_000;
    let one = reading_cost(BRIEF, REPLIES, SAID, bound)?;
    Some((0..steps).map(|_| one).sum())
}

/// What the gates of a step gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Each of them.
    pub results: Vec<GateResult>,
    /// Why the step is not done, when it is not.
    pub red: Option<String>,
}

/// A bench that broke: nobody can go on with the step.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// git or the file system refused.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// A gate could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<VerifyError> for BenchError {
    fn from(error: VerifyError) -> BenchError {
        match error {
            VerifyError::Worktree(error) => BenchError::Worktree(error),
            VerifyError::Run(error) => BenchError::Run(error),
            VerifyError::ForeignFolder { folder } => BenchError::Worktree(WorktreeError::NotARepository { folder }),
        }
    }
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The changes are made.
    Out(Done),
    /// The edits do not fit the files.
    Refused(Vec<EditFailure>),
    /// Somebody else has to do it.
    Over,
    /// The executor stopped before it was done, for this reason.
    Halted {
        /// The kind of reason.
        halted: Halted,
        /// In words.
        why: String,
        /// How the edits were placed that it made until then.
        placed: Vec<Placement>,
        /// What was done until then.
        work: Box<WorkReceipt>,
    },
}

/// Changes that were made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// How the edits were placed.
    pub placed: Vec<Placement>,
    /// What a model took for it.
    pub work: Option<Box<WorkReceipt>>,
}

/// Carries out steps.
pub trait Executor: Sync {
    /// Its name in the receipt of a step.
    fn name(&self, step: &Step) -> String;

    /// Whether it can be told what is wrong with its work.
    fn can_mend(&self) -> bool {
        false
    }

    /// Makes the changes of a step.
    fn carry_out(&self, task: &Task<'_>, bench: &mut dyn Bench) -> Result<Carried, BenchError>;
}

/// Who carries out steps: an agent with tools of its own or a model with ours; where none is bound, exact edits alone.
pub fn chosen<'a>(
    worker: Option<(&'a Session<'a>, &'a Bound)>,
    map: &'a RepoMap,
    advisor: Option<&'a dyn Advisor>,
) -> Box<dyn Executor + 'a> {
    let Some((session, bound)) = worker else { return Box::new(ExactEdits) };
    match AgentExecutor::new(session, bound, map) {
        Some(agent) => Box::new(agent),
        None => Box::new(ModelExecutor { session, bound, map, advisor, limits: Limits::default() }),
    }
}

/// Performs the exact edits that a step carries; a step without any is handed over.
pub struct ExactEdits;

impl Executor for ExactEdits {
    fn name(&self, _step: &Step) -> String {
        "exact edits".to_owned()
    }

    fn carry_out(&self, task: &Task<'_>, bench: &mut dyn Bench) -> Result<Carried, BenchError> {
        let edits = &task.step().edits;
        if edits.is_empty() {
            return Ok(Carried::Over);
        }
        let paths = edits.iter().flat_map(|edit| edit.paths());
        let texts = paths.map(|path| (path.to_owned(), bench.text(path))).collect();
        let in_scope = |path: &str| bench.in_scope(path);
        match apply(&Message { texts: &texts, edits, in_scope: &in_scope, preimages: &BTreeMap::new() }) {
            Ok(changes) => {
                bench.write(&changes)?;
                Ok(Carried::Out(Done { placed: changes.placed, work: None }))
            }
            Err(failures) => Ok(Carried::Refused(failures)),
        }
    }
}
