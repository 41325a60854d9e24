//! Parameters: what their type says, or what the call hands a function written in place.

use super::evaluate::Linker;
use super::generics::Filled;
use super::globals::is_array_method;
use super::libraries::collected;
use super::scope::{Expected, FunctionKey};
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallKind, RegionKind, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, How, SymbolId};

impl<'a> Linker<'a, '_> {
    /// A parameter of a named function, or one of the names it is taken apart into.
    pub fn parameter(&self, file: FileId, index: SymbolIndex, place: u32, part: Option<u32>) -> Option<Known<'a>> {
        let symbol = &self.facts(file).symbols[index as usize];
        let parameter = symbol.parameters.get(place as usize)?;
        let at = symbol.span.start.saturating_add(1);
        let whole = self.deeper(|| match &parameter.declared_type {
            Some(declared) => self.type_value(file, &types::parse(declared), at).by(How::Typed),
            None => self.expected_parameter(file, FunctionKey::Symbol(index), place),
        })?;
        match part {
            Some(part) => self.taken(whole, &parameter.destructured.get(part as usize)?.0),
            None => Some(whole),
        }
    }

    /// A parameter of a function written in place: what its call hands it. Where one is taken apart, all are variables that say
    /// their place; elsewhere the place among the names is the place.
    pub fn callback_parameter(&self, file: FileId, region: u32, place: u32) -> Option<Known<'a>> {
        let facts = self.facts(file);
        let RegionKind::Callback { call, .. } = &facts.regions.get(region as usize)?.kind else { return None };
        let Some(call) = call else {
            return self.deeper(|| self.expected_parameter(file, FunctionKey::Region(region), place));
        };
        let site = facts.calls.get(*call as usize)?;
        self.deeper(|| {
            if let Expr::Member(object, name) = site.callee.peeled()
                && let Some(receiver) = self.value(file, object, site.span.start)
            {
                if name == "forEach"
                    && place == 0
                    && let Some(items) = collected(&receiver.value, "values")
                {
                    return items.item().by(How::Typed);
                }
                match (&receiver.value, name.as_str()) {
                    (list, "reduce") if place == 1 && list.is_list() => return receiver.value.item().by(How::Typed),
                    (list, name) if place == 0 && is_array_method(name) && list.is_list() => {
                        return receiver.value.item().by(How::Typed);
                    }
                    (Value::Promise(inner), "then") if place == 0 => return inner.as_ref().clone().by(receiver.how),
                    // The callback of a transaction gets what can do what its owner can.
                    (Value::External { .. }, "$transaction" | "transaction") if place == 0 => return Some(receiver),
                    _ => {}
                }
            }
            match self.callee_of(file, *call)?.value {
                Value::Instance(id, filled) => self.signature_parameter(id, &filled, place),
                _ => self.expected_parameter(file, FunctionKey::Region(region), place),
            }
        })
    }

    /// The type of what a call takes at `place`.
    fn argument_type(&self, file: FileId, call: u32, place: usize) -> Option<Value<'a>> {
        let site = self.facts(file).calls.get(call as usize)?;
        let (file, at, kind, filled) = match self.callee_of(file, call)?.value {
            Value::Symbol(id) => {
                let id = if site.kind == CallKind::New { self.constructor(id)? } else { id };
                let symbol = self.symbol(id);
                let last = symbol.parameters.len().checked_sub(1)?;
                let declared = symbol.parameters[place.min(last)].declared_type.as_ref()?;
                // Whoever asks what a function takes must not ask the function.
                let filled = match site.kind {
                    CallKind::New => Filled::default(),
                    _ => self.filled_for(file, site, id, declared, false),
                };
                let kind = types::parse(declared);
                // `...handlers: Handler[]`
                let kind = match kind {
                    TypeExpr::Array(item)
                        if place > last || matches!(site.arguments.get(place), Some(Expr::Function { .. })) =>
                    {
                        *item
                    }
                    _ if place > last => return None,
                    kind => kind,
                };
                (id.file, symbol.span.start.saturating_add(1), kind, filled)
            }
            Value::Shape(file, at, kind, filled) => match kind.as_ref() {
                TypeExpr::Function(parameters, _) => (file, at, parameters.get(place)?.clone(), filled),
                _ => return None,
            },
            _ => return None,
        };
        Some(self.within(&filled, || self.type_value(file, &kind, at)))
    }

    /// Parameter `place` of the functions that a value of an interface takes when called. Which overload is meant is not for
    /// us to say: all functions it takes are to be called alike.
    fn signature_parameter(&self, id: SymbolId, filled: &Filled<'a>, place: u32) -> Option<Known<'a>> {
        let mut found: Option<Known<'a>> = None;
        for signature in self.signatures(id, filled) {
            let Value::Shape(file, at, kind, filled) = signature else { continue };
            let TypeExpr::Function(parameters, _) = kind.as_ref() else { continue };
            for parameter in parameters {
                // `...handlers: Handler[]`
                let handed = match parameter {
                    TypeExpr::Array(item) => item,
                    other => other,
                };
                let kind = self.within(&filled, || self.type_value(file, handed, at));
                match (self.parameter_of(&kind, place), &found) {
                    (Some(known), Some(other)) if known != *other => return None,
                    (Some(known), _) => found = Some(known),
                    (None, _) => {}
                }
            }
        }
        found
    }

    /// Parameter `place` of a function by what is expected where it stands.
    fn expected_parameter(&self, file: FileId, function: FunctionKey, place: u32) -> Option<Known<'a>> {
        self.parameter_of(&self.expected_type(file, function)?, place)
    }

    /// The type that is expected of a function where it stands.
    fn expected_type(&self, file: FileId, function: FunctionKey) -> Option<Value<'a>> {
        self.deeper(|| match self.scope(file).expected.get(&function)? {
            &Expected::Declared(text, at) => Some(self.type_value(file, &types::parse(text), at)),
            Expected::Argument(call, place, keys) => {
                let whole = Known { value: self.argument_type(file, *call, *place)?, how: How::Typed };
                let held = keys.iter().try_fold(whole, |whole, key| self.member(&whole, key))?;
                Some(held.value)
            }
            &Expected::ResultOf(around) => {
                if let FunctionKey::Symbol(index) = around
                    && let symbol = &self.facts(file).symbols[index as usize]
                    && let Some(declared) = &symbol.return_type
                {
                    return Some(self.type_value(file, &types::parse(declared), symbol.span.start.saturating_add(1)));
                }
                match self.expected_type(file, around)? {
                    Value::Shape(file, at, kind, filled) => match kind.as_ref() {
                        TypeExpr::Function(_, returned) => {
                            Some(self.within(&filled, || self.type_value(file, returned, at)))
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
        })
    }

    /// Parameter `place` of a function type; of several types what all agree on.
    fn parameter_of(&self, kind: &Value<'a>, place: u32) -> Option<Known<'a>> {
        match kind {
            Value::Shape(file, at, kind, filled) => match kind.as_ref() {
                TypeExpr::Function(parameters, _) => {
                    let kind = parameters.get(place as usize)?;
                    self.within(filled, || self.type_value(*file, kind, *at)).by(How::Typed)
                }
                _ => None,
            },
            // `visit(row: Row): void` in an interface.
            Value::Symbol(id) if self.symbol(*id).kind == SymbolKind::Method && !self.symbol(*id).has_body => {
                let symbol = self.symbol(*id);
                let declared = symbol.parameters.get(place as usize)?.declared_type.as_ref()?;
                self.type_value(id.file, &types::parse(declared), symbol.span.start.saturating_add(1)).by(How::Typed)
            }
            Value::Many(kinds) => {
                let mut found = kinds.iter().map(|kind| self.parameter_of(kind, place));
                let first = found.next()??;
                found.all(|other| other.as_ref() == Some(&first)).then_some(first)
            }
            _ => None,
        }
    }
}
