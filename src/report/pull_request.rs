//! What a pull request says of a plan that was carried out: why, what changed, and what ran. It is read by people who have neither the
//! plan nor the receipt at hand.

use std::fmt::Write as _;

use super::layout::count;
use super::sanitize;
use crate::plan::Plan;
use crate::receipt::{CriterionReceipt, Judged, Outcome, Receipt, Severity};

/// Files named before the rest is counted.
const FILES: usize = 20;

/// The title.
pub fn title(plan: &Plan) -> String {
    sanitize::line(&plan.title).trim().to_owned()
}

/// The text, markdown.
pub fn body(plan: &Plan, receipt: &Receipt) -> String {
    let mut text = String::new();
    let why = sanitize::prose(&plan.why);
    if !why.is_empty() {
        let _ = writeln!(text, "{why}\n");
    }
    let _ = writeln!(text, "## What ran\n");
    let word = match receipt.outcome {
        Outcome::Verified => {
            "Verified: every done criterion is a command that ran in a second clean worktree and is green."
        }
        other => other.words(),
    };
    let _ = writeln!(text, "{word}\n");
    for criterion in &receipt.criteria {
        text.push_str(&criterion_line(criterion));
    }
    if receipt.new_tests.added > 0 {
        let tests = count(receipt.new_tests.added, "new test");
        let _ = writeln!(text, "- {tests}: {}", sanitize::prose(&receipt.new_tests.why));
    }
    let _ = writeln!(text, "- commands ran in the sandbox `{}`", code(&receipt.sandbox.level));
    if let Some(opinion) = &receipt.opinion {
        let _ = writeln!(text, "- read by `{}`: {}", code(&opinion.model), remarks(opinion.objections.len()));
        for objection in opinion.objections.iter().filter(|objection| objection.severity == Severity::Revise) {
            let _ = writeln!(text, "  - {}", sanitize::prose(&objection.problem));
        }
    }
    if !receipt.scope.changed.is_empty() {
        let _ = writeln!(text, "\n## What changed\n");
        for changed in receipt.scope.changed.iter().take(FILES) {
            let _ = writeln!(text, "- `{}` +{} −{}", code(&changed.path), changed.added, changed.removed);
        }
        let more = receipt.scope.changed.len().saturating_sub(FILES);
        if more > 0 {
            let _ = writeln!(text, "- and {} more", count(more, "file"));
        }
    }
    if !receipt.notes.is_empty() {
        let _ = writeln!(text, "\n## Notes\n");
        for note in &receipt.notes {
            let _ = writeln!(text, "- {}", sanitize::prose(note));
        }
    }
    let by: Vec<&str> = receipt.steps.iter().filter_map(|step| step.executor.as_deref()).collect();
    let mut by: Vec<String> = by.into_iter().map(sanitize::prose).collect();
    by.dedup();
    let _ = writeln!(
        text,
        "\nPlan `{}`, carried out by {} with `improve apply`. It was not merged by a machine: please read it.",
        code(&receipt.plan.path),
        if by.is_empty() { "nobody".to_owned() } else { by.join(", ") }
    );
    text
}

fn criterion_line(criterion: &CriterionReceipt) -> String {
    let mark = if criterion.met == Some(true) { "x" } else { " " };
    match (criterion.judged, criterion.gates.as_slice()) {
        (Judged::Commands, gates @ [_, ..]) => {
            let commands: Vec<String> =
                gates.iter().map(|gate| format!("`{}` {}", code(&gate.command), sanitize::prose(&gate.why))).collect();
            format!("- [{mark}] {}\n", commands.join("; "))
        }
        _ => format!("- [{mark}] {}\n", sanitize::prose(&criterion.text)),
    }
}

fn remarks(number: usize) -> String {
    if number == 0 { "no objection".to_owned() } else { count(number, "objection") }
}

/// Text between backticks.
fn code(text: &str) -> String {
    sanitize::line(text).replace('`', "'")
}
