//! Kysely: nothing runs before `execute`.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "kysely",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("kysely", "0.28", "https://kysely.dev/docs/getting-started")],
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
