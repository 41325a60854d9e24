//! Which TypeScript and JavaScript files the program can get to: imports followed from everything that starts, is served, is tested
//! or is named outside the source code.

pub mod conventions;
mod listing;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::audit::texts::{Needles, Texts};
use crate::repo_map::facts::{ExportTarget, FileFacts};
use crate::repo_map::recon::{Package, PackageManager};
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap};
use crate::tree::Tree;
use listing::Listings;

/// Endings that an import leaves out or replaces.
const ENDINGS: &[&str] = &["tsx", "ts", "mts", "cts", "jsx", "js", "mjs", "cjs"];

/// What is reached, and who imports whom.
pub struct Reach<'a> {
    map: &'a RepoMap,
    /// `alive[file]`; files of other languages are.
    pub alive: Vec<bool>,
    /// Files that import or re-export a file, by that file.
    pub importers: BTreeMap<FileId, BTreeSet<FileId>>,
    /// Files that a file imports or re-exports.
    imports: Vec<BTreeSet<FileId>>,
    /// Files that something other than an import starts or loads.
    entries: BTreeSet<FileId>,
}

impl<'a> Reach<'a> {
    /// Follows imports; `None` when the texts of the repository cannot be read whole.
    pub fn new(map: &'a RepoMap, tree: &dyn Tree, texts: &Texts) -> Option<Reach<'a>> {
        let mut imports = vec![BTreeSet::new(); map.files.len()];
        let mut importers: BTreeMap<FileId, BTreeSet<FileId>> = BTreeMap::new();
        // Last names of specifiers that lead to no file: an alias only the bundler knows.
        let mut loose: BTreeSet<&str> = BTreeSet::new();
        for (id, file) in map.files_with_ids().filter(|(_, file)| file.language.is_ecmascript()) {
            for (import, target) in file.facts.imports.iter().zip(&map.import_targets[id as usize]) {
                match target {
                    ImportTarget::File(to) => drop(imports[id as usize].insert(*to)),
                    ImportTarget::External(_) | ImportTarget::Unresolved => loose.extend(last_name(&import.source)),
                }
            }
            for (export, target) in file.facts.exports.iter().zip(&map.reexport_targets[id as usize]) {
                match (&export.target, target) {
                    (ExportTarget::From { .. }, Some(to)) => drop(imports[id as usize].insert(*to)),
                    (ExportTarget::From { source, .. }, None) => loose.extend(last_name(source)),
                    (ExportTarget::Local(_) | ExportTarget::Value(_), _) => {}
                }
            }
            for to in imports[id as usize].iter().filter(|to| **to != id) {
                importers.entry(*to).or_default().insert(id);
            }
        }
        let listings = Listings::new(map);
        let uses: BTreeMap<&str, BTreeSet<&str>> = map
            .recon
            .packages
            .iter()
            .filter(|package| package.manager != PackageManager::Cargo)
            .map(|package| (package.manifest.as_str(), uses(map, package)))
            .collect();
        let entries: BTreeSet<FileId> = map
            .files_with_ids()
            .filter(|(id, file)| {
                !file.language.is_ecmascript()
                    || is_entry(map, *id, &listings, &uses)
                    || loose.contains(stem(&file.path))
            })
            .map(|(id, _)| id)
            .collect();
        let mut reach = Reach { map, alive: vec![false; map.files.len()], importers, imports, entries };
        let mut queue: Vec<FileId> = reach.entries.iter().copied().collect();
        queue.extend(reach.crowds());
        reach.follow(queue);
        reach.follow_names(tree, texts)?;
        Some(reach)
    }

    fn follow(&mut self, mut queue: Vec<FileId>) {
        while let Some(file) = queue.pop() {
            if !std::mem::replace(&mut self.alive[file as usize], true) {
                queue.extend(self.imports[file as usize].iter().copied());
            }
        }
    }

    /// Files in folders of a kind that programs load by name, where many files are imported by nobody.
    fn crowds(&self) -> Vec<FileId> {
        const FEW: usize = 3;
        let mut crowds: BTreeMap<(&str, &str), (usize, Vec<FileId>)> = BTreeMap::new();
        for (id, file) in self.map.files_with_ids().filter(|(_, file)| file.language.is_ecmascript()) {
            let Some(package) = self.map.recon.package_in(&file.path, false) else { continue };
            let folders: BTreeSet<&str> =
                file.path.split('/').filter(|part| conventions::LOADED.contains(part)).collect();
            for folder in folders {
                let (all, lonely) = crowds.entry((&package.folder, folder)).or_default();
                *all += 1;
                if self.is_lonely(id) && !self.entries.contains(&id) {
                    lonely.push(id);
                }
            }
        }
        let loaded = crowds.into_values().filter(|(all, lonely)| lonely.len() >= FEW && lonely.len() * 4 >= *all);
        loaded.flat_map(|(_, lonely)| lonely).collect()
    }

    /// Files that some text names: a script, a page, a component of another language, a string in the code.
    fn follow_names(&mut self, tree: &dyn Tree, texts: &Texts) -> Option<()> {
        let dead = self.dead();
        if dead.is_empty() {
            return Some(());
        }
        if texts.incomplete {
            return None;
        }
        let words: Vec<&str> = dead.iter().map(|id| stem(&self.map.file(*id).path)).collect();
        let needles = Needles::new(words.iter().copied())?;
        let outside: BTreeSet<usize> = texts
            .files
            .par_iter()
            .flat_map_iter(|(_, text)| needles.found_in(text, &|_, before, after| is_path(before, after)))
            .collect();
        let map = self.map;
        let inside: Vec<(FileId, BTreeSet<usize>)> = (0..map.files.len() as FileId)
            .into_par_iter()
            .filter_map(|id| {
                let text = tree.text(&map.file(id).path)?;
                let followed = self.followed(id);
                let found = needles.found_in(&text, &|word, before, after| {
                    dead[word] != id
                        && is_quoted(before, after)
                        && !(is_import(before) && followed.contains(words[word]))
                });
                (!found.is_empty()).then_some((id, found))
            })
            .collect();
        self.follow(outside.into_iter().map(|word| dead[word]).collect());
        loop {
            let named: Vec<FileId> = inside
                .iter()
                .filter(|(id, _)| self.alive[*id as usize])
                .flat_map(|(_, words)| words)
                .map(|word| dead[*word])
                .filter(|file| !self.alive[*file as usize])
                .collect();
            if named.is_empty() {
                return Some(());
            }
            self.follow(named);
        }
    }

    /// Last names of the specifiers of a file that lead to files.
    fn followed(&self, file: FileId) -> BTreeSet<&'a str> {
        let map: &'a RepoMap = self.map;
        let facts = &map.file(file).facts;
        let imports = facts.imports.iter().map(|import| import.source.as_str());
        let exports = facts.exports.iter().filter_map(|export| match &export.target {
            ExportTarget::From { source, .. } => Some(source.as_str()),
            ExportTarget::Local(_) | ExportTarget::Value(_) => None,
        });
        imports.chain(exports).filter_map(last_name).collect()
    }

    /// Files nothing gets to.
    pub fn dead(&self) -> Vec<FileId> {
        (0..self.map.files.len() as FileId).filter(|id| !self.alive[*id as usize]).collect()
    }

    /// Whether something other than an import starts or loads it.
    pub fn is_entry(&self, file: FileId) -> bool {
        self.entries.contains(&file)
    }

    /// Whether no file at all imports it.
    pub fn is_lonely(&self, file: FileId) -> bool {
        !self.importers.contains_key(&file)
    }

    /// Dead files that only `root` and files below it import, `root` left out.
    pub fn below(&self, root: FileId) -> Vec<FileId> {
        let mut own = BTreeSet::from([root]);
        loop {
            let more: Vec<FileId> = own
                .iter()
                .flat_map(|file| &self.imports[*file as usize])
                .copied()
                .filter(|file| !self.alive[*file as usize] && !own.contains(file))
                .filter(|file| self.importers.get(file).is_some_and(|from| from.iter().all(|from| own.contains(from))))
                .collect();
            if more.is_empty() {
                own.remove(&root);
                return own.into_iter().collect();
            }
            own.extend(more);
        }
    }
}

/// The package of a file, and what it and the workspace around it depend on.
fn uses<'a>(map: &'a RepoMap, package: &'a Package) -> BTreeSet<&'a str> {
    let root = package.member_of.as_deref();
    map.recon
        .packages
        .iter()
        .filter(|other| {
            other.manager != PackageManager::Cargo
                && (other.folder == package.folder || Some(other.folder.as_str()) == root)
        })
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

/// Whether something other than an import starts or loads the file, or whether that cannot be told.
fn is_entry(map: &RepoMap, id: FileId, listings: &Listings, uses: &BTreeMap<&str, BTreeSet<&str>>) -> bool {
    let file = map.file(id);
    let Some(package) = map.recon.package_in(&file.path, false) else { return true };
    let exports_something = !file.facts.exports.is_empty()
        || file.facts.symbols.iter().any(|symbol| symbol.exported || symbol.default_export);
    file.role != FileRole::Production
        || file.facts.partly_read
        || file.path.ends_with(".d.ts")
        // Run by hand, or for its effect.
        || !exports_something
        || package.entry_points.contains(&file.path)
        || holds_queries(&file.facts)
        || listings.covers(package, &file.path)
        || uses.get(package.manifest.as_str()).is_none_or(|uses| conventions::is_loaded(&file.path, package, uses))
}

/// Whether a file holds GraphQL documents, which generators of code look for in all files.
fn holds_queries(facts: &FileFacts) -> bool {
    facts.calls.iter().any(|call| call.caller.is_none() && matches!(call.name.as_str(), "gql" | "graphql"))
}

/// The name by which others know the file: without its ending; of an `index` file, the folder's.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match path[..path.len() - name.len()].trim_end_matches('/').rsplit('/').next() {
        Some(folder) if stem == "index" && !folder.is_empty() => folder,
        _ => stem,
    }
}

/// The last name of a specifier with a folder in it, ending left out.
fn last_name(specifier: &str) -> Option<&str> {
    let (_, name) = specifier.split(['?', '#']).next()?.rsplit_once('/')?;
    Some(match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&ending) => stem,
        _ => name,
    })
}

/// Whether the word stands at the end of a path, or is the name of a file.
fn is_path(before: &str, after: &str) -> bool {
    let has_ending = after.strip_prefix('.').is_some_and(|rest| {
        ENDINGS.iter().any(|end| rest.strip_prefix(end).is_some_and(|rest| !rest.starts_with(is_name)))
    });
    let ends =
        after.is_empty() || has_ending || !after.starts_with(|c: char| is_name(c) || c == '/' || c == '.' || c == '-');
    let ends = ends || after.starts_with("/index") || after.starts_with("/*");
    let is_in_folder = before.ends_with('/') && !before.ends_with("//");
    ends && (is_in_folder || (has_ending && !before.ends_with(|c: char| is_name(c) || c == '-' || c == '.')))
}

/// Whether the word is the last name of a quoted text.
fn is_quoted(before: &str, after: &str) -> bool {
    let starts = before.ends_with(['/', '\'', '"', '`']) && !before.ends_with("//");
    let rest = after.strip_prefix("/index").unwrap_or(after);
    let rest =
        rest.strip_prefix('.').and_then(|rest| ENDINGS.iter().find_map(|end| rest.strip_prefix(end))).unwrap_or(rest);
    starts && rest.starts_with(['\'', '"', '`', '?', '#', '*'])
}

/// Whether the quoted text that ends here is the specifier of an import, which has been followed.
fn is_import(before: &str) -> bool {
    let Some(quote) = before.rfind(['\'', '"', '`', '\n']) else { return false };
    let before = before[..quote].trim_end();
    ["from", "import", "import(", "require("].iter().any(|word| before.ends_with(word))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_stem_or_its_folder() {
        assert_eq!(stem("src/orders.ts"), "orders");
        assert_eq!(stem("src/orders/index.tsx"), "orders");
        assert_eq!(stem("src/user.entity.ts"), "user.entity");
        assert_eq!(last_name("@/lib/orders.js?raw"), Some("orders"));
        assert_eq!(last_name("react"), None);
    }

    #[test]
    fn paths_name_files_and_words_do_not() {
        assert!(is_path("node ./src/", ".js"));
        assert!(is_path("run ", ".ts --watch"));
        assert!(is_path("import x from '@/lib/", "'"));
        assert!(!is_path("the ", " of the shop"));
        assert!(!is_path("https://", "/shop"));
        assert!(!is_path("/", "-list'"));
        assert!(is_quoted("path.join(dir, '", "')"));
        assert!(!is_quoted("// ", ""));
    }

    #[test]
    fn specifiers_are_told_from_other_strings() {
        assert!(is_import("import { a } from './"));
        assert!(is_import("await import('../"));
        assert!(!is_import("new URL('./"));
    }
}
