//! GitHub Actions workflows, as rules about continuous integration ask about them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file of `.github/workflows`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workflow {
    /// Its path.
    pub path: String,
    /// What starts it (`push`, `pull_request_target`, …), sorted.
    pub triggers: Vec<String>,
    /// What its token may do, unless a job says otherwise.
    pub permissions: Permissions,
    /// Jobs, in the order of the file.
    pub jobs: Vec<WorkflowJob>,
}

/// A job of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowJob {
    /// Its key under `jobs`.
    pub id: String,
    /// The line of its key.
    pub line: u32,
    /// The condition it runs under, as written.
    pub condition: Option<String>,
    /// The reusable workflow it calls instead of having steps.
    pub uses: Option<String>,
    /// `secrets: inherit`: what it calls gets every secret.
    pub inherits_secrets: bool,
    /// What its token may do.
    pub permissions: Permissions,
    /// Labels of the machine it runs on, as written.
    pub runs_on: String,
    /// Steps, in order.
    pub steps: Vec<WorkflowStep>,
}

/// A step of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowStep {
    /// The line it starts on.
    pub line: u32,
    /// The condition it runs under, as written.
    pub condition: Option<String>,
    /// The action it uses, with its reference.
    pub uses: Option<String>,
    /// The inputs of that action, by name.
    pub with: Vec<(String, String)>,
    /// What it runs.
    pub run: Option<WorkflowScript>,
    /// The JavaScript that `actions/github-script` gets as its input `script`.
    pub inline: Option<WorkflowScript>,
    /// The shell it names.
    pub shell: Option<String>,
    /// The folder it runs in, as written.
    pub working_directory: Option<String>,
    /// It has an `env` mapping of its own.
    pub has_env: bool,
}

/// The text of `run:`, or of another key that holds a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowScript {
    /// The line of the key.
    pub line: u32,
    /// The script.
    pub text: String,
    /// A literal block (`|`): line `n` of the text stands `n + 1` lines below the key.
    pub literal: bool,
}

/// What a workflow's token may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permissions {
    /// Not said: what the workflow, the repository or the organisation grants.
    #[default]
    Unsaid,
    /// Nothing, or only reading.
    Read,
    /// Writing to something.
    Write,
    /// `write-all`.
    WriteAll,
}

impl WorkflowScript {
    /// The line of the file where line `index` (from 0) of the text stands; the key's when that cannot be told.
    pub fn file_line(&self, index: usize) -> u32 {
        if self.literal { self.line + 1 + index as u32 } else { self.line }
    }
}
