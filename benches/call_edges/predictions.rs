//! What is scored: our own map of a folder, through the same rows as `improve map --calls`, or rows from a file.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use improve::git;
use improve::map::{self, MapOptions};
use improve::progress::NoProgress;
use improve::repo_map::RepoMap;
use improve::repo_map::history::History;
use improve::report::map_lines::{self, CallRow};

use crate::score::{Prediction, parse};

/// What is scored.
pub struct Predicted {
    /// The edges.
    pub rows: Vec<Prediction>,
    /// The source files that were read; unknown of another tool.
    pub files: Option<BTreeSet<String>>,
}

/// The predictions at `path`.
pub fn read(path: &Path) -> Result<Predicted, Box<dyn Error>> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if path.is_dir() {
        let map = map_folder(path).map_err(|error| at(&error))?;
        let rows = map_lines::calls(&map, false, &|_| true).map(prediction).collect();
        return Ok(Predicted { rows, files: Some(map.files.iter().map(|file| file.path.clone()).collect()) });
    }
    let text = fs::read_to_string(path).map_err(|error| at(&error))?;
    Ok(Predicted { rows: parse(&text).map_err(|error| at(&error))?, files: None })
}

/// The map without history, which calls do not depend on.
fn map_folder(folder: &Path) -> Result<RepoMap, Box<dyn Error>> {
    let tree = git::Repository::discover(folder)?.working_tree()?;
    Ok(map::build(&tree, &MapOptions::default(), &History::default(), None, &NoProgress)?)
}

fn prediction(row: CallRow) -> Prediction {
    let CallRow {
        caller_file,
        caller_name,
        caller_line: _,
        call_line,
        call_name,
        callee_file,
        callee_name,
        callee_line,
        how,
        confidence: _,
    } = row;
    Prediction {
        caller_file,
        caller_name: Some(caller_name),
        call_line: Some(call_line),
        call_name: Some(call_name),
        callee_file,
        callee_name,
        callee_line,
        how: how.map(|how| how.label().to_owned()),
    }
}
