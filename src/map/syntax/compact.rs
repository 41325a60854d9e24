//! A text without what the parser only passes over: indentation, blank lines, and comments that stand alone on their lines.
//!
//! The parser takes each byte by itself, and a quarter of the bytes of a typical file are of these. Its tree is laid flat with the
//! positions of the whole text, and with the comments where the parser would have put them: tokens keep their order, a line's end stays
//! between any two that had one, and what else the parser could tell apart is not made compact at all.

use super::grammar::Grammar;
use super::{EXTRA, FlatNode};

/// A text made compact, and the way back.
#[derive(Default)]
pub struct Compact {
    bytes: Vec<u8>,
    cuts: Vec<Cut>,
    comments: Vec<Comment>,
    /// Length of the whole text.
    length: u32,
}

/// Something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// Where, in the compact text.
    at: u32,
    /// Where the whole text goes on.
    onward: u32,
}

/// The code behind the start of a line.
struct Code {
    /// Where it begins.
    place: usize,
    /// Where a block comment ends that it begins with: what stands in it is not looked at again, however long it is.
    closed: usize,
}

/// A comment that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Comment {
    /// Where, in the compact text.
    at: u32,
    start: u32,
    end: u32,
    is_block: bool,
}

impl Compact {
    /// Makes `text` from `start` on compact; `lines` are the first bytes of its lines, of which `start` is one. `None` when there is
    /// nothing to leave out, or when the parser could tell that something was.
    pub fn fill(&mut self, text: &str, lines: &[u32], start: usize) -> Option<()> {
        let text = text.as_bytes();
        self.bytes.clear();
        self.cuts.clear();
        self.comments.clear();
        self.length = u32::try_from(text.len()).ok()?;
        let mut copied = start;
        let mut row = lines.partition_point(|&line| (line as usize) < start);
        while let Some(&line) = lines.get(row) {
            let line = line as usize;
            row += 1;
            if !begins_with_blank_or_comment(text, line) {
                continue;
            }
            let at = self.bytes.len() + line - copied;
            let Code { place, closed } = self.code_after(text, line, at as u32)?;
            if place > line {
                self.bytes.extend_from_slice(&text[copied..line]);
                self.cuts.push(Cut { at: at as u32, onward: place as u32 });
                copied = place;
            }
            while lines.get(row).is_some_and(|&next| next as usize <= place || (next as usize) < closed) {
                row += 1;
            }
        }
        if self.cuts.is_empty() {
            return None;
        }
        self.bytes.extend_from_slice(&text[copied..]);
        if start > 0 && self.cuts[0].at > 0 {
            self.cuts.insert(0, Cut { at: 0, onward: start as u32 });
        }
        // What is a blank elsewhere is the mark of an encoding here.
        let is_marked = self.cuts[0].at == 0 && self.bytes.starts_with(b"\xef\xbb\xbf");
        (!is_marked).then_some(())
    }

    /// The compact text.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the code that follows the start of `line` begins: behind blanks and comments that stand alone, which are kept as left out
    /// `at` this place.
    fn code_after(&mut self, text: &[u8], line: usize, at: u32) -> Option<Code> {
        let first = self.comments.len();
        let (mut place, mut closed) = (line, 0);
        loop {
            place += text[place..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
            let (end, is_block) = match text.get(place..place + 2) {
                Some(b"//") => (line_comment_end(text, place)?, false),
                Some(b"/*") => {
                    let end = block_comment_end(text, place)?;
                    if !stands_alone(text, end) {
                        closed = end;
                        break;
                    }
                    (end, true)
                }
                _ => break,
            };
            self.comments.push(Comment { at, start: place as u32, end: end as u32, is_block });
            place = end;
        }
        match self.comments[first..].last() {
            Some(comment) if is_told_apart(text, line, place, comment.is_block) => None,
            _ => Some(Code { place, closed }),
        }
    }

    /// Where the byte before `end` of the compact text ends in the whole text. What ends right before something left out ends in a
    /// line's end, and so takes in what blanks follow.
    fn whole_end(&self, end: u32) -> u32 {
        let passed = self.cuts.partition_point(|cut| cut.at <= end);
        self.cuts[..passed].last().map_or(end, |cut| end + (cut.onward - cut.at))
    }
}

fn begins_with_blank_or_comment(text: &[u8], line: usize) -> bool {
    let can_be_cut = match text.get(line) {
        Some(b' ' | b'\t' | b'\n' | b'\r') => true,
        Some(b'/') => matches!(text.get(line + 1), Some(b'/' | b'*')),
        _ => false,
    };
    // In a template, blanks after an escaped line's end are a text of their own.
    can_be_cut && !matches!(text[..line], [.., b'\\', b'\n'] | [.., b'\\', b'\r', b'\n'])
}

/// `None` when not everything that reads comments agrees on it.
fn line_comment_end(text: &[u8], start: usize) -> Option<usize> {
    let length = memchr::memchr(b'\n', &text[start..]).unwrap_or(text.len() - start);
    let line = &text[start..start + length];
    let comment = line.strip_suffix(b"\r").unwrap_or(line);
    if memchr::memchr2(b'\r', 0, comment).is_some() {
        return None;
    }
    // Two rare characters end a line, too.
    let mut pairs = memchr::memmem::find_iter(comment, b"\xe2\x80");
    let ends_early = pairs.any(|at| matches!(comment.get(at + 2), Some(0xa8 | 0xa9)));
    (!ends_early).then_some(start + comment.len())
}

/// `None` when nothing closes it, or when not everything that reads comments agrees on it.
fn block_comment_end(text: &[u8], start: usize) -> Option<usize> {
    let inside = &text[start + 2..];
    let length = memchr::memmem::find(inside, b"*/")?;
    // The scanner of ends of statements takes this byte for the end of the text.
    memchr::memchr(0, &inside[..length]).is_none().then_some(start + length + 4)
}

/// Nothing but blanks follows on the line.
fn stands_alone(text: &[u8], end: usize) -> bool {
    let next = text[end..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    matches!(next, None | Some(b'\n'))
}

/// Whether the parser reads the code at `place` in another way when there is no comment between it and what stands before `line`.
fn is_told_apart(text: &[u8], line: usize, place: usize, after_block: bool) -> bool {
    match text.get(place) {
        // Looking for a ternary, it passes over a block comment and forgets it; what stands here may be another such comment.
        Some(b'?' | b'/') => after_block,
        // A brace and a colon with blanks between them are those of a pattern with its type, where no semicolon is put in.
        Some(b':') => text[..line].iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}'),
        // A rare blank may be followed by any of these.
        Some(byte) => !byte.is_ascii() || byte.is_ascii_control(),
        None => false,
    }
}

/// Leads the nodes of a compact text's tree back, in source order.
pub(super) struct Unfolding<'c> {
    compact: &'c Compact,
    /// Kind of the comments.
    comment: u16,
    /// Comments that are put back.
    put_back: usize,
    /// Where the next one was cut.
    next_comment: u32,
    /// Cuts that are passed.
    passed: usize,
    /// Where the next one is.
    next_cut: u32,
    /// Bytes left out so far.
    shift: u32,
    /// End of the last leaf, in the compact text and in the whole.
    last_end: (u32, u32),
}

impl<'c> Unfolding<'c> {
    pub fn new(compact: &'c Compact, comment: u16) -> Self {
        let mut unfolding =
            Self { compact, comment, put_back: 0, next_comment: 0, passed: 0, next_cut: 0, shift: 0, last_end: (0, 0) };
        unfolding.next_comment = unfolding.comment_cut();
        unfolding.next_cut = unfolding.cut();
        unfolding
    }

    fn cut(&self) -> u32 {
        self.compact.cuts.get(self.passed).map_or(u32::MAX, |cut| cut.at)
    }

    fn comment_cut(&self) -> u32 {
        self.compact.comments.get(self.put_back).map_or(u32::MAX, |comment| comment.at)
    }

    /// Puts the comments before `start` back, below `parent`; `None` when one of them was none but part of a text.
    #[inline]
    pub fn comments_before(
        &mut self,
        start: u32,
        parent: u32,
        nodes: &mut Vec<FlatNode>,
        grammar: &Grammar,
    ) -> Option<()> {
        if start < self.next_comment { Some(()) } else { self.put_back(start, parent, nodes, grammar) }
    }

    #[cold]
    fn put_back(&mut self, start: u32, parent: u32, nodes: &mut Vec<FlatNode>, grammar: &Grammar) -> Option<()> {
        let around = nodes.get(parent as usize)?;
        if grammar.kind(around.kind).holds_text {
            return None;
        }
        while let Some(comment) = self.compact.comments.get(self.put_back).filter(|comment| comment.at <= start) {
            if comment.at < self.last_end.0 {
                return None;
            }
            let below = nodes.len() as u32 + 1;
            let (kind, start, end) = (self.comment, comment.start, comment.end);
            nodes.push(FlatNode { kind, field: 0, flags: EXTRA, start, end, parent, below });
            self.put_back += 1;
        }
        self.next_comment = self.comment_cut();
        Some(())
    }

    /// Where the node that starts at `start` does in the whole text.
    #[inline]
    pub fn start(&mut self, start: u32) -> u32 {
        while start >= self.next_cut {
            let cut = self.compact.cuts[self.passed];
            self.shift = cut.onward - cut.at;
            self.passed += 1;
            self.next_cut = self.cut();
        }
        start + self.shift
    }

    /// Where the leaf does that starts and ends there in the compact text, its start being known already.
    #[inline]
    pub fn leaf_end(&mut self, start: u32, end: u32) -> u32 {
        let whole = if end < self.next_cut || start == end { end + self.shift } else { self.compact.whole_end(end) };
        self.last_end = (end, whole);
        whole
    }

    /// Where the node does that ends there in the compact text, everything below it being known already.
    #[inline]
    pub fn node_end(&self, end: u32) -> u32 {
        if end == self.last_end.0 { self.last_end.1 } else { self.compact.whole_end(end) }
    }

    /// Puts the last comments back and gives the root, the first of `nodes`, its range.
    pub fn finish(&mut self, nodes: &mut Vec<FlatNode>, grammar: &Grammar) -> Option<()> {
        self.comments_before(u32::MAX - 1, 0, nodes, grammar)?;
        let (first, below) = (nodes.get(1)?.start, nodes.len() as u32);
        let root = nodes.first_mut()?;
        (root.start, root.end, root.below) = (first, self.compact.length, below);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(text: &str) -> Option<(String, usize)> {
        let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1);
        let lines: Vec<u32> = std::iter::once(0).chain(starts).collect();
        let mut compact = Compact::default();
        compact.fill(text, &lines, 0)?;
        Some((String::from_utf8(compact.bytes).expect("cuts are at characters"), compact.comments.len()))
    }

    #[test]
    fn what_the_parser_only_passes_over_is_left_out() {
        let found = compact("a\n  // b\n\n  /* c\n   d */\n  e\n");
        assert_eq!(found, Some(("a\ne\n".to_owned(), 2)));
    }

    /// One pass: a comment is looked through once, whatever its lines begin with.
    #[test]
    fn a_comment_before_code_is_kept_whole() {
        let found = compact("/*\n  /*\n  // a\n*/ b\n  c\n");
        assert_eq!(found, Some(("/*\n  /*\n  // a\n*/ b\nc\n".to_owned(), 0)));
        assert_eq!(compact("a\n  /*\n  b\n"), None, "nothing closes it");
    }
}
