//! `improve map`: the repo map.

use std::cell::RefCell;

use clap::Args;
use improve::map::rank::rank;
use improve::report::map_document::MapDocument;
use improve::report::{json, map_human, map_lines, map_outline};
use improve::settings::Flags;
use improve::survey::Survey;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs};
use super::words;

/// Show what the mapper knows: project facts, files, definitions, calls
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Files and folders to show; with --tokens, those that matter most now
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Leave out what matches; repeatable
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Calls between definitions of the repository, and how each was found
    #[arg(long, group = "view")]
    calls: bool,
    /// Definitions
    #[arg(long, group = "view")]
    symbols: bool,
    /// Files, those left out included
    #[arg(long, group = "view")]
    files: bool,
    /// With --calls: also calls known by name alone and calls that stayed open
    #[arg(long, requires = "calls")]
    unresolved: bool,
    /// The most important definitions in at most N tokens
    #[arg(long, value_name = "N", group = "view")]
    tokens: Option<usize>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the map.
pub fn run(args: MapArgs, context: &Context) -> Result<ExitCode, Failure> {
    let MapArgs { paths, exclude, calls, symbols, files, unresolved, tokens, output } = args;
    let supported: &[Format] = match (calls || symbols || files, tokens) {
        (true, _) => &[Format::Human, Format::Jsonl],
        (false, Some(_)) => &[Format::Human],
        (false, None) => &[Format::Human, Format::Json, Format::Jsonl],
    };
    let outputs = output.outputs("improve map", supported)?;
    let flags = Flags { exclude: (!exclude.is_empty()).then_some(exclude), ..Flags::default() };
    let workspace = context.globals.workspace(flags, &context.console)?;
    let wanted = paths
        .iter()
        .map(|path| words::path(path, &workspace.root).ok_or_else(|| missing(path)))
        .collect::<Result<Vec<_>, _>>()?;
    let filter = words::Filter::new(&wanted)?;
    let keep = |path: &str| filter.keeps(path);
    let survey = read(&workspace, context)?;
    let map = &survey.map;
    let page = context.console.page(&workspace.root.to_string_lossy());
    let text = |format: Format| match format {
        Format::Human | Format::Markdown => {
            if calls {
                map_human::calls(map_lines::calls(map, unresolved, &keep))
            } else if symbols {
                map_human::symbols(map_lines::symbols(map, &keep))
            } else if files {
                map_human::files(&map_lines::files(map, &keep), &page)
            } else if let Some(tokens) = tokens {
                let interest = |path: &str| !wanted.is_empty() && keep(path);
                map_outline::outline(map, &rank(map, &interest), tokens)
            } else {
                map_human::overview(&document(&survey), &page)
            }
        }
        Format::Jsonl => {
            if calls {
                json::lines(map_lines::calls(map, unresolved, &keep))
            } else if symbols {
                json::lines(map_lines::symbols(map, &keep))
            } else if files {
                json::lines(map_lines::files(map, &keep))
            } else {
                json::line(&document(&survey))
            }
        }
        Format::Json => json::document(&document(&survey)),
    };
    // The largest repositories give tens of megabytes: a format asked for twice is rendered once.
    let last: RefCell<Option<(Format, String)>> = RefCell::new(None);
    outputs.write(&context.console, &|format, _| {
        let mut last = last.borrow_mut();
        match last.as_ref() {
            Some((rendered, text)) if *rendered == format => text.clone(),
            Some(_) | None => {
                let text = text(format);
                *last = Some((format, text.clone()));
                text
            }
        }
    })?;
    Ok(ExitCode::Done)
}

fn document(survey: &Survey) -> MapDocument {
    MapDocument::new(&survey.map, survey.repository())
}

fn missing(path: &str) -> Failure {
    Failure::usage(format!("{path}: not a file or folder of the repository"))
        .hint("paths are relative to the current folder or to the root of the repository")
}
