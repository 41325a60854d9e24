//! Who is measured: the models of each arm, what makes two trials of theirs the same, and what they cost about.

use crate::executor;
use crate::model::roles::Bound;
use crate::model::{NanoDollars, prompts_version};
use crate::verifier::opinion;

use super::task::Task;
use super::trial::{Arm, Models, TrialKey};

/// Steps that a plan for one defect has; our guess, for estimates alone.
const STEPS: usize = 2;

/// Who is measured.
#[derive(Debug, Clone, Default)]
pub struct Crew {
    /// Writes plans.
    pub planner: Option<Bound>,
    /// Carries them out.
    pub executor: Option<Bound>,
    /// Works alone.
    pub single: Option<Bound>,
    /// Reads plans cold, and finished work, in every arm that asks models.
    pub verifier: Option<Bound>,
}

impl Crew {
    /// The models that take part in an arm; `None` where it cannot be measured without one that is missing.
    pub fn models(&self, arm: Arm) -> Option<Models> {
        let name = |bound: &Option<Bound>| bound.as_ref().map(named);
        match arm {
            Arm::Single => {
                let executor = Some(name(&self.single)?);
                Some(Models { executor, verifier: name(&self.verifier), planner: None })
            }
            Arm::Plan => {
                let (planner, executor) = (Some(name(&self.planner)?), Some(name(&self.executor)?));
                Some(Models { planner, executor, verifier: name(&self.verifier) })
            }
            Arm::Exact => {
                let planner = name(&self.planner);
                let verifier = planner.as_ref().and_then(|_| name(&self.verifier));
                Some(Models { planner, executor: None, verifier })
            }
        }
    }

    /// What an arm costs on so many tasks about; `None` where a price is not known. Ours to guess.
    pub fn estimate(&self, arm: Arm, tasks: usize) -> Option<NanoDollars> {
        let planning = |bound: &Bound| crate::planner::specify::estimate(tasks, 2_000, bound);
        let carrying = |steps: usize, bound: &Bound| executor::estimate(steps * tasks, bound);
        let reading = |times: usize| match &self.verifier {
            Some(bound) => opinion::estimate(times * tasks, bound),
            None => Some(NanoDollars::ZERO),
        };
        let sum =
            |parts: [Option<NanoDollars>; 3]| parts.into_iter().try_fold(NanoDollars::ZERO, |sum, it| Some(sum + it?));
        match arm {
            Arm::Single => sum([carrying(1, self.single.as_ref()?), reading(1), Some(NanoDollars::ZERO)]),
            Arm::Plan => sum([planning(self.planner.as_ref()?), carrying(STEPS, self.executor.as_ref()?), reading(2)]),
            Arm::Exact => match &self.planner {
                Some(bound) => sum([planning(bound), reading(2), Some(NanoDollars::ZERO)]),
                None => Some(NanoDollars::ZERO),
            },
        }
    }

    /// What makes a trial of this crew the same as another.
    pub fn key(&self, task: &Task, arm: Arm, repetition: u32) -> Option<TrialKey> {
        let models = self.models(arm)?;
        // A recipe asks nobody, whoever is bound.
        let models = if arm == Arm::Exact && task.manifest.rule.is_some() { Models::default() } else { models };
        let (id, sha256) = (task.id.clone(), task.sha256.clone());
        let (prompts, version) = (prompts_version(), env!("CARGO_PKG_VERSION").to_owned());
        Some(TrialKey { task: id, task_sha256: sha256, arm, repetition, models, prompts, version })
    }
}

/// A model as it is measured: how hard it thinks makes it another one.
fn named(bound: &Bound) -> String {
    match bound.reasoning.filter(|_| bound.takes_reasoning()) {
        None => bound.name(),
        Some(reasoning) => format!("{} ({})", bound.name(), reasoning.label()),
    }
}
