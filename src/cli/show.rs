//! `improve show`: one finding, plan or receipt in full, or the work done for a plan.

use std::path::Path;

use clap::Args;
use improve::apply::branch_of;
use improve::apply::record::{find_by_name, read_all, read_one};
use improve::audit::engine::{recipe, rule_by_id};
use improve::audit::rule::RecipeContext;
use improve::backlog::{Backlog, BacklogError};
use improve::finding::Finding;
use improve::plan::Plan;
use improve::planner::built_in::{PlanContext, specify};
use improve::receipt::Receipt;
use improve::report::finding_page::FindingPage;
use improve::report::plan_page::{self, DiffDocument, Known, PlanDocument};
use improve::report::plans::plan_name;
use improve::report::{finding_page, human, json, receipt as receipt_page};
use improve::settings::Flags;
use improve::survey::Survey;
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::findings::{all_findings, find};
use super::globals::Workspace;
use super::output::{Format, Kind, OutputArgs};
use super::plan_argument::{self, PlanFile};
use super::sarif_in::SarifInArgs;

/// Show one finding, plan or receipt in full
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A finding's fingerprint, a plan or a receipt, or the beginning of one
    id: String,
    #[command(flatten)]
    sarif_in: SarifInArgs,
    /// Show the diff of the work done for the plan
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// What an ID means.
enum Meant {
    Receipt(Box<Receipt>),
    Plan(PlanFile),
    Finding,
}

/// Prints what the ID means.
pub fn run(args: ShowArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ShowArgs { id, sarif_in, diff, output } = args;
    let outputs = output.outputs("improve show", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    // Outside a git repository there are plans and nothing that was done for them.
    let place = Place::of(&workspace.root, &cache_folder()).ok();
    let meant = meant(&id, &workspace, place.as_ref())?;
    let page = context.console.page(&workspace.root.to_string_lossy());
    if diff {
        let document = match (meant, &place) {
            (Meant::Finding, _) => {
                return Err(Failure::usage(format!("no plan and no receipt is called `{id}`"))
                    .hint("--diff shows the work done for a plan; `improve status` lists the plans"));
            }
            (Meant::Plan(_) | Meant::Receipt(_), None) => {
                return Err(Failure::usage(format!("{}: not inside a git repository", workspace.root.display())));
            }
            (Meant::Plan(file), Some(place)) => diff_of_plan(&file, place)?,
            (Meant::Receipt(receipt), Some(place)) => diff_of_receipt(&receipt, place)?,
        };
        outputs.write(&context.console, &|format, _| match format.kind() {
            Kind::Document | Kind::Lines => json::document(&document),
            Kind::Text => plan_page::diff(&document),
        })?;
        return Ok(ExitCode::Done);
    }
    match meant {
        Meant::Receipt(receipt) => outputs.write(&context.console, &|format, _| match format.kind() {
            Kind::Document | Kind::Lines => json::document(&receipt),
            Kind::Text => receipt_page::receipt(&receipt, &[], &page),
        })?,
        Meant::Plan(file) => {
            let document = document(&file, &workspace, place.as_ref())?;
            let next = next(&document, &file.slug);
            outputs.write(&context.console, &|format, _| match format.kind() {
                Kind::Document | Kind::Lines => json::document(&document),
                Kind::Text => plan_page::plan(&document, &next, &page),
            })?;
        }
        Meant::Finding => {
            let survey = read(&workspace, context)?;
            let finding = find(&id, all_findings(sarif_in.read(&workspace.root)?, &workspace, &survey)?)?;
            let sketch = sketch(&finding, &survey);
            let known = FindingPage {
                finding: &finding,
                rule: rule_by_id(&finding.rule).map(|rule| rule.doc()),
                sketch: sketch.as_ref(),
                source: &|path| survey.text_to_show(path),
                next: next_for(&finding, sketch.is_some(), &workspace)?,
            };
            outputs.write(&context.console, &|format, _| match format.kind() {
                Kind::Document | Kind::Lines => json::document(&finding),
                Kind::Text => finding_page::finding(&known, &page),
            })?;
        }
    }
    Ok(ExitCode::Done)
}

/// The plan that the finding's recipe would make.
fn sketch(finding: &Finding, survey: &Survey) -> Option<Plan> {
    let recipe_context = RecipeContext { map: &survey.map, effects: survey.effects(), tree: &survey.tree };
    let draft = recipe(finding, &recipe_context)?;
    Some(specify(finding, &draft, &survey.map, &survey.tree, &PlanContext::default()))
}

fn next_for(finding: &Finding, has_recipe: bool, workspace: &Workspace) -> Result<Vec<(String, String)>, Failure> {
    let id = human::short(&finding.fingerprint);
    let mut next = Vec::new();
    match Backlog::open(&workspace.root)?.plan_of_finding(&finding.fingerprint) {
        Some(path) => {
            let name = plan_name(&path.to_string_lossy()).to_owned();
            next.push((format!("improve show {name}"), "read its plan".to_owned()));
            next.push((format!("improve apply {name}"), "carry it out on a branch of its own".to_owned()));
        }
        None if has_recipe => next.push((format!("improve --select {id}"), "write a plan for it".to_owned())),
        None => {}
    }
    if rule_by_id(&finding.rule).is_some() {
        next.push((
            format!("improve rules {}", finding.rule),
            "when the rule fires and when it stays quiet".to_owned(),
        ));
    }
    next.push((format!("improve reject {id} --reason \"…\""), "never see it again".to_owned()));
    Ok(next)
}

/// A receipt's file, else a plan, else the name of a receipt, else a finding.
fn meant(id: &str, workspace: &Workspace, place: Option<&Place>) -> Result<Meant, Failure> {
    if id.ends_with(".json") && Path::new(id).is_file() {
        return Ok(Meant::Receipt(Box::new(read_one(Path::new(id))?)));
    }
    let is_file = Path::new(id).is_file() || workspace.root.join(id).is_file();
    let is_plan = is_file
        || match Backlog::open(&workspace.root)?.resolve(id) {
            Ok(_) | Err(BacklogError::Ambiguous { .. }) => true,
            Err(_) => false,
        };
    if is_plan {
        return Ok(Meant::Plan(plan_argument::read(id, &workspace.root)?));
    }
    match place.map(|place| find_by_name(&place.receipts(), id)) {
        Some(found) if found.len() == 1 => Ok(Meant::Receipt(Box::new(read_one(&found[0])?))),
        Some(found) if found.len() > 1 => {
            let mut failure =
                Failure::usage(format!("`{id}` means several receipts")).hint("write more of it, or the plan's name");
            let stem = |path: &std::path::PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            failure.places = found.iter().filter_map(stem).collect();
            Err(failure)
        }
        Some(_) | None => Ok(Meant::Finding),
    }
}

fn document(file: &PlanFile, workspace: &Workspace, place: Option<&Place>) -> Result<PlanDocument, Failure> {
    let plan = file.plan()?;
    let status = Backlog::open(&workspace.root)?.status(Path::new(&file.path))?.map(|status| status.to_string());
    let mut known = Known { status, ..Known::default() };
    if let Some(place) = place {
        let branch = branch_of(&file.slug);
        known.branch = place.has_branch(&branch)?.then_some(branch);
        let folder = place.folder_of(&file.slug);
        known.worktree = folder.is_dir().then(|| folder.to_string_lossy().into_owned());
        let outputs = [place.output_of(&file.slug), place.cut_off_of(&file.slug)];
        known.gate_output = outputs.iter().find(|file| file.is_file()).map(|file| file.to_string_lossy().into_owned());
        known.last = read_all(&place.receipts(), &file.slug)?.pop();
    }
    Ok(PlanDocument::new(&plan, &file.path, known))
}

fn next(document: &PlanDocument, slug: &str) -> Vec<(String, String)> {
    let mut next = Vec::new();
    if document.branch.is_some() {
        next.push((format!("improve show {slug} --diff"), "look at the work".to_owned()));
    } else {
        next.push((format!("improve review {slug}"), "see whether it can be carried out".to_owned()));
        next.push((format!("improve apply {slug}"), "carry it out".to_owned()));
    }
    next
}

/// The work on the plan's branch, from where its last run began.
fn diff_of_plan(file: &PlanFile, place: &Place) -> Result<DiffDocument, Failure> {
    let branch = branch_of(&file.slug);
    if !place.has_branch(&branch)? {
        return Err(Failure::usage(format!("{}: there is no branch {branch}, so no work to show", file.path))
            .hint(format!("`improve apply {}` carries the plan out", file.slug)));
    }
    let tip = place.commit_of(Some(&branch))?;
    let runs = read_all(&place.receipts(), &file.slug)?;
    let of_this_work =
        |receipt: &&Receipt| place.merge_base(&receipt.base, &tip).is_ok_and(|base| base == receipt.base);
    let base = match runs.iter().rev().find(of_this_work) {
        Some(receipt) => receipt.base.clone(),
        None => place.merge_base(&place.commit_of(None)?, &tip)?,
    };
    diff(place, &file.path, branch, base, tip)
}

/// The commits that a receipt names, also when their branch is gone.
fn diff_of_receipt(receipt: &Receipt, place: &Place) -> Result<DiffDocument, Failure> {
    let branch = receipt.branch.clone().unwrap_or_default();
    let tip = match receipt.commits.last() {
        Some(commit) => place.commit_of(Some(&commit.id))?,
        None if !branch.is_empty() => place.commit_of(Some(&branch))?,
        None => {
            return Err(Failure::usage(format!("{}: the receipt names no commit", receipt.plan.path))
                .hint("nothing was changed, or the work was looked at where it stood"));
        }
    };
    diff(place, &receipt.plan.path, branch, receipt.base.clone(), tip)
}

fn diff(place: &Place, plan: &str, branch: String, base: String, tip: String) -> Result<DiffDocument, Failure> {
    let diff = place.patch(&base, &tip)?;
    Ok(DiffDocument { schema_version: plan_page::SCHEMA_VERSION, plan: plan.to_owned(), branch, base, tip, diff })
}
