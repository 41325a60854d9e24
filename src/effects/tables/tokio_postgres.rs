//! tokio-postgres, postgres and deadpool-postgres.

use crate::effects::tables::{Ecosystem, Library, origin, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "tokio-postgres",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("tokio-postgres", "0.7", "https://docs.rs/tokio-postgres/0.7"),
        origin("postgres", "0.19", "https://docs.rs/postgres/0.19"),
    ],
    packages: &[
        "tokio-postgres",
        "tokio_postgres",
        "postgres",
        "deadpool-postgres",
        "deadpool_postgres",
        "bb8-postgres",
    ],
    apis: &[
        runs_sql("**.query|query_one|query_opt|query_raw|execute|simple_query|query_typed"),
        writes("**.batch_execute|copy_in"),
    ],
    shapes: &[
        runs_sql("**.client|conn|transaction|tx|db_client|pg_client.query|query_one|query_opt|query_raw"),
        runs_sql("**.client|conn|transaction|tx|pg_client.execute"),
    ],
};
