//! Poem, tonic and warp: values of requests by the types of parameters.

use crate::effects::tables::Ecosystem;
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
        "poem 3 and poem-openapi 5, extractors",
        &["poem", "poem-openapi", "salvo"],
    )
};
