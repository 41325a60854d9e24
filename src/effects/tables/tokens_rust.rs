//! Tokens, signatures and passwords: what proves who is asking, for Rust.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "tokens-rust",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("jsonwebtoken", "8, 9, 10", "https://docs.rs/jsonwebtoken"),
        origin("argon2", "0.5", "https://docs.rs/argon2/0.5"),
        origin("password-hash", "0.5", "https://docs.rs/password-hash/0.5"),
        origin("bcrypt", "0.15, 0.16, 0.17", "https://docs.rs/bcrypt"),
        origin("hmac", "0.12", "https://docs.rs/hmac/0.12"),
        origin("subtle", "2", "https://docs.rs/subtle/2"),
        origin("axum-login", "0.15, 0.16, 0.17, 0.18", "https://docs.rs/axum-login"),
    ],
    packages: &[
        "jsonwebtoken",
        "argon2",
        "password-hash",
        "password_hash",
        "bcrypt",
        "hmac",
        "subtle",
        "axum-login",
        "axum_login",
    ],
    apis: &[
        does(Effect::AuthCheck, "decode|verify").sync(),
        does(Effect::AuthCheck, "**.verify_password|verify_slice|verify_truncated_left|ct_eq").sync(),
        does(Effect::AuthCheck, "**.authenticate|has_perm"),
    ],
    shapes: &[does(Effect::AuthCheck, "**.verify_password|verify_slice|ct_eq").sync()],
};
