//! Section names: what `improve` writes, and what other plans call the same thing.

/// A section this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    /// Status.
    Status,
    /// Why this matters.
    Why,
    /// Current state.
    CurrentState,
    /// Commands you will need.
    Commands,
    /// Scope.
    Scope,
    /// In scope, as a section of its own.
    InScope,
    /// Out of scope, as a section of its own.
    OutOfScope,
    /// Git workflow.
    GitWorkflow,
    /// Prerequisites.
    Prerequisites,
    /// Steps.
    Steps,
    /// Test plan.
    TestPlan,
    /// Edge cases.
    EdgeCases,
    /// Done criteria.
    Done,
    /// STOP conditions.
    Stop,
    /// Maintenance notes.
    Maintenance,
}

/// What a heading names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// The section.
    pub known: Known,
    /// The heading is the name this program writes.
    pub exact: bool,
    /// What the heading says beside the name: `(in this order)`.
    pub remark: String,
}

/// Names in lower case, the written one first. Counted in public plans of this format.
const NAMES: [(Known, &[&str]); 15] = [
    (Known::Status, &["status", "metadata", "plan status", "状态", "статус"]),
    (
        Known::Why,
        &[
            "why this matters",
            "why",
            "background",
            "problem",
            "problem statement",
            "motivation",
            "rationale",
            "context",
            "goal",
            "objective",
            "why this plan",
            "purpose",
            "overview",
            "summary",
        ],
    ),
    (
        Known::CurrentState,
        &[
            "current state",
            "current evidence",
            "starting state",
            "current problem",
            "current situation",
            "current behavior",
            "current behaviour",
            "current code",
            "existing state",
            "evidence",
        ],
    ),
    (
        Known::Commands,
        &["commands you will need", "commands", "commands you'll need", "useful commands", "verification commands"],
    ),
    (Known::Scope, &["scope", "files in scope", "scope of changes"]),
    (Known::InScope, &["in scope", "in-scope", "in-scope files", "files to change", "files to modify"]),
    (Known::OutOfScope, &["out of scope", "out-of-scope", "non-goals", "non goals"]),
    (Known::GitWorkflow, &["git workflow", "git", "branch and commits", "version control"]),
    (Known::Prerequisites, &["prerequisites", "preconditions", "before you start", "preflight"]),
    (
        Known::Steps,
        &[
            "steps",
            "implementation steps",
            "implementation",
            "implementation plan",
            "execution steps",
            "execution plan",
            "step by step",
            "step-by-step",
            "tasks",
            "work plan",
            "步骤",
            "шаги",
        ],
    ),
    (
        Known::TestPlan,
        &[
            "test plan",
            "verification plan",
            "real-system proof plan",
            "testing plan",
            "testing",
            "tests",
            "test strategy",
            "verification",
        ],
    ),
    (Known::EdgeCases, &["edge cases", "edge cases to handle"]),
    (
        Known::Done,
        &[
            "done criteria",
            "definition of done",
            "acceptance",
            "acceptance criteria",
            "done when",
            "success criteria",
            "completion criteria",
            "exit criteria",
            "done",
        ],
    ),
    (
        Known::Stop,
        &["stop conditions", "stop", "escape hatches", "stop and report", "when to stop", "stop condition", "stop if"],
    ),
    (
        Known::Maintenance,
        &["maintenance notes", "maintenance and removal", "maintenance", "maintenance & removal", "maintenance note"],
    ),
];

impl Known {
    /// The heading as `improve` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Known::Status => "Status",
            Known::Why => "Why this matters",
            Known::CurrentState => "Current state",
            Known::Commands => "Commands you will need",
            Known::Scope | Known::InScope | Known::OutOfScope => "Scope",
            Known::GitWorkflow => "Git workflow",
            Known::Prerequisites => "Prerequisites",
            Known::Steps => "Steps",
            Known::TestPlan => "Test plan",
            Known::EdgeCases => "Edge cases",
            Known::Done => "Done criteria",
            Known::Stop => "STOP conditions",
            Known::Maintenance => "Maintenance notes",
        }
    }

    /// The section it is written under.
    pub fn place(self) -> Known {
        match self {
            Known::InScope | Known::OutOfScope => Known::Scope,
            _ => self,
        }
    }
}

/// The known section a heading names, if any.
pub(crate) fn lookup(heading: &str) -> Option<Match> {
    let plain = crate::plan::markdown::plain(heading);
    let unnumbered = strip_number(&plain);
    let start = unnumbered.find(char::is_alphanumeric)?;
    let text = unnumbered[start..].trim().trim_end_matches([':', '：']).trim_end();
    let cut = remark_start(text);
    let (name, remark) = text.split_at(cut);
    let lower = name.trim().to_lowercase();
    for (known, names) in NAMES {
        if names.contains(&lower.as_str()) {
            let exact = lower == names[0] && remark.trim().is_empty();
            let remark = remark.trim().trim_start_matches(['—', '–', '-', ':', '：']).trim().to_owned();
            return Some(Match { known, exact, remark });
        }
    }
    None
}

/// `text` without a leading `3.` or `3)`.
fn strip_number(text: &str) -> &str {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() == text.len() {
        return text;
    }
    digits.strip_prefix(['.', ')']).unwrap_or(text)
}

/// Where the remark after a name starts.
fn remark_start(text: &str) -> usize {
    [" (", "(", " —", " –", " - ", ": ", "："].iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len())
}
