//! Rules about structure that slows every change.

pub mod clone_family;
mod clone_whole;
pub mod duplicate_code;
pub mod hotspot;
pub mod import_cycle;
pub mod oversized_hot_function;
pub mod stale_todo;
pub mod unused_export;
pub mod unused_file;

use crate::finding::Finding;

/// The `count` findings about the most lines, in order.
fn largest(mut found: Vec<(u32, Finding)>, count: usize) -> Vec<Finding> {
    found.sort_by(|(a_lines, a), (b_lines, b)| {
        b_lines.cmp(a_lines).then_with(|| a.location().file.cmp(&b.location().file))
    });
    found.into_iter().take(count).map(|(_, finding)| finding).collect()
}
