//! `duplicate-dependency`: a package listed in `dependencies` and in `devDependencies`.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{entry_span, lockfile_of};
use crate::audit::text::{FileText, folder_of};
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
        let mut found = Vec::new();
        for package in map.recon.packages.iter().filter(|package| package.manager != PackageManager::Cargo) {
            for dev in package.dependencies.iter().filter(|own| own.kind == DependencyKind::Dev) {
                let normal = package
                    .dependencies
                    .iter()
                    .find(|own| own.kind == DependencyKind::Normal && own.listed_name() == dev.listed_name());
                if let Some(normal) = normal {
                    found.push(finding(&package.manifest, normal, dev));
                }
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let package = context.map.recon.packages.iter().find(|package| package.manifest == place.file)?;
        let dev =
            package.dependencies.iter().find(|own| own.kind == DependencyKind::Dev && own.line == place.start_line)?;
        let text = FileText::read(context.tree, &place.file)?;
        let span = entry_span(&text, dev.line, dev.listed_name())?;
        let name = dev.listed_name();
        let lockfile = lockfile_of(context.map, package);
        let mut steps = vec![StepDraft {
            title: format!("Remove `{name}` from `devDependencies`"),
            instruction: format!(
                "In `{}`, line {}: the edit below. `dependencies` keeps its entry.",
                place.file, dev.line
            ),
            edits: vec![EditDraft::Replace { file: place.file.clone(), span, text: String::new() }],
            gates: vec![GateDraft::Project(CommandPurpose::Install), GateDraft::Project(CommandPurpose::Build)],
        }];
        let mut in_scope = vec![ScopeDraft { path: place.file.clone(), remark: "one line".to_owned() }];
        if let Some(lockfile) = lockfile {
            let repeated = repeated_in(context, &lockfile, package, name);
            let same =
                package.dependencies.iter().all(|own| own.listed_name() != name || own.requirement == dev.requirement);
            match repeated {
                Repeated::At(span) => steps[0].edits.push(EditDraft::Replace {
                    file: lockfile.clone(),
                    span,
                    text: String::new(),
                }),
                Repeated::No => {}
                Repeated::Unknown if same && lockfile.ends_with("yarn.lock") => {}
                Repeated::Unknown => steps.push(StepDraft {
                title: format!("Bring `{lockfile}` up to date"),
                instruction: format!(
                    "Run `{} install` and commit what it changes in `{lockfile}`; nothing but the entry of `{name}` may change.",
                    package.manager.program()
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::Project(CommandPurpose::Install)],
            }),
            }
            in_scope.push(ScopeDraft { path: lockfile, remark: "as the package manager writes it".to_owned() });
        }
        Some(PlanDraft {
            title: format!("List `{name}` once in `{}`", place.file),
            why: format!("{} One entry leaves one place to upgrade.", finding.message),
            steps,
            in_scope,
            out_of_scope: vec![(
                "versions".to_owned(),
                "the requirement that stays is the one that ships today".to_owned(),
            )],
            stop_conditions: vec![
                format!(
                    "`dependencies` of `{}` no longer lists `{name}`: then the entry to keep is this one",
                    place.file
                ),
                "the installed version changes".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
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

fn finding(manifest: &str, normal: &Dependency, dev: &Dependency) -> Finding {
    let name = dev.listed_name();
    let differ = normal.requirement != dev.requirement;
    let how = if differ {
        format!("as `{}` and as `{}`", normal.requirement, dev.requirement)
    } else {
        format!("both times as `{}`", dev.requirement)
    };
    FindingDraft::at_lines(&DOC, manifest, dev.line, dev.line, "devDependencies")
        .expecting(name)
        .title(format!("`{name}` is both a dependency and a development dependency"))
        .message(format!(
            "`{manifest}` lists `{name}` in `dependencies` and in `devDependencies`, {how}; the package manager silently \
             takes one of them, so an upgrade of the other does nothing."
        ))
        .impact(if differ { 3 } else { 2 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .and_lines(manifest, normal.line, normal.line, "dependencies")
        .build()
}
