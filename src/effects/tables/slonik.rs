//! Slonik pools and connections.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql};

pub static LIBRARY: Library = Library {
    name: "slonik",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("slonik", "46, 48", "https://www.npmjs.com/package/slonik")],
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
