//! One trait for several backends: its methods look alike from type to type, and what differs are the types around them.

use crate::audit::clones::Stretch;
use crate::audit::rules::debt::clone_family::{Body, Family, file_lines};
use crate::repo_map::facts::Symbol;
use crate::repo_map::{CallId, CallTarget, FileId, RepoMap};

/// Words that name a database in a path or a type, and which one.
const DATABASES: &[(&str, &str)] = &[
    ("postgres", "postgres"),
    ("psql", "postgres"),
    ("pg", "postgres"),
    ("sqlite", "sqlite"),
    ("libsql", "sqlite"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("mssql", "mssql"),
    ("mongo", "mongo"),
    ("mongodb", "mongo"),
    ("redis", "redis"),
];
/// Crates whose queries, rows and pools are types of one driver.
const DRIVERS: &[&str] = &[
    "sqlx",
    "sqlx_core",
    "diesel",
    "diesel_async",
    "rusqlite",
    "tokio_rusqlite",
    "tokio_postgres",
    "deadpool_postgres",
    "postgres",
    "mysql_async",
    "mysql",
    "tiberius",
    "libsql",
    "mongodb",
];

/// The same method of one trait for several types, as of drivers for several databases.
pub fn are_backends(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let method = |copy: &Stretch| {
        let (_, symbol) = method_of(map, bodies, *copy)?;
        Some((symbol.name, symbol.of_trait?))
    };
    let first = family.copies.first().and_then(method);
    first.is_some() && family.copies.iter().all(|copy| method(copy) == first)
}

/// Backends of which each talks to another database in the lines that are copied: rows, arguments and pools are types of its driver, and
/// one function for them all would need more bounds than it has lines.
pub fn are_of_other_drivers(map: &RepoMap, bodies: &[Body], family: &Family) -> bool {
    let mut databases: Vec<&str> = family.copies.iter().filter_map(|copy| database_of(map, bodies, *copy)).collect();
    databases.sort_unstable();
    databases.dedup();
    are_backends(map, bodies, family)
        && databases.len() == family.copies.len()
        && family.copies.iter().all(|copy| queries(map, bodies, *copy))
}

fn method_of<'m>(map: &'m RepoMap, bodies: &[Body], copy: Stretch) -> Option<(FileId, &'m Symbol)> {
    let body = &bodies[copy.sequence];
    Some((body.file, &map.file(body.file).facts.symbols[body.symbol? as usize]))
}

/// The database that the type's name or the path says, the nearest word first.
fn database_of(map: &RepoMap, bodies: &[Body], copy: Stretch) -> Option<&'static str> {
    let (file, symbol) = method_of(map, bodies, copy)?;
    let database = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).rev();
        words.find_map(|word| DATABASES.iter().find(|(name, _)| word == *name).map(|(_, database)| *database))
    };
    // `PostgresStore`: words of a type's name begin with a capital.
    let spaced = |name: &str| -> String {
        name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c])).collect()
    };
    symbol.member_of.and_then(|own| database(&spaced(&own))).or_else(|| database(&map.file(file).path))
}

fn queries(map: &RepoMap, bodies: &[Body], copy: Stretch) -> bool {
    let file = bodies[copy.sequence].file;
    let range = file_lines(bodies, copy);
    let calls = (0..).zip(&map.file(file).facts.calls).filter(|(_, call)| range.contains(call.line));
    calls.into_iter().any(|(index, _)| match map.target(CallId { file, index }) {
        CallTarget::External(external) => DRIVERS.contains(&external.package.replace('-', "_").as_str()),
        CallTarget::Symbols(_) | CallTarget::Unresolved => false,
    })
}
