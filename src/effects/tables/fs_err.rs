//! fs-err: the functions of `std::fs` with better errors.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "fs-err",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("fs-err", "2, 3", "https://docs.rs/fs-err")],
    packages: &["fs_err", "fs-err"],
    apis: &[
        does(
            Effect::Fs,
            "read|read_to_string|write|copy|create_dir|create_dir_all|remove_file|remove_dir|\
             remove_dir_all|rename|read_dir|metadata|symlink_metadata|canonicalize|hard_link|read_link|\
             set_permissions",
        )
        .blocking(),
        does(Effect::Fs, "File.open|create").blocking(),
        does(Effect::Fs, "OpenOptions.**.open").blocking(),
    ],
    shapes: &[],
};
