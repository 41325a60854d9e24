//! Statements that decide how often and whether code runs: loops, branches, handlers, returns.

use crate::map::syntax::Node;

use super::super::shared::{lines, span};
use super::patterns::Bound;
use super::walk::{Context, Use, Walker, unwrapped};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{
    BindingKind, Catch, CatchForm, Comparison, Lines, Loop, LoopForm, Region, RegionIndex, RegionKind, Span,
};
use crate::repo_map::name::Name;

impl<'t> Walker<'t> {
    /// A region over `body`, whose head is at `head`.
    fn region(&mut self, kind: RegionKind, body: Node<'t>, head: Node<'t>, context: Context) -> RegionIndex {
        let lines = Lines { start: lines(head).start, end: lines(body).end };
        let (parent, symbol, span) = (context.region, context.caller, span(body));
        self.add_region(Region { kind, parent, symbol, span, lines, is_case: false })
    }

    /// Visits the body of a statement; one without braces is a block of its own.
    fn push_body(&mut self, body: Node<'t>, context: Context) {
        let context = context.inner().used(Use::Operand);
        if body.kind() == "statement_block" {
            self.push(body, context);
        } else {
            let statement = self.next_block();
            self.push(body, Context { statement, ..context });
        }
    }

    /// `f();`
    pub fn visit_expression_statement(&mut self, node: Node<'t>, context: Context) {
        self.push_children(node, context.inner().used(Use::Discarded));
    }

    /// `a, b`: only the last value counts.
    pub fn visit_sequence(&mut self, node: Node<'t>, context: Context) {
        let children: Vec<_> = self.children(node).collect();
        let last = children.iter().rposition(|(child, _)| child.is_named());
        for (place, (child, _)) in children.into_iter().enumerate() {
            let own = if Some(place) == last { context.inner() } else { context.inner().used(Use::Discarded) };
            self.push(child, own);
        }
    }

    /// `for (x of xs)`, `for (x in xs)`.
    pub fn visit_for_in(&mut self, node: Node<'t>, context: Context) {
        let Some(body) = node.child_by_field_name("body") else { return self.push_children(node, context.inner()) };
        self.branch(context);
        let children: Vec<_> = self.children(node).collect();
        let declares = children.iter().any(|(_, field)| *field == Some("kind"));
        let is_async = children.iter().any(|(child, _)| child.kind() == "await");
        let keys = children.iter().any(|(child, field)| *field == Some("operator") && child.kind() == "in");
        let over = node.child_by_field_name("right").map(|over| self.expr(over));
        let form = if keys { LoopForm::Keys } else { LoopForm::Each };
        let head = Loop { form, over, bindings: Vec::new(), is_async, exits_early: false };
        let region = self.region(RegionKind::Loop(head), body, node, context);
        let inside = Context { region: Some(region), breaks: Some(region), ..context };
        for (child, field) in children {
            match field {
                Some("left") if declares => {
                    let names = self.bind(child, inside);
                    self.bind_loop(names, region, node, inside);
                }
                Some("body") => self.push_body(child, inside),
                // `for await` waits for what it runs over.
                Some("right") if is_async => self.push(child, context.inner().used(Use::Passed)),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
    }

    fn bind_loop(&mut self, names: Vec<Bound<'t>>, region: RegionIndex, node: Node<'t>, context: Context) {
        for bound in names {
            let name = self.text(bound.name).into();
            if let RegionKind::Loop(head) = &mut self.facts.regions[region as usize].kind {
                head.bindings.push(name);
            }
            self.add_binding(name, BindingKind::Pattern, None, None, bound.taken, node, context);
        }
    }

    /// `for (;;)`.
    pub fn visit_for(&mut self, node: Node<'t>, context: Context) {
        let Some(body) = node.child_by_field_name("body") else { return self.push_children(node, context.inner()) };
        self.branch(context);
        let condition = node
            .child_by_field_name("condition")
            .and_then(|condition| if condition.is_named() { Some(condition) } else { None })
            .filter(|condition| condition.kind() != "empty_statement");
        let form = if condition.is_some() { LoopForm::Counter } else { LoopForm::Endless };
        let over = condition.map(|condition| self.expr(condition));
        let head = Loop { form, over, bindings: Vec::new(), is_async: false, exits_early: false };
        let region = self.region(RegionKind::Loop(head), body, node, context);
        let inside = Context { region: Some(region), breaks: Some(region), ..context };
        for (child, field) in self.children(node) {
            match field {
                Some("initializer") => {
                    for declarator in self.named(child) {
                        if let Some(name) = declarator.child_by_field_name("name")
                            && name.kind() == "identifier"
                            && declarator.kind() == "variable_declarator"
                        {
                            let name = self.text(name).to_owned();
                            if let RegionKind::Loop(head) = &mut self.facts.regions[region as usize].kind {
                                head.bindings.push(name.into());
                            }
                        }
                    }
                    // Runs once; its variables are no module level ones.
                    self.push(child, Context { top: false, ..context.inner() });
                }
                Some("condition") => self.push(child, inside.inner().used(Use::Tested)),
                Some("increment") => self.push(child, inside.inner().used(Use::Discarded)),
                Some("body") => self.push_body(child, inside),
                _ => self.push(child, context.inner()),
            }
        }
    }

    /// `while`, `do … while`.
    pub fn visit_while(&mut self, node: Node<'t>, context: Context) {
        let Some(body) = node.child_by_field_name("body") else { return self.push_children(node, context.inner()) };
        self.branch(context);
        let over = node.child_by_field_name("condition").map(|condition| self.expr(condition));
        let endless = matches!(over, Some(Expr::Bool(true))) || over == Some(Expr::Number("1".into()));
        let form = if endless { LoopForm::Endless } else { LoopForm::While };
        let head = Loop { form, over, bindings: Vec::new(), is_async: false, exits_early: false };
        let region = self.region(RegionKind::Loop(head), body, node, context);
        let inside = Context { region: Some(region), breaks: Some(region), ..context };
        for (child, field) in self.children(node) {
            match field {
                Some("condition") => self.push(child, inside.inner().used(Use::Tested)),
                Some("body") => self.push_body(child, inside),
                _ => self.push(child, context.inner()),
            }
        }
    }

    /// `if … else …`.
    pub fn visit_if(&mut self, node: Node<'t>, context: Context) {
        self.branch(context);
        for (child, field) in self.children(node) {
            match field {
                Some("condition") => self.push(child, context.inner().used(Use::Tested)),
                Some("consequence") => {
                    let region = self.region(RegionKind::Branch, child, child, context);
                    self.push_body(child, Context { region: Some(region), ..context });
                }
                Some("alternative") => {
                    let region = self.region(RegionKind::Branch, child, child, context);
                    for (part, _) in self.children(child) {
                        if part.is_named() && part.kind() != "comment" {
                            self.push_body(part, Context { region: Some(region), ..context });
                        } else {
                            self.push(part, context.inner());
                        }
                    }
                }
                _ => self.push(child, context.inner()),
            }
        }
    }

    /// `switch`.
    pub fn visit_switch(&mut self, node: Node<'t>, context: Context) {
        for (child, field) in self.children(node) {
            if field != Some("body") {
                self.push(child, context.inner().used(Use::Operand));
                continue;
            }
            for (case, _) in self.children(child) {
                if !matches!(case.kind(), "switch_case" | "switch_default") {
                    self.push(case, context.inner());
                    continue;
                }
                if case.kind() == "switch_case" {
                    self.branch(context);
                }
                let region = self.add_region(Region {
                    kind: RegionKind::Branch,
                    parent: context.region,
                    symbol: context.caller,
                    span: span(case),
                    lines: lines(case),
                    is_case: true,
                });
                // `break` leaves the switch, not a loop around it.
                let inside = Context { region: Some(region), breaks: None, ..context.inner() };
                let mut body = Vec::new();
                for (part, field) in self.children(case) {
                    match field {
                        Some("value") => self.push(part, context.inner().used(Use::Operand)),
                        Some("body") => body.push(part),
                        _ if part.kind() == "comment" => body.push(part),
                        _ => self.push(part, context.inner()),
                    }
                }
                self.push_statements(body, inside);
            }
        }
    }

    /// `break`: the loop it leaves can end early.
    pub fn visit_break(&mut self, node: Node<'t>, context: Context) {
        let labelled = node.child_by_field_name("label").is_some();
        if labelled {
            self.mark_early_exits(context);
        } else if let Some(region) = context.breaks {
            self.mark_early_exit(region);
        }
        self.push_children(node, context.inner());
    }

    fn mark_early_exit(&mut self, region: RegionIndex) {
        if let RegionKind::Loop(head) = &mut self.facts.regions[region as usize].kind {
            head.exits_early = true;
        }
    }

    /// Every loop around, up to the function.
    fn mark_early_exits(&mut self, context: Context) {
        let mut next = context.region;
        while let Some(region) = next {
            if Some(region) == context.callback {
                break;
            }
            let found = &mut self.facts.regions[region as usize];
            next = found.parent;
            if let RegionKind::Loop(head) = &mut found.kind {
                if head.exits_early {
                    break;
                }
                head.exits_early = true;
            }
        }
    }

    /// `return value`.
    pub fn visit_return(&mut self, node: Node<'t>, context: Context) {
        self.mark_early_exits(context);
        if let Some(value) = self.named(node).next() {
            self.record_return(value, context);
        }
        self.push_children(node, context.inner().used(Use::Returned));
    }

    /// `try … catch … finally …`.
    pub fn visit_try(&mut self, node: Node<'t>, context: Context) {
        let mut guarded = None;
        for (child, field) in self.children(node) {
            match field {
                Some("body") => {
                    let region = self.region(RegionKind::Try, child, node, context);
                    guarded = Some(region);
                    self.push_body(child, Context { region: Some(region), ..context });
                }
                Some("handler") => self.visit_handler(child, guarded, context),
                Some("finalizer") => {
                    let body = child.child_by_field_name("body").unwrap_or(child);
                    let region = self.region(RegionKind::Handler, body, child, context);
                    for (part, field) in self.children(child) {
                        if field == Some("body") {
                            self.push_body(part, Context { region: Some(region), ..context });
                        } else {
                            self.push(part, context.inner());
                        }
                    }
                }
                _ => self.push(child, context.inner()),
            }
        }
    }

    fn visit_handler(&mut self, node: Node<'t>, guarded: Option<RegionIndex>, context: Context) {
        let Some(body) = node.child_by_field_name("body") else { return self.push_children(node, context.inner()) };
        let region = self.region(RegionKind::Handler, body, node, context);
        let inside = Context { region: Some(region), ..context };
        let mut error = None;
        for (child, field) in self.children(node) {
            match field {
                Some("parameter") => {
                    for bound in self.bind(child, inside) {
                        let name: Name = self.text(bound.name).into();
                        if bound.taken.is_none() {
                            error = Some(name);
                        }
                        let declared = self.declared_type(node);
                        self.add_binding(name, BindingKind::Pattern, declared, None, bound.taken, child, inside);
                    }
                }
                Some("body") => self.push_body(child, inside),
                _ => self.push(child, context.inner().used(Use::Operand)),
            }
        }
        self.record_catch(CatchForm::Block, body, error, guarded, Some(region), span(node), lines(node), context);
    }

    /// Notes an error handler with this body.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the handler")]
    pub fn record_catch(
        &mut self,
        form: CatchForm,
        body: Node<'t>,
        error: Option<Name>,
        guarded: Option<RegionIndex>,
        region: Option<RegionIndex>,
        span: Span,
        lines: Lines,
        context: Context,
    ) {
        let statements = if body.kind() == "statement_block" { self.named(body).collect() } else { vec![body] };
        let rethrows = statements.last().is_some_and(|last| self.rethrows(*last));
        let mut found = Catch {
            form,
            is_empty: statements.is_empty(),
            has_comment: false,
            rethrows,
            has_fallback: body.kind() != "statement_block" && self.is_fallback(body),
            uses_error: false,
            error,
            symbol: context.caller,
            guarded,
            region,
            span,
            lines,
        };
        let mut work = vec![body];
        while let Some(node) = work.pop() {
            match node.kind() {
                "comment" => found.has_comment = true,
                "identifier" | "shorthand_property_identifier" => {
                    found.uses_error |= found.error.as_deref() == Some(self.text(node));
                }
                "return_statement" => {
                    found.has_fallback |= self.named(node).next().is_some_and(|value| self.is_fallback(value));
                }
                "assignment_expression" => found.has_fallback = true,
                _ => {}
            }
            work.extend(self.children(node).map(|(child, _)| child));
        }
        self.facts.catches.push(found);
    }

    /// A value in place of the failed one: not nothing, and not a promise that fails in turn.
    fn is_fallback(&mut self, value: Node<'t>) -> bool {
        !matches!(value.kind(), "undefined" | "call_expression")
            || (value.kind() == "call_expression" && !self.rethrows(value))
    }

    /// Whether control does not go on after `statement`.
    fn rethrows(&mut self, statement: Node<'t>) -> bool {
        let mut node = statement;
        loop {
            match node.kind() {
                "throw_statement" => return true,
                "expression_statement" | "return_statement" | "await_expression" | "parenthesized_expression" => {
                    match self.named(node).next() {
                        Some(inner) => node = inner,
                        None => return false,
                    }
                }
                "statement_block" => match self.named(node).last() {
                    Some(inner) => node = inner,
                    None => return false,
                },
                "call_expression" => {
                    let Some(function) = node.child_by_field_name("function") else { return false };
                    let text = self.text(function);
                    return matches!(text, "reject" | "Promise.reject" | "process.exit" | "next" | "throwError")
                        || text.ends_with(".reject");
                }
                _ => return false,
            }
        }
    }

    /// `a && b`, `a === b`, `a + b`.
    pub fn visit_binary(&mut self, node: Node<'t>, context: Context) {
        let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind());
        let (left, right) = (node.child_by_field_name("left"), node.child_by_field_name("right"));
        match operator {
            "==" | "!=" | "===" | "!==" => {
                if let (Some(left), Some(right)) = (left, right) {
                    let comparison = Comparison {
                        operator: operator.into(),
                        left: self.expr(left),
                        right: self.expr(right),
                        symbol: context.caller,
                        region: context.region,
                        span: span(node),
                        line: node.start_row() + 1,
                    };
                    self.facts.comparisons.push(comparison);
                }
            }
            // What is shown on a condition stands beside what else is shown; nothing goes another way.
            "&&" | "||" if !is_shown_on_condition(node) => self.branch(context),
            _ => {}
        }
        let logical = matches!(operator, "&&" | "||" | "??");
        // `open && <Details />`: rendered on a condition, as in a branch.
        let shown = right.filter(|right| operator == "&&" && is_element(*right));
        for (child, field) in self.children(node) {
            let own = match field {
                // `??` asks whether there is a value at all; what there is passes through.
                Some("left") if operator == "??" => context.inner(),
                Some("left") if logical => context.inner().used(Use::Tested),
                Some("right") if shown.is_some() => {
                    let region = self.region(RegionKind::Branch, child, child, context);
                    Context { region: Some(region), ..context.inner() }
                }
                // Its value is the value of the whole.
                Some("right") if logical => context.inner(),
                Some("left") if matches!(operator, "instanceof" | "in") => context.inner().used(Use::Passed),
                _ => context.inner().used(Use::Operand),
            };
            self.push(child, own);
        }
    }

    /// `test ? a : b`.
    pub fn visit_ternary(&mut self, node: Node<'t>, context: Context) {
        if !is_shown_on_condition(node) {
            self.branch(context);
        }
        for (child, field) in self.children(node) {
            let own = if field == Some("condition") { context.inner().used(Use::Tested) } else { context.inner() };
            self.push(child, own);
        }
    }

    /// `key: value`; a function there is a callback unless its object has a name.
    pub fn visit_pair(&mut self, node: Node<'t>, context: Context) {
        self.push_children(node, context.inner().used(Use::Element));
    }
}

/// `{open && <Details />}`, `{isCard ? <Card /> : null}`: an element among others, there or not.
fn is_shown_on_condition(node: Node<'_>) -> bool {
    let among = node.parent().is_some_and(|parent| parent.kind() == "jsx_expression");
    among
        && ["right", "consequence", "alternative"]
            .iter()
            .any(|field| node.child_by_field_name(field).is_some_and(is_element))
}

fn is_element(node: Node<'_>) -> bool {
    unwrapped(node).kind().starts_with("jsx_")
}
