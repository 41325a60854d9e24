//! What ends the thread of a Rust program: the standard library's own panics.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "panics",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("std", "1", "https://doc.rust-lang.org/std/macro.panic.html"),
        origin("std Option and Result", "1", "https://doc.rust-lang.org/std/option/enum.Option.html#method.unwrap"),
    ],
    packages: &["std", "core"],
    apis: &[
        does(Effect::Panics, "**.unwrap|expect|unwrap_err|expect_err").sync(),
        does(Effect::Panics, "**.panic|unreachable|todo|unimplemented|assert|assert_eq|assert_ne").sync(),
    ],
    shapes: &[
        does(Effect::Panics, "**.unwrap|expect|unwrap_err|expect_err").sync(),
        does(Effect::Panics, "panic|unreachable|todo|unimplemented|assert|assert_eq|assert_ne").sync(),
    ],
};
