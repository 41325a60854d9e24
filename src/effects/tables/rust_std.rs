//! The standard library of Rust.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "std",
    ecosystem: Ecosystem::Cargo,
    origins: &[origin("std", "1", "https://doc.rust-lang.org/std/fs/index.html")],
    packages: &["std"],
    apis: &[
        does(
            Effect::Fs,
            "fs.read|read_to_string|write|copy|create_dir|create_dir_all|remove_file|remove_dir|\
             remove_dir_all|rename|read_dir|metadata|symlink_metadata|canonicalize|hard_link|read_link|\
             set_permissions",
        )
        .blocking(),
        does(Effect::Fs, "fs.File.open|create|create_new|options").blocking(),
        does(Effect::Fs, "fs.OpenOptions.**.open").blocking(),
        does(Effect::Blocking, "thread.sleep|park|park_timeout").blocking(),
        does(Effect::Process, "process.**.Command.**.output|status").blocking(),
        does(Effect::Process, "process.**.Command.**.spawn").sync(),
        does(Effect::Process, "process.Child.wait|wait_with_output").blocking(),
        does(Effect::Blocking, "net.TcpStream.connect|connect_timeout").blocking(),
        does(Effect::Blocking, "net.ToSocketAddrs.to_socket_addrs").blocking(),
        does(Effect::Blocking, "sync.mpsc.Receiver.recv|recv_timeout").blocking(),
    ],
    // The method of a trait that every address has: its name alone says it.
    shapes: &[does(Effect::Blocking, "**.to_socket_addrs").blocking()],
};
