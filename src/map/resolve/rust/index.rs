//! Tables over all files that linking reads and never changes, so that files can be linked side by side.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::modules::{ModuleId, ModuleTree};
use crate::repo_map::facts::{BindingKind, GenericBound, ImportItem, LanguageName, Symbol, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, SourceFile, SymbolId};

/// The tables.
pub(super) struct Index<'a> {
    /// The files.
    pub files: &'a [SourceFile],
    /// The modules.
    pub tree: &'a ModuleTree<'a>,
    /// Macros by name.
    pub macros: FxHashMap<&'a str, Vec<SymbolId>>,
    of_files: Vec<FileIndex<'a>>,
}

/// Tables of one file.
#[derive(Default)]
struct FileIndex<'a> {
    /// The file's own module.
    module: Option<ModuleId>,
    /// The module each definition stands in; of a module, itself.
    modules: Vec<Option<ModuleId>>,
    /// Inline modules, in source order.
    inline_modules: Vec<SymbolIndex>,
    /// Names on the path of each import.
    import_paths: Vec<Box<[&'a str]>>,
    /// Imports inside functions.
    local_imports: Vec<usize>,
    /// Definitions inside functions, by function; those of one function in source order.
    local_items: Vec<(SymbolIndex, SymbolIndex)>,
    /// Variants by enum, sorted.
    variants: Vec<(SymbolIndex, &'a str)>,
    /// Type parameters and their bounds, sorted by definition.
    generics: Vec<&'a GenericBound>,
}

impl<'a> Index<'a> {
    /// Reads the tables off the facts.
    pub fn new(files: &'a [SourceFile], tree: &'a ModuleTree<'a>) -> Self {
        let of_files = (0..files.len() as FileId)
            .into_par_iter()
            .map(|file| match files[file as usize].language {
                LanguageName::Rust => FileIndex::new(file, &files[file as usize], tree),
                LanguageName::JavaScript | LanguageName::TypeScript => FileIndex::default(),
            })
            .collect();
        let mut macros: FxHashMap<&str, Vec<SymbolId>> = FxHashMap::default();
        for (file, source) in (0..).zip(files).filter(|(_, file)| file.language == LanguageName::Rust) {
            let symbols = (0..).zip(&source.facts.symbols);
            for (index, symbol) in symbols.filter(|(_, own)| own.kind == SymbolKind::Macro) {
                macros.entry(&symbol.name).or_default().push(SymbolId { file, index });
            }
        }
        Self { files, tree, macros, of_files }
    }

    /// A definition.
    pub fn symbol(&self, id: SymbolId) -> &'a Symbol {
        &self.files[id.file as usize].facts.symbols[id.index as usize]
    }

    /// The module that a definition of `file` stands in, or the file's top module.
    pub fn module_of(&self, file: FileId, symbol: Option<SymbolIndex>) -> Option<ModuleId> {
        let own = &self.of_files[file as usize];
        match symbol {
            Some(symbol) => own.modules[symbol as usize],
            None => own.module,
        }
    }

    /// The innermost inline module of `file` around the byte at `at`.
    pub fn module_around(&self, file: FileId, at: u32) -> Option<SymbolIndex> {
        let symbols = &self.files[file as usize].facts.symbols;
        let modules = &self.of_files[file as usize].inline_modules;
        let end = modules.partition_point(|index| symbols[*index as usize].span.start <= at);
        modules[..end].iter().rev().copied().find(|index| at < symbols[*index as usize].span.end)
    }

    /// The member constant of `file` around the byte at `at`.
    pub fn constant_around(&self, file: FileId, at: u32) -> Option<SymbolIndex> {
        let symbols = &self.files[file as usize].facts.symbols;
        let last = symbols.partition_point(|symbol| symbol.span.start <= at).checked_sub(1)?;
        let own = &symbols[last];
        let is_around = own.kind == SymbolKind::Constant && own.member_of.is_some() && at < own.span.end;
        is_around.then_some(last as SymbolIndex)
    }

    /// Inline modules of `file`, in source order.
    pub fn inline_modules(&self, file: FileId) -> &[SymbolIndex] {
        &self.of_files[file as usize].inline_modules
    }

    /// Names on the path of import `place` of `file`.
    pub fn import_path(&self, file: FileId, place: usize) -> &[&'a str] {
        &self.of_files[file as usize].import_paths[place]
    }

    /// Imports of `file` inside functions.
    pub fn local_imports(&self, file: FileId) -> &[usize] {
        &self.of_files[file as usize].local_imports
    }

    /// Definitions inside `function` of `file`.
    pub fn local_items(&self, file: FileId, function: SymbolIndex) -> impl Iterator<Item = SymbolId> {
        let items = &self.of_files[file as usize].local_items;
        let start = items.partition_point(|(own, _)| *own < function);
        let own = items[start..].iter().take_while(move |(own, _)| *own == function);
        own.map(move |(_, index)| SymbolId { file, index: *index })
    }

    /// Whether `file` has anything inside functions that names could mean.
    pub fn has_locals(&self, file: FileId) -> bool {
        let own = &self.of_files[file as usize];
        !own.local_imports.is_empty() || !own.local_items.is_empty()
    }

    /// Whether `name` is a variant of `symbol`.
    pub fn is_variant(&self, symbol: SymbolId, name: &str) -> bool {
        self.of_files[symbol.file as usize].variants.binary_search(&(symbol.index, name)).is_ok()
    }

    /// Type parameters of a definition and their bounds, in source order.
    pub fn generics(&self, of: SymbolId) -> &[&'a GenericBound] {
        let generics = &self.of_files[of.file as usize].generics;
        let start = generics.partition_point(|bound| bound.symbol < of.index);
        let count = generics[start..].iter().take_while(|bound| bound.symbol == of.index).count();
        &generics[start..start + count]
    }

    /// Names of the type parameters of a definition, in order.
    pub fn type_parameters(&self, of: SymbolId) -> impl Iterator<Item = &'a str> {
        self.generics(of).iter().filter(|bound| bound.bound.is_empty()).map(|bound| bound.name.as_str())
    }
}

impl<'a> FileIndex<'a> {
    fn new(file: FileId, source: &'a SourceFile, tree: &ModuleTree<'_>) -> Self {
        let facts = &source.facts;
        let module = tree.place(file, None);
        let mut own = Self { module, ..Self::default() };
        for (index, symbol) in (0..).zip(&facts.symbols) {
            let is_module = symbol.kind == SymbolKind::Module;
            // A member's container is its type, which may stand below the `impl`.
            let known = symbol.container.map(|container| own.modules.get(container as usize).copied());
            own.modules.push(match known {
                _ if is_module => tree.place(file, Some(index)).or(module),
                None => module,
                Some(Some(around)) => around,
                Some(None) => {
                    let around = containers(&facts.symbols, index);
                    let mut modules = around.filter(|at| facts.symbols[*at as usize].kind == SymbolKind::Module);
                    modules.next().and_then(|at| tree.place(file, Some(at))).or(module)
                }
            });
            if is_module {
                own.inline_modules.push(index);
            }
            if let Some(container) = symbol.container.filter(|_| symbol.member_of.is_none())
                && facts.symbols[container as usize].kind.is_callable()
            {
                own.local_items.push((container, index));
            }
        }
        own.local_items.sort_by_key(|(container, _)| *container);
        for (place, import) in facts.imports.iter().enumerate() {
            let source = import.source.split("::").filter(|segment| !segment.is_empty());
            let item = match &import.item {
                ImportItem::Named(name) => Some(name.as_str()),
                ImportItem::Default
                | ImportItem::Namespace
                | ImportItem::Glob
                | ImportItem::SideEffect
                | ImportItem::Dynamic => None,
            };
            own.import_paths.push(source.chain(item).collect());
            if import.within.last().is_some_and(|last| last.contains(' ')) {
                own.local_imports.push(place);
            }
        }
        for binding in &facts.bindings {
            if let (BindingKind::Constant, Some(owner), Some(_)) = (binding.kind, binding.owner, &binding.member_of)
                && facts.symbols[owner as usize].kind == SymbolKind::Enum
            {
                own.variants.push((owner, &binding.name));
            }
        }
        own.variants.sort_unstable();
        own.generics.extend(&facts.generics);
        own.generics.sort_by_key(|bound| bound.symbol);
        own
    }
}

/// What the definition at `index` stands in, innermost first, itself included.
pub(super) fn containers(symbols: &[Symbol], index: SymbolIndex) -> impl Iterator<Item = SymbolIndex> {
    std::iter::successors(Some(index), |index| symbols[*index as usize].container)
}
