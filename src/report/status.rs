//! The backlog: plans with their status, worktrees of ours, and how often plans succeed.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::size;
use super::human::next_commands;
use super::layout::{Page, columns, count, paint, style};
use super::sanitize;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// The backlog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Folder of the plans, relative to the repository.
    pub folder: String,
    /// Plans, in order of their files.
    pub plans: Vec<PlanRow>,
    /// Worktrees of ours.
    pub worktrees: Vec<WorktreeRow>,
    /// Runs of `improve apply` that came to a verdict.
    pub runs: usize,
    /// Those of them that ended verified.
    pub verified: usize,
    /// Findings that were considered and rejected.
    pub rejected: usize,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanRow {
    /// Its path.
    pub path: String,
    /// The number its name starts with.
    pub number: Option<u32>,
    /// Its title.
    pub title: String,
    /// The word of the index: TODO, IN PROGRESS, DONE, BLOCKED, REJECTED; null when the index does not name it.
    pub status: Option<String>,
    /// What stands behind the word.
    pub note: String,
    /// How its last run ended.
    pub last_outcome: Option<String>,
}

/// A worktree of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorktreeRow {
    /// The plan's slug.
    pub slug: String,
    /// Where it is.
    pub path: String,
    /// What it takes on disk.
    pub bytes: u64,
    /// A living process works in it.
    pub in_use: bool,
}

/// The backlog on a page.
pub fn status(document: &StatusDocument, next: &[(String, String)], page: &Page) -> String {
    let mut text = String::new();
    if document.plans.is_empty() {
        let _ = writeln!(text, "No plans in {}/ yet.", document.folder);
    } else {
        let _ =
            writeln!(text, "{} in {}/", paint(style::STRONG, &count(document.plans.len(), "plan")), document.folder);
        let rows: Vec<Vec<String>> = document.plans.iter().map(plan_row).collect();
        text.push_str(&columns(&rows, page.width, 2));
    }
    if let Some(share) = (document.verified * 100).checked_div(document.runs) {
        let _ = writeln!(text, "\n{} of {} ended verified ({share} %)", document.verified, count(document.runs, "run"));
        if share < 80 && document.runs >= 5 {
            text.push_str("Below 80 % the plans are too vague for who carries them out.\n");
        }
    }
    if document.rejected > 0 {
        let _ = writeln!(text, "{} considered and rejected", count(document.rejected, "finding"));
    }
    if !document.worktrees.is_empty() {
        let rows = document.worktrees.iter().map(|worktree| {
            let state = if worktree.in_use { "in use" } else { "" };
            vec![
                sanitize::line(&worktree.slug).into_owned(),
                size(worktree.bytes),
                state.to_owned(),
                sanitize::line(&worktree.path).into_owned(),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let _ = write!(text, "\n{}\n{}", paint(style::STRONG, "Worktrees"), columns(&rows, page.width, 2));
    }
    text.push_str(&next_commands(next, page));
    text
}

fn plan_row(plan: &PlanRow) -> Vec<String> {
    let number = plan.number.map_or_else(|| "—".to_owned(), |number| format!("{number:03}"));
    let status = plan.status.as_deref().unwrap_or("not in the index");
    let note = if plan.note.is_empty() { String::new() } else { format!(" — {}", sanitize::line(&plan.note)) };
    vec![number, sanitize::line(status).into_owned(), format!("{}{note}", sanitize::line(&plan.title))]
}
