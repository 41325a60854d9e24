//! The pure edit engine: edits as text to text, unique at every rung, all or nothing.
//!
//! [`apply`](apply::apply) takes the texts as they are and a message of edits, and gives the texts as they become or every
//! reason why not. It never touches the disk: reading, writing and refusing links is left to the caller.

use serde::{Deserialize, Serialize};

pub mod apply;
pub mod explain;
mod indent;
pub mod matching;
mod numbers;
pub mod path;
mod place;
pub mod profile;
mod region;
mod rewrite;
pub mod statements;
pub mod surface;
mod symbols;
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
    /// A text and what stands there afterwards; it may be a part of a line, or whole lines. Plans do not carry it.
    Substitute {
        /// What stands there now.
        old: String,
        /// What stands there afterwards.
        new: String,
    },
    /// Hunks of a patch, applied in order. Plans do not carry them.
    Hunks(Vec<Hunk>),
    /// Lines that come, next to others that stay as they are. Plans do not carry it.
    Insert(Insertion),
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

impl EditOperation {
    /// Every text of a file that it quotes or writes.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            EditOperation::Replace(blocks) | EditOperation::Rename { blocks, .. } => {
                blocks.iter().flat_map(Block::texts).collect()
            }
            EditOperation::Hunks(hunks) => hunks.iter().flat_map(|hunk| hunk.block.texts()).collect(),
            EditOperation::Substitute { old, new } => vec![old, new],
            EditOperation::Insert(insertion) => vec![&insertion.anchor, &insertion.text],
            EditOperation::Create(text) | EditOperation::Whole(text) => vec![text],
            EditOperation::Delete => Vec::new(),
        }
    }
}

/// A block that says where in the file it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// Lines it stands under, each inside what the one before opens: `class A`, then `get() {`.
    pub under: Vec<String>,
    /// What stands there, and what afterwards.
    pub block: Block,
    /// Whether it stands at the end of the file.
    pub at_end: bool,
}

/// Lines that come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insertion {
    /// The lines they come next to; empty for the file as a whole.
    pub anchor: String,
    /// On which side of it.
    pub side: Side,
    /// The lines, without a final line break.
    pub text: String,
}

/// A side of some lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Above them; at the start of the file.
    Before,
    /// Below them; at the end of the file.
    After,
}

impl Block {
    fn texts(&self) -> [&str; 2] {
        [&self.search, &self.replace]
    }

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
            EditOperation::Replace(_)
            | EditOperation::Substitute { .. }
            | EditOperation::Hunks(_)
            | EditOperation::Insert(_)
            | EditOperation::Create(_)
            | EditOperation::Whole(_)
            | EditOperation::Delete => {
                vec![&self.file]
            }
        }
    }
}

#[cfg(test)]
mod properties;
