//! `improve reject`: remember that a finding or a plan is not worth it.

use clap::Args;
use improve::backlog::{Backlog, BacklogError};
use improve::report::sanitize;
use improve::settings::Flags;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::findings::{all_findings, find};
use super::sarif_in::SarifInArgs;

/// Reject a finding or a plan, so that later runs leave it out
#[derive(Debug, Args)]
pub struct RejectArgs {
    /// A finding's fingerprint or the beginning of it, or a plan
    #[arg(value_name = "FINDING|PLAN")]
    id: String,
    #[command(flatten)]
    sarif_in: SarifInArgs,
    /// Why, for whoever wonders later
    #[arg(long)]
    reason: String,
}

/// Writes the rejection into the index.
pub fn run(args: RejectArgs, context: &Context) -> Result<ExitCode, Failure> {
    let RejectArgs { id, sarif_in, reason } = args;
    if reason.trim().is_empty() {
        return Err(Failure::usage("the reason is empty").hint("say in a few words why: the next reader will ask"));
    }
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let backlog = Backlog::open(&workspace.root)?;
    let rejected = match backlog.resolve(&id) {
        Ok(path) => {
            let lock = backlog.lock()?;
            backlog.reject_plan(&lock, &path, &reason)?;
            path.to_string_lossy().into_owned()
        }
        Err(BacklogError::NotFound { .. }) => {
            let survey = read(&workspace, context)?;
            let finding = find(&id, all_findings(sarif_in.read(&workspace.root)?, &workspace, &survey)?)?;
            let lock = backlog.lock()?;
            backlog.reject_finding(&lock, &finding.fingerprint, &finding.title, &reason)?;
            finding.title
        }
        Err(error) => return Err(error.into()),
    };
    context.console.print(&format!(
        "rejected: {}\nremembered in {}\n",
        sanitize::line(&rejected),
        backlog.index_path()
    ))?;
    Ok(ExitCode::Done)
}
