//! `improve next`: where the project could go, grounded in what is there.

use std::collections::BTreeMap;

use clap::Args;
use improve::audit::engine::suppressions;
use improve::audit::{Audit, AuditOptions};
use improve::finding::Category;
use improve::model::cost::Cost;
use improve::planner::lens::{estimate, look};
use improve::report::audit_document::AuditDocument;

use super::Context;
use super::apply::RunningArgs;
use super::audit::{FORMATS, read, rejections};
use super::choose::ChooseArgs;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::issues::{IssueArgs, publish};
use super::models::ModelArgs;
use super::output::OutputArgs;
use super::planning::Manner;
use super::plans::{Offer, Planning};
use super::writing::{Asked, Writer};

/// Show directions the code suggests; those you pick become design plans
#[derive(Debug, Args)]
pub struct NextArgs {
    /// Ask and write nothing: show what the question would cost
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    choose: ChooseArgs,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    issues: IssueArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Shows directions and writes design plans for those that are picked.
pub fn run(args: NextArgs, context: &Context) -> Result<ExitCode, Failure> {
    let NextArgs { dry_run, choose, models, running, issues, output } = args;
    let outputs = output.outputs("improve next", &FORMATS)?;
    let console = &context.console;
    let workspace = context.globals.workspace(models.flags(running.flags()), console)?;
    let survey = read(&workspace, context)?;
    let mut writer = Writer::new(&models, running.trust, &survey, &workspace, &Cost::default(), context)?
        .in_manner(Manner { dry_run, batch: false });
    if !writer.agree_to("1 lens", |pack_tokens, bound| estimate(1, pack_tokens, bound))? {
        return Ok(ExitCode::Done);
    }
    let seen =
        match writer.ask("looking where it could go", |desk| look(&[Category::Direction], None, &[], desk, &|_| ()))? {
            Asked::Answer(_) if dry_run => return Ok(ExitCode::Done),
            Asked::Answer(seen) => seen,
            Asked::Failed { .. } => return Ok(ExitCode::Incomplete),
            Asked::Nobody if dry_run => return Ok(ExitCode::Done),
            Asked::Nobody => {
                return Err(Failure::usage("where a project could go takes a model to say, and none is bound").hint(
                    "set the key of a provider, or a local one in improve.toml; `improve doctor` shows what is missing",
                ));
            }
        };
    if let Some((_, why)) = seen.failed.first() {
        return Err(Failure::usage(why.clone()).code(ExitCode::Incomplete));
    }
    if seen.unfounded > 0 {
        console.note(&format!("{} dropped: what it quotes does not stand in the files", seen.unfounded));
    }
    let rejections: BTreeMap<String, String> = rejections(&workspace)?;
    let options = AuditOptions { rejected: rejections.keys().cloned().collect(), ..AuditOptions::default() };
    let mut document = AuditDocument::new(survey.repository(), Audit::default(), &rejections);
    if let Some(bound) = writer.bound() {
        document.planner = bound.name();
    }
    document.add(seen.findings, &options, &suppressions(&survey.map));
    if document.findings.is_empty() {
        console.note("nothing in the code suggests a direction");
    }
    // A direction is the maintainers' to choose: nobody chooses for them.
    let choose = if console.interactive { choose } else { choose.or_none() };
    let offer = Offer { document, survey: &survey, workspace: &workspace, dry_run, offers_model: false, run: None };
    let Planning { failed, plans } = offer.choose_and_plan(&choose, &outputs, &mut writer, context)?;
    let published = if dry_run { ExitCode::Done } else { publish(issues, &workspace.root, &plans, context)? };
    Ok(if failed { ExitCode::Incomplete } else { published })
}
