//! Tasks by name: what scripts, Makefiles and the like offer to type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A script of a package manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What it runs.
    pub command: String,
    /// The line of the manifest.
    pub line: u32,
}

/// A file that names tasks, outside package manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskFile {
    /// Its path.
    pub path: String,
    /// Which program reads it.
    pub runner: TaskRunner,
    /// Names of its tasks, sorted.
    pub tasks: Vec<String>,
    /// It has more tasks than can be read from it: includes, patterns, computed names.
    pub open: bool,
}

/// Which program reads a [`TaskFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskRunner {
    /// make.
    Make,
    /// just.
    Just,
    /// Cargo: `[alias]` of `.cargo/config.toml`.
    Cargo,
}
