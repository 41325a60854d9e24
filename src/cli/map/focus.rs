//! `--focus`: from words to the files and definitions meant.

use improve::map::rank::Focus;
use improve::survey::Survey;

use super::query;
use crate::cli::failure::Failure;
use crate::cli::words;

/// The word for files that differ from HEAD.
const DIFF: &str = "diff";

/// What the words mean: `diff`, a path, or else a definition.
pub fn read(words: &[String], survey: &Survey) -> Result<Focus, Failure> {
    let mut focus = Focus::default();
    for word in words {
        if word == DIFF {
            focus.files.extend(changed(survey)?);
        } else if let Some(path) = words::path(word, &survey.root) {
            focus.files.extend(files(&path, survey)?);
        } else {
            focus.symbols.push(query::definition(&survey.map, word)?.id);
        }
    }
    focus.files.sort_unstable();
    focus.files.dedup();
    Ok(focus)
}

/// Source files that differ from HEAD.
fn changed(survey: &Survey) -> Result<Vec<u32>, Failure> {
    let Some(git) = &survey.git else {
        return Err(Failure::usage("--focus diff: the folder is no git repository").hint("name a file or a definition"));
    };
    let paths = git.dirty_paths(&[])?;
    let files: Vec<u32> = paths.iter().filter_map(|path| Some(survey.map.file_by_path(path)?.0)).collect();
    if files.is_empty() {
        return Err(Failure::usage("--focus diff: no source file differs from HEAD"));
    }
    Ok(files)
}

fn files(path: &str, survey: &Survey) -> Result<Vec<u32>, Failure> {
    let filter = words::Filter::new(&[path.to_owned()])?;
    let files: Vec<u32> =
        survey.map.files_with_ids().filter(|(_, file)| filter.keeps(&file.path)).map(|(id, _)| id).collect();
    if files.is_empty() {
        return Err(Failure::usage(format!("--focus {path}: no source file that improve reads")));
    }
    Ok(files)
}
