//! Types as values: what an annotation says about the members of what carries it.

use std::rc::Rc;

use super::evaluate::Linker;
use super::exports::Space;
use super::generics::Filled;
use super::globals::is_global;
use super::types::{self, TypeExpr};
use super::values::{Known, Value};
use crate::repo_map::facts::SymbolKind;
use crate::repo_map::{FileId, How, SymbolId};

impl<'a> Linker<'a, '_> {
    /// The base named by `text` in an `extends` or `implements`.
    pub fn base(&self, file: FileId, text: &str, at: u32, space: Space, arguments: &[TypeExpr]) -> Value<'a> {
        let path: Vec<&str> = text.split('.').collect();
        let known = self.deeper(|| {
            let mut known =
                self.name(file, path.first()?, at, space).or_else(|| self.name(file, path[0], at, Space::Type))?;
            for part in &path[1..] {
                known = self.member(&known, part)?;
            }
            Some(known)
        });
        match known.map(|known| self.module(known).value) {
            Some(Value::Symbol(id)) => match self.symbol(id).kind {
                SymbolKind::Class | SymbolKind::Interface | SymbolKind::TypeAlias => {
                    self.type_of_symbol(id, 0, self.filled_by(id, arguments, file, at))
                }
                _ => Value::Unknown,
            },
            Some(value) => value,
            None => Value::Unknown,
        }
    }

    /// A type as a value that has it.
    pub fn type_value(&self, file: FileId, kind: &TypeExpr, at: u32) -> Value<'a> {
        self.deeper(|| Some(self.type_value_now(file, kind, at))).unwrap_or(Value::Unknown)
    }

    fn type_value_now(&self, file: FileId, kind: &TypeExpr, at: u32) -> Value<'a> {
        match kind {
            TypeExpr::Named(path, arguments) => self.named_type(file, path, arguments, at),
            TypeExpr::Array(item) => Value::Array(Box::new(self.type_value(file, item, at))),
            TypeExpr::Union(parts) | TypeExpr::Intersection(parts) => {
                let values: Vec<Value<'a>> = parts
                    .iter()
                    .map(|part| self.type_value(file, part, at))
                    .filter(|value| *value != Value::Unknown)
                    .collect();
                match (values.len(), kind) {
                    (0, _) => Value::Unknown,
                    (1, _) if parts.len() == 1 || matches!(kind, TypeExpr::Intersection(_)) => {
                        values.into_iter().next().unwrap_or(Value::Unknown)
                    }
                    // Whoever is handed one of several functions is called in one way.
                    (count, TypeExpr::Union(_)) if count == parts.len() && values.iter().all(is_function) => {
                        Value::Many(values)
                    }
                    // One of several types: only what all of them agree on would be safe.
                    (_, TypeExpr::Union(_)) => Value::Unknown,
                    _ => Value::Many(values),
                }
            }
            TypeExpr::Tuple(items) => Value::Tuple(items.iter().map(|item| self.type_value(file, item, at)).collect()),
            TypeExpr::Function(..) | TypeExpr::Object(_) => {
                Value::Shape(file, at, Rc::new(kind.clone()), self.filled.borrow().clone())
            }
            TypeExpr::TypeOf(path) => {
                let found = self.deeper(|| {
                    let mut known = self.name(file, path.first()?, at, Space::Value)?;
                    for part in &path[1..] {
                        known = self.member(&self.opened(known), part)?;
                    }
                    Some(self.opened(known).value)
                });
                found.unwrap_or(Value::Unknown)
            }
            TypeExpr::Import(source, path) => {
                let found = self.deeper(|| {
                    let known = self.imported(file, source, path.first()?, Space::Type)?;
                    Some(self.instance(known.value, &[], file, at))
                });
                found.unwrap_or(Value::Unknown)
            }
            TypeExpr::Indexed(of, key) => {
                let of = self.type_value(file, of, at);
                self.member(&Known { value: of, how: How::Typed }, key).map_or(Value::Unknown, |found| found.value)
            }
            TypeExpr::New(_) | TypeExpr::Unknown => Value::Unknown,
        }
    }

    /// A value of the type that a name stands for.
    fn instance(&self, value: Value<'a>, arguments: &[TypeExpr], file: FileId, at: u32) -> Value<'a> {
        match value {
            Value::Symbol(id) => {
                self.type_of_symbol(id, self.symbol(id).span.start, self.filled_by(id, arguments, file, at))
            }
            other => other,
        }
    }

    fn type_of_symbol(&self, id: SymbolId, at: u32, filled: Filled<'a>) -> Value<'a> {
        let symbol = self.symbol(id);
        match (symbol.kind, &symbol.return_type) {
            (SymbolKind::Class | SymbolKind::Interface, _) => Value::Instance(id, filled),
            (SymbolKind::TypeAlias, Some(text)) => {
                // A byte inside, where its own parameters are seen.
                let at = at.max(symbol.span.start.saturating_add(1));
                let aliased = self.within(&filled, || self.type_value(id.file, &types::parse(text), at));
                match (aliased, self.scope(id.file).members.contains_key(&id.index)) {
                    (Value::Unknown, true) => Value::Instance(id, filled),
                    (other, true) => Value::Many(vec![Value::Instance(id, filled), other]),
                    (other, false) => other,
                }
            }
            (SymbolKind::TypeAlias, None) => Value::Instance(id, filled),
            _ => Value::Unknown,
        }
    }

    fn named_type(&self, file: FileId, path: &[String], arguments: &[TypeExpr], at: u32) -> Value<'a> {
        let name = path[0].as_str();
        if path.len() == 1 {
            if name == "this" {
                return self.this(file, at).map_or(Value::Unknown, |known| known.value);
            }
            if let Some(value) = self.type_parameter(file, name, at) {
                return value;
            }
        }
        let known = self.deeper(|| {
            let scope = self.scope(file);
            let mut known = self.definition(file, scope.kind(name, at)?, Space::Type, How::Typed)?;
            for part in &path[1..] {
                known = self.member(&known, part)?;
            }
            Some(known)
        });
        if let Some(known) = known {
            return self.instance(known.value, arguments, file, at);
        }
        if self.scope(file).kind(name, at).is_some() || path.len() > 1 {
            return Value::Unknown;
        }
        let first = || arguments.first().map_or(Value::Unknown, |argument| self.type_value(file, argument, at));
        match name {
            "Promise" | "PromiseLike" => Value::Promise(Box::new(first())),
            "Array"
            | "ReadonlyArray"
            | "Iterable"
            | "AsyncIterable"
            | "Iterator"
            | "IterableIterator"
            | "Generator"
            | "AsyncGenerator"
            | "AsyncIterableIterator" => Value::Array(Box::new(first())),
            "Set" | "ReadonlySet" | "WeakSet" | "Map" | "ReadonlyMap" | "WeakMap" => {
                let kind = name.trim_start_matches("Readonly");
                let inner = arguments.last().map_or(Value::Unknown, |argument| self.type_value(file, argument, at));
                Value::Holds { outside: Box::new(Value::global(&[kind])), key: "", inner: Box::new(inner) }
            }
            "Partial" | "Required" | "Readonly" | "Omit" | "Pick" | "NonNullable" => first(),
            "Awaited" => first().awaited(),
            "ReturnType" => {
                let known = Known { value: first(), how: How::Typed };
                self.result(known).map_or(Value::Unknown, |known| known.value)
            }
            "InstanceType" => match first() {
                Value::Symbol(id) if self.symbol(id).kind == SymbolKind::Class => {
                    Value::Instance(id, Filled::default())
                }
                external @ Value::External { .. } => external,
                _ => Value::Unknown,
            },
            "string" => Value::global(&["String"]),
            "number" => Value::global(&["Number"]),
            "bigint" => Value::global(&["BigInt"]),
            name if is_global(name) => Value::global(&[name]),
            _ => Value::Unknown,
        }
    }

    /// What a type parameter in sight stands for, at least; `None` when there is no such parameter.
    fn type_parameter(&self, file: FileId, name: &str, at: u32) -> Option<Value<'a>> {
        let scope = self.scope(file);
        let (index, place) = scope.type_parameter(name, at)?;
        if let Some(value) = self.filled_in(SymbolId { file, index }, place) {
            return Some(value);
        }
        // `T extends T` would never end.
        let constraint = scope.type_parameters(index)[place].constraint.as_ref();
        let constraint = constraint.filter(|kind| !matches!(kind, TypeExpr::Named(path, _) if path[0] == name));
        Some(constraint.map_or(Value::Unknown, |constraint| self.type_value(file, constraint, at)))
    }
}

fn is_function(value: &Value<'_>) -> bool {
    matches!(value, Value::Shape(_, _, kind, _) if matches!(kind.as_ref(), TypeExpr::Function(..)))
}
