//! Mongoose models.

use crate::effects::tables::{Ecosystem, Library, origin, reads, writes};

pub static LIBRARY: Library = Library {
    name: "mongoose",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("mongoose", "8", "https://mongoosejs.com/docs/queries.html")],
    packages: &["mongoose", "@nestjs/mongoose"],
    apis: &[
        reads("**.findOne|findById|exists|countDocuments|estimatedDocumentCount|distinct"),
        reads("**.find|aggregate").batch(),
        writes(
            "**.create|save|updateOne|replaceOne|deleteOne|findOneAndUpdate|findByIdAndUpdate|\
             findOneAndDelete|findByIdAndDelete|findOneAndReplace",
        ),
        writes("**.insertMany|updateMany|deleteMany|bulkWrite|bulkSave").batch(),
    ],
    shapes: &[
        reads("**.@|*Model.findOne|findById|exists|countDocuments|estimatedDocumentCount|distinct"),
        reads("**.@|*Model.find").batch(),
        writes(
            "**.@|*Model.create|updateOne|replaceOne|deleteOne|findOneAndUpdate|findByIdAndUpdate|\
             findOneAndDelete|findByIdAndDelete",
        ),
        writes("**.@|*Model.insertMany|updateMany|deleteMany|bulkWrite").batch(),
    ],
};
