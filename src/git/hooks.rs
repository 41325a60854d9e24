//! Where git looks for hooks.

use std::path::{Path, PathBuf};

use super::{GitError, Repository};

/// The folder that git runs hooks from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// The folder; it need not be there.
    pub folder: PathBuf,
    /// What names it lies outside the repository, so that other repositories may use it, too.
    pub shared: bool,
}

impl Repository {
    /// Where git looks for the hooks of this repository: `core.hooksPath`, else `hooks` in the common git directory.
    pub fn hooks(&self) -> Result<Hooks, GitError> {
        let config =
            self.inner.config().and_then(|mut config| config.snapshot()).map_err(|error| self.failed(&error))?;
        let Ok(entry) = config.get_entry("core.hooksPath") else {
            return Ok(Hooks { folder: self.common_dir().join("hooks"), shared: false });
        };
        let own = matches!(entry.level(), git2::ConfigLevel::Local | git2::ConfigLevel::Worktree);
        let named = config.get_path("core.hooksPath").map_err(|error| self.failed(&error))?;
        Ok(Hooks { folder: self.root().join(Path::new(&named)), shared: !own })
    }
}
