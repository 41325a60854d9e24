//! Compression and archives of Rust: computing for as long as the data are large.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "compression",
    ecosystem: Ecosystem::Cargo,
    source: "zip 4, tar 0.4, flate2 1.1, zstd 0.13, bzip2 0.6, brotli 8, lz4_flex 0.11, snap 1",
    packages: &["zip", "tar", "flate2", "zstd", "bzip2", "brotli", "lz4_flex", "xz2"],
    apis: &[
        does(Effect::Blocking, "**.ZipWriter.start_file|finish|add_directory").blocking(),
        does(Effect::Blocking, "**.ZipArchive.new|extract|by_name|by_index").blocking(),
        does(Effect::Blocking, "**.Archive.unpack|unpack_in|entries").blocking(),
        does(Effect::Blocking, "**.Builder.append_dir_all|append_file|append_path|append_data|into_inner|finish")
            .blocking(),
        does(Effect::Blocking, "**.GzEncoder|DeflateEncoder|ZlibEncoder|BzEncoder|Encoder.finish").blocking(),
        does(
            Effect::Blocking,
            "**.encode_all|decode_all|copy_encode|copy_decode|compress_prepend_size|decompress_size_prepended",
        )
        .blocking(),
    ],
    shapes: &[],
};
