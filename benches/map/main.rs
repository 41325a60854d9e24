//! What the map costs, as ratios to bare parsing measured in the same run; with `--audit`, what the audit costs beside it.
//!
//! Each figure is of a process of its own, so that CPU time and peak memory are its alone; the runs of a repository take turns, so
//! that a busy machine is busy for all of them, and the least of each is shown. Nothing is written into the repositories.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Printing is its job.

mod audit;
mod bare;
mod measure;
mod trees;

use std::path::{Path, PathBuf};

use measure::{Cost, cost, least};

/// Lines of the trees of `--growth`.
const GROWTH: &[u64] = &[10_000, 50_000, 250_000, 1_000_000, 2_000_000];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // Cargo runs benches without arguments in `cargo test --benches` too.
        [] => println!(
            "usage: cargo bench --bench map -- [--audit] [--runs N] REPOSITORY… | [--audit] --growth REPOSITORY…"
        ),
        ["--measured", program, arguments @ ..] => measure::run_measured(program, arguments),
        ["--parse", list] => bare::parse(Path::new(list)),
        ["--audit", "--growth", repositories @ ..] => {
            audit::growth(&repositories.iter().map(PathBuf::from).collect::<Vec<_>>());
        }
        ["--audit", "--runs", runs, repositories @ ..] => {
            audit::table(runs.parse().expect("--runs takes a number"), repositories);
        }
        ["--audit", repositories @ ..] => audit::table(5, repositories),
        ["--growth", repositories @ ..] => growth(&repositories.iter().map(PathBuf::from).collect::<Vec<_>>()),
        ["--runs", runs, repositories @ ..] => {
            table(runs.parse().expect("--runs takes a number"), repositories.iter().copied());
        }
        repositories => table(5, repositories.iter().copied()),
    }
}

fn table<'a>(runs: usize, repositories: impl Iterator<Item = &'a str>) {
    println!(
        "CPU s / wall s / peak MB, the least of {runs} runs; × is CPU / wall against bare parsing in the same run"
    );
    println!();
    println!(
        "| repository | lines | bare parsing | cold, no history | × | cold | × | warm | × | one file edited | × |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for repository in repositories {
        let repository = PathBuf::from(repository).canonicalize().expect("the repository exists");
        println!("{}", row(&repository, runs));
    }
}

/// The trees and caches of one repository's runs.
struct Runs {
    work: tempfile::TempDir,
    /// A copy of the files alone.
    plain: PathBuf,
    /// A copy with its history, to be edited.
    edited: PathBuf,
    list: PathBuf,
}

fn row(repository: &Path, runs: usize) -> String {
    let work = tempfile::tempdir().expect("there is room for two copies");
    let (plain, edited) = (work.path().join("plain"), work.path().join("edited"));
    let list = work.path().join("list");
    trees::copy(repository, &edited, true);
    trees::copy(repository, &plain, false);
    let prepared = Runs { work, plain, edited, list };
    let mapped = trees::mapped_files(&prepared.edited, &prepared.cache("list"));
    std::fs::write(&prepared.list, mapped.list(&prepared.edited)).expect("the folder is ours");

    let (mut bare, mut plain, mut cold, mut warm, mut edited) = (vec![], vec![], vec![], vec![], vec![]);
    prepared.map(&prepared.edited, "warm");
    // What was written within the last two seconds is hashed again, which is no part of a usual warm run.
    std::thread::sleep(std::time::Duration::from_secs(3));
    prepared.map(&prepared.edited, "warm");
    for run in 0..runs {
        bare.push(cost(&measure::own(&["--parse", &prepared.list.to_string_lossy()]), &[]));
        plain.push(prepared.map(&prepared.plain, &format!("plain{run}")));
        cold.push(prepared.map(&prepared.edited, &format!("cold{run}")));
        warm.push(prepared.map(&prepared.edited, "warm"));
        trees::edit(&prepared.edited.join(mapped.middle()), run);
        edited.push(prepared.map(&prepared.edited, "warm"));
        std::thread::sleep(std::time::Duration::from_secs(3));
        prepared.map(&prepared.edited, "warm");
    }
    let bare = least(&bare);
    let cells = [&plain, &cold, &warm, &edited].map(|costs| {
        let cost = least(costs);
        format!("{cost} | {:.2} / {:.2}", cost.cpu / bare.cpu, cost.wall / bare.wall)
    });
    format!(
        "| {} | {} | {bare} | {} |",
        repository.file_name().unwrap_or_default().to_string_lossy(),
        mapped.lines,
        cells.join(" | "),
    )
}

impl Runs {
    fn cache(&self, name: &str) -> PathBuf {
        self.work.path().join("caches").join(name)
    }

    /// `improve map` as a user runs it.
    fn map(&self, tree: &Path, cache: &str) -> Cost {
        map(tree, &self.cache(cache))
    }
}

fn map(tree: &Path, cache: &Path) -> Cost {
    let tree = tree.to_string_lossy();
    let command = [env!("CARGO_BIN_EXE_improve"), "map", "--format", "json", "--repo", &tree].map(str::to_owned);
    cost(&command, &[("IMPROVE_CACHE_DIR", cache)])
}

/// How cost grows with size, on trees put together from the files of `repositories`.
fn growth(repositories: &[PathBuf]) {
    println!("| lines | bare parsing | cold, no history | × | CPU µs a line | peak bytes a line |");
    println!("|---|---|---|---|---|---|");
    for &lines in GROWTH {
        let work = tempfile::tempdir().expect("there is room for the trees");
        let tree = work.path().join("tree");
        let list = work.path().join("list");
        let made = trees::of_size(repositories, &tree, lines);
        std::fs::write(&list, made.list(&tree)).expect("the folder is ours");
        let bare = cost(&measure::own(&["--parse", &list.to_string_lossy()]), &[]);
        let cold = map(&tree, &work.path().join("cache"));
        println!(
            "| {} | {bare} | {cold} | {:.2} | {:.2} | {:.0} |",
            made.lines,
            cold.cpu / bare.cpu,
            cold.cpu * 1e6 / made.lines as f64,
            cold.peak_bytes as f64 / made.lines as f64
        );
    }
}
