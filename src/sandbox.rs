//! The sandbox: how far a command of a repository is kept from the rest of the machine, and from the network.
//!
//! A level is chosen once, by trying it. A command is then run by way of our own program ([`helper`]), which confines itself and becomes the
//! command: nothing of ours runs between a fork and an exec, so nothing there can go wrong.
//!
//! What a command may touch is data in [`places`] and put together in [`policy`]; how that is enforced is one folder per system.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::process::Invocation;
use crate::receipt;

mod belongings;
mod choose;
mod explain;
pub mod helper;
#[cfg(target_os = "linux")]
mod linux;
mod places;
pub mod policy;
mod put_back;
#[cfg_attr(not(target_os = "macos"), allow(dead_code))]
mod seatbelt;

pub use belongings::Belongings;
pub use choose::{OnDemand, Wanted, choose};

use policy::{Ground, Policy, Private};
use put_back::Before;

/// Why a command was ended that found hardly any room: it says nothing of the command.
pub const DISK_NEARLY_FULL: &str = "the disk was nearly full";

/// How far a command is kept from the rest of the machine; later ones are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Not at all: it has the user's rights.
    #[default]
    None,
    /// Linux: files by Landlock, no sockets at all by seccomp.
    Landlock,
    /// macOS: files and network by a seatbelt profile.
    Seatbelt,
    /// Linux: file system, processes and network of its own, with the loopback interface up; Landlock and seccomp as well.
    Namespaces,
}

impl Level {
    /// The word for it in settings and receipts.
    pub fn word(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Landlock => "landlock",
            Level::Seatbelt => "seatbelt",
            Level::Namespaces => "namespaces",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Level, ()> {
        let levels = [Level::None, Level::Landlock, Level::Seatbelt, Level::Namespaces];
        levels.into_iter().find(|level| level.word() == text).ok_or(())
    }
}

/// A command that could not be confined.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The machine does not offer what is asked for.
    #[error("the sandbox `{wanted}` that is asked for cannot be had here; the best is `{best}`{}", because(why))]
    TooLow {
        /// What is asked for.
        wanted: Level,
        /// What there is.
        best: Level,
        /// Why no more.
        why: Vec<String>,
    },
    /// It worked when it was tried, and does not for this command.
    #[error("the sandbox ({level}) could not be set up, so the command was not run: {why}")]
    SetUp {
        /// The level.
        level: Level,
        /// What failed.
        why: String,
    },
    /// An agent changed its settings, and that could not be taken back.
    #[error("the agent put something among its settings that could not be set aside: {why}")]
    Planted {
        /// Where, and what failed.
        why: String,
    },
}

fn because(why: &[String]) -> String {
    why.first().map(|why| format!(": {why}")).unwrap_or_default()
}

impl SandboxError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            SandboxError::TooLow { best, .. } => format!(
                "`improve doctor` says what would raise it; `--sandbox {best}` runs commands with what there is, this time"
            ),
            SandboxError::Planted { .. } => "look at it and remove it before you start that agent".to_owned(),
            SandboxError::SetUp { .. } => {
                "`improve doctor` tries the sandbox; `--sandbox none` runs commands without one, this time".to_owned()
            }
        })
    }
}

/// How commands are run on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sandbox {
    level: Level,
    /// Our own program.
    helper: PathBuf,
    /// What is not kept from a command, and why, in words.
    missing: Vec<String>,
    /// What the user could do about that.
    hints: Vec<String>,
    /// Below this nothing is run, whoever brings a sandbox of its own.
    least: Level,
    limits: policy::Limits,
}

impl Sandbox {
    /// No sandbox, and why.
    pub fn none(why: &str) -> Sandbox {
        Sandbox { missing: vec![why.to_owned()], ..Sandbox::default() }
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What is not kept from a command, and why.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// What would raise the level.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(self, limits: policy::Limits) -> Sandbox {
        Sandbox { limits, ..self }
    }

    /// For the record.
    pub fn receipt(&self) -> receipt::Sandbox {
        receipt::Sandbox { level: self.level.word().to_owned(), missing: self.missing.clone() }
    }

    /// Changes an invocation so that it runs confined to `ground`.
    pub fn confine(&self, invocation: Invocation, ground: &Ground<'_>) -> Result<Confined, SandboxError> {
        self.confined(invocation, ground, None)
    }

    /// The same for an agent, which has what is its own.
    pub fn confine_agent(
        &self,
        invocation: Invocation,
        ground: &Ground<'_>,
        own: &Belongings,
    ) -> Result<Confined, SandboxError> {
        self.confined(invocation, ground, Some(own))
    }

    fn confined(
        &self,
        invocation: Invocation,
        ground: &Ground<'_>,
        own: Option<&Belongings>,
    ) -> Result<Confined, SandboxError> {
        // Who confines what it runs by namespaces cannot do so inside anything less; then its own sandbox is the better one.
        let cannot_nest = own.is_some_and(|own| own.nests) && self.level != Level::Namespaces;
        let level = if cannot_nest { Level::None } else { self.level };
        if level < self.least {
            let why = vec!["the agent has a sandbox of its own, which works inside `namespaces` or nothing".to_owned()];
            return Err(SandboxError::TooLow { wanted: self.least, best: level, why });
        }
        if level == Level::None {
            return Ok(Confined { invocation, level, before: Before::default(), private: None });
        }
        if own.is_some() {
            // It would read what another one planted before it was killed.
            policy::sweep();
        }
        let failed = |why: String| SandboxError::SetUp { level: self.level, why };
        let private = Private::new().map_err(|error| failed(format!("a temporary folder: {error}")))?;
        let policy = Policy::of(self.level, ground, own, &invocation, &private, self.limits)
            .and_then(|policy| policy.before.write_down(&private.path()).map(|()| policy))
            .map_err(|error| failed(error.to_string()))?;
        let environment = policy.environment(invocation.environment.clone());
        let before = policy.before.clone();
        let confined = match self.level {
            Level::Seatbelt => seatbelt::invocation(invocation, &policy),
            Level::None | Level::Landlock | Level::Namespaces => {
                helper::invocation(&self.helper, invocation, &policy).map_err(failed)?
            }
        };
        let invocation = Invocation { environment, ..confined };
        Ok(Confined { invocation, level, before, private: Some(private) })
    }
}

/// An invocation that runs in the sandbox. What it kept for itself is removed with the value.
pub struct Confined {
    /// What to run.
    pub invocation: Invocation,
    level: Level,
    before: Before,
    /// Dropped after all was put back, with the list of it.
    private: Option<Private>,
}

impl Drop for Confined {
    fn drop(&mut self) {
        if self.before.put_back().is_err() {
            // `check` told it. The list stays, for `improve clean` and for the next run.
            std::mem::forget(self.private.take());
        }
    }
}

impl Confined {
    /// How far it is confined: less than the sandbox, when its program brings its own.
    pub fn level(&self) -> Level {
        self.level
    }

    /// To be asked when it has run: an error when the sandbox, and not the command, failed. What ended it for filling the disk is said too.
    /// Settings of an agent are what they were from here on.
    pub fn check(&self) -> Result<Option<String>, SandboxError> {
        self.before.put_back().map_err(|error| SandboxError::Planted { why: error.to_string() })?;
        let Some(private) = &self.private else { return Ok(None) };
        let said = fs::read_to_string(private.report()).unwrap_or_default();
        if let Some(why) = said.lines().find_map(|line| line.strip_prefix(helper::FAILED)) {
            return Err(SandboxError::SetUp { level: self.level, why: why.to_owned() });
        }
        Ok(said.lines().find_map(|line| line.strip_prefix(helper::ENDED)).map(str::to_owned))
    }
}

/// Makes this process unreadable for others of the same user: what it knows, keys above all, is then no child's to read, whatever the
/// level. To be called first thing.
pub fn conceal() {
    #[cfg(target_os = "linux")]
    // Refused nowhere; and if it were, the process namespace hides us too.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Words of an output that a sandbox may be to blame for.
const SYMPTOMS: &[&str] = &[
    "EROFS",
    "EPERM",
    "EACCES",
    "ENETUNREACH",
    "EAI_AGAIN",
    "ENOTFOUND",
    "EAFNOSUPPORT",
    "Read-only file system",
    "Operation not permitted",
    "Permission denied",
    "Network is unreachable",
    "Could not resolve host",
    "Temporary failure in name resolution",
    "Address family not supported",
    "Name or service not known",
    "failed to lookup address",
];

/// What to say of a command that failed, when its output sounds as if the sandbox had something to do with it.
pub fn suspicion<'a>(level: Level, lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let network = match level {
        Level::None => return None,
        Level::Landlock => "no socket, not even on localhost",
        Level::Seatbelt | Level::Namespaces => "no network but localhost",
    };
    let mut found = lines.filter_map(|line| SYMPTOMS.iter().find(|symptom| line.contains(**symptom)));
    let symptom = found.next()?;
    Some(format!(
        "it says \"{symptom}\", which the sandbox ({level}) may have caused: commands write in the worktree and $TMPDIR only, and have {network}; \
         `--sandbox none` runs them without it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_sounds_like_the_sandbox_is_said_to_and_no_other() {
        let lines = ["Error: connect ENETUNREACH 1.2.3.4:443"];
        assert_eq!(suspicion(Level::None, lines.into_iter()), None);
        let told = suspicion(Level::Landlock, lines.into_iter()).unwrap_or_default();
        assert!(
            told.contains("ENETUNREACH") && told.contains("not even on localhost") && told.contains("--sandbox none"),
            "{told}"
        );
        assert_eq!(suspicion(Level::Namespaces, ["1 test failed"].into_iter()), None);
    }

    #[test]
    fn levels_are_ordered_and_their_words_read_back() {
        let levels = [Level::None, Level::Landlock, Level::Seatbelt, Level::Namespaces];
        assert!(levels.is_sorted());
        assert!(levels.iter().all(|level| level.word().parse() == Ok(*level)));
    }
}
