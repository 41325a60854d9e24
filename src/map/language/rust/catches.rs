//! Places that take an error by pattern: `if let Err(e) = f() { … }` and `Err(e) => …`.

use crate::map::syntax::Node;

use super::walker::{Walker, children};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;

impl Walker<'_> {
    /// The body of an `if let Err(…)`.
    pub fn catch_if_let(
        &mut self,
        pending: &[(Node<'_>, Option<Expr>)],
        body: Node<'_>,
        node: Node<'_>,
        region: RegionIndex,
    ) {
        if let Some((pattern, _)) = pending.iter().find(|(pattern, _)| self.takes_error(*pattern)) {
            let span = Span { start: self.span(node).start, end: self.span(body).end };
            let lines = Lines { start: self.line(node), end: self.lines(body).end };
            self.catch(*pattern, body, region, span, lines);
        }
    }

    /// A match arm `Err(…) => …`.
    pub fn catch_arm(&mut self, pattern: Node<'_>, body: Node<'_>, arm: Node<'_>, region: RegionIndex) {
        let inner = children(pattern).first().copied().unwrap_or(pattern);
        if self.takes_error(inner) {
            let (span, lines) = (self.span(arm), self.lines(arm));
            self.catch(inner, body, region, span, lines);
        }
    }

    fn takes_error(&self, pattern: Node<'_>) -> bool {
        pattern.kind() == "tuple_struct_pattern"
            && pattern.child_by_field_name("type").is_some_and(|head| matches!(self.text(head), "Err" | "Result::Err"))
    }

    fn catch(&mut self, pattern: Node<'_>, body: Node<'_>, region: RegionIndex, span: Span, lines: Lines) {
        let error = self.pattern_names(pattern).into_iter().next().map(|found| found.name);
        let text = self.text(body);
        let statements = if body.kind() == "block" { children(body) } else { vec![body] };
        let is_empty = statements.is_empty() || statements.iter().all(|only| self.text(*only) == "()");
        let has_comment = text.contains("//") && mentions_comment(body);
        let last = statements.last().copied();
        let rethrows = last.is_some_and(|last| self.leaves_with_error(last));
        let gives_value = last.is_some_and(|last| {
            !self.text(last).ends_with(';') && !matches!(last.kind(), "macro_invocation") && self.text(last) != "()"
        });
        let has_fallback = !is_empty && !rethrows && (gives_value || assigns_or_returns(body));
        let uses_error = error.as_deref().is_some_and(|error| self.uses_name(body, error));
        self.facts.catches.push(Catch {
            form: CatchForm::ErrPattern,
            error,
            is_empty,
            has_comment,
            rethrows,
            has_fallback,
            uses_error,
            symbol: self.scope.function,
            guarded: None,
            region: Some(region),
            span,
            lines,
        });
    }

    /// Whether a last statement passes the error on or ends the process.
    fn leaves_with_error(&self, node: Node<'_>) -> bool {
        let mut node = node;
        while matches!(node.kind(), "expression_statement" | "return_expression" | "parenthesized_expression") {
            match children(node).first() {
                Some(inner) => node = *inner,
                None => return false,
            }
        }
        match node.kind() {
            "try_expression" => true,
            "macro_invocation" => node.child_by_field_name("macro").is_some_and(|name| {
                let name = self.text(name);
                let name = name.rsplit("::").next().unwrap_or(name);
                matches!(name, "panic" | "bail" | "todo" | "unimplemented" | "unreachable" | "exit")
            }),
            "call_expression" => node.child_by_field_name("function").is_some_and(|function| {
                let function = self.text(function);
                matches!(function, "Err" | "Result::Err")
                    || function.ends_with("process::exit")
                    || function.ends_with("process::abort")
                    || function == "exit"
            }),
            _ => false,
        }
    }

    fn uses_name(&self, body: Node<'_>, name: &str) -> bool {
        leaves(body, &mut |node| match node.kind() {
            "identifier" | "shorthand_field_identifier" => self.text(node) == name,
            // `format!("{e}")` reads the variable from inside the string.
            "string_literal" | "raw_string_literal" => self.text(node).split('{').skip(1).any(|hole| {
                let hole = hole.split(['}', ':']).next().unwrap_or_default();
                hole == name
            }),
            _ => false,
        })
    }
}

fn mentions_comment(body: Node<'_>) -> bool {
    leaves(body, &mut super::walker::is_comment)
}

fn assigns_or_returns(body: Node<'_>) -> bool {
    leaves(body, &mut |node| match node.kind() {
        "assignment_expression" | "compound_assignment_expr" => true,
        "return_expression" | "break_expression" => children(node).iter().any(|child| child.kind() != "label"),
        _ => false,
    })
}

/// Whether `test` holds for `root` or any node under it.
fn leaves<'t>(root: Node<'t>, test: &mut dyn FnMut(Node<'t>) -> bool) -> bool {
    root.with_descendants().any(test)
}
