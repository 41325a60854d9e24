//! Applying and verifying plans in repositories built in temporary folders. Every test also holds that the user's own tree, index
//! and HEAD are byte for byte what they were.

#[path = "common/alone.rs"]
mod alone;
mod common;
#[path = "apply/crew.rs"]
mod crew;
#[path = "apply/flaky.rs"]
mod flaky;
#[path = "apply/live.rs"]
mod live;
#[path = "apply/remembered.rs"]
mod remembered;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use git2::{Repository, Signature, Time};
use improve::apply::course::Replanner;
use improve::apply::{self, ApplyError, ApplyOptions, ApplyRequest, Earlier};
use improve::cancel::Cancel;
use improve::edit::{Block, EditOperation, FileEdit};
use improve::executor::{ExactEdits, Executor};
use improve::gate::GateLimits;
use improve::gate::runner::RunError;
use improve::model::cost::Cost;
use improve::observer::{Event, Observer, Silent};
use improve::plan::expectation::Expectation;
use improve::plan::{Criterion, Excerpt, Gate, Plan, PlanCommand, Scope, ScopeEntry, Step};
use improve::receipt::{Outcome, Receipt, Role, StepStatus, Verdict};
use improve::sandbox::Sandbox;
use improve::trust::Approved;
use improve::verifier::opinion::Reviewer;
use improve::verifier::{self, Subject, VerifyError, VerifyRequest};
use improve::worktree::lease::Lease;
use improve::worktree::{self, Place, WorktreeError};

/// Who works on a plan.
#[derive(Clone, Copy)]
struct Crew<'a> {
    executor: &'a dyn Executor,
    reviewer: Option<&'a dyn Reviewer>,
    replanner: Option<&'a dyn Replanner>,
}

/// A repository of the user's, our cache beside it, and what must not change.
struct World {
    folder: tempfile::TempDir,
    before: BTreeMap<String, Vec<u8>>,
}

const FILES: &[(&str, &str)] = &[
    ("src/app.txt", "alpha\nbeta\ngamma\n"),
    ("src/other.txt", "one\ntwo\n"),
    ("tests/app.test.js", "it('has alpha', 'alpha');\n"),
    // A test runner that prints a summary we read: each `it` names what must stand in the app.
    (
        "run-tests.sh",
        "p=0; f=0\nfor t in $(cat tests/*.test.js | sed -n \"s/^it('[^']*', '\\([a-zA-Z]*\\)');/\\1/p\"); do\n\
         if grep -q $t src/app.txt; then p=$((p+1)); else f=$((f+1)); fi; done\n\
         if [ $f -gt 0 ]; then echo \"Tests:       $f failed, $p passed, $((p+f)) total\"; exit 1; fi\n\
         echo \"Tests:       $p passed, $p total\"\n",
    ),
    (".gitignore", "ignored/\n.env\n"),
    ("plans/001-rename.md", "# Plan 001\n"),
];

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("repo");
        for (path, text) in FILES {
            write(&root, path, text);
        }
        let repository = Repository::init(&root).expect("an empty folder becomes a repository");
        let mut config = repository.config().expect("a repository has a configuration");
        config
            .set_str("user.name", "A User")
            .and_then(|()| config.set_str("user.email", "user@example.com"))
            .expect("it is ours");
        let mut world = World { folder, before: BTreeMap::new() };
        world.commit("start");
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn write(&mut self, path: &str, text: &str) {
        write(&self.root(), path, text);
        self.before = snapshot(&self.root());
    }

    fn commit(&mut self, message: &str) {
        let repository = Repository::open(self.root()).expect("it is a repository");
        let mut index = repository.index().expect("it has an index");
        index
            .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
            .and_then(|()| index.write())
            .expect("files can be added");
        let tree = index.write_tree().and_then(|id| repository.find_tree(id)).expect("the index is a tree");
        let author =
            Signature::new("A User", "user@example.com", &Time::new(1_700_000_000, 0)).expect("a plain signature");
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repository.commit(Some("HEAD"), &author, &author, message, &tree, &parents).expect("a tree can be committed");
        self.before = snapshot(&self.root());
    }

    fn place(&self) -> Place {
        Place::of(&self.root(), &self.cache()).expect("it is a repository")
    }

    fn apply(&self, plan: &Plan) -> Result<Receipt, ApplyError> {
        self.apply_with(plan, ApplyOptions::default(), &Silent, &Cancel::new())
    }

    fn apply_with(
        &self,
        plan: &Plan,
        options: ApplyOptions,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<Receipt, ApplyError> {
        self.apply_by(Crew { executor: &ExactEdits, reviewer: None, replanner: None }, plan, options, observer, cancel)
    }

    fn apply_by(
        &self,
        crew: Crew<'_>,
        plan: &Plan,
        options: ApplyOptions,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<Receipt, ApplyError> {
        let approved = Approved::by_user(&apply::commands(plan, None));
        let (root, cache, text) = (self.root(), self.cache(), format!("{plan:?}"));
        let request = ApplyRequest {
            root: &root,
            cache: &cache,
            plan,
            plan_path: "plans/001-rename.md",
            plan_text: &text,
            slug: "001-rename",
            base: None,
            excerpts_at: None,
            problems: &[],
            undone_dependencies: &[],
            install: None,
            approved: &approved,
            sandbox: &Sandbox::default(),
            executor: crew.executor,
            reviewer: crew.reviewer,
            replanner: crew.replanner,
            cost: &Cost::default,
            checkpoint: &|_, question| question == "Yes?",
            options,
        };
        let result = apply::run(&request, observer, cancel);
        self.assert_untouched();
        result
    }

    fn continue_with(&self, plan: &Plan) -> Result<Receipt, ApplyError> {
        self.apply_with(
            plan,
            ApplyOptions { earlier: Earlier::Continue, ..ApplyOptions::default() },
            &Silent,
            &Cancel::new(),
        )
    }

    fn verify(&self, plan: &Plan, subject: Subject) -> Result<Receipt, VerifyError> {
        let approved = Approved::by_user(&apply::commands(plan, None));
        let (root, cache) = (self.root(), self.cache());
        let request = VerifyRequest {
            root: &root,
            cache: &cache,
            plan,
            plan_path: "plans/001-rename.md",
            plan_text: "",
            slug: "001-rename",
            subject: &subject,
            base: None,
            install: None,
            approved: &approved,
            sandbox: &Sandbox::default(),
            limits: GateLimits::default(),
            reviewer: None,
        };
        let result = verifier::verify(&request, &Silent, &Cancel::new());
        self.assert_untouched();
        result
    }

    fn assert_untouched(&self) {
        assert!(snapshot(&self.root()) == self.before, "the user's tree, index or HEAD was changed");
    }

    /// The text of a file on a branch.
    fn on_branch(&self, branch: &str, path: &str) -> Option<String> {
        let place = self.place();
        place.text_at(&place.commit_of(Some(branch)).ok()?, path).ok()?
    }

    fn leftovers(&self) -> Vec<String> {
        worktree::leftovers(&self.place()).into_iter().map(|leftover| leftover.slug).collect()
    }

    fn worktree(&self) -> PathBuf {
        self.place().folder_of("001-rename")
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a file in a folder")).expect("the folder is ours");
    fs::write(file, text).expect("the folder is ours");
}

/// Every file of the working tree, and what git knows of it: index, HEAD, its branch, configuration.
fn snapshot(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is ours").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).expect("it is inside").display().to_string();
            if path.is_dir() {
                if name != ".git" {
                    pending.push(path);
                }
            } else {
                files.insert(name, fs::read(&path).expect("the file is ours"));
            }
        }
    }
    for name in ["index", "HEAD", "config", "refs/heads/main", "refs/heads/master"] {
        if let Ok(bytes) = fs::read(root.join(".git").join(name)) {
            files.insert(format!(".git/{name}"), bytes);
        }
    }
    files
}

fn gate(command: &str, expectation: Expectation) -> Gate {
    Gate { command: command.to_owned(), expectation, expected: String::new(), line: 1 }
}

fn replace(file: &str, search: &str, replacement: &str) -> FileEdit {
    let block = Block { search: search.to_owned(), replace: replacement.to_owned() };
    FileEdit { file: file.to_owned(), operation: EditOperation::Replace(vec![block]) }
}

fn step(title: &str, edits: Vec<FileEdit>, gates: Vec<Gate>) -> Step {
    Step { title: title.to_owned(), edits, gates, ..Step::default() }
}

fn criterion(text: &str, gates: Vec<Gate>) -> Criterion {
    Criterion { text: text.to_owned(), gates, ..Criterion::default() }
}

fn scope(paths: &[&str]) -> Scope {
    let entry = |path: &&str| ScopeEntry { path: Some((*path).to_owned()), create: false, text: (*path).to_owned() };
    Scope { in_scope: paths.iter().map(entry).collect(), ..Scope::default() }
}

fn tests_pass() -> Gate {
    gate("sh run-tests.sh", Expectation::AllPass)
}

fn grep(word: &str) -> Gate {
    gate(&format!("grep -q {word} src/app.txt"), Expectation::Exit(0))
}

/// Renames `beta` and then `gamma`, with a goal and a guard.
fn rename_plan() -> Plan {
    Plan {
        number: Some(1),
        title: "Rename the letters".to_owned(),
        scope: scope(&["src/app.txt"]),
        steps: vec![
            step("Rename beta", vec![replace("src/app.txt", "beta", "BETA")], vec![grep("BETA")]),
            step("Rename gamma", vec![replace("src/app.txt", "gamma", "GAMMA")], vec![grep("GAMMA"), tests_pass()]),
        ],
        done_criteria: vec![
            criterion("`grep` finds both", vec![grep("BETA"), grep("GAMMA")]),
            criterion("the tests pass", vec![tests_pass()]),
            criterion("No files outside the in-scope list are modified (`git status`)", vec![]),
            criterion("`plans/README.md` status row updated", vec![]),
        ],
        ..Plan::default()
    }
}

#[test]
fn a_plan_of_exact_edits_is_carried_out_and_verified() {
    let world = World::new();
    let receipt = world.apply(&rename_plan()).expect("the plan fits");
    assert_eq!(
        (receipt.outcome, receipt.verdict, receipt.reasons.clone()),
        (Outcome::Verified, Verdict::Approve, vec![])
    );
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt").as_deref(), Some("alpha\nBETA\nGAMMA\n"));
    let commits: Vec<_> = receipt.commits.iter().map(|commit| (commit.step, commit.title.as_str())).collect();
    assert_eq!(commits, [(1, "Rename beta"), (2, "Rename gamma")]);
    let roles: Vec<_> = receipt.baseline.iter().map(|entry| (entry.of.as_str(), entry.role)).collect();
    assert_eq!(
        roles,
        [
            ("step 1", Role::Goal),
            ("step 2", Role::Goal),
            ("step 2", Role::Guard),
            ("criterion 1", Role::Goal),
            ("criterion 1", Role::Goal),
            ("criterion 2", Role::Guard),
        ]
    );
    assert_eq!((receipt.worktree.clone(), world.leftovers(), receipt.exit_code()), (None, vec![], 0));
    let written = fs::read_to_string(receipt.file.clone().expect("a receipt is written")).expect("it is there");
    assert_eq!(serde_json::from_str::<Receipt>(&written).expect("it reads back"), receipt);
}

#[test]
fn a_commit_names_its_plan_and_step_and_the_users_identity() {
    let world = World::new();
    world.apply(&rename_plan()).expect("the plan fits");
    let repository = Repository::open(world.root()).expect("it is a repository");
    let branch = repository.find_branch("improve/001-rename", git2::BranchType::Local).expect("the branch is there");
    let tip = branch.get().peel_to_commit().expect("a branch is a commit");
    let expected = "improve: Rename gamma\n\nImprove-Plan: plans/001-rename.md\nImprove-Step: 2\n";
    assert_eq!((tip.message().ok(), tip.author().email().ok()), (Some(expected), Some("user@example.com")));
}

#[test]
fn a_failing_gate_stops_the_plan_and_keeps_the_steps_before() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].gates = vec![gate("echo what went wrong >&2; exit 7", Expectation::Exit(0))];
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.verdict, receipt.exit_code()), (Outcome::Failed, Verdict::Revise, 1));
    assert_eq!(
        receipt.reasons,
        ["step 2: `echo what went wrong >&2; exit 7`: exit 7, expected 0 (as on the base commit, before the plan)"]
    );
    assert_eq!(receipt.steps[1].gates[0].stderr, "what went wrong\n");
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt").as_deref(), Some("alpha\nBETA\ngamma\n"));
    assert_eq!(receipt.worktree, Some(world.worktree().display().to_string()), "what is left is announced");
    assert_eq!(world.leftovers(), ["001-rename"]);
    let removed = worktree::clean(&world.place(), Some("001-rename"), true).expect("nobody uses it");
    assert_eq!((removed.len(), world.leftovers()), (1, vec![]));
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt"), None);
    world.assert_untouched();
}

#[test]
fn a_plan_that_failed_is_taken_up_at_its_last_green_step() {
    let world = World::new();
    let mut plan = rename_plan();
    let flag = world.folder.path().join("flag");
    plan.steps[1].gates = vec![gate(&format!("test -f {}", flag.display()), Expectation::Exit(0))];
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    fs::write(&flag, "").expect("the folder is ours");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, receipt.commits.len(), world.leftovers()), (Outcome::Verified, 2, vec![]));
}

#[test]
fn a_file_that_drifted_blocks_the_plan_before_anything_is_made() {
    let mut world = World::new();
    world.write("src/app.txt", "alpha\nchanged\ngamma\n");
    world.commit("drift");
    let receipt = world.apply(&rename_plan()).expect("a blocked plan has a receipt");
    assert_eq!((receipt.outcome, receipt.verdict, receipt.exit_code()), (Outcome::Blocked, Verdict::Block, 4));
    assert!(
        receipt.reasons[0].starts_with("step 1 does not fit any more: NOT_FOUND: src/app.txt, block 1"),
        "{:?}",
        receipt.reasons
    );
    assert_eq!((world.leftovers(), world.on_branch("improve/001-rename", "src/app.txt")), (vec![], None));
}

#[test]
fn lines_that_moved_are_no_drift() {
    let mut world = World::new();
    world.write("src/app.txt", "new\nlines\nalpha\nbeta\ngamma\n");
    world.commit("move");
    assert_eq!(world.apply(&rename_plan()).expect("the plan fits").outcome, Outcome::Verified);
}

#[test]
fn an_edit_outside_the_scope_blocks_the_plan() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[0].edits.push(replace("src/other.txt", "one", "ONE"));
    let receipt = world.apply(&plan).expect("a blocked plan has a receipt");
    assert_eq!(receipt.outcome, Outcome::Blocked);
    assert_eq!(
        receipt.reasons,
        ["step 1 does not fit any more: OUT_OF_SCOPE: src/other.txt: the file is not in the plan's scope"]
    );
}

#[test]
fn paths_outside_the_repository_and_in_gits_folder_are_refused() {
    let world = World::new();
    for path in ["../x", ".git/config", "/etc/passwd", "src/../../x"] {
        let mut plan = rename_plan();
        plan.scope = scope(&["src/app.txt", path]);
        plan.steps[0].edits.push(FileEdit { file: path.to_owned(), operation: EditOperation::Create("x".to_owned()) });
        let receipt = world.apply(&plan).expect("a blocked plan has a receipt");
        assert_eq!(receipt.outcome, Outcome::Blocked, "{path}");
        assert!(
            receipt.reasons[0].starts_with(&format!("the plan names `{path}`, which is refused")),
            "{:?}",
            receipt.reasons
        );
    }
    assert!(!world.folder.path().join("x").exists());
}

#[test]
fn a_link_in_the_repository_is_not_written_through() {
    let mut world = World::new();
    let outside = world.folder.path().join("outside");
    fs::create_dir(&outside).expect("the folder is ours");
    std::os::unix::fs::symlink(&outside, world.root().join("src/link")).expect("a link can be made");
    world.commit("link");
    let mut plan = rename_plan();
    plan.scope = scope(&["src"]);
    plan.steps[0].edits =
        vec![FileEdit { file: "src/link/x".to_owned(), operation: EditOperation::Create("x".to_owned()) }];
    let error = world.apply(&plan).expect_err("links are refused");
    assert!(matches!(error, ApplyError::Worktree(WorktreeError::RefusedPath { .. })), "{error}");
    assert_eq!(fs::read_dir(&outside).expect("it is there").count(), 0);
}

#[test]
fn uncommitted_changes_in_scope_are_refused_and_others_are_not() {
    let mut world = World::new();
    world.write("src/other.txt", "dirty\n");
    assert_eq!(world.apply(&rename_plan()).expect("other files may be dirty").outcome, Outcome::Verified);
    let mut world = World::new();
    world.write("src/app.txt", "alpha\nbeta\ngamma\ndirty\n");
    let error = world.apply(&rename_plan()).expect_err("the file is dirty");
    assert_eq!(error.to_string(), "uncommitted changes in files that the plan changes: src/app.txt");
    assert_eq!((error.exit_code(), world.leftovers()), (4, vec![]));
}

#[test]
fn a_folder_without_git_and_a_repository_without_commit_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |root: &Path| Place::of(root, &folder.path().join("cache"));
    assert!(matches!(place(folder.path()), Err(WorktreeError::NotARepository { .. })));
    let root = folder.path().join("empty");
    Repository::init(&root).expect("an empty folder becomes a repository");
    let place = place(&root).expect("it is a repository");
    assert!(matches!(place.commit_of(None), Err(WorktreeError::NoCommit { .. })));
}

#[test]
fn a_detached_head_is_as_good_as_a_branch() {
    let mut world = World::new();
    let repository = Repository::open(world.root()).expect("it is a repository");
    let head = repository.head().and_then(|head| head.peel_to_commit()).expect("it has a commit").id();
    repository.set_head_detached(head).expect("HEAD can be detached");
    world.before = snapshot(&world.root());
    assert_eq!(world.apply(&rename_plan()).expect("the plan fits").outcome, Outcome::Verified);
}

#[test]
fn a_hanging_gate_runs_out_of_time_and_leaves_nothing_running() {
    let world = World::new();
    let mut plan = rename_plan();
    let mark = world.folder.path().join("mark");
    plan.steps[0].gates = vec![gate(&format!("(sleep 4; touch {}) & sleep 60", mark.display()), Expectation::Exit(0))];
    let limits = GateLimits { timeout: Duration::from_millis(500), ..GateLimits::default() };
    let started = Instant::now();
    let options = ApplyOptions { limits, ..ApplyOptions::default() };
    let receipt = world.apply_with(&plan, options, &Silent, &Cancel::new()).expect("the plan fits");
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert!(
        receipt.reasons[0].contains("ran out of time") && receipt.steps[0].gates[0].timed_out,
        "{:?}",
        receipt.reasons
    );
    std::thread::sleep(Duration::from_millis(4500).saturating_sub(started.elapsed()));
    assert!(!mark.exists(), "a process of the gate survived");
}

#[test]
fn a_gate_that_prints_a_gigabyte_is_judged_by_its_end_and_kept_small() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps.truncate(1);
    plan.done_criteria.clear();
    plan.steps[0].gates = vec![
        grep("BETA"),
        gate(
            "yes line | head -c 1000000000; echo 'Tests:       1 passed, 1 total'; grep -q BETA src/app.txt",
            Expectation::AllPass,
        ),
    ];
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.reasons.clone()), (Outcome::Verified, vec![]));
    let size = fs::metadata(receipt.file.expect("a receipt is written")).expect("it is there").len();
    assert!(size < 400 << 10, "{size} bytes of receipt");
}

#[test]
fn ctrl_c_ends_the_gate_and_the_next_run_goes_on() {
    let world = World::new();
    let mut plan = rename_plan();
    let flag = world.folder.path().join("flag");
    plan.steps[1].gates = vec![gate(&format!("test -f {0} || sleep 60", flag.display()), Expectation::Exit(0))];
    // On the base the gate is left alone: the flag is taken away when the second step begins.
    fs::write(&flag, "").expect("the folder is ours");
    struct Raise<'a>(&'a Cancel, &'a Path);
    impl Observer for Raise<'_> {
        fn event(&self, event: &Event<'_>) {
            if matches!(event, Event::StepStarted { step: 2, .. }) {
                fs::remove_file(self.1).expect("the file is ours");
                let cancel = self.0.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(300));
                    cancel.cancel();
                });
            }
        }
    }
    let cancel = Cancel::new();
    let started = Instant::now();
    let error = world
        .apply_with(&plan, ApplyOptions::default(), &Raise(&cancel, &flag), &cancel)
        .expect_err("it was interrupted");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(
        matches!(&error, ApplyError::Interrupted { worktree: Some(folder) } if *folder == world.worktree()),
        "{error}"
    );
    assert_eq!((error.exit_code(), world.leftovers()), (130, vec!["001-rename".to_owned()]));
    fs::write(&flag, "").expect("the folder is ours");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, receipt.commits.len(), world.leftovers()), (Outcome::Verified, 2, vec![]));
}

#[test]
fn a_plan_without_a_goal_is_vacuous() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps = vec![step("Rename beta", vec![replace("src/app.txt", "beta", "BETA")], vec![grep("alpha")])];
    plan.done_criteria = vec![criterion("the tests pass", vec![tests_pass()])];
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.vacuous), (Outcome::PartlyVerified, true));
    assert_eq!(
        receipt.reasons,
        ["vacuous: nothing was red before and no test is new, so a green result proves nothing"]
    );
}

#[test]
fn a_criterion_that_stays_red_fails_the_plan() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.done_criteria.push(criterion("delta is there", vec![grep("delta")]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::Failed, Verdict::Revise));
    assert_eq!(receipt.reasons, ["criterion not met: `grep -q delta src/app.txt`: exit 1, expected 0"]);
}

#[test]
fn criteria_that_name_no_command_leave_the_work_partly_verified() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.done_criteria.push(criterion("The code reads well", vec![]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!(
        (receipt.outcome, receipt.reasons),
        (Outcome::PartlyVerified, vec!["1 done criteria name no command".to_owned()])
    );
}

#[test]
fn criteria_are_judged_in_a_clean_worktree_without_what_gates_left_behind() {
    let world = World::new();
    let mut plan = rename_plan();
    // The gate leaves a file that is not committed; a criterion that finds it would be met by an accident.
    plan.steps[1].gates.push(gate("touch src/left-behind", Expectation::Exit(0)));
    plan.done_criteria
        .push(criterion("the file is there", vec![gate("test -f src/left-behind", Expectation::Exit(0))]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert_eq!(receipt.steps[1].notes, ["put back, because only its gates changed it: src/left-behind"]);
}

#[test]
fn a_gate_that_was_red_before_and_is_no_worse_is_not_blamed_on_the_plan() {
    let mut world = World::new();
    world.write("tests/broken.test.js", "it('is broken', 'nowhere');\n");
    world.commit("a broken test");
    let plan = rename_plan();
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!(receipt.steps[1].status, StepStatus::AlreadyFailing);
    assert_eq!(receipt.criteria[1].met, None);
    assert_eq!(receipt.outcome, Outcome::PartlyVerified);
    assert_eq!(receipt.reasons.len(), 2, "{:?}", receipt.reasons);
    assert_eq!(receipt.reasons[0], "step 2: a gate was red before the plan and still is");
    assert!(receipt.reasons[1].starts_with("criterion red before the plan and still: "), "{:?}", receipt.reasons);
}

#[test]
fn weakened_tests_are_reported_and_stop_the_work() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.scope = scope(&["src/app.txt", "tests"]);
    plan.steps = vec![step("Rename beta", vec![], vec![grep("BETA")])];
    plan.done_criteria = vec![criterion("done", vec![grep("BETA")])];
    assert_eq!(world.apply(&plan).expect("the step is handed over").outcome, Outcome::HandedOver);
    write(&world.worktree(), "src/app.txt", "alpha\nBETA\ngamma\n");
    fs::remove_file(world.worktree().join("tests/app.test.js")).expect("the worktree is ours");
    write(&world.worktree(), "tests/package.json", "{}");
    let receipt = world.continue_with(&plan).expect("the step is taken up");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::Failed, Verdict::Block));
    assert_eq!(receipt.reasons, ["tests/app.test.js: the test file was deleted"]);
}

#[test]
fn new_tests_must_fail_without_the_change() {
    let with_test = |test: &str| {
        let world = World::new();
        let mut plan = rename_plan();
        plan.scope = scope(&["src/app.txt", "tests/new.test.js"]);
        plan.steps[0].edits.push(FileEdit {
            file: "tests/new.test.js".to_owned(),
            operation: EditOperation::Create(format!("it('has more', '{test}');")),
        });
        let receipt = world.apply(&plan).expect("the plan fits");
        (receipt.outcome, receipt.new_tests.fail_without_change, receipt.new_tests.files)
    };
    let files = vec!["tests/new.test.js".to_owned()];
    assert_eq!(with_test("BETA"), (Outcome::Verified, Some(true), files.clone()));
    assert_eq!(with_test("alpha"), (Outcome::PartlyVerified, Some(false), files));
}

#[test]
fn a_step_without_exact_edits_is_handed_over_and_taken_up() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].edits.clear();
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.exit_code()), (Outcome::HandedOver, 4));
    assert_eq!(receipt.reasons, ["step 2 is handed over: Rename gamma"]);
    assert_eq!(receipt.worktree, Some(world.worktree().display().to_string()));
    assert_eq!(
        receipt.steps.iter().map(|step| step.status).collect::<Vec<_>>(),
        [StepStatus::Green, StepStatus::HandedOver]
    );
    // Asked again, it still waits.
    assert_eq!(world.apply(&plan).expect("it waits").reasons, ["step 2 is handed over: Rename gamma"]);
    // Taken up with nothing done, its gate is red and it waits on.
    let receipt = world.continue_with(&plan).expect("it is taken up");
    assert_eq!(receipt.outcome, Outcome::HandedOver);
    assert!(receipt.reasons[0].starts_with("step 2: `grep -q GAMMA src/app.txt`: exit 1"), "{:?}", receipt.reasons);
    // Work outside the scope is not run and not committed.
    write(&world.worktree(), "src/other.txt", "touched\n");
    write(&world.worktree(), "src/app.txt", "alpha\nBETA\nGAMMA\n");
    let receipt = world.continue_with(&plan).expect("it is taken up");
    assert_eq!(
        (receipt.outcome, receipt.reasons[0].as_str()),
        (Outcome::HandedOver, "src/other.txt: not in the plan's scope")
    );
    write(&world.worktree(), "src/other.txt", "one\ntwo\n");
    let receipt = world.continue_with(&plan).expect("it is taken up");
    assert_eq!((receipt.outcome, receipt.reasons, receipt.commits.len()), (Outcome::Verified, vec![], 2));
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn work_that_somebody_committed_in_the_worktree_is_committed_again_by_the_host() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].edits.clear();
    world.apply(&plan).expect("it is handed over");
    write(&world.worktree(), "src/app.txt", "alpha\nBETA\nGAMMA\n");
    let repository = Repository::open(world.worktree()).expect("it is a worktree");
    let mut index = repository.index().expect("it has an index");
    index.add_path(Path::new("src/app.txt")).and_then(|()| index.write()).expect("files can be added");
    let tree = index.write_tree().and_then(|id| repository.find_tree(id)).expect("the index is a tree");
    let author = Signature::new("Else", "else@example.com", &Time::new(1_700_000_000, 0)).expect("a plain signature");
    let parent = repository.head().and_then(|head| head.peel_to_commit()).expect("it has a commit");
    repository.commit(Some("HEAD"), &author, &author, "mine", &tree, &[&parent]).expect("a tree can be committed");
    let receipt = world.continue_with(&plan).expect("it is taken up");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Verified, 2));
}

#[test]
fn a_changed_pointer_file_stops_git_in_the_worktree() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].edits.clear();
    world.apply(&plan).expect("it is handed over");
    let elsewhere = world.folder.path().join("elsewhere");
    Repository::init(&elsewhere).expect("an empty folder becomes a repository");
    fs::write(world.worktree().join(".git"), format!("gitdir: {}\n", elsewhere.join(".git").display()))
        .expect("it is ours");
    let error = world.continue_with(&plan).expect_err("the pointer was changed");
    assert!(matches!(error, ApplyError::Worktree(WorktreeError::PointerChanged { .. })), "{error}");
    worktree::clean(&world.place(), Some("001-rename"), true).expect("it can still be removed");
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn nothing_to_continue_and_an_existing_branch_are_errors_with_hints() {
    let world = World::new();
    let plan = rename_plan();
    assert!(matches!(world.continue_with(&plan), Err(ApplyError::NothingToContinue { .. })));
    world.apply(&plan).expect("the plan fits");
    let error = world.apply(&plan).expect_err("the work is there already");
    assert!(matches!(error, ApplyError::BranchExists { ours: true, .. }), "{error}");
    let fresh = ApplyOptions { earlier: Earlier::Discard, ..ApplyOptions::default() };
    let receipt = world.apply_with(&plan, fresh, &Silent, &Cancel::new()).expect("it begins again");
    assert_eq!(receipt.outcome, Outcome::Verified);
}

#[test]
fn a_branch_of_the_same_name_that_is_not_ours_is_left_alone() {
    let world = World::new();
    let repository = Repository::open(world.root()).expect("it is a repository");
    let head = repository.head().and_then(|head| head.peel_to_commit()).expect("it has a commit");
    repository.branch("improve/001-rename", &head, false).expect("a branch can be made");
    for earlier in [Earlier::Resume, Earlier::Discard] {
        let options = ApplyOptions { earlier, ..ApplyOptions::default() };
        let error =
            world.apply_with(&rename_plan(), options, &Silent, &Cancel::new()).expect_err("the branch is in the way");
        assert!(matches!(error, ApplyError::BranchExists { ours: false, .. }), "{error}");
    }
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt").as_deref(), Some("alpha\nbeta\ngamma\n"));
}

#[test]
fn a_command_that_nobody_agreed_to_is_not_run() {
    let world = World::new();
    let plan = rename_plan();
    let (root, cache) = (world.root(), world.cache());
    let request = ApplyRequest {
        root: &root,
        cache: &cache,
        plan: &plan,
        plan_path: "plans/001-rename.md",
        plan_text: "",
        slug: "001-rename",
        base: None,
        excerpts_at: None,
        problems: &[],
        undone_dependencies: &[],
        install: Some("touch installed"),
        approved: &Approved::by_user(&apply::commands(&plan, None)),
        sandbox: &Sandbox::default(),
        executor: &ExactEdits,
        reviewer: None,
        replanner: None,
        cost: &Cost::default,
        checkpoint: &|_, question| question == "Yes?",
        options: ApplyOptions::default(),
    };
    let error = apply::run(&request, &Silent, &Cancel::new()).expect_err("the install command is new");
    assert!(
        matches!(&error, ApplyError::Run(RunError::NotApproved { command }) if command == "touch installed"),
        "{error}"
    );
    assert_eq!(world.leftovers(), Vec::<String>::new());
    world.assert_untouched();
}

#[test]
fn problems_and_open_dependencies_block_the_plan() {
    let world = World::new();
    let plan = rename_plan();
    let (root, cache) = (world.root(), world.cache());
    let request = ApplyRequest {
        root: &root,
        cache: &cache,
        plan: &plan,
        plan_path: "plans/001-rename.md",
        plan_text: "",
        slug: "001-rename",
        base: None,
        excerpts_at: None,
        problems: &["line 3: no gate".to_owned()],
        undone_dependencies: &["plans/000-first.md".to_owned()],
        install: None,
        approved: &Approved::by_user(&apply::commands(&plan, None)),
        sandbox: &Sandbox::default(),
        executor: &ExactEdits,
        reviewer: None,
        replanner: None,
        cost: &Cost::default,
        checkpoint: &|_, question| question == "Yes?",
        options: ApplyOptions::default(),
    };
    let receipt = apply::run(&request, &Silent, &Cancel::new()).expect("a blocked plan has a receipt");
    assert_eq!(receipt.outcome, Outcome::Blocked);
    assert_eq!(receipt.reasons, ["line 3: no gate", "it depends on plans/000-first.md, which is not DONE"]);
}

#[test]
fn the_worktree_gets_the_ignored_files_that_are_named_and_no_environment_file_by_pattern() {
    let mut world = World::new();
    world.write(".worktreeinclude", "ignored/\n.env*\n");
    world.commit("include");
    world.write("ignored/settings", "x");
    world.write(".env", "PASSWORD=x");
    let mut plan = rename_plan();
    plan.steps[0].gates.push(gate("test -f ignored/settings && test ! -e .env", Expectation::Exit(0)));
    plan.done_criteria.push(criterion("brought along", vec![gate("test -f ignored/settings", Expectation::Exit(0))]));
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.prepared.included), (Outcome::Verified, vec!["ignored/settings".to_owned()]));
}

#[test]
fn hooks_and_filters_of_the_repository_are_not_run() {
    let mut world = World::new();
    let mark = world.folder.path().join("ran");
    let repository = Repository::open(world.root()).expect("it is a repository");
    let mut config = repository.config().expect("a repository has a configuration");
    config.set_str("filter.evil.clean", &format!("touch {}; cat", mark.display())).expect("it is ours");
    config.set_str("filter.evil.smudge", &format!("touch {}; cat", mark.display())).expect("it is ours");
    config.set_str("core.fsmonitor", &format!("touch {}", mark.display())).expect("it is ours");
    for hook in ["post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"] {
        let file = world.root().join(".git/hooks").join(hook);
        fs::create_dir_all(file.parent().expect("a file in a folder")).expect("it is ours");
        fs::write(&file, format!("#!/bin/sh\ntouch {}\n", mark.display())).expect("it is ours");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&file, mode).expect("it is ours");
    }
    world.write(".gitattributes", "*.txt filter=evil\n");
    world.commit("filters");
    let receipt = world.apply(&rename_plan()).expect("the plan fits");
    assert_eq!((receipt.outcome, mark.exists()), (Outcome::Verified, false));
}

#[test]
fn a_branch_made_by_hand_is_verified() {
    let world = World::new();
    let good = world.branch_by_hand("good", &[("src/app.txt", "alpha\nBETA\nGAMMA\n")]);
    let receipt = world.verify(&rename_plan(), good).expect("it can be verified");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
    let half = world.branch_by_hand("half", &[("src/app.txt", "alpha\nBETA\ngamma\n")]);
    let receipt = world.verify(&rename_plan(), half).expect("it can be verified");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::Failed, Verdict::Revise));
    let wide = world.branch_by_hand("wide", &[("src/app.txt", "alpha\nBETA\nGAMMA\n"), ("src/other.txt", "x\n")]);
    let receipt = world.verify(&rename_plan(), wide).expect("it can be verified");
    assert_eq!((receipt.outcome, receipt.verdict), (Outcome::Failed, Verdict::Block));
    assert_eq!(receipt.reasons[0], "src/other.txt: not in the plan's scope");
    let missing =
        world.verify(&rename_plan(), Subject::Branch("nowhere".to_owned())).expect_err("there is no such branch");
    assert_eq!(missing.to_string(), "`nowhere`: no such commit, branch or tag");
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn uncommitted_work_in_the_users_own_tree_is_verified() {
    let mut world = World::new();
    world.write("src/app.txt", "alpha\nBETA\nGAMMA\n");
    let receipt = world.verify(&rename_plan(), Subject::Folder(world.root())).expect("it can be verified");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
    let elsewhere = Subject::Folder(world.folder.path().to_owned());
    assert!(matches!(world.verify(&rename_plan(), elsewhere), Err(VerifyError::ForeignFolder { .. })));
}

#[test]
fn two_runs_of_one_plan_do_not_meet() {
    let world = World::new();
    struct Second<'a>(&'a World, Mutex<Option<String>>);
    impl Observer for Second<'_> {
        fn event(&self, event: &Event<'_>) {
            if matches!(event, Event::StepStarted { step: 1, .. }) {
                let error = self.0.apply(&rename_plan()).expect_err("the first run holds the lease");
                *self.1.lock().expect("nobody panicked") = Some(error.to_string());
            }
        }
    }
    let second = Second(&world, Mutex::new(None));
    let receipt =
        world.apply_with(&rename_plan(), ApplyOptions::default(), &second, &Cancel::new()).expect("the plan fits");
    let expected = format!("plan 001-rename: another process is working on it (pid {})", std::process::id());
    assert_eq!((receipt.outcome, second.1.into_inner().expect("nobody panicked")), (Outcome::Verified, Some(expected)));
}

impl World {
    /// A branch with these files on top of HEAD, made without touching the working tree.
    fn branch_by_hand(&self, name: &str, files: &[(&str, &str)]) -> Subject {
        let repository = Repository::open(self.root()).expect("it is a repository");
        let head = repository.head().and_then(|head| head.peel_to_commit()).expect("it has a commit");
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, text) in files {
            let blob = repository.blob(text.as_bytes()).expect("a blob can be written");
            update.upsert(*path, blob, git2::FileMode::Blob);
        }
        let tree = update
            .create_updated(&repository, &head.tree().expect("a commit has a tree"))
            .expect("a tree can be written");
        let tree = repository.find_tree(tree).expect("it was just written");
        let author =
            Signature::new("By Hand", "hand@example.com", &Time::new(1_700_000_000, 0)).expect("a plain signature");
        let id =
            repository.commit(None, &author, &author, "by hand", &tree, &[&head]).expect("a tree can be committed");
        let commit = repository.find_commit(id).expect("it was just written");
        repository.branch(name, &commit, false).expect("a branch can be made");
        Subject::Branch(name.to_owned())
    }
}

/// Run as a child of the tests below, and killed there: not a test of its own.
#[test]
fn child_that_is_killed() {
    let Some(folder) = std::env::var_os("IMPROVE_TEST_WORLD") else { return };
    struct KilledAt(String);
    impl Observer for KilledAt {
        fn event(&self, event: &Event<'_>) {
            let name = match event {
                Event::Journalled(entry) => format!("journalled {entry}"),
                Event::StepStarted { step, .. } => format!("step {step}"),
                Event::GateStarted { of, .. } => format!("gate of {of}"),
                Event::Phase(phase) => format!("phase {phase:?}"),
                Event::GateFinished { .. } | Event::StepGreen { .. } | Event::Note(_) => return,
            };
            if name == self.0 {
                // As a kill from outside: nothing is unwound, nothing is cleaned up.
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                    .expect("it is us");
                std::thread::sleep(Duration::from_secs(60));
            }
        }
    }
    let (root, cache) = (Path::new(&folder).join("repo"), Path::new(&folder).join("cache"));
    let plan = match std::env::var("IMPROVE_TEST_GATE") {
        Ok(command) => orphaning_plan(&command),
        Err(_) => rename_plan(),
    };
    let text = format!("{plan:?}");
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
        executor: &ExactEdits,
        reviewer: None,
        replanner: None,
        cost: &Cost::default,
        checkpoint: &|_, question| question == "Yes?",
        options: ApplyOptions::default(),
    };
    let point = std::env::var("IMPROVE_TEST_POINT").expect("the parent names the point");
    let _ = apply::run(&request, &KilledAt(point), &Cancel::new());
}

#[test]
fn a_run_killed_at_any_point_goes_on_at_its_last_green_step() {
    let points = [
        "journalled started",
        "phase Prepare",
        "gate of step 1",
        "journalled prepared",
        "journalled baseline",
        "step 1",
        "journalled step-green",
        "step 2",
        "gate of step 2",
        "phase Verify",
        "gate of criterion 1",
    ];
    for point in points {
        let world = World::new();
        let status = Command::new(std::env::current_exe().expect("a test has an executable"))
            .args(["--exact", "child_that_is_killed", "--nocapture"])
            .env("IMPROVE_TEST_WORLD", world.folder.path())
            .env("IMPROVE_TEST_POINT", point)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .expect("the test can be started again");
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(9),
            "{point}: the child was to be killed"
        );
        world.assert_untouched();
        assert_eq!(world.leftovers(), ["001-rename"], "{point}");
        let receipt = world.apply(&rename_plan()).unwrap_or_else(|error| panic!("{point}: {error}"));
        assert_eq!(
            (receipt.outcome, receipt.reasons, receipt.commits.len()),
            (Outcome::Verified, vec![], 2),
            "{point}"
        );
        assert_eq!(
            world.on_branch("improve/001-rename", "src/app.txt").as_deref(),
            Some("alpha\nBETA\nGAMMA\n"),
            "{point}"
        );
        assert_eq!(world.leftovers(), Vec::<String>::new(), "{point}");
    }
}

/// A plan whose second step has this gate.
fn orphaning_plan(command: &str) -> Plan {
    let mut plan = rename_plan();
    plan.steps[1].gates = vec![gate(command, Expectation::Exit(0))];
    plan
}

#[test]
fn a_gate_that_outlived_a_killed_run_is_ended_before_the_next_one() {
    let world = World::new();
    let path = |name: &str| world.folder.path().join(name).display().to_string();
    // Quick on the base, where `GAMMA` is not there yet; then it says that it runs, and writes into the worktree for long.
    let command = format!(
        "grep -q GAMMA src/app.txt || exit 1; test -f {go} && exit 0; touch {runs}; sleep 3; touch {late}",
        go = path("go"),
        runs = path("runs"),
        late = path("late")
    );
    let mut child = Command::new(std::env::current_exe().expect("a test has an executable"))
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env("IMPROVE_TEST_WORLD", world.folder.path())
        .env("IMPROVE_TEST_POINT", "none")
        .env("IMPROVE_TEST_GATE", &command)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the test can be started again");
    let patience = Instant::now() + Duration::from_secs(30);
    while !Path::new(&path("runs")).exists() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().and_then(|()| child.wait()).expect("it is our child");
    fs::write(path("go"), "").expect("the folder is ours");
    let receipt = world.apply(&orphaning_plan(&command)).expect("it goes on");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Verified, 2));
    std::thread::sleep(Duration::from_millis(3500));
    assert!(!Path::new(&path("late")).exists(), "the gate of the killed run went on");
}

#[test]
fn a_file_that_git_ignores_cannot_be_planned() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.scope = scope(&["src/app.txt", "ignored"]);
    plan.steps[0]
        .edits
        .push(FileEdit { file: "ignored/x".to_owned(), operation: EditOperation::Create("x".to_owned()) });
    let receipt = world.apply(&plan).expect("a blocked plan has a receipt");
    assert_eq!(receipt.reasons, ["git ignores `ignored/x`, so what the plan writes there could not be committed"]);
}

#[test]
fn a_checkpoint_is_asked_about_and_stops_the_plan_when_declined() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].checkpoint = Some("Really?".to_owned());
    let receipt = world.apply(&plan).expect("the plan fits");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Blocked, 1));
    assert_eq!(receipt.reasons, ["step 2 was not agreed to at its checkpoint: Really?"]);
    assert_eq!(world.leftovers(), Vec::<String>::new());
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt").as_deref(), Some("alpha\nBETA\ngamma\n"));
    plan.steps[1].checkpoint = Some("Yes?".to_owned());
    let receipt = world.apply(&plan).expect("the plan was changed, so it begins again");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Verified, 2));
}

#[test]
fn a_plan_stopped_at_a_checkpoint_goes_on_at_that_step() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[1].checkpoint = Some("Really?".to_owned());
    let first = world.apply(&plan).expect("the plan fits");
    let second = world.apply(&plan).expect("it goes on");
    assert_eq!((&second.commits, second.outcome), (&first.commits, Outcome::Blocked));
}

#[test]
fn a_dry_run_says_whether_the_plan_fits_and_writes_nothing() {
    let mut world = World::new();
    let options = ApplyOptions { dry_run: true, ..ApplyOptions::default() };
    let fits = world.apply_with(&rename_plan(), options, &Silent, &Cancel::new()).expect("the plan fits");
    assert_eq!((fits.outcome, fits.reasons), (Outcome::Unverified, vec!["the plan fits; nothing was run".to_owned()]));
    world.write("src/app.txt", "nothing of it\n");
    world.commit("drift");
    let blocked =
        world.apply_with(&rename_plan(), options, &Silent, &Cancel::new()).expect("a blocked plan has a receipt");
    assert_eq!(blocked.outcome, Outcome::Blocked);
    assert!(!world.root().join(".git/improve").exists() && !world.cache().exists());
}

#[test]
fn a_failing_install_command_blocks_the_plan() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.commands = vec![improve::plan::PlanCommand {
        purpose: "Install".to_owned(),
        command: "echo offline >&2; exit 3".to_owned(),
        expected: "exit 0".to_owned(),
    }];
    let receipt = world.apply(&plan).expect("a blocked plan has a receipt");
    assert_eq!(receipt.outcome, Outcome::Blocked);
    assert_eq!(receipt.reasons, ["the install command failed: `echo offline >&2; exit 3`: exit 3, expected 0"]);
    assert_eq!((world.leftovers(), world.on_branch("improve/001-rename", "src/app.txt")), (vec![], None));
}

#[test]
fn work_of_others_is_not_discarded_because_the_plan_changed() {
    let world = World::new();
    let mut plan = rename_plan();
    plan.steps[0].edits.clear();
    plan.steps[1].gates = vec![grep("nowhere")];
    world.apply(&plan).expect("it is handed over");
    write(&world.worktree(), "src/app.txt", "alpha\nBETA\ngamma\n");
    plan.title.push('!');
    assert!(matches!(world.apply(&plan), Err(ApplyError::PlanChanged { .. })));
    assert_eq!(world.continue_with(&plan).expect("it is taken up").outcome, Outcome::Failed);
    plan.title.push('!');
    let error = world.apply(&plan).expect_err("the branch holds somebody's work");
    assert_eq!(error.exit_code(), 4);
    assert_eq!(world.on_branch("improve/001-rename", "src/app.txt").as_deref(), Some("alpha\nBETA\ngamma\n"));
}

#[test]
fn locks_that_a_killed_run_left_do_not_stop_the_next_one() {
    let world = World::new();
    let mut plan = rename_plan();
    let flag = world.folder.path().join("flag");
    plan.steps[1].gates = vec![gate(&format!("test -f {}", flag.display()), Expectation::Exit(0))];
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    let git = world.root().join(".git");
    let locks = [
        "worktrees/improve-001-rename/index.lock",
        "worktrees/improve-001-rename/HEAD.lock",
        "refs/heads/improve/001-rename.lock",
    ];
    for lock in locks {
        fs::write(git.join(lock), "").expect("the folder is ours");
    }
    fs::write(&flag, "").expect("the folder is ours");
    assert_eq!(world.apply(&plan).expect("it goes on").outcome, Outcome::Verified);
    assert!(locks.iter().all(|lock| !git.join(lock).exists()));
}

#[test]
fn a_worktree_that_somebody_removed_is_made_again_at_the_last_green_step() {
    let world = World::new();
    let mut plan = rename_plan();
    let flag = world.folder.path().join("flag");
    plan.steps[1].gates = vec![gate(&format!("test -f {}", flag.display()), Expectation::Exit(0))];
    assert_eq!(world.apply(&plan).expect("the plan fits").outcome, Outcome::Failed);
    fs::remove_dir_all(world.worktree()).expect("it is ours");
    fs::write(&flag, "").expect("the folder is ours");
    let receipt = world.apply(&plan).expect("it goes on");
    assert_eq!((receipt.outcome, receipt.commits.len()), (Outcome::Verified, 2));
}

/// [`rename_plan`] with an install command that leaves files which no `.gitignore` names, and gates that need them.
fn installing_plan() -> Plan {
    let mut plan = rename_plan();
    let command = "mkdir -p node_modules/dep && echo v1 > node_modules/dep/index.js && echo {} > package-lock.json";
    plan.commands.push(PlanCommand {
        purpose: "Install".to_owned(),
        command: command.to_owned(),
        ..PlanCommand::default()
    });
    let needs = gate("cat node_modules/dep/index.js package-lock.json", Expectation::Exit(0));
    plan.steps[0].gates.push(needs.clone());
    plan.done_criteria.push(criterion("the dependency is there", vec![needs]));
    plan
}

#[test]
fn what_the_install_command_leaves_is_nobodys_work_and_stays_for_the_gates() {
    let world = World::new();
    let receipt = world.apply(&installing_plan()).expect("it is applied");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
    assert_eq!(receipt.prepared.aside, ["node_modules/", "package-lock.json"]);
    let changed: Vec<&str> = receipt.scope.changed.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["src/app.txt"]);
}

#[test]
fn what_the_install_command_leaves_is_no_violation_of_a_step_somebody_else_does() {
    let world = World::new();
    let mut plan = installing_plan();
    plan.steps[0].edits.clear();
    assert_eq!(world.apply(&plan).expect("it is handed over").outcome, Outcome::HandedOver);
    write(&world.worktree(), "src/app.txt", "alpha\nBETA\ngamma\n");
    let receipt = world.continue_with(&plan).expect("it is taken up");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
}

#[test]
fn a_file_that_the_install_command_makes_is_work_when_the_plan_is_to_make_it() {
    let world = World::new();
    let mut plan = installing_plan();
    plan.scope = scope(&["src/app.txt", "package-lock.json"]);
    let lock = FileEdit {
        file: "package-lock.json".to_owned(),
        operation: EditOperation::Create("{ \"lockfileVersion\": 3 }\n".to_owned()),
    };
    plan.steps[0].edits.push(lock);
    let receipt = world.apply(&plan).expect("it is applied");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
    assert_eq!(receipt.prepared.aside, ["node_modules/"]);
    let made = world.on_branch("improve/001-rename", "package-lock.json");
    assert_eq!(made.as_deref(), Some("{ \"lockfileVersion\": 3 }\n"));
}

#[test]
fn verifying_a_checkout_does_not_blame_it_for_what_was_installed_there() {
    let mut world = World::new();
    world.write("src/app.txt", "alpha\nBETA\nGAMMA\n");
    world.write("node_modules/dep/index.js", "v1\n");
    world.write("package-lock.json", "{}\n");
    let root = world.root();
    let receipt = world.verify(&installing_plan(), Subject::Folder(root.clone())).expect("it is verified");
    assert_eq!((receipt.outcome, receipt.reasons), (Outcome::Verified, vec![]));
    world.write("stray.txt", "not from the install command\n");
    let receipt = world.verify(&installing_plan(), Subject::Folder(root)).expect("it is verified");
    let violations: Vec<&str> = receipt.scope.violations.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(violations, ["stray.txt"]);
}

#[test]
fn our_own_plans_are_not_counted_as_uncommitted_changes() {
    let mut world = World::new();
    world.write("plans/README.md", "# Plans\n");
    world.write("plans/002-next.md", "# Plan 002: next\n");
    let notes = world.apply(&rename_plan()).expect("it is applied").notes;
    assert_eq!(notes, Vec::<String>::new());
    world.write("src/other.txt", "changed\n");
    let options = ApplyOptions { earlier: Earlier::Discard, ..ApplyOptions::default() };
    let notes = world.apply_with(&rename_plan(), options, &Silent, &Cancel::new()).expect("it is applied").notes;
    assert_eq!(notes, ["a file with uncommitted changes in your tree is not part of the base"]);
}

/// [`rename_plan`], written at the current commit, with an excerpt of the file it changes.
fn quoting_plan(world: &World, file: &str, text: &str) -> Plan {
    let mut plan = rename_plan();
    plan.status.planned_at_commit = Some(world.place().commit_of(None).expect("there is a commit"));
    plan.excerpts =
        vec![Excerpt { file: Some(file.to_owned()), lines: Some((1, 3)), text: text.to_owned(), ..Excerpt::default() }];
    plan
}

#[test]
fn an_excerpt_that_changed_since_the_plan_was_written_blocks_it_and_names_the_lines() {
    let mut world = World::new();
    let plan = quoting_plan(&world, "src/app.txt", "alpha\nbeta\ngamma");
    world.write("src/app.txt", "ALPHA\nbeta\ngamma\n");
    world.commit("the first letter changes");
    let receipt = world.apply(&plan).expect("a blocked plan has a receipt");
    let why = "src/app.txt has changed since the plan was written: of the 3 lines it quotes, 2 still stand there; \
               changed: line 1 `alpha`";
    assert_eq!((receipt.outcome, receipt.exit_code(), receipt.reasons), (Outcome::Blocked, 4, vec![why.to_owned()]));
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn an_excerpt_that_moved_or_is_about_another_file_does_not_block_the_plan() {
    let mut world = World::new();
    let moved = quoting_plan(&world, "src/app.txt", "alpha\nbeta\ngamma");
    let other = quoting_plan(&world, "src/other.txt", "one\ntwo");
    world.write("src/app.txt", "new\nlines\nabove\nit\nalpha\nbeta\ngamma\n");
    world.write("src/other.txt", "three\n");
    world.commit("both files change");
    assert_eq!(world.apply(&moved).expect("it is applied").outcome, Outcome::Verified);
    let options = ApplyOptions { earlier: Earlier::Discard, ..ApplyOptions::default() };
    let receipt = world.apply_with(&other, options, &Silent, &Cancel::new()).expect("it is applied");
    assert_eq!(receipt.outcome, Outcome::Verified);
}

#[test]
fn an_excerpt_that_was_retold_from_the_start_does_not_block_the_plan() {
    let mut world = World::new();
    world.write("src/app.txt", "alpha\nbeta\ngamma\ndelta\nepsilon\n");
    world.commit("five letters");
    let retold = "alpha\n// the second letter\nbeta\ngamma\n...\nepsilon";
    let mut plan = quoting_plan(&world, "src/app.txt", retold);
    assert_eq!(world.apply(&plan).expect("it is applied").outcome, Outcome::Verified);
    // Nobody knows the commit any more.
    plan.status.planned_at_commit = None;
    let options = ApplyOptions { earlier: Earlier::Discard, ..ApplyOptions::default() };
    let receipt = world.apply_with(&plan, options, &Silent, &Cancel::new()).expect("it is applied");
    assert_eq!(receipt.outcome, Outcome::Verified);
}

#[test]
fn a_lease_waits_for_a_child_that_has_not_become_its_program_yet() {
    let world = World::new();
    let place = world.place();
    drop(Lease::take(&place, "001-rename", "plans/001-rename.md", "improve/001-rename").expect("nobody holds it"));
    // Such a child holds the lock through a file it inherited; no thread of this process has the lease.
    let file = fs::File::open(place.state().join("worktrees/001-rename.json")).expect("a lease is a file");
    file.lock().expect("nobody holds it");
    let holder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        drop(file);
    });
    let lease = Lease::take(&place, "001-rename", "plans/001-rename.md", "improve/001-rename");
    lease.expect("it is waited for").end().expect("it is ours");
    holder.join().expect("it only sleeps");
}

/// A plan of one exact edit, as somebody wrote it.
fn written_plan(number: u32, word: &str, replacement: &str) -> String {
    format!(
        "# Plan {number:03}: Write {replacement}\n\n## Status\n\n- **Priority**: P3\n- **Effort**: S\n- **Risk**: LOW\n\
         - **Depends on**: none\n- **Category**: tech-debt\n\n## Why this matters\n\nIt reads better.\n\n\
         ## Scope\n\n**In scope**\n\n- `letters.txt`\n\n## Steps\n\n### Step 1: Write `{replacement}`\n\n\
         ```edit file=letters.txt\n<<<<<<< SEARCH\n{word}\n=======\n{replacement}\n>>>>>>> REPLACE\n```\n\n\
         **Verify**: `grep -q '{replacement}' letters.txt` → exit 0\n\n## Done criteria\n\n\
         - [ ] `grep -q '{replacement}' letters.txt` → exit 0\n\n## STOP conditions\n\n- The word is gone.\n"
    )
}

/// A repository with a plan for each pair of words.
fn planned(edits: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    common::git(folder.path(), &["init", "-q", "-b", "main"]);
    common::write(folder.path(), "letters.txt", "alpha\nbeta\ngamma\n");
    for (number, (word, replacement)) in (1..).zip(edits) {
        let path = format!("plans/{number:03}-{word}.md");
        common::write(folder.path(), &path, &written_plan(number, word, replacement));
    }
    common::git(folder.path(), &["add", "."]);
    common::git(folder.path(), &["commit", "-q", "-m", "letters"]);
    folder
}

#[test]
fn one_plan_gives_its_receipt_and_several_a_list_of_theirs() {
    let folder = planned(&[("alpha", "ALPHA"), ("beta", "BETA"), ("gamma", "GAMMA")]);
    let one = alone::run(folder.path(), &["apply", "1", "--trust", "--format", "json"]);
    assert_eq!(one.status.code(), Some(0), "{}", alone::stderr(&one));
    let receipt = alone::json(&one);
    assert_eq!((&receipt["plan"]["path"], &receipt["outcome"]), (&"plans/001-alpha.md".into(), &"verified".into()));
    let several = alone::run(folder.path(), &["apply", "2", "3", "--trust", "--format", "json"]);
    assert_eq!(several.status.code(), Some(0), "{}", alone::stderr(&several));
    let receipts = alone::json(&several);
    let paths: Vec<_> = receipts.as_array().expect("a list").iter().map(|receipt| &receipt["plan"]["path"]).collect();
    assert_eq!(paths, ["plans/002-beta.md", "plans/003-gamma.md"]);
}

#[test]
fn where_no_plan_waits_nothing_is_printed_and_nothing_is_wrong() {
    let folder = planned(&[]);
    let output = alone::run(folder.path(), &["apply", "--all", "--trust", "--format", "json"]);
    assert_eq!((output.status.code(), alone::stdout(&output)), (Some(0), String::new()));
    assert!(alone::stderr(&output).contains("no plan waits to be carried out"), "{}", alone::stderr(&output));
}

#[test]
fn a_base_that_is_no_commit_is_told_before_anything_is_made() {
    let folder = planned(&[("alpha", "ALPHA")]);
    let output = alone::run(folder.path(), &["apply", "1", "--trust", "--base", "nowhere"]);
    assert_eq!((output.status.code(), alone::stdout(&output)), (Some(2), String::new()));
    assert!(alone::stderr(&output).contains("`nowhere`"), "{}", alone::stderr(&output));
    let repository = Repository::open(folder.path()).expect("it is a repository");
    assert_eq!(repository.branches(None).expect("they can be listed").count(), 1, "main alone");
}
