//! Production code alone: calls made from test files, and from items under a test attribute, are taken out.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::names::last_part;
use super::rows::{Prediction, Truth};

/// Paths of tests, the same for every tool that is scored.
static TEST_PATH: LazyLock<Regex> = LazyLock::new(|| {
    let folders = r"(^|/)(tests?|__tests__|e2e|spec|benches|examples|runtime-tests)/";
    let files = r"\.(test|spec|e2e)\.|(^|/)tests?\.rs$|_test\.rs$";
    Regex::new(&format!("{folders}|{files}")).expect("the pattern is fixed and valid")
});

/// Drops test code from both sides.
pub fn production_only(truth: Vec<Truth>, predictions: Vec<Prediction>) -> (Vec<Truth>, Vec<Prediction>) {
    let predictions = {
        let tests = TestCode::new(&truth);
        predictions.into_iter().filter(|row| !tests.holds(row)).collect()
    };
    (truth.into_iter().filter(|site| !site.test && !TEST_PATH.is_match(&site.caller_file)).collect(), predictions)
}

/// Where the truth saw test attributes.
struct TestCode<'t> {
    /// Functions all of whose calls are test code, by file and name.
    functions: HashSet<(&'t str, &'t str)>,
    /// Lines with a call in test code.
    lines: HashSet<(&'t str, u32)>,
}

impl<'t> TestCode<'t> {
    fn new(truth: &'t [Truth]) -> Self {
        let function = |site: &'t Truth| (site.caller_file.as_str(), last_part(&site.caller_name));
        let (tests, production): (Vec<&Truth>, Vec<&Truth>) = truth.iter().partition(|site| site.test);
        let production: HashSet<_> = production.into_iter().map(function).collect();
        Self {
            functions: tests.iter().map(|site| function(site)).filter(|name| !production.contains(name)).collect(),
            lines: tests.iter().map(|site| (site.caller_file.as_str(), site.call_line)).collect(),
        }
    }

    fn holds(&self, row: &Prediction) -> bool {
        let file = row.caller_file.as_str();
        let name = last_part(row.caller_name.as_deref().unwrap_or_default());
        TEST_PATH.is_match(file)
            || self.functions.contains(&(file, name))
            || row.call_line.is_some_and(|line| self.lines.contains(&(file, line)))
    }
}
