//! How good each way of finding an edge is: the measure behind the confidence of its class.

use std::collections::{BTreeMap, HashSet};

use super::answers::{Answers, called_name};
use super::levels::{Judged, Verdict};
use super::rows::Prediction;

/// Distinct predicted sites of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HowCounts {
    /// The truth has the same edge.
    pub right: usize,
    /// The truth denies it.
    pub wrong: usize,
    /// Of `wrong`: the truth has no call of that name on that line.
    pub no_call: usize,
    /// The truth has no answer.
    pub silent: usize,
}

impl HowCounts {
    /// Share of the judged sites that are right.
    pub fn precision(self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    /// Adds those of another repository.
    pub fn add(&mut self, other: HowCounts) {
        let HowCounts { right, wrong, no_call, silent } = other;
        self.right += right;
        self.wrong += wrong;
        self.no_call += no_call;
        self.silent += silent;
    }
}

/// Counts by language of the caller and class.
pub type HowTable = BTreeMap<(&'static str, String), HowCounts>;

/// Judges every distinct site, with the rules of the site level. Rows that do not say how are left out.
pub fn how_table(answers: &Answers<'_>, predictions: &[&Prediction]) -> HowTable {
    let mut table = HowTable::new();
    let mut seen = HashSet::new();
    for &row in predictions {
        let (Some(how), Some(callee)) = (row.how.as_deref(), answers.callee(row)) else { continue };
        let Some(verdict) = Verdict::new(answers, row, callee) else { continue };
        let file = row.caller_file.as_str();
        if !seen.insert((file, row.call_line, callee, how)) {
            continue;
        }
        let counts = table.entry((language(file), how.to_owned())).or_default();
        match verdict.site {
            Judged::Right => counts.right += 1,
            Judged::Silent => counts.silent += 1,
            Judged::Wrong => {
                counts.wrong += 1;
                counts.no_call +=
                    usize::from(row.call_line.is_some_and(|line| !answers.has_call(file, line, called_name(row))));
            }
        }
    }
    table
}

/// The languages behave so differently that their edges are never pooled.
fn language(file: &str) -> &'static str {
    if file.ends_with(".rs") { "Rust" } else { "TypeScript" }
}
