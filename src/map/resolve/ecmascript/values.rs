//! What an expression is, as far as calls on it need to know.

use std::rc::Rc;

use super::generics::Filled;
use super::types::TypeExpr;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::RegionIndex;
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, How, SymbolId};

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Not known.
    Unknown,
    /// A definition: function, class, namespace, constant.
    Symbol(SymbolId),
    /// A module as a whole.
    Namespace(FileId),
    /// Something outside the repository, by package and path; `settled` once a promise of it was awaited.
    External { package: Name, path: Vec<Name>, settled: bool },
    /// A value with the members of a class, an interface or an object type.
    Instance(SymbolId, Filled<'a>),
    /// An object literal of a file.
    Object(FileId, u32, &'a Expr),
    /// A function without a name.
    Closure(FileId, RegionIndex),
    /// A value of a type that has no name; the byte is where its names are looked up.
    Shape(FileId, u32, Rc<TypeExpr>, Filled<'a>),
    /// What `await` gives.
    Promise(Box<Value<'a>>),
    /// What the items are.
    Array(Box<Value<'a>>),
    /// A list whose items are known one by one.
    Tuple(Vec<Value<'a>>),
    /// Something of a package that was made around a value: a reference, a context, a map. `key` is the member that gives the value;
    /// empty when only functions of the package do.
    Holds { outside: Box<Value<'a>>, key: &'static str, inner: Box<Value<'a>> },
    /// All of these at once, or one of them.
    Many(Vec<Value<'a>>),
}

/// A value, and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known<'a> {
    pub value: Value<'a>,
    pub how: How,
}

impl<'a> Value<'a> {
    /// Something the runtime provides.
    pub fn global(path: &[&str]) -> Value<'a> {
        Value::external("global", path.iter().map(|&part| part.into()).collect())
    }

    /// Something of a package.
    pub fn external(package: &str, path: Vec<Name>) -> Value<'a> {
        Value::External { package: package.into(), path, settled: false }
    }

    /// The value once it has been waited for.
    pub fn awaited(self) -> Value<'a> {
        match self {
            Value::Promise(inner) => inner.awaited(),
            Value::External { package, path, .. } => Value::External { package, path, settled: true },
            Value::Many(values) => Value::Many(values.into_iter().map(Value::awaited).collect()),
            other => other,
        }
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Value::Array(_) | Value::Tuple(_))
    }

    /// The item at a position of a list.
    pub fn at(self, position: usize) -> Value<'a> {
        match self {
            Value::Tuple(mut items) if position < items.len() => items.swap_remove(position),
            Value::Array(item) => *item,
            _ => Value::Unknown,
        }
    }

    /// What the items of a list, or of what runs over its items, are.
    pub fn item(self) -> Value<'a> {
        match self {
            Value::Array(item) => *item,
            // Whatever differs, what is called on one of them is mostly called alike.
            Value::Tuple(items) => items.into_iter().find(|value| *value != Value::Unknown).unwrap_or(Value::Unknown),
            Value::Promise(inner) => inner.item(),
            Value::Holds { .. } => super::libraries::collected(&self, "").map_or(Value::Unknown, Value::item),
            Value::Many(values) => {
                values.into_iter().map(Value::item).find(|value| *value != Value::Unknown).unwrap_or(Value::Unknown)
            }
            _ => Value::Unknown,
        }
    }

    /// The value with how it was found.
    pub fn by(self, how: How) -> Option<Known<'a>> {
        (self != Value::Unknown).then_some(Known { value: self, how })
    }
}
