//! What tasks take of this machine: programs of a version, as gates find them. In a sandbox that may be others than outside.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::gate::{GateLimits, observe};
use crate::process::End;
use crate::sandbox::policy::{Ground, Purpose};

use super::ground::Running;
use super::task::{Need, Task};

/// How long a program may take to say its version. A toolchain that fetches itself first is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Versions of programs, asked once each.
#[derive(Default)]
pub struct Tools {
    known: BTreeMap<String, Option<Vec<u64>>>,
}

impl Tools {
    /// What of a task's needs is missing here, in words; `None` when nothing is.
    pub fn missing(&mut self, task: &Task, folder: &Path, running: Running<'_>) -> Option<String> {
        task.needs().into_iter().find_map(|need| {
            let version =
                self.known.entry(need.program.clone()).or_insert_with(|| version(&need.program, folder, running));
            lack(&need, version.as_deref())
        })
    }
}

fn lack(need: &Need, version: Option<&[u64]>) -> Option<String> {
    match version {
        None => Some(format!("it takes {need}, and there is no {}", need.program)),
        Some(version) if version < need.least.as_slice() => {
            let found: Vec<String> = version.iter().map(u64::to_string).collect();
            Some(format!("it takes {need}, and here is {}", found.join(".")))
        }
        Some(_) => None,
    }
}

fn version(program: &str, folder: &Path, running: Running<'_>) -> Option<Vec<u64>> {
    let Running { sandbox, limits, cancel, .. } = running;
    let command = format!("{} --version", shell_words::quote(program));
    let ground = Ground { folder, git: None, purpose: Purpose::Check };
    let outcome =
        observe(&command, &ground, sandbox, GateLimits { timeout: PATIENCE, ..limits }, None, None, cancel).ok()?;
    if outcome.end != End::Exited(0) {
        return None;
    }
    first_version(&outcome.stdout.excerpt(1_000))
}

/// The first version in a text: `v22.18.0`, `cargo 1.90.0 (…)`.
fn first_version(text: &str) -> Option<Vec<u64>> {
    text.split_whitespace().find_map(|word| {
        let word = word.trim_start_matches('v');
        let numbers: Vec<u64> = word.split('.').map_while(|number| number.parse().ok()).collect();
        (numbers.len() >= 2).then_some(numbers)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::observer::Silent;
    use crate::sandbox::Sandbox;

    #[test]
    fn versions_are_compared_as_numbers() {
        let need = Need { program: "node".to_owned(), least: vec![22, 18] };
        let lack = |text: &str| lack(&need, first_version(text).as_deref());
        assert_eq!(lack("v22.18.0"), None);
        assert_eq!(lack("v24.1.0"), None);
        assert_eq!(lack("v22.9.1").as_deref(), Some("it takes node 22.18, and here is 22.9.1"));
        assert_eq!(lack("no version").as_deref(), Some("it takes node 22.18, and there is no node"));
        assert_eq!(first_version("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), Some(vec![1, 95, 0]));
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let (sandbox, cancel) = (Sandbox::none("a test"), Cancel::new());
        let running = Running { sandbox: &sandbox, limits: GateLimits::default(), observer: &Silent, cancel: &cancel };
        assert_eq!(version("no-such-program-anywhere", Path::new("."), running), None);
        assert!(version("git", Path::new("."), running).is_some());
    }
}
