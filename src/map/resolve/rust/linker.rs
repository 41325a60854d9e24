//! The state of linking one file: contexts, declared types, memory of calls already resolved.
//!
//! Expressions of a file are only ever typed from that file, so each file has a linker of its own, and the answers do not
//! depend on which files were linked before or on how many threads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::chains::Chains;
use super::index::Index;
use super::infer::as_names;
use super::members::{Members, Owner};
use super::modules::ModuleTree;
use super::paths::{Def, Names, Site, Space};
use super::types::{Bounds, Ty};
use super::written::Written;
use crate::map::resolve::handed::{candidates, function_names};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::*;
use crate::repo_map::{CallTarget, FileId, Handed, How, ImportTarget, SourceFile, SymbolId};

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
pub(super) struct Typed<'a> {
    /// The type.
    pub ty: Ty<'a>,
    /// `Member` for the own type, `Typed` for what is written, `Returned` for what a call gives.
    pub how: How,
}

impl Default for Typed<'_> {
    fn default() -> Self {
        Self { ty: Ty::Unknown, how: How::Typed }
    }
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer<'a> {
    /// What it calls.
    pub target: CallTarget,
    /// What it gives.
    pub result: Typed<'a>,
}

/// How far the answer about a call is.
#[derive(Debug, Clone, Default)]
enum State<'a> {
    /// Nobody asked.
    #[default]
    New,
    /// Being worked out: who asks now leads back to itself.
    Open,
    /// Known.
    Known(Typed<'a>),
}

/// A text that is a type, and the definition it is written in.
type Place = (*const u8, usize, FileId, SymbolIndex);

/// What is known of one file's calls and imports.
pub(super) struct Linked {
    /// What each call resolves to.
    pub targets: Vec<CallTarget>,
    /// What each import resolves to.
    pub imports: Vec<ImportTarget>,
    /// Functions that calls are given by name.
    pub handed: Vec<Handed>,
}

/// Linking of one file.
pub(super) struct Linker<'a> {
    /// Names.
    pub names: Names<'a>,
    /// Members.
    pub members: &'a Members<'a>,
    /// Tables of all files.
    pub index: &'a Index<'a>,
    file: FileId,
    /// Variables by owner and name.
    bindings: Chains<(Option<SymbolIndex>, &'a str)>,
    /// Calls that put something into a variable, by caller and the variable's name.
    additions: Chains<(Option<SymbolIndex>, &'a str)>,
    /// What closures and blocks give back, by region.
    returns: Chains<RegionIndex>,
    results: RefCell<Vec<State<'a>>>,
    targets: RefCell<Vec<CallTarget>>,
    /// What `Self` is in a definition; `None` while it is being worked out.
    selves: RefCell<FxHashMap<SymbolId, Option<Ty<'a>>>>,
    written: RefCell<FxHashMap<&'a str, Rc<Written<'a>>>>,
    types: RefCell<FxHashMap<Place, Ty<'a>>>,
    /// Methods that call one of their own name on `self`, as far as somebody asked.
    pub(super) forwarding: RefCell<FxHashMap<SymbolId, bool>>,
    depth: Cell<u32>,
    /// Answers cut short so far, because a question led back to itself or too deep.
    cuts: Cell<u32>,
    /// Readings for a receiver that are open: `Self` is not what it always is.
    receivers: Cell<u32>,
}

/// One question that is being answered.
pub(super) struct Open<'l>(&'l Cell<u32>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl<'a> Linker<'a> {
    /// Linking of `file` over `names` and `members`.
    pub fn new(file: FileId, names: Names<'a>, members: &'a Members<'a>) -> Self {
        let index = names.index;
        let facts: &'a FileFacts = &names.files[file as usize].facts;
        let bindings = Chains::new(facts.bindings.len(), |place| {
            let binding = &facts.bindings[place];
            (binding.kind != BindingKind::Field).then_some((binding.owner, binding.name.as_str()))
        });
        let additions = Chains::new(facts.calls.len(), |place| {
            let call = &facts.calls[place];
            match &call.callee {
                Expr::Member(object, name)
                    if matches!(name.as_str(), "push" | "insert" | "push_back" | "push_front") =>
                {
                    match &**object {
                        Expr::Name(target) => Some((call.caller, target.as_str())),
                        _ => None,
                    }
                }
                _ => None,
            }
        });
        let returns = Chains::new(facts.returns.len(), |place| facts.returns[place].region);
        let results = RefCell::new(vec![State::New; facts.calls.len()]);
        let targets = RefCell::new(vec![CallTarget::Unresolved; facts.calls.len()]);
        Self {
            names,
            members,
            index,
            file,
            bindings,
            additions,
            returns,
            results,
            targets,
            selves: RefCell::default(),
            written: RefCell::default(),
            types: RefCell::default(),
            forwarding: RefCell::default(),
            depth: Cell::default(),
            cuts: Cell::default(),
            receivers: Cell::default(),
        }
    }

    /// What the calls and imports of the file resolve to.
    pub fn link(self) -> Linked {
        let facts = &self.files()[self.file as usize].facts;
        for index in 0..facts.calls.len() {
            self.result(index as CallIndex);
        }
        let imports = (0..facts.imports.len()).map(|place| self.import_target(place)).collect();
        let handed = self.handed();
        Linked { targets: self.targets.into_inner(), imports, handed }
    }

    /// Functions that the calls of the file are given by name.
    fn handed(&self) -> Vec<Handed> {
        let facts = self.facts(self.file);
        let names = function_names(facts);
        let mut found = Vec::new();
        for (call, site) in (0..).zip(&facts.calls) {
            let context = self.context_of_call(self.file, call);
            for (argument, value) in (0..).zip(&site.arguments) {
                candidates(value, &names, &mut |expr| {
                    if let Some(function) = self.function_named(expr, context) {
                        found.push(Handed { call, argument, function });
                    }
                });
            }
        }
        found
    }

    /// The function that a name or path stands for.
    fn function_named(&self, expr: &'a Expr, context: Context) -> Option<SymbolId> {
        let path = match expr {
            Expr::Path(path) => as_names(path),
            Expr::Name(name) if !self.is_local(context, name) => vec![name.as_str()],
            _ => return None,
        };
        let walked = self.names.resolve(self.site(context)?, path, Space::Value)?;
        match &walked.found.def {
            Def::Symbol(symbol) if walked.rest.is_empty() && self.symbol(*symbol).kind.is_callable() => Some(*symbol),
            _ => None,
        }
    }

    fn import_target(&self, place: usize) -> ImportTarget {
        use super::paths::Def;
        match self.names.import(self.file, place).map(|found| found.def) {
            Some(Def::Module(module)) => ImportTarget::File(self.tree().modules[module].file),
            Some(Def::Symbol(symbol) | Def::Variant(symbol, _)) => ImportTarget::File(symbol.file),
            Some(Def::Outside(outside)) => ImportTarget::External(outside.package.into()),
            None => ImportTarget::Unresolved,
        }
    }

    /// All files.
    pub fn files(&self) -> &'a [SourceFile] {
        self.index.files
    }

    /// All modules.
    pub fn tree(&self) -> &'a ModuleTree<'a> {
        self.index.tree
    }

    /// The facts of `file`.
    pub fn facts(&self, file: FileId) -> &'a FileFacts {
        &self.index.files[file as usize].facts
    }

    /// A definition.
    pub fn symbol(&self, id: SymbolId) -> &'a Symbol {
        self.index.symbol(id)
    }

    /// Begins a question; `None` when questions nest too deep.
    pub fn enter(&self) -> Option<Open<'_>> {
        if self.depth.get() >= MAX_DEPTH {
            self.cut();
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        Some(Open(&self.depth))
    }

    fn cut(&self) {
        self.cuts.set(self.cuts.get().wrapping_add(1));
    }

    /// What the call at `index` of the file gives, worked out once.
    pub fn result(&self, index: CallIndex) -> Typed<'a> {
        match &self.results.borrow()[index as usize] {
            State::Known(result) => return result.clone(),
            State::Open => {
                self.cut();
                return Typed::default();
            }
            State::New => {}
        }
        let Some(_open) = self.enter() else { return Typed::default() };
        self.results.borrow_mut()[index as usize] = State::Open;
        let answer = self.resolve_call(self.file, index);
        self.targets.borrow_mut()[index as usize] = answer.target;
        self.results.borrow_mut()[index as usize] = State::Known(answer.result.clone());
        answer.result
    }

    /// Variables of the file called `name` that `owner` has.
    pub fn bindings_named(&self, owner: Option<SymbolIndex>, name: &'a str) -> impl Iterator<Item = usize> {
        self.bindings.get((owner, name))
    }

    /// Calls in `caller` that put something into a variable called `name`.
    pub fn additions(&self, caller: Option<SymbolIndex>, name: &'a str) -> impl Iterator<Item = usize> {
        self.additions.get((caller, name))
    }

    /// What the region of the file gives back, by place among the returns.
    pub fn returns_of(&self, region: RegionIndex) -> impl Iterator<Item = usize> {
        self.returns.get(region)
    }

    /// The place names are looked up from.
    pub fn site(&self, context: Context) -> Option<Site> {
        // Code outside functions (macro arguments, constants) stands in the inline module around it.
        let around = context.function.or_else(|| self.index.module_around(context.file, context.at));
        let module = self.index.module_of(context.file, around)?;
        Some(Site { file: context.file, module, symbol: around })
    }

    /// The place a definition's own types are written at.
    pub fn context_of(&self, symbol: SymbolId) -> Context {
        Context { file: symbol.file, function: Some(symbol.index), region: None, at: self.symbol(symbol).span.start }
    }

    /// The place a call stands at.
    pub fn context_of_call(&self, file: FileId, index: CallIndex) -> Context {
        let call = &self.facts(file).calls[index as usize];
        // The end of the callee's receiver would be exact; the start of a chain is not, since closures stand inside it.
        Context { file, function: call.caller, region: call.region, at: call.span.start }
    }

    /// What `Self` means in a definition.
    pub fn self_type(&self, context: Context) -> Ty<'a> {
        // The value of an associated constant stands in no function.
        let around = context.function.or_else(|| self.index.constant_around(context.file, context.at));
        let Some(mut index) = around else { return Ty::Unknown };
        let symbols = &self.facts(context.file).symbols;
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
            if known.is_none() {
                self.cut();
            }
            return known.clone().unwrap_or_default();
        }
        self.selves.borrow_mut().insert(id, None);
        let ty = self.read_self(id);
        self.selves.borrow_mut().insert(id, Some(ty.clone()));
        ty
    }

    fn read_self(&self, id: SymbolId) -> Ty<'a> {
        let symbol = self.symbol(id);
        if symbol.member_of.is_none() {
            return if symbol.kind == SymbolKind::Trait { own_trait(id) } else { self.symbol_type(id, Vec::new()) };
        }
        match self.members.owner(id) {
            Some(Owner::Own(of)) if self.symbol(*of).kind == SymbolKind::Trait => own_trait(*of),
            Some(Owner::Own(of)) => {
                let context = self.context_of(id);
                let parameters = self.index.type_parameters(*of);
                Ty::Own(*of, parameters.map(|name| self.parameter(name, context).unwrap_or_default()).collect())
            }
            Some(Owner::Outside(outside)) => Ty::Outside(outside.clone(), Vec::new().into()),
            Some(Owner::Slice) => Ty::slice(Ty::Unknown),
            Some(Owner::Any) => {
                let name = symbol.member_of.as_deref().unwrap_or_default();
                self.parameter(name, self.context_of(id)).unwrap_or_default()
            }
            None => Ty::Unknown,
        }
    }

    /// Reads a type written at `context`.
    pub fn read_type(&self, text: &'a str, context: Context) -> Ty<'a> {
        let Some(function) = context.function.filter(|_| self.receivers.get() == 0) else {
            return self.convert(&self.parsed(text), context);
        };
        let place = (text.as_ptr(), text.len(), context.file, function);
        if let Some(known) = self.types.borrow().get(&place) {
            return known.clone();
        }
        let cuts = self.cuts.get();
        let ty = self.convert(&self.parsed(text), context);
        // What was cut short may be known when asked again.
        if self.cuts.get() == cuts {
            self.types.borrow_mut().insert(place, ty.clone());
        }
        ty
    }

    /// Reads a type written in trait member `symbol` for a receiver: `Self::Item` is the receiver's own.
    pub fn read_type_as(&self, text: &'a str, symbol: SymbolId, receiver: &Ty<'a>) -> Ty<'a> {
        let in_trait =
            matches!(self.members.owner(symbol), Some(Owner::Own(of)) if self.symbol(*of).kind == SymbolKind::Trait);
        // A type parameter may be bounded by what `Self` is.
        let may_name_self = text.contains("Self") || self.parameter(text, self.context_of(symbol)).is_some();
        if !in_trait || !receiver.is_known() || !may_name_self {
            return self.read_type(text, self.context_of(symbol));
        }
        let general = self.self_type(self.context_of(symbol));
        self.selves.borrow_mut().insert(symbol, Some(receiver.clone()));
        self.receivers.set(self.receivers.get() + 1);
        let ty = self.read_type(text, self.context_of(symbol));
        self.receivers.set(self.receivers.get() - 1);
        self.selves.borrow_mut().insert(symbol, Some(general));
        ty
    }

    fn parsed(&self, text: &'a str) -> Rc<Written<'a>> {
        if let Some(known) = self.written.borrow().get(text) {
            return Rc::clone(known);
        }
        let parsed = Rc::new(super::written::read(text));
        self.written.borrow_mut().insert(text, Rc::clone(&parsed));
        parsed
    }
}

fn own_trait<'a>(of: SymbolId) -> Ty<'a> {
    Ty::Bounded(Rc::new(Bounds { name: Some("Self"), traits: vec![of], outside: Vec::new() }))
}
