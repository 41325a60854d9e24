//! Resuming: what an earlier run of the same plan did, told from its journal, and where to go on.

use super::course::Addition;
use super::journal::{Entry, Journal};
use super::{ApplyError, ApplyRequest, Earlier, branch_of, steps};
use crate::edit::apply::sha256;
use crate::receipt::{BaselineEntry, Outcome, Prepared, StepReceipt};
use crate::reconcile::RunState;
use crate::worktree::leftover::REPLAY;
use crate::worktree::{Place, Worktree, WorktreeError};

/// Where to go on.
pub(super) enum Start {
    /// From the beginning.
    Fresh,
    /// After the last green step.
    Resume(Box<Resumed>),
    /// Nowhere: a step is handed over and was not taken up.
    Waiting(Box<Resumed>),
}

/// What an earlier run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Resumed {
    pub base: String,
    pub prepared: Option<Prepared>,
    pub baseline: Option<Vec<BaselineEntry>>,
    /// Green steps, in order.
    pub steps: Vec<StepReceipt>,
    /// The step that waits, 0-based.
    pub handed_over: Option<usize>,
    /// What was added to the plan.
    pub additions: Vec<Addition>,
    plan_sha256: String,
    step_count: usize,
    finished: Option<Outcome>,
}

impl Resumed {
    /// Nothing was done yet.
    pub fn new(base: &str) -> Resumed {
        Resumed { base: base.to_owned(), ..Resumed::default() }
    }

    /// The same with these steps done.
    pub fn after(self, steps: Vec<StepReceipt>) -> Resumed {
        Resumed { steps, handed_over: None, ..self }
    }

    /// What the entries of a journal say; `None` when no run began.
    fn read(entries: &[Entry]) -> Option<Resumed> {
        let mut resumed: Option<Resumed> = None;
        for entry in entries {
            if let Entry::Started { plan_sha256, base, steps, plan: _ } = entry {
                let plan_sha256 = plan_sha256.clone();
                resumed = Some(Resumed { plan_sha256, step_count: *steps, ..Resumed::new(base) });
                continue;
            }
            let resumed = resumed.as_mut()?;
            match entry {
                Entry::Started { .. } => {}
                Entry::Prepared { prepared } => resumed.prepared = Some(prepared.clone()),
                Entry::Baseline { entries } => resumed.baseline = Some(entries.clone()),
                Entry::StepGreen { step } => {
                    resumed.steps.push(step.as_ref().clone());
                    resumed.handed_over = None;
                    resumed.finished = None;
                }
                Entry::HandedOver { index } => resumed.handed_over = Some(*index),
                Entry::TakenUp { .. } => resumed.finished = None,
                Entry::Mending { step } => {
                    resumed.additions.push(Addition::Step(step.clone()));
                    resumed.finished = None;
                }
                Entry::Revised { plan } => {
                    resumed.additions.push(Addition::Plan(plan.clone()));
                    resumed.finished = None;
                }
                Entry::Finished { outcome, .. } => resumed.finished = Some(*outcome),
            }
        }
        resumed
    }

    /// The commit to go on from.
    pub fn last_green(&self) -> &str {
        self.steps.iter().rev().find_map(|step| step.commit.as_deref()).unwrap_or(&self.base)
    }

    /// Whether a commit holds what somebody else did, which a new run could not do again.
    fn has_work_of_others(&self) -> bool {
        self.steps.iter().any(|step| step.commit.is_some() && step.executor.as_deref() == Some(steps::SOMEBODY))
    }

    /// Whether `text` is the plan as this run revised it.
    fn is_revised_as(&self, text: &str) -> bool {
        self.additions.iter().any(|addition| matches!(addition, Addition::Plan(plan) if plan == text))
    }

    fn has_commits(&self) -> bool {
        self.steps.iter().any(|step| step.commit.is_some())
    }
}

/// How far a plan's last run came, by its journal.
pub fn how_far(place: &Place, slug: &str) -> Result<RunState, ApplyError> {
    let entries = Journal::read(&place.journal_of(slug))?;
    Ok(match Resumed::read(&entries) {
        Some(resumed) if resumed.handed_over.is_some() => RunState::Waiting,
        Some(Resumed { finished: None, .. }) => RunState::Unfinished,
        Some(_) | None => RunState::None,
    })
}

/// Where to go on, given what the journal says and what the user asked for.
pub(super) fn decide(request: &ApplyRequest<'_>, place: &Place, entries: &[Entry]) -> Result<Start, ApplyError> {
    let branch = branch_of(request.slug);
    let has_branch = place.has_branch(&branch)?;
    let plan = || request.plan_path.to_owned();
    let Some(resumed) = Resumed::read(entries) else {
        return match (request.options.earlier, has_branch) {
            (_, true) => Err(ApplyError::BranchExists { branch, ours: false }),
            (Earlier::Continue, false) => Err(ApplyError::NothingToContinue { plan: plan() }),
            (Earlier::Resume | Earlier::Discard, false) => Ok(Start::Fresh),
        };
    };
    let same_plan = resumed.plan_sha256 == sha256(request.plan_text) || resumed.is_revised_as(request.plan_text);
    let same_shape = resumed.step_count == request.plan.steps.len();
    let waiting = resumed.handed_over.is_some();
    let waiting_or_theirs = waiting || resumed.has_work_of_others();
    match request.options.earlier {
        Earlier::Discard => Ok(Start::Fresh),
        Earlier::Continue if waiting_or_theirs && (same_plan || same_shape) => Ok(Start::Resume(Box::new(resumed))),
        Earlier::Continue if waiting_or_theirs => Err(ApplyError::PlanChanged { plan: plan() }),
        Earlier::Continue => Err(ApplyError::NothingToContinue { plan: plan() }),
        Earlier::Resume if waiting && same_plan => Ok(Start::Waiting(Box::new(resumed))),
        Earlier::Resume if waiting => Err(ApplyError::PlanChanged { plan: plan() }),
        Earlier::Resume => match resumed.finished {
            // The work is done, as well as it could be told; it waits to be merged.
            Some(Outcome::Verified | Outcome::PartlyVerified | Outcome::Unverified) if has_branch => {
                Err(ApplyError::BranchExists { branch, ours: true })
            }
            Some(_) | None if !same_plan && has_branch && resumed.has_work_of_others() => {
                Err(ApplyError::PlanChanged { plan: plan() })
            }
            Some(_) if !has_branch || !resumed.has_commits() || !same_plan => Ok(Start::Fresh),
            None if !same_plan => Ok(Start::Fresh),
            Some(_) | None => Ok(Start::Resume(Box::new(resumed))),
        },
    }
}

/// Removes what an earlier run of this plan made, and sets its journal aside.
pub(super) fn discard(request: &ApplyRequest<'_>, place: &Place, journal: &mut Journal<'_>) -> Result<(), ApplyError> {
    Worktree::remove(place, &format!("{}{REPLAY}", request.slug))?;
    Worktree::remove(place, request.slug)?;
    if !journal.is_empty() {
        place.delete_branch(&branch_of(request.slug))?;
        journal.begin_again()?;
    }
    Ok(())
}

/// The worktree to go on in: the one that is there, or a new one on the branch as its last green step left it.
pub(super) fn worktree(place: &Place, slug: &str, branch: &str, resumed: &Resumed) -> Result<Worktree, WorktreeError> {
    Worktree::remove(place, &format!("{slug}{REPLAY}"))?;
    Worktree::remove_stale_locks(place, slug, branch);
    let existing = Worktree::at(place, slug).and_then(|worktree| worktree.head().map(|_| worktree));
    match existing {
        Ok(mut worktree) => {
            worktree.set_aside(resumed.prepared.as_ref().map_or(&[], |prepared| &prepared.aside));
            // Whoever took a step up may have committed it; the host commits again, once its gates are green. An agent that was killed
            // with us may have left HEAD on another branch, which must not be moved.
            let is_there = worktree.head()? == resumed.last_green();
            worktree.bring_back_to(branch, resumed.last_green())?;
            if !is_there && resumed.handed_over.is_none() {
                worktree.reset_to(resumed.last_green())?;
            }
            Ok(worktree)
        }
        Err(error @ WorktreeError::PointerChanged { .. }) => Err(error),
        Err(error) if resumed.handed_over.is_some() && place.folder_of(slug).is_dir() => Err(error),
        Err(_) => {
            place.delete_branch(branch)?;
            Worktree::create(place, slug, resumed.last_green(), Some(branch))
        }
    }
}
