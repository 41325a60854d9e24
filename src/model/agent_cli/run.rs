//! Running an agent: find it, give it the prompt, hear what it tells, end it when it is time.

use std::ffi::OsString;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::NamedTempFile;

use super::account::{Account, Outcome};
use super::event::AgentEvent;
use super::fault::AgentFault;
use super::format::FormatName;
use super::{AgentCli, Own, PLAN, TABLE, WORKTREE, locate};
use crate::cancel::Cancel;
use crate::process::{End, Environment, Heard, Invocation, ProcessError, Talk, run, talk};
use crate::sandbox::policy::{Ground, Purpose};
use crate::sandbox::{Belongings, Confined, OnDemand, SandboxError};

/// What stands for the file of a schema in an argument: its name is another in every run, and no part of a question.
const SCHEMA_FILE: &str = "{schema-file}";

/// Work for an agent.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The agent.
    pub agent: &'a AgentCli,
    /// Its command line, without the program.
    pub arguments: &'a [String],
    /// Its standard input.
    pub prompt: &'a str,
    /// What its answer is held to, where it can be.
    pub schema: Option<&'a Value>,
    /// The folder it is to change; without one it reads.
    pub worktree: Option<&'a Path>,
}

/// Runs agents: a test has its own.
pub trait Agents: Sync {
    /// Runs one to its end and has `heard` hear how it gets on.
    fn run(&self, task: &Task<'_>, heard: &mut dyn FnMut(&AgentEvent, &Account), cancel: &Cancel) -> Outcome;

    /// Names what they can read, so that the same words about other files are known for another question.
    fn state(&self) -> String;
}

/// No agents at all.
pub struct NoAgents;

impl Agents for NoAgents {
    fn run(&self, task: &Task<'_>, _: &mut dyn FnMut(&AgentEvent, &Account), _: &Cancel) -> Outcome {
        Outcome::failed(not_installed(task.agent))
    }

    fn state(&self) -> String {
        String::new()
    }
}

/// How long an agent may take and how much it may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: Duration,
    /// Without a sign of life.
    pub idle: Duration,
    /// Bytes of output.
    pub output: usize,
}

impl Default for Limits {
    /// Our choice. CLIs print whole messages: a model that thinks hard is silent for minutes. What they read is printed, too.
    fn default() -> Limits {
        Limits { total: Duration::from_secs(40 * 60), idle: Duration::from_secs(10 * 60), output: 256 << 20 }
    }
}

/// The folder that agents work in, made when the first one needs it.
pub trait Quarters: Sync {
    /// The folder, or why there is none.
    fn folder(&self) -> Result<PathBuf, String>;

    /// A folder for what an agent needs and is not to take for a part of that.
    fn aside(&self) -> Result<PathBuf, String>;

    /// Names what is in it, before it is made too.
    fn state(&self) -> String;
}

/// The agents installed here.
pub struct Installed<'a> {
    /// Where they work.
    pub quarters: &'a dyn Quarters,
    /// The repository, whose own programs are not run.
    pub repository: &'a Path,
    /// Our environment; agents get the listed part of it.
    pub variables: Vec<(OsString, OsString)>,
    /// How long they may take.
    pub limits: Limits,
    /// What keeps them from the rest of the machine.
    pub sandbox: OnDemand,
    /// The git folder of the repository, where it has one.
    pub git: Option<PathBuf>,
}

impl Agents for Installed<'_> {
    fn run(&self, task: &Task<'_>, heard: &mut dyn FnMut(&AgentEvent, &Account), cancel: &Cancel) -> Outcome {
        let agent = task.agent;
        let Some(program) = self.program(agent) else {
            return Outcome::failed(not_installed(agent));
        };
        let folder = match task.worktree.map_or_else(|| self.quarters.folder(), |folder| Ok(folder.to_owned())) {
            Ok(folder) => folder,
            Err(why) => return Outcome::failed(AgentFault::NoFolder(why)),
        };
        let plan = match plan_file(task) {
            Ok(file) => file,
            Err(why) => return Outcome::failed(AgentFault::NoFolder(why)),
        };
        // It is there until the agent has ended.
        let schema = match self.schema_file(task) {
            Ok(file) => file,
            Err(why) => return Outcome::failed(AgentFault::NoFolder(why)),
        };
        let of = |file: &Option<NamedTempFile>| {
            file.as_ref().map(|file| file.path().to_string_lossy().into_owned()).unwrap_or_default()
        };
        let (schema_path, plan_path, worktree) = (of(&schema), of(&plan), folder.to_string_lossy().into_owned());
        let argument = |argument: &String| -> OsString {
            let argument = argument.replace(SCHEMA_FILE, &schema_path);
            if task.worktree.is_none() {
                return argument.into();
            }
            argument.replace(PLAN, &plan_path).replace(WORKTREE, &worktree).into()
        };
        // Who prints for people may print at the end alone.
        let idle = if agent.format == FormatName::Text { self.limits.total } else { self.limits.idle };
        let invocation = Invocation {
            program: program.clone().into(),
            arguments: task.arguments.iter().map(argument).collect(),
            folder: folder.clone(),
            environment: environment(agent, &self.variables),
            timeout: self.limits.total,
            record: None,
        };
        let mut own = Own::of(agent).belongings(&program, &invocation.environment);
        own.reads.extend([&schema, &plan].into_iter().flatten().map(|file| file.path().to_owned()));
        own.only_reads = task.worktree.is_none();
        let confined = match self.confined(invocation, &folder, &own) {
            Ok(confined) => confined,
            Err(fault) => return Outcome::failed(fault),
        };
        let bounds = Talk { input: task.prompt.as_bytes(), idle, most: self.limits.output };
        let mut account = Account::default();
        account.sandbox = Some(confined.level());
        let mut listener = |line: &str| {
            let Some(events) = agent.format.events(line) else { return ControlFlow::Continue(Heard::Noise) };
            let life = account.take_line(&events);
            events.iter().for_each(|event| heard(event, &account));
            if account.is_refused() { ControlFlow::Break(()) } else { ControlFlow::Continue(life) }
        };
        let talked = talk(&confined.invocation, &bounds, &mut listener, cancel);
        match (confined.check(), talked) {
            (Err(error), _) => Outcome { account, answer: Err(not_confined(&error)) },
            (Ok(_), Err(error)) => Outcome { account, answer: Err(of_process(agent, &error)) },
            (Ok(None), Ok(talked)) => account.close(agent, talked.end, &talked.stderr, &self.limits),
            (Ok(Some(why)), Ok(_)) => {
                let answer = Err(AgentFault::Failed { how: "being ended".to_owned(), said: why });
                Outcome { account, answer }
            }
        }
    }

    fn state(&self) -> String {
        self.quarters.state()
    }
}

impl Installed<'_> {
    fn program(&self, agent: &AgentCli) -> Option<PathBuf> {
        located(agent, &self.variables, Some(self.repository))
    }

    fn confined(&self, invocation: Invocation, folder: &Path, own: &Belongings) -> Result<Confined, AgentFault> {
        let sandbox = self.sandbox.get().map_err(not_confined)?;
        // A copy that is read has no git.
        let git = self.git.as_deref().filter(|_| !own.only_reads);
        let ground = Ground { folder, git, purpose: Purpose::Agent };
        sandbox.confine_agent(invocation, &ground, own).map_err(|error| not_confined(&error))
    }

    /// The file that an argument names, where one does.
    fn schema_file(&self, task: &Task<'_>) -> Result<Option<NamedTempFile>, String> {
        let Some(schema) =
            task.schema.filter(|_| task.agent.schema_arguments.iter().any(|it| it.contains(SCHEMA_FILE)))
        else {
            return Ok(None);
        };
        let write = |folder: &Path| -> std::io::Result<NamedTempFile> {
            let mut file = tempfile::Builder::new().prefix("schema-").suffix(".json").tempfile_in(folder)?;
            file.write_all(schema.to_string().as_bytes())?;
            Ok(file)
        };
        write(&self.quarters.aside()?).map(Some).map_err(|error| error.to_string())
    }
}

/// The file with what an agent is to do, where an argument names it. It stands outside the folder that is changed.
fn plan_file(task: &Task<'_>) -> Result<Option<NamedTempFile>, String> {
    if task.worktree.is_none() || !task.arguments.iter().any(|argument| argument.contains(PLAN)) {
        return Ok(None);
    }
    let write = || -> std::io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix("improve-step-").suffix(".md").tempfile()?;
        file.write_all(task.prompt.as_bytes())?;
        Ok(file)
    };
    write().map(Some).map_err(|error| error.to_string())
}

/// Where an agent is installed.
pub fn located(agent: &AgentCli, variables: &[(OsString, OsString)], repository: Option<&Path>) -> Option<PathBuf> {
    let path = variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone()).unwrap_or_default();
    locate::program(&agent.program, &path, repository)
}

/// The version of an agent at `program`, by its own word.
pub fn version(
    agent: &AgentCli,
    program: &Path,
    variables: &[(OsString, OsString)],
    cancel: &Cancel,
) -> Result<String, AgentFault> {
    /// Node starts slowly on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(20);
    let invocation = Invocation {
        program: program.into(),
        arguments: agent.version_arguments.iter().map(OsString::from).collect(),
        folder: std::env::temp_dir(),
        environment: environment(agent, variables),
        timeout: PATIENCE,
        record: None,
    };
    let finished = run(&invocation, cancel).map_err(|error| of_process(agent, &error))?;
    match finished.end {
        End::Exited(0) => {
            let lines = || finished.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
            // Some name themselves, before or after it.
            let mut words = lines().flat_map(|line| line.split(' '));
            let number = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
            number.or_else(|| lines().last()).map(str::to_owned).ok_or(AgentFault::Empty)
        }
        End::Exited(code) => Err(AgentFault::Failed { how: format!("exit code {code}"), said: String::new() }),
        End::Signalled(signal) => Err(AgentFault::Failed { how: format!("signal {signal}"), said: String::new() }),
        End::TimedOut => Err(AgentFault::TimedOut(PATIENCE)),
        End::Cancelled => Err(AgentFault::Cancelled),
    }
}

fn not_confined(error: &SandboxError) -> AgentFault {
    AgentFault::NotConfined { why: error.to_string(), hint: error.hint() }
}

/// That an agent is not there.
pub fn not_installed(agent: &AgentCli) -> AgentFault {
    AgentFault::NotInstalled { program: agent.program.clone(), install: agent.install.clone() }
}

/// What an agent gets to know: what every child may, what is listed for agents and for this one, and what we set.
fn environment(agent: &AgentCli, variables: &[(OsString, OsString)]) -> Environment {
    let mut environment = Environment::allowed_of(variables.iter().cloned());
    let listed = TABLE.variables.iter().chain(&agent.variables);
    for name in listed {
        if let Some((_, value)) = variables.iter().find(|(it, _)| it == name.as_str()) {
            environment = environment.with(name, value.clone());
        }
    }
    agent.set.iter().fold(environment, |environment, (name, value)| environment.with(name, value))
}

fn of_process(agent: &AgentCli, error: &ProcessError) -> AgentFault {
    match error {
        ProcessError::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => not_installed(agent),
        ProcessError::Start { .. } | ProcessError::Wait { .. } => AgentFault::NotRun(error.to_string()),
    }
}
