//! Macro calls: their arguments are token trees to the grammar, so they are parsed again as what they most likely are.

use crate::map::syntax::Node;
use crate::repo_map::name::Name;

use super::items::is_test_attribute;
use super::walker::{Piece, Value, Walker, children, tokens};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;

/// How the arguments of a macro are to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    /// Expressions, then a format string and what it takes: how many expressions come first.
    Format(usize),
    /// `vec![a, b]`.
    List,
    /// An expression, then a pattern.
    Matches,
    /// Arms `pattern = future => handler`.
    Select,
    /// JSON with expressions in it.
    Json,
    /// Functions whose parameters are written `name in strategy`.
    Properties,
    /// `if #[cfg(…)] { … } else { … }`, each branch definitions or statements.
    Branches,
    /// Expressions if they parse so, else statements or definitions.
    Any,
}

fn arguments_of(name: &str) -> Arguments {
    match name {
        "format" | "print" | "println" | "eprint" | "eprintln" | "panic" | "todo" | "unimplemented" | "unreachable"
        | "format_args" | "bail" | "anyhow" | "eyre" | "trace" | "debug" | "info" | "warn" | "error" | "concat" => {
            Arguments::Format(0)
        }
        "write" | "writeln" | "assert" | "debug_assert" | "ensure" | "log" => Arguments::Format(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Arguments::Format(2),
        "vec" => Arguments::List,
        "matches" | "assert_matches" => Arguments::Matches,
        "select" | "select_biased" => Arguments::Select,
        "json" => Arguments::Json,
        "proptest" => Arguments::Properties,
        "cfg_if" | "cfg_match" => Arguments::Branches,
        _ => Arguments::Any,
    }
}

/// Whether macros of this name are read as taking expressions, so that their call may be parsed like that of a function.
pub(super) fn takes_expressions(name: &str) -> bool {
    match arguments_of(name) {
        Arguments::Format(_) => true,
        Arguments::Any => !makes_code(name),
        Arguments::List
        | Arguments::Matches
        | Arguments::Select
        | Arguments::Json
        | Arguments::Properties
        | Arguments::Branches => false,
    }
}

/// Whether macros of this name format or test something, so that they stand for no definitions.
pub(super) fn is_statement(name: &str) -> bool {
    matches!(arguments_of(name), Arguments::Format(_))
}

impl<'s> Walker<'s> {
    /// `name!(…)`.
    pub fn macro_invocation(&mut self, node: Node<'_>) -> Value {
        let Some(head) = node.child_by_field_name("macro") else { return Value::plain(Expr::Other) };
        let callee = self.path(head);
        let name_node = if head.kind() == "scoped_identifier" { head.child_by_field_name("name") } else { Some(head) };
        let line = self.line(name_node.unwrap_or(head));
        let index = self.push_call(node, callee, CallKind::Macro, line, None);
        let name = self.facts.calls[index as usize].name;
        let given = children(node).into_iter().rfind(|child| matches!(child.kind(), "arguments" | "token_tree"));
        let expr = match given {
            Some(list) if list.kind() == "arguments" => self.read_arguments(&name, list, index),
            Some(tree) => self.macro_arguments(&name, tree, index),
            None => return Value::call(index),
        };
        Value { expr: Some(expr.unwrap_or(Expr::Call(index))), sources: vec![index] }
    }

    /// Walks the arguments of macro call `index` that were parsed along with the file; gives the macro's value where it is more than
    /// "a call".
    fn read_arguments(&mut self, name: &str, list: Node<'_>, index: CallIndex) -> Option<Expr> {
        let nodes = children(list);
        let Arguments::Format(before) = arguments_of(name) else {
            self.expressions(&nodes, index);
            return None;
        };
        if nodes.is_empty() {
            return None;
        }
        self.formatted(&nodes, index, before).filter(|_| is_text(name))
    }

    /// Walks the arguments of macro call `index`, a token tree; gives the macro's value where it is more than "a call".
    fn macro_arguments(&mut self, name: &str, tree: Node<'_>, index: CallIndex) -> Option<Expr> {
        let start = self.span(tree).start as usize + 1;
        let end = (self.span(tree).end as usize).saturating_sub(1);
        let text = self.source.get(start..end)?;
        if text.trim().is_empty() {
            return (name == "vec").then(|| Expr::Array(Vec::new()));
        }
        let piece = Piece { start, row: self.row(tree), text };
        match arguments_of(name) {
            Arguments::Format(before) => {
                let cleaned = self.without_sigils(piece, tree);
                let piece = Piece { text: &cleaned, ..piece };
                let template = self.format_arguments(piece, index, before);
                template.filter(|_| is_text(name))
            }
            Arguments::List => self.reparsed(piece, "[", "\n];", |walker, root| {
                let array = first_of_kind(root, "array_expression")?;
                Some(walker.elements(children(array)).into_expr())
            }),
            Arguments::Matches => {
                self.matches_arguments(tree, index);
                None
            }
            Arguments::Select => {
                self.select_arms(tree);
                None
            }
            Arguments::Json => {
                let listed = self.json_as_lists(piece, tree);
                self.argument_list(Piece { text: &listed, ..piece }, index);
                None
            }
            Arguments::Properties => {
                let plain = self.without_strategies(piece, tree);
                self.statements(Piece { text: &plain, ..piece });
                None
            }
            Arguments::Branches => {
                self.cfg_branches(tree);
                None
            }
            Arguments::Any => {
                let read = self.argument_list(piece, index).or_else(|| self.statements(piece));
                if read.is_none() && !makes_code(name) {
                    self.blocks(tree);
                }
                None
            }
        }
    }

    /// Reads `piece` as comma-separated expressions: the arguments of call `index`.
    fn argument_list(&mut self, piece: Piece<'_>, index: CallIndex) -> Option<()> {
        self.reparsed(piece, "m(", "\n);", |walker, root| {
            walker.expressions(&children(first_of_kind(root, "arguments")?), index);
            Some(())
        })
    }

    /// Takes `nodes` as the arguments of call `index`.
    fn expressions(&mut self, nodes: &[Node<'_>], index: CallIndex) {
        let nodes = nodes.iter().copied().map(named_value).collect();
        let arguments = self.arguments(nodes, index);
        self.facts.calls[index as usize].arguments = arguments;
    }

    /// Reads `piece` as the arguments of a formatting macro; gives what it formats.
    fn format_arguments(&mut self, piece: Piece<'_>, index: CallIndex, before: usize) -> Option<Expr> {
        self.reparsed(piece, "m(", "\n);", |walker, root| {
            walker.formatted(&children(first_of_kind(root, "arguments")?), index, before)
        })
    }

    /// Takes `nodes` as the arguments of formatting macro call `index`; gives what it formats. Without a format string they are
    /// expressions, as in `assert!(a == b)`.
    fn formatted(&mut self, nodes: &[Node<'_>], index: CallIndex, before: usize) -> Option<Expr> {
        // Log macros put fields and a target before the message.
        let place = nodes.iter().position(|node| is_string(*node)).filter(|place| *place >= before);
        let Some(place) = place else {
            self.expressions(nodes, index);
            return None;
        };
        let content = self.string_content(nodes[place]);
        let names = nodes[place + 1..].iter().map(|node| self.argument_name(*node)).collect::<Vec<_>>();
        let values = nodes.iter().copied().map(named_value).collect();
        let mut arguments = self.arguments(values, index);
        let rest = arguments.split_off(arguments.len().min(place + 1));
        arguments.pop();
        let template = super::format::template(&content, &rest, &names);
        arguments.push(template.clone());
        self.facts.calls[index as usize].arguments = arguments;
        Some(template)
    }

    fn argument_name(&self, node: Node<'_>) -> Option<Name> {
        let left = node.child_by_field_name("left").filter(|_| node.kind() == "assignment_expression")?;
        Some(self.name(left))
    }

    /// `expression, pattern if guard`.
    fn matches_arguments(&mut self, tree: Node<'_>, index: CallIndex) {
        let parts = tokens(tree);
        let comma = parts.iter().position(|token| token.kind() == ",");
        let end = comma.unwrap_or(parts.len().saturating_sub(1));
        if let Some(piece) = self.piece_of(&parts[1.min(end)..end]) {
            self.argument_list(piece, index);
        }
        let guard = parts.iter().position(|token| token.kind() == "if");
        if let Some(guard) = guard.filter(|guard| *guard > end)
            && let Some(piece) = self.piece_of(&parts[guard + 1..parts.len() - 1])
        {
            self.statements(piece);
        }
    }

    /// Arms of `select!`: what stands between `=` and `=>`, and what follows it.
    fn select_arms(&mut self, tree: Node<'_>) {
        let parts = tokens(tree);
        let Some(inner) = parts.get(1..parts.len().saturating_sub(1)) else { return };
        let mut rest = inner;
        while let Some(arrow) = rest.iter().position(|token| token.kind() == "=>") {
            let (head, tail) = (&rest[..arrow], &rest[arrow + 1..]);
            let future = match head.iter().position(|token| token.kind() == "=") {
                Some(equals) => &head[equals + 1..],
                None => &[],
            };
            let condition = future.iter().position(|token| token.kind() == ",");
            let (future, condition) = match condition {
                Some(comma) => (
                    &future[..comma],
                    future[comma + 1..]
                        .iter()
                        .position(|token| token.kind() == "if")
                        .map(|at| &future[comma + 2 + at..]),
                ),
                None => (future, None),
            };
            for tokens in [Some(future), condition].into_iter().flatten() {
                if let Some(piece) = self.piece_of(tokens) {
                    self.statements(piece);
                }
            }
            let is_block =
                tail.first().is_some_and(|first| first.kind() == "token_tree" && self.text(*first).starts_with('{'));
            let end =
                if is_block { 1 } else { tail.iter().position(|token| token.kind() == ",").unwrap_or(tail.len()) };
            if let Some(piece) = self.piece_of(&tail[..end]) {
                self.branch();
                self.statements(piece);
            }
            rest = &tail[end..];
            if rest.first().is_some_and(|next| next.kind() == ",") {
                rest = &rest[1..];
            }
        }
    }

    /// Every branch of `cfg_if!`: which of them is compiled is not for us to say.
    fn cfg_branches(&mut self, tree: Node<'_>) {
        let outer = self.scope.test;
        for token in tokens(tree).into_iter().filter(|token| token.kind() == "token_tree") {
            let text = self.text(token);
            if let Some(attribute) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
                self.scope.test = outer || is_test_attribute(attribute);
                continue;
            }
            let Some(inside) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else { continue };
            let piece = Piece { start: self.span(token).start as usize + 1, row: self.row(token), text: inside };
            self.statements(piece);
            self.scope.test = outer;
        }
    }

    /// Reads the blocks of a macro with a syntax of its own: `db_run! { conn: { … } }`, `retry!(3 => { … })`.
    fn blocks(&mut self, tree: Node<'_>) {
        for token in tokens(tree).into_iter().filter(|token| token.kind() == "token_tree") {
            let inside = self.text(token).strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            if let Some(text) = inside {
                self.statements(Piece { start: self.span(token).start as usize + 1, row: self.row(token), text });
            }
        }
    }

    /// Reads `piece` as statements, or outside functions as definitions; `None` when it is neither.
    fn statements(&mut self, piece: Piece<'_>) -> Option<()> {
        if self.scope.function.is_none() && self.scope.members.is_none() {
            return self.reparsed(piece, "", "\n", |walker, root| {
                // Loose tokens parse as expressions; only definitions mean something out here.
                let defines = children(root).iter().all(|child| child.kind() != "expression_statement");
                if defines {
                    walker.items(root);
                }
                defines.then_some(())
            });
        }
        self.reparsed(piece, "fn f(){", "\n}", |walker, root| {
            let body = root.named_child(0)?.child_by_field_name("body")?;
            let value = walker.block(body);
            walker.mark(&value.sources, &Usage::Operand);
            Some(())
        })
    }

    /// The stretch of the file that `tokens` cover.
    fn piece_of(&self, tokens: &[Node<'_>]) -> Option<Piece<'s>> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let (start, end) = (self.span(*first).start as usize, self.span(*last).end as usize);
        Some(Piece { start, row: self.row(*first), text: self.source.get(start..end)? })
    }

    /// The text of `piece` with the `%` and `?` blanked that log macros put before a field's value.
    fn without_sigils(&self, piece: Piece<'_>, tree: Node<'_>) -> String {
        let mut bytes = piece.text.as_bytes().to_vec();
        let mut previous = "(";
        for token in tokens(tree) {
            let kind = token.kind();
            if matches!(kind, "%" | "?") && matches!(previous, "(" | "," | "=") {
                blank(&mut bytes, self.span(token).start as usize, piece.start, b' ');
            } else {
                previous = kind;
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| piece.text.to_owned())
    }

    /// The text of `piece` with the parameters of its functions blanked, which are no Rust.
    fn without_strategies(&self, piece: Piece<'_>, tree: Node<'_>) -> String {
        let mut bytes = piece.text.as_bytes().to_vec();
        let inside = tokens(tree);
        for window in inside.windows(3) {
            if window[0].kind() == "fn" && window[2].kind() == "token_tree" {
                let span = self.span(window[2]);
                for at in span.start as usize + 1..(span.end as usize).saturating_sub(1) {
                    if bytes.get(at - piece.start) != Some(&b'\n') {
                        blank(&mut bytes, at, piece.start, b' ');
                    }
                }
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| piece.text.to_owned())
    }

    /// The text of `piece` with the objects of JSON written as lists, which parse as expressions.
    fn json_as_lists(&self, piece: Piece<'_>, tree: Node<'_>) -> String {
        let mut bytes = piece.text.as_bytes().to_vec();
        let mut trees = vec![tree];
        while let Some(tree) = trees.pop() {
            let inside = tokens(tree);
            let is_object = self.text(tree).starts_with('{');
            let mut previous = "(";
            for token in inside {
                let kind = token.kind();
                if kind == ":" && is_object {
                    blank(&mut bytes, self.span(token).start as usize, piece.start, b',');
                }
                let opens = matches!(previous, "(" | "{" | "[" | ":" | ",") && kind == "token_tree";
                let text = self.text(token);
                if opens && text.starts_with('{') {
                    let span = self.span(token);
                    blank(&mut bytes, span.start as usize, piece.start, b'[');
                    blank(&mut bytes, span.end as usize - 1, piece.start, b']');
                }
                if opens && !text.starts_with('(') {
                    trees.push(token);
                }
                previous = kind;
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| piece.text.to_owned())
    }
}

/// Macros whose value is the text they format.
fn is_text(name: &str) -> bool {
    matches!(name, "format" | "format_args")
}

/// Macros whose blocks are code that is made, not run.
fn makes_code(name: &str) -> bool {
    name.starts_with("quote")
        || name.starts_with("parse_quote")
        || matches!(name, "html" | "view" | "rsx" | "macro_rules")
}

/// Writes `with` over one ASCII byte of a piece that begins at `base`.
fn blank(bytes: &mut [u8], at: usize, base: usize, with: u8) {
    if let Some(byte) = at.checked_sub(base).and_then(|index| bytes.get_mut(index)) {
        *byte = with;
    }
}

/// The value of an argument that may be named: `width = f()`.
fn named_value(node: Node<'_>) -> Node<'_> {
    if node.kind() == "assignment_expression" { node.child_by_field_name("right").unwrap_or(node) } else { node }
}

fn is_string(node: Node<'_>) -> bool {
    matches!(node.kind(), "string_literal" | "raw_string_literal")
}

/// The first node of `kind` on the way down the first children of the statement that was put around a piece. It stands at the top
/// level, since most pieces are short and a function around them would be as much to parse as they are.
fn first_of_kind<'t>(root: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut node = root.named_child(0)?.named_child(0)?;
    for _ in 0..3 {
        if node.kind() == kind {
            return Some(node);
        }
        node = node.child_by_field_name("arguments").or_else(|| node.named_child(0))?;
    }
    (node.kind() == kind).then_some(node)
}
