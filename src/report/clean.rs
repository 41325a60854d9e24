//! What `improve clean` removed.

use std::fmt::Write as _;

use super::layout::count;
use super::sanitize;
use crate::worktree::Leftover;

/// What was removed, or would be.
pub fn removed(removed: &[Leftover], discarded: Option<&str>, dry_run: bool) -> String {
    if removed.is_empty() && discarded.is_none() {
        return "Nothing to clean.\n".to_owned();
    }
    let mut text = String::new();
    let verb = if dry_run { "would be removed" } else { "removed" };
    for leftover in removed {
        let worktree = sanitize::line(&leftover.worktree.to_string_lossy()).into_owned();
        let _ = writeln!(text, "{verb}: {worktree} ({})", size(leftover.bytes));
    }
    match discarded {
        Some(slug) => {
            let verb = if dry_run { "would be discarded" } else { "discarded" };
            let _ = writeln!(text, "{verb}: the branch improve/{} and its journal", sanitize::line(slug));
        }
        None => {
            let bytes = removed.iter().map(|leftover| leftover.bytes).sum();
            let _ = writeln!(text, "{}, {}; branches are kept", count(removed.len(), "worktree"), size(bytes));
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
        assert_eq!(removed(&[], None, false), "Nothing to clean.\n");
        assert_eq!(removed(&[], Some("001-a"), false), "discarded: the branch improve/001-a and its journal\n");
    }
}
