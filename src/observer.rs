//! Progress: what long-running stages say while they run.

use crate::gate::GateResult;

/// Hears of progress. Everything is also in the receipt, so an observer may ignore what it likes.
pub trait Observer: Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A phase began.
    Phase(Phase),
    /// A command was started for `of`: `step 2`, `criterion 1`, `install`.
    GateStarted {
        /// Whose gate it is.
        of: &'a str,
        /// The command line.
        command: &'a str,
    },
    /// A gate was judged.
    GateFinished {
        /// Whose gate it is.
        of: &'a str,
        /// What it gave.
        result: &'a GateResult,
    },
    /// A step began.
    StepStarted {
        /// 1-based.
        step: usize,
        /// How many there are.
        steps: usize,
        /// Its title.
        title: &'a str,
    },
    /// A step is green and, where it changed something, committed.
    StepGreen {
        /// 1-based.
        step: usize,
        /// The commit it became.
        commit: Option<&'a str>,
    },
    /// The journal has a new entry on disk.
    Journalled(&'a str),
    /// Something worth knowing.
    Note(&'a str),
}

/// A phase of applying or verifying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Does the plan fit the repository?
    Check,
    /// Worktree, ignored files, dependencies.
    Prepare,
    /// Every gate on the untouched base.
    Baseline,
    /// Steps.
    Steps,
    /// Done criteria in a second, clean worktree.
    Verify,
}

/// Hears nothing.
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event<'_>) {}
}
