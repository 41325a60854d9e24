//! Our own program as the way into the sandbox: `improve __sandbox STAGE POLICY PROGRAM ARGUMENTS…`.
//!
//! Stages follow each other by exec, each a fresh process with one thread:
//! `supervise` (on the host: makes the namespaces, ends what is left) → `begin` (first process inside: mounts, reaps) → `enter` (gives
//! up every right and becomes the command). Without namespaces `supervise` leads to `enter`.

use std::ffi::OsString;
use std::path::Path;

use super::policy::Policy;
use crate::process::Invocation;

/// The first argument that makes our program the helper.
const WORD: &str = "__sandbox";

/// Begins a line of the report that says what of the sandbox failed.
pub(super) const FAILED: &str = "failed: ";

/// Begins a line of the report that says why the command was ended.
pub(super) const ENDED: &str = "ended: ";

/// Exit code when the sandbox could not be set up; the report tells it from a command that ends with it.
const COULD_NOT: u8 = 125;

/// `invocation` by way of the helper.
pub(super) fn invocation(helper: &Path, invocation: Invocation, policy: &Policy) -> Result<Invocation, String> {
    let policy = serde_json::to_string(policy).map_err(|error| format!("a path that is no text: {error}"))?;
    let own = [WORD.into(), "supervise".into(), policy.into(), invocation.program];
    let arguments = own.into_iter().chain(invocation.arguments).collect();
    Ok(Invocation { program: helper.into(), arguments, ..invocation })
}

/// Runs as the helper when the arguments of this process say so. To be called first thing in `main`, before there are threads.
pub fn run_if_asked() -> Option<std::process::ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let arguments: Vec<OsString> = arguments.collect();
    // Nobody reads what goes wrong here but the report's reader.
    Some(stage(&arguments).unwrap_or(COULD_NOT).into())
}

fn stage(arguments: &[OsString]) -> Option<u8> {
    let [stage, raw, command @ ..] = arguments else { return None };
    let policy: Policy = serde_json::from_str(raw.to_str()?).ok()?;
    platform(stage.to_str()?, &policy, raw, command)
}

#[cfg(target_os = "linux")]
fn platform(stage: &str, policy: &Policy, raw: &std::ffi::OsStr, command: &[OsString]) -> Option<u8> {
    use super::linux::{Next, begin, enter, supervise};
    let next = Next { word: WORD, policy: raw, command };
    match stage.split_once(':').unwrap_or((stage, "")) {
        ("supervise", _) => Some(supervise::run(policy, &next, COULD_NOT)),
        ("begin", _) => Some(begin::run(policy, &next, COULD_NOT)),
        ("enter", report) => Some(enter::run(policy, &next, report, COULD_NOT)),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn platform(_: &str, _: &Policy, _: &std::ffi::OsStr, _: &[OsString]) -> Option<u8> {
    None
}
