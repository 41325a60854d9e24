//! What a child gets to know of our environment: an allow-list, and a copy only for programs that act for the user.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use sha2::{Digest, Sha256};

/// Variables that programs need to find themselves, their tools and their language; nothing that grants access to anything.
/// `CARGO_TARGET_DIR` is left out: a build in a worktree of ours must not write into the user's build folder.
const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TERM",
    "TZ",
    "TMPDIR",
    "CI",
    "RUSTUP_TOOLCHAIN",
    "RUSTC_WRAPPER",
    "SCCACHE_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "CPATH",
    "PKG_CONFIG_PATH",
    "CC",
    "CXX",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "NIX_PATH",
    // Without these no program starts on Windows, or finds its user.
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "OS",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "USERNAME",
    "HOMEDRIVE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
];

/// Variables that name the home of a toolchain.
pub(crate) const TOOLCHAIN_HOMES: &[&str] = &[
    "CARGO_HOME",
    "RUSTUP_HOME",
    "NVM_DIR",
    "NVM_BIN",
    "VOLTA_HOME",
    "FNM_DIR",
    "FNM_MULTISHELL_PATH",
    "N_PREFIX",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "PNPM_HOME",
    "COREPACK_HOME",
    "BUN_INSTALL",
    "DENO_DIR",
    "GOPATH",
    "GOROOT",
    "GOCACHE",
    "GOMODCACHE",
    "JAVA_HOME",
    "PYENV_ROOT",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
];

/// Let through unless they carry a password (`http://user:password@host`).
const PROXIES: &[&str] =
    &["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// Everything a child gets to know of its surroundings. Has no `Debug`: environments are never printed.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Nothing at all.
    pub fn empty() -> Environment {
        Environment::default()
    }

    /// The allow-listed part of our own.
    pub fn inherited() -> Environment {
        Environment::allowed_of(std::env::vars_os())
    }

    /// All of ours but keys of models: for programs that act for the user with the user's own rights, git's command line and `gh`.
    pub(crate) fn of_user() -> Environment {
        let is_key = |name: &OsStr| name.to_string_lossy().ends_with("_API_KEY");
        Environment(std::env::vars_os().map(folded).filter(|(name, _)| !is_key(name)).collect())
    }

    /// The allow-listed part of `variables`.
    pub fn allowed_of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
        Environment(variables.into_iter().map(folded).filter(|(name, value)| is_allowed(name, value)).collect())
    }

    /// With one variable more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Environment {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Takes a variable out.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(OsStr::new(name));
    }

    /// The SHA-256 of every name and value, in hexadecimal: it tells two apart and gives nothing away.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (name, value) in &self.0 {
            digest.update(name.as_encoded_bytes());
            digest.update(b"=");
            digest.update(value.as_encoded_bytes());
            digest.update(b"\0");
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

/// Windows does not tell `Path` from `PATH`.
fn folded((name, value): (OsString, OsString)) -> (OsString, OsString) {
    if cfg!(windows) { (name.to_ascii_uppercase(), value) } else { (name, value) }
}

fn is_allowed(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    if PROXIES.contains(&name) {
        return !value.to_string_lossy().contains('@');
    }
    ALLOWED.contains(&name) || TOOLCHAIN_HOMES.contains(&name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::allowed_of(variables);
        environment.variables().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn credentials_stay_behind() {
        let variables = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("OPENAI_API_KEY", "x"),
            ("GITHUB_TOKEN", "x"),
            ("DATABASE_URL", "postgres://"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("SSH_AUTH_SOCK", "/x"),
            ("NPM_TOKEN", "x"),
        ];
        assert_eq!(names(&variables), ["LC_ALL", "PATH"]);
    }

    #[test]
    fn a_proxy_with_a_password_stays_behind() {
        assert_eq!(names(&[("HTTPS_PROXY", "http://u:p@h:1"), ("HTTP_PROXY", "http://h:1")]), ["HTTP_PROXY"]);
    }

    #[test]
    fn no_allowed_name_sounds_like_a_credential() {
        for name in ALLOWED.iter().chain(TOOLCHAIN_HOMES) {
            assert!(
                !["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"].iter().any(|word| name.contains(word)),
                "{name}"
            );
        }
    }
}
