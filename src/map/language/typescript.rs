//! TypeScript and JavaScript: one walk from syntax tree to facts.
//!
//! The walk keeps its own stack, so that no input, however deeply nested, can exhaust the thread's. Its parts: [`walk`]
//! visits nodes, [`expr`] cuts expressions down, [`definitions`], [`members`] and [`calls`] record what they are named for,
//! [`control`] loops and handlers, [`modules`] imports and exports, [`finish`] puts everything in order. What files begin with
//! is read without the parser ([`head`]); [`reparse`] saves what it can of files the grammar cannot read.

mod calls;
mod control;
mod definitions;
mod expr;
mod finish;
mod head;
mod locals;
mod members;
mod modules;
mod patterns;
mod prefix;
mod reparse;
mod walk;

use std::sync::LazyLock;

use super::{Language, shared};
use crate::map::syntax::grammar::Grammar;
use crate::map::syntax::{SyntaxParser, SyntaxTree};
use crate::repo_map::facts::{FileFacts, LanguageName};
use head::HeadKinds;
use walk::Kinds;

/// TypeScript, with JSX in `.tsx`.
pub static TYPESCRIPT: Language =
    Language { name: LanguageName::TypeScript, extensions: &["ts", "tsx", "mts", "cts"], grammar, extract };

/// JavaScript, with JSX everywhere.
pub static JAVASCRIPT: Language =
    Language { name: LanguageName::JavaScript, extensions: &["js", "jsx", "mjs", "cjs"], grammar, extract };

/// A grammar and what its kinds mean to the walk.
struct Dialect {
    grammar: Grammar,
    kinds: Kinds,
}

impl Dialect {
    fn new(language: tree_sitter::Language) -> Self {
        let grammar = Grammar::new(language, WITHOUT_FIELDS, WHOLE);
        let head = HeadKinds::new(&grammar);
        let grammar = grammar.with_head(move |text, found| head.read(text, found)).compacted(TEXTS);
        Self { kinds: Kinds::new(&grammar), grammar }
    }
}

/// Kinds read as one text, in both dialects.
const WHOLE: &[&str] = &["string"];

/// Kinds that hold text between their parts, in either dialect.
const TEXTS: &[&str] = &["jsx_element", "template_literal_type", "template_string"];

/// Common kinds no child of which stands in a field, in both dialects.
const WITHOUT_FIELDS: &[&str] = &[
    "arguments",
    "array",
    "as_expression",
    "await_expression",
    "expression_statement",
    "formal_parameters",
    "import_clause",
    "interface_body",
    "named_imports",
    "object",
    "object_pattern",
    "object_type",
    "program",
    "return_statement",
    "statement_block",
    "template_string",
    "type_annotation",
    "type_arguments",
    "union_type",
    "variable_declaration",
];

static PLAIN: LazyLock<Dialect> = LazyLock::new(|| Dialect::new(tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()));
static WITH_JSX: LazyLock<Dialect> = LazyLock::new(|| Dialect::new(tree_sitter_typescript::LANGUAGE_TSX.into()));

/// Angle brackets are casts in `.ts` and elements everywhere else.
fn grammar(extension: &str) -> &'static Grammar {
    match extension {
        "ts" | "mts" | "cts" => &PLAIN.grammar,
        _ => &WITH_JSX.grammar,
    }
}

fn extract(tree: &SyntaxTree, source: &str, parser: &mut SyntaxParser<'_>) -> FileFacts {
    let kinds = if std::ptr::eq(tree.grammar(), &PLAIN.grammar) { &PLAIN.kinds } else { &WITH_JSX.kinds };
    let pieces = if tree.root_node().has_error() { reparse::statements(tree, source, parser) } else { None };
    let mut walker = walk::Walker::new(source, kinds);
    match &pieces {
        Some(pieces) => pieces.iter().for_each(|piece| walker.run(piece.root_node())),
        None => walker.run(tree.root_node()),
    }
    let code_lines = shared::code_lines(tree, source, &mut |node| kinds.lines.of(node));
    let mut facts = walker.finish(code_lines);
    facts.partly_read = tree.root_node().has_error();
    facts
}

#[cfg(test)]
mod tests;
