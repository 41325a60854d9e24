//! API tables: which calls of which libraries have which effect. Data, one file per library.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::effects::{DirectEffect, Effect, chain};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{CallIndex, CallKind, CallSite, FileFacts, LanguageName, Usage};
use crate::repo_map::name::Name;
use crate::repo_map::{CallId, CallTarget, External, RepoMap};

mod aws_sdk;
mod bcrypt;
mod better_sqlite3;
mod block_on;
mod bullmq;
mod compression;
mod diesel;
mod drizzle;
mod fs_err;
mod http_clients;
mod knex;
mod kysely;
mod meteor;
mod mikro_orm;
mod mongodb;
mod mongodb_rust;
mod mongoose;
mod mysql2;
mod node;
mod panics;
mod password_hashing;
mod pg;
mod postgres_js;
mod prisma;
mod redis;
mod redis_rust;
mod reqwest;
mod rusqlite;
mod rust_std;
mod sea_orm;
mod sequelize;
mod sessions;
mod slonik;
mod sqlx;
mod supabase;
mod tokens;
mod tokens_rust;
mod tokio_fs;
mod tokio_postgres;
mod typeorm;
mod ureq;
mod validators;
mod validators_rust;

/// Every library whose calls are known.
pub static LIBRARIES: &[&Library] = &[
    &aws_sdk::LIBRARY,
    &bcrypt::LIBRARY,
    &better_sqlite3::LIBRARY,
    &block_on::LIBRARY,
    &bullmq::LIBRARY,
    &compression::LIBRARY,
    &diesel::LIBRARY,
    &drizzle::LIBRARY,
    &fs_err::LIBRARY,
    &http_clients::LIBRARY,
    &knex::LIBRARY,
    &kysely::LIBRARY,
    &meteor::LIBRARY,
    &mikro_orm::LIBRARY,
    &mongodb::LIBRARY,
    &mongodb_rust::LIBRARY,
    &mongoose::LIBRARY,
    &mysql2::LIBRARY,
    &node::LIBRARY,
    &password_hashing::LIBRARY,
    &pg::LIBRARY,
    &postgres_js::LIBRARY,
    &prisma::LIBRARY,
    &redis::LIBRARY,
    &redis_rust::LIBRARY,
    &reqwest::LIBRARY,
    &rusqlite::LIBRARY,
    &rust_std::LIBRARY,
    &sea_orm::LIBRARY,
    &sequelize::LIBRARY,
    &slonik::LIBRARY,
    &sqlx::LIBRARY,
    &supabase::LIBRARY,
    &tokio_fs::LIBRARY,
    &tokio_postgres::LIBRARY,
    &typeorm::LIBRARY,
    &ureq::LIBRARY,
];

/// Libraries that ask who is calling or check values, and what panics: [`Effect::INWARD`].
///
/// Apart from the others, because a call may be in both (`supabase.auth.getUser` is a request and a check), and because whoever
/// asks what a call does to the world outside means none of these.
pub static CHECKS: &[&Library] = &[
    &panics::LIBRARY,
    &sessions::LIBRARY,
    &tokens::LIBRARY,
    &tokens_rust::LIBRARY,
    &validators::LIBRARY,
    &validators_rust::LIBRARY,
];

/// What is known about a library.
#[derive(Debug)]
pub struct Library {
    /// Its name in findings.
    pub name: &'static str,
    /// Which language calls it.
    pub ecosystem: Ecosystem,
    /// Which versions the calls were taken from, and where they are documented.
    pub origins: &'static [Origin],
    /// npm packages or crates; `scope/*` takes a whole scope.
    pub packages: &'static [&'static str],
    /// Calls, by the path from the package's export.
    pub apis: &'static [Api],
    /// Calls whose receiver could not be resolved, by the names written in the code. Only believed when the project
    /// depends on the library.
    pub shapes: &'static [Api],
}

/// Where the names of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The package, crate or standard.
    pub library: &'static str,
    /// Release lines whose documentation has these calls, with commas between them (`5, 6`, `0.8`), or `living standard`. Others
    /// may have them, too: a table is read for every version.
    pub versions: &'static str,
    /// Public address of the documentation.
    pub documentation: &'static str,
}

impl Origin {
    /// Whether every part is there: versions that are numbers, and a public address.
    pub fn is_whole(&self) -> bool {
        let is_line = |line: &str| !line.is_empty() && line.split('.').all(|part| part.parse::<u32>().is_ok());
        let has_versions = self.versions == "living standard" || self.versions.split(", ").all(is_line);
        let host = self.documentation.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        !self.library.is_empty() && has_versions && host.is_some_and(|host| host.contains('.'))
    }
}

/// Where what is known of calls with `effect` comes from, by library.
pub fn origins(effect: Effect) -> Vec<&'static Origin> {
    let has = |api: &Api| match api.effect {
        Some(own) => own == effect || effect == Effect::Blocking && api.blocks,
        // The statement decides.
        None => matches!(effect, Effect::DbRead | Effect::DbWrite) || effect == Effect::Blocking && api.blocks,
    };
    let libraries = LIBRARIES.iter().chain(CHECKS);
    let mut found: Vec<&Origin> = libraries
        .filter(|library| library.apis.iter().chain(library.shapes).any(has))
        .flat_map(|one| one.origins)
        .collect();
    found.sort_by_key(|origin| (origin.library, origin.documentation));
    found.dedup();
    found
}

/// One source of a table.
pub const fn origin(library: &'static str, versions: &'static str, documentation: &'static str) -> Origin {
    Origin { library, versions, documentation }
}

/// Which language calls a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ecosystem {
    /// npm, and the runtimes of JavaScript.
    Npm,
    /// crates.io, and the standard library of Rust.
    Cargo,
}

/// Calls with one effect.
///
/// A pattern is names with dots between them: `a|b` is either, `*` any one name, `**` any number of names, `@` a
/// capitalised name, `*Repository` and `redis*` names with that end or start.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    /// Which names.
    pub pattern: &'static str,
    /// What they do; `None` when the SQL statement decides between reading and writing.
    pub effect: Option<Effect>,
    /// The call gives a promise or a future.
    pub is_async: bool,
    /// The call holds the thread until it is done.
    pub blocks: bool,
    /// One call already handles many items.
    pub is_batch: bool,
    /// Only where no further call follows in the chain.
    pub at_end: bool,
    /// A builder: it runs when somebody waits for it, and is a part of another query elsewhere.
    pub is_lazy: bool,
    /// Only with an argument whose last name holds one of these, in lower case.
    pub argument: &'static [&'static str],
}

impl Api {
    const fn new(pattern: &'static str, effect: Option<Effect>) -> Api {
        Api {
            pattern,
            effect,
            is_async: true,
            blocks: false,
            is_batch: false,
            at_end: false,
            is_lazy: false,
            argument: &[],
        }
    }

    /// The call returns when it is done and holds the thread until then.
    pub const fn blocking(mut self) -> Api {
        self.is_async = false;
        self.blocks = true;
        self
    }

    /// The call gives its value at once.
    pub const fn sync(mut self) -> Api {
        self.is_async = false;
        self
    }

    /// One call already handles many items.
    pub const fn batch(mut self) -> Api {
        self.is_batch = true;
        self
    }

    /// Only where no further call follows in the chain.
    pub const fn at_end(mut self) -> Api {
        self.at_end = true;
        self
    }

    /// Runs when somebody waits for it.
    pub const fn lazy(mut self) -> Api {
        self.is_lazy = true;
        self
    }

    /// Only with an argument of such a name.
    pub const fn with(mut self, argument: &'static [&'static str]) -> Api {
        self.argument = argument;
        self
    }
}

/// Calls that read a database.
pub const fn reads(pattern: &'static str) -> Api {
    Api::new(pattern, Some(Effect::DbRead))
}

/// Calls that write a database.
pub const fn writes(pattern: &'static str) -> Api {
    Api::new(pattern, Some(Effect::DbWrite))
}

/// Calls that run an SQL statement, which says whether they read or write.
pub const fn runs_sql(pattern: &'static str) -> Api {
    Api::new(pattern, None)
}

/// Calls with another effect.
pub const fn does(effect: Effect, pattern: &'static str) -> Api {
    Api::new(pattern, Some(effect))
}

/// Tables by the last name of their patterns, so that a call is compared with few of them.
struct Index {
    apis: FxHashMap<&'static str, Vec<(&'static Library, &'static Api)>>,
    shapes: FxHashMap<&'static str, Vec<(&'static Library, &'static Api)>>,
}

impl Index {
    fn new(libraries: &[&'static Library]) -> Index {
        let mut index = Index { apis: FxHashMap::default(), shapes: FxHashMap::default() };
        for &library in libraries {
            for (table, entries) in [(&mut index.apis, library.apis), (&mut index.shapes, library.shapes)] {
                for api in entries {
                    let last = api.pattern.rsplit('.').next().unwrap_or_default();
                    for name in last.split('|') {
                        // Names with a wild card are compared with every call.
                        let key = if name.contains(['*', '@']) { "*" } else { name };
                        table.entry(key).or_default().push((library, api));
                    }
                }
            }
        }
        index
    }

    /// Whether any pattern may end in the name.
    fn knows(&self, name: &str) -> bool {
        [&self.apis, &self.shapes].iter().any(|table| table.contains_key(name) || table.contains_key("*"))
    }
}

/// What every call of the repository does to the world outside by itself.
pub fn direct_effects(map: &RepoMap) -> BTreeMap<CallId, Vec<DirectEffect>> {
    effects_by(map, LIBRARIES)
}

/// Which calls of the repository ask who is calling, check a value or may panic.
pub fn inward_effects(map: &RepoMap) -> BTreeMap<CallId, Vec<DirectEffect>> {
    effects_by(map, CHECKS)
}

fn effects_by(map: &RepoMap, libraries: &[&'static Library]) -> BTreeMap<CallId, Vec<DirectEffect>> {
    let index = Index::new(libraries);
    let npm: BTreeSet<&str> = map
        .recon
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let files: Vec<_> = map.files_with_ids().collect();
    let found: Vec<Vec<(CallId, Vec<DirectEffect>)>> = files
        .par_iter()
        .map(|&(file, source)| {
            let own: BTreeSet<&str>;
            let dependencies = if source.language.is_ecmascript() {
                // A client is often made in one package of a workspace and used in another.
                &npm
            } else {
                let package = map.recon.package_in(&source.path, true);
                own = package.into_iter().flat_map(|package| &package.dependencies).map(|d| d.name.as_str()).collect();
                &own
            };
            let site = |index_of_call: CallIndex| {
                let id = CallId { file, index: index_of_call };
                let effects = effects_of(map, &index, dependencies, id);
                (!effects.is_empty()).then_some((id, effects))
            };
            (0..source.facts.calls.len() as CallIndex).filter_map(site).collect()
        })
        .collect();
    found.into_iter().flatten().collect()
}

fn effects_of(map: &RepoMap, index: &Index, dependencies: &BTreeSet<&str>, id: CallId) -> Vec<DirectEffect> {
    let source = map.file(id.file);
    let facts = &source.facts;
    let site = facts.call(id.index);
    if !chain::is_plain_call(site.kind) {
        return Vec::new();
    }
    // Nearly every call has a name that no table knows.
    let told_as = match map.target(id) {
        CallTarget::External(External { path, .. }) => path.last().map_or("default", Name::as_str),
        CallTarget::Symbols(_) | CallTarget::Unresolved => site.name.as_str(),
    };
    if !index.knows(told_as) && !index.knows(&site.name) {
        return Vec::new();
    }
    let ecosystem = if source.language == LanguageName::Rust { Ecosystem::Cargo } else { Ecosystem::Npm };
    let candidates = |table: &FxHashMap<&'static str, Vec<(&'static Library, &'static Api)>>, last: &str| {
        let mut found = table.get(last).cloned().unwrap_or_default();
        found.extend(table.get("*").into_iter().flatten());
        found.retain(|(library, api)| {
            library.ecosystem == ecosystem
                // `write!` is not `std::fs::write`; macros of databases (`sqlx::query!`) are what their tables say.
                && (site.kind != CallKind::Macro || !is_of_runtime(library))
                && !is_of_a_list(site)
                && (!api.at_end || chain::end(map, id) == id && !changes_before(facts, id.index))
                && (!api.is_lazy || {
                    let end = chain::end(map, id).index;
                    chain::is_waited_for(facts, end)
                        && !chain::extends_a_given_builder(facts, end)
                        && !is_fragment(map, CallId { file: id.file, index: end })
                })
                && (api.argument.is_empty() || has_argument(facts, id.index, api.argument))
        });
        found
    };
    match map.target(id) {
        CallTarget::External(External { package, path }) => {
            let names: Vec<&str> = path.iter().map(Name::as_str).collect();
            let last = names.last().copied().unwrap_or("default");
            let hit = candidates(&index.apis, last)
                .into_iter()
                .find(|(library, api)| names_package(library.packages, package) && matches(api.pattern, &names))
                .filter(|_| !asks_the_schema(&names));
            if let Some((library, api)) = hit {
                return describe(facts, id.index, library, api, &names);
            }
            // Typed by a package that only wraps the library (an extended client, a re-exported type).
            if wraps_known_library(package) {
                return Vec::new();
            }
            from_shape(facts, id.index, dependencies, candidates(&index.shapes, &site.name))
        }
        CallTarget::Symbols(_) if map.resolved(id).next().is_some() => Vec::new(),
        CallTarget::Symbols(_) | CallTarget::Unresolved => {
            from_shape(facts, id.index, dependencies, candidates(&index.shapes, &site.name))
        }
    }
}

/// `em.getMetadata().find(name)`: what an ORM knows of its classes asks no database.
fn asks_the_schema(names: &[&str]) -> bool {
    names.iter().any(|name| matches!(*name, "getMetadata" | "metadata" | "MetadataStorage"))
}

/// `knex.raw('??', [column]).toString()`, or one that a plain function hands back as a `Knex.Raw`, or to callers none of whom waits for
/// it: a piece of a statement that somebody else sends.
fn is_fragment(map: &RepoMap, end: CallId) -> bool {
    const TEXTS: &[&str] = &["toString", "toSQL", "toQuery", "toNative", "compile", "as", "wrap"];
    let site = map.call(end);
    if TEXTS.contains(&site.name.as_str()) {
        return true;
    }
    let Some(function) = map.caller_of(end).filter(|_| site.usage == Usage::Returned && !site.awaited) else {
        return false;
    };
    let symbol = map.symbol(function);
    if symbol.is_async || symbol.return_type.as_deref().is_some_and(|declared| declared.contains("Promise")) {
        return false;
    }
    let is_raw = symbol.return_type.as_deref().is_some_and(|declared| {
        declared.rsplit('.').next().is_some_and(|last| last.starts_with("Raw") || last.starts_with("QueryBuilder"))
    });
    let callers = map.callers(function);
    let waits = |call: &CallId| {
        let site = map.call(*call);
        // Who hands it on, or keeps it, may wait later.
        site.awaited || !matches!(site.usage, Usage::Argument(_) | Usage::Receiver(_) | Usage::Element | Usage::Operand)
    };
    is_raw || !callers.is_empty() && !callers.iter().any(waits)
}

/// Whether `package` belongs to the library of this name.
pub fn is_of(library: &str, package: &str) -> bool {
    LIBRARIES.iter().any(|known| known.name == library && names_package(known.packages, package))
}

/// `options.populate.find((part) => …)`: a list's own method, whatever package its type comes from.
fn is_of_a_list(site: &CallSite) -> bool {
    matches!(site.name.as_str(), "find" | "filter" | "some" | "every" | "map" | "forEach" | "count" | "first")
        && matches!(site.arguments.first(), Some(Expr::Function { .. }))
        && site.arguments.len() == 1
}

/// Names of the libraries' calls, such as `findFirst`: they say nothing about who is asked.
pub fn api_names() -> FxHashSet<&'static str> {
    LIBRARIES.iter().copied().flat_map(names_in).collect()
}

fn names_in(library: &'static Library) -> impl Iterator<Item = &'static str> {
    let apis = library.apis.iter().chain(library.shapes);
    apis.flat_map(|api| api.pattern.rsplit('.').next().unwrap_or_default().split('|'))
}

/// The same, of the libraries of these packages alone and of what needs no package.
pub fn api_names_of(packages: &FxHashSet<&str>) -> FxHashSet<&'static str> {
    let is_there = |library: &&Library| {
        library.packages.contains(&"global") || packages.iter().any(|package| names_package(library.packages, package))
    };
    LIBRARIES.iter().copied().filter(is_there).flat_map(names_in).collect()
}

/// Whether calls of this package are fully described by the tables: what is not listed has no effect.
///
/// Not so for `global`: clients are kept there across reloads (`globalThis.prisma`).
fn wraps_known_library(package: &str) -> bool {
    matches!(package, "std" | "core" | "alloc" | "tokio")
        || (package != "global" && LIBRARIES.iter().any(|library| names_package(library.packages, package)))
}

/// Functions of the language's own runtime.
fn is_of_runtime(library: &Library) -> bool {
    matches!(library.name, "std" | "tokio" | "fs-err")
}

/// Objects of the language itself, whose names look like those of models.
const NAMESPACES: &[&str] = &[
    "Math", "Object", "Array", "JSON", "Number", "String", "Date", "Reflect", "Promise", "Symbol", "BigInt", "Intl",
    "Atomics", "Buffer",
];

fn from_shape(
    facts: &FileFacts,
    call: CallIndex,
    dependencies: &BTreeSet<&str>,
    candidates: Vec<(&'static Library, &'static Api)>,
) -> Vec<DirectEffect> {
    if candidates.is_empty() {
        return Vec::new();
    }
    let site = facts.call(call);
    let names = match (chain::names(facts, &site.callee), &site.callee) {
        (Some(names), _) => names,
        // `("localhost", 0).to_socket_addrs()`: only the standard library's shapes need no receiver.
        (None, Expr::Member(..)) => vec![site.name.as_str()],
        (None, _) => return Vec::new(),
    };
    // `Math.max` is no column's maximum.
    if names.first().is_some_and(|root| NAMESPACES.contains(root)) {
        return Vec::new();
    }
    let has_root = names.len() > 1 || !matches!(site.callee, Expr::Member(..));
    // An Apollo client is asked with an object too.
    let is_statement = |library: &Library| {
        !matches!(library.name, "pg" | "mysql2")
            || !matches!(site.arguments.first(), Some(Expr::Object(entries)) if entries.iter().any(|(key, _)| key == "query"))
                && names.first() != Some(&"client")
            || site.arguments.first().is_some_and(|first| matches!(first.peeled(), Expr::Text(_) | Expr::Template(_)))
    };
    let is_used = |library: &Library| {
        matches!(library.name, "std" | "panics")
            || has_root && dependencies.iter().any(|dependency| names_package(library.packages, dependency))
    };
    candidates
        .into_iter()
        .find(|(library, api)| matches(api.pattern, &names) && is_used(library) && is_statement(library))
        .map(|(library, api)| describe(facts, call, library, api, &names))
        .unwrap_or_default()
}

fn describe(
    facts: &FileFacts,
    call: CallIndex,
    library: &'static Library,
    api: &'static Api,
    names: &[&str],
) -> Vec<DirectEffect> {
    let effect = api.effect.unwrap_or_else(|| statement_effect(facts, call, library.ecosystem));
    let mut effects = vec![DirectEffect {
        effect,
        api: api_name(library, names),
        library: library.name,
        is_async: api.is_async,
        is_batch: api.is_batch,
    }];
    if api.blocks && effect != Effect::Blocking {
        effects.push(DirectEffect { effect: Effect::Blocking, ..effects[0].clone() });
    }
    effects
}

/// The API in its library's words: `prisma.user.findMany`, `sqlx::query::fetch_one`, `std::fs::read_to_string`.
fn api_name(library: &Library, names: &[&str]) -> String {
    // What a long chain does in between (`bind`, `where`) says little.
    let named: Vec<&str> = names.iter().copied().filter(|name| *name != "bind").collect();
    let shown = match named.as_slice() {
        // `Command::output`, `OpenOptions::open`: people know the type, and what was set on it does not matter.
        [.., last] if named.len() > 3 && is_of_runtime(library) => {
            let kind = named.iter().rev().skip(1).find(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
            match kind {
                Some(kind) => return format!("{kind}::{last}"),
                None => named.clone(),
            }
        }
        [first, .., last] if named.len() > 3 => vec![*first, *last],
        _ => named,
    };
    match library.ecosystem {
        Ecosystem::Npm => shown.join("."),
        Ecosystem::Cargo => {
            // Named by what is called, where the table is about several crates.
            let root = if matches!(
                library.name,
                "password-hashing" | "compression" | "block-on" | "tokens-rust" | "validators-rust" | "panics"
            ) {
                ""
            } else {
                library.packages[0]
            };
            let is_import = !root.is_empty() && (shown.len() > 1 || is_of_runtime(library));
            let prefix = if is_import && shown[0] != root { format!("{root}::") } else { String::new() };
            format!("{prefix}{}", shown.join("::"))
        }
    }
}

/// Whether the statement in a chain's arguments writes. One that cannot be read counts as reading, unless it is run by what gives
/// no rows: `execute`, in the crates for databases.
fn statement_effect(facts: &FileFacts, call: CallIndex, ecosystem: Ecosystem) -> Effect {
    let mut is_read = false;
    let mut writes = false;
    // `insert.run(row)`, where `insert` was prepared before.
    let receiver = match facts.call(call).callee.peeled() {
        Expr::Member(object, _) => Some(object.as_ref()),
        _ => None,
    };
    for link in chain::receivers(facts, call) {
        for argument in facts.call(link).arguments.iter().chain(receiver) {
            let mut statement = prepared(facts, call, argument);
            // `` sql`insert …` ``: the tag's text.
            if let Expr::Call(tag) = statement
                && facts.call(*tag).kind == CallKind::Template
                && let Some(text) = facts.call(*tag).arguments.first()
            {
                statement = text;
            }
            let text = match statement {
                Expr::Text(text) => text.as_str(),
                Expr::Template(parts) => match parts.first() {
                    Some(TemplatePart::Text(text)) => text.as_str(),
                    _ => continue,
                },
                _ => continue,
            };
            let word: String = text
                .trim_start()
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect::<String>()
                .to_ascii_lowercase();
            is_read |= !word.is_empty();
            writes |= matches!(
                word.as_str(),
                "insert" | "update" | "delete" | "replace" | "merge" | "truncate" | "create" | "drop" | "alter"
            );
        }
    }
    let gives_no_rows = || ecosystem == Ecosystem::Cargo && facts.call(call).name == "execute";
    if writes || !is_read && gives_no_rows() { Effect::DbWrite } else { Effect::DbRead }
}

/// The statement a name stands for: its text, or the text it was prepared from.
fn prepared<'a>(facts: &'a FileFacts, call: CallIndex, argument: &'a Expr) -> &'a Expr {
    let Expr::Name(name) = argument.peeled() else { return argument.peeled() };
    // Prepared in the function, run in a callback that has a name of its own (`const move = db.transaction(() => …)`).
    let mut owner = facts.call(call).caller;
    let find = |owner| facts.bindings.iter().find(|binding| binding.name == *name && binding.owner == owner);
    let mut binding = find(owner);
    while let (None, Some(index)) = (binding, owner) {
        owner = facts.symbols[index as usize].container;
        binding = find(owner);
    }
    match binding.and_then(|binding| binding.value.as_ref()).map(Expr::peeled) {
        Some(Expr::Call(prepare)) => facts.call(*prepare).arguments.first().map_or(argument.peeled(), Expr::peeled),
        Some(value) => value,
        None => argument.peeled(),
    }
}

/// `knex('users').update(fields).where('id', id)`: what ends in a condition is the change before it.
fn changes_before(facts: &FileFacts, call: CallIndex) -> bool {
    chain::receivers(facts, call).into_iter().skip(1).any(|link| {
        matches!(facts.call(link).name.as_str(), "insert" | "update" | "del" | "delete" | "increment" | "decrement")
    })
}

fn has_argument(facts: &FileFacts, call: CallIndex, wanted: &[&str]) -> bool {
    facts.call(call).arguments.iter().any(|argument| {
        let mut found = false;
        argument.walk(&mut |inner| {
            if let Some(name) = inner.last_name() {
                let name = name.to_ascii_lowercase();
                found |= wanted.iter().any(|wanted| name.contains(wanted));
            }
            if let Expr::Call(index) = inner {
                let name = facts.call(*index).name.to_ascii_lowercase();
                found |= wanted.iter().any(|wanted| name.contains(wanted));
            }
        });
        found
    })
}

/// Whether `package` is one of `packages`, sub-paths (`drizzle-orm/pg-core`) and forks (`@acme/slonik`) included.
pub fn names_package(packages: &[&str], package: &str) -> bool {
    let fork = package.strip_prefix('@').and_then(|scoped| scoped.split_once('/')).map(|(_, name)| name);
    let starts = [package, fork.unwrap_or(package)].map(|name| name.as_bytes().first().copied());
    // Most names differ in their first letter, and this is asked of each call.
    let may_match = |known: &&&str| starts.contains(&known.as_bytes().first().copied());
    packages.iter().filter(may_match).any(|known| match known.strip_suffix("/*") {
        Some(scope) => package.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/')),
        None => {
            let is_known =
                |name: &str| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            is_known(package) || fork.is_some_and(is_known) && is_fork_of(known)
        }
    })
}

/// Libraries that others publish under a scope of their own, with the same API.
fn is_fork_of(known: &str) -> bool {
    matches!(
        known,
        "slonik" | "knex" | "kysely" | "typeorm" | "mongoose" | "mongodb" | "ioredis" | "sequelize" | "bullmq"
    )
}

/// Whether `names` are what a pattern describes.
pub fn matches(pattern: &str, names: &[&str]) -> bool {
    let parts: Vec<&str> = pattern.split('.').collect();
    matches_parts(&parts, names)
}

fn matches_parts(parts: &[&str], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=names.len()).any(|skipped| matches_parts(rest, &names[skipped..])),
        (Some((part, parts)), Some((name, names))) => {
            part.split('|').any(|form| matches_name(form, name)) && matches_parts(parts, names)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn matches_name(form: &str, name: &str) -> bool {
    match form {
        "*" => true,
        "@" => name.starts_with(|c: char| c.is_ascii_uppercase()),
        _ => match (form.strip_prefix('*'), form.strip_suffix('*')) {
            (Some(end), _) => name.ends_with(end),
            (None, Some(start)) => name.starts_with(start),
            (None, None) => form == name,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_by_segment() {
        assert!(matches("**.findMany|findFirst", &["PrismaClient", "user", "findMany"]));
        assert!(matches("**.findMany|findFirst", &["findFirst"]));
        assert!(matches("fs.read*", &["fs", "read_to_string"]));
        assert!(matches("**.*Repository.findOne", &["this", "userRepository", "findOne"]));
        assert!(matches("@.findOne", &["User", "findOne"]));
        assert!(!matches("@.findOne", &["user", "findOne"]));
        assert!(!matches("**.prisma.*.findMany", &["prisma", "findMany"]));
        assert!(!matches("fs.read", &["fs"]));
    }

    #[test]
    fn packages_match_whole_names_and_sub_paths() {
        assert!(names_package(&["drizzle-orm"], "drizzle-orm/pg-core"));
        assert!(names_package(&["@aws-sdk/*"], "@aws-sdk/client-s3"));
        assert!(!names_package(&["pg"], "pg-promise"));
        assert!(names_package(&["slonik"], "@acme/slonik"));
        assert!(!names_package(&["fs"], "@acme/fs"));
    }

    #[test]
    fn every_library_is_listed_once_and_says_where_its_names_come_from() {
        let mut names: Vec<&str> = LIBRARIES.iter().chain(CHECKS).map(|library| library.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for library in LIBRARIES.iter().chain(CHECKS) {
            assert!(!library.origins.is_empty() && !library.packages.is_empty(), "{}", library.name);
            for origin in library.origins {
                assert!(origin.is_whole(), "{}: {origin:?}", library.name);
            }
            for api in library.apis.iter().chain(library.shapes) {
                assert!(!api.pattern.ends_with("**"), "{}: {} has no last name", library.name, api.pattern);
            }
        }
    }
}
