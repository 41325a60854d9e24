//! bcrypt for Node.js: password hashing, slow on purpose.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "bcrypt",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("bcrypt", "5, 6", "https://www.npmjs.com/package/bcrypt"),
        origin("bcryptjs", "2, 3", "https://www.npmjs.com/package/bcryptjs"),
    ],
    packages: &["bcrypt", "bcryptjs", "@node-rs/bcrypt"],
    apis: &[does(Effect::Blocking, "**.hashSync|compareSync|genSaltSync").blocking()],
    shapes: &[],
};
