//! What the overview's order is worth: how much of what later commits touch and use, and of what documents name, stands among
//! its first definitions.
//!
//! `cargo bench --bench overview -- DIR…` maps each repository as it was some hundred commits ago, from git's objects, with
//! the history of that time, and prints a row for each way to weigh the orders. See `benches/README.md`.
#![allow(clippy::print_stdout, missing_docs)]

use std::path::{Path, PathBuf};

use improve::git::{HistoryLimits, Repository};
use improve::map::rank::{Focus, Weights, weighed};
use improve::map::{self, MapOptions};
use improve::progress::NoProgress;
use improve::repo_map::RepoMap;
use improve::report::map_outline::outlined;
use improve::tree::Tree;

mod evidence;
mod ways;

use evidence::Evidence;
use ways::Way;

/// Later commits that are looked at.
const COMMITS: usize = 300;
/// Tokens of the outlines that are looked into.
const TOKENS: [usize; 2] = [1000, 4000];
/// A kind of evidence of which a repository has fewer cases says nothing about it.
const FEWEST: usize = 5;

fn main() {
    let folders: Vec<PathBuf> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").map(PathBuf::from).collect();
    if folders.is_empty() {
        println!("usage: cargo bench --bench overview -- DIR…");
        return;
    }
    let ways = ways::all();
    let mut sums = vec![[[0.0; 3]; TOKENS.len()]; ways.len()];
    let mut repositories = [0.0; 3];
    for folder in &folders {
        let (map, evidence) = before(folder);
        let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let cases = evidence.cases();
        println!("{name}: {} commits use, {} commits touch, {} documents name", cases[0], cases[1], cases[2]);
        for (count, cases) in repositories.iter_mut().zip(cases) {
            *count += f64::from(u8::from(cases >= FEWEST));
        }
        for (way, sums) in ways.iter().zip(&mut sums) {
            let ranking = way.ranking(&map);
            let shares = TOKENS.map(|tokens| evidence.shares(&outlined(&map, &ranking, &Focus::default(), tokens)));
            for (sums, shares) in sums.iter_mut().zip(shares) {
                for (sum, (share, cases)) in sums.iter_mut().zip(shares.into_iter().zip(cases)) {
                    *sum += if cases >= FEWEST { share } else { 0.0 };
                }
            }
            row(way, shares);
        }
    }
    println!("mean");
    for (way, sums) in ways.iter().zip(&sums) {
        row(way, sums.map(|sums| std::array::from_fn(|kind| sums[kind] / f64::max(repositories[kind], 1.0))));
    }
}

fn row(way: &Way, shares: [[f64; 3]; TOKENS.len()]) {
    print!("  {:<28}", way.name);
    for [used, worked, named] in shares {
        print!("  | {used:.3} {worked:.3} {named:.3}  {:.3}", (used + worked + named) / 3.0);
    }
    println!();
}

/// The map as it was, and what came of it.
fn before(folder: &Path) -> (RepoMap, Evidence) {
    let repository = Repository::discover(folder).expect("a git repository");
    let base = evidence::base(folder, COMMITS);
    let commit = repository.resolve(&base).expect("the commit is of this repository");
    let tree = repository.tree_of(&commit).expect("its tree can be read");
    let listed = tree.entries().expect("the files can be listed");
    let touches = repository.history(&commit, HistoryLimits::default(), None, &NoProgress);
    let history = touches.expect("history can be read").history(listed.iter().map(|entry| entry.path.as_str()));
    let map = map::build(&tree, &MapOptions::default(), &history, None, &NoProgress).expect("a map");
    let shown = weighed(&map, &Weights::default()).symbols;
    let evidence = Evidence::new(folder, &base, &map, &shown, &tree);
    (map, evidence)
}
