//! Validators of values, for Rust.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "validators-rust",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("validator", "0.16, 0.17, 0.18, 0.19, 0.20", "https://docs.rs/validator"),
        origin("garde", "0.18, 0.20, 0.22", "https://docs.rs/garde"),
    ],
    packages: &["validator", "garde"],
    apis: &[does(Effect::Validation, "**.validate|validate_with|validate_args|validate_with_args").sync()],
    shapes: &[does(Effect::Validation, "**.validate|validate_with_args").sync()],
};
