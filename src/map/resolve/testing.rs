//! Small repositories in memory, for tests of linking.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LinkInput, Links, link};
use crate::map::language::{
    Language,
    typescript::{JAVASCRIPT, TYPESCRIPT},
};
use crate::map::syntax::SyntaxParser;
use crate::progress::NoProgress;
use crate::repo_map::name::joined;
use crate::repo_map::{CallTarget, FileHistory, FileRole, Handed, ImportTarget, SourceFile};

/// Languages that linking is tested with.
const LANGUAGES: &[&Language] = &[&TYPESCRIPT, &JAVASCRIPT];

/// A repository that has been linked.
pub struct Linked {
    /// Its source files, sorted by path.
    pub files: Vec<SourceFile>,
    /// What was found.
    pub links: Links,
}

/// Reads and links files given by path and text; what no language reads is configuration.
pub fn linked(texts: &[(&str, &str)]) -> Linked {
    let mut files = Vec::new();
    let mut config = BTreeMap::new();
    for (path, text) in texts {
        match source_file(path, text) {
            Some(file) => files.push(file),
            None => {
                config.insert((*path).to_owned(), (*text).to_owned());
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let links = link(&LinkInput { files: &files, config: &config });
    Linked { files, links }
}

/// The file at `path`, when a language reads it.
pub fn source_file(path: &str, text: &str) -> Option<SourceFile> {
    let extension = path.rsplit_once('.')?.1;
    let language = LANGUAGES.iter().find(|language| language.extensions.contains(&extension))?;
    let mut parser = SyntaxParser::new(&NoProgress, Duration::from_secs(20));
    Some(SourceFile {
        path: path.to_owned(),
        language: language.name,
        role: FileRole::Production,
        lines: text.lines().count() as u32,
        bytes: text.len() as u64,
        history: FileHistory::default(),
        facts: language.read(extension, text, &mut parser).expect("no cancellation is set"),
    })
}

impl Linked {
    /// Every call of the file at `path`, as `name -> target`: `import a.ts Store.find`, `global console.log`, `?`.
    pub fn calls(&self, path: &str) -> Vec<String> {
        let index = self.files.iter().position(|file| file.path == path).expect("the test names one of its files");
        let calls = self.files[index].facts.calls.iter().zip(&self.links.targets[index]);
        calls.map(|(call, target)| format!("{} -> {}", call.name, self.target(target))).collect()
    }

    fn target(&self, target: &CallTarget) -> String {
        match target {
            CallTarget::Symbols(found) => {
                let each = found.iter().map(|resolved| {
                    let file = &self.files[resolved.symbol.file as usize];
                    let symbol = &file.facts.symbols[resolved.symbol.index as usize];
                    format!("{} {} {}", resolved.how.label(), file.path, symbol.qualified)
                });
                each.collect::<Vec<_>>().join(" + ")
            }
            CallTarget::External(external) => format!("{} {}", external.package, joined(&external.path, ".")),
            CallTarget::Unresolved => "?".to_owned(),
        }
    }

    /// Functions that calls of the file at `path` are given by name, as `call <- file function`.
    pub fn handed(&self, path: &str) -> Vec<String> {
        let index = self.files.iter().position(|file| file.path == path).expect("the test names one of its files");
        let facts = &self.files[index].facts;
        let named = |handed: &Handed| {
            let file = &self.files[handed.function.file as usize];
            let symbol = &file.facts.symbols[handed.function.index as usize];
            format!("{} <- {} {}", facts.calls[handed.call as usize].name, file.path, symbol.qualified)
        };
        self.links.handed[index].iter().map(named).collect()
    }

    /// Every import of the file at `path`, as `specifier -> file or package`.
    pub fn imports(&self, path: &str) -> Vec<String> {
        let index = self.files.iter().position(|file| file.path == path).expect("the test names one of its files");
        let imports = self.files[index].facts.imports.iter().zip(&self.links.import_targets[index]);
        imports
            .map(|(import, target)| match target {
                ImportTarget::File(file) => format!("{} -> {}", import.source, self.files[*file as usize].path),
                ImportTarget::External(package) => format!("{} -> package {package}", import.source),
                ImportTarget::Unresolved => format!("{} -> ?", import.source),
            })
            .collect()
    }
}
