//! TypeScript and JavaScript: one walk from syntax tree to facts.
//!
//! The walk keeps its own stack, so that no input, however deeply nested, can exhaust the thread's. Its parts: [`walk`]
//! visits nodes, [`expr`] cuts expressions down, [`definitions`], [`members`] and [`calls`] record what they are named for,
//! [`control`] loops and handlers, [`modules`] imports and exports, [`finish`] puts everything in order. [`reparse`]
//! saves what it can of files the grammar cannot read.

mod calls;
mod control;
mod definitions;
mod expr;
mod finish;
mod members;
mod modules;
mod patterns;
mod prefix;
mod reparse;
mod walk;

use super::{Language, shared};
use crate::repo_map::facts::{FileFacts, LanguageName};
use shared::Leaf;

/// TypeScript, with JSX in `.tsx`.
pub static TYPESCRIPT: Language =
    Language { name: LanguageName::TypeScript, extensions: &["ts", "tsx", "mts", "cts"], grammar, extract };

/// JavaScript, with JSX everywhere.
pub static JAVASCRIPT: Language =
    Language { name: LanguageName::JavaScript, extensions: &["js", "jsx", "mjs", "cjs"], grammar, extract };

/// Angle brackets are casts in `.ts` and elements everywhere else.
fn grammar(extension: &str) -> tree_sitter::Language {
    match extension {
        "ts" | "mts" | "cts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        _ => tree_sitter_typescript::LANGUAGE_TSX.into(),
    }
}

fn extract(tree: &tree_sitter::Tree, source: &str) -> FileFacts {
    let pieces = if tree.root_node().has_error() { reparse::statements(tree, source) } else { None };
    let mut walker = walk::Walker::new(tree, source);
    match &pieces {
        Some(pieces) => pieces.iter().for_each(|piece| walker.run(piece.root_node())),
        None => walker.run(tree.root_node()),
    }
    let code_lines = shared::code_lines(tree, source, &|node| match node.kind() {
        "comment" | "html_comment" | "hash_bang_line" => Leaf::Skip,
        "import_statement" => Leaf::SkipLine,
        "identifier"
        | "property_identifier"
        | "private_property_identifier"
        | "type_identifier"
        | "shorthand_property_identifier"
        | "shorthand_property_identifier_pattern" => Leaf::Name,
        "string" | "string_fragment" | "escape_sequence" | "number" | "regex" | "jsx_text" => Leaf::Literal,
        _ => Leaf::Syntax,
    });
    let mut facts = walker.finish(code_lines);
    facts.partly_read = tree.root_node().has_error();
    facts
}

#[cfg(test)]
mod tests;
