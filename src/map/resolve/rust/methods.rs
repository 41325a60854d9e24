//! Methods: what a name means on a receiver of a known type, through pointers, traits and their implementations.

use super::library::{self, MethodUse};
use super::linker::{Context, Linker};
use super::members::{Owner, TraitRef};
use super::outside::Outside;
use super::types::{Bounds, Ty, Types};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{How, Resolved, SymbolId};

/// A method that was found.
pub(super) enum Method<'a> {
    /// In this repository: definitions, and the receiver it was found on.
    Own(Vec<Resolved>, Ty<'a>),
    /// Outside it, with what it gives.
    Outside(Outside<'a>, Ty<'a>),
    /// Not known, but what it gives is.
    Gives(Ty<'a>),
}

impl<'a> Linker<'a> {
    /// A method with what it gives, pointers and library types included.
    pub(super) fn find_method_for(
        &self,
        receiver: &Ty<'a>,
        name: &'a str,
        how: How,
        call: &'a CallSite,
        context: Context,
    ) -> Option<Method<'a>> {
        let closure = || {
            let region = call.arguments.iter().find_map(|argument| match argument {
                Expr::Function { region, .. } => *region,
                _ => None,
            });
            match region {
                Some(region) => self.region_result(context.file, region),
                None => self.passed_function(call, context),
            }
        };
        let argument =
            |at: usize| call.arguments.get(at).map(|argument| self.type_of(argument, context).ty).unwrap_or_default();
        let written =
            || call.type_arguments.as_deref().map(|written| self.read_type(written, context)).unwrap_or_default();
        let uses = MethodUse { closure: &closure, argument: &argument, written: &written };
        let mut ty = receiver.clone();
        for _ in 0..6 {
            if let Some(Method::Own(found, ty)) = self.find_method(&ty, name, how)
                && self.reaches(&ty, &found, context)
                && self.is_plausible(&ty, &found, call, context)
            {
                return Some(Method::Own(self.narrowed(found, how, call, context), ty));
            }
            match &ty {
                Ty::Own(..) => {
                    let item = self.associated(&ty, "Item");
                    if item.is_known()
                        && let Some(given) = library::method(&Ty::iterator(item), name, &uses)
                    {
                        return Some(Method::Outside(Outside::std(&["iter", "Iterator"]).with(name), given));
                    }
                    if let Some(inner) = self.own_deref(&ty) {
                        ty = inner;
                        continue;
                    }
                    if let Some(found) = self.on_any(&ty, name, context) {
                        return Some(Method::Own(vec![found], ty));
                    }
                    let given = if library::gives_itself(name) { ty.clone() } else { Ty::Unknown };
                    return Some(Method::Gives(given));
                }
                Ty::Outside(outside, _) => {
                    let given = library::method(&ty, name, &uses);
                    let inner = library::deref(&ty);
                    if given.is_none()
                        && let Some(inner) = inner
                    {
                        ty = inner;
                        continue;
                    }
                    if given.is_none() && library::is_transparent(name) {
                        return Some(Method::Gives(ty));
                    }
                    if given.is_none()
                        && let Some(found) = self
                            .on_any(&ty, name, context)
                            .or_else(|| self.on_chain(outside, name, context))
                            .or_else(|| self.on_given(outside, name, call, context))
                    {
                        return Some(Method::Own(vec![found], ty));
                    }
                    // It is a method of what is pointed to, which nobody said.
                    if given.is_none() && library::is_pointer(&ty) && !ty.argument(0).is_known() {
                        return None;
                    }
                    let link = outside.linked(name);
                    let given = given.unwrap_or_else(|| Ty::Outside(link.clone(), Types::default()));
                    return Some(Method::Outside(link, given));
                }
                Ty::Iterator(_) | Ty::Slice(_) | Ty::Tuple(_) => {
                    let given = library::method(&ty, name, &uses).unwrap_or_default();
                    let of = if matches!(ty, Ty::Iterator(_)) { &["iter", "Iterator"] } else { library::VEC };
                    return Some(Method::Outside(Outside::std(of).with(name), given));
                }
                Ty::Bounded(bounds) => {
                    if let [outside, ..] = bounds.outside.as_slice()
                        && bounds.traits.is_empty()
                        && !library::is_transparent(name)
                    {
                        return Some(Method::Outside(outside.with(name), Ty::Unknown));
                    }
                    let given = if library::gives_itself(name) { ty.clone() } else { Ty::Unknown };
                    return Some(Method::Gives(given));
                }
                // A handler is a function: traits that every function has come by `impl<F: Fn(…)> Trait for F`.
                Ty::Function(..) => return self.on_any(&ty, name, context).map(|found| Method::Own(vec![found], ty)),
                Ty::Unknown => return None,
            }
        }
        None
    }

    /// Whether a call at `context` can mean `found` on `ty`. A type from elsewhere has methods of its own that come first: an
    /// extension that forwards to one of the same name does not call itself, and one that is not imported is not seen.
    pub(super) fn reaches(&self, ty: &Ty<'a>, found: &[Resolved], context: Context) -> bool {
        if !matches!(ty, Ty::Outside(..) | Ty::Slice(_)) {
            return true;
        }
        let Some(site) = self.site(context) else { return false };
        found.iter().all(|found| {
            let is_caller = found.symbol.file == context.file && Some(found.symbol.index) == context.function;
            let seen = self.members.trait_of(found.symbol).is_none_or(|of| self.names.sees_trait(site, of));
            !is_caller && seen && !self.forwards(found.symbol)
        })
    }

    /// Whether a method calls one of its own name on `self`: then the type has a method of that name that comes first.
    fn forwards(&self, method: SymbolId) -> bool {
        if let Some(known) = self.forwarding.borrow().get(&method) {
            return *known;
        }
        let own = self.symbol(method);
        let calls = &self.facts(method.file).calls;
        let forwards =
            calls.iter().filter(|call| call.caller == Some(method.index) && call.name == own.name).any(|call| {
                match &call.callee {
                    Expr::Member(object, _) => **object == Expr::This,
                    Expr::Path(path) => {
                        path.len() == 2 && (path[0] == "Self" || Some(&path[0]) == own.member_of.as_ref())
                    }
                    _ => false,
                }
            });
        self.forwarding.borrow_mut().insert(method, forwards);
        forwards
    }

    /// A function of `ty` called `name`, on the type itself: no pointers are followed.
    pub(super) fn find_method(&self, ty: &Ty<'a>, name: &'a str, how: How) -> Option<Method<'a>> {
        let found = match ty {
            Ty::Own(symbol, _) => self.on_owner(&Owner::Own(*symbol), name, how),
            Ty::Outside(outside, _) => {
                let own = self.on_owner(&Owner::Outside(outside.clone()), name, how);
                if own.is_empty() {
                    return Some(Method::Outside(outside.with(name), Ty::Unknown));
                }
                own
            }
            Ty::Slice(_) => self.on_owner(&Owner::Slice, name, how),
            Ty::Bounded(bounds) => self.on_bounds(bounds, name, how),
            Ty::Unknown | Ty::Iterator(_) | Ty::Tuple(_) | Ty::Function(..) => Vec::new(),
        };
        (!found.is_empty()).then(|| Method::Own(found, ty.clone()))
    }

    pub(super) fn on_owner(&self, owner: &Owner<'a>, name: &'a str, how: How) -> Vec<Resolved> {
        let members = self.members.functions(owner, name);
        match members {
            [] => {}
            [first, rest @ ..] => {
                // One trait implemented for several arguments (`From<A>`, `From<B>`): which one is not known. Twins under `cfg`
                // are the same function to a reader.
                let several = first.of_trait.is_some() && !rest.is_empty();
                if several {
                    let all = members.iter().map(|member| Resolved { symbol: member.symbol, how: How::Dispatch });
                    return all.collect();
                }
                return vec![Resolved { symbol: first.symbol, how }];
            }
        }
        // Default methods of the traits it has.
        let of_traits = self.members.traits(owner).iter().find_map(|base| match base {
            TraitRef::Own(base) => self.members.of_trait(*base, name),
            TraitRef::Outside(_) => None,
        });
        of_traits.map(|symbol| Resolved { symbol, how: How::Trait }).into_iter().collect()
    }

    /// A method that `impl<T: Bound> Trait for T` gives to `ty`, where the trait is in scope.
    pub(super) fn on_any(&self, ty: &Ty<'a>, name: &'a str, context: Context) -> Option<Resolved> {
        let site = self.site(context)?;
        let twins = ty.outside_name().map_or(&[][..], |own| self.members.outside_named(own));
        for twin in twins {
            let member = self.members.functions(&Owner::Outside(twin.clone()), name).first();
            if let Some(member) = member {
                let is_caller = (member.symbol.file, Some(member.symbol.index)) == (context.file, context.function);
                if self.members.trait_of(member.symbol).is_some_and(|of| self.names.sees_trait(site, of))
                    && !is_caller
                    && !self.forwards(member.symbol)
                {
                    return Some(Resolved { symbol: member.symbol, how: How::Trait });
                }
                continue;
            }
            let default = self.members.traits(&Owner::Outside(twin.clone())).iter().find_map(|base| match base {
                TraitRef::Own(of) if self.names.sees_trait(site, *of) => self.members.of_trait(*of, name),
                _ => None,
            });
            if let Some(symbol) = default {
                return Some(Resolved { symbol, how: How::Trait });
            }
        }
        for member in self.members.functions(&Owner::Any, name) {
            let Some(TraitRef::Own(of)) = member.of_trait else { continue };
            let own = self.symbol(member.symbol);
            let parameter = own.member_of.as_deref().unwrap_or_default();
            let bounds = match self.parameter(parameter, self.context_of(member.symbol)) {
                Some(Ty::Bounded(bounds)) => bounds,
                _ => continue,
            };
            // `impl<T: Sink> Sink for &mut T` gives nothing to a type that is no sink.
            if bounds.traits.iter().all(|bound| self.has_trait(ty, *bound)) && self.names.sees_trait(site, of) {
                return Some(Resolved { symbol: member.symbol, how: How::Trait });
            }
        }
        let default = |of: SymbolId| {
            let symbol = self.members.of_trait(of, name)?;
            self.names.sees_trait(site, of).then_some(Resolved { symbol, how: How::Trait })
        };
        if matches!(ty, Ty::Function(..)) {
            // What every type of some bound has, a function has: nothing else implements traits for functions.
            return self.members.traits(&Owner::Any).iter().find_map(|base| match base {
                TraitRef::Own(of) => default(*of),
                TraitRef::Outside(_) => None,
            });
        }
        self.members.of_all().iter().find_map(|of| default(*of))
    }

    /// A method of ours on the type that a chain of outside calls started from: most links of a chain give the type again.
    pub(super) fn on_chain(&self, outside: &Outside<'a>, name: &'a str, context: Context) -> Option<Resolved> {
        (1..outside.path.len()).rev().find_map(|length| {
            let of = outside.at(&outside.path[..length]);
            let found = self.on_owner(&Owner::Outside(of.clone()), name, How::Returned);
            found
                .into_iter()
                .next()
                .filter(|found| self.reaches(&Ty::Outside(of, Types::default()), &[*found], context))
        })
    }

    /// A method of ours on `Result` or `Option`, which is what a call into another crate most often gives:
    /// `query.load(db).await.with_context(…)`. The trait must be in scope, and no other of ours in scope have the name.
    fn on_given(&self, outside: &Outside<'a>, name: &'a str, call: &'a CallSite, context: Context) -> Option<Resolved> {
        let is_call = outside.path.last()?.starts_with(char::is_lowercase) && outside.package != "std";
        if !is_call {
            return None;
        }
        [library::RESULT, library::OPTION].into_iter().find_map(|path| {
            let of = Outside::std(path);
            let found = self.on_owner(&Owner::Outside(of.clone()), name, How::Trait);
            let found = self.narrowed(found, How::Trait, call, context);
            let ty = Ty::Outside(of, Types::default());
            match found.as_slice() {
                [only] if self.members.trait_of(only.symbol).is_some() && self.reaches(&ty, &found, context) => {
                    Some(Resolved { how: How::Trait, ..*only })
                }
                _ => None,
            }
        })
    }

    pub(super) fn has_trait(&self, ty: &Ty<'a>, of: SymbolId) -> bool {
        let owner = match ty {
            Ty::Own(symbol, _) => Owner::Own(*symbol),
            Ty::Outside(outside, _) => Owner::Outside(outside.clone()),
            Ty::Slice(_) => Owner::Slice,
            Ty::Bounded(bounds) => return bounds.traits.contains(&of),
            Ty::Function(..) => Owner::Any,
            Ty::Unknown | Ty::Iterator(_) | Ty::Tuple(_) => return false,
        };
        self.members.traits(&owner).contains(&TraitRef::Own(of))
    }

    pub(super) fn on_bounds(&self, bounds: &Bounds<'a>, name: &'a str, how: How) -> Vec<Resolved> {
        let own_self = bounds.name == Some("Self") && how == How::Member;
        let Some(symbol) = bounds.traits.iter().find_map(|own| self.members.of_trait(*own, name)) else {
            return Vec::new();
        };
        let how = if own_self { How::Member } else { How::Trait };
        let implementations = self.members.implementations(symbol, name).iter();
        std::iter::once(Resolved { symbol, how })
            .chain(implementations.map(|&symbol| Resolved { symbol, how: How::Dispatch }))
            .collect()
    }
}
