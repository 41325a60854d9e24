//! Preparing a worktree: ignored files, submodules and dependencies, before anything that a plan wrote exists in it.

use crate::gate::runner::Runner;
use crate::plan::expectation::Expectation;
use crate::plan::{Gate, Plan};
use crate::receipt::Prepared;
use crate::worktree::{Place, Worktree, bring};

use super::VerifyError;

/// How dependencies are fetched: as given, else the plan's command for that purpose.
pub fn install_command(plan: &Plan, given: Option<&str>) -> Option<String> {
    let of_plan = || {
        let row = plan.commands.iter().find(|row| row.purpose.to_lowercase().contains("install"))?;
        Some(row.command.as_str()).filter(|command| !command.trim().is_empty())
    };
    given.or_else(of_plan).map(str::to_owned)
}

/// Prepares `worktree`, which is at `commit`.
pub fn prepare(
    place: &Place,
    worktree: &Worktree,
    commit: &str,
    install: Option<&str>,
    runner: &Runner<'_>,
) -> Result<Prepared, VerifyError> {
    let mut limits = place.limits(commit)?;
    bring::submodules(place, worktree)?;
    let included = bring::included(place, worktree)?;
    limits.extend(uncommitted_plan_inputs(place)?);
    let install = install.map(|command| run_install(worktree, command, runner)).transpose()?;
    Ok(Prepared { install, included, limits })
}

/// Prepares a second worktree from one that is prepared: what was installed there is brought over, not fetched again.
pub fn prepare_again(
    place: &Place,
    from: &Worktree,
    to: &Worktree,
    install: Option<&str>,
    runner: &Runner<'_>,
) -> Result<(), VerifyError> {
    bring::submodules(place, to)?;
    bring::included(place, to)?;
    if bring::dependencies(from, to)?.is_empty()
        && let Some(command) = install
    {
        run_install(to, command, runner)?;
    }
    Ok(())
}

fn run_install(
    worktree: &Worktree,
    command: &str,
    runner: &Runner<'_>,
) -> Result<crate::gate::GateResult, VerifyError> {
    let gate =
        Gate { command: command.to_owned(), expectation: Expectation::Exit(0), expected: "exit 0".to_owned(), line: 0 };
    let mut results = runner.run_all(&[("install".to_owned(), &gate)], worktree.folder(), &|_| None)?;
    Ok(results.remove(0))
}

/// Uncommitted work of the user's is not in a worktree at a commit; that is said once, without names.
fn uncommitted_plan_inputs(place: &Place) -> Result<Option<String>, VerifyError> {
    let dirty = place.dirty_files()?.len();
    Ok((dirty > 0).then(|| format!("{dirty} files with uncommitted changes in your tree are not part of the base")))
}
