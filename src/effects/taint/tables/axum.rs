//! axum.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, sink};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Typed { name: "Path", trust: Client },
        Source::Typed { name: "Query", trust: Client },
        Source::Typed { name: "Json", trust: Client },
        Source::Typed { name: "Form", trust: Client },
        Source::Typed { name: "TypedMultipart", trust: Client },
        Source::Typed { name: "RawQuery", trust: Client },
    ],
    sinks: &[sink(Danger::Redirect, Argument::At(0), "**.Redirect.to|temporary|permanent")],
    ..Library::new(
        "axum",
        Ecosystem::Cargo,
        &[origin("axum", "0.8", "https://docs.rs/axum/0.8/axum/extract/index.html")],
        &["axum", "axum-extra"],
    )
};
