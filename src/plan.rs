//! The plan document: a self-contained markdown spec that whoever reads nothing else can carry out.
//!
//! [`parse`](parse::parse) reads what public plans look like and keeps what it does not know; [`render`](render::render)
//! writes what DESIGN calls ours; [`lint`](lint::lint) finds, mechanically, what would stop an executor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod anchor;
pub mod drift;
pub mod expectation;
pub mod index;
pub mod issue;
pub mod lint;
pub(crate) mod markdown;
pub mod parse;
pub mod render;

use crate::edit::FileEdit;
use crate::finding::{Category, Effort, Priority, Risk};
use expectation::Expectation;
pub use parse::{UnreadableGate, gate_count, step_count, unreadable_gates};

/// A plan document, typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The number in the title, as an integer; never a key.
    pub number: Option<u32>,
    /// The title without `Plan NNN:`.
    pub title: String,
    /// Text between title and first section that is not read as anything else (blockquotes of instructions, remarks).
    pub preamble: String,
    /// The drift check command, when the preamble holds one.
    pub drift_check: Option<String>,
    /// Status block.
    pub status: Status,
    /// Why this matters.
    pub why: String,
    /// Current state: the section's markdown, verbatim.
    pub current_state: String,
    /// The excerpts found in it.
    pub excerpts: Vec<Excerpt>,
    /// Commands you will need.
    pub commands: Vec<PlanCommand>,
    /// Text of that section around the table.
    pub commands_notes: String,
    /// Scope.
    pub scope: Scope,
    /// Git workflow, verbatim.
    pub git_workflow: String,
    /// Text of the Steps section before the first step.
    pub steps_intro: String,
    /// Steps.
    pub steps: Vec<Step>,
    /// Prerequisites, verbatim.
    pub prerequisites: String,
    /// Test plan, verbatim.
    pub test_plan: String,
    /// Edge cases, verbatim.
    pub edge_cases: String,
    /// Done criteria.
    pub done_criteria: Vec<Criterion>,
    /// Text of that section around the list.
    pub done_notes: String,
    /// STOP conditions, one each, markdown.
    pub stop_conditions: Vec<String>,
    /// Text of that section around the list.
    pub stop_notes: String,
    /// Maintenance notes, verbatim.
    pub maintenance: String,
    /// Sections this program does not know, verbatim, with the heading of the known section they follow.
    pub extra_sections: Vec<ExtraSection>,
    /// Line of each known section's heading, by its canonical name; empty for a plan that was not read from a text.
    #[serde(default)]
    pub section_lines: BTreeMap<String, u32>,
}

impl Plan {
    /// Every path that an exact edit names, as often as it does.
    pub fn edited_paths(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| &step.edits).flat_map(FileEdit::paths)
    }

    /// The same and every path that its scope names.
    pub fn named_paths(&self) -> impl Iterator<Item = &str> {
        self.edited_paths().chain(self.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()))
    }
}

/// The status block. Fields hold the first word that was understood; remarks are kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// P0 reads as P1.
    pub priority: Option<Priority>,
    /// XL reads as L; a range reads as its larger end.
    pub effort: Option<Effort>,
    /// CRITICAL reads as HIGH; a range reads as its higher end.
    pub risk: Option<Risk>,
    /// Plans that must be DONE first, as written: a number, a path or a slug.
    pub depends_on: Vec<String>,
    /// The first word known as a category.
    pub category: Option<Category>,
    /// Commit the plan was written against, as written.
    pub planned_at_commit: Option<String>,
    /// Date it was written, `YYYY-MM-DD`.
    pub planned_at_date: Option<String>,
    /// A model's name, or `built-in`.
    pub planner: Option<String>,
    /// Fingerprint of the finding.
    pub finding: Option<String>,
    /// Minutes, tokens, money.
    pub estimate: Option<String>,
    /// Issue URL.
    pub issue: Option<String>,
    /// Every line of the block as written, key and value, known or not: what the fields above leave out is here.
    pub raw: Vec<(String, String)>,
}

/// An excerpt of a file as it was when the plan was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Excerpt {
    /// Path, when one could be told.
    pub file: Option<String>,
    /// First and last line, a hint.
    pub lines: Option<(u32, u32)>,
    /// Info string's language.
    pub language: String,
    /// The quoted text.
    pub text: String,
    /// Line of the plan its fence opens on, 1-based.
    pub line: u32,
}

/// A row of "Commands you will need".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanCommand {
    /// Purpose as written.
    pub purpose: String,
    /// The command line.
    pub command: String,
    /// Expected on success, as written.
    pub expected: String,
}

/// What a plan may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Files that may be changed.
    pub in_scope: Vec<ScopeEntry>,
    /// Things that must not be touched, as written.
    pub out_of_scope: Vec<String>,
    /// Text around the lists.
    pub notes: String,
}

/// An entry of the in-scope list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScopeEntry {
    /// A path, a folder or a glob; `None` for prose.
    pub path: Option<String>,
    /// The plan creates it.
    pub create: bool,
    /// The entry as written, path included.
    pub text: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Step {
    /// The number in its heading.
    pub number: Option<u32>,
    /// The heading without `Step N:`.
    pub title: String,
    /// What to do: the step's markdown, verbatim, without the parts below.
    pub instruction: String,
    /// Exact edits.
    pub edits: Vec<FileEdit>,
    /// The Verify block as written, without its label.
    pub verify_text: String,
    /// Line of the plan the Verify block starts on, 1-based; 0 without one.
    pub verify_line: u32,
    /// What could be read of it as gates.
    pub gates: Vec<Gate>,
    /// **Checkpoint**: what to ask the user before this step.
    pub checkpoint: Option<String>,
    /// **Input**, **Expected output**, **Tools**, **Depends on**, **Complexity**: key and value as written.
    pub fields: Vec<(String, String)>,
    /// Line of the plan its heading stands on, 1-based.
    pub line: u32,
}

/// A command and what it must give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The command line.
    pub command: String,
    /// What it must give.
    pub expectation: Expectation,
    /// The expectation as written.
    pub expected: String,
    /// Line of the plan, 1-based.
    pub line: u32,
}

/// A done criterion.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Criterion {
    /// The box is ticked. Never evidence of anything.
    pub checked: bool,
    /// The criterion as written.
    pub text: String,
    /// The command it names, with its expectation, when it could be read as a gate.
    pub gates: Vec<Gate>,
    /// Line of the plan, 1-based.
    pub line: u32,
}

/// A section this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExtraSection {
    /// Its heading as written.
    pub heading: String,
    /// Its markdown, verbatim.
    pub body: String,
    /// The canonical name of the known section it follows; empty for the title.
    pub after: String,
}
