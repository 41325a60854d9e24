//! Second stage, the first process inside the namespaces: puts together the file system, starts the command, takes leave of orphans.
//! When it ends, the kernel ends everything inside.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::children::{Ended, Watch};
use super::{Next, Report, mounts, told};
use crate::sandbox::policy::Policy;

/// Between handing on the request to end and ending.
const GRACE: Duration = Duration::from_millis(300);

pub(in crate::sandbox) fn run(policy: &Policy, next: &Next<'_>, could_not: u8) -> u8 {
    // Opened first: the file is not there any more once the file system is another one.
    let mut report = Report::open(policy);
    match begin(policy, next, &report.descriptor()) {
        Ok(Ended::Exited(code)) => Ended::Exited(code).pass_on(),
        Ok(Ended::Signalled(signal)) => {
            report.signalled(signal);
            could_not
        }
        Err(why) => {
            report.failed(&why);
            could_not
        }
    }
}

fn begin(policy: &Policy, next: &Next<'_>, report: &str) -> Result<Ended, String> {
    let parent_dies = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    parent_dies.map_err(|error| format!("death signal: {error}"))?;
    let mut watch = Watch::start()?;
    mounts::set_up(policy)?;
    let child =
        next.stage(&format!("enter:{report}")).current_dir(&policy.folder).spawn().map_err(told("the last stage"))?;
    let child = Pid::from_raw(i32::try_from(child.id()).map_err(|_| "an impossible process id".to_owned())?);
    let mut deadline: Option<Instant> = None;
    loop {
        if let Some(ended) = watch.next(child, Duration::from_millis(200)) {
            return Ok(ended);
        }
        if watch.is_asked_to_end() && deadline.is_none() {
            deadline = Some(Instant::now() + GRACE);
            let _ = kill(Pid::from_raw(-1), Signal::SIGTERM);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
            thread::sleep(Duration::from_millis(1));
        }
    }
}
