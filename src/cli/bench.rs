//! `improve bench`: how well all of this works, measured on repositories with a planted defect.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use improve::bench::ground::{Running, faults};
use improve::bench::records::Records;
use improve::bench::run::{Bench, Crew, Switchboard, Why};
use improve::bench::statistics::Finding;
use improve::bench::summary::Comparison;
use improve::bench::task::{Task, TaskError, built_in, in_folder};
use improve::bench::tools::Tools;
use improve::bench::trial::{Arm, Trial, TrialKey};
use improve::model::agent_cli::Agents;
use improve::model::ledger::Ledger;
use improve::model::replies::Replies;
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::model::{NanoDollars, Role};
use improve::nearest::nearest;
use improve::observer::{Event, Observer, Silent};
use improve::report::bench::{BenchDocument, BenchRun, BenchTask, NotMeasured, bench, tasks as task_list};
use improve::report::receipt::minutes;
use improve::report::{json, sanitize};
use improve::sandbox::Level;
use improve::settings::{Origin, Setting, Settings};
use improve::trust::state_folder;

use super::Context;
use super::apply::crew::{CrewArgs, able_to_execute};
use super::apply::{RunningArgs, limits};
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{Line, agreed_to, budget};
use super::output::{Format, Kind, OutputArgs};
use super::planning::count;
use super::progress::Bar;
use super::sandbox::sandbox;

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
    let crew = if check { Crew::default() } else { crew(&args, &workspace.settings)? };
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
    let arms = measurable(arms, &crew, args.crew.is_offline(), &mut not_measured);
    let path = records.clone().unwrap_or_else(|| state_folder().join("bench/trials.jsonl"));
    let unreadable = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut records = Records::read(&path).map_err(unreadable)?;
    if records.unreadable() > 0 {
        console.warn(&format!("{}: lines that cannot be read: {}", path.display(), records.unreadable()));
    }
    let mut found: Vec<Trial> = Vec::new();
    let mut due: Vec<(&Task, TrialKey)> = Vec::new();
    // Turn by turn, so that a run which is stopped has measured all arms alike.
    for repetition in 1..=*repeat {
        for task in &able {
            for key in arms.iter().filter_map(|&arm| crew.key(task, arm, repetition)) {
                // What asks nobody costs nothing, and what it measures is this very program.
                match records.get(&key).filter(|_| !fresh && !key.models.is_none()) {
                    Some(trial) => found.push(trial.clone()),
                    None => due.push((task, key)),
                }
            }
        }
    }
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
    let bounds: Vec<&Bound> =
        [&crew.planner, &crew.executor, &crew.single, &crew.verifier].into_iter().flatten().collect();
    let line = asks.then(|| Line::open(console, context.cancel.clone(), false)).transpose()?;
    let own = line.is_none().then(|| Bar::new(console, context.cancel.clone()));
    let bar = line.as_ref().map(|line| &line.voice.bar).or(own.as_ref()).expect("one of them draws");
    let board = line.as_ref().map(|line| Board { line, bounds, workspace: &workspace, context });
    let count_found = found.len();
    let measurement = Measurement {
        bench: Bench {
            crew: &crew,
            switchboard: board.as_ref().map(|board| board as &dyn Switchboard),
            ledger: Ledger::within(path.parent().unwrap_or(&path)),
            variables: std::env::vars_os().collect(),
            sandbox: &sandbox,
            limits: limits(&workspace.settings),
            observer: &Watching { bar },
            cancel: &context.cancel,
        },
        bar,
        context,
    };
    let held = measurement.hold(&due, &mut records)?;
    drop(board);
    drop(own);
    drop(line);
    let mut trials: Vec<Trial> = found.into_iter().chain(held.trials).collect();
    trials.sort_by(|one, other| one.key.cmp(&other.key));
    let stopped = held.stopped.as_ref().map(|why| {
        let left = due.len() - held.count;
        format!("{}; {} left, and the same command goes on with them", words(why), count(left, "trial", "trials"))
    });
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

/// Who is measured.
fn crew(args: &BenchArgs, settings: &Settings) -> Result<Crew, Failure> {
    let BenchArgs { crew, single, .. } = args;
    let planner = crew.bound(Role::Planner, settings)?;
    let single = match single {
        None => planner.clone().map(able_to_execute).transpose()?,
        Some(text) => {
            let mut settings = settings.clone();
            let setting = Setting { value: text.clone(), origin: Origin::Flag("--single") };
            settings.model.models.insert(Role::Executor, setting);
            crew.bound(Role::Executor, &settings)?
        }
    };
    let executor = crew.bound(Role::Executor, settings)?;
    Ok(Crew { planner, executor, single, verifier: crew.bound(Role::Verifier, settings)? })
}

/// The arms that can be measured; the others with what is missing.
fn measurable(wanted: &[ArmWord], crew: &Crew, offline: bool, not_measured: &mut Vec<NotMeasured>) -> Vec<Arm> {
    let wanted: Vec<Arm> = wanted.iter().map(|&word| word.into()).collect();
    let wanted = Arm::ALL.into_iter().filter(|arm| wanted.is_empty() || wanted.contains(arm));
    let mut arms = Vec::new();
    for arm in wanted {
        if crew.models(arm).is_some() {
            arms.push(arm);
            continue;
        }
        let missing = match arm {
            Arm::Single => "no model is bound to work alone",
            Arm::Plan if crew.planner.is_none() => "no planner is bound",
            Arm::Plan | Arm::Exact => "no executor is bound",
        };
        let why = if offline { "--offline asks no model" } else { missing };
        not_measured.push(NotMeasured { what: format!("the arm {}", arm.label()), why: why.to_owned() });
    }
    arms
}

/// Says what is about to be measured and what that may cost, and asks where that is much and somebody is there. `false` is a no.
fn agree(
    crew: &Crew,
    due: &[(&Task, TrialKey)],
    dry_run: bool,
    yes: bool,
    workspace: &Workspace,
    context: &Context,
) -> Result<bool, Failure> {
    let console = &context.console;
    let mut cost = Some(NanoDollars::ZERO);
    let mut parts = Vec::new();
    for arm in Arm::ALL {
        let paid = due.iter().filter(|(_, key)| key.arm == arm && !key.models.is_none()).count();
        let free = due.iter().filter(|(_, key)| key.arm == arm && key.models.is_none()).count();
        if free > 0 {
            parts.push(format!("{} of {} without a model", count(free, "trial", "trials"), arm.label()));
        }
        let Some(models) = crew.models(arm).filter(|_| paid > 0) else { continue };
        let workers: Vec<String> = [models.planner, models.executor].into_iter().flatten().collect();
        let reader = models.verifier.map(|reader| format!(" (read by {reader})")).unwrap_or_default();
        let (trials, workers) = (count(paid, "trial", "trials"), workers.join(" and "));
        parts.push(format!("{trials} of {} by {workers}{reader}", arm.label()));
        cost = cost.zip(crew.estimate(arm, paid)).map(|(sum, part)| sum + part);
    }
    if due.is_empty() {
        console.note("every trial is in the records; --fresh holds them again");
        return Ok(true);
    }
    let spends = due.iter().any(|(_, key)| !key.models.is_none());
    let limit = workspace.settings.model.max_usd.value;
    let price = match cost {
        _ if !spends => "costs nothing".to_owned(),
        Some(cost) => {
            let short = if cost > limit { ", where it stops; the same command goes on with the rest" } else { "" };
            format!("about {cost}, at most {limit}{short}; --max-usd sets the limit, --offline asks no model")
        }
        None => format!("a price is not known, so the limit of {limit} holds for known ones alone"),
    };
    let said = format!("{}: {price}", parts.join(", "));
    match (dry_run, yes || !spends) {
        (true, _) => console.ask(&said),
        (false, true) => console.note(&said),
        (false, false) => return agreed_to(&said, cost, &workspace.settings, console),
    }
    Ok(true)
}

/// Opens ways to models.
struct Board<'b> {
    line: &'b Line,
    bounds: Vec<&'b Bound>,
    workspace: &'b Workspace,
    context: &'b Context,
}

impl Switchboard for Board<'_> {
    fn session<'a>(
        &'a self,
        agents: &'a dyn Agents,
        ledger: Ledger,
        replies: Replies,
        spent: NanoDollars,
    ) -> Session<'a> {
        let budget = budget(&self.bounds, self.workspace, spent);
        let session = self.line.session(agents, self.workspace, &budget, false, self.context);
        Session { ledger, replies, ..session }
    }
}

/// Says on the bar what a trial does.
struct Watching<'a> {
    bar: &'a Bar,
}

impl Observer for Watching<'_> {
    fn event(&self, event: &Event<'_>) {
        if let Event::GateStarted { of, command } = event {
            self.bar.message(&sanitize::line(&format!("{of}: {command}")));
        }
    }
}

/// Trials to be held.
struct Measurement<'a> {
    bench: Bench<'a>,
    bar: &'a Bar,
    context: &'a Context,
}

/// What came of them.
struct Held {
    trials: Vec<Trial>,
    count: usize,
    spent: NanoDollars,
    stopped: Option<Why>,
}

impl Measurement<'_> {
    /// Holds one after the other; each is on disk before the next begins.
    fn hold(&self, due: &[(&Task, TrialKey)], records: &mut Records) -> Result<Held, Failure> {
        let mut held = Held { trials: Vec::new(), count: 0, spent: NanoDollars::ZERO, stopped: None };
        for (number, (task, key)) in (1..).zip(due) {
            if self.context.cancel.is_cancelled() {
                held.stopped = Some(Why::Interrupted);
                break;
            }
            let name = format!("{number} of {}: {} {}", due.len(), key.arm.label(), key.task);
            self.bar.message(&name);
            match self.bench.measure(task, key.clone(), held.spent) {
                Ok(trial) => {
                    held.spent = held.spent + NanoDollars(trial.nano_usd);
                    let said = format!("{name}: {}", result(&trial));
                    self.bar.suspend(|| self.context.console.note(&sanitize::line(&said)));
                    held.count += 1;
                    held.trials.push(trial.clone());
                    let path = records.path().display().to_string();
                    records
                        .add(trial)
                        .map_err(|error| Failure::usage(format!("{path}: {error}")).code(ExitCode::Incomplete))?;
                }
                Err(stopped) => {
                    held.spent = held.spent + stopped.spent;
                    held.stopped = Some(stopped.why);
                    break;
                }
            }
        }
        Ok(held)
    }
}

/// A trial in a few words.
fn result(trial: &Trial) -> String {
    let verdict = trial.outcome.map_or("no plan", |outcome| outcome.words());
    let truth = if trial.right { "right" } else { "not right" };
    let cost = if trial.nano_usd > 0 { format!(", {}", NanoDollars(trial.nano_usd)) } else { String::new() };
    format!("{verdict}, {truth} ({}{cost})", minutes(trial.duration_ms))
}

fn words(why: &Why) -> String {
    match why {
        Why::Interrupted => "interrupted".to_owned(),
        Why::OutOfMoney(why) => format!("the budget is spent ({why})"),
        Why::Unanswered(why) => format!("a model could not be asked ({why})"),
        Why::Broken(why) => why.clone(),
    }
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
