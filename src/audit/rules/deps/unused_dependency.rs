//! `unused-dependency`: packages a manifest lists that nothing imports and nothing names.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{by_install, dependency_on, entry_span, is_shipped, lockfile_of};
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
    quiet_when: "it is a peer of something installed, a plug-in, driver or preset that is loaded by name, what another dependency is named for, of one scope with an import where the lock file names no peers, a crate whose library has a part of its name, a package of this \
                 repository, a development tool, an optional dependency, one whose features the entry switches on, or a comment beside it \
                 says why",
    example: "\"dependencies\": { \"left-pad\": \"^1.3.0\" }   // and no file has the word",
};

/// Dependencies of one manifest named in a finding.
const MAX_NAMED: usize = 12;
/// Manifests named in a finding.
const MAX_MANIFESTS: usize = 12;
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
        let found = of_crates.chain(of_npm.into_iter().flatten()).filter(|(package, unused)| {
            let bundle = unused.len() > 2 && unused.len() * 100 > package.dependencies.len() * MAX_SHARE;
            !unused.is_empty() && !bundle
        });
        // Doubtful ones are looked at one by one.
        let (certain, doubtful): (Vec<_>, Vec<_>) = found.partition(|(_, unused)| unused.len() <= MAX_CERTAIN);
        let mut groups = by_install(map, certain);
        groups.extend(doubtful.into_iter().map(|one| vec![one]));
        let groups = groups.into_iter().map(|group| group.into_iter().map(Manifest::from).collect::<Vec<_>>());
        groups.map(|group| finding(&group[..group.len().min(MAX_MANIFESTS)], group.len())).collect()
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

/// A manifest and what it lists for nothing.
struct Manifest<'a> {
    package: &'a Package,
    unused: Vec<&'a Dependency>,
}

impl<'a> From<(&'a Package, Vec<&'a Dependency>)> for Manifest<'a> {
    fn from((package, unused): (&'a Package, Vec<&'a Dependency>)) -> Manifest<'a> {
        Manifest { package, unused }
    }
}

impl Manifest<'_> {
    /// What it lists, by the first names.
    fn says(&self) -> String {
        // Once for use and once for development: one name.
        let mut names: Vec<&str> = self.unused.iter().map(|own| own.listed_name()).collect();
        names.dedup();
        let more = names.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names: Vec<String> = names.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
        format!("`{}` lists {}{more}", self.package.manifest, names.join(", "))
    }
}

/// The finding about some manifests, of `all` there are.
fn finding(group: &[Manifest<'_>], all: usize) -> Finding {
    let is_cargo = group[0].package.manager == PackageManager::Cargo;
    let count: usize = group.iter().map(|manifest| manifest.unused.len()).sum();
    let title = match group {
        [one] if count == 1 => format!("nothing uses the dependency `{}`", one.unused[0].listed_name()),
        [one] => format!("nothing uses {} of `{}`", count_of(count, "dependency"), one.package.manifest),
        more => format!("nothing uses {} of {} manifests", count_of(count, "dependency"), more.len()),
    };
    let how = if is_cargo {
        "no source file of the crate names it, in macros and attributes neither, and no feature does"
    } else {
        "no file of the package imports it, no script or configuration names it, and it is no peer of another dependency"
    };
    let lists: Vec<String> = group.iter().map(Manifest::says).collect();
    let left = match all - group.len() {
        0 => String::new(),
        left => format!(" {} more list such dependencies, too: one round at a time.", count_of(left, "manifest")),
    };
    let (first, rest) =
        (&group[0].unused[0], group.iter().flat_map(|own| own.unused.iter().map(move |one| (own, one))));
    let mut draft = FindingDraft::at_lines(
        &DOC,
        &group[0].package.manifest,
        first.line,
        first.line,
        "unused dependency",
    )
    .expecting(first.listed_name())
    .title(title)
    .message(format!(
        "{}: {how}. {} to be kept up to date all the same, and is fetched{} unless something else needs it.{left}",
        lists.join("; "),
        if count == 1 { "It has" } else { "Each has" },
        if is_cargo { " and compiled" } else { "" }
    ))
    .impact(2)
    .effort(Effort::S)
    .risk(Risk::Low)
    // So many are needed by code that is not here.
    .confidence(if count > MAX_CERTAIN && group.len() == 1 { Confidence::Low } else { Confidence::Med });
    for (manifest, own) in rest.skip(1) {
        draft = draft.and_lines(&manifest.package.manifest, own.line, own.line, "unused dependency");
    }
    draft.build()
}

/// What is removed from one manifest.
struct Removal<'a> {
    package: &'a Package,
    unused: Vec<&'a Dependency>,
    edits: Vec<EditDraft>,
}

fn removals<'a>(finding: &Finding, context: &RecipeContext<'a>) -> Option<Vec<Removal<'a>>> {
    let mut removals: Vec<Removal<'a>> = Vec::new();
    for evidence in &finding.evidence {
        let package = context.map.recon.packages.iter().find(|package| package.manifest == evidence.file)?;
        let own = dependency_on(package, evidence.start_line)?;
        match removals.iter_mut().find(|removal| removal.package.manifest == package.manifest) {
            Some(removal) => removal.unused.push(own),
            None => removals.push(Removal { package, unused: vec![own], edits: Vec::new() }),
        }
    }
    for removal in &mut removals {
        let path = &removal.package.manifest;
        let text = FileText::read(context.tree, path)?;
        let is_cargo = removal.package.manager == PackageManager::Cargo;
        let spans: Option<Vec<Span>> = removal
            .unused
            .iter()
            .map(|own| if is_cargo { crate_span(&text, own) } else { entry_span(&text, own.line, own.listed_name()) })
            .collect();
        // The last entry takes the comma of the one above it along, which must then stay.
        let spans = spans.filter(|spans| spans.windows(2).all(|pair| pair[0].end <= pair[1].start)).unwrap_or_default();
        removal.edits = spans
            .into_iter()
            .map(|span| EditDraft::Replace { file: path.clone(), span, text: String::new() })
            .collect();
    }
    Some(removals)
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let removals = removals(finding, context)?;
    let first = removals.first()?;
    let manager = first.package.manager;
    let count: usize = removals.iter().map(|removal| removal.unused.len()).sum();
    let mut in_scope = Vec::new();
    let mut steps = Vec::new();
    let has_edits = removals.iter().all(|removal| !removal.edits.is_empty());
    for removal in &removals {
        let path = &removal.package.manifest;
        let text = FileText::read(context.tree, path)?;
        let names: Vec<String> = removal.unused.iter().map(|own| format!("`{}`", own.listed_name())).collect();
        in_scope.push(ScopeDraft { path: path.clone(), remark: "remove the entries".to_owned() });
        steps.push(StepDraft {
            title: match removals.as_slice() {
                [_] => format!("Remove {}", names.join(", ")),
                _ => format!("Remove {} from `{path}`", names.join(", ")),
            },
            instruction: format!(
                "In `{path}`, remove {} with {}.",
                names.join(", "),
                if names.len() == 1 { "its line" } else { "their lines" }
            ),
            edits: if has_edits { removal.edits.clone() } else { Vec::new() },
            gates: removal
                .unused
                .iter()
                .filter(|own| {
                    manager != PackageManager::Cargo
                        && text.text.matches(&format!("\"{}\"", own.listed_name())).count() == 1
                })
                .take(3)
                .map(|own| GateDraft::TextGone { text: format!("\"{}\"", own.listed_name()), file: path.clone() })
                .collect(),
        });
    }
    if let Some(lockfile) = lockfile_of(context.map, first.package) {
        let command = match manager {
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
    } else if let Some(last) = steps.last_mut() {
        last.gates.extend([CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project));
    }
    let what = match count {
        1 => format!("`{}`", first.unused[0].listed_name()),
        more => format!("{more} unused dependencies"),
    };
    Some(PlanDraft {
        title: match removals.as_slice() {
            [one] => format!("Remove {what} from `{}`", one.package.manifest),
            more => format!("Remove {what} from {} manifests", more.len()),
        },
        why: format!("{} Without it there is less to fetch, to audit and to upgrade.", finding.message),
        steps,
        in_scope,
        out_of_scope: vec![(
            "versions of other dependencies".to_owned(),
            "an upgrade is reviewed on its own".to_owned(),
        )],
        goals: vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)],
        stop_conditions: vec![
            "the build, the tests or the start of the program misses one of them: something loads it by a name that is put together \
             at run time"
                .to_owned(),
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
