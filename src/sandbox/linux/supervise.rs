//! First stage, on the host: makes the namespaces, starts what is inside, and ends all of it when the command ended, when it is time, when
//! the disk fills up or when nobody waits for it any more.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::set_child_subreaper;

use super::children::{Ended, Watch, end_descendants};
use super::{Next, Report, loopback, rights, told, told_nix};
use crate::sandbox::policy::Policy;
use crate::sandbox::{DISK_NEARLY_FULL, Level};

/// Between asking the command to end and ending it; less than our caller waits for us.
const GRACE: Duration = Duration::from_millis(400);

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Free space of the disk that is never used up, however little was free. Our choice.
const FLOOR: u64 = 256 << 20;

pub(in crate::sandbox) fn run(policy: &Policy, next: &Next<'_>, could_not: u8) -> u8 {
    let mut report = Report::open(policy);
    match supervise(policy, next, &mut report) {
        Ok(ended) => ended.pass_on(),
        Err(why) => {
            report.failed(&why);
            could_not
        }
    }
}

fn supervise(policy: &Policy, next: &Next<'_>, report: &mut Report) -> Result<Ended, String> {
    // Asked rather than ended, so that what is inside ends with us even without namespaces.
    let parent_dies = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    parent_dies.map_err(|error| format!("death signal: {error}"))?;
    let mut watch = Watch::start()?;
    let is_apart = policy.level == Level::Namespaces;
    let stage = if is_apart {
        part(policy)?;
        "begin"
    } else {
        set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| format!("subreaper: {error}"))?;
        "enter"
    };
    let mut command = next.stage(stage);
    if is_apart {
        // The command itself begins a session, which the leader of a group cannot.
        command.process_group(0);
    }
    let child = command.spawn().map_err(told("the next stage"))?;
    let child = Pid::from_raw(i32::try_from(child.id()).map_err(|_| "an impossible process id".to_owned())?);
    let full = Disk::of(policy);
    let mut deadline: Option<Instant> = None;
    let ended = loop {
        if let Some(ended) = watch.next(child, LOOK) {
            break ended;
        }
        if let Some(why) = full.is_filled_up() {
            report.ended(&why);
            let _ = kill(child, Signal::SIGKILL);
            deadline = Some(Instant::now());
        }
        if watch.is_asked_to_end() && deadline.is_none() {
            deadline = Some(Instant::now() + GRACE);
            // Inside, the first process hands it on; else it is the command itself, and its group.
            let _ = kill(if is_apart { child } else { Pid::from_raw(-child.as_raw()) }, Signal::SIGTERM);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            let _ = kill(child, Signal::SIGKILL);
        }
    };
    if is_apart {
        // Nothing inside outlives its first process. `/proc` is the one inside by now, whose ids mean others here.
        Ok(report.signal().map_or(ended, Ended::Signalled))
    } else {
        end_descendants();
        Ok(ended)
    }
}

/// Who root is inside where namespaces are made: the kernel lets nobody take id 0 into a further one who may not give files capabilities, as
/// nobody inside may.
const SOMEBODY: u32 = 1000;

/// Makes the namespaces. The user keeps their id inside, and has no rights beyond it.
fn part(policy: &Policy) -> Result<(), String> {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let mut apart =
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC;
    if !policy.purpose.has_network() {
        apart |= CloneFlags::CLONE_NEWNET;
    }
    unshare(apart).map_err(told_nix("unshare"))?;
    // Without this a group cannot be mapped by a user without rights.
    fs::write("/proc/self/setgroups", "deny").map_err(told("setgroups"))?;
    let inside = if policy.nests && user == 0 { SOMEBODY } else { user };
    fs::write("/proc/self/uid_map", format!("{inside} {user} 1\n")).map_err(told("uid_map"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1\n")).map_err(told("gid_map"))?;
    if !policy.purpose.has_network() {
        loopback::bring_up().map_err(|error| format!("loopback: {error}"))?;
    }
    rights::keep_mounting()
}

/// The disk that the worktree is on.
struct Disk<'a> {
    policy: &'a Policy,
    free_at_first: Option<u64>,
}

impl Disk<'_> {
    fn of(policy: &Policy) -> Disk<'_> {
        Disk { policy, free_at_first: free(policy) }
    }

    /// Why the command has to be ended for what it wrote.
    fn is_filled_up(&self) -> Option<String> {
        let (first, now) = (self.free_at_first?, free(self.policy)?);
        let taken = first.saturating_sub(now);
        if taken > self.policy.limits.disk_bytes {
            return Some(format!("it took more than {} MiB of the disk", self.policy.limits.disk_bytes >> 20));
        }
        (now < FLOOR.min(first / 2)).then(|| DISK_NEARLY_FULL.to_owned())
    }
}

fn free(policy: &Policy) -> Option<u64> {
    let disk = rustix::fs::statvfs(&policy.folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
