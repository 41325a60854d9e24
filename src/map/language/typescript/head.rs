//! What a file begins with, read without the parser: comments, directives and imports of the usual forms.
//!
//! Imports are a tenth of the nodes of a typical file, and hardly any of them says anything that takes a grammar. What is read here is
//! exactly what the parser would give; reading stops before the first thing that is not of these forms, and the parser has the rest.

use rustc_hash::FxHashSet;

use crate::map::syntax::grammar::Grammar;
use crate::map::syntax::head::{Head, NodeKind};

/// Kinds and fields of what is read here.
pub(super) struct HeadKinds {
    comment: NodeKind,
    statement: NodeKind,
    string: NodeKind,
    semicolon: NodeKind,
    import: NodeKind,
    import_word: NodeKind,
    type_word: NodeKind,
    from_word: NodeKind,
    as_word: NodeKind,
    source: NodeKind,
    clause: NodeKind,
    namespace: NodeKind,
    star: NodeKind,
    named: NodeKind,
    open: NodeKind,
    close: NodeKind,
    comma: NodeKind,
    specifier: NodeKind,
    identifier: NodeKind,
    name: NodeKind,
    alias: NodeKind,
    /// Words of the language: as names some of them are read in ways of their own.
    words: FxHashSet<&'static str>,
}

impl HeadKinds {
    pub fn new(grammar: &Grammar) -> Self {
        Self {
            comment: grammar.node_kind("comment", None),
            statement: grammar.node_kind("expression_statement", None),
            string: grammar.node_kind("string", None),
            semicolon: grammar.token(";"),
            import: grammar.node_kind("import_statement", None),
            import_word: grammar.token("import"),
            type_word: grammar.token("type"),
            from_word: grammar.token("from"),
            as_word: grammar.token("as"),
            source: grammar.node_kind("string", Some("source")),
            clause: grammar.node_kind("import_clause", None),
            namespace: grammar.node_kind("namespace_import", None),
            star: grammar.token("*"),
            named: grammar.node_kind("named_imports", None),
            open: grammar.token("{"),
            close: grammar.token("}"),
            comma: grammar.token(","),
            specifier: grammar.node_kind("import_specifier", None),
            identifier: grammar.node_kind("identifier", None),
            name: grammar.node_kind("identifier", Some("name")),
            alias: grammar.node_kind("identifier", Some("alias")),
            words: grammar.words().collect(),
        }
    }

    /// Reads the head of `text` into `head`.
    pub fn read(&self, text: &str, head: &mut Head) {
        let mut reader = Reader { kinds: self, text: text.as_bytes(), at: 0, head };
        let (mut good, mut at, mut has_import) = (reader.head.mark(), 0, false);
        while let Some(item) = reader.item() {
            has_import |= item == Item::Import;
            // The rest must begin where nothing before it can still go on.
            if reader.ends_line() {
                (good, at) = (reader.head.mark(), reader.at);
            }
        }
        // A rest that begins like a script would be one to the parser.
        let is_script = reader.byte() == b'#';
        head.end_at(good, if has_import && !is_script { at } else { 0 });
    }
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Comment,
    Directive,
    Import,
}

/// One reading. Every method gives `None` where something else stands.
struct Reader<'r> {
    kinds: &'r HeadKinds,
    text: &'r [u8],
    at: usize,
    head: &'r mut Head,
}

impl Reader<'_> {
    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// Goes past the end of the line, if nothing else stands on it.
    fn ends_line(&mut self) -> bool {
        let blank = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        let ends = self.text.get(self.at + blank) == Some(&b'\n');
        if ends {
            self.at += blank + 1;
        }
        ends
    }

    fn item(&mut self) -> Option<Item> {
        self.skip_blank();
        match self.byte() {
            b'/' => self.comment().map(|()| Item::Comment),
            b'"' | b'\'' => {
                self.head.open(self.kinds.statement, self.at);
                self.string(self.kinds.string)?;
                self.end_statement()?;
                Some(Item::Directive)
            }
            b'i' => self.import().map(|()| Item::Import),
            _ => None,
        }
    }

    fn comment(&mut self) -> Option<()> {
        let rest = self.rest();
        let length = match rest.get(1)? {
            b'/' => rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len()),
            b'*' => memchr::memmem::find(rest.get(2..)?, b"*/")? + 4,
            _ => return None,
        };
        // Two rare characters end a line, too, and another one a comment.
        let mut pairs = memchr::memmem::find_iter(&rest[..length], b"\xe2\x80");
        let has_zero = memchr::memchr(0, &rest[..length]).is_some();
        if has_zero || pairs.any(|at| matches!(rest.get(at + 2), Some(0xa8 | 0xa9))) {
            return None;
        }
        self.head.comment(self.kinds.comment, self.at..self.at + length);
        self.at += length;
        Some(())
    }

    fn import(&mut self) -> Option<()> {
        let kinds = self.kinds;
        self.head.open(kinds.import, self.at);
        self.word(b"import", kinds.import_word)?;
        self.skip_blank();
        if !matches!(self.byte(), b'"' | b'\'') {
            if self.word(b"type", kinds.type_word).is_some() {
                self.skip_blank();
            }
            self.clause()?;
            self.skip_blank();
            self.word(b"from", kinds.from_word)?;
            self.skip_blank();
        }
        self.string(kinds.source)?;
        self.end_statement()
    }

    /// `a, { b, type c as d }` or `a, * as b`.
    fn clause(&mut self) -> Option<()> {
        let kinds = self.kinds;
        self.head.open(kinds.clause, self.at);
        if !matches!(self.byte(), b'{' | b'*') {
            self.name(kinds.identifier)?;
            self.skip_blank();
            if self.byte() != b',' {
                self.head.close();
                return Some(());
            }
            self.sign(kinds.comma);
            self.skip_blank();
        }
        match self.byte() {
            b'{' => self.named()?,
            b'*' => {
                self.head.open(kinds.namespace, self.at);
                self.sign(kinds.star);
                self.skip_blank();
                self.word(b"as", kinds.as_word)?;
                self.skip_blank();
                self.name(kinds.identifier)?;
                self.head.close();
            }
            _ => return None,
        }
        self.head.close();
        Some(())
    }

    fn named(&mut self) -> Option<()> {
        let kinds = self.kinds;
        self.head.open(kinds.named, self.at);
        self.sign(kinds.open);
        loop {
            self.skip_blank();
            if self.byte() == b'}' {
                break;
            }
            self.head.open(kinds.specifier, self.at);
            if self.word(b"type", kinds.type_word).is_some() {
                self.skip_blank();
            }
            self.name(kinds.name)?;
            self.skip_blank();
            if self.word(b"as", kinds.as_word).is_some() {
                self.skip_blank();
                self.name(kinds.alias)?;
                self.skip_blank();
            }
            self.head.close();
            match self.byte() {
                b',' => self.sign(kinds.comma),
                b'}' => {}
                _ => return None,
            }
        }
        self.sign(kinds.close);
        self.head.close();
        Some(())
    }

    fn sign(&mut self, kind: NodeKind) {
        self.head.leaf(kind, self.at..self.at + 1);
        self.at += 1;
    }

    /// The word `word` and no longer one.
    fn word(&mut self, word: &[u8], kind: NodeKind) -> Option<()> {
        let after = self.rest().strip_prefix(word)?.first().copied().unwrap_or_default();
        if is_part(after) {
            return None;
        }
        self.head.leaf(kind, self.at..self.at + word.len());
        self.at += word.len();
        Some(())
    }

    fn name(&mut self, kind: NodeKind) -> Option<()> {
        let length = self.rest().iter().take_while(|byte| is_part(**byte)).count();
        let name = std::str::from_utf8(self.rest().get(..length)?).ok().filter(|name| name.is_ascii())?;
        if !name.starts_with(|first: char| !first.is_ascii_digit()) || self.kinds.words.contains(name) {
            return None;
        }
        self.head.leaf(kind, self.at..self.at + length);
        self.at += length;
        Some(())
    }

    fn string(&mut self, kind: NodeKind) -> Option<()> {
        let quote = self.byte();
        let inside = self.rest().get(1..)?;
        let length = inside.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n' | b'\r'))?;
        if !matches!(quote, b'"' | b'\'') || inside[length] != quote {
            return None;
        }
        self.head.leaf(kind, self.at..self.at + length + 2);
        self.at += length + 2;
        Some(())
    }

    /// A semicolon, or the end of a line after which the statement cannot go on.
    fn end_statement(&mut self) -> Option<()> {
        if self.byte() == b';' {
            self.sign(self.kinds.semicolon);
        } else {
            let mut ahead = self.rest().iter().skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).peekable();
            ahead.next_if_eq(&&b'\n')?;
            let next: Vec<u8> = ahead.copied().skip_while(u8::is_ascii_whitespace).take(10).collect();
            let word: &[u8] = next.split(|byte| !is_part(*byte)).next()?;
            let goes_on = matches!(word, b"" | b"with" | b"assert" | b"as" | b"in" | b"instanceof" | b"satisfies");
            if goes_on || !word[0].is_ascii_alphabetic() {
                return None;
            }
        }
        self.head.close();
        Some(())
    }
}

/// Whether `byte` may stand in a name, or is of a character that may.
fn is_part(byte: u8) -> bool {
    matches!(byte, b'_' | b'$' | b'\\') || byte.is_ascii_alphanumeric() || byte >= 0x80
}
