//! Fastify. Its request is read like that of Express.

use crate::effects::tables::Ecosystem;
use crate::effects::taint::Danger::Path;
use crate::effects::taint::tables::{Argument, Library, shape};

pub static LIBRARY: Library = Library {
    sinks: &[shape(Path, Argument::At(0), "**.reply.sendFile|download")],
    ..Library::new("fastify", Ecosystem::Npm, "Fastify 5 and @fastify/static 8", &["fastify", "@fastify/static"])
};
