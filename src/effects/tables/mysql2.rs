//! mysql2 and mysql.

use crate::effects::tables::{Ecosystem, Library, runs_sql};

pub static LIBRARY: Library = Library {
    name: "mysql2",
    ecosystem: Ecosystem::Npm,
    source: "mysql2 3.14, API of Connection and Pool",
    packages: &["mysql2", "mysql"],
    apis: &[runs_sql("**.query|execute")],
    shapes: &[runs_sql("**.pool|connection|conn|db|mysql.query|execute")],
};
