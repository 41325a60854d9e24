//! node-postgres.

use crate::effects::tables::{Ecosystem, Library, runs_sql};

pub static LIBRARY: Library = Library {
    name: "pg",
    ecosystem: Ecosystem::Npm,
    source: "pg 8.16, API of Client and Pool",
    packages: &["pg", "pg-promise", "@neondatabase/serverless", "@vercel/postgres"],
    apis: &[runs_sql("**.query"), runs_sql("**.one|oneOrNone|many|manyOrNone|any|none|result"), runs_sql("**.sql")],
    shapes: &[runs_sql("**.pool|client|pg|pgClient|pgPool|conn|connection|db.query")],
};
