//! Password hashing: slow on purpose.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "password-hashing",
    ecosystem: Ecosystem::Cargo,
    source: "argon2 0.5, scrypt 0.11, pbkdf2 0.12 (traits of password-hash 0.5); bcrypt 0.17; rust-argon2 2",
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
