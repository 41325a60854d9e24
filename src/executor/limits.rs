//! Limits of an executor's work on one step, each with its own outcome. They are low: what a model does not get right in its first
//! two attempts it seldom gets right in the next four, and failed work costs most.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use regex::Regex;
use serde_json::Value;

use crate::gate::GateResult;
use crate::receipt::Halted;

/// What a step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Times the step may be handed in; each time its gates are run.
    pub attempts: u32,
    /// Times the model may run the gates itself.
    pub gate_runs: u32,
    /// Replies of the model.
    pub rounds: u32,
    /// Replies in a row of which nothing can be used.
    pub malformed: u32,
    /// Times the same call is answered on the same files.
    pub identical: u32,
    /// Calls that go back and forth between two.
    pub back_and_forth: usize,
    /// Edits in a row that bring the files back to where they were.
    pub no_progress: u32,
    /// Times in a row that the gates fail in the same way.
    pub same_failure: u32,
    /// Time, without that of gates.
    pub time: Duration,
    /// Tokens of the conversation, about; beyond it a new one is begun with the files as they are then.
    pub context: usize,
    /// New conversations.
    pub renewals: u32,
    /// Questions to the planner, for the whole plan.
    pub questions: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            attempts: 2,
            gate_runs: 6,
            rounds: 40,
            malformed: 3,
            identical: 3,
            back_and_forth: 6,
            no_progress: 8,
            same_failure: 3,
            time: Duration::from_secs(20 * 60),
            context: 25_000,
            renewals: 2,
            questions: 2,
        }
    }
}

/// Watches the work on one step.
#[derive(Debug)]
pub struct Watch {
    limits: Limits,
    began: SystemTime,
    /// Time that gates took.
    gates: Duration,
    rounds: u32,
    malformed: u32,
    calls: Vec<u64>,
    /// Calls with the files they were made on.
    calls_on_files: Vec<u64>,
    files_seen: BTreeSet<u64>,
    no_progress: u32,
    failure: Option<u64>,
    same_failure: u32,
}

/// A limit that was reached, in words.
pub type Reached = (Halted, String);

impl Watch {
    /// Work that begins now.
    pub fn new(limits: Limits, now: SystemTime) -> Watch {
        Watch {
            limits,
            began: now,
            gates: Duration::ZERO,
            rounds: 0,
            malformed: 0,
            calls: Vec::new(),
            calls_on_files: Vec::new(),
            files_seen: BTreeSet::from([0]),
            no_progress: 0,
            failure: None,
            same_failure: 0,
        }
    }

    /// The model is about to be asked.
    pub fn round(&mut self, now: SystemTime) -> Result<(), Reached> {
        let taken = now.duration_since(self.began).unwrap_or_default().saturating_sub(self.gates);
        if taken >= self.limits.time {
            let minutes = self.limits.time.as_secs() / 60;
            return Err((Halted::OutOfTime, format!("the step took {minutes} minutes without its gates")));
        }
        if self.rounds >= self.limits.rounds {
            return Err((Halted::OutOfRounds, format!("the step took {} replies", self.limits.rounds)));
        }
        self.rounds += 1;
        Ok(())
    }

    /// Replies so far.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// A reply was read: was anything in it of use?
    pub fn usable(&mut self, usable: bool) -> Result<(), Reached> {
        self.malformed = if usable { 0 } else { self.malformed + 1 };
        if self.malformed < self.limits.malformed {
            return Ok(());
        }
        Err((Halted::Malformed, format!("{} replies in a row of which nothing could be used", self.malformed)))
    }

    /// A tool is called, on files that have this fingerprint.
    pub fn call(&mut self, name: &str, input: &Value, files: u64) -> Result<(), Reached> {
        let call = fingerprint(&(name, input.to_string()));
        let on_files = fingerprint(&(call, files));
        self.calls.push(call);
        self.calls_on_files.push(on_files);
        let times = self.calls_on_files.iter().filter(|other| **other == on_files).count();
        if times > self.limits.identical as usize {
            return Err((Halted::RepeatedCalls, format!("`{name}` was called {times} times with nothing changed")));
        }
        let length = self.limits.back_and_forth;
        if length >= 4 && self.calls.len() >= length {
            let last = &self.calls[self.calls.len() - length..];
            let alternates = last[0] != last[1] && last.iter().enumerate().all(|(at, call)| *call == last[at % 2]);
            if alternates {
                return Err((Halted::BackAndForth, format!("the last {length} calls are two, in turn")));
            }
        }
        Ok(())
    }

    /// An edit was made, after which the files have this fingerprint; 0 is how they were at first.
    pub fn edited(&mut self, files: u64) -> Result<(), Reached> {
        self.no_progress = if self.files_seen.insert(files) { 0 } else { self.no_progress + 1 };
        if self.no_progress < self.limits.no_progress {
            return Ok(());
        }
        let why = format!("{} edits in a row brought the files back to where they had been", self.no_progress);
        Err((Halted::NoProgress, why))
    }

    /// Gates took this long, and were red with this.
    pub fn gates(&mut self, took: Duration, red: Option<&[GateResult]>) -> Result<(), Reached> {
        self.gates += took;
        let failure = red.map(signature);
        self.same_failure = match failure {
            Some(_) if failure == self.failure => self.same_failure + 1,
            Some(_) => 1,
            None => 0,
        };
        self.failure = failure;
        if self.same_failure < self.limits.same_failure {
            return Ok(());
        }
        Err((Halted::SameFailure, format!("the gates failed in the same way {} times", self.same_failure)))
    }
}

/// A hash for comparing within one run.
pub fn fingerprint(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// What a failure looks like but for times, addresses and counts.
fn signature(results: &[GateResult]) -> u64 {
    static VARYING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?").expect("a constant pattern"));
    /// Lines looked at: more of a long log is noise.
    const LINES: usize = 30;
    let red = results.iter().filter(|result| !result.green);
    let words: Vec<(String, Vec<String>)> = red
        .map(|result| {
            let lines = result.telling_lines(LINES).into_iter();
            (result.command.clone(), lines.map(|line| VARYING.replace_all(line, "#").into_owned()).collect())
        })
        .collect();
    fingerprint(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::expectation::Expectation;
    use serde_json::json;

    fn watch() -> Watch {
        Watch::new(Limits::default(), SystemTime::UNIX_EPOCH)
    }

    fn halted(result: Result<(), Reached>) -> Option<Halted> {
        result.err().map(|(halted, _)| halted)
    }

    fn red(stdout: &str) -> Vec<GateResult> {
        vec![GateResult {
            command: "npm test".to_owned(),
            expectation: Expectation::Exit(0),
            expected: "exit 0".to_owned(),
            green: false,
            why: "exit 1".to_owned(),
            exit_code: Some(1),
            signal: None,
            timed_out: false,
            cancelled: false,
            duration_ms: 1,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            tests: None,
            remembered: false,
        }]
    }

    #[test]
    fn the_same_call_on_the_same_files_is_answered_three_times() {
        let mut watch = watch();
        let input = json!({"file": "a.ts"});
        for _ in 0..3 {
            assert_eq!(halted(watch.call("read", &input, 1)), None);
        }
        assert_eq!(halted(watch.call("read", &input, 2)), None, "the files are others now");
        assert_eq!(halted(watch.call("read", &input, 1)), Some(Halted::RepeatedCalls));
    }

    #[test]
    fn going_back_and_forth_ends() {
        let mut watch = watch();
        let results: Vec<Option<Halted>> = (0..6)
            .map(|at| halted(watch.call("edit", &json!({"new": if at % 2 == 0 { "a" } else { "b" }}), at)))
            .collect();
        assert_eq!(results[..5], [None; 5]);
        assert_eq!(results[5], Some(Halted::BackAndForth));
    }

    #[test]
    fn edits_that_undo_each_other_are_no_progress() {
        let mut watch = watch();
        assert_eq!(halted(watch.edited(7)), None);
        let results: Vec<Option<Halted>> =
            (0..8).map(|at| halted(watch.edited(if at % 2 == 0 { 0 } else { 7 }))).collect();
        assert_eq!(results[7], Some(Halted::NoProgress));
        assert_eq!(results[..7], [None; 7]);
    }

    #[test]
    fn a_failure_that_differs_only_in_its_times_is_the_same() {
        let mut watch = watch();
        let took = Duration::from_secs(1);
        assert_eq!(halted(watch.gates(took, Some(&red("FAIL pays (12 ms)\nexpected 3")))), None);
        assert_eq!(halted(watch.gates(took, Some(&red("FAIL pays (9 ms)\nexpected 3")))), None);
        assert_eq!(halted(watch.gates(took, Some(&red("FAIL refunds (9 ms)")))), None, "another one");
        assert_eq!(halted(watch.gates(took, Some(&red("FAIL refunds (8 ms)")))), None);
        assert_eq!(halted(watch.gates(took, Some(&red("FAIL refunds (7 ms)")))), Some(Halted::SameFailure));
    }

    #[test]
    fn time_is_counted_without_that_of_gates() {
        let mut watch = watch();
        let at = |minutes: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(minutes * 60);
        assert_eq!(halted(watch.gates(Duration::from_secs(15 * 60), None)), None);
        assert_eq!(halted(watch.round(at(30))), None);
        assert_eq!(halted(watch.round(at(36))), Some(Halted::OutOfTime));
    }

    #[test]
    fn rounds_and_useless_replies_are_counted() {
        let mut watch = watch();
        for _ in 0..40 {
            assert_eq!(halted(watch.round(SystemTime::UNIX_EPOCH)), None);
        }
        assert_eq!(halted(watch.round(SystemTime::UNIX_EPOCH)), Some(Halted::OutOfRounds));
        assert_eq!(halted(watch.usable(false)), None);
        assert_eq!(halted(watch.usable(true)), None);
        assert_eq!([false; 3].map(|usable| halted(watch.usable(usable))), [None, None, Some(Halted::Malformed)]);
    }
}
