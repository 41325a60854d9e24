//! Languages: one value each, `extract` is one walk from tree to facts.

pub mod rust;
pub mod shared;
pub mod typescript;

use super::syntax::grammar::Grammar;
use super::syntax::{SyntaxParser, SyntaxTree};
use crate::repo_map::facts::{FileFacts, LanguageName};

/// Every language, in no particular order: extensions do not overlap.
pub static LANGUAGES: &[&Language] = &[&rust::RUST, &typescript::JAVASCRIPT, &typescript::TYPESCRIPT];

/// A language the mapper reads.
pub struct Language {
    /// Its name.
    pub name: LanguageName,
    /// File extensions, without the dot.
    pub extensions: &'static [&'static str],
    /// The grammar for a file with this extension.
    pub grammar: fn(extension: &str) -> &'static Grammar,
    /// Facts from a syntax tree and the text it was parsed from; the parser is for what the grammar leaves unread.
    pub extract: fn(tree: &SyntaxTree, source: &str, parser: &mut SyntaxParser<'_>) -> FileFacts,
}

impl Language {
    /// Facts of `source`; `None` when parsing took too long or was interrupted.
    pub fn read(&self, extension: &str, source: &str, parser: &mut SyntaxParser<'_>) -> Option<FileFacts> {
        parser.begin_file();
        let tree = parser.parse((self.grammar)(extension), source)?;
        let mut facts = (self.extract)(&tree, source, parser);
        parser.reuse(tree);
        facts.shrink_to_fit();
        Some(facts)
    }
}
