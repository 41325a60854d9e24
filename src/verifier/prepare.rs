//! Preparing a worktree: ignored files, submodules and dependencies, before anything that a plan wrote exists in it.

use crate::backlog::Backlog;
use crate::gate::GateResult;
use crate::gate::runner::Runner;
use crate::plan::expectation::Expectation;
use crate::plan::{Gate, Plan};
use crate::receipt::Prepared;
use crate::worktree::{Place, Worktree, bring};

use super::VerifyError;
use super::scope::ScopeRules;

/// How dependencies are fetched: as given, else the plan's command for that purpose.
pub fn install_command(plan: &Plan, given: Option<&str>) -> Option<String> {
    let of_plan = || {
        let row = plan.commands.iter().find(|row| row.purpose.to_lowercase().contains("install"))?;
        Some(row.command.as_str()).filter(|command| !command.trim().is_empty())
    };
    given.or_else(of_plan).map(str::to_owned)
}

/// Prepares `worktree`, which is clean. What the install command leaves there is set aside, unless the plan may change it: then
/// it is put back, so that making it is the plan's work.
pub fn prepare(
    place: &Place,
    worktree: &mut Worktree,
    install: Option<&str>,
    rules: &ScopeRules,
    runner: &Runner<'_>,
) -> Result<Prepared, VerifyError> {
    let commit = worktree.head()?;
    let mut limits = place.limits(&commit, &bring::submodules(place, worktree)?)?;
    let included = bring::included(place, worktree)?;
    limits.extend(uncommitted_files(place, rules)?);
    let install = install.map(|command| run_install(worktree, command, rules, runner)).transpose()?;
    let aside = worktree.aside().to_vec();
    if !aside.is_empty() {
        limits.push(format!("left by the install command, and nobody's work: {}", aside.join(", ")));
    }
    Ok(Prepared { install, included, aside, limits })
}

/// Prepares a second worktree from one that is prepared: what was installed there is brought over, not fetched again. Where there is
/// nothing to bring, the install command is run, and what it gave is returned: where it failed, what gates give there says nothing.
pub fn prepare_again(
    place: &Place,
    from: &Worktree,
    to: &mut Worktree,
    install: Option<&str>,
    rules: &ScopeRules,
    runner: &Runner<'_>,
) -> Result<Option<GateResult>, VerifyError> {
    bring::submodules(place, to)?;
    bring::included(place, to)?;
    let brought = bring::dependencies(from, to)?;
    bring::aside(from, to)?;
    let missing = install.filter(|_| brought.is_empty());
    missing.map(|command| run_install(to, command, rules, runner)).transpose()
}

fn run_install(
    worktree: &mut Worktree,
    command: &str,
    rules: &ScopeRules,
    runner: &Runner<'_>,
) -> Result<GateResult, VerifyError> {
    let gate =
        Gate { command: command.to_owned(), expectation: Expectation::Exit(0), expected: "exit 0".to_owned(), line: 0 };
    let result = runner.run_install(&gate, worktree.folder())?;
    let left: Vec<String> = worktree.untracked()?.into_iter().filter(|path| !rules.reaches(path)).collect();
    worktree.set_aside(&left);
    // A lockfile that was brought up to date, say: gates must see the commit's own.
    worktree.reset_to(&worktree.head()?)?;
    Ok(result)
}

/// Uncommitted work of the user's is not in a worktree at a commit; that is said once, without names. Plans are no part of the base
/// anyway.
fn uncommitted_files(place: &Place, rules: &ScopeRules) -> Result<Option<String>, VerifyError> {
    let plans = Backlog::open(place.root()).map(|backlog| format!("{}/", backlog.folder())).ok();
    let is_plan = |file: &String| {
        rules.is_ours(file)
            || rules.is_beside_the_plan(file)
            || plans.as_ref().is_some_and(|plans| file.starts_with(plans))
    };
    let dirty = place.dirty_files()?.iter().filter(|file| !is_plan(file)).count();
    Ok(match dirty {
        0 => None,
        1 => Some("a file with uncommitted changes in your tree is not part of the base".to_owned()),
        _ => Some(format!("{dirty} files with uncommitted changes in your tree are not part of the base")),
    })
}
