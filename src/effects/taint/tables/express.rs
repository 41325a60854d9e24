//! Express, and what imitates its request and response, such as Fastify (whose `reply.sendFile` takes names below a root and
//! refuses what leaves it).

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::{Path, Redirect};
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, shape};

pub static LIBRARY: Library = Library {
    sources: &[Source::Reads {
        pattern: "**.req|request|_req.params|query|body|headers|cookies|url|originalUrl|rawBody|hostname|rawHeaders|path",
        trust: Client,
    }],
    sinks: &[
        shape(Path, Argument::Without(0, "root"), "**.res|response.sendFile|sendfile|download"),
        shape(Redirect, Argument::Last, "**.res|response|reply.redirect"),
        shape(Redirect, Argument::At(0), "**.res|response|reply.location"),
    ],
    ..Library::new(
        "express",
        Ecosystem::Npm,
        &[
            origin("express", "5", "https://expressjs.com/en/5x/api.html"),
            origin("fastify", "5", "https://fastify.dev/docs/latest/Reference/Request/"),
            origin("Node.js http", "22", "https://nodejs.org/api/http.html"),
        ],
        &[],
    )
};
