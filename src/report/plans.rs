//! What bare `improve` did with the findings: which became plans, and why the others did not.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_document::AuditDocument;
use super::human::{next_commands, short};
use super::layout::{Page, columns, count, indented, paint, style};
use super::sanitize;

/// The findings, and the plans made of those that were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlansDocument {
    /// The audit.
    #[serde(flatten)]
    pub audit: AuditDocument,
    /// The findings that were chosen, in order.
    pub plans: Vec<PlannedRow>,
}

/// A finding that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedRow {
    /// The finding.
    pub fingerprint: String,
    /// What became of it.
    pub outcome: Planned,
    /// The plan's path; null when there is none.
    pub path: Option<String>,
    /// The plan's title, else the finding's.
    pub title: String,
    /// Every step carries exact edits.
    pub mechanical: bool,
    /// What our own linter finds in the plan.
    pub problems: Vec<String>,
}

/// What became of a finding that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Planned {
    /// Its plan was written.
    Written,
    /// Its plan would be written.
    WouldBeWritten,
    /// It has a plan already.
    AlreadyPlanned,
    /// Its rule knows no plan for it.
    NoRecipe,
    /// The planner says that it is not worth a plan; why stands in `problems`.
    NotWorthIt,
}

/// The plans on a page.
pub fn plans(rows: &[PlannedRow], next: &[(String, String)], page: &Page) -> String {
    let mut text = String::new();
    let groups = [
        (Planned::Written, "written"),
        (Planned::WouldBeWritten, "would be written"),
        (Planned::AlreadyPlanned, "already"),
    ];
    for (outcome, word) in groups {
        let group: Vec<&PlannedRow> = rows.iter().filter(|row| row.outcome == outcome).collect();
        if group.is_empty() {
            continue;
        }
        let folder = group[0].path.as_deref().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let title = format!("{} {word} in {}/", count(group.len(), "plan"), sanitize::line(folder));
        let _ = writeln!(text, "\n{}", paint(style::STRONG, &title));
        let lines: Vec<Vec<String>> = group.iter().map(|row| plan_line(row)).collect();
        text.push_str(&columns(&lines, page.width, 2));
    }
    let unworthy: Vec<&PlannedRow> = rows.iter().filter(|row| row.outcome == Planned::NotWorthIt).collect();
    if !unworthy.is_empty() {
        let title = format!("{} not worth a plan, by the planner", count(unworthy.len(), "finding"));
        let _ = writeln!(text, "\n{}", paint(style::STRONG, &title));
        for row in unworthy {
            let _ = writeln!(text, "  {} {}", short(&row.fingerprint), sanitize::line(&row.title));
            text.push_str(&indented(&sanitize::line(&row.problems.join(" ")), 4, page.width));
        }
    }
    let without: Vec<&PlannedRow> = rows.iter().filter(|row| row.outcome == Planned::NoRecipe).collect();
    if !without.is_empty() {
        let title = format!("{} without a built-in plan: it takes judgement", count(without.len(), "finding"));
        let _ = writeln!(text, "\n{}", paint(style::STRONG, &title));
        let lines: Vec<Vec<String>> = without
            .iter()
            .map(|row| vec![short(&row.fingerprint).to_owned(), sanitize::line(&row.title).into_owned()])
            .collect();
        text.push_str(&columns(&lines, page.width, 2));
    }
    if rows.is_empty() {
        text.push_str("\nNothing chosen, nothing written.\n");
    }
    text.push_str(&next_commands(next, page));
    text
}

/// What a command calls a plan by: the number its file name begins with.
pub fn plan_name(path: &str) -> &str {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md");
    let number = stem.split_once('-').map(|(number, _)| number);
    number.filter(|number| number.bytes().all(|digit| digit.is_ascii_digit())).unwrap_or(stem)
}

fn plan_line(row: &PlannedRow) -> Vec<String> {
    let how = if row.mechanical { "exact edits" } else { "by hand or agent" };
    // The number is what the next command takes; the whole path would leave no room for the title.
    let name = plan_name(row.path.as_deref().unwrap_or_default());
    let problems = match row.problems.len() {
        0 => String::new(),
        number => format!(" ({})", count(number, "problem")),
    };
    vec![sanitize::line(name).into_owned(), how.to_owned(), format!("{}{problems}", sanitize::line(&row.title))]
}
