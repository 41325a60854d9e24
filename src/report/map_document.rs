//! What `improve map --format json` says: project facts, hotspots and totals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_document::{Repository, SCHEMA_VERSION};
use crate::repo_map::recon::{Document, Package, Recon};
use crate::repo_map::{CallTarget, FileRole, How, RepoMap, SkipReason, SourceFile};

/// Hotspots listed.
const HOTSPOTS: usize = 20;

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
    /// Production files that are both complex and often changed, the worst first.
    pub hotspots: Vec<Hotspot>,
    /// Files left out, by reason.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// Files with syntax the parser does not know: facts may be missing.
    pub partly_read: Vec<String>,
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    /// Source files with facts.
    pub source_files: usize,
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

/// A file that is complex and often changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hotspot {
    /// Its path.
    pub path: String,
    /// Commits that touched it in 90 days.
    pub churn_90d: u32,
    /// Cyclomatic complexity, summed over its functions.
    pub complexity: u32,
    /// Lines.
    pub lines: u32,
}

impl MapDocument {
    /// The document of `map`.
    pub fn new(map: &RepoMap, repository: Repository) -> MapDocument {
        let Recon { packages, frameworks, documents, ci_files, deployment, workflows: _, task_files: _ } =
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
            packages,
            entry_points,
            frameworks,
            documents,
            ci_files,
            deployment,
            hotspots: hotspots(map),
            skipped,
            partly_read: map.files.iter().filter(|file| file.facts.partly_read).map(|file| file.path.clone()).collect(),
        }
    }
}

fn totals(map: &RepoMap) -> Totals {
    let mut totals = Totals {
        source_files: map.files.len(),
        other_files: map.other_files.len(),
        skipped_files: map.skipped.len(),
        lines: map.files.iter().map(|file| u64::from(file.lines)).sum(),
        bytes: map.files.iter().map(|file| file.bytes).sum(),
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

fn languages(map: &RepoMap) -> Vec<LanguageTotal> {
    let mut by_language = BTreeMap::new();
    for file in &map.files {
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

fn hotspots(map: &RepoMap) -> Vec<Hotspot> {
    let mut hotspots: Vec<Hotspot> = map
        .files
        .iter()
        .filter(|file| file.role == FileRole::Production && file.history.churn_90d > 0)
        .map(hotspot)
        .filter(|hotspot| hotspot.complexity > 0)
        .collect();
    let heat = |hotspot: &Hotspot| u64::from(hotspot.churn_90d) * u64::from(hotspot.complexity);
    hotspots.sort_by(|one, two| heat(two).cmp(&heat(one)).then_with(|| one.path.cmp(&two.path)));
    hotspots.truncate(HOTSPOTS);
    hotspots
}

fn hotspot(file: &SourceFile) -> Hotspot {
    let callable = file.facts.symbols.iter().filter(|symbol| symbol.kind.is_callable() && !symbol.test);
    Hotspot {
        path: file.path.clone(),
        churn_90d: file.history.churn_90d,
        complexity: callable.map(|symbol| symbol.complexity).sum(),
        lines: file.lines,
    }
}
