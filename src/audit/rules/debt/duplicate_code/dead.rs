//! Copies that nothing runs: they are to be deleted, so that there is nothing to share.

use crate::audit::deprecated::is_deprecated;
use crate::audit::rule::Ground;
use crate::audit::rules::debt::clone_family::{Body, Family};
use crate::audit::rules::debt::unused_export::{is_harmless, is_looked_for, without_mentions};
use crate::repo_map::facts::{ExportTarget, FileFacts, ImportItem, LanguageName, Symbol, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::recon::Package;
use crate::repo_map::{RepoMap, SymbolId};

/// Whether the function around one of the copies is called and named nowhere in the repository, or is said to go soon.
pub fn is_dead(ground: &Ground<'_>, bodies: &[Body], family: &Family) -> bool {
    let is_going =
        |body: &Body| body.symbol.is_some_and(|index| is_deprecated(ground.map, ground.tree, body.file, index));
    if family.copies.iter().any(|copy| is_going(&bodies[copy.sequence])) {
        return true;
    }
    let functions = family.copies.iter().filter_map(|copy| {
        let body = &bodies[copy.sequence];
        Some(SymbolId { file: body.file, index: body.symbol? })
    });
    let (own, others): (Vec<SymbolId>, Vec<SymbolId>) = functions.partition(|id| is_own(ground.map, *id));
    if own.iter().any(|id| is_unused_at_home(ground.map, *id)) {
        return true;
    }
    let unused: Vec<SymbolId> =
        others.into_iter().filter(|id| could_be_dead(ground.map, *id) && !is_loaded(ground, *id)).collect();
    // The text decides: templates, strings and other languages name functions too.
    without_mentions(ground, unused).is_some_and(|dead| !dead.is_empty())
}

/// A function at the top level of a module that does not export it: nobody else can name it.
fn is_own(map: &RepoMap, id: SymbolId) -> bool {
    let (file, symbol) = (map.file(id.file), map.symbol(id));
    let exports_it = |target: &ExportTarget| matches!(target, ExportTarget::Local(own) if *own == symbol.name);
    file.language.is_ecmascript()
        && symbol.kind == SymbolKind::Function
        && symbol.container.is_none()
        && !symbol.exported
        && !symbol.default_export
        // Scripts of a page share one scope.
        && !(file.facts.exports.is_empty() && file.facts.imports.is_empty())
        && !file.facts.exports.iter().any(|export| exports_it(&export.target))
}

fn is_unused_at_home(map: &RepoMap, id: SymbolId) -> bool {
    let (facts, name) = (&map.file(id.file).facts, map.symbol(id).name);
    map.callers(id).is_empty() && !facts.references.contains(&name) && !facts.partly_read
}

fn could_be_dead(map: &RepoMap, id: SymbolId) -> bool {
    let file = map.file(id.file);
    let symbol = map.symbol(id);
    symbol.name.len() >= 4
        && !symbol.default_export
        && symbol.of_trait.is_none()
        && symbol.name != "main"
        && !is_looked_for(&symbol.name)
        && match symbol.kind {
            SymbolKind::Function => symbol.container.is_none(),
            SymbolKind::Method => {
                symbol.member_of.is_some() && (is_private(symbol) || !is_override(file.language, &file.facts, symbol))
            }
            SymbolKind::Constructor
            | SymbolKind::Class
            | SymbolKind::Struct
            | SymbolKind::Enum
            | SymbolKind::Trait
            | SymbolKind::Interface
            | SymbolKind::TypeAlias
            | SymbolKind::Constant
            | SymbolKind::Module
            | SymbolKind::Macro => false,
        }
        && match file.language {
            LanguageName::Rust => symbol.attributes.iter().all(is_harmless),
            LanguageName::JavaScript | LanguageName::TypeScript => symbol.attributes.is_empty(),
        }
        && !is_public(map, id)
        && map.callers(id).is_empty()
        && !is_named(map, symbol.name)
}

/// Of a module that a framework loads or that nothing leads to: what is called there is not for the code to say.
fn is_loaded(ground: &Ground<'_>, id: SymbolId) -> bool {
    let symbol = ground.map.symbol(id);
    let is_own = is_private(symbol) || symbol.kind == SymbolKind::Function && !symbol.exported;
    ground.map.file(id.file).language.is_ecmascript()
        && !is_own
        && !ground
            .reach()
            .is_some_and(|reach| reach.alive[id.file as usize] && !reach.is_entry(id.file) && !reach.is_lonely(id.file))
}

/// `private sendAll()`, `#sendAll()`.
fn is_private(symbol: &Symbol) -> bool {
    symbol.signature.starts_with("private ") || symbol.name.starts_with('#')
}

/// A method of a class that builds on another or fills an interface: what calls it may stand elsewhere. Rust says so of the method.
fn is_override(language: LanguageName, facts: &FileFacts, symbol: &Symbol) -> bool {
    language.is_ecmascript() && facts.heritage.iter().any(|heritage| Some(heritage.of) == symbol.member_of)
}

/// Whoever installs the package may call it.
fn is_public(map: &RepoMap, id: SymbolId) -> bool {
    let file = map.file(id.file);
    let symbol = map.symbol(id);
    let package = map.recon.package_in(&file.path, file.language == LanguageName::Rust);
    let reaches_out = match (file.language, symbol.kind) {
        (LanguageName::Rust, _) | (_, SymbolKind::Function) => symbol.exported,
        (LanguageName::JavaScript | LanguageName::TypeScript, _) => !is_private(symbol),
    };
    reaches_out && package.is_none_or(|package| package.publishable && !is_program(map, package))
}

/// Whether what starts the package hands out nothing: whoever installs it runs it.
fn is_program(map: &RepoMap, package: &Package) -> bool {
    let source_of = |path: &str| {
        let typed = path.strip_suffix(".js").map(|stem| format!("{stem}.ts"));
        map.file_by_path(path).or_else(|| map.file_by_path(&typed?))
    };
    let exports_nothing = |path: &String| {
        source_of(path).is_some_and(|(_, file)| {
            file.language.is_ecmascript()
                && file.facts.exports.is_empty()
                && file.facts.symbols.iter().all(|symbol| !symbol.exported)
        })
    };
    !package.entry_points.is_empty() && package.entry_points.iter().all(exports_nothing)
}

fn is_named(map: &RepoMap, name: Name) -> bool {
    map.files.iter().any(|file| {
        let facts = &file.facts;
        facts.references.contains(&name)
            || facts.imports.iter().any(|import| import.item == ImportItem::Named(name))
            || facts.exports.iter().any(|export| match export.target {
                ExportTarget::Local(own) | ExportTarget::From { name: own, .. } => own == name,
                ExportTarget::Value(_) => false,
            })
    })
}
