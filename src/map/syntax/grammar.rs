//! Grammars: what the kinds and fields of a language's nodes are called, and what is read without the parser.

use super::Node;
use super::head::{Head, NodeKind};

/// A grammar with its names looked up once.
pub struct Grammar {
    pub(super) language: &'static tree_sitter::Language,
    kinds: Vec<KindName>,
    fields: Vec<&'static str>,
    pub(super) respelling: Option<Respelling>,
    pub(super) head: Option<ReadHead>,
    /// The kind of comments, when texts are made compact.
    pub(super) comment: Option<u16>,
}

/// Reads what a text begins with, as far as it can.
type ReadHead = Box<dyn Fn(&str, &mut Head) + Send + Sync>;

/// Macro calls are parsed as calls of functions where they take the same, and laid flat as what they are.
#[derive(Clone, Copy)]
pub(super) struct Respelling {
    /// The text with the `!` of such calls blanked, if there are any.
    pub respell: fn(&str) -> Option<Vec<u8>>,
    pub call: u16,
    pub macro_call: u16,
    pub bang: u16,
    pub macro_field: u8,
}

#[derive(Clone, Copy)]
pub(super) struct KindName {
    pub name: &'static str,
    pub named: bool,
    /// Comments and the like, which may stand anywhere.
    pub may_be_extra: bool,
    /// Children of it may stand in a field.
    pub has_fields: bool,
    /// Laid flat without its parts.
    pub is_whole: bool,
    /// Loose tokens: what a macro takes.
    pub is_loose: bool,
    /// What stands between its parts is text, and never a comment.
    pub holds_text: bool,
}

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
                    holds_text: false,
                }
            })
            .collect();
        let fields =
            (0..=language.field_count() as u16).map(|id| language.field_name_for_id(id).unwrap_or_default()).collect();
        Self { language, kinds, fields, respelling: None, head: None, comment: None }
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
            macro_field: self.field_id(Some("macro")),
        });
        self
    }

    /// The same grammar, with the head of a file read by `read`. A rest that does not parse whole is parsed along with its head.
    pub fn with_head(mut self, read: impl Fn(&str, &mut Head) + Send + Sync + 'static) -> Self {
        self.head = Some(Box::new(read));
        self
    }

    /// The same grammar, its texts parsed without indentation and comments that stand alone. `texts` are kinds that hold text between
    /// their parts. A text that does not parse whole that way is parsed as it stands.
    pub fn compacted(mut self, texts: &[&str]) -> Self {
        self.comment = Some(self.language.id_for_node_kind("comment", true));
        for kind in &mut self.kinds {
            kind.holds_text = texts.contains(&kind.name);
        }
        self
    }

    /// The named kind `name`, in `field` or in none.
    pub fn node_kind(&self, name: &str, field: Option<&str>) -> NodeKind {
        NodeKind { kind: self.language.id_for_node_kind(name, true), field: self.field_id(field) }
    }

    /// The word or sign `token`.
    pub fn token(&self, token: &str) -> NodeKind {
        NodeKind { kind: self.language.id_for_node_kind(token, false), field: 0 }
    }

    /// Words of the language.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let words = self.kinds.iter().filter(|kind| !kind.named).map(|kind| kind.name);
        words.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()))
    }

    fn field_id(&self, name: Option<&str>) -> u8 {
        name.and_then(|name| self.language.field_id_for_name(name)).map_or(0, |field| field.get() as u8)
    }

    /// Name of the field with this number.
    #[inline]
    pub(super) fn field(&self, id: u8) -> Option<&'static str> {
        if id == 0 { None } else { self.fields.get(id as usize).copied() }
    }

    #[inline]
    pub(super) fn kind(&self, id: u16) -> KindName {
        let unreadable = KindName {
            name: "ERROR",
            named: true,
            may_be_extra: true,
            has_fields: true,
            is_whole: false,
            is_loose: false,
            holds_text: false,
        };
        self.kinds.get(id as usize).copied().unwrap_or(unreadable)
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
    #[inline]
    pub fn of(&self, node: Node<'_>) -> T {
        self.values.get(node.flat().kind as usize).copied().unwrap_or(self.error)
    }
}
