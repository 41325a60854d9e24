//! Hono.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Redirect;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, shape};

pub static LIBRARY: Library = Library {
    sources: &[Source::Reads {
        pattern: "c|ctx|context.req.param|query|queries|json|text|header|formData|parseBody|url|path|arrayBuffer",
        trust: Client,
    }],
    sinks: &[shape(Redirect, Argument::At(0), "c.redirect")],
    ..Library::new("hono", Ecosystem::Npm, &[origin("hono", "4", "https://hono.dev/docs/api/request")], &["hono"])
};
