//! Parameters: what their type says, or what the call hands a function written in place.

use super::evaluate::Linker;
use super::globals::is_array_method;
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{RegionKind, SymbolIndex};
use crate::repo_map::{FileId, How};

impl<'a> Linker<'a, '_> {
    /// A parameter of a named function, or one of the names it is taken apart into.
    pub fn parameter(&self, file: FileId, index: SymbolIndex, place: u32, part: Option<u32>) -> Option<Known<'a>> {
        let symbol = &self.facts(file).symbols[index as usize];
        let parameter = symbol.parameters.get(place as usize)?;
        let declared = types::parse(parameter.declared_type.as_ref()?);
        let at = symbol.span.start.saturating_add(1);
        let whole = self.deeper(|| self.type_value(file, &declared, at).by(How::Typed))?;
        match part {
            Some(part) => self.taken(whole, &parameter.destructured.get(part as usize)?.0),
            None => Some(whole),
        }
    }

    /// A parameter of a function written in place: what its call hands it.
    pub fn callback_parameter(&self, file: FileId, region: u32, place: u32) -> Option<Known<'a>> {
        let facts = self.facts(file);
        let RegionKind::Callback { call: Some(call), parameters, .. } = &facts.regions.get(region as usize)?.kind
        else {
            return None;
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

    /// Parameter `place` of a function type, aliases followed.
    fn parameter_of_type(&self, file: FileId, kind: &TypeExpr, at: u32, place: u32) -> Option<Known<'a>> {
        let Value::Shape(file, at, kind) = self.type_value(file, kind, at) else { return None };
        match kind.as_ref() {
            TypeExpr::Function(parameters, _) => {
                self.type_value(file, parameters.get(place as usize)?, at).by(How::Typed)
            }
            _ => None,
        }
    }
}
