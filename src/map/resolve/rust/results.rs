//! Results: what a definition gives back, as declared and as one call makes it.

use super::infer::as_names;
use super::library;
use super::linker::{Context, Linker};
use super::methods::Method;
use super::paths::{Def, Space};
use super::types::{Ty, Types};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{CallTarget, FileId, How, Resolved, SymbolId};

impl<'a> Linker<'a> {
    /// What a function passed by name gives: `.map(Order::new)`.
    pub(super) fn passed_function(&self, call: &'a CallSite, context: Context) -> Ty<'a> {
        let Some(site) = self.site(context) else { return Ty::Unknown };
        call.arguments
            .iter()
            .find_map(|argument| {
                let path = match argument {
                    Expr::Path(path) => as_names(path),
                    Expr::Name(name) => vec![name.as_str()],
                    _ => return None,
                };
                if path[0] == "Self" {
                    let ty = self.self_type(context);
                    let [_, name] = path.as_slice() else { return Some(ty) };
                    return match self.find_method(&ty, name, How::Member) {
                        Some(Method::Own(found, of)) => Some(self.declared_result(found.first()?.symbol, &of)),
                        _ => None,
                    };
                }
                let walked = self.names.resolve(site, path.iter().copied(), Space::Value)?;
                match (&walked.found.def, walked.rest.as_slice()) {
                    (Def::Variant(symbol, _), _) => Some(Ty::own(*symbol)),
                    (Def::Symbol(symbol), []) => match self.symbol(*symbol).kind {
                        SymbolKind::Struct => Some(Ty::own(*symbol)),
                        SymbolKind::Function => Some(self.declared_result(*symbol, &Ty::Unknown)),
                        _ => None,
                    },
                    (Def::Symbol(symbol), [name]) => {
                        let ty = self.symbol_type(*symbol, Types::default());
                        match self.find_method(&ty, name, How::Typed) {
                            Some(Method::Own(found, of)) => Some(self.declared_result(found.first()?.symbol, &of)),
                            _ => None,
                        }
                    }
                    _ => None,
                }
            })
            .unwrap_or_default()
    }

    /// What `symbol` gives when called on `receiver`, as declared.
    pub fn declared_result(&self, symbol: SymbolId, receiver: &Ty<'a>) -> Ty<'a> {
        let Some(declared) = &self.symbol(symbol).return_type else { return Ty::Unknown };
        let Some(_open) = self.enter() else { return Ty::Unknown };
        let ty = self.read_type_as(declared, symbol, receiver);
        let ty = match receiver {
            Ty::Own(of, arguments) => self.with_arguments(&ty, *of, arguments),
            _ => ty,
        };
        // In a trait `Self` is whatever the receiver is.
        ty.substituted(&|name| (name == "Self" && receiver.is_known()).then(|| receiver.clone()))
    }

    /// The same for one call: type parameters are read off its arguments and type arguments.
    pub(super) fn result_of(
        &self,
        symbol: SymbolId,
        receiver: &Ty<'a>,
        call: &'a CallSite,
        context: Context,
    ) -> Ty<'a> {
        let ty = self.declared_result(symbol, receiver);
        let own = self.symbol(symbol);
        let around = self.context_of(symbol);
        let receiver_first = own.takes_self && !matches!(call.callee, Expr::Member(..));
        ty.substituted(&|name| {
            if name == "Self" {
                return None;
            }
            let place = own.parameters.iter().position(|parameter| {
                let declared = parameter.declared_type.as_deref().unwrap_or_default();
                declared.trim_start_matches('&').trim_start_matches("mut ").trim() == name
            });
            let given = place.and_then(|place| call.arguments.get(place + usize::from(receiver_first)));
            let given = given.map(|given| self.type_of(given, context).ty).filter(Ty::is_known);
            if given.is_some() {
                return given;
            }
            // A closure's result: `fn run<T>(f: impl FnOnce() -> T) -> T`.
            let by_closure = own.parameters.iter().zip(&call.arguments).find_map(|(parameter, argument)| {
                let declared = self.read_type(parameter.declared_type.as_deref()?, around);
                match (declared, argument) {
                    (Ty::Function(_, result), Expr::Function { region: Some(region), .. })
                        if matches!(&*result, Ty::Bounded(bounds) if bounds.name == Some(name)) =>
                    {
                        Some(self.region_result(context.file, *region))
                    }
                    _ => None,
                }
            });
            let in_scope = self.parameter(name, context).is_some();
            // A parameter of the callee means nothing to the caller, and its bounds would only name the trait's method.
            by_closure.filter(Ty::is_known).or((!in_scope).then_some(Ty::Unknown))
        })
    }

    /// The declared type of the parameter a closure is given for.
    pub fn declared_closure(&self, file: FileId, index: CallIndex, place: usize) -> Option<Ty<'a>> {
        let call = &self.facts(file).calls[index as usize];
        let CallTarget::Symbols(found) = self.call_target(file, index)? else { return None };
        let symbol = found.first()?.symbol;
        let own = self.symbol(symbol);
        let shift = usize::from(own.takes_self && !matches!(call.callee, Expr::Member(..)));
        let parameter = own.parameters.get(place.checked_sub(shift)?)?;
        let receiver = match &call.callee {
            Expr::Member(object, _) => self.type_of(object, self.context_of_call(file, index)).ty,
            _ => Ty::Unknown,
        };
        let ty = self.read_type_as(parameter.declared_type.as_deref()?, symbol, &receiver);
        Some(match receiver {
            Ty::Own(of, arguments) => self.with_arguments(&ty, of, &arguments),
            _ => ty,
        })
    }

    /// What a call calls, without what it gives: the closures among its arguments may be what is asked about.
    pub(super) fn call_target(&self, file: FileId, index: CallIndex) -> Option<CallTarget> {
        let call = &self.facts(file).calls[index as usize];
        let context = self.context_of_call(file, index);
        if call.kind == CallKind::Macro {
            return None;
        }
        let found = match &call.callee {
            Expr::Member(object, name) => {
                let mut ty = self.type_of(object, context).ty;
                loop {
                    if let Some(Method::Own(found, _)) = self.find_method(&ty, name, How::Typed) {
                        break found;
                    }
                    ty = library::deref(&ty).or_else(|| self.own_deref(&ty))?;
                }
            }
            Expr::Name(_) | Expr::Path(_) => {
                let path = match &call.callee {
                    Expr::Path(path) => as_names(path),
                    Expr::Name(name) => vec![name.as_str()],
                    _ => return None,
                };
                if path[0] == "Self" {
                    match self.find_method(&self.self_type(context), path.get(1)?, How::Member)? {
                        Method::Own(found, _) => found,
                        _ => return None,
                    }
                } else {
                    let walked = self.names.resolve(self.site(context)?, path.iter().copied(), Space::Value)?;
                    match (&walked.found.def, walked.rest.as_slice()) {
                        (Def::Symbol(symbol), []) => vec![Resolved { symbol: *symbol, how: How::Scope }],
                        (Def::Symbol(symbol), [name]) => {
                            match self.find_method(&self.symbol_type(*symbol, Types::default()), name, How::Typed)? {
                                Method::Own(found, _) => found,
                                _ => return None,
                            }
                        }
                        _ => return None,
                    }
                }
            }
            _ => return None,
        };
        Some(CallTarget::Symbols(found))
    }
}
