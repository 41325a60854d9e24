//! Money in a report: what the ledger measured, and apart from it what is only expected.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::PlanNode;
use super::status::Spending;
use crate::model::catalogue::{Service, entry};
use crate::model::ledger::{Line, Read};
use crate::model::{NanoDollars, Role};

/// What models took in a repository, and what is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Money {
    /// Measured: what models took so far, by the ledger; null when none was ever asked.
    pub spending: Option<Spending>,
    /// Measured: runs of `improve apply` that came to a verdict.
    pub runs: usize,
    /// Measured: those of them that ended verified.
    pub verified: usize,
    /// Estimate: what the open plans say that they take; null where none says it.
    pub open_plans: Option<OpenPlans>,
    /// Estimate: what carrying out would have cost by the planner's model; null where nothing was carried out by another one whose price
    /// is known.
    pub planner_instead: Option<PlannerInstead>,
}

/// What the open plans say that they take: guesses of who wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenPlans {
    /// Plans that say it.
    pub plans: usize,
    /// Those of them that are carried out without a model.
    pub without_a_model: usize,
    /// Minutes, one plan after the other.
    pub minutes: u64,
    /// Tokens.
    pub tokens: u64,
}

/// What the steps cost, and what the same tokens cost at the price of the planner's model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannerInstead {
    /// The planner's model, `provider/model`.
    pub model: String,
    /// Calls of executors whose tokens and price are known.
    pub calls: u64,
    /// What they cost, in billionths of a dollar.
    pub nano_usd: u64,
    /// What as many tokens cost at the planner's price.
    pub planner_nano_usd: u64,
}

impl Money {
    /// What a ledger and plans say; `runs` came to a verdict, `verified` of them to a good one.
    pub fn of(ledger: &Read, plans: &[PlanNode], runs: usize, verified: usize) -> Money {
        Money {
            spending: Spending::of(ledger),
            runs,
            verified,
            open_plans: open_plans(plans),
            planner_instead: planner_instead(&ledger.lines),
        }
    }

    /// What a verified plan cost, planning and verifying included.
    pub fn per_verified(&self) -> Option<NanoDollars> {
        let spent = self.spending.as_ref()?.nano_usd;
        spent.checked_div(u64::try_from(self.verified).ok()?).map(NanoDollars)
    }
}

fn open_plans(plans: &[PlanNode]) -> Option<OpenPlans> {
    let mut sum = OpenPlans::default();
    for plan in plans.iter().filter(|plan| plan.is_open()) {
        let Some((minutes, tokens)) = plan.estimate.as_deref().and_then(amounts) else { continue };
        sum.plans += 1;
        sum.without_a_model += usize::from(tokens == 0);
        sum.minutes = sum.minutes.saturating_add(minutes);
        sum.tokens = sum.tokens.saturating_add(tokens);
    }
    (sum.plans > 0).then_some(sum)
}

/// Minutes and tokens of `20 minutes, about 9 000 tokens`.
fn amounts(estimate: &str) -> Option<(u64, u64)> {
    let before = |word: &str| {
        let digits: String = estimate[..estimate.find(word)?]
            .chars()
            .rev()
            .take_while(|it| it.is_ascii_digit() || matches!(it, ' ' | ',' | '\u{a0}' | '\u{202f}'))
            .filter(char::is_ascii_digit)
            .collect();
        digits.chars().rev().collect::<String>().parse::<u64>().ok()
    };
    Some((before("minute")?, before("token")?))
}

/// The newest planner whose price is known stands for what would have been used without executors.
fn planner_instead(lines: &[Line]) -> Option<PlannerInstead> {
    let planner = lines.iter().rev().find(|line| line.role == Role::Planner)?;
    let price = &entry(&planner.provider, &planner.model)?.price;
    let mut instead = PlannerInstead {
        model: format!("{}/{}", planner.provider, planner.model),
        calls: 0,
        nano_usd: 0,
        planner_nano_usd: 0,
    };
    let of_executors = lines.iter().filter(|line| line.role == Role::Executor && line.model != planner.model);
    for line in of_executors {
        let (Some(usage), Some(cost)) = (line.usage, line.cost) else { continue };
        let service = if line.batch { Service::Batch } else { Service::Standard };
        instead.calls += 1;
        instead.nano_usd = instead.nano_usd.saturating_add(cost.0);
        instead.planner_nano_usd = instead.planner_nano_usd.saturating_add(price.cost(&usage, service).0);
    }
    (instead.calls > 0).then_some(instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Usage;

    fn line(role: Role, model: &str, cost: Option<u64>) -> Line {
        Line {
            time: "2026-11-21T10:00:00Z".to_owned(),
            run: "r".to_owned(),
            role,
            purpose: "step 1".to_owned(),
            plan: None,
            prompts: 1,
            attempt: 1,
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            answered_by: None,
            usage: Some(Usage { fresh: 1_000, output: 100, ..Usage::default() }),
            cost: cost.map(NanoDollars),
            price_as_of: "2026-11-21".to_owned(),
            batch: false,
            request_id: None,
            outcome: "end".to_owned(),
            milliseconds: 5,
        }
    }

    #[test]
    fn estimates_of_open_plans_are_summed_and_what_is_done_is_left_out() {
        let plan = |status: &str, estimate: &str| PlanNode {
            status: Some(status.to_owned()),
            estimate: Some(estimate.to_owned()),
            ..PlanNode::default()
        };
        let plans = [
            plan("TODO", "20 minutes, about 9 000 tokens"),
            plan("BLOCKED", "2 minutes, 0 tokens"),
            plan("DONE", "180 minutes, about 90 000 tokens"),
            plan("TODO", "an afternoon"),
        ];
        let sum = OpenPlans { plans: 2, without_a_model: 1, minutes: 22, tokens: 9_000 };
        assert_eq!(open_plans(&plans), Some(sum));
        assert_eq!(open_plans(&plans[2..]), None);
    }

    #[test]
    fn the_same_tokens_are_priced_as_the_planners() {
        let lines = [
            line(Role::Planner, "claude-opus-5-5", Some(10_000_000)),
            line(Role::Executor, "claude-haiku-5-5", Some(1_500_000)),
            line(Role::Executor, "claude-haiku-5-5", None),
        ];
        let instead = planner_instead(&lines).expect("both are priced");
        assert_eq!((instead.calls, instead.nano_usd), (1, 1_500_000));
        let price = &entry("anthropic", "claude-opus-5-5").expect("it is in the table").price;
        assert_eq!(instead.planner_nano_usd, price.input * 1_000 + price.output * 100);
        assert_eq!(planner_instead(&lines[..1]), None, "nothing was carried out");
    }
}
