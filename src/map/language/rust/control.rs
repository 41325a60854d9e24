//! Control flow: branches, loops, closures and the blocks that decide when code runs.

use crate::map::syntax::Node;

use super::patterns::Bound;
use super::walker::{LoopState, Value, Walker, capped, children};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::name::Name;

/// A pattern whose names become visible in the body that follows, with its value.
type Pending<'t> = (Node<'t>, Option<Expr>);

impl Walker<'_> {
    /// `if … { … } else { … }`. Long `else if` ladders nest to the right, so the ladder is a loop.
    pub fn if_expression(&mut self, node: Node<'_>) -> Value {
        let mut values = Vec::new();
        let mut sources = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next.take() {
            self.branch();
            let mut pending = Vec::new();
            let head_line = self.line(node);
            let mut chain = Vec::new();
            if let Some(condition) = node.child_by_field_name("condition") {
                chain_parts(condition, &mut chain);
            }
            // What follows the first `let` of a chain sees its names, and runs only if it matched.
            let mut rest = chain.split_off(chain.len().min(1)).into_iter();
            for first in chain {
                self.condition(first, &mut pending);
            }
            if let Some(body) = node.child_by_field_name("consequence") {
                let value = self.in_region(RegionKind::Branch, body, head_line, |walker, region| {
                    walker.bind_pending(&pending);
                    for part in rest.by_ref() {
                        let known = pending.len();
                        walker.condition(part, &mut pending);
                        walker.bind_pending(&pending[known..]);
                    }
                    walker.catch_if_let(&pending, body, node, region);
                    walker.block(body)
                });
                sources.extend(&value.sources);
                values.extend(value.expr);
            }
            let Some(alternative) = node.child_by_field_name("alternative") else { break };
            match children(alternative).last() {
                Some(ladder) if ladder.kind() == "if_expression" => next = Some(*ladder),
                Some(body) => {
                    let value = self
                        .in_region(RegionKind::Branch, *body, self.line(alternative), |walker, _| walker.block(*body));
                    sources.extend(&value.sources);
                    values.extend(value.expr);
                }
                None => {}
            }
        }
        Value { expr: either(values), sources }
    }

    /// Walks one part of a condition and gives what it tests; the pattern of a `let` is handed over to be bound.
    fn condition<'t>(&mut self, node: Node<'t>, pending: &mut Vec<Pending<'t>>) -> Option<Expr> {
        match node.kind() {
            "let_condition" => {
                let pattern = node.child_by_field_name("pattern");
                let value = node.child_by_field_name("value").map(|value| self.expression(value));
                let value = value.map(|value| {
                    let name = pattern.filter(|pattern| pattern.kind() == "identifier").map(|name| self.name(name));
                    self.used(value, Usage::Bound(name.unwrap_or_default()))
                });
                if let Some(pattern) = pattern {
                    pending.push((pattern, value.clone()));
                }
                value
            }
            _ => {
                let value = self.expression(node);
                Some(self.used(value, Usage::Tested))
            }
        }
    }

    /// Walks a condition whose names are bound at once; gives what its first part tests and the patterns.
    fn conditions<'t>(&mut self, node: Node<'t>) -> (Option<Expr>, Vec<Pending<'t>>) {
        let mut parts = Vec::new();
        chain_parts(node, &mut parts);
        let mut pending = Vec::new();
        let mut over = None;
        for part in parts {
            let known = pending.len();
            let value = self.condition(part, &mut pending);
            self.bind_pending(&pending[known..]);
            over = over.or(value);
        }
        (over, pending)
    }

    fn bind_pending(&mut self, pending: &[Pending<'_>]) {
        for (pattern, value) in pending {
            let bound = Bound { kind: BindingKind::Pattern, declared_type: None, value: value.as_ref(), before: None };
            self.bind(*pattern, *pattern, &bound);
        }
    }

    /// `match value { … }`.
    pub fn match_expression(&mut self, node: Node<'_>) -> Value {
        let subject = node.child_by_field_name("value").map(|value| self.expression(value)).unwrap_or_default();
        let subject = self.used(subject, Usage::Operand);
        let mut values = Vec::new();
        let mut sources = Vec::new();
        for arm in node.child_by_field_name("body").map(children).unwrap_or_default() {
            if arm.kind() != "match_arm" {
                continue;
            }
            let Some(pattern) = arm.child_by_field_name("pattern") else { continue };
            if self.text(pattern) != "_" {
                self.branch();
            }
            let head_line = self.line(arm);
            let body = arm.child_by_field_name("value").unwrap_or(arm);
            let value = self.in_region(RegionKind::Branch, body, head_line, |walker, region| {
                walker.facts.regions[region as usize].is_case = true;
                let bound =
                    Bound { kind: BindingKind::Pattern, declared_type: None, value: Some(&subject), before: None };
                walker.bind(pattern, pattern, &bound);
                if let Some(guard) = pattern.child_by_field_name("condition") {
                    walker.conditions(guard);
                }
                walker.catch_arm(pattern, body, arm, region);
                if body.id() == arm.id() { Value::default() } else { walker.expression(body) }
            });
            sources.extend(&value.sources);
            values.extend(value.expr);
        }
        Value { expr: either(values), sources }
    }

    /// `for pattern in value { … }`.
    pub fn for_expression(&mut self, node: Node<'_>) -> Value {
        let over = node.child_by_field_name("value").map(|value| self.expression(value)).unwrap_or_default();
        let over = self.used(over, Usage::Operand);
        let pattern = node.child_by_field_name("pattern");
        let bindings = pattern.map(|pattern| self.pattern_names(pattern)).unwrap_or_default();
        let bindings = bindings.into_iter().map(|found| found.name).collect();
        self.looping(node, LoopForm::Each, Some(over.clone()), bindings, |walker, body| {
            if let Some(pattern) = pattern {
                let bound =
                    Bound { kind: BindingKind::Pattern, declared_type: None, value: Some(&over), before: Some("*") };
                walker.bind(pattern, pattern, &bound);
            }
            walker.loop_body(body);
            None
        })
    }

    /// `while …`, `while let …`. The condition runs once a round, so it stands in the loop's region.
    pub fn while_expression(&mut self, node: Node<'_>) -> Value {
        let condition = node.child_by_field_name("condition");
        let is_let = condition.is_some_and(|condition| matches!(condition.kind(), "let_condition" | "let_chain"));
        let form = match condition {
            _ if is_let => LoopForm::WhileLet,
            Some(condition) if self.text(condition) == "true" => LoopForm::Endless,
            _ => LoopForm::While,
        };
        self.looping(node, form, None, Vec::new(), |walker, body| {
            let (over, pending) = condition.map(|condition| walker.conditions(condition)).unwrap_or_default();
            let names = pending.iter().flat_map(|(pattern, _)| walker.pattern_names(*pattern)).map(|found| found.name);
            let names: Vec<Name> = names.collect();
            walker.loop_body(body);
            Some((over, names))
        })
    }

    /// `loop { … }`.
    pub fn loop_expression(&mut self, node: Node<'_>) -> Value {
        self.looping(node, LoopForm::Endless, None, Vec::new(), |walker, body| {
            walker.loop_body(body);
            None
        })
    }

    fn loop_body(&mut self, body: Node<'_>) {
        let value = self.block(body);
        self.mark(&value.sources, &Usage::Discarded);
    }

    /// A loop: its region, its state, and what `step` finds out about what it runs over.
    fn looping<'t>(
        &mut self,
        node: Node<'t>,
        form: LoopForm,
        over: Option<Expr>,
        bindings: Vec<Name>,
        step: impl FnOnce(&mut Self, Node<'t>) -> Option<(Option<Expr>, Vec<Name>)>,
    ) -> Value {
        self.branch();
        let Some(body) = node.child_by_field_name("body") else { return Value::default() };
        let label = children(node).into_iter().find(|child| child.kind() == "label");
        let label = label.map(|label| self.folded(label));
        let kind = RegionKind::Loop(Loop { form, over, bindings, is_async: false, exits_early: false });
        let head_line = self.line(node);
        self.loops.push(LoopState { label, exits_early: false });
        self.in_region(kind, body, head_line, |walker, region| {
            let found = step(walker, body);
            let exits = walker.loops.pop().is_some_and(|state| state.exits_early);
            if let RegionKind::Loop(own) = &mut walker.facts.regions[region as usize].kind {
                own.exits_early = exits;
                if let Some((over, bindings)) = found {
                    own.over = over;
                    own.bindings = bindings;
                }
            }
        });
        Value::plain(Expr::Other)
    }

    /// A `break`: without a label the innermost loop ends, with one every loop up to it.
    pub fn leaves_loop(&mut self, label: Option<Node<'_>>) {
        let label = label.map(|label| self.folded(label));
        for state in self.loops.iter_mut().rev() {
            state.exits_early = true;
            if label.is_none() || state.label == label {
                break;
            }
        }
    }

    /// A closure; `call` is the call it is an argument of.
    pub fn closure(&mut self, node: Node<'_>, call: Option<CallIndex>) -> Value {
        let Some(body) = node.child_by_field_name("body") else { return Value::plain(Expr::Other) };
        let head = &self.text(node)[..(self.span(body).start - self.span(node).start) as usize];
        let is_async = head.split('|').next().unwrap_or_default().contains("async");
        let parameters = node.child_by_field_name("parameters").map(children).unwrap_or_default();
        let names = parameters.iter().flat_map(|parameter| {
            let pattern = parameter.child_by_field_name("pattern").unwrap_or(*parameter);
            self.pattern_names(pattern)
        });
        let kind = RegionKind::Callback {
            call,
            is_async,
            parameters: names.map(|found| found.name).collect(),
            block_body: body.kind() == "block",
        };
        let loops = std::mem::take(&mut self.loops);
        let region = self.in_region(kind, body, self.line(node), |walker, region| {
            for (position, parameter) in parameters.iter().enumerate() {
                let pattern = parameter.child_by_field_name("pattern").unwrap_or(*parameter);
                let declared = parameter.child_by_field_name("type").filter(|_| parameter.kind() == "parameter");
                let declared_type = declared.map(|declared| walker.folded(declared));
                let before = position.to_string();
                let bound = Bound { kind: BindingKind::Pattern, declared_type, value: None, before: Some(&before) };
                walker.bind(pattern, *parameter, &bound);
            }
            let value = walker.expression(body);
            walker.returned(value, body, false);
            region
        });
        self.loops = loops;
        Value::plain(Expr::Function { region: Some(region), symbol: None, is_async })
    }

    /// `async { … }`: a value that runs when it is awaited.
    pub fn async_block(&mut self, node: Node<'_>) -> Value {
        let Some(body) = children(node).last().copied() else { return Value::plain(Expr::Other) };
        let loops = std::mem::take(&mut self.loops);
        let region = self.in_region(RegionKind::AsyncBlock, body, self.line(node), |walker, region| {
            let value = walker.block(body);
            walker.returned(value, body, false);
            region
        });
        self.loops = loops;
        Value::plain(Expr::Function { region: Some(region), symbol: None, is_async: true })
    }

    /// `unsafe { … }`: its value is its tail's.
    pub fn special_block(&mut self, node: Node<'_>, kind: RegionKind) -> Value {
        let Some(body) = children(node).last().copied() else { return Value::default() };
        self.in_region(kind, body, self.line(node), |walker, _| walker.block(body))
    }
}

/// The parts of a condition that `&&` joins around `let`. Chains nest to the left.
fn chain_parts<'t>(node: Node<'t>, found: &mut Vec<Node<'t>>) {
    let mut right = Vec::new();
    let mut node = node;
    while node.kind() == "let_chain" {
        let mut parts = children(node);
        if parts.is_empty() {
            return;
        }
        let first = parts.remove(0);
        right.extend(parts.into_iter().rev());
        node = first;
    }
    found.push(node);
    found.extend(right.into_iter().rev());
}

fn either(mut values: Vec<Expr>) -> Option<Expr> {
    match values.len() {
        0 => None,
        1 => Some(capped(values.remove(0))),
        _ => Some(capped(Expr::Either(values))),
    }
}
