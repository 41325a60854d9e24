//! `improve man`: pages for man(1), made from what `--help` says.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use improve::nearest::nearest;
use improve::temporary::replace;

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::{Context, examples, program};

/// Print a page for man(1), or write all of them to a folder
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command; the program's own page without one
    #[arg(conflicts_with = "dir")]
    command: Option<String>,
    /// Write every page to this folder, as improve.1, improve-audit.1 …
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints a page or writes all.
pub fn run(args: ManArgs, context: &Context) -> Result<ExitCode, Failure> {
    let ManArgs { command, dir } = args;
    let mut program = program();
    program.build();
    if let Some(dir) = dir {
        return write_all(&program, &dir, context);
    }
    let (name, shown) = match &command {
        None => ("", &program),
        Some(name) => (name.as_str(), program.find_subcommand(name).ok_or_else(|| unknown(name, &program))?),
    };
    context.console.print(&page(name, shown))?;
    Ok(ExitCode::Done)
}

fn write_all(program: &Command, dir: &Path, context: &Context) -> Result<ExitCode, Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::usage(format!("{}: {error}", path.display())).code(ExitCode::Incomplete)
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    let pages = std::iter::once(("", program)).chain(commands.map(|command| (command.get_name(), command)));
    let mut written = 0;
    for (name, command) in pages {
        let file = if name.is_empty() { "improve.1".to_owned() } else { format!("improve-{name}.1") };
        let path = dir.join(file);
        replace(&path, page(name, command).as_bytes()).map_err(|error| failed(&path, &error))?;
        written += 1;
    }
    context.console.print(&format!("{written} pages in {}\n", dir.display()))?;
    Ok(ExitCode::Done)
}

/// A page: clap's sections, with the examples before the options.
fn page(name: &str, command: &Command) -> String {
    // Examples have a section of their own.
    let command = command.clone().before_help(None::<&str>);
    let title = if name.is_empty() { "improve".to_owned() } else { format!("improve-{name}") };
    let exit_codes = command.get_after_help().map(ToString::to_string);
    let man = Man::new(command.clone()).title(title);
    let mut page = Vec::new();
    let sections = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| render_examples(name, &mut page))
        .and_then(|()| man.render_options_section(&mut page))
        .and_then(|()| if command.has_subcommands() { man.render_subcommands_section(&mut page) } else { Ok(()) })
        .and_then(|()| if exit_codes.is_some() { man.render_extra_section(&mut page) } else { Ok(()) });
    sections.expect("a vector can be written to");
    String::from_utf8_lossy(&page).into_owned()
}

fn render_examples(name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let examples = examples::of(name);
    if examples.is_empty() {
        return Ok(());
    }
    let mut roff = Roff::default();
    roff.control("SH", ["EXAMPLES"]);
    for (line, purpose) in examples {
        roff.control("TP", []);
        roff.text([bold(*line)]);
        roff.text([roman(*purpose)]);
    }
    roff.to_writer(page)
}

fn unknown(name: &str, program: &Command) -> Failure {
    let failure = Failure::usage(format!("no command is called `{name}`"));
    match nearest(name, program.get_subcommands().map(Command::get_name)) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint("`improve --help` lists them"),
    }
}
