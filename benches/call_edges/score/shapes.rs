//! Recall by the shape of the call: where to look for what is missed.

use std::collections::BTreeMap;

use super::answers::{Answers, counted};
use super::levels::Levels;
use super::rows::Truth;

/// Found and all distinct sites, by how the call is written and what it calls.
pub type ShapeTable = BTreeMap<String, (usize, usize)>;

/// Counts the truth's sites. A site seen twice has the shape it was first seen with.
pub fn shape_table<'t>(truth: &'t [Truth], answers: &Answers<'t>, levels: &Levels<'t>) -> ShapeTable {
    let mut left = answers.edges.site.clone();
    let mut table = ShapeTable::new();
    for site in truth {
        let Some(callee) = counted(site) else { continue };
        let edge = (site.caller_file.as_str(), site.call_line, callee);
        if !left.remove(&edge) {
            continue;
        }
        let words = [Some(&site.kind), site.receiver.as_ref(), site.callee_kind.as_ref()];
        let shape = words.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        let (found, all) = table.entry(shape).or_default();
        *all += 1;
        *found += usize::from(levels.edges.site.contains(&edge));
    }
    table
}
