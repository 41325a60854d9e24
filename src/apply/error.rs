//! What can go wrong outside a plan, and what to do about it.

use std::path::PathBuf;

use super::journal::JournalError;
use super::record::RecordError;
use crate::executor::BenchError;
use crate::gate::runner::RunError;
use crate::git::GitError;
use crate::verifier::VerifyError;
use crate::worktree::WorktreeError;

/// A plan that could not be taken up or had to be left. A plan that was taken up gets a [`Receipt`](crate::receipt::Receipt) whatever came of it.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// git or the file system refused.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// git could not read a commit.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Verification could not be done.
    #[error(transparent)]
    Verify(VerifyError),
    /// A gate could not be run.
    #[error(transparent)]
    Run(RunError),
    /// The journal could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The receipt could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Files the plan changes have uncommitted changes.
    #[error("uncommitted changes in files that the plan changes: {}", files.join(", "))]
    Dirty {
        /// The files.
        files: Vec<String>,
    },
    /// The plan's slug cannot name a branch.
    #[error("`{slug}`: not a name for a branch")]
    Slug {
        /// The slug.
        slug: String,
    },
    /// The work is there already.
    #[error("{branch}: the branch exists already")]
    BranchExists {
        /// The branch.
        branch: String,
        /// An earlier run of ours made it.
        ours: bool,
    },
    /// The plan was changed while a step was handed over, or after one was taken up.
    #[error("{plan}: the plan was changed, and the earlier run holds work that was not done by this program")]
    PlanChanged {
        /// The plan.
        plan: String,
    },
    /// No step was handed over.
    #[error("{plan}: no step of it waits to be taken up")]
    NothingToContinue {
        /// The plan.
        plan: String,
    },
    /// The user gave up.
    #[error("interrupted{}", worktree.as_ref().map(|folder| format!("; the worktree {} stays", folder.display())).unwrap_or_default())]
    Interrupted {
        /// The worktree that stays, from which the next run goes on.
        worktree: Option<PathBuf>,
    },
    /// The machine gave up in the middle of the work: a full disk, say.
    #[error("{source}{}", worktree.as_ref().map(|folder| format!("; the worktree {} stays", folder.display())).unwrap_or_default())]
    Incomplete {
        /// What it said.
        source: Box<ApplyError>,
        /// The worktree that stays.
        worktree: Option<PathBuf>,
    },
}

impl From<RunError> for ApplyError {
    fn from(error: RunError) -> ApplyError {
        match error {
            RunError::Interrupted => ApplyError::Interrupted { worktree: None },
            RunError::NotApproved { .. } | RunError::Process(_) | RunError::Sandbox(_) => ApplyError::Run(error),
        }
    }
}

impl From<BenchError> for ApplyError {
    fn from(error: BenchError) -> ApplyError {
        match error {
            BenchError::Worktree(error) => ApplyError::Worktree(error),
            BenchError::Run(error) => error.into(),
        }
    }
}

impl From<VerifyError> for ApplyError {
    fn from(error: VerifyError) -> ApplyError {
        match error {
            VerifyError::Worktree(error) => ApplyError::Worktree(error),
            VerifyError::Run(error) => error.into(),
            VerifyError::ForeignFolder { .. } => ApplyError::Verify(error),
        }
    }
}

impl ApplyError {
    /// The same error in the middle of the work, with the worktree that it leaves behind.
    pub(super) fn leaving(self, worktree: Option<PathBuf>) -> ApplyError {
        match self {
            ApplyError::Interrupted { .. } => ApplyError::Interrupted { worktree },
            error @ (ApplyError::Worktree(WorktreeError::Io { .. } | WorktreeError::Git { .. })
            | ApplyError::Journal(_)
            | ApplyError::Run(RunError::Process(_) | RunError::Sandbox(_))) => {
                ApplyError::Incomplete { source: Box::new(error), worktree }
            }
            // These say themselves what is the matter with the work.
            error => error,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ApplyError::Worktree(error) => return error.hint(),
            ApplyError::Git(error) => return error.hint(),
            ApplyError::Verify(error) => return error.hint(),
            ApplyError::Run(RunError::NotApproved { .. }) => "look at the command, then run again with `--trust`",
            ApplyError::Run(RunError::Process(error)) => return error.hint(),
            ApplyError::Run(RunError::Sandbox(error)) => return error.hint(),
            ApplyError::Run(RunError::Interrupted) => return None,
            ApplyError::Journal(error) => return error.hint(),
            ApplyError::Record(_) => return None,
            ApplyError::Dirty { .. } => "commit or stash them first: the plan is carried out on the last commit",
            ApplyError::Slug { .. } => "rename the plan to letters, digits and dashes, as in `001-what-it-does.md`",
            ApplyError::BranchExists { ours: true, .. } => {
                "merge it, discard it with `improve clean PLAN`, or start again with `improve apply --fresh`"
            }
            ApplyError::BranchExists { ours: false, .. } => "rename or delete the branch: this program did not make it",
            ApplyError::PlanChanged { .. } => {
                "take the work up with `--continue`, put the plan back, or discard the work with `--fresh`"
            }
            ApplyError::NothingToContinue { .. } => "run `improve apply` without `--continue`",
            ApplyError::Incomplete { source, .. } => {
                let again = || "see to it, then run the same command to go on, or `improve clean`".to_owned();
                return Some(source.hint().unwrap_or_else(again));
            }
            ApplyError::Interrupted { .. } => {
                "run the same command to go on at the last green step, or `improve clean`"
            }
        };
        Some(hint.to_owned())
    }

    /// The documented exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            ApplyError::Interrupted { .. } | ApplyError::Run(RunError::Interrupted) => 130,
            ApplyError::Dirty { .. } | ApplyError::PlanChanged { .. } => 4,
            ApplyError::Incomplete { .. } | ApplyError::Record(_) => 3,
            ApplyError::Worktree(_)
            | ApplyError::Git(_)
            | ApplyError::Verify(_)
            | ApplyError::Run(_)
            | ApplyError::Journal(_)
            | ApplyError::Slug { .. }
            | ApplyError::BranchExists { .. }
            | ApplyError::NothingToContinue { .. } => 2,
        }
    }
}
