//! The module tree: every `mod`, inline or in a file of its own, below every crate root.

use std::collections::{BTreeMap, HashMap};

use super::crates::{Crate, CrateId, Dependency, crates, dependencies_near, joined};
use crate::map::resolve::LinkInput;
use crate::repo_map::facts::{LanguageName, ModuleDeclaration, SymbolIndex, SymbolKind};
use crate::repo_map::{FileId, SourceFile, SymbolId};

/// Index into [`ModuleTree::modules`].
pub(super) type ModuleId = usize;

/// One module.
#[derive(Debug)]
pub(super) struct Module {
    /// The crate it is part of.
    pub krate: CrateId,
    /// The module around it.
    pub parent: Option<ModuleId>,
    /// The file its items stand in.
    pub file: FileId,
    /// Inline modules around its items within that file.
    pub within: Vec<String>,
    /// Modules in it.
    pub children: BTreeMap<String, ModuleId>,
    /// Definitions in it, by name.
    pub items: HashMap<String, Vec<SymbolId>>,
    /// Imports in it, by place among the file's imports.
    pub imports: Vec<usize>,
}

/// All modules of all crates.
pub(super) struct ModuleTree {
    /// The modules.
    pub modules: Vec<Module>,
    /// Root module and dependencies of each crate.
    pub crates: Vec<(ModuleId, BTreeMap<String, Dependency>)>,
    /// The module whose items stand directly in a file or in an inline module of it.
    places: HashMap<(FileId, Option<SymbolIndex>), ModuleId>,
}

impl ModuleTree {
    /// Reads the tree off the facts.
    pub fn new(input: &LinkInput<'_>) -> Self {
        let paths: HashMap<&str, FileId> = (0..)
            .zip(input.files)
            .filter(|(_, file)| file.language == LanguageName::Rust)
            .map(|(id, file)| (file.path.as_str(), id))
            .collect();
        let mut tree = Self { modules: Vec::new(), crates: Vec::new(), places: HashMap::new() };
        let targets = crates(input);
        for own in &targets {
            tree.plant(own, input.files, &paths);
        }
        // Files that no target reaches (fixtures, included code) are read as crates of their own.
        for (id, file) in (0..).zip(input.files).filter(|(_, file)| file.language == LanguageName::Rust) {
            if !tree.places.contains_key(&(id, None)) {
                let dependencies = dependencies_near(&file.path, &targets, input);
                tree.plant(&Crate { root: id, dependencies }, input.files, &paths);
            }
        }
        tree
    }

    /// The module that a definition of `file` stands in, or the file's top module.
    pub fn module_of(&self, files: &[SourceFile], file: FileId, symbol: Option<SymbolIndex>) -> Option<ModuleId> {
        let symbols = &files[file as usize].facts.symbols;
        let mut next = symbol;
        while let Some(index) = next {
            let symbol = &symbols[index as usize];
            if symbol.kind == SymbolKind::Module {
                break;
            }
            next = symbol.container;
        }
        self.places.get(&(file, next)).or_else(|| self.places.get(&(file, None))).copied()
    }

    /// The module of inline modules `within` in `file`; parts that name functions are left out.
    pub fn module_within(&self, file: FileId, within: &[String]) -> Option<ModuleId> {
        let mut module = self.places.get(&(file, None)).copied()?;
        for name in within.iter().filter(|name| !name.contains(' ')) {
            module = *self.modules[module].children.get(name)?;
        }
        Some(module)
    }

    fn plant(&mut self, own: &Crate, files: &[SourceFile], paths: &HashMap<&str, FileId>) {
        let krate = self.crates.len();
        let folder = folder_of(&files[own.root as usize].path).to_owned();
        let root = self.file_module(krate, None, own.root, &files[own.root as usize]);
        self.crates.push((root, own.dependencies.clone()));
        let mut open = vec![(root, folder)];
        let mut seen: HashMap<FileId, usize> = HashMap::new();
        while let Some((module, folder)) = open.pop() {
            let file = self.modules[module].file;
            // `#[path]` can make a file its own descendant; a file may well stand in a few places.
            let times = seen.entry(file).or_default();
            *times += 1;
            if *times > 4 {
                continue;
            }
            let source = &files[file as usize];
            for declaration in &source.facts.modules {
                let Some(child_file) = module_file(source, &folder, declaration, paths) else { continue };
                let within: Vec<String> =
                    declaration.within.iter().filter(|name| !name.contains(' ')).cloned().collect();
                let mut parent = module;
                for name in &within {
                    match self.modules[parent].children.get(name) {
                        Some(&inner) => parent = inner,
                        None => break,
                    }
                }
                let child = &files[child_file as usize];
                let id = self.file_module(krate, Some(parent), child_file, child);
                self.modules[parent].children.entry(declaration.name.clone()).or_insert(id);
                let stem = child.path.rsplit('/').next().unwrap_or_default();
                let child_folder = if stem == "mod.rs" || declaration.path.is_some() {
                    folder_of(&child.path).to_owned()
                } else {
                    child.path.trim_end_matches(".rs").to_owned()
                };
                open.push((id, child_folder));
            }
        }
    }

    /// Adds the module of a file and the inline modules in it.
    fn file_module(&mut self, krate: CrateId, parent: Option<ModuleId>, file: FileId, source: &SourceFile) -> ModuleId {
        let root = self.add(krate, parent, file, None, Vec::new());
        let mut inline: HashMap<SymbolIndex, ModuleId> = HashMap::new();
        for (index, symbol) in (0..).zip(&source.facts.symbols) {
            let outer = match symbol.container {
                None => Some(root),
                Some(container) => inline.get(&container).copied(),
            };
            let Some(outer) = outer else { continue };
            if symbol.kind == SymbolKind::Module {
                let mut within = self.modules[outer].within.clone();
                within.push(symbol.name.clone());
                let module = self.add(krate, Some(outer), file, Some(index), within);
                self.modules[outer].children.entry(symbol.name.clone()).or_insert(module);
                inline.insert(index, module);
            } else if symbol.member_of.is_none() {
                let id = SymbolId { file, index };
                self.modules[outer].items.entry(symbol.name.clone()).or_default().push(id);
            }
        }
        let mut by_within: HashMap<Vec<String>, ModuleId> = HashMap::from([(Vec::new(), root)]);
        by_within.extend(inline.values().map(|&module| (self.modules[module].within.clone(), module)));
        for (place, import) in source.facts.imports.iter().enumerate() {
            if let Some(&module) = by_within.get(&import.within) {
                self.modules[module].imports.push(place);
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
        within: Vec<String>,
    ) -> ModuleId {
        let id = self.modules.len();
        self.places.entry((file, container)).or_insert(id);
        self.modules.push(Module {
            krate,
            parent,
            file,
            within,
            children: BTreeMap::new(),
            items: HashMap::new(),
            imports: Vec::new(),
        });
        id
    }
}

/// The file a `mod name;` names. `folder` is where the declaring module's children live.
fn module_file(
    source: &SourceFile,
    folder: &str,
    declaration: &ModuleDeclaration,
    paths: &HashMap<&str, FileId>,
) -> Option<FileId> {
    let within: Vec<&str> = declaration.within.iter().filter(|name| !name.contains(' ')).map(String::as_str).collect();
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
