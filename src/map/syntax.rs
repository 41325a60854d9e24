//! Syntax trees laid flat: one cursor walk copies what the parser built into an array, and everything else reads that.
//!
//! Asking tree-sitter for a child, a field or a parent searches the tree each time. Here a node is an index: kinds and fields are
//! looked up, the next sibling and the parent are one step away. The parser's own tree, which is several times larger, is gone before
//! extraction begins. This is also the seam for another parser: whatever can fill a [`SyntaxTree`] can take tree-sitter's place.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::progress::Progress;

pub mod compact;
pub mod grammar;
pub mod head;

use compact::{Compact, Unfolding};
use grammar::{Grammar, Respelling};
use head::Head;

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

/// What was done to a text before its parse, to be made good in its tree.
#[derive(Default)]
struct Changes<'c> {
    head: Option<&'c Head>,
    unfolding: Option<Unfolding<'c>>,
    bangs: Option<Bangs<'c>>,
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
    head: Head,
    compact: Compact,
}

impl<'p> SyntaxParser<'p> {
    /// A parser that gives up a file after `timeout`.
    pub fn new(progress: &'p dyn Progress, timeout: Duration) -> Self {
        let deadline = Instant::now() + timeout;
        Self {
            inner: tree_sitter::Parser::new(),
            progress,
            timeout,
            deadline,
            nodes: 0,
            spare: Vec::new(),
            head: Head::default(),
            compact: Compact::default(),
        }
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
        let lines = Arc::new(line_starts(text));
        let mut head = std::mem::take(&mut self.head);
        let mut compact = std::mem::take(&mut self.compact);
        head.clear();
        if let Some(read_head) = &grammar.head {
            read_head(text, &mut head);
        }
        let comment = grammar.comment.filter(|_| compact.fill(text, &lines, head.end()).is_some());
        let tree = match comment {
            Some(comment) => self.parse_compact(grammar, &compact, comment, &head, &lines),
            None if head.end() > 0 => self.parse_rest(grammar, text, &head, &lines),
            None => Some(None),
        };
        (self.head, self.compact) = (head, compact);
        match tree? {
            Some(tree) => Some(tree),
            None => self.parse_ranges(grammar, text, &[], &lines),
        }
    }

    /// The tree of a text, the head of which is read and the rest `compact`; inside `None` when that cannot be parsed whole, or
    /// means something else than the text does.
    #[expect(clippy::option_option, reason = "a parse that was interrupted is not tried again, one that went wrong is")]
    fn parse_compact(
        &mut self,
        grammar: &'static Grammar,
        compact: &Compact,
        comment: u16,
        head: &Head,
        lines: &Arc<Vec<u32>>,
    ) -> Option<Option<SyntaxTree>> {
        self.begin(grammar, &[])?;
        let tree = self.parse_bytes(compact.bytes())?;
        if tree.root_node().has_error() {
            return Some(None);
        }
        let spare = self.spare.pop().unwrap_or_default();
        let head = Some(head).filter(|head| head.end() > 0);
        let changes = Changes { head, unfolding: Some(Unfolding::new(compact, comment)), bangs: None };
        let flat = SyntaxTree::flatten(&tree, grammar, lines, self.nodes, spare, changes);
        self.nodes += flat.as_ref().map_or(0, |flat| flat.nodes.len() as u32);
        Some(flat)
    }

    /// The tree of `text`, the head of which is read; inside `None` when the rest is empty or cannot be parsed whole.
    #[expect(clippy::option_option, reason = "a parse that was interrupted is not tried again, one that went wrong is")]
    fn parse_rest(
        &mut self,
        grammar: &'static Grammar,
        text: &str,
        head: &Head,
        lines: &Arc<Vec<u32>>,
    ) -> Option<Option<SyntaxTree>> {
        let row = lines.partition_point(|&start| (start as usize) < head.end());
        let rest = tree_sitter::Range {
            start_byte: head.end(),
            start_point: tree_sitter::Point { row, column: 0 },
            // As the parser has it for a whole text.
            end_byte: u32::MAX as usize,
            end_point: tree_sitter::Point { row: u32::MAX as usize, column: u32::MAX as usize },
        };
        self.begin(grammar, &[rest])?;
        let tree = self.parse_bytes(text.as_bytes())?;
        let root = tree.root_node();
        if root.has_error() || root.child_count() == 0 {
            return Some(None);
        }
        let spare = self.spare.pop().unwrap_or_default();
        let changes = Changes { head: Some(head), ..Changes::default() };
        let flat = SyntaxTree::flatten(&tree, grammar, lines, self.nodes, spare, changes)?;
        self.nodes += flat.nodes.len() as u32;
        Some(Some(flat))
    }

    /// The tree of one stretch of the text that `whole` is the tree of, positions as there.
    pub fn parse_stretch(&mut self, whole: &SyntaxTree, text: &str, stretch: Stretch) -> Option<SyntaxTree> {
        self.parse_ranges(whole.grammar, text, &[range(text, stretch)], &whole.lines)
    }

    fn parse_ranges(
        &mut self,
        grammar: &'static Grammar,
        text: &str,
        ranges: &[tree_sitter::Range],
        lines: &Arc<Vec<u32>>,
    ) -> Option<SyntaxTree> {
        self.begin(grammar, ranges)?;
        let respelt = grammar.respelling.and_then(|how| Some((how, (how.respell)(text)?)));
        let mut flat = None;
        if let Some((how, respelt)) = &respelt {
            let tree = self.parse_bytes(respelt)?;
            if !tree.root_node().has_error() {
                let bangs = Bangs { how: *how, text: text.as_bytes(), respelt };
                let changes = Changes { bangs: Some(bangs), ..Changes::default() };
                let spare = self.spare.pop().unwrap_or_default();
                flat = SyntaxTree::flatten(&tree, grammar, lines, self.nodes, spare, changes);
            }
        }
        let flat = match flat {
            Some(flat) => flat,
            None => {
                let tree = self.parse_bytes(text.as_bytes())?;
                let spare = self.spare.pop().unwrap_or_default();
                SyntaxTree::flatten(&tree, grammar, lines, self.nodes, spare, Changes::default())?
            }
        };
        self.nodes += flat.nodes.len() as u32;
        Some(flat)
    }

    fn begin(&mut self, grammar: &'static Grammar, ranges: &[tree_sitter::Range]) -> Option<()> {
        self.inner.set_language(grammar.language).expect("the grammars are of a version this library takes");
        self.inner.set_included_ranges(ranges).ok()
    }

    fn parse_bytes(&mut self, bytes: &[u8]) -> Option<tree_sitter::Tree> {
        let (progress, deadline) = (self.progress, self.deadline);
        let mut watch = |_: &tree_sitter::ParseState| {
            let stop = progress.cancelled() || Instant::now() > deadline;
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = tree_sitter::ParseOptions::new().progress_callback(&mut watch);
        let tree = self.inner.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
        if tree.is_none() {
            // An abandoned parse would otherwise be taken up again with the next text.
            self.inner.reset();
        }
        tree
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
/// Id the parser gives to what it could not read.
const ERROR: u16 = u16::MAX;
const NO_PARENT: u32 = u32::MAX;
const EXTRA: u8 = 1;
const MISSING: u8 = 2;
const HAS_ERROR: u8 = 4;

impl SyntaxTree {
    /// Lays `tree` flat into `nodes`, with the `changes` to its text made good; `None` when one of them stands where the text means
    /// something else without it.
    fn flatten(
        tree: &tree_sitter::Tree,
        grammar: &'static Grammar,
        lines: &Arc<Vec<u32>>,
        first_id: u32,
        mut nodes: Vec<FlatNode>,
        changes: Changes<'_>,
    ) -> Option<Self> {
        let Changes { head, mut unfolding, bangs } = changes;
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
            let known = grammar.kind(kind);
            // Words and signs have none, and asking costs as much as half a step.
            let children = if known.is_whole || !known.named { 0 } else { node.child_count() };
            let mut flags = 0;
            if damaged {
                flags = u8::from(node.is_missing()) * MISSING + u8::from(node.has_error()) * HAS_ERROR;
            }
            if (damaged || known.may_be_extra) && node.is_extra() {
                flags += EXTRA;
            }
            let (mut start, mut end) = (node.start_byte() as u32, node.end_byte() as u32);
            if let Some(unfolding) = &mut unfolding {
                if parent != NO_PARENT {
                    unfolding.comments_before(start, parent, &mut nodes, grammar)?;
                }
                let whole = unfolding.start(start);
                if children == 0 {
                    end = unfolding.leaf_end(start, end);
                }
                start = whole;
            }
            let mut index = nodes.len() as u32;
            nodes.push(FlatNode {
                kind,
                field: if in_fields { cursor.field_id().map_or(0, |id| id.get() as u8) } else { 0 },
                flags,
                start,
                end,
                parent,
                below: index + 1,
            });
            if let Some(head) = head.filter(|_| index == 0) {
                nodes[0].start = head.nodes.first().map_or(nodes[0].start, |first| first.start);
                nodes.extend_from_slice(&head.nodes);
            }
            if children > 0 && cursor.goto_first_child() {
                parent = index;
                in_fields = known.has_fields;
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
                if let Some(unfolding) = &unfolding {
                    node.end = unfolding.node_end(node.end);
                }
                parent = node.parent;
                in_fields = nodes.get(parent as usize).is_some_and(|parent| grammar.kind(parent.kind).has_fields);
            }
        }
        if let Some(unfolding) = &mut unfolding {
            unfolding.finish(&mut nodes, grammar)?;
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
        self.tree.grammar.field(self.flat().field)
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
