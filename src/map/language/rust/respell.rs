//! Macro calls respelt as function calls before a file is parsed: `assert!(a == b)` as `assert (a == b)`.
//!
//! To the grammar what a macro takes are loose tokens, and reading them as expressions takes a parse of its own. Most macros take
//! expressions, though, and with the `!` blanked the parser reads those along with everything else. The flat tree gives the `!` back,
//! so nothing past the parser sees the difference. Only calls whose arguments look like expressions are respelt; if the file then does
//! not parse whole, it is parsed again as it stands, so a wrong guess costs time and nothing else.

use super::macros::{is_statement, takes_expressions};

/// Open brackets that are followed into. Our choice: a few times what people write.
const MAX_OPEN: usize = 64;

/// `text` with the `!` of macro calls that take expressions blanked; `None` when there are none.
pub(super) fn as_calls(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut blanks = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'!', bytes.get(from..).unwrap_or_default()).map(|at| from + at) {
        from = at + 1;
        if bytes.get(from) == Some(&b'(') && macro_takes_expressions(bytes, at) && !may_be_item(bytes, at) {
            let mut arguments = Arguments::new(bytes, at);
            arguments.read();
            from = arguments.at;
            blanks.append(&mut arguments.blanks);
        }
    }
    if blanks.is_empty() {
        return None;
    }
    let mut respelt = bytes.to_vec();
    for at in blanks {
        respelt[at] = b' ';
    }
    Some(respelt)
}

/// Whether the name that ends at the `!` at `bang` is one of a macro that takes expressions.
fn macro_takes_expressions(bytes: &[u8], bang: usize) -> bool {
    let start = bytes[..bang].iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    let name = std::str::from_utf8(&bytes[start..bang]).unwrap_or_default();
    let before = start.checked_sub(1).map(|at| bytes[at]);
    !name.is_empty() && !matches!(before, Some(b'$' | b'#' | b'\'')) && takes_expressions(name)
}

/// Whether the call whose `!` is at `bang` may stand for definitions in a module or an `impl`, where no call of a function may stand.
/// Where a line begins that is indented once nothing near by tells that from a statement of a function.
fn may_be_item(bytes: &[u8], bang: usize) -> bool {
    // Only the name and what it is indented by are looked at: a line may be a megabyte long.
    let start = |end: usize, within: fn(u8) -> bool| {
        bytes[..end].iter().rposition(|byte| !within(*byte)).map_or(0, |at| at + 1)
    };
    let path = start(bang, |byte| is_word(byte) || byte == b':');
    let line = start(path, |byte| matches!(byte, b' ' | b'\t'));
    let indent = &bytes[line..path];
    let begins = line == 0 || bytes[line - 1] == b'\n';
    let name = &bytes[start(bang, is_word)..bang];
    let is_known = std::str::from_utf8(name).is_ok_and(is_statement);
    begins && !is_known && (indent == b"\t" || (1..=4).contains(&indent.len()))
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// What the last token was, as far as it tells whether the next may stand in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A bracket or comma: an argument begins.
    Begin,
    /// `=`.
    Equals,
    /// A word after which another may stand: `mut`, `as`, `return`.
    Prefix,
    /// Any other word.
    Word,
    /// Anything else.
    Other,
}

/// A bracket that is open.
struct Open {
    /// The bracket.
    byte: u8,
    /// The `!` before it, of a macro call that may be respelt.
    bang: Option<usize>,
    /// Within the bars of a closure's parameters.
    in_bars: bool,
}

/// One reading of the arguments of a macro call, and of the calls in them.
struct Arguments<'s> {
    bytes: &'s [u8],
    at: usize,
    open: Vec<Open>,
    last: Last,
    blanks: Vec<usize>,
}

impl<'s> Arguments<'s> {
    /// The arguments after the `!` at `bang`, unread.
    fn new(bytes: &'s [u8], bang: usize) -> Self {
        let first = Open { byte: b'(', bang: Some(bang), in_bars: false };
        Self { bytes, at: bang + 2, open: vec![first], last: Last::Begin, blanks: Vec::new() }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// The calls around us take something else than expressions: in a macro called in another one, only that.
    fn reject(&mut self) {
        if let Some(open) = self.open.iter_mut().rev().find(|open| open.bang.is_some()) {
            open.bang = None;
        }
    }

    /// Reads up to the bracket that closes the first one.
    fn read(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.token(byte).is_none() {
                return;
            }
        }
    }

    /// Reads one token; `None` when the first bracket is closed, or too many are open.
    fn token(&mut self, byte: u8) -> Option<()> {
        let &Open { byte: innermost, in_bars, .. } = self.open.last()?;
        let in_block = innermost == b'{';
        let begins = matches!(self.last, Last::Begin | Last::Equals);
        let mut last = Last::Other;
        let mut length = 1;
        match byte {
            b' ' | b'\n' | b'\t' | b'\r' => last = self.last,
            b'/' if self.byte(1) == b'/' => {
                length = memchr::memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at);
                last = self.last;
            }
            b'/' if self.byte(1) == b'*' => {
                length = block_comment(&self.bytes[self.at..]);
                last = self.last;
            }
            b'"' => length = string(&self.bytes[self.at..]),
            b'\'' => match character(&self.bytes[self.at..]) {
                Some(found) => length = found,
                None => {
                    // A lifetime: its name is not a word of its own.
                    length = 1 + self.bytes[self.at + 1..].iter().take_while(|byte| is_word(**byte)).count();
                    if begins && !in_block {
                        self.reject();
                    }
                }
            },
            b'(' | b'[' | b'{' => {
                if self.open.len() >= MAX_OPEN {
                    return None;
                }
                self.open.push(Open { byte, bang: None, in_bars: false });
                last = Last::Begin;
            }
            b')' | b']' | b'}' => {
                if let Some(bang) = self.open.pop().and_then(|open| open.bang) {
                    self.blanks.push(bang);
                }
                self.at += 1;
                self.last = Last::Other;
                return (!self.open.is_empty()).then_some(());
            }
            b',' => last = Last::Begin,
            b'|' => {
                if self.byte(1) == b'|' {
                    length = 2;
                } else if in_bars || matches!(self.last, Last::Begin | Last::Equals | Last::Prefix) {
                    self.open.last_mut()?.in_bars = !in_bars;
                }
            }
            b'=' if self.byte(1) == b'>' => {
                length = 2;
                last = Last::Begin;
                if !in_block {
                    self.reject();
                }
            }
            b'=' => last = Last::Equals,
            b':' if self.byte(1) == b':' => length = 2,
            b':' if !in_block && !in_bars => self.reject(),
            b';' if innermost == b'(' => self.reject(),
            b'#' | b'@' if !in_block => self.reject(),
            b'$' => self.reject(),
            b'?' | b'%' if begins => self.reject(),
            b'-' if self.byte(1) == b'>' => length = 2,
            b'>' if !in_block && !in_bars && matches!(self.byte(1), b',' | b')') => self.reject(),
            _ if is_word(byte) => (length, last) = self.word(in_block || in_bars),
            _ => {}
        }
        self.at += length;
        self.last = last;
        Some(())
    }

    /// Reads a word, or the raw string or macro call that it begins; gives its length and what it is to the next token.
    /// Where it `is_free`, anything may stand.
    fn word(&mut self, is_free: bool) -> (usize, Last) {
        let bytes = &self.bytes[self.at..];
        let length = bytes.iter().take_while(|byte| is_word(**byte)).count();
        let word = &bytes[..length];
        if matches!(word, b"r" | b"br" | b"cr")
            && let Some(raw) = raw_string(&bytes[length..])
        {
            return (length + raw, Last::Other);
        }
        let is_strange = match self.last {
            Last::Begin | Last::Equals => {
                matches!(
                    word,
                    b"fn"
                        | b"pub"
                        | b"struct"
                        | b"enum"
                        | b"impl"
                        | b"let"
                        | b"use"
                        | b"mod"
                        | b"trait"
                        | b"type"
                        | b"static"
                        | b"const"
                        | b"where"
                        | b"dyn"
                        | b"mut"
                        | b"_"
                )
            }
            Last::Word => !matches!(word, b"as" | b"else" | b"in"),
            Last::Prefix | Last::Other => false,
        };
        if is_strange && !is_free {
            self.reject();
        }
        if bytes.get(length) == Some(&b'!')
            && bytes.get(length + 1) == Some(&b'(')
            && self.open.len() < MAX_OPEN
            && macro_takes_expressions(self.bytes, self.at + length)
        {
            self.open.push(Open { byte: b'(', bang: Some(self.at + length), in_bars: false });
            return (length + 2, Last::Begin);
        }
        let is_prefix = matches!(
            word,
            b"mut"
                | b"ref"
                | b"as"
                | b"return"
                | b"break"
                | b"if"
                | b"else"
                | b"match"
                | b"while"
                | b"for"
                | b"in"
                | b"loop"
                | b"async"
                | b"unsafe"
                | b"move"
                | b"dyn"
                | b"impl"
                | b"await"
                | b"yield"
                | b"const"
        );
        (length, if is_prefix { Last::Prefix } else { Last::Word })
    }
}

/// Length of the string that `bytes` begin with.
fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// Length of the raw string that `bytes` begin with after its `r`.
fn raw_string(bytes: &[u8]) -> Option<usize> {
    let hashes = bytes.iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut at = hashes + 1;
    while let Some(found) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        if bytes[at..].iter().take(hashes).take_while(|byte| **byte == b'#').count() == hashes {
            return Some(at + hashes);
        }
    }
    Some(bytes.len())
}

/// Length of the character that `bytes` begin with; `None` when it is a lifetime.
fn character(bytes: &[u8]) -> Option<usize> {
    if bytes.get(1) == Some(&b'\\') {
        let end = memchr::memchr(b'\'', bytes.get(3..).unwrap_or_default())?;
        return Some(3 + end + 1);
    }
    // One character of any width, then the quote.
    let width = 1 + bytes.get(2..)?.iter().take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    (bytes.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// Length of the block comment that `bytes` begin with.
fn block_comment(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while let Some(found) = memchr::memchr2(b'/', b'*', bytes.get(at..).unwrap_or_default()) {
        let pair = bytes.get(at + found..at + found + 2).unwrap_or_default();
        at += found + 1;
        match pair {
            b"*/" => depth -= 1,
            b"/*" => depth += 1,
            _ => continue,
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respelt(text: &str) -> String {
        as_calls(text).map_or_else(|| text.to_owned(), |bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn calls_that_take_expressions_are_respelt() {
        for (text, expected) in [
            ("assert!(a == b)", "assert (a == b)"),
            ("log::info!(\"{} :;=> $\", x)", "log::info (\"{} :;=> $\", x)"),
            (
                "check!(name, |dir: Dir, mut cmd: Cmd| { let x: u8 = 1; })",
                "check (name, |dir: Dir, mut cmd: Cmd| { let x: u8 = 1; })",
            ),
            ("outer!(match x { A => inner!(b) })", "outer (match x { A => inner (b) })"),
            ("write!(f, r#\"\"\"#, '\"', b'\\'', 'é')", "write (f, r#\"\"\"#, '\"', b'\\'', 'é')"),
            ("t!([0; 4], x as _, a::<b>(c))", "t ([0; 4], x as _, a::<b>(c))"),
            ("t!(/* ; /* : */ */ a, // =>\n b)", "t (/* ; /* : */ */ a, // =>\n b)"),
        ] {
            assert_eq!(respelt(text), expected);
        }
    }

    #[test]
    fn calls_that_take_something_else_are_not() {
        for text in [
            "matches!(x, A | B)",
            "select!(a = b => c)",
            "vec![a]",
            "map!(a => b)",
            "info!(?x, %y)",
            "info!(target: \"a\", \"b\")",
            "items!(pub fn f() {})",
            "t!(Vec<u8>, u8)",
            "t!(a; b)",
            "t!(#[a] b)",
            "t!('a, b)",
            "macro_rules! m { ($x:expr) => { assert!($x) } }",
            "a != (b)",
            "!(a)",
            "t!(never closed",
            "t!(\"never closed",
        ] {
            assert_eq!(respelt(text), text);
        }
    }

    #[test]
    fn what_may_stand_for_definitions_is_not() {
        for text in ["mod m {\n    items!(a);\n}", "impl T {\n\tcrate::items!(a);\n}", " items!(a)"] {
            assert_eq!(respelt(text), text);
        }
        for (text, expected) in [
            ("test!(a, |b| { c!(b) });", "test (a, |b| { c (b) });"),
            ("fn f() {\n    std::assert!(a);\n}", "fn f() {\n    std::assert (a);\n}"),
            ("fn f() {\n    let b = t!(a);\n}", "fn f() {\n    let b = t (a);\n}"),
            ("impl T {\n    fn f() {\n        t!(a);\n    }\n}", "impl T {\n    fn f() {\n        t (a);\n    }\n}"),
        ] {
            assert_eq!(respelt(text), expected);
        }
    }

    #[test]
    fn a_call_in_one_that_is_not_respelt_may_be() {
        assert_eq!(respelt("map!(a => check!(b))"), "map!(a => check (b))");
    }
}
