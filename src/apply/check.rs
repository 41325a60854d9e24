//! Does the plan fit the repository? Everything that can be told before anything is written or run.

use std::collections::{BTreeMap, BTreeSet};

use super::{ApplyError, ApplyRequest};
use crate::edit::apply::{Message, apply};
use crate::edit::explain::FailureCode;
use crate::gate::GateResult;
use crate::plan::Plan;
use crate::receipt::{Outcome, Verdict};
use crate::reconcile::Fit;
use crate::verifier::scope::ScopeRules;
use crate::verifier::verdict::Decision;
use crate::worktree::{Place, Worktree};

mod excerpts;

/// A decision not to go on, for these reasons.
pub(super) fn blocked(reasons: Vec<String>) -> Decision {
    let hint = Some("bring the plan up to date with the repository, then run again".to_owned());
    Decision { outcome: Outcome::Blocked, verdict: Verdict::Block, reasons, hint }
}

/// What a run that cannot begin, or cannot replay its work, says of an install command that failed.
pub(super) fn not_installed(install: Option<&GateResult>) -> Option<Decision> {
    let install = install.filter(|install| !install.green)?;
    Some(blocked(vec![format!("the install command failed: `{}`: {}", install.command, install.why)]))
}

/// What stops the plan at the commit `head`; `None` when nothing does.
pub(super) fn check(request: &ApplyRequest<'_>, place: &Place, head: &str) -> Result<Option<Decision>, ApplyError> {
    let plan = request.plan;
    let rules = ScopeRules::of(plan, request.plan_path);
    let mut reasons: Vec<String> = request.problems.to_vec();
    if plan.steps.is_empty() {
        reasons.push("the plan has no steps".to_owned());
    }
    for fault in ScopeRules::faults(plan) {
        reasons.push(format!("the plan names `{}`, which is refused: {}", fault.path, fault.why));
    }
    for dependency in request.undone_dependencies {
        reasons.push(format!("it depends on {dependency}, which is not DONE"));
    }
    if reasons.is_empty() {
        for file in plan.edited_paths().collect::<BTreeSet<_>>() {
            if place.is_ignored(head, file)? {
                reasons.push(format!("git ignores `{file}`, so what the plan writes there could not be committed"));
            }
        }
        for path in plan.named_paths().collect::<BTreeSet<_>>() {
            if let Some(why) = place.foreign(head, path)? {
                reasons.push(format!("`{path}` {why}, so the plan cannot change it here"));
            }
        }
    }
    if reasons.is_empty() {
        let misfits = misfits(plan, 0, &rules, &|path| place.text_at(head, path))?;
        reasons.extend(misfits.reasons);
        if !misfits.is_done {
            reasons.extend(excerpts::drifted(plan, &rules, place, request.excerpts_at.unwrap_or(head))?);
        }
    }
    if !reasons.is_empty() {
        return Ok(Some(blocked(reasons)));
    }
    let dirty: Vec<String> = place.dirty_files()?.into_iter().filter(|file| is_touched(plan, &rules, file)).collect();
    if dirty.is_empty() { Ok(None) } else { Err(ApplyError::Dirty { files: dirty }) }
}

/// Whether a plan fits the files at the commit `head`: its exact edits, and what it quotes of the files it changes.
pub fn fit(plan: &Plan, plan_path: &str, place: &Place, head: &str) -> Result<Fit, ApplyError> {
    let rules = ScopeRules::of(plan, plan_path);
    let misfits = misfits(plan, 0, &rules, &|path| place.text_at(head, path))?;
    if misfits.is_done {
        return Ok(Fit::IsDone);
    }
    let drifted = excerpts::drifted(plan, &rules, place, head)?;
    let reasons: Vec<String> = misfits.reasons.into_iter().chain(drifted).collect();
    Ok(if reasons.is_empty() { Fit::Fits } else { Fit::Misfits(reasons) })
}

/// Whether the plan may change a file. A plan whose scope names no path changes what its edits name.
fn is_touched(plan: &Plan, rules: &ScopeRules, file: &str) -> bool {
    !rules.is_ours(file) && (rules.allows(file) || plan.edited_paths().any(|path| path == file))
}

/// Exact edits of the steps behind `done` that no longer fit the worktree, in words. What a step changed may be what a later one
/// counted on; that is better known before the steps between are paid for.
pub(super) fn misfits_ahead(
    plan: &Plan,
    done: usize,
    rules: &ScopeRules,
    worktree: &Worktree,
) -> Result<Vec<String>, ApplyError> {
    let ahead = Plan { steps: plan.steps[done..].to_vec(), ..Plan::default() };
    let read = |path: &str| Ok(worktree.text(path));
    Ok(misfits(&ahead, done, rules, &read)?.reasons)
}

/// How the exact edits of a plan fit.
struct Misfits {
    /// Those that do not, in words.
    reasons: Vec<String>,
    /// All of them are in the files already, so that what the plan quotes cannot be there any more.
    is_done: bool,
}

/// Exact edits that no longer fit the files at the base. They are tried one step after the other on what the steps before made;
/// beyond a step that somebody else carries out, nothing can be told yet. `before` counts the steps that are done.
fn misfits(
    plan: &Plan,
    before: usize,
    rules: &ScopeRules,
    read: &dyn Fn(&str) -> Result<Option<String>, crate::worktree::WorktreeError>,
) -> Result<Misfits, ApplyError> {
    let mut texts: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut reasons = Vec::new();
    let mut is_done = !plan.steps.is_empty();
    for (index, step) in plan.steps.iter().enumerate() {
        if super::steps::needs_somebody(step) {
            is_done = false;
            break;
        }
        let paths: BTreeSet<&str> = step.edits.iter().flat_map(|edit| edit.paths()).collect();
        for path in paths {
            if !texts.contains_key(path) {
                texts.insert(path.to_owned(), read(path)?);
            }
        }
        let in_scope = |path: &str| !rules.is_known() || rules.allows(path);
        let preimages = BTreeMap::new();
        match apply(&Message { texts: &texts, edits: &step.edits, in_scope: &in_scope, preimages: &preimages }) {
            Ok(changes) => {
                is_done &= changes.files.is_empty();
                texts.extend(changes.files);
            }
            Err(failures) => {
                let done = failures.iter().all(|failure| failure.code == FailureCode::AlreadyApplied);
                is_done &= done;
                let failures = failures.iter().filter(|_| !done);
                reasons.extend(
                    failures.map(|failure| format!("step {} does not fit any more: {failure}", before + index + 1)),
                );
            }
        }
    }
    Ok(Misfits { reasons, is_done })
}
