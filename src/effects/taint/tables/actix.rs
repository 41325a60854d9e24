//! actix-web.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Reads { pattern: "**.req|request.match_info|query_string|uri|headers|cookie|path", trust: Client },
        Source::Typed { name: "Path", trust: Client },
        Source::Typed { name: "Query", trust: Client },
        Source::Typed { name: "Json", trust: Client },
        Source::Typed { name: "Form", trust: Client },
    ],
    ..Library::new(
        "actix-web",
        Ecosystem::Cargo,
        &[origin("actix-web", "4", "https://docs.rs/actix-web/4")],
        &["actix-web"],
    )
};
