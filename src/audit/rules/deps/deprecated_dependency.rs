//! `deprecated-dependency`: packages of a manifest whose authors have given them up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use semver::Version;

use crate::advisories::AdvisoryKind;
use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::locks;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::dependency_on;
use crate::audit::rules::deps::vulnerable_dependency::{lock_files, requiring};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};

/// What nobody mends any more.
pub struct DeprecatedDependency;

static DOC: RuleDoc = RuleDoc {
    id: "deprecated-dependency",
    category: Category::Migration,
    what: "a direct dependency whose authors have marked the locked version as deprecated (`package-lock.json`, `pnpm-lock.yaml`), or a \
           crate that an advisory calls unmaintained",
    why: "the next fault in it will not be mended, and every release it holds back makes the move longer",
    quiet_when: "another package brings it along, it is a development dependency, the notice says that it is not deprecated, or there is no advisory database (for crates)",
    example: "\"request\": \"^2.88.2\"   // package-lock.json: \"deprecated\": \"request has been deprecated\"",
};

impl Rule for DeprecatedDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let mut found: BTreeMap<String, Vec<Given>> = BTreeMap::new();
        for (path, ecosystem) in lock_files(ground.map) {
            let Some(text) = ground.tree.text(&path) else { continue };
            let all = locks::read(&path, &text).unwrap_or_default();
            let mut seen = BTreeSet::new();
            for locked in &all {
                let advisories = ground.advisories.map(|known| known.of(ecosystem, &locked.name, &locked.version));
                let unmaintained = advisories
                    .into_iter()
                    .flatten()
                    .find(|advisory| advisory.kind == AdvisoryKind::Unmaintained)
                    .map(|advisory| format!("{}: {}", advisory.id, advisory.title));
                let Some(reason) = locked.deprecated.clone().or(unmaintained) else { continue };
                // An old version beside a current one comes from somebody else.
                let newest = all.iter().filter(|own| own.name == locked.name).map(|own| &own.version).max();
                let listed: Vec<_> = requiring(ground.map, &path, locked)
                    .into_iter()
                    .filter(|(_, own)| matches!(own.kind, DependencyKind::Normal | DependencyKind::Build))
                    .collect();
                let Some((package, own)) = listed.first().filter(|_| newest == Some(&locked.version)) else { continue };
                // What was deprecated by mistake cannot be taken back, and the notice says so instead.
                if reason.to_ascii_lowercase().contains("not deprecated") {
                    continue;
                }
                // The same version stands in a lock file again for other peers, or in another folder.
                if !seen.insert(&locked.name) {
                    continue;
                }
                found.entry(package.manifest.clone()).or_default().push(Given {
                    dependency: (*own).clone(),
                    version: locked.version.clone(),
                    reason,
                    lock: (path.clone(), locked.line),
                });
            }
        }
        found.into_iter().map(|(manifest, given)| finding(&manifest, &given)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// A dependency that was given up.
struct Given {
    dependency: Dependency,
    version: Version,
    reason: String,
    lock: (String, u32),
}

/// `Upgrade to 1.5.4`, `please update to at least v2.0`.
static RELEASE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:upgrade|update|switch|move|migrate)\b[^.]{0,40}?\bv?\d+(?:\.\d+|\.x)")
        .expect("the pattern is fixed")
});

fn finding(manifest: &str, given: &[Given]) -> Finding {
    const MAX_NAMED: usize = 8;
    const MAX_REASON: usize = 240;
    let told: Vec<String> = given
        .iter()
        .take(MAX_NAMED)
        .map(|own| {
            let reason: String =
                own.reason.lines().next().unwrap_or_default().trim_end_matches('.').chars().take(MAX_REASON).collect();
            format!("`{}` {} (\"{reason}\")", own.dependency.listed_name(), own.version)
        })
        .collect();
    // Who says which release to take has mended what was wrong.
    let names_release = given.iter().all(|own| RELEASE.is_match(&own.reason));
    let more = given.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first = &given[0];
    let title = match given {
        [one] => format!("`{}` {} is deprecated", one.dependency.listed_name(), one.version),
        more => format!("{} dependencies of `{manifest}` are deprecated", more.len()),
    };
    let mut draft = FindingDraft::at_lines(&DOC, manifest, first.dependency.line, first.dependency.line, "requirement")
        .expecting(first.dependency.listed_name())
        .title(title)
        .message(format!(
            "`{manifest}` lists {}{more}: {}.",
            told.join(", "),
            match (names_release, given.len()) {
                (true, _) => "the notice says which release to take",
                (false, 1) => "nobody mends what is found in it from now on",
                (false, _) => "nobody mends what is found in them from now on",
            }
        ))
        .impact(2)
        .effort(if names_release { Effort::S } else { Effort::M })
        .risk(Risk::Med)
        .confidence(Confidence::High)
        .and_lines(&first.lock.0, first.lock.1, first.lock.1, "locked version");
    for own in given.iter().skip(1).take(MAX_NAMED - 1) {
        draft = draft.and_lines(manifest, own.dependency.line, own.dependency.line, "requirement");
    }
    draft.build()
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let place = finding.location();
    let package = map.recon.packages.iter().find(|package| package.manifest == place.file)?;
    let listed: Vec<&Dependency> = finding
        .evidence
        .iter()
        .filter(|evidence| evidence.file == place.file)
        .filter_map(|evidence| dependency_on(package, evidence.start_line))
        .collect();
    let lock = &finding.evidence.iter().find(|evidence| evidence.role == "locked version")?.file;
    let steps: Vec<StepDraft> = listed.iter().map(|own| step(context, package, own)).collect();
    let name = listed.first().map(|own| own.listed_name())?;
    let goals: Vec<GateDraft> = listed.iter().filter_map(|own| gone(context, package, own)).collect();
    let users: BTreeSet<String> = listed.iter().flat_map(|own| users(map, package, own)).collect();
    let mut in_scope = vec![
        ScopeDraft { path: place.file.clone(), remark: "the requirements".to_owned() },
        ScopeDraft { path: lock.clone(), remark: "as the package manager writes it".to_owned() },
    ];
    in_scope.extend(
        users.into_iter().take(40).map(|path| ScopeDraft { path, remark: "calls of the old interface".to_owned() }),
    );
    Some(PlanDraft {
        title: match listed.len() {
            1 => format!("Move off `{name}`, which is deprecated"),
            more => format!("Move off {more} deprecated dependencies of `{}`", place.file),
        },
        why: format!("{} A maintained version or replacement gets its faults mended.", finding.message),
        steps,
        in_scope,
        out_of_scope: vec![("other deprecated packages".to_owned(), "each move is reviewed by itself".to_owned())],
        goals: goals.into_iter().chain([GateDraft::Project(CommandPurpose::Test)]).collect(),
        stop_conditions: vec![
            format!("the replacement does less than this repository needs of `{name}`: report what is missing"),
            "no test covers the code that changes: write one for today's behaviour first".to_owned(),
        ],
        ..PlanDraft::default()
    })
}

/// Moving off one of them.
fn step(context: &RecipeContext<'_>, package: &Package, own: &Dependency) -> StepDraft {
    let name = own.listed_name();
    let users = users(context.map, package, own);
    let shown: Vec<String> = users.iter().take(8).map(|path| format!("`{path}`")).collect();
    let users_text = match users.len() {
        0 => "No file imports it by name; look for it in scripts and configuration.".to_owned(),
        count if count > 8 => format!("{count} files import it, among them {}.", shown.join(", ")),
        _ => format!("It is imported in {}.", shown.join(", ")),
    };
    let mut gates: Vec<GateDraft> = gone(context, package, own).into_iter().collect();
    gates.extend([CommandPurpose::Typecheck, CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project));
    StepDraft {
        title: format!("Move off `{name}`"),
        instruction: format!(
            "`{}` line {} requires `{}`. Take, in this order: the newer version or successor that the notice names; the standard library or \
             platform, if it does the same by now; another dependency of this package that does it. {users_text} Change one file after the \
             other, then manifest and lock file together.",
            package.manifest, own.line, own.requirement
        ),
        edits: Vec::new(),
        gates,
    }
}

/// The requirement as it stands is gone, where that can be told by text.
fn gone(context: &RecipeContext<'_>, package: &Package, own: &Dependency) -> Option<GateDraft> {
    let text = context.tree.text(&package.manifest)?;
    let line = text.lines().nth(own.line.checked_sub(1)? as usize)?.trim().trim_end_matches(',');
    (line.len() > 4 && text.matches(line).count() == 1)
        .then(|| GateDraft::TextGone { text: line.to_owned(), file: package.manifest.clone() })
}

/// Files of the package that import it.
fn users(map: &RepoMap, package: &Package, own: &Dependency) -> Vec<String> {
    let name = own.listed_name();
    let is_cargo = package.manager == PackageManager::Cargo;
    map.files
        .iter()
        .filter(|file| map.recon.package_in(&file.path, is_cargo).is_some_and(|own| own.manifest == package.manifest))
        .filter(|file| {
            file.facts.imports.iter().any(|import| {
                let source = import.source.as_str();
                let root = source.split("::").next().unwrap_or(source);
                source == name || source.starts_with(&format!("{name}/")) || root == name.replace('-', "_")
            })
        })
        .map(|file| file.path.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::RELEASE;

    #[test]
    fn a_notice_may_name_the_release_to_take() {
        assert!(RELEASE.is_match("The bin is broken. Upgrade to 1.5.4, which is byte-identical"));
        assert!(RELEASE.is_match("please update to at least v2.0"));
        assert!(!RELEASE.is_match("no longer supported, see https://example.org/1.5"));
    }
}
