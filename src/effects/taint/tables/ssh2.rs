//! Commands on other machines: the login shell there reads the line.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Shell;
use crate::effects::taint::tables::{Argument, Library, shape, sink};

pub static LIBRARY: Library = Library {
    sinks: &[
        sink(Shell, Argument::At(0), "**.exec"),
        sink(Shell, Argument::At(0), "**.execCommand"),
        shape(Shell, Argument::At(0), "**.ssh|sshClient|conn|connection.execCommand"),
    ],
    ..Library::new(
        "ssh2",
        Ecosystem::Npm,
        &[
            origin("ssh2", "1", "https://www.npmjs.com/package/ssh2"),
            origin("node-ssh", "13", "https://www.npmjs.com/package/node-ssh"),
        ],
        &["ssh2", "node-ssh"],
    )
};
