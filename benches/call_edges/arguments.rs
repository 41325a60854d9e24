//! The command line of the bench.

use std::path::PathBuf;

/// What to type.
pub const USAGE: &str = "\
usage: cargo bench --bench call_edges -- TRUTH.jsonl REPOSITORY [TRUTH.jsonl REPOSITORY …] [options]

REPOSITORY is a folder to map, or a file with the rows of another tool.

  --nontest    only calls in production code
  --read       only calls in files that the map reads: bundles and the like are left out
  --misses N   the first N missed and the first N wrong edges of each repository
  --shapes     recall by the shape of the call
  --json       one JSON object instead of tables";

/// What to score.
pub struct Arguments {
    /// Truth and what is scored against it.
    pub pairs: Vec<Pair>,
    /// `--nontest`.
    pub production_only: bool,
    /// `--read`.
    pub read_only: bool,
    /// `--misses`.
    pub misses: usize,
    /// `--shapes`.
    pub shapes: bool,
    /// `--json`.
    pub json: bool,
}

/// One repository.
pub struct Pair {
    /// The truth.
    pub truth: PathBuf,
    /// A folder to map, or a file of rows.
    pub predicted: PathBuf,
}

impl Pair {
    /// The repository's name in tables: the last part of its path.
    pub fn name(&self) -> String {
        self.predicted.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Arguments {
    /// Reads the command line, program name left out.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments =
            Self { pairs: Vec::new(), production_only: false, read_only: false, misses: 0, shapes: false, json: false };
        let mut truth: Option<PathBuf> = None;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bench" => {} // Cargo says it to every bench.
                "--nontest" => arguments.production_only = true,
                "--read" => arguments.read_only = true,
                "--shapes" => arguments.shapes = true,
                "--json" => arguments.json = true,
                "--misses" => {
                    let count = words.next().ok_or("--misses needs a number")?;
                    arguments.misses = count.parse().map_err(|_| format!("--misses {count}: not a number"))?;
                }
                option if option.starts_with('-') => return Err(format!("{option}: unknown\n{USAGE}")),
                path => match truth.take() {
                    None => truth = Some(path.into()),
                    Some(truth) => arguments.pairs.push(Pair { truth, predicted: path.into() }),
                },
            }
        }
        match truth {
            Some(truth) => Err(format!("{}: no repository to score against it\n{USAGE}", truth.display())),
            None => Ok(arguments),
        }
    }
}
