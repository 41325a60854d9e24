//! A copy of the repository for agents to read: what the map lists, credentials masked, without what agents obey.
//!
//! An agent has tools of its own, and what they read goes to a model. In the copy they find no more than our own tools would show.
//!
//! Copies are in the system's temporary folder, below no folder whose instructions an agent would look for. Each is locked for as long
//! as its run lives, so that [`abandoned`] can tell what a killed one left.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::TempDir;

use crate::model::agent_cli::{Quarters, is_configuration};
use crate::repo_map::RepoMap;
use crate::secrets::of_files;
use crate::tree::Tree;

/// Name of the folder that holds the files; what an agent needs beside them stands next to it.
const FILES: &str = "repository";

/// A copy of a repository, made when it is first needed and gone when it is dropped.
pub struct ReadingCopy<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    repository: String,
    made: Mutex<Option<Made>>,
    state: OnceLock<String>,
}

/// A copy on disk. The folder goes first, then the lock.
struct Made {
    folder: TempDir,
    _hold: File,
}

impl<'a> ReadingCopy<'a> {
    /// A copy of what `map` lists of `tree`. `repository` is the repository's id: see [`crate::worktree::place::repository_id`].
    pub fn new(map: &'a RepoMap, tree: &'a dyn Tree, repository: String) -> ReadingCopy<'a> {
        ReadingCopy { map, tree, repository, made: Mutex::new(None), state: OnceLock::new() }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.map.files.iter().map(|file| file.path.as_str()).filter(|path| !is_configuration(path))
    }

    fn make(&self) -> std::io::Result<Made> {
        // What a killed run left holds the code of the repository: it need not wait until somebody cleans.
        for left in abandoned(&self.repository) {
            drop(left.remove());
        }
        let Made { folder, _hold } = self.room()?;
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
        Ok(Made { folder, _hold })
    }

    /// A folder for the copy, locked.
    fn room(&self) -> std::io::Result<Made> {
        loop {
            // Nobody else on the machine may look.
            let private = fs::Permissions::from_mode(0o700);
            let folder = tempfile::Builder::new().prefix(&prefix(&self.repository)).permissions(private).tempdir()?;
            // Until it is locked, another run takes it for one that was left.
            let Ok(hold) = File::open(folder.path()) else { continue };
            hold.lock()?;
            let (locked, there) = (hold.metadata()?.ino(), fs::metadata(folder.path()).map(|it| it.ino()));
            if there.is_ok_and(|there| there == locked) {
                return Ok(Made { folder, _hold: hold });
            }
        }
    }
}

fn prefix(repository: &str) -> String {
    format!("improve-reading-{repository}-")
}

/// A copy that no living run uses. It stays so while this value lives.
pub struct Abandoned {
    /// Its folder.
    pub path: PathBuf,
    _hold: File,
}

impl Abandoned {
    /// Removes it.
    pub fn remove(self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.path)
    }
}

/// Copies of a repository that killed runs left in the temporary folder, sorted by path.
pub fn abandoned(repository: &str) -> Vec<Abandoned> {
    let prefix = prefix(repository);
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    let ours = named.filter(|entry| {
        // Everybody may write there: a link, or a folder of somebody else's, is none of ours.
        let is_ours = |it: fs::Metadata| it.is_dir() && it.uid() == rustix::process::getuid().as_raw();
        fs::symlink_metadata(entry.path()).is_ok_and(is_ours)
    });
    let mut found: Vec<Abandoned> = ours
        .filter_map(|entry| {
            let hold = File::open(entry.path()).ok()?;
            hold.try_lock().ok()?;
            Some(Abandoned { path: entry.path(), _hold: hold })
        })
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
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
        Ok(made.as_ref().expect("it was made above").folder.path().to_owned())
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
