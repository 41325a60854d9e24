//! Gates that contradict themselves: what they give proves nothing, and nobody is blamed for it.

use super::*;

/// A gate that fails at these of its runs, counted from 0 over all worktrees; and how often it ran.
struct Moody {
    runs: PathBuf,
    gate: Gate,
}

impl Moody {
    /// `fails` is a pattern of the shell's `case`.
    fn new(world: &World, fails: &str) -> Moody {
        let runs = world.folder.path().join("runs");
        let count = format!("echo run >> {0}; n=$(($(wc -l < {0}) - 1))", runs.display());
        let command = format!("{count}; case $n in {fails}) exit 1;; esac");
        Moody { runs, gate: gate(&command, Expectation::Exit(0)) }
    }

    fn runs(&self) -> usize {
        fs::read_to_string(&self.runs).unwrap_or_default().lines().count()
    }
}

/// [`rename_plan`] with a gate at its second step and the same one as a criterion.
fn plan_with(gate: &Gate) -> Plan {
    let mut plan = rename_plan();
    plan.steps[1].gates.push(gate.clone());
    plan.done_criteria.push(criterion("it is well", vec![gate.clone()]));
    plan
}

fn marks(receipt: &Receipt) -> Vec<&str> {
    receipt.baseline.iter().filter(|entry| entry.flaky.is_some()).map(|entry| entry.of.as_str()).collect()
}

#[test]
fn a_goal_that_is_red_by_accident_proves_nothing() {
    let world = World::new();
    let moody = Moody::new(&world, "0");
    let receipt = world.apply(&plan_with(&moody.gate)).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::PartlyVerified, Verdict::Revise));
    let how = "on the base commit it gave: exit 1, expected 0; and when it was run there again: exit 0";
    let why = format!("`{}` is flaky, so what it gives proves nothing: {how}", moody.gate.command);
    assert_eq!(receipt.reasons, [why]);
    assert_eq!(marks(&receipt), ["step 2", "criterion 5"]);
    assert_eq!((receipt.criteria[4].met, receipt.vacuous), (None, false), "other goals are sound");
}

#[test]
fn a_plan_whose_only_goal_is_flaky_is_vacuous_and_unverified() {
    let world = World::new();
    let moody = Moody::new(&world, "0");
    let mut plan = plan_with(&moody.gate);
    plan.steps.iter_mut().for_each(|step| step.gates = vec![moody.gate.clone()]);
    plan.done_criteria = vec![criterion("it is well", vec![moody.gate.clone()])];
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.vacuous), (Outcome::Unverified, true));
    assert_eq!(receipt.reasons[0], "every command of the plan is flaky, so nothing was measured");
}

#[test]
fn a_guard_that_is_red_once_on_the_work_stops_nobody_and_proves_nothing() {
    let world = World::new();
    // Green on the base, red at the second step, green when it is looked at again.
    let moody = Moody::new(&world, "1");
    let receipt = world.apply(&plan_with(&moody.gate)).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::PartlyVerified, 2));
    assert_eq!(receipt.steps[1].status, StepStatus::Green);
    let how = "on the same files of the work it gave: exit 1, expected 0; and then: exit 0";
    assert!(receipt.reasons[0].ends_with(how), "{:?}", receipt.reasons);
    assert_eq!(marks(&receipt), ["step 2", "criterion 5"]);
}

#[test]
fn a_guard_that_turned_red_on_the_base_too_is_not_blamed_on_the_work() {
    let world = World::new();
    let moody = Moody::new(&world, "[1-9]*");
    let receipt = world.apply(&plan_with(&moody.gate)).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::PartlyVerified, 2));
    assert_eq!(receipt.steps[1].status, StepStatus::Flaky);
    let how = "on the base commit it gave: exit 0; and when it was run there again: exit 1, expected 0";
    assert!(receipt.reasons[0].ends_with(how), "{:?}", receipt.reasons);
    assert_eq!(receipt.reasons.len(), 1, "{:?}", receipt.reasons);
    // The base, the step twice, the base again, the criterion.
    assert_eq!((moody.runs(), world.leftovers()), (5, vec![]));
}

#[test]
fn a_guard_that_the_work_broke_is_blamed_once_that_is_certain() {
    let world = World::new();
    let runs = world.folder.path().join("runs");
    let guard = gate(&format!("echo run >> {}; grep -q gamma src/app.txt", runs.display()), Expectation::Exit(0));
    let receipt = world.apply(&plan_with(&guard)).expect("the plan fits");
    assert_eq!((receipt.outcome, marks(&receipt)), (Outcome::Failed, vec![]));
    assert_eq!(receipt.reasons, [format!("step 2: `{}`: exit 1, expected 0", guard.command)]);
    // The base, the step twice, the base again.
    assert_eq!(fs::read_to_string(&runs).expect("it ran").lines().count(), 4);
    let second = world.worktree().with_extension("replay");
    assert!(world.worktree().exists() && !second.exists(), "the worktree of the look stays behind");
}

#[test]
fn a_command_is_flaky_if_any_gate_that_expects_something_of_it_turns() {
    let world = World::new();
    let runs = world.folder.path().join("runs");
    // Exit 2, then exit 1: the first gate is red both times, the second is not.
    let command = format!("echo run >> {0}; test $(wc -l < {0}) -gt 1 || exit 2; exit 1", runs.display());
    let gates = [gate(&command, Expectation::Exit(0)), gate(&command, Expectation::Exit(1))];
    let mut plan = rename_plan();
    plan.done_criteria.extend(gates.map(|gate| criterion("it is well", vec![gate])));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!(marks(&receipt), ["criterion 5", "criterion 6"]);
    let on_the_base = receipt.baseline.iter().filter(|entry| entry.result.command == command).count();
    assert_eq!(on_the_base, 2);
}

/// [`rename_plan`] with an install command that works once, and leaves what a gate needs.
fn plan_that_installs_once(world: &World, gate_command: &str) -> Plan {
    let flag = world.folder.path().join("installed");
    let mut plan = rename_plan();
    plan.commands.push(PlanCommand {
        purpose: "Install".to_owned(),
        command: format!("test ! -e {0} && touch {0} && mkdir -p ignored && touch ignored/it", flag.display()),
        ..PlanCommand::default()
    });
    plan.steps[1].gates.push(gate(gate_command, Expectation::Exit(0)));
    plan
}

#[test]
fn an_install_command_that_fails_for_the_second_look_makes_nothing_flaky() {
    let world = World::new();
    let plan = plan_that_installs_once(&world, "test -e ignored/it && grep -q gamma src/app.txt");
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, marks(&receipt)), (Outcome::Failed, vec![]));
    assert!(receipt.reasons[0].starts_with("step 2: `test -e ignored/it"), "{:?}", receipt.reasons);
}

#[test]
fn work_is_not_judged_where_its_dependencies_could_not_be_installed() {
    let world = World::new();
    let receipt = world.apply(&plan_that_installs_once(&world, "test -e ignored/it")).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.criteria), (Outcome::Blocked, vec![]));
    assert!(receipt.reasons[0].starts_with("the install command failed: `test ! -e"), "{:?}", receipt.reasons);
}

#[test]
fn a_gate_that_behaves_is_not_run_more_often_but_for_goals_on_the_base() {
    let runs_of = |fails: &str| {
        let world = World::new();
        let moody = Moody::new(&world, fails);
        let outcome = world.apply(&plan_with(&moody.gate)).expect("the plan fits").outcome;
        (outcome, moody.runs())
    };
    // The base, the step, the criterion.
    assert_eq!(runs_of("none"), (Outcome::Verified, 3));
    // The base twice, the step, the criterion.
    assert_eq!(runs_of("0|1"), (Outcome::Verified, 4));
}

#[test]
fn a_criterion_that_is_red_once_in_the_replay_is_not_failed_and_not_met() {
    let world = World::new();
    let moody = Moody::new(&world, "1");
    let mut plan = rename_plan();
    plan.done_criteria.push(criterion("it is well", vec![moody.gate.clone()]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.criteria[4].met), (Outcome::PartlyVerified, None));
    assert!(receipt.criteria[4].why.ends_with("is flaky: it gave one thing and then the other on the same files"));
}

#[test]
fn a_criterion_that_turned_red_on_the_base_too_is_not_held_against_the_work() {
    let world = World::new();
    let moody = Moody::new(&world, "[1-9]*");
    let mut plan = rename_plan();
    plan.done_criteria.push(criterion("it is well", vec![moody.gate.clone()]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.criteria[4].met), (Outcome::PartlyVerified, None));
    assert_eq!((moody.runs(), world.leftovers()), (4, vec![]));
}

#[test]
fn a_flaky_guard_is_known_to_whoever_verifies_the_work_of_others() {
    let world = World::new();
    let moody = Moody::new(&world, "1");
    let done = world.branch_by_hand("done", &[("src/app.txt", "alpha\nBETA\nGAMMA\n")]);
    let receipt = world.verify(&plan_with(&moody.gate), done).expect("it can be verified");
    assert_eq!((receipt.outcome, marks(&receipt)), (Outcome::PartlyVerified, vec!["step 2", "criterion 5"]));
}

#[test]
fn what_is_known_to_be_flaky_stays_so_when_a_run_is_taken_up() {
    let world = World::new();
    let moody = Moody::new(&world, "1");
    let flag = world.folder.path().join("flag");
    let mut plan = plan_with(&moody.gate);
    // Green on the base, so that the step has nothing to do but to check.
    let needs_flag = gate(&format!("! grep -q GAMMA src/app.txt || test -f {}", flag.display()), Expectation::Exit(0));
    plan.steps.push(step("Check that the flag is there", vec![], vec![needs_flag]));
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    fs::write(&flag, "").expect("the folder is ours");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, marks(&receipt)), (Outcome::PartlyVerified, vec!["step 2", "criterion 5"]));
}

#[test]
fn what_showed_itself_as_flaky_in_a_step_that_stopped_is_known_too() {
    let world = World::new();
    let moody = Moody::new(&world, "1");
    let flag = world.folder.path().join("flag");
    let mut plan = plan_with(&moody.gate);
    // In the step of the flaky gate, so that the step stops in which that is found.
    let broken = gate(&format!("! grep -q GAMMA src/app.txt || test -f {}", flag.display()), Expectation::Exit(0));
    plan.steps[1].gates.push(broken);
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    fs::write(&flag, "").expect("the folder is ours");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, marks(&receipt)), (Outcome::PartlyVerified, vec!["step 2", "criterion 5"]));
}

#[test]
fn a_step_that_speaks_of_checks_is_work_for_somebody_where_a_gate_of_it_was_and_stays_red() {
    for (command, outcome) in
        [("grep -q delta src/app.txt", Outcome::HandedOver), ("grep -q GAMMA src/app.txt", Outcome::Verified)]
    {
        let world = World::new();
        let mut plan = rename_plan();
        plan.steps.push(step("Check the tests of the letters", vec![], vec![gate(command, Expectation::Exit(0))]));
        assert_eq!(world.apply(&plan).expect("the plan fits").outcome, outcome, "{command}");
    }
}
