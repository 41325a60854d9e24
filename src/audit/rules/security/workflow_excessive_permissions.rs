//! `workflow-excessive-permissions`: a job that only checks holds a token that may write.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::workflow::{Permissions, Workflow, WorkflowJob};
use crate::tree::Tree;

/// Tokens that may do more than the job needs.
pub struct WorkflowExcessivePermissions;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-excessive-permissions",
    category: Category::Security,
    what: "a workflow that only builds and checks, runs code of others, and says no `permissions` at all",
    why: "in repositories with the old default the token may push: one compromised package or action of the job is enough to change \
          the code",
    quiet_when: "`permissions` is said for the workflow or every job, the job uses the token or publishes something, it runs on \
                 `pull_request` alone, or the repository limits tokens somewhere else in the same file",
    example: "on: push\njobs:\n  test:\n    steps: [{ uses: actions/checkout@v4 }, { run: npm ci }]   # and no `permissions:`",
};

/// Files named in a finding.
const MAX_NAMED: usize = 20;

impl Rule for WorkflowExcessivePermissions {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let found = open_workflows(ground.map, ground.tree);
        let Some((first, line)) = found.first() else { return Vec::new() };
        let title = match found.len() {
            1 => format!("`{}` does not limit its token", first.path),
            more => format!("{} do not limit their token", count_of(more, "workflow")),
        };
        let mut draft = FindingDraft::at_lines(&DOC, &first.path, *line, *line, "workflow")
            .title(title)
            .message(format!(
                "{} code of others and only {}, but nothing limits what the token may do: where the repository or organisation keeps the old \
                 default, a compromised package or action in the job can push to this repository.",
                if found.len() == 1 { format!("`{}` runs", first.path) } else { format!("`{}` and others run", first.path) },
                if found.len() == 1 { "checks it" } else { "check it" },
            ))
            .impact(2)
            .effort(Effort::S)
            .risk(Risk::Low)
            .confidence(Confidence::Med);
        for (workflow, line) in found.iter().skip(1).take(MAX_NAMED) {
            draft = draft.and_lines(&workflow.path, *line, *line, "workflow");
        }
        vec![draft.build()]
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let found: Vec<_> = open_workflows(context.map, context.tree)
            .into_iter()
            .filter(|(workflow, _)| finding.evidence.iter().any(|evidence| evidence.file == workflow.path))
            .collect();
        let mut edits = Vec::new();
        for (workflow, line) in &found {
            let start = FileText::read(context.tree, &workflow.path)?.line_span(*line)?.start;
            edits.push(EditDraft::Replace {
                file: workflow.path.clone(),
                span: Span { start, end: start },
                text: "permissions:\n  contents: read\n\n".to_owned(),
            });
        }
        let present = |workflow: &Workflow| GateDraft::TextPresent {
            text: "contents: read".to_owned(),
            file: workflow.path.clone(),
        };
        let (first, _) = found.first()?;
        Some(PlanDraft {
            title: match found.len() {
                1 => format!("Let the token of `{}` only read", first.path),
                more => format!("Let the tokens of {} only read", count_of(more, "workflow")),
            },
            why: format!("{} A token that can only read is worth nothing to whoever steals it.", finding.message),
            steps: vec![StepDraft {
                title: "Limit the token".to_owned(),
                instruction: "Put `permissions:` with `contents: read` before `jobs:`. A job that turns out to need more says so itself, with its \
                              own `permissions:`."
                    .to_owned(),
                edits,
                gates: found.iter().take(3).map(|(workflow, _)| present(workflow)).collect(),
            }],
            in_scope: found
                .iter()
                .map(|(workflow, _)| ScopeDraft { path: workflow.path.clone(), remark: "the `permissions` key".to_owned() })
                .collect(),
            out_of_scope: vec![(
                "workflows that release, deploy, label or comment".to_owned(),
                "each needs a list of its own".to_owned(),
            )],
            goals: vec![present(first)],
            stop_conditions: vec![
                "a job of the workflow pushes, comments or publishes with the token: give that job what it needs and nothing else".to_owned(),
            ],
            maintenance: vec!["Settings → Actions → Workflow permissions sets the same as the default of the repository.".to_owned()],
            ..PlanDraft::default()
        })
    }
}

/// Workflows that need no more than reading and say nothing about it, with the line of `jobs`.
fn open_workflows<'a>(map: &'a RepoMap, tree: &dyn Tree) -> Vec<(&'a Workflow, u32)> {
    map.recon
        .workflows
        .iter()
        .filter(|workflow| workflow.permissions == Permissions::Unsaid && !workflow.jobs.is_empty())
        // A pull request from elsewhere gets a token that reads; one that others call takes the caller's.
        .filter(|workflow| workflow.triggers.iter().any(|trigger| matches!(trigger.as_str(), "push" | "schedule")))
        .filter(|workflow| workflow.jobs.iter().all(only_checks) && workflow.jobs.iter().any(runs_others))
        .filter_map(|workflow| {
            let text = tree.text(&workflow.path)?;
            let line = (1..).zip(text.lines()).find(|(_, line)| line.trim_end() == "jobs:")?.0;
            let uses_token = ["GITHUB_TOKEN", "github.token", "secrets.", "secrets:", "permissions:"]
                .iter()
                .any(|mark| text.contains(mark));
            (!uses_token).then_some((workflow, line))
        })
        .collect()
}

/// Whether a job does nothing for which the token would have to write.
fn only_checks(job: &WorkflowJob) -> bool {
    const HARMLESS: &[&str] = &[
        "actions/checkout",
        "actions/setup-",
        "actions/cache",
        "pnpm/action-setup",
        "oven-sh/setup-bun",
        "denoland/setup-deno",
        "dtolnay/rust-toolchain",
        "actions-rs/toolchain",
        "actions-rust-lang/setup-rust-toolchain",
        "Swatinem/rust-cache",
        "taiki-e/install-action",
        "taiki-e/cache-cargo-install-action",
        "codecov/codecov-action",
        "extractions/setup-just",
        "mozilla-actions/sccache-action",
        "astral-sh/setup-uv",
        "arduino/setup-protoc",
        "volta-cli/action",
        "supercharge/",
        "actions/upload-artifact",
        "actions/download-artifact",
        "crate-ci/typos",
        "EmbarkStudios/cargo-deny-action",
    ];
    const WRITES: &[&str] = &[
        "git push",
        "gh ",
        "npm publish",
        "pnpm publish",
        "yarn publish",
        "cargo publish",
        "docker push",
        "changeset",
        "deploy",
        "release",
        "git commit",
    ];
    job.uses.is_none()
        && job.permissions == Permissions::Unsaid
        && job.steps.iter().all(|step| {
            step.inline.is_none()
                && step.uses.as_deref().is_none_or(|uses| HARMLESS.iter().any(|known| uses.starts_with(known)))
                && step.run.as_ref().is_none_or(|script| !WRITES.iter().any(|word| script.text.contains(word)))
        })
}

/// Whether a job runs what others wrote: installed packages, or an action from outside GitHub.
fn runs_others(job: &WorkflowJob) -> bool {
    const INSTALLS: &[&str] = &["npm ", "pnpm ", "yarn", "bun ", "cargo ", "pip ", "npx "];
    job.steps.iter().any(|step| {
        step.run.as_ref().is_some_and(|script| INSTALLS.iter().any(|word| script.text.contains(word)))
            || step.uses.as_deref().is_some_and(|uses| !uses.starts_with("actions/"))
    })
}
