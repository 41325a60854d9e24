//! Rust's standard library and tokio: files and processes.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::{Option, Path, Shell};
use crate::effects::taint::tables::{Argument, Cleaner, Library, shape, sink};

pub static LIBRARY: Library = Library {
    sinks: &[
        sink(
            Path,
            Argument::At(0),
            "fs.read|read_to_string|write|remove_file|remove_dir|remove_dir_all|read_dir|create_dir_all|copy|rename|File|metadata",
        ),
        sink(Path, Argument::At(0), "**.File.open|create"),
        sink(Path, Argument::At(0), "**.OpenOptions.**.open"),
        shape(Shell, Argument::ShellLine, "**.arg|args"),
        shape(Option, Argument::ChainWords, "**.arg|args"),
    ],
    cleaners: &[Cleaner { names: "filename|filestem", dangers: &[Path] }],
    ..Library::new(
        "std",
        Ecosystem::Cargo,
        &[
            origin("std", "1", "https://doc.rust-lang.org/std/process/struct.Command.html"),
            origin("tokio", "1", "https://docs.rs/tokio/1/tokio/fs/index.html"),
            origin("fs-err", "3", "https://docs.rs/fs-err/3"),
        ],
        &["std", "tokio", "fs_err", "fs-err", "async-std", "actix_files", "actix-files"],
    )
};
