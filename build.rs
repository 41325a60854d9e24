//! Says what made the facts of a file and what calls resolve to: a hash of the sources that decide it. What another build kept is then not
//! trusted, without anybody having to remember to count up a version. Brings the tasks of `improve bench` into the program, too.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

/// What decides which facts a text gives. The lock file names the grammars.
const DECIDING: &[&str] = &[
    "src/map/read.rs",
    "src/map/language",
    "src/map/language.rs",
    "src/map/syntax.rs",
    "src/map/classify.rs",
    "src/map/credentials.rs",
    "src/map/facts_cache.rs",
    "src/map/facts_cache",
    "src/map/links_cache.rs",
    "src/map/resolve",
    "src/map/resolve.rs",
    "src/repo_map",
    "src/repo_map.rs",
    "src/secrets.rs",
    "src/secrets",
    "Cargo.lock",
];

/// Tasks of `improve bench`.
const TASKS: &str = "fixtures/bench";

fn main() {
    let mut hasher = DefaultHasher::new();
    for path in DECIDING {
        println!("cargo::rerun-if-changed={path}");
        for file in files(Path::new(path)) {
            hasher.write(file.to_string_lossy().as_bytes());
            hasher.write(&std::fs::read(&file).unwrap_or_default());
        }
    }
    println!("cargo::rustc-env=IMPROVE_FACTS_FINGERPRINT={:016x}", hasher.finish());
    bench_tasks();
}

/// Writes the tasks of the benchmark as a table of paths and texts: an installed program has no folder to read them from.
fn bench_tasks() {
    println!("cargo::rerun-if-changed={TASKS}");
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let rows = files(Path::new(TASKS)).into_iter().map(|file| {
        let path = file.strip_prefix(TASKS).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let absolute = Path::new(&here).join(&file).to_string_lossy().into_owned();
        format!("    ({path:?}, include_str!({absolute:?})),\n")
    });
    let rows: String = rows.collect();
    let table =
        format!("/// Files of the built-in tasks, by their path.\nstatic BUILT_IN: &[(&str, &str)] = &[\n{rows}];\n");
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("bench_tasks.rs"), table).expect("the folder of a build is writable");
}

/// `path` or, in order, everything below it.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside.iter().flat_map(|path| files(path)).collect()
}
