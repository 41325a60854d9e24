//! The tools of an executor: what a model may call, and what their inputs are. What they do is the work's own matter.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::limits::Limits;
use crate::edit::surface::Surface;
use crate::model::conversation::Tool;
use crate::model::schema::strict;
use crate::secrets::of_files::masked;

pub(super) const READ: &str = "read";
pub(super) const EDIT: &str = "edit";
pub(super) const CREATE: &str = "create";
pub(super) const DELETE: &str = "delete";
pub(super) const RUN_GATE: &str = "run_gate";
pub(super) const ASK_PLANNER: &str = "ask_planner";
pub(super) const STOP: &str = "stop";

/// Lines that one call of `read` gives.
const MOST_LINES: usize = 300;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Read {
    /// Path from the root of the repository.
    pub file: String,
    /// First line, from 1; null for the start of the file.
    pub first_line: Option<u32>,
    /// Last line, included; null for as much as one call gives.
    pub last_line: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Create {
    /// Path from the root of the repository.
    pub file: String,
    /// The whole text of the new file.
    pub text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Delete {
    /// Path from the root of the repository.
    pub file: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct RunGate {}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct AskPlanner {
    /// One question, with the file and line it is about.
    pub question: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Stop {
    /// What stands in the way.
    pub reason: String,
}

/// The tools as a conversation offers them; `asks` says whether there is a planner to ask.
pub(super) fn tools(surface: Surface, limits: &Limits, asks: bool) -> Vec<Tool> {
    let tool = |name: &str, description: &str, input: Value| Tool {
        name: name.to_owned(),
        description: description.trim().to_owned(),
        input,
    };
    let limited = |text: &str, limit: u32| text.replace("@limit", &limit.to_string());
    let edit = format!("{}\n{}", include_str!("../../templates/executor/tools/edit.md").trim(), surface.instructions());
    let run_gate = limited(include_str!("../../templates/executor/tools/run_gate.md"), limits.gate_runs);
    let ask = limited(include_str!("../../templates/executor/tools/ask_planner.md"), limits.questions);
    let mut tools = vec![
        tool(READ, include_str!("../../templates/executor/tools/read.md"), strict::<Read>()),
        tool(EDIT, &edit, surface.parameters()),
        tool(CREATE, include_str!("../../templates/executor/tools/create.md"), strict::<Create>()),
        tool(DELETE, include_str!("../../templates/executor/tools/delete.md"), strict::<Delete>()),
        tool(RUN_GATE, &run_gate, strict::<RunGate>()),
    ];
    if asks {
        tools.push(tool(ASK_PLANNER, &ask, strict::<AskPlanner>()));
    }
    tools.push(tool(STOP, include_str!("../../templates/executor/tools/stop.md"), strict::<Stop>()));
    tools
}

/// Lines of a file as a model sees them: without numbers, so that they can be copied into an edit, credentials masked.
pub(super) fn lines(input: &Read, text: &str) -> Result<String, String> {
    let text = masked(&input.file, text);
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return Ok(format!("{} is empty", input.file));
    }
    let first = input.first_line.unwrap_or(1).max(1) as usize;
    if first > lines.len() {
        return Err(format!("{} has {} lines", input.file, lines.len()));
    }
    let wanted = input.last_line.map_or(lines.len(), |last| (last as usize).min(lines.len()));
    if wanted < first {
        return Err(format!("last_line {wanted} is before first_line {first}"));
    }
    let last = wanted.min(first + MOST_LINES - 1);
    let left = if last < wanted { format!("\n({} lines left)", wanted - last) } else { String::new() };
    Ok(format!(
        "{}, lines {first} to {last} of {}:\n{}{left}",
        input.file,
        lines.len(),
        lines[first - 1..last].join("\n")
    ))
}
