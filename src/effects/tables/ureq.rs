//! ureq: HTTP on the calling thread.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "ureq",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("ureq", "2, 3", "https://docs.rs/ureq")],
    packages: &["ureq"],
    apis: &[does(Effect::Http, "**.call|send|send_string|send_json|send_bytes|send_form|send_empty").blocking()],
    shapes: &[],
};
