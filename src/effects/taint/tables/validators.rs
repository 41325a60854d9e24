//! Validated parts of a request: what a schema let through is still what a client wrote.

use crate::effects::tables::Ecosystem;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Library, Source};

pub static LIBRARY: Library = Library {
    sources: &[Source::Reads { pattern: "c|ctx|context.req.valid", trust: Client }],
    ..Library::new("hono validators", Ecosystem::Npm, "@hono/zod-validator 0.7", &["hono"])
};
