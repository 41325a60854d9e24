//! Receipts: the record of what was done for a plan, what ran, and what that proved. Plain data; `improve apply --format json`
//! prints it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edit::apply::Placement;
use crate::edit::explain::EditFailure;
use crate::gate::GateResult;
use crate::model::cost::Cost;

/// Version of the receipt's JSON. Fields are added, never renamed.
pub const SCHEMA_VERSION: u32 = 1;

/// What was done for a plan, what ran, and what that proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The plan.
    pub plan: PlanReference,
    /// The final word.
    pub outcome: Outcome,
    /// What should happen with the work.
    pub verdict: Verdict,
    /// Why the outcome is not better than it is, most important first; empty when it is verified.
    pub reasons: Vec<String>,
    /// What to do next, when it is not verified.
    pub hint: Option<String>,
    /// The commit the work starts from.
    pub base: String,
    /// The branch that holds the work.
    pub branch: Option<String>,
    /// The worktree that was left, and has to be removed at some time.
    pub worktree: Option<String>,
    /// Commits on the branch, oldest first.
    pub commits: Vec<CommitReference>,
    /// How far commands were kept from the rest of the machine.
    pub sandbox: Sandbox,
    /// Commands that the user agreed to, sorted.
    pub trusted_commands: Vec<String>,
    /// What was done before the first step.
    pub prepared: Prepared,
    /// Every gate on the untouched base commit.
    pub baseline: Vec<BaselineEntry>,
    /// Steps, in order.
    pub steps: Vec<StepReceipt>,
    /// What was changed, and whether it may be.
    pub scope: ScopeReceipt,
    /// Signs that checks were weakened rather than met.
    pub tampering: Vec<Tampering>,
    /// Done criteria, in order.
    pub criteria: Vec<CriterionReceipt>,
    /// The gates of the steps once more, on the finished work; empty where the steps themselves ran them.
    pub replayed_gates: Vec<GateResult>,
    /// Whether new tests fail without the change.
    pub new_tests: NewTestsReceipt,
    /// No criterion was red before and no test is new, so a green result proves nothing about the change.
    pub vacuous: bool,
    /// What the verifier model thinks of the finished work, where one read it.
    #[serde(default)]
    pub opinion: Option<OpinionReceipt>,
    /// What a planner put in the place of steps that failed, in order.
    #[serde(default)]
    pub revisions: Vec<RevisionReceipt>,
    /// The page of the pull request that was opened for it. It is opened after the receipt was written, so no file has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<String>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What models took for it in this run: who carried it out, who answered and who read it; nothing of earlier runs.
    #[serde(default)]
    pub cost: Cost,
    /// Bytes that the worktrees took at the end.
    pub disk_bytes: u64,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// How long it took, without earlier runs that it resumed.
    pub duration_ms: u64,
    /// Where the receipt was written.
    pub file: Option<String>,
}

impl Receipt {
    /// The documented exit code for this outcome.
    pub fn exit_code(&self) -> u8 {
        match self.outcome {
            Outcome::Verified => 0,
            Outcome::PartlyVerified | Outcome::Unverified | Outcome::Failed => 1,
            Outcome::Blocked | Outcome::HandedOver => 4,
        }
    }
}

/// The final word on a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every criterion is a command that ran and is green, and nothing speaks against the work.
    Verified,
    /// What ran is green, but not everything could be run.
    PartlyVerified,
    /// Nothing ran that could show anything.
    Unverified,
    /// It could not begin or go on: the plan does not fit the repository any more, or something it needs is missing.
    Blocked,
    /// A gate or criterion is red, or something was changed that must not be.
    Failed,
    /// A step waits for a person or another agent.
    HandedOver,
}

impl Outcome {
    /// The words people read.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Verified => "verified",
            Outcome::PartlyVerified => "partly verified",
            Outcome::Unverified => "unverified",
            Outcome::Blocked => "blocked",
            Outcome::Failed => "failed",
            Outcome::HandedOver => "handed over",
        }
    }
}

/// What should happen with the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It can be merged.
    Approve,
    /// It needs more work.
    Revise,
    /// It must not be merged, or cannot go on as planned.
    Block,
}

/// Which plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanReference {
    /// Its path.
    pub path: String,
    /// The number in its title.
    pub number: Option<u32>,
    /// Its title.
    pub title: String,
    /// SHA-256 of its text, in hex.
    pub sha256: String,
}

/// A commit made by the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitReference {
    /// Its id.
    pub id: String,
    /// The step, 1-based.
    pub step: usize,
    /// The step's title.
    pub title: String,
}

/// How far commands were kept from the rest of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sandbox {
    /// `namespaces`: a file system, processes and a network of their own; `landlock`: files by Landlock, no sockets; `seatbelt`: a profile of
    /// macOS; `none`: commands ran with the user's rights, in their own process group and with an allow-listed environment.
    pub level: String,
    /// What was not kept from them, and why no better level was had.
    #[serde(default)]
    pub missing: Vec<String>,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox { level: "none".to_owned(), missing: Vec::new() }
    }
}

/// What was done before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Prepared {
    /// The install command, if the plan or the repository has one.
    pub install: Option<GateResult>,
    /// Ignored files brought along.
    pub included: Vec<String>,
    /// What the install command left that git neither tracks nor ignores, outside the plan's scope: no work of anybody's.
    #[serde(default)]
    pub aside: Vec<String>,
    /// What a worktree of ours cannot have as the user's own has it.
    pub limits: Vec<String>,
}

/// A gate on the untouched base commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineEntry {
    /// Whose gate it is: `step 2`, `criterion 1`.
    pub of: String,
    /// What it is there for.
    pub role: Role,
    /// What it gave.
    pub result: GateResult,
    /// How it gave one thing and then the other on the same files, when it did: then nothing that it gives proves anything.
    #[serde(default)]
    pub flaky: Option<String>,
}

/// What a check is there for, told by what it gave on the base commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Red before: the plan is to make it green.
    Goal,
    /// Green before: it must stay green.
    Guard,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepReceipt {
    /// 1-based.
    pub step: usize,
    /// Its title.
    pub title: String,
    /// How far it came.
    pub status: StepStatus,
    /// Who carried it out.
    pub executor: Option<String>,
    /// How its edits were placed.
    pub placed: Vec<Placement>,
    /// Why its edits were refused.
    pub refused: Vec<EditFailure>,
    /// Its gates.
    pub gates: Vec<GateResult>,
    /// The commit it became.
    pub commit: Option<String>,
    /// What a model did for it, when one carried it out.
    #[serde(default)]
    pub work: Option<Box<WorkReceipt>>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// What a model did for a step, or an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkReceipt {
    /// `provider/model`.
    pub model: String,
    /// Times it handed the step in.
    pub attempts: u32,
    /// Replies that were used, kept ones included.
    pub rounds: u32,
    /// Tools it called.
    pub calls: u32,
    /// How it wrote its edits: the last of the syntaxes it used.
    pub syntax: String,
    /// Edits that were made.
    pub edits: u32,
    /// Edits that were refused.
    pub refused: u32,
    /// Tokens of its prompts.
    pub prompt_tokens: u64,
    /// Tokens of its answers.
    pub output_tokens: u64,
    /// What it cost, in billionths of a dollar; `None` where the price is not known.
    pub nano_usd: Option<u64>,
    /// What it asked the planner.
    pub questions: Vec<QuestionReceipt>,
    /// Why it stopped before the step was done.
    pub halted: Option<Halted>,
    /// What it said at the end.
    pub said: String,
    /// How far an agent CLI was confined, where one did it. It may be less than the run's: one that brings a sandbox of its own is run in
    /// that alone where the two cannot be had together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

/// A question of an executor to the planner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct QuestionReceipt {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// Why an executor stopped before a step was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Halted {
    /// It says that a STOP condition holds, or that the step cannot be carried out as planned.
    Stopped,
    /// The gates were red each time the step was handed in.
    RedGates,
    /// The gates failed in the same way again and again.
    SameFailure,
    /// It made the same call again and again.
    RepeatedCalls,
    /// Its calls went back and forth between two.
    BackAndForth,
    /// Its edits brought the files back to where they had been.
    NoProgress,
    /// Nothing could be used of several replies in a row.
    Malformed,
    /// It would not.
    Refused,
    /// It changed what is not in the plan's scope, and did so again when it was told.
    OutOfScope,
    /// It took too many replies.
    OutOfRounds,
    /// It took too long.
    OutOfTime,
    /// It read more than fits.
    OutOfContext,
    /// The next call might have cost more than is left.
    OutOfMoney,
    /// It could not be asked.
    Unanswered,
}

impl Halted {
    /// Whether the plan, and not whoever carried it out, is what stands in the way, or may: then a planner can help.
    pub fn is_about_the_plan(self) -> bool {
        match self {
            Halted::Stopped
            | Halted::RedGates
            | Halted::SameFailure
            | Halted::RepeatedCalls
            | Halted::BackAndForth
            | Halted::NoProgress
            | Halted::OutOfScope
            | Halted::OutOfRounds
            | Halted::OutOfContext => true,
            Halted::Malformed | Halted::Refused | Halted::OutOfTime | Halted::OutOfMoney | Halted::Unanswered => false,
        }
    }
}

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// Carried out, and its gates are green.
    Green,
    /// Carried out, and a gate is red in the way it was red before the plan began.
    AlreadyFailing,
    /// Carried out, and a gate is red that gives now one thing and now the other on the same files.
    Flaky,
    /// A gate is red, or the edits were refused.
    Failed,
    /// It waits for a person or another agent.
    HandedOver,
    /// Not begun.
    NotReached,
}

/// What was changed, and whether it may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ScopeReceipt {
    /// The plan names paths, so that scope could be checked.
    pub checked: bool,
    /// Every path that differs from the base commit, sorted.
    pub changed: Vec<ChangedPath>,
    /// Those that may not, and why.
    pub violations: Vec<Violation>,
}

/// A path that differs from the base commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedPath {
    /// The path.
    pub path: String,
    /// Its mode before, as git writes it; `None` when it is new.
    pub old_mode: Option<String>,
    /// Its mode now; `None` when it was removed.
    pub new_mode: Option<String>,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// A change that may not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The path.
    pub path: String,
    /// Why.
    pub why: String,
}

/// A sign that checks were weakened rather than met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tampering {
    /// The path.
    pub path: String,
    /// What was done to it.
    pub what: String,
    /// The exact edits of the plan itself do it, so that whoever accepted the plan accepted it.
    pub planned: bool,
}

/// A done criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionReceipt {
    /// The criterion as written.
    pub text: String,
    /// Who judged it.
    pub judged: Judged,
    /// Its commands, on the finished work in a clean worktree.
    pub gates: Vec<GateResult>,
    /// What each of them was there for.
    pub roles: Vec<Role>,
    /// Whether it is met; `None` when nobody could tell.
    pub met: Option<bool>,
    /// Why, in words.
    pub why: String,
}

/// Who judged a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// Its commands.
    Commands,
    /// The scope check.
    Scope,
    /// It asks for the plan index to be updated, which this program does after the verdict.
    Index,
    /// Nobody: it names no command.
    Nobody,
}

/// A plan that failed, revised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionReceipt {
    /// What had failed.
    pub why: String,
    /// What changed in the plan, as a unified diff.
    pub diff: String,
}

/// What a model thinks of finished work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpinionReceipt {
    /// `provider/model`.
    pub model: String,
    /// What it thinks should happen with the work. It counts where it is worse than what was found mechanically.
    pub verdict: Verdict,
    /// What is wrong with the work, the worst first.
    pub objections: Vec<Objection>,
    /// Objections left out because their words stand nowhere.
    pub dropped: usize,
    /// Files of which it did not see all that changed.
    pub hidden: Vec<String>,
}

/// Something that a model says is wrong with finished work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Objection {
    /// The words it is about, from the difference, the plan or what ran.
    pub quote: String,
    /// What is wrong, and what would be right.
    pub problem: String,
    /// How bad that is.
    pub severity: Severity,
}

/// How bad an objection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A small change mends it.
    Revise,
    /// The work must not be merged as it is.
    Block,
}

/// Whether new tests fail without the change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewTestsReceipt {
    /// Files that hold new tests, sorted.
    pub files: Vec<String>,
    /// Tests that were added, by their declarations.
    pub added: usize,
    /// They were run without the change and failed; `None` when that could not be tried.
    pub fail_without_change: Option<bool>,
    /// Why, in words.
    pub why: String,
}
