//! What came of a request: a plan, or the reason why there is none.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::human::next_commands;
use super::layout::{Page, count, indented, paint, style};
use super::sanitize;
use crate::model::cost::Cost;

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RequestDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// The request, as the user wrote it.
    pub request: String,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// The plan's path; null when there is none.
    pub path: Option<String>,
    /// The plan's title; empty when there is none.
    pub title: String,
    /// For everything but a plan: what to do instead, or where it is.
    pub answer: String,
    /// What the request left out and the code answers.
    pub settled: Vec<String>,
    /// What was decided, by whom.
    pub decisions: Vec<Decision>,
    /// What is still wrong with the plan, or was not looked at.
    pub problems: Vec<String>,
    /// What it took.
    pub cost: Cost,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestOutcome {
    /// Its plan was written.
    Written,
    /// It has a plan already.
    AlreadyPlanned,
    /// It takes no plan.
    JustDoIt,
    /// The repository does it already.
    ThereAlready,
    /// The planner says that it is not worth a plan.
    NotWorthIt,
}

/// An answer to a question that the code left open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// The user gave it; else it is what the planner recommends, and nobody was asked.
    pub by_user: bool,
}

impl Decision {
    /// In a line, for the plan.
    pub fn words(&self) -> String {
        let by = if self.by_user { "decided by the user" } else { "recommended by the planner; nobody was asked" };
        format!("{} {} ({by}).", self.question, self.answer.trim_end_matches('.'))
    }
}

/// The document on a page.
pub fn request(document: &RequestDocument, next: &[(String, String)], page: &Page) -> String {
    let mut text = String::new();
    let head = match document.outcome {
        RequestOutcome::Written => "plan written",
        RequestOutcome::AlreadyPlanned => "there is a plan already",
        RequestOutcome::JustDoIt => "no plan needed: just do it",
        RequestOutcome::ThereAlready => "the repository does it already",
        RequestOutcome::NotWorthIt => "not worth a plan, by the planner",
    };
    let _ = writeln!(text, "{}", paint(style::STRONG, head));
    if let Some(path) = &document.path {
        let _ = writeln!(text, "  {}  {}", page.link(path, path, 1), sanitize::line(&document.title));
    }
    if !document.answer.is_empty() {
        text.push_str(&indented(&sanitize::line(&document.answer), 2, page.width));
    }
    let mut list = |head: String, lines: &[String]| {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}", paint(style::STRONG, &head));
            lines.iter().for_each(|line| text.push_str(&indented(&sanitize::line(line), 2, page.width)));
        }
    };
    list(format!("{} that the code closes", count(document.settled.len(), "gap")), &document.settled);
    let decisions: Vec<String> = document.decisions.iter().map(Decision::words).collect();
    list(count(decisions.len(), "decision"), &decisions);
    list(count(document.problems.len(), "problem"), &document.problems);
    text.push_str(&next_commands(next, page));
    text
}
