//! Turns: one run at a time changes what git knows of worktrees and of branches of ours.
//!
//! libgit2 looks through all worktrees before it takes a branch for one of them, or deletes it, and takes one that another run is
//! just making or removing for a sign that the branch is in use.

use std::fs::{self, File};

use super::{Place, WorktreeError, io_at};

/// The right to change them, until it is dropped.
pub(super) struct Turn {
    _file: File,
}

impl Turn {
    /// Waits for it, as long as another run takes to check out the files of a commit at most: seconds in a large repository. The system
    /// itself ends the turn of a run that was killed.
    pub(super) fn take(place: &Place) -> Result<Turn, WorktreeError> {
        let folder = place.state();
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let path = folder.join("turn.lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        file.lock().map_err(io_at(&path))?;
        Ok(Turn { _file: file })
    }
}
