//! `ci-unfrozen-install`: continuous integration installs other versions than the lock file holds.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::workflow::{Workflow, WorkflowStep};
use crate::tree::Tree;

/// Installs that may change the lock file.
pub struct CiUnfrozenInstall;

static DOC: RuleDoc = RuleDoc {
    id: "ci-unfrozen-install",
    category: Category::Dx,
    what: "a workflow that runs `npm install`, Yarn 1's `yarn install` or `bun install` where a lock file is kept",
    why: "when manifest and lock file have come apart, the check resolves new versions and passes with what nobody else has; a \
          release of a dependency can break it, or run in it, without any change here",
    quiet_when: "packages are named (`npm install -g …`), the install is frozen (`npm ci`, `--frozen-lockfile`), pnpm or a newer Yarn \
                 is used, which freeze by themselves in continuous integration, or the workflow is there to change the lock file",
    example: "- run: npm install   # package-lock.json is in the repository",
};

impl Rule for CiUnfrozenInstall {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let found = installs(ground.map, ground.tree);
        let Some(first) = found.first() else { return Vec::new() };
        let places = count_of(found.len(), "place");
        let mut draft = FindingDraft::at_lines(&DOC, &first.workflow, first.line, first.line, "install")
            .expecting(first.command)
            .title(format!("continuous integration runs `{}` and may ignore `{}`", first.command, first.lock))
            .message(format!(
                "`{}` installs with `{}` ({places}): where `{}` no longer fits the manifest it resolves other versions, says nothing, and \
                 the check is one of code nobody else runs.",
                first.workflow, first.command, first.lock
            ))
            .impact(2)
            .effort(Effort::S)
            .risk(Risk::Low)
            // Most of the time the two fit, and then nothing else is installed.
            .confidence(Confidence::Med);
        for other in found.iter().skip(1).take(20) {
            draft = draft.and_lines(&other.workflow, other.line, other.line, "install");
        }
        vec![draft.build()]
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let found = installs(context.map, context.tree);
        let first = found.iter().find(|own| own.workflow == finding.location().file)?;
        let mut edits = Vec::new();
        let mut files: Vec<&str> = found.iter().map(|own| own.workflow.as_str()).collect();
        files.dedup();
        for own in &found {
            let span =
                FileText::read(context.tree, &own.workflow).and_then(|text| text.part_span(own.line, own.command));
            edits.extend(span.map(|span| EditDraft::Replace {
                file: own.workflow.clone(),
                span,
                text: own.frozen.to_owned(),
            }));
        }
        let exact = edits.len() == found.len();
        Some(PlanDraft {
            title: format!("Install in continuous integration what `{}` holds", first.lock),
            why: format!(
                "{} A frozen install fails when the two differ, which is what a check is for.",
                finding.message
            ),
            steps: vec![StepDraft {
                title: "Freeze the installs".to_owned(),
                instruction: found
                    .iter()
                    .map(|own| {
                        format!("`{}` line {}: `{}` becomes `{}`.", own.workflow, own.line, own.command, own.frozen)
                    })
                    .collect::<Vec<_>>()
                    .join(" "),
                edits: if exact { edits } else { Vec::new() },
                gates: vec![GateDraft::TextPresent { text: first.frozen.to_owned(), file: first.workflow.clone() }],
            }],
            in_scope: files
                .iter()
                .map(|path| ScopeDraft { path: (*path).to_owned(), remark: "the install commands".to_owned() })
                .collect(),
            out_of_scope: vec![(
                "the lock file".to_owned(),
                "if it does not fit the manifest, that is mended first and reviewed".to_owned(),
            )],
            goals: vec![GateDraft::TextPresent { text: first.frozen.to_owned(), file: first.workflow.clone() }],
            stop_conditions: vec![format!(
                "`{}` fails on a clean checkout because `{}` does not fit the manifest: report the difference",
                first.frozen, first.lock
            )],
            ..PlanDraft::default()
        })
    }
}

/// An install that is not frozen.
struct Install {
    workflow: String,
    line: u32,
    command: &'static str,
    frozen: &'static str,
    lock: String,
}

fn installs(map: &RepoMap, tree: &dyn Tree) -> Vec<Install> {
    map.recon.workflows.iter().flat_map(|workflow| of_workflow(map, tree, workflow)).collect()
}

fn of_workflow(map: &RepoMap, tree: &dyn Tree, workflow: &Workflow) -> Vec<Install> {
    let text = tree.text(&workflow.path).unwrap_or_default();
    // Folders that are set for all steps are not followed, and a workflow that writes the lock file has to.
    if [
        "defaults:",
        "npm version",
        "npm update",
        "package-lock",
        "yarn.lock",
        "bun.lock",
        "npm audit fix",
        "git commit",
        "create-pull-request",
    ]
    .iter()
    .any(|mark| text.contains(mark))
    {
        return Vec::new();
    }
    let steps = workflow.jobs.iter().flat_map(|job| &job.steps);
    steps.filter_map(|step| of_step(map, tree, workflow, step)).collect()
}

fn of_step(map: &RepoMap, tree: &dyn Tree, workflow: &Workflow, step: &WorkflowStep) -> Option<Install> {
    const FORMS: [(&str, &str, &[&str]); 6] = [
        ("npm install", "npm ci", &["package-lock.json", "npm-shrinkwrap.json"]),
        ("npm i", "npm ci", &["package-lock.json", "npm-shrinkwrap.json"]),
        ("yarn install", "yarn install --frozen-lockfile", &["yarn.lock"]),
        ("yarn", "yarn install --frozen-lockfile", &["yarn.lock"]),
        ("bun install", "bun install --frozen-lockfile", &["bun.lock", "bun.lockb"]),
        ("bun i", "bun install --frozen-lockfile", &["bun.lock", "bun.lockb"]),
    ];
    let script = step.run.as_ref()?;
    let folder = step.working_directory.as_deref().unwrap_or("").trim_start_matches("./").trim_end_matches('/');
    if folder.contains("${{")
        || script.text.lines().any(|line| line.trim_start().starts_with("cd ") || line.contains("&& cd "))
    {
        return None;
    }
    for (index, line) in script.text.lines().enumerate() {
        let command = line.split(['&', '|', ';', '#']).next().unwrap_or_default().trim();
        let Some((form, frozen, locks)) = FORMS.iter().find(|(form, ..)| *form == command) else { continue };
        let lock =
            locks.iter().map(|name| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") });
        let lock = lock.into_iter().find(|path| map.has_path(path))?;
        // Newer versions of Yarn freeze by themselves.
        if lock.ends_with("yarn.lock") && !tree.text(&lock).is_some_and(|text| text.contains("# yarn lockfile v1")) {
            return None;
        }
        return Some(Install {
            workflow: workflow.path.clone(),
            line: script.file_line(index),
            command: form,
            frozen,
            lock,
        });
    }
    None
}
