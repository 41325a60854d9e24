//! Gates run for real, and expectations judged on sample output.

use super::judge::{Judgement, judge};
use super::*;
use crate::plan::expectation::Count;
use crate::sandbox::policy::Purpose;

fn outcome(code: i32, stdout: &str, stderr: &str) -> Outcome {
    let captured = |text: &str| Captured { head: text.to_owned(), ..Captured::default() };
    let tests = summary::read(stdout.lines().chain(stderr.lines()));
    Outcome {
        end: End::Exited(code),
        stdout: captured(stdout),
        stderr: captured(stderr),
        tests,
        duration: Duration::ZERO,
        blame: None,
    }
}

fn judged(expectation: Expectation, code: i32, stdout: &str, stderr: &str) -> (bool, String) {
    let Judgement { green, why } = judge(&expectation, "cmd", &outcome(code, stdout, stderr), None);
    (green, why)
}

#[test]
fn each_expectation_is_judged_by_what_it_says() {
    use Expectation::{All, AllPass, Contains, Exit, Fails, Lines, Matches, NoOutput, Passed};
    let passing = "test result: ok. 3 passed; 0 failed; 0 ignored";
    let none = "test result: ok. 0 passed; 0 failed; 2 ignored";
    let failing = "test result: FAILED. 2 passed; 1 failed; 0 ignored";
    let cases = [
        (Exit(0), 0, "", "", true, "exit 0"),
        (Exit(0), 2, "", "", false, "exit 2, expected 0"),
        (Exit(3), 3, "", "", true, "exit 3"),
        (Exit(127), 127, "", "", true, "exit 127"),
        (Fails, 1, "", "", true, "fails with exit 1"),
        (Fails, 0, "", "", false, "exit 0, expected to fail"),
        (Fails, 127, "", "sh: x: not found", false, "the command could not be run (exit 127)"),
        (NoOutput, 1, "", "", true, "no output"),
        (NoOutput, 0, "\n", "warning", true, "no output"),
        (NoOutput, 0, "a.ts:1: x\n", "", false, "printed \"a.ts:1: x\", expected no output"),
        (NoOutput, 2, "", "grep: no such file", false, "the command failed (exit 2) instead of finding nothing"),
        (NoOutput, 1, "", "Error: cannot find module", false, "the command failed (exit 1) instead of finding nothing"),
        (Contains("ok".into()), 0, "", "all ok", true, "the output contains \"ok\""),
        (Contains("ok".into()), 0, "no", "", false, "the output does not contain \"ok\""),
        (Matches("^v\\d+$".into()), 0, "a\nv12\n", "", true, "\"v12\" matches /^v\\d+$/"),
        (Matches("(".into()), 0, "", "", false, "/(/ is not a regular expression"),
        (Lines(Count::Exactly(2)), 0, "a\nb\n", "", true, "2 matches"),
        (Lines(Count::AtLeast(2)), 0, "a\n", "", false, "1 match, expected at least 2"),
        (Lines(Count::Exactly(0)), 1, "", "", true, "0 matches"),
        (AllPass, 0, passing, "", true, "3 passed"),
        (AllPass, 0, none, "", false, "no test ran"),
        (AllPass, 0, failing, "", false, "1 of 3 tests failed"),
        (AllPass, 101, passing, "", false, "exit 101 although no test failed"),
        (AllPass, 0, "done", "", true, "exit 0, no test summary known to us"),
        (AllPass, 1, "boom", "", false, "exit 1, expected all to pass"),
        (Passed(Count::AtLeast(4)), 0, passing, "", false, "3 passed, expected at least 4"),
        (Passed(Count::Exactly(3)), 0, "", passing, true, "3 passed"),
        (All(vec![Exit(0), Contains("x".into())]), 0, "x", "", true, "exit 0; the output contains \"x\""),
        (All(vec![Exit(0), Contains("x".into())]), 0, "y", "", false, "the output does not contain \"x\""),
        (All(vec![]), 0, "", "", false, "nothing is expected of it"),
    ];
    for (expectation, code, stdout, stderr, green, why) in cases {
        assert_eq!(judged(expectation.clone(), code, stdout, stderr), (green, why.to_owned()), "{expectation:?}");
    }
}

#[test]
fn a_counting_command_is_believed_about_its_count() {
    let count = |command: &str, stdout: &str| {
        judge(&Expectation::Lines(Count::Exactly(3)), command, &outcome(0, stdout, ""), None).green
    };
    assert!(count("grep -rc foo src", "src/a:1\nsrc/b:2\n"));
    assert!(count("grep foo src/a | wc -l", "       3\n"));
    assert!(count("rg --count foo a", "3\n"));
    assert!(!count("cat a", "3\n"));
    assert!(!count("sh -c 'echo 3'", "3\n"));
}

#[test]
fn new_tests_are_counted_against_the_base() {
    let after = outcome(0, "test result: ok. 5 passed; 0 failed; 0 ignored", "");
    let base = |passed| Some(TestCounts { passed, failed: 0, skipped: 0 });
    let green = |wanted, base| judge(&Expectation::NewTests(wanted), "cargo test", &after, base).green;
    assert_eq!((green(2, base(3)), green(3, base(3)), green(1, None)), (true, false, false));
}

#[test]
fn output_with_a_gap_is_not_counted() {
    let mut outcome = outcome(0, "a\n", "");
    outcome.stdout.omitted_bytes = 1;
    assert!(!judge(&Expectation::Lines(Count::AtLeast(1)), "cat a", &outcome, None).green);
}

#[test]
fn a_gate_runs_in_its_folder_and_its_colours_are_removed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("here.txt"), "x").expect("the folder is ours");
    let gate = Gate {
        command: "ls; printf '\\033[32mTests:\\033[0m       2 passed, 2 total\\n'".to_owned(),
        expectation: Expectation::AllPass,
        expected: "all pass".to_owned(),
        line: 1,
    };
    let ground = Ground { folder: folder.path(), git: None, purpose: Purpose::Check };
    let (sandbox, limits) = (Sandbox::default(), GateLimits::default());
    let observed = observe(&gate.command, &ground, &sandbox, limits, None, None, &Cancel::new()).expect("sh runs");
    let result = observed.against(&gate, limits, None);
    let expected = GateResult {
        command: gate.command.clone(),
        expectation: Expectation::AllPass,
        expected: "all pass".to_owned(),
        green: true,
        why: "2 passed".to_owned(),
        exit_code: Some(0),
        signal: None,
        timed_out: false,
        cancelled: false,
        duration_ms: result.duration_ms,
        stdout: "here.txt\nTests:       2 passed, 2 total\n".to_owned(),
        stderr: String::new(),
        tests: Some(TestCounts { passed: 2, failed: 0, skipped: 0 }),
        remembered: false,
    };
    assert_eq!(result, expected);
}

#[test]
fn a_warning_on_stderr_does_not_hide_what_the_tests_printed() {
    let stdout = "setting up\nbuilding\n✗ adds two numbers\n  expected 3, got 4\nmore\nTests: 1 failed, 0 errors\ndone";
    let outcome = outcome(1, stdout, "npm warn config error in .npmrc\nnpm warn old\n");
    let gate = Gate { command: "npm test".into(), expectation: Expectation::AllPass, expected: String::new(), line: 0 };
    let result = outcome.against(&gate, GateLimits::default(), None);
    assert_eq!(
        result.telling_lines(6),
        ["✗ adds two numbers", "Tests: 1 failed, 0 errors", "done", "npm warn config error in .npmrc", "npm warn old"]
    );
    assert_eq!(result.telling_lines(100).len(), 9);
    assert_eq!(result.telling_lines(0), Vec::<&str>::new());
}
