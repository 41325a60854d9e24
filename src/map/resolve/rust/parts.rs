//! Parts: the types of fields, items, associated types and of what a pattern takes.

use super::library;
use super::linker::{Context, Linker};
use super::members::{Owner, TraitRef};
use super::paths::{Def, Space};
use super::types::{Ty, Types};
use super::written::alias_target;
use crate::repo_map::SymbolId;

impl<'a> Linker<'a> {
    /// What a pattern takes from a value of type `ty`.
    pub(super) fn taken(&self, ty: &Ty<'a>, steps: &'a str, context: Context) -> Ty<'a> {
        let mut ty = ty.clone();
        let mut steps = steps.split('.');
        while let Some(step) = steps.next() {
            ty = match step {
                "*" => self.item_of(&ty),
                "?" => Ty::Unknown,
                _ if step.starts_with(|first: char| first.is_ascii_digit()) => self.field(&ty, step),
                head => {
                    let Some(field) = steps.next() else { return Ty::Unknown };
                    self.taken_from(&ty, head, field, context)
                }
            };
        }
        ty
    }

    pub(super) fn taken_from(&self, ty: &Ty<'a>, head: &'a str, field: &'a str, context: Context) -> Ty<'a> {
        match head {
            "Some" | "Ok" | "Option::Some" | "Result::Ok" => return self.tried(ty),
            "Err" | "Result::Err" => return ty.argument(1),
            _ => {}
        }
        let mut path: Vec<&str> = head.split("::").collect();
        let own = self.self_type(context);
        let variant = if path[0] == "Self" {
            let Ty::Own(symbol, _) = own else { return Ty::Unknown };
            (path.len() == 2).then(|| (symbol, path.pop())).or(Some((symbol, None)))
        } else {
            let walked = self.site(context).and_then(|site| {
                let by_type = self.names.resolve(site, path.iter().copied(), Space::Type);
                by_type.or_else(|| self.names.resolve(site, path.iter().copied(), Space::Value))
            });
            match walked.map(|walked| walked.found.def) {
                Some(Def::Variant(symbol, variant)) => Some((symbol, Some(variant))),
                Some(Def::Symbol(symbol)) => Some((self.names.through_aliases(symbol), None)),
                _ => None,
            }
        };
        let Some((symbol, variant)) = variant else { return Ty::Unknown };
        let arguments = match ty {
            Ty::Own(of, arguments) if *of == symbol => arguments.clone(),
            _ => Types::default(),
        };
        self.own_field(symbol, variant, field, &arguments).unwrap_or_default()
    }

    /// What `?` makes of a value.
    pub fn tried(&self, ty: &Ty<'a>) -> Ty<'a> {
        match ty.outside_name() {
            Some("Option" | "Result") => ty.argument(0),
            // What another crate's call gives is seen through.
            Some(_) => ty.clone(),
            None => match ty {
                Ty::Iterator(_) | Ty::Own(..) => ty.clone(),
                _ => Ty::Unknown,
            },
        }
    }

    /// What iterating over `ty` gives, own iterators included.
    pub fn item_of(&self, ty: &Ty<'a>) -> Ty<'a> {
        let known = library::item(ty);
        if known.is_known() {
            return known;
        }
        let mut ty = ty.clone();
        for _ in 0..4 {
            if matches!(ty, Ty::Own(..)) {
                let item = self.associated(&ty, "Item");
                return if item.is_known() {
                    item
                } else {
                    self.own_deref(&ty).map(|ty| library::item(&ty)).unwrap_or_default()
                };
            }
            match library::deref(&ty) {
                Some(inner) => ty = inner,
                None => break,
            }
        }
        Ty::Unknown
    }

    /// The type of field `name`, looked for through pointers.
    pub fn field(&self, ty: &Ty<'a>, name: &'a str) -> Ty<'a> {
        let mut ty = ty.clone();
        for _ in 0..6 {
            match &ty {
                Ty::Own(symbol, arguments) => {
                    if let Some(found) = self.own_field(*symbol, None, name, arguments) {
                        return found;
                    }
                }
                // Wrappers such as `State(value)` hold what they dereference to.
                Ty::Outside(..) if name == "0" => return library::deref(&ty).unwrap_or_default(),
                Ty::Tuple(items) => {
                    return name.parse::<usize>().ok().and_then(|at| items.get(at).cloned()).unwrap_or_default();
                }
                _ => {}
            }
            match library::deref(&ty).or_else(|| self.own_deref(&ty)) {
                Some(inner) => ty = inner,
                None => return Ty::Unknown,
            }
        }
        Ty::Unknown
    }

    pub(super) fn own_field(
        &self,
        of: SymbolId,
        variant: Option<&str>,
        name: &'a str,
        arguments: &[Ty<'a>],
    ) -> Option<Ty<'a>> {
        let declared = self.members.field(of, variant, name)?;
        let ty = self.read_type(declared, self.context_of(of));
        Some(self.with_arguments(&ty, of, arguments))
    }

    /// `ty` as written in the definition of `of`, its parameters replaced by `arguments`.
    pub fn with_arguments(&self, ty: &Ty<'a>, of: SymbolId, arguments: &[Ty<'a>]) -> Ty<'a> {
        if arguments.is_empty() {
            return ty.clone();
        }
        ty.substituted(&|name| {
            let at = self.index.type_parameters(of).position(|parameter| parameter == name)?;
            arguments.get(at).filter(|argument| argument.is_known()).cloned()
        })
    }

    /// `Target` of a type with `impl Deref`.
    pub fn own_deref(&self, ty: &Ty<'a>) -> Option<Ty<'a>> {
        Some(self.associated(ty, "Target")).filter(Ty::is_known)
    }

    /// What awaiting `ty` gives: futures are read as what they give, so only own futures change.
    pub fn awaited(&self, ty: Ty<'a>) -> Ty<'a> {
        let Ty::Own(symbol, _) = &ty else { return ty };
        let waits = self.members.traits(&Owner::Own(*symbol)).iter().any(|base| match base {
            TraitRef::Outside(outside) => {
                matches!(outside.path.last().copied(), Some("Future" | "IntoFuture"))
            }
            TraitRef::Own(_) => false,
        });
        if waits { self.associated(&ty, "Output") } else { ty }
    }

    /// An associated type of `ty`.
    pub fn associated(&self, ty: &Ty<'a>, name: &'a str) -> Ty<'a> {
        let Some(_open) = self.enter() else { return Ty::Unknown };
        match ty {
            Ty::Own(symbol, arguments) => {
                let Some(&alias) = self.members.types(&Owner::Own(*symbol), name).first() else { return Ty::Unknown };
                let own = self.symbol(alias);
                let Some(written) = alias_target(&own.signature) else { return Ty::Unknown };
                let found = self.read_type(written, self.context_of(alias));
                self.with_arguments(&found, *symbol, arguments)
            }
            Ty::Bounded(bounds) => {
                let alias = bounds.traits.iter().find_map(|own| self.members.types(&Owner::Own(*own), name).first());
                let Some(&alias) = alias else { return Ty::Unknown };
                let own = self.symbol(alias);
                let Some((_, written)) = own.signature.split_once(':') else { return Ty::Unknown };
                self.read_bound(written, self.context_of(alias))
            }
            Ty::Iterator(item) if name == "Item" => (**item).clone(),
            _ => Ty::Unknown,
        }
    }
}
