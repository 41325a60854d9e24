//! Calls of database libraries that take a statement or a piece of one as text. That a call runs SQL at all is what the
//! effect tables say; these are the ones that say so by their names, and the escaping functions.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Sql;
use crate::effects::taint::tables::{Argument, Cleaner, Library, fragment, shape};

pub static NPM: Library = Library {
    sinks: &[
        shape(Sql, Argument::At(0), "**.$queryRawUnsafe|$executeRawUnsafe"),
        shape(
            Sql,
            Argument::At(0),
            "**.whereRaw|orWhereRaw|andWhereRaw|orderByRaw|havingRaw|joinRaw|groupByRaw|fromRaw",
        ),
        shape(Sql, Argument::At(0), "**.Prisma|sql|knex|sequelize|Sequelize.raw|literal"),
    ],
    cleaners: &[Cleaner {
        names: "escape|escapeid|escapeliteral|escapeidentifier|quote|quoteident|quoteidentifier|quoteliteral|ident|identifier|literal",
        dangers: &[Sql],
    }],
    ..Library::new(
        "database",
        Ecosystem::Npm,
        &[
            origin("@prisma/client", "6", "https://www.prisma.io/docs/orm/prisma-client/using-raw-sql/raw-queries"),
            origin("knex", "3", "https://knexjs.org/guide/raw.html"),
            origin("sequelize", "6", "https://sequelize.org/docs/v6/core-concepts/raw-queries/"),
            origin("drizzle-orm", "0.44", "https://orm.drizzle.team/docs/sql"),
            origin("slonik", "48", "https://www.npmjs.com/package/slonik"),
        ],
        &["@prisma/client", "knex", "sequelize", "drizzle-orm", "slonik", "objection", "typeorm", "kysely"],
    )
};

/// Conditions of a query builder are text with `:name` for values; TypeORM escapes nothing else in them.
pub static TYPEORM: Library = Library {
    sinks: &[
        fragment(Sql, Argument::Text(0), "**.createQueryBuilder.**.where|andWhere|orWhere|having|andHaving|orHaving"),
        fragment(Sql, Argument::At(0), "**.createQueryBuilder.**.orderBy|addOrderBy|groupBy|addGroupBy"),
        fragment(
            Sql,
            Argument::Text(0),
            "qb|queryBuilder|*Qb|*QB|*QueryBuilder.**.where|andWhere|orWhere|having|andHaving|orHaving|orderBy|addOrderBy",
        ),
    ],
    ..Library::new(
        "typeorm",
        Ecosystem::Npm,
        &[origin("typeorm", "0.3", "https://typeorm.io/docs/query-builder/select-query-builder/")],
        &["typeorm", "@nestjs/typeorm"],
    )
};

pub static CARGO: Library = Library {
    sinks: &[
        shape(Sql, Argument::At(0), "**.sql_query"),
        shape(Sql, Argument::At(0), "sqlx.query|query_as|query_scalar|query_with|query_as_with|raw_sql"),
        shape(Sql, Argument::At(0), "**.QueryBuilder.new"),
    ],
    cleaners: &[Cleaner {
        names: "quoteidentifier|quoteliteral|quoteident|escapeliteral|escapeidentifier",
        dangers: &[Sql],
    }],
    ..Library::new(
        "database-rust",
        Ecosystem::Cargo,
        &[
            origin("diesel", "2", "https://docs.rs/diesel/2/diesel/fn.sql_query.html"),
            origin("sqlx", "0.8", "https://docs.rs/sqlx/0.8/sqlx/fn.query.html"),
        ],
        &["diesel", "diesel-async", "sqlx"],
    )
};
