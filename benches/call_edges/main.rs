//! Call edges of `improve map` against a compiler front end: precision, recall and F1 for each repository, and the
//! precision of each way of finding an edge. How to make the truth is in `benches/truth/README.md`.
#![allow(clippy::print_stderr)] // A bench is a program of its own.

mod arguments;
mod predictions;
mod report;
mod score;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;

use arguments::{Arguments, Pair, USAGE};
use predictions::Predicted;
use report::Report;
use score::{Truth, parse, production_only};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call_edges: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    if arguments.pairs.is_empty() {
        // A plain `cargo bench` runs every bench; without truth there is nothing to measure.
        return print(&format!("{USAGE}\n"));
    }
    let mut report = Report::default();
    for pair in &arguments.pairs {
        report.add(pair.name(), score_pair(pair, &arguments)?);
    }
    print(&match arguments.json {
        true => format!("{}\n", report.json()),
        false => report.text(arguments.misses, arguments.shapes),
    })
}

/// Not by `print!`, which panics when the reader has seen enough, as `head` has.
fn print(text: &str) -> Result<(), Box<dyn Error>> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn score_pair(pair: &Pair, arguments: &Arguments) -> Result<score::Score, Box<dyn Error>> {
    let text = fs::read_to_string(&pair.truth).map_err(|error| format!("{}: {error}", pair.truth.display()))?;
    let mut truth = parse(&text).map_err(|error| format!("{}: {error}", pair.truth.display()))?;
    let Predicted { rows: mut predicted, files } = predictions::read(&pair.predicted)?;
    if arguments.read_only {
        let files = files.ok_or_else(|| format!("--read: {} is no folder to map", pair.predicted.display()))?;
        truth.retain(|site: &Truth| files.contains(&site.caller_file));
    }
    if arguments.production_only {
        (truth, predicted) = production_only(truth, predicted);
    }
    Ok(score::score(&truth, &predicted))
}
