//! What stands in a worktree, as one id: for those who want to know whether it is the same as before.

use std::fs;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository};

use super::{Change, Content, Worktree, WorktreeError, change, git};
use crate::os;

/// Above git's own backends, so that what is made for an id stays in memory.
const FIRST: i32 = 1_000;

impl Worktree {
    /// The id of the tree that its files are, whether they are committed or not. Nothing is written. `None` where git could not say.
    pub fn tree(&self) -> Result<Option<String>, WorktreeError> {
        let repository = self.repository()?;
        let what = git("read the worktree's files");
        let head = repository.head().and_then(|head| head.peel_to_commit()).map_err(&what)?;
        let changes = change::in_folder(&repository, self.folder(), &head.id().to_string())?;
        if changes.is_empty() {
            return Ok(Some(head.tree_id().to_string()));
        }
        let odb = repository.odb().map_err(&what)?;
        let _in_memory = odb.add_new_mempack_backend(FIRST).map_err(&what)?;
        Ok(updated(&repository, head.tree_id(), &changes).map(|id| id.to_string()))
    }

    /// Which worktree it is: one that is made anew at the same place is another.
    pub fn birth(&self) -> Option<String> {
        let stat = os::stat(&fs::symlink_metadata(self.folder().join(".git")).ok()?);
        let (seconds, nanoseconds) = stat.changed;
        Some(format!("{}:{}:{seconds}.{nanoseconds}", self.folder().display(), stat.inode))
    }
}

fn updated(repository: &Repository, base: Oid, changes: &[Change]) -> Option<Oid> {
    let mut update = TreeUpdateBuilder::new();
    for change in changes {
        match &change.new {
            None => {
                update.remove(change.path.as_str());
            }
            Some(Content::File { bytes, executable }) => {
                let mode = if *executable { FileMode::BlobExecutable } else { FileMode::Blob };
                update.upsert(change.path.as_str(), repository.blob(bytes).ok()?, mode);
            }
            Some(Content::Link { target }) => {
                let blob = repository.blob(&os::bytes_of(target)).ok()?;
                update.upsert(change.path.as_str(), blob, FileMode::Link);
            }
            Some(Content::Other) => return None,
        }
    }
    update.create_updated(repository, &repository.find_tree(base).ok()?).ok()
}
