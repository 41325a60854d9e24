//! `improve review`: what would stop an executor who has nothing but the plan.

use clap::Args;
use improve::plan::lint::lint;
use improve::report::json;
use improve::report::review::{Review, reviews};
use improve::settings::Flags;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs};
use super::plan_argument;

/// Check plans mechanically: paths, excerpts, commands, scope, gates
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Plans: paths, numbers, slugs or the beginnings of them
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<String>,
    /// Ask no model. The mechanical checks never do
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the problems of each plan.
pub fn run(args: ReviewArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ReviewArgs { plans, offline: _, output } = args;
    let outputs = output.outputs("improve review", &[Format::Human, Format::Json, Format::Jsonl])?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let files = plans.iter().map(|plan| plan_argument::read(plan, &workspace.root)).collect::<Result<Vec<_>, _>>()?;
    let survey = read(&workspace, context)?;
    let found: Vec<Review> = files
        .iter()
        .map(|file| match file.parse() {
            Ok(plan) => Review::new(&file.path, &plan, lint(&plan, &survey.tree, &survey.map.recon)),
            Err(error) => Review::not_a_plan(&file.path, &error),
        })
        .collect();
    let page = context.console.page(&workspace.root.to_string_lossy());
    outputs.write(&context.console, &|format, _| match (format, found.as_slice()) {
        (Format::Human | Format::Markdown | Format::Dot | Format::Mermaid, found) => reviews(found, &page),
        (Format::Json, [one]) => json::document(one),
        (Format::Json, several) => json::document(&several),
        (Format::Jsonl, found) => json::lines(found),
    })?;
    Ok(if found.iter().all(|review| review.problems.is_empty()) { ExitCode::Done } else { ExitCode::Findings })
}
