//! A request in the user's words: what it means in this repository, what it leaves out, and what only the user can decide.
//!
//! Gaps are closed from the code where the code closes them, with a quote that is looked up; what is left becomes questions, each with
//! the answer the planner would take.

use schemars::JsonSchema;
use serde::Deserialize;

use super::asking::Desk;
use super::grade::{Grade, Size};
use super::quotes::{self, Quote};
use crate::finding::{self, Category, Confidence, Effort, Evidence, Finding, Risk};
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::schema;
use crate::model::structured::Purpose;
use crate::model::{ModelError, Role};
use crate::secrets::of_files::one_line;

/// Questions to a user, at most: more are an interrogation.
const MOST_QUESTIONS: usize = 5;
/// Rounds of reading a request may take.
const ROUNDS: u32 = 40;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 24_000;

/// What a model makes of a request.
#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    verdict: Verdict,
    /// Imperative: what will be true afterwards.
    title: String,
    /// For `plan`: what is wanted and what it is worth. For `just-do-it`: what to change, and where. For `there-already`: where it is.
    text: String,
    category: RequestCategory,
    /// 1 to 5.
    impact: u8,
    /// What the change takes: S, M or L.
    effort: Size,
    /// What the change may break.
    risk: Grade,
    /// Where the change lands, the main place first.
    places: Vec<Quote>,
    /// What the request leaves out and the code answers.
    settled: Vec<SettledGap>,
    /// What the request leaves out and the code does not answer; none when there is nothing only the user can decide.
    questions: Vec<Asked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// It takes a plan.
    Plan,
    /// A few lines in one place that nobody needs a plan for.
    JustDoIt,
    /// The repository does it already.
    ThereAlready,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RequestCategory {
    Bug,
    Security,
    Perf,
    Tests,
    TechDebt,
    Migration,
    Dx,
    Docs,
    Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum GapKind {
    ImplicitRequirement,
    IntegrationPoint,
    BreakingChange,
    MissingInfrastructure,
}

impl GapKind {
    fn words(self) -> &'static str {
        match self {
            GapKind::ImplicitRequirement => "Implicit requirement",
            GapKind::IntegrationPoint => "Integration point",
            GapKind::BreakingChange => "Breaking change",
            GapKind::MissingInfrastructure => "Missing infrastructure",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct SettledGap {
    kind: GapKind,
    /// What the request leaves out.
    what: String,
    /// What the code says to it.
    answer: String,
    /// The lines that say so.
    quote: Quote,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    kind: GapKind,
    /// One question.
    question: String,
    /// What hangs on it.
    why: String,
    /// Two to four answers.
    options: Vec<String>,
    /// The one of them that you would take.
    recommended: String,
}

/// A question that only the user can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    /// The question.
    pub question: String,
    /// What hangs on it.
    pub why: String,
    /// Answers to choose from; the recommended one is among them.
    pub options: Vec<String>,
    /// Position of the answer the planner would take.
    pub recommended: usize,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Understood {
    /// A plan is worth it.
    Plan(Box<Understanding>),
    /// It takes no plan: what to change.
    JustDoIt(String),
    /// The repository does it already: where.
    ThereAlready(String),
}

/// A request that takes a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Understanding {
    /// What stands for a finding.
    pub finding: Finding,
    /// What the request left out and the code answers, in a line each.
    pub settled: Vec<String>,
    /// What is left to ask.
    pub questions: Vec<OpenQuestion>,
}

/// Finds out what `text` asks for.
pub fn understand(text: &str, desk: &Desk<'_>) -> Result<Understood, ModelError> {
    match understand_with(text, desk, desk.pack) {
        Err(error) if error.is_too_long() => understand_with(text, desk, ""),
        understood => understood,
    }
}

fn understand_with(text: &str, desk: &Desk<'_>, pack: &str) -> Result<Understood, ModelError> {
    let instructions =
        include_str!("../../templates/planner/request.md").replace("@limit", &MOST_QUESTIONS.to_string());
    let mut conversation = Conversation::new(Opening {
        system: desk.instructions(&instructions),
        tools: desk.tools(),
        output: Some(schema::output::<Answer>("understanding")),
    });
    conversation.tell([Part::Shared(pack.to_owned()), Part::Text(format!("The request, by the user:\n\n{text}"))]);
    let purpose = Purpose {
        role: Role::Planner,
        bound: desk.bound,
        what: "request",
        plan: None,
        max_output: MAX_OUTPUT,
        rounds: ROUNDS,
    };
    let answer: Answer = desk.session.answer(&purpose, &mut conversation, &mut desk.toolbox())?;
    let said = crate::secrets::mask(answer.text.trim());
    Ok(match answer.verdict {
        Verdict::JustDoIt => Understood::JustDoIt(said),
        Verdict::ThereAlready => Understood::ThereAlready(said),
        Verdict::Plan => Understood::Plan(Box::new(understanding(text, answer, desk))),
    })
}

fn understanding(text: &str, answer: Answer, desk: &Desk<'_>) -> Understanding {
    let settled = answer.settled.iter().filter_map(|gap| {
        let line = quotes::check(&gap.quote, desk.tree).ok()?;
        let (kind, file) = (gap.kind.words(), &gap.quote.file);
        Some(one_line(&format!("{kind}: {} {} (`{file}:{line}`)", ended(&gap.what), ended(&gap.answer))))
    });
    let settled: Vec<String> = settled.collect();
    let questions = answer.questions.into_iter().filter_map(question).take(MOST_QUESTIONS).collect();
    let quoted = answer.places.iter().filter_map(|quote| desk.quoted(quote, "place"));
    let mut evidence: Vec<Evidence> = quoted.collect();
    if evidence.is_empty() {
        // Something new may stand nowhere yet; its plan still needs a place whose commands and tests are near.
        let file = answer.places.iter().map(|quote| quote.file.as_str()).find(|file| desk.tree.is_file(file));
        let first = desk.map.files.first().map_or("", |file| file.path.as_ref());
        evidence.push(desk.evidence(file.unwrap_or(first), 1, 1, "place"));
    }
    let wish = Wish {
        request: text,
        title: &answer.title,
        text: &answer.text,
        category: answer.category.into(),
        impact: answer.impact,
        effort: answer.effort.into(),
        risk: answer.risk.into(),
        evidence,
    };
    Understanding { finding: wish.finding(desk), settled, questions }
}

/// What stands for a rule in a plan that somebody asked for.
const RULE: &str = "request";

/// Something that somebody asks for.
pub(crate) struct Wish<'a> {
    /// It, in their words.
    pub request: &'a str,
    /// Imperative: what will be true afterwards.
    pub title: &'a str,
    /// What is wanted and what it is worth.
    pub text: &'a str,
    pub category: Category,
    /// 1 to 5.
    pub impact: u8,
    pub effort: Effort,
    pub risk: Risk,
    /// Where it lands, the main place first.
    pub evidence: Vec<Evidence>,
}

impl Wish<'_> {
    /// What stands for a finding in its plan.
    pub fn finding(self, desk: &Desk<'_>) -> Finding {
        let Wish { request, title, text, category, impact, effort, risk, evidence } = self;
        let impact = impact.clamp(1, 5);
        Finding {
            fingerprint: finding::fingerprint(RULE, "", "", &one_line(request).to_lowercase(), 0),
            rule: RULE.to_owned(),
            category,
            title: one_line(title).trim_end_matches('.').to_owned(),
            message: one_line(text),
            impact,
            effort,
            risk,
            confidence: Confidence::High,
            leverage: Finding::leverage_of(impact, effort, Confidence::High),
            state: None,
            symbol: evidence.first().map(|first| desk.symbol(&first.file, first.start_line)).unwrap_or_default(),
            evidence,
            call_path: Vec::new(),
            mechanical: false,
            origin: None,
        }
    }
}

/// A question that can be put: it asks something and has an answer to recommend.
fn question(asked: Asked) -> Option<OpenQuestion> {
    let question = one_line(&asked.question);
    let recommended = one_line(&asked.recommended);
    if question.is_empty() || recommended.is_empty() {
        return None;
    }
    let mut options: Vec<String> =
        asked.options.iter().map(|option| one_line(option)).filter(|option| !option.is_empty()).collect();
    let known = options.iter().position(|option| *option == recommended);
    let recommended = known.unwrap_or_else(|| {
        options.insert(0, recommended);
        0
    });
    let why = format!("{}: {}", asked.kind.words(), one_line(&asked.why));
    Some(OpenQuestion { question, why, options, recommended })
}

fn ended(sentence: &str) -> String {
    let sentence = sentence.trim();
    if sentence.ends_with(['.', '?', '!', ':']) { sentence.to_owned() } else { format!("{sentence}.") }
}

impl From<RequestCategory> for Category {
    fn from(category: RequestCategory) -> Category {
        match category {
            RequestCategory::Bug => Category::Bug,
            RequestCategory::Security => Category::Security,
            RequestCategory::Perf => Category::Perf,
            RequestCategory::Tests => Category::Tests,
            RequestCategory::TechDebt => Category::TechDebt,
            RequestCategory::Migration => Category::Migration,
            RequestCategory::Dx => Category::Dx,
            RequestCategory::Docs => Category::Docs,
            RequestCategory::Direction => Category::Direction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str, options: &[&str], recommended: &str) -> Asked {
        Asked {
            kind: GapKind::ImplicitRequirement,
            question: question.to_owned(),
            why: "It matters.".to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            recommended: recommended.to_owned(),
        }
    }

    #[test]
    fn what_is_recommended_is_always_among_the_answers() {
        let of = |asked| question(asked).map(|open: OpenQuestion| (open.options, open.recommended));
        assert_eq!(of(asked("Which?", &["a", "b"], "b")), Some((vec!["a".to_owned(), "b".to_owned()], 1)));
        assert_eq!(of(asked("Which?", &["a"], "c")), Some((vec!["c".to_owned(), "a".to_owned()], 0)));
        assert_eq!(of(asked("Which?", &["a"], " ")), None, "a question without a recommendation cannot be left open");
    }
}
