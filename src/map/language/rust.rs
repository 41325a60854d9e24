//! Rust: facts from the tree that tree-sitter-rust gives.
//!
//! One recursive walk (`walker`) finds definitions, calls and shapes; one pass over the leaves (`lines`) finds comments,
//! references and lines of code. Macro calls that take expressions are parsed as calls of functions (`respell`), the arguments of
//! others again as what they most likely are (`macros`).

mod calls;
mod catches;
mod control;
mod expressions;
mod format;
mod generated;
mod items;
mod lines;
mod macros;
mod patterns;
mod respell;
mod types;
mod uses;
mod walker;

use std::collections::BTreeMap;

use std::sync::LazyLock;

use super::Language;
use crate::map::syntax::grammar::Grammar;
use crate::map::syntax::{SyntaxParser, SyntaxTree};
use crate::repo_map::facts::{FileFacts, LanguageName, SymbolIndex};
use walker::Walker;

/// The language.
pub static RUST: Language = Language { name: LanguageName::Rust, extensions: &["rs"], grammar: |_| &GRAMMAR, extract };

static GRAMMAR: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::new(tree_sitter_rust::LANGUAGE.into(), WITHOUT_FIELDS, WHOLE).respelt(respell::as_calls));

/// Kinds read as one text.
const WHOLE: &[&str] = &["string_literal", "raw_string_literal", "line_comment", "block_comment"];

/// Common kinds no child of which stands in a field.
const WITHOUT_FIELDS: &[&str] = &[
    "arguments",
    "attribute_item",
    "block",
    "declaration_list",
    "enum_variant_list",
    "expression_statement",
    "field_declaration_list",
    "field_initializer_list",
    "match_block",
    "parameters",
    "parenthesized_expression",
    "return_expression",
    "self_parameter",
    "source_file",
    "token_tree",
    "try_expression",
    "tuple_expression",
    "tuple_pattern",
    "type_arguments",
    "type_parameters",
    "unary_expression",
    "use_list",
    "visibility_modifier",
];

fn extract(tree: &SyntaxTree, source: &str, parser: &mut SyntaxParser<'_>) -> FileFacts {
    let mut walker = Walker::new(source, parser);
    walker.facts.partly_read = tree.root_node().has_error();
    walker.items(tree.root_node());
    place_members(&mut walker.facts);
    walker.finish(tree)
}

/// Gives members of `impl` blocks the type they belong to as container, where it is defined in the same module of this file, and
/// takes back the visibility of members of private traits.
fn place_members(facts: &mut FileFacts) {
    let types: BTreeMap<(Option<SymbolIndex>, &str), SymbolIndex> = facts
        .symbols
        .iter()
        .zip(0..)
        .filter(|(symbol, _)| symbol.kind.is_type() && symbol.member_of.is_none())
        .map(|(symbol, index)| ((symbol.container, symbol.name.as_str()), index))
        .collect();
    let found: Vec<(usize, Option<SymbolIndex>, bool)> = facts
        .symbols
        .iter()
        .enumerate()
        .filter_map(|(place, symbol)| {
            let of = symbol.member_of.as_deref()?;
            let of_trait = symbol.of_trait.as_deref().and_then(|name| types.get(&(symbol.container, name)));
            let exported = of_trait.map_or(symbol.exported, |index| facts.symbols[*index as usize].exported);
            Some((place, types.get(&(symbol.container, of)).copied(), exported))
        })
        .collect();
    for (place, container, exported) in found {
        let symbol = &mut facts.symbols[place];
        symbol.exported = exported;
        // Members of a trait already stand in it; those of an `impl` stand in whatever encloses the block.
        symbol.container = container.or(symbol.container);
    }
}

#[cfg(test)]
mod tests;
