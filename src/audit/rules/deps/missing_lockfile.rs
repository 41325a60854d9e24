//! `missing-lockfile`: an application whose versions nothing holds.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::lockfile_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::{CommandPurpose, DependencyKind, Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap};

/// An application without a lock file.
pub struct MissingLockfile;

static DOC: RuleDoc = RuleDoc {
    id: "missing-lockfile",
    category: Category::Migration,
    what: "an application with dependencies and no lock file beside it or around it",
    why: "no two installs give the same program: a build that worked yesterday fails or behaves otherwise today, and nobody \
          can say which dependency changed",
    quiet_when: "the package may be published as a library, is an example or a test fixture, has no dependencies, or belongs \
                 to a workspace with a lock file",
    example: "# Cargo.toml and src/main.rs are committed, Cargo.lock is not",
};

/// Production lines from which it is an application rather than a sketch. Our choice.
const MIN_LINES: u32 = 300;

impl Rule for MissingLockfile {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.recon
            .packages
            .iter()
            .filter(|package| is_application(map, package) && lockfile_of(map, package).is_none())
            .map(finding)
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let package = context.map.recon.packages.iter().find(|package| package.manifest == place.file)?;
        let (name, command) = match package.manager {
            PackageManager::Cargo => ("Cargo.lock", "cargo generate-lockfile"),
            PackageManager::Npm => ("package-lock.json", "npm install --package-lock-only"),
            PackageManager::Pnpm => ("pnpm-lock.yaml", "pnpm install --lockfile-only"),
            PackageManager::Yarn => ("yarn.lock", "yarn install"),
            PackageManager::Bun => ("bun.lock", "bun install"),
        };
        let path = if package.folder.is_empty() { name.to_owned() } else { format!("{}/{name}", package.folder) };
        let tracked = GateDraft::Command {
            command: format!("git ls-files --error-unmatch {path}"),
            expectation: crate::plan::expectation::Expectation::Exit(0),
        };
        Some(PlanDraft {
            title: format!("Commit the lock file of `{}`", package.name),
            why: format!("{} With the lock file committed, every machine builds the same program.", finding.message),
            steps: vec![StepDraft {
                title: format!("Create and commit `{path}`"),
                instruction: format!(
                    "In `{}`, run `{command}`. If a `.gitignore` names `{name}`, remove that line. Commit both.",
                    if package.folder.is_empty() { "." } else { &package.folder }
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)],
            }],
            in_scope: vec![
                ScopeDraft { path, remark: "create".to_owned() },
                ScopeDraft { path: ".gitignore".to_owned(), remark: "only if it hides the lock file".to_owned() },
            ],
            out_of_scope: vec![("requirements in the manifest".to_owned(), "they are another decision".to_owned())],
            goals: vec![tracked],
            stop_conditions: vec!["a comment or document says that the lock file is left out on purpose".to_owned()],
            ..PlanDraft::default()
        })
    }
}

/// A package that is run rather than imported, with code of its own.
fn is_application(map: &RepoMap, package: &Package) -> bool {
    let has_dependencies = package
        .dependencies
        .iter()
        .any(|own| own.kind == DependencyKind::Normal && !own.requirement.starts_with("path "));
    let inside = |path: &str| {
        package.folder.is_empty()
            || path.strip_prefix(package.folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    let own = || map.files.iter().filter(|file| inside(&file.path) && file.role == FileRole::Production);
    let lines: u32 = own().map(|file| file.lines).sum();
    let is_run = match package.manager {
        PackageManager::Cargo => {
            let main = if package.folder.is_empty() {
                "src/main.rs".to_owned()
            } else {
                format!("{}/src/main.rs", package.folder)
            };
            own().any(|file| file.path == main)
        }
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => {
            !package.publishable
                && package.scripts.iter().any(|script| matches!(script.name.as_str(), "start" | "dev" | "serve"))
        }
    };
    // One finding at the root speaks for the workspace.
    package.member_of.is_none() && has_dependencies && lines >= MIN_LINES && is_run
}

fn finding(package: &Package) -> Finding {
    FindingDraft::at_lines(&DOC, &package.manifest, 1, 1, "manifest")
        .title(format!("no lock file holds the versions of `{}`", package.name))
        .message(format!(
            "`{}` has dependencies and starts a program, but no lock file is committed beside it or around it: every install \
             resolves versions anew.",
            package.manifest
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .build()
}
