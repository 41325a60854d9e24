//! What a recipe knows about the change: the part of a plan that does not depend on the repository's commands.
//!
//! [`crate::planner`] turns a draft into a plan: it quotes the excerpts, picks the commands, finds the test to model on
//! and writes the rest of the document.

use crate::finding::Risk;
use crate::plan::expectation::Expectation;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::CommandPurpose;

/// The draft of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanDraft {
    /// Imperative, without the plan's number: what will be true afterwards.
    pub title: String,
    /// Two to five sentences: the problem, its concrete cost, what improves.
    pub why: String,
    /// Facts the executor needs beside the excerpts of the evidence, one paragraph each.
    pub context: Vec<String>,
    /// Further places to quote in "Current state": path, first line, last line, role of the place.
    pub excerpts: Vec<ExcerptDraft>,
    /// Steps, at least one.
    pub steps: Vec<StepDraft>,
    /// Files the plan may touch, with a remark (`create` for new ones). Files of edits are added by the planner.
    pub in_scope: Vec<ScopeDraft>,
    /// Things that look related and must stay, each with the reason.
    pub out_of_scope: Vec<(String, String)>,
    /// Tests to write, one line each; empty when existing tests prove the change.
    pub tests: Vec<String>,
    /// Cases the executor would forget.
    pub edge_cases: Vec<String>,
    /// What must be true before the first step, beside a clean checkout.
    pub prerequisites: Vec<String>,
    /// Criteria that are false now and true afterwards, beside those the planner derives from exact edits.
    pub goals: Vec<GateDraft>,
    /// Plan-specific reasons to stop.
    pub stop_conditions: Vec<String>,
    /// For whoever owns the code afterwards.
    pub maintenance: Vec<String>,
    /// What the change may break, when that differs from the finding's estimate.
    pub risk: Option<Risk>,
}

/// A place to quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptDraft {
    /// Path.
    pub file: String,
    /// First line.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// What the place has to do with the plan.
    pub role: String,
}

/// A file the plan may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDraft {
    /// Path.
    pub path: String,
    /// `create`, or what is to be changed in it.
    pub remark: String,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDraft {
    /// Imperative.
    pub title: String,
    /// What to do: exact files, symbols, the target shape. Markdown.
    pub instruction: String,
    /// Exact edits; empty when the change needs judgement.
    pub edits: Vec<EditDraft>,
    /// What proves the step.
    pub gates: Vec<GateDraft>,
}

/// One exact edit of a file as it is now. The planner turns it into SEARCH/REPLACE text that is unique in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditDraft {
    /// Replace the bytes of `span` with `text` (empty span: insert).
    Replace {
        /// Path.
        file: String,
        /// Bytes to replace.
        span: Span,
        /// What stands there afterwards.
        text: String,
    },
    /// Create a file.
    Create {
        /// Path.
        file: String,
        /// Its text.
        text: String,
    },
    /// Delete a file.
    Delete {
        /// Path.
        file: String,
    },
}

/// A gate, before it is known which command the repository has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateDraft {
    /// The repository's own command for this purpose, nearest to the finding's file. Left out when it has none.
    Project(CommandPurpose),
    /// `git grep -nF -e TEXT -- FILE`: the text must be gone.
    TextGone {
        /// One line, or part of one.
        text: String,
        /// Path.
        file: String,
    },
    /// `git grep -nF -e TEXT -- FILE`: the text must be there.
    TextPresent {
        /// One line, or part of one.
        text: String,
        /// Path.
        file: String,
    },
    /// A command of its own.
    Command {
        /// The command line, run at the root of the repository.
        command: String,
        /// What it must give.
        expectation: Expectation,
    },
    /// The tests the plan adds pass: the project's test command with `N new tests pass`.
    NewTests(u32),
}
