//! Gates: a command and what it must give. Run here, judged in [`judge`], test summaries read in [`summary`].

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::plan::Gate;
use crate::plan::expectation::Expectation;
use crate::process::{self, Captured, End, Environment, Invocation, ProcessError};
use crate::sandbox::policy::Ground;
use crate::sandbox::{self, Sandbox, SandboxError};
use crate::secrets;

pub mod judge;
pub mod live;
pub mod memory;
pub mod runner;
pub mod summary;

use live::Live;
use summary::TestCounts;

/// Bytes of each stream that the result of a green gate keeps. Our choice: a summary.
const GREEN_OUTPUT: usize = 4 << 10;

/// What a gate may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// How long it may run.
    pub timeout: Duration,
    /// Bytes that its result keeps of the head of each stream, and of its tail.
    pub output: usize,
}

impl Default for GateLimits {
    /// Twenty minutes and 32 KiB a stream. Our choice: a cold build and its tests fit, a receipt stays readable.
    fn default() -> GateLimits {
        GateLimits { timeout: Duration::from_secs(20 * 60), output: 32 << 10 }
    }
}

/// A gate that ran, and what that showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// The command line.
    pub command: String,
    /// What it had to give.
    pub expectation: Expectation,
    /// The expectation as written in the plan.
    pub expected: String,
    /// It gave it.
    pub green: bool,
    /// Why it is green or not, in words.
    pub why: String,
    /// Its exit code, when it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it, when that was not ours.
    pub signal: Option<i32>,
    /// It ran out of time.
    pub timed_out: bool,
    /// The user gave up.
    pub cancelled: bool,
    /// How long it ran.
    pub duration_ms: u64,
    /// Head and tail of stdout.
    pub stdout: String,
    /// Head and tail of stderr.
    pub stderr: String,
    /// Tests run, where a runner said so.
    pub tests: Option<TestCounts>,
    /// It was not run for this: it had been run on the same files of the same worktree, and was green.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
}

impl GateResult {
    /// Whether a red gate is red in the way it was before: the same tests ran, and no more of them fail.
    pub fn is_no_worse_than(&self, before: &GateResult) -> bool {
        let (Some(then), Some(tests)) = (before.tests, self.tests) else { return false };
        !before.green
            && before.exit_code == self.exit_code
            && then.failed > 0
            && tests.failed <= then.failed
            && tests.passed >= then.passed
    }

    /// The lines of its output that tell most, for a reader in a hurry: those that speak of an error, then the ends of stdout and
    /// stderr. At most `count`, none blank, none twice.
    pub fn telling_lines(&self, count: usize) -> Vec<&str> {
        let lines_of = |stream: &'_ str| -> usize { stream.lines().filter(|line| !line.trim().is_empty()).count() };
        let (stdout, stderr) = (lines_of(&self.stdout), lines_of(&self.stderr));
        let lines: Vec<&str> =
            self.stdout.lines().chain(self.stderr.lines()).filter(|line| !line.trim().is_empty()).collect();
        let mut chosen: Vec<usize> =
            (0..lines.len()).filter(|index| speaks_of_an_error(lines[*index])).take(count.div_ceil(2)).collect();
        let room = count - chosen.len();
        // Half of the room each, and what one does not need for the other.
        let of_stderr = stderr.min((room / 2).max(room.saturating_sub(stdout)));
        let of_stdout = stdout.min(room - of_stderr);
        let ends = (stdout - of_stdout..stdout).chain(stdout + stderr - of_stderr..stdout + stderr);
        for index in ends {
            if !chosen.contains(&index) {
                chosen.push(index);
            }
        }
        chosen.into_iter().map(|index| lines[index]).collect()
    }
}

/// Whether a line says that something went wrong; "0 errors" and warnings do not.
fn speaks_of_an_error(line: &str) -> bool {
    static ERROR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:error|errors|failed|failure|panicked|fatal|exception|assertionerror)\b|(?-i:\bFAIL\b|\w+Error\b)|^\s*not ok\b|[✗✕✘×❌]")
            .expect("a constant pattern")
    });
    static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:0|no) (?:errors?|failed|failures?)\b|^\s*(?:npm )?warn.*").expect("a constant pattern")
    });
    ERROR.is_match(&HARMLESS.replace_all(line, ""))
}

/// What a command did, before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What it printed on stdout, terminal codes removed.
    pub stdout: Captured,
    /// What it printed on stderr, terminal codes removed.
    pub stderr: Captured,
    /// Tests run, where a runner said so.
    pub tests: Option<TestCounts>,
    /// How long it ran.
    pub duration: Duration,
    /// What the sandbox had to do with it, when it may have had something.
    pub blame: Option<String>,
}

impl Outcome {
    /// The outcome judged by one gate; the same outcome may serve several gates with the same command.
    ///
    /// `base_tests` are the tests the command ran on the base commit, for expectations that count new ones.
    pub fn against(&self, gate: &Gate, limits: GateLimits, base_tests: Option<TestCounts>) -> GateResult {
        let judgement = judge::judge(&gate.expectation, &gate.command, self, base_tests);
        let (exit_code, signal) = match self.end {
            End::Exited(code) => (Some(code), None),
            End::Signalled(signal) => (None, Some(signal)),
            End::TimedOut | End::Cancelled => (None, None),
        };
        // Nobody reads the whole output of what went well.
        let kept = if judgement.green { limits.output.min(GREEN_OUTPUT) } else { limits.output * 2 };
        GateResult {
            command: gate.command.clone(),
            expectation: gate.expectation.clone(),
            expected: gate.expected.clone(),
            green: judgement.green,
            why: secrets::mask(&self.told(judgement)),
            exit_code,
            signal,
            timed_out: self.end == End::TimedOut,
            cancelled: self.end == End::Cancelled,
            duration_ms: u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            stdout: self.stdout.masked(secrets::mask).excerpt(kept),
            stderr: self.stderr.masked(secrets::mask).excerpt(kept),
            tests: self.tests,
            remembered: false,
        }
    }
}

impl Outcome {
    /// Why a gate is green or not; what the sandbox may have to do with it only when it is not.
    fn told(&self, judgement: judge::Judgement) -> String {
        match &self.blame {
            Some(blame) if !judgement.green => format!("{}; {blame}", judgement.why),
            Some(_) | None => judgement.why,
        }
    }
}

/// A command that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// It did not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It could not be confined, so it was not run.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Runs a command line through `sh -c` on `ground`, in `sandbox`.
///
/// `record` is where its process id is kept while it runs, `output` what it prints.
pub fn observe(
    command: &str,
    ground: &Ground<'_>,
    sandbox: &Sandbox,
    limits: GateLimits,
    record: Option<&Path>,
    output: Option<&Path>,
    cancel: &Cancel,
) -> Result<Outcome, ObserveError> {
    let confined = sandbox.confine(invocation(command, ground.folder, limits, record), ground)?;
    let mut live = output.map(|file| Live::new(file, command));
    let mut listener = |stdout: &Captured, stderr: &Captured| {
        if let Some(live) = &mut live {
            live.hear(&plain(stdout), &plain(stderr));
        }
    };
    let finished = process::run_heard(&confined.invocation, cancel, &mut listener)?;
    // Who gives up on a gate that hangs gets no result of it.
    if let Some(live) = live.filter(|_| finished.end != End::Cancelled) {
        live.end();
    }
    let (stdout, stderr) = (plain(&finished.stdout), plain(&finished.stderr));
    let ended = confined.check()?;
    let blame = match (&ended, finished.end) {
        (Some(why), _) => Some(format!("ended by the sandbox: {why}")),
        (None, End::Exited(0) | End::TimedOut | End::Cancelled) => None,
        (None, _) => sandbox::suspicion(sandbox.level(), stderr.lines().chain(stdout.lines())),
    };
    let tests = summary::read(stdout.lines().chain(stderr.lines()));
    Ok(Outcome { end: finished.end, stdout, stderr, tests, duration: finished.duration, blame })
}

fn invocation(command: &str, folder: &Path, limits: GateLimits, record: Option<&Path>) -> Invocation {
    Invocation {
        program: "sh".into(),
        arguments: vec!["-c".into(), command.into()],
        folder: folder.to_owned(),
        environment: Environment::inherited(),
        timeout: limits.timeout,
        record: record.map(Path::to_owned),
    }
}

/// Output without colours and cursor movement.
fn plain(captured: &Captured) -> Captured {
    Captured {
        head: anstream::adapter::strip_str(&captured.head).to_string(),
        tail: anstream::adapter::strip_str(&captured.tail).to_string(),
        omitted_bytes: captured.omitted_bytes,
    }
}

#[cfg(test)]
mod tests;
