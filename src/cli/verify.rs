//! `improve verify`: the gates of a plan on work done by anybody.

use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;
use improve::backlog::Backlog;
use improve::receipt::Receipt;
use improve::report::{json, receipt as report};
use improve::trust::commands_of;
use improve::verifier::{Subject, VerifyRequest};
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::apply::crew::{Crew, Workplace};
use super::apply::{RunningArgs, install, limits};
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::models::ModelArgs;
use super::narrator::Narrator;
use super::output::{Format, Kind, OutputArgs};
use super::plan_argument;
use super::plans::context_for;
use super::progress::Bar;
use super::sandbox::sandbox;
use super::trust::approve;

/// Check work that anybody did against its plan, in a clean worktree
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The plan: a path, a number, a slug or the beginning of one
    plan: String,
    /// The branch, tag or commit that holds the work
    #[arg(long, value_name = "REF", required_unless_present = "worktree", conflicts_with = "worktree")]
    branch: Option<String>,
    /// The checkout that holds the work, committed or not
    #[arg(long, value_name = "DIR")]
    worktree: Option<PathBuf>,
    /// Where the work starts, when history does not tell
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the receipt.
pub fn run(args: VerifyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let VerifyArgs { plan, branch, worktree, base, models, running, output } = args;
    let outputs = output.outputs("improve verify", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(models.flags(running.flags()), &context.console)?;
    let file = plan_argument::read(&plan, &workspace.root)?;
    let plan = file.plan()?;
    let place = Place::of(&workspace.root, &cache_folder())?;
    let survey = read(&workspace, context)?;
    let install = install(&plan, &survey.map);
    let console = &context.console;
    let approved = approve(&place, &commands_of(&plan, install.as_deref()), running.trust, console)?;
    let sandbox = sandbox(&workspace.settings, console)?;
    let subject = match (branch, worktree) {
        (Some(branch), _) => Subject::Branch(branch),
        (None, Some(folder)) => Subject::Folder(folder),
        (None, None) => return Err(Failure::usage("neither --branch nor --worktree says where the work is")),
    };
    let backlog = Backlog::open(&workspace.root)?;
    let workplace = Workplace {
        map: &survey.map,
        tree: &survey.tree,
        workspace: &workspace,
        backlog: &backlog,
        plan_context: context_for(&backlog, &survey)?,
        pack: OnceLock::new(),
        context,
    };
    let crew = Crew::verifier(&models, &workspace.settings)?.agree(&[&plan], &workplace)?;
    let line = crew.line(context)?;
    let own = line.is_none().then(|| Bar::new(console, context.cancel.clone()));
    let bar = line.as_ref().map(|line| &line.voice.bar).or(own.as_ref()).expect("one of them draws");
    let narrator = Narrator::new(console, bar, None);
    let budget = crew.budget(&workspace);
    let receipt = crew.at_work(line.as_ref(), &budget, &workplace, |crew| {
        let request = VerifyRequest {
            root: &workspace.root,
            cache: &cache_folder(),
            plan: &plan,
            plan_path: &file.path,
            plan_text: &file.text,
            slug: &file.slug,
            subject: &subject,
            base: base.as_deref(),
            install: install.as_deref(),
            approved: &approved,
            sandbox: &sandbox,
            limits: limits(&workspace.settings),
            reviewer: crew.reviewer,
        };
        let receipt = improve::verifier::verify(&request, &narrator, &context.cancel);
        receipt.map(|receipt| Receipt { cost: (crew.cost)(), ..receipt }).map_err(|error| {
            let code = ExitCode::of(error.exit_code());
            Failure::from(error).code(code)
        })
    })?;
    drop(own);
    drop(line);
    let page = console.page(&workspace.root.to_string_lossy());
    outputs.write(console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&receipt),
        Kind::Text => report::receipt(&receipt, &[], &page),
    })?;
    Ok(ExitCode::of(receipt.exit_code()))
}
