//! Child processes: the only door to them. An argument list, an allow-listed environment, a timeout, the whole process group
//! ended, and output that is drained to the end but kept only at its head and its tail.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cancel::Cancel;

mod capture;
mod environment;
mod group;
mod record;
mod talk;

pub use capture::Captured;
pub use environment::Environment;
pub(crate) use environment::TOOLCHAIN_HOMES;
pub use record::{end_recorded, start_time};
pub use talk::{Heard, Talk, TalkEnd, Talked, talk};

use capture::Capture;
use group::Group;

/// How often a running child is looked at: cancellation and timeouts are noticed this late at most.
const POLL: Duration = Duration::from_millis(20);

/// How often a listener hears what was printed. Our choice: often enough to watch, too seldom to cost anything.
const LISTEN: Duration = Duration::from_millis(500);

/// Bytes of each stream that a listener hears, half of its start and half of its end. As many as the result of a red gate keeps.
const HEARD: usize = 64 << 10;

/// How long output is still read after the child ended and its group was killed: a pipe kept open by a process that left the
/// group is not waited for.
const DRAIN: Duration = Duration::from_millis(500);

/// A program to run. Has no `Debug`: environments are never printed.
pub struct Invocation {
    /// The program, found on the environment's `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// Everything it gets to know about its surroundings.
    pub environment: Environment,
    /// How long it may run.
    pub timeout: Duration,
    /// Where its id is kept while it runs, so that a later process can end it should this one be killed: see [`end_recorded`].
    pub record: Option<PathBuf>,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// It ran out of time and was ended.
    TimedOut,
    /// The user gave up and it was ended.
    Cancelled,
}

/// A child that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub end: End,
    /// What it printed on stdout.
    pub stdout: Captured,
    /// What it printed on stderr.
    pub stderr: Captured,
    /// How long it ran.
    pub duration: Duration,
}

/// A child that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It did not start.
    #[error("{program}: could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It could not be waited for.
    #[error("{program}: could not be waited for: {source}")]
    Wait {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ProcessError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ProcessError::Start { program, source } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!("install `{program}` or put it on the PATH"))
            }
            ProcessError::Start { .. } | ProcessError::Wait { .. } => None,
        }
    }
}

/// Runs a program to its end, to its timeout or to cancellation, whichever comes first. Nothing of its process group is left.
pub fn run(invocation: &Invocation, cancel: &Cancel) -> Result<Finished, ProcessError> {
    run_heard(invocation, cancel, &mut |_, _| {})
}

/// The same, with a listener that now and then hears what was printed on stdout and stderr so far, when that is more than before. Lines
/// that are still being printed are heard once they have stood there for a while.
pub fn run_heard(
    invocation: &Invocation,
    cancel: &Cancel,
    listener: &mut dyn FnMut(&Captured, &Captured),
) -> Result<Finished, ProcessError> {
    let program = invocation.program.to_string_lossy().into_owned();
    let started = Instant::now();
    let mut group =
        start(invocation, Stdio::null()).map_err(|source| ProcessError::Start { program: program.clone(), source })?;
    let _record = invocation.record.as_deref().map(|file| record::Record::write(file, group.id()));
    let stdout = Drain::start(group.stdout());
    let stderr = Drain::start(group.stderr());
    let mut ear = Ear { streams: [&stdout, &stderr], listener, at: started + LISTEN, total: 0, is_settled: true };
    let cut = wait(&mut group, started + invocation.timeout, cancel, &mut ear);
    group.end();
    let status = group.wait().map_err(|source| ProcessError::Wait { program, source })?;
    let deadline = Instant::now() + DRAIN;
    let end = cut.unwrap_or_else(|| end_of(status));
    Ok(Finished { end, stdout: stdout.finish(deadline), stderr: stderr.finish(deadline), duration: started.elapsed() })
}

fn start(invocation: &Invocation, stdin: Stdio) -> io::Result<Group> {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .current_dir(&invocation.folder)
        .env_clear()
        .envs(invocation.environment.variables())
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Group::start(command)
}

/// Waits until the child has ended, leaving it to be reaped; or says why it must be ended.
fn wait(group: &mut Group, deadline: Instant, cancel: &Cancel, ear: &mut Ear<'_>) -> Option<End> {
    loop {
        if group.has_ended() {
            return None;
        }
        let cut = match (cancel.is_cancelled(), Instant::now() >= deadline) {
            (true, _) => End::Cancelled,
            (false, true) => End::TimedOut,
            (false, false) => {
                ear.listen();
                thread::sleep(POLL);
                continue;
            }
        };
        group.ask_to_end();
        return Some(cut);
    }
}

fn end_of(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exited(code),
        None => End::Signalled(group::signal_of(status)),
    }
}

/// Hears what a child prints while it runs.
struct Ear<'a> {
    streams: [&'a Drain; 2],
    listener: &'a mut dyn FnMut(&Captured, &Captured),
    /// When it listens next.
    at: Instant,
    /// Bytes that were printed when it last did.
    total: u64,
    /// Everything was heard, also a line without an end.
    is_settled: bool,
}

impl Ear<'_> {
    fn listen(&mut self) {
        if Instant::now() < self.at {
            return;
        }
        self.at = Instant::now() + LISTEN;
        let total = self.streams.iter().map(|stream| stream.capture().total()).sum();
        let is_more = total != self.total;
        if is_more || !self.is_settled {
            let [stdout, stderr] = self.streams.map(|stream| stream.capture().ends(HEARD));
            let heard = |captured: Captured| if is_more { captured.whole_lines() } else { captured };
            (self.listener)(&heard(stdout), &heard(stderr));
        }
        (self.total, self.is_settled) = (total, !is_more);
    }
}

/// A pipe that a thread empties.
struct Drain {
    capture: Arc<Mutex<Capture>>,
    reader: Option<JoinHandle<()>>,
}

impl Drain {
    fn start(pipe: Option<impl Read + Send + 'static>) -> Drain {
        let capture = Arc::new(Mutex::new(Capture::default()));
        let shared = Arc::clone(&capture);
        let reader = pipe.map(|pipe| thread::spawn(move || read_all(pipe, &shared)));
        Drain { capture, reader }
    }

    /// What was read by `deadline`; a reader that is not done by then is left to itself.
    fn finish(self, deadline: Instant) -> Captured {
        if let Some(reader) = &self.reader {
            while !reader.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(2));
            }
        }
        self.capture().captured()
    }

    fn capture(&self) -> MutexGuard<'_, Capture> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_all(mut pipe: impl Read, capture: &Mutex<Capture>) {
    let mut chunk = vec![0; 64 << 10];
    loop {
        match pipe.read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => capture.lock().unwrap_or_else(PoisonError::into_inner).take(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests;
