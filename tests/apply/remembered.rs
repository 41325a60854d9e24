//! Gates whose command ran on the same files before: not run again where that proves nothing new, always run where it does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// A gate that is green, and how often it ran.
struct Counted {
    runs: PathBuf,
    gate: Gate,
}

impl Counted {
    fn new(world: &World) -> Counted {
        let runs = world.folder.path().join("runs");
        let command = format!("echo run >> {}; grep -q alpha src/app.txt", runs.display());
        Counted { runs, gate: gate(&command, Expectation::Exit(0)) }
    }

    fn runs(&self) -> usize {
        fs::read_to_string(&self.runs).unwrap_or_default().lines().count()
    }
}

#[test]
fn a_step_that_only_checks_what_was_just_checked_runs_nothing() {
    let world = World::new();
    let counted = Counted::new(&world);
    let mut plan = rename_plan();
    plan.steps[1].gates.push(counted.gate.clone());
    // The command is the same; what is expected of it is not.
    plan.steps.push(step(
        "Run the checks",
        vec![],
        vec![Gate { expectation: Expectation::NoOutput, ..counted.gate.clone() }],
    ));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Verified, 2));
    assert_eq!(counted.runs(), 2, "on the base, and at the second step");
    assert!(receipt.steps[2].gates[0].remembered && !receipt.steps[1].gates[2].remembered);
}

#[test]
fn the_second_clean_worktree_is_never_spared() {
    let world = World::new();
    let counted = Counted::new(&world);
    let mut plan = rename_plan();
    plan.steps[1].gates.push(counted.gate.clone());
    plan.done_criteria.push(criterion("all is well", vec![counted.gate.clone()]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, counted.runs()), (Outcome::Verified, 3));
    assert!(receipt.criteria.iter().flat_map(|criterion| &criterion.gates).all(|gate| !gate.remembered));
}

#[test]
fn a_command_that_a_step_and_a_criterion_share_is_run_once_when_work_of_others_is_verified() {
    let world = World::new();
    let counted = Counted::new(&world);
    let mut plan = rename_plan();
    plan.steps[1].gates.push(counted.gate.clone());
    plan.done_criteria.push(criterion("all is well", vec![counted.gate.clone()]));
    let done = world.branch_by_hand("done", &[("src/app.txt", "alpha\nBETA\nGAMMA\n")]);
    let receipt = world.verify(&plan, done).expect("it can be verified");
    assert_eq!((receipt.outcome, counted.runs()), (Outcome::Verified, 2));
}

/// Cuts a run off when the last gate of the second step is done on the work.
struct CutOff(std::sync::atomic::AtomicBool);

impl Observer for CutOff {
    fn event(&self, event: &Event<'_>) {
        use std::sync::atomic::Ordering;
        match event {
            Event::StepStarted { step: 2, .. } => self.0.store(true, Ordering::Relaxed),
            Event::GateFinished { result, .. }
                if result.command.contains("GAMMA") && self.0.load(Ordering::Relaxed) =>
            {
                panic!("cut off");
            }
            _ => {}
        }
    }
}

#[test]
fn a_run_that_is_taken_up_does_not_run_again_what_was_green_on_the_same_files() {
    let world = World::new();
    let counted = Counted::new(&world);
    let mut plan = rename_plan();
    plan.steps[1].gates.insert(0, counted.gate.clone());
    let observer = CutOff(false.into());
    let first = catch_unwind(AssertUnwindSafe(|| {
        world.apply_with(&plan, ApplyOptions::default(), &observer, &Cancel::new()).is_ok()
    }));
    assert!(first.is_err());
    assert_eq!(counted.runs(), 2, "on the base, and at the step");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, counted.runs()), (Outcome::Verified, 2));
    assert!(receipt.steps[1].gates[0].remembered);
}

#[test]
fn what_is_remembered_of_a_worktree_goes_with_it() {
    let world = World::new();
    let counted = Counted::new(&world);
    let mut plan = rename_plan();
    plan.steps[1].gates = vec![counted.gate.clone(), grep("nowhere")];
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    let memory = world.place().gates_of("001-rename");
    assert!(memory.exists());
    let runs = counted.runs();
    // It goes on in the same worktree, on the same files.
    assert_eq!(world.apply(&plan).expect("it goes on").outcome, Outcome::Failed);
    assert_eq!(counted.runs(), runs);
    fs::remove_dir_all(world.worktree()).expect("it is ours");
    assert_eq!(world.apply(&plan).expect("it goes on").outcome, Outcome::Failed);
    assert_eq!(counted.runs(), runs + 1);
    worktree::clean(&world.place(), Some("001-rename"), true).expect("nobody uses it");
    assert!(!memory.exists());
}
