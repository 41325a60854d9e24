//! What `improve init` sets up in a repository: files written beside what is there, never over it. Pure; the binary writes.

use std::path::PathBuf;

pub mod hook;
pub mod undo;

/// What the hook, the workflow and people call this program.
const PROGRAM: &str = "improve";
/// The settings file: every key at its default, commented out.
const SETTINGS: &str = include_str!("../templates/init/improve.toml");
/// What tells an agent how to drive this program, in the Agent Skills format.
const SKILL: &str = include_str!("../skills/improve/SKILL.md");

/// What a pull request brings, and what the default branch holds.
const WORKFLOW: &str = include_str!("../templates/workflows/improve.yml");
/// The same of the default branch by several machines.
const SHARDS: &str = include_str!("../templates/workflows/shards.yml");
/// Stands in workflows for the action as somebody publishes it: nobody does yet.
pub const ACTION: &str = "OWNER/improve@REVISION";
/// The parts that the template of several machines names.
const PARTS: &str = "[1/4, 2/4, 3/4, 4/4]";
/// The branch that the templates name.
const BRANCH: &str = "branches: [main]";

/// Something that can be set up, and what that takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setup {
    /// A file is written.
    Write(Change),
    /// It is there already.
    There(PathBuf),
    /// What is there cannot be changed safely by a program.
    ByHand(ByHand),
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// What it holds now; `None` when it is new.
    pub before: Option<String>,
    /// What it will hold.
    pub after: String,
    /// It is a program.
    pub executable: bool,
    /// What is left for the user to do.
    pub then: Option<String>,
}

/// A change for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// The file.
    pub path: PathBuf,
    /// Why no program makes it.
    pub why: String,
    /// What to write there.
    pub lines: String,
}

/// A file that is written when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewFile {
    /// `improve.toml`.
    Settings,
    /// A workflow of GitHub: for one machine, or for as many as are said.
    Workflow(Option<usize>),
    /// `SKILL.md`.
    Skill,
}

impl NewFile {
    /// Where it goes, below the root. `is_folder` tells what is there: most agents look for skills in `.agents`, one in a folder of its own.
    pub fn path(self, is_folder: &dyn Fn(&str) -> bool) -> PathBuf {
        match self {
            NewFile::Settings => PathBuf::from(crate::settings::FILE_NAME),
            NewFile::Workflow(None) => PathBuf::from(".github/workflows/improve.yml"),
            NewFile::Workflow(Some(_)) => PathBuf::from(".github/workflows/improve-shards.yml"),
            NewFile::Skill => {
                let home = if is_folder(".claude") && !is_folder(".agents") { ".claude" } else { ".agents" };
                PathBuf::from(home).join("skills").join(PROGRAM).join("SKILL.md")
            }
        }
    }

    /// What it holds, in a repository whose default branch is `branch`.
    pub fn text(self, branch: &str) -> String {
        // A name in brackets, as YAML takes any.
        let branch = format!("branches: [{}]", serde_json::Value::from(branch));
        match self {
            NewFile::Settings => SETTINGS.to_owned(),
            NewFile::Skill => SKILL.to_owned(),
            NewFile::Workflow(None) => WORKFLOW.replace(BRANCH, &branch),
            NewFile::Workflow(Some(number)) => {
                let parts: Vec<String> = (1..=number).map(|index| format!("{index}/{number}")).collect();
                SHARDS.replace(BRANCH, &branch).replace(PARTS, &format!("[{}]", parts.join(", ")))
            }
        }
    }

    /// What is left for the user to do.
    pub fn then(self) -> Option<String> {
        match self {
            NewFile::Settings | NewFile::Skill => None,
            NewFile::Workflow(_) => {
                Some(format!("put in the place of {ACTION} where the action is published, with the hash of a commit"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
