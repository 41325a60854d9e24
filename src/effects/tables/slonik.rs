//! Slonik pools and connections.

use crate::effects::tables::{Ecosystem, Library, reads, runs_sql};

pub static LIBRARY: Library = Library {
    name: "slonik",
    ecosystem: Ecosystem::Npm,
    source: "slonik 46, README",
    packages: &["slonik"],
    apis: &[
        reads("**.one|oneFirst|maybeOne|maybeOneFirst|many|manyFirst|any|anyFirst|exists|stream"),
        runs_sql("**.query"),
    ],
    shapes: &[
        reads(
            "**.pool|connection|tx|trx|client|db|*Pool.one|oneFirst|maybeOne|maybeOneFirst|many|\
             manyFirst|any|anyFirst|exists",
        ),
        runs_sql("**.pool|connection|*Pool.query"),
    ],
};
