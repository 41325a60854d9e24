//! `unused-dependency`: packages a manifest lists that nothing imports and nothing names.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{dependency_on, entry_span, is_shipped, lockfile_of};
use crate::audit::text::{FileText, count_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::Span;
use crate::repo_map::recon::{CommandPurpose, Dependency, Package, PackageManager};

mod crates;
mod implied;
mod packages;

use crates::unused_crates;
use packages::{Shared, candidates, unused_packages};

/// Dependencies of no use.
pub struct UnusedDependency;

static DOC: RuleDoc = RuleDoc {
    id: "unused-dependency",
    category: Category::Migration,
    what: "a dependency of a `package.json` that no file of the package imports and no script or configuration names, or of a \
           `Cargo.toml` whose crate no source file names",
    why: "it is downloaded, built, shipped and upgraded for nothing, and every advisory about it has to be looked at",
    quiet_when: "it is a peer of something installed, a plug-in, driver or preset that is loaded by name, a package of this \
                 repository, a development tool, an optional dependency, one that is there for its features, or a comment beside it \
                 says why",
    example: "\"dependencies\": { \"left-pad\": \"^1.3.0\" }   // and no file has the word",
};

/// Dependencies named in a finding.
const MAX_NAMED: usize = 12;
/// Unused dependencies of one manifest beyond which something else must use them.
const MAX_CERTAIN: usize = 10;
/// Share of a manifest's dependencies, in percent, that may look unused before it must be of another kind: a bundle of
/// dependencies for others.
const MAX_SHARE: usize = 50;

impl Rule for UnusedDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let shipped = || map.recon.packages.iter().filter(|package| is_shipped(map, package));
        let npm: Vec<(&Package, Vec<&Dependency>)> = shipped()
            .filter(|package| package.manager != PackageManager::Cargo)
            .filter_map(|package| Some((package, candidates(map, package)?)))
            .collect();
        let of_crates = shipped()
            .filter(|package| package.manager == PackageManager::Cargo)
            .filter_map(|package| Some((package, unused_crates(ground, package)?)));
        let of_npm = Shared::new(ground, &npm).map(|shared| {
            let unused =
                |(package, candidates)| Some((package, unused_packages(ground, package, candidates, &shared)?));
            npm.into_iter().filter_map(unused).collect::<Vec<_>>()
        });
        of_crates
            .chain(of_npm.into_iter().flatten())
            .filter(|(package, unused)| {
                let bundle = unused.len() > 2 && unused.len() * 100 > package.dependencies.len() * MAX_SHARE;
                !unused.is_empty() && !bundle
            })
            .map(|(package, unused)| finding(package, &unused))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Whether the name is the whole of a word: `react`, not `react-dom`.
fn is_word(before: &str, after: &str) -> bool {
    !before.ends_with(|c: char| is_name(c) || matches!(c, '-' | '@' | '.'))
        && !before.ends_with("node_modules/.bin/")
        && !after.starts_with(|c: char| is_name(c) || c == '-')
}

fn finding(package: &Package, unused: &[&Dependency]) -> Finding {
    let names: Vec<String> = unused.iter().take(MAX_NAMED).map(|own| format!("`{}`", own.listed_name())).collect();
    let more = unused.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let is_cargo = package.manager == PackageManager::Cargo;
    let title = match unused {
        [one] => format!("nothing uses the dependency `{}`", one.listed_name()),
        _ => format!("nothing uses {} of `{}`", count_of(unused.len(), "dependency"), package.manifest),
    };
    let how = if is_cargo {
        "no source file of the crate names it, in macros and attributes neither, and no feature does"
    } else {
        "no file of the package imports it, no script or configuration names it, and it is no peer of another dependency"
    };
    let first = unused[0];
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, first.line, first.line, "unused dependency")
        .expecting(first.listed_name())
        .title(title)
        .message(format!(
            "`{}` lists {}{more}: {how}. It is fetched{} and has to be kept up to date all the same.",
            package.manifest,
            names.join(", "),
            if is_cargo { ", compiled" } else { "" }
        ))
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Low)
        // So many are needed by code that is not here.
        .confidence(if unused.len() > MAX_CERTAIN { Confidence::Low } else { Confidence::Med });
    for own in unused.iter().skip(1).take(MAX_NAMED - 1) {
        draft = draft.and_lines(&package.manifest, own.line, own.line, "unused dependency");
    }
    draft.build()
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let path = &finding.location().file;
    let package = context.map.recon.packages.iter().find(|package| package.manifest == *path)?;
    let unused: Vec<&Dependency> =
        finding.evidence.iter().filter_map(|evidence| dependency_on(package, evidence.start_line)).collect();
    if unused.is_empty() {
        return None;
    }
    let text = FileText::read(context.tree, path)?;
    let is_cargo = package.manager == PackageManager::Cargo;
    let spans: Option<Vec<Span>> = unused
        .iter()
        .map(|own| if is_cargo { crate_span(&text, own) } else { entry_span(&text, own.line, own.listed_name()) })
        .collect();
    // The last entry takes the comma of the one above it along, which must then stay.
    let edits = spans.filter(|spans| spans.windows(2).all(|pair| pair[0].end <= pair[1].start)).unwrap_or_default();
    let edits =
        edits.into_iter().map(|span| EditDraft::Replace { file: path.clone(), span, text: String::new() }).collect();
    let names: Vec<String> = unused.iter().map(|own| format!("`{}`", own.listed_name())).collect();
    let lockfile = lockfile_of(context.map, package);
    let mut in_scope = vec![ScopeDraft { path: path.clone(), remark: "remove the entries".to_owned() }];
    let mut steps = vec![StepDraft {
        title: format!("Remove {}", names.join(", ")),
        instruction: format!(
            "In `{path}`, remove {} with {}.",
            names.join(", "),
            if names.len() == 1 { "its line" } else { "their lines" }
        ),
        edits,
        gates: unused
            .iter()
            .filter(|own| text.text.matches(&format!("\"{}\"", own.listed_name())).count() == 1 && !is_cargo)
            .take(3)
            .map(|own| GateDraft::TextGone { text: format!("\"{}\"", own.listed_name()), file: path.clone() })
            .collect(),
    }];
    if let Some(lockfile) = lockfile {
        let command = match package.manager {
            PackageManager::Cargo => "cargo metadata --format-version 1 > /dev/null".to_owned(),
            manager => format!("{} install", manager.program()),
        };
        steps.push(StepDraft {
            title: format!("Bring `{lockfile}` up to date"),
            instruction: format!(
                "Run `{command}` at `{lockfile}` and commit what it changes there: entries may disappear, no version may change."
            ),
            edits: Vec::new(),
            gates: vec![
                GateDraft::Project(CommandPurpose::Install),
                GateDraft::Project(CommandPurpose::Build),
                GateDraft::Project(CommandPurpose::Test),
            ],
        });
        in_scope.push(ScopeDraft { path: lockfile, remark: "as the package manager writes it".to_owned() });
    } else {
        steps[0].gates.extend([CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project));
    }
    Some(PlanDraft {
        title: format!(
            "Remove {} from `{path}`",
            match names.len() {
                1 => names[0].clone(),
                more => format!("{more} unused dependencies"),
            }
        ),
        why: format!("{} Without it there is less to fetch, to audit and to upgrade.", finding.message),
        steps,
        in_scope,
        out_of_scope: vec![(
            "versions of other dependencies".to_owned(),
            "an upgrade is reviewed on its own".to_owned(),
        )],
        goals: vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)],
        stop_conditions: vec![
            format!(
                "the build, the tests or the start of the program misses {}: something loads it by a name that is put together at run time",
                names[0]
            ),
            "the version of another package changes in the lock file".to_owned(),
        ],
        maintenance: vec![
            "A dependency that is needed without being imported deserves a comment that says for what.".to_owned(),
        ],
        ..PlanDraft::default()
    })
}

/// The line of `name = "1"`, when the whole entry stands on it.
fn crate_span(text: &FileText, dependency: &Dependency) -> Option<Span> {
    let line = text.line(dependency.line)?.trim();
    let rest = line.strip_prefix(dependency.listed_name())?.trim_start();
    let whole =
        rest.starts_with('=') && (!rest.contains(['{', '[']) || rest.ends_with('}')) || rest.starts_with(".workspace");
    whole.then(|| text.line_span(dependency.line)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        assert!(is_word("import '", "/styles.css'"));
        assert!(!is_word("react-", ""));
        assert!(!is_word("", "-dom"));
    }
}
