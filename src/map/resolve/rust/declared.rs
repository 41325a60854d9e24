//! Declared types: from what is written to what it means where it stands.

use std::rc::Rc;

use super::linker::{Context, Linker};
use super::paths::{Def, Space};
use super::types::{Bounds, Ty, Types};
use super::written::{Written, alias_target, read_bounds};
use crate::repo_map::SymbolId;
use crate::repo_map::facts::SymbolKind;

impl<'a> Linker<'a> {
    /// The type a type's name stands for.
    pub fn symbol_type(&self, symbol: SymbolId, arguments: impl Into<Types<'a>>) -> Ty<'a> {
        let own = self.symbol(symbol);
        match own.kind {
            SymbolKind::Trait => Ty::Bounded(Rc::new(Bounds { name: None, traits: vec![symbol], outside: Vec::new() })),
            SymbolKind::TypeAlias => {
                let Some(written) = alias_target(&own.signature) else { return Ty::Unknown };
                let Some(_open) = self.enter() else { return Ty::Unknown };
                let ty = self.read_type(written, self.context_of(symbol));
                self.with_arguments(&ty, symbol, &arguments.into())
            }
            SymbolKind::Struct | SymbolKind::Enum => Ty::Own(symbol, arguments.into()),
            _ => Ty::Unknown,
        }
    }

    /// Reads bounds written at `context`: `Trait + Other`.
    pub fn read_bound(&self, text: &'a str, context: Context) -> Ty<'a> {
        self.bounded(None, &read_bounds(text), context)
    }

    /// The type parameter `name` at `context`, with its bounds.
    pub fn parameter(&self, name: &str, context: Context) -> Option<Ty<'a>> {
        let symbols = &self.facts(context.file).symbols;
        let mut next = context.function;
        while let Some(index) = next {
            let bounds = self.index.generics(SymbolId { file: context.file, index });
            let declared = bounds.iter().find(|bound| bound.name == name && bound.bound.is_empty());
            if let Some(declared) = declared {
                let own = bounds.iter().filter(|bound| bound.name == name && !bound.bound.is_empty());
                let written: Vec<Written<'a>> = own.flat_map(|bound| read_bounds(&bound.bound)).collect();
                return Some(self.bounded(Some(&declared.name), &written, context));
            }
            // Functions do not see the parameters of what is around them.
            next = if symbols[index as usize].kind.is_callable() { None } else { symbols[index as usize].container };
        }
        None
    }

    pub(super) fn convert(&self, written: &Written<'a>, context: Context) -> Ty<'a> {
        let Some(_open) = self.enter() else { return Ty::Unknown };
        let all = |types: &[Written<'a>]| -> Types<'a> { types.iter().map(|ty| self.convert(ty, context)).collect() };
        match written {
            Written::Path(path, arguments, bindings) => {
                if let [name] = path.as_slice() {
                    if *name == "Self" {
                        return self.self_type(context);
                    }
                    if let Some(parameter) = self.parameter(name, context) {
                        return parameter;
                    }
                }
                if let [first, name] = path.as_slice() {
                    let of =
                        if *first == "Self" { Some(self.self_type(context)) } else { self.parameter(first, context) };
                    if let Some(of) = of {
                        return self.associated(&of, name);
                    }
                }
                if !bindings.is_empty() {
                    return self.bounded(None, std::slice::from_ref(written), context);
                }
                let Some(site) = self.site(context) else { return Ty::Unknown };
                let walked =
                    self.names.resolve(site, path.iter().copied(), Space::Type).filter(|walked| walked.rest.is_empty());
                match walked.map(|walked| walked.found.def) {
                    Some(Def::Symbol(symbol)) => self.symbol_type(symbol, all(arguments)),
                    Some(Def::Outside(outside)) => Ty::Outside(outside, all(arguments)),
                    Some(Def::Module(_) | Def::Variant(..)) | None => Ty::Unknown,
                }
            }
            Written::Projection(of, _, name) => self.associated(&self.convert(of, context), name),
            Written::Traits(traits) => self.bounded(None, traits, context),
            Written::Tuple(items) if items.is_empty() => Ty::Unknown,
            Written::Tuple(items) => Ty::Tuple(all(items)),
            Written::Slice(item) => Ty::slice(self.convert(item, context)),
            Written::Function(parameters, result) => {
                let result = result.as_ref().map(|result| self.convert(result, context)).unwrap_or_default();
                Ty::function(all(parameters), result)
            }
            Written::Other => Ty::Unknown,
        }
    }

    /// What can do all of `traits`.
    fn bounded(&self, name: Option<&'a str>, traits: &[Written<'a>], context: Context) -> Ty<'a> {
        let mut bounds = Bounds { name, ..Bounds::default() };
        let mut item = None;
        for written in traits {
            match written {
                Written::Function(..) => return self.convert(written, context),
                Written::Path(path, _, bindings) => {
                    for (bound, written) in bindings {
                        match *bound {
                            "Output" => return self.convert(written, context),
                            "Item" => item = Some(self.convert(written, context)),
                            _ => {}
                        }
                    }
                    let walked =
                        self.site(context).and_then(|site| self.names.resolve(site, path.iter().copied(), Space::Type));
                    match walked.filter(|walked| walked.rest.is_empty()).map(|walked| walked.found.def) {
                        Some(Def::Symbol(symbol)) if self.symbol(symbol).kind == SymbolKind::Trait => {
                            bounds.traits.push(symbol);
                        }
                        Some(Def::Outside(outside)) => bounds.outside.push(outside),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        match item {
            Some(item) if bounds.traits.is_empty() => Ty::iterator(item),
            _ => Ty::Bounded(Rc::new(bounds)),
        }
    }
}
