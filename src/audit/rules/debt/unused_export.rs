//! `unused-export`: definitions that are exported and whose name occurs nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::audit::draft::{ExcerptDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::largest;
use crate::audit::text::count_of;
use crate::audit::texts::Needles;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{ExportTarget, ImportItem, LanguageName, Symbol, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::recon::{CommandPurpose, Package};
use crate::repo_map::{FileId, FileRole, ImportTarget, RepoMap, SymbolId};

/// Exports nobody takes.
pub struct UnusedExport;

static DOC: RuleDoc = RuleDoc {
    id: "unused-export",
    category: Category::TechDebt,
    what: "functions, classes and constants that are exported and whose name occurs nowhere else in the repository, tests included; of \
           a Rust crate that is not published, public items of that kind",
    why: "no compiler says that they are dead: they are read, renamed and kept working for nobody",
    quiet_when: "the package is published, the file is an entry point or loaded by a framework, the whole module is taken as one value \
                 (`import * as schema`), the definition has a decorator or an attribute, the crate is a library for other languages (`cdylib`), or any text of the repository has the name",
    example: "// src/prices.ts: no other file has the word\nexport function roundToCents(price) { … }",
};

/// Findings reported: a package each.
const MAX_FINDINGS: usize = 10;
/// Places named in a finding.
const MAX_NAMED: usize = 12;
/// Lines of dead code in a package from which it is worth a finding of its own.
const MIN_LINES: u32 = 5;

/// Names that frameworks look for in the modules they load.
const LOOKED_FOR: &[&str] = &[
    "loader",
    "action",
    "meta",
    "links",
    "headers",
    "config",
    "handler",
    "middleware",
    "metadata",
    "viewport",
    "runtime",
    "dynamic",
    "revalidate",
    "getServerSideProps",
    "getStaticProps",
    "getStaticPaths",
    "generateMetadata",
    "generateStaticParams",
    "clientLoader",
    "clientAction",
    "shouldRevalidate",
    "ErrorBoundary",
    "HydrateFallback",
    "register",
    "onRequestError",
    "load",
    "actions",
    "prerender",
    "ssr",
    "csr",
    "entries",
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "up",
    "down",
    "setup",
    "teardown",
    "activate",
    "deactivate",
    "plugin",
    "schema",
    "resolvers",
    "typeDefs",
    "handle",
    "init",
    "Route",
    "frontmatter",
    "command",
    "describe",
    "builder",
];

impl Rule for UnusedExport {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let candidates = candidates(ground);
        let unused = without_mentions(ground, candidates).unwrap_or_default();
        let mut packages: BTreeMap<&str, (&Package, Vec<SymbolId>)> = BTreeMap::new();
        for id in unused {
            let file = map.file(id.file);
            if let Some(package) = map.recon.package_in(&file.path, file.language == LanguageName::Rust) {
                packages.entry(&package.manifest).or_insert_with(|| (package, Vec::new())).1.push(id);
            }
        }
        let found: Vec<(u32, Finding)> = packages
            .into_values()
            .map(|(package, mut places)| {
                places.sort_by_key(|id| (std::cmp::Reverse(map.symbol(*id).lines.count()), *id));
                let lines = places.iter().map(|id| map.symbol(*id).lines.count()).sum();
                (lines, finding(map, package, &places, lines))
            })
            .filter(|(lines, _)| *lines >= MIN_LINES)
            .collect();
        largest(found, MAX_FINDINGS)
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// Exported definitions that no fact of any file speaks of.
fn candidates(ground: &Ground<'_>) -> Vec<SymbolId> {
    let map = ground.map;
    let known = known_names(map);
    let whole = taken_whole(map);
    let is_suspect = |id: SymbolId, symbol: &Symbol| {
        symbol.exported
            && !symbol.default_export
            && !symbol.test
            && symbol.name.len() >= 4
            // A use in its own file may be the definition calling itself: the text decides.
            && known.get(&symbol.name).is_none_or(|user| *user == Some(id.file))
            && !is_looked_for(&symbol.name)
            && map.callers(id).iter().all(|call| map.caller_of(*call) == Some(id))
    };
    map.files_with_ids()
        .filter(|(id, file)| {
            file.role == FileRole::Production
                && !file.facts.partly_read
                && match file.language {
                    LanguageName::Rust => is_private_crate(ground, &file.path),
                    LanguageName::JavaScript | LanguageName::TypeScript => {
                        !whole.contains(id) && is_private_module(ground, *id, &file.path)
                    }
                }
        })
        .flat_map(|(file, source)| {
            let is_plain = match source.language {
                LanguageName::Rust => is_plain_item,
                LanguageName::JavaScript | LanguageName::TypeScript => is_plain_export,
            };
            let symbols = (0..).zip(&source.facts.symbols).filter(move |(_, symbol)| is_plain(symbol));
            symbols.map(move |(index, symbol)| (SymbolId { file, index }, symbol))
        })
        .filter(|(id, symbol)| is_suspect(*id, symbol))
        .map(|(id, _)| id)
        .collect()
}

/// Names that are used, imported or exported by name in any file, with the only file that uses them.
fn known_names(map: &RepoMap) -> FxHashMap<Name, Option<FileId>> {
    let mut known: FxHashMap<Name, Option<FileId>> = FxHashMap::default();
    for (id, file) in map.files_with_ids() {
        for name in &file.facts.references {
            known.entry(*name).and_modify(|user| *user = None).or_insert(Some(id));
        }
        for import in &file.facts.imports {
            if let ImportItem::Named(name) = import.item {
                known.insert(name, None);
            }
        }
        for export in &file.facts.exports {
            match export.target {
                ExportTarget::Local(name) | ExportTarget::From { name, .. } => drop(known.insert(name, None)),
                ExportTarget::Value(_) => {}
            }
        }
    }
    known
}

/// Files whose exports are taken as one value: `import * as schema`, `import('./x')`, and what such a file passes on.
fn taken_whole(map: &RepoMap) -> BTreeSet<FileId> {
    let mut queue = Vec::new();
    for (id, file) in map.files_with_ids() {
        for (import, target) in file.facts.imports.iter().zip(&map.import_targets[id as usize]) {
            if let (ImportItem::Namespace | ImportItem::Dynamic | ImportItem::Glob, ImportTarget::File(to)) =
                (&import.item, target)
            {
                queue.push(*to);
            }
        }
        for (export, target) in
            file.facts.exports.iter().zip(map.reexport_targets.get(id as usize).into_iter().flatten())
        {
            if let (ExportTarget::From { name, .. }, Some(to)) = (&export.target, target)
                && name == "*"
                && export.name != "*"
            {
                queue.push(*to);
            }
        }
    }
    let mut whole = BTreeSet::new();
    while let Some(id) = queue.pop() {
        if whole.insert(id) {
            let exports = &map.file(id).facts.exports;
            let targets = map.reexport_targets.get(id as usize).into_iter().flatten();
            queue
                .extend(exports.iter().zip(targets).filter(|(export, _)| export.name == "*").filter_map(|(_, to)| *to));
        }
    }
    whole
}

fn is_private_module(ground: &Ground<'_>, id: FileId, path: &str) -> bool {
    let package = ground.map.recon.package_in(path, false);
    package.is_some_and(|package| !package.publishable)
        && ground.reach().is_some_and(|reach| reach.alive[id as usize] && !reach.is_entry(id) && !reach.is_lonely(id))
        // Kits of components are copied in whole.
        && !path.contains("/ui/")
}

fn is_plain_export(symbol: &Symbol) -> bool {
    symbol.container.is_none()
        && symbol.attributes.is_empty()
        && matches!(symbol.kind, SymbolKind::Function | SymbolKind::Class | SymbolKind::Constant | SymbolKind::Enum)
}

fn is_private_crate(ground: &Ground<'_>, path: &str) -> bool {
    let package = ground.map.recon.package_in(path, true);
    package.is_some_and(|package| {
        !package.publishable && !package.entry_points.is_empty() && !is_called_from_elsewhere(ground, package)
    })
}

/// `crate-type = ["cdylib"]`: programs in other languages call what it exports.
fn is_called_from_elsewhere(ground: &Ground<'_>, package: &Package) -> bool {
    let manifest = ground.tree.text(&package.manifest).and_then(|text| text.parse::<toml::Table>().ok());
    let types = manifest.as_ref().and_then(|manifest| manifest.get("lib")?.get("crate-type")?.as_array());
    types.is_some_and(|types| types.iter().any(|own| matches!(own.as_str(), Some("cdylib" | "staticlib"))))
}

/// A public item nothing but its name speaks for.
fn is_plain_item(symbol: &Symbol) -> bool {
    symbol.of_trait.is_none()
        && symbol.has_body
        && symbol.name != "main"
        && symbol.attributes.iter().all(is_harmless)
        && symbol.signature.starts_with("pub")
        && matches!(symbol.kind, SymbolKind::Function | SymbolKind::Method | SymbolKind::Constant)
}

/// An attribute that hands a Rust item to nobody.
pub fn is_harmless(attribute: &Name) -> bool {
    const HARMLESS: &[&str] = &["inline", "must_use", "doc", "derive", "cold", "track_caller", "rustfmt::skip"];
    let name = attribute.split(['(', ' ', '=']).next().unwrap_or_default();
    HARMLESS.contains(&name)
}

/// A name that frameworks look for in the modules they load.
pub fn is_looked_for(name: &str) -> bool {
    LOOKED_FOR.contains(&name)
}

/// Leaves out definitions whose name some text has, outside of the definition itself; `None` when not all texts could be read.
pub fn without_mentions(ground: &Ground<'_>, candidates: Vec<SymbolId>) -> Option<Vec<SymbolId>> {
    if candidates.is_empty() {
        return Some(candidates);
    }
    let texts = ground.texts();
    if texts.incomplete {
        return None;
    }
    let map = ground.map;
    let needles = Needles::new(candidates.iter().map(|id| map.symbol(*id).name.as_str()))?;
    let is_word = |before: &str, after: &str| !before.ends_with(is_name) && !after.starts_with(is_name);
    let outside = texts
        .files
        .par_iter()
        .flat_map_iter(|(_, text)| needles.found_in(text, &|_, before, after| is_word(before, after)));
    let mut named: BTreeSet<usize> = outside.collect();
    let inside = (0..map.files.len() as FileId).into_par_iter().flat_map_iter(|file| {
        let text = ground.tree.text(&map.file(file).path).unwrap_or_default();
        needles.found_in(&text, &|word, before, after| {
            let id = candidates[word];
            let span = map.symbol(id).span;
            let is_own = id.file == file && (span.start as usize..span.end as usize).contains(&before.len());
            is_word(before, after) && !is_own
        })
    });
    named.par_extend(inside);
    Some(candidates.into_iter().enumerate().filter(|(index, _)| !named.contains(index)).map(|(_, id)| id).collect())
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn finding(map: &RepoMap, package: &Package, places: &[SymbolId], lines: u32) -> Finding {
    let name = |id: &SymbolId| format!("`{}`", map.symbol(*id).qualified);
    let names: Vec<String> = places.iter().take(MAX_NAMED).map(name).collect();
    let more = places.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (title, subject) = match places {
        [one] => (format!("nothing uses {}", name(one)), "is exported and the name occurs"),
        _ => (
            format!("nothing uses {} of `{}`", count_of(places.len(), "export"), package.name),
            "are exported and their names occur",
        ),
    };
    let mut draft = FindingDraft::at_symbol(&DOC, map, places[0], 1, "unused export")
        .title(title)
        .message(format!(
            "{}{more} {subject} nowhere else, not even in a test: {} of `{}` that nothing runs and no compiler warns of.",
            names.join(", "),
            count_of(lines as usize, "line"),
            package.name
        ))
        .impact(if lines >= 100 { 2 } else { 1 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for id in places.iter().skip(1).take(MAX_NAMED - 1) {
        draft = draft.and_symbol(map, *id, "unused export");
    }
    draft.build()
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let places: Vec<SymbolId> = finding
        .evidence
        .iter()
        .filter_map(|evidence| {
            let (file, source) = map.file_by_path(&evidence.file)?;
            let all = (0..).zip(&source.facts.symbols);
            let mut here = all.filter(|(_, symbol)| symbol.exported && symbol.name_line == evidence.start_line);
            // Of several on a line it cannot be told which one nothing uses.
            let (index, _) = here.next().filter(|_| here.next().is_none())?;
            Some(SymbolId { file, index })
        })
        .collect();
    let steps: Vec<StepDraft> = places
        .iter()
        .map(|id| {
            let (symbol, path) = (map.symbol(*id), &map.file(id.file).path);
            let text = context.tree.text(path).unwrap_or_default();
            let span = symbol.span;
            // Only then does "the text is gone" say that the definition is.
            let own = text.match_indices(symbol.name.as_str()).all(|(at, _)| (span.start as usize..span.end as usize).contains(&at));
            let gone = GateDraft::TextGone { text: symbol.name.to_string(), file: path.clone() };
            let mut gates = if own { vec![gone] } else { Vec::new() };
            gates.push(GateDraft::Project(CommandPurpose::Typecheck));
            StepDraft {
                title: format!("Delete `{}`", symbol.qualified),
                instruction: format!(
                    "In `{path}`, delete `{}` (lines {}–{}) with its comment, then the imports and the private definitions of that file \
                     which nothing else there uses.",
                    symbol.name, symbol.lines.start, symbol.lines.end
                ),
                edits: Vec::new(),
                gates,
            }
        })
        .collect();
    let files: BTreeSet<&str> = places.iter().map(|id| map.file(id.file).path.as_str()).collect();
    let first = map.symbol(*places.first()?);
    Some(PlanDraft {
        title: if places.len() == 1 {
            format!("Delete the unused `{}`", first.qualified)
        } else {
            format!("Delete {} that nothing uses", count_of(places.len(), "export"))
        },
        why: format!("{} What is gone need not be read, renamed or kept working.", finding.message),
        excerpts: places
            .iter()
            .take(6)
            .map(|id| {
                let lines = map.symbol(*id).lines;
                ExcerptDraft {
                    file: map.file(id.file).path.clone(),
                    start_line: lines.start,
                    end_line: lines.end.min(lines.start + 19),
                    role: format!("`{}`", map.symbol(*id).qualified),
                }
            })
            .collect(),
        steps,
        in_scope: files
            .into_iter()
            .map(|path| ScopeDraft {
                path: path.to_owned(),
                remark: "the unused definitions, and what only they use".to_owned(),
            })
            .collect(),
        out_of_scope: vec![(
            "definitions that something uses".to_owned(),
            "narrowing their visibility is another change".to_owned(),
        )],
        goals: vec![GateDraft::Project(CommandPurpose::Build), GateDraft::Project(CommandPurpose::Test)],
        stop_conditions: vec![
            format!("`git grep -nw {}` finds a use", first.name),
            "one of them is meant for code outside this repository, or for work that is under way".to_owned(),
        ],
        maintenance: vec!["git keeps what was deleted: `git log -S NAME` finds it.".to_owned()],
        ..PlanDraft::default()
    })
}
