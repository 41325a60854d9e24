//! The program as tests start it: in a folder, with a home of its own, and nothing else of the environment that matters.

use std::path::Path;
use std::process::{Command, Stdio};

use super::models::Server;

/// The program in `folder`, with a key for `server`.
pub fn program(folder: &Path, server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_improve"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    let places = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "IMPROVE_CACHE_DIR", "IMPROVE_STATE_DIR"];
    let models = ["OPENAI_API_KEY", "IMPROVE_PLANNER", "IMPROVE_EXECUTOR", "IMPROVE_VERIFIER"];
    let proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    for variable in places.iter().chain(&models).chain(&proxies) {
        command.env_remove(variable);
    }
    command
        .env("HOME", folder.join(".git/home"))
        .env("COLUMNS", "100")
        .env("ANTHROPIC_API_KEY", "hush-hush")
        .env("ANTHROPIC_BASE_URL", &server.url);
    command
}
