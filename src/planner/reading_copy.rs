//! A copy of the repository for agents to read: what the map lists, credentials masked, without what agents obey.
//!
//! An agent has tools of its own, and what they read goes to a model. In the copy they find no more than our own tools would show.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::TempDir;

use super::masked;
use crate::model::agent_cli::{Quarters, is_configuration};
use crate::repo_map::RepoMap;
use crate::tree::Tree;

/// A copy of a repository, made when it is first needed and gone when it is dropped.
pub struct ReadingCopy<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    folder: Mutex<Option<TempDir>>,
    state: OnceLock<String>,
}

impl<'a> ReadingCopy<'a> {
    /// A copy of what `map` lists of `tree`.
    pub fn new(map: &'a RepoMap, tree: &'a dyn Tree) -> ReadingCopy<'a> {
        ReadingCopy { map, tree, folder: Mutex::new(None), state: OnceLock::new() }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.map.files.iter().map(|file| file.path.as_str()).filter(|path| !is_configuration(path))
    }

    fn make(&self) -> std::io::Result<TempDir> {
        // Nobody else on the machine may look.
        let private = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("improve-reading-").permissions(private).tempdir()?;
        for path in self.paths() {
            let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            // What is no text says nothing to a model.
            let (true, Ok(text)) = (inside, masked::read(self.tree, path)) else { continue };
            let file = folder.path().join(path);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(file, text)?;
        }
        Ok(folder)
    }
}

impl Quarters for ReadingCopy<'_> {
    fn folder(&self) -> Result<PathBuf, String> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_none() {
            *folder = Some(self.make().map_err(|error| error.to_string())?);
        }
        Ok(folder.as_ref().expect("it was made above").path().to_owned())
    }

    fn state(&self) -> String {
        let named = || {
            let mut hash = xxhash_rust::xxh3::Xxh3::new();
            for path in self.paths() {
                hash.update(path.as_bytes());
                hash.update(&[0]);
                if let Ok(bytes) = self.tree.read(path) {
                    hash.update(&(bytes.len() as u64).to_le_bytes());
                    hash.update(&bytes);
                }
            }
            format!("{:032x}", hash.digest128())
        };
        self.state.get_or_init(named).clone()
    }
}
