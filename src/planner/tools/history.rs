//! `history`: what git says of a file.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::callers::more;
use super::{ReadTool, ReadTools, parsed, paths, said};
use crate::model::schema::strict;
use crate::repo_map::{FileHistory, FileId, RepoMap};
use crate::report::sanitize;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "history",
    description: include_str!("../../../templates/planner/tools/history.md"),
    input: strict::<Input>,
    run,
};

/// Files shown that change with it.
const MAX_TOGETHER: usize = 20;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// Path of a source file from the root of the repository.
    path: String,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { path } = parsed(input)?;
    let path = paths::file(tools.map, &path)?;
    let Some((id, file)) = tools.map.file_by_path(&path) else {
        return Err(format!("{} is no source file that is mapped; its history is not kept", said(&path)));
    };
    let FileHistory { churn_90d, last_change, authors } = file.history;
    let name = sanitize::line(&path);
    let Some(last_change) = last_change else {
        return Ok(format!("{name}: no commit of the history that was walked touches it\n"));
    };
    let date = Timestamp::from_second(last_change)
        .map_or_else(|_| "not known".to_owned(), |time| time.to_zoned(TimeZone::UTC).date().to_string());
    let mut page = format!(
        "{name}\n  commits in the 90 days before the newest one: {churn_90d}\n  last change: {date}\n  authors: {authors}\n"
    );
    let together = together(tools.map, id);
    if together.is_empty() {
        page.push_str("  no other source file usually changes with it\n");
    } else {
        page.push_str("  changes together with:\n");
    }
    for &(other, times) in together.iter().take(MAX_TOGETHER) {
        page.push_str(&format!("    {}: {times} times\n", sanitize::line(&tools.map.file(other).path)));
    }
    page.push_str(&more(together.len(), MAX_TOGETHER));
    Ok(page)
}

/// Files that change with `file` and how often they did, the strongest first.
fn together(map: &RepoMap, file: FileId) -> Vec<(FileId, u32)> {
    let pairs = map.co_change.pairs.iter().filter(|pair| pair.one == file || pair.other == file);
    let mut found: Vec<(FileId, u32, f64)> = pairs
        .map(|pair| (if pair.one == file { pair.other } else { pair.one }, pair.together, pair.strength))
        .collect();
    found.sort_by(|left, right| right.2.total_cmp(&left.2).then(left.0.cmp(&right.0)));
    found.into_iter().map(|(other, times, _)| (other, times)).collect()
}
