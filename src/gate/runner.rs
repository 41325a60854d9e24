//! Running many gates: each command once, only commands that were agreed to, with progress and cancellation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::summary::TestCounts;
use super::{GateLimits, GateResult, Outcome, observe};
use crate::cancel::Cancel;
use crate::observer::{Event, Observer};
use crate::plan::Gate;
use crate::process::{End, ProcessError};
use crate::trust::Approved;

/// Runs gates.
pub struct Runner<'a> {
    /// Commands that may be run.
    pub approved: &'a Approved,
    /// What each may take.
    pub limits: GateLimits,
    /// Where the process id of the command that runs is kept; `None` keeps it nowhere.
    pub record: Option<PathBuf>,
    /// Hears of them.
    pub observer: &'a dyn Observer,
    /// Stops them.
    pub cancel: &'a Cancel,
}

/// Gates that could not all be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user never agreed to the command.
    #[error("`{command}`: not a command you agreed to run")]
    NotApproved {
        /// The command line.
        command: String,
    },
    /// The user gave up.
    #[error("interrupted")]
    Interrupted,
    /// The shell could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A gate and whose it is.
pub type OwnedGate<'p> = (String, &'p Gate);

impl Runner<'_> {
    /// Runs every gate in `folder`, in order. Gates that share a command share its run: on the same files it gives the same.
    pub fn run_all(
        &self,
        gates: &[OwnedGate<'_>],
        folder: &Path,
        base_tests: &dyn Fn(&str) -> Option<TestCounts>,
    ) -> Result<Vec<GateResult>, RunError> {
        let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
        let mut results = Vec::with_capacity(gates.len());
        for (of, gate) in gates {
            let command = gate.command.as_str();
            if !outcomes.contains_key(command) {
                outcomes.insert(command, self.observe(of, command, folder)?);
            }
            let result = outcomes[command].against(gate, self.limits, base_tests(command));
            self.observer.event(&Event::GateFinished { of, result: &result });
            results.push(result);
        }
        Ok(results)
    }

    fn observe(&self, of: &str, command: &str, folder: &Path) -> Result<Outcome, RunError> {
        if !self.approved.allows(command) {
            return Err(RunError::NotApproved { command: command.to_owned() });
        }
        if self.cancel.is_cancelled() {
            return Err(RunError::Interrupted);
        }
        self.observer.event(&Event::GateStarted { of, command });
        let outcome = observe(command, folder, self.limits, self.record.as_deref(), self.cancel)?;
        if outcome.end == End::Cancelled { Err(RunError::Interrupted) } else { Ok(outcome) }
    }
}
