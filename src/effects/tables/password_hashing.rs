//! Password hashing: slow on purpose.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "password-hashing",
    ecosystem: Ecosystem::Cargo,
    origins: &[
        origin("argon2", "0.5", "https://docs.rs/argon2/0.5"),
        origin("scrypt", "0.11", "https://docs.rs/scrypt/0.11"),
        origin("pbkdf2", "0.12", "https://docs.rs/pbkdf2/0.12"),
        origin("bcrypt", "0.15, 0.16, 0.17", "https://docs.rs/bcrypt"),
        origin("rust-argon2", "2", "https://docs.rs/rust-argon2/2"),
    ],
    packages: &["argon2", "scrypt", "pbkdf2", "password_hash", "password-hash", "bcrypt"],
    apis: &[
        does(Effect::Blocking, "**.hash_password|hash_password_into|hash_password_customized|verify_password")
            .blocking(),
        does(
            Effect::Blocking,
            "hash|hash_with_result|hash_with_salt|hash_encoded|hash_raw|verify|verify_encoded|verify_raw",
        )
        .blocking(),
    ],
    shapes: &[does(Effect::Blocking, "**.hash_password|hash_password_into|verify_password").blocking()],
};
