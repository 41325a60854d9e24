//! sqlx: queries run by fetch and execute.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "sqlx",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("sqlx", "0.8", "https://docs.rs/sqlx")],
    packages: &["sqlx", "sqlx-core", "sqlx_core"],
    apis: &[
        runs_sql("**.fetch_one|fetch_optional|fetch_all"),
        runs_sql("**.fetch|fetch_many").sync(),
        runs_sql(
            "**.query|query_as|query_scalar|query_with|query_as_with|query_scalar_with|query_file|\
             query_file_as|query_unchecked|query_as_unchecked|Query|QueryAs|QueryScalar|Map|\
             QueryBuilder.**.execute",
        ),
        runs_sql("**.execute"),
        writes("**.execute_many"),
    ],
    shapes: &[
        runs_sql("**.fetch_one|fetch_optional|fetch_all")
            .with(&["pool", "conn", "tx", "trans", "db", "exec", "self", "pg", "sqlite"]),
        runs_sql(
            "**.query|query_as|query_scalar|query_with|query_as_with|query_scalar_with|query_file|\
             query_file_as|query_unchecked|query_as_unchecked.**.execute",
        ),
    ],
};
