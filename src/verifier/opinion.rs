//! The opinion of a model on finished work. It may lower a verdict and never raise it; an objection counts only with words that
//! stand in the difference, in the plan or in what ran.

use schemars::JsonSchema;
use serde::Deserialize;
use similar::TextDiff;

use super::Proof;
use crate::gate::GateResult;
use crate::model::GUARD;
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::session::Session;
use crate::model::structured::{NoTools, Purpose};
use crate::model::{ModelError, NanoDollars, Role, schema};
use crate::plan::markdown::fence_for;
use crate::receipt::{Objection, OpinionReceipt, Severity, StepReceipt, Verdict};
use crate::secrets::mask;
use crate::secrets::of_files::{masked, one_line};
use crate::worktree::Change;
use crate::worktree::change::alike;

/// Objections, at most: more would not be mended at once.
const MOST: usize = 6;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 8_000;
/// Characters of the difference that are shown: some 20 000 tokens.
const DIFFERENCE: usize = 60_000;
/// Characters of one file's share of it.
const OF_A_FILE: usize = 20_000;
/// Shorter words stand everywhere and prove nothing.
const SHORTEST: usize = 8;

/// What reading so many plans' work may cost with this model; `None` where its price is not known.
pub fn estimate(plans: usize, bound: &Bound) -> Option<NanoDollars> {
    /// Tokens of a plan and its difference, and of an answer; our guess.
    const PROMPT: u64 = 8_000;
    const SAID: u64 = 1_500;
    let one = reading_cost(PROMPT, 1, SAID, bound)?;
    Some((0..plans).map(|_| one).sum())
}

/// Work that is finished, and what is known of it.
pub struct Finished<'a> {
    /// The plan's text.
    pub plan_text: &'a str,
    /// Its path.
    pub plan_path: &'a str,
    /// The work.
    pub changes: &'a [Change],
    /// What was found mechanically.
    pub proof: &'a Proof,
    /// The steps, where their receipts are known.
    pub steps: &'a [StepReceipt],
}

/// Reads finished work.
pub trait Reviewer: Sync {
    /// What it thinks of it.
    fn read(&self, work: &Finished<'_>) -> Result<OpinionReceipt, ModelError>;
}

/// The verifier, asked over a session.
pub struct ModelReviewer<'a> {
    /// Asks, and keeps the books.
    pub session: &'a Session<'a>,
    /// The verifier.
    pub bound: &'a Bound,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    /// What is wrong with the work, the worst first; none when nothing is.
    objections: Vec<Reported>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Reported {
    /// Words from one line of the difference, the plan or an output, exactly as they stand there.
    quote: String,
    /// What is wrong, and what would be right.
    problem: String,
    severity: Severity,
}

impl Reviewer for ModelReviewer<'_> {
    fn read(&self, work: &Finished<'_>) -> Result<OpinionReceipt, ModelError> {
        let instructions = include_str!("../../templates/verifier/opinion.md");
        let mut conversation = Conversation::new(Opening {
            system: format!("{}\n\n{}", instructions.trim(), GUARD.trim()),
            tools: Vec::new(),
            output: Some(schema::output::<Answer>("opinion")),
        });
        let (difference, hidden) = difference(work.changes);
        let ran = ran(work);
        let fenced = |kind: &str, text: &str| {
            let fence = fence_for(text);
            format!("{fence}{kind}\n{}\n{fence}", text.trim_end())
        };
        let told = format!(
            "The plan:\n\n{}\n\nThe difference:\n\n{}\n\nWhat ran:\n\n{}",
            fenced("markdown", work.plan_text),
            fenced("diff", &difference),
            fenced("", &ran)
        );
        conversation.tell([Part::Text(told)]);
        let purpose = Purpose {
            role: Role::Verifier,
            bound: self.bound,
            what: "opinion",
            plan: Some(work.plan_path),
            max_output: MAX_OUTPUT,
            rounds: 0,
        };
        let answer: Answer = self.session.answer(&purpose, &mut conversation, &mut NoTools)?;
        let known = Known::of(work, &ran);
        let reported = answer.objections.len();
        let objections: Vec<Objection> =
            answer.objections.into_iter().filter_map(|reported| known.founded(reported)).take(MOST).collect();
        let worst = objections.iter().map(|objection| objection.severity).max();
        Ok(OpinionReceipt {
            model: self.bound.name(),
            verdict: match worst {
                None => Verdict::Approve,
                Some(Severity::Revise) => Verdict::Revise,
                Some(Severity::Block) => Verdict::Block,
            },
            dropped: reported - objections.len(),
            objections,
            hidden,
        })
    }
}

/// The difference as git would show it, credentials masked, and the files of which not all is shown.
fn difference(changes: &[Change]) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut hidden = Vec::new();
    for change in changes {
        let path = &change.path;
        let (old, new) = match (text_of(&change.old, path), text_of(&change.new, path)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(()), _) | (_, Err(())) => {
                text.push_str(&format!("{path}: not text\n"));
                hidden.push(path.clone());
                continue;
            }
        };
        let names = (
            if change.old.is_some() { path } else { "/dev/null" },
            if change.new.is_some() { path } else { "/dev/null" },
        );
        let (old, new) = alike(&old, &new);
        let diff = TextDiff::from_lines(&*old, &*new);
        let diff = diff.unified_diff().context_radius(5).header(names.0, names.1).to_string();
        let room = OF_A_FILE.min(DIFFERENCE.saturating_sub(text.len()));
        if diff.len() > room {
            let end = (0..=room).rev().find(|end| diff.is_char_boundary(*end)).unwrap_or(0);
            text.push_str(&format!("{}\n[… the rest of {path} is not shown]\n", &diff[..end]));
            hidden.push(path.clone());
        } else {
            text.push_str(&diff);
        }
    }
    (text, hidden)
}

fn text_of(content: &Option<crate::worktree::change::Content>, path: &str) -> Result<String, ()> {
    match content {
        None => Ok(String::new()),
        Some(content) => content.text().map(|text| masked(path, text)).ok_or(()),
    }
}

/// Gates and criteria, a line each, with the output of what is red.
fn ran(work: &Finished<'_>) -> String {
    let mut said = String::new();
    let gate = |result: &GateResult| {
        let word = if result.green { "green" } else { "red" };
        let mut line = format!("  {word}: {}: {}\n", result.command, result.why);
        if !result.green {
            result.telling_lines(10).iter().for_each(|told| line.push_str(&format!("    | {told}\n")));
        }
        line
    };
    for step in work.steps {
        said.push_str(&format!("step {}: {}\n", step.step, step.title));
        step.gates.iter().for_each(|result| said.push_str(&gate(result)));
        if let Some(words) = step.work.as_ref().map(|work| work.said.as_str()).filter(|words| !words.is_empty()) {
            said.push_str(&format!("  the executor says: {}\n", one_line(words)));
        }
    }
    for criterion in &work.proof.criteria {
        said.push_str(&format!("criterion: {}: {}\n", one_line(&criterion.text), criterion.why));
        criterion.gates.iter().for_each(|result| said.push_str(&gate(result)));
    }
    said.push_str(&format!("new tests: {}\n", work.proof.new_tests.why));
    for sign in &work.proof.tampering {
        said.push_str(&format!("checks: {}: {}\n", sign.path, sign.what));
    }
    mask(&said)
}

/// Text that a quote may come from, each on one line.
struct Known(Vec<String>);

impl Known {
    fn of(work: &Finished<'_>, ran: &str) -> Known {
        let sides = work
            .changes
            .iter()
            .flat_map(|change| [&change.old, &change.new].map(|side| text_of(side, &change.path).unwrap_or_default()));
        let texts = sides.chain([mask(work.plan_text), ran.to_owned()]);
        Known(texts.map(|text| one_line(&text)).collect())
    }

    /// The objection, if its words stand somewhere.
    fn founded(&self, reported: Reported) -> Option<Objection> {
        let lines = reported.quote.lines().map(|line| line.strip_prefix(['+', '-']).unwrap_or(line));
        let quote = one_line(&lines.collect::<Vec<_>>().join("\n"));
        let problem = one_line(&reported.problem);
        let stands = quote.len() >= SHORTEST && self.0.iter().any(|text| text.contains(&quote));
        (stands && !problem.is_empty()).then_some(Objection { quote, problem, severity: reported.severity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::{NewTestsReceipt, ScopeReceipt};
    use crate::worktree::change::Content;

    fn change(path: &str, old: &str, new: &str) -> Change {
        let file = |text: &str| Some(Content::File { bytes: text.as_bytes().to_vec(), executable: false });
        Change { path: path.to_owned(), old: file(old), new: file(new) }
    }

    fn founded(quote: &str) -> Option<Objection> {
        let proof = Proof {
            scope: ScopeReceipt::default(),
            tampering: Vec::new(),
            criteria: Vec::new(),
            replayed_gates: Vec::new(),
            new_tests: NewTestsReceipt::default(),
            vacuous: false,
            flaky: Vec::new(),
        };
        let changes = [change("a.ts", "let total = 0;\n", "let total = sum(items);\n")];
        let work = Finished {
            plan_text: "# Plan 1: Add up\n\nSum the  items.\n",
            plan_path: "plans/001.md",
            changes: &changes,
            proof: &proof,
            steps: &[],
        };
        let reported =
            Reported { quote: quote.to_owned(), problem: "It is wrong.".to_owned(), severity: Severity::Block };
        Known::of(&work, &ran(&work)).founded(reported)
    }

    #[test]
    fn an_objection_counts_where_its_words_stand() {
        assert!(founded("let total = sum(items);").is_some());
        assert!(founded("+let total = sum(items);").is_some(), "as the difference shows it");
        assert!(founded("Sum the items.").is_some(), "from the plan");
        assert_eq!(founded("let total = sum(values);"), None, "made up");
        assert_eq!(founded("let"), None, "stands everywhere");
    }

    #[test]
    fn a_difference_that_is_too_long_says_what_it_hides() {
        let long: String = (0..4_000).map(|line| format!("line {line}\n")).collect();
        let binary = Change {
            path: "logo.png".to_owned(),
            old: None,
            new: Some(Content::File { bytes: vec![0xff, 0xfe, 0], executable: false }),
        };
        let (text, hidden) = difference(&[change("long.txt", "", &long), binary, change("a.ts", "a\n", "b\n")]);
        assert_eq!(hidden, ["long.txt", "logo.png"]);
        assert!(text.len() < DIFFERENCE && text.contains("+b\n") && text.contains("the rest of long.txt is not shown"));
    }
}
