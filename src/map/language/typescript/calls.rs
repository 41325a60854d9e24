//! Call sites: calls, `new`, elements, tagged templates, decorators.

use crate::map::syntax::Node;

use super::super::shared::{cap, fold, span};
use super::prefix;
use super::walk::{Context, Use, Walker, is_function, unwrapped};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallIndex, CallKind, CatchForm, Span, SymbolKind};
use crate::repo_map::name::Name;

/// Arguments that are kept.
const MAX_ARGUMENTS: usize = 8;

/// Functions of test runners that take a callback.
const TEST_RUNNERS: &[&str] = &[
    "describe",
    "it",
    "test",
    "suite",
    "bench",
    "beforeEach",
    "afterEach",
    "beforeAll",
    "afterAll",
    "before",
    "after",
    "fdescribe",
    "xdescribe",
    "fit",
    "xit",
    "context",
    "specify",
];

impl<'t> Walker<'t> {
    /// Fills in the site at `node`.
    fn record_call(
        &mut self,
        node: Node<'t>,
        kind: CallKind,
        callee_node: Node<'t>,
        arguments: Vec<Expr>,
        context: Context,
    ) -> CallIndex {
        let index = self.call_slot(node);
        let callee = self.expr(callee_node);
        let name_node = self.name_node(callee_node);
        let name = match name_node {
            Some(name) => self.text(name).into(),
            None => callee.last_name().map(Name::from).unwrap_or_default(),
        };
        let (key, line) = match name_node {
            Some(name) => (name.start_byte(), name.start_row()),
            None => (callee_node.end_byte(), callee_node.end_row()),
        };
        let type_arguments = node
            .child_by_field_name("type_arguments")
            .or_else(|| node.child_by_field_name("open_tag").and_then(|tag| tag.child_by_field_name("type_arguments")))
            .map(|list| {
                let text = fold(self.text(list));
                let inner = text.strip_prefix('<').unwrap_or(&text);
                cap(inner.strip_suffix('>').unwrap_or(inner).trim(), 240).to_owned()
            });
        let usage = self.usage(context.usage);
        self.call_keys[index as usize] = Some(key as u32);
        let call = &mut self.facts.calls[index as usize];
        call.callee = callee;
        call.name = name;
        call.kind = kind;
        call.caller = context.caller;
        call.region = context.region;
        call.span = Span { start: prefix::callee_start(node) as u32, ..span(node) };
        call.line = line + 1;
        call.end_line = node.end_row() + 1;
        call.usage = usage;
        call.awaited = context.awaited;
        call.arguments = arguments;
        call.type_arguments = type_arguments.map(Name::from);
        call.statement = context.statement;
        index
    }

    /// The node of the last name of a callee.
    fn name_node(&self, callee: Node<'t>) -> Option<Node<'t>> {
        let mut node = unwrapped(callee);
        if node.kind() == "instantiation_expression" {
            node = node.named_child(0)?;
        }
        match node.kind() {
            "identifier" | "super" | "this" | "import" => Some(node),
            "member_expression" | "nested_identifier" => node.child_by_field_name("property"),
            "await_expression" => None,
            _ => None,
        }
    }

    fn arguments(&mut self, list: Option<Node<'t>>) -> Vec<Expr> {
        let Some(list) = list else { return Vec::new() };
        if list.kind() == "template_string" {
            return vec![self.expr(list)];
        }
        let nodes: Vec<_> = self.named(list).collect();
        nodes.into_iter().take(MAX_ARGUMENTS).map(|node| self.expr(node)).collect()
    }

    /// `f()`, `a.f()`, `` f`…` ``, `import()`, `require()`.
    pub fn visit_call(&mut self, node: Node<'t>, context: Context) {
        self.visit_call_as(node, CallKind::Call, context);
    }

    fn visit_call_as(&mut self, node: Node<'t>, kind: CallKind, context: Context) {
        let (function, list) = (node.child_by_field_name("function"), node.child_by_field_name("arguments"));
        let Some(function) = function.map(prefix::callee) else { return self.push_children(node, context.inner()) };
        let context = prefix::of_chain(node).into_iter().fold(context, |context, word| {
            match word.child(0).map(|first| first.kind()) {
                Some("await") => Context { awaited: true, ..context },
                Some("!") => context.used(Use::Tested),
                Some("void") => context.used(Use::Ignored),
                Some("typeof") => context.used(Use::Passed),
                _ => context.used(Use::Operand),
            }
        });
        // `if (a.f?.())` asks whether there is an `f`, as well as what it says.
        let is_asked = context.usage == Use::Tested && prefix::is_optional(node);
        let context = if is_asked { context.used(Use::Passed) } else { context };
        let tagged = list.is_some_and(|list| list.kind() == "template_string");
        let kind = if tagged { CallKind::Template } else { kind };
        let arguments = self.arguments(list);
        self.record_loose_import(node, function, &arguments, context);
        let index = self.record_call(node, kind, function, arguments, context);
        self.record_catch_method(node, function, list, context);
        for (child, field) in self.children(node) {
            match field {
                Some("function") => self.push_callee(child, index, context.inner()),
                Some("arguments") if tagged => self.push(child, context.inner().used(Use::Operand)),
                Some("arguments") => {
                    for (argument, _) in self.children(child) {
                        self.push(argument, context.inner().used(Use::Argument(index)));
                    }
                }
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    /// The callee of call `index`: its object is the receiver.
    fn push_callee(&mut self, callee: Node<'t>, index: CallIndex, context: Context) {
        let context = context.used(Use::Receiver(index));
        let mut node = callee;
        while prefix::is_prefix(node) {
            let Some(inner) = prefix::operand(node) else { break };
            for (child, _) in self.children(node) {
                if child != inner {
                    self.push(child, context);
                }
            }
            node = inner;
        }
        // `(a.b)!()`: the member stands under what changes nothing.
        while matches!(node.kind(), "parenthesized_expression" | "non_null_expression" | "instantiation_expression") {
            let children: Vec<_> = self.children(node).collect();
            let Some(&(inner, _)) = children.iter().find(|(child, _)| child.is_named() && child.kind() != "comment")
            else {
                break;
            };
            for (child, _) in children {
                if child != inner {
                    self.push(child, context);
                }
            }
            node = inner;
        }
        if matches!(node.kind(), "member_expression" | "subscript_expression") {
            for (child, field) in self.children(node) {
                let usage = if field == Some("object") { context.usage } else { Use::Operand };
                self.push(child, context.used(usage));
            }
        } else {
            self.push(node, context);
        }
    }

    /// `new F()`.
    pub fn visit_new(&mut self, node: Node<'t>, context: Context) {
        let Some(constructor) = node.child_by_field_name("constructor") else {
            return self.push_children(node, context.inner());
        };
        let arguments = self.arguments(node.child_by_field_name("arguments"));
        let index = self.record_call(node, CallKind::New, constructor, arguments, context);
        for (child, field) in self.children(node) {
            match field {
                Some("arguments") => {
                    for (argument, _) in self.children(child) {
                        self.push(argument, context.inner().used(Use::Argument(index)));
                    }
                }
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    /// The tag name of an element, when it is a component and no tag of the host.
    pub fn component(&self, node: Node<'t>) -> Option<Node<'t>> {
        let tag = node.child_by_field_name("open_tag").unwrap_or(node);
        let name = tag.child_by_field_name("name")?;
        let is_component = match name.kind() {
            "identifier" => !self.text(name).starts_with(|letter: char| letter.is_ascii_lowercase()),
            "member_expression" => true,
            _ => false,
        };
        is_component.then_some(name)
    }

    /// `<F … />`, `<f …>…</f>`.
    pub fn visit_jsx(&mut self, node: Node<'t>, context: Context) {
        let tag = node.child_by_field_name("open_tag").unwrap_or(node);
        if let Some(name) = self.component(node) {
            let attributes = self.attributes(tag);
            self.record_call(node, CallKind::Jsx, name, vec![attributes], context);
        }
        self.markup(tag, context);
        let inner = context.inner().used(Use::Element);
        for (child, _) in self.children(node) {
            match child.kind() {
                "jsx_opening_element" => self.push_tag(child, inner),
                // Its name was said by the opening tag.
                "jsx_closing_element" => self.count(child),
                _ => self.push(child, inner),
            }
        }
    }

    /// `<div dangerouslySetInnerHTML={{ __html: text }} />`: a call for what it gets, as the elements of the host are none.
    fn markup(&mut self, tag: Node<'t>, context: Context) {
        const KEY: &str = "dangerouslySetInnerHTML";
        for attribute in self.named(tag) {
            let mut parts = self.named(attribute);
            if attribute.kind() != "jsx_attribute" || parts.next().is_none_or(|key| self.text(key) != KEY) {
                continue;
            }
            let (Some(value), Some(key)) = (parts.next(), self.named(attribute).next()) else { continue };
            let given = self.expr(value);
            let index = self.record_call(attribute, CallKind::Jsx, key, vec![given], context.used(Use::Element));
            let call = &mut self.facts.calls[index as usize];
            call.callee = Expr::Name(KEY.into());
            call.name = KEY.into();
        }
    }

    fn push_tag(&mut self, tag: Node<'t>, context: Context) {
        for (child, _) in self.children(tag) {
            self.push(child, context);
        }
    }

    /// The attributes of an element as an object.
    fn attributes(&mut self, tag: Node<'t>) -> Expr {
        let mut entries = Vec::new();
        for child in self.named(tag) {
            match child.kind() {
                "jsx_attribute" => {
                    let parts: Vec<_> = self.named(child).collect();
                    let Some(&key) = parts.first() else { continue };
                    let name = self.text(key).into();
                    let value = parts.get(1).map_or(Expr::Bool(true), |&value| self.expr(value));
                    entries.push((name, value));
                }
                "jsx_expression" => {
                    if let Some(spread) = self.named(child).next() {
                        let value = match self.expr(spread) {
                            Expr::Spread(inner) => *inner,
                            other => other,
                        };
                        entries.push(("...".into(), value));
                    }
                }
                _ => {}
            }
        }
        Expr::Object(entries)
    }

    /// `@f`, `@f(…)`.
    pub fn visit_decorator(&mut self, node: Node<'t>, context: Context) {
        let Some(inner) = self.named(node).next() else { return self.push_children(node, context.inner()) };
        let context = context.inner().used(Use::Operand);
        let bare = unwrapped(inner);
        if bare.kind() == "call_expression" {
            self.visit_call_as(bare, CallKind::Decorator, context);
        } else {
            self.record_call(node, CallKind::Decorator, bare, Vec::new(), context);
            self.push(bare, context);
        }
        for (child, _) in self.children(node) {
            if child != inner {
                self.push(child, context);
            }
        }
    }

    /// Whether `call` is one of a test runner: `it('…', …)`, `describe.skip(…)`, `test.each(…)(…)`.
    pub fn is_test_call(&self, call: CallIndex) -> bool {
        let mut site = &self.facts.calls[call as usize];
        for _ in 0..3 {
            match site.callee.peeled() {
                Expr::Call(inner) if *inner != call => site = &self.facts.calls[*inner as usize],
                callee => return callee.root_name().is_some_and(|root| TEST_RUNNERS.contains(&root)),
            }
        }
        false
    }

    /// `target = value`, `target += value`; functions given a name this way become symbols.
    pub fn visit_assignment(&mut self, node: Node<'t>, context: Context) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return self.push_children(node, context.inner());
        };
        let operator = node.child_by_field_name("operator").map_or("=", |operator| operator.kind());
        let target = self.expr(left);
        let bare = unwrapped(right);
        if operator == "=" {
            self.name_assigned(&target, left, bare, node, context);
            self.record_commonjs(&target, right, node, context);
        }
        let value = self.expr(right);
        if matches!(operator, "=" | "+=") && matches!(&target, Expr::Member(_, name) if is_markup_property(name)) {
            // A call for what it gets, like `dangerouslySetInnerHTML`.
            self.record_call(node, CallKind::Jsx, left, vec![value.clone()], context.used(Use::Element));
        }
        self.facts.assignments.push(crate::repo_map::facts::Assignment {
            target,
            operator: operator.into(),
            value,
            symbol: context.caller,
            region: context.region,
            span: span(node),
            line: node.start_row() + 1,
        });
        let usage = match operator {
            "=" | "||=" | "&&=" | "??=" => Use::Assigned,
            _ => Use::Operand,
        };
        for (child, field) in self.children(node) {
            let usage = if field == Some("right") { usage } else { Use::Passed };
            self.push(child, context.inner().used(usage));
        }
    }

    /// `this.f = () => …`, `A.prototype.f = function …`, `A.f = …`, `exports.f = …`.
    fn name_assigned(&mut self, target: &Expr, left: Node<'t>, value: Node<'t>, node: Node<'t>, context: Context) {
        let Expr::Member(object, name) = target else { return };
        let Some(property) = left.child_by_field_name("property") else { return };
        let Some(function) = self.function_behind(value) else { return };
        let context = context.inner();
        let (kind, owner, context) = match object.as_ref() {
            Expr::This => {
                let class = context.container.and_then(|container| self.facts.symbols[container as usize].member_of);
                let Some(class) = class else { return };
                let outer = context.container.and_then(|container| self.facts.symbols[container as usize].container);
                (SymbolKind::Method, Some(class), Context { container: outer, ..context })
            }
            Expr::Member(class, prototype) if prototype == "prototype" => match class.as_ref() {
                Expr::Name(class) => (SymbolKind::Method, Some(*class), context),
                _ => return,
            },
            Expr::Name(object) if object == "exports" => (SymbolKind::Function, None, context),
            Expr::Member(module, exports) if exports == "exports" && **module == Expr::Name("module".into()) => {
                (SymbolKind::Function, None, context)
            }
            Expr::Name(object) if context.top => (SymbolKind::Function, Some(*object), context),
            _ => return,
        };
        let mut symbol = self.symbol(name.into(), kind, property, span(node), context);
        if let (Some(owner), None) = (&owner, context.container) {
            symbol.qualified = format!("{owner}.{name}").into();
        }
        symbol.takes_self = kind == SymbolKind::Method;
        symbol.exported = owner.is_none();
        symbol.member_of = owner;
        self.add_function(symbol, function);
    }

    /// `i++`.
    pub fn visit_update(&mut self, node: Node<'t>, context: Context) {
        if let Some(argument) = node.child_by_field_name("argument") {
            let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind());
            let target = self.expr(argument);
            self.facts.assignments.push(crate::repo_map::facts::Assignment {
                target,
                operator: operator.into(),
                value: Expr::Nothing,
                symbol: context.caller,
                region: context.region,
                span: span(node),
                line: node.start_row() + 1,
            });
        }
        self.push_children(node, context.inner().used(Use::Operand));
    }

    /// `.catch(() => { … })`.
    fn record_catch_method(&mut self, node: Node<'t>, function: Node<'t>, list: Option<Node<'t>>, context: Context) {
        let is_catch = function.kind() == "member_expression"
            && function.child_by_field_name("property").is_some_and(|property| self.text(property) == "catch");
        let Some(list) = list.filter(|list| is_catch && list.kind() == "arguments") else { return };
        let Some(handler) = self.named(list).next() else { return };
        let handler = unwrapped(handler);
        if !is_function(handler) {
            return;
        }
        let error = self.parameters(handler).first().map(|parameter| parameter.name).filter(|name| !name.is_empty());
        let region = self.region_slot(handler);
        let from = function.child_by_field_name("property").unwrap_or(function);
        let whole = crate::repo_map::facts::Span { start: from.start_byte() as u32, end: node.end_byte() as u32 };
        let lines = crate::repo_map::facts::Lines { start: from.start_row() + 1, end: node.end_row() + 1 };
        if let Some(body) = handler.child_by_field_name("body") {
            self.record_catch(CatchForm::Method, body, error, None, Some(region), whole, lines, context);
        }
    }
}

/// Properties of a page's elements whose value is read as markup.
fn is_markup_property(name: &str) -> bool {
    matches!(name, "innerHTML" | "outerHTML" | "srcdoc")
}
