//! Types: a small model of what is written, enough to find a method's receiver.

use std::ops::Deref;
use std::rc::Rc;

use super::outside::Outside;
use crate::repo_map::SymbolId;

/// A type, references left out. Cheap to clone: what it is made of is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Ty<'a> {
    /// Not known.
    #[default]
    Unknown,
    /// A struct, enum or union of this repository, with its arguments.
    Own(SymbolId, Types<'a>),
    /// A type from elsewhere, or what a call into a crate gives: by path.
    Outside(Outside<'a>, Types<'a>),
    /// A type parameter, `impl Trait` or `dyn Trait`: known by what it can do.
    Bounded(Rc<Bounds<'a>>),
    /// Something that is iterated over, by item.
    Iterator(Rc<Ty<'a>>),
    /// `(A, B)`; an array literal too, since facts do not tell them apart.
    Tuple(Types<'a>),
    /// `[T]`, `[T; N]`.
    Slice(Rc<Ty<'a>>),
    /// A function or closure, by parameters and result.
    Function(Types<'a>, Rc<Ty<'a>>),
}

/// A list of types. The empty list, by far the most common, costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Types<'a>(Option<Rc<[Ty<'a>]>>);

impl<'a> Deref for Types<'a> {
    type Target = [Ty<'a>];

    fn deref(&self) -> &[Ty<'a>] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'a> From<Vec<Ty<'a>>> for Types<'a> {
    fn from(types: Vec<Ty<'a>>) -> Self {
        Self((!types.is_empty()).then(|| types.into()))
    }
}

impl<'a, const N: usize> From<[Ty<'a>; N]> for Types<'a> {
    fn from(types: [Ty<'a>; N]) -> Self {
        Self(Some(Rc::new(types)))
    }
}

impl<'a> FromIterator<Ty<'a>> for Types<'a> {
    fn from_iter<I: IntoIterator<Item = Ty<'a>>>(types: I) -> Self {
        let mut types = types.into_iter().peekable();
        Self(types.peek().is_some().then(|| types.collect()))
    }
}

/// What a bounded type can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bounds<'a> {
    /// The parameter's name; `None` for `impl Trait` and `dyn Trait`.
    pub name: Option<&'a str>,
    /// Traits of this repository.
    pub traits: Vec<SymbolId>,
    /// Traits from elsewhere.
    pub outside: Vec<Outside<'a>>,
}

impl<'a> Ty<'a> {
    /// The last name of a type from elsewhere.
    pub fn outside_name(&self) -> Option<&'a str> {
        match self {
            Ty::Outside(outside, _) => outside.path.last().copied(),
            _ => None,
        }
    }

    /// Type argument `index`.
    pub fn argument(&self, index: usize) -> Ty<'a> {
        match self {
            Ty::Own(_, arguments) | Ty::Outside(_, arguments) => arguments.get(index).cloned().unwrap_or_default(),
            _ => Ty::Unknown,
        }
    }

    /// A type of this repository without arguments.
    pub fn own(symbol: SymbolId) -> Ty<'a> {
        Ty::Own(symbol, Types::default())
    }

    /// A type of the standard library, by its path below `std`.
    pub fn std(path: &'static [&'static str], arguments: impl Into<Types<'a>>) -> Ty<'a> {
        Ty::Outside(Outside::std(path), arguments.into())
    }

    /// A type of the standard library that takes no arguments.
    pub fn plain(path: &'static [&'static str]) -> Ty<'a> {
        Ty::Outside(Outside::std(path), Types::default())
    }

    /// Something that gives `item` over and over.
    pub fn iterator(item: Ty<'a>) -> Ty<'a> {
        Ty::Iterator(Rc::new(item))
    }

    /// `[item]`.
    pub fn slice(item: Ty<'a>) -> Ty<'a> {
        Ty::Slice(Rc::new(item))
    }

    /// A function that gives `result`.
    pub fn function(parameters: Types<'a>, result: Ty<'a>) -> Ty<'a> {
        Ty::Function(parameters, Rc::new(result))
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        !matches!(self, Ty::Unknown)
    }

    /// Whether a type parameter stands anywhere in it.
    fn has_parameters(&self) -> bool {
        match self {
            Ty::Bounded(bounds) => bounds.name.is_some(),
            Ty::Own(_, types) | Ty::Outside(_, types) | Ty::Tuple(types) => types.iter().any(Ty::has_parameters),
            Ty::Iterator(item) | Ty::Slice(item) => item.has_parameters(),
            Ty::Function(types, result) => result.has_parameters() || types.iter().any(Ty::has_parameters),
            Ty::Unknown => false,
        }
    }

    /// This type with its parameters replaced where `replace` knows better.
    pub fn substituted(&self, replace: &dyn Fn(&'a str) -> Option<Ty<'a>>) -> Ty<'a> {
        if !self.has_parameters() {
            return self.clone();
        }
        let all = |types: &[Ty<'a>]| types.iter().map(|ty| ty.substituted(replace)).collect();
        match self {
            Ty::Bounded(bounds) => bounds.name.and_then(replace).unwrap_or_else(|| self.clone()),
            Ty::Own(symbol, arguments) => Ty::Own(*symbol, all(arguments)),
            Ty::Outside(outside, arguments) => Ty::Outside(outside.clone(), all(arguments)),
            Ty::Iterator(item) => Ty::iterator(item.substituted(replace)),
            Ty::Tuple(items) => Ty::Tuple(all(items)),
            Ty::Slice(item) => Ty::slice(item.substituted(replace)),
            Ty::Function(parameters, result) => Ty::function(all(parameters), result.substituted(replace)),
            Ty::Unknown => Ty::Unknown,
        }
    }
}
