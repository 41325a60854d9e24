//! `list`: what stands in a folder.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::callers::more;
use super::{ReadTool, ReadTools, parsed, paths};
use crate::model::schema::strict;
use crate::repo_map::{FileRole, RepoMap, SkipReason};
use crate::report::layout::{count, grouped};
use crate::report::sanitize;

pub(super) const TOOL: ReadTool = ReadTool {
    name: "list",
    description: include_str!("../../../templates/planner/tools/list.md"),
    input: strict::<Input>,
    run,
};

/// Rows shown.
const MAX_ROWS: usize = 200;

#[derive(JsonSchema, Deserialize)]
struct Input {
    /// A folder from the root of the repository, like `src/api`; null for the root.
    path: Option<String>,
}

fn run(tools: &mut ReadTools<'_>, input: &Value) -> Result<String, String> {
    let Input { path: asked } = parsed(input)?;
    let asked = asked.as_deref().map(str::trim).filter(|path| !path.is_empty()).unwrap_or(".");
    let map = tools.map;
    let path = paths::inside(map, asked)?;
    let rows = rows(map, &path);
    if rows.is_empty() {
        // Says whether it is a file, a mistake, or something that was left out.
        let file = paths::file(map, asked)?;
        let lines = map.file_by_path(&file).map_or(String::new(), |(_, file)| format!(" ({})", lines(file.lines)));
        return Ok(format!("{} is a file{lines}; `read` shows it\n", sanitize::line(&file)));
    }
    let all = rows.len();
    let shown: Vec<String> = rows.into_iter().take(MAX_ROWS).collect();
    Ok(format!("{}{}", shown.concat(), more(all, MAX_ROWS)))
}

#[derive(Default)]
struct Folder {
    files: usize,
    lines: usize,
}

/// Folders, then files, each in order of name.
fn rows(map: &RepoMap, path: &str) -> Vec<String> {
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let mut add = |file, own_lines: usize, said: String| {
        let Some(rest) = paths::below(file, path) else { return };
        match rest.split_once('/') {
            Some((folder, _)) => {
                let folder = folders.entry(folder).or_default();
                folder.files += 1;
                folder.lines += own_lines;
            }
            None => {
                files.insert(rest, said);
            }
        }
    };
    for file in &map.files {
        let role = role(file.role).map_or(String::new(), |role| format!(", {role}"));
        add(&file.path, file.lines as usize, format!("  {}, {}{role}", lines(file.lines), file.language.label()));
    }
    for file in &map.other_files {
        add(file, 0, String::new());
    }
    for skipped in &map.skipped {
        add(&skipped.path, 0, format!("  not mapped: {}", reason(skipped.reason)));
    }
    let prefix = if path.is_empty() { String::new() } else { format!("{}/", sanitize::line(path)) };
    let folders = folders.into_iter().map(|(name, folder)| {
        let (name, files) = (sanitize::line(name), count(folder.files, "file"));
        format!("{prefix}{name}/  {files}, {} lines of source\n", grouped(folder.lines))
    });
    let files = files.into_iter().map(|(name, said)| format!("{prefix}{}{said}\n", sanitize::line(name)));
    folders.chain(files).collect()
}

fn lines(number: u32) -> String {
    count(number as usize, "line")
}

/// What to know of a file before opening it.
fn role(role: FileRole) -> Option<&'static str> {
    match role {
        FileRole::Production => None,
        FileRole::Test => Some("test"),
        FileRole::Example => Some("example"),
        FileRole::Script => Some("script"),
        FileRole::Migration => Some("migration"),
        FileRole::Generated => Some("generated"),
    }
}

fn reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Vendored => "copied from elsewhere",
        SkipReason::Generated => "generated",
        SkipReason::Minified => "minified",
        SkipReason::Binary => "not text",
        SkipReason::TooLarge => "too large",
        SkipReason::NotUtf8 => "not UTF-8",
        SkipReason::Symlink => "a symbolic link",
        SkipReason::Unreadable => "cannot be read",
        SkipReason::TooSlow => "took too long to parse",
    }
}
