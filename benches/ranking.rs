//! How well the ranking foresees history: one file of a commit given, how many of the others are among the first 20.
//!
//! `cargo bench --bench ranking -- DIR…` prints recall@20 for each repository and the mean. A case is a commit of 2 to 8
//! source files that still exist; one is drawn as the seed. Churn and co-change are taken from before the oldest case, so that
//! no case knows its own answer; the code is that of the working tree. `--write DIR` leaves `NAME.cases` and `NAME.ranked` (JSON
//! lines) for a scorer of somebody else's. The draw is that of Python's `random.Random(7)`, so that the cases are those of the
//! published table.
#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use improve::git::{HistoryLimits, Repository};
use improve::map::rank::{Focus, near};
use improve::map::{self, MapOptions};
use improve::progress::NoProgress;
use improve::repo_map::RepoMap;
use improve::repo_map::history::History;
use improve::tree::Tree;

/// Cases a repository at most.
const CASES: usize = 80;
/// Commits looked at for cases.
const COMMITS: usize = 400;
/// Files that count as found.
const FIRST: usize = 20;
struct Case {
    commit: String,
    seed: String,
    targets: Vec<String>,
}

fn main() {
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut write: Option<PathBuf> = None;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--write" {
            write = arguments.next().map(PathBuf::from);
        } else {
            folders.push(argument.into());
        }
    }
    if folders.is_empty() {
        println!("usage: cargo bench --bench ranking -- [--write DIR] DIR…");
        return;
    }
    println!("{:<20} {:>5} {:>6} {:>10} {:>8}", "repository", "files", "cases", "recall@20", "ms/case");
    let recalls: Vec<f64> = folders.iter().map(|folder| measure(folder, write.as_deref())).collect();
    println!("{:<20} {:>5} {:>6} {:>10.3}", "mean", "", "", recalls.iter().sum::<f64>() / recalls.len() as f64);
}

/// Prints the row of one repository and gives its recall.
fn measure(folder: &Path, write: Option<&Path>) -> f64 {
    let (cases, before) = cases(folder);
    let map = map_of(folder, before.as_deref());
    let started = Instant::now();
    let ranked: Vec<Vec<&str>> = cases.iter().map(|case| best(&map, &case.seed)).collect();
    let each = started.elapsed().as_secs_f64() * 1000.0 / cases.len().max(1) as f64;
    let recall = |(case, files): (&Case, &Vec<&str>)| {
        let found = case.targets.iter().filter(|target| files.iter().take(FIRST).any(|file| file == target)).count();
        found as f64 / case.targets.len() as f64
    };
    let mean = cases.iter().zip(&ranked).map(recall).sum::<f64>() / cases.len().max(1) as f64;
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    println!("{name:<20} {:>5} {:>6} {mean:>10.3} {each:>8.1}", map.files.len(), cases.len());
    if let Some(to) = write {
        leave(to, &name, &cases, &ranked, before.as_deref());
    }
    mean
}

fn best<'a>(map: &'a RepoMap, seed: &str) -> Vec<&'a str> {
    let Some((file, _)) = map.file_by_path(seed) else { return Vec::new() };
    let focus = Focus { files: vec![file], ..Focus::default() };
    near(map, &focus).into_iter().take(FIRST).map(|near| map.file(near.file).path.as_str()).collect()
}

fn map_of(folder: &Path, before: Option<&str>) -> RepoMap {
    let repository = Repository::discover(folder).expect("a git repository");
    let tree = repository.checkout(None).expect("a working tree").tree;
    let listed = tree.entries().expect("the files can be listed");
    let history = before.map_or_else(History::default, |before| {
        let commit = repository.resolve(before).expect("the commit is of this repository");
        let touches = repository.history(&commit, HistoryLimits::default(), None, &NoProgress);
        touches.expect("history can be read").history(listed.iter().map(|entry| entry.path.as_str()))
    });
    map::build(&tree, &MapOptions::default(), &history, None, &NoProgress).expect("a map")
}

/// The cases, and the newest commit older than all of them.
fn cases(folder: &Path) -> (Vec<Case>, Option<String>) {
    let listed = git(folder, &["ls-files", "-z"]);
    let here: BTreeSet<&str> =
        listed.split('\0').filter(|path| is_source(path) && folder.join(path).is_file()).collect();
    let log =
        git(folder, &["log", "--first-parent", "-m", "-n", "1500", "--name-only", "--no-renames", "--format=%x01%H"]);
    let mut commits: Vec<(String, Vec<String>)> = commits(&log);
    for (_, paths) in &mut commits {
        paths.retain(|path| here.contains(path.as_str()));
        paths.sort();
        paths.dedup();
    }
    let of_size =
        |(place, (_, paths)): (usize, &(String, Vec<String>))| (2..=8).contains(&paths.len()).then_some(place);
    let picked: Vec<usize> = commits.iter().take(COMMITS).enumerate().filter_map(of_size).take(CASES).collect();
    let before = picked.last().and_then(|&last| commits.get(last + 1)).map(|(commit, _)| commit.clone());
    let mut draw = Draw::new(7);
    let cases = picked
        .into_iter()
        .map(|place| {
            let (commit, paths) = &commits[place];
            let seed = paths[draw.below(paths.len() as u32) as usize].clone();
            let targets = paths.iter().filter(|path| **path != seed).cloned().collect();
            Case { commit: commit.clone(), seed, targets }
        })
        .collect();
    (cases, before)
}

fn commits(log: &str) -> Vec<(String, Vec<String>)> {
    log.split('\u{1}')
        .skip(1)
        .map(|block| {
            let mut lines = block.lines().filter(|line| !line.is_empty()).map(str::to_owned);
            (lines.next().unwrap_or_default(), lines.collect())
        })
        .collect()
}

fn is_source(path: &str) -> bool {
    let endings = ["rs", "js", "jsx", "ts", "tsx", "cjs", "cjsx", "cts", "ctsx", "mjs", "mjsx", "mts", "mtsx"];
    path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().expect("git runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn leave(folder: &Path, name: &str, cases: &[Case], ranked: &[Vec<&str>], before: Option<&str>) {
    let rows = cases.iter().enumerate().map(|(number, case)| {
        let Case { commit, seed, targets } = case;
        serde_json::json!({"case": number, "commit": commit, "seed": seed, "targets": targets, "before": before})
    });
    let lists = ranked.iter().enumerate().map(|(number, files)| serde_json::json!({"case": number, "files": files}));
    let text = |rows: Vec<serde_json::Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    std::fs::write(folder.join(format!("{name}.cases")), text(rows.collect())).expect("the folder is writable");
    std::fs::write(folder.join(format!("{name}.ranked")), text(lists.collect())).expect("the folder is writable");
}

/// The Mersenne Twister (MT19937) as Python seeds and asks it.
struct Draw {
    state: [u32; 624],
    next: usize,
}

impl Draw {
    fn new(seed: u32) -> Draw {
        let mut state = [0_u32; 624];
        state[0] = 19_650_218;
        for at in 1..624 {
            let before = state[at - 1];
            state[at] = (before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(at as u32);
        }
        // The key is the one word of the seed.
        let mut at = 1;
        for _ in 0..624 {
            let before = state[at - 1];
            state[at] = (state[at] ^ (before ^ (before >> 30)).wrapping_mul(1_664_525)).wrapping_add(seed);
            at += 1;
            if at == 624 {
                state[0] = state[623];
                at = 1;
            }
        }
        for _ in 0..623 {
            let before = state[at - 1];
            state[at] = (state[at] ^ (before ^ (before >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(at as u32);
            at += 1;
            if at == 624 {
                state[0] = state[623];
                at = 1;
            }
        }
        state[0] = 0x8000_0000;
        Draw { state, next: 624 }
    }

    fn word(&mut self) -> u32 {
        if self.next == 624 {
            for at in 0..624 {
                let both = (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % 624] & 0x7fff_ffff);
                let odd = if both & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[at] = self.state[(at + 397) % 624] ^ (both >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// A number below `limit`: words of just enough bits, until one is small enough.
    fn below(&mut self, limit: u32) -> u32 {
        let bits = 32 - limit.leading_zeros();
        loop {
            let number = self.word() >> (32 - bits);
            if number < limit {
                return number;
            }
        }
    }
}
