//! Calls: what each one calls and what it gives.

use super::library;
use super::linker::{Answer, Context, Linker, Typed};
use super::members::Owner;
use super::methods::{MAX_PATH, Method, linked};
use super::paths::{Def, Space};
use super::types::Ty;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{CallTarget, External, FileId, How, Resolved, SymbolId};

impl Linker<'_> {
    /// Resolves one call; [`Linker::call`] remembers the answer.
    pub fn resolve_call(&self, file: FileId, index: CallIndex) -> Answer {
        let call = &self.names.files[file as usize].facts.calls[index as usize];
        let context = self.context_of_call(file, index);
        match &call.callee {
            _ if call.kind == CallKind::Macro => self.macro_call(call, context),
            Expr::Name(name) => self.path_call(std::slice::from_ref(name), call, context),
            Expr::Path(path) => self.path_call(path, call, context),
            Expr::Member(object, name) => self.method_call(object, name, call, context),
            callee => {
                let result = match self.type_of(callee, context).ty {
                    Ty::Function(_, result) => Typed { ty: *result, how: How::Returned },
                    _ => Typed::default(),
                };
                Answer { target: CallTarget::Unresolved, result }
            }
        }
    }

    fn unresolved(&self, ty: Ty) -> Answer {
        Answer { target: CallTarget::Unresolved, result: Typed { ty, how: How::Returned } }
    }

    fn macro_call(&self, call: &CallSite, context: Context) -> Answer {
        let path = match &call.callee {
            Expr::Name(name) => vec![name.clone()],
            Expr::Path(path) => path.clone(),
            _ => return self.unresolved(Ty::Unknown),
        };
        let Some(site) = self.site(context) else { return self.unresolved(Ty::Unknown) };
        let result = match call.name.as_str() {
            "format" | "concat" | "stringify" => Ty::std("string::String", Vec::new()),
            "vec" => {
                let items = call.arguments.first().map(|first| self.type_of(first, context).ty).unwrap_or_default();
                Ty::std("vec::Vec", vec![items])
            }
            _ => Ty::Unknown,
        };
        // `macro_rules!` names are visible to what comes later in the crate, by text rather than by module.
        let textual = || {
            let krate = self.names.tree.modules[site.module].krate;
            let macros = self.macros.get(path.last()?)?;
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
                    let module = self.names.tree.module_of(self.names.files, symbol.file, None);
                    module.is_some_and(|module| self.names.tree.modules[module].krate == krate)
                })
            })?;
            let how = if found.file == context.file { How::Scope } else { How::Import };
            Some(CallTarget::Symbols(vec![Resolved { symbol: *found, how }]))
        };
        let found = if path.len() == 1 { textual() } else { None };
        let target = found.or_else(|| {
            let walked = self.names.resolve(site, &path, Space::Macro)?;
            match &walked.found.def {
                Def::Symbol(symbol) => {
                    let how = walked.found.how(context.file);
                    Some(CallTarget::Symbols(vec![Resolved { symbol: *symbol, how }]))
                }
                Def::External(external) => Some(CallTarget::External(external.clone())),
                Def::Module(_) | Def::Variant(..) => None,
            }
        });
        // `crate::name!` reaches exported macros whatever module they stand in.
        let target = target.or_else(textual);
        Answer { target: target.unwrap_or(CallTarget::Unresolved), result: Typed { ty: result, how: How::Returned } }
    }

    fn path_call(&self, path: &[String], call: &CallSite, context: Context) -> Answer {
        if let [name] = path {
            if name == "Self" {
                return self.constructed(self.self_type(context), How::Member);
            }
            if self.is_local(context, name) {
                let ty = match self.type_of(&Expr::Name(name.clone()), context).ty {
                    Ty::Function(_, result) => *result,
                    _ => Ty::Unknown,
                };
                return self.unresolved(ty);
            }
        }
        let Some(site) = self.site(context) else { return self.unresolved(Ty::Unknown) };
        if path.len() > 1 {
            let own = match path[0].as_str() {
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
        let Some(walked) = self.names.resolve(site, path, Space::Value) else { return self.unresolved(Ty::Unknown) };
        match &walked.found.def {
            Def::Variant(symbol, _) => self.constructed(Ty::Own(*symbol, Vec::new()), How::Typed),
            Def::External(external) => self.external_call(external, call, context),
            Def::Symbol(symbol) if walked.rest.is_empty() => {
                let own = self.symbol(*symbol);
                if own.kind == SymbolKind::Struct {
                    return self.constructed(Ty::Own(*symbol, Vec::new()), How::Typed);
                }
                if own.kind != SymbolKind::Function {
                    return self.unresolved(Ty::Unknown);
                }
                let resolved = Resolved { symbol: *symbol, how: walked.found.how(context.file) };
                let ty = self.result_of(*symbol, &Ty::Unknown, call, context);
                Answer { target: CallTarget::Symbols(vec![resolved]), result: Typed { ty, how: How::Returned } }
            }
            Def::Symbol(symbol) => {
                let mut ty = self.symbol_type(*symbol, Vec::new());
                for name in &walked.rest[..walked.rest.len() - 1] {
                    ty = self.associated(&ty, name);
                }
                self.associated_call(ty, &call.name, How::Typed, call, context)
            }
            Def::Module(_) => self.unresolved(Ty::Unknown),
        }
    }

    /// A tuple struct or variant made by its constructor.
    fn constructed(&self, ty: Ty, how: How) -> Answer {
        let target = match &ty {
            Ty::Own(symbol, _) => CallTarget::Symbols(vec![Resolved { symbol: *symbol, how }]),
            _ => CallTarget::Unresolved,
        };
        Answer { target, result: Typed { ty, how: How::Typed } }
    }

    /// `Type::name(…)`.
    fn associated_call(&self, ty: Ty, name: &str, how: How, call: &CallSite, context: Context) -> Answer {
        if let Ty::Own(symbol, _) = &ty
            && self.names.is_variant(*symbol, name)
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
            Some(Method::Own(found, receiver)) if self.reaches(&receiver, &found, context) => {
                self.answer(found, receiver, call, context)
            }
            Some(Method::Outside(external, _)) if !matches!(ty, Ty::Own(..)) => {
                let mut external = external;
                external.path.truncate(MAX_PATH);
                let result = self.external_result(&external, &ty, call, context);
                Answer { target: CallTarget::External(external), result }
            }
            Some(Method::Own(..)) if matches!(ty, Ty::Outside(..)) => {
                let Ty::Outside(of, _) = &ty else { return self.unresolved(Ty::Unknown) };
                let external = External { package: of.package.clone(), path: linked(&of.path, name) };
                let result = self.external_result(&external, &ty, call, context);
                Answer { target: CallTarget::External(external), result }
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
    fn external_call(&self, external: &External, call: &CallSite, context: Context) -> Answer {
        // A trait of ours on a type that is not: `<String as Load>::load()`, `u64::from_bytes()`.
        if let Some((name, path)) = external.path.split_last() {
            let of = External { package: external.package.clone(), path: path.to_vec() };
            let found = self.on_owner(&Owner::Outside(of.clone()), name, How::Typed);
            if !found.is_empty() && self.reaches(&Ty::Outside(of.clone(), Vec::new()), &found, context) {
                return self.answer(found, Ty::Outside(of, Vec::new()), call, context);
            }
        }
        let result = self.external_result(external, &Ty::Unknown, call, context);
        Answer { target: CallTarget::External(external.clone()), result }
    }

    /// What a call of `external` gives: its type when the name says so, else the call itself as a type.
    fn external_result(&self, external: &External, of: &Ty, call: &CallSite, context: Context) -> Typed {
        let argument =
            |at: usize| call.arguments.get(at).map(|argument| self.type_of(argument, context).ty).unwrap_or_default();
        let names: Vec<&str> = external.path.iter().map(String::as_str).collect();
        let ty = match names.as_slice() {
            [.., "Some"] => Ty::std("option::Option", vec![argument(0)]),
            [.., "Ok"] => Ty::std("result::Result", vec![argument(0)]),
            [.., "Err"] => Ty::std("result::Result", vec![Ty::Unknown, argument(0)]),
            [.., "mem", "take" | "replace"] => argument(0),
            [.., "Arc" | "Rc", "clone"] => argument(0),
            [
                before @ ..,
                own @ ("Box" | "Arc" | "Rc" | "Mutex" | "RwLock" | "RefCell" | "Cell" | "OnceLock" | "Pin" | "Cow"
                | "Some"),
                "new" | "pin" | "from" | "clone" | "make_mut",
            ] => {
                let mut path: Vec<String> = before.iter().map(|name| (*name).to_owned()).collect();
                path.push((*own).to_owned());
                let external = External { package: external.package.clone(), path };
                Ty::Outside(external, vec![argument(0)])
            }
            [before @ .., name] if library::is_constructor(name) && !before.is_empty() => {
                let path = before.iter().map(|name| (*name).to_owned()).collect();
                let arguments = match of {
                    Ty::Outside(_, arguments) => arguments.clone(),
                    _ => Vec::new(),
                };
                Ty::Outside(External { package: external.package.clone(), path }, arguments)
            }
            names if names.len() >= MAX_PATH => Ty::Unknown,
            _ => Ty::Outside(external.clone(), Vec::new()),
        };
        Typed { ty, how: How::Returned }
    }

    fn method_call(&self, object: &Expr, name: &str, call: &CallSite, context: Context) -> Answer {
        let receiver = self.type_of(object, context);
        match self.find_method_for(&receiver.ty, name, receiver.how, call, context) {
            Some(Method::Own(found, ty)) => self.answer(found, ty, call, context),
            Some(Method::Outside(external, ty)) => {
                Answer { target: CallTarget::External(external), result: Typed { ty, how: How::Returned } }
            }
            Some(Method::Gives(ty)) => {
                Answer { target: CallTarget::Unresolved, result: Typed { ty, how: receiver.how } }
            }
            None => self.unresolved(Ty::Unknown),
        }
    }

    fn answer(&self, found: Vec<Resolved>, receiver: Ty, call: &CallSite, context: Context) -> Answer {
        let ty = found.first().map(|first| self.result_of(first.symbol, &receiver, call, context)).unwrap_or_default();
        // What a constructor gives is as good as written.
        let how = match (&receiver, &ty) {
            (Ty::Own(left, _), Ty::Own(right, _)) if left == right => How::Typed,
            _ => How::Returned,
        };
        Answer { target: CallTarget::Symbols(found), result: Typed { ty, how } }
    }
}
