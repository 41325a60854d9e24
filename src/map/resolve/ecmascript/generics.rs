//! Type arguments: what a type parameter stands for, where a type, a call or an argument says so.

use std::rc::Rc;

use super::evaluate::Linker;
use super::types::{self, TypeExpr, TypeParameter};
use super::values::Value;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{CallSite, Symbol, SymbolKind};
use crate::repo_map::{FileId, SymbolId};

/// Bases above bases that are looked through.
const MAX_BASES: usize = 12;

/// What the type parameters of some definitions stand for. To whoever asks whether two values are the same it makes no difference.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled<'a>(Option<Rc<Frame<'a>>>);

impl PartialEq for Filled<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The arguments of one definition.
#[derive(Debug, Clone)]
struct Frame<'a> {
    owner: SymbolId,
    arguments: Vec<Argument<'a>>,
    outer: Filled<'a>,
}

/// What a type parameter stands for.
#[derive(Debug, Clone)]
enum Argument<'a> {
    /// A type, read in a file at a byte, and what its own names stand for there. Most are never asked for.
    Type(FileId, u32, TypeExpr, Filled<'a>),
    /// What was found.
    Value(Value<'a>),
    /// Nobody says.
    Unknown,
}

impl<'a> Filled<'a> {
    fn new(owner: SymbolId, arguments: Vec<Argument<'a>>, outer: Filled<'a>) -> Filled<'a> {
        Filled(Some(Rc::new(Frame { owner, arguments, outer })))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn of(&self, owner: SymbolId) -> Option<&[Argument<'a>]> {
        let frame = self.0.as_ref()?;
        if frame.owner == owner { Some(&frame.arguments) } else { frame.outer.of(owner) }
    }

    /// The same for a declaration that is merged with the one it was made for.
    pub fn owned_by(&self, owner: SymbolId) -> Filled<'a> {
        match &self.0 {
            Some(frame) if frame.owner != owner => Filled::new(owner, frame.arguments.clone(), frame.outer.clone()),
            _ => self.clone(),
        }
    }
}

impl<'a> Linker<'a, '_> {
    /// Runs `step` where type parameters stand for what `filled` says.
    pub fn within<T>(&self, filled: &Filled<'a>, step: impl FnOnce() -> T) -> T {
        let outer = self.filled.replace(filled.clone());
        let found = step();
        self.filled.replace(outer);
        found
    }

    fn parameters_of(&self, id: SymbolId) -> &[TypeParameter] {
        self.scope(id.file).type_parameters(id.index)
    }

    /// What parameter `place` of `owner` stands for here.
    pub fn filled_in(&self, owner: SymbolId, place: usize) -> Option<Value<'a>> {
        let argument = self.filled.borrow().of(owner)?.get(place)?.clone();
        match argument {
            Argument::Type(file, at, kind, outer) => {
                let value = self.within(&outer, || self.type_value(file, &kind, at));
                (value != Value::Unknown).then_some(value)
            }
            Argument::Value(value) => Some(value),
            Argument::Unknown => None,
        }
    }

    /// The parameters of `id`, filled with the arguments that are written after its name at byte `at` of `file`.
    pub fn filled_by(&self, id: SymbolId, arguments: &[TypeExpr], file: FileId, at: u32) -> Filled<'a> {
        let symbol = self.symbol(id);
        // Without arguments only defaults could say something.
        if arguments.is_empty() && !symbol.signature.contains('=') {
            return Filled::default();
        }
        let parameters = self.parameters_of(id);
        if parameters.is_empty() {
            return Filled::default();
        }
        let given = |place: usize, parameter: &TypeParameter| match (arguments.get(place), &parameter.default) {
            (Some(kind), _) => Argument::Type(file, at, kind.clone(), self.filled.borrow().clone()),
            (None, Some(kind)) => {
                Argument::Type(id.file, symbol.span.start.saturating_add(1), kind.clone(), Filled::default())
            }
            (None, None) => Argument::Unknown,
        };
        let arguments = parameters.iter().enumerate().map(|(place, parameter)| given(place, parameter));
        Filled::new(id, arguments.collect(), Filled::default())
    }

    /// The parameters of the type that declares a member, as a value of another type sees them: those of `Store` in what
    /// `class Rows extends Store<Row>` makes.
    fn seen_from(&self, value: &Value<'a>, holder: SymbolId) -> Filled<'a> {
        if self.parameters_of(holder).is_empty() {
            return Filled::default();
        }
        match value {
            Value::Instance(id, filled) => self.seen_below(*id, filled, holder, 0),
            Value::Many(values) => values
                .iter()
                .map(|value| self.seen_from(value, holder))
                .find(|filled| !filled.is_empty())
                .unwrap_or_default(),
            _ => Filled::default(),
        }
    }

    fn seen_below(&self, id: SymbolId, filled: &Filled<'a>, holder: SymbolId, depth: usize) -> Filled<'a> {
        if id == holder || depth > MAX_BASES {
            return filled.clone();
        }
        if self.merged(id).contains(&holder) {
            return filled.owned_by(holder);
        }
        let below = self.bases(id, filled).into_iter().filter_map(|base| match base {
            Value::Instance(base, filled) if base != id => Some(self.seen_below(base, &filled, holder, depth + 1)),
            _ => None,
        });
        let mut found = below.filter(|filled| filled.of(holder).is_some());
        found.next().unwrap_or_default()
    }

    /// What type parameters stand for in `text`, a type in the signature of `id`, for one call of it. `callbacks`: whether functions
    /// among the arguments are asked, too.
    pub fn filled_for(
        &self,
        file: FileId,
        site: &'a CallSite,
        id: SymbolId,
        text: &str,
        callbacks: bool,
    ) -> Filled<'a> {
        let symbol = self.symbol(id);
        let holder = symbol.container.filter(|_| symbol.kind == SymbolKind::Method);
        let outer = match (holder, site.callee.peeled()) {
            (Some(index), Expr::Member(object, _)) => {
                let holder = SymbolId { file: id.file, index };
                let receiver = self.value(file, object, site.span.start).map(|receiver| receiver.value);
                receiver.map_or_else(Filled::default, |receiver| self.seen_from(&receiver, holder))
            }
            _ => Filled::default(),
        };
        let parameters = self.parameters_of(id);
        if !parameters.iter().any(|parameter| text.contains(&parameter.name)) {
            return outer;
        }
        let found = parameters.iter().enumerate().map(|(place, parameter)| {
            if !text.contains(&parameter.name) {
                return Argument::Unknown;
            }
            self.argument(file, site, symbol, place, &parameter.name, callbacks)
        });
        Filled::new(id, found.collect(), outer)
    }

    /// What `new` of the class `id` makes its parameters stand for.
    pub fn filled_by_new(&self, file: FileId, site: &'a CallSite, id: SymbolId) -> Filled<'a> {
        let parameters = self.parameters_of(id);
        if parameters.is_empty() {
            return Filled::default();
        }
        let constructor = self.symbol(self.constructor(id).unwrap_or(id));
        let found = parameters
            .iter()
            .enumerate()
            .map(|(place, parameter)| self.argument(file, site, constructor, place, &parameter.name, true));
        Filled::new(id, found.collect(), Filled::default())
    }

    /// A type argument of a call: the one that is written, else what the arguments show.
    fn argument(
        &self,
        file: FileId,
        site: &'a CallSite,
        signature: &Symbol,
        place: usize,
        name: &str,
        callbacks: bool,
    ) -> Argument<'a> {
        if let Some(text) = &site.type_arguments {
            return match types::parse(&format!("X<{text}>")) {
                TypeExpr::Named(_, mut arguments) if place < arguments.len() => {
                    Argument::Type(file, site.span.start, arguments.swap_remove(place), Filled::default())
                }
                _ => Argument::Unknown,
            };
        }
        let shown = signature.parameters.iter().zip(&site.arguments).find_map(|(own, argument)| {
            if !callbacks && matches!(argument, Expr::Function { .. }) {
                return None;
            }
            let kind = types::parse(own.declared_type.as_ref()?);
            self.deeper(|| self.matched(file, &kind, name, argument, site.span.start))
        });
        shown.map_or(Argument::Unknown, Argument::Value)
    }

    /// What a function gives back for this call, where that depends on type arguments.
    pub fn filled_result(&self, file: FileId, site: &'a CallSite, id: SymbolId) -> Option<Value<'a>> {
        let symbol = self.symbol(id);
        let declared = symbol.return_type.as_ref()?;
        let filled = self.filled_for(file, site, id, declared, true);
        if filled.is_empty() {
            return None;
        }
        let at = symbol.span.start.saturating_add(1);
        let found = self.within(&filled, || self.type_value(id.file, &types::parse(declared), at));
        (found != Value::Unknown).then_some(found)
    }

    /// What a generic function gives back for this call: `remember<T>(name: string, make: () => T): T`.
    pub fn inferred(&self, file: FileId, call: u32, id: SymbolId) -> Option<Value<'a>> {
        let symbol = self.symbol(id);
        let declared = types::parse(symbol.return_type.as_ref()?);
        let (wrapper, parameter) = match &declared {
            TypeExpr::Named(path, inner) => match (path.first()?.as_str(), inner.as_slice()) {
                ("Promise", [TypeExpr::Named(inner, _)]) => (Some("Promise"), inner.first()?.clone()),
                (name, []) => (None, name.to_owned()),
                _ => return None,
            },
            TypeExpr::Array(item) => match item.as_ref() {
                TypeExpr::Named(path, _) => (Some("Array"), path.first()?.clone()),
                _ => return None,
            },
            _ => return None,
        };
        let place = self.parameters_of(id).iter().position(|own| own.name == parameter)?;
        let site = &self.facts(file).calls[call as usize];
        let explicit = site.type_arguments.as_ref().and_then(|text| match types::parse(&format!("X<{text}>")) {
            TypeExpr::Named(_, mut arguments) if place < arguments.len() => Some(arguments.swap_remove(place)),
            _ => None,
        });
        let found = match explicit {
            Some(kind) => Some(self.type_value(file, &kind, site.span.start)).filter(|value| *value != Value::Unknown),
            None => symbol.parameters.iter().zip(&site.arguments).find_map(|(own, argument)| {
                let kind = types::parse(own.declared_type.as_ref()?);
                self.matched(file, &kind, &parameter, argument, site.span.start)
            }),
        }?;
        Some(match wrapper {
            Some("Promise") => Value::Promise(Box::new(found.awaited())),
            Some(_) => Value::Array(Box::new(found)),
            None => found,
        })
    }

    /// What the type parameter `name` stands for, when an argument of type `kind` is `argument`.
    fn matched(&self, file: FileId, kind: &TypeExpr, name: &str, argument: &'a Expr, at: u32) -> Option<Value<'a>> {
        match kind {
            TypeExpr::Named(path, inner) if path.len() == 1 => match (path[0].as_str(), inner.as_slice()) {
                (own, []) if own == name => Some(self.value(file, argument, at)?.value),
                ("Promise", [inner]) => Some(self.matched(file, inner, name, argument, at)?.awaited()),
                // `load<T>(store: Store<T>)`, given a `Store<Row>`.
                (own, inner) => {
                    let place = inner.iter().position(|inner| is_parameter(inner, name))?;
                    match self.value(file, argument, at)?.value {
                        Value::Instance(id, filled) if self.symbol(id).name == own => {
                            self.within(&filled, || self.filled_in(id, place))
                        }
                        _ => None,
                    }
                }
            },
            // `make<T>(kind: new () => T)`, given a class.
            TypeExpr::New(made) if is_parameter(made, name) => match self.value(file, argument, at)?.value {
                Value::Symbol(id) if self.symbol(id).kind == SymbolKind::Class => {
                    Some(Value::Instance(id, Filled::default()))
                }
                _ => None,
            },
            TypeExpr::Array(inner) => Some(self.matched(file, inner, name, argument, at)?.item()),
            TypeExpr::Function(_, returned) => {
                let given = self.value(file, argument, at)?;
                let result = self.result(given)?.value;
                let waits = |kind: &TypeExpr| matches!(kind, TypeExpr::Named(path, _) if path[0] == "Promise");
                match returned.as_ref() {
                    TypeExpr::Named(path, _) if path[0] == name => Some(result),
                    TypeExpr::Union(parts) if parts.iter().any(waits) => Some(result.awaited()),
                    kind if waits(kind) => Some(result.awaited()),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn is_parameter(kind: &TypeExpr, name: &str) -> bool {
    matches!(kind, TypeExpr::Named(path, arguments) if path.len() == 1 && path[0] == name && arguments.is_empty())
}
