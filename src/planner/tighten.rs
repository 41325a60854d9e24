//! Tightening: a plan that exists is written anew without what is wrong with it. It keeps its number, its place and its finding.

use super::built_in::PlanContext;
use crate::finding::{Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::plan::markdown::fence_for;
use crate::plan::{Plan, render};
use crate::receipt::StepReceipt;

/// What stands for a finding of `plan`.
pub fn finding_of(plan: &Plan) -> Finding {
    let excerpts = plan.excerpts.iter().filter_map(|excerpt| {
        let (start, end) = excerpt.lines?;
        Some(Evidence::new(excerpt.file.as_deref()?, start, end, "excerpt"))
    });
    let in_scope = plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref());
    let mut evidence: Vec<Evidence> = excerpts.collect();
    if evidence.is_empty() {
        evidence = in_scope.map(|path| Evidence::new(path, 1, 1, "in scope")).take(1).collect();
    }
    if evidence.is_empty() {
        evidence.push(Evidence::new("", 1, 1, "nowhere"));
    }
    let effort = plan.status.effort.unwrap_or(Effort::M);
    Finding {
        fingerprint: plan.status.finding.clone().unwrap_or_default(),
        rule: "plan".to_owned(),
        category: plan.status.category.unwrap_or(Category::TechDebt),
        title: plan.title.clone(),
        // The planner reads the plan itself, and words of the old one do not belong into the new.
        message: String::new(),
        impact: 3,
        effort,
        risk: plan.status.risk.unwrap_or(Risk::Med),
        confidence: Confidence::High,
        leverage: Finding::leverage_of(3, effort, Confidence::High),
        state: None,
        evidence,
        call_path: Vec::new(),
        mechanical: false,
        symbol: String::new(),
        origin: None,
    }
}

/// What the planner is told: the plan, and what is wrong with it.
pub fn remarks(text: &str, problems: &[String]) -> String {
    let text = crate::secrets::mask(text);
    let fence = fence_for(&text);
    let listed: Vec<String> = problems.iter().map(|problem| format!("- {problem}")).collect();
    include_str!("../../templates/planner/tighten.md")
        .replace("@problems", &listed.join("\n"))
        .replace("@plan", &format!("{fence}markdown\n{}\n{fence}", text.trim_end()))
}

/// What the planner is told of a plan that failed: its text, the steps that are done, and what went wrong.
pub fn failed(text: &str, done: &[StepReceipt], report: &str) -> String {
    let text = crate::secrets::mask(text);
    let fenced = |kind: &str, text: &str| {
        let fence = fence_for(text);
        format!("{fence}{kind}\n{}\n{fence}", text.trim_end())
    };
    let steps: Vec<String> = done.iter().map(|step| format!("step {}, {}", step.step, step.title)).collect();
    let steps = if steps.is_empty() { "nothing".to_owned() } else { steps.join("; ") };
    include_str!("../../templates/planner/replan.md")
        .replace("@done", &steps)
        .replace("@report", &fenced("", report))
        .replace("@plan", &fenced("markdown", &text))
}

/// Where a plan that is written anew is numbered and dated as the old one.
pub fn context_of(old: &Plan, context: PlanContext) -> PlanContext {
    PlanContext { number: old.number.unwrap_or(context.number), ..context }
}

/// The new plan with what only the old one knows: its place among others, its finding, its issue.
pub fn succeed(old: &Plan, new: Plan) -> Plan {
    let mut plan = new;
    plan.number = old.number;
    plan.status.priority = old.status.priority.or(plan.status.priority);
    plan.status.depends_on.clone_from(&old.status.depends_on);
    plan.status.finding.clone_from(&old.status.finding);
    plan.status.issue.clone_from(&old.status.issue);
    plan.status.raw = render::status_lines(&plan.status);
    plan
}
