//! `improve bench`: how well all of this works, measured on repositories with a planted defect.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use improve::bench::crew::Crew;
use improve::bench::ground::{Running, faults};
use improve::bench::records::Records;
use improve::bench::run::Why;
use improve::bench::statistics::Finding;
use improve::bench::summary::Comparison;
use improve::bench::task::{Task, TaskError, built_in, in_folder};
use improve::bench::tools::Tools;
use improve::bench::trial::{Arm, Trial, TrialKey};
use improve::nearest::nearest;
use improve::observer::Silent;
use improve::report::bench::{BenchDocument, BenchRun, BenchTask, NotMeasured, bench, tasks as task_list};
use improve::report::{json, sanitize};
use improve::sandbox::Level;
use improve::trust::state_folder;

use super::Context;
use super::apply::crew::CrewArgs;
use super::apply::{RunningArgs, limits};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, Kind, OutputArgs};
use super::planning::count;
use super::sandbox::sandbox;

mod crew;
mod measurement;

use crew::{agree, bound, measurable};
use measurement::{hold, words};

/// Measure what plans are worth: one model alone, plan and executor, plan with exact edits, on repositories with a planted
/// defect and hidden tests
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Measure this arm: single (one model alone), plan (a planner and an executor), exact (exact edits, no executor);
    /// repeatable [default: those whose models are bound]
    #[arg(long = "arm", value_name = "ARM", hide_possible_values = true)]
    arms: Vec<ArmWord>,
    /// Measure on this task; repeatable [default: all]
    #[arg(long = "task", value_name = "TASK")]
    named: Vec<String>,
    /// Hold every trial so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// A folder of tasks of your own, instead of those that come with the program
    #[arg(long = "tasks", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// List the tasks, and measure nothing
    #[arg(long)]
    list: bool,
    /// Check that the tasks are sound: hidden tests fail on the defect and pass on the reference fix
    #[arg(long, conflicts_with = "list")]
    check: bool,
    /// Where trials are recorded, and found when a run goes on [default: bench/trials.jsonl in your state folder]
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Hold trials again that the records have
    #[arg(long)]
    fresh: bool,
    /// Only say what would be measured and what it would cost
    #[arg(long)]
    dry_run: bool,
    /// Agree to what it costs
    #[arg(long)]
    yes: bool,
    /// Who works alone: provider/model or an agent CLI [default: the planner]
    #[arg(long, value_name = "MODEL", help_heading = "Models")]
    single: Option<String>,
    #[command(flatten)]
    crew: CrewArgs,
    #[command(flatten)]
    running: RunningArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// An arm, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum ArmWord {
    Single,
    Plan,
    Exact,
}

impl From<ArmWord> for Arm {
    fn from(word: ArmWord) -> Arm {
        match word {
            ArmWord::Single => Arm::Single,
            ArmWord::Plan => Arm::Plan,
            ArmWord::Exact => Arm::Exact,
        }
    }
}

/// Measures, and prints what was measured.
pub fn run(args: BenchArgs, context: &Context) -> Result<ExitCode, Failure> {
    let BenchArgs { arms, named, repeat, folder, list, check, records, fresh, dry_run, yes, .. } = &args;
    let (list, check, dry_run, yes) = (*list, *check, *dry_run, *yes);
    let outputs = args.output.outputs("improve bench", &[Format::Human, Format::Json, Format::Jsonl])?;
    let console = &context.console;
    let page = console.page("");
    let tasks = chosen(folder.as_ref().map_or_else(built_in, |folder| in_folder(folder))?, named)?;
    if list {
        let rows: Vec<BenchTask> = tasks.iter().map(BenchTask::of).collect();
        outputs.write(console, &|format, _| match format.kind() {
            Kind::Document => json::document(&rows),
            Kind::Lines => json::lines(&rows),
            Kind::Text => task_list(&rows, &page),
        })?;
        return Ok(ExitCode::Done);
    }
    let workspace = context.globals.workspace(args.crew.flags(args.running.flags()), console)?;
    let crew = if check { Crew::default() } else { bound(args.single.as_deref(), &args.crew, &workspace.settings)? };
    let sandbox = sandbox(&workspace.settings, console)?;
    let is_confined = sandbox.level() != Level::None || args.running.trust;
    // Whatever is asked for, programs that such tasks name are run: to see whether they are there.
    if folder.is_some() && !is_confined {
        return Err(unconfined("commands of these tasks"));
    }
    let mut not_measured = Vec::new();
    let running =
        Running { sandbox: &sandbox, limits: limits(&workspace.settings), observer: &Silent, cancel: &context.cancel };
    let able = able(tasks.clone(), running, &mut not_measured)?;
    if check {
        return check_tasks(&able, &not_measured, running, context);
    }
    let wanted: Vec<Arm> = arms.iter().map(|&word| word.into()).collect();
    let arms = measurable(&wanted, &crew, args.crew.is_offline(), &mut not_measured);
    let path = records.clone().unwrap_or_else(|| state_folder().join("bench/trials.jsonl"));
    let unreadable = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut records = Records::read(&path).map_err(unreadable)?;
    if records.unreadable() > 0 {
        console.warn(&format!("{}: lines that cannot be read: {}", path.display(), records.unreadable()));
    }
    let (found, due) = sorted_out(&able, &arms, &crew, *repeat, &records, *fresh);
    let agreed = agree(&crew, &due, dry_run, yes, &workspace, context)?;
    if !agreed {
        console.note("nothing was measured; --offline measures what takes no model");
    }
    if dry_run || !agreed {
        return Ok(ExitCode::Done);
    }
    let asks = due.iter().any(|(_, key)| !key.models.is_none());
    if asks && !is_confined {
        return Err(unconfined("commands that models write"));
    }
    let count_found = found.len();
    let held = hold(&crew, &due, &mut records, &sandbox, &workspace, context)?;
    let stopped = held.stopped.as_ref().map(|why| {
        let left = due.len() - held.trials.len();
        format!("{}; {} left, and the same command goes on with them", words(why), count(left, "trial", "trials"))
    });
    let mut trials: Vec<Trial> = found.into_iter().chain(held.trials).collect();
    trials.sort_by(|one, other| one.key.cmp(&other.key));
    let run = BenchRun {
        repeat: *repeat,
        not_measured,
        stopped,
        found: count_found,
        nano_usd: held.spent.0,
        records: path.display().to_string(),
    };
    let document = BenchDocument::new(&tasks, trials, run);
    let next = next(&document, &crew);
    outputs.write(console, &|format, _| match format.kind() {
        Kind::Document => json::document(&document),
        Kind::Lines => json::lines(&document.trials),
        Kind::Text => bench(&document, &next, &page),
    })?;
    Ok(match held.stopped {
        None => ExitCode::Done,
        Some(Why::Interrupted) => ExitCode::Interrupted,
        Some(Why::OutOfMoney(_) | Why::Unanswered(_) | Why::Broken(_)) => ExitCode::Incomplete,
    })
}

/// Trials that the records have, and those that are to be held.
fn sorted_out<'t>(
    tasks: &'t [Task],
    arms: &[Arm],
    crew: &Crew,
    repeat: u32,
    records: &Records,
    fresh: bool,
) -> (Vec<Trial>, Vec<(&'t Task, TrialKey)>) {
    let (mut found, mut due) = (Vec::new(), Vec::new());
    // Turn by turn, so that a run which is stopped has measured all arms alike.
    for repetition in 1..=repeat {
        for task in tasks {
            for key in arms.iter().filter_map(|&arm| crew.key(task, arm, repetition)) {
                // What asks nobody costs nothing, and what it measures is this very program.
                match records.get(&key).filter(|_| !fresh && !key.models.is_none()) {
                    Some(trial) => found.push(trial.clone()),
                    None => due.push((task, key)),
                }
            }
        }
    }
    (found, due)
}

/// The refusal to run what somebody else wrote where nothing confines it and nobody agreed to it.
fn unconfined(what: &str) -> Failure {
    Failure::usage(format!("{what} would run without a sandbox, with your rights"))
        .hint("`improve doctor` says what a sandbox takes; add --trust to run them all the same")
}

/// The tasks that were named; all where none was.
fn chosen(tasks: Vec<Task>, named: &[String]) -> Result<Vec<Task>, Failure> {
    for name in named {
        if !tasks.iter().any(|task| task.id == *name) {
            let nearest = nearest(name, tasks.iter().map(|task| task.id.as_str())).map(str::to_owned);
            return Err(TaskError::Unknown { name: name.clone(), nearest }.into());
        }
    }
    Ok(tasks.into_iter().filter(|task| named.is_empty() || named.contains(&task.id)).collect())
}

/// Tasks that this machine has the programs for; the others go to `not_measured` with what is missing.
fn able(tasks: Vec<Task>, running: Running<'_>, not_measured: &mut Vec<NotMeasured>) -> Result<Vec<Task>, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::usage(format!("a temporary folder: {error}")))?;
    let mut tools = Tools::default();
    let mut able = Vec::new();
    for task in tasks {
        match tools.missing(&task, folder.path(), running) {
            Some(why) => not_measured.push(NotMeasured { what: task.id, why }),
            None => able.push(task),
        }
    }
    Ok(able)
}

/// Says of each task whether it is sound.
fn check_tasks(
    able: &[Task],
    unable: &[NotMeasured],
    running: Running<'_>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    let mut code = ExitCode::Done;
    for task in able {
        if context.cancel.is_cancelled() {
            return Err(Failure::interrupted());
        }
        let faults =
            faults(task, running).map_err(|error| Failure::usage(error.to_string()).code(ExitCode::Incomplete))?;
        if faults.is_empty() {
            text.push_str(&format!("{}: sound\n", task.id));
        } else {
            code = ExitCode::Findings;
        }
        faults.iter().for_each(|fault| text.push_str(&format!("{}: {}\n", task.id, sanitize::line(fault))));
    }
    unable.iter().for_each(|task| text.push_str(&format!("{}: not checked: {}\n", task.what, task.why)));
    context.console.print(&text)?;
    Ok(code)
}

/// What to type now.
fn next(document: &BenchDocument, crew: &Crew) -> Vec<(String, String)> {
    let mut next = Vec::new();
    if crew.planner.is_none() {
        next.push(("improve doctor".to_owned(), "see which models can be bound, to measure them".to_owned()));
    }
    let unclear = |comparison: &Comparison| match comparison.more_right {
        Finding::TooFewTasks | Finding::CannotTell => true,
        Finding::FirstHasMore | Finding::SecondHasMore => false,
    };
    if document.comparisons.iter().any(unclear) {
        next.push(("improve bench --tasks FOLDER".to_owned(), "more tasks, of your own, tell more".to_owned()));
    }
    next
}
