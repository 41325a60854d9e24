//! Which level this machine offers: each is tried with a real command, the best first.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Level, Sandbox, SandboxError};

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Below this nothing is run.
    pub minimum: Level,
    /// Exactly this one, said for this run; below the minimum, too.
    pub exactly: Option<Level>,
}

/// Chooses the best level that works here, or the one that is asked for. `helper` is our own program.
pub fn choose(helper: &Path, wanted: Wanted) -> Result<Sandbox, SandboxError> {
    let least = wanted.exactly.unwrap_or(wanted.minimum);
    level_of(helper, wanted).map(|sandbox| Sandbox { least, ..sandbox })
}

fn level_of(helper: &Path, wanted: Wanted) -> Result<Sandbox, SandboxError> {
    match wanted.exactly {
        Some(Level::None) => Ok(Sandbox::none("no sandbox, as asked for")),
        Some(level) if !LEVELS.contains(&level) => {
            let why = vec![format!("this system has no `{level}`")];
            Err(SandboxError::TooLow { wanted: level, best: Level::None, why })
        }
        Some(level) => {
            let best = best(helper, &[level]);
            refuse_below(best, level)
        }
        None => refuse_below(best(helper, LEVELS), wanted.minimum),
    }
}

/// A sandbox that is chosen when something is to run in it.
#[derive(Debug)]
pub struct OnDemand {
    helper: PathBuf,
    wanted: Wanted,
    chosen: OnceLock<Result<Sandbox, SandboxError>>,
}

impl OnDemand {
    /// To be chosen as by [`choose`].
    pub fn new(helper: PathBuf, wanted: Wanted) -> OnDemand {
        OnDemand { helper, wanted, chosen: OnceLock::new() }
    }

    /// One that was chosen before.
    pub fn chosen(sandbox: Sandbox) -> OnDemand {
        OnDemand { chosen: OnceLock::from(Ok(sandbox)), ..OnDemand::new(PathBuf::new(), Wanted::default()) }
    }

    /// The sandbox, or why there is none.
    pub fn get(&self) -> Result<&Sandbox, &SandboxError> {
        self.chosen.get_or_init(|| choose(&self.helper, self.wanted)).as_ref()
    }
}

fn refuse_below(best: Sandbox, wanted: Level) -> Result<Sandbox, SandboxError> {
    if best.level < wanted {
        return Err(SandboxError::TooLow { wanted, best: best.level, why: best.missing });
    }
    Ok(best)
}

/// Levels that a system can have, best first.
#[cfg(target_os = "linux")]
const LEVELS: &[Level] = &[Level::Namespaces, Level::Landlock];
#[cfg(target_os = "macos")]
const LEVELS: &[Level] = &[Level::Seatbelt];
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const LEVELS: &[Level] = &[];

fn best(helper: &Path, levels: &[Level]) -> Sandbox {
    let mut failed = Vec::new();
    let mut hints = Vec::new();
    for level in levels {
        let sandbox = Sandbox { level: *level, helper: helper.to_owned(), ..Sandbox::default() };
        match tried(&sandbox) {
            Ok(()) => {
                let missing = failed.into_iter().chain(gaps(*level)).collect();
                return Sandbox { missing, hints, ..sandbox };
            }
            Err(explained) => {
                failed.push(explained.why);
                hints.extend(explained.hint);
            }
        }
    }
    if LEVELS.is_empty() {
        failed.push(
            "there is no sandbox for this system yet: commands have the user's rights, the network included".to_owned(),
        );
    }
    if cfg!(windows) {
        failed.push(
            "commands are ended without being asked to end, and one that runs when `improve` itself is killed goes on"
                .to_owned(),
        );
    }
    Sandbox { missing: failed, hints, ..Sandbox::default() }
}

/// Runs a command that does nothing.
fn tried(sandbox: &Sandbox) -> Result<(), super::explain::Explained> {
    use super::policy::{Ground, Purpose};
    use crate::cancel::Cancel;
    use crate::process::{self, End, Environment, Invocation};
    use std::time::Duration;

    /// Milliseconds are usual.
    const PATIENCE: Duration = Duration::from_secs(10);
    let attempt = || -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
        let invocation = Invocation {
            program: "sh".into(),
            arguments: vec!["-c".into(), ":".into()],
            folder: folder.path().to_owned(),
            environment: Environment::inherited(),
            timeout: PATIENCE,
            record: None,
        };
        let ground = Ground { folder: folder.path(), git: None, purpose: Purpose::Check };
        let confined = sandbox.confine(invocation, &ground).map_err(|error| error.to_string())?;
        let finished = process::run(&confined.invocation, &Cancel::new()).map_err(|error| error.to_string())?;
        confined.check().map_err(|error| match error {
            SandboxError::SetUp { why, .. } => why,
            other => other.to_string(),
        })?;
        match finished.end {
            End::Exited(0) => Ok(()),
            end => Err(format!("`sh -c :` did not work in it ({end:?}): {}", finished.stderr.excerpt(200).trim())),
        }
    };
    attempt().map_err(|fault| explained(sandbox.level, &fault))
}

#[cfg(target_os = "linux")]
fn explained(level: Level, fault: &str) -> super::explain::Explained {
    match level {
        Level::Namespaces => super::explain::namespaces(fault),
        Level::None | Level::Landlock | Level::Seatbelt => super::explain::landlock(fault),
    }
}

// Elsewhere there is no level to be tried.
#[cfg(not(target_os = "linux"))]
fn explained(_: Level, fault: &str) -> super::explain::Explained {
    super::explain::Explained { why: format!("seatbelt: {fault}"), hint: None }
}

/// What a level does not keep from a command here.
#[cfg(target_os = "linux")]
fn gaps(level: Level) -> Vec<String> {
    super::linux::gaps(level)
}

#[cfg(not(target_os = "linux"))]
fn gaps(_: Level) -> Vec<String> {
    let gaps = [
        "seatbelt: a process that leaves its group may outlive the command",
        "seatbelt: an agent CLI with a sandbox of its own (codex) runs in that alone, unless `seatbelt` is asked for: then it is not run",
    ];
    gaps.into_iter().map(str::to_owned).collect()
}
