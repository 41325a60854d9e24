//! Linux: namespaces, Landlock and seccomp, each through a crate that is safe to call. See [`super::helper`] for the order of events.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use landlock::ABI;

use super::Level;
use super::helper::{ENDED, FAILED};
use super::policy::Policy;

pub(super) mod begin;
mod children;
pub(super) mod enter;
mod files;
mod filter;
mod limits;
mod loopback;
mod mounts;
mod rights;
pub(super) mod supervise;

pub(super) use files::interface as landlock_interface;

/// What comes after a stage.
pub(super) struct Next<'a> {
    /// The word that makes our program the helper.
    pub(super) word: &'a str,
    /// The policy, as it was given.
    pub(super) policy: &'a OsStr,
    /// The command and its arguments.
    pub(super) command: &'a [OsString],
}

impl Next<'_> {
    /// Our program as the next stage.
    fn stage(&self, stage: &str) -> Command {
        // The link leads to this very program, whatever has become of its file since.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("improve").arg(self.word).arg(stage).arg(self.policy).args(self.command);
        command
    }
}

/// The report of a stage. Opened before the stage gives up the right to, closed by exec.
struct Report(Option<File>);

impl Report {
    /// On the host, and before the file system is another one.
    fn open(policy: &Policy) -> Report {
        Report(OpenOptions::new().create(true).read(true).append(true).open(policy.private.join("report")).ok())
    }

    /// Inside, where the file has no path: by the descriptor of the first process there. Only who has that process's rights may.
    fn handed_on(descriptor: &str) -> Report {
        Report(OpenOptions::new().append(true).open(format!("/proc/1/fd/{descriptor}")).ok())
    }

    /// What [`Report::handed_on`] asks for.
    fn descriptor(&self) -> String {
        self.0.as_ref().map(|file| file.as_raw_fd().to_string()).unwrap_or_default()
    }

    /// The signal that ended the command, when a stage below said so. Read by the descriptor: the file may have no path any more.
    fn signal(&mut self) -> Option<i32> {
        let file = self.0.as_mut()?;
        let mut said = String::new();
        file.rewind().ok()?;
        file.read_to_string(&mut said).ok()?;
        said.lines().find_map(|line| line.strip_prefix(SIGNAL)?.parse().ok())
    }

    fn failed(&mut self, why: &str) {
        self.line(FAILED, why);
    }

    fn ended(&mut self, why: &str) {
        self.line(ENDED, why);
    }

    /// The command was ended by a signal, which an exit code cannot say.
    fn signalled(&mut self, signal: i32) {
        self.line(SIGNAL, &signal.to_string());
    }

    fn line(&mut self, what: &str, text: &str) {
        if let Some(file) = &mut self.0 {
            // Without a report the exit code alone says that something is wrong.
            let _ = writeln!(file, "{what}{}", text.replace('\n', " "));
        }
    }
}

/// Begins a line of the report that says which signal ended the command.
const SIGNAL: &str = "signal: ";

/// What was tried, with what the system said.
fn told(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{what}: {error}")
}

fn told_nix(what: impl std::fmt::Display) -> impl FnOnce(nix::Error) -> String {
    move |error| format!("{what}: {}", error.desc())
}

/// What a level does not keep from a command on this machine.
pub(super) fn gaps(level: Level) -> Vec<String> {
    let abi = landlock_interface();
    let mut gaps: Vec<&str> = Vec::new();
    match level {
        Level::Namespaces if abi.is_none() => {
            gaps.push("Landlock is missing here; mounts alone keep files from being written")
        }
        Level::Namespaces => {}
        Level::Landlock => {
            gaps.push("landlock: no socket can be opened, not even on localhost, and nothing outside $TMPDIR is a place for temporary files");
            gaps.push(
                "landlock: modes and times of files of yours outside the worktree can be changed, their content cannot",
            );
            gaps.push("landlock: the worktree's `.git` file can be changed, which is noticed before git is used");
            gaps.push("landlock: an agent CLI can change settings of its own that are there; one with a sandbox of its own (codex) runs in that alone, unless `landlock` is asked for: then it is not run");
            if abi < Some(ABI::V2) {
                gaps.push("landlock: this kernel lets no file be moved from one folder to another");
            }
            if abi < Some(ABI::V3) {
                gaps.push("landlock: this kernel lets files of yours be cut off (truncated)");
            }
            if abi < Some(ABI::V6) {
                gaps.push("landlock: this kernel lets processes of yours be signalled");
            }
        }
        Level::None | Level::Seatbelt => {}
    }
    if filter::is_unknown_machine() {
        gaps.push("no system call filter for this processor");
    }
    if rustix::process::getuid().is_root() {
        gaps.push("run as root: the number of processes is not limited");
    }
    gaps.into_iter().map(str::to_owned).collect()
}
