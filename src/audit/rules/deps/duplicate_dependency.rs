//! `duplicate-dependency`: a package listed in `dependencies` and in `devDependencies`.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{by_install, entry_span, lockfile_of};
use crate::audit::text::{FileText, count_of, folder_of};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::facts::Span;
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};

/// One package in two sections of a manifest.
pub struct DuplicateDependency;

static DOC: RuleDoc = RuleDoc {
    id: "duplicate-dependency",
    category: Category::Migration,
    what: "a package that one `package.json` lists both in `dependencies` and in `devDependencies`",
    why: "package managers take one of the two and say nothing: an upgrade of the other has no effect, and two different \
          requirements make it a matter of the manager which version ships",
    quiet_when: "the second section is `peerDependencies`, or the manifest is a `Cargo.toml`, where the sections add up",
    example: "\"dependencies\": { \"zod\": \"^3.22.0\" },\n\"devDependencies\": { \"zod\": \"^3.25.0\" }",
};

impl Rule for DuplicateDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let npm = map.recon.packages.iter().filter(|package| package.manager != PackageManager::Cargo);
        let found = npm.flat_map(|package| twice(package).map(move |pair| (package, pair)));
        by_install(map, found).iter().map(|group| finding(group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let packages = &context.map.recon.packages;
        let entries: Option<Vec<(&Package, &Dependency)>> = finding
            .evidence
            .iter()
            .filter(|own| own.role == DEV)
            .map(|own| {
                let package = packages.iter().find(|package| package.manifest == own.file)?;
                let (_, dev) = twice(package).find(|(_, dev)| dev.line == own.start_line)?;
                Some((package, dev))
            })
            .collect();
        let entries = entries?;
        let (package, dev) = entries.first()?;
        let lockfile = lockfile_of(context.map, package);
        let mut steps = Vec::new();
        let mut in_scope: Vec<ScopeDraft> = Vec::new();
        let mut left: Vec<String> = Vec::new();
        for (package, dev) in &entries {
            let path = &package.manifest;
            let text = FileText::read(context.tree, path)?;
            let name = dev.listed_name();
            let span = entry_span(&text, dev.line, name)?;
            let mut edits = vec![EditDraft::Replace { file: path.clone(), span, text: String::new() }];
            if let Some(lockfile) = &lockfile {
                let same = package
                    .dependencies
                    .iter()
                    .all(|own| own.listed_name() != name || own.requirement == dev.requirement);
                match repeated_in(context, lockfile, package, name) {
                    Repeated::At(span) => {
                        edits.push(EditDraft::Replace { file: lockfile.clone(), span, text: String::new() });
                    }
                    Repeated::No => {}
                    Repeated::Unknown if same && lockfile.ends_with("yarn.lock") => {}
                    Repeated::Unknown => left.push(format!("`{name}`")),
                }
            }
            steps.push(StepDraft {
                title: format!("Remove `{name}` from `devDependencies`"),
                instruction: format!("In `{path}`, line {}: the edit below. `dependencies` keeps its entry.", dev.line),
                edits,
                gates: vec![GateDraft::Project(CommandPurpose::Install), GateDraft::Project(CommandPurpose::Build)],
            });
            if in_scope.iter().all(|own| own.path != *path) {
                in_scope.push(ScopeDraft { path: path.clone(), remark: "the lines named in the steps".to_owned() });
            }
        }
        if let Some(lockfile) = &lockfile {
            left.dedup();
            if !left.is_empty() {
                steps.push(StepDraft {
                    title: format!("Bring `{lockfile}` up to date"),
                    instruction: format!(
                        "Run `{} install` and commit what it changes in `{lockfile}`; nothing but the {} of {} may change.",
                        package.manager.program(),
                        if left.len() == 1 { "entry" } else { "entries" },
                        left.join(", ")
                    ),
                    edits: Vec::new(),
                    gates: vec![GateDraft::Project(CommandPurpose::Install)],
                });
            }
            let remark = "as the package manager writes it".to_owned();
            in_scope.push(ScopeDraft { path: lockfile.clone(), remark });
        }
        Some(PlanDraft {
            title: match entries.as_slice() {
                [(package, dev)] => format!("List `{}` once in `{}`", dev.listed_name(), package.manifest),
                more => format!("List {} once", count_of(more.len(), "dependency")),
            },
            why: format!("{} One entry leaves one place to upgrade.", finding.message),
            steps,
            in_scope,
            out_of_scope: vec![(
                "their versions".to_owned(),
                "the requirement that stays is the one that ships today".to_owned(),
            )],
            stop_conditions: vec![
                format!(
                    "`dependencies` of `{}` no longer lists `{}`: then the entry to keep is this one",
                    package.manifest,
                    dev.listed_name()
                ),
                "the installed version changes".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// The role of an entry that goes.
const DEV: &str = "devDependencies";

/// What a manifest lists in both sections: the entry that stays, and the one for development.
fn twice(package: &Package) -> impl Iterator<Item = (&Dependency, &Dependency)> {
    package.dependencies.iter().filter(|own| own.kind == DependencyKind::Dev).filter_map(|dev| {
        let is_same = |own: &&Dependency| own.kind == DependencyKind::Normal && own.listed_name() == dev.listed_name();
        package.dependencies.iter().find(is_same).map(|normal| (normal, dev))
    })
}

/// Whether a lock file lists the development dependency once more.
enum Repeated {
    /// These bytes of it.
    At(Span),
    /// It does not.
    No,
    /// Only the package manager can tell.
    Unknown,
}

/// `package-lock.json` holds the sections of every manifest: `"packages": { "packages/ui": { "devDependencies": { … } } }`.
fn repeated_in(context: &RecipeContext<'_>, lockfile: &str, package: &Package, name: &str) -> Repeated {
    let home = folder_of(lockfile);
    let Some(text) = lockfile.ends_with("package-lock.json").then(|| FileText::read(context.tree, lockfile)).flatten()
    else {
        return Repeated::Unknown;
    };
    let inside = package.folder.strip_prefix(home).unwrap_or(&package.folder).trim_start_matches('/');
    let mut lines = (1..).zip(text.text.lines());
    let section = |line: &str, depth: usize, key: &str| {
        line.len() - line.trim_start().len() == depth && line.trim_start().starts_with(&format!("\"{key}\": {{"))
    };
    if !lines.by_ref().any(|(_, line)| section(line, 2, "packages"))
        || !lines.by_ref().any(|(_, line)| section(line, 4, inside))
    {
        return Repeated::Unknown;
    }
    let mut in_dev = false;
    for (number, line) in lines {
        if line.starts_with("    }") {
            break;
        }
        if section(line, 6, "devDependencies") {
            in_dev = true;
        } else if line.starts_with("      }") {
            in_dev = false;
        } else if in_dev && line.trim_start().starts_with(&format!("\"{name}\":")) {
            return entry_span(&text, number, name).map_or(Repeated::Unknown, Repeated::At);
        }
    }
    Repeated::No
}

fn finding(group: &[(&Package, (&Dependency, &Dependency))]) -> Finding {
    const MAX_NAMED: usize = 8;
    let (package, (normal, dev)) = group[0];
    let differ = |normal: &Dependency, dev: &Dependency| normal.requirement != dev.requirement;
    let told: Vec<String> = group
        .iter()
        .take(MAX_NAMED)
        .map(|(package, (normal, dev))| {
            let how = if differ(normal, dev) {
                format!("as `{}` and as `{}`", normal.requirement, dev.requirement)
            } else {
                format!("both times as `{}`", dev.requirement)
            };
            format!(
                "`{}` lists `{}` in `dependencies` and in `devDependencies`, {how}",
                package.manifest,
                dev.listed_name()
            )
        })
        .collect();
    let more = group.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!("; {more} more are listed twice") } else { String::new() };
    let title = match group {
        [_] => format!("`{}` is both a dependency and a development dependency", dev.listed_name()),
        more => format!("{} are dependencies and development dependencies", count_of(more.len(), "package")),
    };
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, dev.line, dev.line, DEV)
        .expecting(dev.listed_name())
        .title(title)
        .message(format!(
            "{}{more}; the package manager silently takes one of the two, so an upgrade of the other does nothing.",
            told.join("; ")
        ))
        .impact(if group.iter().any(|(_, (normal, dev))| differ(normal, dev)) { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .and_lines(&package.manifest, normal.line, normal.line, "dependencies");
    for (package, (normal, dev)) in group.iter().skip(1) {
        draft = draft.and_lines(&package.manifest, dev.line, dev.line, DEV).and_lines(
            &package.manifest,
            normal.line,
            normal.line,
            "dependencies",
        );
    }
    draft.build()
}
