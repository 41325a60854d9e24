//! `improve map`: the repo map, and questions to it.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use clap::Args;
use improve::map::rank::{Focus, rank};
use improve::report::map_document::MapDocument;
use improve::report::map_graph::ModuleGraph;
use improve::report::{json, map_entries, map_human, map_lines, map_outline};
use improve::settings::Flags;
use improve::survey::Survey;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs, Outputs};
use super::words;

mod focus;
mod query;

/// Tokens of an outline for a focus when nobody says how many: what a prompt has to spare.
const FOCUS_TOKENS: usize = 2_000;

/// Show what the mapper knows: project facts, files, definitions, calls
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "QUESTION",
    override_usage = "improve map [OPTIONS] [PATH]...\n       improve map [OPTIONS] <QUESTION>"
)]
pub struct MapArgs {
    #[command(subcommand)]
    query: Option<query::Query>,
    #[command(flatten)]
    view: ViewArgs,
}

#[derive(Debug, Args)]
struct ViewArgs {
    /// Files and folders to show; with --tokens, those that matter most now. A folder named like a question: `./path`
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
    /// Where the world calls in: routes, procedures, jobs, commands
    #[arg(long, group = "view")]
    entries: bool,
    /// With --calls: also calls known by name alone and calls that stayed open
    #[arg(long, requires = "calls")]
    unresolved: bool,
    /// What matters most in at most N tokens, as text or JSON
    #[arg(long, value_name = "N", group = "view")]
    tokens: Option<usize>,
    /// With --tokens: what matters around a file, a folder, a definition, or `diff` (files that differ from HEAD); repeatable
    #[arg(long, value_name = "PATH|SYMBOL|diff", conflicts_with_all = ["calls", "symbols", "files", "entries"])]
    focus: Vec<String>,
    #[command(flatten)]
    output: MapOutputArgs,
}

/// [`OutputArgs`], with the formats of the map in the help.
#[derive(Debug, Args)]
struct MapOutputArgs {
    /// Format of what goes to stdout: human, json, jsonl; dot, mermaid (which folders use which)
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    format: Format,
    /// Also write to a file, in the format before `=`, else in the one its extension names; repeatable
    #[arg(long, value_name = "[FORMAT=]PATH")]
    output: Vec<String>,
}

/// Prints the map.
pub fn run(args: MapArgs, context: &Context) -> Result<ExitCode, Failure> {
    let MapArgs { query, view } = args;
    match query {
        Some(query) => query::run(query, context),
        None => show(view, context),
    }
}

fn show(args: ViewArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ViewArgs { paths, exclude, calls, symbols, files, entries, unresolved, tokens, focus, output } = args;
    let tokens = tokens.or((!focus.is_empty()).then_some(FOCUS_TOKENS));
    let supported: &[Format] = match (calls || symbols || files || entries, tokens) {
        (true, _) => &[Format::Human, Format::Jsonl],
        (false, Some(_)) => &[Format::Human, Format::Json, Format::Jsonl],
        (false, None) => &[Format::Human, Format::Json, Format::Jsonl, Format::Dot, Format::Mermaid],
    };
    let MapOutputArgs { format, output } = output;
    let outputs = OutputArgs { format, output }.outputs("improve map", supported)?;
    let flags = Flags { exclude: (!exclude.is_empty()).then_some(exclude), ..Flags::default() };
    let workspace = context.globals.workspace(flags, &context.console)?;
    let wanted = paths
        .iter()
        .map(|path| words::path(path, &workspace.root).ok_or_else(|| missing(path)))
        .collect::<Result<Vec<_>, _>>()?;
    let filter = words::Filter::new(&wanted)?;
    let keep = |path: &str| filter.keeps(path);
    // Freeing it piece by piece would take a tenth of the time, right before the program ends.
    let survey = ManuallyDrop::new(read(&workspace, context)?);
    let map = &survey.map;
    let mut around = focus::read(&focus, &survey)?;
    if tokens.is_some() && !wanted.is_empty() {
        around.files.extend(map.files_with_ids().filter(|(_, file)| keep(&file.path)).map(|(id, _)| id));
    }
    let page = context.console.page(&workspace.root.to_string_lossy());
    let text = |format: Format| match format {
        Format::Human | Format::Markdown | Format::Sarif | Format::Github | Format::Junit | Format::Html => {
            if calls {
                map_human::calls(map_lines::calls(map, unresolved, &keep))
            } else if symbols {
                map_human::symbols(map_lines::symbols(map, &keep))
            } else if files {
                map_human::files(&map_lines::files(map, &keep), &page)
            } else if entries {
                map_human::entries(map_entries::entries(map, survey.effects(), &keep))
            } else if let Some(tokens) = tokens {
                outline(&survey, &around, tokens)
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
            } else if entries {
                json::lines(map_entries::entries(map, survey.effects(), &keep))
            } else if let Some(tokens) = tokens {
                map_outline::outline_json(map, &rank(map, &around), &around, tokens)
            } else {
                json::line(&document(&survey))
            }
        }
        Format::Json => match tokens {
            Some(tokens) => map_outline::outline_json(map, &rank(map, &around), &around, tokens),
            None => json::document(&document(&survey)),
        },
        Format::Dot => ModuleGraph::new(map, &keep).dot(),
        Format::Mermaid => ModuleGraph::new(map, &keep).mermaid(),
    };
    write(&outputs, context, &text)?;
    Ok(ExitCode::Done)
}

/// The largest repositories give tens of megabytes: a format asked for twice is rendered once.
fn write(outputs: &Outputs, context: &Context, text: &dyn Fn(Format) -> String) -> Result<(), Failure> {
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
    })
}

fn outline(survey: &Survey, focus: &Focus, tokens: usize) -> String {
    map_outline::outline(&survey.map, &rank(&survey.map, focus), focus, tokens)
}

fn document(survey: &Survey) -> MapDocument {
    MapDocument::new(&survey.map, survey.repository())
}

fn missing(path: &str) -> Failure {
    let failure = Failure::usage(format!("{path}: not a file or folder of the repository"));
    match improve::nearest::nearest(path, query::NAMES) {
        Some(question) => failure.hint(format!("did you mean `improve map {question}`?")),
        None => failure.hint("paths are relative to the current folder or to the root of the repository"),
    }
}
