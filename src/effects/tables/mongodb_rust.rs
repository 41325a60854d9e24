//! The MongoDB driver for Rust.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "mongodb (Rust)",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("mongodb", "3", "https://docs.rs/mongodb")],
    packages: &["mongodb"],
    apis: &[
        reads("**.find_one|count_documents|estimated_document_count|distinct"),
        reads("**.find|aggregate").batch(),
        writes("**.insert_one|update_one|replace_one|delete_one|find_one_and_update|find_one_and_delete"),
        writes("**.insert_many|update_many|delete_many|bulk_write").batch(),
    ],
    shapes: &[
        reads("**.find_one|count_documents"),
        writes("**.insert_one|update_one|replace_one|delete_one|find_one_and_update|find_one_and_delete"),
    ],
};
