//! `workflow-cache-poisoning`: a release is built from a cache that strangers can fill.

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::workflow_pull_request_target_checkout::stranger_runs;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::workflow::{Workflow, WorkflowJob, WorkflowStep};

/// A job that publishes what a restored cache had a part in.
pub struct WorkflowCachePoisoning;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-cache-poisoning",
    category: Category::Security,
    what: "a job that publishes a release and restores a cache, in a repository where code of pull requests runs in the default branch's \
           scope and so may fill that cache",
    why: "caches of the default branch are read by every branch and tag: a stranger's pull request leaves a changed compiler, package or \
          build output there, and the next release ships it",
    quiet_when: "no workflow runs code of a pull request on `pull_request_target` or `workflow_run`, the job publishes nothing, the \
                 cache is only looked up or switched off, or only written",
    example: "on: pull_request_target   # checks out the head and runs `npm ci`\n…\non: release\n- uses: actions/cache@v4\n- run: npm publish",
};

/// Lines of a step in which its cache is named. Our choice.
const MAX_STEP: u32 = 6;

impl Rule for WorkflowCachePoisoning {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        // Both ends are needed: a cache that nobody strange can write is none to fear.
        let Some((opener, run)) = stranger_runs(map) else { return Vec::new() };
        let mut found = Vec::new();
        for workflow in &map.recon.workflows {
            for job in &workflow.jobs {
                if let Some((cache, publish)) = cached_release(workflow, job) {
                    found.push(finding(workflow, job, cache, publish, opener, run));
                }
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let at = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == at.file)?;
        let (job, (cache, _)) = workflow
            .jobs
            .iter()
            .filter_map(|job| Some((job, cached_release(workflow, job)?)))
            .find(|(_, (cache, _))| cache.line == at.start_line)?;
        let action = cache.uses.as_deref().unwrap_or_default();
        let own_step = is_only_cache(action);
        let goal = place::unique_line(context.tree, &workflow.path, cache.line, cache.line + MAX_STEP, &|text| {
            text.contains("cache")
        });
        let gates: Vec<GateDraft> =
            goal.map(|text| GateDraft::TextGone { text, file: workflow.path.clone() }).into_iter().collect();
        Some(PlanDraft {
            title: format!("Build the release of `{}` without a cache", workflow.path),
            why: finding.message.clone(),
            excerpts: vec![ExcerptDraft {
                file: workflow.path.clone(),
                start_line: cache.line,
                end_line: cache.line,
                role: format!("the cache of the job `{}`", job.id),
            }],
            steps: vec![StepDraft {
                title: "Take the cache out of the release".to_owned(),
                instruction: if own_step {
                    format!("In `{}`, job `{}`: remove the step on line {} (`{action}`).", workflow.path, job.id, cache.line)
                } else {
                    format!(
                        "In `{}`, job `{}`: switch the cache of `{action}` on line {} off for this job (remove its cache input, or \
                         set the one that disables it).",
                        workflow.path, job.id, cache.line
                    )
                },
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: vec![ScopeDraft { path: workflow.path.clone(), remark: format!("the job `{}`", job.id) }],
            out_of_scope: vec![("caches of jobs that only check".to_owned(), "they ship nothing".to_owned())],
            goals: gates,
            stop_conditions: vec![
                "the release runs into its time limit without the cache: build in a job of its own whose cache key names the tag".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// The step that restores a cache and the one that publishes after it.
fn cached_release<'a>(workflow: &Workflow, job: &'a WorkflowJob) -> Option<(&'a WorkflowStep, &'a WorkflowStep)> {
    let releases =
        workflow.triggers.iter().any(|trigger| matches!(trigger.as_str(), "release" | "push" | "workflow_dispatch"));
    let at = job.steps.iter().position(restores_cache).filter(|_| releases)?;
    let publish = job.steps[at..].iter().find(|step| publishes(step))?;
    Some((&job.steps[at], publish))
}

fn is_only_cache(action: &str) -> bool {
    action.starts_with("actions/cache@")
        || action.starts_with("actions/cache/restore@")
        || action.starts_with("Swatinem/rust-cache@")
}

fn restores_cache(step: &WorkflowStep) -> bool {
    let Some(action) = step.uses.as_deref() else { return false };
    let input = |name: &str| step.with.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if input("lookup-only") == Some("true") {
        return false;
    }
    is_only_cache(action)
        || ["actions/setup-node@", "actions/setup-java@", "actions/setup-python@"]
            .iter()
            .any(|own| action.starts_with(own))
            && input("cache").is_some_and(|value| !matches!(value, "" | "false"))
}

fn publishes(step: &WorkflowStep) -> bool {
    const COMMANDS: [&str; 6] =
        ["npm publish", "pnpm publish", "yarn npm publish", "cargo publish", "gh release create", "gh release upload"];
    const ACTIONS: [&str; 5] = [
        "softprops/action-gh-release@",
        "ncipollo/release-action@",
        "svenstaro/upload-release-action@",
        "pypa/gh-action-pypi-publish@",
        "changesets/action@",
    ];
    step.run.as_ref().is_some_and(|script| {
        COMMANDS.iter().any(|command| script.text.contains(command)) && !script.text.contains("--dry-run")
    }) || step.uses.as_deref().is_some_and(|uses| ACTIONS.iter().any(|action| uses.starts_with(action)))
}

fn finding(
    workflow: &Workflow,
    job: &WorkflowJob,
    cache: &WorkflowStep,
    publish: &WorkflowStep,
    opener: &Workflow,
    run: u32,
) -> Finding {
    FindingDraft::at_lines(&DOC, &workflow.path, cache.line, cache.line, "cache")
        .title(format!("the release of the job `{}` is built from a cache that strangers can fill", job.id))
        .message(format!(
            "`{}` runs code of pull requests in the default branch's scope, where it may write any cache; the job `{}` of `{}` restores \
             one and then publishes.",
            opener.path, job.id, workflow.path
        ))
        .impact(4)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med)
        .and_lines(&workflow.path, publish.line, publish.line, "publish")
        .and_lines(&opener.path, run, run, "code of a stranger")
        .build()
}
