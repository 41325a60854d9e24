//! What `improve init` sets up in a repository: files written beside what is there, never over it. Pure; the binary writes.

use std::path::PathBuf;

pub mod hook;

/// What the hook, the workflow and people call this program.
const PROGRAM: &str = "improve";
/// The settings file: every key at its default, commented out.
const SETTINGS: &str = include_str!("../templates/init/improve.toml");
/// What tells an agent how to drive this program, in the Agent Skills format.
const SKILL: &str = include_str!("../skills/improve/SKILL.md");

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
    /// `SKILL.md`.
    Skill,
}

impl NewFile {
    /// Where it goes, below the root. `is_folder` tells what is there: most agents look for skills in `.agents`, one in a folder of its own.
    pub fn path(self, is_folder: &dyn Fn(&str) -> bool) -> PathBuf {
        match self {
            NewFile::Settings => PathBuf::from(crate::settings::FILE_NAME),
            NewFile::Skill => {
                let home = if is_folder(".claude") && !is_folder(".agents") { ".claude" } else { ".agents" };
                PathBuf::from(home).join("skills").join(PROGRAM).join("SKILL.md")
            }
        }
    }

    /// What it holds.
    pub fn text(self) -> &'static str {
        match self {
            NewFile::Settings => SETTINGS,
            NewFile::Skill => SKILL,
        }
    }
}

#[cfg(test)]
mod tests;
