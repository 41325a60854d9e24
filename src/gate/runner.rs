//! Running many gates: each command once, only commands that were agreed to, with progress and cancellation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::memory::Memory;
use super::summary::TestCounts;
use super::{GateLimits, GateResult, ObserveError, Outcome, observe};
use crate::cancel::Cancel;
use crate::edit::apply::sha256;
use crate::observer::{Event, Observer};
use crate::plan::Gate;
use crate::process::{End, Environment, ProcessError};
use crate::sandbox::policy::{Ground, Purpose};
use crate::sandbox::{Sandbox, SandboxError};
use crate::trust::Approved;
use crate::worktree::Worktree;

/// Runs gates.
pub struct Runner<'a> {
    /// Commands that may be run.
    pub approved: &'a Approved,
    /// What each may take.
    pub limits: GateLimits,
    /// How far they are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// The git folder of the repository.
    pub git: &'a Path,
    /// Where the process id of the command that runs is kept; `None` keeps it nowhere.
    pub record: Option<PathBuf>,
    /// Where the output of the command that runs is kept, for whoever looks, and after a kill; `None` keeps it nowhere.
    pub output: Option<PathBuf>,
    /// Hears of them.
    pub observer: &'a dyn Observer,
    /// Stops them.
    pub cancel: &'a Cancel,
    /// What they gave before on the same files.
    pub memory: Memory,
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
    /// The command could not be confined.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// A gate and whose it is.
pub type OwnedGate<'p> = (String, &'p Gate);

impl Runner<'_> {
    /// Runs every gate in `worktree`, in order. Gates that share a command share its run: on the same files it gives the same.
    pub fn run_all(
        &self,
        gates: &[OwnedGate<'_>],
        worktree: &Worktree,
        base_tests: &dyn Fn(&str) -> Option<TestCounts>,
    ) -> Result<Vec<GateResult>, RunError> {
        let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
        let mut results = Vec::with_capacity(gates.len());
        let mut ground = self.ground_of(worktree);
        for (of, gate) in gates {
            let (command, base_tests) = (gate.command.as_str(), base_tests(&gate.command));
            let recall = |ground: &String| self.memory.recall(ground, gate, self.limits, base_tests);
            let result = if let Some(outcome) = outcomes.get(command) {
                outcome.against(gate, self.limits, base_tests)
            } else if let Some(result) = ground.as_ref().and_then(recall) {
                result
            } else {
                self.memory.stand_on(ground.as_deref().unwrap_or_default());
                let outcome = self.observe(of, command, worktree.folder(), Purpose::Check)?;
                let result = outcome.against(gate, self.limits, base_tests);
                let before = std::mem::replace(&mut ground, self.ground_of(worktree));
                if before.is_some() && before == ground {
                    self.memory.keep(&outcome, &result);
                }
                outcomes.insert(command, outcome);
                result
            };
            self.observer.event(&Event::GateFinished { of, result: &result });
            results.push(result);
        }
        Ok(results)
    }

    /// Runs the command of a gate once more, where what it gave has to be the same again.
    pub fn run_again(&self, of: &str, gate: &Gate, folder: &Path) -> Result<Outcome, RunError> {
        self.observe(&format!("{of}, once more"), &gate.command, folder, Purpose::Check)
    }

    /// Runs a command that fetches dependencies: it has the network, and may fill the caches of package managers.
    pub fn run_install(&self, gate: &Gate, folder: &Path) -> Result<GateResult, RunError> {
        let of = "install";
        let outcome = self.observe(of, &gate.command, folder, Purpose::Prepare)?;
        let result = outcome.against(gate, self.limits, None);
        self.observer.event(&Event::GateFinished { of, result: &result });
        Ok(result)
    }

    /// What a command that runs in `worktree` stands on, as one id; `None` where that is not known.
    fn ground_of(&self, worktree: &Worktree) -> Option<String> {
        let level = self.sandbox.level().word().to_owned();
        let parts = [worktree.birth()?, worktree.tree().ok()??, level, Environment::inherited().digest()];
        Some(sha256(&parts.join("\n")))
    }

    fn observe(&self, of: &str, command: &str, folder: &Path, purpose: Purpose) -> Result<Outcome, RunError> {
        if !self.approved.allows(command) {
            return Err(RunError::NotApproved { command: command.to_owned() });
        }
        if self.cancel.is_cancelled() {
            return Err(RunError::Interrupted);
        }
        self.observer.event(&Event::GateStarted { of, command });
        let ground = Ground { folder, git: Some(self.git), purpose };
        let (record, output) = (self.record.as_deref(), self.output.as_deref());
        let outcome = observe(command, &ground, self.sandbox, self.limits, record, output, self.cancel)?;
        if outcome.end == End::Cancelled { Err(RunError::Interrupted) } else { Ok(outcome) }
    }
}

impl From<ObserveError> for RunError {
    fn from(error: ObserveError) -> RunError {
        match error {
            ObserveError::Process(error) => RunError::Process(error),
            ObserveError::Sandbox(error) => RunError::Sandbox(error),
        }
    }
}
