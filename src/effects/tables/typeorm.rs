//! TypeORM repositories, entity managers and query builders.

use crate::effects::tables::{Ecosystem, Library, origin, reads, runs_sql, writes};

pub static LIBRARY: Library = Library {
    name: "typeorm",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("typeorm", "0.3", "https://typeorm.io/")],
    packages: &["typeorm", "@nestjs/typeorm"],
    apis: &[
        reads(
            "**.findOne|findOneOrFail|findOneBy|findOneByOrFail|findAndCount|findAndCountBy|count|\
             countBy|exists|existsBy",
        ),
        reads("**.find|findBy").batch(),
        reads("**.getOne|getOneOrFail|getMany|getManyAndCount|getRawOne|getRawMany|getCount|getExists"),
        writes("**.save|insert|update|upsert|delete|remove|softDelete|softRemove|restore|increment|decrement"),
        writes("**.insert|update|delete.**.execute"),
        runs_sql("**.query"),
    ],
    shapes: &[
        reads(
            "**.*Repository|*Repo|repository|repo|manager|entityManager.findOne|findOneOrFail|\
             findOneBy|findOneByOrFail|findAndCount|findAndCountBy|count|countBy|exists|existsBy",
        ),
        reads("**.*Repository|*Repo|repository|repo|manager|entityManager.find|findBy").batch(),
        reads("**.createQueryBuilder.**.getOne|getOneOrFail|getMany|getManyAndCount|getRawOne|getRawMany|getCount"),
        writes(
            "**.*Repository|*Repo|repository|repo|manager|entityManager.save|insert|update|upsert|\
             delete|remove|softDelete|softRemove",
        ),
        runs_sql("**.dataSource|queryRunner|manager|entityManager.query"),
    ],
};
