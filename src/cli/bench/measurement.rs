//! Trials one after the other: the way to models, what is shown meanwhile, what came of them.

use improve::bench::crew::Crew;
use improve::bench::records::Records;
use improve::bench::run::{Bench, Switchboard, Why};
use improve::bench::task::Task;
use improve::bench::trial::{Trial, TrialKey};
use improve::model::NanoDollars;
use improve::model::agent_cli::Agents;
use improve::model::ledger::Ledger;
use improve::model::replies::Replies;
use improve::model::roles::Bound;
use improve::model::session::Session;
use improve::observer::{Event, Observer};
use improve::report::receipt::minutes;
use improve::report::sanitize;
use improve::sandbox::Sandbox;

use super::super::Context;
use super::super::apply::limits;
use super::super::exit_code::ExitCode;
use super::super::failure::Failure;
use super::super::globals::Workspace;
use super::super::models::{Line, budget};
use super::super::progress::Bar;

/// What came of trials.
pub struct Held {
    /// Those that were finished.
    pub trials: Vec<Trial>,
    /// What they cost, and the one that was not finished.
    pub spent: NanoDollars,
    /// Why the rest was not held.
    pub stopped: Option<Why>,
}

/// Holds trials one after the other; each is on disk before the next begins.
pub fn hold(
    crew: &Crew,
    due: &[(&Task, TrialKey)],
    records: &mut Records,
    sandbox: &Sandbox,
    workspace: &Workspace,
    context: &Context,
) -> Result<Held, Failure> {
    let asks = due.iter().any(|(_, key)| !key.models.is_none());
    let line = asks.then(|| Line::open(&context.console, context.cancel.clone(), false)).transpose()?;
    let own = line.is_none().then(|| Bar::new(&context.console, context.cancel.clone()));
    let bar = line.as_ref().map(|line| &line.voice.bar).or(own.as_ref()).expect("one of them draws");
    let bounds = [&crew.planner, &crew.executor, &crew.single, &crew.verifier].into_iter().flatten().collect();
    let board = line.as_ref().map(|line| Board { line, bounds, workspace, context });
    let bench = Bench {
        crew,
        switchboard: board.as_ref().map(|board| board as &dyn Switchboard),
        ledger: Ledger::within(records.path().parent().unwrap_or(records.path())),
        variables: std::env::vars_os().collect(),
        sandbox,
        limits: limits(&workspace.settings),
        observer: &Watching { bar },
        cancel: &context.cancel,
    };
    Measurement { bench, bar, context }.hold(due, records)
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

impl Measurement<'_> {
    fn hold(&self, due: &[(&Task, TrialKey)], records: &mut Records) -> Result<Held, Failure> {
        let mut held = Held { trials: Vec::new(), spent: NanoDollars::ZERO, stopped: None };
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

/// Why no more trials were held.
pub fn words(why: &Why) -> String {
    match why {
        Why::Interrupted => "interrupted".to_owned(),
        Why::OutOfMoney(why) => format!("the budget is spent ({why})"),
        Why::Unanswered(why) => format!("a model could not be asked ({why})"),
        Why::Broken(why) => why.clone(),
    }
}
