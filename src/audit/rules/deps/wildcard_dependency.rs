//! `wildcard-dependency`: a requirement that any version meets.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{by_install, lockfile_of, require_command};
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::map::classify::role;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap};

/// A dependency on whatever is newest.
pub struct WildcardDependency;

static DOC: RuleDoc = RuleDoc {
    id: "wildcard-dependency",
    category: Category::Migration,
    what: "a dependency required as `*`, `latest` or `>=…` without an upper end",
    why: "the next install without this lock file takes the newest major version, breaking changes and hijacked releases included",
    quiet_when: "the package belongs to the same workspace, is a peer, comes by path or git, is required by the workspace, or a `package.json` resolves it \
                 with `workspace:` or `catalog:`",
    example: "\"dependencies\": { \"sharp\": \"latest\" }",
};

impl Rule for WildcardDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let is_used = |package: &&Package| !matches!(role(&package.manifest), FileRole::Test | FileRole::Example);
        let open = map.recon.packages.iter().filter(is_used).filter_map(|package| {
            let mut open: Vec<&Dependency> = unbounded(map, package).collect();
            if !open.is_empty() && package.manager == PackageManager::Cargo {
                let text = FileText::read(ground.tree, &package.manifest)?;
                // What is inherited is required somewhere else.
                open.retain(|own| !text.line(own.line).is_some_and(|line| line.contains("workspace")));
            }
            (!open.is_empty()).then_some((package, open))
        });
        by_install(map, open).iter().map(|group| finding(map, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let mut manifests: Vec<&str> = finding.evidence.iter().map(|own| own.file.as_str()).collect();
        manifests.dedup();
        let packages: Vec<&Package> = manifests
            .iter()
            .filter_map(|path| map.recon.packages.iter().find(|package| package.manifest == *path))
            .collect();
        let lockfile = lockfile_of(map, packages.first()?);
        let mut steps = Vec::new();
        let mut goals = Vec::new();
        for package in &packages {
            let text = FileText::read(context.tree, &package.manifest)?;
            for dependency in unbounded(map, package) {
                let (step, gone) = step(package, &text, dependency, lockfile.as_deref())?;
                steps.push(step);
                goals.push(gone);
            }
        }
        let remark = |path: &str| ScopeDraft { path: path.to_owned(), remark: "the requirements".to_owned() };
        let mut in_scope: Vec<ScopeDraft> = manifests.iter().map(|path| remark(path)).collect();
        in_scope
            .extend(lockfile.map(|path| ScopeDraft { path, remark: "as the package manager writes it".to_owned() }));
        Some(PlanDraft {
            title: match manifests.as_slice() {
                [one] => format!("Require versions instead of wildcards in `{one}`"),
                more => format!("Require versions instead of wildcards in {} manifests", more.len()),
            },
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

/// Holding one of them, and what shows that it is held.
fn step(
    package: &Package,
    text: &FileText,
    dependency: &Dependency,
    lockfile: Option<&str>,
) -> Option<(StepDraft, GateDraft)> {
    let name = dependency.listed_name();
    let line = text.line(dependency.line)?.trim().trim_end_matches(',').to_owned();
    let gone = GateDraft::TextGone { text: line, file: package.manifest.clone() };
    let installed = match lockfile {
        Some(lockfile) => format!("`{lockfile}` says which version of `{name}` is installed today."),
        None => format!("There is no lock file: after an install, look up the version of `{name}` that was taken."),
    };
    let how = if package.manager == PackageManager::Cargo {
        format!(
            "In `{}`, line {}, replace the requirement by that version (`\"X.Y\"`), then run `cargo check`.",
            package.manifest, dependency.line
        )
    } else {
        format!(
            "In `{}`, run `{}` with that version for VERSION; it rewrites manifest and lock file together.",
            if package.folder.is_empty() { "." } else { &package.folder },
            require_command(package.manager, name, dependency.kind == DependencyKind::Dev)
        )
    };
    let step = StepDraft {
        title: format!("Hold `{name}` at the major version in use"),
        instruction: format!("{installed} {how}"),
        edits: Vec::new(),
        gates: vec![gone.clone(), GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)],
    };
    Some((step, gone))
}

/// The dependencies of a package that take whatever is newest.
fn unbounded<'a>(map: &'a RepoMap, package: &'a Package) -> impl Iterator<Item = &'a Dependency> {
    package.dependencies.iter().filter(move |own| is_unbounded(map, package, own))
}

/// Whether a dependency of the outside takes whatever is newest.
fn is_unbounded(map: &RepoMap, package: &Package, dependency: &Dependency) -> bool {
    let internal = map.recon.packages.iter().any(|other| other.name == dependency.name);
    dependency.kind != DependencyKind::Peer
        && !internal
        && dependency.git.is_none()
        // Types of the platform are those of whatever it is at.
        && !(dependency.kind == DependencyKind::Dev && dependency.name.starts_with("@types/"))
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

fn finding(map: &RepoMap, group: &[(&Package, Vec<&Dependency>)]) -> Finding {
    const MAX_MANIFESTS: usize = 8;
    let (package, open) = &group[0];
    let first = open[0];
    let locked = lockfile_of(map, package);
    let all = || group.iter().flat_map(|(package, open)| open.iter().map(move |own| (*package, *own)));
    let held = match &locked {
        Some(lockfile) => {
            format!("nothing but `{lockfile}` holds it back, until somebody refreshes that or installs without it")
        }
        None => "and no lock file holds it back".to_owned(),
    };
    let lists: Vec<String> = group
        .iter()
        .take(MAX_MANIFESTS)
        .map(|(package, open)| {
            let named: Vec<String> =
                open.iter().map(|own| format!("`{}` as `{}`", own.listed_name(), own.requirement)).collect();
            format!("`{}` requires {}", package.manifest, named.join(", "))
        })
        .collect();
    let more = group.len().saturating_sub(MAX_MANIFESTS);
    let more = if more > 0 { format!("; {} more do the like", count_of(more, "manifest")) } else { String::new() };
    // Users of a published npm package install without its lock file; a published crate cannot hold a wildcard.
    let is_used = |own: &Dependency| own.kind != DependencyKind::Dev;
    let reaches_users =
        all().any(|(package, own)| package.publishable && is_used(own) && package.manager != PackageManager::Cargo);
    let count = all().count();
    let title = match group {
        [_] if count == 1 => {
            format!(
                "`{}` is required as `{}`: the next major version meets that",
                first.listed_name(),
                first.requirement
            )
        }
        [_] => format!("`{}` requires {count} dependencies without an upper end", package.name),
        more => format!("{} manifests require {} without an upper end", more.len(), count_of(count, "dependency")),
    };
    let is_shipped = all().any(|(_, own)| is_used(own));
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, first.line, first.line, "requirement")
        .expecting(first.listed_name())
        .title(title)
        .message(format!(
            "{}{more}: the next major version meets that too, and {}.",
            lists.join("; "),
            held.trim_start_matches("and ")
        ))
        .impact(if reaches_users || locked.is_none() { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(if !is_shipped || all().all(|(_, own)| is_of_own_scope(map, own)) {
            Confidence::Med
        } else {
            Confidence::High
        });
    for (package, own) in all().skip(1) {
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
