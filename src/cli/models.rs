//! What commands that may ask a model share: the flags, the session, and the question before money is spent.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use clap::Args;
use improve::cancel::Cancel;
use improve::http::{Http, Timeouts};
use improve::model::agent_cli::{Agents, Installed, Limits};
use improve::model::batch::{BatchFault, Batcher};
use improve::model::budget::Budget;
use improve::model::ledger::Ledger;
use improve::model::replies::Replies;
use improve::model::retry::RetryPolicy;
use improve::model::roles::{Bound, Via};
use improve::model::session::{Batched, Event, Listener, Question, Session, SystemClock, Tally};
use improve::model::{ModelError, NanoDollars, Role};
use improve::observer::{self, Observer, Phase};
use improve::planner::reading_copy::ReadingCopy;
use improve::progress::Progress as _;
use improve::repo_map::RepoMap;
use improve::report::sanitize;
use improve::settings::{Flags, Origin, Settings};
use improve::survey::Survey;
use improve::tree::Tree;
use improve::trust::state_folder;
use improve::worktree::Place;
use improve::worktree::place::{cache_folder, repository_id};

use super::Context;
use super::console::Console;
use super::failure::Failure;
use super::globals::Workspace;
use super::progress::Bar;
use super::sandbox;
use super::trust::confirm;

/// Flags of commands that may ask a model.
#[derive(Debug, Clone, Default, Args)]
pub struct ModelArgs {
    /// Who judges findings and writes plans: provider/model, an agent CLI (claude, codex, gemini,
    /// opencode; claude/MODEL), or `none` [default: by the key that is set]
    #[arg(long, value_name = "MODEL", help_heading = "Models")]
    planner: Option<String>,
    /// Who reads plans cold, and finished work: provider/model, or `none` [default: by the key that is set]
    #[arg(long, value_name = "MODEL", help_heading = "Models")]
    verifier: Option<String>,
    /// Spend at most N dollars [default: 5]
    #[arg(long, value_name = "N", help_heading = "Models")]
    max_usd: Option<String>,
    /// Ask no model: built-in rules and recipes alone
    #[arg(long, help_heading = "Models")]
    offline: bool,
}

impl ModelArgs {
    /// No model at all.
    pub fn none() -> ModelArgs {
        ModelArgs { offline: true, ..ModelArgs::default() }
    }

    /// The flags as settings.
    pub fn flags(&self, flags: Flags) -> Flags {
        let ModelArgs { planner, verifier, max_usd, offline: _ } = self;
        Flags { planner: planner.clone(), verifier: verifier.clone(), max_usd: max_usd.clone(), ..flags }
    }

    /// No model is to be asked.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Nobody bound a planner and nobody said that there shall be none; somebody is there who may want to know of it.
    pub fn is_open(&self, settings: &Settings, console: &Console) -> bool {
        let said = self.offline || settings.model.models.contains_key(&Role::Planner);
        console.interactive && !said && matches!(settings.model.bound(Role::Planner, &variable), Ok(None))
    }

    /// The model of a role, unless none is to be asked.
    pub fn bound(&self, role: Role, settings: &Settings) -> Result<Option<Bound>, Failure> {
        if self.offline {
            return Ok(None);
        }
        Ok(settings.model.bound(role, &variable)?)
    }
}

/// Refuses `--batch` where the model of `role` cannot be asked that way, before anything is read or asked.
pub fn check_batch(models: &ModelArgs, role: Role, settings: &Settings) -> Result<(), Failure> {
    match models.bound(role, settings)? {
        None => Err(Failure::usage(format!("--batch: no model is bound as {}", role.label()))
            .hint("`improve doctor` shows what is bound, and what is missing")),
        Some(bound) if bound.batch().is_none() => {
            Err(ModelError::Batch { model: bound.name(), fault: BatchFault::NoEndpoint }.into())
        }
        Some(_) => Ok(()),
    }
}

/// Brings questions together that may wait; what was submitted is recorded beside the ledger.
pub fn batcher(workspace: &Workspace) -> Option<Batcher> {
    let (ledger, _) = places(workspace);
    ledger.path().parent().map(Batcher::within)
}

/// A variable of the environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What agents read of a repository.
pub fn reading_copy<'a>(survey: &'a Survey, workspace: &Workspace) -> ReadingCopy<'a> {
    reading_copy_of(&survey.map, &survey.tree, workspace)
}

/// The same of other files than the user's, a worktree of ours.
pub fn reading_copy_of<'a>(map: &'a RepoMap, tree: &'a dyn Tree, workspace: &Workspace) -> ReadingCopy<'a> {
    let place = Place::of(&workspace.root, &cache_folder());
    let id = place.map_or_else(|_| repository_id(&workspace.root), |place| place.id());
    ReadingCopy::new(map, tree, id)
}

/// Agents that read `copy`, with what they may know of our environment.
pub fn agents<'a>(copy: &'a ReadingCopy<'a>, workspace: &'a Workspace) -> Installed<'a> {
    Installed {
        quarters: copy,
        repository: &workspace.root,
        variables: std::env::vars_os().collect(),
        limits: Limits::default(),
        sandbox: sandbox::on_demand(workspace.settings.sandbox.value),
        git: Place::of(&workspace.root, &cache_folder()).ok().map(|place| place.common().to_owned()),
    }
}

/// Where records about a repository are: the ledger in its git folder, or in the user's state; replies in the user's cache.
pub fn places(workspace: &Workspace) -> (Ledger, Replies) {
    match Place::of_records(&workspace.root, &cache_folder()) {
        Ok(place) => (Ledger::within(&place.state()), Replies::within(place.cache())),
        Err(_) => {
            let id = repository_id(&workspace.root);
            (Ledger::within(&state_folder().join(&id)), Replies::within(&cache_folder().join(&id)))
        }
    }
}

/// What those who are bound may spend, where the run has `spent` so much before.
pub fn budget(bounds: &[&Bound], workspace: &Workspace, spent: NanoDollars) -> Budget {
    let max_usd = &workspace.settings.model.max_usd;
    // A limit that somebody set needs a price to be kept by; ours gives way where there is none, and that is said.
    let counted = || bounds.iter().all(|bound| bound.is_counted() || bound.is_local() && bounds.len() > 1);
    let limit = Some(max_usd.value).filter(|_| max_usd.origin != Origin::Default || counted());
    Budget::new(limit.map(|limit| limit.saturating_sub(spent)))
}

/// What a session needs that outlives it.
pub struct Line {
    http: Http,
    clock: SystemClock,
    /// Says on the terminal how calls go.
    pub voice: Voice,
}

impl Line {
    /// Opens the way to the network.
    pub fn open(console: &Console, cancel: Cancel, dry_run: bool) -> Result<Line, Failure> {
        let http = Http::new(Timeouts::default()).map_err(|fault| Failure::usage(fault.to_string()))?;
        let voice = Voice {
            bar: Bar::new(console, cancel),
            console: console.clone(),
            dry_run,
            waiting: Mutex::default(),
            taken: Mutex::default(),
        };
        Ok(Line { http, clock: SystemClock, voice })
    }

    /// A session over it. Sessions with the same budget spend it together.
    pub fn session<'a>(
        &'a self,
        agents: &'a dyn Agents,
        workspace: &Workspace,
        budget: &Budget,
        dry_run: bool,
        context: &Context,
    ) -> Session<'a> {
        let (ledger, replies) = places(workspace);
        Session {
            transport: &self.http,
            agents,
            ledger,
            replies,
            budget: budget.clone(),
            policy: RetryPolicy::default(),
            clock: &self.clock,
            cancel: context.cancel.clone(),
            listener: &self.voice,
            run: format!("{}-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"), std::process::id()),
            tally: Tally::default(),
            dry_run,
            batcher: None,
        }
    }
}

/// Says on the terminal how calls go.
pub struct Voice {
    /// What it draws with.
    pub bar: Bar,
    console: Console,
    /// Requests are shown and not sent.
    dry_run: bool,
    /// What was said of waiting, so that four questions at once do not say it four times.
    waiting: Mutex<Option<String>>,
    /// Tokens and money so far.
    taken: Mutex<(u64, NanoDollars)>,
}

impl Voice {
    /// Begins a phase of so many questions.
    pub fn phase(&self, name: &str, questions: usize) {
        self.bar.phase(name, u64::try_from(questions).ok());
    }

    /// One of them is answered.
    pub fn tick(&self, count: u64) {
        self.bar.tick(count);
    }

    /// Warns without a bar in the way.
    pub fn warn(&self, text: &str) {
        self.bar.suspend(|| self.console.warn(text));
    }
}

/// Gates that are tried while a plan is written.
impl Observer for Voice {
    fn event(&self, event: &observer::Event<'_>) {
        match event {
            observer::Event::Phase(Phase::Prepare) => self.bar.message("preparing a worktree to try commands in"),
            observer::Event::GateStarted { command, .. } => {
                self.bar.message(&sanitize::line(&format!("trying {command}")))
            }
            observer::Event::GateFinished { .. } => self.bar.message("writing a plan"),
            observer::Event::Phase(_)
            | observer::Event::StepStarted { .. }
            | observer::Event::StepGreen { .. }
            | observer::Event::Note(_)
            | observer::Event::Journalled(_) => {}
        }
    }
}

impl Listener for Voice {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Retrying { purpose: _, why, wait } if *wait >= Duration::from_secs(2) => {
                let mut said = self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if said.as_deref() != Some(*why) {
                    *said = Some((*why).to_owned());
                    let text = format!("{why}; trying again in {} s", wait.as_secs());
                    self.bar.suspend(|| self.console.warn(&text));
                }
            }
            Event::Ready { question, prompt, at_most, body } if self.dry_run => {
                let text = would_ask(question, *prompt, *at_most, body);
                self.bar.suspend(|| self.console.ask(&text));
            }
            Event::Batch { id, since, how } => {
                let text = batch_in_words(id, *since, *how);
                match how {
                    // A line that comes and goes on a terminal, and would fill a log.
                    Batched::Waiting { .. } => self.bar.message(&text),
                    Batched::Submitted { .. } | Batched::Resumed { .. } | Batched::Fetched => {
                        self.bar.suspend(|| self.console.note(&text));
                    }
                    Batched::Left => self.bar.suspend(|| self.console.ask(&text)),
                }
            }
            Event::Unrecorded { why } => {
                let text = format!("a call was made and is not in the ledger: {why}");
                self.bar.suspend(|| self.console.warn(&text));
            }
            Event::Answered { purpose: _, usage, cost, kept: false } => {
                let mut taken = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let tokens = usage.map_or(0, |usage| usage.prompt().saturating_add(usage.output));
                taken.0 = taken.0.saturating_add(tokens);
                taken.1 = taken.1.saturating_add(cost.unwrap_or(NanoDollars::ZERO));
                self.bar.spent(taken.0, taken.1);
            }
            Event::Ready { .. } | Event::Heard { .. } | Event::Retrying { .. } | Event::Answered { .. } => {}
        }
    }
}

/// Bytes of an argument that is shown: a schema has thousands, and says nothing to people.
const LONGEST_WORD: usize = 100;

/// What a dry run says of a question.
fn would_ask(question: &Question<'_>, prompt: u64, at_most: Option<NanoDollars>, body: &serde_json::Value) -> String {
    let (name, purpose) = (question.bound.name(), question.purpose);
    let unknown = || "price not known".to_owned();
    match &question.bound.via {
        Via::Server(_) => {
            let cost = at_most.map_or_else(unknown, |amount| format!("at most {amount}"));
            format!("would ask {name}: {purpose}, about {prompt} tokens, {cost}")
        }
        Via::Agent(agent) => {
            let cost = at_most.map_or_else(unknown, |amount| format!("about {amount}"));
            let arguments = body.get("arguments").and_then(serde_json::Value::as_array).into_iter().flatten();
            let words = std::iter::once(agent.program.as_str()).chain(arguments.filter_map(serde_json::Value::as_str));
            let line = shell_words::join(words.map(|word| if word.len() > LONGEST_WORD { "…" } else { word }));
            format!(
                "would run `{line}` in a copy of the repository: {purpose}, about {prompt} tokens to begin with, {cost}"
            )
        }
    }
}

fn batch_in_words(id: &str, since: SystemTime, how: Batched) -> String {
    let since = jiff::Timestamp::try_from(since)
        .map(|since| since.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default();
    let questions = |count: usize| if count == 1 { "1 question".to_owned() } else { format!("{count} questions") };
    match how {
        Batched::Submitted { questions: count } => format!(
            "batch {id}: {} submitted; ctrl-C leaves it to the vendor, and the same command goes on with it",
            questions(count)
        ),
        Batched::Resumed { questions: count } => {
            format!("batch {id}: submitted at {since}, has {} of this run", questions(count))
        }
        Batched::Waiting { done, total } => format!("batch {id}: {done} of {total} answered, waiting since {since}"),
        Batched::Fetched => format!("batch {id}: fetched"),
        Batched::Left => format!("batch {id} goes on at the vendor; the same command fetches its answers"),
    }
}

/// Says what is about to be spent, and asks where that is much and somebody is there to answer. `false` is a no.
pub fn agreed(
    bound: &Bound,
    what: &str,
    estimate: Option<NanoDollars>,
    settings: &Settings,
    console: &Console,
) -> Result<bool, Failure> {
    let about = format!("{}; --offline asks no model", in_all(bound, what, estimate, settings));
    agreed_to(&about, estimate, settings, console)
}

/// Says `about`, and asks where the estimate is much and somebody is there to answer. `false` is a no.
pub fn agreed_to(
    about: &str,
    estimate: Option<NanoDollars>,
    settings: &Settings,
    console: &Console,
) -> Result<bool, Failure> {
    if !console.interactive || estimate.is_none_or(|estimate| estimate <= settings.model.ask_above_usd.value) {
        console.note(about);
        return Ok(true);
    }
    console.ask(about);
    confirm("Go on?")
}

/// What a dry run shows of the questions there will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreseen {
    /// The first of each conversation.
    FirstRound,
    /// None: they depend on answers to others.
    Nothing,
}

/// Says in a dry run what all of it would take, of which it shows a part.
pub fn foretell(
    bound: &Bound,
    what: &str,
    estimate: Option<NanoDollars>,
    shown: Foreseen,
    settings: &Settings,
    console: &Console,
) {
    let covered =
        |verb: &str| if estimate.is_some() { format!(", and {verb} in this estimate") } else { String::new() };
    let shown = match shown {
        Foreseen::FirstRound => {
            let covered = covered("are");
            format!("below is what would be asked first; further rounds depend on the answers{covered}")
        }
        Foreseen::Nothing => {
            let covered = covered("is");
            format!("what would be asked depends on the answers before, so it is not shown{covered}")
        }
    };
    console.ask(&format!("{}; nothing is sent: {shown}", in_all(bound, what, estimate, settings)));
}

/// What all rounds of something will take.
fn in_all(bound: &Bound, what: &str, estimate: Option<NanoDollars>, settings: &Settings) -> String {
    let limit = settings.model.max_usd.value;
    let cost = match estimate {
        // What an agent takes is known when it is done; the next one is not begun beyond the limit.
        Some(estimate) if bound.agent().is_some() => format!("about {estimate}, no more begun beyond {limit}"),
        Some(estimate) => format!("about {estimate}, at most {limit}"),
        None if bound.is_local() => "on this machine".to_owned(),
        None if bound.is_counted() => {
            format!("it says afterwards what it cost, no more begun beyond {limit}")
        }
        None => "its price is not known".to_owned(),
    };
    format!("{what} by {} ({}): {cost}", bound.name(), bound.because)
}
