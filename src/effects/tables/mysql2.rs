//! mysql2 and mysql.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql};

pub static LIBRARY: Library = Library {
    name: "mysql2",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("mysql2", "3", "https://www.npmjs.com/package/mysql2")],
    packages: &["mysql2", "mysql"],
    apis: &[runs_sql("**.query|execute")],
    shapes: &[runs_sql("**.pool|connection|conn|db|mysql.query|execute")],
};
