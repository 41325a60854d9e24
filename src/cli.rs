//! The binary: one file per command, each from flags to settings to one library call to printing.
//!
//! The only folder that knows clap, and the only one that prints.

mod apply;
mod audit;
mod bench;
mod branch;
mod choose;
mod clean;
mod completions;
mod config;
mod connection;
mod console;
mod docs;
mod doctor;
mod examples;
mod exit_code;
mod failure;
mod filing;
mod findings;
mod globals;
mod init;
mod issues;
mod man;
mod map;
mod merge;
mod models;
mod narrator;
mod next;
mod onboard;
mod output;
mod plan;
mod plan_argument;
mod planning;
mod plans;
mod progress;
mod reconcile;
mod recording;
mod reject;
mod report;
mod review;
mod rules;
mod sandbox;
mod sarif_in;
mod show;
mod status;
mod trust;
mod trying;
mod verify;
mod words;
mod writing;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use improve::cancel::Cancel;

use console::Console;
use exit_code::ExitCode;
use failure::Failure;
use globals::GlobalArgs;

/// Turns what is wrong with a codebase into plans that cheap executors can carry out safely. Without a command: audit,
/// choose, and write a plan for each finding chosen
#[derive(Debug, Parser)]
#[command(name = "improve", version, after_help = exit_code::HELP, max_term_width = 100,
    override_usage = "improve [OPTIONS] [FOCUS|PATH]...\n       improve [OPTIONS] <COMMAND>")]
struct Cli {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(flatten)]
    plans: plans::PlansArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// A command.
#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::AuditArgs),
    Report(report::ReportArgs),
    Branch(branch::BranchArgs),
    Merge(merge::MergeArgs),
    Map(map::MapArgs),
    Onboard(onboard::OnboardArgs),
    Plan(plan::PlanArgs),
    Next(next::NextArgs),
    Docs(docs::DocsArgs),
    Review(review::ReviewArgs),
    Apply(apply::ApplyArgs),
    Verify(verify::VerifyArgs),
    Status(status::StatusArgs),
    Reconcile(reconcile::ReconcileArgs),
    Bench(bench::BenchArgs),
    Clean(clean::CleanArgs),
    Show(show::ShowArgs),
    Rules(rules::RulesArgs),
    Reject(reject::RejectArgs),
    Init(init::InitArgs),
    Config(config::ConfigArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// What every command gets beside its own arguments.
struct Context {
    globals: GlobalArgs,
    console: Console,
    cancel: Cancel,
}

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    let matches = match matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let Cli { globals, plans, command } = cli;
    let console = Console::new(&globals);
    let result = misplaced(&matches).and_then(|()| {
        let cancel = Cancel::on_ctrl_c().map_err(|error| Failure::usage(format!("ctrl-C: {error}")))?;
        run(command, plans, Context { globals, console: console.clone(), cancel })
    });
    match result {
        Ok(code) => code.into(),
        Err(failure) => {
            console.fail(&failure);
            failure.code.into()
        }
    }
}

/// The command line, taken apart. `docs` is a FOCUS word, too: what stands before it is meant for it.
fn matches() -> Result<ArgMatches, clap::Error> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let program = program();
    let matches = program.clone().try_get_matches_from(&words)?;
    if matches.subcommand_name() != Some(docs::NAME) || misplaced(&matches).is_ok() {
        return Ok(matches);
    }
    let parses = |words: &[OsString]| program.clone().try_get_matches_from(words).is_ok();
    match docs::first(&words, &parses) {
        Some(words) => program.clone().try_get_matches_from(words),
        None => Ok(matches),
    }
}

fn run(command: Option<Command>, plans: plans::PlansArgs, context: Context) -> Result<ExitCode, Failure> {
    match command {
        None => plans::run(plans, &context),
        Some(Command::Audit(args)) => audit::run(args, &context),
        Some(Command::Report(args)) => report::run(args, &context),
        Some(Command::Branch(args)) => branch::run(args, &context),
        Some(Command::Merge(args)) => merge::run(args, &context),
        Some(Command::Map(args)) => map::run(args, &context),
        Some(Command::Onboard(args)) => onboard::run(args, &context),
        Some(Command::Plan(args)) => plan::run(args, &context),
        Some(Command::Next(args)) => next::run(args, &context),
        Some(Command::Docs(args)) => docs::run(args, &context),
        Some(Command::Review(args)) => review::run(args, &context),
        Some(Command::Apply(args)) => apply::run(args, &context),
        Some(Command::Verify(args)) => verify::run(args, &context),
        Some(Command::Status(args)) => status::run(args, &context),
        Some(Command::Reconcile(args)) => reconcile::run(args, &context),
        Some(Command::Bench(args)) => bench::run(args, &context),
        Some(Command::Reject(args)) => reject::run(args, &context),
        Some(Command::Init(args)) => init::run(args, &context),
        Some(Command::Config(args)) => config::run(args, &context),
        Some(Command::Doctor(args)) => doctor::run(args, &context),
        Some(Command::Clean(args)) => clean::run(args, &context),
        Some(Command::Show(args)) => show::run(args, &context),
        Some(Command::Rules(args)) => rules::run(args, &context),
        Some(Command::Completions(args)) => completions::run(args, &context),
        Some(Command::Man(args)) => man::run(args, &context),
    }
}

/// Arguments of bare `improve` before a command would be lost: `improve --top 3 audit`.
fn misplaced(matches: &ArgMatches) -> Result<(), Failure> {
    let Some((command, _)) = matches.subcommand() else { return Ok(()) };
    let bare = plans::PlansArgs::augment_args(clap::Command::new("bare"));
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    match bare.get_arguments().find(|argument| given(argument.get_id().as_str())) {
        Some(argument) => {
            let name = argument.get_long().map_or("FOCUS words and paths".to_owned(), |long| format!("--{long}"));
            Err(Failure::usage(format!("{name}: stands before the command `{command}`"))
                .hint(format!("write it after the command: improve {command} …")))
        }
        None => Ok(()),
    }
}

/// The program as clap knows it, with examples.
fn program() -> clap::Command {
    examples::taught(Cli::command())
}

/// The names of all commands.
fn command_names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// What clap has to say: help and version on stdout, mistakes on stderr.
fn usage(error: &clap::Error) -> std::process::ExitCode {
    // Nothing can be done about a closed stream.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Done.into(),
        _ => ExitCode::Usage.into(),
    }
}
