//! better-sqlite3 and other synchronous SQLite bindings.

use crate::effects::tables::{Ecosystem, Library, runs_sql};

pub static LIBRARY: Library = Library {
    name: "better-sqlite3",
    ecosystem: Ecosystem::Npm,
    source: "better-sqlite3 12, API of Database and Statement; node:sqlite and bun:sqlite share it",
    packages: &["better-sqlite3", "sqlite", "bun:sqlite"],
    apis: &[
        runs_sql("**.prepare|query.**.get|all|run|iterate|values").blocking(),
        runs_sql("**.Statement.get|all|run|iterate").blocking(),
        runs_sql("**.exec").blocking(),
    ],
    shapes: &[runs_sql("**.prepare.get|all|run|iterate").blocking()],
};
