//! better-sqlite3 and other synchronous SQLite bindings.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql};

pub static LIBRARY: Library = Library {
    name: "better-sqlite3",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("better-sqlite3", "12", "https://github.com/WiseLibs/better-sqlite3/blob/master/docs/api.md"),
        origin("node:sqlite", "22, 24", "https://nodejs.org/api/sqlite.html"),
        origin("bun:sqlite", "1", "https://bun.sh/docs/api/sqlite"),
    ],
    packages: &["better-sqlite3", "sqlite", "bun:sqlite"],
    apis: &[
        runs_sql("**.prepare|query.**.get|all|run|iterate|values").blocking(),
        runs_sql("**.Statement.get|all|run|iterate").blocking(),
        runs_sql("**.exec").blocking(),
    ],
    shapes: &[runs_sql("**.prepare.get|all|run|iterate").blocking()],
};
