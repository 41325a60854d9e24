//! The terminal, or what stands in its place: the only door to stdout and stderr.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use improve::report::layout::{Page, paint, style};
use improve::report::sanitize;
use terminal_size::{Height, Width, terminal_size_of};

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::{Color, GlobalArgs};

/// Columns of a page that goes to a file or a pipe.
const PIPED_WIDTH: usize = 100;
/// Reports do not get narrower than this; a narrower terminal wraps them.
const NARROWEST: usize = 60;

/// Where output goes and how it may look.
#[derive(Debug, Clone)]
pub struct Console {
    /// Colour on stdout and stderr.
    stdout_color: ColorChoice,
    stderr_color: ColorChoice,
    /// stdout is a terminal.
    stdout_is_terminal: bool,
    /// Questions may be asked: stdin and stderr are terminals and nobody said `--no-input`.
    pub interactive: bool,
    /// Bars may be drawn.
    pub progress: bool,
    /// Nothing but the document and errors.
    pub quiet: bool,
    /// Columns.
    pub width: usize,
}

impl Console {
    /// The console of this process.
    pub fn new(globals: &GlobalArgs) -> Console {
        let stderr_is_terminal = io::stderr().is_terminal();
        Console {
            stdout_color: choice(globals.color, &io::stdout()),
            stderr_color: choice(globals.color, &io::stderr()),
            stdout_is_terminal: io::stdout().is_terminal(),
            interactive: !globals.no_input && io::stdin().is_terminal() && stderr_is_terminal,
            progress: stderr_is_terminal && !globals.quiet && !is_dumb(),
            quiet: globals.quiet,
            width: width(),
        }
    }

    /// A console that is no terminal.
    #[cfg(test)]
    pub fn plain() -> Console {
        Console {
            stdout_color: ColorChoice::Never,
            stderr_color: ColorChoice::Never,
            stdout_is_terminal: false,
            interactive: false,
            progress: false,
            quiet: true,
            width: PIPED_WIDTH,
        }
    }

    /// The page human reports are laid out for; places are links where a terminal can follow them.
    pub fn page(&self, root: &str) -> Page {
        let links = self.stdout_is_terminal && self.stdout_color != ColorChoice::Never && !is_dumb();
        let height = self.stdout_is_terminal.then(height).flatten();
        Page { width: self.width, height, links: links.then(|| root.to_owned()) }
    }

    /// Whether people read stdout.
    pub fn is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Writes a document to stdout. A reader that went away ends the program without a word.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.stdout_color);
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::silent(ExitCode::Done)),
            Err(error) => Err(Failure::usage(format!("stdout: {error}")).code(ExitCode::Incomplete)),
        }
    }

    /// Writes a remark to stderr, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(&format!("{text}\n"));
        }
    }

    /// Writes what a question is about to stderr, `--quiet` or not.
    pub fn ask(&self, text: &str) {
        self.to_stderr(&format!("{text}\n"));
    }

    /// Writes a warning to stderr, unless `--quiet`.
    pub fn warn(&self, text: &str) {
        self.note(&format!("{} {}", paint(style::WARN, "warning:"), sanitize::line(text)));
    }

    /// Writes what went wrong to stderr.
    pub fn fail(&self, failure: &Failure) {
        let Failure { code: _, message, places, hint } = failure;
        let Some(message) = message else { return };
        let mut text = format!("{} {}\n", paint(style::BAD, "error:"), sanitize::block(message).trim_end());
        for place in places {
            text.push_str(&format!("  {}\n", sanitize::line(place)));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("  {} {}\n", paint(style::COMMAND, "hint:"), sanitize::line(hint)));
        }
        self.to_stderr(&text);
    }

    /// A closed stderr is no reason to stop.
    fn to_stderr(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.stderr_color);
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

fn choice(color: Color, stream: &impl anstream::stream::RawStream) -> ColorChoice {
    match color {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        // anstream knows NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM; FORCE_COLOR is node's word for the same.
        Color::Auto if std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && forced() => {
            ColorChoice::Always
        }
        Color::Auto => AutoStream::choice(stream),
    }
}

fn forced() -> bool {
    std::env::var_os("FORCE_COLOR").is_some_and(|value| !value.is_empty() && value != "0")
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Columns of the terminal that questions are asked on: a line that wraps there breaks the list. 80 where it does not say.
pub fn terminal_width() -> usize {
    terminal_size_of(io::stderr()).map_or(80, |(Width(columns), _)| usize::from(columns))
}

/// `COLUMNS`, else the terminal's width, else a width that files and pipes are read at.
fn width() -> usize {
    let variable = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    let terminal = || terminal_size_of(io::stdout()).map(|(Width(columns), _)| usize::from(columns));
    variable.or_else(terminal).filter(|&columns| columns > 0).unwrap_or(PIPED_WIDTH).max(NARROWEST)
}

/// Rows of the terminal that stdout is.
fn height() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(_, Height(rows))| usize::from(rows))
}
