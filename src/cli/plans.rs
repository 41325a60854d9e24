//! Bare `improve`: audit, choose, and write a plan for each finding that was chosen.

use std::path::{Path, PathBuf};

use clap::Args;
use improve::audit::engine::recipe;
use improve::audit::rule::RecipeContext;
use improve::backlog::{Backlog, slug};
use improve::finding::{Category, Finding};
use improve::plan::lint::lint;
use improve::planner::built_in::{PlanContext, specify};
use improve::planner::specify::{DIRECTION, Subject};
use improve::report::audit_document::AuditDocument;
use improve::report::comment::{self, Node};
use improve::report::document::ReportDocument;
use improve::report::human::AuditPage;
use improve::report::page::page as page_of;
use improve::report::plans::{Planned, PlannedRow, PlansDocument, plan_name, plans};
use improve::report::{human, json};
use improve::runs::Run;
use improve::survey::Survey;

use super::Context;
use super::apply::RunningArgs;
use super::audit::{Audited, FORMATS, ScopeArgs, audit, exit_code, findings_as, page_options};
use super::choose::{ChooseArgs, choose};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::filing::{Filed, file};
use super::globals::Workspace;
use super::issues::{IssueArgs, publish};
use super::output::{Format, Kind, OutputArgs, Outputs};
use super::planning::Manner;
use super::report::reported;
use super::writing::{Writer, Written};

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
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    issues: IssueArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl PlansArgs {
    /// The same with one FOCUS word or path more.
    pub fn with_word(self, word: &str) -> PlansArgs {
        PlansArgs { scope: self.scope.with_word(word), ..self }
    }
}

/// Writes the plans and prints what was done.
pub fn run(args: PlansArgs, context: &Context) -> Result<ExitCode, Failure> {
    let PlansArgs { scope, choose: choice, running, issues, output } = args;
    let dry_run = scope.dry_run;
    let outputs = output.outputs("improve", &FORMATS)?;
    let Audited { workspace, survey, document, extent, run } = audit(&scope, None, running.flags(), context)?;
    let code = exit_code(&document.findings, workspace.settings.fail_on.value, extent);
    let mut writer = Writer::new(&scope.models, running.trust, &survey, &workspace, &document.cost, context)?
        .in_manner(Manner { dry_run, batch: scope.batch });
    let offers_model = scope.models.is_open(&workspace.settings, &context.console);
    let run = Some(run);
    let offer = Offer { document, survey: &survey, workspace: &workspace, dry_run, offers_model, run };
    let Planning { failed, plans } = offer.choose_and_plan(&choice, &outputs, &mut writer, context)?;
    let published = if dry_run { ExitCode::Done } else { publish(issues, &workspace.root, &plans, context)? };
    Ok(if failed { code.max(ExitCode::Incomplete) } else { code.max(published) })
}

/// What came of planning.
pub struct Planning {
    /// A model failed.
    pub failed: bool,
    /// The plans of what was chosen, new ones and those that were there.
    pub plans: Vec<PathBuf>,
}

/// Findings that may become plans.
pub struct Offer<'a> {
    /// The findings.
    pub document: AuditDocument,
    /// What was read.
    pub survey: &'a Survey,
    /// What was set.
    pub workspace: &'a Workspace,
    /// No plan is written.
    pub dry_run: bool,
    /// Say what a model would add.
    pub offers_model: bool,
    /// What the audit counted; `None` where there was none.
    pub run: Option<Run>,
}

impl Offer<'_> {
    /// Shows the findings, has some of them chosen, writes their plans and prints what was done.
    pub fn choose_and_plan(
        self,
        choice: &ChooseArgs,
        outputs: &Outputs,
        writer: &mut Writer<'_>,
        context: &Context,
    ) -> Result<Planning, Failure> {
        let Offer { document, survey, workspace, dry_run, offers_model, run } = self;
        let console = &context.console;
        let page = console.page(&document.repository.root);
        let options = AuditPage { offers_model, ..page_options(survey, SHOWN, workspace.verbose, Vec::new()) };
        let table = human::audit(&document, &options, &page);
        // The table comes before the question it helps to answer.
        let asked = outputs.is_human() && console.interactive && !choice.decides();
        if asked {
            console.print(&table)?;
        }
        let chosen = choose(choice, &document.findings, console)?;
        let chosen: Vec<&Finding> = chosen.into_iter().map(|index| &document.findings[index]).collect();
        let (rows, failed) =
            if chosen.is_empty() { (Vec::new(), false) } else { plan_all(&chosen, survey, dry_run, writer, context)? };
        let next = next(&rows);
        let document = PlansDocument {
            audit: AuditDocument { cost: writer.cost(document.cost.clone()), ..document },
            plans: rows,
        };
        let page_for = |to_stdout| match (document.audit.findings.is_empty(), asked && to_stdout) {
            (true, _) => table.clone(),
            (false, true) => plans(&document.plans, &next, &page),
            (false, false) => format!("{table}{}", plans(&document.plans, &next, &page)),
        };
        let nodes = nodes(&document.plans, &survey.root)?;
        let report = match outputs.wants(Format::Html) {
            true => Some(reported(ReportDocument::bare(document.audit.clone()), survey, workspace, run.as_ref())?),
            false => None,
        };
        outputs.write(console, &|format, to_stdout| match (format, format.kind()) {
            (Format::Html, _) => report.as_ref().map(page_of).unwrap_or_default(),
            (_, Kind::Document) => json::document(&document),
            (_, Kind::Lines) => json::lines(&document.plans),
            (Format::Markdown, _) => {
                let findings = findings_as(format, &document.audit, "");
                format!("{findings}\n{}", comment::plans(&document.plans, &nodes))
            }
            (_, Kind::Text) => findings_as(format, &document.audit, &page_for(to_stdout)),
        })?;
        let written = document.plans.iter().filter(|row| row.outcome != Planned::WouldBeWritten);
        let plans = written.filter_map(|row| row.path.as_ref()).map(PathBuf::from).collect();
        Ok(Planning { failed, plans })
    }
}

/// A plan for each finding that has none yet and gets one from a model or a recipe. Says too whether a model failed.
pub fn plan_all(
    findings: &[&Finding],
    survey: &Survey,
    dry_run: bool,
    writer: &mut Writer<'_>,
    context: &Context,
) -> Result<(Vec<PlannedRow>, bool), Failure> {
    let backlog = Backlog::open(&survey.root)?;
    if backlog.is_displaced() {
        let note = format!("note: plans/ belongs to something else; plans go to {}/", backlog.folder());
        context.console.note(&note);
    }
    if !dry_run {
        // What cannot be written is not paid for.
        drop(backlog.lock()?);
    }
    let mut plan_context = context_for(&backlog, survey)?;
    let recipe_context = RecipeContext { map: &survey.map, effects: survey.effects(), tree: &survey.tree };
    // Exact edits need no judgement: what a recipe can carry out costs nothing and cannot be misread.
    let by_model = |finding: &Finding| !finding.mechanical && backlog.plan_of_finding(&finding.fingerprint).is_none();
    let mut subjects: Vec<Subject<'_>> =
        findings.iter().filter(|finding| by_model(finding)).map(|finding| subject(finding)).collect();
    if dry_run {
        writer.foretell(subjects.len());
        subjects.clear();
    } else {
        writer.agree(subjects.len())?;
    }
    let mut written =
        if writer.goes_by_batch() { writer.write_all(&subjects, &plan_context)? } else { Vec::new() }.into_iter();
    let mut rows = Vec::new();
    let mut failed = false;
    for finding in findings {
        if context.cancel.is_cancelled() {
            return Err(Failure::interrupted());
        }
        let asked = subjects.iter().any(|subject| std::ptr::eq(subject.finding, *finding));
        let ahead = if asked { written.next() } else { None };
        if let Some(path) = backlog.plan_of_finding(&finding.fingerprint) {
            rows.push(already_planned(finding, path.to_string_lossy().into_owned(), &backlog));
            continue;
        }
        let written = match ahead {
            Some(written) => written,
            None if asked => writer.write(&subject(finding), &plan_context)?,
            None => Written::Nothing,
        };
        failed |= matches!(written, Written::Failed);
        let (plan, problems) = match (written, recipe(finding, &recipe_context)) {
            (Written::Plan(plan, problems), _) => (*plan, problems),
            (Written::NotWorthIt(why), _) => {
                rows.push(PlannedRow {
                    problems: vec![why],
                    ..row(finding, Planned::NotWorthIt, None, finding.title.clone())
                });
                continue;
            }
            (Written::Failed | Written::Nothing, Some(draft)) => {
                let plan = specify(finding, &draft, &survey.map, &survey.tree, &plan_context);
                let problems = lint(&plan, &survey.tree, &survey.map.recon);
                (plan, problems.into_iter().map(|problem| problem.message).collect())
            }
            (Written::Failed | Written::Nothing, None) => {
                rows.push(row(finding, Planned::NoRecipe, None, finding.title.clone()));
                continue;
            }
        };
        let (mechanical, title) = (plan.steps.iter().all(|step| !step.edits.is_empty()), plan.title.clone());
        let (outcome, path) = if dry_run {
            let name = format!("{}/{:03}-{}.md", backlog.folder(), plan_context.number, slug(&plan.title));
            (Planned::WouldBeWritten, name)
        } else {
            match file(&backlog, plan)? {
                Filed::Written(path) => (Planned::Written, path),
                Filed::There(path) => {
                    rows.push(already_planned(finding, path, &backlog));
                    continue;
                }
            }
        };
        plan_context.number += 1;
        rows.push(PlannedRow { mechanical, problems, ..row(finding, outcome, Some(path), title) });
    }
    Ok((rows, failed))
}

fn subject<'a>(finding: &'a Finding) -> Subject<'a> {
    let remarks = if finding.category == Category::Direction { DIRECTION } else { "" };
    Subject { finding, remarks, decided: &[] }
}

/// What the next plan must know beside its finding.
pub fn context_for(backlog: &Backlog, survey: &Survey) -> Result<PlanContext, Failure> {
    Ok(PlanContext {
        number: backlog.next_number()?,
        commit: survey.map.commit.clone(),
        date: jiff::Zoned::now().date().to_string(),
        subjects: survey.git.as_ref().and_then(|git| git.recent_subjects(SUBJECTS).ok()).unwrap_or_default(),
        index: backlog.index_path(),
    })
}

fn already_planned(finding: &Finding, path: String, backlog: &Backlog) -> PlannedRow {
    let title = backlog.read_plan(Path::new(&path)).map_or_else(|_| finding.title.clone(), |plan| plan.title);
    row(finding, Planned::AlreadyPlanned, Some(path), title)
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

/// The plans of `rows`, each with those it depends on.
pub fn nodes(rows: &[PlannedRow], root: &Path) -> Result<Vec<Node>, Failure> {
    let backlog = Backlog::open(root)?;
    let node = |row: &PlannedRow| {
        let path = row.path.clone()?;
        let plan = backlog.read_plan(Path::new(&path)).ok();
        let named = plan.map(|plan| plan.status.depends_on).unwrap_or_default();
        let resolved = named.iter().filter_map(|name| backlog.resolve(name).ok());
        let depends_on = resolved.map(|path| path.to_string_lossy().replace('\\', "/")).collect();
        Some(Node { path, title: row.title.clone(), depends_on })
    };
    Ok(rows.iter().filter_map(node).collect())
}

/// What to type now: the plan that costs least first.
pub fn next(rows: &[PlannedRow]) -> Vec<(String, String)> {
    let written = |row: &&PlannedRow| matches!(row.outcome, Planned::Written | Planned::AlreadyPlanned);
    let name = |row: &PlannedRow| plan_name(row.path.as_deref().unwrap_or_default()).to_owned();
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
