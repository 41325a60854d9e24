//! Tree → RepoMap: list, classify, parse in parallel, link, and gather project facts.
//!
//! Source text is dropped as soon as a file's facts are out: memory grows with facts, not with source.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use rayon::prelude::*;

use crate::progress::Progress;
use crate::repo_map::facts::{CallIndex, FileFacts, SymbolIndex};
use crate::repo_map::history::History;
use crate::repo_map::{
    CallId, CallTarget, FileHistory, FileId, How, RepoMap, SkipReason, SkippedFile, SourceFile, SymbolId,
};
use crate::tree::{EntryKind, Tree, TreeEntry, TreeError};

pub mod classify;
mod credentials;
pub mod language;
pub mod rank;
pub mod recon;
pub mod resolve;
pub mod syntax;

use language::Language;
use syntax::SyntaxParser;

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
    /// Parsing one file is given up after this long, and the file marked as partly read.
    pub parse_timeout: Duration,
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
        let read: Vec<Option<Read>> = entries
            .par_iter()
            .map_init(
                || SyntaxParser::new(progress, self.options.parse_timeout),
                |parser, entry| {
                    if progress.cancelled() {
                        return None;
                    }
                    let read = self.read_entry(entry, parser);
                    progress.tick(1);
                    Some(read)
                },
            )
            .collect();
        self.stop_if_cancelled()?;

        let mut map = RepoMap { commit, ..RepoMap::default() };
        for (entry, read) in entries.iter().zip(read) {
            match read {
                Some(Read::Source(mut file)) => {
                    file.history = history.of(&file.path).cloned().unwrap_or_default();
                    map.files.push(*file);
                }
                Some(Read::Skipped(reason)) => map.skipped.push(SkippedFile { path: entry.path.clone(), reason }),
                Some(Read::Other) => map.other_files.push(entry.path.clone()),
                Some(Read::Unwanted) | None => {}
            }
        }

        progress.phase("project facts", None);
        let config = read_config(&entries, tree);
        map.recon = recon::read(&entries, tree, &config);
        self.stop_if_cancelled()?;

        progress.phase("link", None);
        let links = resolve::link(&resolve::LinkInput { files: &map.files, config: &config });
        map.targets = links.targets;
        map.import_targets = links.import_targets;
        map.callers = callers(&map.targets);
        map.calls_in = calls_in(&map.files);
        map.co_change = history.co_change(&map.files);
        self.stop_if_cancelled()?;
        Ok(map)
    }

    fn stop_if_cancelled(&self) -> Result<(), MapError> {
        if self.progress.cancelled() { Err(MapError::Cancelled) } else { Ok(()) }
    }

    fn read_entry(&self, entry: &TreeEntry, parser: &mut SyntaxParser<'_>) -> Read {
        let path = entry.path.as_str();
        match entry.kind {
            EntryKind::Symlink => return Read::Skipped(SkipReason::Symlink),
            EntryKind::NotUtf8Name => return Read::Skipped(SkipReason::NotUtf8),
            EntryKind::File => {}
        }
        if let Some(reason) = classify::skip_by_path(path) {
            return Read::Skipped(reason);
        }
        let extension = classify::extension(path);
        let language = self.languages.get(extension).copied();
        if language.is_some() && !self.wanted.matches(path) {
            return Read::Unwanted;
        }
        if entry.bytes > self.options.max_file_bytes {
            return Read::Skipped(SkipReason::TooLarge);
        }
        // A known text format need not be opened to be listed.
        if language.is_none() && classify::is_known_text(path) {
            return Read::Other;
        }
        let Ok(bytes) = self.tree.read(path) else { return Read::Skipped(SkipReason::Unreadable) };
        if classify::is_binary(&bytes) {
            return Read::Skipped(SkipReason::Binary);
        }
        let Some(language) = language else { return Read::Other };
        let Ok(text) = String::from_utf8(bytes) else { return Read::Skipped(SkipReason::NotUtf8) };
        if let Some(reason) = classify::skip_by_text(&text) {
            return Read::Skipped(reason);
        }
        Read::Source(Box::new(SourceFile {
            path: path.to_owned(),
            language: language.name,
            role: classify::role(path),
            lines: text.lines().count() as u32,
            bytes: text.len() as u64,
            history: FileHistory::default(),
            facts: self.parse(&text, extension, language, parser),
        }))
    }

    /// Facts of one file; none but the mark `partly_read` when parsing took too long or was interrupted.
    fn parse(&self, text: &str, extension: &str, language: &Language, parser: &mut SyntaxParser<'_>) -> FileFacts {
        match language.read(extension, text, parser) {
            Some(mut facts) => {
                facts.secrets = credentials::literals(text, &facts);
                facts
            }
            None => FileFacts { partly_read: true, ..FileFacts::default() },
        }
    }
}

/// What became of an entry.
enum Read {
    Source(Box<SourceFile>),
    Skipped(SkipReason),
    Other,
    /// Source that the options leave out.
    Unwanted,
}

fn by_extension(languages: &[&'static Language]) -> HashMap<&'static str, &'static Language> {
    languages
        .iter()
        .flat_map(|language| language.extensions.iter().map(move |extension| (*extension, *language)))
        .collect()
}

/// Text of every file that decides how imports resolve or how the project is run, by path.
fn read_config(entries: &[TreeEntry], tree: &dyn Tree) -> BTreeMap<String, String> {
    entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::File && entry.bytes <= recon::MAX_CONFIG_BYTES)
        .filter(|entry| recon::is_config(&entry.path) && classify::skip_by_path(&entry.path).is_none())
        .filter_map(|entry| Some((entry.path.clone(), tree.text(&entry.path)?)))
        .collect()
}

fn callers(targets: &[Vec<CallTarget>]) -> BTreeMap<SymbolId, Vec<CallId>> {
    let mut callers: BTreeMap<SymbolId, Vec<CallId>> = BTreeMap::new();
    for (file, targets) in (0..).zip(targets) {
        for (index, target) in (0..).zip(targets) {
            let CallTarget::Symbols(resolved) = target else { continue };
            for resolved in resolved.iter().filter(|resolved| resolved.how != How::Guess) {
                callers.entry(resolved.symbol).or_default().push(CallId { file, index });
            }
        }
    }
    callers
}

fn calls_in(files: &[SourceFile]) -> BTreeMap<(FileId, Option<SymbolIndex>), Vec<CallIndex>> {
    let mut calls_in: BTreeMap<(FileId, Option<SymbolIndex>), Vec<CallIndex>> = BTreeMap::new();
    for (file, source) in (0..).zip(files) {
        for (index, call) in (0..).zip(&source.facts.calls) {
            calls_in.entry((file, call.caller)).or_default().push(index);
        }
    }
    calls_in
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
