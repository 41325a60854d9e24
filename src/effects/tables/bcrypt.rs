//! bcrypt for Node.js: password hashing, slow on purpose.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "bcrypt",
    ecosystem: Ecosystem::Npm,
    origins: &[origin("bcrypt", "5, 6", "https://www.npmjs.com/package/bcrypt")],
    // bcryptjs computes in JavaScript: what it calls asynchronous stays on the same thread.
    packages: &["bcrypt", "@node-rs/bcrypt"],
    apis: &[does(Effect::Blocking, "**.hashSync|compareSync|genSaltSync").blocking()],
    shapes: &[],
};
