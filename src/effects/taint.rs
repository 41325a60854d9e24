//! Taint: values that somebody outside chose, followed to the calls that must not get them.
//!
//! Asked from the end: [`sinks`] finds the calls (and the project's own functions that only hand a parameter on to one), [`text`]
//! takes the argument apart into fixed text and holes, [`trace`] follows each hole back to where its value comes from, through
//! locals, parameters, results, callbacks and fields, and [`guards`] asks what was checked on the way; [`siblings`] asks which
//! values such a check left out. Sources, sinks and cleaners of libraries are data ([`tables`]), and what a project declares in
//! its settings takes part like them ([`declared`]).
//! Every bound (calls up, calls down, places looked at) is a constant, so the work grows with the number of sinks.

mod backtracking;
pub mod declared;
mod flows;
mod guards;
mod letters;
mod names;
mod parameters;
mod repository;
mod results;
mod schemas;
mod siblings;
mod sinks;
mod sources;
pub mod tables;
mod text;
mod trace;
mod types;

use crate::finding::Hop;
use crate::repo_map::CallId;

pub use flows::flows;

/// What a value can do at a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Becomes part of an SQL statement.
    Sql,
    /// Becomes part of a command line that a shell reads.
    Shell,
    /// Is read as an option of a program.
    Option,
    /// Chooses a file.
    Path,
    /// Chooses the host a server talks to.
    Url,
    /// Chooses where a browser goes next.
    Redirect,
    /// Becomes part of a regular expression.
    Regex,
    /// Becomes part of a page as markup.
    Html,
    /// Is searched with a pattern that takes very long for some texts.
    Backtracking,
}

impl Danger {
    /// Every danger, in order.
    pub const ALL: [Danger; 9] = [
        Danger::Sql,
        Danger::Shell,
        Danger::Option,
        Danger::Path,
        Danger::Url,
        Danger::Redirect,
        Danger::Regex,
        Danger::Html,
        Danger::Backtracking,
    ];

    /// The rule that reports it: the word projects use in their settings.
    pub fn rule(self) -> &'static str {
        match self {
            Danger::Sql => "sql-injection",
            Danger::Shell | Danger::Option => "command-injection",
            Danger::Path => "path-traversal",
            Danger::Url => "ssrf",
            Danger::Redirect => "open-redirect",
            Danger::Regex => "regex-injection",
            Danger::Html => "html-injection",
            Danger::Backtracking => "polynomial-regex",
        }
    }
}

/// Who decides a value, the more dangerous the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The code: a literal, a number, one of a fixed list, text that went through an escaping function.
    Constant,
    /// Not known, or checked by something whose strength is not known.
    Unknown,
    /// Whoever calls an exported function of text parameters.
    Parameter,
    /// Whoever sits before the browser: the page's own address.
    Page,
    /// Whoever may write what is read here later: a queue's payload, a window's command.
    Stored,
    /// Whoever sends a request.
    Client,
}

/// Where a value stands in the text that it is pasted into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The quote it stands in.
    pub quote: Option<char>,
    /// Fixed text stands around it; else the value is the whole argument.
    pub pasted: bool,
    /// Fixed text before it, the last of it, with [`Context::HOLE`] for each value in it.
    pub before: String,
}

impl Context {
    /// Stands for another value in the text before one: the object replacement character, which no source holds.
    pub const HOLE: char = '\u{fffc}';
}

/// One way of a value to a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What it can do there.
    pub danger: Danger,
    /// The call that takes it.
    pub sink: CallId,
    /// From that call to the API that does it, when functions of the project stand between.
    pub reaches: Vec<Hop>,
    /// The API: `child_process.exec`.
    pub api: String,
    /// The library, as its table calls it.
    pub library: &'static str,
    /// The file and line where the value is pasted into text; the sink's own line when it is not elsewhere.
    pub place: (String, u32),
    /// How it stands there.
    pub context: Context,
    /// Who decides it.
    pub trust: Trust,
    /// The source as written: `req.query.name`.
    pub source: String,
    /// The value as written at the sink.
    pub value: Option<String>,
    /// From the source to the sink, one step a function or assignment worth reading.
    pub steps: Vec<Hop>,
    /// A check that lets dangerous values through, and which.
    pub leak: Option<String>,
    /// A value beside it that is checked where this one is not.
    pub sibling: Option<String>,
    /// Something on the way is not certain: a call by interface, a schema that could not be read.
    pub doubtful: bool,
    /// The fixed text of the argument, holes as `{}`; capped.
    pub text: String,
}
