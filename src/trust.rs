//! Trust: the commands of a repository run only once its user has agreed to them. What was agreed to is remembered outside the
//! repository, so that nothing in it can agree on its user's behalf.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::os;
use crate::plan::Plan;

/// Commands that may be run. Made only by [`Trust::check`] and [`Approved::by_user`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved(BTreeSet<String>);

impl Approved {
    /// The user said so, just now or with a flag.
    pub fn by_user(commands: &[String]) -> Approved {
        Approved(commands.iter().cloned().collect())
    }

    /// Whether a command is among them, exactly as written.
    pub fn allows(&self, command: &str) -> bool {
        self.0.contains(command)
    }

    /// The commands, sorted.
    pub fn commands(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

/// Trust that could not be read or remembered.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is not one of ours.
    #[error("{}: not a record of trusted commands: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl TrustError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TrustError::Unreadable { path, .. } => {
                Some(format!("remove {} and agree to the commands again", path.display()))
            }
            TrustError::Io { .. } => None,
        }
    }
}

/// What the user has agreed to so far.
#[derive(Debug, Clone)]
pub struct Trust {
    file: PathBuf,
    agreed: Record,
}

/// Repository id → hashes of commands. Hashes, because a command line may hold what nobody else should read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Record {
    schema_version: u32,
    repositories: BTreeMap<String, BTreeSet<String>>,
}

/// The user's state folder for this program: `IMPROVE_STATE_DIR`, else `improve` in the XDG state folder.
pub fn state_folder() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("IMPROVE_STATE_DIR")
        .or_else(|| from("XDG_STATE_HOME").map(|folder| folder.join("improve")))
        .or_else(|| from(os::HOME).map(|home| home.join(".local/state/improve")))
        .unwrap_or_else(|| std::env::temp_dir().join("improve-state"))
}

/// Every command that carrying out or verifying a plan may run, in the order of the plan, each once. `install` is how the
/// repository fetches its dependencies, when that is known.
pub fn commands_of(plan: &Plan, install: Option<&str>) -> Vec<String> {
    let steps = plan.steps.iter().flat_map(|step| &step.gates);
    let criteria = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates);
    let mut seen = BTreeSet::new();
    let commands = install.into_iter().chain(steps.chain(criteria).map(|gate| gate.command.as_str()));
    commands.filter(|command| seen.insert(*command)).map(str::to_owned).collect()
}

/// Whether `command` is `own` followed by plain words, such as the name of a test: it runs what `own` runs, on less.
pub fn is_narrower(command: &str, own: &str) -> bool {
    let plain = |word: &str| {
        word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | ','))
    };
    command.strip_prefix(own).is_some_and(|rest| rest.starts_with(' ') && rest.split(' ').all(plain))
}

impl Trust {
    /// What is remembered in the state folder `folder`.
    pub fn read(folder: &Path) -> Result<Trust, TrustError> {
        let file = folder.join("trust.json");
        let agreed = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| TrustError::Unreadable { path: file.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Record::default(),
            Err(source) => return Err(TrustError::Io { path: file, source }),
        };
        Ok(Trust { file, agreed })
    }

    /// The approval for `commands`, or those of them that the user has not agreed to yet for this repository, in order.
    pub fn check(&self, repository_id: &str, commands: &[String]) -> Result<Approved, Vec<String>> {
        let agreed = self.agreed.repositories.get(repository_id);
        let is_new = |command: &&String| !agreed.is_some_and(|agreed| agreed.contains(&hash(command)));
        let new: Vec<String> = commands.iter().filter(is_new).cloned().collect();
        if new.is_empty() { Ok(Approved::by_user(commands)) } else { Err(new) }
    }

    /// How many commands the user has agreed to for this repository.
    pub fn agreed(&self, repository_id: &str) -> usize {
        self.agreed.repositories.get(repository_id).map_or(0, |agreed| agreed.len())
    }

    /// Remembers that the user agreed to `commands` for this repository.
    pub fn remember(&mut self, repository_id: &str, commands: &[String]) -> Result<Approved, TrustError> {
        let agreed = self.agreed.repositories.entry(repository_id.to_owned()).or_default();
        agreed.extend(commands.iter().map(|command| hash(command)));
        self.agreed.schema_version = 1;
        self.write().map_err(|source| TrustError::Io { path: self.file.clone(), source })?;
        Ok(Approved::by_user(commands))
    }

    /// Written beside and renamed, so that no reader sees half of it.
    fn write(&self) -> io::Result<()> {
        let folder = self.file.parent().expect("a file in a folder");
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &self.agreed)?;
        file.as_file().sync_data()?;
        file.persist(&self.file)?;
        Ok(())
    }
}

fn hash(command: &str) -> String {
    Sha256::digest(command.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_command_adds_plain_words_and_nothing_else() {
        for command in ["cargo test orders::total", "cargo test --lib -- orders"] {
            assert!(is_narrower(command, "cargo test"), "{command}");
        }
        for command in
            ["cargo test", "cargo tests", "cargo test; rm x", "cargo test $(x)", "cargo test a=b", "cargo test\nx"]
        {
            assert!(!is_narrower(command, "cargo test"), "{command}");
        }
    }

    fn commands(list: &[&str]) -> Vec<String> {
        list.iter().map(|command| (*command).to_owned()).collect()
    }

    #[test]
    fn a_command_is_trusted_once_and_for_one_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut trust = Trust::read(folder.path()).expect("nothing there is nothing agreed");
        assert_eq!(trust.check("a", &commands(&["make", "make test"])), Err(commands(&["make", "make test"])));
        trust.remember("a", &commands(&["make"])).expect("the folder is ours");
        let again = Trust::read(folder.path()).expect("what was written reads back");
        assert_eq!(again.check("a", &commands(&["make", "make test"])), Err(commands(&["make test"])));
        assert_eq!(again.check("a", &commands(&["make"])), Ok(Approved::by_user(&commands(&["make"]))));
        assert_eq!(again.check("b", &commands(&["make"])), Err(commands(&["make"])));
    }

    #[test]
    fn a_broken_record_is_an_error_and_not_consent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("trust.json"), "{").expect("the folder is ours");
        assert!(matches!(Trust::read(folder.path()), Err(TrustError::Unreadable { .. })));
    }

    #[test]
    fn an_approval_allows_the_command_as_written_only() {
        let approved = Approved::by_user(&commands(&["make"]));
        assert!(approved.allows("make") && !approved.allows("make ") && !approved.allows("make; rm -r x"));
    }
}
