//! Expectations: what a command must give for a gate to be green.

use serde::{Deserialize, Serialize};

/// What a command must give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// This exit code.
    Exit(i32),
    /// Any exit code but 0.
    Fails,
    /// Nothing on stdout (exit code ignored: `grep` without a match exits 1).
    NoOutput,
    /// stdout or stderr contains the text.
    Contains(String),
    /// stdout or stderr matches the regular expression, line by line.
    Matches(String),
    /// This many lines on stdout.
    Lines(Count),
    /// Exit 0 and, where the runner's summary is one we parse, no failure and at least one test run.
    AllPass,
    /// [`Expectation::AllPass`], with at least this many tests more than on the base commit.
    NewTests(u32),
    /// [`Expectation::AllPass`], with this many tests passed.
    Passed(Count),
    /// Several at once.
    All(Vec<Expectation>),
}

/// A number and how it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// Exactly.
    Exactly(u32),
    /// At least.
    AtLeast(u32),
    /// At most.
    AtMost(u32),
}
