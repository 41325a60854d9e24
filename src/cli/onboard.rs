//! `improve onboard`: what somebody new should read first.

use std::path::{Path, PathBuf};

use clap::Args;
use improve::nearest::nearest;
use improve::onboard::role::Role;
use improve::onboard::{Guide, SectionId, Sources, guide};
use improve::planner::onboard::source;
use improve::report::json;
use improve::report::onboard::{
    Assembled, OnboardDocument, SectionText, assembled, human, is_guide, page, sections, title,
};
use improve::settings::Flags;
use improve::survey::Survey;
use improve::temporary::replace;

use super::Context;
use super::audit::read;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::models::ModelArgs;
use super::output::{Format, OutputArgs, Outputs};
use super::progress::Bar;

mod telling;

use telling::Telling;

/// Formats a guide is written in.
const FORMATS: [Format; 4] = [Format::Human, Format::Markdown, Format::Json, Format::Jsonl];
/// Where `--check` looks when no file is named.
const USUAL: [&str; 3] = ["docs/ONBOARDING.md", "ONBOARDING.md", ".github/ONBOARDING.md"];

/// Write a guide: what to read first, how to get it running, one request through the code, who knows what
#[derive(Debug, Args)]
pub struct OnboardArgs {
    /// For work on one area: backend, frontend, infrastructure, data, tests
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Name nobody: leave out who knows what
    #[arg(long)]
    no_authors: bool,
    /// Write nothing; exit with 1 when the guide in the repository is out of date [file: --output, else docs/ONBOARDING.md]
    #[arg(long)]
    check: bool,
    /// Write nothing and send nothing: show what a planner would be asked for what price
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    output: OnboardOutputArgs,
}

/// [`OutputArgs`], with the formats of a guide in the help.
#[derive(Debug, Args)]
struct OnboardOutputArgs {
    /// Format of what goes to stdout: human, markdown, json, jsonl
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    format: Format,
    /// Also write to a file; of a Markdown guide that is there, only sections that changed are written again, and what people wrote
    /// between them stays; repeatable
    #[arg(long, value_name = "[FORMAT=]PATH")]
    output: Vec<String>,
}

/// Prints or writes the guide.
pub fn run(args: OnboardArgs, context: &Context) -> Result<ExitCode, Failure> {
    let OnboardArgs { role, no_authors, check, dry_run, models, output } = args;
    let OnboardOutputArgs { format, output } = output;
    let outputs = OutputArgs { format, output }.outputs("improve onboard", &FORMATS)?;
    let role = role.as_deref().map(role_of).transpose()?;
    refuse_others(&outputs)?;
    let workspace = context.globals.workspace(models.flags(Flags::default()), &context.console)?;
    let survey = read(&workspace, context)?;
    let guide = guide_of(&survey, role, !no_authors, context)?;
    let facts = |(section, text): (SectionId, String)| {
        let source = source(&text, guide.made_from.get(&section).map_or(&[], Vec::as_slice), &survey.tree);
        SectionText::built_in(section, text, source)
    };
    let mut texts: Vec<SectionText> = sections(&guide).into_iter().map(facts).collect();
    if check {
        return check_file(&guide, &texts, &outputs, &workspace.root, context);
    }
    let code = Telling {
        guide: &guide,
        outputs: &outputs,
        models: &models,
        dry_run,
        survey: &survey,
        workspace: &workspace,
        context,
    }
    .tell(&mut texts)?;
    if !dry_run {
        write(&guide, &texts, &outputs, context)?;
    }
    Ok(code)
}

/// A document that somebody else wrote is not written over.
fn refuse_others(outputs: &Outputs) -> Result<(), Failure> {
    for (_, path) in outputs.files().iter().filter(|(format, _)| *format == Format::Markdown) {
        if std::fs::read_to_string(path).is_ok_and(|text| !text.trim().is_empty() && !is_guide(&text)) {
            return Err(Failure::usage(format!("{}: it is there, and no guide of `improve onboard`", path.display()))
                .hint("name another file, or take this one away first"));
        }
    }
    Ok(())
}

/// The role a word names.
fn role_of(word: &str) -> Result<Role, Failure> {
    let known = Role::ALL.map(Role::word);
    Role::ALL.into_iter().find(|role| role.word() == word.to_lowercase()).ok_or_else(|| {
        let failure = Failure::usage(format!("--role {word}: no such role"));
        match nearest(word, known) {
            Some(near) => failure.hint(format!("did you mean {near}? Roles are {}", known.join(", "))),
            None => failure.hint(format!("roles are {}", known.join(", "))),
        }
    })
}

fn guide_of(survey: &Survey, role: Option<Role>, authors: bool, context: &Context) -> Result<Guide, Failure> {
    let bar = Bar::new(&context.console, context.cancel.clone());
    let log = survey.log(&bar)?;
    drop(bar);
    let folder = survey.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (map, effects, tree) = (&survey.map, survey.effects(), &survey.tree);
    let sources = Sources { map, effects, tree, log: &log, authors, folder: &folder };
    guide(sources, role).map_err(|has| {
        let word = role.map(Role::word).unwrap_or_default();
        let has: Vec<&str> = has.into_iter().map(Role::word).collect();
        let failure = Failure::usage(format!("--role {word}: nothing in this repository is told apart as {word}"));
        if has.is_empty() {
            failure.hint("leave --role out")
        } else {
            failure.hint(format!("it has {}", has.join(", ")))
        }
    })
}

/// Files first: a closed stdout must not lose them.
fn write(guide: &Guide, texts: &[SectionText], outputs: &Outputs, context: &Context) -> Result<(), Failure> {
    let console = &context.console;
    for (format, path) in outputs.files() {
        let unwritten =
            |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display())).code(ExitCode::Incomplete);
        if *format != Format::Markdown {
            let text = anstream::adapter::strip_str(&render(guide, texts, *format, context)).to_string();
            replace(path, text.as_bytes()).map_err(unwritten)?;
            continue;
        }
        let before = std::fs::read_to_string(path).ok();
        let after = assembled(&title(guide), texts, before.as_deref());
        say(&after, path, before.is_some(), context);
        if before.as_deref() != Some(after.text.as_str()) {
            replace(path, after.text.as_bytes()).map_err(unwritten)?;
        }
    }
    console.print(&render(guide, texts, outputs.stdout(), context))
}

/// Says what became of a file.
fn say(after: &Assembled, path: &Path, was_there: bool, context: &Context) {
    let words: Vec<&str> = after.changed.iter().map(|section| section.word()).collect();
    let path = path.display();
    context.console.note(&match (was_there, words.is_empty()) {
        (false, _) => format!("{path}: written"),
        (true, true) => format!("{path}: up to date"),
        (true, false) => format!("{path}: written anew: {}", words.join(", ")),
    });
    for section in &after.edited {
        let word = section.word();
        context.console.warn(&format!(
            "{path}: section `{word}` was edited by hand and stays; take it out to have it written anew"
        ));
    }
}

/// Whether the guide in the repository says what it would say now.
fn check_file(
    guide: &Guide,
    texts: &[SectionText],
    outputs: &Outputs,
    root: &Path,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let named = outputs.files().iter().filter(|(format, _)| *format == Format::Markdown).map(|(_, path)| path.clone());
    let mut files: Vec<PathBuf> = named.collect();
    if files.is_empty() {
        files.extend(USUAL.iter().map(|path| root.join(path)).find(|path| path.is_file()));
    }
    if files.is_empty() {
        return Err(Failure::usage("--check: there is no guide to check")
            .hint("write one with `improve onboard --output markdown=docs/ONBOARDING.md`, or name it with --output"));
    }
    let mut code = ExitCode::Done;
    for path in files {
        let before = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!("{}: {error}", path.display())).hint("--output names the guide to check")
        })?;
        let after = assembled(&title(guide), texts, Some(&before));
        say_of_check(&after, before == after.text, &path, context);
        if before != after.text {
            code = ExitCode::Findings;
        }
    }
    Ok(code)
}

fn say_of_check(after: &Assembled, same: bool, path: &Path, context: &Context) {
    let words: Vec<&str> = after.changed.iter().map(|section| section.word()).collect();
    let path = path.display();
    context.console.note(&match (same, words.is_empty()) {
        (true, _) => format!("{path}: up to date"),
        (false, true) => format!("{path}: out of date: its title"),
        (false, false) => format!("{path}: out of date: {}", words.join(", ")),
    });
}

fn render(guide: &Guide, texts: &[SectionText], format: Format, context: &Context) -> String {
    let document = || OnboardDocument { guide: guide.clone(), sections: texts.to_vec() };
    match format {
        Format::Json => json::document(&document()),
        Format::Jsonl => json::line(&document()),
        Format::Human => human(&page(&title(guide), texts), &context.console.page("")),
        Format::Markdown
        | Format::Html
        | Format::Sarif
        | Format::Github
        | Format::Junit
        | Format::Dot
        | Format::Mermaid => assembled(&title(guide), texts, None).text,
    }
}
