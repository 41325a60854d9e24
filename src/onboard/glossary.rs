//! Words of the domain: types and tables that much of the code speaks of, each with where it is defined and what it says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Ground, Place, doc_comment};
use crate::repo_map::facts::{BindingKind, Symbol, SymbolKind};
use crate::repo_map::{FileId, SymbolId};

/// Words listed.
const TERMS: usize = 15;
/// Files that must speak of a word, its own not counted.
const FEWEST: usize = 2;
/// Fields named of a type that says nothing of itself.
const FIELDS: usize = 5;

/// A word of the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Term {
    /// The word.
    pub name: String,
    /// What it is in the code: `struct`, `table`, …
    pub kind: String,
    /// Where it is defined.
    pub place: Place,
    /// What its doc comment says first.
    pub says: Option<String>,
    /// Its first fields or members, where it says nothing.
    pub has: Vec<String>,
    /// Files that speak of it.
    pub files: usize,
    /// Routes whose path names it.
    pub routes: Vec<String>,
}

/// Fields that every record has.
const COMMON: &[&str] = &[
    "id",
    "_id",
    "uuid",
    "createdAt",
    "updatedAt",
    "created_at",
    "updated_at",
    "creation_date",
    "deletedAt",
    "deleted_at",
];

/// Names that belong to programs and frameworks rather than to a domain; whole names and last words of names.
const NOT_DOMAIN: &[&str] = &[
    "Props",
    "Config",
    "Configuration",
    "Options",
    "Option",
    "Settings",
    "Error",
    "Errors",
    "Exception",
    "Result",
    "Request",
    "Response",
    "Context",
    "State",
    "Args",
    "Arguments",
    "Params",
    "Parameters",
    "Handler",
    "Handlers",
    "Callback",
    "Provider",
    "Builder",
    "Factory",
    "Impl",
    "Type",
    "Types",
    "Kind",
    "Value",
    "Values",
    "Data",
    "Item",
    "Items",
    "Key",
    "Keys",
    "Node",
    "Env",
    "App",
    "Cli",
    "Command",
    "Input",
    "Output",
    "Payload",
    "Schema",
    "Dto",
    "Utils",
    "Helper",
    "Helpers",
    "Manager",
    "Service",
    "Controller",
    "Module",
    "Middleware",
    "Component",
    "Theme",
    "Ref",
    "Element",
    "Event",
    "Fn",
    "Func",
    "Function",
    "Iter",
    "Iterator",
    "Visitor",
    "Ext",
    "Base",
    "Info",
    "Opts",
    "Locals",
    "Global",
    "Window",
    "Logger",
    "Client",
    "Server",
    "Router",
    "Route",
    "Page",
    "Layout",
    "Store",
    "Action",
    "Actions",
    "Reducer",
    "Style",
    "Styles",
    "Color",
    "Colors",
    "Variant",
    "Variants",
    "Size",
    "Position",
    "Direction",
    "Children",
    "Slot",
    "Icon",
    "Button",
    "Modal",
    "Dialog",
    "Form",
    "Field",
    "Table",
    "List",
    "Row",
    "Column",
    "Menu",
    "Toast",
    "Prettify",
    "Simplify",
    "Nullable",
    "Maybe",
    "Json",
    "JSONValue",
    "Writer",
    "Reader",
    "Guard",
    "Wrapper",
    "Adapter",
    "Mock",
    "Test",
    "Id",
    "Status",
    "Mode",
    "Flags",
    "Map",
    "Set",
    "Tuple",
    "Any",
    "Method",
    "H",
    "Mutation",
    "Query",
    "Parts",
    "Like",
    "Interface",
    "Object",
    "Mime",
];

pub(super) fn glossary(ground: &Ground<'_>) -> Vec<Term> {
    let mut terms = types(ground);
    for (table, place) in tables(ground) {
        let singular = singular(&table).to_lowercase();
        match terms.iter_mut().find(|(_, term)| term.name.to_lowercase() == singular) {
            Some((score, _)) => *score += 20,
            None => terms.extend(term_of_table(ground, table, place)),
        }
    }
    for (score, term) in &mut terms {
        term.routes = routes(ground, &term.name);
        *score += term.routes.len().min(3) as u64 * 8;
    }
    terms.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.place.cmp(&other.1.place)));
    terms.truncate(TERMS);
    let mut terms: Vec<Term> = terms.into_iter().map(|(_, term)| term).collect();
    terms.sort_by_key(|term| term.name.to_lowercase());
    terms
}

/// Types that other files speak of, with what speaks for each.
fn types(ground: &Ground<'_>) -> Vec<(u64, Term)> {
    let map = ground.sources.map;
    let place: BTreeMap<SymbolId, usize> = ground.ranking.symbols.iter().copied().zip(0..).collect();
    let mut by_name: BTreeMap<&str, Vec<(SymbolId, &Symbol)>> = BTreeMap::new();
    for (id, symbol) in map.symbols() {
        let counts = ground.is_production(id.file) && ground.keeps(id.file) && symbol.exported && !symbol.test;
        // A type computed from others is for the compiler.
        let computed = symbol.kind == SymbolKind::TypeAlias && symbol.signature.contains('<');
        if counts
            && !computed
            && symbol.kind.is_type()
            && symbol.container.is_none()
            && is_domain(&symbol.name)
            && !is_component(ground, id)
        {
            by_name.entry(symbol.name.as_str()).or_default().push((id, symbol));
        }
    }
    let names: Vec<Vec<String>> = by_name.keys().map(|name| words(name)).collect();
    let mut found = Vec::new();
    for (name, mut definitions) in by_name {
        definitions.sort_by_key(|(id, _)| (std::cmp::Reverse(speaking(ground, id.file, name)), *id));
        let (id, symbol) = definitions[0];
        let files = speaking(ground, id.file, name);
        // A name that several files define for themselves is no word of the whole.
        if files < FEWEST || definitions.len() > 3 {
            continue;
        }
        let file = map.file(id.file);
        let says = symbol
            .documented
            .then(|| doc_comment::of_definition(&ground.sources.text(&file.path)?, symbol.lines.start))
            .flatten();
        let central = place.get(&id).map_or(0, |&at| 12_u64.saturating_sub((at as u64 + 1).ilog2().into()));
        let score = (files as u64).ilog2() as u64 * 6
            + central
            + u64::from(says.is_some()) * 6
            + kin(name, &names).min(6) as u64 * 3;
        let has = if says.is_some() { Vec::new() } else { members(ground, id.file, symbol) };
        if says.is_none() && has.is_empty() {
            continue;
        }
        let term = Term {
            name: name.to_owned(),
            kind: kind_word(symbol.kind).to_owned(),
            place: Place { path: file.path.clone(), line: symbol.name_line },
            says,
            has,
            files,
            routes: Vec::new(),
        };
        found.push((score, term));
    }
    found
}

/// How many other names speak of it: `Order` is in `OrderLine` and `CreateOrder`.
fn kin(name: &str, names: &[Vec<String>]) -> usize {
    let own = words(name);
    names.iter().filter(|other| other.len() > own.len() && other.windows(own.len()).any(|part| part == own)).count()
}

/// Files that use `file`, directly or through a file that passes it on, and name `name`.
fn speaking(ground: &Ground<'_>, file: FileId, name: &str) -> usize {
    let names = |user: &FileId| {
        let references = &ground.sources.map.file(*user).facts.references;
        references.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    };
    let direct = &ground.users[file as usize];
    let through = direct.iter().flat_map(|user| &ground.users[*user as usize]);
    let all: BTreeSet<FileId> = direct.iter().chain(through).copied().filter(|user| *user != file).collect();
    all.iter().filter(|user| names(user)).count()
}

/// Whether a name is a word of a domain rather than of programming.
fn is_domain(name: &str) -> bool {
    let words = words(name);
    let generic = |word: &&str| NOT_DOMAIN.contains(word);
    let last = words.last();
    name.len() > 2
        && name.starts_with(char::is_uppercase)
        && !NOT_DOMAIN.contains(&name)
        && !last.is_some_and(|last| generic(&last.as_str()))
        && !name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_')
}

/// `CreateOrderDto` → `Create`, `Order`, `Dto`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut after_lower = true;
    for c in name.chars() {
        match words.last_mut() {
            Some(last) if !(c.is_uppercase() && after_lower) => last.push(c),
            Some(_) | None => words.push(c.to_string()),
        }
        after_lower = !c.is_uppercase();
    }
    words
}

/// A class or type of something that is drawn.
fn is_component(ground: &Ground<'_>, id: SymbolId) -> bool {
    let path = &ground.sources.map.file(id.file).path;
    path.ends_with(".d.ts") || path.split('/').any(|folder| matches!(folder, "components" | "ui" | "icons" | "theme"))
}

/// The first fields of a type, or the variants of an enum.
fn members(ground: &Ground<'_>, file: FileId, symbol: &Symbol) -> Vec<String> {
    match symbol.kind {
        SymbolKind::Enum => variants(ground, file, symbol),
        SymbolKind::Class | SymbolKind::Struct | SymbolKind::Trait | SymbolKind::Interface | SymbolKind::TypeAlias => {
            fields(ground, file, symbol)
        }
        SymbolKind::Function
        | SymbolKind::Method
        | SymbolKind::Constructor
        | SymbolKind::Constant
        | SymbolKind::Module
        | SymbolKind::Macro => Vec::new(),
    }
}

static VARIANT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([A-Z]\w*)\s*(?:[,({=].*)?$").expect("the pattern is tested"));

/// The first variants of an enum, by its text: a line of its own each, one level in.
fn variants(ground: &Ground<'_>, file: FileId, symbol: &Symbol) -> Vec<String> {
    let text = ground.sources.text(&ground.sources.map.file(file).path).unwrap_or_default();
    let (start, end) = (symbol.name_line as usize, symbol.lines.end as usize);
    let mut depth = 0_i32;
    let mut found = Vec::new();
    for line in text.lines().take(end).skip(start) {
        let code = line.trim();
        if depth == 0
            && let Some(name) = VARIANT.captures(code)
        {
            found.push(name[1].to_owned());
        }
        let count = |marks: [char; 2]| code.matches(marks).count() as i32;
        depth += count(['{', '(']) - count(['}', ')']);
    }
    found.truncate(FIELDS);
    found
}

fn fields(ground: &Ground<'_>, file: FileId, symbol: &Symbol) -> Vec<String> {
    let facts = &ground.sources.map.file(file).facts;
    let own = facts.bindings.iter().filter(|binding| {
        let is_field = matches!(binding.kind, BindingKind::Field | BindingKind::ParameterProperty);
        is_field
            && binding.member_of.is_some_and(|of| of == symbol.name)
            && binding.name.starts_with(|c: char| c.is_alphabetic())
    });
    let mut seen = BTreeSet::new();
    let names = own.map(|binding| binding.name.to_string());
    names.filter(|name| !COMMON.contains(&name.as_str()) && seen.insert(name.clone())).take(FIELDS).collect()
}

fn kind_word(kind: SymbolKind) -> &'static str {
    match kind {
        SymbolKind::Class => "class",
        SymbolKind::Struct => "struct",
        SymbolKind::Enum => "enum",
        SymbolKind::Trait => "trait",
        SymbolKind::Interface => "interface",
        SymbolKind::TypeAlias => "type",
        SymbolKind::Function
        | SymbolKind::Method
        | SymbolKind::Constructor
        | SymbolKind::Constant
        | SymbolKind::Module
        | SymbolKind::Macro => "definition",
    }
}

static MODEL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*model\s+(\w+)\s*\{").expect("the pattern is tested"));
static TABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?:pgTable|mysqlTable|sqliteTable)\(\s*["'`](\w+)|^\s*(?:diesel::)?table!\s*\{?\s*(\w+)?"#)
        .expect("the pattern is tested")
});

/// Tables that schemas define: Prisma's models, Drizzle's and Diesel's tables.
fn tables(ground: &Ground<'_>) -> Vec<(String, Place)> {
    let map = ground.sources.map;
    let prisma = map.other_files.iter().filter(|path| path.ends_with(".prisma")).map(|path| (path, &*MODEL));
    let in_code = map.files.iter().filter(|file| {
        let names = ["pgTable", "mysqlTable", "sqliteTable", "table"];
        let named = |name: &&str| file.facts.references.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        file.role == crate::repo_map::FileRole::Production && names.iter().any(named)
    });
    let files = prisma.chain(in_code.map(|file| (&file.path, &*TABLE)));
    let mut found: BTreeMap<String, Place> = BTreeMap::new();
    for (path, pattern) in files {
        let text = ground.sources.text(path).unwrap_or_default();
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(name) = pattern.captures(text).and_then(|captures| captures.iter().skip(1).flatten().next()) {
                found.entry(name.as_str().to_owned()).or_insert_with(|| Place { path: path.clone(), line });
            }
        }
    }
    found.into_iter().collect()
}

/// A table that no type is named for, by the files that name it as code does: `prisma.order`, `orders`.
fn term_of_table(ground: &Ground<'_>, name: String, place: Place) -> Option<(u64, Term)> {
    let mut camel = name.clone();
    if let Some(first) = camel.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    let map = ground.sources.map;
    let names = |file: &crate::repo_map::SourceFile| {
        [&name, &camel]
            .into_iter()
            .any(|name| file.facts.references.binary_search_by(|known| known.as_str().cmp(name)).is_ok())
    };
    let counts =
        map.files_with_ids().filter(|(id, file)| ground.is_production(*id) && ground.keeps(*id) && names(file));
    let files = counts.count();
    let text = ground.sources.text(&place.path)?;
    let says = doc_comment::of_definition(&text, place.line);
    let lines = text.lines().skip(place.line as usize);
    let columns = lines.take_while(|line| line.trim() != "}").filter_map(|line| {
        let name = line.split_whitespace().next()?;
        let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic());
        (plain && !COMMON.contains(&name)).then(|| name.to_owned())
    });
    let has =
        if place.path.ends_with(".prisma") && says.is_none() { columns.take(FIELDS).collect() } else { Vec::new() };
    let score = u64::from((files as u64).checked_ilog2().unwrap_or(0)) * 6 + 22;
    (files >= FEWEST)
        .then(|| (score, Term { name, kind: "table".to_owned(), place, says, has, files, routes: Vec::new() }))
}

/// Routes whose path has the word as a segment, in the singular or the plural.
fn routes(ground: &Ground<'_>, name: &str) -> Vec<String> {
    let wanted: String = words(name).join("-").to_lowercase();
    let labels: BTreeSet<&str> = ground
        .sources
        .effects
        .entries
        .list
        .iter()
        .filter(|entry| {
            entry
                .path
                .as_deref()
                .is_some_and(|path| path.split('/').any(|part| singular(part).to_lowercase() == wanted))
        })
        .map(|entry| entry.label.as_str())
        .collect();
    labels.into_iter().take(2).map(str::to_owned).collect()
}

/// The singular of an English plural, as far as names of tables need it.
fn singular(word: &str) -> &str {
    match word {
        word if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => word,
        word if word.len() > 3 => word.strip_suffix('s').unwrap_or(word),
        word => word,
    }
}
