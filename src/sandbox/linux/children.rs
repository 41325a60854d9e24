//! Children of a stage: waited for without a thread or a handler, by a descriptor that signals come from.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::told_nix;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Exited(i32),
    Signalled(i32),
}

impl Ended {
    /// Ends this process in the same way.
    pub(super) fn pass_on(self) -> u8 {
        match self {
            Ended::Exited(code) => u8::try_from(code & 0xff).unwrap_or(1),
            Ended::Signalled(signal) => {
                if let Ok(signal) = Signal::try_from(signal) {
                    let mut set = SigSet::empty();
                    set.add(signal);
                    let _ = set.thread_unblock();
                    let _ = kill(Pid::this(), signal);
                }
                // A signal that does not end us: what shells say of it.
                u8::try_from(128 + (signal & 0x7f)).unwrap_or(1)
            }
        }
    }
}

/// Signals that end us and the news of children, in order.
pub(super) struct Watch {
    signals: SignalFd,
    asked_to_end: bool,
}

impl Watch {
    /// Before the first child. Children inherit what is blocked; the last stage undoes it.
    pub(super) fn start() -> Result<Watch, String> {
        let mut set = SigSet::empty();
        [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
            .into_iter()
            .for_each(|signal| set.add(signal));
        set.thread_block().map_err(told_nix("block signals"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&set, flags).map_err(told_nix("signalfd"))?;
        Ok(Watch { signals, asked_to_end: false })
    }

    /// Whether somebody wants us to end.
    pub(super) fn is_asked_to_end(&self) -> bool {
        self.asked_to_end
    }

    /// Waits for `child` and takes leave of every other that ended; `None` when it is not over yet.
    pub(super) fn next(&mut self, child: Pid, patience: Duration) -> Option<Ended> {
        if let Some(ended) = reap(Some(child)) {
            return Some(ended);
        }
        let milliseconds = u16::try_from(patience.as_millis()).unwrap_or(u16::MAX);
        let mut polled = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut polled, PollTimeout::from(milliseconds));
        while let Ok(Some(signal)) = self.signals.read_signal() {
            self.asked_to_end |= signal.ssi_signo != Signal::SIGCHLD as u32;
        }
        reap(Some(child))
    }
}

/// Takes leave of children that ended; `child` among them is told.
fn reap(child: Option<Pid>) -> Option<Ended> {
    let mut ended = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if Some(pid) == child => ended = Some(Ended::Exited(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if Some(pid) == child => {
                ended = Some(Ended::Signalled(signal as i32))
            }
            Ok(WaitStatus::StillAlive) => return ended,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return ended,
        }
    }
}

/// Ends everything that descends from this process, to which orphans come. Looked for again until there is nothing: some of it may be
/// starting more.
pub(super) fn end_descendants() {
    /// Enough for anything but a machine that hangs.
    const ROUNDS: usize = 400;
    for _ in 0..ROUNDS {
        let left = descendants();
        if left.is_empty() {
            return;
        }
        for pid in left {
            let _ = kill(pid, Signal::SIGKILL);
        }
        reap(None);
        thread::sleep(Duration::from_millis(2));
    }
}

fn descendants() -> Vec<Pid> {
    let processes: Vec<(i32, i32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may hold anything: what follows it counts.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut family = BTreeSet::from([Pid::this().as_raw()]);
    loop {
        let before = family.len();
        family.extend(
            processes.iter().filter(|(_, parent)| family.contains(parent)).map(|(pid, _)| *pid).collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    family.into_iter().map(Pid::from_raw).filter(|pid| *pid != Pid::this()).collect()
}
