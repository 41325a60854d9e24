//! `improve reconcile`: what the plans and their index say, held against the repository as it is now.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use improve::apply::branch_of;
use improve::apply::check::fit;
use improve::apply::record::read_all;
use improve::apply::resume::how_far;
use improve::backlog::Backlog;
use improve::git::{Commit, Repository};
use improve::model::cost::Cost;
use improve::plan::Plan;
use improve::plan::anchor::{anchored, has_moved};
use improve::plan::index::{self, PlanStatus};
use improve::reconcile::{Branch, Facts, FindingNow, Judgement, RunState, judge};
use improve::report::json;
use improve::report::reconcile::{Action, ReconcileDocument, ReconciledPlan, SCHEMA_VERSION, page};
use improve::tree::Tree;
use improve::worktree::place::cache_folder;
use improve::worktree::{Place, leftovers};

use super::Context;
use super::apply::RunningArgs;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::ModelArgs;
use super::output::{Format, Kind, OutputArgs};
use super::plan_argument;
use super::writing::Writer;

mod findings;
mod renewing;

use findings::Findings;
use renewing::{Renewal, Renewer};

/// Bring plans and their index up to date with what became of the repository: done by hand, merged, drifted, abandoned
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// Only these plans: paths, numbers, slugs or the beginnings of them [default: all]
    #[arg(value_name = "PLAN")]
    plans: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Looks at every plan, changes what has to be, and prints that.
pub fn run(args: ReconcileArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ReconcileArgs { plans, dry_run, models, running, output } = args;
    let outputs = output.outputs("improve reconcile", &[Format::Human, Format::Json])?;
    let console = &context.console;
    let workspace = context.globals.workspace(models.flags(running.flags()), console)?;
    let backlog = Backlog::open(&workspace.root)?;
    let named = plans.iter().map(|plan| plan_argument::read(plan, &workspace.root).map(|file| file.path));
    let named: Vec<String> = named.collect::<Result<_, _>>()?;
    let place = Place::of(&workspace.root, &cache_folder())?;
    let head = place.commit_of(None)?;
    let survey = read(&workspace, context)?;
    let Some(git) = &survey.git else {
        return Err(Failure::usage("git cannot read this repository, and reconciling begins with git")
            .hint("`git status` says what is wrong with it"));
    };
    let tree = git.tree_of(&git.resolve(&head)?)?;
    if survey.dirty {
        console.note("note: uncommitted changes do not count: plans are held against HEAD");
    }
    if !dry_run {
        // What cannot be written is not paid for.
        drop(backlog.lock()?);
    }
    let writer = Writer::new(&models, running.trust, &survey, &workspace, &Cost::default(), context)?;
    let mut reconciler = Reconciler {
        findings: Findings::new(&survey, &workspace, context)?,
        renewer: Renewer { writer, survey: &survey, backlog: &backlog },
        in_use: leftovers(&place).into_iter().filter(|left| left.in_use).map(|left| left.slug).collect(),
        workspace: &workspace,
        backlog: &backlog,
        place: &place,
        tree: &tree,
        head: &head,
        dry_run,
    };
    let mut found = Vec::new();
    for known in backlog.plans() {
        if context.cancel.is_cancelled() {
            return Err(Failure::interrupted());
        }
        if named.is_empty() || named.contains(&known.path) {
            found.push(reconciler.reconcile(&known.path)?);
        }
    }
    let cost = reconciler.renewer.writer.cost(Cost::default());
    let document = ReconcileDocument {
        schema_version: SCHEMA_VERSION,
        dry_run,
        lost: if named.is_empty() { lost(&backlog)? } else { Vec::new() },
        plans: found,
        cost,
    };
    let layout = console.page(&workspace.root.to_string_lossy());
    let next = next(&document);
    outputs.write(console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&document),
        Kind::Text => page(&document, &next, &layout),
    })?;
    let is_stuck = document.plans.iter().any(|plan| matches!(plan.action, Action::Blocked | Action::Unreadable));
    Ok(if is_stuck { ExitCode::Blocked } else { ExitCode::Done })
}

/// Reconciles one plan after the other.
struct Reconciler<'a> {
    findings: Findings<'a>,
    renewer: Renewer<'a>,
    /// Slugs of plans that living processes work on.
    in_use: BTreeSet<String>,
    workspace: &'a Workspace,
    backlog: &'a Backlog,
    place: &'a Place,
    /// The files at HEAD.
    tree: &'a dyn Tree,
    head: &'a str,
    dry_run: bool,
}

impl Reconciler<'_> {
    fn reconcile(&mut self, path: &str) -> Result<ReconciledPlan, Failure> {
        let file = plan_argument::read(path, &self.workspace.root)?;
        let status = self.backlog.status(Path::new(path))?;
        let before = status.as_ref().map(PlanStatus::to_string);
        let row =
            |title: &str, number: Option<u32>, action: Action, after: Option<String>, why: String| ReconciledPlan {
                path: path.to_owned(),
                number,
                title: title.to_owned(),
                before: before.clone(),
                after,
                action,
                why,
            };
        let plan = match file.parse() {
            Ok(plan) => plan,
            Err(error) => return Ok(row("", None, Action::Unreadable, before.clone(), error.to_string())),
        };
        let facts = self.facts(&plan, path, &file.slug, status)?;
        let (action, after, why) = match judge(&facts) {
            Judgement::Keep(why) => (Action::Kept, None, why),
            Judgement::Done(why) => {
                let why = format!("{why}{}", self.last_change(&plan)?);
                (Action::Done, Some(PlanStatus::Done(format!("found done: {why}"))), why)
            }
            Judgement::Reopen(why) => (Action::Reopened, Some(PlanStatus::Todo), why),
            Judgement::Anchor => match self.anchor(path, &file.text)? {
                true => (Action::Anchored, None, "what it quotes stands elsewhere in its files now".to_owned()),
                false => (Action::Kept, None, "it fits; what it quotes has moved".to_owned()),
            },
            Judgement::Renew(why) => self.renew(&plan, &file.text, path, why)?,
        };
        // What was blocked stays so, with the reason that stands there.
        let was_blocked = matches!(facts.status, Some(PlanStatus::Blocked(_)));
        let (action, after) =
            if action == Action::Blocked && was_blocked { (Action::Kept, None) } else { (action, after) };
        if let Some(status) = &after
            && !self.dry_run
        {
            let lock = self.backlog.lock()?;
            self.backlog.set_status(&lock, Path::new(path), status)?;
        }
        let after = after.map(|status| status.to_string()).or_else(|| before.clone());
        Ok(row(&plan.title, plan.number, action, after, why))
    }

    fn facts(&mut self, plan: &Plan, path: &str, slug: &str, status: Option<PlanStatus>) -> Result<Facts, Failure> {
        let is_closed = matches!(status, Some(PlanStatus::Rejected(_) | PlanStatus::Other(_)));
        if is_closed {
            return Ok(Facts { status, ..Facts::default() });
        }
        let receipts = read_all(&self.place.receipts(), slug)?;
        Ok(Facts {
            fit: fit(plan, path, self.place, self.head)?,
            has_moved: has_moved(plan, self.tree),
            finding: self.finding(plan)?,
            branch: self.branch(slug, receipts.last().map(|receipt| receipt.base.as_str()))?,
            run: match self.in_use.contains(slug) {
                true => RunState::AtWork,
                false => how_far(self.place, slug)?,
            },
            last: receipts.last().map(|receipt| receipt.outcome),
            status,
        })
    }

    fn finding(&mut self, plan: &Plan) -> Result<FindingNow, Failure> {
        match &plan.status.finding {
            Some(fingerprint) => self.findings.state(fingerprint, plan.status.planned_at_commit.as_deref()),
            None => Ok(FindingNow::Unknown),
        }
    }

    /// The plan's branch. `base` is where its last run began.
    fn branch(&self, slug: &str, base: Option<&str>) -> Result<Branch, Failure> {
        let branch = branch_of(slug);
        if !self.place.has_branch(&branch)? {
            return Ok(Branch::Missing);
        }
        let tip = self.place.commit_of(Some(&branch))?;
        if base == Some(tip.as_str()) {
            return Ok(Branch::Missing);
        }
        let is_merged = self.place.merge_base(&tip, self.head).is_ok_and(|common| common == tip);
        Ok(match is_merged {
            true => Branch::Merged,
            false => {
                let repository = Repository::discover(&self.workspace.root)?;
                let (head, tip) = (repository.resolve(self.head)?, repository.resolve(&tip)?);
                Branch::Waiting { conflicts: !repository.can_merge(&head, &tip)? }
            }
        })
    }

    /// The commit that changed the files of the plan last, since it was written.
    fn last_change(&self, plan: &Plan) -> Result<String, Failure> {
        let paths: Vec<&str> = plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()).collect();
        let repository = Repository::discover(&self.workspace.root)?;
        let since = plan.status.planned_at_commit.as_deref().and_then(|name| repository.resolve(name).ok());
        let last = repository.last_change(&paths, since.as_ref(), &repository.resolve(self.head)?)?;
        Ok(last.map_or_else(String::new, |Commit { id, subject }| {
            let id = id.as_str();
            format!(", last by {} {}", id.get(..9).unwrap_or(id), improve::report::sanitize::line(&subject))
        }))
    }

    /// Brings the lines a plan cites up to date. Whether there was anything to bring.
    fn anchor(&self, path: &str, text: &str) -> Result<bool, Failure> {
        let Some(text) = anchored(text, self.tree) else { return Ok(false) };
        if !self.dry_run {
            let lock = self.backlog.lock()?;
            self.backlog.rewrite_text(&lock, Path::new(path), &text)?;
        }
        Ok(true)
    }

    /// Has a plan written anew, where somebody can.
    fn renew(
        &mut self,
        plan: &Plan,
        text: &str,
        path: &str,
        why: String,
    ) -> Result<(Action, Option<PlanStatus>, String), Failure> {
        let planned_at = plan.status.planned_at_commit.as_deref();
        let finding = match &plan.status.finding {
            Some(fingerprint) => self.findings.find(fingerprint, planned_at)?,
            None => None,
        };
        if self.dry_run {
            let by = self.renewer.by(finding.as_ref());
            return Ok(match by {
                Some(by) => (Action::Renewed, None, format!("{why}; {by} would plan it anew")),
                None => (Action::Blocked, Some(PlanStatus::Blocked(why.clone())), why),
            });
        }
        Ok(match self.renewer.renew(plan, text, path, finding.as_ref(), &why)? {
            Renewal::Written(by) => (Action::Renewed, Some(PlanStatus::Todo), format!("{why}; {by} planned it anew")),
            Renewal::NotWorthIt(said) => {
                let reason = format!("{why}; its planner says: {said}");
                (Action::Blocked, Some(PlanStatus::Blocked(reason.clone())), reason)
            }
            Renewal::Nobody => {
                let hint = "; a planner model could plan it anew, and none is bound";
                (Action::Blocked, Some(PlanStatus::Blocked(why.clone())), format!("{why}{hint}"))
            }
            Renewal::Same => (Action::Blocked, Some(PlanStatus::Blocked(why.clone())), why),
        })
    }
}

/// Rows of the index that lead to no file.
fn lost(backlog: &Backlog) -> Result<Vec<String>, Failure> {
    let plans = backlog.plans();
    let is_there = |file: &str| {
        let path = format!("{}/{}", backlog.folder(), file.trim_start_matches("./"));
        plans.iter().any(|plan| plan.path == path)
    };
    let rows = index::rows(&backlog.index_text()?).into_iter().filter_map(|row| row.file);
    Ok(rows.filter(|file| file.ends_with(".md") && !file.contains("://") && !is_there(file)).collect())
}

fn next(document: &ReconcileDocument) -> Vec<(String, String)> {
    let waits = |plan: &&ReconciledPlan| plan.after.as_deref().is_some_and(|status| status.starts_with("TODO"));
    if document.dry_run {
        return vec![("improve reconcile".to_owned(), "change it".to_owned())];
    }
    match document.plans.iter().filter(waits).count() {
        0 => vec![("improve".to_owned(), "find what is worth changing and write plans".to_owned())],
        _ => vec![("improve apply --all".to_owned(), "carry out the plans that wait".to_owned())],
    }
}
