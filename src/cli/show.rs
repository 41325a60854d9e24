//! `improve show`: one finding in full.

use clap::Args;
use improve::audit::{AuditOptions, Depth};
use improve::finding::Finding;
use improve::report::{finding_page, json};
use improve::settings::Flags;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs};

/// Show one finding in full: message, evidence, call path
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The finding's fingerprint, or the beginning of it
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the finding.
pub fn run(args: ShowArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ShowArgs { id, output } = args;
    let outputs = output.outputs("improve show", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let survey = read(&workspace, context)?;
    let finding = find(&id, all_findings(&survey)?)?;
    let page = context.console.page(&workspace.root.to_string_lossy());
    outputs.write(&context.console, &|format, _| match format {
        Format::Json | Format::Jsonl => json::document(&finding),
        Format::Human | Format::Markdown => finding_page::finding(&finding, &page),
    })?;
    Ok(ExitCode::Done)
}

/// Every finding there is, however doubtful, suppressed ones included.
pub fn all_findings(survey: &improve::survey::Survey) -> Result<Vec<Finding>, Failure> {
    let options = AuditOptions { depth: Depth::Deep, ..AuditOptions::default() };
    let audit = improve::audit::run(&survey.map, &survey.effects, &survey.tree, &options)?;
    let suppressed = audit.suppressed.into_iter().map(|suppressed| suppressed.finding);
    Ok(audit.findings.into_iter().chain(suppressed).chain(audit.rejected).collect())
}

/// The finding whose fingerprint begins with `id`.
pub fn find(id: &str, findings: Vec<Finding>) -> Result<Finding, Failure> {
    let wanted = id.to_ascii_lowercase();
    let mut matching: Vec<Finding> =
        findings.into_iter().filter(|finding| !wanted.is_empty() && finding.fingerprint.starts_with(&wanted)).collect();
    match matching.len() {
        1 => Ok(matching.remove(0)),
        0 => Err(Failure::usage(format!("no finding of this repository has a fingerprint that begins with `{id}`"))
            .hint("`improve audit` lists them; a fingerprint changes when the quoted line does")),
        _ => {
            let mut failure = Failure::usage(format!("several findings have a fingerprint that begins with `{id}`"))
                .hint("write more of it");
            failure.places =
                matching.iter().take(8).map(|finding| format!("{}  {}", finding.fingerprint, finding.title)).collect();
            Err(failure)
        }
    }
}
