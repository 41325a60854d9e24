//! Files the grammar cannot read as a whole: read again, one top-level statement at a time.
//!
//! One construct the grammar does not know can turn the rest of a file into a single error. Cut at the statements that start
//! in the first column, the damage stays within its own statement.

use crate::map::syntax::{Node, Stretch, SyntaxParser, SyntaxTree};

/// Words a top-level statement starts with.
const STARTS: &[&str] = &[
    "export",
    "import",
    "const",
    "let",
    "var",
    "function",
    "async",
    "class",
    "abstract",
    "interface",
    "type",
    "enum",
    "declare",
    "namespace",
    "module",
    "describe",
    "it",
    "test",
    "@",
];

/// Trees of the statements of `source`, when they hold less that could not be read than `tree` does.
pub(super) fn statements(tree: &SyntaxTree, source: &str, parser: &mut SyntaxParser<'_>) -> Option<Vec<SyntaxTree>> {
    let damage = unread(tree.root_node());
    if damage == 0 {
        return None;
    }
    let mut trees = Vec::new();
    for stretch in pieces(source) {
        trees.push(parser.parse_stretch(tree, source, stretch)?);
    }
    let left: usize = trees.iter().map(|tree| unread(tree.root_node())).sum();
    (trees.len() > 1 && left < damage).then_some(trees)
}

/// Where the statements that start in the first column stand.
fn pieces(source: &str) -> Vec<Stretch> {
    let mut found = Vec::new();
    let (mut start, mut row_of_start, mut at) = (0, 0, 0);
    for (row, line) in source.split_inclusive('\n').enumerate() {
        let begins = STARTS.iter().any(|word| {
            line.strip_prefix(word).is_some_and(|rest| {
                *word == "@" || !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            })
        });
        if begins && at > start {
            found.push(Stretch { start, row: row_of_start, end: at });
            (start, row_of_start) = (at, row);
        }
        at += line.len();
    }
    found.push(Stretch { start, row: row_of_start, end: source.len() });
    found
}

/// Bytes in error nodes.
fn unread(root: Node<'_>) -> usize {
    let mut work = vec![root];
    let mut bytes = 0;
    while let Some(node) = work.pop() {
        if node.is_error() || node.is_missing() {
            bytes += (node.end_byte() - node.start_byte()).max(1);
        } else if node.has_error() {
            work.extend(node.children());
        }
    }
    bytes
}
