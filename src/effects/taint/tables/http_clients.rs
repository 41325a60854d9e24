//! HTTP clients: the address they are given.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Url;
use crate::effects::taint::tables::{Argument, Library, shape, sink};

pub static NPM: Library = Library {
    sinks: &[
        sink(Url, Argument::At(0), "fetch"),
        sink(Url, Argument::At(0), "default.get|post|put|patch|delete|head|stream"),
        sink(Url, Argument::At(0), "axios|default|got|ky|fetch.get|post|put|patch|delete|head|options|stream"),
        sink(Url, Argument::Key("url"), "default|axios|got|ky|ofetch|$fetch|needle|superagent"),
        sink(Url, Argument::Key("url"), "axios|default.request"),
        sink(Url, Argument::At(0), "get|request"),
        sink(Url, Argument::At(0), "default.request"),
    ],
    ..Library::new(
        "http clients",
        Ecosystem::Npm,
        &[
            origin("fetch", "living standard", "https://fetch.spec.whatwg.org/"),
            origin("axios", "1", "https://axios-http.com/docs/intro"),
            origin("got", "14", "https://www.npmjs.com/package/got"),
            origin("ky", "1", "https://www.npmjs.com/package/ky"),
            origin("undici", "7", "https://undici.nodejs.org/"),
            origin("node-fetch", "3", "https://www.npmjs.com/package/node-fetch"),
            origin("cross-fetch", "4", "https://www.npmjs.com/package/cross-fetch"),
            origin("ofetch", "1", "https://www.npmjs.com/package/ofetch"),
            origin("superagent", "10", "https://www.npmjs.com/package/superagent"),
            origin("Node.js http", "22", "https://nodejs.org/api/http.html"),
        ],
        &[
            "global",
            "axios",
            "got",
            "ky",
            "undici",
            "node-fetch",
            "cross-fetch",
            "isomorphic-fetch",
            "ofetch",
            "needle",
            "superagent",
            "http",
            "https",
            "cross-fetch-ponyfill",
        ],
    )
};

pub static CARGO: Library = Library {
    sinks: &[
        sink(Url, Argument::At(0), "get"),
        sink(Url, Argument::At(0), "blocking.get"),
        sink(Url, Argument::At(0), "**.Client|ClientWithMiddleware.get|post|put|patch|delete|head"),
        sink(Url, Argument::At(1), "**.Client|ClientWithMiddleware.request"),
        shape(Url, Argument::At(0), "**.client|http_client|reqwest_client|http.get|post|put|patch|delete|head"),
    ],
    ..Library::new(
        "reqwest",
        Ecosystem::Cargo,
        &[origin("reqwest", "0.12", "https://docs.rs/reqwest/0.12")],
        &["reqwest", "reqwest_middleware", "reqwest-middleware"],
    )
};
