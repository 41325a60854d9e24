//! Expressions and statements: what they evaluate to, and the facts met on the way.

use crate::map::syntax::Node;

use super::items::Preamble;
use super::patterns::Bound;
use super::walker::{MAX_ELEMENTS, Value, Walker, children};
use crate::map::language::shared::literal;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

impl Walker<'_> {
    /// Walks one statement (or an expression in its place) whose value nobody takes.
    pub fn statement(&mut self, node: Node<'_>) {
        match node.kind() {
            "let_declaration" => self.let_declaration(node),
            "expression_statement" => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.mark(&value.sources, &Usage::Discarded);
                }
            }
            _ => {
                let value = self.expression(node);
                self.mark(&value.sources, &Usage::Discarded);
            }
        }
    }

    /// Walks `{ … }` and gives the value of its tail.
    pub fn block(&mut self, node: Node<'_>) -> Value {
        self.nested(|walker| {
            let outer = walker.scope.statement;
            let test = walker.scope.test;
            let block = walker.next_block();
            let mut preamble = Preamble::default();
            let mut tail = Value::default();
            let nodes: Vec<Node<'_>> = node.named_children().filter(|child| child.kind() != "label").collect();
            let last = nodes.iter().rposition(|child| !super::walker::is_comment(*child));
            let mut index = 0;
            for (position, child) in nodes.iter().copied().enumerate() {
                walker.scope.statement = StatementRef { block, index };
                if walker.collect_preamble(child, &mut preamble) {
                    continue;
                }
                index += 1;
                if Some(position) == last && walker.is_tail(child) {
                    let inner = if child.kind() == "expression_statement" { child.named_child(0) } else { Some(child) };
                    tail = inner.map(|inner| walker.expression(inner)).unwrap_or_default();
                } else {
                    walker.item(child, std::mem::take(&mut preamble));
                }
            }
            walker.scope.statement = outer;
            walker.scope.test = test;
            tail
        })
    }

    /// Whether the last node of a block is its value.
    fn is_tail(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "let_declaration" | "empty_statement" | "ERROR" => false,
            "expression_statement" => !self.text(node).ends_with(';'),
            kind => !kind.ends_with("_item") && !kind.ends_with("_declaration") && kind != "macro_definition",
        }
    }

    fn let_declaration(&mut self, node: Node<'_>) {
        let Some(pattern) = node.child_by_field_name("pattern") else { return };
        let declared_type = node.child_by_field_name("type").map(|declared| self.folded(declared));
        let value = node.child_by_field_name("value").map(|value| self.expression(value));
        let value = value.map(|value| {
            let usage = match pattern.kind() {
                "identifier" => Usage::Bound(self.name(pattern)),
                "mut_pattern" => {
                    Usage::Bound(self.pattern_names(pattern).first().map(|found| found.name).unwrap_or_default())
                }
                _ if self.text(pattern) == "_" => Usage::Ignored,
                _ => Usage::Bound(Name::default()),
            };
            self.used(value, usage)
        });
        let mutable = children(node).iter().any(|child| child.kind() == "mutable_specifier");
        let kind = if mutable { BindingKind::Variable } else { BindingKind::Constant };
        self.bind(pattern, node, &Bound { kind, declared_type, value: value.as_ref(), before: None });
        if let Some(alternative) = node.child_by_field_name("alternative") {
            let line = self.line(alternative);
            self.branch();
            self.in_region(RegionKind::Branch, alternative, line, |walker, _| {
                let value = walker.block(alternative);
                walker.mark(&value.sources, &Usage::Operand);
            });
        }
    }

    /// Walks an expression and gives its value.
    pub fn expression(&mut self, node: Node<'_>) -> Value {
        self.nested(|walker| walker.expression_of_kind(node))
    }

    fn expression_of_kind(&mut self, node: Node<'_>) -> Value {
        match node.kind() {
            "identifier" | "type_identifier" | "metavariable" => {
                let name = self.name(node);
                Value::plain(if name == "None" { Expr::Nothing } else { Expr::Name(name) })
            }
            "self" => Value::plain(Expr::This),
            "super" | "crate" => Value::plain(Expr::Name(self.text(node).into())),
            "scoped_identifier" | "scoped_type_identifier" | "generic_function" => Value::plain(self.path(node)),
            "call_expression" | "field_expression" | "try_expression" | "await_expression" | "index_expression" => {
                self.chain(node)
            }
            "macro_invocation" => self.macro_invocation(node),
            "string_literal" | "raw_string_literal" => Value::plain(self.string(node)),
            "char_literal" => Value::plain(Expr::Text(self.text(node).trim_matches('\'').into())),
            "integer_literal" | "float_literal" | "negative_literal" => {
                Value::plain(Expr::Number(self.text(node).into()))
            }
            "boolean_literal" => Value::plain(Expr::Bool(self.text(node) == "true")),
            "unit_expression" => Value::plain(Expr::Nothing),
            "parenthesized_expression" => match children(node).first() {
                Some(inner) => self.expression(*inner),
                None => Value::plain(Expr::Nothing),
            },
            "reference_expression" => self.unary("&", node.child_by_field_name("value")),
            "unary_expression" => {
                let operator = self.text(node).chars().next().map(String::from).unwrap_or_default();
                self.unary(&operator, children(node).last().copied())
            }
            "type_cast_expression" => self.unary("as", node.child_by_field_name("value")),
            "binary_expression" => self.binary(node),
            "assignment_expression" | "compound_assignment_expr" => self.assignment(node),
            "array_expression" | "tuple_expression" => {
                let inner = children(node).into_iter().filter(|child| child.kind() != "attribute_item").collect();
                self.elements(inner)
            }
            "struct_expression" => self.struct_expression(node),
            "range_expression" => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.mark(&value.sources, &Usage::Operand);
                }
                Value::plain(Expr::Other)
            }
            "return_expression" => self.return_expression(node),
            "break_expression" => {
                self.leaves_loop(children(node).iter().find(|child| child.kind() == "label").copied());
                for child in children(node).into_iter().filter(|child| child.kind() != "label") {
                    let value = self.expression(child);
                    self.mark(&value.sources, &Usage::Operand);
                }
                Value::default()
            }
            // What a generator or `stream!` yields goes to who drives it.
            "yield_expression" => {
                for child in children(node) {
                    let value = self.expression(child);
                    self.mark(&value.sources, &Usage::Passed);
                }
                Value::default()
            }
            "continue_expression" => Value::default(),
            "closure_expression" => self.closure(node, None),
            "block" => self.block(node),
            "const_block" | "try_block" | "gen_block" => {
                children(node).last().map(|body| self.block(*body)).unwrap_or_default()
            }
            "unsafe_block" => self.special_block(node, RegionKind::UnsafeBlock),
            "async_block" => self.async_block(node),
            "if_expression" => self.if_expression(node),
            "match_expression" => self.match_expression(node),
            "for_expression" => self.for_expression(node),
            "while_expression" => self.while_expression(node),
            "loop_expression" => self.loop_expression(node),
            "let_condition" => {
                // Outside `if` and `while` only broken code has it.
                self.descend(node);
                Value::plain(Expr::Other)
            }
            kind if kind.ends_with("_item") || kind.ends_with("_declaration") || kind == "macro_definition" => {
                self.item(node, Preamble::default());
                Value::default()
            }
            _ => {
                self.descend(node);
                Value::plain(Expr::Other)
            }
        }
    }

    /// Looks for facts under a node whose own form says nothing to us.
    fn descend(&mut self, node: Node<'_>) {
        for child in children(node) {
            self.item(child, Preamble::default());
        }
    }

    fn unary(&mut self, operator: &str, inner: Option<Node<'_>>) -> Value {
        let Some(inner) = inner else { return Value::plain(Expr::Other) };
        let value = self.expression(inner);
        match operator {
            "!" => self.mark(&value.sources, &Usage::Tested),
            "-" => self.mark(&value.sources, &Usage::Operand),
            _ => {}
        }
        let mut value = value.wrap(|inner| Expr::Unary(operator.into(), inner));
        if matches!(operator, "!" | "-") {
            value.sources.clear();
        }
        value
    }

    /// A binary operation. Long sums nest to the left, so the left spine is a loop.
    fn binary(&mut self, node: Node<'_>) -> Value {
        let mut spine = Vec::new();
        let mut left = node;
        while left.kind() == "binary_expression" {
            spine.push(left);
            match left.child_by_field_name("left") {
                Some(next) => left = next,
                None => return Value::plain(Expr::Other),
            }
        }
        let mut value = self.expression(left);
        for node in spine.into_iter().rev() {
            let operator = node.child_by_field_name("operator").map(|op| op.kind()).unwrap_or_default();
            let usage = if matches!(operator, "&&" | "||") { Usage::Tested } else { Usage::Operand };
            if matches!(operator, "&&" | "||") {
                self.branch();
            }
            let left = self.used(value, usage.clone());
            let right = match node.child_by_field_name("right") {
                Some(right) => self.expression(right),
                None => Value::default(),
            };
            let right = self.used(right, usage);
            if matches!(operator, "==" | "!=") {
                self.facts.comparisons.push(Comparison {
                    operator: operator.into(),
                    left: left.clone(),
                    right: right.clone(),
                    symbol: self.scope.function,
                    region: self.scope.region,
                    span: self.span(node),
                    line: self.line(node),
                });
            }
            let right = Box::new(right);
            value = Value::plain(left).wrap(|left| Expr::Binary(operator.into(), left, right));
        }
        value
    }

    fn assignment(&mut self, node: Node<'_>) -> Value {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            self.descend(node);
            return Value::plain(Expr::Other);
        };
        let operator = node.child_by_field_name("operator").map_or("=", |op| op.kind()).to_owned();
        let target = self.expression(left);
        let target = self.used(target, Usage::Operand);
        let value = self.expression(right);
        // `_ = f()` drops the value as `let _ = f()` does.
        let usage = if operator != "=" {
            Usage::Operand
        } else if self.text(left) == "_" {
            Usage::Ignored
        } else {
            Usage::Assigned
        };
        let value = self.used(value, usage);
        self.facts.assignments.push(Assignment {
            target,
            operator: operator.into(),
            value,
            symbol: self.scope.function,
            region: self.scope.region,
            span: self.span(node),
            line: self.line(node),
        });
        Value::plain(Expr::Nothing)
    }

    /// `[a, b]`, `(a, b)`.
    pub fn elements(&mut self, nodes: Vec<Node<'_>>) -> Value {
        let mut items = Vec::new();
        for node in nodes {
            let value = self.expression(node);
            let item = self.used(value, Usage::Element);
            if items.len() < MAX_ELEMENTS {
                items.push(item);
            }
        }
        Value::plain(super::walker::capped(Expr::Array(items)))
    }

    fn struct_expression(&mut self, node: Node<'_>) -> Value {
        let mut entries = Vec::new();
        if let Some(name) = node.child_by_field_name("name") {
            let name = if name.kind() == "generic_type_with_turbofish" || name.kind() == "generic_type" {
                name.child_by_field_name("type").unwrap_or(name)
            } else {
                name
            };
            entries.push(("::".into(), self.path(name)));
        }
        let body = node.child_by_field_name("body");
        for field in body.map(children).unwrap_or_default() {
            let (key, value) = match field.kind() {
                "field_initializer" => (field.child_by_field_name("field"), field.child_by_field_name("value")),
                "shorthand_field_initializer" => {
                    let name = children(field).into_iter().find(|child| child.kind() == "identifier");
                    (name, name)
                }
                "base_field_initializer" => (None, field.named_child(0)),
                _ => {
                    self.descend(field);
                    continue;
                }
            };
            let value = value.map(|value| self.expression(value)).unwrap_or_default();
            let value = self.used(value, Usage::Element);
            let (key, value) = match key {
                Some(key) => (self.name(key), value),
                None => ("...".into(), Expr::Spread(Box::new(value))),
            };
            if entries.len() < MAX_ELEMENTS {
                entries.push((key, value));
            }
        }
        Value::plain(super::walker::capped(Expr::Object(entries)))
    }

    fn return_expression(&mut self, node: Node<'_>) -> Value {
        for state in &mut self.loops {
            state.exits_early = true;
        }
        if let Some(inner) = children(node).first() {
            let value = self.expression(*inner);
            let callback = self.callback_region();
            let line = self.line(node);
            self.mark(&value.sources, &Usage::Returned);
            let symbol = if callback.is_none() { self.scope.function } else { None };
            self.facts.returns.push(Return { symbol, region: callback, value: value.into_expr(), line });
        }
        Value::default()
    }

    /// The closure a `return` here leaves, if any.
    fn callback_region(&self) -> Option<RegionIndex> {
        self.facts
            .enclosing_regions(self.scope.region)
            .find(|(_, region)| matches!(region.kind, RegionKind::Callback { .. } | RegionKind::AsyncBlock))
            .map(|(index, _)| index)
    }

    /// A path: segments without generic arguments. `<T as Trait>::f` and `Vec::<T>::new` go by the type's own path.
    pub fn path(&self, node: Node<'_>) -> Expr {
        let mut segments = Vec::new();
        self.segments(node, &mut segments, 0);
        match segments.len() {
            0 => Expr::Other,
            1 => Expr::Name(segments.remove(0)),
            _ => Expr::Path(segments),
        }
    }

    fn segments(&self, node: Node<'_>, found: &mut Vec<Name>, depth: usize) {
        // No path is written this deep.
        if depth > 32 {
            return;
        }
        match node.kind() {
            "scoped_identifier" | "scoped_type_identifier" => {
                if let Some(path) = node.child_by_field_name("path") {
                    self.segments(path, found, depth + 1);
                }
                found.extend(node.child_by_field_name("name").map(|name| self.name(name)));
            }
            "generic_function" => {
                if let Some(function) = node.child_by_field_name("function") {
                    self.segments(function, found, depth + 1);
                }
            }
            "generic_type" | "generic_type_with_turbofish" | "reference_type" | "qualified_type" => {
                if let Some(inner) = node.child_by_field_name("type") {
                    self.segments(inner, found, depth + 1);
                }
            }
            "dynamic_type" | "abstract_type" => {
                if let Some(inner) = node.child_by_field_name("trait") {
                    self.segments(inner, found, depth + 1);
                }
            }
            "bracketed_type" => {
                if let Some(inner) = node.named_child(0) {
                    self.segments(inner, found, depth + 1);
                }
            }
            "identifier" | "type_identifier" | "primitive_type" | "self" | "super" | "crate" | "metavariable" => {
                found.push(self.name(node));
            }
            _ => found.push(self.folded(node)),
        }
    }

    /// A string literal: its content, common escapes undone, capped and masked.
    pub fn string(&self, node: Node<'_>) -> Expr {
        Expr::Text(literal(&self.string_content(node)))
    }

    /// The whole content of a string literal.
    pub fn string_content(&self, node: Node<'_>) -> String {
        let text = self.text(node);
        if node.kind() == "raw_string_literal" {
            let inner = text.trim_start_matches(['b', 'c', 'r']).trim_matches('#');
            return inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner).to_owned();
        }
        let inner = text.trim_start_matches(['b', 'c']);
        let inner = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
        unescaped(inner)
    }
}

/// Escapes of a Rust string undone; those that name a code point stay as written.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some(quoted @ ('\\' | '"' | '\'')) => out.push(quoted),
            // A line continuation swallows the white space that follows.
            Some('\n') => while rest.next_if(|next| next.is_whitespace()).is_some() {},
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
