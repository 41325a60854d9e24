//! `improve map callers|callees|path|symbol|refs`: questions about one definition.

use clap::{Args, Subcommand};
use improve::map::rank::Reach;
use improve::repo_map::RepoMap;
use improve::repo_map::query::{self, Definition, Miss};
use improve::report::map_query::{CallsAnswer, PathAnswer, RefsAnswer, SymbolAnswer, reference};
use improve::report::{json, map_query_human as human};
use improve::settings::Flags;

use crate::cli::Context;
use crate::cli::audit::read;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::output::{Format, Kind, OutputArgs};

/// The questions, as they are typed.
pub const NAMES: [&str; 5] = ["callers", "callees", "path", "symbol", "refs"];
/// Candidates listed for an ambiguous name.
const CANDIDATES: usize = 12;
/// Formats of every answer.
const FORMATS: [Format; 3] = [Format::Human, Format::Json, Format::Jsonl];

/// A question. SYMBOL is a name, a qualified name, `file:line` or `file#name`
#[derive(Debug, Subcommand)]
pub enum Query {
    /// Who calls it
    Callers(WalkArgs),
    /// What it calls
    Callees(WalkArgs),
    /// A shortest way along calls from one definition to another
    Path(PathArgs),
    /// What is known of it: signature, callers, tests that reach it
    Symbol(NameArgs),
    /// Every place that calls it, hands it on or imports it, and calls of the name that stayed open
    Refs(NameArgs),
}

#[derive(Debug, Args)]
pub struct WalkArgs {
    /// A name, a qualified name, `file:line` or `file#name`
    symbol: String,
    /// Follow calls this far
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    depth: u32,
    #[command(flatten)]
    output: QueryOutputArgs,
}

#[derive(Debug, Args)]
pub struct PathArgs {
    /// Where to start: a name, a qualified name, `file:line` or `file#name`
    from: String,
    /// Where to end
    to: String,
    #[command(flatten)]
    output: QueryOutputArgs,
}

#[derive(Debug, Args)]
pub struct NameArgs {
    /// A name, a qualified name, `file:line` or `file#name`
    symbol: String,
    #[command(flatten)]
    output: QueryOutputArgs,
}

#[derive(Debug, Args)]
struct QueryOutputArgs {
    /// Format of what goes to stdout: human, json, jsonl
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    format: Format,
    /// Also write to a file, in the format before `=`, else in the one its extension names; repeatable
    #[arg(long, value_name = "[FORMAT=]PATH")]
    output: Vec<String>,
}

/// Answers.
pub fn run(query: Query, context: &Context) -> Result<ExitCode, Failure> {
    let (name, output) = match &query {
        Query::Callers(WalkArgs { output, .. }) => ("improve map callers", output),
        Query::Callees(WalkArgs { output, .. }) => ("improve map callees", output),
        Query::Path(PathArgs { output, .. }) => ("improve map path", output),
        Query::Symbol(NameArgs { output, .. }) => ("improve map symbol", output),
        Query::Refs(NameArgs { output, .. }) => ("improve map refs", output),
    };
    let outputs = OutputArgs { format: output.format, output: output.output.clone() }.outputs(name, &FORMATS)?;
    let workspace = context.globals.workspace(Flags::default(), &context.console)?;
    let survey = read(&workspace, context)?;
    let map = &survey.map;
    let page = context.console.page(&workspace.root.to_string_lossy());
    let write = |text: &dyn Fn(Format) -> String| {
        outputs.write(&context.console, &|format, _| text(format))?;
        Ok(ExitCode::Done)
    };
    match query {
        Query::Callers(WalkArgs { symbol, depth, output: _ }) => {
            let answer = CallsAnswer::callers(map, &definition(map, &symbol)?, depth);
            write(&|format| render(format, &answer, &answer.calls, &|| human::calls(&answer, &page)))
        }
        Query::Callees(WalkArgs { symbol, depth, output: _ }) => {
            let answer = CallsAnswer::callees(map, &definition(map, &symbol)?, depth);
            write(&|format| render(format, &answer, &answer.calls, &|| human::calls(&answer, &page)))
        }
        Query::Path(PathArgs { from, to, output: _ }) => {
            let answer = PathAnswer::new(map, &definition(map, &from)?, &definition(map, &to)?);
            write(&|format| render(format, &answer, &answer.steps, &|| human::path(&answer, &page)))
        }
        Query::Symbol(NameArgs { symbol, output: _ }) => {
            let reach = Reach::new(map);
            let answers: Vec<SymbolAnswer> =
                definitions(map, &symbol)?.iter().map(|one| SymbolAnswer::new(map, one, &reach)).collect();
            write(&|format| render(format, &answers, &answers, &|| human::symbols(&answers, &page)))
        }
        Query::Refs(NameArgs { symbol, output: _ }) => {
            let answer = RefsAnswer::new(map, &definitions(map, &symbol)?);
            write(&|format| render(format, &answer, &answer.references, &|| human::refs(&answer, &page)))
        }
    }
}

/// One document, its rows a line each, or a page.
fn render<D: serde::Serialize, R: serde::Serialize>(
    format: Format,
    document: &D,
    rows: &[R],
    page: &dyn Fn() -> String,
) -> String {
    match format.kind() {
        Kind::Document => json::document(document),
        Kind::Lines => json::lines(rows),
        Kind::Text => page(),
    }
}

/// The one definition that `text` names.
pub fn definition(map: &RepoMap, text: &str) -> Result<Definition, Failure> {
    query::find(map, text).map_err(|miss| failure(map, text, miss))
}

/// Every definition that `text` names, at least one.
fn definitions(map: &RepoMap, text: &str) -> Result<Vec<Definition>, Failure> {
    match query::find(map, text) {
        Ok(one) => Ok(vec![one]),
        Err(Miss::Ambiguous(several)) => Ok(several),
        Err(miss) => Err(failure(map, text, miss)),
    }
}

fn failure(map: &RepoMap, text: &str, miss: Miss) -> Failure {
    match miss {
        Miss::Unknown(nearest) => {
            let failure = Failure::usage(format!("{text}: no definition of the repository is called so"));
            match nearest {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None => failure.hint("`improve map --symbols` lists them"),
            }
        }
        Miss::Ambiguous(several) => {
            let all: Vec<_> = several.iter().map(|one| reference(map, one.id)).collect();
            let mut failure = Failure::usage(format!("{text}: {} definitions are called so", all.len()));
            failure.places = human::candidates(&all);
            if failure.places.len() > CANDIDATES {
                let more = failure.places.len() - CANDIDATES;
                failure.places.truncate(CANDIDATES);
                failure.places.push(format!("and {more} more"));
            }
            failure.hint("name one of them as it is written here")
        }
    }
}
