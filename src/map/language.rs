//! Languages: one value each, `extract` is one cursor walk from tree to facts.

pub mod rust;
pub mod shared;
pub mod typescript;

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
    pub grammar: fn(extension: &str) -> tree_sitter::Language,
    /// Facts from a syntax tree and the text it was parsed from.
    pub extract: fn(tree: &tree_sitter::Tree, source: &str) -> FileFacts,
}
