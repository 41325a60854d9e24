//! Rows: the findings of another tool, one JSON object a line.
//!
//! `{"repo", "commit", "path", "line", "rule"}` is a finding. A row without a path says how the tool ran at the commit: nothing more
//! when it read the whole tree, `"files": […]` when it was given those alone, `"failure": "why"` when it gave no answer. A commit
//! without any row counts as not run.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// What a tool found, by repository and commit.
pub struct Rows {
    /// The tool: the name of the file.
    pub tool: String,
    runs: BTreeMap<(String, String), Run>,
}

/// What it found at one commit.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Its findings.
    pub rows: Vec<Row>,
    /// The files it was given; `None` for the whole tree.
    pub files: Option<BTreeSet<String>>,
    /// Why there is no answer.
    pub failure: Option<String>,
}

/// A finding.
#[derive(Debug, Clone)]
pub struct Row {
    /// The file.
    pub path: String,
    /// The line.
    pub line: u32,
    /// The tool's name of the rule.
    pub rule: String,
}

#[derive(Deserialize)]
struct Written {
    repo: String,
    commit: String,
    path: Option<String>,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    rule: String,
    files: Option<BTreeSet<String>>,
    failure: Option<String>,
}

impl Rows {
    /// Reads a file of rows.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut runs: BTreeMap<(String, String), Run> = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let Written { repo, commit, path: file, line, rule, files, failure } =
                serde_json::from_str(line).map_err(|error| format!("{}:{number}: {error}", path.display()))?;
            let run = runs.entry((repo, commit)).or_default();
            run.rows.extend(file.map(|path| Row { path, line, rule }));
            run.files = files.or_else(|| run.files.take());
            run.failure = failure.or_else(|| run.failure.take());
        }
        let tool = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { tool, runs })
    }

    /// What it found in `repo` at `commit`.
    pub fn at(&self, repo: &str, commit: &str) -> Run {
        let not_run = || Run { failure: Some("not run".to_owned()), ..Run::default() };
        self.runs.get(&(repo.to_owned(), commit.to_owned())).cloned().unwrap_or_else(not_run)
    }
}
