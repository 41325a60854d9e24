//! From an entry of the tree to the facts of a file, or the reason why there are none.

use std::collections::HashMap;

use rayon::prelude::*;

use super::facts_cache::{FactsCache, Outcome, Remembered, content_hash};
use super::language::Language;
use super::syntax::SyntaxParser;
use super::{MapOptions, Wanted, classify, credentials};
use crate::progress::Progress;
use crate::repo_map::{FileHistory, FileRole, SkipReason, SourceFile};
use crate::tree::{EntryKind, Tree, TreeEntry};

/// What became of an entry.
pub(super) enum Read {
    Source(Box<SourceFile>),
    Skipped(SkipReason),
    Other,
    /// Source that the options leave out.
    Unwanted,
}

/// Bytes of a generated file above which it is left out: by then it is data in the shape of code, and not worth its cost. Our choice.
const MAX_GENERATED: usize = 256 << 10;

/// Parsing took too long or was interrupted.
struct CutOff;

/// What reading needs to know.
pub(super) struct Reader<'a> {
    pub tree: &'a dyn Tree,
    pub options: &'a MapOptions,
    pub wanted: &'a Wanted,
    pub languages: &'a HashMap<&'static str, &'static Language>,
    pub cache: &'a FactsCache,
    pub progress: &'a dyn Progress,
}

impl Reader<'_> {
    /// Every entry, in order, each with what the cache is to keep of it.
    pub fn read_all(&self, entries: &[TreeEntry]) -> Vec<(Read, Option<Remembered>)> {
        entries
            .par_iter()
            .map_init(
                || SyntaxParser::new(self.progress, self.options.parse_timeout),
                |parser, entry| {
                    if self.progress.cancelled() {
                        return (Read::Unwanted, None);
                    }
                    let read = self.read(entry, parser);
                    self.progress.tick(1);
                    read
                },
            )
            .collect()
    }

    fn read(&self, entry: &TreeEntry, parser: &mut SyntaxParser<'_>) -> (Read, Option<Remembered>) {
        let path = entry.path.as_str();
        match entry.kind {
            EntryKind::Symlink => return (Read::Skipped(SkipReason::Symlink), None),
            EntryKind::NotUtf8Name => return (Read::Skipped(SkipReason::NotUtf8), None),
            EntryKind::File => {}
        }
        if let Some(reason) = classify::skip_by_path(path) {
            return (Read::Skipped(reason), None);
        }
        let language = self.languages.get(classify::extension(path)).copied();
        if language.is_some() && !self.wanted.matches(path) {
            return (Read::Unwanted, self.cache.keep(entry));
        }
        if entry.bytes > self.options.max_file_bytes {
            return (Read::Skipped(SkipReason::TooLarge), None);
        }
        // A known text format need not be opened to be listed.
        if language.is_none() && classify::is_known_text(path) {
            return (Read::Other, None);
        }
        if let Some((outcome, remembered)) = self.cache.of_entry(entry) {
            return (done(entry, language, outcome), Some(remembered));
        }
        let Ok(bytes) = self.tree.read(path) else { return (Read::Skipped(SkipReason::Unreadable), None) };
        let content = if self.cache.is_on() { content_hash(&bytes) } else { 0 };
        if let Some((outcome, remembered)) = self.cache.of_content(entry, content) {
            return (done(entry, language, outcome), Some(remembered));
        }
        let outcome = self.open(bytes, path, language, parser);
        // What was given up is not kept: another run may have more time.
        let Ok(outcome) = outcome else { return (Read::Skipped(SkipReason::TooSlow), None) };
        let remembered = self.cache.is_on().then(|| self.cache.remember(entry, content, &outcome)).flatten();
        (done(entry, language, outcome), remembered)
    }

    /// What stands in a file that had to be opened.
    fn open(
        &self,
        bytes: Vec<u8>,
        path: &str,
        language: Option<&'static Language>,
        parser: &mut SyntaxParser<'_>,
    ) -> Result<Outcome, CutOff> {
        if classify::is_binary(&bytes) {
            return Ok(Outcome::Skipped(SkipReason::Binary));
        }
        let Some(language) = language else { return Ok(Outcome::Other) };
        let Ok(text) = String::from_utf8(bytes) else { return Ok(Outcome::Skipped(SkipReason::NotUtf8)) };
        let generated = classify::is_generated(path, &text);
        if generated && text.len() > MAX_GENERATED {
            return Ok(Outcome::Skipped(SkipReason::Generated));
        }
        if classify::is_minified(&text) {
            return Ok(Outcome::Skipped(SkipReason::Minified));
        }
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let lines = ends as u32 + u32::from(!text.is_empty() && !text.ends_with('\n'));
        let mut facts = language.read(classify::extension(path), &text, parser).ok_or(CutOff)?;
        facts.generated = generated;
        facts.secrets = credentials::literals(&text, &facts);
        Ok(Outcome::Source { lines, facts: Box::new(facts) })
    }
}

fn done(entry: &TreeEntry, language: Option<&'static Language>, outcome: Outcome) -> Read {
    match (outcome, language) {
        (Outcome::Skipped(reason), _) => Read::Skipped(reason),
        (Outcome::Source { lines, facts }, Some(language)) => Read::Source(Box::new(SourceFile {
            path: entry.path.clone(),
            language: language.name,
            role: if facts.generated { FileRole::Generated } else { classify::role(&entry.path) },
            lines,
            bytes: entry.bytes,
            history: FileHistory::default(),
            facts: *facts,
        })),
        (Outcome::Other | Outcome::Source { .. }, _) => Read::Other,
    }
}
