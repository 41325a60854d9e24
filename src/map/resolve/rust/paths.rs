//! Names and paths: what `a`, `a::b` and `crate::a::b` stand for, through imports, globs and re-exports.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::crates::Dependency;
use super::library;
use super::modules::{ModuleId, ModuleTree};
use crate::repo_map::facts::{BindingKind, ImportItem, SymbolIndex, SymbolKind};
use crate::repo_map::{External, FileId, How, SourceFile, SymbolId};

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
pub(super) enum Def {
    /// A module.
    Module(ModuleId),
    /// A definition.
    Symbol(SymbolId),
    /// A variant of an enum.
    Variant(SymbolId, String),
    /// Something outside the repository.
    External(External),
}

/// A definition and how many imports lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// What was found.
    pub def: Def,
    /// Imports on the way.
    pub hops: u8,
}

impl Found {
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
pub(super) struct Walked {
    /// Where the walk ended.
    pub found: Found,
    /// Names left: members of a type.
    pub rest: Vec<String>,
}

/// A place that names are looked up from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site {
    /// The file.
    pub file: FileId,
    /// The module.
    pub module: ModuleId,
    /// The definition around it.
    pub symbol: Option<SymbolIndex>,
}

/// Name lookup over all modules.
pub(super) struct Names<'a> {
    /// The files.
    pub files: &'a [SourceFile],
    /// The modules.
    pub tree: &'a ModuleTree,
    /// Variants by enum.
    pub variants: HashMap<SymbolId, HashSet<String>>,
    known: RefCell<HashMap<(ModuleId, String, Space), Option<Found>>>,
    open: RefCell<HashSet<(ModuleId, String, Space)>>,
    /// Imports and definitions inside functions, by file.
    local_imports: HashMap<FileId, Vec<usize>>,
    local_items: HashMap<(FileId, SymbolIndex), Vec<SymbolId>>,
}

impl<'a> Names<'a> {
    /// Lookup over `tree`.
    pub fn new(files: &'a [SourceFile], tree: &'a ModuleTree) -> Self {
        let mut variants: HashMap<SymbolId, HashSet<String>> = HashMap::new();
        let mut local_imports: HashMap<FileId, Vec<usize>> = HashMap::new();
        let mut local_items: HashMap<(FileId, SymbolIndex), Vec<SymbolId>> = HashMap::new();
        for (file, source) in (0..).zip(files) {
            for binding in &source.facts.bindings {
                if let (BindingKind::Constant, Some(owner), Some(_)) = (binding.kind, binding.owner, &binding.member_of)
                    && source.facts.symbols[owner as usize].kind == SymbolKind::Enum
                {
                    variants.entry(SymbolId { file, index: owner }).or_default().insert(binding.name.clone());
                }
            }
            for (place, import) in source.facts.imports.iter().enumerate() {
                if import.within.last().is_some_and(|last| last.contains(' ')) {
                    local_imports.entry(file).or_default().push(place);
                }
            }
            for (index, symbol) in (0..).zip(&source.facts.symbols) {
                if let Some(container) = symbol.container.filter(|_| symbol.member_of.is_none())
                    && source.facts.symbols[container as usize].kind.is_callable()
                {
                    local_items.entry((file, container)).or_default().push(SymbolId { file, index });
                }
            }
        }
        let (known, open) = (RefCell::default(), RefCell::default());
        Self { files, tree, variants, known, open, local_imports, local_items }
    }

    /// What a path of one or more names stands for at `site`. `Self` is the caller's business.
    pub fn resolve(&self, site: Site, path: &[String], space: Space) -> Option<Walked> {
        let (first, rest) = path.split_first()?;
        let head_space = if rest.is_empty() { space } else { Space::Type };
        let found = match first.as_str() {
            "crate" | "$crate" => self.module(self.tree.crates[self.tree.modules[site.module].krate].0),
            "self" => self.module(site.module),
            "super" => self.module(self.tree.modules[site.module].parent?),
            name => self.visible(site, name, head_space)?,
        };
        self.walk(found, rest, space)
    }

    fn module(&self, module: ModuleId) -> Found {
        Found { def: Def::Module(module), hops: 0 }
    }

    fn walk(&self, mut found: Found, rest: &[String], space: Space) -> Option<Walked> {
        for (position, name) in rest.iter().enumerate() {
            let last = position + 1 == rest.len();
            let space = if last { space } else { Space::Type };
            found = match found.def {
                Def::Module(module) if name == "super" => self.module(self.tree.modules[module].parent?),
                Def::Module(_) if name == "self" => found,
                Def::Module(module) => {
                    let next = self.in_module(module, name, space)?;
                    Found { hops: found.hops.saturating_add(next.hops), def: next.def }
                }
                Def::External(mut external) => {
                    external.path.push(name.clone());
                    Found { def: Def::External(external), hops: found.hops }
                }
                Def::Symbol(symbol) if self.is_variant(symbol, name) => {
                    Found { def: Def::Variant(symbol, name.clone()), hops: found.hops }
                }
                Def::Symbol(_) | Def::Variant(..) => {
                    return Some(Walked { found, rest: rest[position..].to_vec() });
                }
            };
        }
        Some(Walked { found, rest: Vec::new() })
    }

    /// Whether `name` is a variant of `symbol`.
    pub fn is_variant(&self, symbol: SymbolId, name: &str) -> bool {
        self.variants.get(&symbol).is_some_and(|variants| variants.contains(name))
    }

    /// What a bare name stands for at `site`: definitions and imports of the functions around it, of the module, crates,
    /// the standard prelude.
    fn visible(&self, site: Site, name: &str, space: Space) -> Option<Found> {
        self.in_functions(site, name, space)
            .or_else(|| self.in_module(site.module, name, space))
            .or_else(|| self.crate_named(site.module, name).filter(|_| space == Space::Type))
            .or_else(|| {
                let path = library::prelude(name, space)?;
                let path = path.split("::").map(str::to_owned).collect();
                Some(Found { def: Def::External(External { package: "std".to_owned(), path }), hops: 0 })
            })
    }

    fn in_functions(&self, site: Site, name: &str, space: Space) -> Option<Found> {
        let symbols = &self.files[site.file as usize].facts.symbols;
        let mut around: Vec<String> = Vec::new();
        let mut next = site.symbol;
        let mut functions: Vec<SymbolIndex> = Vec::new();
        while let Some(index) = next {
            let symbol = &symbols[index as usize];
            if symbol.kind == SymbolKind::Module {
                break;
            }
            if symbol.kind.is_callable() {
                functions.push(index);
                around.push(format!("fn {}", symbol.name));
            }
            next = symbol.container;
        }
        if functions.is_empty() {
            return None;
        }
        around.reverse();
        for function in &functions {
            let items = self.local_items.get(&(site.file, *function)).into_iter().flatten();
            if let Some(&item) = items.into_iter().find(|item| self.fits(**item, name, space)) {
                return Some(Found { def: Def::Symbol(item), hops: 0 });
            }
        }
        let within = &self.tree.modules[site.module].within;
        for &place in self.local_imports.get(&site.file).into_iter().flatten() {
            let import = &self.files[site.file as usize].facts.imports[place];
            let Some(inner) = import.within.strip_prefix(within.as_slice()) else { continue };
            // Functions of one name are told apart by where they stand.
            let stands_inside =
                functions.iter().any(|function| symbols[*function as usize].lines.contains(import.line));
            if inner.is_empty() || !around.starts_with(inner) || !stands_inside {
                continue;
            }
            let key = (usize::MAX - place, name.to_owned(), space);
            if !self.open.borrow_mut().insert(key.clone()) {
                continue;
            }
            let found = self.through_import(site, place, name, space);
            self.open.borrow_mut().remove(&key);
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
    pub fn in_module(&self, module: ModuleId, name: &str, space: Space) -> Option<Found> {
        let key = (module, name.to_owned(), space);
        if let Some(found) = self.known.borrow().get(&key) {
            return found.clone();
        }
        // An import may lead back here: `use log;` names the crate, not itself.
        if !self.open.borrow_mut().insert(key.clone()) {
            return None;
        }
        let found = self.search_module(module, name, space);
        self.open.borrow_mut().remove(&key);
        // What was found while another lookup is open may have been cut short by the guard above.
        if found.is_some() || self.open.borrow().is_empty() {
            self.known.borrow_mut().insert(key, found.clone());
        }
        found
    }

    fn search_module(&self, module: ModuleId, name: &str, space: Space) -> Option<Found> {
        let own = &self.tree.modules[module];
        if let Some(&item) = own.items.get(name).into_iter().flatten().find(|item| self.fits(**item, name, space)) {
            return Some(Found { def: Def::Symbol(item), hops: 0 });
        }
        if let Some(&child) = own.children.get(name).filter(|_| space == Space::Type) {
            return Some(self.module(child));
        }
        let site = Site { file: own.file, module, symbol: None };
        let imports = &self.files[own.file as usize].facts.imports;
        let (globs, named): (Vec<usize>, Vec<usize>) =
            own.imports.iter().partition(|place| imports[**place].item == ImportItem::Glob);
        named.into_iter().chain(globs).find_map(|place| self.through_import(site, place, name, space))
    }

    /// What `name` stands for if it comes through import `place` of the site's file.
    fn through_import(&self, site: Site, place: usize, name: &str, space: Space) -> Option<Found> {
        let import = &self.files[site.file as usize].facts.imports[place];
        let source: Vec<String> =
            import.source.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        match &import.item {
            ImportItem::Named(own) if import.local == name => {
                let mut path = source;
                path.push(own.clone());
                let mut walked = self.resolve(site, &path, space)?;
                // `use Trait::method` does not exist; members are not importable.
                if !walked.rest.is_empty() {
                    return None;
                }
                walked.found.hops = walked.found.hops.saturating_add(1);
                Some(walked.found)
            }
            ImportItem::Glob => {
                let walked = self.resolve(site, &source, Space::Type).filter(|walked| walked.rest.is_empty())?;
                match walked.found.def {
                    Def::Module(from) if from != site.module => {
                        let found = self.in_module(from, name, space)?;
                        let hops = found.hops.saturating_add(1);
                        Some(Found { hops, ..found })
                    }
                    Def::Symbol(symbol) if self.is_variant(symbol, name) => {
                        Some(Found { def: Def::Variant(symbol, name.to_owned()), hops: 1 })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether the methods of trait `of` can be called at `site`: it is defined or imported there, be it as `_`.
    pub fn sees_trait(&self, site: Site, of: SymbolId) -> bool {
        let own = &self.files[of.file as usize].facts.symbols[of.index as usize];
        let is_it = |found: Option<Found>| found.is_some_and(|found| found.def == Def::Symbol(of));
        if is_it(self.visible(site, &own.name, Space::Type)) {
            return true;
        }
        let imports = &self.files[site.file as usize].facts.imports;
        imports.iter().any(|import| {
            let path = || import.source.split("::").chain([own.name.as_str()]).map(str::to_owned).collect::<Vec<_>>();
            import.item == ImportItem::Named(own.name.clone())
                && is_it(self.resolve(site, &path(), Space::Type).map(|walked| walked.found))
        })
    }

    fn crate_named(&self, module: ModuleId, name: &str) -> Option<Found> {
        let external = |package: &str| External { package: package.to_owned(), path: Vec::new() };
        let (_, dependencies) = &self.tree.crates[self.tree.modules[module].krate];
        let def = match dependencies.get(name) {
            Some(Dependency::Local(krate)) => Def::Module(self.tree.crates[*krate].0),
            Some(Dependency::External(package)) => Def::External(external(package)),
            // `core` and `alloc` are what `std` shows.
            None if matches!(name, "std" | "core" | "alloc") => Def::External(external("std")),
            None if matches!(name, "proc_macro" | "test") => Def::External(external(name)),
            None => return None,
        };
        Some(Found { def, hops: 0 })
    }

    /// The type an alias stands for, as far as it is one of ours: `type Store = inner::Store<u8>;`.
    pub fn through_aliases(&self, symbol: SymbolId) -> SymbolId {
        let mut symbol = symbol;
        // Aliases of aliases are rare; a loop of them does not compile.
        for _ in 0..4 {
            let own = &self.files[symbol.file as usize].facts.symbols[symbol.index as usize];
            if own.kind != SymbolKind::TypeAlias {
                break;
            }
            let written = super::types::alias_target(&own.signature).map(super::types::read);
            let Some(super::types::Written::Path(path, ..)) = written else { break };
            let Some(module) = self.tree.module_of(self.files, symbol.file, own.container) else { break };
            let site = Site { file: symbol.file, module, symbol: own.container };
            match self.resolve(site, &path, Space::Type).map(|walked| walked.found.def) {
                Some(Def::Symbol(next)) if next != symbol => symbol = next,
                _ => break,
            }
        }
        symbol
    }

    /// What the import at `place` of `file` names, in any space.
    pub fn import(&self, file: FileId, place: usize) -> Option<Found> {
        let import = &self.files[file as usize].facts.imports[place];
        let module = self.tree.module_within(file, &import.within)?;
        let site = Site { file, module, symbol: None };
        let mut path: Vec<String> =
            import.source.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        if let ImportItem::Named(name) = &import.item {
            path.push(name.clone());
        }
        // A local import with the name of a crate must not find itself.
        [Space::Type, Space::Value, Space::Macro]
            .into_iter()
            .find_map(|space| self.resolve(site, &path, space))
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
