//! Specifying by a model: one finding becomes the draft of a plan, of the same type that recipes give. The document is rendered, its
//! excerpts quoted, its commands chosen and its edits tried by the same code as theirs, so that the format is always ours.
//!
//! What is wrong with a draft goes back once: edits that do not apply, what the lint finds, goals that are met already, commands that
//! cannot be run where the plan starts. Then another model reads the plan cold, and what it cannot tell from the plan goes back once.

use crate::finding::Finding;
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::schema;
use crate::model::structured::Purpose;
use crate::model::{ModelError, NanoDollars, Role};
use crate::plan::lint::lint;
use crate::plan::{Plan, render};
use crate::verifier::baseline::Baseline;

use super::asking::{Desk, each};
use super::built_in::{PlanContext, numbered, specify};
use super::cold_read::{Doubt, cold_read};

mod answer;
mod trial;

use answer::{Answer, draft};

/// Rounds of reading a plan may take.
const ROUNDS: u32 = 30;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 32_000;
/// Lines shown on each side of the evidence.
const AROUND: u32 = 40;

/// What a planner is told of a direction: its plan makes a decision cheap.
pub const DIRECTION: &str = include_str!("../../templates/planner/direction.md");

/// What is to become a plan.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The finding, or what stands for one.
    pub finding: &'a Finding,
    /// What the planner is told beside it.
    pub remarks: &'a str,
    /// What was decided on the way. The plan says so.
    pub decided: &'a [String],
}

/// What came of specifying a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Specified {
    /// A plan.
    Plan(Box<Plan>, Remaining),
    /// The model says that it is not worth one, and why.
    NotWorthIt(String),
}

/// What is still wrong with a plan, or was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remaining {
    /// What it was told and did not mend.
    pub faults: Vec<String>,
    /// Why nobody read it cold, where somebody was to.
    pub unread: Option<ModelError>,
}

/// Has plans written by a model.
pub struct Specifier<'a> {
    /// Whom the planner is asked through.
    pub desk: &'a Desk<'a>,
    /// What a plan must know beside the finding.
    pub context: &'a PlanContext,
    /// Who reads a plan cold.
    pub reader: Option<&'a Bound>,
    /// What the gates of a plan give on the commit it starts from, those of them that may be run; `None` where none may.
    pub measure: &'a (dyn Fn(&Plan) -> Option<Baseline> + Sync),
}

/// What specifying so many findings will cost about, with a pack of `pack_tokens`. Ours to guess; the ledger knows afterwards.
pub fn estimate(findings: usize, pack_tokens: u64, bound: &Bound) -> Option<NanoDollars> {
    const TYPICAL_ROUNDS: u64 = 8;
    const SAID: u64 = 8_000;
    let one = reading_cost(pack_tokens + 2_500, TYPICAL_ROUNDS, SAID, bound)?;
    Some(NanoDollars(one.0.saturating_mul(findings as u64)))
}

impl Specifier<'_> {
    /// Has plans written for all `subjects` at once, where what is asked goes together: first drafts, then what goes back, then cold
    /// reads. The result has one entry for each, in order. `heard` is called as each is done with.
    pub fn write_all(
        &self,
        subjects: &[Subject<'_>],
        heard: &(dyn Fn() + Sync),
    ) -> Result<Vec<Result<Specified, ModelError>>, ModelError> {
        each(self.desk.session, subjects, |subject| {
            let specified = self.write(subject);
            heard();
            specified
        })
    }

    /// Has a plan written for `subject`.
    pub fn write(&self, subject: &Subject<'_>) -> Result<Specified, ModelError> {
        match self.write_with(subject, self.desk.pack) {
            // Room to read is worth more than the pack where a model has little.
            Err(error) if error.is_too_long() && !self.desk.pack.is_empty() => self.write_with(subject, ""),
            written => written,
        }
    }

    fn write_with(&self, subject: &Subject<'_>, pack: &str) -> Result<Specified, ModelError> {
        let desk = self.desk;
        let mut conversation = Conversation::new(Opening {
            system: desk.instructions(include_str!("../../templates/planner/specify.md")),
            tools: desk.tools(),
            output: Some(schema::output::<Answer>("plan_draft")),
        });
        conversation.tell([Part::Shared(pack.to_owned()), Part::Text(question(subject, desk))]);
        let purpose = Purpose {
            role: Role::Planner,
            bound: desk.bound,
            what: "specify",
            plan: None,
            max_output: MAX_OUTPUT,
            rounds: ROUNDS,
        };
        let mut toolbox = desk.toolbox();
        let mut sent_back = false;
        let mut best: Option<(Box<Plan>, Vec<String>)> = None;
        let mut reader = self.reader;
        let mut unread = None;
        loop {
            let answer: Answer = match desk.session.answer(&purpose, &mut conversation, &mut toolbox) {
                Ok(answer) => answer,
                // A plan that was paid for is not thrown away because its polish failed.
                Err(error) if !matches!(error, ModelError::Cancelled) && best.is_some() => {
                    unread.get_or_insert(error);
                    break;
                }
                Err(error) => return Err(error),
            };
            if !answer.worth_it {
                return Ok(Specified::NotWorthIt(crate::secrets::mask(answer.why.trim())));
            }
            let (plan, faults) = self.examined(answer, subject);
            // The later one wins: it was told more.
            if best.as_ref().is_none_or(|(_, known)| faults.len() <= known.len()) {
                best = Some((Box::new(plan), faults.clone()));
            }
            if !faults.is_empty() && !sent_back {
                sent_back = true;
                tell(&mut conversation, include_str!("../../templates/planner/specify_again.md"), &faults);
                continue;
            }
            let Some(reads) = reader.take() else { break };
            let text = best.as_ref().map(|(plan, _)| cold(plan)).unwrap_or_default();
            match cold_read(&text, desk.session, reads, None) {
                Ok(doubts) if doubts.is_empty() => break,
                Ok(doubts) => {
                    let doubts: Vec<String> = doubts.iter().map(Doubt::words).collect();
                    tell(&mut conversation, include_str!("../../templates/planner/specify_clearer.md"), &doubts);
                }
                Err(ModelError::Cancelled) => return Err(ModelError::Cancelled),
                Err(error) => {
                    unread = Some(error);
                    break;
                }
            }
        }
        let (plan, faults) = best.expect("the loop ends with a plan");
        Ok(Specified::Plan(plan, Remaining { faults, unread }))
    }

    /// The plan of an answer, and what is wrong with it.
    fn examined(&self, answer: Answer, subject: &Subject<'_>) -> (Plan, Vec<String>) {
        let desk = self.desk;
        let (mut draft, mut faults) = draft(answer, desk.tree);
        draft.context.extend(subject.decided.iter().cloned());
        let mut plan = specify(subject.finding, &draft, desk.map, desk.tree, self.context);
        plan.status.planner = Some(desk.bound.name());
        plan.status.raw = render::status_lines(&plan.status);
        faults.extend(lint(&plan, desk.tree, &desk.map.recon).into_iter().map(|problem| problem.message));
        if draft.goals.is_empty() {
            faults.push("no goal: name at least one check that is red now and green afterwards".to_owned());
        }
        faults.extend(trial::met_already(&draft.goals, desk.tree));
        // What cannot be read is not worth running.
        if faults.is_empty()
            && let Some(baseline) = (self.measure)(&plan)
        {
            faults.extend(trial::measured(&draft.goals, &plan, &baseline));
        }
        (plan, faults)
    }
}

/// The plan as a cold reader gets it: without its number and the day, so that the same plan is the same question tomorrow, when a run
/// that was killed goes on.
fn cold(plan: &Plan) -> String {
    let mut plan = numbered(plan.clone(), None);
    plan.status.planned_at_date = None;
    plan.status.raw = render::status_lines(&plan.status);
    render::render(&plan)
}

fn tell(conversation: &mut Conversation, template: &str, problems: &[String]) {
    let listed: Vec<String> = problems.iter().map(|problem| format!("- {problem}")).collect();
    conversation.tell([Part::Text(template.replace("@problems", &listed.join("\n")).trim().to_owned())]);
}

fn question(subject: &Subject<'_>, desk: &Desk<'_>) -> String {
    let Subject { finding, remarks, decided } = subject;
    let place = finding.location();
    let mut text = format!(
        "The finding: {}\n\n{}\n\nCategory {}, impact {}, at {}:{}\n",
        finding.title,
        finding.message,
        finding.category.label(),
        finding.impact,
        place.file,
        place.start_line
    );
    for hop in &finding.call_path {
        text.push_str(&format!("- reached through {} ({}:{})\n", hop.symbol, hop.file, hop.line));
    }
    for evidence in &finding.evidence {
        let from = evidence.start_line.saturating_sub(AROUND).max(1);
        let excerpt = desk.excerpt(&evidence.file, from, evidence.end_line.saturating_add(AROUND));
        text.push_str(&format!("\n{} ({}):\n{excerpt}\n", evidence.file, evidence.role));
    }
    if !decided.is_empty() {
        text.push_str("\nDecided already; the plan holds to it, and will say so:\n");
        decided.iter().for_each(|decision| text.push_str(&format!("- {decision}\n")));
    }
    if !remarks.is_empty() {
        text.push_str(&format!("\n{}\n", remarks.trim()));
    }
    text
}
