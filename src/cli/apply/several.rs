//! Which plans are meant, in which order, and what each is built on.

use std::collections::BTreeMap;
use std::path::Path;

use improve::apply::branch_of;
use improve::apply::order::{Node, order};
use improve::backlog::{Backlog, BacklogError};
use improve::plan::Plan;
use improve::plan::index::PlanStatus;
use improve::receipt::Outcome;
use improve::worktree::Place;

use super::super::console::Console;
use super::super::failure::Failure;
use super::super::plan_argument::{self, PlanFile};

/// A plan that is to be carried out.
pub struct Chosen {
    /// Its file.
    pub file: PlanFile,
    /// What is in it.
    pub plan: Plan,
}

/// What a plan is built on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// Dependencies that are not DONE, as written.
    pub undone: Vec<String>,
    /// The branch of a dependency that is not merged yet.
    pub branch: Option<String>,
    /// Why it cannot begin, beside undone dependencies.
    pub problems: Vec<String>,
}

/// The plans that are named, or all that wait, each after those it depends on.
pub fn choose(
    arguments: &[String],
    all: bool,
    root: &Path,
    backlog: &Backlog,
    console: &Console,
) -> Result<Vec<Chosen>, Failure> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for argument in arguments {
        let file = plan_argument::read(argument, root)?;
        let plan = file.plan()?;
        if chosen.iter().all(|other| other.file.path != file.path) {
            chosen.push(Chosen { file, plan });
        }
    }
    if all {
        for known in backlog.plans() {
            if !is_waiting(backlog.status(Path::new(&known.path))?.as_ref()) {
                continue;
            }
            let file = plan_argument::read(&known.path, root)?;
            match file.plan() {
                Ok(plan) => chosen.push(Chosen { file, plan }),
                Err(failure) => console.warn(&format!("{}; left out", failure.message.unwrap_or_default())),
            }
        }
    }
    let nodes: Vec<Node> = chosen
        .iter()
        .map(|chosen| Node { path: chosen.file.path.clone(), depends_on: paths(&chosen.plan, backlog) })
        .collect();
    let order = order(&nodes)?;
    let mut places: Vec<Option<Chosen>> = chosen.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| places[index].take()).collect())
}

/// Outcomes of plans in progress whose steps are all carried out.
const RAN: [Outcome; 2] = [Outcome::PartlyVerified, Outcome::Unverified];

fn is_waiting(status: Option<&PlanStatus>) -> bool {
    match status {
        None | Some(PlanStatus::Todo | PlanStatus::Blocked(_)) => true,
        // Work that waits for somebody to look at it is not begun again.
        Some(PlanStatus::InProgress(note)) => {
            !RAN.iter().any(|outcome| note.starts_with(&format!("{},", outcome.words())))
        }
        Some(PlanStatus::Done(_) | PlanStatus::Rejected(_) | PlanStatus::Other(_)) => false,
    }
}

/// Paths of the plans that a plan depends on, as far as they are known.
pub fn paths(plan: &Plan, backlog: &Backlog) -> Vec<String> {
    let resolved = plan.status.depends_on.iter().filter_map(|dependency| backlog.resolve(dependency).ok());
    resolved.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// What `plan` is built on. `outcomes` are those of plans that this run carried out before it; in a dry run, one that fits counts as
/// done.
pub fn ground(
    plan: &Plan,
    backlog: &Backlog,
    place: &Place,
    outcomes: &BTreeMap<String, Outcome>,
    dry_run: bool,
) -> Result<Ground, Failure> {
    let mut ground = Ground::default();
    let mut unmerged: Vec<String> = Vec::new();
    for dependency in &plan.status.depends_on {
        let path = match backlog.resolve(dependency) {
            Ok(path) => path,
            Err(BacklogError::NotFound { .. }) => {
                ground.undone.push(dependency.clone());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let now = outcomes.get(path.to_string_lossy().as_ref());
        let is_done = match (now, dry_run) {
            (Some(outcome), true) => *outcome == Outcome::Unverified,
            (Some(outcome), false) => *outcome == Outcome::Verified,
            (None, _) => matches!(backlog.status(&path)?, Some(PlanStatus::Done(_))),
        };
        if !is_done {
            ground.undone.push(dependency.clone());
            continue;
        }
        let slug = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let branch = branch_of(&slug);
        if place.has_branch(&branch)? && !is_in(place, &branch, None)? {
            unmerged.push(branch);
        }
    }
    ground.branch = holder(&unmerged, place)?;
    if ground.branch.is_none() && !unmerged.is_empty() {
        ground
            .problems
            .push(format!("it depends on branches that are not merged with each other: {}", unmerged.join(", ")));
    }
    Ok(ground)
}

/// The same in a stack, whose newest branch is `top`.
pub fn on_top_of(ground: Ground, top: &str, place: &Place) -> Result<Ground, Failure> {
    let mut ground = ground;
    match ground.branch.take() {
        Some(branch) if !is_in(place, &branch, Some(top))? => {
            ground.problems.push(format!("it depends on {branch}, which is not in the stack on {top}"));
        }
        Some(_) | None => ground.branch = Some(top.to_owned()),
    }
    Ok(ground)
}

/// Where a stack goes on: the branch that holds all that was done and is not merged. Where no branch does, that is said, and the
/// stack begins anew.
pub fn foundation(backlog: &Backlog, place: &Place, console: &Console) -> Result<Option<String>, Failure> {
    let mut unmerged: Vec<String> = Vec::new();
    for known in backlog.plans() {
        let path = Path::new(&known.path);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let branch = branch_of(&stem);
        let is_done = matches!(backlog.status(path)?, Some(PlanStatus::Done(_)));
        if is_done && place.has_branch(&branch)? && !is_in(place, &branch, None)? {
            unmerged.push(branch);
        }
    }
    let holder = holder(&unmerged, place)?;
    if holder.is_none() && !unmerged.is_empty() {
        console.note(&format!("the stack begins anew: no branch holds all of {}", unmerged.join(", ")));
    }
    Ok(holder)
}

/// The branch that holds the commits of all.
fn holder(branches: &[String], place: &Place) -> Result<Option<String>, Failure> {
    for branch in branches {
        let held = branches.iter().map(|other| is_in(place, other, Some(branch))).collect::<Result<Vec<_>, _>>()?;
        if held.into_iter().all(|held| held) {
            return Ok(Some(branch.clone()));
        }
    }
    Ok(None)
}

/// Whether the commits of `branch` are in `other`, or in HEAD.
pub fn is_in(place: &Place, branch: &str, other: Option<&str>) -> Result<bool, Failure> {
    let (tip, other) = (place.commit_of(Some(branch))?, place.commit_of(other)?);
    Ok(place.merge_base(&tip, &other).is_ok_and(|base| base == tip))
}
