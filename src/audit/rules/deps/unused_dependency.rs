//! `unused-dependency`: packages a manifest lists that nothing imports and nothing names.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{dependency_on, entry_span, is_shipped, lockfile_of};
use crate::audit::text::{FileText, count_of};
use crate::audit::texts::Needles;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{LanguageName, Span};
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};
use crate::repo_map::{RepoMap, SourceFile};

mod implied;

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
        let packages = &ground.map.recon.packages;
        packages
            .iter()
            .filter(|package| is_shipped(ground.map, package))
            .filter_map(|package| {
                let unused = match package.manager {
                    PackageManager::Cargo => unused_crates(ground, package),
                    PackageManager::Npm | PackageManager::Pnpm | PackageManager::Yarn | PackageManager::Bun => {
                        unused_packages(ground, package)
                    }
                }?;
                let bundle = unused.len() > 2 && unused.len() * 100 > package.dependencies.len() * MAX_SHARE;
                (!unused.is_empty() && !bundle).then(|| finding(package, &unused))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// Dependencies of a `package.json` that nothing speaks of; `None` when that cannot be told.
fn unused_packages<'a>(ground: &Ground<'a>, package: &'a Package) -> Option<Vec<&'a Dependency>> {
    let map = ground.map;
    let own: Vec<&SourceFile> =
        map.files.iter().filter(|file| file.language.is_ecmascript() && package.inside(&file.path).is_some()).collect();
    if own.is_empty() {
        return None;
    }
    let imported: BTreeSet<&str> =
        own.iter().flat_map(|file| &file.facts.imports).map(|import| package_name(import.source.as_str())).collect();
    let listed = |name: &str, kind: DependencyKind| {
        package.dependencies.iter().any(|other| other.listed_name() == name && other.kind == kind)
    };
    let local = |name: &str| map.recon.packages.iter().any(|package| package.name == name);
    // A package may list for deployment what packages of this repository import that it depends on.
    let imported: BTreeSet<&str> = imported.into_iter().chain(imported_by_local_dependencies(map, package)).collect();
    let candidates: Vec<&Dependency> = package
        .dependencies
        .iter()
        .filter(|own| {
            let name = own.listed_name();
            own.kind == DependencyKind::Normal
                && !imported.contains(name)
                && !local(name)
                && !listed(name, DependencyKind::Peer)
                && !["workspace:", "file:", "link:", "portal:"].iter().any(|start| own.requirement.starts_with(start))
                && !implied::is_loaded_by_name(name)
                && !is_types_of_something(package, &imported, name)
        })
        .collect();
    if candidates.is_empty() {
        return Some(candidates);
    }
    let texts = ground.texts();
    if texts.incomplete {
        return None;
    }
    let names: Vec<&str> = candidates.iter().map(|own| own.listed_name()).collect();
    let needles = Needles::new(names.iter().copied())?;
    let mut named: BTreeSet<usize> = own
        .par_iter()
        .filter_map(|file| ground.tree.text(&file.path))
        .flat_map_iter(|text| needles.found_in(&text, &|_, before, after| is_quoted(before, after)))
        .collect();
    named.par_extend(texts.files.par_iter().flat_map_iter(|(path, text)| {
        let is_manifest = path.ends_with("package.json");
        if is_manifest {
            return BTreeSet::new();
        }
        needles.found_in(text, &|_, before, after| is_word(before, after))
    }));
    let manifest = manifest_without_dependencies(&ground.tree.text(&package.manifest)?)?;
    named.extend(needles.found_in(&manifest, &|_, before, after| is_word(before, after)));
    let scripts: BTreeSet<&str> = map
        .recon
        .packages
        .iter()
        .flat_map(|package| &package.scripts)
        .flat_map(|script| script.command.split(|c: char| c.is_whitespace() || "&|;()\"'=".contains(c)))
        .collect();
    let lock = lockfile_of(map, package).and_then(|path| ground.tree.text(&path));
    let peers = lock.as_deref().and_then(peers);
    Some(
        candidates
            .into_iter()
            .enumerate()
            .filter(|(index, own)| {
                let name = own.listed_name();
                let short = name.rsplit('/').next().unwrap_or(name);
                let scope = name.split('/').next().unwrap_or(name).trim_start_matches('@');
                !named.contains(index)
                    && !implied::programs(name).iter().any(|program| scripts.contains(program))
                    && ![short, short.trim_end_matches("-cli"), scope].iter().any(|program| scripts.contains(program))
                    && match &peers {
                        Some(peers) => !peers.contains(name),
                        // Nobody can tell who wants it.
                        None => !implied::is_often_a_peer(name),
                    }
            })
            .map(|(_, own)| own)
            .collect(),
    )
}

/// What the packages of this repository import that a package depends on, directly or through others.
fn imported_by_local_dependencies<'a>(map: &'a RepoMap, package: &'a Package) -> BTreeSet<&'a str> {
    let mut behind: BTreeMap<&str, &Package> = BTreeMap::new();
    let mut queue = vec![package];
    while let Some(next) = queue.pop() {
        for dependency in &next.dependencies {
            let found = map
                .recon
                .packages
                .iter()
                .find(|own| own.name == dependency.listed_name() && own.manager != PackageManager::Cargo);
            if let Some(found) = found.filter(|found| found.folder != package.folder)
                && behind.insert(&found.folder, found).is_none()
            {
                queue.push(found);
            }
        }
    }
    map.files
        .iter()
        .filter(|file| {
            file.language.is_ecmascript() && behind.values().any(|package| package.inside(&file.path).is_some())
        })
        .flat_map(|file| &file.facts.imports)
        .map(|import| package_name(import.source.as_str()))
        .collect()
}

/// `@scope/name` of `@scope/name/sub`.
fn package_name(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    specifier.match_indices('/').nth(parts - 1).map_or(specifier, |(at, _)| &specifier[..at])
}

/// Types for a package that is imported or listed, or for what the runtime provides.
fn is_types_of_something(package: &Package, imported: &BTreeSet<&str>, name: &str) -> bool {
    let Some(typed) = name.strip_prefix("@types/") else { return false };
    let typed = match typed.split_once("__") {
        Some((scope, name)) => format!("@{scope}/{name}"),
        None => typed.to_owned(),
    };
    imported.contains(typed.as_str())
        || package.dependencies.iter().any(|own| own.listed_name() == typed)
        || implied::AMBIENT_TYPES.contains(&typed.as_str())
}

/// The manifest as text, the lists of dependencies left out.
fn manifest_without_dependencies(text: &str) -> Option<String> {
    let mut value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let entries = value.as_object_mut()?;
    for section in [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "overrides",
        "resolutions",
        "name",
        "keywords",
        "description",
        "repository",
        "homepage",
        "bugs",
    ] {
        entries.remove(section);
    }
    Some(value.to_string())
}

/// Names that packages of a lock file want beside them; `None` when the format does not say.
fn peers(lock: &str) -> Option<BTreeSet<&str>> {
    if lock.contains("# yarn lockfile v1") {
        return None;
    }
    let mut found = BTreeSet::new();
    let mut inside: Option<usize> = None;
    for line in lock.lines() {
        let depth = line.len() - line.trim_start().len();
        let word = line.trim().trim_start_matches('"');
        if let Some(start) = inside {
            if depth > start && !word.is_empty() {
                let name = word.trim_start_matches('\'').split(['"', '\'']).next().unwrap_or_default();
                found.insert(name.split(':').next().unwrap_or_default());
                continue;
            }
            inside = None;
        }
        if word.starts_with("peerDependencies\": {") || word == "peerDependencies:" {
            inside = Some(depth);
        }
        // bun.lock has a package a line.
        for (at, _) in line.match_indices("\"peerDependencies\": {").filter(|(at, _)| *at > depth) {
            let list = line[at..].split(['{', '}']).nth(1).unwrap_or_default();
            found.extend(list.split('"').skip(1).step_by(4));
        }
    }
    Some(found)
}

/// Dependencies of a `Cargo.toml` whose crate no source file names.
fn unused_crates<'a>(ground: &Ground<'a>, package: &'a Package) -> Option<Vec<&'a Dependency>> {
    let map = ground.map;
    let own: Vec<&SourceFile> = map
        .files
        .iter()
        .filter(|file| file.language == LanguageName::Rust && package.inside(&file.path).is_some())
        .filter(|file| map.recon.package_in(&file.path, true).is_some_and(|other| other.folder == package.folder))
        .collect();
    if own.is_empty() || own.iter().any(|file| file.facts.partly_read) {
        return None;
    }
    let names: BTreeSet<&str> = own.iter().flat_map(|file| &file.facts.references).map(|name| name.as_str()).collect();
    let manifest = FileText::read(ground.tree, &package.manifest)?;
    let candidates: Vec<&Dependency> = package
        .dependencies
        .iter()
        .filter(|own| {
            own.kind != DependencyKind::Optional
                && crate_names(own.listed_name()).iter().all(|name| !names.contains(name.as_str()))
                && !implied::is_crate_for_its_features(own.listed_name())
                && is_unexplained(&manifest, own)
        })
        .collect();
    if candidates.is_empty() {
        return Some(candidates);
    }
    let declared: BTreeSet<String> =
        package.dependencies.iter().map(|own| own.listed_name().replace('-', "_")).collect();
    // Word, index of the candidate, and whether it is only a part of the name.
    let words: Vec<(String, usize, bool)> = candidates
        .iter()
        .enumerate()
        .flat_map(|(index, own)| {
            let whole = crate_names(own.listed_name()).into_iter().map(move |name| (name, index, false));
            let parts = parts_of(own.listed_name()).into_iter().filter(|part| !declared.contains(part));
            whole.chain(parts.map(move |part| (part, index, true)).collect::<Vec<_>>())
        })
        .collect();
    let needles = Needles::new(words.iter().map(|(word, ..)| word.as_str()))?;
    let is_crate = |word: usize, before: &str, after: &str| {
        is_word(before, after) && (!words[word].2 || (after.starts_with("::") && !before.ends_with("::")))
    };
    // In macros, attributes and what a build script writes.
    let named: BTreeSet<usize> = own
        .par_iter()
        .filter_map(|file| ground.tree.text(&file.path))
        .flat_map_iter(|text| needles.found_in(&text, &is_crate))
        .map(|word| words[word].1)
        .collect();
    Some(candidates.into_iter().enumerate().filter(|(index, _)| !named.contains(index)).map(|(_, own)| own).collect())
}

/// Names under which the code may know a crate.
fn crate_names(name: &str) -> BTreeSet<String> {
    let plain = name.replace('-', "_");
    let short = plain.trim_start_matches("rust_").trim_end_matches("_rs").trim_end_matches("_rust").to_owned();
    BTreeSet::from([name.replace(['-', '_'], ""), short, plain])
}

/// Parts of a crate's name that may be the whole name of its library: `bip39` of `tiny-bip39`.
fn parts_of(name: &str) -> BTreeSet<String> {
    const SHORT: usize = 4;
    let words: Vec<&str> = name.split(['-', '_']).collect();
    let runs = (0..words.len()).flat_map(|start| (start + 1..=words.len()).map(move |end| (start, end)));
    runs.map(|(start, end)| words[start..end].join("_")).filter(|run| run.len() >= SHORT).collect()
}

/// Whether nothing else in the manifest speaks of the dependency, and no comment beside it gives a reason.
fn is_unexplained(manifest: &FileText, dependency: &Dependency) -> bool {
    let name = dependency.listed_name();
    let line = manifest.line(dependency.line).unwrap_or_default();
    let above = dependency.line.checked_sub(1).and_then(|line| manifest.line(line)).unwrap_or_default();
    let mentions =
        |text: &str| text.match_indices(name).filter(|(at, _)| is_word(&text[..*at], &text[at + name.len()..])).count();
    let other = (1..).map_while(|number| manifest.line(number)).enumerate().any(|(index, text)| {
        index as u32 + 1 != dependency.line
            && !text.trim_start().starts_with('#')
            && mentions(text) > 0
            // The same name in another section, or in the workspace's own list.
            && !text.trim_start().trim_start_matches('"').starts_with(name)
            && !text.trim_start().starts_with("name")
            && !text.trim_start().starts_with("keywords")
    });
    !line.contains('#') && !above.trim_start().starts_with('#') && !other
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

/// Whether the name starts a quoted specifier, is one of `/// <reference types="…" />`, or is a part of a plug-in's path.
fn is_quoted(before: &str, after: &str) -> bool {
    before.ends_with(['\'', '"', '`', '!', '/', ' ', '(', ','])
        && after.starts_with(['\'', '"', '`', '/', '!', '?', ',', ')'])
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
    fn peers_are_read_from_every_lock_file_that_names_them() {
        let pnpm = "  a@1.0.0:\n    resolution: {}\n    peerDependencies:\n      react: '>=18'\n      '@b/c': ^1\n    dev: true\n";
        assert_eq!(peers(pnpm), Some(BTreeSet::from(["react", "@b/c"])));
        let npm = "    \"node_modules/a\": {\n      \"peerDependencies\": {\n        \"react\": \">=18\",\n        \"@b/c\": \"1\"\n      },\n      \"dev\": true\n    }\n";
        assert_eq!(peers(npm), Some(BTreeSet::from(["react", "@b/c"])));
        let bun = "    \"a\": [\"a@1\", \"\", { \"peerDependencies\": { \"react\": \">=18\", \"@b/c\": \"1\" } }, \"sha\"],\n";
        assert_eq!(peers(bun), Some(BTreeSet::from(["react", "@b/c"])));
        assert_eq!(peers("# yarn lockfile v1\n"), None);
    }

    #[test]
    fn names_are_whole_words() {
        assert_eq!(package_name("@a/b/c"), "@a/b");
        assert_eq!(package_name("lodash/get"), "lodash");
        assert!(is_word("import '", "/styles.css'"));
        assert!(!is_word("react-", ""));
        assert!(!is_word("", "-dom"));
    }

    #[test]
    fn a_crate_is_known_by_several_names() {
        let names = crate_names("rust-ini");
        assert!(["rust_ini", "ini", "rustini"].iter().all(|name| names.contains(*name)));
        assert!(crate_names("md-5").contains("md5"));
    }
}
