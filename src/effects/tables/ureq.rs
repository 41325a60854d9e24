//! ureq: HTTP on the calling thread.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "ureq",
    ecosystem: Ecosystem::Cargo,
    source: "ureq 2 and 3, documentation of Request and RequestBuilder",
    packages: &["ureq"],
    apis: &[does(Effect::Http, "**.call|send|send_string|send_json|send_bytes|send_form|send_empty").blocking()],
    shapes: &[],
};
