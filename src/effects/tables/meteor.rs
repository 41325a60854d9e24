//! Meteor collections: the asynchronous API of version 3.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "meteor",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("meteor", "3", "https://docs.meteor.com/api/collections.html")],
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
