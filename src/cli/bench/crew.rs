//! Who is measured, and the question before money is spent on it.

use improve::bench::crew::Crew;
use improve::bench::task::Task;
use improve::bench::trial::{Arm, TrialKey};
use improve::model::{NanoDollars, Role};
use improve::report::bench::NotMeasured;
use improve::settings::{Origin, Setting, Settings};

use super::super::Context;
use super::super::apply::crew::{CrewArgs, able_to_execute};
use super::super::failure::Failure;
use super::super::globals::Workspace;
use super::super::models::agreed_to;
use super::super::planning::count;

/// Who is measured; without a `single`, the planner works alone.
pub fn bound(single: Option<&str>, crew: &CrewArgs, settings: &Settings) -> Result<Crew, Failure> {
    let planner = crew.bound(Role::Planner, settings)?;
    let single = match single {
        None => planner.clone().map(able_to_execute).transpose()?,
        Some(text) => {
            let mut settings = settings.clone();
            let setting = Setting { value: text.to_owned(), origin: Origin::Flag("--single") };
            settings.model.models.insert(Role::Executor, setting);
            crew.bound(Role::Executor, &settings)?
        }
    };
    let executor = crew.bound(Role::Executor, settings)?;
    Ok(Crew { planner, executor, single, verifier: crew.bound(Role::Verifier, settings)? })
}

/// The arms that can be measured; the others with what is missing.
pub fn measurable(wanted: &[Arm], crew: &Crew, offline: bool, not_measured: &mut Vec<NotMeasured>) -> Vec<Arm> {
    let wanted = Arm::ALL.into_iter().filter(|arm| wanted.is_empty() || wanted.contains(arm));
    let mut arms = Vec::new();
    for arm in wanted {
        if crew.models(arm).is_some() {
            arms.push(arm);
            continue;
        }
        let missing = match arm {
            Arm::Single => "no model is bound to work alone",
            Arm::Plan if crew.planner.is_none() => "no planner is bound",
            Arm::Plan | Arm::Exact => "no executor is bound",
        };
        let why = if offline { "--offline asks no model" } else { missing };
        not_measured.push(NotMeasured { what: format!("the arm {}", arm.label()), why: why.to_owned() });
    }
    arms
}

/// Says what is about to be measured and what that may cost, and asks where that is much and somebody is there. `false` is a no.
pub fn agree(
    crew: &Crew,
    due: &[(&Task, TrialKey)],
    dry_run: bool,
    yes: bool,
    workspace: &Workspace,
    context: &Context,
) -> Result<bool, Failure> {
    let console = &context.console;
    let mut cost = Some(NanoDollars::ZERO);
    let mut parts = Vec::new();
    for arm in Arm::ALL {
        let paid = due.iter().filter(|(_, key)| key.arm == arm && !key.models.is_none()).count();
        let free = due.iter().filter(|(_, key)| key.arm == arm && key.models.is_none()).count();
        if free > 0 {
            parts.push(format!("{} of {} without a model", count(free, "trial", "trials"), arm.label()));
        }
        let Some(models) = crew.models(arm).filter(|_| paid > 0) else { continue };
        let workers: Vec<String> = [models.planner, models.executor].into_iter().flatten().collect();
        let reader = models.verifier.map(|reader| format!(" (read by {reader})")).unwrap_or_default();
        let (trials, workers) = (count(paid, "trial", "trials"), workers.join(" and "));
        parts.push(format!("{trials} of {} by {workers}{reader}", arm.label()));
        cost = cost.zip(crew.estimate(arm, paid)).map(|(sum, part)| sum + part);
    }
    if due.is_empty() {
        console.note("every trial is in the records; --fresh holds them again");
        return Ok(true);
    }
    let spends = due.iter().any(|(_, key)| !key.models.is_none());
    let limit = workspace.settings.model.max_usd.value;
    let price = match cost {
        _ if !spends => "costs nothing".to_owned(),
        Some(cost) => {
            let short = if cost > limit { ", where it stops; the same command goes on with the rest" } else { "" };
            format!("about {cost}, at most {limit}{short}; --max-usd sets the limit, --offline asks no model")
        }
        None => format!("a price is not known, so the limit of {limit} holds for known ones alone"),
    };
    let said = format!("{}: {price}", parts.join(", "));
    match (dry_run, yes || !spends) {
        (true, _) => console.ask(&said),
        (false, true) => console.note(&said),
        (false, false) => return agreed_to(&said, cost, &workspace.settings, console),
    }
    Ok(true)
}
