//! What `improve review` found in a plan.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Page, count, paint, style, wrap};
use super::sanitize;
use crate::plan::Plan;
use crate::plan::lint::Problem;
use crate::plan::parse::{NotAPlan, gate_count, step_count, unreadable_gates};
use crate::planner::cold_read::Doubt;

/// The review of one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Review {
    /// Its path.
    pub plan: String,
    /// Its title.
    pub title: String,
    /// Step headings, Step 0 included.
    pub steps: usize,
    /// Commands in Verify lines; two commands with one expectation are two.
    pub gates: usize,
    /// What stands in Verify lines and is no command that could be checked.
    pub unreadable_gates: Vec<UnreadableGateRow>,
    /// What would stop an executor.
    pub problems: Vec<ProblemRow>,
    /// The model that read it cold; null when none did.
    pub read_by: Option<String>,
    /// It was written anew; the problems are those of the new text.
    pub tightened: bool,
}

/// A text that asks for a check no program can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnreadableGateRow {
    /// The step, counted from 1.
    pub step: usize,
    /// Line of the plan, 1-based.
    pub line: u32,
    /// The text as written.
    pub text: String,
}

/// Something that would stop an executor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProblemRow {
    /// Kebab-case and stable.
    pub code: String,
    /// Line of the plan, 1-based.
    pub line: u32,
    /// What is wrong, where.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Review {
    /// The review of `plan`.
    pub fn new(path: &str, plan: &Plan, problems: Vec<Problem>) -> Review {
        Review {
            plan: path.to_owned(),
            title: plan.title.clone(),
            steps: step_count(plan),
            gates: gate_count(plan),
            unreadable_gates: unreadable_gates(plan)
                .into_iter()
                .map(|gate| UnreadableGateRow { step: gate.step, line: gate.line, text: gate.text })
                .collect(),
            problems: problems
                .into_iter()
                .map(|problem| ProblemRow {
                    code: problem.code.to_owned(),
                    line: problem.line,
                    message: problem.message,
                    hint: problem.hint,
                })
                .collect(),
            read_by: None,
            tightened: false,
        }
    }

    /// The same with what the model `by` could not tell from the plan.
    pub fn read_by(mut self, by: String, doubts: Vec<Doubt>) -> Review {
        self.read_by = Some(by);
        self.problems.extend(doubts.into_iter().map(|Doubt { line, quote, question }| ProblemRow {
            code: "ambiguous".to_owned(),
            line,
            message: format!("\"{quote}\": {question}"),
            hint: "answer it in the plan, or let the planner do it: `improve review --tighten`".to_owned(),
        }));
        self
    }

    /// The review of a file that is no plan.
    pub fn not_a_plan(path: &str, error: &NotAPlan) -> Review {
        let problem = ProblemRow {
            code: "not-a-plan".to_owned(),
            line: 1,
            message: error.to_string(),
            hint: error.hint().to_owned(),
        };
        Review {
            plan: path.to_owned(),
            title: String::new(),
            steps: 0,
            gates: 0,
            unreadable_gates: Vec::new(),
            problems: vec![problem],
            read_by: None,
            tightened: false,
        }
    }
}

/// The reviews, problems first to last.
pub fn reviews(reviews: &[Review], page: &Page) -> String {
    let mut text = String::new();
    for (index, review) in reviews.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{}", paint(style::STRONG, &sanitize::line(&review.plan)));
        let verdict = match review.problems.len() {
            0 => paint(style::GOOD, "no problem found"),
            number => paint(style::BAD, &count(number, "problem")),
        };
        let read =
            review.read_by.as_ref().map_or_else(String::new, |by| format!(" · read cold by {}", sanitize::line(by)));
        let anew = if review.tightened { " · written anew" } else { "" };
        let (steps, gates) = (count(review.steps, "step"), count(review.gates, "gate"));
        let _ = writeln!(text, "{verdict} · {steps} · {gates}{read}{anew}");
        for problem in &review.problems {
            let place = format!("{}:{}", sanitize::line(&review.plan), problem.line);
            let _ = writeln!(text, "\n  {}  {}", page.link(&place, &review.plan, problem.line), problem.code);
            for line in wrap(&sanitize::line(&problem.message), page.width.saturating_sub(4).min(100)) {
                let _ = writeln!(text, "    {line}");
            }
            let hint = format!("hint: {}", sanitize::line(&problem.hint));
            for line in wrap(&hint, page.width.saturating_sub(4).min(100)) {
                let _ = writeln!(text, "    {}", paint(style::FAINT, &line));
            }
        }
    }
    text
}
