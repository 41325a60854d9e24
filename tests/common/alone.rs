//! The program as tests start it where no model is asked: in a folder, with a home of its own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in `folder`.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
    let home = folder.join(".git/home");
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for variable in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "IMPROVE_CACHE_DIR", "IMPROVE_STATE_DIR"] {
        command.env_remove(variable);
    }
    // A key of whoever runs the tests must not be spent.
    command.env("IMPROVE_PLANNER", "none");
    command.env("HOME", &home).env("COLUMNS", "100").env_remove("FORCE_COLOR");
    command
}

/// Runs the program to its end.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().expect("the program starts")
}

/// What it printed.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the program prints UTF-8")
}

/// What it said beside.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("the program prints UTF-8")
}

/// The document it printed.
pub fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)))
}
