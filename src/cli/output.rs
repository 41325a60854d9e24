//! Formats and destinations: one run may feed several readers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::console::Console;
use super::exit_code::ExitCode;
use super::failure::Failure;

/// `--format` and `--output`.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Format of what goes to stdout: human, json, jsonl, markdown; for findings also sarif, github, junit, html
    #[arg(long, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub format: Format,
    /// Also write to a file, in the format before `=`, else in the one its extension names; repeatable
    #[arg(long, value_name = "[FORMAT=]PATH")]
    pub output: Vec<String>,
}

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One document, by a committed schema
    Json,
    /// One JSON object a line
    Jsonl,
    /// For a file, an issue or a pull request
    Markdown,
    /// For code scanning
    Sarif,
    /// Annotations of a GitHub workflow run
    Github,
    /// For CI systems that show tests
    Junit,
    /// One page that needs nothing else, for a browser
    Html,
    /// A graph for Graphviz
    Dot,
    /// A graph for Markdown
    Mermaid,
}

/// What a format asks of a command: most have one document, and one page for whatever is not a document for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One JSON document.
    Document,
    /// JSON, an object a line.
    Lines,
    /// Text in a form of its own.
    Text,
}

/// Where to write what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    stdout: Format,
    files: Vec<(Format, PathBuf)>,
}

impl OutputArgs {
    /// Checks that the command can write every format asked for, before any work is done.
    pub fn outputs(&self, command: &str, supported: &[Format]) -> Result<Outputs, Failure> {
        let OutputArgs { format, output } = self;
        let files = output.iter().map(|text| destination(text)).collect::<Result<Vec<_>, _>>()?;
        for wanted in std::iter::once(*format).chain(files.iter().map(|(format, _)| *format)) {
            if !supported.contains(&wanted) {
                let known: Vec<&str> = supported.iter().map(|format| format.word()).collect();
                return Err(Failure::usage(format!("`{command}` does not write {}", wanted.word()))
                    .hint(format!("it writes {}", known.join(", "))));
            }
        }
        Ok(Outputs { stdout: *format, files })
    }
}

impl Outputs {
    /// Whether people read stdout.
    pub fn is_human(&self) -> bool {
        self.stdout == Format::Human
    }

    /// Whether anything is to be written in this format.
    pub fn wants(&self, format: Format) -> bool {
        self.stdout == format || self.files.iter().any(|(own, _)| *own == format)
    }

    /// The files that are written.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(_, path)| path.clone()).collect()
    }

    /// Files to write, each with its format.
    pub fn files(&self) -> &[(Format, PathBuf)] {
        &self.files
    }

    /// The format of what goes to stdout.
    pub fn stdout(&self) -> Format {
        self.stdout
    }

    /// Writes every document asked for; `render` makes one of a format. Files first: a closed stdout must not lose them.
    pub fn write(&self, console: &Console, render: &dyn Fn(Format, bool) -> String) -> Result<(), Failure> {
        for (format, path) in &self.files {
            let text = anstream::adapter::strip_str(&render(*format, false)).to_string();
            std::fs::write(path, text)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())).code(ExitCode::Incomplete))?;
        }
        console.print(&render(self.stdout, true))
    }
}

impl Format {
    /// What it asks of a command.
    pub fn kind(self) -> Kind {
        match self {
            Format::Json => Kind::Document,
            Format::Jsonl => Kind::Lines,
            Format::Human
            | Format::Markdown
            | Format::Sarif
            | Format::Github
            | Format::Junit
            | Format::Html
            | Format::Dot
            | Format::Mermaid => Kind::Text,
        }
    }

    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Markdown => "markdown",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Junit => "junit",
            Format::Html => "html",
            Format::Dot => "dot",
            Format::Mermaid => "mermaid",
        }
    }
}

fn destination(text: &str) -> Result<(Format, PathBuf), Failure> {
    if let Some((word, path)) = text.split_once('=')
        && let Ok(format) = Format::from_str(word, true)
        && !path.is_empty()
    {
        return Ok((format, PathBuf::from(path)));
    }
    let path = PathBuf::from(text);
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Format::Json,
        Some("jsonl" | "ndjson") => Format::Jsonl,
        Some("md" | "markdown") => Format::Markdown,
        Some("sarif") => Format::Sarif,
        Some("xml") => Format::Junit,
        Some("html" | "htm") => Format::Html,
        Some("txt") => Format::Human,
        Some("dot" | "gv") => Format::Dot,
        Some("mmd" | "mermaid") => Format::Mermaid,
        _ => {
            return Err(Failure::usage(format!("--output {text}: the name does not say which format"))
                .hint(format!("write --output FORMAT={text}, as in json={text}")));
        }
    };
    Ok((format, path))
}
