//! Captured output: the head and the tail of a stream of any length, in bounded memory.

/// Bytes kept of the head. Our choice: the output of some forty thousand tests, so that expectations see all of it.
const HEAD: usize = 4 << 20;

/// Bytes kept of the tail, where test runners put their summary.
const TAIL: usize = 128 << 10;

/// A stream as it is read.
#[derive(Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    /// At least the last [`TAIL`] bytes after the head, at most twice as many: cut now and then, so that a flood costs a copy a byte.
    tail: Vec<u8>,
    total: u64,
}

impl Capture {
    pub(super) fn take(&mut self, chunk: &[u8]) {
        self.total += chunk.len() as u64;
        let (head, rest) = chunk.split_at(chunk.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(&rest[rest.len().saturating_sub(TAIL)..]);
        if self.tail.len() >= 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    /// Bytes that came so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// About `limit` bytes of what came so far, half of its start and half of its end.
    pub(super) fn ends(&self, limit: usize) -> Captured {
        if self.total <= limit as u64 {
            return self.captured();
        }
        let half = limit / 2;
        let head = &self.head[..half];
        let rest = if self.tail.is_empty() { &self.head[half..] } else { &self.tail[..] };
        let tail = &rest[rest.len().saturating_sub(half)..];
        let omitted_bytes = self.total - (head.len() + tail.len()) as u64;
        Captured { head: text(head), tail: text(tail), omitted_bytes }
    }

    pub(super) fn captured(&self) -> Captured {
        let tail = &self.tail[self.tail.len().saturating_sub(TAIL)..];
        let kept = (self.head.len() + tail.len()) as u64;
        if kept == self.total {
            let whole = [self.head.as_slice(), tail].concat();
            return Captured { head: text(&whole), tail: String::new(), omitted_bytes: 0 };
        }
        Captured { head: text(&self.head), tail: text(tail), omitted_bytes: self.total - kept }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is known of a stream: all of it, or its head and its tail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// The start; everything, when nothing was left out.
    pub head: String,
    /// The end, when something was left out.
    pub tail: String,
    /// Bytes between them.
    pub omitted_bytes: u64,
}

impl Captured {
    /// Everything is known.
    pub fn is_whole(&self) -> bool {
        self.omitted_bytes == 0
    }

    /// Without a last line that has no end yet.
    #[must_use]
    pub fn whole_lines(mut self) -> Captured {
        let last = if self.is_whole() { &mut self.head } else { &mut self.tail };
        let end = last.rfind('\n').map_or(0, |end| end + 1);
        last.truncate(end);
        self
    }

    /// With credentials masked by `mask`. That comes before any cut, which would leave half of one that nobody knows: at a gap, lines
    /// that are cut already are left out.
    #[must_use]
    pub fn masked(&self, mask: impl Fn(&str) -> String) -> Captured {
        if self.is_whole() {
            return Captured { head: mask(&self.head), ..Captured::default() };
        }
        let head = &self.head[..self.head.rfind('\n').map_or(0, |end| end + 1)];
        let tail = &self.tail[self.tail.find('\n').map_or(self.tail.len(), |end| end + 1)..];
        let cut = self.head.len() - head.len() + self.tail.len() - tail.len();
        Captured { head: mask(head), tail: mask(tail), omitted_bytes: self.omitted_bytes + cut as u64 }
    }

    /// The lines known. At a gap, the last line of the head and the first of the tail are cut.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.head.lines().chain(self.tail.lines())
    }

    /// At most about `limit` bytes, half from the start and half from the end, with a line between that says what is missing. What is
    /// shown to others is [`Captured::masked`] before.
    pub fn excerpt(&self, limit: usize) -> String {
        let (head, tail) = (self.head.as_str(), self.tail.as_str());
        if self.is_whole() && head.len() <= limit {
            return head.to_owned();
        }
        if head.len() + tail.len() <= limit {
            return format!("{head}\n[… {} bytes left out …]\n{tail}", self.omitted_bytes);
        }
        let start = prefix(head, limit / 2);
        let end = suffix(if self.is_whole() { &head[start.len()..] } else { tail }, limit / 2);
        let kept = (start.len() + end.len()) as u64;
        let omitted = self.omitted_bytes + (head.len() + tail.len()) as u64 - kept;
        format!("{start}\n[… {omitted} bytes left out …]\n{end}")
    }
}

fn prefix(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn suffix(text: &str, limit: usize) -> &str {
    let start = (text.len().saturating_sub(limit)..=text.len()).find(|start| text.is_char_boundary(*start));
    &text[start.unwrap_or(text.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(chunks: impl IntoIterator<Item = Vec<u8>>) -> Captured {
        let mut capture = Capture::default();
        chunks.into_iter().for_each(|chunk| capture.take(&chunk));
        capture.captured()
    }

    #[test]
    fn short_output_is_kept_whole() {
        let expected = Captured { head: "ab\ncd".to_owned(), tail: String::new(), omitted_bytes: 0 };
        assert_eq!(captured([b"ab\n".to_vec(), b"cd".to_vec()]), expected);
    }

    #[test]
    fn output_that_just_fits_is_kept_whole_across_head_and_tail() {
        let output = captured([vec![b'a'; HEAD - 1], vec![b'b'; TAIL]]);
        assert_eq!((output.head.len(), output.is_whole()), (HEAD + TAIL - 1, true));
    }

    #[test]
    fn long_output_keeps_its_head_and_its_tail() {
        let output = captured([vec![b'a'; HEAD + 10], vec![b'b'; 3 * TAIL], b"end".to_vec()]);
        assert_eq!((output.head.len(), output.tail.len()), (HEAD, TAIL));
        assert!(output.tail.ends_with("bend"));
        assert_eq!(output.omitted_bytes, (10 + 3 * TAIL + 3 - TAIL) as u64);
    }

    #[test]
    fn the_ends_are_bounded_and_a_line_without_an_end_can_be_left_out() {
        let mut capture = Capture::default();
        capture.take(b"one\ntwo\nthree\nfo");
        let expected = Captured { head: "one\n".to_owned(), tail: "e\nfo".to_owned(), omitted_bytes: 8 };
        assert_eq!(capture.ends(8), expected);
        assert_eq!(capture.ends(8).whole_lines().tail, "e\n");
        assert_eq!(capture.ends(100).whole_lines().head, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_credential_is_masked_wherever_the_output_is_cut() {
        let token = format!("ghp_{}", "a1B2c3D4e5F6".repeat(3));
        for at in 0..token.len() + 3 {
            let line = format!("token {token}\n");
            // It lies across the end of the head, and across the start of the tail.
            let text = format!("{}{line}{}", "h\n".repeat(at), "t\n".repeat(60));
            let mut capture = Capture::default();
            capture.take(text.as_bytes());
            for limit in [20, 60, 100] {
                let masked = capture.ends(limit).masked(crate::secrets::mask).excerpt(usize::MAX);
                let excerpt = capture.captured().masked(crate::secrets::mask).excerpt(limit);
                let known = |text: &str| (6..=token.len()).any(|end| text.contains(&token[end - 6..end]));
                assert!(!known(&masked) && !known(&excerpt), "{at} {limit}: {masked:?} {excerpt:?}");
            }
        }
    }

    #[test]
    fn an_excerpt_is_bounded_and_cut_at_characters() {
        let output = captured(["é".repeat(1000).into_bytes()]);
        let excerpt = output.excerpt(101);
        assert_eq!(excerpt, format!("{0}\n[… 1900 bytes left out …]\n{0}", "é".repeat(25)));
    }
}
