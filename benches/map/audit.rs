//! What the audit costs, as ratios to the map alone in the same run.

use std::path::{Path, PathBuf};

use crate::measure::{Cost, cost, least};
use crate::{GROWTH, trees};

/// A program's run over a tree.
fn run(what: &str, tree: &Path, cache: &Path) -> Cost {
    let tree = tree.to_string_lossy();
    // Without a threshold a finding is no failure.
    let command =
        [env!("CARGO_BIN_EXE_improve"), what, "--format", "json", "--no-input", "--repo", &tree].map(str::to_owned);
    cost(&command, &[("IMPROVE_CACHE_DIR", cache), ("IMPROVE_PLANNER", Path::new("none"))])
}

/// One row a repository: cold, and after a change in one file.
pub fn table(runs: usize, repositories: &[&str]) {
    println!("CPU s / wall s / peak MB, the least of {runs} runs; × is CPU against the map in the same run");
    println!();
    println!(
        "| repository | lines | map, cold | audit, cold | × | map, one file edited | audit, one file edited | × |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for repository in repositories {
        let repository = PathBuf::from(repository).canonicalize().expect("the repository exists");
        let work = tempfile::tempdir().expect("there is room for a copy");
        let tree = work.path().join("tree");
        trees::copy(&repository, &tree, true);
        let cache = |name: &str| work.path().join("caches").join(name);
        let mapped = trees::mapped_files(&tree, &cache("list"));
        let mut cold = [vec![], vec![]];
        let mut edited = [vec![], vec![]];
        for round in 0..runs {
            for (number, what) in ["map", "audit"].into_iter().enumerate() {
                let own = cache(&format!("{what}{round}"));
                cold[number].push(run(what, &tree, &own));
                // What was written within the last two seconds is hashed again, which is no part of a usual run.
                std::thread::sleep(std::time::Duration::from_secs(3));
                run(what, &tree, &own);
                trees::edit(&tree.join(mapped.middle()), round * 2 + number);
                edited[number].push(run(what, &tree, &own));
            }
        }
        let cells = [cold, edited].map(|[map, audit]| {
            let (map, audit) = (least(&map), least(&audit));
            format!("{map} | {audit} | {:.2}", audit.cpu / map.cpu)
        });
        let name = repository.file_name().unwrap_or_default().to_string_lossy();
        println!("| {name} | {} | {} |", mapped.lines, cells.join(" | "));
    }
}

/// How cost grows with size, on trees put together from the files of `repositories`.
pub fn growth(repositories: &[PathBuf]) {
    println!("| lines | map, cold | audit, cold | × | CPU µs a line |");
    println!("|---|---|---|---|---|");
    for &lines in GROWTH {
        let work = tempfile::tempdir().expect("there is room for the trees");
        let tree = work.path().join("tree");
        let made = trees::of_size(repositories, &tree, lines);
        let map = run("map", &tree, &work.path().join("map"));
        let audit = run("audit", &tree, &work.path().join("audit"));
        println!(
            "| {} | {map} | {audit} | {:.2} | {:.2} |",
            made.lines,
            audit.cpu / map.cpu,
            audit.cpu * 1e6 / made.lines as f64,
        );
    }
}
