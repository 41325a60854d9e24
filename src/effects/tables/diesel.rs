//! Diesel and diesel-async: builders that run on a connection.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql, writes};

/// Names of what a query runs on.
const CONNECTIONS: &[&str] = &["conn", "pool", "db", "tx", "connection"];

pub static LIBRARY: Library = Library {
    name: "diesel",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("diesel", "2", "https://docs.rs/diesel/2/diesel/prelude/trait.RunQueryDsl.html"),
        origin("diesel-async", "0.5", "https://docs.rs/diesel-async"),
    ],
    packages: &["diesel", "diesel-async", "diesel_async"],
    apis: &[
        writes(
            "**.insert_into|update|delete|replace_into|insert_or_ignore_into.**.execute|get_result|\
             get_results",
        )
        .with(CONNECTIONS),
        reads("**.load|get_result|get_results|load_iter|load_stream|first").with(CONNECTIONS),
        runs_sql("**.execute").with(CONNECTIONS),
    ],
    shapes: &[
        writes("**.insert_into|update|delete|replace_into.**.execute|get_result|get_results|load").with(CONNECTIONS),
        reads(
            "**.filter|find|select|table|order|order_by|inner_join|left_join|limit|group_by|count|\
             into_boxed|distinct.**.load|get_result|get_results|first",
        )
        .with(CONNECTIONS),
        runs_sql("**.sql_query.**.load|get_result|get_results|execute").with(CONNECTIONS),
        writes("**.insert_into|update|delete.**.execute").with(CONNECTIONS),
    ],
};
