//! `improve branch`: what a branch brings, before others see it.

mod hook;

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use improve::audit::AuditOptions;
use improve::audit::sarif_in::Imports;
use improve::branch::{Comparison, Reach, stops, tell_apart};
use improve::effects::effects;
use improve::finding::{Finding, State};
use improve::git::{Changes, CommitId, GitError, Repository};
use improve::report::audit_document::AuditDocument;
use improve::report::branch::{Branch, page};
use improve::report::comment::comment;
use improve::report::json;
use improve::report::plans::{PlannedRow, PlansDocument, plans};
use improve::settings::{Flags, Origin, Settings};
use improve::survey::{Survey, map_of};

use super::Context;
use super::audit::{FORMATS, baseline_of, depth_of, findings_as, read, read_advisories, rejections};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::findings::all_findings_at;
use super::globals::Workspace;
use super::models::ModelArgs;
use super::output::{Format, OutputArgs};
use super::planning::{Asking, Extent, Manner, consult};
use super::plans::{next, nodes, plan_all};
use super::progress::Bar;
use super::sarif_in::SarifInArgs;
use super::writing::Writer;

/// Find what the branch you are on brings: its files, and those that call or import them
#[derive(Debug, Args)]
pub struct BranchArgs {
    /// Compare with this branch, tag or commit [default: the default branch]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Look at uncommitted changes, too
    #[arg(long)]
    worktree_changes: bool,
    /// Look as a hook before a push does: within the time of hook-timeout, three lines where all is well, and stop the push
    /// for findings alone. IMPROVE_SKIP_HOOK=1 leaves it out
    #[arg(long, conflicts_with_all = ["worktree_changes", "files", "plan", "format", "output"])]
    hook: bool,
    #[command(flatten)]
    sarif_in: SarifInArgs,
    /// quick: what is certain; standard: what is likely too; deep: everything [default: standard]
    #[arg(long, value_name = "EFFORT")]
    effort: Option<String>,
    /// Exit with 1 when the branch brings a finding at or above this level: never, low, medium, high [default: a security
    /// or bug finding beyond doubt]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
    /// Have the planner, where one is bound, judge what came with the branch before anything is said of it
    #[arg(long)]
    vet: bool,
    /// Write a plan for each finding that came with the branch
    #[arg(long)]
    plan: bool,
    /// Write plans for the first N alone
    #[arg(long, value_name = "N", requires = "plan")]
    top: Option<usize>,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints what the branch brings, and what was there before in files it changed.
pub fn run(args: BranchArgs, context: &Context) -> Result<ExitCode, Failure> {
    let BranchArgs { base, worktree_changes, hook, sarif_in, effort, fail_on, vet, plan, top, models, output } = args;
    let flags = models.flags(Flags { effort, fail_on, ..Flags::default() });
    if hook {
        return hook::run(base, flags, vet.then_some(&models), context);
    }
    let outputs = output.outputs("improve branch", &FORMATS)?;
    let console = &context.console;
    let workspace = context.globals.workspace(flags, console)?;
    let imports = sarif_in.read(&workspace.root)?;
    let git = Repository::discover(&workspace.root)?;
    let against = Against::find(&git, base)?;
    let Some(mut looked) = look(&git, &against, worktree_changes, imports, &workspace, context)? else {
        console.note(&format!(
            "nothing differs from {}: `improve audit` looks at everything{}",
            against.name,
            if worktree_changes { "" } else { ", `improve branch --worktree-changes` at what is not committed" }
        ));
        return Ok(ExitCode::Done);
    };
    if vet {
        looked.vet(&models, &workspace, context)?;
    }
    let mut planned = None;
    if plan {
        if looked.aside {
            return Err(Failure::usage("plans are written for what is committed, and there are uncommitted changes")
                .hint("commit or stash them, or look at them too: --worktree-changes"));
        }
        planned = Some(looked.plan(&models, top, &workspace, context)?);
    }
    let layout = console.page(&looked.document.repository.root);
    let branch = Branch { name: git.branch(), document: &looked.document, verbose: workspace.verbose };
    let table = page(&branch, &layout);
    let document = looked.document.clone();
    match planned {
        None => outputs.write(console, &|format, _| match format {
            Format::Markdown => comment(&document, &[], &[]),
            other => findings_as(other, &document, &table),
        })?,
        Some(rows) => {
            let nodes = nodes(&rows, &workspace.root)?;
            let table = format!("{table}{}", plans(&rows, &next(&rows), &layout));
            let both = PlansDocument { audit: document, plans: rows };
            outputs.write(console, &|format, _| match format {
                Format::Json => json::document(&both),
                Format::Markdown => comment(&both.audit, &both.plans, &nodes),
                other => findings_as(other, &both.audit, &table),
            })?;
        }
    }
    Ok(match looked.stopping(&workspace.settings).is_empty() {
        false => ExitCode::Findings,
        true if looked.incomplete => ExitCode::Incomplete,
        true => ExitCode::Done,
    })
}

/// What was seen of a branch.
struct Looked {
    /// What concerns it.
    document: AuditDocument,
    /// A rule or a model failed.
    incomplete: bool,
    /// What was read.
    survey: Survey,
    /// Uncommitted changes were not looked at.
    aside: bool,
}

impl Looked {
    /// Findings that a branch should not go on with.
    fn stopping(&self, settings: &Settings) -> Vec<&Finding> {
        let fail_on = &settings.fail_on;
        let stops = |finding: &&Finding| match (&fail_on.origin, fail_on.value) {
            (Origin::Default, _) => stops(finding),
            (_, Some(level)) => finding.state == Some(State::Introduced) && finding.level() >= level,
            (_, None) => false,
        };
        self.document.findings.iter().filter(stops).collect()
    }

    /// Has the planner judge the findings that came with the branch: those that are wrong stand apart from then on.
    fn vet(&mut self, models: &ModelArgs, workspace: &Workspace, context: &Context) -> Result<(), Failure> {
        let Looked { document, survey, .. } = self;
        let is_new = |finding: &Finding| finding.state == Some(State::Introduced);
        let (new, old) = std::mem::take(&mut document.findings).into_iter().partition(is_new);
        document.findings = new;
        let manner = Manner { dry_run: false, batch: false };
        let asking = Asking { models, manner, looks: false };
        let extent = consult(asking, &AuditOptions::default(), document, survey, workspace, context);
        document.findings.extend::<Vec<Finding>>(old);
        match extent? {
            Extent::Whole => {}
            Extent::Partly | Extent::Misconfigured => self.incomplete = true,
        }
        Ok(())
    }

    /// Writes plans for the first `top` findings that came with the branch.
    fn plan(
        &mut self,
        models: &ModelArgs,
        top: Option<usize>,
        workspace: &Workspace,
        context: &Context,
    ) -> Result<Vec<PlannedRow>, Failure> {
        let Looked { document, survey, .. } = self;
        let new = document.findings.iter().filter(|finding| finding.state == Some(State::Introduced));
        let new: Vec<&Finding> = new.take(top.unwrap_or(usize::MAX)).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = Writer::new(models, false, survey, workspace, &document.cost, context)?;
        let (rows, failed) = plan_all(&new, survey, false, &mut writer, context)?;
        document.cost = writer.cost(document.cost.clone());
        self.incomplete |= failed;
        Ok(rows)
    }
}

/// Audits what a branch touches. `None` where it changed nothing.
fn look(
    git: &Repository,
    against: &Against,
    worktree_changes: bool,
    imports: Option<Arc<Imports>>,
    workspace: &Workspace,
    context: &Context,
) -> Result<Option<Looked>, Failure> {
    let Against { name: _, base, head } = against;
    let console = &context.console;
    let changes = git.changes(base, head, worktree_changes)?;
    if changes.files.is_empty() && changes.deleted.is_empty() {
        return Ok(None);
    }
    let options = AuditOptions { imports, ..options(workspace)? };
    let survey = read(workspace, context)?;
    // Files as they are committed, unless they are all as they are committed or the others are meant.
    let aside = survey.dirty && !worktree_changes;
    let judge = if worktree_changes { None } else { workspace.judged_by()? };
    let (audit, mut reach, repository) = if aside || judge.is_some() {
        let bar = Bar::new(console, context.cancel.clone());
        let tree = git.tree_of(head)?;
        // A branch must not leave out by an ignore file what it brings.
        let tree = match &judge {
            Some(judge) => tree.ignoring_as(judge),
            None => tree,
        };
        let map = map_of(&tree, git, head, "head", &workspace.settings, &bar)?;
        let audit = improve::audit::run(&map, &effects(&map), &tree, &options)?;
        if aside {
            console.note("note: uncommitted changes are not looked at; --worktree-changes does");
        }
        (audit, Reach::of(&changes, &map), survey.repository())
    } else {
        let audit = improve::audit::run(&survey.map, survey.effects(), &survey.tree, &options)?;
        (audit, Reach::of(&changes, &survey.map), survey.repository())
    };
    for warning in &audit.warnings {
        console.warn(warning);
    }
    if options.imports.is_some() {
        reach.lines = git.changed_lines(base, head, worktree_changes)?;
    }
    let incomplete = !audit.failed_rules.is_empty();
    let mut document = AuditDocument::new(repository, audit, &rejections(workspace)?);
    let found = std::mem::take(&mut document.findings);
    // Most branches bring nothing: then nothing has to be known of where they left.
    let silenced = document.suppressed.iter().map(|kept| kept.finding.clone());
    let concerned = tell_apart(found.iter().cloned().chain(silenced).collect(), &BTreeSet::new(), &reach);
    let before = match concerned.is_empty() {
        true => Vec::new(),
        false => all_findings_at(base, "base", git, workspace, context)?,
    };
    let before: BTreeSet<String> = before.into_iter().map(|finding| finding.fingerprint).collect();
    for kept in &mut document.suppressed {
        let finding = tell_apart(vec![kept.finding.clone()], &before, &reach).pop();
        kept.finding.state = finding.and_then(|finding| finding.state);
    }
    document.findings = tell_apart(found, &before, &reach);
    document.comparison = Some(comparison(against, &changes, &reach, worktree_changes));
    if context.cancel.is_cancelled() {
        return Err(Failure::interrupted());
    }
    Ok(Some(Looked { document, incomplete, survey, aside }))
}

/// What a branch is compared with.
struct Against {
    /// As people call it.
    name: String,
    /// Where the two lines part.
    base: CommitId,
    /// Where the branch is.
    head: CommitId,
}

impl Against {
    fn find(git: &Repository, named: Option<String>) -> Result<Against, Failure> {
        let head = git.head()?.ok_or_else(|| {
            Failure::usage("nothing is committed yet, so there is no branch to look at")
                .hint("`improve audit` looks at the files as they are")
        })?;
        let (name, revision) = match named {
            Some(named) => (named.clone(), named),
            None => {
                let unknown = || {
                    Failure::usage("nothing says which branch others start from")
                        .hint("name it with --base, or fetch it: git fetch origin")
                };
                let branch = git.default_branch().ok_or_else(unknown)?;
                let revision = git.published(&branch).ok_or_else(unknown)?;
                (revision.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/").to_owned(), revision)
            }
        };
        let other = git.resolve(&revision).map_err(|error| match error {
            GitError::NoSuchCommit { .. } => Failure::usage(format!("{name}: no such branch, tag or commit"))
                .hint("`git branch -a` lists branches; in CI, fetch it first"),
            other => other.into(),
        })?;
        let base = git.merge_base(&head, &other)?.ok_or_else(|| match git.is_shallow() {
            true => Failure::usage(format!(
                "where this branch left {name} is not known: the repository was fetched without its history"
            ))
            .hint("`git fetch --unshallow`; in a GitHub workflow, `fetch-depth: 0` for actions/checkout"),
            false => Failure::usage(format!("this branch and {name} have no commit in common"))
                .hint("name what it is to be compared with: --base REF"),
        })?;
        Ok(Against { name, base, head })
    }
}

fn options(workspace: &Workspace) -> Result<AuditOptions, Failure> {
    let settings = &workspace.settings;
    Ok(AuditOptions {
        rejected: rejections(workspace)?.into_keys().collect(),
        baseline: baseline_of(workspace)?,
        without_rules: settings.rules_off(),
        paths: settings.include.value.clone(),
        exclude: settings.exclude.value.clone(),
        depth: depth_of(settings),
        advisories: read_advisories(workspace)?,
        ..AuditOptions::default()
    })
}

fn comparison(against: &Against, changes: &Changes, reach: &Reach, uncommitted: bool) -> Comparison {
    Comparison {
        with: against.name.clone(),
        base: changes.base.to_string(),
        ahead: changes.ahead,
        uncommitted,
        changed: changes.files.len() + changes.deleted.len(),
        around: reach.around.len(),
    }
}
