//! Compression and archives of Rust: computing for as long as the data are large.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "compression",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("zip", "4", "https://docs.rs/zip"),
        origin("tar", "0.4", "https://docs.rs/tar/0.4"),
        origin("flate2", "1", "https://docs.rs/flate2/1"),
        origin("zstd", "0.13", "https://docs.rs/zstd/0.13"),
        origin("bzip2", "0.6", "https://docs.rs/bzip2"),
        origin("brotli", "8", "https://docs.rs/brotli"),
        origin("lz4_flex", "0.11", "https://docs.rs/lz4_flex/0.11"),
        origin("snap", "1", "https://docs.rs/snap/1"),
    ],
    packages: &["zip", "tar", "flate2", "zstd", "bzip2", "brotli", "lz4_flex", "xz2"],
    apis: &[
        // Opening an archive or an entry of it computes nothing yet.
        does(Effect::Blocking, "**.ZipArchive.extract").blocking(),
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
