//! A copy of the repository for agents to read: what the map lists, credentials masked, without what agents obey.
//!
//! An agent has tools of its own, and what they read goes to a model. In the copy they find no more than our own tools would show.
//!
//! Copies are in the system's temporary folder, below no folder whose instructions an agent would look for. Each is locked for as long
//! as its run lives, so that [`abandoned`] can tell what a killed one left.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::model::agent_cli::{Quarters, is_configuration};
use crate::repo_map::RepoMap;
use crate::secrets::of_files;
use crate::temporary::{self, Abandoned, Folder};
use crate::tree::Tree;

/// Name of the folder that holds the files; what an agent needs beside them stands next to it.
const FILES: &str = "repository";

/// A copy of a repository, made when it is first needed and gone when it is dropped.
pub struct ReadingCopy<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    repository: String,
    made: Mutex<Option<Folder>>,
    state: OnceLock<String>,
}

impl<'a> ReadingCopy<'a> {
    /// A copy of what `map` lists of `tree`. `repository` is the repository's id: see [`crate::worktree::place::repository_id`].
    pub fn new(map: &'a RepoMap, tree: &'a dyn Tree, repository: String) -> ReadingCopy<'a> {
        ReadingCopy { map, tree, repository, made: Mutex::new(None), state: OnceLock::new() }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.map.files.iter().map(|file| file.path.as_str()).filter(|path| !is_configuration(path))
    }

    fn make(&self) -> std::io::Result<Folder> {
        // What a killed run left holds the code of the repository: it need not wait until somebody cleans.
        for left in abandoned(&self.repository) {
            drop(left.remove());
        }
        let folder = Folder::new(&prefix(&self.repository))?;
        for path in self.paths() {
            let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            // What is no text says nothing to a model.
            let (true, Ok(text)) = (inside, of_files::read(self.tree, path)) else { continue };
            let file = folder.path().join(FILES).join(path);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(file, text)?;
        }
        fs::create_dir_all(folder.path().join(FILES))?;
        Ok(folder)
    }
}

fn prefix(repository: &str) -> String {
    format!("improve-reading-{repository}-")
}

/// Copies of a repository that killed runs left in the temporary folder, sorted by path.
pub fn abandoned(repository: &str) -> Vec<Abandoned> {
    temporary::abandoned(&prefix(repository))
}

impl Quarters for ReadingCopy<'_> {
    fn folder(&self) -> Result<PathBuf, String> {
        Ok(self.aside()?.join(FILES))
    }

    fn aside(&self) -> Result<PathBuf, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_none() {
            *made = Some(self.make().map_err(|error| error.to_string())?);
        }
        Ok(made.as_ref().expect("it was made above").path().to_owned())
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
