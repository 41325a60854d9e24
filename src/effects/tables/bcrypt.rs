//! bcrypt for Node.js: password hashing, slow on purpose.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "bcrypt",
    ecosystem: Ecosystem::Npm,
    source: "bcrypt 6 and bcryptjs 3, synchronous functions",
    packages: &["bcrypt", "bcryptjs", "@node-rs/bcrypt"],
    apis: &[does(Effect::Blocking, "**.hashSync|compareSync|genSaltSync").blocking()],
    shapes: &[],
};
