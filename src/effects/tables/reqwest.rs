//! HTTP and RPC clients of Rust: reqwest, hyper, tonic.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "reqwest",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("reqwest", "0.12", "https://docs.rs/reqwest"),
        origin("hyper", "1", "https://docs.rs/hyper"),
        origin("tonic", "0.13", "https://docs.rs/tonic"),
    ],
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
