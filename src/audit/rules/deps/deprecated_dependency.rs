//! `deprecated-dependency`: packages of a manifest whose authors have given them up.

use semver::Version;

use crate::advisories::{AdvisoryKind, Ecosystem};
use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::locks::{self, Locked};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::vulnerable_dependency::{direct, lock_files};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package};

/// What nobody mends any more.
pub struct DeprecatedDependency;

static DOC: RuleDoc = RuleDoc {
    id: "deprecated-dependency",
    category: Category::Migration,
    what: "a direct dependency whose authors have marked the locked version as deprecated (`package-lock.json`, `pnpm-lock.yaml`), or a \
           crate that an advisory calls unmaintained",
    why: "the next fault in it will not be mended, and every release it holds back makes the move longer",
    quiet_when: "another package brings it along, it is a development dependency, or there is no advisory database (for crates)",
    example: "\"request\": \"^2.88.2\"   // package-lock.json: \"deprecated\": \"request has been deprecated\"",
};

impl Rule for DeprecatedDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, _map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        Vec::new()
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for (path, ecosystem) in lock_files(ground.map) {
            let Some(text) = ground.tree.text(&path) else { continue };
            let all = locks::read(&path, &text).unwrap_or_default();
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
                let listed: Vec<_> = direct(ground.map, &path, &locked.name)
                    .into_iter()
                    .filter(|(_, own)| matches!(own.kind, DependencyKind::Normal | DependencyKind::Build))
                    .collect();
                if !listed.is_empty() && newest == Some(&locked.version) {
                    found.push(finding(&path, ecosystem, locked, &reason, &listed));
                }
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

fn finding(
    lock: &str,
    ecosystem: Ecosystem,
    locked: &Locked,
    reason: &str,
    listed: &[(&Package, &Dependency)],
) -> Finding {
    let Locked { name, version, line, .. } = locked;
    let (package, own) = listed[0];
    let reason: String = reason.trim_end_matches('.').chars().take(200).collect();
    let who = if ecosystem == Ecosystem::Cargo { "an advisory says" } else { "its authors say" };
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, own.line, own.line, "requirement")
        .expecting(own.alias.as_deref().unwrap_or(name))
        .title(format!("`{name}` is no longer maintained"))
        .message(format!(
            "`{}` lists `{name}` (locked at {version}), of which {who}: \"{reason}\". Faults found from now on stay.",
            package.manifest
        ))
        .impact(2)
        .effort(Effort::M)
        .risk(Risk::Med)
        .confidence(Confidence::High)
        .and_lines(lock, *line, *line, "locked version");
    for (package, own) in listed.iter().skip(1).take(5) {
        draft = draft.and_lines(&package.manifest, own.line, own.line, "requirement");
    }
    draft.build()
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let place = finding.location();
    let package = map.recon.packages.iter().find(|package| package.manifest == place.file)?;
    let own = package.dependencies.iter().find(|own| own.line == place.start_line)?;
    let lock = &finding.evidence.get(1)?.file;
    let text = context.tree.text(lock)?;
    let version: Version = locks::read(lock, &text)?.into_iter().find(|locked| locked.name == own.name)?.version;
    let name = own.alias.as_deref().unwrap_or(&own.name);
    let users: Vec<String> = map
        .files
        .iter()
        .filter(|file| {
            file.facts.imports.iter().any(|import| {
                let source = import.source.as_str();
                let root = source.split("::").next().unwrap_or(source);
                source == name || source.starts_with(&format!("{name}/")) || root == name.replace('-', "_")
            })
        })
        .map(|file| file.path.clone())
        .collect();
    let shown: Vec<String> = users.iter().take(8).map(|path| format!("`{path}`")).collect();
    let users_text = match users.len() {
        0 => "No file imports it by name; look for it in scripts and configuration.".to_owned(),
        count if count > 8 => format!("{count} files import it, among them {}.", shown.join(", ")),
        _ => format!("It is imported in {}.", shown.join(", ")),
    };
    let mut in_scope: Vec<crate::audit::draft::ScopeDraft> = vec![
        ScopeDraft { path: place.file.clone(), remark: format!("the requirement of `{name}`") },
        ScopeDraft { path: lock.clone(), remark: "as the package manager writes it".to_owned() },
    ];
    in_scope.extend(
        users
            .iter()
            .take(20)
            .map(|path| ScopeDraft { path: path.clone(), remark: "calls of the old interface".to_owned() }),
    );
    let entry = if package.manifest.ends_with(".json") { format!("\"{name}\":") } else { name.to_owned() };
    let once = context.tree.text(&place.file).is_some_and(|text| text.matches(&entry).count() == 1);
    let gone = once.then(|| GateDraft::TextGone { text: entry, file: place.file.clone() });
    Some(PlanDraft {
        title: format!("Replace `{name}`, which is no longer maintained"),
        why: format!("{} A maintained replacement gets its faults mended.", finding.message),
        context: vec![users_text],
        steps: vec![
            StepDraft {
                title: "Choose the replacement".to_owned(),
                instruction: format!(
                    "Take, in this order: what the notice itself names; the standard library or platform, if it does the same by now; another \
                     dependency of `{}` that does it. `{name}` is locked at {version}.",
                    place.file
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Typecheck)],
            },
            StepDraft {
                title: format!("Move every use of `{name}` over and remove it"),
                instruction: "Change one file after the other, then the manifest and the lock file together."
                    .to_owned(),
                edits: Vec::new(),
                gates: gone
                    .clone()
                    .into_iter()
                    .chain(
                        [CommandPurpose::Install, CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project),
                    )
                    .collect(),
            },
        ],
        in_scope,
        out_of_scope: vec![("other deprecated packages".to_owned(), "each move is reviewed by itself".to_owned())],
        goals: gone.into_iter().chain([GateDraft::Project(CommandPurpose::Test)]).collect(),
        stop_conditions: vec![
            format!("the replacement does less than this repository needs of `{name}`: report what is missing"),
            "no test covers the code that changes: write one for today's behaviour first".to_owned(),
        ],
        ..PlanDraft::default()
    })
}
