//! `workflow-inherited-secrets`: a workflow of somebody else is handed every secret of the repository.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::owners::owners;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::FileText;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::workflow::{Workflow, WorkflowJob};
use crate::tree::Tree;

/// Secrets that leave the house in one word.
pub struct WorkflowInheritedSecrets;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-inherited-secrets",
    category: Category::Security,
    what: "`secrets: inherit` for a reusable workflow of another owner that is taken from a branch or a tag",
    why: "the workflow gets every secret of the repository and its organisation, those it has no use for included, and whoever may move that \
          branch or tag decides what is done with them",
    quiet_when: "the workflow is of this repository or its owner, it is pinned to a commit, the secrets are named one by one, or it cannot be \
                 told who owns this repository",
    example: "jobs:\n  release:\n    uses: somebody/workflows/.github/workflows/release.yml@v1\n    secrets: inherit",
};

impl Rule for WorkflowInheritedSecrets {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let owners = owners(ground.map, ground.tree);
        if owners.is_empty() {
            return Vec::new();
        }
        let calls = ground
            .map
            .recon
            .workflows
            .iter()
            .flat_map(|workflow| workflow.jobs.iter().filter_map(move |job| Some((workflow, job, called(job)?))));
        calls
            .filter(|(_, _, called)| {
                !owners.contains(&called.owner.to_lowercase()) && called.owner != "actions" && called.owner != "github"
            })
            .filter_map(|(workflow, job, called)| {
                let line = inherit_line(ground.tree, workflow, job)?;
                Some(finding(workflow, job, &called, line))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let path = place.file.clone();
        let text = FileText::read(context.tree, &path)?;
        let mut gates = Vec::new();
        if text.text.matches("secrets: inherit").count() == 1 {
            gates.push(GateDraft::TextGone { text: "secrets: inherit".to_owned(), file: path.clone() });
        }
        Some(PlanDraft {
            title: format!("Name the secrets that `{path}` hands over"),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: "Name them one by one".to_owned(),
                instruction: format!(
                    "In `{path}`, line {}: read which secrets the called workflow declares under `on.workflow_call.secrets` (or uses as \
                     `secrets.NAME`), and replace `inherit` by a mapping of those alone, `NAME: ${{{{ secrets.NAME }}}}` each. Pin the \
                     workflow to the commit you have read.",
                    place.start_line
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: vec![ScopeDraft { path, remark: "the job that calls the workflow".to_owned() }],
            out_of_scope: vec![("other jobs".to_owned(), "they hand over nothing".to_owned())],
            goals: gates,
            stop_conditions: vec![
                "the called workflow cannot be read: then which secrets it needs is for its owner to say".to_owned(),
                "the other owner is an organisation of the same people".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// A reusable workflow of some repository.
struct Called<'a> {
    owner: &'a str,
    written: &'a str,
    reference: &'a str,
}

/// The workflow a job calls, when that is not of this repository and not pinned to a commit.
fn called(job: &WorkflowJob) -> Option<Called<'_>> {
    let written = job.uses.as_deref().filter(|_| job.inherits_secrets)?;
    let (path, reference) = written.split_once('@')?;
    let (owner, _) = path.split_once('/')?;
    let is_commit = reference.len() == 40 && reference.chars().all(|c| c.is_ascii_hexdigit());
    (!is_commit && !matches!(owner, "." | ".." | "")).then_some(Called { owner, written, reference })
}

/// The line of `secrets: inherit` in a job.
fn inherit_line(tree: &dyn Tree, workflow: &Workflow, job: &WorkflowJob) -> Option<u32> {
    let text = tree.text(&workflow.path)?;
    let after = (1..).zip(text.lines()).skip_while(|(line, _)| *line < job.line);
    after
        .map(|(line, written): (u32, &str)| (line, written.trim()))
        .find(|(_, written)| {
            written.strip_prefix("secrets:").is_some_and(|value| value.trim_start().starts_with("inherit"))
        })
        .map(|(line, _)| line)
}

fn finding(workflow: &Workflow, job: &WorkflowJob, called: &Called<'_>, line: u32) -> Finding {
    FindingDraft::at_lines(&DOC, &workflow.path, line, line, "secrets")
        .title(format!("`{}` hands every secret to a workflow of `{}`", job.id, called.owner))
        .message(format!(
            "The job `{}` calls `{}` with `secrets: inherit`: it gets all secrets of this repository, needed or not, and whoever may move \
             `{}` in a repository of `{}` decides what happens to them.",
            job.id, called.written, called.reference, called.owner
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .and_lines(&workflow.path, job.line, job.line, "job")
        .build()
}
