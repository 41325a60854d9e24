//! rusqlite: SQLite on the calling thread.

use crate::effects::tables::{Ecosystem, Library, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "rusqlite",
    ecosystem: Ecosystem::Cargo,
    source: "rusqlite 0.37, documentation of Connection and Statement",
    packages: &["rusqlite"],
    apis: &[
        runs_sql(
            "**.query_row|query_row_and_then|query_map|query_and_then|query_one|query|exists|execute|\
             insert",
        )
        .blocking(),
        writes("**.execute_batch").blocking(),
    ],
    shapes: &[
        runs_sql("**.query_row|query_map|query_and_then").blocking(),
        runs_sql("**.conn|connection|stmt|tx|db|sqlite.execute").blocking(),
    ],
};
