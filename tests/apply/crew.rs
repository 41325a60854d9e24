//! Work that others do: an executor that writes, a verifier that objects, a planner that revises, and a run that is cut off at any
//! entry of its journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use improve::apply::course::{PlanFailure, Revision};
use improve::edit::apply::Changes;
use improve::executor::{Bench, BenchError, Carried, Done, Task};
use improve::model::ModelError;
use improve::receipt::{Halted, Objection, OpinionReceipt, Severity, WorkReceipt};
use improve::verifier::opinion::Finished;

use super::*;

/// Writes what a step asks for: `Write WORD` puts the word behind the app; a step that mends adds an exclamation mark.
struct Typist;

impl Executor for Typist {
    fn name(&self, _step: &Step) -> String {
        "typist".to_owned()
    }

    fn can_mend(&self) -> bool {
        true
    }

    fn carry_out(&self, task: &Task<'_>, bench: &mut dyn Bench) -> Result<Carried, BenchError> {
        let step = task.step();
        if !step.edits.is_empty() {
            return ExactEdits.carry_out(task, bench);
        }
        let text = bench.text("src/app.txt").expect("it is there");
        let work = Box::new(WorkReceipt { model: "typist".to_owned(), ..WorkReceipt::default() });
        let text = match step.title.strip_prefix("Write ") {
            Some("nothing") => {
                let (halted, why) = (Halted::Stopped, "there is nothing to write".to_owned());
                return Ok(Carried::Halted { halted, why, placed: Vec::new(), work });
            }
            Some(word) => format!("{text}{word}\n"),
            None => text.replace("delta", "delta!"),
        };
        let files = BTreeMap::from([("src/app.txt".to_owned(), Some(text))]);
        bench.write(&Changes { files, placed: Vec::new() })?;
        Ok(Carried::Out(Done { placed: Vec::new(), work: Some(work) }))
    }
}

/// Objects until there is an exclamation mark.
struct Strict;

impl Reviewer for Strict {
    fn read(&self, work: &Finished<'_>) -> Result<OpinionReceipt, ModelError> {
        let content = work.changes.iter().any(|change| change.new_text().is_some_and(|text| text.contains("delta!")));
        let objection = Objection {
            quote: "delta".to_owned(),
            problem: "It lacks its mark.".to_owned(),
            severity: Severity::Revise,
        };
        let (verdict, objections) =
            if content { (Verdict::Approve, Vec::new()) } else { (Verdict::Revise, vec![objection]) };
        Ok(OpinionReceipt { model: "strict".to_owned(), verdict, objections, dropped: 0, hidden: Vec::new() })
    }
}

/// Has `delta` written where nothing could be.
#[derive(Default)]
struct Resourceful {
    kept: AtomicUsize,
}

impl Replanner for Resourceful {
    fn revise(&self, failure: &PlanFailure<'_>) -> Result<Revision, String> {
        assert!(failure.report.contains("nothing to write"), "{}", failure.report);
        let app = fs::read_to_string(failure.folder.join("src/app.txt")).expect("it is there");
        assert!(app.contains("BETA") && !app.contains("delta"), "what is done and nothing else: {app}");
        let steps = vec![step("Write delta", vec![], vec![tests_pass()])];
        let done_criteria = vec![written(tests_pass(), "all pass")];
        Ok(Revision::Plan(Box::new(Plan {
            scope: scope(&["src/app.txt"]),
            steps,
            done_criteria,
            ..failure.plan.clone()
        })))
    }

    fn keep(&self, _plan: &Plan) -> Result<(), String> {
        self.kept.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A goal, a step that cannot be done, and what the last step counts on.
fn hopeless() -> Plan {
    let mut plan = rename_plan();
    plan.steps[1] = step("Write nothing", vec![], vec![tests_pass()]);
    plan.done_criteria = vec![written(grep("BETA"), "exit 0")];
    plan
}

/// A criterion as a plan's text has it: what it says is what is run.
fn written(gate: Gate, expected: &str) -> Criterion {
    criterion(&format!("`{}` → {expected}", gate.command), vec![gate])
}

fn everybody(planner: &Resourceful) -> Crew<'_> {
    Crew { executor: &Typist, reviewer: Some(&Strict), replanner: Some(planner) }
}

#[test]
fn a_plan_that_fails_is_revised_and_its_work_mended_until_the_verifier_is_content() {
    let (world, planner) = (World::new(), Resourceful::default());
    let receipt = world
        .apply_by(everybody(&planner), &hopeless(), ApplyOptions::default(), &Silent, &Cancel::new())
        .expect("the plan is taken up");
    assert_eq!(receipt.outcome, Outcome::Verified, "{:?} {:?}", receipt.reasons, receipt.notes);
    let titles: Vec<&str> = receipt.steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles, ["Rename beta", "Write delta", "Mend what the verifier found"]);
    assert_eq!((receipt.commits.len(), receipt.revisions.len()), (3, 1));
    assert_eq!(planner.kept.load(Ordering::Relaxed), 1);
    let app = world.on_branch("improve/001-rename", "src/app.txt");
    assert_eq!(app.as_deref(), Some("alpha\nBETA\ngamma\ndelta!\n"));
}

#[test]
fn mending_ends_and_the_objection_stays() {
    struct Never;
    impl Reviewer for Never {
        fn read(&self, work: &Finished<'_>) -> Result<OpinionReceipt, ModelError> {
            Strict.read(&Finished { changes: &[], ..*work })
        }
    }
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps.push(step("Write delta", vec![], vec![tests_pass()]));
    let crew = Crew { executor: &Typist, reviewer: Some(&Never), replanner: None };
    let receipt =
        world.apply_by(crew, &plan, ApplyOptions::default(), &Silent, &Cancel::new()).expect("the plan is taken up");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::PartlyVerified, Verdict::Revise));
    assert!(receipt.reasons[0].contains("It lacks its mark."), "{:?}", receipt.reasons);
    assert_eq!(receipt.steps.len(), 5, "two rounds of mending");
}

#[test]
fn what_a_step_took_from_a_later_one_is_known_at_once() {
    let world = World::new();
    let mut plan = rename_plan();
    // The first step writes a second `gamma`, so that the edit of the last one is ambiguous.
    let marker = world.root().with_file_name("marker");
    let long = gate(&format!("touch {}", marker.display()), Expectation::Exit(0));
    plan.steps.insert(0, step("Write gamma", vec![], vec![tests_pass()]));
    plan.steps.insert(1, step("Run what takes long", vec![], vec![long]));
    let crew = Crew { executor: &Typist, reviewer: None, replanner: None };
    fs::remove_file(&marker).ok();
    let receipt =
        world.apply_by(crew, &plan, ApplyOptions::default(), &Silent, &Cancel::new()).expect("the plan is taken up");
    assert_eq!(receipt.outcome, Outcome::Blocked, "{:?}", receipt.reasons);
    assert!(receipt.reasons[0].starts_with("step 4 does not fit any more"), "{:?}", receipt.reasons);
    assert_eq!(receipt.steps[1].status, StepStatus::Failed);
    assert_eq!(receipt.steps[1].gates, [], "it was not begun");
}

/// Cuts a run off after so many entries of its journal.
struct CutOff {
    left: AtomicUsize,
}

impl Observer for CutOff {
    fn event(&self, event: &Event<'_>) {
        if let Event::Journalled(_) = event
            && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            panic!("cut off");
        }
    }
}

/// How a run ends that nobody disturbs, and what it makes.
fn undisturbed() -> (Outcome, Option<String>) {
    let (world, planner) = (World::new(), Resourceful::default());
    let receipt = world
        .apply_by(everybody(&planner), &hopeless(), ApplyOptions::default(), &Silent, &Cancel::new())
        .expect("the plan is taken up");
    (receipt.outcome, world.on_branch("improve/001-rename", "src/app.txt"))
}

/// Goes on with a run that was cut off after so many entries, and compares its end.
fn comes_to_the_same_end(world: &World, whole: &(Outcome, Option<String>), cuts: usize) {
    let planner = Resourceful::default();
    let second = world.apply_by(everybody(&planner), &hopeless(), ApplyOptions::default(), &Silent, &Cancel::new());
    let outcome = match second {
        Ok(receipt) => receipt.outcome,
        // The last entry says that the run came to its end.
        Err(ApplyError::BranchExists { ours: true, .. }) => whole.0,
        Err(error) => panic!("after {cuts} entries: {error}"),
    };
    assert_eq!((outcome, world.on_branch("improve/001-rename", "src/app.txt")), *whole, "after {cuts} entries");
    assert_eq!(world.leftovers(), Vec::<String>::new(), "after {cuts} entries");
}

/// Run as a child of the test below, and killed there: not a test of its own.
#[test]
fn child_whose_crew_is_killed() {
    let Some(folder) = std::env::var_os("IMPROVE_TEST_CREW") else { return };
    struct KilledAfter(AtomicUsize);
    impl Observer for KilledAfter {
        fn event(&self, event: &Event<'_>) {
            if let Event::Journalled(_) = event
                && self.0.fetch_sub(1, Ordering::Relaxed) == 1
            {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                    .expect("it is us");
                std::thread::sleep(Duration::from_secs(60));
            }
        }
    }
    let entries: usize =
        std::env::var("IMPROVE_TEST_ENTRIES").expect("the parent says").parse().expect("it is a number");
    let (root, cache) = (Path::new(&folder).join("repo"), Path::new(&folder).join("cache"));
    let (plan, planner) = (hopeless(), Resourceful::default());
    let (crew, text) = (everybody(&planner), format!("{plan:?}"));
    let request = ApplyRequest {
        root: &root,
        cache: &cache,
        plan: &plan,
        plan_path: "plans/001-rename.md",
        plan_text: &text,
        slug: "001-rename",
        base: None,
        excerpts_at: None,
        problems: &[],
        undone_dependencies: &[],
        install: None,
        approved: &Approved::by_user(&apply::commands(&plan, None)),
        sandbox: &Sandbox::default(),
        cost: &Cost::default,
        executor: crew.executor,
        reviewer: crew.reviewer,
        replanner: crew.replanner,
        checkpoint: &|_, question| question == "Yes?",
        options: ApplyOptions::default(),
    };
    let _ = apply::run(&request, &KilledAfter(AtomicUsize::new(entries)), &Cancel::new());
}

#[test]
fn a_run_killed_at_any_entry_of_its_journal_comes_to_the_same_end() {
    let whole = undisturbed();
    let mut cuts = 0;
    loop {
        let world = World::new();
        let status = Command::new(std::env::current_exe().expect("a test has an executable"))
            .args(["--exact", "crew::child_whose_crew_is_killed", "--nocapture"])
            .env("IMPROVE_TEST_CREW", world.folder.path())
            .env("IMPROVE_TEST_ENTRIES", (cuts + 1).to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("the test can be started again");
        world.assert_untouched();
        if status.success() {
            break;
        }
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "after {cuts} entries");
        comes_to_the_same_end(&world, &whole, cuts + 1);
        cuts += 1;
    }
    assert!(cuts >= 8, "{cuts}: steps, a revision and a mending step are entries, too");
}

#[test]
fn a_run_cut_off_at_any_entry_of_its_journal_comes_to_the_same_end() {
    let whole = undisturbed();
    let mut cuts = 0;
    loop {
        let (world, planner) = (World::new(), Resourceful::default());
        let observer = CutOff { left: AtomicUsize::new(cuts + 1) };
        let first = catch_unwind(AssertUnwindSafe(|| {
            world.apply_by(everybody(&planner), &hopeless(), ApplyOptions::default(), &observer, &Cancel::new())
        }));
        if first.is_ok() {
            break;
        }
        comes_to_the_same_end(&world, &whole, cuts + 1);
        cuts += 1;
    }
    assert!(cuts >= 8, "{cuts}: steps, a revision and a mending step are entries, too");
}
