//! SeaORM entities, selects and active models.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "sea-orm",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("sea-orm", "1", "https://docs.rs/sea-orm")],
    packages: &["sea-orm", "sea_orm"],
    apis: &[
        reads("**.one|count").with(&["conn", "pool", "db", "tx", "txn", "connection"]),
        reads("**.all").with(&["conn", "pool", "db", "tx", "txn", "connection"]).batch(),
        writes("**.insert|update|save|delete|exec|exec_with_returning").with(&[
            "conn",
            "pool",
            "db",
            "tx",
            "txn",
            "connection",
        ]),
    ],
    shapes: &[
        reads("**.find|find_by_id|find_related|find_with_related|select_only.**.one|count").with(&[
            "conn",
            "pool",
            "db",
            "tx",
            "txn",
            "connection",
        ]),
        reads("**.find|find_by_id|find_related|find_with_related|select_only.**.all")
            .with(&["conn", "pool", "db", "tx", "txn", "connection"])
            .batch(),
        writes(
            "**.insert|insert_many|update|update_many|delete|delete_many|delete_by_id.**.exec|\
             exec_with_returning",
        )
        .with(&["conn", "pool", "db", "tx", "txn", "connection"]),
    ],
};
