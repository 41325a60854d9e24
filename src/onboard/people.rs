//! Who knows what: the main authors of each folder in the history read, and when each was last there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Ground, folders, month};
use crate::repo_map::FileRole;

/// Folders listed, and authors of each.
const FOLDERS: usize = 14;
const AUTHORS: usize = 3;
/// Commits to a folder below which nobody knows it by them.
const FEWEST: usize = 3;

/// Who knows what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct People {
    /// Folders, in order of path.
    pub folders: Vec<Known>,
    /// The first month of the history read, when it goes back further; null when all of it was read.
    pub since: Option<String>,
}

/// A folder and who changed it most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Known {
    /// The folder.
    pub folder: String,
    /// Its main authors, the one with most commits first.
    pub authors: Vec<Author>,
    /// It has more authors.
    pub others: bool,
}

/// Somebody who changed a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Author {
    /// The name in git.
    pub name: String,
    /// Share of the folder's commits: `nearly all`, `most`, `about half`, `some`, `a few`.
    pub share: String,
    /// The month of the last one.
    pub last: String,
}

pub(super) fn people(ground: &Ground<'_>) -> Option<People> {
    let log = ground.sources.log;
    if !ground.sources.authors || log.commits.is_empty() {
        return None;
    }
    let map = ground.sources.map;
    let paths: Vec<&str> = map
        .files_with_ids()
        .filter(|(id, file)| {
            matches!(file.role, FileRole::Production | FileRole::Test | FileRole::Script) && ground.keeps(*id)
        })
        .map(|(_, file)| file.path.as_str())
        .collect();
    let folders = folders::opened(&paths, FOLDERS);
    let mut known: BTreeMap<&str, BTreeMap<&str, (usize, i64)>> = BTreeMap::new();
    for commit in log.commits.iter().filter(|commit| !is_bot(&commit.author)) {
        let touched: BTreeSet<&str> = commit
            .files
            .iter()
            .filter(|&&file| ground.keeps(file))
            .filter_map(|&file| folders::of(&map.file(file).path, &folders))
            .collect();
        for folder in touched {
            let own = known.entry(folder).or_default().entry(&commit.author).or_insert((0, commit.time));
            own.0 += 1;
            own.1 = own.1.max(commit.time);
        }
    }
    let folders: Vec<Known> = known.into_iter().filter_map(|(folder, authors)| of_folder(folder, authors)).collect();
    let oldest = log.commits.iter().map(|commit| commit.time).min().filter(|_| log.bounded);
    (!folders.is_empty()).then(|| People { folders, since: oldest.map(month) })
}

fn of_folder(folder: &str, authors: BTreeMap<&str, (usize, i64)>) -> Option<Known> {
    let all: usize = authors.values().map(|(count, _)| count).sum();
    if all < FEWEST {
        return None;
    }
    let mut ordered: Vec<(&str, usize, i64)> =
        authors.into_iter().map(|(name, (count, last))| (name, count, last)).collect();
    ordered.sort_by_key(|&(name, count, _)| (std::cmp::Reverse(count), name));
    let share = |count: usize| match count * 100 / all {
        90.. => "nearly all",
        60.. => "most",
        40.. => "about half",
        15.. => "some",
        _ => "a few",
    };
    let main =
        ordered.iter().take(AUTHORS).enumerate().filter(|(at, (_, count, _))| *at == 0 || count * 100 >= all * 10);
    let authors: Vec<Author> = main
        .map(|(_, &(name, count, last))| Author {
            name: name.to_owned(),
            share: share(count).to_owned(),
            last: month(last),
        })
        .collect();
    Some(Known { folder: folder.to_owned(), others: ordered.len() > authors.len(), authors })
}

fn is_bot(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.ends_with("[bot]")
        || lower.ends_with("-bot")
        || lower.ends_with(" bot")
        || matches!(lower.as_str(), "dependabot" | "renovate" | "github actions" | "github")
}
