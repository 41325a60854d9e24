//! Names and paths: what `a`, `a::b` and `crate::a::b` stand for, through imports, globs and re-exports.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::crates::Dependency;
use super::index::Index;
use super::library;
use super::modules::{ModuleId, ModuleTree};
use super::outside::Outside;
use crate::repo_map::facts::{ImportItem, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, How, SourceFile, SymbolId};

/// What a name may stand for in different places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Space {
    /// Modules, types, traits, crates.
    Type,
    /// Functions, constants, constructors.
    Value,
    /// Macros.
    Macro,
}

/// What a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Def<'a> {
    /// A module.
    Module(ModuleId),
    /// A definition.
    Symbol(SymbolId),
    /// A variant of an enum.
    Variant(SymbolId, &'a str),
    /// Something outside the repository.
    Outside(Outside<'a>),
}

/// A definition and how many imports lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// What was found.
    pub def: Def<'a>,
    /// Imports on the way.
    pub hops: u8,
}

impl Found<'_> {
    /// How a call that names it from `file` finds it.
    pub fn how(&self, file: FileId) -> How {
        match (&self.def, self.hops) {
            (Def::Symbol(symbol), 0) if symbol.file == file => How::Scope,
            (_, 0 | 1) => How::Import,
            _ => How::Reexport,
        }
    }
}

/// The part of a path that resolution could walk, and the names after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Walked<'a> {
    /// Where the walk ended.
    pub found: Found<'a>,
    /// Names left: members of a type.
    pub rest: Vec<&'a str>,
}

/// A place that names are looked up from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Site {
    /// The file.
    pub file: FileId,
    /// The module.
    pub module: ModuleId,
    /// The definition around it.
    pub symbol: Option<SymbolIndex>,
}

/// Name lookup over all modules, with a memory of its own: what one file asks never changes what another is told.
pub(super) struct Names<'a> {
    /// The files.
    pub files: &'a [SourceFile],
    /// The modules.
    pub tree: &'a ModuleTree<'a>,
    /// Tables of the files.
    pub index: &'a Index<'a>,
    known: RefCell<FxHashMap<Question<'a>, Option<Found<'a>>>>,
    /// Questions being answered; few at a time.
    open: RefCell<Vec<Question<'a>>>,
    seen: RefCell<FxHashMap<(Site, SymbolId), bool>>,
    /// Modules searched so far for the outermost open question.
    searches: Cell<u32>,
}

/// Modules searched for one name. Our choice: chains of re-exports take a few dozen; modules that all re-export each other have
/// more ways through them than there is time.
const MAX_SEARCHES: u32 = 2_000;

/// A name in a module.
type Question<'a> = (ModuleId, &'a str, Space);

impl<'a> Names<'a> {
    /// Lookup over `index`.
    pub fn new(index: &'a Index<'a>) -> Self {
        let (known, open, seen) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { files: index.files, tree: index.tree, index, known, open, seen, searches: Cell::new(0) }
    }

    /// What a path of one or more names stands for at `site`. `Self` is the caller's business.
    pub fn resolve(
        &self,
        site: Site,
        path: impl IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>,
        space: Space,
    ) -> Option<Walked<'a>> {
        let mut path = path.into_iter();
        let first = path.next()?;
        let head_space = if path.len() == 0 { space } else { Space::Type };
        let found = match first {
            "crate" | "$crate" => self.module(self.tree.crates[self.tree.modules[site.module].krate].0),
            "self" => self.module(site.module),
            "super" => self.module(self.tree.modules[site.module].parent?),
            name => self.visible(site, name, head_space)?,
        };
        self.walk(found, path, space)
    }

    fn module(&self, module: ModuleId) -> Found<'a> {
        Found { def: Def::Module(module), hops: 0 }
    }

    fn walk(
        &self,
        mut found: Found<'a>,
        mut rest: impl ExactSizeIterator<Item = &'a str>,
        space: Space,
    ) -> Option<Walked<'a>> {
        while let Some(name) = rest.next() {
            let space = if rest.len() == 0 { space } else { Space::Type };
            found = match found.def {
                Def::Module(module) if name == "super" => self.module(self.tree.modules[module].parent?),
                Def::Module(_) if name == "self" => found,
                Def::Module(module) => {
                    let next = self.in_module(module, name, space)?;
                    Found { hops: found.hops.saturating_add(next.hops), def: next.def }
                }
                Def::Outside(outside) => Found { def: Def::Outside(outside.with(name)), hops: found.hops },
                Def::Symbol(symbol) if self.index.is_variant(symbol, name) => {
                    Found { def: Def::Variant(symbol, name), hops: found.hops }
                }
                Def::Symbol(_) | Def::Variant(..) => {
                    return Some(Walked { found, rest: std::iter::once(name).chain(rest).collect() });
                }
            };
        }
        Some(Walked { found, rest: Vec::new() })
    }

    /// What a bare name stands for at `site`: definitions and imports of the functions around it, of the module, crates,
    /// the standard prelude.
    fn visible(&self, site: Site, name: &'a str, space: Space) -> Option<Found<'a>> {
        self.in_functions(site, name, space)
            .or_else(|| self.in_module(site.module, name, space))
            .or_else(|| self.crate_named(site.module, name).filter(|_| space == Space::Type))
            .or_else(|| {
                let path = library::prelude(name, space)?;
                Some(Found { def: Def::Outside(Outside::std(path)), hops: 0 })
            })
    }

    fn in_functions(&self, site: Site, name: &'a str, space: Space) -> Option<Found<'a>> {
        if !self.index.has_locals(site.file) {
            return None;
        }
        let symbols = &self.files[site.file as usize].facts.symbols;
        let mut next = site.symbol;
        // Functions around the site, innermost first.
        let mut functions: Vec<SymbolIndex> = Vec::new();
        while let Some(index) = next {
            let symbol = &symbols[index as usize];
            if symbol.kind == SymbolKind::Module {
                break;
            }
            if symbol.kind.is_callable() {
                functions.push(index);
            }
            next = symbol.container;
        }
        for function in &functions {
            let mut items = self.index.local_items(site.file, *function);
            if let Some(item) = items.find(|item| self.fits(*item, name, space)) {
                return Some(Found { def: Def::Symbol(item), hops: 0 });
            }
        }
        if functions.is_empty() {
            return None;
        }
        let within = &self.tree.modules[site.module].within;
        for &place in self.index.local_imports(site.file) {
            let import = &self.files[site.file as usize].facts.imports[place];
            if import.item != ImportItem::Glob && import.local != name {
                continue;
            }
            let starts_within =
                import.within.len() >= within.len() && within.iter().zip(&import.within).all(|(own, of)| *own == of);
            if !starts_within {
                continue;
            }
            let inner = &import.within[within.len()..];
            // Functions of one name are told apart by where they stand.
            let stands_inside =
                functions.iter().any(|function| symbols[*function as usize].lines.contains(import.line));
            let are_around = inner.len() <= functions.len()
                && functions.iter().rev().zip(inner).all(|(function, inner)| {
                    inner.strip_prefix("fn ").is_some_and(|inner| inner == symbols[*function as usize].name)
                });
            if inner.is_empty() || !are_around || !stands_inside {
                continue;
            }
            let key = (usize::MAX - place, name, space);
            if self.open.borrow().contains(&key) {
                continue;
            }
            self.open.borrow_mut().push(key);
            let found = self.through_import(site, place, name, space);
            self.open.borrow_mut().pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn fits(&self, id: SymbolId, name: &str, space: Space) -> bool {
        let symbol = &self.files[id.file as usize].facts.symbols[id.index as usize];
        symbol.name == name && fits_space(symbol.kind, space)
    }

    /// What `name` stands for inside `module`, imports included.
    pub fn in_module(&self, module: ModuleId, name: &'a str, space: Space) -> Option<Found<'a>> {
        let key = (module, name, space);
        if let Some(found) = self.known.borrow().get(&key) {
            return found.clone();
        }
        // An import may lead back here: `use log;` names the crate, not itself.
        if self.open.borrow().contains(&key) {
            return None;
        }
        let searches = if self.open.borrow().is_empty() { 0 } else { self.searches.get() };
        if searches >= MAX_SEARCHES {
            return None;
        }
        self.searches.set(searches + 1);
        self.open.borrow_mut().push(key);
        let found = self.search_module(module, name, space);
        self.open.borrow_mut().pop();
        // What was found while another lookup is open may have been cut short by the guard above.
        if found.is_some() || self.open.borrow().is_empty() {
            self.known.borrow_mut().insert(key, found.clone());
        }
        found
    }

    fn search_module(&self, module: ModuleId, name: &'a str, space: Space) -> Option<Found<'a>> {
        let own = &self.tree.modules[module];
        if let Some(item) = own.items_named(name).find(|item| self.fits(*item, name, space)) {
            return Some(Found { def: Def::Symbol(item), hops: 0 });
        }
        if let Some(&child) = own.children.get(name).filter(|_| space == Space::Type) {
            return Some(self.module(child));
        }
        let site = Site { file: own.file, module, symbol: None };
        let places = own.imports_named(name).chain(own.globs.iter().copied());
        places.into_iter().find_map(|place| self.through_import(site, place, name, space))
    }

    /// What `name` stands for if it comes through import `place` of the site's file.
    fn through_import(&self, site: Site, place: usize, name: &'a str, space: Space) -> Option<Found<'a>> {
        let import = &self.files[site.file as usize].facts.imports[place];
        let path = self.index.import_path(site.file, place).iter().copied();
        match &import.item {
            ImportItem::Named(_) if import.local == name => {
                let mut walked = self.resolve(site, path, space)?;
                // `use Trait::method` does not exist; members are not importable.
                if !walked.rest.is_empty() {
                    return None;
                }
                walked.found.hops = walked.found.hops.saturating_add(1);
                Some(walked.found)
            }
            ImportItem::Glob => {
                let walked = self.resolve(site, path, Space::Type).filter(|walked| walked.rest.is_empty())?;
                match walked.found.def {
                    Def::Module(from) if from != site.module => {
                        let found = self.in_module(from, name, space)?;
                        let hops = found.hops.saturating_add(1);
                        Some(Found { hops, ..found })
                    }
                    Def::Symbol(symbol) if self.index.is_variant(symbol, name) => {
                        Some(Found { def: Def::Variant(symbol, name), hops: 1 })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether the methods of trait `of` can be called at `site`: it is defined or imported there, be it as `_`.
    pub fn sees_trait(&self, site: Site, of: SymbolId) -> bool {
        if let Some(known) = self.seen.borrow().get(&(site, of)) {
            return *known;
        }
        let sees = self.find_trait(site, of);
        self.seen.borrow_mut().insert((site, of), sees);
        sees
    }

    fn find_trait(&self, site: Site, of: SymbolId) -> bool {
        let own = self.index.symbol(of);
        let is_it = |found: Option<Found<'_>>| found.is_some_and(|found| found.def == Def::Symbol(of));
        if is_it(self.visible(site, &own.name, Space::Type)) {
            return true;
        }
        let imports = &self.files[site.file as usize].facts.imports;
        imports.iter().enumerate().any(|(place, import)| {
            let path = || self.index.import_path(site.file, place).iter().copied();
            matches!(&import.item, ImportItem::Named(name) if *name == own.name)
                && is_it(self.resolve(site, path(), Space::Type).map(|walked| walked.found))
        })
    }

    fn crate_named(&self, module: ModuleId, name: &str) -> Option<Found<'a>> {
        let (_, dependencies) = &self.tree.crates[self.tree.modules[module].krate];
        let def = match dependencies.get(name) {
            Some(Dependency::Local(krate)) => Def::Module(self.tree.crates[*krate].0),
            Some(Dependency::External(package)) => Def::Outside(Outside::package(package)),
            // `core` and `alloc` are what `std` shows.
            None => Def::Outside(Outside::package(match name {
                "std" | "core" | "alloc" => "std",
                "proc_macro" => "proc_macro",
                "test" => "test",
                _ => return None,
            })),
        };
        Some(Found { def, hops: 0 })
    }

    /// The type an alias stands for, as far as it is one of ours: `type Store = inner::Store<u8>;`.
    pub fn through_aliases(&self, symbol: SymbolId) -> SymbolId {
        match self.aliased(symbol) {
            Ok(symbol) | Err((symbol, _)) => symbol,
        }
    }

    /// The type an alias stands for; `Err`: the last alias on the way, and the type from elsewhere it stands for.
    pub fn aliased(&self, symbol: SymbolId) -> Result<SymbolId, (SymbolId, Outside<'a>)> {
        let mut symbol = symbol;
        // Aliases of aliases are rare; a loop of them does not compile.
        for _ in 0..4 {
            let own = &self.files[symbol.file as usize].facts.symbols[symbol.index as usize];
            if own.kind != SymbolKind::TypeAlias {
                break;
            }
            let written = super::written::alias_target(&own.signature).map(super::written::read);
            let Some(super::written::Written::Path(path, ..)) = written else { break };
            let Some(module) = self.index.module_of(symbol.file, own.container) else { break };
            let site = Site { file: symbol.file, module, symbol: own.container };
            match self.resolve(site, path, Space::Type).map(|walked| walked.found.def) {
                Some(Def::Symbol(next)) if next != symbol => symbol = next,
                Some(Def::Outside(outside)) => return Err((symbol, outside)),
                _ => break,
            }
        }
        Ok(symbol)
    }

    /// What the import at `place` of `file` names, in any space.
    pub fn import(&self, file: FileId, place: usize) -> Option<Found<'a>> {
        let import = &self.files[file as usize].facts.imports[place];
        let module = self.tree.module_within(file, &import.within)?;
        let site = Site { file, module, symbol: None };
        let path = self.index.import_path(file, place);
        // A local import with the name of a crate must not find itself.
        [Space::Type, Space::Value, Space::Macro]
            .into_iter()
            .find_map(|space| self.resolve(site, path.iter().copied(), space))
            .map(|walked| walked.found)
    }
}

fn fits_space(kind: SymbolKind, space: Space) -> bool {
    match space {
        Space::Type => kind.is_type() || kind == SymbolKind::Module,
        Space::Value => matches!(kind, SymbolKind::Function | SymbolKind::Constant | SymbolKind::Struct),
        Space::Macro => kind == SymbolKind::Macro,
    }
}
