//! Lists of statements: what may be taken out of a file as a whole, by the lines it stands on.

use tree_sitter::Node;

use super::syntax;

/// The statements of one block, the members of a class or neighbouring functions of an object, as first and last line (1-based), in order. What
/// shares a line with its neighbours or with a bracket of the block is left out: no range of lines holds it alone.
pub type List = Vec<(u32, u32)>;

/// Blocks whose parts can stand elsewhere. Cases of a `switch` and arms of a `match` cannot; their statements can.
const BLOCKS: [&str; 8] = [
    "program",
    "statement_block",
    "class_body",
    "switch_case",
    "switch_default",
    "source_file",
    "block",
    "declaration_list",
];
/// Functions as entries of an object. Other entries are values that are spelt out.
const FUNCTIONS: [&str; 4] = ["method_definition", "arrow_function", "function_expression", "generator_function"];

/// Every list of the file at `path`; `None` for a language without a grammar and for files that are too long.
pub fn lists(path: &str, text: &str) -> Option<Vec<List>> {
    let tree = syntax::tree(path, text)?;
    let mut found = Vec::new();
    // One walks, the other looks at what is below.
    let (mut cursor, mut below) = (tree.walk(), tree.walk());
    'nodes: loop {
        let node = cursor.node();
        if node.is_named() && node.child_count() > 0 {
            let kind = node.kind();
            if BLOCKS.contains(&kind) {
                found.push(alone(&node.children(&mut below).collect::<Vec<_>>()));
            } else if kind == "object" {
                found.extend(functions(&node.children(&mut below).collect::<Vec<_>>()));
            }
            if cursor.goto_first_child() {
                continue;
            }
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'nodes;
            }
        }
    }
    found.retain(|list| !list.is_empty());
    found.sort();
    Some(found)
}

/// Stretches of an object's entries that are functions.
fn functions(entries: &[Node<'_>]) -> Vec<List> {
    let is_function = |entry: Node<'_>| {
        let value = entry.child_by_field_name("value").unwrap_or(entry);
        FUNCTIONS.contains(&value.kind())
    };
    let alone = alone(entries);
    let is_kept = |unit: &(u32, u32)| {
        let on_line = |entry: &&Node<'_>| entry.is_named() && line(entry.start_position().row) == unit.0;
        entries.iter().filter(on_line).all(|entry| entry.is_extra() || is_function(*entry))
    };
    alone.split(|unit| !is_kept(unit)).map(<[_]>::to_vec).collect()
}

/// Parts of a block that share no line with another or with its brackets.
fn alone(children: &[Node<'_>]) -> List {
    let mut found = List::new();
    // The last line that something stands on which is no unit, or that two units share.
    let (mut taken, mut end) = (0, 0);
    for child in children.iter().filter(|child| !child.is_extra()) {
        let (first, last) = (line(child.start_position().row), line(child.end_position().row));
        let is_separator = matches!(child.kind(), ";" | ",");
        if is_separator {
            continue;
        }
        if first == end && end > taken {
            // It shares a line with the unit before.
            found.pop();
            taken = end;
        }
        if child.is_named() && first > taken {
            found.push((first, last));
        } else {
            taken = taken.max(last);
        }
        end = last;
    }
    found
}

fn line(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_members_and_functions_of_objects_are_listed() {
        let text = "import a from 'a';\n\nexport function f() {\n  a();\n  if (a) {\n    b(\n      1,\n    );\n  }\n  switch (a) {\n    case 1:\n      c();\n      break;\n  }\n}\nconst x = {\n  name: 'x',\n  run() {\n    d();\n  },\n  end: () => {\n    e(); f();\n  },\n};\n";
        let expected: Vec<List> = vec![
            vec![(1, 1), (3, 15), (16, 24)],
            vec![(4, 4), (5, 9), (10, 14)],
            vec![(6, 8)],
            vec![(12, 12), (13, 13)],
            vec![(18, 20), (21, 23)],
            vec![(19, 19)],
        ];
        assert_eq!(lists("a.ts", text), Some(expected));
    }

    #[test]
    fn arms_of_a_match_are_no_list() {
        let text = "fn f() {\n    match a {\n        1 => {\n            b();\n            c();\n        }\n        _ => d(),\n    }\n}\n";
        assert_eq!(lists("a.rs", text), Some(vec![vec![(1, 9)], vec![(2, 8)], vec![(4, 4), (5, 5)]]));
        assert_eq!(lists("a.py", text), None);
    }
}
