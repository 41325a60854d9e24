//! Parameters: what their type says, or what the call hands a function written in place.

use super::evaluate::Linker;
use super::globals::is_array_method;
use super::scope::{Expected, FunctionKey};
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{RegionKind, SymbolIndex};
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

    /// A parameter of a function written in place: what its call hands it.
    pub fn callback_parameter(&self, file: FileId, region: u32, place: u32) -> Option<Known<'a>> {
        let facts = self.facts(file);
        let RegionKind::Callback { call, parameters, .. } = &facts.regions.get(region as usize)?.kind else {
            return None;
        };
        let Some(call) = call else {
            return self.deeper(|| self.expected_parameter(file, FunctionKey::Region(region), place));
        };
        // Names are flattened: only when the first parameter is a plain one do places agree.
        let site = facts.calls.get(*call as usize)?;
        let argument = site
            .arguments
            .iter()
            .position(|argument| matches!(argument, Expr::Function { region: Some(own), .. } if *own == region))?;
        if parameters.len() > 3 {
            return None;
        }
        self.deeper(|| {
            if let Expr::Member(object, name) = site.callee.peeled()
                && let Some(receiver) = self.value(file, object, site.span.start)
            {
                match (&receiver.value, name.as_str()) {
                    (Value::Array(item), "reduce") if place == 1 => return item.as_ref().clone().by(How::Typed),
                    (Value::Array(item), name) if place == 0 && is_array_method(name) => {
                        return item.as_ref().clone().by(How::Typed);
                    }
                    (Value::Promise(inner), "then") if place == 0 => return inner.as_ref().clone().by(receiver.how),
                    // The callback of a transaction gets what can do what its owner can.
                    (Value::External { .. }, "$transaction" | "transaction") if place == 0 => return Some(receiver),
                    _ => {}
                }
            }
            let callee = self.callee_of(file, *call)?;
            match callee.value {
                Value::Symbol(id) => {
                    let symbol = self.symbol(id);
                    let declared = types::parse(symbol.parameters.get(argument)?.declared_type.as_ref()?);
                    let at = symbol.span.start.saturating_add(1);
                    self.parameter_of_type(id.file, &declared, at, place)
                }
                Value::Instance(id) => self.signature_parameter(id, place),
                Value::Shape(file, at, kind) => match kind.as_ref() {
                    TypeExpr::Function(parameters, _) => {
                        self.parameter_of_type(file, parameters.get(argument)?, at, place)
                    }
                    _ => None,
                },
                _ => None,
            }
        })
    }

    /// Parameter `place` of the functions that a value of an interface takes when called. Which overload is meant is not for
    /// us to say: all functions it takes are to be called alike.
    fn signature_parameter(&self, id: SymbolId, place: u32) -> Option<Known<'a>> {
        let mut found: Option<Known<'a>> = None;
        for signature in self.signatures(id) {
            let Value::Shape(file, at, kind) = signature else { continue };
            let TypeExpr::Function(parameters, _) = kind.as_ref() else { continue };
            for parameter in parameters {
                // `...handlers: Handler[]`
                let handed = match parameter {
                    TypeExpr::Array(item) => item,
                    other => other,
                };
                match (self.parameter_of_type(file, handed, at, place), &found) {
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
        self.deeper(|| match *self.world.scopes[file as usize].expected.get(&function)? {
            Expected::Declared(text, at) => Some(self.type_value(file, &types::parse(text), at)),
            Expected::ResultOf(around) => {
                if let FunctionKey::Symbol(index) = around
                    && let symbol = &self.facts(file).symbols[index as usize]
                    && let Some(declared) = &symbol.return_type
                {
                    return Some(self.type_value(file, &types::parse(declared), symbol.span.start.saturating_add(1)));
                }
                match self.expected_type(file, around)? {
                    Value::Shape(file, at, kind) => match kind.as_ref() {
                        TypeExpr::Function(_, returned) => Some(self.type_value(file, returned, at)),
                        _ => None,
                    },
                    _ => None,
                }
            }
        })
    }

    /// Parameter `place` of a function type, aliases followed.
    fn parameter_of_type(&self, file: FileId, kind: &TypeExpr, at: u32, place: u32) -> Option<Known<'a>> {
        self.parameter_of(&self.type_value(file, kind, at), place)
    }

    /// Parameter `place` of a function type; of several types what all agree on.
    fn parameter_of(&self, kind: &Value<'a>, place: u32) -> Option<Known<'a>> {
        match kind {
            Value::Shape(file, at, kind) => match kind.as_ref() {
                TypeExpr::Function(parameters, _) => {
                    self.type_value(*file, parameters.get(place as usize)?, *at).by(How::Typed)
                }
                _ => None,
            },
            Value::Many(kinds) => {
                let mut found = kinds.iter().map(|kind| self.parameter_of(kind, place));
                let first = found.next()??;
                found.all(|other| other.as_ref() == Some(&first)).then_some(first)
            }
            _ => None,
        }
    }
}
