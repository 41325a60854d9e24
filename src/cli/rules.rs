//! `improve rules`: what the built-in rules find, why it matters and when they stay quiet.

use clap::Args;
use improve::audit::rules::RULES;
use improve::nearest::nearest;
use improve::report::{json, rules as report};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, OutputArgs};

/// List the rules, or say what one of them does
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// The rule
    id: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the rules.
pub fn run(args: RulesArgs, context: &Context) -> Result<ExitCode, Failure> {
    let RulesArgs { id, output } = args;
    let outputs = output.outputs("improve rules", &[Format::Human, Format::Json, Format::Jsonl])?;
    let page = context.console.page("");
    let docs: Vec<_> = RULES.iter().map(|rule| rule.doc()).collect();
    let chosen = match &id {
        None => None,
        Some(id) => Some(
            docs.iter().find(|doc| doc.id == id).copied().ok_or_else(|| unknown(id, docs.iter().map(|doc| doc.id)))?,
        ),
    };
    outputs.write(&context.console, &|format, _| match (format, chosen) {
        (Format::Human | Format::Markdown | Format::Dot | Format::Mermaid, None) => report::list(&docs, &page),
        (Format::Human | Format::Markdown | Format::Dot | Format::Mermaid, Some(doc)) => report::rule(doc, &page),
        (Format::Json, None) => json::document(&docs.iter().map(|doc| report::RuleRow::new(doc)).collect::<Vec<_>>()),
        (Format::Json, Some(doc)) => json::document(&report::RuleRow::new(doc)),
        (Format::Jsonl, None) => json::lines(docs.iter().map(|doc| report::RuleRow::new(doc))),
        (Format::Jsonl, Some(doc)) => json::line(&report::RuleRow::new(doc)),
    })?;
    Ok(ExitCode::Done)
}

fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let failure = Failure::usage(format!("no rule is called `{id}`"));
    match nearest(id, known) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint("`improve rules` lists them"),
    }
}
