//! Kysely: nothing runs before `execute`.

use crate::effects::tables::{Ecosystem, Library, reads, writes};

pub static LIBRARY: Library = Library {
    name: "kysely",
    ecosystem: Ecosystem::Npm,
    source: "kysely 0.28, documentation of the query builders",
    packages: &["kysely"],
    apis: &[
        reads("**.selectFrom.**.execute|executeTakeFirst|executeTakeFirstOrThrow|stream"),
        writes(
            "**.insertInto|updateTable|deleteFrom|replaceInto|mergeInto.**.execute|executeTakeFirst|\
             executeTakeFirstOrThrow",
        ),
    ],
    shapes: &[
        reads("**.selectFrom.**.execute|executeTakeFirst|executeTakeFirstOrThrow|stream"),
        writes(
            "**.insertInto|updateTable|deleteFrom|replaceInto|mergeInto.**.execute|executeTakeFirst|\
             executeTakeFirstOrThrow",
        ),
    ],
};
