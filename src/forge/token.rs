//! The token of a forge: from the environment, else from `gh`.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::ForgeError;
use super::remote::RemoteName;
use crate::cancel::Cancel;
use crate::http::Hidden;
use crate::process::{End, Environment, Invocation, run};

/// How long `gh` may take to look its token up: it may ask the system's keyring.
const PATIENCE: Duration = Duration::from_secs(20);

/// The token for the host of `name`: the variables that `gh` reads
/// (<https://cli.github.com/manual/gh_help_environment>), else what `gh` has stored.
pub fn token(
    name: &RemoteName,
    variable: &dyn Fn(&str) -> Option<String>,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Hidden, ForgeError> {
    let variables: &[&str] = if name.is_github() {
        &["GH_TOKEN", "GITHUB_TOKEN"]
    } else {
        &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
    };
    let set = variables.iter().find_map(|name| variable(name)).filter(|token| !token.trim().is_empty());
    let token = set.or_else(|| stored(&name.host, folder, cancel));
    token.map(|token| Hidden(token.trim().to_owned())).ok_or_else(|| ForgeError::NoToken { host: name.host.clone() })
}

/// What `gh` has stored for a host. Without `gh` there is nothing.
fn stored(host: &str, folder: &Path, cancel: &Cancel) -> Option<String> {
    let arguments = ["auth", "token", "--hostname", host];
    let invocation = Invocation {
        program: OsString::from("gh"),
        arguments: arguments.map(OsString::from).into(),
        folder: folder.to_owned(),
        environment: Environment::of_user().with("GH_PROMPT_DISABLED", "1"),
        timeout: PATIENCE,
        record: None,
    };
    let finished = run(&invocation, cancel).ok()?;
    let token = finished.stdout.head.trim().to_owned();
    (finished.end == End::Exited(0) && !token.is_empty()).then_some(token)
}
