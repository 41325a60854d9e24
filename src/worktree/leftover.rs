//! Leftovers: worktrees of ours that no running command uses, and how to be rid of them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lease::{Lease, records};
use super::{Place, Worktree, WorktreeError, io_at};

/// Suffix of the name of the second, clean worktree of a plan.
pub const REPLAY: &str = ".replay";

/// Suffix of the name of the worktree in which other people's work is verified.
pub const VERIFY: &str = ".verify";

/// A worktree of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// The plan's slug.
    pub slug: String,
    /// The plan's path; `None` when no lease says.
    pub plan: Option<String>,
    /// Its branch; `None` when no lease says.
    pub branch: Option<String>,
    /// Where it is.
    pub worktree: PathBuf,
    /// Whether it still exists.
    pub exists: bool,
    /// What it takes on disk.
    pub bytes: u64,
    /// A living process works in it.
    pub in_use: bool,
}

/// Every worktree of ours for this repository, sorted by slug.
pub fn leftovers(place: &Place) -> Vec<Leftover> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for (record, in_use) in records(place) {
        let replay = place.folder_of(&format!("{}{REPLAY}", record.slug));
        known.insert(record.slug.clone());
        found.push(Leftover {
            exists: record.worktree.is_dir(),
            bytes: disk_bytes(&record.worktree) + disk_bytes(&replay),
            slug: record.slug,
            plan: Some(record.plan),
            branch: Some(record.branch).filter(|branch| !branch.is_empty()),
            worktree: record.worktree,
            in_use,
        });
    }
    for entry in fs::read_dir(place.worktrees()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let slug = name.strip_suffix(REPLAY).unwrap_or(&name).to_owned();
        if known.insert(slug.clone()) {
            let bytes = disk_bytes(&entry.path());
            let worktree = entry.path();
            found.push(Leftover { slug, plan: None, branch: None, worktree, exists: true, bytes, in_use: false });
        }
    }
    found.sort_by(|a, b| a.slug.cmp(&b.slug));
    found
}

/// Removes the worktrees of one plan, or of all, that no process uses; with `discard`, their branches and journals too. Returns
/// what was removed.
pub fn clean(place: &Place, slug: Option<&str>, discard: bool) -> Result<Vec<Leftover>, WorktreeError> {
    let mut removed = Vec::new();
    for leftover in leftovers(place) {
        let is_meant = slug.is_none_or(|slug| leftover.slug.strip_suffix(VERIFY).unwrap_or(&leftover.slug) == slug);
        if !is_meant || (leftover.in_use && slug.is_none()) {
            continue;
        }
        let plan = leftover.plan.as_deref().unwrap_or_default();
        // A worktree in our cache without a lease is still ours, and so is its branch; a verification has none.
        let ours = (!leftover.slug.ends_with(VERIFY)).then(|| format!("improve/{}", leftover.slug));
        let branch = leftover.branch.clone().or(ours);
        let lease = Lease::take(place, &leftover.slug, plan, branch.as_deref().unwrap_or_default())?;
        Worktree::remove(place, &format!("{}{REPLAY}", leftover.slug))?;
        Worktree::remove(place, &leftover.slug)?;
        forget_gates(place, &leftover.slug)?;
        if discard {
            if let Some(branch) = &branch {
                place.delete_branch(branch)?;
            }
            forget_journal(place, &leftover.slug)?;
        }
        lease.end()?;
        removed.push(leftover);
    }
    if discard && let Some(slug) = slug.filter(|slug| removed.iter().all(|leftover| leftover.slug != *slug)) {
        // The worktree is gone already, as after a verified plan; what is left is the branch.
        place.delete_branch(&format!("improve/{slug}"))?;
        forget_journal(place, slug)?;
    }
    Ok(removed)
}

fn forget_journal(place: &Place, slug: &str) -> Result<(), WorktreeError> {
    remove_file(&place.log_of(slug))?;
    remove_file(&place.journal_of(slug))?;
    forget_gates(place, slug)
}

/// What is kept of gates beside the journal: it is about a worktree that is gone.
fn forget_gates(place: &Place, slug: &str) -> Result<(), WorktreeError> {
    [place.gates_of(slug), place.cut_off_of(slug), place.output_of(slug)].iter().try_for_each(|file| remove_file(file))
}

fn remove_file(file: &Path) -> Result<(), WorktreeError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_at(file)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Bytes of the files under `folder`; links are not followed.
pub fn disk_bytes(folder: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(folder) else { return 0 };
    if !metadata.is_dir() {
        return metadata.len();
    }
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| disk_bytes(&entry.path())).sum()
}
