//! Test summaries: how many tests a runner says it ran.
//!
//! Each runner prints a line no other prints; a run of several packages prints several, which are added up.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a test runner counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TestCounts {
    /// Tests that ran and passed.
    pub passed: u32,
    /// Tests that ran and failed, with those that could not be started.
    pub failed: u32,
    /// Tests that were not run: skipped, ignored, pending, to do. Never counted as passed.
    pub skipped: u32,
}

/// The counts in the output of any runner known to us; `None` when there is no summary.
pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<TestCounts> {
    let mut reader = Reader::default();
    lines.for_each(|line| reader.line(line));
    reader.counts()
}

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a constant pattern"));
    };
}

pattern!(CARGO, r"^\s*test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored");
pattern!(NEXTEST, r"^\s*Summary \[[^\]]*\]\s+[\d/]+ tests? run:(?P<parts>.*)$");
pattern!(VITEST, r"^\s*Tests\s+(?P<parts>(?:\d+ (?:passed|failed|skipped|todo|expected fail)(?: \| )?)+)\s*\(\d+\)");
pattern!(VITEST_NONE, r"^\s*(?:Tests\s+no tests|No test files? found)");
pattern!(VITEST_FILES, r"^\s*Test Files\s+(?P<failed>\d+) failed");
pattern!(JEST, r"^\s*Tests:\s+(?P<parts>.*\d+ total)");
pattern!(JEST_NONE, r"^\s*(?:No tests found|Tests:\s+0 total)");
pattern!(JEST_SUITES, r"^\s*Test Suites:\s+(?P<failed>\d+) failed");
pattern!(NODE, r"^(?:#|ℹ) (?P<what>pass|fail|cancelled|skipped|todo) (?P<count>\d+)\s*$");
pattern!(MOCHA, r"^\s*(?P<count>\d+) (?P<what>passing|failing|pending)(?: \([^)]*\))?\s*$");
pattern!(
    PYTEST,
    r"^(?:=+ )?(?P<parts>(?:\d+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?|rerun)(?:, )?)+) in [\d.]+s"
);
pattern!(PYTEST_NONE, r"^(?:=+ )?no tests ran in");
pattern!(GO, r"^(?:ok|FAIL|---|\?)\s+.*$");
pattern!(BUN, r"^\s*(?P<count>\d+) (?P<what>pass|fail|skip|todo)\s*$");
pattern!(PART, r"(?P<count>\d+) (?P<what>[a-z]+(?: fail(?:ed)?)?)");

#[derive(Default)]
struct Reader {
    counts: TestCounts,
    seen: bool,
    /// Files or suites that failed as a whole, which counts when none of their tests did.
    failed_files: u32,
    go: Go,
}

/// `go test` prints a line per package and, when asked, one per test.
#[derive(Default)]
struct Go {
    tests: TestCounts,
    packages: TestCounts,
    seen: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        // A summary is short; a line of a minified bundle is not.
        if line.len() > 400 || !line.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return;
        }
        if let Some(found) = CARGO.captures(line) {
            self.add(number(&found, "passed"), number(&found, "failed"), number(&found, "skipped"));
        } else if let Some(found) =
            [&NEXTEST, &VITEST, &JEST, &PYTEST].iter().find_map(|pattern| pattern.captures(line))
        {
            self.parts(&found["parts"]);
        } else if [&VITEST_NONE, &JEST_NONE, &PYTEST_NONE].iter().any(|pattern| pattern.is_match(line)) {
            self.seen = true;
        } else if let Some(found) = VITEST_FILES.captures(line).or_else(|| JEST_SUITES.captures(line)) {
            self.failed_files += number(&found, "failed");
        } else if let Some(found) = [&NODE, &MOCHA, &BUN].iter().find_map(|pattern| pattern.captures(line)) {
            self.word(&found["what"], number(&found, "count"));
        } else if GO.is_match(line) {
            self.go_line(line);
        }
    }

    fn add(&mut self, passed: u32, failed: u32, skipped: u32) {
        self.seen = true;
        self.counts.passed += passed;
        self.counts.failed += failed;
        self.counts.skipped += skipped;
    }

    fn parts(&mut self, parts: &str) {
        self.seen = true;
        for part in PART.captures_iter(parts) {
            self.word(&part["what"], number(&part, "count"));
        }
    }

    fn word(&mut self, what: &str, count: u32) {
        match what {
            "passed" | "pass" | "passing" | "xfailed" | "expected fail" => self.add(count, 0, 0),
            "failed" | "fail" | "failing" | "cancelled" | "error" | "errors" | "timed" | "exec failed" | "xpassed" => {
                self.add(0, count, 0);
            }
            "skipped" | "skip" | "todo" | "pending" => self.add(0, 0, count),
            _ => {}
        }
    }

    fn go_line(&mut self, line: &str) {
        let line = line.trim_end();
        if line.starts_with("--- PASS: ") {
            self.go.tests.passed += 1;
        } else if line.starts_with("--- FAIL: ") {
            self.go.tests.failed += 1;
        } else if line.starts_with("--- SKIP: ") {
            self.go.tests.skipped += 1;
        } else if line.starts_with("ok") && line.split_whitespace().count() >= 3 {
            self.go.seen = true;
            self.go.packages.passed += u32::from(!line.ends_with("[no tests to run]"));
        } else if line.starts_with("FAIL\t") {
            self.go.seen = true;
            self.go.packages.failed += 1;
        } else if line.ends_with("[no test files]") {
            self.go.seen = true;
        }
    }

    fn counts(mut self) -> Option<TestCounts> {
        if self.go.seen {
            // Without `-v` only failing tests are listed, so passes are counted in packages.
            let (tests, packages) = (self.go.tests, self.go.packages);
            let passed = if tests.passed > 0 { tests.passed } else { packages.passed };
            self.add(passed, tests.failed.max(packages.failed), tests.skipped);
        }
        if self.failed_files > 0 && self.counts.failed == 0 {
            self.add(0, self.failed_files, 0);
        }
        self.seen.then_some(self.counts)
    }
}

fn number(found: &Captures<'_>, name: &str) -> u32 {
    found[name].parse().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u32, failed: u32, skipped: u32) -> Option<TestCounts> {
        Some(TestCounts { passed, failed, skipped })
    }

    #[test]
    fn every_runner_is_read_in_its_own_words() {
        let cases = [
            (
                "cargo",
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
                counts(12, 0, 1),
            ),
            (
                "cargo with several binaries",
                "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
                 test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
                counts(3, 1, 0),
            ),
            ("nextest", "     Summary [   0.051s] 3 tests run: 3 passed, 1 skipped", counts(3, 0, 1)),
            (
                "nextest stopped early",
                "     Summary [   0.051s] 2/3 tests run: 1 passed (1 slow), 1 failed, 0 skipped",
                counts(1, 1, 0),
            ),
            (
                "nextest with a timeout",
                "     Summary [  10.0s] 2 tests run: 1 passed, 1 timed out, 0 skipped",
                counts(1, 1, 0),
            ),
            ("vitest", " Test Files  2 passed (2)\n      Tests  5 passed (5)", counts(5, 0, 0)),
            (
                "vitest with failures",
                " Test Files  1 failed | 1 passed (2)\n      Tests  1 failed | 4 passed | 2 skipped | 1 todo (8)",
                counts(4, 1, 3),
            ),
            ("vitest whose file does not load", " Test Files  1 failed (1)\n      Tests  no tests", counts(0, 1, 0)),
            ("vitest without tests", "No test files found, exiting with code 0", counts(0, 0, 0)),
            ("jest", "Test Suites: 2 passed, 2 total\nTests:       1 skipped, 3 passed, 4 total", counts(3, 0, 1)),
            (
                "jest with failures",
                "Test Suites: 1 failed, 1 total\nTests:       1 failed, 3 passed, 4 total",
                counts(3, 1, 0),
            ),
            ("jest whose suite does not load", "Test Suites: 1 failed, 1 total\nTests:       0 total", counts(0, 1, 0)),
            (
                "node, TAP",
                "# tests 3\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n# duration_ms 5.1",
                counts(2, 1, 0),
            ),
            ("node, spec", "ℹ tests 3\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0", counts(3, 0, 0)),
            ("mocha", "  3 passing (12ms)\n  1 pending\n  2 failing\n", counts(3, 2, 1)),
            ("pytest", "===== 3 passed, 1 skipped, 2 warnings in 0.12s =====", counts(3, 0, 1)),
            ("pytest, quiet", "1 failed, 2 passed in 0.50s", counts(2, 1, 0)),
            ("pytest with an error", "==== 1 error in 0.05s ====", counts(0, 1, 0)),
            ("pytest without tests", "===== no tests ran in 0.01s =====", counts(0, 0, 0)),
            (
                "go",
                "ok  \texample.com/a\t0.01s\nok  \texample.com/b\t(cached)\n?   \texample.com/c\t[no test files]",
                counts(2, 0, 0),
            ),
            (
                "go, failing",
                "--- FAIL: TestA (0.00s)\nFAIL\nFAIL\texample.com/a\t0.01s\nok  \texample.com/b\t0.1s",
                counts(1, 1, 0),
            ),
            (
                "go, verbose",
                "--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)\nPASS\nok  \texample.com/a\t0.01s",
                counts(1, 0, 1),
            ),
            ("go without tests", "ok  \texample.com/a\t0.01s [no tests to run]", counts(0, 0, 0)),
            ("bun", " 3 pass\n 1 fail\n 4 expect() calls", counts(3, 1, 0)),
            ("no runner", "all good\nPASS\n3 files changed", None),
            ("prose", "Tests are run with npm test; 3 passed review", None),
        ];
        for (name, output, expected) in cases {
            assert_eq!(read(output.lines()), expected, "{name}");
        }
    }
}
