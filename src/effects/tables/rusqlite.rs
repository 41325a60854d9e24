//! rusqlite: SQLite on the calling thread.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "rusqlite",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("rusqlite", "0.37", "https://docs.rs/rusqlite")],
    packages: &["rusqlite"],
    apis: &[
        runs_sql("**.query_row|query_row_and_then|query_map|query_and_then|query_one|query|exists|execute").blocking(),
        writes("**.execute_batch").blocking(),
        does(
            Effect::Blocking,
            "Connection.open|open_in_memory|open_with_flags|open_with_flags_and_vfs|pragma_update|pragma_query",
        )
        .blocking(),
    ],
    shapes: &[
        // `OpenFlags` and the sets of results have an `insert` of their own.
        runs_sql("**.stmt|statement.insert").blocking(),
        runs_sql("**.query_row|query_map|query_and_then").blocking(),
        runs_sql("**.conn|connection|stmt|tx|db|sqlite.execute").blocking(),
    ],
};
