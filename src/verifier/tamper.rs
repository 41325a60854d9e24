//! Tampering: signs that checks were weakened rather than met. Pure: changes in, signs out.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::edit::EditOperation;
use crate::plan::Plan;
use crate::receipt::Tampering;
use crate::worktree::Change;

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a constant pattern"));
    };
}

pattern!(
    TEST_PATH,
    r"(?:^|/)(?:tests?|__tests__|specs?|e2e|__snapshots__)/|[._-](?:test|spec)s?\.[a-z]+$|_test\.(?:go|py|rs|exs?)$|(?:^|/)test_[^/]*\.py$|(?:^|/)tests?\.rs$"
);
pattern!(
    DECLARATION,
    r"^\s*(?:(?:it|test)(?:\.each|\.concurrent)?\s*[(`.]|#\[(?:\w+::)*(?:test|rstest)\b|(?:async\s+)?def\s+test_|func\s+Test\w*\s*\()"
);
pattern!(
    SKIPPED,
    r"\b(?:it|test|describe|suite|context)\.(?:skip|todo|only|fails|failing)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*\(|#\[ignore\b|@pytest\.mark\.(?:skip|skipif|xfail)|@unittest\.(?:skip|expectedFailure)|\bpytest\.skip\(|\bt\.Skip(?:f|Now)?\(|\b(?:skip|todo):\s*true"
);
pattern!(ASSERTION, r"\bexpect\s*\(|\bassert\w*(?:\.\w+)?\s*[!(]|^\s*assert\s|\bt\.(?:Error|Fatal)f?\(|\bshould\b");

/// Whether tests stand at `path`.
pub fn is_test_path(path: &str) -> bool {
    TEST_PATH.is_match(path)
}

/// Tests declared by `lines`.
pub fn declared_tests<'a>(lines: impl IntoIterator<Item = &'a String>) -> usize {
    lines.into_iter().filter(|line| DECLARATION.is_match(line)).count()
}

/// Every sign of tampering in `changes`, sorted by path.
pub fn scan(plan: &Plan, changes: &[Change]) -> Vec<Tampering> {
    let planned: BTreeSet<&str> = plan
        .steps
        .iter()
        .flat_map(|step| &step.edits)
        .filter(|edit| !matches!(edit.operation, EditOperation::Create(_)))
        .flat_map(|edit| edit.paths())
        .collect();
    let total_added: usize = changes.iter().map(|change| declared_tests(&change.lines().0)).sum();
    let total_removed: usize = changes.iter().map(|change| declared_tests(&change.lines().1)).sum();
    let mut signs = Vec::new();
    for change in changes {
        for what in signs_of(change, total_removed > 0 && total_added >= total_removed) {
            signs.push(Tampering { path: change.path.clone(), what, planned: planned.contains(change.path.as_str()) });
        }
    }
    signs
}

/// `moved`: as many tests were added anywhere as were removed, so a removed one may have moved.
fn signs_of(change: &Change, moved: bool) -> Vec<String> {
    let (added, removed) = change.lines();
    let mut signs = Vec::new();
    let is_test = is_test_path(&change.path);
    if is_test && change.old.is_some() && change.new.is_none() && !moved {
        return vec!["the test file was deleted".to_owned()];
    }
    let (new_tests, old_tests) = (declared_tests(&added), declared_tests(&removed));
    if old_tests > new_tests && !moved {
        signs.push(format!("{} tests were removed", old_tests - new_tests));
    }
    let count = |lines: &[String], pattern: &Regex| lines.iter().filter(|line| pattern.is_match(line)).count();
    let has_tests = is_test || change.path.ends_with(".rs");
    if has_tests && count(&added, &SKIPPED) > count(&removed, &SKIPPED) {
        signs.push("tests are skipped or singled out".to_owned());
    }
    let (new_asserts, old_asserts) = (count(&added, &ASSERTION), count(&removed, &ASSERTION));
    if is_test && change.new.is_some() && old_asserts > new_asserts && !(moved && old_tests > new_tests) {
        signs.push(format!("{} assertions were removed", old_asserts - new_asserts));
    }
    if change.path.rsplit('/').next() == Some("package.json") {
        signs.extend(changed_scripts(change));
    }
    signs
}

/// Scripts of a package manifest that existed before and now say something else: gates run them.
fn changed_scripts(change: &Change) -> Option<String> {
    let scripts = |text: Option<&str>| {
        let manifest: serde_json::Value = serde_json::from_str(text?).ok()?;
        manifest.get("scripts")?.as_object().cloned()
    };
    let (before, after) = (scripts(change.old_text())?, scripts(change.new_text()).unwrap_or_default());
    let changed: Vec<String> = before
        .iter()
        .filter(|(name, script)| after.get(*name) != Some(script))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    (!changed.is_empty()).then(|| format!("the script {} was changed", changed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worktree::Content;

    fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
        let content = |text: &str| Content::File { bytes: text.as_bytes().to_vec(), executable: false };
        Change { path: path.to_owned(), old: old.map(content), new: new.map(content) }
    }

    fn signs(changes: &[Change]) -> Vec<String> {
        scan(&Plan::default(), changes).into_iter().map(|sign| format!("{}: {}", sign.path, sign.what)).collect()
    }

    #[test]
    fn weakened_tests_are_seen() {
        let cases = [
            (change("a.test.ts", Some("it('x', () => {});\n"), None), "a.test.ts: the test file was deleted"),
            (
                change("a.test.ts", Some("it('x', f);\nit('y', f);\n"), Some("it('x', f);\n")),
                "a.test.ts: 1 tests were removed",
            ),
            (
                change("a.test.ts", Some("it('x', f);\n"), Some("it.skip('x', f);\n")),
                "a.test.ts: tests are skipped or singled out",
            ),
            (
                change("src/a.rs", Some("#[test]\nfn a() {}\n"), Some("#[test]\n#[ignore]\nfn a() {}\n")),
                "src/a.rs: tests are skipped or singled out",
            ),
            (
                change("tests/a.rs", Some("fn a() { assert_eq!(1, 1); }\n"), Some("fn a() {}\n")),
                "tests/a.rs: 1 assertions were removed",
            ),
            (
                change(
                    "package.json",
                    Some(r#"{"scripts":{"test":"vitest"}}"#),
                    Some(r#"{"scripts":{"test":"true"}}"#),
                ),
                "package.json: the script `test` was changed",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(signs(&[change]), [expected]);
        }
    }

    #[test]
    fn work_on_tests_that_weakens_nothing_is_quiet() {
        let quiet = [
            change(
                "a.test.ts",
                Some("it('x', () => expect(1).toBe(1));\n"),
                Some("it('x', () => expect(1).toBe(2));\n"),
            ),
            change("b.test.ts", None, Some("it('y', f);\n")),
            change("src/a.ts", Some("assert(x);\n"), Some("")),
            change("package.json", Some(r#"{"scripts":{}}"#), Some(r#"{"scripts":{"new":"x"}}"#)),
        ];
        assert_eq!(signs(&quiet), Vec::<String>::new());
    }

    #[test]
    fn a_test_that_moves_to_another_file_is_not_removed() {
        let text = "it('x', () => { expect(1).toBe(1); });\n";
        assert_eq!(
            signs(&[change("a.test.ts", Some(text), None), change("b.test.ts", None, Some(text))]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn test_files_are_known_by_their_paths() {
        for path in
            ["tests/a.rs", "src/a.test.ts", "src/__tests__/a.ts", "a_test.go", "pkg/test_a.py", "src/x/tests.rs"]
        {
            assert!(is_test_path(path), "{path}");
        }
        for path in ["src/testing.ts", "src/latest.ts", "src/contest/a.ts", "src/attest.rs"] {
            assert!(!is_test_path(path), "{path}");
        }
    }
}
