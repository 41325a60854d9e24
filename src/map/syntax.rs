//! Syntax trees laid flat: one cursor walk copies what the parser built into an array, and everything else reads that.
//!
//! Asking tree-sitter for a child, a field or a parent searches the tree each time. Here a node is an index: kinds and fields are
//! looked up, the next sibling and the parent are one step away. The parser's own tree, which is several times larger, is gone before
//! extraction begins. This is also the seam for another parser: whatever can fill a [`SyntaxTree`] can take tree-sitter's place.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::progress::Progress;

/// A grammar with its names looked up once.
pub struct Grammar {
    language: &'static tree_sitter::Language,
    kinds: Vec<KindName>,
    fields: Vec<&'static str>,
    respelling: Option<Respelling>,
}

/// Macro calls are parsed as calls of functions where they take the same, and laid flat as what they are.
#[derive(Clone, Copy)]
struct Respelling {
    /// The text with the `!` of such calls blanked, if there are any.
    respell: fn(&str) -> Option<Vec<u8>>,
    call: u16,
    macro_call: u16,
    bang: u16,
    macro_field: u8,
}

#[derive(Clone, Copy)]
struct KindName {
    name: &'static str,
    named: bool,
    /// Comments and the like, which may stand anywhere.
    may_be_extra: bool,
    /// Children of it may stand in a field.
    has_fields: bool,
    /// Laid flat without its parts.
    is_whole: bool,
    /// Loose tokens: what a macro takes.
    is_loose: bool,
}

/// Id the parser gives to what it could not read.
const ERROR: u16 = u16::MAX;

impl Grammar {
    /// The grammar `language`. `without_fields` are kinds no child of which stands in a field: asking for it costs as much as a step of
    /// the walk, and nothing but the grammar's own list of node types tells. `whole` are kinds whose text is read as one: quotes and
    /// escapes are an eighth of the nodes of Rust.
    pub fn new(language: tree_sitter::Language, without_fields: &[&str], whole: &[&str]) -> Self {
        // Names borrow from the language, and there is one value of each grammar in a program.
        let language: &'static tree_sitter::Language = Box::leak(Box::new(language));
        let kinds = (0..language.node_kind_count() as u16)
            .map(|id| {
                let name = language.node_kind_for_id(id).unwrap_or_default();
                KindName {
                    name,
                    named: language.node_kind_is_named(id),
                    may_be_extra: name.contains("comment"),
                    has_fields: !without_fields.contains(&name),
                    is_whole: whole.contains(&name),
                    is_loose: name.starts_with("token_"),
                }
            })
            .collect();
        let fields =
            (0..=language.field_count() as u16).map(|id| language.field_name_for_id(id).unwrap_or_default()).collect();
        Self { language, kinds, fields, respelling: None }
    }

    /// The same grammar, Rust's, with macro calls parsed as calls of functions where `respell` blanks their `!`. A text that does not
    /// parse whole that way is parsed as it stands.
    pub fn respelt(mut self, respell: fn(&str) -> Option<Vec<u8>>) -> Self {
        let id = |name, named| self.language.id_for_node_kind(name, named);
        self.respelling = Some(Respelling {
            respell,
            call: id("call_expression", true),
            macro_call: id("macro_invocation", true),
            bang: id("!", false),
            macro_field: self.language.field_id_for_name("macro").map_or(0, |field| field.get() as u8),
        });
        self
    }

    fn kind(&self, id: u16) -> KindName {
        let unreadable = KindName {
            name: "ERROR",
            named: true,
            may_be_extra: true,
            has_fields: true,
            is_whole: false,
            is_loose: false,
        };
        self.kinds.get(id as usize).copied().unwrap_or(unreadable)
    }
}

/// The `!` that were blanked for a parse.
#[derive(Clone, Copy)]
struct Bangs<'b> {
    how: Respelling,
    text: &'b [u8],
    respelt: &'b [u8],
}

impl Bangs<'_> {
    fn stands_at(self, byte: u32) -> bool {
        let byte = byte as usize;
        self.text.get(byte) == Some(&b'!') && self.respelt[byte] == b' '
    }
}

/// A value for every kind of node: looked up, where names would have to be compared one after the other.
pub struct KindTable<T> {
    values: Vec<T>,
    error: T,
}

impl<T: Copy> KindTable<T> {
    /// `value` of every kind's name.
    pub fn new(grammar: &Grammar, value: impl Fn(&str) -> T) -> Self {
        Self { values: grammar.kinds.iter().map(|kind| value(kind.name)).collect(), error: value("ERROR") }
    }

    /// The value for the kind of `node`.
    pub fn of(&self, node: Node<'_>) -> T {
        self.values.get(node.flat().kind as usize).copied().unwrap_or(self.error)
    }
}

/// A stretch of a text to be parsed on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First byte, at the start of a line.
    pub start: usize,
    /// Row of the first byte, from 0.
    pub row: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Parses texts, and stops when told to or when one file takes too long.
pub struct SyntaxParser<'p> {
    inner: tree_sitter::Parser,
    progress: &'p dyn Progress,
    timeout: Duration,
    deadline: Instant,
    /// Nodes handed out for the present file: ids go on from tree to tree.
    nodes: u32,
    /// The arrays of trees that are done with: memory that was touched before costs nothing to touch again.
    spare: Vec<Vec<FlatNode>>,
}

impl<'p> SyntaxParser<'p> {
    /// A parser that gives up a file after `timeout`.
    pub fn new(progress: &'p dyn Progress, timeout: Duration) -> Self {
        let deadline = Instant::now() + timeout;
        Self { inner: tree_sitter::Parser::new(), progress, timeout, deadline, nodes: 0, spare: Vec::new() }
    }

    /// A new file: its time begins to run.
    pub fn begin_file(&mut self) {
        self.deadline = Instant::now() + self.timeout;
        self.nodes = 0;
    }

    /// Takes back the arrays of a tree that is done with.
    pub fn reuse(&mut self, tree: SyntaxTree) {
        if tree.nodes.capacity() <= MAX_SPARE {
            self.spare.push(tree.nodes);
        }
    }

    /// The tree of `text`; `None` when it took too long or was interrupted.
    pub fn parse(&mut self, grammar: &'static Grammar, text: &str) -> Option<SyntaxTree> {
        self.parse_ranges(grammar, text, &[], || Arc::new(line_starts(text)))
    }

    /// The tree of one stretch of the text that `whole` is the tree of, positions as there.
    pub fn parse_stretch(&mut self, whole: &SyntaxTree, text: &str, stretch: Stretch) -> Option<SyntaxTree> {
        self.parse_ranges(whole.grammar, text, &[range(text, stretch)], || Arc::clone(&whole.lines))
    }

    fn parse_ranges(
        &mut self,
        grammar: &'static Grammar,
        text: &str,
        ranges: &[tree_sitter::Range],
        lines: impl FnOnce() -> Arc<Vec<u32>>,
    ) -> Option<SyntaxTree> {
        self.inner.set_language(grammar.language).expect("the grammars are of a version this library takes");
        self.inner.set_included_ranges(ranges).ok()?;
        let (progress, deadline) = (self.progress, self.deadline);
        let mut watch = |_: &tree_sitter::ParseState| {
            let stop = progress.cancelled() || Instant::now() > deadline;
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut parse = |bytes: &[u8]| {
            let options = tree_sitter::ParseOptions::new().progress_callback(&mut watch);
            let tree =
                self.inner.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
            if tree.is_none() {
                // An abandoned parse would otherwise be taken up again with the next text.
                self.inner.reset();
            }
            tree
        };
        let respelt = grammar.respelling.and_then(|how| Some((how, (how.respell)(text)?)));
        let lines = lines();
        let mut flat = None;
        if let Some((how, respelt)) = &respelt {
            let tree = parse(respelt)?;
            if !tree.root_node().has_error() {
                let bangs = Bangs { how: *how, text: text.as_bytes(), respelt };
                let spare = self.spare.pop().unwrap_or_default();
                flat = SyntaxTree::flatten(&tree, grammar, &lines, self.nodes, spare, Some(bangs));
            }
        }
        let flat = match flat {
            Some(flat) => flat,
            None => {
                let tree = parse(text.as_bytes())?;
                let spare = self.spare.pop().unwrap_or_default();
                SyntaxTree::flatten(&tree, grammar, &lines, self.nodes, spare, None)?
            }
        };
        self.nodes += flat.nodes.len() as u32;
        Some(flat)
    }
}

/// Parses pieces of a file again: a [`SyntaxParser`] seen by an extractor.
pub trait Reparse {
    /// The tree of `text`; `None` when it took too long or was interrupted.
    fn parse_text(&mut self, grammar: &'static Grammar, text: &str) -> Option<SyntaxTree>;

    /// Takes back the arrays of a tree that is done with.
    fn take_back(&mut self, tree: SyntaxTree);
}

impl Reparse for SyntaxParser<'_> {
    fn parse_text(&mut self, grammar: &'static Grammar, text: &str) -> Option<SyntaxTree> {
        self.parse(grammar, text)
    }

    fn take_back(&mut self, tree: SyntaxTree) {
        self.reuse(tree);
    }
}

fn range(text: &str, Stretch { start, row, end }: Stretch) -> tree_sitter::Range {
    let inside = &text.as_bytes()[start..end];
    let end_point = tree_sitter::Point {
        row: row + memchr::memchr_iter(b'\n', inside).count(),
        column: inside.len() - memchr::memrchr(b'\n', inside).map_or(0, |at| at + 1),
    };
    tree_sitter::Range {
        start_byte: start,
        end_byte: end,
        start_point: tree_sitter::Point { row, column: 0 },
        end_point,
    }
}

/// The syntax of one text.
pub struct SyntaxTree {
    grammar: &'static Grammar,
    /// In source order, parents before children: the root comes first.
    nodes: Vec<FlatNode>,
    /// First byte of every line; trees of stretches share those of the whole.
    lines: Arc<Vec<u32>>,
    first_id: u32,
    damaged: bool,
}

#[derive(Clone, Copy)]
struct FlatNode {
    kind: u16,
    field: u8,
    flags: u8,
    start: u32,
    end: u32,
    parent: u32,
    /// One past the last node below this one.
    below: u32,
}

/// Nodes of an array that is kept for the next file: those of 100 kB of code. Few files are larger, and theirs would stay.
const MAX_SPARE: usize = 40_000;
const NO_PARENT: u32 = u32::MAX;
const EXTRA: u8 = 1;
const MISSING: u8 = 2;
const HAS_ERROR: u8 = 4;

impl SyntaxTree {
    /// Lays `tree` flat into `nodes`, with `bangs` given back; `None` when one of them stood where no macro call was read, since the
    /// text then means something else without it.
    fn flatten(
        tree: &tree_sitter::Tree,
        grammar: &'static Grammar,
        lines: &Arc<Vec<u32>>,
        first_id: u32,
        mut nodes: Vec<FlatNode>,
        bangs: Option<Bangs<'_>>,
    ) -> Option<Self> {
        let damaged = tree.root_node().has_error();
        nodes.clear();
        let mut cursor = tree.walk();
        let mut parent = NO_PARENT;
        let mut in_fields = false;
        // Siblings that follow, from the root down to the present node: asking for one that is not there is a search each time.
        let mut following: Vec<u32> = vec![0];
        'nodes: loop {
            let node = cursor.node();
            let kind = node.kind_id();
            let children = if grammar.kind(kind).is_whole { 0 } else { node.child_count() };
            let mut flags = 0;
            if damaged {
                flags = u8::from(node.is_missing()) * MISSING + u8::from(node.has_error()) * HAS_ERROR;
            }
            if (damaged || grammar.kind(kind).may_be_extra) && node.is_extra() {
                flags += EXTRA;
            }
            let mut index = nodes.len() as u32;
            nodes.push(FlatNode {
                kind,
                field: if in_fields { cursor.field_id().map_or(0, |id| id.get() as u8) } else { 0 },
                flags,
                start: node.start_byte() as u32,
                end: node.end_byte() as u32,
                parent,
                below: index + 1,
            });
            if children > 0 && cursor.goto_first_child() {
                parent = index;
                in_fields = grammar.kind(kind).has_fields;
                following.push(children - 1);
                continue;
            }
            loop {
                let left = following.last_mut().expect("the root's count is the last to go");
                if *left > 0 && cursor.goto_next_sibling() {
                    *left -= 1;
                    let end = nodes[index as usize].end;
                    if let Some(Bangs { how, .. }) = bangs.filter(|bangs| bangs.stands_at(end)) {
                        let around = &mut nodes[parent as usize];
                        if around.kind == how.call {
                            around.kind = how.macro_call;
                            nodes[index as usize].field = how.macro_field;
                        } else if !grammar.kind(around.kind).is_loose {
                            return None;
                        }
                        let below = nodes.len() as u32 + 1;
                        nodes.push(FlatNode {
                            kind: how.bang,
                            field: 0,
                            flags: 0,
                            start: end,
                            end: end + 1,
                            parent,
                            below,
                        });
                        // Its arguments stand in no field.
                        in_fields = false;
                    }
                    break;
                }
                following.pop();
                if !cursor.goto_parent() {
                    break 'nodes;
                }
                index = parent;
                let below = nodes.len() as u32;
                let node = &mut nodes[index as usize];
                node.below = below;
                parent = node.parent;
                in_fields = nodes.get(parent as usize).is_some_and(|parent| grammar.kind(parent.kind).has_fields);
            }
        }
        Some(Self { grammar, nodes, lines: Arc::clone(lines), first_id, damaged })
    }

    /// The node of the whole text.
    pub fn root_node(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    /// The grammar it was read with.
    pub fn grammar(&self) -> &'static Grammar {
        self.grammar
    }

    /// The node at `place` in source order.
    pub fn node(&self, place: u32) -> Option<Node<'_>> {
        ((place as usize) < self.nodes.len()).then_some(Node { tree: self, index: place })
    }

    /// First byte of every line.
    pub fn line_starts(&self) -> &[u32] {
        &self.lines
    }

    /// Row of `byte`, from 0.
    fn row(&self, byte: u32) -> u32 {
        self.lines.partition_point(|&start| start <= byte) as u32 - 1
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let mut starts = Vec::with_capacity(text.len() / 30 + 1);
    starts.push(0);
    starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
    starts
}

/// A node of a [`SyntaxTree`].
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t SyntaxTree,
    index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {:?}", self.kind(), self.byte_range())
    }
}

impl<'t> Node<'t> {
    fn flat(self) -> &'t FlatNode {
        &self.tree.nodes[self.index as usize]
    }

    fn at(self, index: u32) -> Node<'t> {
        Node { tree: self.tree, index }
    }

    /// Unique among the trees of one file.
    pub fn id(self) -> u32 {
        self.tree.first_id + self.index
    }

    /// What the grammar calls it.
    pub fn kind(self) -> &'static str {
        self.tree.grammar.kind(self.flat().kind).name
    }

    /// The grammar has a rule of this name, as against a word or sign.
    pub fn is_named(self) -> bool {
        self.tree.grammar.kind(self.flat().kind).named
    }

    /// It could not be read.
    pub fn is_error(self) -> bool {
        self.flat().kind == ERROR
    }

    /// The parser put it in to go on.
    pub fn is_missing(self) -> bool {
        self.flat().flags & MISSING != 0
    }

    /// It or something below could not be read.
    pub fn has_error(self) -> bool {
        self.tree.damaged && self.flat().flags & HAS_ERROR != 0
    }

    /// It may stand anywhere: a comment.
    pub fn is_extra(self) -> bool {
        self.flat().flags & EXTRA != 0
    }

    /// First byte.
    pub fn start_byte(self) -> usize {
        self.flat().start as usize
    }

    /// One past the last byte.
    pub fn end_byte(self) -> usize {
        self.flat().end as usize
    }

    /// Its bytes.
    pub fn byte_range(self) -> std::ops::Range<usize> {
        self.start_byte()..self.end_byte()
    }

    /// Row of its first byte, from 0.
    pub fn start_row(self) -> u32 {
        self.tree.row(self.flat().start)
    }

    /// Row of any byte of the text, from 0.
    pub fn row_of(self, byte: usize) -> u32 {
        self.tree.row(byte as u32)
    }

    /// Row of the byte after it, from 0.
    pub fn end_row(self) -> u32 {
        self.tree.row(self.flat().end)
    }

    /// The node around it.
    pub fn parent(self) -> Option<Node<'t>> {
        let parent = self.flat().parent;
        (parent != NO_PARENT).then(|| self.at(parent))
    }

    /// It has no children.
    pub fn is_leaf(self) -> bool {
        self.flat().below == self.index + 1
    }

    /// The place in source order of the next node that is not below this one.
    pub fn after(self) -> u32 {
        self.flat().below
    }

    /// The node itself and everything below it, in source order.
    pub fn with_descendants(self) -> impl Iterator<Item = Node<'t>> {
        (self.index..self.flat().below).map(move |index| self.at(index))
    }

    /// Direct children, in order.
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, next: self.index + 1, end: self.flat().below }
    }

    /// Direct children that are named.
    pub fn named_children(self) -> impl Iterator<Item = Node<'t>> {
        self.children().filter(|child| child.is_named())
    }

    /// Number of direct children.
    pub fn child_count(self) -> usize {
        self.children().count()
    }

    /// The direct child at `index`.
    pub fn child(self, index: usize) -> Option<Node<'t>> {
        self.children().nth(index)
    }

    /// The named direct child at `index`.
    pub fn named_child(self, index: usize) -> Option<Node<'t>> {
        self.named_children().nth(index)
    }

    /// The first direct child in the field `name`.
    pub fn child_by_field_name(self, name: &str) -> Option<Node<'t>> {
        // Few children stand in a field, and the names of fields are many.
        self.children().find(|child| child.field_name() == Some(name))
    }

    /// The field of its parent that it stands in.
    pub fn field_name(self) -> Option<&'static str> {
        match self.flat().field {
            0 => None,
            field => self.tree.grammar.fields.get(field as usize).copied(),
        }
    }
}

/// Direct children of a node.
#[derive(Clone)]
pub struct Children<'t> {
    tree: &'t SyntaxTree,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { tree: self.tree, index: self.next };
        self.next = node.flat().below;
        Some(node)
    }
}

/// Assertions that the tests of the languages share.
#[cfg(test)]
pub(crate) mod tests {
    /// Asserts that the grammar's own list of node types knows each of these kinds, and no field of them.
    pub fn assert_without_fields(node_types: &str, kinds: &[&str]) {
        let types: Vec<serde_json::Value> = serde_json::from_str(node_types).expect("the grammar's list is JSON");
        for &kind in kinds {
            let of_kind: Vec<_> =
                types.iter().filter(|entry| entry["type"] == kind && entry["named"] == true).collect();
            assert!(!of_kind.is_empty(), "{kind} is no kind of node");
            let fields = of_kind.iter().filter_map(|entry| entry["fields"].as_object());
            assert!(fields.into_iter().all(serde_json::Map::is_empty), "{kind} has fields");
        }
    }
}
