//! What `improve clean` removed.

use std::fmt::Write as _;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::count;
use super::sanitize;
use crate::worktree::{Cache, Leftover};

/// Version of the JSON contract.
const SCHEMA_VERSION: u32 = 1;

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CleanDocument {
    /// Version of this contract.
    pub schema_version: u32,
    /// Nothing was removed: it was only asked what would be.
    pub dry_run: bool,
    /// Worktrees.
    pub worktrees: Vec<Removed>,
    /// Files that make the next run faster.
    pub caches: Vec<Removed>,
    /// The plan whose branch and journal were discarded.
    pub discarded: Option<String>,
    /// Bytes that all of it took on disk.
    pub freed_bytes: u64,
}

/// One thing that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Removed {
    /// Where it was.
    pub path: PathBuf,
    /// What it took on disk.
    pub bytes: u64,
}

impl CleanDocument {
    /// What `improve clean` did.
    pub fn new(worktrees: &[Leftover], caches: &[Cache], discarded: Option<&str>, dry_run: bool) -> CleanDocument {
        let worktrees: Vec<Removed> =
            worktrees.iter().map(|one| Removed { path: one.worktree.clone(), bytes: one.bytes }).collect();
        let caches: Vec<Removed> =
            caches.iter().map(|one| Removed { path: one.path.clone(), bytes: one.bytes }).collect();
        CleanDocument {
            schema_version: SCHEMA_VERSION,
            dry_run,
            freed_bytes: worktrees.iter().chain(&caches).map(|one| one.bytes).sum(),
            worktrees,
            caches,
            discarded: discarded.map(str::to_owned),
        }
    }
}

/// What was removed, or would be, for people.
pub fn page(document: &CleanDocument) -> String {
    let CleanDocument { schema_version: _, dry_run, worktrees, caches, discarded, freed_bytes } = document;
    if worktrees.is_empty() && caches.is_empty() && discarded.is_none() {
        return "Nothing to clean.\n".to_owned();
    }
    let mut text = String::new();
    let verb = if *dry_run { "would be removed" } else { "removed" };
    for one in worktrees.iter().chain(caches) {
        let _ = writeln!(text, "{verb}: {} ({})", sanitize::line(&one.path.to_string_lossy()), size(one.bytes));
    }
    match discarded {
        Some(slug) => {
            let verb = if *dry_run { "would be discarded" } else { "discarded" };
            let _ = writeln!(text, "{verb}: the branch improve/{} and its journal", sanitize::line(slug));
        }
        None => {
            let verb = if *dry_run { "would be freed" } else { "freed" };
            let kept = if worktrees.is_empty() { "" } else { "; branches are kept" };
            let _ = writeln!(
                text,
                "{verb}: {} ({}, {}){kept}",
                size(*freed_bytes),
                count(worktrees.len(), "worktree"),
                count(caches.len(), "cache file"),
            );
        }
    }
    text
}

/// Bytes in the unit that reads best.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_in_the_unit_that_fits() {
        assert_eq!(
            [size(999), size(1_500), size(2_000_000), size(3_100_000_000)],
            ["999 B", "1.5 kB", "2.0 MB", "3.1 GB"]
        );
    }

    #[test]
    fn nothing_to_clean_is_said() {
        let said = |discarded| page(&CleanDocument::new(&[], &[], discarded, false));
        assert_eq!(said(None), "Nothing to clean.\n");
        assert_eq!(said(Some("001-a")), "discarded: the branch improve/001-a and its journal\n");
    }

    #[test]
    fn what_goes_is_listed_with_what_it_frees() {
        let caches = [Cache { path: "/c/facts".into(), bytes: 1_500 }, Cache { path: "/c/history".into(), bytes: 500 }];
        assert_eq!(
            page(&CleanDocument::new(&[], &caches, None, true)),
            "would be removed: /c/facts (1.5 kB)\nwould be removed: /c/history (500 B)\n\
             would be freed: 2.0 kB (0 worktrees, 2 cache files)\n"
        );
    }
}
