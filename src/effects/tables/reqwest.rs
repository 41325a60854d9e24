//! HTTP and RPC clients of Rust: reqwest, hyper, tonic.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "reqwest",
    ecosystem: Ecosystem::Cargo,
    source: "reqwest 0.12, hyper 1, tonic 0.13",
    packages: &["reqwest", "hyper", "hyper-util", "hyper_util", "tonic", "isahc", "surf", "awc"],
    apis: &[
        does(Effect::Http, "blocking.**.send").blocking(),
        does(Effect::Http, "blocking.get").blocking(),
        does(Effect::Http, "**.send|execute"),
        does(Effect::Http, "get"),
        does(Effect::Http, "**.Client.request"),
    ],
    shapes: &[does(Effect::Http, "**.client|http_client|http.get|post|put|patch|delete|head|request.**.send")],
};
