//! Leases: which worktrees are ours, which plan they serve, and whether a living process holds them.
//!
//! A lease file is locked for as long as its process lives, so the system itself releases the lease of one that was killed. The
//! process id and start time are for people and for messages.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{Place, WorktreeError, io_at};
use crate::process::{end_recorded, start_time};

/// What a lease file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// The plan's slug, which is also the worktree's name.
    pub slug: String,
    /// The plan's path.
    pub plan: String,
    /// The branch.
    pub branch: String,
    /// The worktree.
    pub worktree: PathBuf,
    /// The process that took it last.
    pub pid: u32,
    /// Its start time in clock ticks since boot, where the system says so: process ids are used again.
    pub start_time: Option<u64>,
}

/// A lease that this process holds until it is dropped.
#[derive(Debug)]
pub struct Lease {
    file: File,
    path: PathBuf,
}

impl Lease {
    /// Takes the lease of a plan, unless a living process holds it.
    pub fn take(place: &Place, slug: &str, plan: &str, branch: &str) -> Result<Lease, WorktreeError> {
        let path = path_of(place, slug);
        let folder = place.state().join("worktrees");
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let open =
            || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io_at(&path));
        let mut file = open()?;
        let mut locked = lock(&file);
        if locked && !is_at(&file, &path) {
            // Its holder ended it between our opening and our locking.
            file = open()?;
            locked = lock(&file) && is_at(&file, &path);
        }
        if !locked {
            let pid = read(&mut file).map(|record| record.pid);
            return Err(WorktreeError::InUse { slug: slug.to_owned(), pid });
        }
        // A gate that outlived the process which ran it would go on writing into the worktree.
        end_recorded(&place.running_of(slug));
        let pid = std::process::id();
        let record = LeaseRecord {
            slug: slug.to_owned(),
            plan: plan.to_owned(),
            branch: branch.to_owned(),
            worktree: place.folder_of(slug),
            pid,
            start_time: start_time(pid),
        };
        let text = serde_json::to_string_pretty(&record).expect("a record of plain fields is JSON");
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_data())
            .map_err(io_at(&path))?;
        Ok(Lease { file, path })
    }

    /// Gives the lease up for good: the worktree is gone.
    pub fn end(self) -> Result<(), WorktreeError> {
        // Removed while still locked, so that nobody takes a lease that is about to vanish.
        fs::remove_file(&self.path).map_err(io_at(&self.path))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread is just starting has it open too, until it becomes its
        // program.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Locks a lease file, waiting a moment for one that was given up: a process that was killed while it started a child goes on
/// holding it for as long as the child takes to become its program.
fn lock(file: &File) -> bool {
    (0..10).any(|attempt| {
        if attempt > 0 {
            thread::sleep(Duration::from_millis(20));
        }
        flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
    })
}

/// Whether an open file is still the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        (Ok(_) | Err(_), _) => false,
    }
}

fn path_of(place: &Place, slug: &str) -> PathBuf {
    place.state().join("worktrees").join(format!("{slug}.json"))
}

fn read(file: &mut File) -> Option<LeaseRecord> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Every lease there is, with whether a living process holds it; sorted by slug.
pub(super) fn records(place: &Place) -> Vec<(LeaseRecord, bool)> {
    let Ok(entries) = fs::read_dir(place.state().join("worktrees")) else { return Vec::new() };
    let mut records: Vec<(LeaseRecord, bool)> = entries
        .flatten()
        .filter_map(|entry| {
            let mut file = File::open(entry.path()).ok()?;
            let held = flock(&file, FlockOperation::NonBlockingLockShared).is_err();
            Some((read(&mut file)?, held))
        })
        .collect();
    records.sort_by(|a, b| a.0.slug.cmp(&b.0.slug));
    records
}
