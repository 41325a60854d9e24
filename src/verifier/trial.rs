//! A trial: a worktree at the commit plans start from, in which gates are run before anybody relies on them. Nothing of a plan is
//! carried out in it.

use super::VerifyError;
use super::baseline::Baseline;
use super::prepare::prepare;
use super::scope::ScopeRules;
use crate::cancel::Cancel;
use crate::gate::memory::Memory;
use crate::gate::runner::Runner;
use crate::gate::{GateLimits, GateResult};
use crate::observer::{Event, Observer, Phase};
use crate::plan::{Gate, Plan};
use crate::receipt::BaselineEntry;
use crate::sandbox::Sandbox;
use crate::trust::Approved;
use crate::worktree::lease::Lease;
use crate::worktree::{Place, Worktree};

/// Where gates are tried. It is removed with the value.
pub struct Trial {
    place: Place,
    name: String,
    worktree: Worktree,
    lease: Option<Lease>,
    /// What was run already: on the same files it gives the same.
    known: Vec<BaselineEntry>,
}

/// How gates are run in a trial.
#[derive(Clone, Copy)]
pub struct TrialRun<'a> {
    /// Commands that may be run.
    pub approved: &'a Approved,
    /// How far they are kept from the rest of the machine.
    pub sandbox: &'a Sandbox,
    /// What each may take.
    pub limits: GateLimits,
    /// Hears of them.
    pub observer: &'a dyn Observer,
    /// Stops them.
    pub cancel: &'a Cancel,
}

impl Trial {
    /// A trial at HEAD, prepared with `install`; or why the install command failed.
    pub fn open(place: &Place, install: Option<&str>, run: TrialRun<'_>) -> Result<Result<Trial, String>, VerifyError> {
        let name = format!("planning-{}", std::process::id());
        let lease = Lease::take(place, &name, "", "")?;
        let head = place.commit_of(None)?;
        let worktree = Worktree::create(place, &name, &head, None)?;
        // From here on, dropping the value cleans up.
        let mut trial = Trial { place: place.clone(), name, worktree, lease: Some(lease), known: Vec::new() };
        run.observer.event(&Event::Phase(Phase::Prepare));
        let rules = ScopeRules::of(&Plan::default(), "");
        let runner = runner(place, &trial.name, run);
        let prepared = prepare(place, &mut trial.worktree, install, &rules, &runner)?;
        Ok(match prepared.install.filter(|install| !install.green) {
            Some(install) => Err(format!("`{}`: {}", install.command, install.why)),
            None => Ok(trial),
        })
    }

    /// Runs those gates of `plan` that may be run.
    pub fn measure(&mut self, plan: &Plan, run: TrialRun<'_>) -> Result<Baseline, VerifyError> {
        let mut part = plan.clone();
        let may_run = |gate: &Gate| run.approved.allows(&gate.command);
        let is_known = |gate: &Gate| self.known.iter().any(|entry| expects_same(&entry.result, gate));
        let keep = |gates: &mut Vec<Gate>| gates.retain(|gate| may_run(gate) && !is_known(gate));
        part.steps.iter_mut().for_each(|step| keep(&mut step.gates));
        part.done_criteria.iter_mut().for_each(|criterion| keep(&mut criterion.gates));
        run.observer.event(&Event::Phase(Phase::Baseline));
        let measured = Baseline::measure(&part, &self.worktree, &runner(&self.place, &self.name, run))?;
        self.known.extend(measured.entries());
        let gates = |plan: &Plan| -> Vec<Gate> {
            let steps = plan.steps.iter().flat_map(|step| step.gates.clone());
            steps.chain(plan.done_criteria.iter().flat_map(|criterion| criterion.gates.clone())).collect()
        };
        let of_plan = gates(plan);
        let entries = self.known.iter().filter(|entry| of_plan.iter().any(|gate| expects_same(&entry.result, gate)));
        Ok(Baseline::from_entries(entries.cloned().collect()))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // What cannot be removed now is a leftover, which `improve clean` lists.
        let _ = Worktree::remove(&self.place, &self.name);
        let _ = self.lease.take().map(Lease::end);
    }
}

fn runner<'a>(place: &'a Place, name: &str, run: TrialRun<'a>) -> Runner<'a> {
    let TrialRun { approved, sandbox, limits, observer, cancel } = run;
    let (record, memory) = (Some(place.running_of(name)), Memory::default());
    Runner { approved, limits, sandbox, git: place.common(), record, output: None, observer, cancel, memory }
}

fn expects_same(result: &GateResult, gate: &Gate) -> bool {
    result.command == gate.command && result.expectation == gate.expectation
}
