//! Process groups. What leaves its group is the sandbox's to end.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::process::POLL;

/// Between asking a group to end and ending it. Our choice: enough for a test runner to remove its temporary files, and for the sandbox to
/// end what has left the group.
const GRACE: Duration = Duration::from_millis(1000);

/// A child that leads a group of its own.
pub(in crate::process) struct Group {
    child: Child,
    /// The child's id and the group's.
    pid: Pid,
}

impl Group {
    /// Starts it. The terminal's ctrl-C reaches us alone, and what the child starts can be ended with it.
    pub fn start(mut command: Command) -> io::Result<Group> {
        let child = command.process_group(0).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("ids of processes are positive");
        Ok(Group { child, pid })
    }

    /// The child's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the child reads, once.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What the child prints, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// What it says beside that, once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Whether the child has ended. It is not reaped, so that its id, which is also its group's, cannot be given to another process.
    pub fn has_ended(&mut self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Asks the group to end and gives it a moment for that.
    pub fn ask_to_end(&mut self) {
        // A group that is gone already is what we want.
        let _ = kill_process_group(self.pid, Signal::TERM);
        let patience = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < patience {
            thread::sleep(POLL);
        }
    }

    /// Ends whatever is left of the group: background processes would otherwise hold the pipes open and outlive us.
    pub fn end(&mut self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Waits for the child.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

/// Ends the group of a child that another process started.
pub(in crate::process) fn end_recorded_group(pid: u32) {
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// What a child was ended by that has no exit code.
pub(in crate::process) fn signal_of(status: ExitStatus) -> i32 {
    status.signal().unwrap_or(0)
}
