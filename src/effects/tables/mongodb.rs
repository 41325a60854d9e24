//! The MongoDB driver for Node.js.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "mongodb",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("mongodb", "6", "https://mongodb.github.io/node-mongodb-native/")],
    packages: &["mongodb"],
    apis: &[
        reads("**.findOne|countDocuments|estimatedDocumentCount|distinct"),
        reads("**.find|aggregate").batch().sync(),
        writes("**.insertOne|updateOne|replaceOne|deleteOne|findOneAndUpdate|findOneAndDelete|findOneAndReplace"),
        writes("**.insertMany|updateMany|deleteMany|bulkWrite").batch(),
    ],
    shapes: &[
        reads("**.collection.findOne|countDocuments|distinct"),
        reads("**.collection.find").batch().sync(),
        writes("**.collection.insertOne|updateOne|replaceOne|deleteOne|findOneAndUpdate|findOneAndDelete"),
        writes("**.collection.insertMany|updateMany|deleteMany|bulkWrite").batch(),
        reads("**.db|*Collection|collection.*.findOne|countDocuments"),
        writes("**.db.*.insertOne|updateOne|replaceOne|deleteOne|findOneAndUpdate|findOneAndDelete"),
    ],
};
