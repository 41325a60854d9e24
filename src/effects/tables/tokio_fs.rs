//! Files and processes of tokio and async-std.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "tokio",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("tokio", "1", "https://docs.rs/tokio/1/tokio/fs/index.html")],
    packages: &["tokio", "async-std", "async_std", "async-fs"],
    apis: &[
        does(
            Effect::Fs,
            "fs.read|read_to_string|write|copy|create_dir|create_dir_all|remove_file|remove_dir|\
             remove_dir_all|rename|read_dir|metadata|symlink_metadata|canonicalize|hard_link|read_link|\
             set_permissions|try_exists",
        ),
        does(Effect::Fs, "fs.File.open|create"),
        does(Effect::Fs, "fs.OpenOptions.**.open"),
        does(Effect::Process, "process.**.Command.**.output|status"),
        does(Effect::Process, "process.**.Command.**.spawn").sync(),
    ],
    shapes: &[],
};
