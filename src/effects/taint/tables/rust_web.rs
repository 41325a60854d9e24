//! Poem, tonic and warp: values of requests by the types of parameters.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Typed { name: "Path", trust: Client },
        Source::Typed { name: "Query", trust: Client },
        Source::Typed { name: "Form", trust: Client },
        Source::Typed { name: "Json", trust: Client },
    ],
    ..Library::new(
        "poem",
        Ecosystem::Cargo,
        &[origin("poem", "3", "https://docs.rs/poem/3"), origin("poem-openapi", "5", "https://docs.rs/poem-openapi/5")],
        &["poem", "poem-openapi", "salvo"],
    )
};
