//! Drizzle ORM: builders that run when awaited, and relational queries.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "drizzle",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("drizzle-orm", "0.44", "https://orm.drizzle.team/docs/select")],
    packages: &["drizzle-orm"],
    apis: &[
        reads("**.select|selectDistinct|selectDistinctOn.from").lazy(),
        reads("**.query.*.findFirst"),
        reads("**.query.*.findMany").batch(),
        reads("**.$count"),
        writes("**.insert.values"),
        writes("**.update.set"),
        writes("**.delete"),
        runs_sql("**.execute"),
    ],
    shapes: &[
        reads("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.select|selectDistinct|selectDistinctOn.from")
            .lazy(),
        reads("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.query.*.findFirst"),
        reads("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.query.*.findMany").batch(),
        writes("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.insert.values"),
        writes("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.update.set"),
        writes("**.db|tx|trx|database|drizzle|dbRead|dbWrite|*Db|*DB.delete"),
    ],
};
