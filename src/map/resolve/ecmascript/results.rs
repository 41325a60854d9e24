//! What calls give back.

use super::evaluate::Linker;
use super::exports::Space;
use super::generics::Filled;
use super::libraries::collected;
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, RegionKind, Return, SymbolKind};
use crate::repo_map::{FileId, How, SymbolId};

impl<'a> Linker<'a, '_> {
    /// What a call gives back.
    pub fn result_of_call(&self, file: FileId, call: u32) -> Option<Known<'a>> {
        let site = self.facts(file).calls.get(call as usize)?;
        // `import('./x')`, `require('./x')`
        if let (Expr::Name(name), Some(Expr::Text(source))) = (&site.callee, site.arguments.first())
            && matches!(name.as_str(), "import" | "require")
        {
            let module = self.imported(file, source, "*", Space::Value)?;
            return match name.as_str() {
                "import" => Value::Promise(Box::new(module.value)).by(module.how),
                _ => Some(module),
            };
        }
        let callee = self.callee_of(file, call)?;
        if let Some(found) = self.made_by_package(file, site, &callee) {
            return Some(found);
        }
        if let Value::External { package, path, .. } = &callee.value
            && package.as_ref() == "global"
            && let [object, name] = &path[..]
            && object.as_ref() == "Object"
        {
            let values = || site.arguments.iter().filter_map(|argument| self.value(file, argument, site.span.start));
            match name.as_ref() {
                // The last one that has a member wins.
                "assign" => {
                    let parts: Vec<Value<'a>> = values().map(|known| known.value).collect();
                    return Value::Many(parts.into_iter().rev().collect()).by(How::Scope);
                }
                "freeze" | "seal" | "preventExtensions" => return values().next(),
                _ => {}
            }
        }
        if site.kind == CallKind::New {
            return match callee.value {
                Value::Symbol(id) if self.symbol(id).kind == SymbolKind::Class || self.has_prototype(id) => {
                    Value::Instance(id, self.filled_by_new(file, site, id)).by(How::Typed)
                }
                Value::External { .. } => Some(callee),
                Value::Symbol(_) => {
                    let held = self.opened(callee);
                    matches!(held.value, Value::External { .. }).then_some(held)
                }
                _ => None,
            };
        }
        if let Some(found) = self.array_result(file, call) {
            return Some(found);
        }
        if let Value::Symbol(id) = callee.value
            && let Some(found) = self.inferred(file, call, id).or_else(|| self.filled_result(file, site, id))
        {
            return found.by(How::Returned);
        }
        let found = self.result(callee)?;
        // What gives itself is what it was.
        if let (Value::Instance(id, filled), Expr::Member(object, _)) = (&found.value, site.callee.peeled())
            && filled.is_empty()
            && !self.scope(id.file).type_parameters(id.index).is_empty()
            && let Some(receiver) = self.value(file, object, site.span.start)
            && receiver.value == found.value
        {
            return Some(Known { value: receiver.value, how: found.how });
        }
        Some(found)
    }

    /// What methods of lists and promises give back, where that is plain.
    fn array_result(&self, file: FileId, call: u32) -> Option<Known<'a>> {
        let site = &self.facts(file).calls[call as usize];
        let Expr::Member(object, name) = site.callee.peeled() else { return None };
        if let (Expr::Name(root), "all", Some(argument)) = (object.as_ref(), name.as_str(), site.arguments.first())
            && root == "Promise"
        {
            let all = self.value(file, argument, site.span.start)?;
            let settled = match all.value {
                Value::Tuple(items) => Value::Tuple(items.into_iter().map(Value::awaited).collect()),
                list => Value::Array(Box::new(list.item().awaited())),
            };
            return Value::Promise(Box::new(settled)).by(all.how);
        }
        let receiver = self.value(file, object, site.span.start)?;
        if let Some(items) = collected(&receiver.value, name) {
            return items.by(How::Typed);
        }
        match (&receiver.value, name.as_str()) {
            (list, "find" | "findLast" | "at" | "pop" | "shift") if list.is_list() => {
                receiver.value.item().by(How::Typed)
            }
            (list, "filter" | "slice" | "concat" | "sort" | "reverse" | "splice") if list.is_list() => {
                Value::Array(Box::new(receiver.value.item())).by(receiver.how)
            }
            (list, "map") if list.is_list() => {
                let Some(Expr::Function { region: Some(region), .. }) = site.arguments.first() else { return None };
                let item = self.closure_result(file, *region)?;
                Value::Array(Box::new(item)).by(How::Returned)
            }
            (Value::Promise(_), "catch" | "finally") => Some(receiver),
            (Value::Promise(_), "then") => {
                let given = self.value(file, site.arguments.first()?, site.span.start)?;
                let result = self.deeper(|| self.result(given))?;
                Value::Promise(Box::new(result.value.awaited())).by(How::Returned)
            }
            // What is bound is another function, which calls this one.
            (Value::Symbol(_) | Value::Closure(..), "bind") => receiver.value.by(How::Dispatch),
            _ => None,
        }
    }

    /// What calling `callee` gives back.
    pub fn result(&self, callee: Known<'a>) -> Option<Known<'a>> {
        match callee.value {
            Value::External { package, path, .. } => Value::External { package, path, settled: false }.by(How::Typed),
            Value::Symbol(id) => match self.symbol(id).kind {
                SymbolKind::Function | SymbolKind::Method => self.returned(id)?.by(How::Returned),
                SymbolKind::Constant => {
                    let held = self.opened(Known { value: Value::Symbol(id), how: callee.how });
                    if held.value == Value::Symbol(id) { None } else { self.deeper(|| self.result(held)) }
                }
                _ => None,
            },
            Value::Instance(id, filled) => {
                let mut results = self
                    .signatures(id, &filled)
                    .into_iter()
                    .map(|kind| self.result(Known { value: kind, how: How::Typed }));
                let first = results.next()??;
                // Overloads differ in what they take; what they give back is to be the same.
                results.all(|other| other.is_none_or(|other| other == first)).then_some(first)
            }
            Value::Namespace(_) => {
                let module = self.module(callee);
                if matches!(module.value, Value::Namespace(_)) { None } else { self.deeper(|| self.result(module)) }
            }
            Value::Closure(file, region) => self.closure_result(file, region)?.by(How::Returned),
            Value::Shape(file, at, kind, filled) => match kind.as_ref() {
                TypeExpr::Function(_, returned) => {
                    self.within(&filled, || self.type_value(file, returned, at)).by(How::Returned)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn closure_result(&self, file: FileId, region: u32) -> Option<Value<'a>> {
        let facts = self.facts(file);
        let RegionKind::Callback { is_async, .. } = facts.regions.get(region as usize)?.kind else { return None };
        let at = facts.regions[region as usize].span.end.saturating_sub(1);
        let returns = facts.returns.iter().filter(|returned| returned.region == Some(region));
        let found = self.agreed(file, returns, at)?;
        Some(if is_async { Value::Promise(Box::new(found.awaited())) } else { found })
    }

    /// What all of `returns` are, when they are the same.
    fn agreed(&self, file: FileId, returns: impl Iterator<Item = &'a Return>, at: u32) -> Option<Value<'a>> {
        let mut found: Option<Value<'a>> = None;
        for returned in returns.filter(|returned| !matches!(returned.value, Expr::Nothing)) {
            let value = self.value(file, &returned.value, at)?.value;
            match &found {
                Some(other) if *other != value => return None,
                _ => found = Some(value),
            }
        }
        found
    }

    /// What a function gives back: what it declares, else what it returns.
    pub fn returned(&self, id: SymbolId) -> Option<Value<'a>> {
        if let Some(known) = self.memo.borrow().get(&id) {
            return known.clone();
        }
        if !self.active.borrow_mut().insert((id.file, id.index, false)) {
            self.cut.set(true);
            return None;
        }
        let before = self.cut.replace(false);
        // What is kept holds for whoever asks.
        let found = self.deeper(|| self.within(&Filled::default(), || self.returned_now(id)));
        self.active.borrow_mut().remove(&(id.file, id.index, false));
        if !self.cut.get() {
            self.memo.borrow_mut().insert(id, found.clone());
        }
        self.cut.set(self.cut.get() || before);
        found
    }

    fn returned_now(&self, id: SymbolId) -> Option<Value<'a>> {
        let symbol = self.symbol(id);
        let facts = self.facts(id.file);
        if let Some(declared) = &symbol.return_type {
            let at = symbol.span.start.saturating_add(1);
            let parsed = types::parse(declared);
            if matches!(&parsed, TypeExpr::Named(path, _) if path[0] == "this") {
                return symbol
                    .container
                    .map(|index| Value::Instance(SymbolId { file: id.file, index }, Filled::default()));
            }
            let found = self.type_value(id.file, &parsed, at);
            return (found != Value::Unknown).then_some(found);
        }
        let at = symbol.span.end.saturating_sub(1);
        let returns = facts.returns.iter().filter(|returned| returned.symbol == Some(id.index));
        let found = self.agreed(id.file, returns, at)?;
        Some(if symbol.is_async { Value::Promise(Box::new(found.awaited())) } else { found })
    }
}
