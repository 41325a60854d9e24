//! What was reconciled, for people and for programs.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::human::next_commands;
use super::layout::{Page, columns, count, indented, paint, style};
use super::sanitize;
use crate::model::cost::Cost;

/// Version of the document's JSON. Fields are added, never renamed.
pub const SCHEMA_VERSION: u32 = 1;

/// What `improve reconcile --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReconcileDocument {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Nothing was written.
    pub dry_run: bool,
    /// Every plan, by path.
    pub plans: Vec<ReconciledPlan>,
    /// Rows of the index whose plan is not there, as written.
    pub lost: Vec<String>,
    /// What models took.
    pub cost: Cost,
}

/// A plan that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReconciledPlan {
    /// Its path.
    pub path: String,
    /// Its number.
    pub number: Option<u32>,
    /// Its title.
    pub title: String,
    /// What the index said.
    pub before: Option<String>,
    /// What it says now.
    pub after: Option<String>,
    /// What was done.
    pub action: Action,
    /// Why.
    pub why: String,
}

/// What was done about a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Kept,
    /// The lines it cites were brought up to date.
    Anchored,
    /// It is done, and the index says so now.
    Done,
    /// It waits again.
    Reopened,
    /// It was planned anew, where it stands.
    Renewed,
    /// It does not fit any more, and nobody could plan it anew.
    Blocked,
    /// It cannot be read as a plan.
    Unreadable,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Kept => "as it was",
            Action::Anchored => "lines brought up to date",
            Action::Done => "done",
            Action::Reopened => "waits again",
            Action::Renewed => "planned anew",
            Action::Blocked => "blocked",
            Action::Unreadable => "not a plan",
        }
    }
}

/// The plans on a page: what changed first, then the rest.
pub fn page(document: &ReconcileDocument, next: &[(String, String)], page: &Page) -> String {
    let (kept, changed): (Vec<&ReconciledPlan>, Vec<&ReconciledPlan>) =
        document.plans.iter().partition(|plan| plan.action == Action::Kept);
    let mut text = String::new();
    let would = if document.dry_run { " would change" } else { " changed" };
    if !changed.is_empty() {
        let _ = writeln!(text, "{}{would}", paint(style::STRONG, &count(changed.len(), "plan")));
        for plan in &changed {
            text.push_str(&changed_plan(plan, page));
        }
    }
    if !kept.is_empty() {
        let word = if changed.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{word}{} as before", paint(style::STRONG, &count(kept.len(), "plan")));
        let row = |plan: &&ReconciledPlan| {
            let status = plan.after.as_deref().map_or("—", |status| status.split(" — ").next().unwrap_or(status));
            vec![number(plan), sanitize::line(status).into_owned(), sanitize::line(&plan.why).into_owned()]
        };
        let rows: Vec<Vec<String>> = kept.iter().map(row).collect();
        text.push_str(&columns(&rows, page.width, 2));
    }
    if document.plans.is_empty() {
        text.push_str("no plans\n");
    }
    for lost in &document.lost {
        let _ = writeln!(text, "the index names {}, which is not there", sanitize::line(lost));
    }
    text.push_str(&next_commands(next, page));
    text
}

fn number(plan: &ReconciledPlan) -> String {
    plan.number.map_or_else(|| sanitize::line(&plan.path).into_owned(), |number| format!("{number:03}"))
}

fn changed_plan(plan: &ReconciledPlan, page: &Page) -> String {
    let paint_of = match plan.action {
        Action::Done | Action::Anchored | Action::Renewed => style::GOOD,
        Action::Reopened | Action::Kept => style::WARN,
        Action::Blocked | Action::Unreadable => style::BAD,
    };
    let title = sanitize::line(&plan.title);
    let mut text = format!("  {}  {}: {title}\n", number(plan), paint(paint_of, plan.action.word()));
    text.push_str(&indented(&sanitize::line(&plan.why), 7, page.width.min(100)));
    if plan.before != plan.after {
        let word = |status: &Option<String>| {
            let status = status.as_deref().unwrap_or("not in the index");
            sanitize::line(status.split(" — ").next().unwrap_or(status)).into_owned()
        };
        text.push_str(&paint(style::FAINT, &format!("       {} → {}\n", word(&plan.before), word(&plan.after))));
    }
    text
}
