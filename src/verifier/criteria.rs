//! Done criteria: who judges each, and whether it is met.

use std::sync::LazyLock;

use regex::Regex;

use super::VerifyError;
use super::baseline::Baseline;
use super::scope::ScopeRules;
use super::second_look::{self, BaseLook};
use crate::gate::GateResult;
use crate::gate::runner::{OwnedGate, Runner};
use crate::plan::{Criterion, Gate, Plan};
use crate::receipt::{CriterionReceipt, Judged, Role, ScopeReceipt};
use crate::worktree::Worktree;

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a constant pattern"));
    };
}

pattern!(
    SCOPE,
    r"(?i)\b(?:no|nothing|only)\b.*\b(?:files?|changes?|modified|touched)\b.*\b(?:scope|in-scope list)\b|\b(?:no|nothing|only)\b.*\bscope\b.*\b(?:files?|changed|modified|touched)\b|\boutside the in-scope list\b"
);
pattern!(INDEX, r"(?i)\bplans?/README(?:\.md)?\b|\bstatus row\b|\bplan index\b");

/// Who judges a criterion. What the scope check or this program itself does is not left to a command.
pub fn judged_by(criterion: &Criterion) -> Judged {
    if INDEX.is_match(&criterion.text) {
        Judged::Index
    } else if SCOPE.is_match(&criterion.text) {
        Judged::Scope
    } else if criterion.gates.is_empty() {
        Judged::Nobody
    } else {
        Judged::Commands
    }
}

/// Judges every criterion of `plan` on the work in `replay`, which `base_look` may use up.
pub fn judge(
    plan: &Plan,
    scope: &ScopeReceipt,
    baseline: &Baseline,
    replay: &Worktree,
    runner: &Runner<'_>,
    base_look: Option<(&BaseLook<'_>, &ScopeRules)>,
) -> Result<Vec<CriterionReceipt>, VerifyError> {
    let gates = super::baseline::criterion_gates(plan);
    let mut results = runner.run_all(&gates, replay, &|command| baseline.tests_of(command))?;
    look_again(&gates, &mut results, baseline, replay, runner, base_look)?;
    let mut results = results.into_iter();
    let judged = plan.done_criteria.iter().map(|criterion| match judged_by(criterion) {
        Judged::Commands => {
            let gates: Vec<GateResult> = results.by_ref().take(criterion.gates.len()).collect();
            let roles = criterion.gates.iter().filter_map(|gate| baseline.role_of(gate)).collect();
            let before: Vec<_> = criterion.gates.iter().map(|gate| baseline.result_of(gate)).collect();
            unless_flaky(as_before(by_commands(criterion, gates, roles), &before), baseline)
        }
        judged @ (Judged::Scope | Judged::Index | Judged::Nobody) => without_commands(criterion, judged, scope),
    });
    Ok(judged.collect())
}

/// Runs what is red once more before the work is blamed for it. One that is red again settles the matter, so the rest is not.
fn look_again(
    gates: &[OwnedGate<'_>],
    results: &mut [GateResult],
    baseline: &Baseline,
    replay: &Worktree,
    runner: &Runner<'_>,
    base_look: Option<(&BaseLook<'_>, &ScopeRules)>,
) -> Result<(), VerifyError> {
    let tip = replay.head()?;
    let mut seen: Vec<String> = Vec::new();
    let is_as_before = |gate: &Gate, result: &GateResult| {
        baseline.result_of(gate).is_some_and(|before| result.is_no_worse_than(before))
    };
    // Who verifies the work of others expects goals that are not met; who applied it saw them green.
    let surprises = |gate: &Gate| base_look.is_some() || second_look::is_guard(gate, baseline);
    second_look::on_the_work(
        gates,
        results,
        replay,
        baseline,
        runner,
        &mut |gate, result| {
            let looks = surprises(gate) && !seen.contains(&gate.command) && !is_as_before(gate, result);
            seen.push(gate.command.clone());
            looks
        },
        &mut || Ok(replay.reset_to(&tip)?),
    )?;
    let Some((look, rules)) = base_look else { return Ok(()) };
    for ((_, gate), result) in gates.iter().zip(results.iter()).filter(|(_, result)| !result.green) {
        let is_settled = result.timed_out || baseline.is_flaky(&gate.command) || !second_look::is_guard(gate, baseline);
        if !is_settled && look.blames(gate, rules, baseline)? {
            break;
        }
    }
    Ok(())
}

/// A criterion with a command that cannot be relied on: nobody can tell whether it is met, unless another of its commands says it is not.
fn unless_flaky(criterion: CriterionReceipt, baseline: &Baseline) -> CriterionReceipt {
    let is_flaky = |gate: &&GateResult| baseline.is_flaky(&gate.command);
    let Some(flaky) = criterion.gates.iter().find(is_flaky) else { return criterion };
    if criterion.met == Some(false) && criterion.gates.iter().any(|gate| !gate.green && !is_flaky(&gate)) {
        return criterion;
    }
    let why = format!("`{}` is flaky: it gave one thing and then the other on the same files", flaky.command);
    CriterionReceipt { met: None, why, ..criterion }
}

/// The criteria of work whose commands are not run.
pub fn unjudged(plan: &Plan, scope: &ScopeReceipt) -> Vec<CriterionReceipt> {
    let criteria = plan.done_criteria.iter();
    criteria
        .map(|criterion| match judged_by(criterion) {
            Judged::Commands => {
                let why = "not run: the work left its scope".to_owned();
                CriterionReceipt { met: None, why, ..by_commands(criterion, Vec::new(), Vec::new()) }
            }
            judged @ (Judged::Scope | Judged::Index | Judged::Nobody) => without_commands(criterion, judged, scope),
        })
        .collect()
}

/// A criterion that is red the way it was on the base commit: recorded, and neither held against the work nor for it.
fn as_before(criterion: CriterionReceipt, before: &[Option<&GateResult>]) -> CriterionReceipt {
    let mut red = criterion.gates.iter().zip(before).filter(|(gate, _)| !gate.green).peekable();
    let known =
        red.peek().is_some() && red.all(|(gate, before)| before.is_some_and(|before| gate.is_no_worse_than(before)));
    if !known {
        return criterion;
    }
    let why = format!("{}, as on the base commit", criterion.why);
    CriterionReceipt { met: None, why, ..criterion }
}

fn by_commands(criterion: &Criterion, gates: Vec<GateResult>, roles: Vec<Role>) -> CriterionReceipt {
    let red = gates.iter().find(|gate| !gate.green);
    let why = match red {
        Some(gate) => format!("`{}`: {}", gate.command, gate.why),
        None => gates.iter().map(|gate| gate.why.as_str()).collect::<Vec<_>>().join("; "),
    };
    CriterionReceipt {
        text: criterion.text.clone(),
        judged: Judged::Commands,
        met: Some(red.is_none()),
        why,
        gates,
        roles,
    }
}

fn without_commands(criterion: &Criterion, judged: Judged, scope: &ScopeReceipt) -> CriterionReceipt {
    let (met, why) = match judged {
        Judged::Scope if !scope.checked => (None, "the plan's scope names no path".to_owned()),
        Judged::Scope if scope.violations.is_empty() => (Some(true), "only paths in scope were changed".to_owned()),
        Judged::Scope => (Some(false), format!("{} paths outside the scope were changed", scope.violations.len())),
        Judged::Index => (None, "the plan index is updated after the verdict".to_owned()),
        Judged::Nobody | Judged::Commands => (None, "names no command, so somebody has to look".to_owned()),
    };
    CriterionReceipt { text: criterion.text.clone(), judged, gates: Vec::new(), roles: Vec::new(), met, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_about_scope_and_index_are_ours() {
        let judged = |text: &str| judged_by(&Criterion { text: text.to_owned(), ..Criterion::default() });
        for text in [
            "No files outside the in-scope list are modified (`git status`)",
            "Only in-scope files changed",
            "`git diff --stat` shows no changes outside the scope",
            "No file outside scope was touched",
        ] {
            assert_eq!(judged(text), Judged::Scope, "{text}");
        }
        for text in ["`plans/README.md` status row updated", "Status row for this plan is DONE"] {
            assert_eq!(judged(text), Judged::Index, "{text}");
        }
        for text in ["The handler reads well", "No variable is declared in the outer scope of the loop"] {
            assert_eq!(judged(text), Judged::Nobody, "{text}");
        }
    }
}
