//! Done criteria: who judges each, and whether it is met.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::baseline::Baseline;
use crate::gate::GateResult;
use crate::gate::runner::{RunError, Runner};
use crate::plan::{Criterion, Plan};
use crate::receipt::{CriterionReceipt, Judged, Role, ScopeReceipt};

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

/// Judges every criterion of `plan` on the work in `folder`.
pub fn judge(
    plan: &Plan,
    scope: &ScopeReceipt,
    baseline: &Baseline,
    folder: &Path,
    runner: &Runner<'_>,
) -> Result<Vec<CriterionReceipt>, RunError> {
    let gates = super::baseline::criterion_gates(plan);
    let mut results = runner.run_all(&gates, folder, &|command| baseline.tests_of(command))?.into_iter();
    let judged = plan.done_criteria.iter().map(|criterion| match judged_by(criterion) {
        Judged::Commands => {
            let gates: Vec<GateResult> = results.by_ref().take(criterion.gates.len()).collect();
            let roles = criterion.gates.iter().filter_map(|gate| baseline.role_of(gate)).collect();
            let before: Vec<_> = criterion.gates.iter().map(|gate| baseline.result_of(gate)).collect();
            as_before(by_commands(criterion, gates, roles), &before)
        }
        judged @ (Judged::Scope | Judged::Index | Judged::Nobody) => without_commands(criterion, judged, scope),
    });
    Ok(judged.collect())
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
