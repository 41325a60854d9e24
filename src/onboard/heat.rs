//! Hot and cold: what changes all the time, and what much depends on that nobody has touched for long.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Ground, month};
use crate::repo_map::FileId;

/// Files of each kind.
const FILES: usize = 8;
/// Seconds: the window of churn, and the age from which a file is cold. Our choice.
const WINDOW: i64 = 90 * 24 * 60 * 60;
const COLD: i64 = 365 * 24 * 60 * 60;
/// Changes within the window below which a file is not hot.
const FEWEST: u32 = 3;
/// Files that must use a cold one: nobody minds that a leaf is old.
const USED: u32 = 4;

/// What changes and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Heat {
    /// The month the window of 90 days ends in: that of the newest commit that touched source files. Null without history.
    pub until: Option<String>,
    /// The month the history that was read begins in, when it goes back further.
    pub since: Option<String>,
    /// Files that change often, the hottest first.
    pub hot: Vec<Hot>,
    /// Files that much depends on and that nobody has changed for a year, the most used first.
    pub cold: Vec<Cold>,
}

/// A file that changes often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Hot {
    /// Its path.
    pub path: String,
    /// How often: `every few days`, `most weeks`, `now and then`.
    pub changes: String,
    /// Lines.
    pub lines: u32,
    /// Files that use it.
    pub used_by: u32,
}

/// A file that has not changed for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cold {
    /// Its path.
    pub path: String,
    /// The month of its last change; null when it lies before the history read.
    pub last: Option<String>,
    /// Lines.
    pub lines: u32,
    /// Files that use it.
    pub used_by: u32,
}

impl Heat {
    pub(super) fn files(&self) -> Vec<&str> {
        self.hot.iter().map(|hot| hot.path.as_str()).chain(self.cold.iter().map(|cold| cold.path.as_str())).collect()
    }
}

pub(super) fn heat(ground: &Ground<'_>) -> Heat {
    let (map, log) = (ground.sources.map, ground.sources.log);
    // The newest commit that touched source: a change to a document must not move the window.
    let Some(newest) = log.commits.iter().map(|commit| commit.time).max() else { return Heat::default() };
    let oldest = log.commits.iter().map(|commit| commit.time).min().unwrap_or(newest);
    let mut churn = vec![0_u32; map.files.len()];
    let mut last: Vec<Option<i64>> = vec![None; map.files.len()];
    for commit in &log.commits {
        for &file in &commit.files {
            let file = file as usize;
            churn[file] += u32::from(newest - commit.time <= WINDOW);
            last[file] = last[file].max(Some(commit.time));
        }
    }
    let files: Vec<FileId> =
        map.files_with_ids().map(|(id, _)| id).filter(|&id| ground.is_production(id) && ground.keeps(id)).collect();
    let mut hot: Vec<FileId> = files.iter().copied().filter(|&id| churn[id as usize] >= FEWEST).collect();
    // Size and use decide among files that change equally often, as [`crate::report::map_document`] has it.
    let weight = |id: FileId| {
        let logarithm = |number: u32| (f64::from(number).ln_1p() * 1000.0) as u64;
        logarithm(churn[id as usize]) * logarithm(map.file(id).lines) * (1_000 + logarithm(ground.fan_in(id)))
    };
    hot.sort_by_key(|&id| (std::cmp::Reverse(weight(id)), id));
    // A history shorter than a year cannot tell what is old.
    let deep = newest - oldest >= COLD || log.bounded && newest - oldest >= COLD / 2;
    let is_cold = |&id: &FileId| {
        deep && ground.fan_in(id) >= USED && last[id as usize].map_or(log.bounded, |time| newest - time >= COLD)
    };
    let mut cold: Vec<FileId> = files.iter().copied().filter(is_cold).collect();
    cold.sort_by_key(|&id| (std::cmp::Reverse(ground.fan_in(id)), id));
    Heat {
        until: Some(month(newest)),
        since: log.bounded.then(|| month(oldest)),
        hot: hot
            .into_iter()
            .take(FILES)
            .map(|id| Hot {
                path: map.file(id).path.clone(),
                changes: often(churn[id as usize]).to_owned(),
                lines: map.file(id).lines,
                used_by: ground.fan_in(id),
            })
            .collect(),
        cold: cold
            .into_iter()
            .take(FILES)
            .map(|id| Cold {
                path: map.file(id).path.clone(),
                last: last[id as usize].map(month),
                lines: map.file(id).lines,
                used_by: ground.fan_in(id),
            })
            .collect(),
    }
}

/// So many commits in 90 days, in words that do not change with every commit.
fn often(churn: u32) -> &'static str {
    match churn {
        24.. => "every few days",
        10.. => "most weeks",
        5.. => "every few weeks",
        _ => "now and then",
    }
}
