//! The state of linking: contexts, declared types, memory of calls already resolved.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::members::{Members, Owner};
use super::paths::{Def, Names, Site, Space};
use super::types::{Bounds, Ty, Written, alias_target, read, read_bounds};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{CallTarget, FileId, How, SymbolId};

/// Questions within questions that are followed. Our choice: chains of calls are answered in order, so only types that
/// explain each other go deep.
const MAX_DEPTH: u32 = 40;

/// A place expressions are read at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    /// The file.
    pub file: FileId,
    /// The function, or the definition a type is written in.
    pub function: Option<SymbolIndex>,
    /// The region.
    pub region: Option<RegionIndex>,
    /// The byte: what is declared after it is not visible.
    pub at: u32,
}

/// A type and how it became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// The type.
    pub ty: Ty,
    /// `Member` for the own type, `Typed` for what is written, `Returned` for what a call gives.
    pub how: How,
}

impl Default for Typed {
    fn default() -> Self {
        Self { ty: Ty::Unknown, how: How::Typed }
    }
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// What it calls.
    pub target: CallTarget,
    /// What it gives.
    pub result: Typed,
}

/// Linking of all Rust files.
pub(super) struct Linker<'a> {
    /// Names.
    pub names: &'a Names<'a>,
    /// Members.
    pub members: &'a Members,
    /// Macros by name.
    pub macros: HashMap<String, Vec<SymbolId>>,
    bindings: Vec<HashMap<&'a str, Vec<usize>>>,
    /// Calls that put something into a variable, by its name.
    additions: Vec<HashMap<&'a str, Vec<CallIndex>>>,
    generics: Vec<HashMap<SymbolIndex, Vec<&'a GenericBound>>>,
    answers: RefCell<HashMap<(FileId, CallIndex), Option<Answer>>>,
    selves: RefCell<HashMap<SymbolId, Ty>>,
    depth: Cell<u32>,
}

/// One question that is being answered.
pub(super) struct Open<'l>(&'l Cell<u32>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<'a> Linker<'a> {
    /// Linking over `names` and `members`.
    pub fn new(names: &'a Names<'a>, members: &'a Members) -> Self {
        let mut bindings = Vec::new();
        let mut generics = Vec::new();
        let mut additions = Vec::new();
        let mut macros: HashMap<String, Vec<SymbolId>> = HashMap::new();
        for (id, file) in (0..).zip(names.files) {
            for (index, symbol) in (0..).zip(&file.facts.symbols).filter(|(_, own)| own.kind == SymbolKind::Macro) {
                macros.entry(symbol.name.clone()).or_default().push(SymbolId { file: id, index });
            }
            let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
            for (place, binding) in file.facts.bindings.iter().enumerate() {
                if binding.kind != BindingKind::Field {
                    by_name.entry(&binding.name).or_default().push(place);
                }
            }
            bindings.push(by_name);
            let mut by_target: HashMap<&str, Vec<CallIndex>> = HashMap::new();
            for (index, call) in (0..).zip(&file.facts.calls) {
                if let Expr::Member(object, name) = &call.callee
                    && matches!(name.as_str(), "push" | "insert" | "push_back" | "push_front")
                    && let Expr::Name(target) = &**object
                {
                    by_target.entry(target).or_default().push(index);
                }
            }
            additions.push(by_target);
            let mut by_symbol: HashMap<SymbolIndex, Vec<&GenericBound>> = HashMap::new();
            for bound in &file.facts.generics {
                by_symbol.entry(bound.symbol).or_default().push(bound);
            }
            generics.push(by_symbol);
        }
        let (answers, selves, depth) = (RefCell::default(), RefCell::default(), Cell::new(0));
        Self { names, members, macros, bindings, additions, generics, answers, selves, depth }
    }

    /// Begins a question; `None` when questions nest too deep.
    pub fn enter(&self) -> Option<Open<'_>> {
        if self.depth.get() >= MAX_DEPTH {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        Some(Open(&self.depth))
    }

    /// What the call at `index` is, worked out once.
    pub fn call(&self, file: FileId, index: CallIndex) -> Answer {
        let unknown = || Answer { target: CallTarget::Unresolved, result: Typed::default() };
        if let Some(known) = self.answers.borrow().get(&(file, index)) {
            // `None`: the question leads back to itself.
            return known.clone().unwrap_or_else(unknown);
        }
        let Some(open) = self.enter() else { return unknown() };
        self.answers.borrow_mut().insert((file, index), None);
        let answer = self.resolve_call(file, index);
        self.answers.borrow_mut().insert((file, index), Some(answer.clone()));
        drop(open);
        answer
    }

    /// A definition.
    pub fn symbol(&self, id: SymbolId) -> &'a Symbol {
        &self.names.files[id.file as usize].facts.symbols[id.index as usize]
    }

    /// Variables of `file` called `name`.
    pub fn bindings_named(&self, file: FileId, name: &str) -> &[usize] {
        self.bindings[file as usize].get(name).map_or(&[], Vec::as_slice)
    }

    /// Calls in `file` that put something into a variable called `name`.
    pub fn additions(&self, file: FileId, name: &str) -> &[CallIndex] {
        self.additions[file as usize].get(name).map_or(&[], Vec::as_slice)
    }

    /// The place names are looked up from.
    pub fn site(&self, context: Context) -> Option<Site> {
        let around = context.function.or_else(|| {
            // Code outside functions (macro arguments, constants) stands in the inline module around it.
            let symbols = &self.names.files[context.file as usize].facts.symbols;
            let end = symbols.partition_point(|symbol| symbol.span.start <= context.at);
            let modules = symbols[..end].iter().enumerate().rev();
            let mut modules = modules.filter(|(_, symbol)| symbol.kind == SymbolKind::Module);
            modules.find(|(_, symbol)| context.at < symbol.span.end).map(|(index, _)| index as SymbolIndex)
        });
        let module = self.names.tree.module_of(self.names.files, context.file, around)?;
        Some(Site { file: context.file, module, symbol: around })
    }

    /// The place a definition's own types are written at.
    pub fn context_of(&self, symbol: SymbolId) -> Context {
        Context { file: symbol.file, function: Some(symbol.index), region: None, at: self.symbol(symbol).span.start }
    }

    /// The place a call stands at.
    pub fn context_of_call(&self, file: FileId, index: CallIndex) -> Context {
        let call = &self.names.files[file as usize].facts.calls[index as usize];
        // The end of the callee's receiver would be exact; the start of a chain is not, since closures stand inside it.
        Context { file, function: call.caller, region: call.region, at: call.span.start }
    }

    /// Type parameters of a definition, in order.
    pub fn type_parameters(&self, of: SymbolId) -> Vec<&'a str> {
        let bounds = self.generics[of.file as usize].get(&of.index);
        let own = bounds.into_iter().flatten().filter(|bound| bound.bound.is_empty());
        own.map(|bound| bound.name.as_str()).collect()
    }

    /// What `Self` means in a definition.
    pub fn self_type(&self, context: Context) -> Ty {
        let Some(mut index) = context.function else { return Ty::Unknown };
        let symbols = &self.names.files[context.file as usize].facts.symbols;
        // A function inside a method has no `Self`, but a type's own fields do.
        let id = loop {
            let symbol = &symbols[index as usize];
            if symbol.member_of.is_some() || symbol.kind.is_type() {
                break SymbolId { file: context.file, index };
            }
            match symbol.container {
                Some(container) if symbol.kind != SymbolKind::Module => index = container,
                _ => return Ty::Unknown,
            }
        };
        if let Some(known) = self.selves.borrow().get(&id) {
            return known.clone();
        }
        self.selves.borrow_mut().insert(id, Ty::Unknown);
        let ty = self.read_self(id);
        self.selves.borrow_mut().insert(id, ty.clone());
        ty
    }

    fn read_self(&self, id: SymbolId) -> Ty {
        let symbol = self.symbol(id);
        if symbol.member_of.is_none() {
            return if symbol.kind == SymbolKind::Trait {
                self.own_trait(id)
            } else {
                self.symbol_type(id, Vec::new())
            };
        }
        match self.members.owner(id) {
            Some(Owner::Own(of)) if self.symbol(*of).kind == SymbolKind::Trait => self.own_trait(*of),
            Some(Owner::Own(of)) => {
                let parameters = self.type_parameters(*of);
                let context = self.context_of(id);
                let arguments = parameters.iter().map(|name| self.parameter(name, context).unwrap_or_default());
                Ty::Own(*of, arguments.collect())
            }
            Some(Owner::Outside(external)) => Ty::Outside(external.clone(), Vec::new()),
            Some(Owner::Slice) => Ty::Slice(Box::default()),
            Some(Owner::Any) => {
                let name = symbol.member_of.as_deref().unwrap_or_default();
                self.parameter(name, self.context_of(id)).unwrap_or_default()
            }
            None => Ty::Unknown,
        }
    }

    fn own_trait(&self, of: SymbolId) -> Ty {
        Ty::Bounded(Bounds { name: Some("Self".to_owned()), traits: vec![of], outside: Vec::new() })
    }

    /// The type a type's name stands for.
    pub fn symbol_type(&self, symbol: SymbolId, arguments: Vec<Ty>) -> Ty {
        let own = self.symbol(symbol);
        match own.kind {
            SymbolKind::Trait => Ty::Bounded(Bounds { name: None, traits: vec![symbol], outside: Vec::new() }),
            SymbolKind::TypeAlias => {
                let Some(written) = alias_target(&own.signature) else { return Ty::Unknown };
                let Some(_open) = self.enter() else { return Ty::Unknown };
                let ty = self.read_type(written, self.context_of(symbol));
                self.with_arguments(&ty, symbol, &arguments)
            }
            SymbolKind::Struct | SymbolKind::Enum => Ty::Own(symbol, arguments),
            _ => Ty::Unknown,
        }
    }

    /// Reads a type written at `context`.
    pub fn read_type(&self, text: &str, context: Context) -> Ty {
        self.convert(&read(text), context)
    }

    /// Reads a type written in trait member `symbol` for a receiver: `Self::Item` is the receiver's own.
    pub fn read_type_as(&self, text: &str, symbol: SymbolId, receiver: &Ty) -> Ty {
        let in_trait =
            matches!(self.members.owner(symbol), Some(Owner::Own(of)) if self.symbol(*of).kind == SymbolKind::Trait);
        if !in_trait || !receiver.is_known() {
            return self.read_type(text, self.context_of(symbol));
        }
        let general = self.self_type(self.context_of(symbol));
        self.selves.borrow_mut().insert(symbol, receiver.clone());
        let ty = self.read_type(text, self.context_of(symbol));
        self.selves.borrow_mut().insert(symbol, general);
        ty
    }

    /// Reads bounds written at `context`: `Trait + Other`.
    pub fn read_bound(&self, text: &str, context: Context) -> Ty {
        self.bounded(None, &read_bounds(text), context)
    }

    /// The type parameter `name` at `context`, with its bounds.
    pub fn parameter(&self, name: &str, context: Context) -> Option<Ty> {
        let symbols = &self.names.files[context.file as usize].facts.symbols;
        let mut next = context.function;
        while let Some(index) = next {
            let bounds = self.generics[context.file as usize].get(&index).map_or(&[][..], Vec::as_slice);
            if bounds.iter().any(|bound| bound.name == name && bound.bound.is_empty()) {
                let written: Vec<Written> = bounds
                    .iter()
                    .filter(|bound| bound.name == name && !bound.bound.is_empty())
                    .flat_map(|bound| read_bounds(&bound.bound))
                    .collect();
                return Some(self.bounded(Some(name), &written, context));
            }
            // Functions do not see the parameters of what is around them.
            next = if symbols[index as usize].kind.is_callable() { None } else { symbols[index as usize].container };
        }
        None
    }

    fn convert(&self, written: &Written, context: Context) -> Ty {
        let Some(_open) = self.enter() else { return Ty::Unknown };
        let all = |types: &[Written]| -> Vec<Ty> { types.iter().map(|ty| self.convert(ty, context)).collect() };
        match written {
            Written::Path(path, arguments, bindings) => {
                if let [name] = path.as_slice() {
                    if name == "Self" {
                        return self.self_type(context);
                    }
                    if let Some(parameter) = self.parameter(name, context) {
                        return parameter;
                    }
                }
                if let [first, name] = path.as_slice() {
                    let of =
                        if first == "Self" { Some(self.self_type(context)) } else { self.parameter(first, context) };
                    if let Some(of) = of {
                        return self.associated(&of, name);
                    }
                }
                if !bindings.is_empty() {
                    return self.bounded(None, std::slice::from_ref(written), context);
                }
                let Some(site) = self.site(context) else { return Ty::Unknown };
                let walked = self.names.resolve(site, path, Space::Type).filter(|walked| walked.rest.is_empty());
                match walked.map(|walked| walked.found.def) {
                    Some(Def::Symbol(symbol)) => self.symbol_type(symbol, all(arguments)),
                    Some(Def::External(external)) => Ty::Outside(external, all(arguments)),
                    Some(Def::Module(_) | Def::Variant(..)) | None => Ty::Unknown,
                }
            }
            Written::Projection(of, _, name) => self.associated(&self.convert(of, context), name),
            Written::Traits(traits) => self.bounded(None, traits, context),
            Written::Tuple(items) if items.is_empty() => Ty::Unknown,
            Written::Tuple(items) => Ty::Tuple(all(items)),
            Written::Slice(item) => Ty::Slice(Box::new(self.convert(item, context))),
            Written::Function(parameters, result) => {
                let result = result.as_ref().map(|result| self.convert(result, context)).unwrap_or_default();
                Ty::Function(all(parameters), Box::new(result))
            }
            Written::Other => Ty::Unknown,
        }
    }

    /// What can do all of `traits`.
    fn bounded(&self, name: Option<&str>, traits: &[Written], context: Context) -> Ty {
        let mut bounds = Bounds { name: name.map(str::to_owned), ..Bounds::default() };
        let mut item = None;
        for written in traits {
            match written {
                Written::Function(..) => return self.convert(written, context),
                Written::Path(path, _, bindings) => {
                    for (bound, written) in bindings {
                        match bound.as_str() {
                            "Output" => return self.convert(written, context),
                            "Item" => item = Some(self.convert(written, context)),
                            _ => {}
                        }
                    }
                    let walked = self.site(context).and_then(|site| self.names.resolve(site, path, Space::Type));
                    match walked.filter(|walked| walked.rest.is_empty()).map(|walked| walked.found.def) {
                        Some(Def::Symbol(symbol)) if self.symbol(symbol).kind == SymbolKind::Trait => {
                            bounds.traits.push(symbol);
                        }
                        Some(Def::External(external)) => bounds.outside.push(external),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        match item {
            Some(item) if bounds.traits.is_empty() => Ty::Iterator(Box::new(item)),
            _ => Ty::Bounded(bounds),
        }
    }
}
