//! Commands on other machines: the login shell there reads the line.

use crate::effects::tables::Ecosystem;
use crate::effects::taint::Danger::Shell;
use crate::effects::taint::tables::{Argument, Library, shape, sink};

pub static LIBRARY: Library = Library {
    sinks: &[
        sink(Shell, Argument::At(0), "**.exec"),
        sink(Shell, Argument::At(0), "**.execCommand"),
        shape(Shell, Argument::At(0), "**.ssh|sshClient|conn|connection.execCommand"),
    ],
    ..Library::new("ssh2", Ecosystem::Npm, "ssh2 1, Client.exec; node-ssh 13, execCommand", &["ssh2", "node-ssh"])
};
