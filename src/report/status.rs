//! The backlog: plans with their status, worktrees of ours, and how often plans succeed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::clean::size;
use super::human::next_commands;
use super::layout::{Page, columns, count, paint, style};
use super::sanitize;
use crate::model::ledger::Read;
use crate::model::{NanoDollars, Role};

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
    /// What models took, by the ledger; null when none was ever asked.
    pub spending: Option<Spending>,
}

/// What models took in this repository, by the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spending {
    /// Calls that were answered.
    pub calls: u64,
    /// Money, in billionths of a dollar, for calls whose price is known.
    pub nano_usd: u64,
    /// Calls whose price or tokens are not known.
    pub unpriced_calls: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Those of them that came from the vendor's cache.
    pub cached_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// By role.
    pub roles: BTreeMap<Role, RoleSpending>,
    /// Lines of the ledger that cannot be read.
    pub unreadable_lines: usize,
}

/// What models took in one role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleSpending {
    /// Calls.
    pub calls: u64,
    /// Money, in billionths of a dollar, for calls whose price is known.
    pub nano_usd: u64,
}

impl Spending {
    /// What a ledger says; `None` for an empty one.
    pub fn of(ledger: &Read) -> Option<Spending> {
        if ledger.lines.is_empty() && ledger.unreadable == 0 {
            return None;
        }
        let mut spending = Spending { unreadable_lines: ledger.unreadable, ..Spending::default() };
        for line in &ledger.lines {
            let usage = line.usage.unwrap_or_default();
            let nano_usd = line.cost.map_or(0, |cost| cost.0);
            let role = spending.roles.entry(line.role).or_default();
            role.calls += 1;
            role.nano_usd = role.nano_usd.saturating_add(nano_usd);
            spending.calls += 1;
            spending.nano_usd = spending.nano_usd.saturating_add(nano_usd);
            spending.unpriced_calls += u64::from(line.cost.is_none());
            spending.prompt_tokens = spending.prompt_tokens.saturating_add(usage.prompt());
            spending.cached_tokens = spending.cached_tokens.saturating_add(usage.cache_read);
            spending.output_tokens = spending.output_tokens.saturating_add(usage.output);
        }
        Some(spending)
    }
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
    /// It waits and does not fit the last commit any more: why. Null for one that fits, is not waiting or could not be held
    /// against a commit.
    pub stale: Option<String>,
}

impl PlanRow {
    /// It waits to be carried out: the index says so, or does not name it.
    pub fn waits(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "TODO")
    }
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
        let plans = paint(style::STRONG, &count(document.plans.len(), "plan"));
        let _ = writeln!(text, "{plans} in {}/: {}", document.folder, tally(&document.plans));
        let rows: Vec<Vec<String>> = document.plans.iter().map(plan_row).collect();
        text.push_str(&columns(&rows, page.width, 2));
        let stale = document.plans.iter().filter_map(|plan| Some((plan, plan.stale.as_ref()?)));
        let rows: Vec<Vec<String>> =
            stale.map(|(plan, why)| vec![number(plan), sanitize::line(why).into_owned()]).collect();
        if !rows.is_empty() {
            let title =
                format!("{} {}", count(rows.len(), "plan"), if rows.len() == 1 { "is stale" } else { "are stale" });
            let _ = write!(text, "\n{}\n{}", paint(style::WARN, &title), columns(&rows, page.width, 2));
        }
    }
    if let Some(share) = (document.verified * 100).checked_div(document.runs) {
        let _ = writeln!(text, "\n{} of {} ended verified ({share} %)", document.verified, count(document.runs, "run"));
        if share < 80 && document.runs >= 5 {
            text.push_str("Below 80 % the plans are too vague for who carries them out.\n");
        }
    }
    if let Some(spending) = &document.spending {
        text.push_str(&money(spending, document.verified));
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

/// `$1.20 in 14 calls (planner $1.10, verifier $0.10), 81 % of the prompts from the cache; $0.60 a verified plan`.
fn money(spending: &Spending, verified: usize) -> String {
    let roles = spending.roles.iter().filter(|(_, role)| role.nano_usd > 0);
    let roles: Vec<String> = roles.map(|(role, of)| format!("{} {}", role.label(), NanoDollars(of.nano_usd))).collect();
    let roles = if roles.is_empty() { String::new() } else { format!(" ({})", roles.join(", ")) };
    let calls = count(usize::try_from(spending.calls).unwrap_or(usize::MAX), "call");
    let mut text = format!("\n{} in {calls}{roles}", NanoDollars(spending.nano_usd));
    if let Some(share) = spending.cached_tokens.saturating_mul(100).checked_div(spending.prompt_tokens) {
        let _ = write!(text, ", {share} % of the prompts from the vendor's cache");
    }
    if spending.unpriced_calls > 0 {
        let _ = write!(text, ", {} unpriced", spending.unpriced_calls);
    }
    if let Some(each) = u64::try_from(verified).ok().and_then(|verified| spending.nano_usd.checked_div(verified)) {
        let _ = write!(text, "; {} a verified plan", NanoDollars(each));
    }
    text.push('\n');
    if spending.unreadable_lines > 0 {
        let lines = count(spending.unreadable_lines, "line");
        let _ = writeln!(
            text,
            "{lines} of the ledger cannot be read and {} not counted",
            if spending.unreadable_lines == 1 { "is" } else { "are" }
        );
    }
    text
}

/// `2 TODO, 1 DONE`, in the order of a plan's life.
fn tally(plans: &[PlanRow]) -> String {
    let words = ["TODO", "IN PROGRESS", "DONE", "BLOCKED", "REJECTED"];
    let of = |word: &str| plans.iter().filter(|plan| plan.status.as_deref() == Some(word)).count();
    let unknown =
        plans.iter().filter(|plan| !plan.status.as_deref().is_some_and(|status| words.contains(&status))).count();
    let counts = words.into_iter().map(|word| (of(word), word)).chain([(unknown, "not in the index")]);
    let parts: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    parts.join(", ")
}

fn number(plan: &PlanRow) -> String {
    plan.number.map_or_else(|| "—".to_owned(), |number| format!("{number:03}"))
}

fn plan_row(plan: &PlanRow) -> Vec<String> {
    let number = number(plan);
    let status = plan.status.as_deref().unwrap_or("not in the index");
    let note = if plan.note.is_empty() { String::new() } else { format!(" — {}", sanitize::line(&plan.note)) };
    vec![number, sanitize::line(status).into_owned(), format!("{}{note}", sanitize::line(&plan.title))]
}
