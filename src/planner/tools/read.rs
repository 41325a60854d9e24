//! `read`: numbered lines of one file.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{MAX_CHARACTERS, ReadTool, ReadTools, cut, parsed, paths, said};
use crate::model::schema::strict;
use crate::report::layout::count;
use crate::report::sanitize;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "read",
    description: include_str!("../../../templates/planner/tools/read.md"),
    input: strict::<Input>,
    run,
};

/// Lines of one call.
const MAX_LINES: usize = 400;
/// Characters of one line: longer ones are data or minified.
const MAX_LINE: usize = 2_000;
/// Characters kept for what stands around the lines.
const FRAME: usize = 1_000;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// Path from the root of the repository, like `src/orders/api.ts`.
    path: String,
    /// First line, from 1; null for the start of the file.
    start_line: Option<u32>,
    /// Last line, included; null for as much as one call gives.
    end_line: Option<u32>,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { path, start_line, end_line } = parsed(input)?;
    let path = paths::file(tools.map, &path)?;
    let text = tools.text(&path)?;
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return Ok(format!("{} is empty", said(&path)));
    }
    let start = start_line.unwrap_or(1).max(1) as usize;
    if start > lines.len() {
        return Err(format!(
            "start_line {start} is beyond the end of {}, which has {}",
            said(&path),
            count(lines.len(), "line")
        ));
    }
    let wanted = end_line.map_or(lines.len(), |end| (end as usize).min(lines.len()));
    if wanted < start {
        return Err(format!("end_line {wanted} is before start_line {start}"));
    }
    let width = wanted.to_string().len();
    let mut body = String::new();
    let mut room = MAX_CHARACTERS - FRAME;
    let mut end = start - 1;
    for (line, number) in lines[start - 1..wanted].iter().zip(start..).take(MAX_LINES) {
        let entry = format!("{number:>width$}| {}\n", cut(line, MAX_LINE));
        let Some(left) = room.checked_sub(entry.chars().count()) else { break };
        room = left;
        body.push_str(&entry);
        end = number;
    }
    let name = sanitize::line(&path);
    let mut page = format!("{name}, lines {start} to {end} of {}\n{body}", lines.len());
    if end < lines.len() {
        let left = count(lines.len() - end, "line");
        page.push_str(&format!("({left} left: go on with start_line {})\n", end + 1));
    }
    Ok(page)
}
