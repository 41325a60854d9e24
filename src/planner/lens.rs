//! The audit by a model, one lens at a time: it starts from what the rules found and looks for what no rule can see.
//!
//! What it reports counts only with quotes that stand in the files; a quote that stands at another line is corrected.

use schemars::JsonSchema;
use serde::Deserialize;

use super::asking::{Desk, each};
use super::grade::{Grade, Size};
use super::quotes::Quote;
use crate::finding::{self, Category, Confidence, Effort, Finding};
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::schema;
use crate::model::structured::Purpose;
use crate::model::{ModelError, NanoDollars, Role};
use crate::secrets::of_files::one_line;

/// Findings of one lens, at most: more would not be read.
const MOST: usize = 8;
/// Rounds of reading a lens may take.
const ROUNDS: u32 = 40;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 24_000;
/// Candidates of the rules that a lens is told of.
const CANDIDATES: usize = 30;
/// Lines that count as the same place.
const SAME_PLACE: u32 = 3;

/// What a model reports.
#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    /// The findings, the best first; none when there is nothing worth a plan.
    findings: Vec<Reported>,
}

/// A finding as a model reports it.
#[derive(Debug, Deserialize, JsonSchema)]
struct Reported {
    /// Where it stands, the line to open first at the front.
    evidence: Vec<Quote>,
    /// What is wrong, for a table.
    title: String,
    /// What is wrong and what it costs.
    message: String,
    /// 1 to 5.
    impact: u8,
    /// What the change takes: S, M or L.
    effort: Size,
    /// What the change may break.
    risk: Grade,
    /// How sure you are.
    confidence: Grade,
}

/// What the lenses saw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// New findings, in the order of the lenses.
    pub findings: Vec<Finding>,
    /// Findings that were dropped because what they quote does not stand in the files.
    pub unfounded: usize,
    /// Findings that were dropped because a rule or another lens has them already.
    pub repeated: usize,
    /// Lenses that failed, and why.
    pub failed: Vec<(Category, String)>,
}

/// Looks through each of `lenses`, in the part of the repository that `within` names, if any. `known` is what the rules found. An error is one that every further question would meet too.
pub fn look(
    lenses: &[Category],
    within: Option<&str>,
    known: &[Finding],
    desk: &Desk<'_>,
    heard: &(dyn Fn(usize) + Sync),
) -> Result<Seen, ModelError> {
    let answers = each(desk.session, lenses, |&lens| {
        let answer = match ask(lens, within, known, desk, desk.pack) {
            // Room to read is worth more than the pack where a model has little.
            Err(error) if error.is_too_long() => ask(lens, within, known, desk, ""),
            answer => answer,
        };
        heard(1);
        answer
    })?;
    let mut seen = Seen::default();
    for (&lens, answer) in lenses.iter().zip(answers) {
        match answer {
            Ok(answer) => seen.take(lens, answer, known, desk),
            Err(error) => seen.failed.push((lens, error.to_string())),
        }
    }
    Ok(seen)
}

fn ask(
    lens: Category,
    within: Option<&str>,
    known: &[Finding],
    desk: &Desk<'_>,
    pack: &str,
) -> Result<Answer, ModelError> {
    let mut conversation = Conversation::new(Opening {
        // The lens itself stands in the question: instructions and pack are the same for all, and cached once.
        system: desk
            .instructions(&include_str!("../../templates/planner/lens.md").replace("@limit", &MOST.to_string())),
        tools: desk.tools(),
        output: Some(schema::output::<Answer>("findings")),
    });
    let mut question = format!("{}\n\n{}", words(lens).trim(), candidates(lens, known));
    if let Some(within) = within {
        question.push_str(&include_str!("../../templates/planner/part.md").replace("@files", within));
    }
    conversation.tell([Part::Shared(pack.to_owned()), Part::Text(question)]);
    let what = format!("lens {}", lens.label());
    let purpose = Purpose {
        role: Role::Planner,
        bound: desk.bound,
        what: &what,
        plan: None,
        max_output: MAX_OUTPUT,
        rounds: ROUNDS,
    };
    desk.session.answer(&purpose, &mut conversation, &mut desk.toolbox())
}

/// What looking through so many lenses will cost about, with a pack of `pack_tokens`. Ours to guess; the ledger knows afterwards.
pub fn estimate(lenses: usize, pack_tokens: u64, bound: &Bound) -> Option<NanoDollars> {
    const TYPICAL_ROUNDS: u64 = 14;
    const SAID: u64 = 9_000;
    let one = reading_cost(pack_tokens + 1_500, TYPICAL_ROUNDS, SAID, bound)?;
    Some(NanoDollars(one.0.saturating_mul(lenses as u64)))
}

fn words(lens: Category) -> &'static str {
    match lens {
        Category::Security => include_str!("../../templates/planner/lenses/security.md"),
        Category::Bug => include_str!("../../templates/planner/lenses/bug.md"),
        Category::Perf => include_str!("../../templates/planner/lenses/perf.md"),
        Category::Tests => include_str!("../../templates/planner/lenses/tests.md"),
        Category::TechDebt => include_str!("../../templates/planner/lenses/tech-debt.md"),
        Category::Migration => include_str!("../../templates/planner/lenses/migration.md"),
        Category::Dx => include_str!("../../templates/planner/lenses/dx.md"),
        Category::Docs => include_str!("../../templates/planner/lenses/docs.md"),
        Category::Direction => include_str!("../../templates/planner/lenses/direction.md"),
    }
}

/// What the rules found through the same lens, so that nobody pays to find it again.
fn candidates(lens: Category, known: &[Finding]) -> String {
    let own: Vec<String> = known
        .iter()
        .filter(|finding| finding.category == lens)
        .take(CANDIDATES)
        .map(|finding| {
            let place = finding.location();
            format!("- {}:{} {} (`{}`)", place.file, place.start_line, finding.title, finding.rule)
        })
        .collect();
    if own.is_empty() {
        "The rules have no candidate of this kind.".to_owned()
    } else {
        format!("Candidates of the rules, known already:\n{}", own.join("\n"))
    }
}

impl Seen {
    fn take(&mut self, lens: Category, answer: Answer, known: &[Finding], desk: &Desk<'_>) {
        for reported in answer.findings.into_iter().take(MOST) {
            let Some(finding) = founded(lens, reported, desk) else {
                self.unfounded += 1;
                continue;
            };
            let same = |other: &Finding| {
                let (one, other_place) = (finding.location(), other.location());
                // Two ways to go on may begin at one place.
                let alike = lens != Category::Direction || other.title == finding.title;
                alike
                    && other.category == lens
                    && one.file == other_place.file
                    && one.start_line <= other_place.end_line.saturating_add(SAME_PLACE)
                    && other_place.start_line <= one.end_line.saturating_add(SAME_PLACE)
            };
            if known.iter().chain(&self.findings).any(same) {
                self.repeated += 1;
            } else {
                self.findings.push(finding);
            }
        }
    }
}

/// The finding, if everything it quotes stands in the files.
fn founded(lens: Category, reported: Reported, desk: &Desk<'_>) -> Option<Finding> {
    let mut evidence = Vec::new();
    for quote in &reported.evidence {
        evidence.push(desk.quoted(quote, if evidence.is_empty() { "place" } else { "evidence" })?);
    }
    let first = evidence.first()?;
    let rule = format!("planner-{}", lens.label());
    let symbol = desk.symbol(&first.file, first.start_line);
    let effort = Effort::from(reported.effort);
    let confidence = Confidence::from(reported.confidence);
    let impact = reported.impact.clamp(1, 5);
    Some(Finding {
        fingerprint: finding::fingerprint(&rule, &symbol, &first.file, &first.quote, 0),
        rule,
        category: lens,
        title: one_line(&reported.title).trim_end_matches('.').to_owned(),
        message: one_line(&reported.message),
        impact,
        effort,
        risk: reported.risk.into(),
        confidence,
        leverage: Finding::leverage_of(impact, effort, confidence),
        state: None,
        evidence,
        call_path: Vec::new(),
        mechanical: false,
        symbol,
        origin: None,
    })
}
