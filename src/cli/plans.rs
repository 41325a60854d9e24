//! Bare `improve`: audit, choose, and write a plan for each finding that was chosen.

use clap::Args;
use improve::audit::engine::recipe;
use improve::audit::rule::RecipeContext;
use improve::backlog::{Backlog, BacklogError, slug};
use improve::finding::Finding;
use improve::plan::Plan;
use improve::plan::lint::lint;
use improve::planner::built_in::{PlanContext, specify};
use improve::report::plans::{Planned, PlannedRow, PlansDocument, plans};
use improve::report::{human, json, markdown};
use improve::survey::Survey;

use super::Context;
use super::audit::{Audited, FORMATS, ScopeArgs, audit, exit_code, page_options};
use super::choose::{ChooseArgs, choose};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs};

/// Findings the table shows: the list to choose from has them all.
const SHOWN: usize = 10;
/// Commits whose subjects show how this project words its own.
const SUBJECTS: usize = 20;

/// What bare `improve` takes.
#[derive(Debug, Args)]
pub struct PlansArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    choose: ChooseArgs,
    /// Show which plans would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes the plans and prints what was done.
pub fn run(args: PlansArgs, context: &Context) -> Result<ExitCode, Failure> {
    let PlansArgs { scope, choose: choice, dry_run, output } = args;
    let outputs = output.outputs("improve", &FORMATS)?;
    let console = &context.console;
    let Audited { workspace, survey, document, incomplete } = audit(&scope, context)?;
    let code = exit_code(&document.findings, workspace.settings.fail_on.value, incomplete);
    let page = console.page(&document.repository.root);
    let options = page_options(&survey, SHOWN, workspace.verbose, Vec::new());
    let table = human::audit(&document, &options, &page);
    // The table comes before the question it helps to answer.
    let asked = outputs.is_human() && console.interactive && !choice.decides();
    if asked {
        console.print(&table)?;
    }
    let chosen = choose(&choice, &document.findings, console)?;
    let chosen: Vec<&Finding> = chosen.into_iter().map(|index| &document.findings[index]).collect();
    let rows = if chosen.is_empty() { Vec::new() } else { plan_all(&chosen, &survey, dry_run, context)? };
    let next = next(&rows);
    let document = PlansDocument { audit: document, plans: rows };
    outputs.write(console, &|format, to_stdout| match format {
        Format::Human if document.audit.findings.is_empty() => table.clone(),
        Format::Human if asked && to_stdout => plans(&document.plans, &next, &page),
        Format::Human => format!("{table}{}", plans(&document.plans, &next, &page)),
        Format::Json => json::document(&document),
        Format::Jsonl => json::lines(&document.plans),
        Format::Markdown | Format::Dot | Format::Mermaid => markdown::audit(&document.audit, usize::MAX),
    })?;
    Ok(code)
}

/// A plan for each finding that has a recipe and none yet.
fn plan_all(
    findings: &[&Finding],
    survey: &Survey,
    dry_run: bool,
    context: &Context,
) -> Result<Vec<PlannedRow>, Failure> {
    let backlog = Backlog::open(&survey.root)?;
    if backlog.is_displaced() {
        let note = format!("note: plans/ belongs to something else; plans go to {}/", backlog.folder());
        context.console.note(&note);
    }
    let lock = if dry_run { None } else { Some(backlog.lock()?) };
    let subjects = survey.git.as_ref().and_then(|git| git.recent_subjects(SUBJECTS).ok()).unwrap_or_default();
    let mut plan_context = PlanContext {
        number: backlog.next_number()?,
        commit: survey.map.commit.clone(),
        date: jiff::Zoned::now().date().to_string(),
        subjects,
        index: backlog.index_path(),
    };
    let recipe_context = RecipeContext { map: &survey.map, effects: survey.effects(), tree: &survey.tree };
    let mut rows = Vec::new();
    for finding in findings {
        if context.cancel.is_cancelled() {
            return Err(Failure::interrupted());
        }
        if let Some(path) = backlog.plan_of_finding(&finding.fingerprint) {
            let title = backlog.read_plan(&path).map_or_else(|_| finding.title.clone(), |plan| plan.title);
            rows.push(row(finding, Planned::AlreadyPlanned, Some(path.to_string_lossy().into_owned()), title));
            continue;
        }
        let Some(draft) = recipe(finding, &recipe_context) else {
            rows.push(row(finding, Planned::NoRecipe, None, finding.title.clone()));
            continue;
        };
        let plan = specify(finding, &draft, &survey.map, &survey.tree, &plan_context);
        let problems = lint(&plan, &survey.tree, &survey.map.recon);
        let (outcome, path) = match &lock {
            Some(lock) => (Planned::Written, write(&backlog, lock, &plan)?),
            None => {
                let name = format!("{}/{:03}-{}.md", backlog.folder(), plan_context.number, slug(&plan.title));
                (Planned::WouldBeWritten, name)
            }
        };
        plan_context.number += 1;
        rows.push(PlannedRow {
            problems: problems.into_iter().map(|problem| problem.message).collect(),
            ..row(finding, outcome, Some(path), plan.title)
        });
    }
    Ok(rows)
}

fn write(backlog: &Backlog, lock: &improve::backlog::BacklogLock, plan: &Plan) -> Result<String, BacklogError> {
    backlog.write_plan(lock, plan).map(|path| path.to_string_lossy().into_owned())
}

fn row(finding: &Finding, outcome: Planned, path: Option<String>, title: String) -> PlannedRow {
    PlannedRow {
        fingerprint: finding.fingerprint.clone(),
        outcome,
        path,
        title,
        mechanical: finding.mechanical,
        problems: Vec::new(),
    }
}

/// What to type now: the plan that costs least first.
fn next(rows: &[PlannedRow]) -> Vec<(String, String)> {
    let written = |row: &&PlannedRow| matches!(row.outcome, Planned::Written | Planned::AlreadyPlanned);
    let name = |row: &PlannedRow| {
        let path = row.path.as_deref().unwrap_or_default();
        let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md");
        stem.split_once('-').map_or(stem, |(number, _)| number).to_owned()
    };
    let mut next = Vec::new();
    if let Some(row) = rows.iter().filter(written).find(|row| row.mechanical) {
        next.push((
            format!("improve apply {}", name(row)),
            "carry out its exact edits on a branch of its own".to_owned(),
        ));
    } else if let Some(row) = rows.iter().find(written) {
        next.push((format!("improve apply {}", name(row)), "prepare a worktree and hand its steps over".to_owned()));
    }
    if rows.iter().any(|row| row.outcome == Planned::WouldBeWritten) {
        next.push(("the same without --dry-run".to_owned(), "write them".to_owned()));
    } else if !next.is_empty() {
        next.push(("improve status".to_owned(), "see what became of the plans".to_owned()));
    }
    next
}
