//! `vulnerable-dependency`: a locked version of a package about which an advisory was published.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};

use crate::advisories::{Advisory, AdvisoryKind, Ecosystem, Severity};
use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::locks::{self, Locked};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{is_shipped, lockfile_of, require_command};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::plan::expectation::Expectation;
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};

/// Versions with a known fault.
pub struct VulnerableDependency;

static DOC: RuleDoc = RuleDoc {
    id: "vulnerable-dependency",
    category: Category::Migration,
    what: "a version in a lock file (`Cargo.lock`, `package-lock.json`, `pnpm-lock.yaml`, `yarn.lock`, `bun.lock`) that an advisory of the \
           database is about",
    why: "the fault is public, and so is how to use it",
    quiet_when: "there is no advisory database (`not_audited` says so): none is fetched. The advisory was withdrawn, concerns only \
                 systems such as Windows, is about maintenance, or the version is mended",
    example: "# Cargo.lock\nname = \"time\"\nversion = \"0.1.43\"   # RUSTSEC-2020-0071, mended in 0.2.23",
};

/// The role of a locked version, and the version to go to: a recipe has no advisories at hand.
const MENDED_IN: &str = "locked version, mended in ";
/// Findings reported of one lock file, the gravest first.
const MAX_FINDINGS: usize = 15;

impl Rule for VulnerableDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let Some(advisories) = ground.advisories else { return Vec::new() };
        let mut found = Vec::new();
        for (path, ecosystem) in lock_files(ground.map) {
            let Some(text) = ground.tree.text(&path) else { continue };
            let mut own: Vec<(u8, Finding)> = Vec::new();
            let mut along: Vec<(Locked, Vec<&Advisory>)> = Vec::new();
            let mut seen = BTreeSet::new();
            for locked in locks::read(&path, &text).unwrap_or_default() {
                let faults: Vec<&Advisory> = advisories
                    .of(ecosystem, &locked.name, &locked.version)
                    .into_iter()
                    .filter(|advisory| !advisory.elsewhere)
                    .filter(|advisory| matches!(advisory.kind, AdvisoryKind::Vulnerability | AdvisoryKind::Unsound))
                    .collect();
                if faults.is_empty() || !seen.insert((locked.name.clone(), locked.version.clone())) {
                    continue;
                }
                if !requiring(ground.map, &path, &locked).is_empty() {
                    let finding = finding(ground.map, &path, &locked, &faults);
                    own.push((finding.impact, finding));
                } else if faults.iter().any(|fault| fault.kind == AdvisoryKind::Vulnerability) {
                    along.push((locked, faults));
                }
            }
            found.extend(brought_along(&path, along));
            own.sort_by(|a, b| {
                (std::cmp::Reverse(a.0), a.1.location().start_line)
                    .cmp(&(std::cmp::Reverse(b.0), b.1.location().start_line))
            });
            found.extend(own.into_iter().take(MAX_FINDINGS).map(|(_, finding)| finding));
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// Lock files of the repository's packages.
pub fn lock_files(map: &RepoMap) -> BTreeMap<String, Ecosystem> {
    let ecosystem = |package: &Package| match package.manager {
        PackageManager::Cargo => Ecosystem::Cargo,
        PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => Ecosystem::Npm,
    };
    let shipped = map.recon.packages.iter().filter(|package| is_shipped(map, package));
    shipped.filter_map(|package| Some((lockfile_of(map, package)?, ecosystem(package)))).collect()
}

/// Manifests behind a lock file that list the package themselves.
pub fn direct<'a>(map: &'a RepoMap, lock: &str, name: &str) -> Vec<(&'a Package, &'a Dependency)> {
    // The cheapest question first: whether a package is shipped is asked of all files.
    let listing = map.recon.packages.iter().filter_map(|package| {
        let own = package.dependencies.iter().find(|own| own.name == name)?;
        Some((package, own))
    });
    listing
        .filter(|(package, _)| lockfile_of(map, package).as_deref() == Some(lock) && is_shipped(map, package))
        .collect()
}

/// Those of them whose requirement takes the locked version; several versions of a package may be locked.
pub fn requiring<'a>(map: &'a RepoMap, lock: &str, locked: &Locked) -> Vec<(&'a Package, &'a Dependency)> {
    let mut found = direct(map, lock, &locked.name);
    found.retain(|(_, own)| {
        let range = VersionReq::parse(own.requirement.trim_start_matches("npm:"));
        range.map_or(true, |range| range.matches(&locked.version) || !locked.version.pre.is_empty())
    });
    found
}

/// What other packages bring along: one finding a lock file, since one update mends it.
fn brought_along(lock: &str, mut along: Vec<(Locked, Vec<&Advisory>)>) -> Option<Finding> {
    const MAX_NAMED: usize = 10;
    let severity = |faults: &[&Advisory]| faults.iter().filter_map(|fault| fault.severity).max();
    along.sort_by_key(|(locked, faults)| (std::cmp::Reverse(severity(faults)), locked.line));
    let (first, faults) = along.first()?;
    let grave = severity(faults) >= Some(Severity::High) && !along.iter().all(|(locked, _)| locked.dev);
    let told: Vec<String> = along
        .iter()
        .take(MAX_NAMED)
        .map(|(locked, faults)| {
            let severity = severity(faults).map_or(String::new(), |severity| format!(", {}", severity.label()));
            let fix =
                fix(faults, &locked.version).map_or("no mended version".to_owned(), |fix| format!("mended in {fix}"));
            format!("`{}` {} ({}{severity}; {fix})", locked.name, locked.version, faults[0].id)
        })
        .collect();
    let more = along.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut draft = FindingDraft::at_lines(&DOC, lock, first.line, first.line, "locked version")
        .expecting(&first.version.to_string())
        .title(match along.len() {
            1 => format!(
                "`{}` {} has a known vulnerability and comes along with another package",
                first.name, first.version
            ),
            more => format!("{more} packages of `{lock}` that others bring along have known vulnerabilities"),
        })
        .message(format!("`{lock}` holds, for other packages, {}{more}.", told.join(", ")))
        .impact(if grave { 3 } else { 2 })
        .effort(Effort::M)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for (locked, _) in along.iter().skip(1).take(MAX_NAMED - 1) {
        draft = draft.and_lines(lock, locked.line, locked.line, "locked version");
    }
    Some(draft.build())
}

fn finding(map: &RepoMap, lock: &str, locked: &Locked, faults: &[&Advisory]) -> Finding {
    let Locked { name, version, line, dev, .. } = locked;
    let direct = requiring(map, lock, locked);
    let worst =
        faults.iter().max_by_key(|fault| (std::cmp::Reverse(fault.kind), fault.severity, std::cmp::Reverse(&fault.id)));
    let worst = worst.expect("a finding has a fault");
    let told: Vec<String> = faults
        .iter()
        .take(4)
        .map(|fault| {
            let severity = fault.severity.map_or(String::new(), |severity| format!(", {}", severity.label()));
            format!("{} ({}{severity})", fault.id, fault.title.trim_end_matches('.'))
        })
        .collect();
    let more = faults.len().saturating_sub(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let fix = fix(faults, version);
    let mended = match &fix {
        Some(fix) => format!("{fix} has none of them"),
        None => "no version without it is known".to_owned(),
    };
    let role = fix.as_ref().map_or("locked version".to_owned(), |fix| format!("{MENDED_IN}{fix}"));
    let is_dev = *dev || direct.iter().all(|(_, own)| own.kind == DependencyKind::Dev);
    let impact = match (worst.kind, worst.severity) {
        (AdvisoryKind::Unsound | AdvisoryKind::Unmaintained | AdvisoryKind::Notice, _) => 2,
        (AdvisoryKind::Vulnerability, Some(Severity::Critical | Severity::High)) => 4,
        (AdvisoryKind::Vulnerability, Some(Severity::Medium) | None) => 3,
        (AdvisoryKind::Vulnerability, Some(Severity::Low)) => 2,
    };
    let impact = if is_dev { (impact - 1).min(2) } else { impact };
    let who = direct.first().map_or(String::new(), |(package, _)| format!("`{}` lists it", package.manifest));
    let is_easy = fix.is_some_and(|fix| is_compatible(version, &fix));
    let what = if worst.kind == AdvisoryKind::Unsound { "is unsound" } else { "has a known vulnerability" };
    let mut draft = FindingDraft::at_lines(&DOC, lock, *line, *line, &role)
        .expecting(&version.to_string())
        .title(format!("`{name}` {version} {what}: {}", worst.id))
        .message(format!(
            "`{lock}` holds `{name}` {version}, which is affected by {}{more}; {mended}. Here {who}{}.",
            told.join("; "),
            if is_dev { ", for tests and tools alone" } else { "" },
        ))
        .impact(impact)
        .effort(if is_easy { Effort::S } else { Effort::M })
        .risk(Risk::Low)
        // Many a fault of a crate lies in a feature or a backend that is off, of which the database does not say.
        .confidence(if is_easy && !lock.ends_with("Cargo.lock") { Confidence::High } else { Confidence::Med });
    for (package, own) in direct.iter().take(3) {
        draft = draft.and_lines(&package.manifest, own.line, own.line, "requirement");
    }
    draft.build()
}

/// The lowest version without any of the faults.
fn fix(faults: &[&Advisory], version: &Version) -> Option<Version> {
    let fixes: Option<Vec<Version>> = faults.iter().map(|fault| fault.fixed_in(version)).collect();
    fixes?.into_iter().max().filter(|fix| !faults.iter().any(|fault| fault.concerns(fix)))
}

/// Whether a caret requirement that takes the first version takes the second.
fn is_compatible(old: &Version, new: &Version) -> bool {
    match (old.major, old.minor) {
        (0, 0) => old.major == new.major && old.minor == new.minor && old.patch == new.patch,
        (0, _) => old.major == new.major && old.minor == new.minor,
        _ => old.major == new.major,
    }
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let lock = &finding.location().file;
    let text = context.tree.text(lock)?;
    let all = locks::read(lock, &text)?;
    let places: Vec<&Locked> = finding
        .evidence
        .iter()
        .filter(|evidence| evidence.file == *lock)
        .filter_map(|evidence| all.iter().find(|own| own.line == evidence.start_line))
        .collect();
    let locked = *places.first()?;
    let direct = requiring(map, lock, locked);
    let Some((requirer, requirement)) = direct.first() else {
        return update_recipe(finding, context, lock, &places);
    };
    let Locked { name, version, .. } = locked;
    let fixed = finding.evidence[0].role.strip_prefix(MENDED_IN).and_then(|fixed| Version::parse(fixed).ok());
    let ecosystem = *lock_files(map).get(lock)?;
    let instruction = match (&fixed, ecosystem) {
        (Some(fixed), Ecosystem::Cargo) if is_compatible(version, fixed) => {
            format!(
                "Run `cargo update -p {name}@{version} --precise {fixed}` (or a later compatible version) and commit `{lock}`."
            )
        }
        (Some(fixed), Ecosystem::Cargo) => format!(
            "`cargo tree -i {name}@{version}` shows who requires the old version. Raise that requirement ({}) to one that takes {fixed} or \
             later, follow the change log of what is raised, and run `cargo update -p {name}@{version}`.",
            requirers(&direct)
        ),
        (Some(fixed), Ecosystem::Npm) => format!(
            "Run `{}` beside each manifest that lists it ({}). Where another package pins {version}, upgrade that package; an `overrides` \
             entry for `{name}` with `^{fixed}` is the last resort. Commit the manifest and `{lock}` together.",
            require_command(requirer.manager, name, requirement.kind == DependencyKind::Dev)
                .replace("VERSION", &fixed.to_string()),
            requirers(&direct)
        ),
        (None, _) => format!(
            "No version without the fault is known ({}). Read the advisory, then replace `{name}` or stop using what it is about; record the \
             decision beside the requirement when neither is possible.",
            requirers(&direct)
        ),
    };
    let line = text.lines().nth(locked.line.checked_sub(1)? as usize).unwrap_or_default().trim();
    // A version alone stands in a lock file many times; with the name in the line it says which package is gone.
    let says_which = line.contains(name.as_str()) && text.matches(line).count() == 1;
    let gone = match ecosystem {
        _ if says_which => Some(GateDraft::TextGone { text: line.to_owned(), file: lock.clone() }),
        Ecosystem::Cargo => Some(no_longer_built(locked)),
        Ecosystem::Npm => None,
    };
    let mut gates: Vec<GateDraft> = gone.clone().into_iter().collect();
    gates.extend([CommandPurpose::Install, CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project));
    let mut in_scope = vec![ScopeDraft { path: lock.clone(), remark: "as the package manager writes it".to_owned() }];
    in_scope.extend(direct.iter().map(|(package, _)| ScopeDraft {
        path: package.manifest.clone(),
        remark: format!("the requirement of `{name}`"),
    }));
    Some(PlanDraft {
        title: match &fixed {
            Some(fixed) => format!("Upgrade `{name}` from {version} to {fixed} or later"),
            None => format!("Stop depending on `{name}` {version}"),
        },
        why: finding.message.clone(),
        steps: vec![StepDraft { title: format!("Replace `{name}` {version}"), instruction, edits: Vec::new(), gates }],
        in_scope,
        out_of_scope: vec![("other upgrades".to_owned(), "each is reviewed with its own change log".to_owned())],
        goals: gone.into_iter().chain([GateDraft::Project(CommandPurpose::Test)]).collect(),
        stop_conditions: vec![
            format!("the mended version of `{name}` needs a newer compiler or runtime than this repository supports"),
            "the upgrade changes an interface that more than a handful of files use: report how many, and which"
                .to_owned(),
        ],
        maintenance: vec![
            "A scheduled check against the advisory database finds the next one before somebody else does.".to_owned(),
        ],
        ..PlanDraft::default()
    })
}

/// The plan for what other packages bring along.
fn update_recipe(finding: &Finding, context: &RecipeContext<'_>, lock: &str, places: &[&Locked]) -> Option<PlanDraft> {
    let map = context.map;
    let ecosystem = *lock_files(map).get(lock)?;
    let manager = manager_of(map, lock);
    let list = |separator: &str, before: &str, with_version: bool| {
        let named = places.iter().map(|own| match with_version {
            true => format!("{before}{}@{}", own.name, own.version),
            false => format!("{before}{}", own.name),
        });
        named.collect::<Vec<_>>().join(separator)
    };
    let command = match manager {
        PackageManager::Cargo => format!("cargo update {}", list(" ", "-p ", true)),
        PackageManager::Pnpm => format!("pnpm update --depth 100 {}", list(" ", "", false)),
        PackageManager::Yarn => format!("yarn up -R {}", list(" ", "", false)),
        PackageManager::Bun => format!("bun update {}", list(" ", "", false)),
        PackageManager::Npm => format!("npm update {}", list(" ", "", false)),
    };
    let first = places.first()?;
    let tree = match ecosystem {
        Ecosystem::Cargo => format!("cargo tree -i {}@{}", first.name, first.version),
        Ecosystem::Npm => format!("{} why {}", manager.program(), first.name),
    };
    let gone = match ecosystem {
        Ecosystem::Cargo => Some(no_longer_built(first)),
        Ecosystem::Npm => None,
    };
    let checks = [CommandPurpose::Install, CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project);
    Some(PlanDraft {
        title: match places.len() {
            1 => format!("Update `{}`, which another package brings along", first.name),
            more => format!("Update {more} packages that others bring along in `{lock}`"),
        },
        why: finding.message.clone(),
        steps: vec![StepDraft {
            title: "Update what compatible versions mend".to_owned(),
            instruction: format!(
                "Run `{command}` and commit `{lock}`. For each that stays, `{tree}` (with its name) shows who asks for the old version: upgrade \
                 that package where its change log is harmless, and list what is left with the reason."
            ),
            edits: Vec::new(),
            gates: gone.clone().into_iter().chain(checks).collect(),
        }],
        in_scope: vec![ScopeDraft { path: lock.to_owned(), remark: "as the package manager writes it".to_owned() }],
        out_of_scope: vec![(
            "upgrades across major versions".to_owned(),
            "each is reviewed with its own change log".to_owned(),
        )],
        goals: gone.into_iter().chain([GateDraft::Project(CommandPurpose::Test)]).collect(),
        stop_conditions: vec![
            "none of them has a compatible mended version: say which package has to move first".to_owned(),
            "the update raises the compiler or runtime version this repository needs".to_owned(),
        ],
        maintenance: vec![
            "A scheduled check against the advisory database finds the next one before somebody else does.".to_owned(),
        ],
        ..PlanDraft::default()
    })
}

/// `cargo tree` fails for a version that nothing requires.
fn no_longer_built(locked: &Locked) -> GateDraft {
    GateDraft::Command {
        command: format!("cargo tree -i {}@{} --all-features --target all", locked.name, locked.version),
        expectation: Expectation::Fails,
    }
}

fn manager_of(map: &RepoMap, lock: &str) -> PackageManager {
    let mut packages = map.recon.packages.iter();
    let found = packages.find(|package| lockfile_of(map, package).as_deref() == Some(lock));
    found.map_or(PackageManager::Npm, |package| package.manager)
}

fn requirers(direct: &[(&Package, &Dependency)]) -> String {
    let named: Vec<String> = direct
        .iter()
        .take(3)
        .map(|(package, own)| format!("`{}` line {} requires `{}`", package.manifest, own.line, own.requirement))
        .collect();
    named.join(", ")
}
