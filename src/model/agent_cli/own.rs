//! What is an agent's own on a machine: where its login lies, what it remembers, what says what it runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{AgentCli, TABLE};
use crate::os;
use crate::process::Environment;
use crate::sandbox::Belongings;

/// What the sandbox lets an agent have. A path is below the home folder, absolute, or begins with a variable that the agent gets:
/// `$CODEX_HOME`, `$GEMINI_CLI_HOME/.gemini`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Own {
    /// Folders it reads and writes.
    pub homes: Vec<String>,
    /// Below any of these, what says what it runs: not written. `name*` is whatever is there of such names.
    pub settings: Vec<String>,
    /// Files below the home folder of which it gets a copy.
    pub copies: Vec<String>,
    /// Files and folders it reads.
    pub reads: Vec<String>,
    /// It confines the commands of its model by namespaces, inside our sandbox as elsewhere.
    pub nests: bool,
}

impl Own {
    /// What is `agent`'s: a program of the table is the same with other arguments.
    pub(super) fn of(agent: &AgentCli) -> &Own {
        let is_same = |listed: &&AgentCli| Path::new(&agent.program).file_name() == Some(OsStr::new(&listed.program));
        if agent.own != Own::default() {
            return &agent.own;
        }
        TABLE.agent.iter().find(is_same).map_or(&agent.own, |listed| &listed.own)
    }

    /// The same in paths of the machine.
    pub(super) fn belongings(&self, program: &Path, environment: &Environment) -> Belongings {
        let paths = |listed: &[String]| listed.iter().filter_map(|place| path(place, environment)).collect();
        let reads: Vec<String> = TABLE.reads.iter().chain(&self.reads).cloned().collect();
        Belongings {
            program: program.to_owned(),
            homes: paths(&self.homes),
            settings: self.settings.iter().map(PathBuf::from).collect(),
            copies: paths(&self.copies),
            reads: paths(&reads),
            only_reads: false,
            nests: self.nests,
        }
    }
}

/// `None` where its variable is not set, or leads nowhere in particular.
fn path(place: &str, environment: &Environment) -> Option<PathBuf> {
    let folder = |name: &str| environment.get(name).filter(|value| Path::new(value).is_absolute()).map(OsStr::to_owned);
    match place.strip_prefix('$') {
        Some(rest) => {
            let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
            let folder = PathBuf::from(folder(name)?);
            Some(if below.is_empty() { folder } else { folder.join(below) })
        }
        None if Path::new(place).is_absolute() => Some(place.into()),
        None => Some(Path::new(&folder(os::HOME)?).join(place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_table_has_its_own_however_it_is_run() {
        let own = |command: &str| Own::of(&AgentCli::of_command(command).expect("it names the plan")).clone();
        assert!(own("/opt/bin/claude -p {plan}").homes.contains(&".claude".to_owned()));
        assert_eq!(own("mine {plan}"), Own::default());
    }

    #[test]
    fn places_are_below_the_home_folder_or_a_variable() {
        let environment = Environment::empty().with("HOME", "/h").with("CODEX_HOME", "/c").with("RELATIVE", "x");
        let found = |place: &str| path(place, &environment).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(found(".claude").as_deref(), Some("/h/.claude"));
        assert_eq!(found("/etc/agent").as_deref(), Some("/etc/agent"));
        assert_eq!(found("$CODEX_HOME").as_deref(), Some("/c"));
        assert_eq!(found("$CODEX_HOME/below/it").as_deref(), Some("/c/below/it"));
        assert_eq!((found("$UNSET/x"), found("$RELATIVE")), (None, None));
    }
}
