//! The ledger: every call to a model, one line of JSON each, only ever added to.
//!
//! A line is one write to a file opened for appending, so that several runs can share it. The file is opened before a call is
//! made: a call that cannot be recorded is not made.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Role;
use super::error::ModelError;
use super::money::NanoDollars;
use super::usage::Usage;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// When it ended, RFC 3339.
    pub time: String,
    /// The run of `improve` it belongs to.
    pub run: String,
    /// What the model was asked as.
    pub role: Role,
    /// What it was asked for: `lens security`, `vet`, `specify`, `step 2`.
    pub purpose: String,
    /// The plan it is about.
    pub plan: Option<String>,
    /// Version of the prompts; 0 in lines that are older than this field.
    #[serde(default)]
    pub prompts: u32,
    /// 1-based: the how manieth call for the same question.
    pub attempt: u32,
    /// The provider.
    pub provider: String,
    /// The model asked.
    pub model: String,
    /// The model that answered, by the server's word.
    pub answered_by: Option<String>,
    /// Tokens; `None` where the server did not say.
    pub usage: Option<Usage>,
    /// What it cost; `None` where the price or the tokens are not known. Never a made-up zero.
    pub cost: Option<NanoDollars>,
    /// The day of the price table.
    pub price_as_of: String,
    /// Served by the batch endpoint.
    pub batch: bool,
    /// The server's id of the request or the answer.
    pub request_id: Option<String>,
    /// Why the answer ended, or what went wrong instead of one.
    pub outcome: String,
    /// Milliseconds.
    pub milliseconds: u64,
}

/// The ledger of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    path: PathBuf,
}

/// A ledger, open for one more line.
pub struct OpenLedger {
    path: PathBuf,
    file: File,
}

/// A ledger as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// Its lines, the oldest first.
    pub lines: Vec<Line>,
    /// Lines that cannot be read: a run was killed while it wrote, or somebody edited the file.
    pub unreadable: usize,
}

/// Name of the file in the folder of a repository's state.
pub const FILE_NAME: &str = "ledger.jsonl";

impl Ledger {
    /// The ledger in the folder `state`.
    pub fn within(state: &Path) -> Ledger {
        Ledger { path: state.join(FILE_NAME) }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for one more line.
    pub fn open(&self) -> Result<OpenLedger, ModelError> {
        let failed = |error: std::io::Error| ModelError::Record {
            what: self.path.display().to_string(),
            why: error.to_string(),
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(&self.path).map_err(failed)?;
        Ok(OpenLedger { path: self.path.clone(), file })
    }

    /// Reads it. A ledger that is not there is empty.
    pub fn read(&self) -> std::io::Result<Read> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Read::default()),
            Err(error) => return Err(error),
        };
        let mut read = Read::default();
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(line) => read.lines.push(line),
                Err(_) => read.unreadable += 1,
            }
        }
        Ok(read)
    }
}

impl OpenLedger {
    /// Adds a line.
    pub fn append(mut self, line: &Line) -> Result<(), ModelError> {
        let mut text = serde_json::to_string(line).expect("a line of the ledger is JSON");
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| ModelError::Record { what: self.path.display().to_string(), why: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn line(purpose: &str) -> Line {
        Line {
            time: "2026-11-21T10:00:00Z".to_owned(),
            run: "r".to_owned(),
            role: Role::Planner,
            purpose: purpose.to_owned(),
            plan: None,
            prompts: 1,
            attempt: 1,
            provider: "anthropic".to_owned(),
            model: "claude-opus-5-5".to_owned(),
            answered_by: None,
            usage: Some(Usage { fresh: 1, ..Usage::default() }),
            cost: None,
            price_as_of: "2026-11-21".to_owned(),
            batch: false,
            request_id: None,
            outcome: "end".to_owned(),
            milliseconds: 5,
        }
    }

    #[test]
    fn a_line_cut_by_a_kill_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::within(&folder.path().join("state"));
        assert_eq!(ledger.read().unwrap(), Read::default());
        ledger.open().unwrap().append(&line("one")).unwrap();
        let path = folder.path().join("state").join(FILE_NAME);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}\n", &whole[..20])).unwrap();
        ledger.open().unwrap().append(&line("two")).unwrap();
        let read = ledger.read().unwrap();
        assert_eq!(read, Read { lines: vec![line("one"), line("two")], unreadable: 1 });
    }
}
