//! `workflow-pull-request-target-checkout`: code of a stranger's pull request runs with the repository's token.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::FileText;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::workflow::{Permissions, Workflow, WorkflowJob, WorkflowStep};

/// A privileged workflow that checks out and runs untrusted code.
pub struct WorkflowPullRequestTargetCheckout;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-pull-request-target-checkout",
    category: Category::Security,
    what: "a workflow on `pull_request_target` or `workflow_run` that checks out the head of the pull request and then runs something",
    why: "these triggers give a token that can write and every secret; install scripts and build files of the pull request run \
          with them, so a stranger can push to the repository or read its secrets",
    quiet_when: "nothing is run after the checkout, the job is limited to members, a label or an environment with approval, or \
                 the base branch is checked out",
    example: "on: pull_request_target\n…\n- uses: actions/checkout@v4\n  with: { ref: ${{ github.event.pull_request.head.sha }} }\n- run: npm ci",
};

/// References that lead to code of the pull request.
const HEADS: [&str; 7] = [
    "github.event.pull_request.head.sha",
    "github.event.pull_request.head.ref",
    "github.head_ref",
    "github.event.workflow_run.head_sha",
    "github.event.workflow_run.head_branch",
    "refs/pull/",
    "github.event.pull_request.merge_commit_sha",
];

impl Rule for WorkflowPullRequestTargetCheckout {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for workflow in privileged(map) {
            for job in workflow.jobs.iter().filter(|job| !is_limited(job)) {
                if let Some((checkout, run)) = checkout_and_run(job) {
                    found.push(finding(workflow, job, checkout, run));
                }
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == place.file)?;
        let (job, (checkout, run)) = workflow
            .jobs
            .iter()
            .filter_map(|job| Some((job, checkout_and_run(job)?)))
            .find(|(_, (checkout, _))| checkout.line == place.start_line)?;
        let written = checkout.with.iter().find(|(_, value)| is_head(value))?;
        let line = format!("{}: {}", written.0, written.1);
        let text = FileText::read(context.tree, &workflow.path)?;
        let goal = (text.text.matches(&line).count() == 1)
            .then(|| GateDraft::TextGone { text: line.clone(), file: workflow.path.clone() });
        let gates: Vec<GateDraft> = goal.into_iter().collect();
        Some(PlanDraft {
            title: format!("Keep code of pull requests away from the token of `{}`", workflow.path),
            why: finding.message.clone(),
            excerpts: vec![ExcerptDraft {
                file: workflow.path.clone(),
                start_line: job.line,
                end_line: run.line + 3,
                role: format!("the job `{}`: the checkout on line {}, what runs after it on line {}", job.id, checkout.line, run.line),
            }],
            steps: vec![StepDraft {
                title: "Split what runs the code from what needs the token".to_owned(),
                instruction: format!(
                    "In `{}`, job `{}`: if nothing in the job needs a secret or writes to the repository, trigger it on \
                     `pull_request` instead and remove `{line}`. Otherwise move the checkout and everything that runs code of \
                     the pull request into a workflow on `pull_request` that uploads its result as an artifact, and let a \
                     workflow on `workflow_run` download that artifact, treat it as data, and do what needs the token.",
                    workflow.path, job.id
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: vec![
                ScopeDraft { path: workflow.path.clone(), remark: format!("the job `{}`", job.id) },
                ScopeDraft { path: ".github/workflows/".to_owned(), remark: "a second workflow, if the token is needed".to_owned() },
            ],
            out_of_scope: vec![("what the job checks".to_owned(), "only with which rights it runs changes".to_owned())],
            goals: gates,
            stop_conditions: vec![
                "the job must push to the branch of the pull request: ask the maintainers which approval should come first".to_owned(),
                "an environment with required reviewers guards the job in the repository's settings".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// The first workflow that runs code of strangers with rights of the default branch, and the line where.
pub fn stranger_runs(map: &RepoMap) -> Option<(&Workflow, u32)> {
    privileged(map).find_map(|workflow| {
        let mut jobs = workflow.jobs.iter().filter(|job| !is_limited(job));
        jobs.find_map(|job| checkout_and_run(job)).map(|(_, run)| (workflow, run.line))
    })
}

/// Workflows that get secrets and a token that may write whoever opened the pull request.
fn privileged(map: &RepoMap) -> impl Iterator<Item = &Workflow> {
    let starts = |trigger: &String| trigger == "pull_request_target" || trigger == "workflow_run";
    map.recon.workflows.iter().filter(move |workflow| workflow.triggers.iter().any(starts))
}

fn is_head(value: &str) -> bool {
    HEADS.iter().any(|head| value.contains(head))
}

/// Whether a job's condition lets only trusted people or approved changes in.
fn is_limited(job: &WorkflowJob) -> bool {
    let condition = job.condition.as_deref().unwrap_or_default();
    [
        "author_association",
        "label",
        "head.repo.full_name",
        "head.repo.fork",
        "github.actor",
        "sender.login",
        "user.login",
        "approved",
    ]
    .iter()
    .any(|word| condition.contains(word))
        || (condition.contains("head_repository") || condition.contains("workflow_run.event == 'push'"))
}

/// The checkout of the head and the first step after it that runs something of it.
fn checkout_and_run(job: &WorkflowJob) -> Option<(&WorkflowStep, &WorkflowStep)> {
    let at = job.steps.iter().position(|step| {
        step.uses.as_deref().is_some_and(|uses| uses.starts_with("actions/checkout@"))
            && step.with.iter().any(|(name, value)| name == "ref" && is_head(value))
    })?;
    // Beside the workspace, a checkout is data until somebody runs it from there.
    let aside = job.steps[at].with.iter().any(|(name, _)| name == "path");
    let runs = job.steps[at + 1..].iter().find(|step| {
        let runs_code = step.run.as_ref().is_some_and(|run| runs_repository_code(&run.text));
        let action = step.uses.as_deref().unwrap_or_default();
        let builds = action.starts_with("./") || BUILDERS.iter().any(|builder| action.starts_with(builder));
        runs_code || builds
    })?;
    (!aside).then_some((&job.steps[at], runs))
}

/// Actions that run what the checkout says: its Dockerfile, its install scripts, its configuration.
const BUILDERS: [&str; 6] = [
    "docker/build-push-action@",
    "docker/bake-action@",
    "cypress-io/github-action@",
    "bahmutov/npm-install@",
    "cloudflare/wrangler-action@",
    "gradle/gradle-build-action@",
];

/// Package managers, build tools and scripts of the checkout: they run what the checkout says.
fn runs_repository_code(script: &str) -> bool {
    const RUNNERS: [&str; 22] = [
        "npm ",
        "npx ",
        "pnpm ",
        "yarn",
        "bun ",
        "cargo ",
        "make",
        "just ",
        "pip install",
        "poetry ",
        "uv ",
        "go ",
        "gradle",
        "mvn ",
        "bundle ",
        "./",
        "node ",
        "python",
        "bash ",
        "sh ",
        "docker build",
        "deno ",
    ];
    script
        .lines()
        .map(str::trim)
        .filter(|line| !installs_a_tool(line))
        .any(|line| RUNNERS.iter().any(|runner| line.starts_with(runner) || line.contains(&format!("&& {runner}"))))
}

/// `cargo install imdl`, `npm install -g x`: a tool from the registry, and nothing of the checkout.
fn installs_a_tool(line: &str) -> bool {
    let mut words = line.split_whitespace();
    match (words.next(), words.next()) {
        (Some("cargo"), Some("install" | "binstall")) => !line.contains("--path") && !line.contains("&&"),
        (Some("npm" | "pnpm"), Some("install" | "i" | "add")) => {
            line.split_whitespace().any(|word| matches!(word, "-g" | "--global")) && !line.contains("&&")
        }
        _ => false,
    }
}

fn finding(workflow: &Workflow, job: &WorkflowJob, checkout: &WorkflowStep, run: &WorkflowStep) -> Finding {
    let permissions = match job.permissions {
        Permissions::Unsaid => workflow.permissions,
        said => said,
    };
    let token = match permissions {
        Permissions::Read => "a read-only token, but every secret the job names",
        Permissions::Unsaid | Permissions::Write | Permissions::WriteAll => "a token that can write, and every secret",
    };
    let what = run.run.as_ref().map_or_else(
        || match run.uses.as_deref() {
            Some(action) if !action.starts_with("./") => format!("`{action}`"),
            Some(_) | None => "a local action".to_owned(),
        },
        |script| format!("`{}`", script.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()),
    );
    FindingDraft::at_lines(&DOC, &workflow.path, checkout.line, checkout.line, "checkout")
        .title(format!("the job `{}` runs code of pull requests with the repository's rights", job.id))
        .message(format!(
            "`{}` is triggered by {}, checks out the head of the pull request and runs {what} on it: code of a stranger runs \
             with {token}.",
            workflow.path,
            workflow.triggers.iter().map(|trigger| format!("`{trigger}`")).collect::<Vec<_>>().join(", ")
        ))
        .impact(if permissions == Permissions::Read { 4 } else { 5 })
        .effort(Effort::S)
        .risk(Risk::Med)
        .confidence(Confidence::High)
        .and_lines(&workflow.path, run.line, run.line, "run")
        .build()
}
