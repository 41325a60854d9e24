//! `stale-doc-import`: a sample imports a name from a package of this repository that the package does not export.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use semver::{Version, VersionReq};

use crate::audit::draft::PlanDraft;
use crate::audit::pages::{Fence, Page};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::text::count_of;
use crate::finding::{Category, Confidence, Finding};
use crate::nearest::nearest;
use crate::repo_map::facts::{CallKind, ExportTarget, ImportItem, SymbolKind};
use crate::repo_map::name::words;
use crate::repo_map::recon::{Package, PackageManager};
use crate::repo_map::{FileId, ImportTarget, RepoMap};
use crate::tree::Tree;

/// A documented name that cannot be imported.
pub struct StaleDocImport;

static DOC: RuleDoc = RuleDoc {
    id: "stale-doc-import",
    category: Category::Docs,
    what: "a sample of a page that imports a name from a package of this repository, at its top, which none of the package's entry \
           points exports",
    why: "the first thing a reader copies does not compile, and nothing says what took its place",
    quiet_when: "what the package exports cannot be told: it passes on all of another package, has macros that make items, or assigns \
                 `module.exports`; the page's own package asks for another release than the one here; or the sample imports from below the package's \
                 top",
    example: "import { createShop } from 'shop';   <!-- shop exports openShop -->",
};

static WORDS: Words = Words {
    one: |fault| format!("imports `{}`, which the package does not export", fault.written),
    many: |count| format!("imports {} that the package does not export", count_of(count, "name")),
    cost: "Samples that are copied from there do not compile.",
    mend: "Correct the imports of the samples",
    how: "`git log -S'NAME' --oneline` says what became of each name. Import what does the job today and use it in the sample as its \
          signature asks; where nothing does, remove the sample.",
    stop: "the name is exported by a build step or by a release that is not in this repository",
};

/// Names an entry point must have for silence about one to mean something.
const ENOUGH: usize = 2;

/// What each package of the repository exports at its top, by the name it is imported by; packages of which that cannot be told are
/// left out.
type Exports = BTreeMap<(bool, String), BTreeSet<String>>;

impl Rule for StaleDocImport {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        if ground.pages().iter().all(|page| page.fences.is_empty()) {
            return Vec::new();
        }
        let exports = exports(ground.map);
        let impact = |page: &Page| if page.is_first_read { 3 } else { 2 };
        let found = ground.pages().iter().map(|page| (page, stale(ground.map, ground.tree, &exports, page)));
        // Whoever finds out where a name has gone mends every page that has it.
        let finding = |(page, stale): (&Page, Vec<Fault>)| {
            let names: BTreeSet<&str> = stale.iter().map(|fault| fault.written.as_str()).collect();
            let how = names.into_iter().collect::<Vec<_>>().join(", ");
            Some((how, faults::finding(&DOC, &WORDS, page, &stale, impact(page), Confidence::High)?))
        };
        faults::bursts_and_copies(found.filter_map(finding).collect())
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let exports = exports(context.map);
        faults::recipe(&WORDS, finding, context, &|page| stale(context.map, context.tree, &exports, page))
    }
}

fn exports(map: &RepoMap) -> Exports {
    let mut found = Exports::new();
    // An editor loads its extensions; nobody imports them.
    let is_extension = |package: &&Package| {
        package.dependencies.iter().any(|own| matches!(own.listed_name(), "@types/vscode" | "vscode"))
    };
    for package in map.recon.packages.iter().filter(|package| !is_extension(package)) {
        let cargo = package.manager == PackageManager::Cargo;
        let mut names = BTreeSet::new();
        let entries: Vec<FileId> = package
            .entry_points
            .iter()
            .filter(|path| !cargo || path.ends_with("lib.rs"))
            .filter_map(|path| Some(map.file_by_path(path)?.0))
            .collect();
        let mut seen = BTreeSet::new();
        let is_known = entries.iter().all(|file| {
            if cargo {
                collect_rust(map, *file, &mut names, &mut seen)
            } else {
                collect_script(map, *file, &mut names, &mut seen)
            }
        });
        let name = if cargo { package.name.replace('-', "_") } else { package.name.clone() };
        if cargo {
            // `#[macro_export]` puts a macro at the top, wherever it stands.
            let inside = map.symbols().filter(|(id, _)| package.inside(&map.file(id.file).path).is_some());
            names.extend(
                inside
                    .filter(|(_, symbol)| symbol.kind == SymbolKind::Macro)
                    .map(|(_, symbol)| symbol.name.to_string()),
            );
        }
        if is_known && names.len() >= ENOUGH {
            found.insert((cargo, name), names);
        }
    }
    found
}

/// Names that a module exports; `false` when some cannot be told.
fn collect_script(map: &RepoMap, id: FileId, names: &mut BTreeSet<String>, seen: &mut BTreeSet<FileId>) -> bool {
    if !seen.insert(id) {
        return true;
    }
    let file = map.file(id);
    if file.facts.partly_read || !file.language.is_ecmascript() {
        return false;
    }
    let own = file.facts.symbols.iter().filter(|symbol| symbol.exported && symbol.container.is_none());
    names.extend(own.map(|symbol| symbol.name.to_string()));
    file.facts.exports.iter().zip(&map.reexport_targets[id as usize]).all(|(export, target)| match &export.target {
        ExportTarget::From { .. } if export.name.as_str() == "*" => match target {
            Some(file) => collect_script(map, *file, names, seen),
            None => false,
        },
        ExportTarget::Local(_) | ExportTarget::From { .. } => {
            names.insert(export.name.to_string());
            true
        }
        // `export default { … }` says what it is; `module.exports = …` may hold anything.
        ExportTarget::Value(_) => {
            names.insert(export.name.to_string());
            file.path.ends_with(".ts") || file.path.ends_with(".mjs")
        }
    })
}

/// The same for the top of a crate.
fn collect_rust(map: &RepoMap, id: FileId, names: &mut BTreeSet<String>, seen: &mut BTreeSet<FileId>) -> bool {
    if !seen.insert(id) {
        return true;
    }
    let facts = &map.file(id).facts;
    let makes_items = facts.calls.iter().any(|call| call.kind == CallKind::Macro && call.caller.is_none());
    let is_proc_macro =
        facts.symbols.iter().any(|symbol| symbol.attributes.iter().any(|own| own.starts_with("proc_macro")));
    if facts.partly_read || makes_items || is_proc_macro {
        return false;
    }
    let top = facts.symbols.iter().filter(|symbol| symbol.container.is_none() && symbol.member_of.is_none());
    names.extend(top.map(|symbol| symbol.name.to_string()));
    names.extend(facts.modules.iter().map(|module| module.name.to_string()));
    facts.imports.iter().zip(&map.import_targets[id as usize]).filter(|(import, _)| import.reexported).all(
        |(import, target)| {
            match (&import.item, target) {
                (ImportItem::Glob, ImportTarget::File(file)) if *file != id => collect_rust(map, *file, names, seen),
                // Of a module within the file, or of another crate.
                (ImportItem::Glob, _) => false,
                _ => {
                    names.insert(import.local.to_string());
                    true
                }
            }
        },
    )
}

static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?s)\bimport\s+(?:type\s+)?(?:\w+\s*,\s*)?\{(?P<names>[^{}]*)\}\s*from\s*['"](?P<from>[^'"\n]+)['"]"#)
        .expect("the pattern is fixed")
});
static RUST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(?:# )?(?:pub )?use (?P<from>\w+)::(?P<rest>[^;]*);").expect("the pattern is fixed")
});

/// Names of a page's samples that cannot be imported, each once and one a line.
fn stale(map: &RepoMap, tree: &dyn Tree, exports: &Exports, page: &Page) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    for fence in &page.fences {
        for (cargo, from, name, at) in imported(fence) {
            let Some(names) = exports.get(&(cargo, from.to_owned())) else { continue };
            let line = fence.line + fence.text[..at].matches('\n').count() as u32;
            let is_new = found.iter().all(|own| own.line != line && own.written != name);
            let is_placeholder = name.len() < 3 || name.contains("...");
            if names.contains(name)
                || !is_new
                || is_placeholder
                || (!cargo && is_of_another_release(map, tree, page, from))
            {
                continue;
            }
            let near = nearest(name, names.iter().map(String::as_str));
            let instead = near.map_or_else(String::new, |near| format!("`{from}` has `{near}`"));
            // The same words in another case can only be the same thing.
            let replacement = near.filter(|near| words(near) == words(name)).map(str::to_owned);
            found.push(Fault { line, written: name.to_owned(), instead, replacement });
        }
    }
    found.sort();
    found
}

/// Whether the package a page belongs to asks for another release of `name` than the one that is here.
fn is_of_another_release(map: &RepoMap, tree: &dyn Tree, page: &Page, name: &str) -> bool {
    let own = map.recon.package_in(&page.path, false);
    let asked = own.and_then(|own| own.dependencies.iter().find(|dependency| dependency.listed_name() == name));
    let Some(asked) = asked.and_then(|asked| VersionReq::parse(&asked.requirement).ok()) else { return false };
    let here =
        map.recon.packages.iter().filter(|package| package.manager != PackageManager::Cargo && package.name == name);
    let versions = here.filter_map(|package| {
        let manifest: serde_json::Value = serde_json::from_str(&tree.text(&package.manifest)?).ok()?;
        Version::parse(manifest.get("version")?.as_str()?).ok()
    });
    versions.into_iter().any(|version| !asked.matches(&version))
}

/// What a fence imports: from a crate or not, the package, the name there, and where it stands.
fn imported(fence: &Fence) -> Vec<(bool, &str, &str, usize)> {
    let text = fence.text.as_str();
    let offset = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let mut found = Vec::new();
    match fence.language.as_str() {
        "ts" | "tsx" | "js" | "jsx" | "mjs" | "typescript" | "javascript" => {
            for import in SCRIPT.captures_iter(text) {
                let (Some(names), Some(from)) = (import.name("names"), import.name("from")) else { continue };
                for entry in names.as_str().split(',') {
                    let entry = entry.split("//").next().unwrap_or_default().trim();
                    let entry = entry.strip_prefix("type ").unwrap_or(entry);
                    let name = entry.split_whitespace().next().unwrap_or_default();
                    if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                        found.push((false, from.as_str(), name, offset(name)));
                    }
                }
            }
        }
        "rust" | "rs" => {
            for import in RUST.captures_iter(text) {
                let (Some(rest), Some(from)) = (import.name("rest"), import.name("from")) else { continue };
                for entry in top_entries(rest.as_str()) {
                    let name = entry.split([':', ' ', '{', ',', '}']).next().unwrap_or_default();
                    if !name.is_empty() && name != "self" && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                        found.push((true, from.as_str(), name, offset(name)));
                    }
                }
            }
        }
        _ => {}
    }
    found
}

/// The entries of `{a, b::{c, d}}`, or the one there is.
fn top_entries(rest: &str) -> Vec<&str> {
    let Some(inner) = rest.trim().strip_prefix('{') else { return vec![rest.trim()] };
    let (mut depth, mut start) = (0_i32, 0);
    let mut found = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        if depth < 0 {
            found.push(inner[start..at].trim());
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(language: &str, text: &str) -> Vec<String> {
        let fence = Fence { language: language.to_owned(), info: language.to_owned(), line: 1, text: text.to_owned() };
        imported(&fence).into_iter().map(|(_, from, name, _)| format!("{from} {name}")).collect()
    }

    #[test]
    fn imports_of_both_languages_are_read() {
        let text = "import d, { a, type B,\n  c as e, // why\n} from 'shop';\nimport { x } from \"./own\";\n";
        assert_eq!(names("ts", text), ["shop a", "shop B", "shop c", "./own x"]);
        let text = "use shop::{open, store::{Store, Kind}, self};\n# use shop::Cart as Basket;\nuse std::fs;\n";
        assert_eq!(names("rust", text), ["shop open", "shop store", "shop Cart", "std fs"]);
        assert_eq!(names("json", text), Vec::<String>::new());
    }
}
