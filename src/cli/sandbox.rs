//! How commands of the repository are confined: what is set, tried on this machine.

use std::path::PathBuf;

use improve::sandbox::{Level, OnDemand, Sandbox, SandboxError, Wanted, choose};
use improve::settings::Settings;

use super::console::Console;
use super::failure::Failure;

/// The sandbox that is asked for, or the best there is.
pub fn sandbox(settings: &Settings, console: &Console) -> Result<Sandbox, Failure> {
    let sandbox = best(settings.sandbox.value)?;
    if sandbox.level() == Level::None && settings.sandbox.value.exactly != Some(Level::None) {
        console.warn("commands run without a sandbox, with your rights: `improve doctor` says what would change that");
    }
    Ok(sandbox)
}

/// As [`sandbox`], and nothing is said.
pub fn best(wanted: Wanted) -> Result<Sandbox, SandboxError> {
    choose(&helper(), wanted)
}

/// The same, chosen when something is to run in it.
pub fn on_demand(wanted: Wanted) -> OnDemand {
    OnDemand::new(helper(), wanted)
}

/// This very program, whatever has become of its file since it was started.
fn helper() -> PathBuf {
    if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe().unwrap_or_default() }
}
