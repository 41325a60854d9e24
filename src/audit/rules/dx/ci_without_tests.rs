//! `ci-without-tests`: continuous integration runs, but never the tests that exist.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::workflow::Workflow;
use crate::repo_map::recon::{CommandPurpose, PackageManager, ProjectCommand};
use crate::repo_map::{FileRole, RepoMap};

/// Checks that leave out the tests.
pub struct CiWithoutTests;

static DOC: RuleDoc = RuleDoc {
    id: "ci-without-tests",
    category: Category::Dx,
    what: "workflows that run on pushes or pull requests and never run the test command the repository has",
    why: "tests that nobody has to run stop passing one by one, and a green check says less than everybody believes",
    quiet_when: "a workflow, or a script, task or local action it calls, mentions tests; other continuous integration is in \
                 use; or there are hardly any tests",
    example: "# package.json has \"test\": \"vitest\", .github/workflows/ci.yml runs lint and build alone",
};

/// Test files from which it matters. Our choice.
const MIN_TEST_FILES: usize = 3;

impl Rule for CiWithoutTests {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let recon = &map.recon;
        let elsewhere = recon.ci_files.iter().any(|path| !path.starts_with(".github/workflows/"));
        let checks: Vec<&Workflow> = recon.workflows.iter().filter(|workflow| is_check(workflow)).collect();
        let tests = map
            .files
            .iter()
            .filter(|file| file.role == FileRole::Test || file.facts.symbols.iter().any(|symbol| symbol.test))
            .count();
        let Some(main) = main_check(&checks).filter(|_| !elsewhere && tests >= MIN_TEST_FILES) else {
            return Vec::new();
        };
        let Some(command) = test_command(map) else { return Vec::new() };
        if recon.workflows.iter().any(|workflow| mentions_tests(map, workflow)) {
            return Vec::new();
        }
        vec![finding(map, main, command, tests)]
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == place.file)?;
        let command = test_command(context.map)?;
        let job = workflow.jobs.first()?;
        let folder = if command.folder.is_empty() { "the root".to_owned() } else { format!("`{}`", command.folder) };
        let text = format!("run: {}", command.command);
        let present = GateDraft::TextPresent { text: text.clone(), file: workflow.path.clone() };
        Some(PlanDraft {
            title: format!("Run the tests in `{}`", workflow.path),
            why: format!(
                "{} Running them there makes a failing test visible on the change that broke it.",
                finding.message
            ),
            steps: vec![
                StepDraft {
                    title: "See the tests pass on a clean checkout".to_owned(),
                    instruction: format!(
                        "Run `{}` in {folder} after the install command. If tests fail, list them: they have to be mended, or \
                         marked with a reason, before they can guard anything.",
                        command.command
                    ),
                    edits: Vec::new(),
                    gates: vec![GateDraft::Project(CommandPurpose::Test)],
                },
                StepDraft {
                    title: format!("Add the tests to the job `{}`", job.id),
                    instruction: format!(
                        "In `{}`, job `{}` (line {}), add as its last step `- {text}`{}. The steps before it already install \
                         what the tests need; where they need a service (a database, Redis), add it under `services`.",
                        workflow.path,
                        job.id,
                        job.line,
                        if command.folder.is_empty() {
                            String::new()
                        } else {
                            format!(" with `working-directory: {}`", command.folder)
                        },
                    ),
                    edits: Vec::new(),
                    gates: vec![present.clone()],
                },
            ],
            in_scope: vec![ScopeDraft { path: workflow.path.clone(), remark: "one more step".to_owned() }],
            out_of_scope: vec![("other workflows".to_owned(), "one place that runs the tests is enough".to_owned())],
            goals: vec![present],
            stop_conditions: vec![
                "tests fail on the untouched base: report which".to_owned(),
                "the tests need a secret or a paid service that continuous integration does not have".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// Something that is meant to say whether a change is good.
fn is_check(workflow: &Workflow) -> bool {
    workflow.triggers.iter().any(|trigger| matches!(trigger.as_str(), "push" | "pull_request" | "merge_group"))
}

/// The workflow that checks code: it runs something on pull requests, and its name says so.
fn main_check<'a>(checks: &[&'a Workflow]) -> Option<&'a Workflow> {
    let weight = |workflow: &Workflow| {
        let name = workflow.path.rsplit('/').next().unwrap_or_default();
        let named = ["ci.", "check", "lint", "build", "main.", "pull"].iter().any(|word| name.contains(word));
        let runs = workflow.jobs.iter().flat_map(|job| &job.steps).filter(|step| step.run.is_some()).count();
        let on_request = workflow.triggers.iter().any(|trigger| trigger == "pull_request");
        (runs > 0).then_some((on_request, named, runs))
    };
    checks
        .iter()
        .filter_map(|workflow| Some((weight(workflow)?, *workflow)))
        .max_by(|(a, left), (b, right)| a.cmp(b).then_with(|| right.path.cmp(&left.path)))
        .map(|(_, workflow)| workflow)
        .filter(|workflow| workflow.triggers.iter().any(|trigger| trigger == "pull_request"))
}

/// The command that runs the tests, of the root before others.
fn test_command(map: &RepoMap) -> Option<&ProjectCommand> {
    let has_rust_tests = map.files.iter().any(|file| {
        !file.language.is_ecmascript()
            && (file.role == FileRole::Test || file.facts.symbols.iter().any(|symbol| symbol.test))
    });
    map.recon
        .packages
        .iter()
        .filter(|package| package.manager != PackageManager::Cargo || has_rust_tests)
        .flat_map(|package| &package.commands)
        .find(|command| command.purpose == CommandPurpose::Test)
}

/// Whether a workflow may run tests: by what it runs, what that calls, or what its actions are called.
fn mentions_tests(map: &RepoMap, workflow: &Workflow) -> bool {
    let says = |text: &str| {
        // `ubuntu-latest` is no test.
        let lower = text.to_ascii_lowercase().replace("latest", "");
        ["test", "spec", "coverage", "tarpaulin", "llvm-cov", "jest", "playwright", "cypress", "miri", "ava "]
            .iter()
            .any(|word| lower.contains(word))
    };
    let calls_task = |text: &str| {
        let named = |name: &str| text.split(|c: char| c.is_whitespace() || ";&|".contains(c)).any(|word| word == name);
        let scripts = map.recon.packages.iter().flat_map(|package| &package.scripts);
        scripts.clone().any(|script| named(&script.name) && says_through(map, &script.command, &says, 3))
            // What a Makefile or a shell script runs is not read: assume the best of it.
            || ["make ", "just ", "./", "bash ", "sh ", "xtask", "nix ", "docker ", "earthly", "task ", "mise "].iter().any(|word| text.contains(word))
    };
    let unread_action = |uses: &str| uses.starts_with("./") && !uses.contains("setup") && !uses.contains("install");
    says(&workflow.path)
        || workflow.jobs.iter().any(|job| {
            says(&job.id)
                || job.uses.is_some()
                || job.steps.iter().any(|step| {
                    step.run.as_ref().is_some_and(|run| says(&run.text) || calls_task(&run.text))
                        || step.uses.as_ref().is_some_and(|uses| says(uses) || unread_action(uses))
                        || step.with.iter().any(|(_, value)| says(value))
                })
        })
}

/// Whether a script's command mentions tests, itself or in the scripts it runs.
fn says_through(map: &RepoMap, command: &str, says: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    if says(command) {
        return true;
    }
    if depth == 0 {
        return false;
    }
    let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || ";&|".contains(c)).collect();
    map.recon
        .packages
        .iter()
        .flat_map(|package| &package.scripts)
        .filter(|script| words.contains(&script.name.as_str()) && script.command != command)
        .any(|script| says_through(map, &script.command, says, depth - 1))
}

fn finding(map: &RepoMap, workflow: &Workflow, command: &ProjectCommand, tests: usize) -> Finding {
    let line = workflow.jobs.first().map_or(1, |job| job.line);
    let others = map.recon.workflows.len() - 1;
    let others = if others > 0 {
        format!(", nor does any of the other {}", count_of(others, "workflow"))
    } else {
        String::new()
    };
    FindingDraft::at_lines(&DOC, &workflow.path, line, line, "job")
        .title(format!("continuous integration never runs the tests: `{}`", command.command))
        .message(format!(
            "`{}` runs on every pull request and does not run `{}` ({}){others}, so the {tests} files with tests guard nothing.",
            workflow.path, command.command, command.source
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .build()
}
