//! `wildcard-dependency`: a requirement that any version meets.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{lockfile_of, require_command};
use crate::audit::text::FileText;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};

/// A dependency on whatever is newest.
pub struct WildcardDependency;

static DOC: RuleDoc = RuleDoc {
    id: "wildcard-dependency",
    category: Category::Migration,
    what: "a dependency required as `*`, `latest` or `>=…` without an upper end",
    why: "the next install without this lock file takes the newest major version, breaking changes and hijacked releases included",
    quiet_when: "the package belongs to the same workspace, is a peer, comes by path or git, or a `package.json` resolves it \
                 with `workspace:` or `catalog:`",
    example: "\"dependencies\": { \"sharp\": \"latest\" }",
};

impl Rule for WildcardDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        map.recon
            .packages
            .iter()
            .filter_map(|package| {
                let open: Vec<&Dependency> =
                    package.dependencies.iter().filter(|dependency| is_unbounded(map, package, dependency)).collect();
                (!open.is_empty()).then(|| finding(map, package, &open))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let map = context.map;
        let package = map.recon.packages.iter().find(|package| package.manifest == place.file)?;
        let text = FileText::read(context.tree, &place.file)?;
        let lockfile = lockfile_of(map, package);
        let folder = if package.folder.is_empty() { "." } else { &package.folder };
        let mut steps = Vec::new();
        let mut goals = Vec::new();
        for dependency in package.dependencies.iter().filter(|dependency| is_unbounded(map, package, dependency)) {
            let name = dependency.listed_name();
            let line = text.line(dependency.line)?.trim().trim_end_matches(',').to_owned();
            let gone = GateDraft::TextGone { text: line, file: place.file.clone() };
            let installed = match &lockfile {
                Some(lockfile) => format!("`{lockfile}` says which version of `{name}` is installed today."),
                None => {
                    format!("There is no lock file: after an install, look up the version of `{name}` that was taken.")
                }
            };
            let how = if package.manager == PackageManager::Cargo {
                format!(
                    "In `{}`, line {}, replace the requirement by that version (`\"X.Y\"`), then run `cargo check`.",
                    place.file, dependency.line
                )
            } else {
                format!(
                    "In `{folder}`, run `{}` with that version for VERSION; it rewrites manifest and lock file together.",
                    require_command(package.manager, name, dependency.kind == DependencyKind::Dev)
                )
            };
            steps.push(StepDraft {
                title: format!("Hold `{name}` at the major version in use"),
                instruction: format!("{installed} {how}"),
                edits: Vec::new(),
                gates: vec![
                    gone.clone(),
                    GateDraft::Project(CommandPurpose::Build),
                    GateDraft::Project(CommandPurpose::Test),
                ],
            });
            goals.push(gone);
        }
        let mut in_scope = vec![ScopeDraft { path: place.file.clone(), remark: "the requirements".to_owned() }];
        in_scope
            .extend(lockfile.map(|path| ScopeDraft { path, remark: "as the package manager writes it".to_owned() }));
        Some(PlanDraft {
            title: format!("Require versions instead of wildcards in `{}`", place.file),
            why: format!(
                "{} A caret requirement keeps taking fixes and leaves the next major version to a decision.",
                finding.message
            ),
            steps,
            in_scope,
            out_of_scope: vec![("upgrades".to_owned(), "the version in use stays the version in use".to_owned())],
            goals,
            stop_conditions: vec![
                "the lock file holds two major versions of one of these packages".to_owned(),
                "an installed version changes".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// Whether a dependency of the outside takes whatever is newest.
fn is_unbounded(map: &RepoMap, package: &Package, dependency: &Dependency) -> bool {
    let internal = map.recon.packages.iter().any(|other| other.name == dependency.name);
    dependency.kind != DependencyKind::Peer
        && !internal
        && dependency.git.is_none()
        && is_open(package.manager, &dependency.requirement)
}

/// Whether who publishes the dependency publishes packages of this repository too: `@acme/ui` beside `@acme/web`.
fn is_of_own_scope(map: &RepoMap, dependency: &Dependency) -> bool {
    let scope =
        |name: &str| name.split_once('/').map(|(scope, _)| scope.to_owned()).filter(|scope| scope.starts_with('@'));
    scope(dependency.listed_name())
        .is_some_and(|own| map.recon.packages.iter().any(|package| scope(&package.name).as_ref() == Some(&own)))
}

/// Whether a requirement is met by every future version.
fn is_open(manager: PackageManager, requirement: &str) -> bool {
    let requirement = requirement.trim();
    let bounded = requirement.contains('<') || requirement.contains("||") || requirement.contains(" - ");
    let open_end = requirement.starts_with(">=") || requirement.starts_with('>');
    match manager {
        PackageManager::Cargo => requirement == "*" || (open_end && !bounded),
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => {
            matches!(requirement, "*" | "x" | "X" | "" | "latest") || (open_end && !bounded)
        }
    }
}

fn finding(map: &RepoMap, package: &Package, open: &[&Dependency]) -> Finding {
    let first = open[0];
    let locked = lockfile_of(map, package);
    let held = match &locked {
        Some(lockfile) => {
            format!("nothing but `{lockfile}` holds it back, until somebody refreshes that or installs without it")
        }
        None => "and no lock file holds it back".to_owned(),
    };
    let named: Vec<String> =
        open.iter().map(|own| format!("`{}` as `{}`", own.listed_name(), own.requirement)).collect();
    // Users of a published npm package install without its lock file; a published crate cannot hold a wildcard.
    let shipped = open.iter().any(|own| own.kind != DependencyKind::Dev);
    let reaches_users = package.publishable && shipped && package.manager != PackageManager::Cargo;
    let title = if open.len() == 1 {
        format!("`{}` is required as `{}`: the next major version meets that", first.listed_name(), first.requirement)
    } else {
        format!("`{}` requires {} dependencies without an upper end", package.name, open.len())
    };
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, first.line, first.line, "requirement")
        .expecting(first.listed_name())
        .title(title)
        .message(format!(
            "`{}` requires {}, which the next major version meets too; {held}.",
            package.manifest,
            named.join(", ")
        ))
        .impact(if reaches_users || locked.is_none() { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(if open.iter().all(|own| is_of_own_scope(map, own)) { Confidence::Med } else { Confidence::High });
    for own in open.iter().skip(1) {
        draft = draft.and_lines(&package.manifest, own.line, own.line, "requirement");
    }
    draft.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_without_an_upper_end_are_open() {
        let open = |requirement: &str| is_open(PackageManager::Npm, requirement);
        assert!(open("*") && open("latest") && open(">=2") && open(""));
        assert!(!open("^1.2.3") && !open(">=1 <2") && !open("1.x") && !open("workspace:*") && !open("next"));
        assert!(is_open(PackageManager::Cargo, "*") && !is_open(PackageManager::Cargo, "latest"));
    }
}
