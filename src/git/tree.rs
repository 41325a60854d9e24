//! The files of a commit as a [`Tree`]: read from git's objects, nothing checked out.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use git2::{ObjectType, Oid};

use crate::tree::dot_ignore::DotIgnore;
use crate::tree::{EntryKind, Identity, Tree, TreeEntry, TreeError, check_path};

/// The files of a commit. Submodules are left out.
pub struct GitTree {
    git_dir: PathBuf,
    tree: Oid,
    /// The tree whose `.ignore` files count, where it is another.
    ignores: Option<Oid>,
    /// Open repositories at rest: libgit2's handles may change threads but not be shared.
    idle: Mutex<Vec<git2::Repository>>,
}

/// Links followed before a chain counts as a loop, as in Linux.
const MAX_LINKS: usize = 40;

impl GitTree {
    pub(super) fn new(git_dir: PathBuf, tree: Oid) -> Self {
        Self { git_dir, tree, ignores: None, idle: Mutex::new(Vec::new()) }
    }

    /// The same files, of which the `.ignore` files of `other` leave some out and not its own; nor do its own attributes count.
    pub fn ignoring_as(self, other: &GitTree) -> GitTree {
        GitTree { ignores: Some(other.tree), ..self }
    }

    fn with<T>(&self, work: impl FnOnce(&git2::Repository) -> Result<T, TreeError>) -> Result<T, TreeError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repository = match idle {
            Some(repository) => repository,
            None => git2::Repository::open(&self.git_dir).map_err(|error| git_error(&error))?,
        };
        let result = work(&repository);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(repository);
        result
    }

    /// Every file, in no order, those included that are to be left out.
    fn all(&self) -> Result<Vec<TreeEntry>, TreeError> {
        self.with(|repository| {
            let odb = repository.odb().map_err(|error| git_error(&error))?;
            let mut entries = Vec::new();
            let mut folders = vec![(Vec::new(), self.tree)];
            while let Some((prefix, id)) = folders.pop() {
                let tree = repository.find_tree(id).map_err(|error| git_error(&error))?;
                for entry in tree.iter() {
                    let mut path = prefix.clone();
                    path.extend_from_slice(entry.name_bytes());
                    match entry.kind() {
                        Some(ObjectType::Tree) => {
                            path.push(b'/');
                            folders.push((path, entry.id()));
                        }
                        Some(ObjectType::Blob) => {
                            // The header alone: a blob of any size costs the same. A partial clone lacks some blobs; those
                            // are listed without a size, and reading them fails.
                            let bytes = odb.read_header(entry.id()).map_or(0, |(bytes, _)| bytes);
                            let kind = match (std::str::from_utf8(&path).is_ok(), entry.filemode() == LINK) {
                                (false, _) => EntryKind::NotUtf8Name,
                                (true, true) => EntryKind::Symlink,
                                (true, false) => EntryKind::File,
                            };
                            let path = String::from_utf8_lossy(&path).into_owned();
                            let identity = blob(entry.id());
                            entries.push(TreeEntry { path, kind, bytes: bytes as u64, identity });
                        }
                        // A submodule is another repository's commit.
                        _ => {}
                    }
                }
            }
            Ok(entries)
        })
    }

    /// What stands at `path`, links followed inside the tree.
    fn find(&self, repository: &git2::Repository, path: &str) -> Result<(Oid, ObjectType), TreeError> {
        check_path(path)?;
        let outside = || TreeError::Outside { path: path.to_owned() };
        let missing = || TreeError::Missing { path: path.to_owned() };
        let mut pending: Vec<String> = split(path).rev().collect();
        let mut done: Vec<(String, Oid)> = Vec::new();
        let mut links = 0;
        let mut here = (self.tree, ObjectType::Tree);
        while let Some(name) = pending.pop() {
            if name == ".." {
                // Only a link's target says `..`.
                done.pop().ok_or_else(outside)?;
                here = (done.last().map_or(self.tree, |(_, id)| *id), ObjectType::Tree);
                continue;
            }
            if here.1 != ObjectType::Tree {
                return Err(missing());
            }
            let tree = repository.find_tree(here.0).map_err(|error| git_error(&error))?;
            let entry = tree.get_name(&name).ok_or_else(missing)?;
            if entry.filemode() == LINK {
                links += 1;
                let target = repository.find_blob(entry.id()).map_err(|error| git_error(&error))?;
                let target = std::str::from_utf8(target.content()).map_err(|_| missing())?.to_owned();
                if links > MAX_LINKS {
                    return Err(missing());
                }
                if target.starts_with('/') {
                    return Err(outside());
                }
                pending.extend(split(&target).rev());
                continue;
            }
            here = (entry.id(), entry.kind().ok_or_else(missing)?);
            if here.1 == ObjectType::Tree {
                done.push((name, here.0));
            }
        }
        Ok(here)
    }
}

fn split(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned)
}

/// File mode of a symbolic link.
const LINK: i32 = 0o120_000;

impl Tree for GitTree {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        let mut entries = self.all()?;
        let ignored = match self.ignores {
            Some(other) => {
                let other = GitTree::new(self.git_dir.clone(), other);
                let all = other.all()?;
                DotIgnore::new(all.iter().map(|entry| entry.path.as_str()), |path| other.text(path))
            }
            None => DotIgnore::new(entries.iter().map(|entry| entry.path.as_str()), |path| self.text(path)),
        };
        entries.retain(|entry| !ignored.matches(&entry.path));
        entries.sort();
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.with(|repository| match self.find(repository, path)? {
            (id, ObjectType::Blob) => {
                Ok(repository.find_blob(id).map_err(|error| git_error(&error))?.content().to_vec())
            }
            _ => Err(TreeError::Missing { path: path.to_owned() }),
        })
    }

    fn attributes(&self, path: &str) -> Option<String> {
        match self.ignores {
            Some(other) => GitTree::new(self.git_dir.clone(), other).text(path),
            None => self.text(path),
        }
    }

    fn is_file(&self, path: &str) -> bool {
        self.with(|repository| self.find(repository, path)).is_ok_and(|(_, kind)| kind == ObjectType::Blob)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.with(|repository| self.find(repository, path)).is_ok_and(|(_, kind)| kind == ObjectType::Tree)
    }
}

fn blob(id: Oid) -> Identity {
    id.as_bytes().try_into().map_or(Identity::Unknown, Identity::Blob)
}

fn git_error(error: &git2::Error) -> TreeError {
    TreeError::Git(error.message().to_owned())
}
