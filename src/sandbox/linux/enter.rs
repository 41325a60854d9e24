//! Last stage: gives up every right that the command must not have, and becomes the command.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sys::signal::SigSet;

use super::{Next, Report, files, filter, limits, rights, told_nix};
use crate::sandbox::policy::Policy;

pub(in crate::sandbox) fn run(policy: &Policy, next: &Next<'_>, descriptor: &str, could_not: u8) -> u8 {
    let mut report = if descriptor.is_empty() { Report::open(policy) } else { Report::handed_on(descriptor) };
    let why = enter(policy, next);
    report.failed(&why);
    could_not
}

/// Returns only with what failed.
fn enter(policy: &Policy, next: &Next<'_>) -> String {
    let [program, arguments @ ..] = next.command else { return "no command".to_owned() };
    let confined = confine(policy);
    if let Err(why) = confined {
        return why;
    }
    let error = Command::new(program).args(arguments).current_dir(&policy.folder).exec();
    format!("{}: could not be started: {error}", program.to_string_lossy())
}

/// In this order: each step takes away what an earlier one may need.
fn confine(policy: &Policy) -> Result<(), String> {
    let parent_dies = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    parent_dies.map_err(|error| format!("death signal: {error}"))?;
    // A session of its own has no terminal: nothing can be typed into the user's.
    if let Err(error) = rustix::process::setsid()
        && error != rustix::io::Errno::PERM
    {
        return Err(format!("setsid: {error}"));
    }
    // The stages before wait for signals by a descriptor and block them; a child inherits that.
    SigSet::all().thread_unblock().map_err(told_nix("unblock signals"))?;
    limits::set(policy)?;
    rights::give_up()?;
    files::restrict(policy)?;
    filter::install(policy)
}
