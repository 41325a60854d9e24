//! Edges from a method of a trait or interface to its implementations.
//!
//! A front end names the trait's own method at such a call, so these edges are wrong by the rules of every other class
//! and right by what they are for. What can be told: whether the call does go through a trait or interface.

use std::collections::HashSet;

use super::answers::{Answers, called_name};
use super::levels::{Judged, Verdict};
use super::names::last_part;
use super::rows::{Prediction, Status, Truth};

/// Kinds of methods that others implement.
const DECLARED_KINDS: [&str; 3] = ["trait_method", "interface_method", "abstract_method"];

/// Edges by `dispatch`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DispatchCounts {
    /// The truth names a trait's or interface's method of that name there, or the very definition.
    pub agree: usize,
    /// The truth names something else there.
    pub deny: usize,
    /// The truth has no answer.
    pub silent: usize,
    /// Calls of the truth through a trait or interface of the repository; in Rust, of traits that it also implements.
    pub sites: usize,
    /// Of these, those with at least one edge.
    pub reached: usize,
}

impl DispatchCounts {
    /// Scores the rows by `dispatch`.
    pub fn new(truth: &[Truth], answers: &Answers<'_>, rows: &[&Prediction]) -> Self {
        let declared: HashSet<(&str, u32, &str)> =
            truth.iter().filter(|site| calls_declaration(site)).map(at).collect();
        let wanted: HashSet<(&str, u32, &str)> =
            truth.iter().filter(|site| calls_declaration(site) && has_implementation(site)).map(at).collect();
        let reached: HashSet<(&str, u32, &str)> = rows.iter().filter_map(|row| predicted_at(row)).collect();
        let mut counts =
            Self { sites: wanted.len(), reached: wanted.intersection(&reached).count(), ..Self::default() };
        for row in rows {
            counts.add(answers, row, predicted_at(row).is_some_and(|site| declared.contains(&site)));
        }
        counts
    }

    fn add(&mut self, answers: &Answers<'_>, row: &Prediction, through_declaration: bool) {
        let Some(callee) = answers.callee(row) else { return };
        let Some(verdict) = Verdict::new(answers, row, callee) else { return };
        match verdict.site {
            _ if through_declaration => self.agree += 1,
            Judged::Right => self.agree += 1,
            Judged::Wrong => self.deny += 1,
            Judged::Silent => self.silent += 1,
        }
    }

    /// Share of the judged edges that stand at a call through a trait or interface.
    pub fn precision(self) -> f64 {
        self.agree as f64 / (self.agree + self.deny).max(1) as f64
    }
}

fn calls_declaration(site: &Truth) -> bool {
    site.status == Status::Repo && site.callee_kind.as_deref().is_some_and(|kind| DECLARED_KINDS.contains(&kind))
}

/// The TypeScript truth does not count implementations; there every interface method is taken to have one.
fn has_implementation(site: &Truth) -> bool {
    site.trait_impls > 0 || !site.caller_file.ends_with(".rs")
}

fn at(site: &Truth) -> (&str, u32, &str) {
    (&site.caller_file, site.call_line, last_part(&site.call_name))
}

fn predicted_at(row: &Prediction) -> Option<(&str, u32, &str)> {
    Some((&row.caller_file, row.call_line?, called_name(row)))
}
