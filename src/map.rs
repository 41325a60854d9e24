//! Tree → RepoMap: list, classify, parse in parallel, link, and gather project facts.
//!
//! Source text is dropped as soon as a file's facts are out: memory grows with facts, not with source.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::progress::{Listed, Progress};
use crate::repo_map::facts::{CallIndex, LanguageName, SymbolIndex};
use crate::repo_map::grouped::Grouped;
use crate::repo_map::history::History;
use crate::repo_map::{CallId, CallTarget, FileId, How, RepoMap, SkippedFile, SourceFile, SymbolId};
use crate::tree::{Tree, TreeEntry, TreeError};

mod attributes;
pub mod classify;
mod config;
mod credentials;
mod facts_cache;
pub mod language;
mod links_cache;
mod members;
mod notes;
pub mod rank;
mod read;
pub mod recon;
pub mod resolve;
pub mod syntax;
mod test_modules;

use attributes::Attributes;
pub use facts_cache::CachePlace;
use facts_cache::FactsCache;
use language::Language;
use links_cache::{Known, LinksCache};
use read::{Read, Reader};
use resolve::Links;

/// What to map, and how hard to try.
#[derive(Debug, Clone)]
pub struct MapOptions {
    /// Files over this size are skipped.
    pub max_file_bytes: u64,
    /// Threads; `None` for one a core.
    pub jobs: Option<usize>,
    /// Source files to read: globs, files or folders. Empty means all. Manifests and documents are always read.
    pub include: Vec<String>,
    /// Source files to leave out: globs, files or folders.
    pub exclude: Vec<String>,
    /// Parsing one file is given up after this long, and the file left out.
    pub parse_timeout: Duration,
    /// Where the facts of unchanged files are kept from run to run; `None` reads every file.
    pub cache: Option<CachePlace>,
}

impl Default for MapOptions {
    /// 1 MiB, because what is larger was not written by hand; 20 seconds, because a megabyte of code takes less than one.
    fn default() -> Self {
        Self {
            max_file_bytes: 1 << 20,
            jobs: None,
            include: Vec::new(),
            exclude: Vec::new(),
            parse_timeout: Duration::from_secs(20),
            cache: None,
        }
    }
}

/// A map that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The files could not be listed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A pattern of `include` or `exclude` is no glob.
    #[error("{pattern}: {source}")]
    Glob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// The threads could not be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl MapError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            MapError::Tree(error) => error.hint(),
            MapError::Glob { .. } => Some("`*` matches within a folder, `**` across folders, `{a,b}` either"),
            MapError::Threads(_) => Some("use fewer with `--jobs`"),
            MapError::Cancelled => None,
        }
    }
}

/// The map of `tree`. `history` is what git knows of its files and `commit` where they were read, if anywhere.
pub fn build(
    tree: &dyn Tree,
    options: &MapOptions,
    history: &History,
    commit: Option<String>,
    progress: &dyn Progress,
) -> Result<RepoMap, MapError> {
    build_with(language::LANGUAGES, tree, options, history, commit, progress)
}

/// Says what `tree` is: [`Progress::listed`]. Whoever has to wait for the history does this meanwhile; [`build`] says it again.
pub fn announce(tree: &dyn Tree, options: &MapOptions, progress: &dyn Progress) -> Result<(), MapError> {
    let languages = by_extension(language::LANGUAGES);
    let mapper = Mapper { tree, options, wanted: Wanted::new(options)?, languages, progress };
    let entries = tree.entries()?;
    let config = config::read(&entries, tree);
    let recon = recon::read(&entries, tree, &config);
    progress.listed(&Listed { languages: mapper.languages_of(&entries), recon: &recon });
    Ok(())
}

fn build_with(
    languages: &[&'static Language],
    tree: &dyn Tree,
    options: &MapOptions,
    history: &History,
    commit: Option<String>,
    progress: &dyn Progress,
) -> Result<RepoMap, MapError> {
    let mapper = Mapper { tree, options, wanted: Wanted::new(options)?, languages: by_extension(languages), progress };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs.unwrap_or(0))
        // Extractors recurse into the syntax; deeply nested code must not end the program.
        .stack_size(64 << 20)
        .build()?;
    pool.install(|| mapper.build(history, commit))
}

/// What every step of the mapping reads.
struct Mapper<'a> {
    tree: &'a dyn Tree,
    options: &'a MapOptions,
    wanted: Wanted,
    languages: HashMap<&'static str, &'static Language>,
    progress: &'a dyn Progress,
}

impl Mapper<'_> {
    fn build(&self, history: &History, commit: Option<String>) -> Result<RepoMap, MapError> {
        let Self { tree, progress, .. } = *self;
        progress.phase("list", None);
        let entries = tree.entries()?;
        self.stop_if_cancelled()?;

        progress.phase("parse", Some(entries.len() as u64));
        let cache = FactsCache::load(self.options.cache.clone());
        let reader = Reader {
            tree,
            options: self.options,
            wanted: &self.wanted,
            languages: &self.languages,
            cache: &cache,
            progress,
        };
        let (read, (config, recon)) = rayon::join(
            || reader.read_all(&entries),
            || {
                let config = config::read(&entries, tree);
                let recon = recon::read(&entries, tree, &config);
                progress.listed(&Listed { languages: self.languages_of(&entries), recon: &recon });
                (config, recon)
            },
        );
        self.stop_if_cancelled()?;

        let notes = notes::notes(&config, &recon);
        let mut map = RepoMap { commit, recon, notes, ..RepoMap::default() };
        let copied = classify::copied_folders(entries.iter().map(|entry| entry.path.as_str()));
        map.recon.packages.retain(|package| !classify::is_below(&package.manifest, &copied));
        map.recon.documents.retain(|document| !classify::is_below(&document.path, &copied));
        let attributes = Attributes::read(&entries, tree);
        let mut remembered = Vec::with_capacity(entries.len());
        for (entry, (read, kept)) in entries.iter().zip(read) {
            remembered.extend(kept);
            match read {
                Read::Source(mut file) => {
                    file.history = history.of(&file.path).cloned().unwrap_or_default();
                    if classify::is_below(&file.path, &copied) || attributes.is_foreign(&file.path) {
                        file.role = crate::repo_map::FileRole::Generated;
                    }
                    map.files.push(*file);
                }
                Read::Skipped(reason) => map.skipped.push(SkippedFile { path: entry.path.clone(), reason }),
                Read::Other => map.other_files.push(entry.path.clone()),
                Read::Unwanted => {}
            }
        }

        test_modules::mark(&mut map.files);

        progress.phase("link", None);
        let input = resolve::LinkInput { files: &map.files, config: &config };
        let links_cache = LinksCache::new(self.options.cache.as_ref(), &input, &remembered);
        // A cache that cannot be written costs time at the next run and nothing else.
        let (links, _) = rayon::join(|| link(&input, links_cache), || cache.save(remembered));
        map.targets = links.targets;
        map.import_targets = links.import_targets;
        map.reexport_targets = links.reexport_targets;
        map.handed = links.handed;
        map.callers = callers(&map.targets);
        map.calls_in = calls_in(&map.files);
        map.co_change = history.co_change(&map.files);
        self.stop_if_cancelled()?;
        Ok(map)
    }

    /// Languages by how many files have their extensions, the most first.
    fn languages_of(&self, entries: &[TreeEntry]) -> Vec<(LanguageName, usize)> {
        let mut counts: BTreeMap<LanguageName, usize> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| self.wanted.matches(&entry.path)) {
            let extension = entry.path.rsplit_once('.').map_or("", |(_, extension)| extension);
            if let Some(language) = self.languages.get(extension) {
                *counts.entry(language.name).or_default() += 1;
            }
        }
        let mut languages: Vec<(LanguageName, usize)> = counts.into_iter().collect();
        languages.sort_by_key(|(name, files)| (std::cmp::Reverse(*files), *name));
        languages
    }

    fn stop_if_cancelled(&self) -> Result<(), MapError> {
        if self.progress.cancelled() { Err(MapError::Cancelled) } else { Ok(()) }
    }
}

fn by_extension(languages: &[&'static Language]) -> HashMap<&'static str, &'static Language> {
    languages
        .iter()
        .flat_map(|language| language.extensions.iter().map(move |extension| (*extension, *language)))
        .collect()
}

/// The edges, kept or made.
fn link(input: &resolve::LinkInput<'_>, cache: Option<LinksCache>) -> Links {
    let links = match cache.as_ref().and_then(|cache| cache.load(input)) {
        Some(Known::All(links)) => return links,
        Some(Known::Before(links, changed)) => resolve::link_again(input, links, &changed),
        None => resolve::link(input),
    };
    if let Some(cache) = cache {
        // As above: nothing is lost.
        let _ = cache.save(&links);
    }
    links
}

pub(crate) fn callers(targets: &[Vec<CallTarget>]) -> Grouped<SymbolId, CallId> {
    let calls = (0..)
        .zip(targets)
        .flat_map(|(file, targets)| (0..).zip(targets).map(move |(index, target)| (CallId { file, index }, target)));
    let resolved = calls.filter_map(|(call, target)| match target {
        CallTarget::Symbols(resolved) => Some((call, resolved)),
        CallTarget::External(_) | CallTarget::Unresolved => None,
    });
    let edges = resolved.flat_map(|(call, resolved)| resolved.iter().map(move |resolved| (call, resolved)));
    edges.filter(|(_, resolved)| resolved.how != How::Guess).map(|(call, resolved)| (resolved.symbol, call)).collect()
}

fn calls_in(files: &[SourceFile]) -> Grouped<(FileId, Option<SymbolIndex>), CallIndex> {
    let calls = |(file, source): (FileId, &SourceFile)| {
        let callers: Vec<Option<SymbolIndex>> = source.facts.calls.iter().map(|call| call.caller).collect();
        (0..).zip(callers).map(move |(index, caller)| ((file, caller), index))
    };
    (0..).zip(files).flat_map(calls).collect()
}

/// Which source files the options ask for.
struct Wanted {
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Wanted {
    fn new(options: &MapOptions) -> Result<Self, MapError> {
        let include = if options.include.is_empty() { None } else { Some(glob_set(&options.include)?) };
        Ok(Self { include, exclude: glob_set(&options.exclude)? })
    }

    fn matches(&self, path: &str) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(path)) && !self.exclude.is_match(path)
    }
}

/// Each pattern as it stands and as a folder with everything below.
fn glob_set(patterns: &[String]) -> Result<GlobSet, MapError> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let plain = pattern.trim_start_matches("./").trim_end_matches('/');
        let everything = plain.is_empty() || plain == ".";
        let forms = if everything { vec!["**".to_owned()] } else { vec![plain.to_owned(), format!("{plain}/**")] };
        for form in forms {
            let glob = globset::GlobBuilder::new(&form).literal_separator(true).build();
            let glob: Glob = glob.map_err(|source| MapError::Glob { pattern: pattern.clone(), source })?;
            builder.add(glob);
        }
    }
    builder.build().map_err(|source| MapError::Glob { pattern: patterns.join(" "), source })
}

#[cfg(test)]
mod tests;
