//! Folders that the program reads file by file: `import.meta.glob`, `require.context`, `readdir` followed by `import()`, and imports of
//! names put together at run time.

use std::collections::BTreeSet;

use crate::audit::text::{folder_of, join_path};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::FileFacts;
use crate::repo_map::recon::Package;
use crate::repo_map::{RepoMap, SourceFile};

/// Functions that list files or load what they list.
const LISTERS: &[&str] = &[
    "glob",
    "globEager",
    "globSync",
    "globby",
    "globbySync",
    "sync",
    "context",
    "readdir",
    "readdirSync",
    "opendir",
    "opendirSync",
    "commandDir",
    "requireDir",
    "requireDirectory",
    "requireAll",
    "importAll",
    "requireGlob",
    "loadFiles",
    "loadFilesSync",
    "loadDirectory",
    "fromDirectory",
    "walk",
    "walkSync",
    "scan",
    "autoLoad",
    "autoload",
    "AutoLoad",
    "fdir",
    "crawl",
    "tinyglobby",
    "getTsFiles",
    "bulkImport",
    "loadSchemaSync",
    "loadSchema",
    "addSourceFilesAtPaths",
    "watch",
];

/// Places that are read file by file.
#[derive(Debug, Default)]
pub struct Listings {
    /// Package folder and a part of a path below it, `/` at both ends.
    parts: BTreeSet<(String, String)>,
    /// Starts of paths from the root of the repository.
    starts: BTreeSet<String>,
}

impl Listings {
    /// All of them.
    pub fn new(map: &RepoMap) -> Listings {
        let mut listings = Listings::default();
        for file in map.files.iter().filter(|file| file.language.is_ecmascript()) {
            listings.add(map, file);
        }
        listings
    }

    /// Whether the file at `path`, of `package`, may be read by one of them.
    pub fn covers(&self, package: &Package, path: &str) -> bool {
        let inside = format!("/{}", package.inside(path).unwrap_or(path));
        self.starts.iter().any(|start| path.starts_with(start.as_str()))
            || self.parts.iter().any(|(own, part)| *own == package.folder && inside.contains(part.as_str()))
    }

    fn add(&mut self, map: &RepoMap, file: &SourceFile) {
        let facts = &file.facts;
        let folder = folder_of(&file.path);
        for call in facts
            .calls
            .iter()
            .filter(|call| matches!(call.name.as_str(), "import" | "require") || call.callee == Expr::Other)
        {
            if let Some(Expr::Template(parts)) = call.arguments.first()
                && let Some(TemplatePart::Text(start)) = parts.first()
            {
                self.add_relative(folder, start);
            }
        }
        let package = map.recon.package_in(&file.path, false).map_or("", |package| package.folder.as_str());
        for text in patterns_of_settings(facts) {
            self.add_part(package, text);
        }
        if !facts.calls.iter().any(|call| LISTERS.contains(&call.name.as_str())) {
            return;
        }
        texts(facts, &mut |text| {
            if text.starts_with("./") || text.starts_with("../") {
                self.add_relative(folder, text);
            }
            self.add_part(package, text);
        });
        let names_its_folder = ["__dirname", "__filename", "dirname"]
            .iter()
            .any(|name| facts.references.binary_search_by(|own| own.as_str().cmp(name)).is_ok());
        let inside = folder.strip_prefix(package).unwrap_or(folder).trim_start_matches('/');
        if names_its_folder && !matches!(inside, "" | "src") {
            self.starts.insert(format!("{folder}/"));
        }
    }

    /// Everything below a folder of the package, which may stand anywhere in it: what a text says before its first hole.
    fn add_part(&mut self, package: &str, text: &str) {
        let fixed = text.split(['*', '{', '$', '(']).next().unwrap_or_default();
        let fixed =
            if fixed.len() < text.len() { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) } else { fixed };
        let fixed = fixed.trim_start_matches(['.', '/', '@', '~']).trim_end_matches('/');
        let is_folder = (2..=80).contains(&fixed.len())
            && fixed.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.'))
            && !matches!(fixed, "src" | "app" | "lib" | "packages" | "index");
        if is_folder {
            self.parts.insert((package.to_owned(), format!("/{fixed}/")));
        }
    }

    /// Everything below what a relative path says before its first hole.
    fn add_relative(&mut self, folder: &str, text: &str) {
        let fixed = text.split(['*', '{', '$']).next().unwrap_or_default();
        let Some((inside, _)) = fixed.rsplit_once('/') else { return };
        if let Some(path) = join_path(folder, inside)
            && !path.is_empty()
        {
            self.starts.insert(format!("{path}/"));
        }
    }
}

/// `entities: ["src/entity/**/*.ts"]`: what a library reads whose settings take patterns of files.
fn patterns_of_settings(facts: &FileFacts) -> Vec<&str> {
    const KEYS: &[&str] =
        &["entities", "entitiesTs", "migrations", "subscribers", "models", "controllers", "resolvers", "middlewares"];
    let mut found = Vec::new();
    let settings = facts.calls.iter().flat_map(|call| &call.arguments);
    let settings = settings.chain(facts.bindings.iter().filter_map(|binding| binding.value.as_ref()));
    for entries in settings.filter_map(|value| match value.peeled() {
        Expr::Object(entries) => Some(entries),
        _ => None,
    }) {
        for (_, value) in entries.iter().filter(|(key, _)| KEYS.contains(&key.as_str())) {
            let Expr::Array(items) = value.peeled() else { continue };
            found.extend(items.iter().filter_map(|item| match item {
                Expr::Text(text) if text.contains('*') => Some(text.as_str()),
                _ => None,
            }));
        }
    }
    found
}

/// Every text among the arguments and values of a file.
fn texts<'a>(facts: &'a FileFacts, visit: &mut dyn FnMut(&'a str)) {
    let mut look = |expr: &'a Expr| match expr {
        Expr::Text(text) => visit(text.as_str()),
        Expr::Template(parts) => {
            for part in parts {
                if let TemplatePart::Text(text) = part {
                    visit(text.as_str());
                }
            }
        }
        _ => {}
    };
    for expr in facts.calls.iter().flat_map(|call| &call.arguments) {
        expr.walk(&mut look);
    }
    for expr in facts.bindings.iter().filter_map(|binding| binding.value.as_ref()) {
        expr.walk(&mut look);
    }
}
