//! The receipt for people: what ran, what that proved, and what to do with the work.

use std::fmt::Write as _;

use anstyle::Style;

use super::human::next_commands;
use super::layout::{Page, columns, count, cut, grouped, indented, pad, paint, style, width, wrap};
use super::sanitize;
use crate::gate::GateResult;
use crate::model::NanoDollars;
use crate::model::cost::Cost;
use crate::receipt::{
    CriterionReceipt, OpinionReceipt, Outcome, Receipt, StepReceipt, StepStatus, Verdict, WorkReceipt,
};

/// Lines a red gate shows of what it printed.
const OUTPUT_SHOWN: usize = 8;
/// Lines of a revised plan's diff that are shown; the receipt has all.
const REVISION_SHOWN: usize = 40;
/// Changed files shown before the rest is counted.
const FILES_SHOWN: usize = 12;

/// The receipt. `next` are the commands worth typing now.
pub fn receipt(receipt: &Receipt, next: &[(String, String)], page: &Page) -> String {
    let mut text = title(receipt);
    text.push_str(&verdict_line(receipt, page));
    if !receipt.reasons.is_empty() {
        text.push('\n');
        for reason in &receipt.reasons {
            let lines = wrap(&sanitize::line(reason), page.width.saturating_sub(4).min(100));
            let _ = writeln!(text, "  - {}", lines.join("\n    "));
        }
    }
    if let Some(hint) = &receipt.hint {
        let _ = write!(text, "\n{}", indented(&sanitize::line(hint), 2, page.width.min(100)));
    }
    if !receipt.steps.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Steps"));
        for step in &receipt.steps {
            text.push_str(&step_lines(step, page));
        }
    }
    if !receipt.criteria.is_empty() {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Done criteria, in a second clean worktree"));
        for criterion in &receipt.criteria {
            text.push_str(&criterion_lines(criterion, page));
        }
    }
    if let Some(opinion) = &receipt.opinion {
        text.push_str(&opinion_lines(opinion, page));
    }
    text.push_str(&changed(receipt, page));
    for revision in &receipt.revisions {
        let _ = writeln!(text, "\n{}", paint(style::STRONG, "Revised, because"));
        text.push_str(&indented(&sanitize::line(&revision.why), 2, page.width.min(100)));
        for line in revision.diff.lines().take(REVISION_SHOWN) {
            let _ =
                writeln!(text, "  {}", paint(style::FAINT, &cut(&sanitize::line(line), page.width.saturating_sub(2))));
        }
    }
    text.push_str(&remarks(receipt, page));
    text.push_str(&next_commands(next, page));
    text
}

/// Several plans on one page: a line each, and what they took in all.
pub fn several(receipts: &[&Receipt], page: &Page) -> String {
    let row = |receipt: &&Receipt| {
        let number = receipt.plan.number.map_or_else(|| "—".to_owned(), |number| format!("{number:03}"));
        let green = receipt.steps.iter().filter(|step| step.status == StepStatus::Green).count();
        let end = match (&receipt.branch, receipt.reasons.first()) {
            (_, Some(reason)) => sanitize::line(reason).into_owned(),
            (Some(branch), None) => sanitize::line(branch).into_owned(),
            (None, None) => String::new(),
        };
        vec![
            number,
            receipt.outcome.words().to_owned(),
            format!("{green} of {}", count(receipt.steps.len(), "step")),
            minutes(receipt.duration_ms),
            money(&receipt.cost),
            end,
        ]
    };
    let rows: Vec<Vec<String>> = receipts.iter().map(row).collect();
    let verified = receipts.iter().filter(|receipt| receipt.outcome == Outcome::Verified).count();
    let cost = receipts.iter().fold(Cost::default(), |sum, receipt| sum + receipt.cost.clone());
    let mut text = format!("{}\n", paint(style::STRONG, &count(receipts.len(), "plan")));
    text.push_str(&columns(&rows, page.width, 2));
    let _ = writeln!(text, "{verified} of {} verified, {}", receipts.len(), money(&cost));
    text
}

/// A duration as people say it: `1 min 05 s`.
pub fn minutes(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}

/// What models took, in dollars as far as their prices are known.
fn money(cost: &Cost) -> String {
    match (cost.model_calls, cost.unpriced_calls) {
        (0, _) if cost.nano_usd == 0 => "no model".to_owned(),
        (_, 0) => NanoDollars(cost.nano_usd).to_string(),
        (_, unpriced) => format!("{} and {unpriced} unpriced", NanoDollars(cost.nano_usd)),
    }
}

fn title(receipt: &Receipt) -> String {
    let number = receipt.plan.number.map(|number| format!("Plan {number:03}: ")).unwrap_or_default();
    format!("{}\n", paint(style::STRONG, &format!("{number}{}", sanitize::line(&receipt.plan.title))))
}

fn verdict_line(receipt: &Receipt, page: &Page) -> String {
    let seconds = receipt.duration_ms.div_ceil(1000);
    let mut parts = vec![verdict_word(receipt.verdict).to_owned()];
    if let Some(branch) = &receipt.branch {
        parts.push(format!("branch {}", sanitize::line(branch)));
    }
    if !receipt.commits.is_empty() {
        parts.push(count(receipt.commits.len(), "commit"));
    }
    parts.push(format!("{} s", grouped(usize::try_from(seconds).unwrap_or(usize::MAX))));
    parts.push(format!("sandbox: {}", sanitize::line(&receipt.sandbox.level)));
    let word = receipt.outcome.words();
    let rest = cut(&format!(" · {}", parts.join(" · ")), page.width.saturating_sub(width(word)));
    format!("{}{rest}\n", paint(outcome_style(receipt.outcome), word))
}

fn step_lines(step: &StepReceipt, page: &Page) -> String {
    let (mark, mark_style, word) = match step.status {
        StepStatus::Green => ("✓", style::GOOD, "green"),
        StepStatus::AlreadyFailing => ("!", style::WARN, "as red as before the plan"),
        StepStatus::Flaky => ("!", style::WARN, "red, by a flaky gate"),
        StepStatus::Failed => ("✗", style::BAD, "failed"),
        StepStatus::HandedOver => ("→", style::WARN, "handed over"),
        StepStatus::NotReached => ("·", style::FAINT, "not reached"),
    };
    let commit =
        step.commit.as_deref().map(|commit| format!(" · {}", commit.get(..9).unwrap_or(commit))).unwrap_or_default();
    let tail = format!("{word}{commit}");
    let room = page.width.saturating_sub(width(&tail) + 10);
    let heading = cut(&sanitize::line(&step.title), room);
    let mut text = format!(
        "  {} {:>2}  {}  {}\n",
        paint(mark_style, mark),
        step.step,
        pad(&heading, room.min(60)),
        paint(style::FAINT, &tail)
    );
    if let Some(work) = &step.work {
        text.push_str(&indented(&sanitize::line(&by_model(work)), 8, page.width));
        if work.halted.is_some() && !work.said.is_empty() {
            text.push_str(&indented(&sanitize::line(&format!("it said: {}", work.said)), 8, page.width.min(100)));
        }
    }
    for refused in &step.refused {
        let _ = write!(text, "{}", indented(&sanitize::line(&refused.to_string()), 8, page.width));
    }
    for gate in step.gates.iter().filter(|gate| !gate.green) {
        text.push_str(&red_gate(gate, page));
    }
    text
}

/// Who did it, and what that took.
fn by_model(work: &WorkReceipt) -> String {
    let replies = match work.rounds {
        1 => "1 reply".to_owned(),
        rounds => format!("{rounds} replies"),
    };
    let cost = work.nano_usd.map_or("price not known".to_owned(), |cost| NanoDollars(cost).to_string());
    let refused = match work.refused {
        0 => String::new(),
        1 => ", 1 edit refused".to_owned(),
        refused => format!(", {refused} edits refused"),
    };
    // What the run's sandbox is says another line; an agent may have been in less.
    let alone = if work.sandbox.as_deref() == Some("none") { ", in no sandbox of ours" } else { "" };
    format!("by {}: {replies}, {cost}{refused}{alone}", work.model)
}

fn criterion_lines(criterion: &CriterionReceipt, page: &Page) -> String {
    let (mark, mark_style) = match criterion.met {
        Some(true) => ("✓", style::GOOD),
        Some(false) => ("✗", style::BAD),
        None => ("?", style::WARN),
    };
    let room = page.width.saturating_sub(6);
    let mut text = format!("  {} {}\n", paint(mark_style, mark), cut(&sanitize::line(&criterion.text), room));
    if criterion.met != Some(true) {
        text.push_str(&indented(&sanitize::line(&criterion.why), 4, page.width.min(100)));
        for gate in criterion.gates.iter().filter(|gate| !gate.green) {
            text.push_str(&red_gate(gate, page));
        }
    }
    text
}

/// What the verifier model thinks of the work.
fn opinion_lines(opinion: &OpinionReceipt, page: &Page) -> String {
    let by = sanitize::line(&opinion.model).into_owned();
    let mut text = format!("\n{}\n", paint(style::STRONG, &format!("Read by {by}")));
    if opinion.objections.is_empty() {
        text.push_str("  nothing to object\n");
    }
    for objection in &opinion.objections {
        let line = format!("`{}`: {}", objection.quote, objection.problem);
        text.push_str(&indented(&sanitize::line(&line), 2, page.width.min(100)));
    }
    if !opinion.hidden.is_empty() {
        let line = format!("it did not see all of: {}", opinion.hidden.join(", "));
        text.push_str(&indented(&sanitize::line(&line), 2, page.width.min(100)));
    }
    text
}

/// A red gate: what was run, why it is red, and what of its output tells most.
fn red_gate(gate: &GateResult, page: &Page) -> String {
    let room = page.width.saturating_sub(10);
    let mut text = format!("        {}\n", cut(&format!("$ {}", sanitize::line(&gate.command)), room));
    text.push_str(&indented(&sanitize::line(&gate.why), 8, page.width.min(100)));
    for line in gate.telling_lines(OUTPUT_SHOWN) {
        let _ = writeln!(text, "        {}", paint(style::FAINT, &cut(&format!("│ {}", sanitize::line(line)), room)));
    }
    text
}

fn changed(receipt: &Receipt, page: &Page) -> String {
    let files = &receipt.scope.changed;
    if files.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = files
        .iter()
        .take(FILES_SHOWN)
        .map(|file| {
            let remark = match (&file.old_mode, &file.new_mode) {
                (None, _) => "  (new)",
                (_, None) => "  (removed)",
                _ => "",
            };
            vec![
                format!("+{}", file.added),
                format!("-{}", file.removed),
                format!("{}{remark}", sanitize::line(&file.path)),
            ]
        })
        .collect();
    let mut text = format!("\n{}\n{}", paint(style::STRONG, "Changed"), columns(&rows, page.width, 2));
    if files.len() > FILES_SHOWN {
        let _ = writeln!(text, "  and {} more", files.len() - FILES_SHOWN);
    }
    for violation in &receipt.scope.violations {
        let _ = write!(
            text,
            "{}",
            indented(
                &format!("out of scope: {}: {}", sanitize::line(&violation.path), sanitize::line(&violation.why)),
                2,
                page.width
            )
        );
    }
    for tampering in receipt.tampering.iter().filter(|tampering| !tampering.planned) {
        let _ = write!(
            text,
            "{}",
            indented(
                &format!("checks weakened: {}: {}", sanitize::line(&tampering.path), sanitize::line(&tampering.what)),
                2,
                page.width
            )
        );
    }
    text
}

fn remarks(receipt: &Receipt, page: &Page) -> String {
    let mut remarks: Vec<String> = receipt.notes.clone();
    if receipt.new_tests.added > 0 {
        remarks.push(format!("{}: {}", count(receipt.new_tests.added, "new test"), receipt.new_tests.why));
    }
    if receipt.vacuous {
        remarks.push(
            "no criterion was red before and no test is new: a green result proves nothing about the change".into(),
        );
    }
    if let Some(worktree) = &receipt.worktree {
        remarks.push(format!("worktree left at {worktree}"));
    }
    if let Some(file) = &receipt.file {
        remarks.push(format!("receipt: {file}"));
    }
    if remarks.is_empty() {
        return String::new();
    }
    let body: String = remarks.iter().map(|remark| indented(&sanitize::line(remark), 2, page.width.min(110))).collect();
    format!("\n{}\n{body}", paint(style::STRONG, "Notes"))
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::Revise => "revise",
        Verdict::Block => "block",
    }
}

fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Verified => style::GOOD,
        Outcome::PartlyVerified | Outcome::Unverified | Outcome::HandedOver => style::WARN,
        Outcome::Blocked | Outcome::Failed => style::BAD,
    }
}
