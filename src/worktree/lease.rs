//! Leases: which worktrees are ours, which plan they serve, and whether a living process holds them.
//!
//! A lease file is locked for as long as its process lives, so the system itself releases the lease of one that was killed. The
//! process id and start time are for people and for messages.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Place, WorktreeError, io_at};
use crate::os::{is_at, lock_of};
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
    /// Locked: the file that says it, or one beside it.
    hold: File,
    path: PathBuf,
    /// Dropped last: see [`HELD`].
    _claim: Claim,
}

/// Leases that threads of this process hold. The lock of the file cannot tell a thread of ours that works on the plan from a child
/// of ours that has the file open for the moment until it becomes its program.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of [`HELD`].
#[derive(Debug)]
struct Claim(PathBuf);

impl Claim {
    /// `None` when another thread has it.
    fn new(path: &Path) -> Option<Claim> {
        held().insert(path.to_owned()).then(|| Claim(path.to_owned()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        held().remove(&self.0);
    }
}

impl Lease {
    /// Takes the lease of a plan, unless a living process holds it.
    pub fn take(place: &Place, slug: &str, plan: &str, branch: &str) -> Result<Lease, WorktreeError> {
        let path = path_of(place, slug);
        let folder = place.state().join("worktrees");
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let held_by = lock_of(&path);
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).open(&held_by).map_err(io_at(&held_by))
        };
        let in_use = |pid: Option<u32>| WorktreeError::InUse { slug: slug.to_owned(), pid };
        let claim = Claim::new(&path).ok_or_else(|| in_use(Some(std::process::id())))?;
        let mut hold = open()?;
        let mut locked = lock(&hold, &path);
        if locked && !is_at(&hold, &held_by) {
            // Its holder ended it between our opening and our locking.
            hold = open()?;
            locked = lock(&hold, &path) && is_at(&hold, &held_by);
        }
        if !locked {
            return Err(in_use(read(&path).map(|record| record.pid)));
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
        // Not replaced: it is what is locked.
        File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_data()))
            .map_err(io_at(&path))?;
        Ok(Lease { hold, path, _claim: claim })
    }

    /// Gives the lease up for good: the worktree is gone.
    pub fn end(self) -> Result<(), WorktreeError> {
        // Removed while still locked, so that nobody takes a lease that is about to vanish.
        fs::remove_file(&self.path).map_err(io_at(&self.path))?;
        match lock_of(&self.path) {
            same if same == self.path => Ok(()),
            beside => fs::remove_file(&beside).map_err(io_at(&beside)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing the file is not enough: a child that another thread is just starting has it open too, until it becomes its
        // program.
        let _ = self.hold.unlock();
    }
}

/// Locks a lease file, waiting a moment for one that was given up: a process that was killed while it started a child goes on
/// holding it for as long as the child takes to become its program, and so does a child of our own.
fn lock(hold: &File, path: &Path) -> bool {
    let start = Instant::now();
    loop {
        if hold.try_lock().is_ok() {
            return true;
        }
        // Whoever looks at a lease locks it for a moment too.
        let patience = if is_abandoned(path) { PATIENCE } else { PATIENCE / 25 };
        if start.elapsed() >= patience {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// How long a child may take to become its program, on a machine that has much else to do. Our choice.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the process that took a lease last is gone, or is this one, none of whose threads has it.
fn is_abandoned(path: &Path) -> bool {
    let Some(record) = read(path) else { return true };
    record.pid == std::process::id() || start_time(record.pid).is_none() || start_time(record.pid) != record.start_time
}

fn path_of(place: &Place, slug: &str) -> PathBuf {
    place.state().join("worktrees").join(format!("{slug}.json"))
}

fn read(path: &Path) -> Option<LeaseRecord> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Every lease there is, with whether a living process holds it; sorted by slug.
pub(super) fn records(place: &Place) -> Vec<(LeaseRecord, bool)> {
    let Ok(entries) = fs::read_dir(place.state().join("worktrees")) else { return Vec::new() };
    let mut records: Vec<(LeaseRecord, bool)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let hold = File::open(lock_of(&path)).ok()?;
            let held = hold.try_lock_shared().is_err();
            let record = read(&path);
            // See [`Lease::drop`].
            let _ = hold.unlock();
            Some((record?, held))
        })
        .collect();
    records.sort_by(|a, b| a.0.slug.cmp(&b.0.slug));
    records
}
