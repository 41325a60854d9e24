//! Judging: whether what a command did is what its plan expects. Pure.

use std::sync::LazyLock;

use regex::Regex;

use super::Outcome;
use super::summary::TestCounts;
use crate::plan::expectation::{Count, Expectation};
use crate::process::{Captured, End};

/// The shell's codes for a command that is not executable or does not exist: the check did not run at all.
const NOT_RUN: [i32; 2] = [126, 127];

/// Whether an expectation was met, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// It was.
    pub green: bool,
    /// Why, in words.
    pub why: String,
}

fn green(why: impl Into<String>) -> Judgement {
    Judgement { green: true, why: why.into() }
}

fn red(why: impl Into<String>) -> Judgement {
    Judgement { green: false, why: why.into() }
}

/// Judges the outcome of `command`. `base_tests` are the tests the same command ran on the base commit.
pub fn judge(expectation: &Expectation, command: &str, outcome: &Outcome, base_tests: Option<TestCounts>) -> Judgement {
    let code = match outcome.end {
        End::Exited(code) if NOT_RUN.contains(&code) && *expectation != Expectation::Exit(code) => {
            return red(format!("the command could not be run (exit {code})"));
        }
        End::Exited(code) => code,
        End::Signalled(signal) => return red(format!("ended by signal {signal}")),
        End::TimedOut => return red("ran out of time"),
        End::Cancelled => return red("interrupted"),
    };
    match expectation {
        Expectation::Exit(wanted) if code == *wanted => green(format!("exit {code}")),
        Expectation::Exit(wanted) => red(format!("exit {code}, expected {wanted}")),
        Expectation::Fails if code != 0 => green(format!("fails with exit {code}")),
        Expectation::Fails => red("exit 0, expected to fail"),
        Expectation::NoOutput => no_output(code, outcome),
        Expectation::Contains(text) => contains(text, outcome),
        Expectation::Matches(pattern) => matches(pattern, outcome),
        Expectation::Lines(count) => lines(*count, command, code, outcome),
        Expectation::AllPass => all_pass(code, outcome).0,
        Expectation::NewTests(wanted) => new_tests(*wanted, code, outcome, base_tests),
        Expectation::Passed(count) => passed(*count, code, outcome),
        Expectation::All(parts) => all(parts, command, outcome, base_tests),
    }
}

fn all(parts: &[Expectation], command: &str, outcome: &Outcome, base_tests: Option<TestCounts>) -> Judgement {
    if parts.is_empty() {
        return red("nothing is expected of it");
    }
    let judgements: Vec<Judgement> = parts.iter().map(|part| judge(part, command, outcome, base_tests)).collect();
    if let Some(first) = judgements.iter().find(|judgement| !judgement.green) {
        return first.clone();
    }
    let whys: Vec<String> = judgements.into_iter().map(|judgement| judgement.why).collect();
    green(whys.join("; "))
}

/// `grep` without a match exits 1 and prints nothing. A command that broke does so too, but says why on stderr or exits higher.
fn quiet_failure(code: i32, outcome: &Outcome) -> Option<Judgement> {
    let broke = code > 1 || code == 1 && !is_blank(&outcome.stderr);
    broke.then(|| red(format!("the command failed (exit {code}) instead of finding nothing")))
}

fn no_output(code: i32, outcome: &Outcome) -> Judgement {
    if let Some(line) = outcome.stdout.lines().find(|line| !line.trim().is_empty()) {
        return red(format!("printed {:?}, expected no output", shorten(line)));
    }
    quiet_failure(code, outcome).unwrap_or_else(|| green("no output"))
}

fn contains(text: &str, outcome: &Outcome) -> Judgement {
    let streams = [&outcome.stdout, &outcome.stderr];
    if streams.iter().any(|stream| stream.head.contains(text) || stream.tail.contains(text)) {
        return green(format!("the output contains {text:?}"));
    }
    let gap = if streams.iter().all(|stream| stream.is_whole()) { "" } else { " in the part of it that was kept" };
    red(format!("the output does not contain {text:?}{gap}"))
}

fn matches(pattern: &str, outcome: &Outcome) -> Judgement {
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(_) => return red(format!("/{pattern}/ is not a regular expression")),
    };
    match outcome.stdout.lines().chain(outcome.stderr.lines()).find(|line| regex.is_match(line)) {
        Some(line) => green(format!("{:?} matches /{pattern}/", shorten(line))),
        None => red(format!("no line matches /{pattern}/")),
    }
}

fn lines(count: Count, command: &str, code: i32, outcome: &Outcome) -> Judgement {
    let shown: Vec<&str> = outcome.stdout.lines().filter(|line| !line.trim().is_empty()).collect();
    let found = match printed_count(command, &shown) {
        Some(found) => found,
        None if !outcome.stdout.is_whole() => return red("printed more lines than are counted"),
        None => {
            if let Some(failure) = quiet_failure(code, outcome) {
                return failure;
            }
            u32::try_from(shown.len()).unwrap_or(u32::MAX)
        }
    };
    let noun = if found == 1 { "match" } else { "matches" };
    if holds(count, found) {
        green(format!("{found} {noun}"))
    } else {
        red(format!("{found} {noun}, expected {}", describe(count)))
    }
}

/// The number that a counting command printed: `grep -c`, `rg --count`, `wc -l`; over several files, their sum.
fn printed_count(command: &str, shown: &[&str]) -> Option<u32> {
    static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\bwc\s+-l\b|\b(?:grep|rg|ag)\b[^|;&]*\s(?:-[a-zA-Z]*c[a-zA-Z]*|--count(?:-matches)?)(?:\s|$)")
            .expect("a constant pattern")
    });
    if shown.is_empty() || !COUNTS.is_match(command) {
        return None;
    }
    shown.iter().map(|line| line.rsplit(':').next()?.split_whitespace().next()?.parse::<u32>().ok()).sum()
}

/// Whether the tests passed, with their counts where a runner gave them.
fn all_pass(code: i32, outcome: &Outcome) -> (Judgement, Option<TestCounts>) {
    let Some(tests) = outcome.tests else {
        let judgement = if code == 0 {
            green("exit 0, no test summary known to us")
        } else {
            red(format!("exit {code}, expected all to pass"))
        };
        return (judgement, None);
    };
    let judgement = if tests.failed > 0 {
        red(format!("{} of {} tests failed", tests.failed, tests.failed + tests.passed))
    } else if code != 0 {
        red(format!("exit {code} although no test failed"))
    } else if tests.passed == 0 {
        red("no test ran")
    } else {
        green(format!("{} passed", tests.passed))
    };
    (judgement, Some(tests))
}

fn passed(count: Count, code: i32, outcome: &Outcome) -> Judgement {
    match all_pass(code, outcome) {
        (judgement, _) if !judgement.green => judgement,
        (_, None) => red("no test summary known to us, so the tests cannot be counted"),
        (judgement, Some(tests)) if holds(count, tests.passed) => judgement,
        (_, Some(tests)) => red(format!("{} passed, expected {}", tests.passed, describe(count))),
    }
}

fn new_tests(wanted: u32, code: i32, outcome: &Outcome, base_tests: Option<TestCounts>) -> Judgement {
    let tests = match all_pass(code, outcome) {
        (judgement, _) if !judgement.green => return judgement,
        (_, None) => return red("no test summary known to us, so new tests cannot be counted"),
        (_, Some(tests)) => tests,
    };
    let Some(base) = base_tests else { return red("the base commit gave no test count to compare with") };
    let new = tests.passed.saturating_sub(base.passed);
    let why = format!("{} passed, {new} more than on the base commit", tests.passed);
    if new >= wanted { green(why) } else { red(format!("{why}, expected {wanted}")) }
}

fn holds(count: Count, found: u32) -> bool {
    match count {
        Count::Exactly(wanted) => found == wanted,
        Count::AtLeast(wanted) => found >= wanted,
        Count::AtMost(wanted) => found <= wanted,
    }
}

fn describe(count: Count) -> String {
    match count {
        Count::Exactly(wanted) => wanted.to_string(),
        Count::AtLeast(wanted) => format!("at least {wanted}"),
        Count::AtMost(wanted) => format!("at most {wanted}"),
    }
}

fn is_blank(captured: &Captured) -> bool {
    captured.lines().all(|line| line.trim().is_empty())
}

fn shorten(line: &str) -> String {
    line.trim().chars().take(120).collect()
}
