//! What one trial came to: one arm on one task, once. A line of the records, and all that reports are made from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edit::matching::Rung;
use crate::receipt::Outcome;

/// Version of a line. Fields are added, never renamed.
pub const SCHEMA_VERSION: u32 = 1;

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// One model alone: the task's words and the repository, no plan; the tools and limits of an executor.
    Single,
    /// A planner writes a plan, an executor carries it out.
    Plan,
    /// A plan whose steps say exactly what changes, carried out without a model: a rule's recipe, else the planner's.
    Exact,
}

impl Arm {
    /// Every arm, in the order of reports.
    pub const ALL: [Arm; 3] = [Arm::Single, Arm::Plan, Arm::Exact];

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Arm::Single => "single",
            Arm::Plan => "plan",
            Arm::Exact => "exact",
        }
    }
}

/// The models of a trial, as `provider/model`, and `provider/model (high)` where somebody set how hard they think; null where none had a
/// part in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// Wrote the plan.
    pub planner: Option<String>,
    /// Carried it out.
    pub executor: Option<String>,
    /// Read the plan cold, and the finished work.
    pub verifier: Option<String>,
}

impl Models {
    /// Nobody was asked.
    pub fn is_none(&self) -> bool {
        *self == Models::default()
    }
}

/// What makes two trials the same: of these, one is enough.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TrialKey {
    /// The task.
    pub task: String,
    /// SHA-256 of its files, in hex.
    pub task_sha256: String,
    /// Who did the work.
    pub arm: Arm,
    /// 1-based.
    pub repetition: u32,
    /// The models.
    pub models: Models,
    /// Version of the prompts.
    pub prompts: u32,
    /// Version of this program: how edits are placed and work is verified changes with it.
    pub version: String,
}

/// What one trial came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Which trial.
    #[serde(flatten)]
    pub key: TrialKey,
    /// The kind of defect.
    pub kind: String,
    /// How carrying out the plan ended; null where there was no plan to carry out.
    pub outcome: Option<Outcome>,
    /// The verdict is `verified`.
    pub verified: bool,
    /// The hidden tests pass on the finished work.
    pub right: bool,
    /// Something was committed.
    pub changed: bool,
    /// Why it is not verified, or not right, in a sentence; empty where it is both.
    pub why: String,
    /// Edits that were placed, by the rung they took.
    pub placed: BTreeMap<Rung, u32>,
    /// Edits that were refused; not those that were there already.
    pub refused: u32,
    /// Replies of models.
    pub calls: u64,
    /// Tokens of prompts, those from a vendor's cache included.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// What it cost, in billionths of a dollar, as far as prices are known.
    pub nano_usd: u64,
    /// Calls whose price is not known.
    pub unpriced_calls: u64,
    /// How long the work and its verification took; the hidden tests come on top.
    pub duration_ms: u64,
    /// When it began, RFC 3339.
    pub started_at: String,
}

impl Trial {
    /// The verdict says verified, and the hidden tests fail.
    pub fn is_false(&self) -> bool {
        self.verified && !self.right
    }
}
