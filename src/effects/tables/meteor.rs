//! Meteor collections: the asynchronous API of version 3.

use crate::effects::tables::{Ecosystem, Library, reads, writes};

pub static LIBRARY: Library = Library {
    name: "meteor",
    ecosystem: Ecosystem::Npm,
    source: "Meteor 3, API of Mongo.Collection",
    packages: &["meteor", "meteor-node-stubs"],
    apis: &[
        reads("**.findOneAsync|countAsync|fetchAsync|mapAsync|countDocuments|estimatedDocumentCount"),
        writes("**.insertAsync|updateAsync|removeAsync|upsertAsync"),
    ],
    shapes: &[
        reads("**.@|users|*Collection.findOneAsync|countDocuments"),
        reads("**.@|users|*Collection.find.countAsync|fetchAsync"),
        writes("**.@|users|*Collection.insertAsync|updateAsync|removeAsync|upsertAsync"),
    ],
};
