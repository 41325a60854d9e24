//! Drift of a plan's excerpts: what the plan quotes of the files it changes, and what stands there now.

use crate::git::Repository;
use crate::plan::drift::likeness::{Likeness, likeness};
use crate::plan::drift::{Drift, drift, locate};
use crate::plan::{Excerpt, Plan};
use crate::tree::Tree;
use crate::verifier::scope::ScopeRules;
use crate::worktree::Place;

use super::super::ApplyError;

/// An excerpt that was never word for word stands for its file as long as this share of its lines is there, in percent. A third of
/// the excerpts in public plans is abridged or retold.
const RETOLD: usize = 80;

/// Lines of an excerpt that are named.
const NAMED: usize = 3;

/// Excerpts of in-scope files whose text changed since the plan was written, in words. Text that moved is no drift.
pub(super) fn drifted(plan: &Plan, rules: &ScopeRules, place: &Place, commit: &str) -> Result<Vec<String>, ApplyError> {
    if plan.excerpts.is_empty() {
        return Ok(Vec::new());
    }
    let repository = Repository::discover(place.root())?;
    let now = repository.tree_of(&repository.resolve(commit)?)?;
    let planned = plan.status.planned_at_commit.as_deref().and_then(|planned| repository.resolve(planned).ok());
    let then = planned.as_ref().and_then(|planned| repository.tree_of(planned).ok());
    let then = then.as_ref().map(|tree| tree as &dyn Tree);
    let drifted = plan.excerpts.iter().filter_map(|excerpt| drift_of(excerpt, plan, rules, &now, then));
    Ok(drifted.collect())
}

fn drift_of(
    excerpt: &Excerpt,
    plan: &Plan,
    rules: &ScopeRules,
    now: &dyn Tree,
    then: Option<&dyn Tree>,
) -> Option<String> {
    let named = excerpt.file.as_deref()?;
    let file = locate(named, now).unwrap_or_else(|| named.to_owned());
    if !rules.allows(&file) || is_created(plan, &file) {
        return None;
    }
    match drift(excerpt, now) {
        Drift::Untouched | Drift::Moved { .. } | Drift::Unlocatable => None,
        Drift::Missing { .. } => {
            // A file that never was there is the plan's own slip, which the linter reports.
            let was_there = then.is_none_or(|then| locate(named, then).is_some());
            was_there.then(|| format!("{file}, which the plan quotes and changes, is not there any more"))
        }
        Drift::Changed { .. } => {
            let likeness_now = likeness(excerpt, now);
            let changed = match then {
                Some(then) if is_whole(&drift(excerpt, then)) => true,
                Some(then) => !likeness_now.is_at_least(RETOLD) && likeness_now.found < likeness(excerpt, then).found,
                None => !likeness_now.is_at_least(RETOLD),
            };
            changed.then(|| describe(excerpt, &file, &likeness_now))
        }
    }
}

fn is_whole(drift: &Drift) -> bool {
    match drift {
        Drift::Untouched | Drift::Moved { .. } => true,
        Drift::Changed { .. } | Drift::Missing { .. } | Drift::Unlocatable => false,
    }
}

fn is_created(plan: &Plan, file: &str) -> bool {
    plan.scope.in_scope.iter().any(|entry| entry.create && entry.path.as_deref() == Some(file))
}

/// Which lines of the excerpt are not there any more.
fn describe(excerpt: &Excerpt, file: &str, likeness: &Likeness) -> String {
    let first = excerpt.lines.map(|(first, _)| first as usize);
    let line = |(offset, text): &(usize, String)| match first {
        Some(first) => format!("line {} `{text}`", first + offset),
        None => format!("`{text}`"),
    };
    let named: Vec<String> = likeness.missing.iter().take(NAMED).map(line).collect();
    let more = likeness.missing.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = if named.is_empty() { "its lines stand in another order".to_owned() } else { named.join(", ") };
    format!(
        "{file} has changed since the plan was written: of the {} lines it quotes, {} still stand there; changed: {what}{more}",
        likeness.of, likeness.found
    )
}
