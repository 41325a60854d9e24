//! `improve rules`: what the built-in rules find, why it matters and when they stay quiet.

use clap::Args;
use improve::audit::rules::RULES;
use improve::nearest::nearest;
use improve::report::{json, rules as report};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::output::{Format, Kind, OutputArgs};

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
    let outputs = output.outputs("improve rules", &[Format::Human, Format::Json, Format::Jsonl, Format::Markdown])?;
    let page = context.console.page("");
    let docs: Vec<_> = RULES.iter().map(|rule| rule.doc()).collect();
    let chosen = match &id {
        None => None,
        Some(id) => Some(
            RULES
                .iter()
                .copied()
                .find(|rule| rule.doc().id == id)
                .ok_or_else(|| unknown(id, docs.iter().map(|doc| doc.id)))?,
        ),
    };
    outputs.write(&context.console, &|format, _| match (format.kind(), chosen) {
        (Kind::Text, None) if format == Format::Markdown => report::pages(RULES),
        (Kind::Text, Some(rule)) if format == Format::Markdown => report::pages(&[rule]),
        (Kind::Text, None) => report::list(&docs, &page),
        (Kind::Text, Some(rule)) => report::rule(rule, &page),
        (Kind::Document, None) => {
            json::document(&RULES.iter().map(|rule| report::RuleRow::new(*rule)).collect::<Vec<_>>())
        }
        (Kind::Document, Some(rule)) => json::document(&report::RuleRow::new(rule)),
        (Kind::Lines, None) => json::lines(RULES.iter().map(|rule| report::RuleRow::new(*rule))),
        (Kind::Lines, Some(rule)) => json::line(&report::RuleRow::new(rule)),
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
