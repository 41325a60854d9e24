//! What the settings of `[apply]` make of plans: checks that are run whatever a plan names, questions before them and between steps, their size,
//! what is said before they begin.

use improve::apply::record::newest;
use improve::plan::expectation::Expectation;
use improve::plan::{Criterion, Gate, Plan};
use improve::receipt::{Outcome, Receipt};
use improve::repo_map::recon::CommandPurpose;
use improve::report::layout::count;
use improve::report::receipt::minutes;
use improve::report::sanitize;
use improve::settings::apply::ApplySettings;
use improve::worktree::Place;
use inquire::{InquireError, Select};

use super::super::Context;
use super::super::console::Console;
use super::super::failure::Failure;
use super::super::trust::confirm;
use super::several::Chosen;

/// Adds to a plan what the settings ask for. `command` is the repository's own for a purpose and a path.
pub fn extend(plan: &mut Plan, settings: &ApplySettings, command: impl Fn(CommandPurpose, &str) -> Option<String>) {
    let touched = plan.scope.in_scope.iter().find_map(|entry| entry.path.clone()).unwrap_or_default();
    for purpose in settings.checks() {
        let Some(command) = command(purpose, &touched) else { continue };
        let gates = plan.done_criteria.iter().flat_map(|criterion| &criterion.gates);
        if gates.into_iter().any(|gate| gate.command == command) {
            continue;
        }
        let (expectation, expected) = match purpose {
            CommandPurpose::Test => (Expectation::AllPass, "all pass"),
            _ => (Expectation::Exit(0), "exit 0"),
        };
        let text = format!("`{command}` → {expected}");
        let gate = Gate { command, expectation, expected: expected.to_owned(), line: 0 };
        plan.done_criteria.push(Criterion { checked: false, text, gates: vec![gate], line: 0 });
    }
    if settings.checkpoint_between_steps.value {
        for step in plan.steps.iter_mut().skip(1).filter(|step| step.checkpoint.is_none()) {
            step.checkpoint = Some(format!("go on with \"{}\"?", step.title));
        }
    }
}

/// Why a plan is too long, where it is.
pub fn too_long(plan: &Plan, settings: &ApplySettings) -> Option<String> {
    let most = settings.max_plan_steps.value;
    let steps = plan.steps.len();
    (steps > most).then(|| format!("it has {steps} steps, and {} allows {most}", settings.max_plan_steps.origin))
}

/// The plans that somebody approves of, where the settings want them to be asked about. Nobody to ask, no approval.
pub fn approved(chosen: Vec<Chosen>, policy: &ApplySettings, context: &Context) -> Result<Vec<Chosen>, Failure> {
    let refused = || {
        let origin = &policy.require_approval.origin;
        Failure::usage(format!("nobody approved of the plans, and {origin} requires it"))
            .hint("read them; then run the same again with --yes")
    };
    if !context.console.interactive {
        return Err(refused());
    }
    let title = |one: &Chosen| sanitize::line(&format!("{}: {}", one.file.path, one.plan.title)).into_owned();
    if !policy.allow_skip.value || chosen.len() == 1 {
        let titles: Vec<String> = chosen.iter().map(title).collect();
        return if confirm(&format!("Carry out {}?", titles.join("; ")))? { Ok(chosen) } else { Err(refused()) };
    }
    const ANSWERS: [&str; 3] = ["carry it out", "leave it out", "stop"];
    let mut approved = Vec::new();
    for one in chosen {
        match Select::new(&title(&one), ANSWERS.to_vec()).raw_prompt() {
            Ok(answer) if answer.index == 0 => approved.push(one),
            Ok(answer) if answer.index == 1 => {}
            Ok(_) | Err(InquireError::OperationCanceled) => return Err(refused()),
            Err(InquireError::OperationInterrupted) => return Err(Failure::interrupted()),
            Err(error) => return Err(Failure::usage(format!("the question cannot be asked: {error}"))),
        }
    }
    Ok(approved)
}

/// Says how long the plans will take, by what the steps of earlier runs took here. Without earlier runs nobody knows.
pub fn say_estimated_time(chosen: &[Chosen], place: &Place, console: &Console) {
    /// Runs that are looked at, the newest.
    const RUNS: usize = 50;
    let receipts = newest(&place.receipts(), RUNS);
    let of_step = |receipt: &Receipt| {
        let steps = u64::try_from(receipt.steps.len()).ok().filter(|steps| *steps > 0)?;
        (receipt.outcome == Outcome::Verified).then_some(receipt.duration_ms / steps)
    };
    let mut each: Vec<u64> = receipts.iter().filter_map(of_step).collect();
    each.sort_unstable();
    let Some(median) = each.get(each.len() / 2) else { return };
    let steps: usize = chosen.iter().map(|one| one.plan.steps.len()).sum();
    let whole = median.saturating_mul(u64::try_from(steps).unwrap_or(u64::MAX));
    console.note(&format!(
        "{} with {}: about {}, by {} before",
        count(chosen.len(), "plan"),
        count(steps, "step"),
        minutes(whole),
        count(each.len(), "verified run")
    ));
}

#[cfg(test)]
mod tests {
    use improve::plan::Step;

    use super::*;

    fn command(purpose: CommandPurpose, _: &str) -> Option<String> {
        match purpose {
            CommandPurpose::Test => Some("npm test".to_owned()),
            CommandPurpose::Lint => Some("npm run lint".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn checks_are_added_once_and_questions_stand_between_steps() {
        let mut settings = ApplySettings::default();
        for switch in [&mut settings.run_tests, &mut settings.run_typecheck, &mut settings.checkpoint_between_steps] {
            switch.value = true;
        }
        let step = |title: &str| Step { title: title.to_owned(), ..Step::default() };
        let mut plan = Plan { steps: vec![step("One"), step("Two")], ..Plan::default() };
        extend(&mut plan, &settings, command);
        extend(&mut plan, &settings, command);
        let texts: Vec<&str> = plan.done_criteria.iter().map(|criterion| criterion.text.as_str()).collect();
        assert_eq!(texts, ["`npm test` → all pass"], "there is no type checker, and nobody asked for the linter");
        let questions: Vec<_> = plan.steps.iter().map(|step| step.checkpoint.as_deref()).collect();
        assert_eq!(questions, [None, Some("go on with \"Two\"?")]);
    }

    #[test]
    fn a_plan_with_too_many_steps_is_told_by_whom() {
        let mut settings = ApplySettings::default();
        let plan = Plan { steps: vec![Step::default(); 3], ..Plan::default() };
        assert_eq!(too_long(&plan, &settings), None);
        settings.max_plan_steps.value = 2;
        assert_eq!(too_long(&plan, &settings).as_deref(), Some("it has 3 steps, and default allows 2"));
    }
}
