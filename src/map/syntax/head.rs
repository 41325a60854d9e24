//! The head of a file, read without the parser: what stands there is as good as always of a few simple forms.

use super::{EXTRA, FlatNode};

/// The nodes right under the root that a file begins with, and everything below them.
#[derive(Default)]
pub struct Head {
    /// As in a tree whose root is the node before the first one.
    pub(super) nodes: Vec<FlatNode>,
    /// Nodes that are not closed, by their place.
    open: Vec<u32>,
    end: usize,
}

/// Kind and field of a node, looked up once.
#[derive(Clone, Copy)]
pub struct NodeKind {
    pub(super) kind: u16,
    pub(super) field: u8,
}

/// What was read so far, to go back to.
#[derive(Clone, Copy)]
pub struct Mark(usize);

impl Head {
    /// Nothing read.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.open.clear();
        self.end = 0;
    }

    /// Where the rest of the text begins: a line. Nothing was read when it is 0.
    pub fn end(&self) -> usize {
        self.end
    }

    /// A node with parts begins at `start`.
    pub fn open(&mut self, kind: NodeKind, start: usize) {
        self.push(kind, 0, start, start);
        self.open.push(self.nodes.len() as u32);
    }

    /// The innermost open node ends where its last part does.
    pub fn close(&mut self) {
        let end = self.nodes.last().map_or(0, |last| last.end);
        let below = self.nodes.len() as u32 + 1;
        if let Some(node) = self.open.pop().and_then(|place| self.nodes.get_mut(place as usize - 1)) {
            (node.end, node.below) = (end, below);
        }
    }

    /// A node without parts.
    pub fn leaf(&mut self, kind: NodeKind, range: std::ops::Range<usize>) {
        self.push(kind, 0, range.start, range.end);
    }

    /// A comment.
    pub fn comment(&mut self, kind: NodeKind, range: std::ops::Range<usize>) {
        self.push(kind, EXTRA, range.start, range.end);
    }

    fn push(&mut self, NodeKind { kind, field }: NodeKind, flags: u8, start: usize, end: usize) {
        let place = self.nodes.len() as u32 + 1;
        let parent = self.open.last().copied().unwrap_or_default();
        self.nodes.push(FlatNode {
            kind,
            field,
            flags,
            start: start as u32,
            end: end as u32,
            parent,
            below: place + 1,
        });
    }

    /// What was read so far.
    pub fn mark(&self) -> Mark {
        Mark(self.nodes.len())
    }

    /// Forgets what was read since `mark`, and the rest of the text begins at `end`.
    pub fn end_at(&mut self, mark: Mark, end: usize) {
        self.nodes.truncate(mark.0);
        self.open.clear();
        self.end = end;
    }
}
