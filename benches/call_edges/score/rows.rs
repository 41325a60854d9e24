//! The two kinds of rows: call sites as the truth knows them, and predicted call edges.

use serde::Deserialize;

/// One call site of the truth.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Truth {
    /// File the call stands in.
    pub caller_file: String,
    /// Function it stands in; `<module>` outside every function.
    pub caller_name: String,
    /// Line of the called name.
    pub call_line: u32,
    /// The called name as written.
    pub call_name: String,
    /// How the call is written.
    pub kind: String,
    /// What stands before the name: `bare`, `this`, `member` and so on; TypeScript only.
    pub receiver: Option<String>,
    /// `repo`, `external`, `param`, `local` or `unknown`.
    pub status: Status,
    /// File of the definition, for `repo`.
    pub callee_file: Option<String>,
    /// Its name.
    pub callee_name: Option<String>,
    /// Line of its name.
    pub callee_line: Option<u32>,
    /// What it is.
    pub callee_kind: Option<String>,
    /// It is defined inside a function.
    #[serde(default)]
    pub callee_nested: bool,
    /// The call stands in an item under a test attribute; Rust only.
    #[serde(default)]
    pub test: bool,
    /// Implementations in the repository of the trait method called; Rust only.
    #[serde(default)]
    pub trait_impls: u32,
}

/// What the front end said of a call site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The callee is defined in the repository.
    Repo,
    /// It is defined elsewhere.
    External,
    /// It is a parameter or another value without a body.
    Param,
    /// It is a local variable.
    Local,
    /// The front end said nothing.
    #[default]
    Unknown,
}

/// One predicted call edge, as `improve map --calls --format jsonl` writes it. Other tools may know less.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Prediction {
    /// File the call stands in.
    pub caller_file: String,
    /// Function it stands in.
    pub caller_name: Option<String>,
    /// Line of the called name.
    pub call_line: Option<u32>,
    /// The called name as written.
    pub call_name: Option<String>,
    /// File of the definition.
    pub callee_file: Option<String>,
    /// Its name.
    pub callee_name: Option<String>,
    /// Line of its name.
    pub callee_line: Option<u32>,
    /// How the edge was found.
    pub how: Option<String>,
}

/// Rows from JSON lines; the error names the line.
pub fn parse<'t, Row: Deserialize<'t>>(text: &'t str) -> Result<Vec<Row>, String> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1)))
        .collect()
}
