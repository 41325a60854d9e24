//! What is wrong with settings, where, and what to do about it.

use std::path::PathBuf;

use super::{KEYS, Origin};
use crate::hint::Hint;

/// Settings that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not TOML.
    #[error("{}:{line}: {message}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The line, 1-based.
        line: u32,
        /// What the parser said.
        message: String,
    },
    /// A key nobody knows.
    #[error("{origin}: unknown key `{key}`")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// The nearest key there is.
        nearest: Option<String>,
    },
    /// A value that its key does not take.
    #[error("{origin}: `{key}` takes {expected}, not `{found}`")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What was there.
        found: String,
    },
    /// A table with a key that is missing, unknown or of the wrong kind.
    #[error("{origin}: `{table}`: {message}")]
    BadTable {
        /// Where it begins.
        origin: Origin,
        /// Its name.
        table: String,
        /// What is wrong with it.
        message: String,
    },
    /// A repository says where requests and keys go, or what is run.
    #[error("{origin}: `{key}` is for the user's own file")]
    NotForRepositories {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
    },
}

impl Hint for SettingsError {
    fn hint(&self) -> Option<String> {
        match self {
            SettingsError::Unreadable { .. } => Some("make the file readable, or remove it".into()),
            SettingsError::NotToml { .. } => None,
            SettingsError::UnknownKey { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            SettingsError::UnknownKey { nearest: None, .. } => Some(format!(
                "known keys: {}, apply.<key>, rules.<id>, commands.<folder>.<purpose>, sources.client, sinks.<rule>, guards.<rule>, \
                 models.<role>, providers.<name>.<key>, agents.<name>.<key>, prices.<model>.<key>",
                KEYS.join(", ")
            )),
            SettingsError::BadValue { .. } => None,
            SettingsError::BadTable { .. } => Some("README.md lists the keys of a provider, of an agent and of a price".into()),
            SettingsError::NotForRepositories { .. } => {
                Some("move it to ~/.config/improve/improve.toml: a repository must not say where your keys go, nor what is run".into())
            }
        }
    }
}
