//! Validated parts of a request: what a schema let through is still what a client wrote.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Reads { pattern: "c|ctx|context.req.valid", trust: Client }],
    ..Library::new(
        "hono validators",
        Ecosystem::Npm,
        &[origin("@hono/zod-validator", "0.7", "https://www.npmjs.com/package/@hono/zod-validator")],
        &["hono"],
    )
};
