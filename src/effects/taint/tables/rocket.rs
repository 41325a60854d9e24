//! Rocket: parameters named in the route.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, shape};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Attributed { attribute: "get(", named: true, trust: Client },
        Source::Attributed { attribute: "post(", named: true, trust: Client },
        Source::Attributed { attribute: "put(", named: true, trust: Client },
        Source::Attributed { attribute: "patch(", named: true, trust: Client },
        Source::Attributed { attribute: "delete(", named: true, trust: Client },
        Source::Attributed { attribute: "head(", named: true, trust: Client },
        Source::Typed { name: "Form", trust: Client },
        Source::Typed { name: "Json", trust: Client },
    ],
    sinks: &[shape(Danger::Path, Argument::At(0), "**.NamedFile.open")],
    ..Library::new("rocket", Ecosystem::Cargo, &[origin("rocket", "0.5", "https://docs.rs/rocket/0.5")], &["rocket"])
};
