//! What the numbers of a benchmark mean, in words.

use crate::bench::statistics::{Estimate, FEWEST_PAIRS, Finding, Interval};
use crate::bench::summary::{ArmSummary, Comparison};
use crate::bench::trial::Arm;
use crate::report::layout::count;

/// What the numbers mean, in words: who wins, and where nobody can tell.
pub(super) fn conclusions(arms: &[ArmSummary], comparisons: &[Comparison]) -> Vec<String> {
    let mut said: Vec<String> = comparisons.iter().flat_map(conclusion).collect();
    for arm in arms {
        let name = arm.arm.label();
        if arm.falsely_verified > 0 {
            said.push(format!(
                "{name}: {} of {} verified changes are wrong; its verdict is to be read with that in mind.",
                arm.falsely_verified, arm.verified
            ));
        }
        if arm.unpriced_calls > 0 {
            said.push(format!(
                "{name}: the price of {} is not known, so nothing is said of its dollars; [prices] in improve.toml can name it.",
                count(usize::try_from(arm.unpriced_calls).unwrap_or(usize::MAX), "call")
            ));
        }
    }
    said
}

fn conclusion(comparison: &Comparison) -> Vec<String> {
    let Comparison { first, second, tasks, right_rate, more_right, usd_per_right, dearer } = comparison;
    let (one, other) = (first.label(), second.label());
    let pair = format!("{one} and {other}");
    if *more_right == Finding::TooFewTasks {
        let tasks = count(*tasks, "task");
        return vec![format!("{pair}: too few tasks to tell ({tasks} measured with both; it takes {FEWEST_PAIRS}).")];
    }
    let points = |estimate: &Estimate| {
        let value = estimate.value.map_or_else(|| "?".to_owned(), |value| format!("{:+.0}", value * 100.0));
        let tasks = count(*tasks, "task");
        match &estimate.interval {
            Some(interval) if !interval.tells() => format!("{value} points, on each of {tasks} alike"),
            Some(Interval { low: Some(low), high: Some(high), .. }) => {
                // What has no zero in it seems to tell, so that it is said why it does not.
                let is_told = matches!(more_right, Finding::FirstHasMore | Finding::SecondHasMore);
                let but = if !is_told && (*low > 0.0 || *high < 0.0) { ", of which too few differ" } else { "" };
                format!("{value} points [{:+.0} to {:+.0}] over {tasks}{but}", low * 100.0, high * 100.0)
            }
            Some(_) | None => format!("{value} points over {tasks}"),
        }
    };
    let right = match more_right {
        Finding::FirstHasMore => {
            format!("{} wins: it makes more right changes than {other} ({}).", whole(*first), points(right_rate))
        }
        Finding::SecondHasMore => {
            format!("{} wins: {one} makes fewer right changes ({}).", whole(*second), points(right_rate))
        }
        Finding::CannotTell | Finding::TooFewTasks => {
            format!("{pair}: the data cannot tell which makes more right changes ({}).", points(right_rate))
        }
    };
    let cost = match dearer {
        Finding::FirstHasMore => Some(format!("{} is cheaper by the right change than {one}.", whole(*second))),
        Finding::SecondHasMore => Some(format!("{} is cheaper by the right change than {other}.", whole(*first))),
        Finding::CannotTell | Finding::TooFewTasks => match usd_per_right.value {
            // Nothing was spent, or one of them made no right change at all: there are no two costs to tell apart.
            None | Some(0.0) => None,
            Some(_) => Some(format!("{pair}: the data cannot tell which costs less by the right change.")),
        },
    };
    std::iter::once(right).chain(cost).collect()
}

fn whole(arm: Arm) -> &'static str {
    match arm {
        Arm::Single => "The single model",
        Arm::Plan => "Plan and executor",
        Arm::Exact => "Plan with exact edits",
    }
}
