//! Calls: chains of calls, members, `?` and `.await`, and what becomes of each call's value.

use crate::map::syntax::Node;

use super::walker::{Value, Walker, children};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// Arguments that are kept.
const MAX_ARGUMENTS: usize = 8;

impl Walker<'_> {
    /// A chain such as `client.get(url).send().await?`. Builders chain hundreds of links, so the spine is a loop.
    pub fn chain(&mut self, node: Node<'_>) -> Value {
        let mut spine = vec![node];
        let mut inner = node;
        while let Some(next) = link_inside(inner) {
            inner = next;
            match next.kind() {
                "call_expression" | "field_expression" | "try_expression" | "await_expression" | "index_expression"
                | "generic_function" => spine.push(next),
                _ => break,
            }
        }
        let root_is_link = spine.last().is_some_and(|last| last.id() == inner.id());
        // A generic function over a plain path is the root itself; otherwise the walk ended at something that is no link.
        let mut value = if root_is_link { Value::default() } else { self.expression(inner) };
        let links: Vec<Node<'_>> = spine.into_iter().rev().collect();
        let mut receivers = Vec::new();
        for (position, link) in links.iter().enumerate() {
            match link.kind() {
                "call_expression" => {
                    let callee = std::mem::take(&mut value);
                    value = self.call(*link, callee, std::mem::take(&mut receivers));
                }
                "generic_function" => {
                    if value.expr.is_none() {
                        value = Value::plain(self.path(*link));
                    }
                }
                "field_expression" => {
                    let name = link.child_by_field_name("field").map(|field| self.name(field)).unwrap_or_default();
                    let sources = std::mem::take(&mut value.sources);
                    let next = links.get(position + 1).map(|next| next.kind());
                    let is_method = match next {
                        Some("call_expression") => true,
                        Some("generic_function") => {
                            links.get(position + 2).is_some_and(|next| next.kind() == "call_expression")
                        }
                        _ => false,
                    };
                    if is_method {
                        receivers = sources;
                    } else {
                        self.mark(&sources, &Usage::Operand);
                    }
                    value = value.wrap(|object| Expr::Member(object, name));
                }
                "try_expression" => {
                    for &source in &value.sources {
                        self.facts.calls[source as usize].propagated = true;
                    }
                    value = value.wrap(|inner| Expr::Unary("?".into(), inner));
                }
                "await_expression" => {
                    for &source in &value.sources {
                        self.facts.calls[source as usize].awaited = true;
                    }
                    value = value.wrap(Expr::Await);
                }
                _ => {
                    let object = self.used(value, Usage::Operand);
                    let index = children(*link).get(1).map(|index| self.expression(*index)).unwrap_or_default();
                    let index = Box::new(self.used(index, Usage::Operand));
                    value = Value::plain(object).wrap(|object| Expr::Index(object, index));
                }
            }
        }
        value
    }

    fn call(&mut self, node: Node<'_>, callee: Value, receivers: Vec<CallIndex>) -> Value {
        let function = node.child_by_field_name("function");
        let (function, type_arguments) = match function {
            Some(generic) if generic.kind() == "generic_function" => {
                let written = generic.child_by_field_name("type_arguments").map(|written| self.folded(written));
                let inner =
                    written.as_deref().and_then(|text| text.strip_prefix('<')?.strip_suffix('>')).map(str::to_owned);
                (generic.child_by_field_name("function"), inner)
            }
            other => (other, None),
        };
        let name_node = function.and_then(|function| match function.kind() {
            "field_expression" => function.child_by_field_name("field"),
            "scoped_identifier" => function.child_by_field_name("name"),
            _ => Some(function),
        });
        let line = name_node.map_or(self.line(node), |name| self.line(name));
        self.mark(&callee.sources, &Usage::Operand);
        let index = self.push_call(node, callee.into_expr(), CallKind::Call, line, type_arguments.map(Name::from));
        self.mark(&receivers, &Usage::Receiver(index));
        let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
        let arguments = arguments.into_iter().filter(|child| child.kind() != "attribute_item").collect();
        let arguments = self.arguments(arguments, index);
        self.facts.calls[index as usize].arguments = arguments;
        Value::call(index)
    }

    /// Records a call site; its arguments follow.
    pub fn push_call(
        &mut self,
        node: Node<'_>,
        callee: Expr,
        kind: CallKind,
        line: u32,
        type_arguments: Option<Name>,
    ) -> CallIndex {
        let index = self.facts.calls.len() as CallIndex;
        let name = match &callee {
            Expr::Name(name) | Expr::Member(_, name) => *name,
            Expr::Path(segments) => segments.last().cloned().unwrap_or_default(),
            _ => Name::default(),
        };
        self.facts.calls.push(CallSite {
            callee,
            name,
            kind,
            caller: self.scope.function,
            region: self.scope.region,
            span: self.span(node),
            line,
            end_line: self.lines(node).end,
            usage: Usage::Operand,
            awaited: false,
            propagated: false,
            arguments: Vec::new(),
            type_arguments,
            statement: self.scope.statement,
        });
        index
    }

    /// Walks the arguments of call `index` and gives those that are kept.
    pub fn arguments(&mut self, nodes: Vec<Node<'_>>, index: CallIndex) -> Vec<Expr> {
        let mut found = Vec::new();
        for node in nodes {
            let value = match node.kind() {
                "closure_expression" => self.nested(|walker| walker.closure(node, Some(index))),
                _ => self.expression(node),
            };
            let argument = self.used(value, Usage::Argument(index));
            if found.len() < MAX_ARGUMENTS {
                found.push(argument);
            }
        }
        found
    }
}

/// The node that a link of a chain stands on.
fn link_inside<'t>(node: Node<'t>) -> Option<Node<'t>> {
    match node.kind() {
        "call_expression" => node.child_by_field_name("function"),
        "field_expression" => node.child_by_field_name("value"),
        "generic_function" => node.child_by_field_name("function").filter(|inner| inner.kind() == "field_expression"),
        "try_expression" | "await_expression" | "index_expression" => children(node).first().copied(),
        _ => None,
    }
}
