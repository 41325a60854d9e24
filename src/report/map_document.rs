//! What `improve map --format json` says: project facts, hotspots and totals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_document::{Repository, SCHEMA_VERSION};
use crate::map::rank::{Ranking, Weights, entry_files, is_entry, weighed};
use crate::repo_map::facts::SymbolKind;
use crate::repo_map::recon::{Document, Package, PackageManager, Recon};
use crate::repo_map::{CallId, CallTarget, FileId, FileRole, How, ImportTarget, Note, RepoMap, SkipReason, SourceFile};

/// Hotspots listed.
const HOTSPOTS: usize = 20;
/// Central definitions listed.
const CENTRAL: usize = 20;

/// The repo map in short.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MapDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// What was mapped.
    pub repository: Repository,
    /// Files, lines, definitions and calls.
    pub totals: Totals,
    /// Languages, the one with most lines first.
    pub languages: Vec<LanguageTotal>,
    /// Packages, the root first, with dependencies, commands (each with where it was found) and entry points.
    pub packages: Vec<Package>,
    /// Files that start something or that users import, over all packages, sorted.
    pub entry_points: Vec<String>,
    /// Frameworks and libraries that decide how code is written here, sorted.
    pub frameworks: Vec<String>,
    /// Documents that state intent.
    pub documents: Vec<Document>,
    /// Continuous integration files.
    pub ci_files: Vec<String>,
    /// Deployment hints.
    pub deployment: Vec<String>,
    /// Dependencies of the repository's packages on each other, sorted.
    pub package_dependencies: Vec<PackageDependency>,
    /// The definitions that matter most, best first: calls, public API, entry points, fan-out and churn, joined by rank.
    pub central: Vec<CentralSymbol>,
    /// Production files that are often changed, large and much used, the hottest first.
    pub hotspots: Vec<Hotspot>,
    /// Files left out, by reason.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// Files with syntax the parser does not know: facts may be missing.
    pub partly_read: Vec<String>,
    /// What of the project's configuration could not be followed.
    pub notes: Vec<Note>,
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    /// Source files with facts, those that a tool wrote not counted.
    pub source_files: usize,
    /// Source files with facts that a tool wrote: their definitions and calls are counted below, their lines are not.
    pub generated_files: usize,
    /// Every other file that was listed and not left out.
    pub other_files: usize,
    /// Files left out.
    pub skipped_files: usize,
    /// Lines of source files.
    pub lines: u64,
    /// Bytes of source files.
    pub bytes: u64,
    /// Definitions.
    pub symbols: usize,
    /// Call sites.
    pub calls: usize,
    /// Calls that resolve to a definition of this repository.
    pub calls_resolved: usize,
    /// Calls that go to a package, the language or its runtime.
    pub calls_external: usize,
    /// Calls known by name alone.
    pub calls_guessed: usize,
    /// Calls that stayed open.
    pub calls_unresolved: usize,
}

/// How much there is in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LanguageTotal {
    /// Its name.
    pub language: String,
    /// Files.
    pub files: usize,
    /// Lines.
    pub lines: u64,
}

/// A package that depends on another one of the same repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PackageDependency {
    /// The package.
    pub from: String,
    /// The one it depends on.
    pub to: String,
}

/// A definition that matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CentralSymbol {
    /// File.
    pub file: String,
    /// Line of its name.
    pub line: u32,
    /// Qualified name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// First line of the definition, white space folded.
    pub signature: String,
    /// Calls in code that ships.
    pub callers: u32,
    /// Other files that call it or import it by name.
    pub caller_files: u32,
    /// Different definitions of the repository that it calls.
    pub callees: u32,
    /// The program or its users come in here.
    pub entry_point: bool,
}

/// A file where a change is likely and costly.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Hotspot {
    /// Its path.
    pub path: String,
    /// Commits that touched it in 90 days.
    pub churn_90d: u32,
    /// Cyclomatic complexity, summed over its functions.
    pub complexity: u32,
    /// Lines.
    pub lines: u32,
    /// Other files that call into it or import it.
    pub fan_in: u32,
    /// Churn × lines × fan-in, each as a share of the repository's largest on a logarithmic scale: from 0 to 1.
    pub heat: f64,
}

impl MapDocument {
    /// The document of `map`.
    pub fn new(map: &RepoMap, repository: Repository) -> MapDocument {
        // Churn is in the hotspots.
        let ranking = weighed(map, &Weights::timeless());
        let Recon { packages, frameworks, documents, ci_files, deployment, workflows: _, task_files: _, declared: _ } =
            map.recon.clone();
        let mut entry_points: Vec<String> =
            packages.iter().flat_map(|package| package.entry_points.iter().cloned()).collect();
        entry_points.sort();
        entry_points.dedup();
        let mut skipped = BTreeMap::new();
        for file in &map.skipped {
            *skipped.entry(file.reason).or_insert(0) += 1;
        }
        MapDocument {
            schema_version: SCHEMA_VERSION,
            repository,
            totals: totals(map),
            languages: languages(map),
            package_dependencies: package_dependencies(&packages),
            packages,
            entry_points,
            frameworks,
            documents,
            ci_files,
            deployment,
            central: central(map, &ranking),
            hotspots: hotspots(map),
            skipped,
            notes: map.notes.clone(),
            partly_read: map.files.iter().filter(|file| file.facts.partly_read).map(|file| file.path.clone()).collect(),
        }
    }
}

fn written_by_hand(map: &RepoMap) -> impl Iterator<Item = &SourceFile> {
    map.files.iter().filter(|file| file.role != FileRole::Generated)
}

/// How much there is.
pub(crate) fn totals(map: &RepoMap) -> Totals {
    let written = || written_by_hand(map);
    let mut totals = Totals {
        source_files: written().count(),
        generated_files: map.files.len() - written().count(),
        other_files: map.other_files.len(),
        skipped_files: map.skipped.len(),
        lines: written().map(|file| u64::from(file.lines)).sum(),
        bytes: written().map(|file| file.bytes).sum(),
        symbols: map.files.iter().map(|file| file.facts.symbols.len()).sum(),
        calls: map.files.iter().map(|file| file.facts.calls.len()).sum(),
        ..Totals::default()
    };
    for target in map.targets.iter().flatten() {
        match target {
            CallTarget::Symbols(resolved) if resolved.iter().all(|resolved| resolved.how == How::Guess) => {
                totals.calls_guessed += 1;
            }
            CallTarget::Symbols(_) => totals.calls_resolved += 1,
            CallTarget::External(_) => totals.calls_external += 1,
            CallTarget::Unresolved => totals.calls_unresolved += 1,
        }
    }
    totals
}

/// Languages by lines, the most used first.
pub(crate) fn languages(map: &RepoMap) -> Vec<LanguageTotal> {
    let mut by_language = BTreeMap::new();
    for file in written_by_hand(map) {
        let entry: &mut (usize, u64) = by_language.entry(file.language).or_default();
        entry.0 += 1;
        entry.1 += u64::from(file.lines);
    }
    let mut languages: Vec<LanguageTotal> = by_language
        .into_iter()
        .map(|(language, (files, lines))| LanguageTotal { language: language.label().to_owned(), files, lines })
        .collect();
    languages.sort_by(|one, two| two.lines.cmp(&one.lines).then_with(|| one.language.cmp(&two.language)));
    languages
}

pub(crate) fn package_dependencies(packages: &[Package]) -> Vec<PackageDependency> {
    let mut edges: Vec<PackageDependency> = packages
        .iter()
        .flat_map(|package| package.dependencies.iter().map(move |dependency| (package, dependency)))
        .filter(|(package, dependency)| {
            let same_registry = |other: &&Package| {
                (other.manager == PackageManager::Cargo) == (package.manager == PackageManager::Cargo)
            };
            packages
                .iter()
                .filter(same_registry)
                .any(|other| other.name == dependency.name && other.name != package.name)
        })
        .map(|(package, dependency)| PackageDependency { from: package.name.clone(), to: dependency.name.clone() })
        .collect();
    edges.sort();
    edges.dedup();
    edges
}

fn central(map: &RepoMap, ranking: &Ranking) -> Vec<CentralSymbol> {
    let entries = entry_files(map);
    let rows = ranking.symbols.iter().take(CENTRAL).map(|&id| {
        let symbol = map.symbol(id);
        let used = ranking.reach.of(id);
        CentralSymbol {
            file: map.file(id.file).path.clone(),
            line: symbol.name_line,
            name: symbol.qualified.to_string(),
            kind: symbol.kind,
            signature: symbol.signature.to_string(),
            callers: used.calls,
            caller_files: used.files,
            callees: used.callees,
            entry_point: is_entry(map, &entries, id),
        }
    });
    rows.collect()
}

/// Files where a change is likely and costly, the hottest first.
pub(crate) fn hotspots(map: &RepoMap) -> Vec<Hotspot> {
    let fan_in = fan_in(map);
    let mut hotspots: Vec<Hotspot> = map
        .files_with_ids()
        .filter(|(_, file)| file.role == FileRole::Production)
        .map(|(id, file)| {
            let callable = file.facts.symbols.iter().filter(|symbol| symbol.kind.is_callable() && !symbol.test);
            Hotspot {
                path: file.path.clone(),
                churn_90d: file.history.churn_90d,
                complexity: callable.map(|symbol| symbol.complexity).sum(),
                lines: file.lines,
                fan_in: fan_in[id as usize],
                heat: 0.0,
            }
        })
        .collect();
    // Logarithms: one giant must not make everything else look cold.
    let scale = |of: &dyn Fn(&Hotspot) -> u32| {
        let largest = hotspots.iter().map(of).max().unwrap_or(0);
        f64::from(largest).ln_1p().max(f64::MIN_POSITIVE)
    };
    let scales = [scale(&|spot| spot.churn_90d), scale(&|spot| spot.lines), scale(&|spot| spot.fan_in)];
    for spot in &mut hotspots {
        let values = [spot.churn_90d, spot.lines, spot.fan_in];
        let heat: f64 = values.iter().zip(scales).map(|(&value, scale)| f64::from(value).ln_1p() / scale).product();
        // Three digits: further ones would be noise, and different on other machines.
        spot.heat = (heat * 1000.0).round() / 1000.0;
    }
    hotspots.retain(|spot| spot.heat > 0.0);
    hotspots.sort_by(|one, other| other.heat.total_cmp(&one.heat).then_with(|| one.path.cmp(&other.path)));
    hotspots.truncate(HOTSPOTS);
    hotspots
}

/// For each file, the other files that ship and call into it or import it.
pub(crate) fn fan_in(map: &RepoMap) -> Vec<u32> {
    let mut users: Vec<(FileId, FileId)> = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role != FileRole::Test) {
        let calls = (0..source.facts.calls.len() as u32).map(|index| CallId { file, index });
        users.extend(calls.flat_map(|call| map.resolved(call)).map(|found| (found.symbol.file, file)));
        users.extend(map.import_targets[file as usize].iter().filter_map(|target| match target {
            ImportTarget::File(target) => Some((*target, file)),
            ImportTarget::External(_) | ImportTarget::Unresolved => None,
        }));
    }
    users.sort_unstable();
    users.dedup();
    let mut fan_in = vec![0; map.files.len()];
    for (used, user) in users {
        fan_in[used as usize] += u32::from(used != user);
    }
    fan_in
}
