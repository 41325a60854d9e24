//! `improve completions`: what a shell needs to complete commands and flags.

use clap::Args;
use clap_complete::Shell;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::{Context, program};

/// Print a completion script
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: CompletionsArgs, context: &Context) -> Result<ExitCode, Failure> {
    let CompletionsArgs { shell } = args;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program(), "improve", &mut script);
    context.console.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}
