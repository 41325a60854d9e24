//! node-postgres.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql};

pub static LIBRARY: Library = Library {
    name: "pg",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("pg", "8", "https://node-postgres.com/")],
    packages: &["pg", "pg-promise", "@neondatabase/serverless", "@vercel/postgres"],
    apis: &[runs_sql("**.query"), runs_sql("**.one|oneOrNone|many|manyOrNone|any|none|result"), runs_sql("**.sql")],
    shapes: &[runs_sql("**.pool|client|pg|pgClient|pgPool|conn|connection|db.query")],
};
