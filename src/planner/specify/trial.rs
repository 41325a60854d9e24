//! What the goals of a draft are worth where the plan starts: one that is met already proves nothing, and a command that is not there
//! can never be met.

use crate::audit::draft::GateDraft;
use crate::gate::GateResult;
use crate::plan::Plan;
use crate::tree::Tree;
use crate::verifier::baseline::Baseline;

/// Exit codes of `sh` for a command that is not there, and for one that cannot be run (POSIX, "Exit Status for Commands").
const NOT_RUN: [i32; 2] = [127, 126];

/// Goals about text that the files meet as they are.
pub(super) fn met_already(goals: &[GateDraft], tree: &dyn Tree) -> Vec<String> {
    let stands = |text: &str, file: &str| {
        let wanted = text.trim();
        tree.text(file).is_some_and(|whole| whole.lines().any(|line| line.contains(wanted)))
    };
    let fault = |goal: &GateDraft| match goal {
        GateDraft::TextGone { text, file } if !stands(text, file) => {
            Some(format!("the goal that `{text}` is gone from `{file}` proves nothing: it is not there now"))
        }
        GateDraft::TextPresent { text, file } if stands(text, file) => {
            Some(format!("the goal that `{text}` stands in `{file}` proves nothing: it stands there now"))
        }
        GateDraft::TextGone { .. }
        | GateDraft::TextPresent { .. }
        | GateDraft::Project(_)
        | GateDraft::Command { .. }
        | GateDraft::NewTests(_) => None,
    };
    goals.iter().filter_map(fault).collect()
}

/// Goals that were green on the base, and commands that could not be run there.
pub(super) fn measured(goals: &[GateDraft], plan: &Plan, baseline: &Baseline) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |fault: String| {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    };
    for result in baseline.entries().iter().map(|entry| &entry.result) {
        if result.exit_code.is_some_and(|code| NOT_RUN.contains(&code)) {
            say(format!("`{}` cannot be run here: {}", result.command, told(result)));
        } else if result.green && goals.iter().any(|goal| is_gate_of(goal, result, plan)) {
            say(format!(
                "the goal `{}` → {} proves nothing: it was run where the plan starts, and is green there ({})",
                result.command, result.expected, result.why
            ));
        }
    }
    faults
}

/// The last thing it printed says more than its exit code.
fn told(result: &GateResult) -> String {
    let last = result.telling_lines(1).first().map(|line| line.trim().to_owned());
    last.unwrap_or_else(|| result.why.clone())
}

fn is_gate_of(goal: &GateDraft, result: &GateResult, plan: &Plan) -> bool {
    match goal {
        GateDraft::Command { command, expectation } => *command == result.command && *expectation == result.expectation,
        GateDraft::Project(purpose) => {
            let rows = plan.commands.iter().filter(|row| row.purpose == purpose.label());
            rows.into_iter().any(|row| row.command == result.command)
                && !matches!(result.expectation, crate::plan::expectation::Expectation::NewTests(_))
        }
        // New tests are counted against the base; text is looked up in the files.
        GateDraft::NewTests(_) | GateDraft::TextGone { .. } | GateDraft::TextPresent { .. } => false,
    }
}
