//! Calls: what each one calls and what it gives.

use super::infer::as_names;
use super::library;
use super::linker::{Answer, Context, Linker, Typed};
use super::members::Owner;
use super::methods::Method;
use super::outside::Outside;
use super::paths::{Def, Space};
use super::types::{Ty, Types};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{CallTarget, FileId, How, Resolved, SymbolId};

impl<'a> Linker<'a> {
    /// Resolves one call; [`Linker::result`] remembers the answer.
    pub fn resolve_call(&self, file: FileId, index: CallIndex) -> Answer<'a> {
        let call = &self.facts(file).calls[index as usize];
        let context = self.context_of_call(file, index);
        match &call.callee {
            _ if call.kind == CallKind::Macro => self.macro_call(call, context),
            Expr::Name(_) | Expr::Path(_) => self.path_call(call, context),
            Expr::Member(object, name) => self.method_call(object, name, call, context),
            callee => {
                let result = match self.type_of(callee, context).ty {
                    Ty::Function(_, result) => Typed { ty: (*result).clone(), how: How::Returned },
                    _ => Typed::default(),
                };
                Answer { target: CallTarget::Unresolved, result }
            }
        }
    }

    fn unresolved(&self, ty: Ty<'a>) -> Answer<'a> {
        Answer { target: CallTarget::Unresolved, result: Typed { ty, how: How::Returned } }
    }

    fn macro_call(&self, call: &'a CallSite, context: Context) -> Answer<'a> {
        let path = match &call.callee {
            Expr::Name(name) => vec![name.as_str()],
            Expr::Path(path) => as_names(path),
            _ => return self.unresolved(Ty::Unknown),
        };
        let Some(site) = self.site(context) else { return self.unresolved(Ty::Unknown) };
        let result = match call.name.as_str() {
            "format" | "concat" | "stringify" => Ty::plain(library::STRING),
            "vec" => {
                let items = call.arguments.first().map(|first| self.type_of(first, context).ty).unwrap_or_default();
                Ty::std(library::VEC, [items])
            }
            _ => Ty::Unknown,
        };
        // `macro_rules!` names are visible to what comes later in the crate, by text rather than by module.
        let textual = || {
            let krate = self.tree().modules[site.module].krate;
            let macros = self.index.macros.get(path.last()?)?;
            // A macro inside a function is seen in that function alone.
            let seen = |symbol: &&SymbolId| match self
                .symbol(**symbol)
                .container
                .map(|around| SymbolId { index: around, ..**symbol })
            {
                Some(around) if self.symbol(around).kind.is_callable() => {
                    symbol.file == context.file && self.symbol(around).lines.contains(call.line)
                }
                _ => true,
            };
            let own = macros.iter().filter(seen).find(|symbol| symbol.file == context.file);
            // Who redefines `writeln!` means the file, not the crate.
            let is_std = library::prelude(&call.name, Space::Macro).is_some();
            let found = own.or_else(|| {
                macros.iter().filter(seen).filter(|_| !is_std).find(|symbol| {
                    let module = self.index.module_of(symbol.file, None);
                    module.is_some_and(|module| self.tree().modules[module].krate == krate)
                })
            })?;
            let how = if found.file == context.file { How::Scope } else { How::Import };
            Some(CallTarget::Symbols(vec![Resolved { symbol: *found, how }]))
        };
        let found = if path.len() == 1 { textual() } else { None };
        let target = found.or_else(|| {
            let walked = self.names.resolve(site, path.iter().copied(), Space::Macro)?;
            match &walked.found.def {
                Def::Symbol(symbol) => {
                    let how = walked.found.how(context.file);
                    Some(CallTarget::Symbols(vec![Resolved { symbol: *symbol, how }]))
                }
                Def::Outside(outside) => Some(CallTarget::External(outside.to_external())),
                Def::Module(_) | Def::Variant(..) => None,
            }
        });
        // `crate::name!` reaches exported macros whatever module they stand in.
        let target = target.or_else(textual);
        Answer { target: target.unwrap_or(CallTarget::Unresolved), result: Typed { ty: result, how: How::Returned } }
    }

    fn path_call(&self, call: &'a CallSite, context: Context) -> Answer<'a> {
        let path = match &call.callee {
            Expr::Path(path) => as_names(path),
            callee => vec![callee.last_name().unwrap_or_default()],
        };
        let path = path.as_slice();
        if let [name] = path {
            if *name == "Self" {
                return self.constructed(self.self_type(context), How::Member);
            }
            if self.is_local(context, name) {
                let ty = match self.type_of(&call.callee, context).ty {
                    Ty::Function(_, result) => (*result).clone(),
                    _ => Ty::Unknown,
                };
                return self.unresolved(ty);
            }
        }
        let Some(site) = self.site(context) else { return self.unresolved(Ty::Unknown) };
        if path.len() > 1 {
            let own = match path[0] {
                "Self" => Some((self.self_type(context), How::Member)),
                name => self.parameter(name, context).map(|ty| (ty, How::Trait)),
            };
            if let Some((mut ty, how)) = own {
                for name in &path[1..path.len() - 1] {
                    ty = self.associated(&ty, name);
                }
                return self.associated_call(ty, &call.name, how, call, context);
            }
        }
        let Some(walked) = self.names.resolve(site, path.iter().copied(), Space::Value) else {
            return self.unresolved(Ty::Unknown);
        };
        match &walked.found.def {
            Def::Variant(symbol, _) => self.constructed(Ty::own(*symbol), How::Typed),
            Def::Outside(outside) => self.outside_call(outside, call, context),
            Def::Symbol(symbol) if walked.rest.is_empty() => {
                let own = self.symbol(*symbol);
                if own.kind == SymbolKind::Struct {
                    return self.constructed(Ty::own(*symbol), How::Typed);
                }
                if own.kind != SymbolKind::Function {
                    return self.unresolved(Ty::Unknown);
                }
                let resolved = Resolved { symbol: *symbol, how: walked.found.how(context.file) };
                let ty = self.result_of(*symbol, &Ty::Unknown, call, context);
                Answer { target: CallTarget::Symbols(vec![resolved]), result: Typed { ty, how: How::Returned } }
            }
            Def::Symbol(symbol) => {
                let mut ty = self.symbol_type(*symbol, Types::default());
                for name in &walked.rest[..walked.rest.len() - 1] {
                    ty = self.associated(&ty, name);
                }
                self.associated_call(ty, &call.name, How::Typed, call, context)
            }
            Def::Module(_) => self.unresolved(Ty::Unknown),
        }
    }

    /// A tuple struct or variant made by its constructor.
    fn constructed(&self, ty: Ty<'a>, how: How) -> Answer<'a> {
        let target = match &ty {
            Ty::Own(symbol, _) => CallTarget::Symbols(vec![Resolved { symbol: *symbol, how }]),
            _ => CallTarget::Unresolved,
        };
        Answer { target, result: Typed { ty, how: How::Typed } }
    }

    /// `Type::name(…)`.
    fn associated_call(&self, ty: Ty<'a>, name: &'a str, how: How, call: &'a CallSite, context: Context) -> Answer<'a> {
        if let Ty::Own(symbol, _) = &ty
            && self.index.is_variant(*symbol, name)
        {
            return self.constructed(ty, how);
        }
        if let Ty::Bounded(bounds) = &ty
            && bounds.name.is_none()
        {
            // `Trait::method(value)`: the value's own implementation where its type is known.
            let first = call.arguments.first().map(|first| self.type_of(first, context).ty).unwrap_or_default();
            if let Ty::Own(..) = first
                && let Some(Method::Own(found, ty)) = self.find_method(&first, name, How::Typed)
            {
                return self.answer(found, ty, call, context);
            }
        }
        match self.find_method(&ty, name, how) {
            Some(Method::Own(found, receiver))
                if self.reaches(&receiver, &found, context) && self.is_plausible(&receiver, &found, call, context) =>
            {
                let found = self.narrowed(found, how, call, context);
                self.answer(found, receiver, call, context)
            }
            Some(Method::Outside(outside, _)) if !matches!(ty, Ty::Own(..)) => {
                let kept = outside.path.len().min(Outside::MAX_PATH);
                let outside = if kept < outside.path.len() { outside.at(&outside.path[..kept]) } else { outside };
                let result = self.outside_result(&outside, &ty, call, context);
                Answer { target: CallTarget::External(outside.to_external()), result }
            }
            Some(Method::Own(..)) if matches!(ty, Ty::Outside(..)) => {
                let Ty::Outside(of, _) = &ty else { return self.unresolved(Ty::Unknown) };
                let outside = of.linked(name);
                let result = self.outside_result(&outside, &ty, call, context);
                Answer { target: CallTarget::External(outside.to_external()), result }
            }
            // Derived and blanket functions are nowhere in the source: `Cli::parse()`, `Settings::default()`.
            _ if matches!(ty, Ty::Own(..)) => {
                let ty = if matches!(name, "default" | "parse" | "from" | "new" | "clone") { ty } else { Ty::Unknown };
                Answer { target: CallTarget::Unresolved, result: Typed { ty, how: How::Typed } }
            }
            _ => self.unresolved(Ty::Unknown),
        }
    }

    /// A call of a path that leads out of the repository.
    fn outside_call(&self, outside: &Outside<'a>, call: &'a CallSite, context: Context) -> Answer<'a> {
        // A trait of ours on a type that is not: `<String as Load>::load()`, `u64::from_bytes()`.
        if let Some((name, path)) = outside.path.split_last() {
            let of = outside.at(path);
            let found = self.on_owner(&Owner::Outside(of.clone()), name, How::Typed);
            let ty = Ty::Outside(of, Types::default());
            if !found.is_empty() && self.reaches(&ty, &found, context) && self.is_plausible(&ty, &found, call, context)
            {
                let found = self.narrowed(found, How::Typed, call, context);
                return self.answer(found, ty, call, context);
            }
        }
        let result = self.outside_result(outside, &Ty::Unknown, call, context);
        Answer { target: CallTarget::External(outside.to_external()), result }
    }

    /// What a call of `outside` gives: its type when the name says so, else the call itself as a type.
    fn outside_result(&self, outside: &Outside<'a>, of: &Ty<'a>, call: &'a CallSite, context: Context) -> Typed<'a> {
        let argument =
            |at: usize| call.arguments.get(at).map(|argument| self.type_of(argument, context).ty).unwrap_or_default();
        let ty = match &*outside.path {
            [.., "Some"] => Ty::std(library::OPTION, [argument(0)]),
            [.., "Ok"] => Ty::std(library::RESULT, [argument(0)]),
            [.., "Err"] => Ty::std(library::RESULT, [Ty::Unknown, argument(0)]),
            [.., "mem", "take" | "replace"] => argument(0),
            [.., "Arc" | "Rc", "clone"] => argument(0),
            [
                before @ ..,
                "Box" | "Arc" | "Rc" | "Mutex" | "RwLock" | "RefCell" | "Cell" | "OnceLock" | "Pin" | "Cow" | "Some",
                "new" | "pin" | "from" | "clone" | "make_mut",
            ] => Ty::Outside(outside.at(&outside.path[..before.len() + 1]), [argument(0)].into()),
            [before @ .., name] if library::is_constructor(name) && !before.is_empty() => {
                let arguments = match of {
                    Ty::Outside(_, arguments) => arguments.clone(),
                    _ => Types::default(),
                };
                Ty::Outside(outside.at(before), arguments)
            }
            names if names.len() >= Outside::MAX_PATH => Ty::Unknown,
            _ => Ty::Outside(outside.clone(), Types::default()),
        };
        Typed { ty, how: How::Returned }
    }

    fn method_call(&self, object: &'a Expr, name: &'a str, call: &'a CallSite, context: Context) -> Answer<'a> {
        let receiver = self.type_of(object, context);
        match self.find_method_for(&receiver.ty, name, receiver.how, call, context) {
            Some(Method::Own(found, ty)) => self.answer(found, ty, call, context),
            Some(Method::Outside(outside, ty)) => {
                let target = CallTarget::External(outside.to_external());
                Answer { target, result: Typed { ty, how: How::Returned } }
            }
            Some(Method::Gives(ty)) => {
                Answer { target: CallTarget::Unresolved, result: Typed { ty, how: receiver.how } }
            }
            None => self.unresolved(Ty::Unknown),
        }
    }

    fn answer(&self, found: Vec<Resolved>, receiver: Ty<'a>, call: &'a CallSite, context: Context) -> Answer<'a> {
        let ty = found.first().map(|first| self.result_of(first.symbol, &receiver, call, context)).unwrap_or_default();
        // What a constructor gives is as good as written.
        let how = match (&receiver, &ty) {
            (Ty::Own(left, _), Ty::Own(right, _)) if left == right => How::Typed,
            _ => How::Returned,
        };
        Answer { target: CallTarget::Symbols(found), result: Typed { ty, how } }
    }
}
