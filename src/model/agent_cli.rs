//! Agent CLIs: programs that the user has installed and logged in to, and that answer a prompt by themselves.
//!
//! The fourth way to ask beside the wires. What a CLI is called, how it is run and what it prints is a table, `agents.toml`;
//! what it prints becomes [`event::AgentEvent`]s, the same for all. [`run::Installed`] runs one and keeps what it told; the process, its
//! limits and its events serve whoever has work for an agent, a planner's question or a step of a plan.
//!
//! **Invariant:** which program is run is said by the built-in table or by the user's own file, never by a repository.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

pub mod account;
pub mod event;
pub mod fault;
pub mod format;
pub mod locate;
pub mod own;
pub mod prompt;
pub mod run;

#[cfg(test)]
mod tests;

pub use account::{Account, Outcome};
pub use event::AgentEvent;
pub use fault::AgentFault;
pub use own::Own;
pub use run::{Agents, Installed, Limits, NoAgents, Quarters, Task};

use format::FormatName;

use super::Reasoning;
use super::money::NanoDollars;

/// An agent CLI.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AgentCli {
    /// What a binding calls it: `claude`, or the word before the `/` in `claude/opus`.
    pub name: String,
    /// The program, found on the `PATH`.
    pub program: String,
    /// How to install it.
    #[serde(default)]
    pub install: Option<String>,
    /// How to log in.
    #[serde(default)]
    pub log_in: Option<String>,
    /// Arguments that make it print its version.
    #[serde(default)]
    pub version_arguments: Vec<String>,
    /// The version these rows were tried with.
    #[serde(default)]
    pub tried: Option<String>,
    /// Arguments that make it answer the prompt on its standard input: once, reading only, in a form for programs.
    pub arguments: Vec<String>,
    /// Arguments that name the model, `{model}`; left out where the binding names none.
    #[serde(default)]
    pub model_arguments: Vec<String>,
    /// Arguments that say how hard to think, `{effort}`; none where it cannot be told.
    #[serde(default)]
    pub effort_arguments: Vec<String>,
    /// Arguments that cap what it spends, `{usd}`; none where it cannot be told.
    #[serde(default)]
    pub budget_arguments: Vec<String>,
    /// Arguments that hold its answer to a schema: `{schema}` is the schema, `{schema-file}` a file that holds it; none where it
    /// cannot be told.
    #[serde(default)]
    pub schema_arguments: Vec<String>,
    /// It tells the model of the schema by itself and takes the answer in a way of its own: after words of ours a model would give its
    /// answer twice.
    #[serde(default)]
    pub tells_schema: bool,
    /// Arguments that stand last.
    #[serde(default)]
    pub last_arguments: Vec<String>,
    /// What it prints.
    pub format: FormatName,
    /// Variables it gets beside those of every child: its keys, its servers, its folders.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Variables it gets with a value of ours.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Exit codes that mean it is not logged in.
    #[serde(default)]
    pub unauthorized_exits: Vec<i32>,
    /// The provider whose price table holds for its models; its models name their own where left out.
    #[serde(default)]
    pub prices: Option<String>,
    /// What it says of its costs.
    #[serde(default)]
    pub reports: Reports,
    /// What is its own on the machine, which the sandbox lets it have; what is of that program in the table where left out.
    #[serde(default)]
    pub own: Own,
    /// How it is run to change files; it cannot be told to where left out.
    #[serde(default)]
    pub execute: Option<Execute>,
}

/// How an agent is run to change the files of the folder it is in, without being asked about each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Execute {
    /// In the place of the arguments with which it only reads. `{worktree}` is the folder, `{plan}` a file with what it is to do, which
    /// it gets on its standard input too.
    pub arguments: Vec<String>,
    /// Variables it gets with another value of ours than when it only reads.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Files and folders with which a repository would say what it runs or whom it asks, and that it cannot be told to leave aside:
    /// where one is there, it is not run.
    #[serde(default)]
    pub configured_by: Vec<String>,
}

/// What a CLI says of its costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reports {
    /// Dollars, and tokens.
    Dollars,
    /// Tokens, and the model that took them.
    TokensAndModel,
    /// Tokens alone, or nothing.
    #[default]
    Tokens,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    /// Variables for every agent.
    variables: Vec<String>,
    /// What every agent reads, as in [`Own::reads`].
    reads: Vec<String>,
    /// Files and folders that agents take as their configuration.
    own_files: Vec<String>,
    agent: Vec<AgentCli>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("agent_cli/agents.toml")).expect("the table is tested"));

impl AgentCli {
    /// The CLIs this program knows.
    pub fn built_in() -> &'static [AgentCli] {
        &TABLE.agent
    }

    /// The command line for one answer, without the program.
    pub fn command_line(
        &self,
        model: Option<&str>,
        reasoning: Option<Reasoning>,
        cap: Option<NanoDollars>,
        schema: Option<&Value>,
    ) -> Vec<String> {
        let mut line = self.arguments.clone();
        let mut add = |template: &[String], mark: &str, value: Option<String>| {
            if let Some(value) = value {
                line.extend(template.iter().map(|argument| argument.replace(mark, &value)));
            }
        };
        add(&self.model_arguments, "{model}", model.map(str::to_owned));
        add(&self.effort_arguments, "{effort}", reasoning.map(|level| level.label().to_owned()));
        add(&self.budget_arguments, "{usd}", cap.map(NanoDollars::digits));
        add(&self.schema_arguments, "{schema}", schema.map(Value::to_string));
        line.extend(self.last_arguments.iter().cloned());
        line
    }

    /// The agent as it is run to change files; `None` where it cannot be told to.
    pub fn to_execute(&self) -> Option<AgentCli> {
        let own = Execute { arguments: self.arguments.clone(), ..Execute::default() };
        // Who names the folder or the plan among the arguments means them for this.
        let execute = self.execute.clone().or_else(|| names_work(&self.arguments).then_some(own))?;
        let mut agent = AgentCli { arguments: execute.arguments.clone(), ..self.clone() };
        agent.set.extend(execute.set.clone());
        agent.execute = Some(execute);
        Some(agent)
    }

    /// Any program, as a command line that names `{plan}` or `{worktree}`; `None` where it names neither. No shell reads it.
    pub fn of_command(command: &str) -> Option<AgentCli> {
        let mut words = shell_words::split(command).ok()?;
        if words.len() < 2 || !names_work(&words) {
            return None;
        }
        let program = words.remove(0);
        let name = program.rsplit('/').next().unwrap_or_default().to_owned();
        let execute = Some(Execute { arguments: words, ..Execute::default() });
        let format = FormatName::Text;
        Some(AgentCli {
            name,
            program,
            install: None,
            log_in: None,
            version_arguments: Vec::new(),
            tried: None,
            arguments: Vec::new(),
            model_arguments: Vec::new(),
            effort_arguments: Vec::new(),
            budget_arguments: Vec::new(),
            schema_arguments: Vec::new(),
            tells_schema: false,
            last_arguments: Vec::new(),
            format,
            variables: Vec::new(),
            set: BTreeMap::new(),
            unauthorized_exits: Vec::new(),
            prices: None,
            reports: Reports::default(),
            own: Own::default(),
            execute,
        })
    }

    /// It stops by itself when a sum is spent.
    pub fn takes_a_budget(&self) -> bool {
        !self.budget_arguments.is_empty()
    }

    /// It can be told how hard to think.
    pub fn takes_reasoning(&self) -> bool {
        !self.effort_arguments.is_empty()
    }
}

/// What stands for the file with the plan in an argument, and for the folder it is carried out in.
pub const PLAN: &str = "{plan}";
/// See [`PLAN`].
pub const WORKTREE: &str = "{worktree}";

/// Whether a command line says where the work is, or what it is.
pub fn names_work(words: &[String]) -> bool {
    words.iter().any(|word| word.contains(PLAN) || word.contains(WORKTREE))
}

/// Whether agents take the file at `path` of a repository as their configuration: instructions, hooks, servers to start, programs
/// to run. Such files are a repository's to write and nobody's to obey.
pub fn is_configuration(path: &str) -> bool {
    path.split('/').any(|part| TABLE.own_files.iter().any(|name| part.eq_ignore_ascii_case(name)))
}
