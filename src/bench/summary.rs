//! What trials say of the arms: rates with their intervals, what a change costs, how two arms differ. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::edit::matching::Rung;
use crate::model::NanoDollars;

use super::statistics::{Estimate, Finding, Kind, Part, difference, differing, ratio, read};
use super::trial::{Arm, Trial};

/// What nobody told.
const UNKNOWN: Estimate = Estimate { value: None, interval: None, tasks: 0 };
/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;

/// What the trials of one arm say.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ArmSummary {
    /// The arm.
    pub arm: Arm,
    /// Trials.
    pub trials: usize,
    /// Those that ended verified.
    pub verified: usize,
    /// Those whose hidden tests pass.
    pub right: usize,
    /// Those that ended verified and whose hidden tests fail.
    pub falsely_verified: usize,
    /// Those that are right and did not end verified.
    pub right_unverified: usize,
    /// Share of trials that ended verified.
    pub verified_rate: Estimate,
    /// Share of trials whose hidden tests pass.
    pub right_rate: Estimate,
    /// Share of the verified ones whose hidden tests fail.
    pub false_verified_rate: Estimate,
    /// Edits by the rung that placed them, and those that were refused.
    pub edits: Vec<RungSummary>,
    /// Share of edits that were placed at all.
    pub applied_rate: Estimate,
    /// Tokens, prompts and answers, of all trials for each verified one; null where some were not told.
    pub tokens_per_verified: Estimate,
    /// The same for each right one.
    pub tokens_per_right: Estimate,
    /// Dollars of all trials for each verified one. Never a made-up number: null where a price is not known.
    pub usd_per_verified: Estimate,
    /// The same for each right one.
    pub usd_per_right: Estimate,
    /// Minutes of a trial.
    pub minutes: Estimate,
    /// Replies of models in all trials.
    pub calls: u64,
    /// Tokens of all trials, as far as they were told.
    pub tokens: u64,
    /// Dollars of all trials, as far as prices are known.
    pub usd: f64,
    /// Calls whose price is not known; with any, the dollars say too little.
    pub unpriced_calls: u64,
}

/// Edits at one rung of the matching ladder.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RungSummary {
    /// The rung; null for edits that were refused.
    pub rung: Option<Rung>,
    /// Edits.
    pub edits: u64,
    /// Their share of all.
    pub share: Estimate,
}

/// Two arms on the tasks that both were measured on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// The one arm.
    pub first: Arm,
    /// The other.
    pub second: Arm,
    /// Tasks that both were measured on.
    pub tasks: usize,
    /// Share of right changes, the first less the second.
    pub right_rate: Estimate,
    /// What that says.
    pub more_right: Finding,
    /// Dollars for each right change, the first less the second.
    pub usd_per_right: Estimate,
    /// What that says: who has more costs more. `cannot-tell` where a price is not known.
    pub dearer: Finding,
}

/// What the trials say of each arm that has any.
pub fn arms(trials: &[&Trial]) -> Vec<ArmSummary> {
    let of = |arm: Arm| trials.iter().copied().filter(move |trial| trial.key.arm == arm).collect::<Vec<_>>();
    Arm::ALL
        .into_iter()
        .map(|arm| (arm, of(arm)))
        .filter(|(_, own)| !own.is_empty())
        .map(|(arm, own)| summary(arm, &own))
        .collect()
}

/// Every two arms that have tasks in common.
pub fn comparisons(trials: &[&Trial]) -> Vec<Comparison> {
    let pairs = [(Arm::Single, Arm::Plan), (Arm::Single, Arm::Exact), (Arm::Plan, Arm::Exact)];
    pairs.into_iter().filter_map(|(first, second)| comparison(first, second, trials)).collect()
}

fn summary(arm: Arm, trials: &[&Trial]) -> ArmSummary {
    let count = |is: &dyn Fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count();
    let share =
        |above: &dyn Fn(&Trial) -> f64, below: &dyn Fn(&Trial) -> f64| ratio(&parts(trials, above, below), Kind::Share);
    let each =
        |above: &dyn Fn(&Trial) -> f64, below: &dyn Fn(&Trial) -> f64| ratio(&parts(trials, above, below), Kind::Each);
    let rungs = Rung::ALL.into_iter().map(Some).chain([None]);
    let edits = rungs.map(|rung| RungSummary {
        rung,
        edits: trials.iter().map(|trial| edits_at(trial, rung)).sum(),
        share: share(&|trial| edits_at(trial, rung) as f64, &|trial| all_edits(trial) as f64),
    });
    let known = |estimate: Estimate, is_known: bool| if is_known { estimate } else { UNKNOWN };
    let is_priced = trials.iter().all(|trial| trial.unpriced_calls == 0);
    // An agent may say nothing of its tokens.
    let is_told = trials.iter().all(|trial| trial.calls == 0 || tokens(trial) > 0.0);
    ArmSummary {
        arm,
        trials: trials.len(),
        verified: count(&|trial| trial.verified),
        right: count(&|trial| trial.right),
        falsely_verified: count(&Trial::is_false),
        right_unverified: count(&|trial| trial.right && !trial.verified),
        verified_rate: share(&verified, &one),
        right_rate: share(&right, &one),
        false_verified_rate: share(&|trial| f64::from(trial.is_false()), &verified),
        edits: edits.filter(|rung| rung.edits > 0).collect(),
        applied_rate: share(&|trial| (all_edits(trial) - u64::from(trial.refused)) as f64, &|trial| {
            all_edits(trial) as f64
        }),
        tokens_per_verified: known(each(&tokens, &verified), is_told),
        tokens_per_right: known(each(&tokens, &right), is_told),
        usd_per_verified: known(each(&usd, &verified), is_priced),
        usd_per_right: known(each(&usd, &right), is_priced),
        minutes: each(&|trial| trial.duration_ms as f64 / MINUTE, &one),
        tokens: trials.iter().map(|trial| trial.prompt_tokens.saturating_add(trial.output_tokens)).sum(),
        calls: trials.iter().map(|trial| trial.calls).sum(),
        usd: trials.iter().map(|trial| NanoDollars(trial.nano_usd)).sum::<NanoDollars>().dollars(),
        unpriced_calls: trials.iter().map(|trial| trial.unpriced_calls).sum(),
    }
}

fn comparison(first: Arm, second: Arm, trials: &[&Trial]) -> Option<Comparison> {
    let of = |arm: Arm| -> BTreeMap<&str, Vec<&Trial>> {
        let mut tasks: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
        for trial in trials.iter().filter(|trial| trial.key.arm == arm) {
            tasks.entry(&trial.key.task).or_default().push(trial);
        }
        tasks
    };
    let (ones, others) = (of(first), of(second));
    let both: Vec<(&[&Trial], &[&Trial])> =
        ones.iter().filter_map(|(task, one)| Some((one.as_slice(), others.get(task)?.as_slice()))).collect();
    if both.is_empty() {
        return None;
    }
    let pairs = |above: &dyn Fn(&Trial) -> f64, below: &dyn Fn(&Trial) -> f64| -> Vec<(Part, Part)> {
        both.iter().map(|(one, other)| (part(one, above, below), part(other, above, below))).collect()
    };
    let compared = |pairs: &[(Part, Part)]| {
        let difference = difference(pairs);
        (difference, read(&difference, differing(pairs)))
    };
    let (right_rate, more_right) = compared(&pairs(&right, &one));
    let unpriced =
        both.iter().flat_map(|(one, other)| one.iter().chain(other.iter())).any(|trial| trial.unpriced_calls > 0);
    let (usd_per_right, dearer) =
        if unpriced { (UNKNOWN, Finding::CannotTell) } else { compared(&pairs(&usd, &right)) };
    Some(Comparison { first, second, tasks: both.len(), right_rate, more_right, usd_per_right, dearer })
}

/// What each task adds, all its repetitions together.
fn parts(trials: &[&Trial], above: &dyn Fn(&Trial) -> f64, below: &dyn Fn(&Trial) -> f64) -> Vec<Part> {
    let mut tasks: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    trials.iter().for_each(|trial| tasks.entry(&trial.key.task).or_default().push(trial));
    tasks.values().map(|trials| part(trials, above, below)).collect()
}

fn part(trials: &[&Trial], above: &dyn Fn(&Trial) -> f64, below: &dyn Fn(&Trial) -> f64) -> Part {
    Part::new(trials.iter().map(|trial| above(trial)).sum(), trials.iter().map(|trial| below(trial)).sum())
}

fn one(_: &Trial) -> f64 {
    1.0
}

fn verified(trial: &Trial) -> f64 {
    f64::from(trial.verified)
}

fn right(trial: &Trial) -> f64 {
    f64::from(trial.right)
}

fn tokens(trial: &Trial) -> f64 {
    trial.prompt_tokens.saturating_add(trial.output_tokens) as f64
}

fn usd(trial: &Trial) -> f64 {
    NanoDollars(trial.nano_usd).dollars()
}

/// Edits that took a rung, or were refused.
fn edits_at(trial: &Trial, rung: Option<Rung>) -> u64 {
    match rung {
        Some(rung) => trial.placed.get(&rung).copied().map_or(0, u64::from),
        None => u64::from(trial.refused),
    }
}

fn all_edits(trial: &Trial) -> u64 {
    trial.placed.values().copied().map(u64::from).sum::<u64>() + u64::from(trial.refused)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::bench::trial::{Models, SCHEMA_VERSION, TrialKey};
    use crate::receipt::Outcome;

    /// A trial that ended `[verified, right]`, for a dollar, in a minute.
    pub(crate) fn trial(task: &str, arm: Arm, repetition: u32, [verified, right]: [bool; 2]) -> Trial {
        let models = Models { executor: Some("lab/small".to_owned()), ..Models::default() };
        let key = TrialKey {
            task: task.to_owned(),
            task_sha256: "0".to_owned(),
            arm,
            repetition,
            models,
            prompts: 1,
            version: "0.1.0".to_owned(),
        };
        Trial {
            schema_version: SCHEMA_VERSION,
            key,
            kind: "correctness".to_owned(),
            outcome: Some(if verified { Outcome::Verified } else { Outcome::Failed }),
            verified,
            right,
            changed: true,
            why: String::new(),
            placed: BTreeMap::from([(Rung::Exact, 3), (Rung::IndentShift, 1)]),
            refused: 1,
            calls: 4,
            prompt_tokens: 900,
            output_tokens: 100,
            nano_usd: 1_000_000_000,
            unpriced_calls: 0,
            duration_ms: 60_000,
            started_at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    fn of(arm: Arm, outcomes: &[[bool; 2]]) -> Vec<Trial> {
        outcomes.iter().enumerate().map(|(at, outcome)| trial(&format!("task{at}"), arm, 1, *outcome)).collect()
    }

    #[test]
    fn an_arm_is_summed_up() {
        let trials = of(Arm::Plan, &[[true, true], [true, false], [false, true], [false, false]]);
        let trials: Vec<&Trial> = trials.iter().collect();
        let [arm] = arms(&trials).try_into().expect("one arm");
        assert_eq!((arm.trials, arm.verified, arm.right, arm.falsely_verified, arm.right_unverified), (4, 2, 2, 1, 1));
        let values =
            [&arm.verified_rate, &arm.right_rate, &arm.false_verified_rate, &arm.applied_rate].map(|it| it.value);
        assert_eq!(values, [Some(0.5), Some(0.5), Some(0.5), Some(0.8)]);
        let values = [&arm.tokens_per_verified, &arm.usd_per_right, &arm.minutes].map(|it| it.value);
        assert_eq!(values, [Some(2_000.0), Some(2.0), Some(1.0)]);
        let edits: Vec<_> = arm.edits.iter().map(|rung| (rung.rung, rung.edits, rung.share.value)).collect();
        let expected =
            [(Some(Rung::Exact), 12, Some(0.6)), (Some(Rung::IndentShift), 4, Some(0.2)), (None, 4, Some(0.2))];
        assert_eq!(edits, expected);
        assert_eq!((arm.usd, arm.tokens, arm.calls), (4.0, 4_000, 16));
    }

    #[test]
    fn the_single_model_wins_where_it_does() {
        let outcomes = |right: bool| vec![[right, right]; 8];
        let mut trials = of(Arm::Single, &outcomes(true));
        trials.extend(of(Arm::Plan, &outcomes(false)));
        let trials: Vec<&Trial> = trials.iter().collect();
        let [comparison] = comparisons(&trials).try_into().expect("two arms");
        assert_eq!((comparison.first, comparison.second, comparison.tasks), (Arm::Single, Arm::Plan, 8));
        assert_eq!((comparison.right_rate.value, comparison.more_right), (Some(1.0), Finding::FirstHasMore));
        assert_eq!(comparison.usd_per_right.value, None, "the other bought nothing");
    }

    #[test]
    fn tasks_that_one_arm_did_not_see_are_not_compared() {
        let mut trials = of(Arm::Single, &[[true, true], [true, true]]);
        trials.extend(of(Arm::Exact, &[[true, true]]));
        let trials: Vec<&Trial> = trials.iter().collect();
        let comparisons = comparisons(&trials);
        assert_eq!(
            comparisons.iter().map(|it| (it.tasks, it.more_right)).collect::<Vec<_>>(),
            [(1, Finding::TooFewTasks)]
        );
    }

    #[test]
    fn an_unknown_price_says_nothing_of_who_is_dearer() {
        let mut trials = of(Arm::Single, &[[true, true]; 8]);
        trials.iter_mut().for_each(|trial| trial.nano_usd = 9);
        trials.extend(of(Arm::Plan, &[[true, true]; 8]));
        let dearer = |trials: &[Trial]| comparisons(&trials.iter().collect::<Vec<_>>())[0].dearer;
        assert_eq!(dearer(&trials), Finding::SecondHasMore);
        trials[0].unpriced_calls = 1;
        assert_eq!(dearer(&trials), Finding::CannotTell);
        let arms = arms(&trials.iter().collect::<Vec<_>>());
        assert_eq!(arms[0].usd_per_right.value, None, "never a made-up zero");
        assert_eq!(arms[0].tokens_per_right.value, Some(1_000.0));
    }
}
