//! postgres.js: a tagged template.

use crate::effects::tables::{Ecosystem, Library, runs_sql};

pub static LIBRARY: Library = Library {
    name: "postgres.js",
    ecosystem: Ecosystem::Npm,
    source: "postgres 3.4, README",
    packages: &["postgres", "@vercel/postgres"],
    apis: &[runs_sql("default"), runs_sql("postgres"), runs_sql("**.unsafe")],
    shapes: &[runs_sql("sql.unsafe")],
};
