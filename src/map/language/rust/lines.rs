//! The leaf pass: comments, lines of code, references and sizes.

use std::cell::RefCell;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::GRAMMAR;
use super::walker::Walker;
use crate::map::language::shared::{CommentCollector, Leaf, code_lines};
use crate::map::syntax::grammar::KindTable;
use crate::map::syntax::{Node, SyntaxTree};
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
        let leaf = match PARTS.of(node) {
            Part::Comment => {
                leaves.comments.push(node, self.source);
                return Leaf::Skip;
            }
            Part::Import => {
                // Names of an import count as references; the line itself repeats by nature.
                self.import_names(node, leaves);
                Leaf::SkipLine
            }
            Part::Literal => Leaf::Literal,
            Part::Name => {
                let start = node.start_byte() as u32;
                if !self.defined.contains(&start) {
                    leaves.references.insert(self.name_text(node));
                }
                Leaf::Name
            }
            Part::Word => Leaf::Name,
            Part::Syntax => Leaf::Syntax,
        };
        if node.is_leaf() || leaf == Leaf::Literal {
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

/// What a node is to the leaf pass.
#[derive(Debug, Clone, Copy)]
enum Part {
    Comment,
    Import,
    Literal,
    /// A name somebody gave.
    Name,
    /// A name of the language.
    Word,
    Syntax,
}

static PARTS: LazyLock<KindTable<Part>> = LazyLock::new(|| {
    KindTable::new(&GRAMMAR, |kind| match kind {
        "line_comment" | "block_comment" => Part::Comment,
        "use_declaration" | "extern_crate_declaration" => Part::Import,
        "string_literal" | "raw_string_literal" | "char_literal" | "integer_literal" | "float_literal"
        | "boolean_literal" => Part::Literal,
        "identifier" | "type_identifier" | "field_identifier" | "shorthand_field_identifier" | "metavariable" => {
            Part::Name
        }
        "primitive_type" | "lifetime" | "self" | "super" | "crate" => Part::Word,
        _ => Part::Syntax,
    })
});
