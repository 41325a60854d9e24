//! Sequelize models.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "sequelize",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("sequelize", "6", "https://sequelize.org/docs/v6/")],
    packages: &["sequelize", "sequelize-typescript", "@sequelize/core"],
    apis: &[
        reads("**.findOne|findByPk|findOrBuild|aggregate|sum|max|min|count"),
        reads("**.findAll|findAndCountAll").batch(),
        writes("**.create|findOrCreate|findCreateFind|upsert|update|destroy|increment|decrement|restore|save"),
        writes("**.bulkCreate").batch(),
        reads("**.reload|$get|$count"),
        runs_sql("**.query"),
    ],
    shapes: &[
        reads("**.@.findOne|findByPk|findOrBuild|aggregate|sum|max|min"),
        reads("**.@.findAll|findAndCountAll").batch(),
        reads("**.@.**.findByPk|findOne"),
        writes("**.@.findOrCreate|upsert|destroy|create"),
        writes("**.@.bulkCreate").batch(),
        reads("**.$get|$count"),
        runs_sql("**.sequelize.query"),
    ],
};
