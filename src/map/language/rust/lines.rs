//! The leaf pass: comments, lines of code, references and sizes.

use std::cell::RefCell;

use crate::map::syntax::{Node, SyntaxTree};
use rustc_hash::FxHashSet;

use super::walker::{Walker, is_comment};
use crate::map::language::shared::{CommentCollector, Leaf, code_lines};
use crate::repo_map::facts::FileFacts;
use crate::repo_map::name::Name;

/// What the leaf pass collects besides the lines.
#[derive(Default)]
struct Leaves<'s> {
    comments: CommentCollector,
    references: FxHashSet<&'s str>,
    /// Start of each code leaf and the bytes of code before it.
    sizes: Vec<(u32, u32)>,
    total: u32,
}

impl<'s> Walker<'s> {
    /// The facts, completed by what the leaves of `tree` say.
    pub fn finish(mut self, tree: &SyntaxTree) -> FileFacts {
        let leaves = RefCell::new(Leaves::default());
        let lines = code_lines(tree, self.source, &mut |node| self.leaf(node, &mut leaves.borrow_mut()));
        let Leaves { comments, references, sizes, total } = leaves.into_inner();
        for symbol in &mut self.facts.symbols {
            let before = |byte: u32| {
                let index = sizes.partition_point(|(start, _)| *start < byte);
                sizes.get(index).map_or(total, |(_, before)| *before)
            };
            symbol.tokens = before(symbol.span.end) - before(symbol.span.start);
        }
        self.facts.comments = comments.finish(self.source, &lines);
        self.facts.code_lines = lines;
        let mut references: Vec<&str> = references.into_iter().collect();
        references.sort_unstable();
        self.facts.references = references.into_iter().map(Name::from).collect();
        self.facts
    }

    fn leaf(&self, node: Node<'_>, leaves: &mut Leaves<'s>) -> Leaf {
        if is_comment(node) {
            leaves.comments.push(node, self.source);
            return Leaf::Skip;
        }
        let leaf = match node.kind() {
            "use_declaration" | "extern_crate_declaration" => {
                // Names of an import count as references; the line itself repeats by nature.
                self.import_names(node, leaves);
                Leaf::SkipLine
            }
            "string_literal" | "raw_string_literal" | "char_literal" | "integer_literal" | "float_literal"
            | "boolean_literal" => Leaf::Literal,
            "identifier" | "type_identifier" | "field_identifier" | "shorthand_field_identifier" | "metavariable" => {
                let start = node.start_byte() as u32;
                if !self.defined.contains(&start) {
                    leaves.references.insert(self.name_text(node));
                }
                Leaf::Name
            }
            "primitive_type" | "lifetime" | "self" | "super" | "crate" => Leaf::Name,
            _ => Leaf::Syntax,
        };
        let is_leaf = node.child_count() == 0 || leaf == Leaf::Literal;
        if is_leaf {
            let bytes = (node.end_byte() - node.start_byte()) as u32;
            leaves.sizes.push((node.start_byte() as u32, leaves.total));
            leaves.total += bytes;
        }
        leaf
    }

    fn import_names(&self, node: Node<'_>, leaves: &mut Leaves<'s>) {
        let start = node.start_byte() as u32;
        for word in self.text(node).split(|c: char| !c.is_alphanumeric() && c != '_') {
            if !word.is_empty() && !matches!(word, "use" | "pub" | "as" | "crate" | "self" | "super" | "extern") {
                leaves.references.insert(word);
            }
        }
        leaves.sizes.push((start, leaves.total));
        leaves.total += (node.end_byte() - node.start_byte()) as u32;
    }
}
