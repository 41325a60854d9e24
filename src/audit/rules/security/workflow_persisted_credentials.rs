//! `workflow-persisted-credentials`: the token that a checkout leaves in `.git/config` goes into an artifact.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::text::FileText;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::workflow::{Workflow, WorkflowJob, WorkflowStep};

/// A checkout's token in what everybody may download.
pub struct WorkflowPersistedCredentials;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-persisted-credentials",
    category: Category::Security,
    what: "a job that checks the repository out with its token and uploads the whole workspace, `.git` included, as an artifact",
    why: "`actions/checkout` leaves the job's token in `.git/config`; whoever may read the artifact takes it from there while the job \
          still runs, and pushes or publishes with it",
    quiet_when: "`persist-credentials` is false, the artifact is a folder or a pattern that leaves `.git` out, the version of \
                 `upload-artifact` leaves hidden files out (4.4 and later, unless told otherwise), or the checkout is one that keeps the \
                 token elsewhere (6 and later)",
    example: "- uses: actions/checkout@v4\n- run: npm ci && npm run build\n- uses: actions/upload-artifact@v4\n  with: { path: ., include-hidden-files: true }",
};

impl Rule for WorkflowPersistedCredentials {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let jobs = map.recon.workflows.iter().flat_map(|workflow| workflow.jobs.iter().map(move |job| (workflow, job)));
        jobs.flat_map(|(workflow, job)| leaks(job).into_iter().map(move |leak| finding(workflow, job, &leak))).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let workflow = context.map.recon.workflows.iter().find(|workflow| workflow.path == place.file)?;
        let (job, leak) = workflow
            .jobs
            .iter()
            .flat_map(|job| leaks(job).into_iter().map(move |leak| (job, leak)))
            .find(|(_, leak)| leak.checkout.line == place.start_line)?;
        let pushes = pushes(job);
        let text = FileText::read(context.tree, &workflow.path)?;
        let edits = if pushes { Vec::new() } else { edit(&text, workflow, leak.checkout).into_iter().collect() };
        let gate =
            GateDraft::TextPresent { text: "persist-credentials: false".to_owned(), file: workflow.path.clone() };
        Some(PlanDraft {
            title: format!("Keep the token of `{}` out of its artifact", workflow.path),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: "Do not keep the token".to_owned(),
                instruction: format!(
                    "In `{}`, job `{}`, give the checkout on line {} `with: persist-credentials: false`.{}",
                    workflow.path,
                    job.id,
                    leak.checkout.line,
                    if pushes {
                        " The job talks to the remote with git: there, hand the token to that one command \
                         (`git push \"https://x-access-token:$TOKEN@github.com/$GITHUB_REPOSITORY\"`), or name the folders to upload \
                         instead of the workspace."
                    } else {
                        ""
                    }
                ),
                edits,
                gates: vec![gate.clone()],
            }],
            in_scope: vec![ScopeDraft { path: workflow.path.clone(), remark: format!("the checkout of `{}`", job.id) }],
            out_of_scope: vec![("what the artifact holds".to_owned(), "whoever downloads it may need every file".to_owned())],
            goals: vec![gate],
            stop_conditions: vec![
                "a later step of the job fetches or pushes with git, or uses an action that does, and fails without the token".to_owned(),
            ],
            maintenance: vec!["An artifact of a few named folders is smaller, and holds no surprises.".to_owned()],
            ..PlanDraft::default()
        })
    }
}

/// A checkout whose folder is uploaded with its `.git`.
struct Leak<'a> {
    checkout: &'a WorkflowStep,
    upload: &'a WorkflowStep,
    path: &'a str,
}

fn leaks(job: &WorkflowJob) -> Vec<Leak<'_>> {
    let mut found = Vec::new();
    for (at, upload) in job.steps.iter().enumerate() {
        let Some(version) = reference(upload, "actions/upload-artifact") else { continue };
        let Some(path) = input(upload, "path").filter(|_| takes_hidden(upload, version)) else { continue };
        let checkout = job.steps[..at].iter().find(|step| {
            reference(step, "actions/checkout").is_some_and(keeps_token_in_folder)
                && input(step, "persist-credentials") != Some("false")
                // Somebody else's repository is read without a token that is worth anything here.
                && input(step, "repository").is_none()
                && path.lines().any(|line| holds_git(line, input(step, "path")))
        });
        found.extend(checkout.map(|checkout| Leak { checkout, upload, path: path.lines().next().unwrap_or(path) }));
    }
    found.dedup_by_key(|leak| leak.checkout.line);
    found
}

/// The version of an action that a step uses.
fn reference<'a>(step: &'a WorkflowStep, action: &str) -> Option<&'a str> {
    step.uses.as_deref()?.strip_prefix(action)?.strip_prefix('@')
}

fn input<'a>(step: &'a WorkflowStep, name: &str) -> Option<&'a str> {
    step.with.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// `v4.3.1` as numbers; a part that is not said is `None`. A commit or a branch says nothing.
fn version(reference: &str) -> Option<(u32, Option<u32>)> {
    let mut parts = reference.strip_prefix('v')?.split('.');
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().and_then(|minor| minor.parse().ok())))
}

/// Since 4.4 hidden files are only taken when it is asked for.
fn takes_hidden(upload: &WorkflowStep, reference: &str) -> bool {
    match version(reference) {
        _ if input(upload, "include-hidden-files") == Some("true") => true,
        Some((1..=3, _)) => true,
        Some((4, Some(minor))) => minor < 4,
        // `v4` is the newest 4; a commit may be any.
        Some((4.., _)) | Some((0, _)) | None => false,
    }
}

/// From version 6 on the token is kept outside the workspace.
fn keeps_token_in_folder(reference: &str) -> bool {
    version(reference).is_some_and(|(major, _)| (2..6).contains(&major))
}

/// Whether a path of the artifact is the checkout's folder or one above it.
fn holds_git(path: &str, checkout: Option<&str>) -> bool {
    let plain = |path: &str| {
        let path = path.trim().trim_end_matches("/**").trim_end_matches("/*").trim_end_matches('/');
        path.strip_prefix("${{ github.workspace }}")
            .or_else(|| path.strip_prefix("${{github.workspace}}"))
            .or_else(|| path.strip_prefix('.'))
            .unwrap_or(path)
            .trim_start_matches('/')
            .to_owned()
    };
    let path = path.trim();
    let whole = matches!(path, "*" | "**" | "**/*" | ".") || (!path.is_empty() && plain(path).is_empty());
    whole || checkout.is_some_and(|folder| !plain(folder).is_empty() && plain(folder) == plain(path))
}

/// Whether the job talks to the remote with the token that would be gone.
fn pushes(job: &WorkflowJob) -> bool {
    const WITH_TOKEN: [&str; 5] = ["git push", "git fetch", "git pull", "git submodule", "git ls-remote"];
    const ACTIONS: [&str; 5] =
        ["git-auto-commit", "create-pull-request", "changesets/action", "semantic-release", "add-and-commit"];
    job.steps.iter().any(|step| {
        step.run.as_ref().is_some_and(|script| WITH_TOKEN.iter().any(|command| script.text.contains(command)))
            || step.uses.as_deref().is_some_and(|uses| ACTIONS.iter().any(|action| uses.contains(action)))
    })
}

/// The exact edit: the input under the `with:` of the checkout, or a `with:` of its own.
fn edit(text: &FileText, workflow: &Workflow, checkout: &WorkflowStep) -> Option<EditDraft> {
    // The step's own lines: to the next line that stands as far left as its dash.
    let first = text.line(checkout.line)?;
    let dash = first.len() - first.trim_start().len();
    let mut with = None;
    let mut uses = None;
    let mut number = checkout.line;
    while let Some(line) = text.line(number) {
        let depth = line.len() - line.trim_start().len();
        if number > checkout.line && !line.trim().is_empty() && depth <= dash {
            break;
        }
        let key = line.trim_start().trim_start_matches("- ").trim_end();
        match key {
            "with:" => with = Some(number),
            _ if key.starts_with("uses:") => uses = Some(number),
            _ => {}
        }
        number += 1;
    }
    if with.is_none() && !checkout.with.is_empty() {
        return None;
    }
    let indent = " ".repeat(dash + 2);
    let (after, entry) = match (with, uses) {
        (Some(with), _) => {
            let inner = text.line(with + 1)?;
            let depth = inner.len() - inner.trim_start().len();
            (with, format!("{}persist-credentials: false\n", " ".repeat(depth)))
        }
        (None, Some(uses)) => (uses, format!("{indent}with:\n{indent}  persist-credentials: false\n")),
        (None, None) => return None,
    };
    let at = text.line_span(after)?.end;
    let text = if text.line(after + 1).is_some() { entry } else { format!("\n{}", entry.trim_end()) };
    Some(EditDraft::Replace { file: workflow.path.clone(), span: Span { start: at, end: at }, text })
}

fn finding(workflow: &Workflow, job: &WorkflowJob, leak: &Leak<'_>) -> Finding {
    FindingDraft::at_lines(&DOC, &workflow.path, leak.checkout.line, leak.checkout.line, "checkout")
        .title(format!("the artifact of the job `{}` holds its token", job.id))
        .message(format!(
            "The checkout leaves the token of the job `{}` in `.git/config`, and `{}` is uploaded with its hidden files: whoever may \
             download the artifact has the token while the job runs.",
            job.id, leak.path
        ))
        .impact(4)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .and_lines(&workflow.path, leak.upload.line, leak.upload.line, "upload")
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_workspace_itself_holds_git() {
        for path in [".", "./", "${{ github.workspace }}", "**", "./**", "${{ github.workspace }}/"] {
            assert!(holds_git(path, None), "{path}");
        }
        for path in ["dist", "./dist", "**/*.log", "./*.tgz", "", "target/release/**"] {
            assert!(!holds_git(path, None), "{path}");
        }
        assert!(holds_git("./app", Some("app")) && !holds_git("app/dist", Some("app")));
    }

    #[test]
    fn versions_say_where_the_token_is_and_what_is_taken() {
        assert!(keeps_token_in_folder("v4") && keeps_token_in_folder("v4.2.0"));
        assert!(!keeps_token_in_folder("v6") && !keeps_token_in_folder("main"));
        let plain = WorkflowStep::default();
        assert!(takes_hidden(&plain, "v3") && takes_hidden(&plain, "v4.3.6"));
        assert!(!takes_hidden(&plain, "v4") && !takes_hidden(&plain, "v4.4.0") && !takes_hidden(&plain, "0123abc"));
    }
}
