//! Files that make the next run faster: facts, links, history and the listing of a repository, kept beside its worktrees, and what models
//! answered. Nothing is lost with them but time, and the price of asking again.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::leftover::disk_bytes;
use super::{Place, WorktreeError, io_at};
use crate::model::replies;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Where it is.
    pub path: PathBuf,
    /// What it takes on disk.
    pub bytes: u64,
}

/// Every file that is kept for this repository, in order of name; what a killed run left half written is one, too.
pub fn caches(place: &Place) -> Vec<Cache> {
    let entries = fs::read_dir(place.cache()).into_iter().flatten().flatten();
    let mut found: Vec<Cache> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| Some(Cache { bytes: entry.metadata().ok()?.len(), path: entry.path() }))
        .collect();
    let replies = place.cache().join(replies::FOLDER);
    if replies.is_dir() {
        found.push(Cache { bytes: disk_bytes(&replies), path: replies });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Removes them. Returns what was removed.
pub fn clean_caches(place: &Place) -> Result<Vec<Cache>, WorktreeError> {
    let mut removed = Vec::new();
    for cache in caches(place) {
        let gone = if cache.path.is_dir() { fs::remove_dir_all(&cache.path) } else { fs::remove_file(&cache.path) };
        match gone {
            Ok(()) => removed.push(cache),
            // A run that writes a file anew takes the old one away at the same moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_at(&cache.path)(error)),
        }
    }
    // Empty or not: whether the folder stays is all the same.
    let _ = fs::remove_dir(place.cache());
    Ok(removed)
}
