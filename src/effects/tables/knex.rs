//! Knex: a builder that runs when awaited.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "knex",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("knex", "3", "https://knexjs.org/guide/query-builder.html")],
    packages: &["knex", "objection"],
    apis: &[
        reads("**.first|pluck"),
        reads(
            "**.select|where|whereIn|andWhere|orWhere|join|leftJoin|innerJoin|orderBy|groupBy|limit|\
             offset|columns|distinct",
        )
        .at_end()
        .lazy(),
        writes("**.insert|update|del|delete|increment|decrement|truncate|upsert|batchInsert"),
        runs_sql("**.raw").lazy(),
    ],
    shapes: &[
        reads("**.knex|db|trx|tx|database.**.first|pluck"),
        reads("**.knex|trx.**.select|where|whereIn|andWhere|orderBy|groupBy|limit").at_end().lazy(),
        writes("**.knex|db|trx|database.**.insert|update|del|increment|decrement"),
        runs_sql("**.knex|db|trx.raw").lazy(),
        reads("**.tables.*.select|where|whereIn|andWhere|first|orderBy|limit").at_end().lazy(),
        writes("**.tables.*.**.insert|update|del|delete"),
    ],
};
