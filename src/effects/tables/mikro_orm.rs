//! MikroORM entity managers and repositories.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "mikro-orm",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("@mikro-orm/core", "6", "https://mikro-orm.io/docs/entity-manager")],
    packages: &["@mikro-orm/*", "mikro-orm"],
    apis: &[
        reads("**.findOne|findOneOrFail|count|findAndCount|refresh|populate|loadItems"),
        reads("**.find|findAll|findByCursor").batch(),
        writes("**.flush|persistAndFlush|removeAndFlush|insert|nativeInsert|nativeUpdate|nativeDelete|upsert"),
        writes("**.insertMany|upsertMany").batch(),
    ],
    shapes: &[
        reads("**.em|orm|entityManager|*Repository.findOne|findOneOrFail|count|findAndCount"),
        reads("**.em|entityManager|*Repository.find|findAll").batch(),
        writes(
            "**.em|entityManager.flush|persistAndFlush|removeAndFlush|nativeInsert|nativeUpdate|\
             nativeDelete|upsert",
        ),
    ],
};
