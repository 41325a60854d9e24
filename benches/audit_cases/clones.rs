//! Where the clone of a repository lies.

use std::path::PathBuf;

use improve::git::Repository;

/// A folder of clones.
pub struct Clones {
    folder: PathBuf,
}

impl Clones {
    /// The folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The clone of `repo`, which is `owner/name`.
    pub fn open(&self, repo: &str) -> Result<Repository, String> {
        let name = repo.rsplit('/').next().unwrap_or(repo);
        let names = [repo.replace('/', "+"), repo.to_owned(), name.to_owned()];
        let folder = names
            .iter()
            .flat_map(|name| [name.clone(), format!("{name}.git")])
            .map(|name| self.folder.join(name))
            .find(|folder| folder.is_dir())
            .ok_or_else(|| format!("{}: no clone of {repo}", self.folder.display()))?;
        Repository::discover_commits(&folder).map_err(|error| error.to_string())
    }
}
