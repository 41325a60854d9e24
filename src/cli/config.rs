//! `improve config`: what is set, and where it came from.

use std::path::Path;

use clap::{Args, Subcommand};
use improve::model::Role;
use improve::nearest::nearest;
use improve::report::config::{ConfigDocument, FileRow, SCHEMA_VERSION, SettingRow, config};
use improve::report::json;
use improve::settings::{FILE_NAME, Flags};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::user_file;
use super::models::{ModelArgs, variable};
use super::output::{Format, Kind, OutputArgs};

/// Show what is set and where it came from
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    Show(ShowArgs),
}

/// Show every setting, or those of one key or table: the value, and the file and line, variable or flag it comes from
#[derive(Debug, Args)]
struct ShowArgs {
    /// A key or a table: `max-usd`, `rules`, `apply.run-tests`
    key: Option<String>,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Prints the settings.
pub fn run(args: ConfigArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ConfigArgs { action: Action::Show(ShowArgs { key, models, output }) } = args;
    let outputs = output.outputs("improve config show", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(models.flags(Flags::default()), &context.console)?;
    let mut settings: Vec<SettingRow> = workspace.settings.listing().into_iter().map(SettingRow::from).collect();
    for role in Role::ALL {
        // A key that is set binds a model, too.
        let key = format!("models.{}", role.label());
        let row = settings.iter_mut().find(|row| row.key == key && row.is_default);
        if let (Some(row), Ok(Some(bound))) = (row, workspace.settings.model.bound(role, &variable)) {
            *row = SettingRow {
                key,
                value: Some(toml::Value::String(bound.name()).to_string()),
                origin: bound.because.to_string(),
                is_default: false,
            };
        }
    }
    let mut files = Vec::new();
    match &key {
        Some(key) => settings = of_key(key, settings)?,
        None => {
            let row = |whose: &str, path: &Path| FileRow {
                whose: whose.to_owned(),
                path: path.to_string_lossy().into_owned(),
                there: path.is_file(),
            };
            files.extend(user_file().map(|path| row("yours", &path)));
            files.push(row("the repository's", &workspace.root.join(FILE_NAME)));
        }
    }
    let document = ConfigDocument { schema_version: SCHEMA_VERSION, files, settings };
    let page = context.console.page(&workspace.root.to_string_lossy());
    outputs.write(&context.console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&document),
        Kind::Text => config(&document, &page),
    })?;
    Ok(ExitCode::Done)
}

/// The setting a key names, or those of a table.
fn of_key(key: &str, settings: Vec<SettingRow>) -> Result<Vec<SettingRow>, Failure> {
    let wanted = key.replace('_', "-");
    let inside = format!("{wanted}.");
    let (found, others): (Vec<SettingRow>, Vec<SettingRow>) =
        settings.into_iter().partition(|row| row.key == wanted || row.key.starts_with(&inside));
    if !found.is_empty() {
        return Ok(found);
    }
    let failure = Failure::usage(format!("no setting is called `{key}`"));
    let tables = others.iter().filter_map(|row| row.key.split_once('.')).map(|(table, _)| table);
    Err(match nearest(&wanted, others.iter().map(|row| row.key.as_str()).chain(tables)) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint("`improve config show` lists them; tables nobody wrote into are not there"),
    })
}
