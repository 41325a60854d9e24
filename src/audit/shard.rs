//! Parts of an audit for several machines: each maps everything, because calls cross borders, and reports on its own files.
//!
//! Files stand in order of package and path, and the order is cut where the shares end: at the border of a package when one is
//! near, else between two files. So every path falls into one part, also one that is in no map.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::repo_map::RepoMap;

/// Which part, of how many: `2/4`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Shard {
    /// The part, from 1.
    #[schemars(range(min = 1))]
    pub index: usize,
    /// How many there are.
    #[schemars(range(min = 1))]
    pub of: usize,
}

/// Parts, at most: what a CI matrix takes (GitHub: 256 jobs).
const MOST: usize = 256;
/// How far from its place a cut may go to meet the border of a package, as a part of a share: two of them still leave parts within a
/// tenth of each other.
const NEAR: f64 = 0.05;

impl FromStr for Shard {
    type Err = ();

    fn from_str(text: &str) -> Result<Shard, ()> {
        let (index, of) = text.split_once('/').ok_or(())?;
        let (index, of) = (index.parse().map_err(|_| ())?, of.parse().map_err(|_| ())?);
        if (1..=of).contains(&index) && of <= MOST { Ok(Shard { index, of }) } else { Err(()) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.of)
    }
}

/// Where a file stands in the order: its package, then its path.
type Place<'a> = (&'a str, &'a str);

/// A repository in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Folders of packages, `""` for the root.
    packages: Vec<String>,
    /// The first place of each part but the first.
    cuts: Vec<(String, String)>,
}

impl Parts {
    /// The files of `map` in `number` parts of about the same weight. The weight of a file is what reading it takes: its bytes.
    pub fn of(map: &RepoMap, number: usize) -> Parts {
        let packages: Vec<String> = map.recon.packages.iter().map(|package| package.folder.clone()).collect();
        let files = map.files.iter().map(|file| (file.path.as_str(), file.bytes));
        Parts::cut(packages, files, number)
    }

    fn cut<'a>(packages: Vec<String>, files: impl Iterator<Item = (&'a str, u64)>, number: usize) -> Parts {
        let mut files: Vec<(Place<'_>, u64)> =
            files.map(|(path, weight)| ((package_of(&packages, path), path), weight.max(1))).collect();
        files.sort_unstable();
        let whole: u64 = files.iter().map(|(_, weight)| weight).sum();
        let share = whole as f64 / number as f64;
        let mut before = 0;
        // How much stands before each file, and whether its package begins there.
        let borders: Vec<(u64, bool)> = (0..files.len())
            .map(|index| {
                let border = (before, index == 0 || files[index - 1].0.0 != files[index].0.0);
                before += files[index].1;
                border
            })
            .collect();
        let distance = |index: usize, wanted: f64| (borders[index].0 as f64 - wanted).abs();
        let nearest = |wanted: f64, of_package: bool| {
            let all = (0..borders.len()).filter(|&index| !of_package || borders[index].1);
            all.min_by(|&one, &other| distance(one, wanted).total_cmp(&distance(other, wanted)))
        };
        let cuts = (1..number).filter_map(|part| {
            let wanted = share * part as f64;
            let of_package = nearest(wanted, true).filter(|&index| distance(index, wanted) <= share * NEAR);
            let (package, path) = files[of_package.or_else(|| nearest(wanted, false))?].0;
            // A package has files that are in no map, too.
            let path = if of_package.is_some() { "" } else { path };
            Some((package.to_owned(), path.to_owned()))
        });
        let cuts = cuts.collect();
        Parts { packages, cuts }
    }

    /// The part that a path belongs to, from 1.
    pub fn part_of(&self, path: &str) -> usize {
        let place = (package_of(&self.packages, path), path);
        1 + self.cuts.partition_point(|(package, first)| (package.as_str(), first.as_str()) <= place)
    }

    /// Whether `path` belongs to `shard`.
    pub fn holds(&self, shard: Shard, path: &str) -> bool {
        self.part_of(path) == shard.index
    }

    /// What belongs to `shard`, for a model: the packages, and where it holds only some files of one, from which to which.
    pub fn in_words(&self, shard: Shard, map: &RepoMap) -> String {
        let mut packages: BTreeMap<&str, (Vec<&str>, usize)> = BTreeMap::new();
        for file in &map.files {
            let (ours, all) = packages.entry(package_of(&self.packages, &file.path)).or_default();
            *all += 1;
            if self.holds(shard, &file.path) {
                ours.push(&file.path);
            }
        }
        let mut text = String::new();
        for (folder, (mut ours, all)) in packages {
            ours.sort_unstable();
            let (Some(first), Some(last)) = (ours.first(), ours.last()) else { continue };
            let folder = if folder.is_empty() { "." } else { folder };
            let _ = if ours.len() == all {
                writeln!(text, "- `{folder}`")
            } else {
                writeln!(text, "- of `{folder}`, from `{first}` to `{last}` in order of path")
            };
        }
        text
    }
}

impl Audit {
    /// Keeps what is reported of a part. What was left out holds for all of them.
    pub(super) fn keep(&mut self, parts: &Parts, shard: Shard) {
        let is_ours = |finding: &Finding| parts.holds(shard, &finding.location().file);
        let Audit { findings, suppressed, rejected, known, not_audited: _, failed_rules: _, warnings: _ } = self;
        findings.retain(is_ours);
        known.retain(is_ours);
        rejected.retain(is_ours);
        suppressed.retain(|suppressed| is_ours(&suppressed.finding));
    }
}

/// The folder of the innermost package around a path.
fn package_of<'a>(packages: &'a [String], path: &str) -> &'a str {
    let is_around = |folder: &&String| {
        folder.is_empty() || path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    packages.iter().filter(is_around).max_by_key(|folder| folder.len()).map_or("", |folder| folder.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weights(parts: &Parts, files: &[(String, u64)], number: usize) -> Vec<u64> {
        let mut weights = vec![0; number];
        files.iter().for_each(|(path, weight)| weights[parts.part_of(path) - 1] += weight.max(&1));
        weights
    }

    fn cut(packages: &[&str], files: &[(String, u64)], number: usize) -> Parts {
        let packages = packages.iter().map(|folder| (*folder).to_owned()).collect();
        Parts::cut(packages, files.iter().map(|(path, weight)| (path.as_str(), *weight)), number)
    }

    #[test]
    fn a_shard_is_a_part_of_a_whole() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        assert_eq!(Shard { index: 2, of: 4 }.to_string(), "2/4");
        for text in ["", "2", "0/4", "5/4", "1/0", "-1/2", "1/257", "1/2/3", "a/b"] {
            assert_eq!(text.parse::<Shard>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_cut_near_a_package_keeps_it_whole() {
        let files: Vec<(String, u64)> = (0..104)
            .map(|index| (format!("packages/{}/src/{index:03}.ts", if index < 54 { "a" } else { "b" }), 10))
            .collect();
        let parts = cut(&["", "packages/a", "packages/b"], &files, 2);
        assert!(files.iter().all(|(path, _)| parts.part_of(path) == if path.contains("/a/") { 1 } else { 2 }));
        assert_eq!(parts.part_of("packages/b/README.md"), 2, "what is no source falls into a part, too");
        assert_eq!(parts.part_of("package.json"), 1);
    }

    #[test]
    fn more_parts_than_files_leave_some_empty() {
        let files = [("a.ts".to_owned(), 5)];
        let parts = cut(&[""], &files, 4);
        assert_eq!(weights(&parts, &files, 4).iter().sum::<u64>(), 5);
        assert_eq!(cut(&[], &[], 3).part_of("a.ts"), 1, "no file at all");
    }

    proptest! {
        #[test]
        fn parts_are_within_a_tenth_of_a_share(
            sizes in proptest::collection::vec((0_usize..12, 1_u64..2_000), 400..900),
            number in 1_usize..9,
        ) {
            let files: Vec<(String, u64)> =
                sizes.iter().enumerate().map(|(index, (package, weight))| (format!("p{package}/f{index}.ts"), *weight)).collect();
            let packages: Vec<String> = (0..12).map(|index| format!("p{index}")).collect();
            let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
            let parts = cut(&packages, &files, number);
            let share = files.iter().map(|(_, weight)| weight).sum::<u64>() as f64 / number as f64;
            for weight in weights(&parts, &files, number) {
                // A file cannot be cut.
                prop_assert!((weight as f64 - share).abs() <= share * 0.1 + 2_000.0, "{weight} of {share}");
            }
        }
    }
}
