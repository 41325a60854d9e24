//! `improve merge`: the parts of an audit that several machines made, put together.

use std::path::PathBuf;

use clap::Args;
use improve::merge::{Named, merge};
use improve::report::audit_document::AuditDocument;
use improve::report::human::{self, AuditPage};
use improve::settings::Flags;

use super::Context;
use super::audit::{FORMATS, SHOWN, findings_as, reaches};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::OutputArgs;

/// Put together what `improve audit --shard` found on several machines
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The documents of all parts: `improve audit --shard i/n --output json=FILE`
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Exit with 1 when a finding is at or above this level: never, low, medium, high [default: never]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<String>,
    /// Show every finding
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints what the whole audit would have said.
pub fn run(args: MergeArgs, context: &Context) -> Result<ExitCode, Failure> {
    let MergeArgs { files, fail_on, all, output } = args;
    let outputs = output.outputs("improve merge", &FORMATS)?;
    let workspace = context.globals.workspace(Flags { fail_on, ..Flags::default() }, &context.console)?;
    let parts = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let document = merge(parts)?;
    let limit = if all { usize::MAX } else { SHOWN };
    let options = AuditPage { limit, verbose: workspace.verbose, ..AuditPage::default() };
    let table = human::audit(&document, &options, &context.console.page(&document.repository.root));
    outputs.write(&context.console, &|format, _| findings_as(format, &document, &table))?;
    Ok(match reaches(&document.findings, workspace.settings.fail_on.value) {
        true => ExitCode::Findings,
        false => ExitCode::Done,
    })
}

fn read(path: &PathBuf) -> Result<Named, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let document: AuditDocument = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("{name}: not a document of an audit: {error}"))
            .hint("write it with `improve audit --shard i/n --output json=FILE`")
    })?;
    Ok((name, document))
}
