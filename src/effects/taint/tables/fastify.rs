//! Fastify. Its request is read like that of Express.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Path;
use crate::effects::taint::tables::{Argument, Library, shape};

pub static LIBRARY: Library = Library {
    sinks: &[shape(Path, Argument::At(0), "**.reply.sendFile|download")],
    ..Library::new(
        "fastify",
        Ecosystem::Npm,
        &[
            origin("fastify", "5", "https://fastify.dev/docs/latest/Reference/Request/"),
            origin("@fastify/static", "8", "https://www.npmjs.com/package/@fastify/static"),
        ],
        &["fastify", "@fastify/static"],
    )
};
