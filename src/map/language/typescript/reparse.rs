//! Files the grammar cannot read as a whole: read again, one top-level statement at a time.
//!
//! One construct the grammar does not know can turn the rest of a file into a single error. Cut at the statements that start
//! in the first column, the damage stays within its own statement.

use tree_sitter::{Node, Parser, Range, Tree};

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
pub(super) fn statements(tree: &Tree, source: &str) -> Option<Vec<Tree>> {
    let damage = unread(tree.root_node());
    if damage == 0 {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree.language()).ok()?;
    let mut trees = Vec::new();
    for range in pieces(source) {
        parser.set_included_ranges(&[range]).ok()?;
        trees.push(parser.parse(source, None)?);
    }
    let left: usize = trees.iter().map(|tree| unread(tree.root_node())).sum();
    (trees.len() > 1 && left < damage).then_some(trees)
}

/// Where the statements that start in the first column stand.
fn pieces(source: &str) -> Vec<Range> {
    let mut found = Vec::new();
    let (mut start, mut row_of_start) = (0, 0);
    let mut at = 0;
    for (row, line) in source.split_inclusive('\n').enumerate() {
        let begins = STARTS.iter().any(|word| {
            line.strip_prefix(word).is_some_and(|rest| {
                *word == "@" || !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            })
        });
        if begins && at > start {
            found.push(range(start, row_of_start, at, row, 0));
            (start, row_of_start) = (at, row);
        }
        at += line.len();
    }
    let last_row = source.matches('\n').count();
    let last_column = source.len() - source.rfind('\n').map_or(0, |end| end + 1);
    found.push(range(start, row_of_start, source.len(), last_row, last_column));
    found
}

fn range(start_byte: usize, start_row: usize, end_byte: usize, end_row: usize, end_column: usize) -> Range {
    Range {
        start_byte,
        end_byte,
        start_point: tree_sitter::Point { row: start_row, column: 0 },
        end_point: tree_sitter::Point { row: end_row, column: end_column },
    }
}

/// Bytes in error nodes.
fn unread(root: Node<'_>) -> usize {
    let mut work = vec![root];
    let mut bytes = 0;
    while let Some(node) = work.pop() {
        if node.is_error() || node.is_missing() {
            bytes += (node.end_byte() - node.start_byte()).max(1);
        } else if node.has_error() {
            let mut cursor = node.walk();
            work.extend(node.children(&mut cursor));
        }
    }
    bytes
}
