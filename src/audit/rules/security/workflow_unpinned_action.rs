//! `workflow-unpinned-action`: somebody else's action, as it is today, runs with a token that writes or with secrets.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::owners::owners;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::workflow::{Permissions, Workflow, WorkflowJob, WorkflowStep};

/// An action of a third party that is taken from a branch.
pub struct WorkflowUnpinnedAction;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-unpinned-action",
    category: Category::Security,
    what: "an action of a third party taken from a branch, in a job whose token may write or a step that is handed a secret",
    why: "whoever may push to that branch, or takes over an account that may, runs code with the token and the secrets the \
          next time the workflow starts; nothing here changes, so nothing is reviewed",
    quiet_when: "the action is pinned to a commit or a version tag, comes from GitHub or this repository, or the job can only \
                 read and the step gets no secret; one of the repository's own owner is low confidence",
    example: "permissions: { contents: write }\n…\n- uses: somebody/release-action@main",
};

/// Branches. `dtolnay/rust-toolchain` is meant to be taken from one.
const BRANCHES: [&str; 6] = ["main", "master", "develop", "dev", "trunk", "HEAD"];

impl Rule for WorkflowUnpinnedAction {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        // One finding an action: who looks up its commit pins it everywhere.
        let mut groups: BTreeMap<(&str, &str), Vec<Use<'_>>> = BTreeMap::new();
        for found in map.recon.workflows.iter().flat_map(uses).filter(|found| !is_own(map, found.action)) {
            groups.entry((found.action, found.branch)).or_default().push(found);
        }
        let owners = if groups.is_empty() { BTreeSet::new() } else { owners(ground.map, ground.tree) };
        by_job(groups.into_values()).iter().map(|group| finding(group, &owners)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == place.file)?;
        let found = uses(workflow).into_iter().find(|found| found.step.line == place.start_line)?;
        let told = told(finding, context.map);
        let files: BTreeSet<&str> = finding.evidence.iter().map(|place| place.file.as_str()).collect();
        let mut steps = Vec::new();
        let mut goals = Vec::new();
        for ((action, branch), places) in &told {
            let written = format!("{action}@{branch}");
            // The text of a step that is not told of may be the same.
            let is_whole = |file: &&&str| {
                let count = places.iter().filter(|(path, _)| *path == **file).count();
                count > 0
                    && FileText::read(context.tree, file)
                        .is_some_and(|text| text.text.matches(&written).count() == count)
            };
            let gone = |file: &str| GateDraft::TextGone { text: written.clone(), file: file.to_owned() };
            let gates: Vec<GateDraft> = files.iter().filter(|file| is_whole(file)).map(|file| gone(file)).collect();
            goals.extend(gates.iter().cloned());
            let places: Vec<String> = places.iter().map(|(path, line)| format!("`{path}` line {line}")).collect();
            steps.push(StepDraft {
                title: format!("Pin `{action}`"),
                instruction: format!(
                    "In {}: replace `{written}` by `{action}@COMMIT # VERSION`. `git ls-remote --tags https://github.com/{}` lists the \
                     versions with their commits: take the newest release; if there is none, the commit `{branch}` points to now, and \
                     read what it does.",
                    places.join(", "),
                    action.split('/').take(2).collect::<Vec<_>>().join("/"),
                ),
                edits: Vec::new(),
                gates,
            });
        }
        let action = found.action;
        Some(PlanDraft {
            title: match told.len() {
                1 => format!("Pin `{action}` to a commit in `{}`", workflow.path),
                count => format!("Pin {} to commits in `{}`", count_of(count, "action"), workflow.path),
            },
            why: format!("{} A commit id names one state of the code for good.", finding.message),
            steps,
            in_scope: files
                .iter()
                .map(|file| ScopeDraft { path: (*file).to_owned(), remark: "where it takes them from".to_owned() })
                .collect(),
            out_of_scope: vec![("other actions".to_owned(), "version tags are a decision of their own".to_owned())],
            goals,
            stop_conditions: vec![format!(
                "`{action}` or another of them belongs to the owner of this repository and is released from its branch"
            )],
            maintenance: vec![
                "Dependabot and Renovate raise pinned actions, with the version in the comment.".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// Actions with their branches, and where the finding says each stands.
fn told<'a>(finding: &Finding, map: &'a RepoMap) -> BTreeMap<(&'a str, &'a str), Vec<(&'a str, u32)>> {
    let mut told: BTreeMap<(&str, &str), Vec<(&str, u32)>> = BTreeMap::new();
    for own in map.recon.workflows.iter().flat_map(uses) {
        let (path, line) = (own.workflow.path.as_str(), own.step.line);
        if finding.evidence.iter().any(|place| place.file == path && place.start_line == line) {
            told.entry((own.action, own.branch)).or_default().push((path, line));
        }
    }
    told
}

/// Actions of one owner in one job are pinned together.
fn by_job<'a>(groups: impl Iterator<Item = Vec<Use<'a>>>) -> Vec<Vec<Use<'a>>> {
    let owner = |own: &Use<'_>| own.action.split('/').next().unwrap_or_default().to_owned();
    let mut merged: Vec<Vec<Use<'a>>> = Vec::new();
    for group in groups {
        let is_beside = |other: &Vec<Use<'_>>| {
            other
                .iter()
                .any(|theirs| group.iter().any(|own| std::ptr::eq(own.job, theirs.job) && owner(own) == owner(theirs)))
        };
        match merged.iter().position(is_beside) {
            Some(place) => merged[place].extend(group),
            None => merged.push(group),
        }
    }
    merged
}

/// A step that takes an action from a branch.
struct Use<'a> {
    workflow: &'a Workflow,
    job: &'a WorkflowJob,
    step: &'a WorkflowStep,
    action: &'a str,
    branch: &'a str,
    /// What the action can do.
    power: String,
}

fn uses(workflow: &Workflow) -> Vec<Use<'_>> {
    let mut found = Vec::new();
    for job in &workflow.jobs {
        for step in &job.steps {
            let Some((action, branch)) = step.uses.as_deref().and_then(|uses| uses.split_once('@')) else { continue };
            if !is_third_party(action) || !BRANCHES.contains(&branch) {
                continue;
            }
            if let Some(power) = power(workflow, job, step) {
                found.push(Use { workflow, job, step, action, branch, power });
            }
        }
    }
    found
}

fn is_third_party(action: &str) -> bool {
    let Some((owner, _)) = action.split_once('/') else { return false };
    !matches!(owner, "." | ".." | "actions" | "github" | "docker:") && action != "dtolnay/rust-toolchain"
}

/// What the job's token or the step's inputs allow, if that is more than reading.
fn power(workflow: &Workflow, job: &WorkflowJob, step: &WorkflowStep) -> Option<String> {
    let secret = step.with.iter().find_map(|(_, value)| {
        let name = value.split_once("secrets.")?.1;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        Some(name[..end].to_owned()).filter(|name| name != "GITHUB_TOKEN")
    });
    let permissions = if job.permissions == Permissions::Unsaid { workflow.permissions } else { job.permissions };
    match (secret, permissions) {
        (Some(name), _) => Some(format!("gets the secret `{name}`")),
        (None, Permissions::WriteAll) => Some("runs in a job whose token may write to the repository".to_owned()),
        // Packages, comments or an identity elsewhere (`id-token`) as likely as code.
        (None, Permissions::Write) => Some("runs in a job whose token may do more than read".to_owned()),
        (None, Permissions::Unsaid | Permissions::Read) => None,
    }
}

/// `owner/repository/.github/actions/name`, where that folder is one of this repository.
fn is_own(map: &RepoMap, action: &str) -> bool {
    let Some(folder) = action.splitn(3, '/').nth(2) else { return false };
    ["action.yml", "action.yaml"].iter().any(|name| map.has_path(&format!("{folder}/{name}")))
}

fn finding(group: &[Use<'_>], owners: &BTreeSet<String>) -> Finding {
    let found = &group[0];
    let (action, branch) = (found.action, found.branch);
    let beside: BTreeSet<&str> = group.iter().map(|own| own.action).filter(|other| *other != action).collect();
    let same = group.iter().filter(|own| own.action == action).count();
    let mut more = match same {
        1 => String::new(),
        2 => " One more step uses it in the same way.".to_owned(),
        count => format!(" {} more steps use it in the same way.", count - 1),
    };
    if !beside.is_empty() {
        let beside: Vec<String> = beside.iter().map(|other| format!("`{other}`")).collect();
        more.push_str(&format!(" The same is true of {}.", beside.join(", ")));
    }
    let mut draft = FindingDraft::at_lines(&DOC, &found.workflow.path, found.step.line, found.step.line, "action")
        .title(format!("`{action}` is taken from its branch `{branch}` and {}", found.power))
        .message(format!(
            "The job `{}` runs `{action}` as its branch `{branch}` stands at that moment, and the action {}: what is pushed \
             there runs here without a change of this repository.{more}",
            found.job.id, found.power
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        // Who writes the action may write here, too.
        .confidence(match action.split_once('/') {
            Some((owner, _)) if owners.contains(&owner.to_lowercase()) => Confidence::Low,
            _ => Confidence::High,
        });
    for other in &group[1..] {
        draft = draft.and_lines(&other.workflow.path, other.step.line, other.step.line, "action");
    }
    draft.build()
}
