//! postgres.js: a tagged template.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql};

pub static LIBRARY: Library = Library {
    name: "postgres.js",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("postgres", "3", "https://www.npmjs.com/package/postgres")],
    packages: &["postgres", "@vercel/postgres"],
    apis: &[runs_sql("default"), runs_sql("postgres"), runs_sql("**.unsafe")],
    shapes: &[runs_sql("sql.unsafe")],
};
