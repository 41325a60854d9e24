//! PLAN arguments: a path, a number, a slug or a prefix that only one plan has.

use std::path::{Component, Path, PathBuf};

use super::{BacklogError, PlanFile};

/// Candidates and known plans that are listed.
const MAX_LISTED: usize = 10;

pub(super) fn resolve(root: &Path, folder: &str, plans: &[PlanFile], argument: &str) -> Result<PathBuf, BacklogError> {
    let argument = argument.trim();
    let as_path = Path::new(argument);
    let full = root.join(as_path);
    if !argument.is_empty() && full.is_file() {
        let relative = full.strip_prefix(root).unwrap_or(&full);
        // `./plans/001-a.md` is `plans/001-a.md`.
        return Ok(relative.components().filter(|part| !matches!(part, Component::CurDir)).collect());
    }
    let inner = argument.trim_start_matches("./");
    let inner = inner.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or(inner);
    let name = inner.strip_suffix(".md").unwrap_or(inner);
    if let Ok(number) = name.trim_start_matches('#').parse::<u32>() {
        let numbered: Vec<&PlanFile> = plans.iter().filter(|plan| plan.number == Some(number)).collect();
        // Sub-folders restart their numbers: a plan directly in the folder comes first.
        let direct: Vec<&PlanFile> = numbered
            .iter()
            .copied()
            .filter(|plan| plan.path.matches('/').count() == folder.matches('/').count() + 1)
            .collect();
        return one(argument, if direct.is_empty() { numbered } else { direct }, plans);
    }
    let stem = |plan: &PlanFile| plan.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".md").to_owned();
    let below =
        |plan: &PlanFile| plan.path.strip_prefix(folder).unwrap_or(&plan.path).trim_start_matches('/').to_owned();
    let exact: Vec<&PlanFile> = plans
        .iter()
        .filter(|plan| plan.slug == name || stem(plan) == name || below(plan).trim_end_matches(".md") == name)
        .collect();
    if !exact.is_empty() {
        return one(argument, exact, plans);
    }
    let starts = |text: &str| !name.is_empty() && text.starts_with(name);
    let prefixed =
        plans.iter().filter(|plan| starts(&plan.slug) || starts(&stem(plan)) || starts(&below(plan))).collect();
    one(argument, prefixed, plans)
}

fn one(argument: &str, found: Vec<&PlanFile>, plans: &[PlanFile]) -> Result<PathBuf, BacklogError> {
    match found.as_slice() {
        [plan] => Ok(PathBuf::from(&plan.path)),
        [] => {
            let known = plans.iter().take(MAX_LISTED).map(|plan| plan.path.clone()).collect();
            Err(BacklogError::NotFound { argument: argument.to_owned(), known })
        }
        _ => {
            let candidates = found.iter().take(MAX_LISTED).map(|plan| plan.path.clone()).collect();
            Err(BacklogError::Ambiguous { argument: argument.to_owned(), candidates })
        }
    }
}
