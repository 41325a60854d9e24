//! `improve status`: the plans, what became of them, and what is left lying around.

use clap::Args;
use improve::apply::check::fit;
use improve::apply::record::read_all;
use improve::backlog::Backlog;
use improve::model::ledger::Read;
use improve::plan::{Plan, index};
use improve::receipt::{Outcome, Receipt};
use improve::reconcile::Fit;
use improve::report::status::{PlanRow, SCHEMA_VERSION, Spending, StatusDocument, WorktreeRow};
use improve::report::{json, status as report};
use improve::settings::Flags;
use improve::worktree::place::cache_folder;
use improve::worktree::{Place, leftovers};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::models::places;
use super::output::{Format, Kind, OutputArgs};

/// Show the plans, what became of them, and worktrees that are left
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the backlog.
pub fn run(args: StatusArgs, context: &Context) -> Result<ExitCode, Failure> {
    let StatusArgs { output } = args;
    let outputs = output.outputs("improve status", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let backlog = Backlog::open(&workspace.root)?;
    // Outside a git repository there are plans and nothing that was done for them.
    let place = Place::of(&workspace.root, &cache_folder()).ok();
    let (ledger, _) = places(&workspace);
    let ledger = ledger
        .read()
        .map_err(|error| Failure::usage(format!("{}: {error}", ledger.path().display())).code(ExitCode::Incomplete))?;
    let document = document(&backlog, place.as_ref(), &ledger)?;
    let page = context.console.page(&workspace.root.to_string_lossy());
    let next = next(&document);
    outputs.write(&context.console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&document),
        Kind::Text => report::status(&document, &next, &page),
    })?;
    Ok(ExitCode::Done)
}

/// What is known of the backlog.
pub fn document(backlog: &Backlog, place: Option<&Place>, ledger: &Read) -> Result<StatusDocument, Failure> {
    let index_text = backlog.index_text()?;
    let head = place.and_then(|place| place.commit_of(None).ok());
    let mut plans = Vec::new();
    let mut receipts: Vec<Receipt> = Vec::new();
    for file in backlog.plans() {
        let path = std::path::Path::new(&file.path);
        let plan = backlog.read_plan(path).ok();
        let title = plan.as_ref().map_or_else(|| "not a plan".to_owned(), |plan| plan.title.clone());
        let (status, note) = match backlog.status(path)? {
            Some(status) => {
                let text = status.to_string();
                let (word, note) = text.split_once(" — ").unwrap_or((text.as_str(), ""));
                (Some(word.to_owned()), note.to_owned())
            }
            None => (None, String::new()),
        };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let runs = match place {
            Some(place) => read_all(&place.receipts(), &stem)?,
            None => Vec::new(),
        };
        let last_outcome = runs.last().map(|receipt| receipt.outcome.words().to_owned());
        receipts.extend(runs);
        let mut row = PlanRow { path: file.path, number: file.number, title, status, note, last_outcome, stale: None };
        if let (true, Some(plan), Some((place, head))) = (row.waits(), &plan, place.zip(head.as_deref())) {
            row.stale = stale(plan, &row.path, place, head);
        }
        plans.push(row);
    }
    let worktrees = place.map(leftovers).unwrap_or_default().into_iter().map(|leftover| WorktreeRow {
        slug: leftover.slug,
        path: leftover.worktree.to_string_lossy().into_owned(),
        bytes: leftover.bytes,
        in_use: leftover.in_use,
    });
    let concluded: Vec<&Receipt> = receipts.iter().filter(|receipt| receipt.outcome != Outcome::HandedOver).collect();
    Ok(StatusDocument {
        schema_version: SCHEMA_VERSION,
        folder: backlog.folder().to_owned(),
        plans,
        worktrees: worktrees.collect(),
        runs: concluded.len(),
        verified: concluded.iter().filter(|receipt| receipt.outcome == Outcome::Verified).count(),
        rejected: index::rejections(&index_text).len(),
        spending: Spending::of(ledger),
    })
}

/// Why a plan that waits does not fit the last commit any more.
fn stale(plan: &Plan, path: &str, place: &Place, head: &str) -> Option<String> {
    match fit(plan, path, place, head).ok()? {
        Fit::Fits => None,
        Fit::IsDone => Some("its edits are in the files already".to_owned()),
        Fit::Misfits(reasons) => reasons.into_iter().next(),
    }
}

fn next(document: &StatusDocument) -> Vec<(String, String)> {
    let mut next = Vec::new();
    if document.plans.iter().any(|plan| plan.stale.is_some()) {
        next.push(("improve reconcile".to_owned(), "bring the stale ones up to date".to_owned()));
    }
    let todo = document.plans.iter().find(|plan| plan.waits() && plan.stale.is_none());
    match todo {
        Some(plan) => {
            let name = plan.number.map_or_else(|| plan.path.clone(), |number| number.to_string());
            next.push((format!("improve apply {name}"), "carry out the first that waits".to_owned()));
        }
        None if !next.is_empty() => {}
        None => next.push(("improve".to_owned(), "find what is worth changing and write plans".to_owned())),
    }
    if document.worktrees.iter().any(|worktree| !worktree.in_use) {
        next.push(("improve clean".to_owned(), "remove the worktrees; branches are kept".to_owned()));
    }
    next
}
