//! Files that change together although neither uses the other: what no import tells, and a newcomer forgets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Ground, file_name, folder};
use crate::repo_map::history::CoChangePair;
use crate::repo_map::{FileId, FileRole};

/// Pairs listed, and of them those with the same file.
const PAIRS: usize = 8;
const OF_ONE_FILE: usize = 2;
/// Commits that touched both, and the strength, below which it may be chance. Our choice.
const FEWEST: u32 = 4;
const FEWEST_OF_NEIGHBOURS: u32 = 10;
const WEAKEST: f64 = 0.5;

/// Two files that change together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Surprise {
    /// The first by path.
    pub one: String,
    /// The other.
    pub other: String,
    /// How often: `at least 5 times`, `at least 10 times`, …
    pub together: String,
}

impl Surprise {
    pub(super) fn files(&self) -> Vec<&str> {
        vec![self.one.as_str(), self.other.as_str()]
    }
}

pub(super) fn surprises(ground: &Ground<'_>) -> Vec<Surprise> {
    let map = ground.sources.map;
    let mut pairs: Vec<&CoChangePair> = map.co_change.pairs.iter().filter(|pair| is_surprise(ground, pair)).collect();
    // In steps, so that the order outlives a commit.
    let step = |pair: &CoChangePair| (pair.strength * 10.0).floor() as u32 * u32::from(at_least(pair.together));
    pairs.sort_by_key(|pair| (std::cmp::Reverse(step(pair)), pair.one, pair.other));
    // One file that changes with many is one surprise.
    let mut named: BTreeMap<FileId, usize> = BTreeMap::new();
    pairs.retain(|pair| {
        let fresh = [pair.one, pair.other].iter().all(|file| named.get(file).copied().unwrap_or(0) < OF_ONE_FILE);
        [pair.one, pair.other].into_iter().filter(|_| fresh).for_each(|file| *named.entry(file).or_default() += 1);
        fresh
    });
    let shown = pairs.into_iter().take(PAIRS).map(|pair| Surprise {
        one: map.file(pair.one).path.clone(),
        other: map.file(pair.other).path.clone(),
        together: format!("at least {} times", at_least(pair.together)),
    });
    shown.collect()
}

fn is_surprise(ground: &Ground<'_>, pair: &CoChangePair) -> bool {
    let CoChangePair { one, other, together, strength } = *pair;
    let map = ground.sources.map;
    let counts = |file: FileId| matches!(map.file(file).role, FileRole::Production | FileRole::Script);
    let uses = ground.users[one as usize].contains(&other) || ground.users[other as usize].contains(&one);
    let (first, second) = (&map.file(one).path, &map.file(other).path);
    // Neighbours are looked at anyway, and `Order.tsx` beside `Order.styles.ts` says it by its name.
    let stem = |path: &str| file_name(path).split('.').next().unwrap_or_default().to_lowercase();
    let fewest = if folder(first) == folder(second) { FEWEST_OF_NEIGHBOURS } else { FEWEST };
    let named = folder(first) == folder(second) && stem(first) == stem(second);
    let passes_on = [first, second].iter().any(|path| matches!(stem(path).as_str(), "index" | "mod" | "lib"));
    together >= fewest
        && strength >= WEAKEST
        && counts(one)
        && counts(other)
        && !uses
        && !named
        && !passes_on
        && (ground.keeps(one) || ground.keeps(other))
}

/// A count in steps.
fn at_least(count: u32) -> u8 {
    match count {
        50.. => 50,
        20.. => 20,
        10.. => 10,
        5.. => 5,
        _ => 4,
    }
}
