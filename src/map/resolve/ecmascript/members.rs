//! Members of values: what stands behind `value.name`.

use std::collections::BTreeSet;

use super::evaluate::Linker;
use super::exports::Space;
use super::generics::Filled;
use super::globals::{is_array_method, is_function_method};
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{HeritageKind, SymbolIndex, SymbolKind};
use crate::repo_map::{How, SymbolId};

/// Bases above bases that are looked through.
const MAX_BASES: usize = 12;

impl<'a> Linker<'a, '_> {
    /// `receiver.name`.
    pub fn member(&self, receiver: &Known<'a>, name: &str) -> Option<Known<'a>> {
        match &receiver.value {
            Value::Namespace(file) => self.exported(*file, name, Space::Value).map(|found| {
                // A module reached through another one was re-exported.
                Known { how: if receiver.how == How::Reexport { How::Reexport } else { found.how }, value: found.value }
            }),
            Value::External { package, path, settled } => {
                if *settled && is_array_method(name) {
                    return Value::global(&["Array", name]).by(How::Typed);
                }
                let mut path = path.clone();
                path.push(name.into());
                // Parts of what was waited for are data in turn.
                Value::External { package: *package, path, settled: *settled }.by(receiver.how)
            }
            Value::Symbol(id) => self.static_member(*id, name, receiver.how),
            Value::Instance(id, filled) => {
                let how = match receiver.how {
                    How::Member => How::Member,
                    How::Returned => How::Returned,
                    _ => How::Typed,
                };
                self.instance_member(*id, filled, name, how, 0)
            }
            Value::Object(file, at, object) => {
                let Expr::Object(entries) = object else { return None };
                // The last one wins, and a spread after it may replace it.
                for (key, value) in entries.iter().rev() {
                    if key == name {
                        let found = self.function_value(*file, value, *at)?;
                        let how = if found.how == How::Scope { receiver.how } else { found.how };
                        return Some(Known { value: found.value, how });
                    }
                    if key == "..."
                        && let Some(spread) = self.value(*file, value, *at)
                        && let Some(found) = self.member(&Known { value: spread.value, how: receiver.how }, name)
                    {
                        return Some(found);
                    }
                }
                None
            }
            Value::Shape(file, at, kind, filled) => match kind.as_ref() {
                TypeExpr::Object(members) => {
                    let (_, kind) = members.iter().find(|(key, _)| key == name)?;
                    self.within(filled, || self.type_value(*file, kind, *at)).by(How::Typed)
                }
                _ => None,
            },
            Value::Promise(_) if matches!(name, "then" | "catch" | "finally") => {
                Value::global(&["Promise", name]).by(How::Typed)
            }
            Value::Array(_) | Value::Tuple(_)
                if is_array_method(name) || matches!(name, "at" | "keys" | "values" | "entries" | "with") =>
            {
                Value::global(&["Array", name]).by(How::Typed)
            }
            Value::Many(values) => {
                values.iter().find_map(|value| self.member(&Known { value: value.clone(), how: receiver.how }, name))
            }
            Value::Holds { key, inner, .. } if *key == name => inner.as_ref().clone().by(How::Typed),
            Value::Holds { outside, .. } => {
                self.member(&Known { value: outside.as_ref().clone(), how: receiver.how }, name)
            }
            Value::Closure(..) if is_function_method(name) => Value::global(&["Function", name]).by(How::Typed),
            Value::Promise(_) | Value::Array(_) | Value::Tuple(_) | Value::Closure(..) | Value::Unknown => None,
        }
    }

    /// An entry of an object literal as something to call.
    fn function_value(&self, file: crate::repo_map::FileId, value: &'a Expr, at: u32) -> Option<Known<'a>> {
        match value.peeled() {
            Expr::Name(name) => self.name(file, name, at, Space::Value),
            other => self.value(file, other, at),
        }
    }

    /// A member of a definition: static ones of a class, what a namespace holds, properties of a function.
    fn static_member(&self, id: SymbolId, name: &str, how: How) -> Option<Known<'a>> {
        let symbol = self.symbol(id);
        if symbol.kind == SymbolKind::Class {
            let how = if how == How::Member { How::Member } else { How::Typed };
            return self.instance_member(id, &Filled::default(), name, how, 0);
        }
        let members = self.scope(id.file).members.get(&id.index);
        if let Some(&index) = members.and_then(|members| self.defined(id, members.symbols.get(name)?)) {
            return Value::Symbol(SymbolId { file: id.file, index }).by(how);
        }
        // `f.g = function () {}`
        let facts = self.facts(id.file);
        let index = facts.symbols.iter().position(|own| {
            own.name == name && own.container.is_none() && own.member_of.as_deref() == Some(symbol.name.as_str())
        });
        match index {
            Some(index) => Value::Symbol(SymbolId { file: id.file, index: index as SymbolIndex }).by(how),
            None if symbol.kind.is_callable() && is_function_method(name) => {
                Value::global(&["Function", name]).by(How::Typed)
            }
            None => None,
        }
    }

    /// Of several definitions of a name the one with a body.
    fn defined<'i>(&self, id: SymbolId, indices: &'i [SymbolIndex]) -> Option<&'i SymbolIndex> {
        let symbols = &self.facts(id.file).symbols;
        indices.iter().find(|&&index| symbols[index as usize].has_body).or_else(|| indices.first())
    }

    /// A member of a class, an interface or an object type, inherited ones included.
    fn instance_member(
        &self,
        id: SymbolId,
        filled: &Filled<'a>,
        name: &str,
        how: How,
        depth: usize,
    ) -> Option<Known<'a>> {
        if depth > MAX_BASES {
            return None;
        }
        for holder in self.merged(id) {
            let scope = self.scope(holder.file);
            let Some(members) = scope.members.get(&holder.index) else { continue };
            if let Some(&index) = members.symbols.get(name).and_then(|indices| self.defined(holder, indices)) {
                return Value::Symbol(SymbolId { file: holder.file, index }).by(how);
            }
            if let Some(&field) = members.fields.get(name) {
                let facts = self.facts(holder.file);
                let field = &facts.bindings[field as usize];
                let at = field.span.start;
                let filled = filled.owned_by(holder);
                let declared = field
                    .declared_type
                    .as_ref()
                    .map(|text| self.within(&filled, || self.type_value(holder.file, &types::parse(text), at)));
                return match declared {
                    Some(declared) if declared != Value::Unknown => declared.by(How::Typed),
                    _ => match &field.value {
                        Some(value) => self.value(holder.file, value, at),
                        None => self.assigned(holder, name),
                    },
                };
            }
        }
        self.bases(id, filled).into_iter().find_map(|base| match base {
            Value::Instance(base, filled) if base != id => self.instance_member(base, &filled, name, how, depth + 1),
            Value::Instance(..) | Value::Unknown => None,
            other => self.member(&Known { value: other, how }, name),
        })
    }

    /// The function types that a value of an interface is called by.
    pub fn signatures(&self, id: SymbolId, filled: &Filled<'a>) -> Vec<Value<'a>> {
        let mut found = Vec::new();
        for holder in self.merged(id) {
            let Some(members) = self.scope(holder.file).members.get(&holder.index) else { continue };
            for &field in &members.signatures {
                let field = &self.facts(holder.file).bindings[field as usize];
                if let Some(declared) = &field.declared_type {
                    let kind = types::parse(declared);
                    let filled = filled.owned_by(holder);
                    found.push(self.within(&filled, || self.type_value(holder.file, &kind, field.span.start)));
                }
            }
        }
        found
    }

    /// What a constructor stores in a field that says no type: `this.name = new X()`, `this.name = parameter`.
    fn assigned(&self, class: SymbolId, name: &str) -> Option<Known<'a>> {
        let facts = self.facts(class.file);
        let constructor = self.constructor(class)?;
        let mut stored = facts.assignments.iter().filter(|assignment| {
            assignment.symbol == Some(constructor.index)
                && matches!(&assignment.target, Expr::Member(object, field) if **object == Expr::This && field == name)
        });
        let (only, more) = (stored.next()?, stored.next());
        if more.is_some() { None } else { self.value(class.file, &only.value, only.span.start) }
    }

    /// `id` and the declarations merged with it.
    pub fn merged(&self, id: SymbolId) -> Vec<SymbolId> {
        let symbols = &self.facts(id.file).symbols;
        let own = &symbols[id.index as usize];
        let interfaces = match own.kind {
            SymbolKind::Interface | SymbolKind::Class => {
                self.scope(id.file).interfaces.get(own.name.as_str()).map_or(&[][..], Vec::as_slice)
            }
            _ => &[],
        };
        let others =
            interfaces.iter().filter(|&&index| index != id.index && symbols[index as usize].container == own.container);
        std::iter::once(id).chain(others.map(|&index| SymbolId { file: id.file, index })).collect()
    }

    /// What a type builds on; what a class implements comes last, for members only declared there.
    pub fn bases(&self, id: SymbolId, filled: &Filled<'a>) -> Vec<Value<'a>> {
        let facts = self.facts(id.file);
        let mut found = Vec::new();
        for kind in [HeritageKind::Extends, HeritageKind::Implements] {
            for holder in self.merged(id) {
                let symbol = self.symbol(holder);
                let places = self.scope(id.file).heritage.get(symbol.name.as_str());
                let own = places.into_iter().flatten().map(|&place| &facts.heritage[place as usize]);
                let own = own.filter(|heritage| heritage.kind == kind && symbol.lines.contains(heritage.line));
                for heritage in own {
                    let space = if symbol.kind == SymbolKind::Class && kind == HeritageKind::Extends {
                        Space::Value
                    } else {
                        Space::Type
                    };
                    let arguments = types::base_arguments(&symbol.signature, &heritage.base);
                    // A byte inside, where the type's own parameters are seen.
                    let at = symbol.span.start.saturating_add(1);
                    found.push(self.within(filled, || self.base(id.file, &heritage.base, at, space, &arguments)));
                }
            }
        }
        found
    }

    /// What a class extends.
    pub fn parent(&self, class: SymbolId) -> Option<Value<'a>> {
        self.bases(class, &Filled::default()).into_iter().next().filter(|base| *base != Value::Unknown)
    }

    /// The constructor of a class, its own or an inherited one.
    pub fn constructor(&self, class: SymbolId) -> Option<SymbolId> {
        let mut class = class;
        for _ in 0..MAX_BASES {
            let members = self.scope(class.file).members.get(&class.index);
            let own = members.and_then(|members| self.defined(class, members.symbols.get("constructor")?));
            if let Some(&index) = own {
                return Some(SymbolId { file: class.file, index });
            }
            match self.parent(class)? {
                Value::Instance(base, _) if base != class => class = base,
                _ => return None,
            }
        }
        None
    }

    /// Methods named `name` with a body in the types that build on `holder`, in order.
    pub fn overrides(&self, holder: SymbolId, name: &str) -> Vec<SymbolId> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::from([holder]);
        let mut work: Vec<SymbolId> = self.merged(holder);
        while let Some(base) = work.pop() {
            for &class in self.reads.subtypes(base) {
                if !seen.insert(class) {
                    continue;
                }
                work.push(class);
                let members = self.scope(class.file).members.get(&class.index);
                let own = members.and_then(|members| self.defined(class, members.symbols.get(name)?));
                if let Some(&index) = own
                    && self.facts(class.file).symbols[index as usize].has_body
                {
                    found.insert(SymbolId { file: class.file, index });
                }
            }
        }
        found.into_iter().collect()
    }
}
