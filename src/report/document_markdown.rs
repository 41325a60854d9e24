//! A report on a repository in Markdown, for a pull request or an issue: short enough for GitHub, everything long folded.

use std::fmt::Write as _;

use super::comment::{self, LIMIT, Node, detail, drawn, fill, folded, inline, length, more};
use super::document::{PlanNode, ReportDocument};
use super::human::level_word;
use super::layout::count;
use super::page::summary_lines;
use super::plans::plan_name;
use crate::finding::{Finding, Level};
use crate::model::NanoDollars;
use crate::runs::Run;

/// Characters of the table of findings, and of those of plans and files: the rest is for details.
const TABLE: usize = 16_000;
const SIDE_TABLE: usize = 8_000;
/// Findings shown with their details: those that gain most for their effort.
const DETAILED: usize = 20;
/// Hotspots and runs listed.
const HOTSPOTS: usize = 10;
const RUNS: usize = 20;

/// The report.
pub fn report(document: &ReportDocument) -> String {
    let mut text = head(document);
    let rest = hotspots(document) + &plans(document) + &money(document) + &trend(document) + &left_out(document);
    let findings = &document.audit.findings;
    if !findings.is_empty() {
        text.push_str(
            "### Findings\n\n| Level | Finding | Where | Rule | Effort | Leverage |\n|---|---|---|---|---|--:|\n",
        );
        let rows = fill(findings.iter().map(row), TABLE);
        text.push_str(&rows.text);
        text.push_str(&more(rows.left_out, "finding", "not in this table"));
        text.push('\n');
        let room = LIMIT.saturating_sub(length(&text) + length(&rest) + 200);
        let details = fill(findings.iter().take(DETAILED).map(detail), room);
        text.push_str(&details.text);
    }
    text + &rest
}

fn head(document: &ReportDocument) -> String {
    let (meta, summary) = summary_lines(document);
    let meta: Vec<String> = meta.iter().map(|fact| inline(fact)).collect();
    // Code in titles is told by backticks, and may be here, too.
    let summary: Vec<String> = summary.iter().map(|sentence| inline(sentence)).collect();
    let mut text = format!(
        "## {}: what is worth changing\n\n{}\n\n{}\n\n",
        inline(document.name()),
        meta.join(" · "),
        summary.join(" ")
    );
    let categories = document.categories();
    if !categories.is_empty() {
        text.push_str("| Category | High | Medium | Low | All |\n|---|--:|--:|--:|--:|\n");
        for (category, levels) in &categories {
            let of = |level: Level| levels.get(&level).copied().unwrap_or(0);
            let [high, medium, low] = [Level::High, Level::Medium, Level::Low].map(of);
            let _ = writeln!(text, "| {} | {high} | {medium} | {low} | {} |", category.label(), high + medium + low);
        }
        text.push('\n');
    }
    let next = super::page::next(document);
    if !next.is_empty() {
        let wide = next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        let lines: Vec<String> = next.iter().map(|(command, what)| format!("{command:wide$}  # {what}")).collect();
        let _ = writeln!(text, "```\n{}\n```\n", lines.join("\n").replace('`', ""));
    }
    text
}

fn row(finding: &Finding) -> String {
    let place = finding.location();
    format!(
        "| {} | {} | {}:{} | {} | {} | {:.1} |\n",
        level_word(finding.level()),
        inline(&finding.title),
        inline(&place.file),
        place.start_line,
        inline(&finding.rule),
        finding.effort.label(),
        finding.leverage,
    )
}

fn hotspots(document: &ReportDocument) -> String {
    if document.hotspots.is_empty() {
        return String::new();
    }
    let mut text = "### Hotspots\n\n| File | Findings | Commits in 90 days | Lines |\n|---|--:|--:|--:|\n".to_owned();
    for spot in document.hotspots.iter().take(HOTSPOTS) {
        let _ = writeln!(text, "| {} | {} | {} | {} |", inline(&spot.path), spot.findings, spot.churn_90d, spot.lines);
    }
    text.push('\n');
    text
}

fn plans(document: &ReportDocument) -> String {
    if document.plans.is_empty() {
        return String::new();
    }
    let name = |path: &String| inline(plan_name(path));
    let line = |plan: &PlanNode| {
        format!(
            "| {} | {} | {} | {} | {} |\n",
            name(&plan.path),
            inline(&plan.title),
            inline(&state(plan)),
            plan.depends_on.iter().map(name).collect::<Vec<_>>().join(", "),
            inline(plan.estimate.as_deref().unwrap_or_default()),
        )
    };
    let rows = fill(document.plans.iter().map(line), SIDE_TABLE);
    let mut text = "### Plans\n\n| Plan | Title | State | Waits for | Estimate |\n|---|---|---|---|---|\n".to_owned();
    text.push_str(&rows.text);
    text.push_str(&more(rows.left_out, "plan", "not in this table"));
    text.push('\n');
    // A graph of plans that stand alone says nothing.
    if document.plans.iter().any(|plan| !plan.depends_on.is_empty()) {
        let joined = |plan: &&PlanNode| {
            !plan.depends_on.is_empty() || document.plans.iter().any(|other| other.depends_on.contains(&plan.path))
        };
        let node = |plan: &PlanNode| Node {
            path: plan.path.clone(),
            title: format!("{} ({})", comment::label(&plan.title), state(plan)),
            depends_on: plan.depends_on.clone(),
        };
        let nodes: Vec<Node> = document.plans.iter().filter(joined).map(node).collect();
        text.push_str(&drawn(&nodes));
    }
    text
}

fn state(plan: &PlanNode) -> String {
    plan.status.as_deref().unwrap_or("not in the index").to_lowercase()
}

fn money(document: &ReportDocument) -> String {
    let money = &document.money;
    let mut lines = Vec::new();
    if let Some(spending) = &money.spending {
        let unpriced = match spending.unpriced_calls {
            0 => String::new(),
            unpriced => format!(", {unpriced} of them unpriced"),
        };
        lines.push(format!("Measured: {} in {} calls{unpriced}", NanoDollars(spending.nano_usd), spending.calls));
        if let Some(each) = money.per_verified() {
            lines.push(format!("Measured: {each} a verified plan, of {}", money.verified));
        }
    }
    if money.runs > 0 {
        lines.push(format!("Measured: {} of {} ended verified", money.verified, count(money.runs, "run")));
    }
    if let Some(open) = &money.open_plans {
        lines.push(format!(
            "Estimate: {} take {} minutes and {} tokens, as they guess themselves",
            count(open.plans, "open plan"),
            open.minutes,
            open.tokens
        ));
    }
    if let Some(instead) = &money.planner_instead {
        lines.push(format!(
            "Estimate: steps that cost {} would have cost {} by {}, with as many tokens",
            NanoDollars(instead.nano_usd),
            NanoDollars(instead.planner_nano_usd),
            inline(&instead.model)
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("### Money\n\n- {}\n\n", lines.join("\n- "))
}

fn trend(document: &ReportDocument) -> String {
    let [first, .., last] = document.trend.as_slice() else { return String::new() };
    let name =
        |run: &Run| run.commit.as_deref().map_or("no commit", |commit| commit.get(..9).unwrap_or(commit)).to_owned();
    let head = format!(
        "### Trend\n\nFrom {} at `{}` to {} at `{}`, over {}.\n\n",
        count(first.findings(), "finding"),
        name(first),
        last.findings(),
        name(last),
        count(document.trend.len(), "audited commit")
    );
    let lines = document.trend.iter().rev().take(RUNS).map(|run| {
        let [high, medium, low] = [Level::High, Level::Medium, Level::Low].map(|level| run.of_level(level));
        format!("- `{}`: {} ({high} high, {medium} medium, {low} low)\n", name(run), run.findings())
    });
    head + &folded("Run by run", lines)
}

fn left_out(document: &ReportDocument) -> String {
    let audit = &document.audit;
    let kept = |title: &str, kept: &[super::audit_document::KeptApart]| {
        let lines = kept.iter().map(|kept| {
            let place = kept.finding.location();
            let why = if kept.reason.is_empty() { String::new() } else { format!(": {}", inline(&kept.reason)) };
            format!("- {}:{} {}{why}\n", inline(&place.file), place.start_line, inline(&kept.finding.title))
        });
        folded(&format!("{title} ({})", kept.len()), lines)
    };
    let not_audited = audit.not_audited.iter().map(|it| format!("- {}: {}\n", inline(&it.what), inline(&it.why)));
    kept("Rejected", &audit.rejected)
        + &kept("Suppressed by a comment", &audit.suppressed)
        + &folded(&format!("Not audited ({})", audit.not_audited.len()), not_audited)
}
