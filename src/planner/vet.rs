//! Vetting: a model judges findings by reading the code. What it says counts only with a quote that stands in the file.
//!
//! It may lower a finding, set it apart with a reason, or leave it; it never raises one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asking::{Desk, each};
use super::grade::Grade;
use super::quotes::{self, Quote};
use crate::finding::{Confidence, Finding};
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::schema;
use crate::model::structured::Purpose;
use crate::model::{ModelError, NanoDollars};

/// Findings in one request: few enough to be read with care, enough to share what the request costs.
const TOGETHER: usize = 5;
/// Rounds of reading a request may take.
const ROUNDS: u32 = 24;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 16_000;
/// Lines shown on each side of the evidence.
const AROUND: u32 = 25;

/// What a model says of findings.
#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    /// One for every finding, in the order of the list.
    verdicts: Vec<Verdict>,
}

/// What a model says of one finding.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Verdict {
    /// The finding's label: `F1`.
    finding: String,
    /// What you saw in the code, for the maintainer: one or two sentences.
    reason: String,
    /// The lines that decided it.
    quote: Quote,
    /// The verdict.
    verdict: Judgement,
    /// 1 to 5; as it was unless it is lower.
    impact: u8,
    /// As it was unless it is lower.
    confidence: Grade,
    /// The label of the other finding, for a duplicate.
    duplicate_of: Option<String>,
}

/// How a finding came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It is so.
    Confirmed,
    /// It is so and matters less.
    Downgraded,
    /// It is meant so.
    ByDesign,
    /// It is not so.
    Wrong,
    /// Another finding says the same.
    Duplicate,
}

impl Judgement {
    /// Its name, as reports write it.
    pub fn label(self) -> &'static str {
        match self {
            Judgement::Confirmed => "confirmed",
            Judgement::Downgraded => "downgraded",
            Judgement::ByDesign => "by design",
            Judgement::Wrong => "wrong",
            Judgement::Duplicate => "duplicate",
        }
    }
}

/// A finding as it came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Vetted {
    /// The finding, lowered where the model lowered it.
    pub finding: Finding,
    /// How it came out, and why.
    pub outcome: Outcome,
}

/// How a finding came out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The model judged it.
    Judged {
        /// How.
        judgement: Judgement,
        /// Why, in the model's words.
        reason: String,
    },
    /// What the model said of it does not count: why.
    Open(String),
    /// The question got no answer: why.
    Unanswered(String),
}

/// Judges `findings`. The result has one entry for each, in order. `heard` is told how many more were judged. An error is one that
/// every further question would meet too.
pub fn vet(findings: &[Finding], desk: &Desk<'_>, heard: &(dyn Fn(usize) + Sync)) -> Result<Vec<Vetted>, ModelError> {
    let batches = batches(findings);
    let judged = each(desk.session, &batches, |batch| {
        let of: Vec<&Finding> = batch.iter().map(|&at| &findings[at]).collect();
        let judged = judge_in_parts(&of, desk);
        heard(batch.len());
        judged
    })?;
    let mut vetted: Vec<Option<Vetted>> = vec![None; findings.len()];
    for (batch, judged) in batches.iter().zip(judged) {
        let judged =
            judged.unwrap_or_else(|error| unanswered(batch.iter().map(|&at| &findings[at]), &error.to_string()));
        for (&at, judged) in batch.iter().zip(judged) {
            vetted[at] = Some(judged);
        }
    }
    Ok(vetted.into_iter().flatten().collect())
}

/// Judges findings; those that are too long together are judged by halves, and a single one without the pack.
fn judge_in_parts(findings: &[&Finding], desk: &Desk<'_>) -> Result<Vec<Vetted>, ModelError> {
    match judge(findings, desk, desk.pack) {
        Err(error) if error.is_too_long() && findings.len() > 1 => {
            let (one, other) = findings.split_at(findings.len() / 2);
            match (judge_in_parts(one, desk), judge_in_parts(other, desk)) {
                (Err(error), Err(_)) => Err(error),
                (one_judged, other_judged) => {
                    let whole = |of: &[&Finding], judged: Result<Vec<Vetted>, ModelError>| {
                        judged.unwrap_or_else(|error| unanswered(of.iter().copied(), &error.to_string()))
                    };
                    Ok([whole(one, one_judged), whole(other, other_judged)].concat())
                }
            }
        }
        Err(error) if error.is_too_long() => judge(findings, desk, ""),
        judged => judged,
    }
}

fn unanswered<'a>(findings: impl Iterator<Item = &'a Finding>, why: &str) -> Vec<Vetted> {
    findings.map(|finding| Vetted { finding: finding.clone(), outcome: Outcome::Unanswered(why.to_owned()) }).collect()
}

/// Findings that are read together: those of one file stay together where they can.
fn batches(findings: &[Finding]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&at| (&findings[at].location().file, at));
    order.chunks(TOGETHER).map(<[usize]>::to_vec).collect()
}

fn judge(findings: &[&Finding], desk: &Desk<'_>, pack: &str) -> Result<Vec<Vetted>, ModelError> {
    let mut conversation = Conversation::new(Opening {
        system: desk.instructions(include_str!("../../templates/planner/vet.md")),
        tools: desk.tools(),
        output: Some(schema::output::<Answer>("verdicts")),
    });
    conversation.tell([Part::Shared(pack.to_owned()), Part::Text(listed(findings, desk))]);
    let purpose = Purpose {
        role: crate::model::Role::Planner,
        bound: desk.bound,
        what: "vet",
        plan: None,
        max_output: MAX_OUTPUT,
        rounds: ROUNDS,
    };
    let answer: Answer = desk.session.answer(&purpose, &mut conversation, &mut desk.toolbox())?;
    let judged = findings.iter().enumerate().map(|(at, finding)| {
        let label = label(at);
        match answer.verdicts.iter().find(|verdict| verdict.finding.eq_ignore_ascii_case(&label)) {
            Some(verdict) => weigh(finding, &label, verdict, findings.len(), desk),
            None => Vetted {
                finding: (*finding).clone(),
                outcome: Outcome::Open("the model said nothing of it".to_owned()),
            },
        }
    });
    Ok(judged.collect())
}

/// What a verdict comes to, once its quote is looked up.
fn weigh(finding: &Finding, label: &str, verdict: &Verdict, count: usize, desk: &Desk<'_>) -> Vetted {
    let open = |why: String| Vetted { finding: finding.clone(), outcome: Outcome::Open(why) };
    if let Err(why) = quotes::check(&verdict.quote, desk.tree) {
        return open(format!("the model's quote does not count: {why}"));
    }
    let other = verdict.duplicate_of.as_deref().map(str::trim).unwrap_or_default();
    let is_other = (0..count).map(self::label).any(|known| known.eq_ignore_ascii_case(other) && known != label);
    if verdict.verdict == Judgement::Duplicate && !is_other {
        return open("the model calls it a duplicate and does not say of which".to_owned());
    }
    let mut lowered = finding.clone();
    if verdict.verdict == Judgement::Downgraded {
        let sureness = Confidence::from(verdict.confidence);
        lowered.impact = finding.impact.min(verdict.impact.clamp(1, 5));
        if sureness < finding.confidence {
            lowered.confidence = sureness;
        }
        lowered.leverage = Finding::leverage_of(lowered.impact, lowered.effort, lowered.confidence);
    }
    let reason = crate::secrets::mask(verdict.reason.trim());
    Vetted { finding: lowered, outcome: Outcome::Judged { judgement: verdict.verdict, reason } }
}

fn label(at: usize) -> String {
    format!("F{}", at + 1)
}

/// The findings with the code they cite.
fn listed(findings: &[&Finding], desk: &Desk<'_>) -> String {
    let mut text = String::from("The findings:\n");
    for (at, finding) in findings.iter().enumerate() {
        let place = finding.location();
        text.push_str(&format!(
            "\n## {} · {} · {}\n\n{}\n\nImpact {}, confidence {}, rule `{}`, at {}:{}\n",
            label(at),
            finding.category.label(),
            finding.title,
            finding.message,
            finding.impact,
            finding.confidence.label(),
            finding.rule,
            place.file,
            place.start_line,
        ));
        if !finding.call_path.is_empty() {
            let hops: Vec<String> =
                finding.call_path.iter().map(|hop| format!("{} ({}:{})", hop.symbol, hop.file, hop.line)).collect();
            text.push_str(&format!("Call path: {}\n", hops.join(" → ")));
        }
        for evidence in finding.evidence.iter().take(3) {
            let from = evidence.start_line.saturating_sub(AROUND).max(1);
            let excerpt = desk.excerpt(&evidence.file, from, evidence.end_line.saturating_add(AROUND));
            text.push_str(&format!("\n{} ({}):\n{excerpt}\n", evidence.file, evidence.role));
        }
    }
    text
}

/// What vetting `count` findings will cost about, with a pack of `pack_tokens`: each request reads for a few rounds, and what it
/// has read comes from the vendor's cache in the next. Ours to guess; the ledger knows afterwards.
pub fn estimate(count: usize, pack_tokens: u64, bound: &Bound) -> Option<NanoDollars> {
    const EXCERPTS: u64 = 900;
    const TYPICAL_ROUNDS: u64 = 6;
    const SAID: u64 = 4_000;
    let one = reading_cost(pack_tokens + EXCERPTS * TOGETHER as u64, TYPICAL_ROUNDS, SAID, bound)?;
    Some(NanoDollars(one.0.saturating_mul(count.div_ceil(TOGETHER) as u64)))
}
