//! The module tree: every `mod`, inline or in a file of its own, below every crate root.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::crates::{Crate, CrateId, Dependency, crates, dependencies_near, joined};
use crate::map::resolve::LinkInput;
use crate::repo_map::facts::{ImportItem, LanguageName, ModuleDeclaration, SymbolIndex, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{FileId, SourceFile, SymbolId};

/// Index into [`ModuleTree::modules`].
pub(super) type ModuleId = usize;

/// Modules of one crate that a file may be. Our choice: shared code is included twice or thrice, cycles without end.
const MAX_PLACES: usize = 8;

/// One module.
#[derive(Debug)]
pub(super) struct Module<'a> {
    /// The crate it is part of.
    pub krate: CrateId,
    /// The module around it.
    pub parent: Option<ModuleId>,
    /// The file its items stand in.
    pub file: FileId,
    /// Inline modules around its items within that file.
    pub within: Vec<&'a str>,
    /// Modules in it.
    pub children: FxHashMap<&'a str, ModuleId>,
    /// Definitions in it, by name; those of one name in source order.
    pub items: Vec<(&'a str, SymbolId)>,
    /// Imports in it that name something, by local name; places among the file's imports, those of one name in source order.
    pub named: Vec<(&'a str, usize)>,
    /// Imports in it of all that another module has.
    pub globs: Vec<usize>,
}

/// All modules of all crates.
pub(super) struct ModuleTree<'a> {
    /// The modules.
    pub modules: Vec<Module<'a>>,
    /// Root module and dependencies of each crate.
    pub crates: Vec<(ModuleId, BTreeMap<String, Dependency>)>,
    /// The module whose items stand directly in a file or in an inline module of it.
    places: FxHashMap<(FileId, Option<SymbolIndex>), ModuleId>,
}

impl<'a> Module<'a> {
    /// Definitions called `name`.
    pub fn items_named<'l>(&'l self, name: &'l str) -> impl Iterator<Item = SymbolId> + use<'l, 'a> {
        places_of(&self.items, name)
    }

    /// Imports that give something the name `name`.
    pub fn imports_named<'l>(&'l self, name: &'l str) -> impl Iterator<Item = usize> + use<'l, 'a> {
        places_of(&self.named, name)
    }
}

impl<'a> ModuleTree<'a> {
    /// Reads the tree off the facts.
    pub fn new(input: &LinkInput<'a>) -> Self {
        let paths: FxHashMap<&str, FileId> = (0..)
            .zip(input.files)
            .filter(|(_, file)| file.language == LanguageName::Rust)
            .map(|(id, file)| (file.path.as_str(), id))
            .collect();
        let mut tree = Self { modules: Vec::new(), crates: Vec::new(), places: FxHashMap::default() };
        let targets = crates(input);
        for own in &targets {
            tree.plant(own.clone(), input.files, &paths);
        }
        // Files that no target reaches (fixtures, included code) are read as crates of their own.
        for (id, file) in (0..).zip(input.files).filter(|(_, file)| file.language == LanguageName::Rust) {
            if !tree.places.contains_key(&(id, None)) {
                let dependencies = dependencies_near(&file.path, &targets, input);
                tree.plant(Crate { root: id, dependencies }, input.files, &paths);
            }
        }
        for module in &mut tree.modules {
            module.items.sort_by_key(|(name, _)| *name);
            module.named.sort_by_key(|(name, _)| *name);
        }
        tree
    }

    /// The module whose items stand directly in `file`, or in the inline module `symbol` of it.
    pub fn place(&self, file: FileId, symbol: Option<SymbolIndex>) -> Option<ModuleId> {
        self.places.get(&(file, symbol)).copied()
    }

    /// The module of inline modules `within` in `file`; parts that name functions are left out.
    pub fn module_within(&self, file: FileId, within: &[Name]) -> Option<ModuleId> {
        let mut module = self.places.get(&(file, None)).copied()?;
        for name in within.iter().filter(|name| !name.contains(' ')) {
            module = *self.modules[module].children.get(name.as_str())?;
        }
        Some(module)
    }

    fn plant(&mut self, own: Crate, files: &'a [SourceFile], paths: &FxHashMap<&str, FileId>) {
        let krate = self.crates.len();
        let folder = folder_of(&files[own.root as usize].path).to_owned();
        let root = self.file_module(krate, None, own.root, &files[own.root as usize]);
        self.crates.push((root, own.dependencies));
        // Breadth first: the shallow place of a file that stands in several is the one people mean.
        let mut open = VecDeque::from([(root, folder)]);
        let mut seen: FxHashMap<FileId, usize> = FxHashMap::default();
        while let Some((module, folder)) = open.pop_front() {
            let source = &files[self.modules[module].file as usize];
            for declaration in &source.facts.modules {
                let Some(child_file) = module_file(source, &folder, declaration, paths) else { continue };
                // `#[path]` can make a file its own descendant; a file may well stand in a few places.
                let times = seen.entry(child_file).or_default();
                *times += 1;
                if *times > MAX_PLACES {
                    continue;
                }
                let mut parent = module;
                for name in declaration.within.iter().filter(|name| !name.contains(' ')) {
                    match self.modules[parent].children.get(name.as_str()) {
                        Some(&inner) => parent = inner,
                        None => break,
                    }
                }
                let child = &files[child_file as usize];
                let id = self.file_module(krate, Some(parent), child_file, child);
                self.modules[parent].children.entry(&declaration.name).or_insert(id);
                let stem = child.path.rsplit('/').next().unwrap_or_default();
                let child_folder = if stem == "mod.rs" || declaration.path.is_some() {
                    folder_of(&child.path).to_owned()
                } else {
                    child.path.trim_end_matches(".rs").to_owned()
                };
                open.push_back((id, child_folder));
            }
        }
    }

    /// Adds the module of a file and the inline modules in it.
    fn file_module(
        &mut self,
        krate: CrateId,
        parent: Option<ModuleId>,
        file: FileId,
        source: &'a SourceFile,
    ) -> ModuleId {
        let root = self.add(krate, parent, file, None, Vec::new());
        let mut inline: FxHashMap<SymbolIndex, ModuleId> = FxHashMap::default();
        let mut in_order = vec![(root, None)];
        for (index, symbol) in (0..).zip(&source.facts.symbols) {
            let outer = match symbol.container {
                None => Some(root),
                Some(container) => inline.get(&container).copied(),
            };
            let Some(outer) = outer else { continue };
            if symbol.kind == SymbolKind::Module {
                let mut within = self.modules[outer].within.clone();
                within.push(symbol.name.as_str());
                let module = self.add(krate, Some(outer), file, Some(index), within);
                self.modules[outer].children.entry(&symbol.name).or_insert(module);
                inline.insert(index, module);
                in_order.push((module, Some(symbol.lines)));
            } else if symbol.member_of.is_none() {
                let id = SymbolId { file, index };
                self.modules[outer].items.push((&symbol.name, id));
            }
        }
        for (place, import) in source.facts.imports.iter().enumerate() {
            // Twins under `cfg` share their name: lines tell whose import it is.
            let around = in_order.iter().rev().find(|(module, lines)| {
                lines.is_none_or(|lines| lines.contains(import.line)) && self.modules[*module].within == import.within
            });
            if let Some((module, _)) = around {
                let own = &mut self.modules[*module];
                if import.item == ImportItem::Glob {
                    own.globs.push(place);
                } else {
                    own.named.push((&import.local, place));
                }
            }
        }
        root
    }

    fn add(
        &mut self,
        krate: CrateId,
        parent: Option<ModuleId>,
        file: FileId,
        container: Option<SymbolIndex>,
        within: Vec<&'a str>,
    ) -> ModuleId {
        let id = self.modules.len();
        self.places.entry((file, container)).or_insert(id);
        self.modules.push(Module {
            krate,
            parent,
            file,
            within,
            children: FxHashMap::default(),
            items: Vec::new(),
            named: Vec::new(),
            globs: Vec::new(),
        });
        id
    }
}

/// What `sorted` has under `name`.
fn places_of<'l, T: Copy>(sorted: &'l [(&'l str, T)], name: &'l str) -> impl Iterator<Item = T> + use<'l, T> {
    let start = sorted.partition_point(|(own, _)| *own < name);
    sorted[start..].iter().take_while(move |(own, _)| *own == name).map(|(_, place)| *place)
}

/// The file a `mod name;` names. `folder` is where the declaring module's children live.
fn module_file(
    source: &SourceFile,
    folder: &str,
    declaration: &ModuleDeclaration,
    paths: &FxHashMap<&str, FileId>,
) -> Option<FileId> {
    let within: Vec<&str> = declaration.within.iter().filter(|name| !name.contains(' ')).map(Name::as_str).collect();
    if let Some(path) = &declaration.path {
        let base = if within.is_empty() { folder_of(&source.path) } else { folder };
        return paths.get(joined(&joined(base, &within.join("/")), path).as_str()).copied();
    }
    let base = joined(folder, &within.join("/"));
    let name = &declaration.name;
    [format!("{name}.rs"), format!("{name}/mod.rs")]
        .iter()
        .find_map(|candidate| paths.get(joined(&base, candidate).as_str()).copied())
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
