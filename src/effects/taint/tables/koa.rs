//! Koa.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Redirect;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, shape};

pub static LIBRARY: Library = Library {
    sources: &[Source::Reads { pattern: "ctx|context.params|query|querystring", trust: Client }],
    sinks: &[shape(Redirect, Argument::At(0), "ctx|context.redirect")],
    ..Library::new(
        "koa",
        Ecosystem::Npm,
        &[
            origin("koa", "3", "https://koajs.com/"),
            origin("@koa/router", "14", "https://www.npmjs.com/package/@koa/router"),
        ],
        &["koa", "@koa/router", "koa-router"],
    )
};
