//! PLAN arguments: a path, a number, a slug or the beginning of one → the plan's file, read and parsed.

use std::path::{Path, PathBuf};

use improve::backlog::{Backlog, BacklogError};
use improve::hint::Hint;
use improve::nearest::nearest;
use improve::os;
use improve::plan::Plan;
use improve::plan::parse::{NotAPlan, parse};
use improve::report::layout::count;

use super::failure::Failure;

/// A plan's file.
pub struct PlanFile {
    /// Its path, relative to the repository where it lies inside.
    pub path: String,
    /// Its file name without `.md`.
    pub slug: String,
    /// Its text.
    pub text: String,
}

impl PlanFile {
    /// The plan in it.
    pub fn parse(&self) -> Result<Plan, NotAPlan> {
        parse(&self.text)
    }

    /// The plan in it, for commands that cannot go on without.
    pub fn plan(&self) -> Result<Plan, Failure> {
        self.parse().map_err(|error| {
            let failure = Failure::usage(format!("{}: {error}", self.path));
            match Hint::hint(&error) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
    }
}

/// Finds and reads the plan that `argument` means.
pub fn read(argument: &str, root: &Path) -> Result<PlanFile, Failure> {
    let path = find(argument, root)?;
    let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
    let bytes = std::fs::read(&path).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{shown}: not UTF-8, so not a plan")).hint("a plan is a markdown file"))?;
    let slug = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(PlanFile { path: shown, slug, text })
}

/// A path as seen from the current folder, else what the backlog makes of it.
fn find(argument: &str, root: &Path) -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().unwrap_or_else(|_| root.to_owned());
    if let Some(path) = [here.join(argument), root.join(argument)].into_iter().find(|path| path.is_file()) {
        return os::canonical(&path).map_err(|error| Failure::usage(format!("{argument}: {error}")));
    }
    match Backlog::open(root)?.resolve(argument) {
        Ok(path) => Ok(root.join(path)),
        Err(BacklogError::Ambiguous { argument, candidates }) => {
            let failure = Failure::usage(format!("`{argument}` means {}", count(candidates.len(), "plan")));
            Err(Failure { places: candidates, ..failure.hint("write more of it") })
        }
        Err(BacklogError::NotFound { argument, known }) => {
            let failure = Failure::usage(format!("no plan is called `{argument}`"));
            let stem = |path: &str| path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md").to_owned();
            let names: Vec<String> = known.iter().map(|path| stem(path)).collect();
            Err(match nearest(&stem(&argument), names.iter().map(String::as_str)) {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None if known.is_empty() => failure.hint("there are no plans yet; `improve` writes some"),
                None => failure.hint("`improve status` lists the plans"),
            })
        }
        Err(error) => Err(error.into()),
    }
}
