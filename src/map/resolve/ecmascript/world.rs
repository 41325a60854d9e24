//! What all files share while they are linked. Nothing of a file is laid out before somebody asks for it: after an edit few are.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use rustc_hash::FxHashMap as HashMap;

use super::exports::ExportTable;
use super::project::Project;
use super::scope::Scope;
use super::specifier::Specifiers;
use crate::map::resolve::LinkInput;
use crate::repo_map::facts::{ExportTarget, FileFacts};
use crate::repo_map::{FileId, ImportTarget, SourceFile, SymbolId};

/// The files and what is known of each.
///
/// **Invariant:** what it answers depends on the files, their facts and the configuration alone, never on who asked before.
pub(super) struct World<'a> {
    pub files: &'a [SourceFile],
    config: &'a BTreeMap<String, String>,
    /// What the imports of a file were known to mean before, if that still holds.
    known_imports: Box<dyn Fn(FileId) -> Option<&'a [ImportTarget]> + Sync + 'a>,
    of_files: Vec<OfFile<'a>>,
    specifiers: OnceLock<Specifiers<'a>>,
    /// Numbers of questions for exports that were answered so far.
    pub questions: AtomicU32,
}

#[derive(Default)]
struct OfFile<'a> {
    scope: OnceLock<Scope<'a>>,
    exports: OnceLock<ExportTable<'a>>,
    modules: OnceLock<HashMap<&'a str, ImportTarget>>,
}

/// Classes that build on a type, by that type.
pub(super) type Subtypes = BTreeMap<SymbolId, Vec<SymbolId>>;

impl<'a> World<'a> {
    pub fn new(
        input: &LinkInput<'a>,
        known_imports: impl Fn(FileId) -> Option<&'a [ImportTarget]> + Sync + 'a,
    ) -> World<'a> {
        let mut of_files = Vec::new();
        of_files.resize_with(input.files.len(), OfFile::default);
        World {
            files: input.files,
            config: input.config,
            known_imports: Box::new(known_imports),
            of_files,
            specifiers: OnceLock::new(),
            questions: AtomicU32::new(0),
        }
    }

    /// The facts of an ECMAScript file.
    fn facts(&self, file: FileId) -> Option<&'a FileFacts> {
        let file = &self.files[file as usize];
        file.language.is_ecmascript().then_some(&file.facts)
    }

    /// Names within `file`.
    pub fn scope(&self, file: FileId) -> &Scope<'a> {
        let scope = &self.of_files[file as usize].scope;
        scope.get_or_init(|| self.facts(file).map(Scope::new).unwrap_or_default())
    }

    /// What `file` exports.
    pub fn exports(&self, file: FileId) -> &ExportTable<'a> {
        let exports = &self.of_files[file as usize].exports;
        exports.get_or_init(|| self.facts(file).map(ExportTable::new).unwrap_or_default())
    }

    /// What `file` exports, if anybody asked.
    pub fn exports_asked_for(&self, file: FileId) -> Option<&ExportTable<'a>> {
        self.of_files[file as usize].exports.get()
    }

    /// What `specifier` means in `file`.
    pub fn module(&self, file: FileId, specifier: &str) -> &ImportTarget {
        let modules = self.of_files[file as usize].modules.get_or_init(|| self.modules(file));
        modules.get(specifier).unwrap_or(&ImportTarget::Unresolved)
    }

    /// What the imports of `file` mean.
    pub fn imports(&self, file: FileId) -> Vec<ImportTarget> {
        let imports = self.files[file as usize].facts.imports.iter();
        imports.map(|import| self.module(file, &import.source).clone()).collect()
    }

    /// The files behind what `file` exports from elsewhere.
    pub fn reexports(&self, file: FileId) -> Vec<Option<FileId>> {
        let behind = |target: &ExportTarget| match target {
            ExportTarget::From { source, .. } => match self.module(file, source) {
                ImportTarget::File(file) => Some(*file),
                ImportTarget::External(_) | ImportTarget::Unresolved => None,
            },
            ExportTarget::Local(_) | ExportTarget::Value(_) => None,
        };
        self.files[file as usize].facts.exports.iter().map(|export| behind(&export.target)).collect()
    }

    fn modules(&self, file: FileId) -> HashMap<&'a str, ImportTarget> {
        let Some(facts) = self.facts(file) else { return HashMap::default() };
        let mut modules: HashMap<&str, ImportTarget> = HashMap::default();
        let imported = || facts.imports.iter().map(|import| import.source.as_str());
        if let Some(known) = (self.known_imports)(file) {
            modules.extend(imported().zip(known.iter().cloned()));
        }
        let reexported = facts.exports.iter().filter_map(|export| match &export.target {
            ExportTarget::From { source, .. } => Some(source.as_str()),
            ExportTarget::Local(_) | ExportTarget::Value(_) => None,
        });
        for source in imported().chain(reexported) {
            modules.entry(source).or_insert_with(|| self.specifiers().resolve(source, &self.files[file as usize].path));
        }
        modules
    }

    fn specifiers(&self) -> &Specifiers<'a> {
        self.specifiers.get_or_init(|| Specifiers::new(self.files, Project::read(self.config)))
    }
}
