//! Expressions, cut down to [`Expr`].

use std::borrow::Cow;

use crate::map::syntax::Node;
use crate::repo_map::name::Name;

use super::super::shared::{cap, fold, literal};
use super::prefix;
use super::walk::{Walker, is_function};
use crate::repo_map::expr::{Expr, TemplatePart};

/// Entries of an array or object literal that are kept. Our choice: longer ones are data tables.
const MAX_ENTRIES: usize = 256;

impl<'t> Walker<'t> {
    /// `node` as a small tree.
    pub fn expr(&mut self, node: Node<'t>) -> Expr {
        self.expr_at(node, 0)
    }

    fn expr_at(&mut self, node: Node<'t>, depth: usize) -> Expr {
        if depth >= Expr::MAX_DEPTH {
            return Expr::Other;
        }
        match node.kind() {
            "identifier" | "shorthand_property_identifier" | "type_identifier" => Expr::Name(self.text(node).into()),
            "this" => Expr::This,
            "super" => Expr::Super,
            "member_expression" | "nested_identifier" => self.member(node, depth),
            "subscript_expression" => {
                let object = self.field_expr(node, "object", depth);
                match self.field_expr(node, "index", depth) {
                    Expr::Text(name) if is_identifier(&name) => Expr::Member(Box::new(object), name),
                    index => Expr::Index(Box::new(object), Box::new(index)),
                }
            }
            "call_expression" => {
                let call = Expr::Call(self.call_slot(node));
                prefix::of_chain(node).into_iter().rev().fold(call, |value, word| {
                    match word.child(0).map(|first| first.kind()) {
                        Some("await") => Expr::Await(Box::new(value)),
                        operator => Expr::Unary(operator.unwrap_or_default().into(), Box::new(value)),
                    }
                })
            }
            "new_expression" => Expr::Call(self.call_slot(node)),
            "jsx_element" | "jsx_self_closing_element" => match self.component(node) {
                Some(_) => Expr::Call(self.call_slot(node)),
                None => Expr::Other,
            },
            "await_expression" => Expr::Await(Box::new(self.only_child(node, depth))),
            "string" => Expr::Text(literal(&string_content(self.text(node)))),
            "template_string" => self.template(node, depth),
            "number" => Expr::Number(self.text(node).into()),
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" | "undefined" => Expr::Nothing,
            "array" => {
                let items: Vec<_> = self.named(node).collect();
                Expr::Array(items.into_iter().take(MAX_ENTRIES).map(|item| self.expr_at(item, depth + 1)).collect())
            }
            "object" => self.object(node, depth),
            _ if is_function(node) => self.function_expr(node),
            "regex" => {
                let pattern = node.child_by_field_name("pattern").map_or("", |pattern| self.text(pattern));
                Expr::Regex(cap(pattern, Expr::MAX_TEXT).into())
            }
            "binary_expression" => {
                let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind()).to_owned();
                let left = self.field_expr(node, "left", depth);
                let right = self.field_expr(node, "right", depth);
                Expr::Binary(operator.into(), Box::new(left), Box::new(right))
            }
            "unary_expression" => {
                let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind());
                let argument = self.field_expr(node, "argument", depth);
                match argument {
                    Expr::Number(digits) if operator == "-" => Expr::Number(format!("-{digits}").into()),
                    argument if operator == "void" && argument == Expr::Number("0".into()) => Expr::Nothing,
                    argument => Expr::Unary(operator.into(), Box::new(argument)),
                }
            }
            "update_expression" => {
                let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind()).to_owned();
                Expr::Unary(operator.into(), Box::new(self.field_expr(node, "argument", depth)))
            }
            "yield_expression" => Expr::Unary("yield".into(), Box::new(self.only_child(node, depth))),
            "as_expression" | "satisfies_expression" => self.cast(node, depth),
            "type_assertion" => {
                let children: Vec<_> = self.named(node).collect();
                match children.as_slice() {
                    [kind, value] => {
                        let kind = fold(self.text(*kind).trim_start_matches('<').trim_end_matches('>'));
                        Expr::Unary(format!("as {}", cap(&kind, 120)).into(), Box::new(self.expr_at(*value, depth + 1)))
                    }
                    _ => Expr::Other,
                }
            }
            // Neither changes the value, and `!` already means negation.
            "non_null_expression"
            | "parenthesized_expression"
            | "instantiation_expression"
            | "expression_statement" => match self.named(node).next() {
                Some(inner) => self.expr_at(inner, depth + 1),
                None => Expr::Other,
            },
            "ternary_expression" => {
                let yes = self.field_expr(node, "consequence", depth);
                let no = self.field_expr(node, "alternative", depth);
                Expr::Either(vec![yes, no])
            }
            "sequence_expression" => match self.named(node).last() {
                Some(last) => self.expr_at(last, depth + 1),
                None => Expr::Other,
            },
            "assignment_expression" => self.field_expr(node, "right", depth),
            "spread_element" => Expr::Spread(Box::new(self.only_child(node, depth))),
            "jsx_expression" => match self.named(node).next() {
                Some(inner) => self.expr_at(inner, depth),
                None => Expr::Nothing,
            },
            "meta_property" => Expr::Name(self.text(node).into()),
            "import" => Expr::Name("import".into()),
            _ => Expr::Other,
        }
    }

    fn field_expr(&mut self, node: Node<'t>, field: &str, depth: usize) -> Expr {
        node.child_by_field_name(field).map_or(Expr::Other, |child| self.expr_at(child, depth + 1))
    }

    fn only_child(&mut self, node: Node<'t>, depth: usize) -> Expr {
        self.named(node).next().map_or(Expr::Other, |child| self.expr_at(child, depth + 1))
    }

    fn member(&mut self, node: Node<'t>, depth: usize) -> Expr {
        let Some(property) = node.child_by_field_name("property") else { return Expr::Other };
        let name = self.text(property).to_owned();
        let object = self.field_expr(node, "object", depth);
        Expr::Member(Box::new(object), name.into())
    }

    /// `value as Type`: the operator keeps the type, since it says what the value is.
    fn cast(&mut self, node: Node<'t>, depth: usize) -> Expr {
        let children: Vec<_> = self.named(node).collect();
        let Some(&value) = children.first() else { return Expr::Other };
        let word = if node.kind() == "as_expression" { "as" } else { "satisfies" };
        let kind = children.get(1).map_or("const".to_owned(), |kind| fold(self.text(*kind)));
        Expr::Unary(format!("{word} {}", cap(&kind, 120)).into(), Box::new(self.expr_at(value, depth + 1)))
    }

    fn template(&mut self, node: Node<'t>, depth: usize) -> Expr {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut holes = false;
        for child in self.named(node) {
            if child.kind() == "template_substitution" {
                holes = true;
                if !text.is_empty() {
                    parts.push(TemplatePart::Text(literal(&std::mem::take(&mut text))));
                }
                let hole = self.only_child(child, depth);
                parts.push(TemplatePart::Hole(hole));
            } else {
                text.push_str(self.text(child));
            }
            if parts.len() >= MAX_ENTRIES {
                break;
            }
        }
        if !holes {
            return Expr::Text(literal(&text));
        }
        if !text.is_empty() {
            parts.push(TemplatePart::Text(literal(&text)));
        }
        Expr::Template(parts)
    }

    fn object(&mut self, node: Node<'t>, depth: usize) -> Expr {
        let mut entries = Vec::new();
        for entry in self.named(node).take(MAX_ENTRIES) {
            match entry.kind() {
                "pair" => {
                    let key = entry.child_by_field_name("key").map(|key| self.key(key)).unwrap_or_default();
                    let value = self.field_expr(entry, "value", depth);
                    entries.push((key, value));
                }
                "method_definition" => {
                    let key = entry.child_by_field_name("name").map(|key| self.key(key)).unwrap_or_default();
                    let value = self.function_expr(entry);
                    entries.push((key, value));
                }
                "shorthand_property_identifier" => {
                    let name = self.text(entry).into();
                    entries.push((name, Expr::Name(name)));
                }
                "spread_element" => {
                    let value = self.only_child(entry, depth);
                    entries.push(("...".into(), value));
                }
                _ => {}
            }
        }
        Expr::Object(entries)
    }

    /// A property name: quotes taken off, computed ones as written.
    pub fn key(&self, node: Node<'t>) -> Name {
        match node.kind() {
            "string" => literal(&string_content(self.text(node))),
            "computed_property_name" => match node.named_child(0) {
                Some(inner) if inner.kind() == "string" => literal(&string_content(self.text(inner))),
                _ => cap(&fold(self.text(node)), 80).into(),
            },
            _ => self.text(node).into(),
        }
    }

    /// A function written in place: named when it became a symbol, else its region.
    fn function_expr(&mut self, node: Node<'t>) -> Expr {
        let is_async = self.is_async(node);
        match self.symbol_of.get(&node.id()) {
            Some(&symbol) => Expr::Function { region: None, symbol: Some(symbol), is_async },
            None => Expr::Function { region: Some(self.region_slot(node)), symbol: None, is_async },
        }
    }

    /// Whether `async` was written before the function.
    pub fn is_async(&mut self, node: Node<'t>) -> bool {
        node.children().take(6).any(|child| child.kind() == "async")
    }
}

/// The content of a quoted string, the common escapes read.
pub(super) fn string_content(quoted: &str) -> Cow<'_, str> {
    let inner = quoted
        .strip_prefix(['"', '\'', '`'])
        .map_or(quoted, |rest| rest.strip_suffix(['"', '\'', '`']).unwrap_or(rest));
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut content = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            content.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => content.push('\n'),
            Some('t') => content.push('\t'),
            Some('r') => content.push('\r'),
            Some(other @ ('u' | 'x' | '0')) => {
                content.push('\\');
                content.push(other);
            }
            Some(other) => content.push(other),
            None => {}
        }
    }
    content.into()
}

/// Whether `text` could be written after a dot.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_' || first == '$')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
}
