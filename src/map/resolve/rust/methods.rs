//! Methods: what a name means on a receiver of a known type, through pointers, traits and their implementations.

use super::library::{self, MethodUse};
use super::linker::{Context, Linker};
use super::members::{Owner, TraitRef};
use super::types::{Bounds, Ty};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{External, How, Resolved, SymbolId};

/// Names on the path of an external call that are kept: longer chains say nothing more.
pub(super) const MAX_PATH: usize = 8;

/// A method that was found.
pub(super) enum Method {
    /// In this repository: definitions, and the receiver it was found on.
    Own(Vec<Resolved>, Ty),
    /// Outside it, with what it gives.
    Outside(External, Ty),
    /// Not known, but what it gives is.
    Gives(Ty),
}

impl Linker<'_> {
    /// A method with what it gives, pointers and library types included.
    pub(super) fn find_method_for(
        &self,
        receiver: &Ty,
        name: &str,
        how: How,
        call: &CallSite,
        context: Context,
    ) -> Option<Method> {
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
            {
                return Some(Method::Own(found, ty));
            }
            match &ty {
                Ty::Own(..) => {
                    let item = self.associated(&ty, "Item");
                    if item.is_known()
                        && let Some(given) = library::method(&Ty::Iterator(Box::new(item)), name, &uses)
                    {
                        let path = vec!["iter".to_owned(), "Iterator".to_owned(), name.to_owned()];
                        return Some(Method::Outside(External { package: "std".to_owned(), path }, given));
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
                Ty::Outside(external, _) => {
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
                        && let Some(found) =
                            self.on_any(&ty, name, context).or_else(|| self.on_chain(external, name, context))
                    {
                        return Some(Method::Own(vec![found], ty));
                    }
                    let external = External { package: external.package.clone(), path: linked(&external.path, name) };
                    let given = given.unwrap_or_else(|| Ty::Outside(external.clone(), Vec::new()));
                    return Some(Method::Outside(external, given));
                }
                Ty::Iterator(_) | Ty::Slice(_) | Ty::Tuple(_) => {
                    let given = library::method(&ty, name, &uses).unwrap_or_default();
                    let of = if matches!(ty, Ty::Iterator(_)) { ["iter", "Iterator"] } else { ["vec", "Vec"] };
                    let path = of.into_iter().chain([name]).map(str::to_owned).collect();
                    return Some(Method::Outside(External { package: "std".to_owned(), path }, given));
                }
                Ty::Bounded(bounds) => {
                    if let [outside, ..] = bounds.outside.as_slice()
                        && bounds.traits.is_empty()
                        && !library::is_transparent(name)
                    {
                        let mut external = outside.clone();
                        external.path.push(name.to_owned());
                        return Some(Method::Outside(external, Ty::Unknown));
                    }
                    let given = if library::gives_itself(name) { ty.clone() } else { Ty::Unknown };
                    return Some(Method::Gives(given));
                }
                Ty::Unknown | Ty::Function(..) => return None,
            }
        }
        None
    }

    /// Whether a call at `context` can mean `found` on `ty`. A type from elsewhere has methods of its own that come first: an
    /// extension that forwards to one of the same name does not call itself, and one that is not imported is not seen.
    pub(super) fn reaches(&self, ty: &Ty, found: &[Resolved], context: Context) -> bool {
        if !matches!(ty, Ty::Outside(..) | Ty::Slice(_)) {
            return true;
        }
        let Some(site) = self.site(context) else { return false };
        found.iter().all(|found| {
            let is_caller = found.symbol.file == context.file && Some(found.symbol.index) == context.function;
            let seen = self.members.trait_of(found.symbol).is_none_or(|of| self.names.sees_trait(site, of));
            !is_caller && seen
        })
    }

    /// A function of `ty` called `name`, on the type itself: no pointers are followed.
    pub(super) fn find_method(&self, ty: &Ty, name: &str, how: How) -> Option<Method> {
        let found = match ty {
            Ty::Own(symbol, _) => self.on_owner(&Owner::Own(*symbol), name, how),
            Ty::Outside(external, _) => {
                let own = self.on_owner(&Owner::Outside(external.clone()), name, how);
                if own.is_empty() {
                    let mut path = external.path.clone();
                    path.push(name.to_owned());
                    return Some(Method::Outside(External { package: external.package.clone(), path }, Ty::Unknown));
                }
                own
            }
            Ty::Slice(_) => self.on_owner(&Owner::Slice, name, how),
            Ty::Bounded(bounds) => self.on_bounds(bounds, name, how),
            Ty::Unknown | Ty::Iterator(_) | Ty::Tuple(_) | Ty::Function(..) => Vec::new(),
        };
        (!found.is_empty()).then(|| Method::Own(found, ty.clone()))
    }

    pub(super) fn on_owner(&self, owner: &Owner, name: &str, how: How) -> Vec<Resolved> {
        let members = self.members.functions(owner, name);
        match members.as_slice() {
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
    pub(super) fn on_any(&self, ty: &Ty, name: &str, context: Context) -> Option<Resolved> {
        let site = self.site(context)?;
        let (functions, defaults) = self.members.of_any(name);
        let twins = ty.outside_name().map_or(&[][..], |own| self.members.outside_named(own));
        for twin in twins {
            let member = self.members.functions(&Owner::Outside(twin.clone()), name).into_iter().next();
            if let Some(member) = member {
                let is_caller = (member.symbol.file, Some(member.symbol.index)) == (context.file, context.function);
                if self.members.trait_of(member.symbol).is_some_and(|of| self.names.sees_trait(site, of)) && !is_caller
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
        for member in functions {
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
        defaults.into_iter().filter(|of| self.names.sees_trait(site, *of)).find_map(|of| {
            let symbol = self.members.of_trait(of, name)?;
            Some(Resolved { symbol, how: How::Trait })
        })
    }

    /// A method of ours on the type that a chain of outside calls started from: most links of a chain give the type again.
    pub(super) fn on_chain(&self, external: &External, name: &str, context: Context) -> Option<Resolved> {
        (1..external.path.len()).rev().find_map(|length| {
            let of = External { package: external.package.clone(), path: external.path[..length].to_vec() };
            let found = self.on_owner(&Owner::Outside(of.clone()), name, How::Returned);
            found.into_iter().next().filter(|found| self.reaches(&Ty::Outside(of, Vec::new()), &[*found], context))
        })
    }

    pub(super) fn has_trait(&self, ty: &Ty, of: SymbolId) -> bool {
        let owner = match ty {
            Ty::Own(symbol, _) => Owner::Own(*symbol),
            Ty::Outside(external, _) => Owner::Outside(external.clone()),
            Ty::Slice(_) => Owner::Slice,
            Ty::Bounded(bounds) => return bounds.traits.contains(&of),
            Ty::Unknown | Ty::Iterator(_) | Ty::Tuple(_) | Ty::Function(..) => return false,
        };
        self.members.traits(&owner).contains(&TraitRef::Own(of))
    }

    pub(super) fn on_bounds(&self, bounds: &Bounds, name: &str, how: How) -> Vec<Resolved> {
        let own_self = bounds.name.as_deref() == Some("Self") && how == How::Member;
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

/// `path` with one more link: `query`, `bind`. A link that repeats is written once, and a long chain keeps its start and its end.
pub(super) fn linked(path: &[String], name: &str) -> Vec<String> {
    let mut path = path.to_vec();
    if path.len() > 1 && path.last().is_some_and(|last| last == name) {
        return path;
    }
    if path.len() >= MAX_PATH {
        path.pop();
    }
    path.push(name.to_owned());
    path
}
