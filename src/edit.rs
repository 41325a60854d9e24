//! The pure edit engine: edits as text to text, unique at every rung, all or nothing.
//!
//! [`apply`](apply::apply) takes the texts as they are and a message of edits, and gives the texts as they become or every
//! reason why not. It never touches the disk: reading, writing and refusing links is left to the caller.

use serde::{Deserialize, Serialize};

pub mod apply;
pub mod explain;
pub mod matching;
pub mod path;
pub mod profile;
pub mod surface;
pub mod syntax;

/// What is done to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEdit {
    /// Path relative to the repository, `/`-separated.
    pub file: String,
    /// What is done.
    pub operation: EditOperation,
}

/// One operation on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditOperation {
    /// SEARCH/REPLACE blocks, applied in order, each unique in the file.
    Replace(Vec<Block>),
    /// A new file with this text.
    Create(String),
    /// Everything the file holds afterwards, whether it exists or not. Plans do not carry it.
    Whole(String),
    /// The file is removed.
    Delete,
    /// The file gets a new path; blocks, if any, are applied to its text.
    Rename {
        /// The new path.
        to: String,
        /// Changes on the way.
        blocks: Vec<Block>,
    },
}

/// One SEARCH/REPLACE block. Texts end without a line break; an empty search is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What stands there now: whole lines.
    pub search: String,
    /// What stands there afterwards; empty removes the lines.
    pub replace: String,
}

impl Block {
    /// A block of whole lines.
    ///
    /// One empty line as a replacement is written as a lone carriage return: an empty text removes the lines, and what reads a
    /// block takes a carriage return at the end of a line for a part of the line ending.
    pub(crate) fn of_lines(search: &[&str], replace: &[&str]) -> Self {
        let replace = if replace == [""] { "\r".to_owned() } else { replace.join("\n") };
        Self { search: search.join("\n"), replace }
    }

    /// A block of two texts, where a line break at the end of both is that of the last line.
    pub(crate) fn of_texts(search: &str, replace: &str) -> Self {
        let Some(lines) = search.strip_suffix('\n') else {
            return Self { search: search.to_owned(), replace: replace.to_owned() };
        };
        let replace = match replace.strip_suffix('\n') {
            Some("") => "\r",
            Some(lines) => lines,
            None => replace,
        };
        Self { search: lines.to_owned(), replace: replace.to_owned() }
    }
}

impl FileEdit {
    /// Every path this edit reads or writes.
    pub fn paths(&self) -> Vec<&str> {
        match &self.operation {
            EditOperation::Rename { to, .. } => vec![&self.file, to],
            EditOperation::Replace(_) | EditOperation::Create(_) | EditOperation::Whole(_) | EditOperation::Delete => {
                vec![&self.file]
            }
        }
    }
}
