//! The prose of a guide: what facts alone do not say, written once by the planner, and by the economy model where files of a section
//! changed.
//!
//! A sentence counts only when every path, line and symbol it names is there. What was written is kept by what it was written from,
//! so that the same section is never paid for twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asking::{Desk, each};
use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::estimate::reading_cost;
use crate::model::roles::Bound;
use crate::model::schema;
use crate::model::session::Session;
use crate::model::structured::{NoTools, Purpose};
use crate::model::{ModelError, NanoDollars, Role};
use crate::onboard::SectionId;
use crate::plan::markdown::fence_for;
use crate::repo_map::RepoMap;
use crate::report::onboard::hash;
use crate::report::{map_outline::CHARACTERS_PER_TOKEN, sanitize};
use crate::secrets::of_files::one_line;
use crate::tree::Tree;

mod grounded;

use grounded::Ground;

/// Paragraphs of a section.
const PARAGRAPHS: usize = 3;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 8_000;
/// Tokens an answer has about.
const SAID: u64 = 900;
/// Characters of files that a question shows. Our choice: a section is about a dozen files.
const SHOWN: usize = 24_000;
/// Lines of the head of a file, and around each line that the facts name.
const HEAD: u32 = 40;
const AROUND: u32 = 6;
/// Texts kept of a section: branches come and go.
const KEPT: usize = 4;

/// Sections that prose helps. People are named to no model, and what is not known needs no words.
pub const WRITTEN: [SectionId; 8] = [
    SectionId::About,
    SectionId::Setup,
    SectionId::Reading,
    SectionId::Walk,
    SectionId::Conventions,
    SectionId::Heat,
    SectionId::Surprises,
    SectionId::Glossary,
];

/// A section to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which.
    pub section: SectionId,
    /// Its facts, as Markdown.
    pub facts: String,
    /// The files it is made from.
    pub files: Vec<String>,
    /// Hash of all that: see [`source`].
    pub source: String,
    /// What was written before, from something else; the economy model keeps of it what holds.
    pub before: Option<String>,
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prose {
    /// The paragraphs.
    pub paragraphs: Vec<String>,
    /// The model.
    pub by: String,
    /// Sentences that were dropped: they name what is not there.
    pub dropped: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    /// The paragraphs, plain sentences with code in backticks.
    paragraphs: Vec<String>,
}

/// What a model is asked for, and what it is told about what was written before.
const TASK: &str = include_str!("../../templates/onboard/prose.md");
const AGAIN: &str = include_str!("../../templates/onboard/prose_again.md");

/// What a section is made from: its facts, its files as they are now, and what is asked of a model.
pub fn source(facts: &str, files: &[String], tree: &dyn Tree) -> String {
    let mut all = format!("{TASK}\n{AGAIN}\n{facts}");
    for file in files {
        all.push_str(&format!("\n{file} {}", tree.text(file).map(|text| hash(&text)).unwrap_or_default()));
    }
    hash(&all)
}

/// Has each of `subjects` written: by the planner, or by the economy model where something was written before. One entry a subject,
/// in order; an error is one that every further question would meet too.
pub fn write(
    subjects: &[Subject],
    session: &Session<'_>,
    planner: &Bound,
    economy: &Bound,
    map: &RepoMap,
    tree: &dyn Tree,
    heard: &(dyn Fn() + Sync),
) -> Result<Vec<Result<Prose, ModelError>>, ModelError> {
    each(session, subjects, |subject| {
        let (role, bound) = match subject.before {
            Some(_) => (Role::Executor, economy),
            None => (Role::Planner, planner),
        };
        let desk = Desk { session, bound, map, tree, pack: "" };
        let answer = ask(subject, role, &desk);
        heard();
        Ok(checked(answer?, subject, &desk))
    })
}

fn ask(subject: &Subject, role: Role, desk: &Desk<'_>) -> Result<Answer, ModelError> {
    let task = TASK.replace("@paragraphs", &PARAGRAPHS.to_string());
    let mut conversation = Conversation::new(Opening {
        system: desk.instructions(&task),
        tools: Vec::new(),
        output: Some(schema::output::<Answer>("section")),
    });
    conversation.tell([Part::Text(question(subject, desk))]);
    let what = format!("guide {}", subject.section.word());
    let purpose = Purpose { role, bound: desk.bound, what: &what, plan: None, max_output: MAX_OUTPUT, rounds: 1 };
    desk.session.answer(&purpose, &mut conversation, &mut NoTools)
}

/// The facts, what was written before, and lines of the files.
fn question(subject: &Subject, desk: &Desk<'_>) -> String {
    let fenced = |text: &str| {
        let fence = fence_for(text);
        format!("{fence}\n{}\n{fence}", text.trim_end())
    };
    let facts = crate::secrets::mask(&subject.facts);
    let mut question = format!("The facts (data):\n\n{}", fenced(&facts));
    if let Some(before) = &subject.before {
        question.push_str(&AGAIN.replace("@before", &fenced(before)));
    }
    let mut room = SHOWN;
    for file in &subject.files {
        for (from, to) in ranges(&subject.facts, file) {
            let shown = format!(
                "\n\n`{}`, lines {from} to {to} (data):\n\n{}",
                sanitize::line(file),
                desk.excerpt(file, from, to)
            );
            if shown.len() > room {
                return question;
            }
            room -= shown.len();
            question.push_str(&shown);
        }
    }
    question
}

/// Lines of a file worth showing: around those that the facts name, else its head. Apart from each other and in order.
fn ranges(facts: &str, file: &str) -> Vec<(u32, u32)> {
    let mark = format!("`{file}:");
    let named = facts.match_indices(mark.as_str()).filter_map(|(at, found)| {
        let digits: String = facts[at + found.len()..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    let lines: BTreeSet<u32> = named.collect();
    if lines.is_empty() {
        return vec![(1, HEAD)];
    }
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        let (from, to) = (line.saturating_sub(AROUND).max(1), line.saturating_add(AROUND));
        match ranges.last_mut() {
            Some(last) if from <= last.1 + 1 => last.1 = to,
            Some(_) | None => ranges.push((from, to)),
        }
    }
    ranges
}

/// What of an answer holds.
fn checked(answer: Answer, subject: &Subject, desk: &Desk<'_>) -> Prose {
    let ground = Ground::new(desk.map, desk.tree, &subject.facts, &subject.files);
    let mut dropped = 0;
    let mut paragraphs = Vec::new();
    for paragraph in answer.paragraphs.iter().take(PARAGRAPHS) {
        let plain = one_line(&crate::secrets::mask(paragraph));
        let (kept, gone): (Vec<&str>, Vec<&str>) =
            grounded::sentences(plain.trim_start_matches(['#', '-', '*', '>', ' ']))
                .into_iter()
                .partition(|sentence| ground.holds(sentence));
        dropped += gone.len();
        if !kept.is_empty() {
            paragraphs.push(sanitize::prose(&kept.join(" ")));
        }
    }
    Prose { paragraphs, by: desk.bound.name(), dropped }
}

/// A section with its prose between the heading and the facts.
pub fn told(facts: &str, prose: &Prose) -> String {
    let (heading, rest) = facts.split_once('\n').unwrap_or((facts, ""));
    let paragraphs = prose.paragraphs.join("\n\n");
    format!("{heading}\n\n{paragraphs}\n\n{}", rest.trim_start())
}

/// What writing `subjects` will cost about.
pub fn estimate(subjects: &[Subject], planner: &Bound, economy: &Bound) -> Option<NanoDollars> {
    subjects.iter().try_fold(NanoDollars::ZERO, |sum, subject| {
        let bound = if subject.before.is_some() { economy } else { planner };
        let prompt = (subject.facts.len() + SHOWN / 2) / CHARACTERS_PER_TOKEN;
        Some(sum + reading_cost(prompt as u64 + 600, 1, SAID, bound)?)
    })
}

/// Prose that was written, by role and section, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    texts: BTreeMap<String, Vec<(String, Prose)>>,
}

const SHELF: &[u8] = b"improve guide 1\n";

impl Shelf {
    /// What stands in the file; nothing when there is none, or when it is damaged.
    pub fn load(file: &Path) -> Shelf {
        let bytes = crate::kept::get(file, SHELF).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Puts it into the file.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(self).expect("it has string keys");
        crate::kept::put(file, SHELF, &[&bytes])
    }

    /// What was written of a section from `source`.
    pub fn of(&self, key: &str, source: &str) -> Option<&Prose> {
        self.texts.get(key)?.iter().rev().find(|(from, _)| from == source).map(|(_, prose)| prose)
    }

    /// What was written of a section last.
    pub fn last(&self, key: &str) -> Option<&Prose> {
        self.texts.get(key)?.last().map(|(_, prose)| prose)
    }

    /// Keeps what was written.
    pub fn keep(&mut self, key: &str, source: &str, prose: Prose) {
        let texts = self.texts.entry(key.to_owned()).or_default();
        texts.retain(|(from, _)| from != source);
        texts.push((source.to_owned(), prose));
        let old = texts.len().saturating_sub(KEPT);
        texts.drain(..old);
    }
}
