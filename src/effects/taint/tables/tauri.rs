//! Tauri: the window calls commands with what a page gave it.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Stored;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Attributed { attribute: "tauri::command", named: false, trust: Stored }],
    ..Library::new(
        "tauri",
        Ecosystem::Cargo,
        &[origin("tauri", "2", "https://v2.tauri.app/develop/calling-rust/")],
        &["tauri"],
    )
};
