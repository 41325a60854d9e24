//! `improve report`: everything there is to say about a repository, as one page for people who do not have the program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use improve::backlog::{Backlog, BacklogError};
use improve::model::ledger::Read;
use improve::plan::Plan;
use improve::report::document::{PlanNode, ReportDocument};
use improve::report::layout::count;
use improve::report::money::Money;
use improve::report::page::page;
use improve::report::status::{PlanRow, StatusDocument};
use improve::report::{document_markdown, human, json, sanitize};
use improve::runs::{Run, trend};
use improve::settings::Flags;
use improve::survey::Survey;
use improve::temporary::replace;
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::audit::{Audited, ScopeArgs, audit, exit_code};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::places;
use super::output::{Format, OutputArgs};
use super::recording::{committed, runs};
use super::status;

/// Formats a report is written in.
const FORMATS: [Format; 4] = [Format::Human, Format::Html, Format::Markdown, Format::Json];
/// Name of the page in the folder of a repository's state.
const FILE_NAME: &str = "report.html";

/// Write a page about the repository: findings, hotspots, plans, money, trend
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Format of what goes to stdout: html, markdown, json, or human, which says where the page is [default: human on a
    /// terminal and with --output, else html]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,
    /// Write to a file, in the format before `=`, else in the one its extension names; repeatable [default on a terminal:
    /// report.html among improve's own files in the git folder]
    #[arg(long, value_name = "[FORMAT=]PATH")]
    output: Vec<String>,
}

/// Writes the report.
pub fn run(args: ReportArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ReportArgs { scope, format, output } = args;
    let console = &context.console;
    let for_people = console.is_terminal() || !output.is_empty();
    let format = format.unwrap_or(if for_people { Format::Human } else { Format::Html });
    let outputs = OutputArgs { format, output: output.clone() }.outputs("improve report", &FORMATS)?;
    let Audited { workspace, survey, document, extent, run } = audit(&scope, None, Flags::default(), context)?;
    let code = exit_code(&document.findings, workspace.settings.fail_on.value, extent);
    let document = reported(ReportDocument::bare(document), &survey, &workspace, Some(&run))?;
    let mut written = outputs.paths();
    if outputs.is_human() && written.is_empty() {
        let path = own_file(&workspace);
        replace(&path, page(&document).as_bytes()).map_err(|error| {
            Failure::usage(format!("{}: {error}", path.display()))
                .hint("say where it may be written: --output PATH")
                .code(ExitCode::Incomplete)
        })?;
        written.push(path);
    }
    let links = console.page(&document.audit.repository.root).links.is_some();
    outputs.write(console, &|format, _| match format {
        Format::Json => json::document(&document),
        Format::Markdown => document_markdown::report(&document),
        Format::Html => page(&document),
        Format::Human
        | Format::Jsonl
        | Format::Sarif
        | Format::Github
        | Format::Junit
        | Format::Dot
        | Format::Mermaid => said(&document, &written, links, context),
    })?;
    Ok(code)
}

/// Where the page is written when nobody says where: the user's tree is not ours to put files in.
fn own_file(workspace: &Workspace) -> PathBuf {
    let (ledger, _) = places(workspace);
    ledger.path().with_file_name(FILE_NAME)
}

/// What people read on the terminal: the totals, and where the report is.
fn said(document: &ReportDocument, written: &[PathBuf], links: bool, context: &Context) -> String {
    let findings = count(document.audit.findings.len(), "finding");
    let mut text =
        format!("{}: {findings}, {}\n\nReport\n", sanitize::line(document.name()), count(document.plans.len(), "plan"));
    for path in written {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let _ = writeln!(text, "  {}", linked(&path, links));
    }
    let next = improve::report::page::next(document);
    text.push_str(&human::next_commands(&next, &context.console.page(&document.audit.repository.root)));
    text
}

/// A path that a terminal opens at a click, where it can.
fn linked(path: &Path, links: bool) -> String {
    let shown = path.display().to_string();
    let text = sanitize::line(&shown);
    if links { improve::report::layout::link(&shown, &text) } else { text.into_owned() }
}

/// A report with everything that is known beside the findings. `run` says which earlier runs are comparable.
pub fn reported(
    document: ReportDocument,
    survey: &Survey,
    workspace: &Workspace,
    run: Option<&Run>,
) -> Result<ReportDocument, Failure> {
    // Outside a git repository there are plans and nothing that was done for them.
    let place = Place::of(&workspace.root, &cache_folder()).ok();
    let (ledger, _) = places(workspace);
    // A report is worth having without the money in it.
    let ledger = ledger.read().unwrap_or_default();
    let (status, plans) = backlog(workspace, place.as_ref(), &ledger)?;
    let day = |seconds| Some(jiff::Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d").to_string());
    let trend = run.map(|run| trend(&runs(workspace).read().unwrap_or_default(), run)).unwrap_or_default();
    let (runs, verified) = status.map_or((0, 0), |status| (status.runs, status.verified));
    let document = document.with_files(&survey.map);
    Ok(ReportDocument {
        committed: committed(survey).and_then(day),
        money: Money::of(&ledger, &plans, runs, verified),
        plans,
        trend,
        ..document
    })
}

/// The plans as `improve status` has them, each with what it waits for.
fn backlog(
    workspace: &Workspace,
    place: Option<&Place>,
    ledger: &Read,
) -> Result<(Option<StatusDocument>, Vec<PlanNode>), Failure> {
    let backlog = match Backlog::open(&workspace.root) {
        Ok(backlog) => backlog,
        // No folder for plans is no reason not to report findings.
        Err(BacklogError::NoFolder) => return Ok((None, Vec::new())),
        Err(error) => return Err(error.into()),
    };
    let mut status = status::document(&backlog, place, ledger)?;
    let rows = std::mem::take(&mut status.plans);
    let nodes = rows.into_iter().map(|row| {
        let plan = backlog.read_plan(Path::new(&row.path)).unwrap_or_default();
        let resolved = plan.status.depends_on.iter().filter_map(|name| backlog.resolve(name).ok());
        let depends_on = resolved.map(|path| path.to_string_lossy().replace('\\', "/")).collect();
        node(row, &plan, depends_on)
    });
    let nodes = nodes.collect();
    Ok((Some(status), nodes))
}

fn node(row: PlanRow, plan: &Plan, depends_on: Vec<String>) -> PlanNode {
    let PlanRow { path, number, title, status, note, last_outcome, stale } = row;
    let note = stale.map_or(note, |why| format!("stale: {why}"));
    PlanNode {
        path,
        number,
        title,
        status,
        note,
        last_outcome,
        priority: plan.status.priority,
        effort: plan.status.effort,
        mechanical: !plan.steps.is_empty() && plan.steps.iter().all(|step| !step.edits.is_empty()),
        depends_on,
        estimate: plan.status.estimate.clone(),
        finding: plan.status.finding.clone(),
    }
}
