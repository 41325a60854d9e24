//! What works here: models, keys, prices and places, with what is missing and what to do about it.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Page, columns, indented, paint, style};
use super::sanitize;
use crate::model::{NanoDollars, Role};

/// Version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// What works here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Everything that is set works.
    pub healthy: bool,
    /// The roles.
    pub roles: Vec<RoleRow>,
    /// How far commands of the repository are kept from the rest of the machine.
    pub sandbox: SandboxRow,
    /// The agent CLIs that a role can be bound to.
    pub agents: Vec<AgentRow>,
    /// What one run may spend, in billionths of a dollar.
    pub max_usd: NanoDollars,
    /// Where that was said.
    pub max_usd_because: String,
    /// The day of the price table.
    pub prices_as_of: String,
    /// The repository that was named, or that the current folder lies in.
    pub repository: RepositoryRow,
    /// Folders and files of ours, by what they hold.
    pub places: Vec<PlaceRow>,
}

/// What is set up in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RepositoryRow {
    /// Its root.
    pub root: String,
    /// The commit that is checked out; null outside git and before the first one.
    pub commit: Option<String>,
    /// Why git cannot read it; null where it can.
    pub git_problem: Option<String>,
    /// It has an `improve.toml`.
    pub has_settings: bool,
    /// A hook of ours looks at pushes.
    pub has_hook: bool,
    /// Commands that somebody agreed to let it run.
    pub agreed_commands: usize,
}

/// A role and its model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleRow {
    /// The role.
    pub role: Role,
    /// `provider/model`; null when the built-in rules and recipes do its work.
    pub model: Option<String>,
    /// Why it is this one.
    pub because: String,
    /// How it is.
    pub state: RoleState,
    /// Anything wrong, in words.
    pub problem: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Dollars a million tokens of prompt and answer; null when not known.
    pub price: Option<String>,
    /// Tokens of a prompt, at most; null when not known.
    pub context: Option<u64>,
}

/// How a role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleState {
    /// No model.
    Unbound,
    /// Bound, and nobody looked whether it answers.
    Unchecked,
    /// Its server has it.
    Reachable,
    /// An agent CLI that is installed. Whether it is logged in shows when it is asked.
    Installed,
    /// Something is wrong.
    Broken,
}

/// The sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SandboxRow {
    /// `namespaces`, `landlock`, `seatbelt` or `none`.
    pub level: String,
    /// What is not kept from commands, and why no better level is had.
    pub missing: Vec<String>,
    /// What would raise it.
    pub hints: Vec<String>,
    /// Why commands are not run at all, when they are not.
    pub problem: Option<String>,
}

/// An agent CLI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentRow {
    /// What a role calls it.
    pub name: String,
    /// Its program; null where it is not installed.
    pub path: Option<String>,
    /// Its version by its own word; null where it did not say or was not asked.
    pub version: Option<String>,
    /// The version it was tried with here.
    pub tried: Option<String>,
    /// How to install it.
    pub install: Option<String>,
    /// It can carry out steps, too: it is known how it is run to change files.
    pub executes: bool,
}

/// A place of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaceRow {
    /// What it holds.
    pub what: String,
    /// Where it is.
    pub path: String,
}

/// Columns running text is set in at most.
const READABLE: usize = 100;
const WITHOUT_MODEL: &str =
    "No model is bound, and none is needed: built-in rules find, built-in recipes plan, exact edits apply.";
const WHAT_A_MODEL_ADDS: &str = "One would judge findings by reading the code, find what rules cannot see and carry out steps written in \
    words: set ANTHROPIC_API_KEY or OPENAI_API_KEY, say --planner claude for an agent CLI, or write `planner = \"provider/model\"` under \
    [models] in improve.toml. `improve audit --dry-run` then says what it would cost.";

/// The page for people.
pub fn doctor(document: &DoctorDocument, page: &Page) -> String {
    let mut text = format!("{}\n", paint(style::STRONG, "Models"));
    let rows: Vec<Vec<String>> = document.roles.iter().map(role_row).collect();
    text.push_str(&columns(&rows, page.width, 2));
    for row in &document.roles {
        if let Some(problem) = &row.problem {
            let mark = if row.state == RoleState::Broken { paint(style::BAD, "!") } else { paint(style::WARN, "!") };
            let _ = writeln!(text, "  {mark} {}: {}", row.role.label(), sanitize::line(problem));
            if let Some(hint) = &row.hint {
                let _ = writeln!(text, "    {} {}", paint(style::COMMAND, "hint:"), sanitize::line(hint));
            }
        }
    }
    if document.roles.iter().all(|row| row.model.is_none()) {
        for line in [WITHOUT_MODEL, WHAT_A_MODEL_ADDS] {
            text.push_str(&indented(line, 2, page.width.min(READABLE)));
        }
    }
    let rows: Vec<Vec<String>> = document.agents.iter().map(agent_row).collect();
    let _ = write!(text, "\n{}\n{}", paint(style::STRONG, "Agent CLIs"), columns(&rows, page.width, 2));
    text.push_str(&sandbox_lines(&document.sandbox, page));
    let _ = writeln!(
        text,
        "\n{}\n  at most {} a run ({}); prices as of {}",
        paint(style::STRONG, "Money"),
        document.max_usd,
        sanitize::line(&document.max_usd_because),
        document.prices_as_of
    );
    text.push_str(&repository(&document.repository, page));
    let rows: Vec<Vec<String>> = document
        .places
        .iter()
        .map(|place| vec![place.what.clone(), sanitize::line(&place.path).into_owned()])
        .collect();
    let _ = write!(text, "\n{}\n{}", paint(style::STRONG, "Places"), columns(&rows, page.width, 2));
    text
}

fn repository(row: &RepositoryRow, page: &Page) -> String {
    let commit = match (&row.commit, &row.git_problem) {
        (Some(commit), _) => format!("commit {}", commit.get(..9).unwrap_or(commit)),
        (None, Some(problem)) => format!("no history: {problem}"),
        (None, None) => "no commit yet".to_owned(),
    };
    let agreed = match row.agreed_commands {
        0 => "none agreed to yet: asked on a terminal, `--trust` elsewhere".to_owned(),
        agreed => format!("{agreed} agreed to"),
    };
    let or_init = |there: bool, flag: &str| {
        if there { "there".to_owned() } else { format!("none; `improve init {flag}` writes one") }
    };
    let rows = [
        ("root", row.root.clone()),
        ("git", commit),
        ("settings", or_init(row.has_settings, "--config")),
        ("hook", or_init(row.has_hook, "--hook")),
        ("commands", agreed),
    ];
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), sanitize::line(&value).into_owned()]).collect();
    format!("\n{}\n{}", paint(style::STRONG, "This repository"), columns(&rows, page.width, 2))
}

fn sandbox_lines(row: &SandboxRow, page: &Page) -> String {
    let (level, means) = match row.level.as_str() {
        "namespaces" => (
            style::GOOD,
            "commands see the worktree and toolchains, and no network but localhost; agent CLIs their own home and the network, too",
        ),
        "landlock" | "seatbelt" => (
            style::GOOD,
            "commands write in the worktree only, and have no network; agent CLIs their own home and the network, too",
        ),
        _ => (style::WARN, "commands and agent CLIs run with your rights"),
    };
    let mut text = format!("\n{}\n  {}\n", paint(style::STRONG, "Sandbox"), paint(level, &row.level));
    text.push_str(&indented(means, 4, page.width.min(READABLE)));
    if let Some(problem) = &row.problem {
        let _ = writeln!(text, "  {} {}", paint(style::BAD, "!"), sanitize::line(problem));
    }
    for missing in &row.missing {
        let _ = writeln!(text, "  {} {}", paint(style::WARN, "!"), sanitize::line(missing));
    }
    for hint in &row.hints {
        let _ = writeln!(text, "    {} {}", paint(style::COMMAND, "hint:"), sanitize::line(hint));
    }
    text
}

fn agent_row(row: &AgentRow) -> Vec<String> {
    let (state, place) = match &row.path {
        Some(path) => {
            let version = row.version.as_deref().unwrap_or("installed");
            (sanitize::line(version).into_owned(), path.clone())
        }
        None => (paint(style::FAINT, "not installed"), row.install.clone().unwrap_or_default()),
    };
    let tried = match (&row.version, &row.tried) {
        (Some(version), Some(tried)) if version != tried => format!("tried with {tried}"),
        _ => String::new(),
    };
    let work = if row.executes { "plans, carries out" } else { "plans" };
    vec![sanitize::line(&row.name).into_owned(), state, work.to_owned(), sanitize::line(&place).into_owned(), tried]
}

fn role_row(row: &RoleRow) -> Vec<String> {
    let state = match row.state {
        RoleState::Unbound => paint(style::FAINT, "built-in"),
        RoleState::Unchecked => paint(style::WARN, "not checked"),
        RoleState::Reachable => paint(style::GOOD, "reachable"),
        RoleState::Installed => paint(style::GOOD, "installed"),
        RoleState::Broken => paint(style::BAD, "broken"),
    };
    let model = row.model.as_deref().map_or("—".into(), |model| sanitize::line(model).into_owned());
    let price = match (&row.model, &row.price) {
        (None, _) => String::new(),
        (Some(_), Some(price)) => price.clone(),
        (Some(_), None) => "unpriced".to_owned(),
    };
    vec![row.role.label().to_owned(), model, state, price, sanitize::line(&row.because).into_owned()]
}
