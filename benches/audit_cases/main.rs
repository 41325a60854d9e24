//! The audit against defects that somebody mended: is there a finding at the place, how high does it rank, how many others of its
//! kind are there, and is it gone once the fix is in. Which rules fit which kind of defect is the table in [`fits`].
#![allow(clippy::print_stderr)] // A bench is a program of its own.

mod arguments;
mod cases;
mod clones;
mod fits;
mod report;
mod rows;
mod score;
mod snapshot;
mod snapshots;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;

use improve::audit::engine::rule_by_id;

use arguments::{Arguments, USAGE};
use cases::Case;
use clones::Clones;
use report::Report;
use rows::Rows;
use snapshots::{Snapshots, Source};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("audit_cases: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let (Some(cases), Some(clones)) = (&arguments.cases, &arguments.clones) else {
        // A plain `cargo bench` runs every bench; without cases there is nothing to measure.
        return print(&format!("{USAGE}\n"));
    };
    let text = fs::read_to_string(cases).map_err(|error| format!("{}: {error}", cases.display()))?;
    let mut cases = cases::parse(&text).map_err(|error| format!("{}: {error}", cases.display()))?;
    cases.retain(|case| arguments.only.is_empty() || arguments.only.contains(&case.id));
    let source = match &arguments.findings {
        Some(path) => Source::Peer(Rows::read(path)?),
        None => Source::Audit { rules: arguments.rules.clone() },
    };
    if let Some(unknown) = arguments.rules.iter().find(|id| rule_by_id(id).is_none()) {
        return Err(format!("no rule is called `{unknown}`").into());
    }
    let report = score_all(&cases, Clones::new(clones), &source);
    print(&match arguments.json {
        true => format!("{:#}\n", report.json()),
        false => report.text(arguments.misses),
    })
}

/// Case after case; one whose clone or commits are missing is named and left out.
fn score_all<'a>(cases: &'a [Case], clones: Clones, source: &'a Source) -> Report<'a> {
    let mut snapshots = Snapshots::new(clones, source);
    let mut report = Report::new(source.tool(), source.is_peer());
    for case in cases {
        let of = |snapshots: &mut Snapshots<'a>| {
            let before = snapshots.at(&case.repo, &case.parent)?;
            let after = snapshots.at(&case.repo, &case.fix)?;
            Ok::<_, Box<dyn Error>>((before, after))
        };
        match of(&mut snapshots) {
            Ok((before, after)) => report.add(case, before, &after),
            Err(error) => report.leave_out(case, error.to_string()),
        }
    }
    report
}

/// Not by `print!`, which panics when the reader has seen enough, as `head` has.
fn print(text: &str) -> Result<(), Box<dyn Error>> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}
